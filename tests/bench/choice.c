/* Whether the library's choice of kernels is the best: every fixed choice against it, shape by shape. */
#include "bench.h"
#include "kernel_layer.h"

#include <stdio.h>

#define MOST_WAYS 32
#define TOLERANCE 1.05

/* More panels than this are tried with one prefetch only, and none that leave a row fewer connections. */
#define MOST_PANELS_PREFETCHED 4
#define LEAST_CONNECTIONS 2

/* Shapes with more are left out of a quick run, unless asked for by name. */
#define QUICK_CONNECTIONS 200000

/* Densities below this are not worth a dense attempt. */
#define LEAST_DENSE_SHARE 4

typedef struct contest {
    const bench_layer *layer;
    const tsnni_kernels *kernels;
    bench_pass pass;
    int32_t count; /* of ways; the library's is the first */
    bench_way ways[MOST_WAYS];
    double times[MOST_WAYS], least[MOST_WAYS]; /* medians, fastest runs */
} contest;

static int32_t same(const tsnni_pass_plan *a, const tsnni_pass_plan *b)
{
    return a->route == b->route &&
           (a->route == TSNNI_ROUTE_DENSE ||
            (a->panels == b->panels && a->prefetch == b->prefetch && a->prefetch_far == b->prefetch_far));
}

static void enter(bench *b, contest *c, tsnni_pass_plan plan)
{
    for (int32_t w = 0; w < c->count; w++)
        if (same(&c->ways[w].plan, &plan))
            return;
    c->ways[c->count++] = bench_way_for(b, c->layer, c->pass, plan);
}

/* The kernels can do it: the forward pass on an expanded copy, the backward pass on full layers. */
static int32_t dense_possible(const contest *c)
{
    return bench_layer_is_full(c->layer) || (c->pass == BENCH_FORWARD && c->layer->expanded != NULL);
}

static void enter_all(bench *b, contest *c)
{
    static const int64_t near[] = {4, 8, 16}, far[] = {0, 64}, panels[] = {2, 3, 4, 6, 8, 12, 16, 32, 96};
    enum { PANEL_COUNTS = sizeof panels / sizeof panels[0] };
    const tsnni_pattern *pattern = &c->layer->pattern;
    int64_t each = pattern->count / (c->pass == BENCH_FORWARD ? pattern->columns : pattern->rows);
    tsnni_pass_plan plan = bench_layer_plan(b, c->layer, c->pass);
    enter(b, c, plan);
    plan.route = TSNNI_ROUTE_PLAIN;
    plan.panels = 1;
    for (int n = 0; n < 3; n++) {
        for (int f = 0; f < 2; f++) {
            plan.prefetch = near[n];
            plan.prefetch_far = far[f];
            enter(b, c, plan);
        }
    }
    plan.route = TSNNI_ROUTE_PANELS;
    plan.prefetch_far = 0;
    for (int p = 0; p < PANEL_COUNTS && panels[p] * LEAST_CONNECTIONS <= each; p++) {
        for (int n = 0; n < (panels[p] <= MOST_PANELS_PREFETCHED ? 3 : 1); n++) {
            plan.panels = panels[p];
            plan.prefetch = panels[p] <= MOST_PANELS_PREFETCHED ? near[n] : 8;
            enter(b, c, plan);
        }
    }
    plan.route = TSNNI_ROUTE_DENSE;
    plan.panels = 1;
    if (dense_possible(c))
        enter(b, c, plan);
}

/* Each of the ways takes its turn, twice: the first brings its data into the cache. */
static void take_turns(bench *b, contest *c, const int32_t *ways, int32_t count, double seconds)
{
    double *times = NULL, turn = 0.0;
    int64_t repetitions = 1;
    for (int32_t w = 0; w < count; w++)
        bench_layer_run(c->layer, c->kernels, c->pass, &c->ways[ways[w]]);
    for (int32_t w = 0; w < count; w++)
        turn += bench_layer_run(c->layer, c->kernels, c->pass, &c->ways[ways[w]]);
    repetitions = bench_repetitions(b, 2.0 * turn, seconds);
    times = bench_array(b, count * repetitions, sizeof *times);
    for (int64_t r = 0; r < repetitions; r++) {
        for (int32_t w = 0; w < count; w++) {
            bench_layer_run(c->layer, c->kernels, c->pass, &c->ways[ways[w]]);
            times[w * repetitions + r] = bench_layer_run(c->layer, c->kernels, c->pass, &c->ways[ways[w]]);
        }
    }
    for (int32_t w = 0; w < count; w++) {
        c->times[ways[w]] = bench_median(times + w * repetitions, repetitions);
        c->least[ways[w]] = times[w * repetitions]; /* they are sorted now */
    }
    bench_release(b, times);
}

static void name_way(char *text, size_t size, const tsnni_pass_plan *plan)
{
    static const char *const routes[] = {"plain", "panels", "dense"};
    if (plan->route == TSNNI_ROUTE_DENSE)
        snprintf(text, size, "dense");
    else
        snprintf(text, size, "%s %lld, %lld/%lld", routes[plan->route], (long long)plan->panels,
                 (long long)plan->prefetch, (long long)plan->prefetch_far);
}

/* The fastest of many noisy times is too fast: it meets the library's choice once more, alone. 1 when the choice is
 * slower than it should be, both in the median and at its fastest: a busy machine spoils one of them easily. */
static int32_t decide(bench *b, contest *c)
{
    int32_t all[MOST_WAYS], best = 0;
    for (int32_t w = 0; w < c->count; w++)
        all[w] = w;
    take_turns(b, c, all, c->count, 1.5);
    for (int32_t w = 1; w < c->count; w++)
        best = c->least[w] < c->least[best] ? w : best;
    if (best != 0) {
        const int32_t two[] = {0, best};
        take_turns(b, c, two, 2, 1.0);
    }
    char chosen[64], fastest[64];
    double count = (double)c->layer->pattern.count, ratio = c->times[0] / c->times[best];
    double least_ratio = c->least[0] / c->least[best];
    int32_t lost = ratio > TOLERANCE && least_ratio > TOLERANCE;
    name_way(chosen, sizeof chosen, &c->ways[0].plan);
    name_way(fastest, sizeof fastest, &c->ways[best].plan);
    printf("  %-9s %-17s %-18s %8.3f ns/connection, best %-18s %8.3f, ratio %.3f, of the fastest runs %.3f%s\n",
           c->layer->shape->name, bench_pass_names[c->pass], chosen, c->times[0] / count, fastest,
           c->times[best] / count, ratio, least_ratio, lost ? "  <-- slower" : "");
    fflush(stdout);
    bench_add(b, "choice",
              json_pack("{s:s, s:s, s:s, s:s, s:f, s:s, s:f, s:f, s:f}", "shape", c->layer->shape->name, "isa",
                        c->kernels->name, "pass", bench_pass_names[c->pass], "chosen", chosen,
                        "chosen_ns_per_connection", c->times[0] / count, "best", fastest, "best_ns_per_connection",
                        c->times[best] / count, "ratio", ratio, "ratio_of_fastest", least_ratio));
    return lost;
}

/* Adds to the numbers of contests and of those that the choice lost. */
static void try_shape(bench *b, const bench_shape *shape, int32_t *contests, int32_t *lost)
{
    static const bench_pass passes[] = {BENCH_FORWARD, BENCH_BACKWARD, BENCH_WEIGHTS};
    bench_layer layer;
    int32_t large = (double)(shape->inputs + shape->outputs) * shape->epsilon > QUICK_CONNECTIONS;
    if (!bench_wants(b, shape->name) || (b->quick && large && b->shape == NULL))
        return;
    bench_begin(b, "choice",
                "choice of kernels, %s, against the fastest of all fixed ones (route and panels, prefetch near/far)",
                tsnni_kernels_for(b->isa)->name);
    bench_layer_init(b, shape, &layer);
    for (size_t p = 0; p < sizeof passes / sizeof passes[0]; p++) {
        contest c = {.layer = &layer, .kernels = tsnni_kernels_for(b->isa), .pass = passes[p]};
        enter_all(b, &c);
        *lost += decide(b, &c);
        *contests += 1;
        for (int32_t w = 0; w < c.count; w++)
            bench_way_free(b, &c.ways[w]);
    }
    bench_layer_free(b, &layer);
}

void bench_choice(bench *b)
{
    int32_t contests = 0, lost = 0;
    for (size_t s = 0; s < sizeof bench_shapes / sizeof bench_shapes[0]; s++)
        try_shape(b, &bench_shapes[s], &contests, &lost);
    for (size_t s = 0; s < sizeof bench_variants / sizeof bench_variants[0]; s++)
        try_shape(b, &bench_variants[s], &contests, &lost);
    if (contests > 0)
        printf("  %d of %d within %.2f of the best\n", (int)(contests - lost), (int)contests, TOLERANCE);
    bench_end(b, "choice");
}
