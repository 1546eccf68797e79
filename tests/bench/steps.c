/* Whole training steps of the five networks: samples in, weights changed; momentum, decay, dropout, the input's
 * transpose, loss and biases included. Their parts, several threads, memory, and what evolution adds. */
#include "bench.h"
#include "trainee.h"

#include <stdio.h>

#define WARM_UP 10
#define BLOCK 8 /* steps in a row on one number of threads */

/* Samples of an epoch of the data sets that the networks are named after. */
static const int64_t epoch_samples[] = {60000, 50000, 2000, 105000, 1397};

/* Times in nanoseconds, medians unless said. */
typedef struct step_times {
    double one, one_least, several, several_least;
    double parts[BENCH_PARTS]; /* of a step on one thread */
    double evolution;          /* of all layers but the last */
} step_times;

static void warm_up(bench_trainee *t)
{
    for (int s = 0; s < WARM_UP; s++)
        bench_trainee_step(t);
}

static void run_block(bench_trainee *t, int32_t threads, double *times)
{
    bench_require(tsnn_context_set_threads(t->context, threads), "threads");
    bench_trainee_step(t);
    for (int s = 0; s < BLOCK; s++)
        times[s] = bench_trainee_step(t);
}

/* One and several threads take turns, in blocks of steps. The threads are made while all processors are allowed. */
static void time_steps(bench *b, bench_trainee *t, step_times *times)
{
    warm_up(t);
    if (b->threads > 1) {
        bench_unpin();
        bench_require(tsnn_context_set_threads(t->context, b->threads), "threads");
        bench_trainee_step(t);
    }
    bench_require(tsnn_context_set_threads(t->context, 1), "threads");
    bench_pin();
    int64_t blocks = bench_repetitions(b, 2.0 * BLOCK * bench_trainee_step(t), 6.0) / BLOCK + 3;
    double *one = bench_array(b, blocks * BLOCK, sizeof *one), *several = bench_array(b, blocks * BLOCK, sizeof *one);
    for (int64_t n = 0; n < blocks; n++) {
        run_block(t, 1, one + n * BLOCK);
        if (b->threads > 1) {
            bench_unpin();
            run_block(t, b->threads, several + n * BLOCK);
            bench_pin();
        }
    }
    bench_require(tsnn_context_set_threads(t->context, 1), "threads");
    times->one = bench_median(one, blocks * BLOCK);
    times->one_least = one[0];
    times->several = bench_median(several, blocks * BLOCK);
    times->several_least = several[0];
    bench_release(b, one);
    bench_release(b, several);
}

/* Medians of the parts; their sum is about the median step. */
static void time_parts(bench *b, bench_trainee *t, double step, double parts[BENCH_PARTS])
{
    int64_t repetitions = bench_repetitions(b, step, 1.0);
    double *times = bench_array(b, BENCH_PARTS * repetitions, sizeof *times), taken[BENCH_PARTS];
    bench_parts_watch(t);
    warm_up(t);
    bench_parts_take(0.0, taken);
    for (int64_t r = 0; r < repetitions; r++) {
        bench_parts_take(bench_trainee_step(t), taken);
        for (int p = 0; p < BENCH_PARTS; p++)
            times[p * repetitions + r] = taken[p];
    }
    for (int p = 0; p < BENCH_PARTS; p++)
        parts[p] = bench_median(times + p * repetitions, repetitions);
    bench_release(b, times);
}

static double time_evolution(bench *b, bench_trainee *t)
{
    tsnn_evolution *evolution;
    int64_t repetitions = bench_repetitions(b, 15.0 * (double)t->connections, 0.5);
    double *times = bench_array(b, repetitions, sizeof *times);
    bench_require(tsnn_evolution_create(t->context, NULL, &evolution), "evolution");
    for (int64_t r = 0; r < repetitions; r++) {
        double start = bench_now();
        bench_require(tsnn_evolution_apply(evolution, t->network, r, NULL), "evolution");
        times[r] = bench_now() - start;
    }
    double median = bench_median(times, repetitions);
    tsnn_evolution_destroy(&evolution);
    bench_release(b, times);
    return median;
}

/* Bytes that the network keeps while it is trained, and with the trainer's own. */
static void count_bytes(bench *b, const bench_network *shape, double epsilon, double *connections, double *network,
                        double *all)
{
    bench_counter counter = {0};
    bench_trainee trainee;
    bench_trainee_init(b, shape, epsilon, &counter, &trainee);
    bench_trainee_step(&trainee); /* brings the momentum and the activations */
    int64_t in_all = counter.bytes;
    tsnn_trainer_destroy(&trainee.trainer);
    int64_t kept = counter.bytes;
    tsnn_network_destroy(&trainee.network);
    *connections = (double)trainee.connections;
    *network = (double)(kept - counter.bytes);
    *all = (double)in_all;
    bench_trainee_free(b, &trainee);
}

static void show(bench *b, const bench_trainee *t, const step_times *times, int64_t samples, double bytes,
                 double marginal, double activations)
{
    double steps = (double)((samples + t->shape->batch - 1) / t->shape->batch);
    double sum = 0.0, share = times->evolution / (times->evolution + steps * times->one);
    for (int p = 0; p < BENCH_PARTS; p++)
        sum += times->parts[p];
    double outside = 1.0 - (times->parts[BENCH_PART_FORWARD] + times->parts[BENCH_PART_BACKWARD]) / sum;
    json_t *parts = json_object();
    printf("%-9s %8lld connections, batch %3lld: %8.3f ms (least %8.3f)", t->shape->name, (long long)t->connections,
           (long long)t->shape->batch, times->one * 1e-6, times->one_least * 1e-6);
    if (b->threads > 1)
        printf("; %d threads %8.3f ms (least %8.3f), %.2f (%.2f) times as fast", (int)b->threads, times->several * 1e-6,
               times->several_least * 1e-6, times->one / times->several, times->one_least / times->several_least);
    printf("\n          parts:");
    for (int p = 0; p < BENCH_PARTS; p++) {
        printf(" %s %.1f %%%s", bench_part_names[p], 100.0 * times->parts[p] / sum, p + 1 < BENCH_PARTS ? "," : "");
        json_object_set_new(parts, bench_part_names[p], json_real(times->parts[p] / sum));
    }
    printf("; all but forward and backward %.1f %%\n", 100.0 * outside);
    printf("          memory: %.1f bytes a connection, %.2f of them for each one more; activations and deltas %.1f MB\n"
           "          evolution: %.3f ms, %.2f %% of an epoch of %lld samples\n",
           bytes, marginal, activations * 1e-6, times->evolution * 1e-6, 100.0 * share, (long long)samples);
    fflush(stdout);
    bench_add(b, "steps",
              json_pack("{s:s, s:s, s:I, s:I, s:f, s:f, s:i, s:f, s:f, s:o, s:f, s:f, s:f, s:f, s:f, s:f}", "network",
                        t->shape->name, "isa", tsnni_kernels_for(b->isa)->name, "connections",
                        (json_int_t)t->connections, "batch", (json_int_t)t->shape->batch, "ms", times->one * 1e-6,
                        "least_ms", times->one_least * 1e-6, "threads", (int)b->threads, "threads_ms",
                        times->several * 1e-6, "threads_least_ms", times->several_least * 1e-6, "parts", parts,
                        "outside_share", outside, "bytes_per_connection", bytes, "bytes_per_further_connection",
                        marginal, "workspace_bytes", activations, "evolution_ms", times->evolution * 1e-6,
                        "evolution_share_of_epoch", share));
}

static void measure(bench *b, const bench_network *shape, int64_t samples)
{
    bench_trainee trainee;
    step_times times;
    double connections[2], network[2], all[2];
    bench_begin(b, "steps", "training steps, everything included; one thread unless said; %s",
                tsnni_kernels_for(b->isa)->name);
    for (int k = 0; k < 2; k++) /* half as many connections between the same neurons tell what one costs */
        count_bytes(b, shape, shape->epsilon / (k + 1), &connections[k], &network[k], &all[k]);
    bench_trainee_init(b, shape, shape->epsilon, NULL, &trainee);
    time_steps(b, &trainee, &times);
    time_parts(b, &trainee, times.one, times.parts);
    times.evolution = time_evolution(b, &trainee);
    show(b, &trainee, &times, samples, network[0] / connections[0],
         (network[0] - network[1]) / (connections[0] - connections[1]), all[0] - network[0]);
    bench_trainee_free(b, &trainee);
}

void bench_steps(bench *b)
{
    for (size_t n = 0; n < sizeof bench_networks / sizeof bench_networks[0]; n++)
        if (bench_wants(b, bench_networks[n].name))
            measure(b, &bench_networks[n], epoch_samples[n]);
    bench_end(b, "steps");
}
