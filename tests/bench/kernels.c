/* The kernels of each shape, run as the library would run them, against what the machine allows for that shape. */
#include "bench.h"
#include "kernel_layer.h"
#include "probe.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define MOST_PROBES 4

/* Up to this many times the second-level cache, panels can keep rows there. */
#define PANELS_REACH 3

/* Bytes that no cache holds, for the streams. */
#define MEMORY_BYTES ((int64_t)128 << 20)

/* The time that a pass cannot beat: the sum over the probes of units times the measured time of a unit. */
typedef struct limit {
    const char *name;
    int32_t probe_count;
    bench_probe probes[MOST_PROBES];
    double units[BENCH_PASSES][MOST_PROBES];
} limit;

static int64_t gathered_bytes(const bench_layer *layer, bench_pass pass)
{
    int64_t rows = pass <= BENCH_FORWARD_DROPOUT ? layer->shape->inputs : layer->shape->outputs;
    return rows * layer->forward.stride * (int64_t)sizeof(float);
}

/* A full layer: the multiply-adds. Its products are so cheap that the update of a weight counts as nothing. */
static void limit_by_multiplying(bench *b, const bench_layer *layer, tsnni_isa isa, limit *l)
{
    l->name = "multiply-adds";
    l->probe_count = 1;
    l->probes[0] = bench_probe_multiply(b, isa);
    for (int p = 0; p < BENCH_PASSES; p++)
        l->units[p][0] = bench_layer_work(layer, (bench_pass)p);
}

/* One row of activations for each connection. */
static void limit_by_rows(bench *b, const bench_layer *layer, const char *name, int64_t bytes, limit *l)
{
    l->name = name;
    l->probe_count = 1;
    l->probes[0] = bench_probe_rows(b, bench_widest(), bytes, layer->shape->batch * (int64_t)sizeof(float));
    for (int p = 0; p < BENCH_PASSES; p++)
        l->units[p][0] = (double)layer->pattern.count;
}

/* From memory everything counts: rows and, in the forward pass, lines of weights at random, the rest as streams. What
 * is written is fetched first: writing a byte costs what copying it takes beyond reading it. */
static void limit_by_memory(bench *b, const bench_layer *layer, limit *l)
{
    enum { ROW, WEIGHT_LINE, READ, COPY };
    int64_t row_bytes = layer->shape->batch * (int64_t)sizeof(float);
    double count = (double)layer->pattern.count, row = (double)row_bytes, pointer = sizeof(int64_t);
    double inputs = (double)layer->shape->inputs, outputs = (double)layer->shape->outputs;
    l->name = "memory";
    l->probe_count = 4;
    l->probes[ROW] = bench_probe_rows(b, bench_widest(), gathered_bytes(layer, BENCH_FORWARD), row_bytes);
    l->probes[WEIGHT_LINE] =
        bench_probe_rows(b, bench_widest(), layer->pattern.count * (int64_t)sizeof(float), TSNNI_ALIGNMENT);
    l->probes[READ] = bench_probe_read(b, bench_widest(), MEMORY_BYTES);
    l->probes[COPY] = bench_probe_copy(b, bench_widest(), MEMORY_BYTES);
    for (int p = 0; p < BENCH_PASSES; p++) {
        double read, written;
        if (p <= BENCH_FORWARD_DROPOUT) {
            read =
                count * (layer->transpose.row.width + (double)sizeof(uint32_t)) + outputs * (pointer + sizeof(float));
            written = outputs * row;
        } else {
            read = count * layer->pattern.column.width + inputs * pointer;
            written = 0.0;
            if (p == BENCH_INPUT)
                read += count * sizeof(float);
            else
                written += 2.0 * count * sizeof(float);
            if (p != BENCH_INPUT)
                read += inputs * row;
            if (p != BENCH_WEIGHTS)
                written += inputs * row;
        }
        l->units[p][ROW] = count;
        l->units[p][WEIGHT_LINE] = p <= BENCH_FORWARD_DROPOUT ? count : 0.0;
        l->units[p][READ] = read - written;
        l->units[p][COPY] = written;
    }
}

/* Which limit: by where the rows of both passes come from. */
static limit limit_of(bench *b, const bench_layer *layer, tsnni_isa isa)
{
    int64_t forward = gathered_bytes(layer, BENCH_FORWARD), backward = gathered_bytes(layer, BENCH_BACKWARD);
    int64_t bytes = forward > backward ? forward : backward;
    limit l;
    memset(&l, 0, sizeof l);
    if (bench_layer_is_full(layer))
        limit_by_multiplying(b, layer, isa, &l);
    else if (bytes > b->caches.level3)
        limit_by_memory(b, layer, &l);
    else if (bytes > PANELS_REACH * b->caches.level2)
        limit_by_rows(b, layer, "L3 rows", bytes, &l);
    else
        limit_by_rows(b, layer, "L2 rows", b->caches.level2 / 2, &l);
    return l;
}

/* ---- timing ---- */

typedef struct course {
    const bench_layer *layer;
    const tsnni_kernels *kernels;
    bench_way ways[BENCH_PASSES];
    limit limit;
    int64_t repetitions;
    double *times; /* (BENCH_PASSES + MOST_PROBES) x repetitions */
} course;

static double run(const course *c, int m)
{
    return m < BENCH_PASSES ? bench_layer_run(c->layer, c->kernels, (bench_pass)m, &c->ways[m])
                            : bench_probe_run(&c->limit.probes[m - BENCH_PASSES]);
}

/* All kinds take turns, so that a change of the clock touches all alike. */
static void take_turns(course *c, int32_t cached)
{
    for (int64_t r = 0; r < c->repetitions; r++) {
        for (int m = 0; m < BENCH_PASSES + c->limit.probe_count; m++) {
            if (cached)
                run(c, m); /* brings its data into the cache */
            c->times[m * c->repetitions + r] = run(c, m);
        }
    }
}

static double one_turn(const course *c)
{
    double start = bench_now();
    for (int m = 0; m < BENCH_PASSES + c->limit.probe_count; m++)
        run(c, m);
    return bench_now() - start;
}

static void show(bench *b, const course *c, const double limits[BENCH_PASSES])
{
    static const char *const routes[] = {"plain", "panels", "dense"};
    const bench_layer *layer = c->layer;
    double count = (double)layer->pattern.count;
    int bytes = (int)(2 * sizeof(float) + sizeof(uint32_t)) + layer->pattern.column.width + layer->transpose.row.width;
    printf("%s %lldx%lld, %lld connections, batch %lld, %d bytes a connection, %s; limit: %s\n", layer->shape->name,
           (long long)layer->shape->inputs, (long long)layer->shape->outputs, (long long)layer->pattern.count,
           (long long)layer->shape->batch, bytes, c->kernels->name, c->limit.name);
    for (int p = 0; p < BENCH_PASSES; p++) {
        double *times = c->times + p * c->repetitions;
        double median = bench_median(times, c->repetitions) / count, least = times[0] / count;
        double speed = 2.0 * bench_layer_work(layer, (bench_pass)p) / count / median;
        const tsnni_pass_plan *plan = &c->ways[p].plan;
        char way[64];
        snprintf(way, sizeof way, "%s %lld, %lld/%lld", routes[plan->route], (long long)plan->panels,
                 (long long)plan->prefetch, (long long)plan->prefetch_far);
        printf("  %-17s %8.3f (least %8.3f) ns/connection %7.1f GF/s %6.1f %% of %8.3f  %s\n", bench_pass_names[p],
               median, least, speed, 100.0 * limits[p] / count / median, limits[p] / count, way);
        bench_add(b, "kernels",
                  json_pack("{s:s, s:s, s:s, s:I, s:f, s:f, s:f, s:s, s:f, s:f, s:i, s:s}", "shape", layer->shape->name,
                            "isa", c->kernels->name, "pass", bench_pass_names[p], "connections",
                            (json_int_t)layer->pattern.count, "ns_per_connection", median, "least_ns_per_connection",
                            least, "gflops", speed, "limit", c->limit.name, "limit_ns_per_connection",
                            limits[p] / count, "share_of_limit", limits[p] / count / median, "bytes_per_connection",
                            bytes, "way", way));
    }
    fflush(stdout);
}

static void time_layer(bench *b, const bench_layer *layer, const tsnni_kernels *kernels)
{
    course c = {.layer = layer, .kernels = kernels, .limit = limit_of(b, layer, kernels->isa)};
    double limits[BENCH_PASSES] = {0.0};
    for (int p = 0; p < BENCH_PASSES; p++)
        c.ways[p] = bench_way_for(b, layer, (bench_pass)p, bench_layer_plan(b, layer, (bench_pass)p));
    int32_t cached = gathered_bytes(layer, BENCH_FORWARD) < b->caches.level3 / 2;
    one_turn(&c);
    c.repetitions = bench_repetitions(b, one_turn(&c) * (cached ? 2.0 : 1.0), 3.0);
    c.times = bench_array(b, (BENCH_PASSES + MOST_PROBES) * c.repetitions, sizeof *c.times);
    take_turns(&c, cached);
    for (int m = 0; m < c.limit.probe_count; m++) {
        double unit = bench_median(c.times + (BENCH_PASSES + m) * c.repetitions, c.repetitions);
        for (int p = 0; p < BENCH_PASSES; p++)
            limits[p] += c.limit.units[p][m] * unit;
    }
    show(b, &c, limits);
    for (int p = 0; p < BENCH_PASSES; p++)
        bench_way_free(b, &c.ways[p]);
    for (int m = 0; m < c.limit.probe_count; m++)
        bench_probe_free(b, &c.limit.probes[m]);
    bench_release(b, c.times);
}

static void time_shape(bench *b, const bench_shape *shape)
{
    const tsnni_kernels *kernels = tsnni_kernels_for(b->isa), *other = tsnni_kernels_for(TSNNI_ISA_AVX2);
    bench_layer layer;
    bench_begin(b, "kernels",
                "kernels, one thread; the last column: route and panels, connections of prefetch near/far");
    bench_layer_init(b, shape, &layer);
    time_layer(b, &layer, kernels);
    /* The slower set beside the fastest. */
    if (!b->isa_given && !b->quick && other != NULL && other != kernels)
        time_layer(b, &layer, other);
    bench_layer_free(b, &layer);
}

void bench_kernels(bench *b)
{
    for (size_t s = 0; s < sizeof bench_shapes / sizeof bench_shapes[0]; s++)
        if (bench_wants(b, bench_shapes[s].name))
            time_shape(b, &bench_shapes[s]);
    for (size_t s = 0; s < sizeof bench_variants / sizeof bench_variants[0]; s++)
        if (b->shape != NULL && bench_wants(b, bench_variants[s].name))
            time_shape(b, &bench_variants[s]);
    bench_end(b, "kernels");
}
