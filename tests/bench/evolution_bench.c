/* Times evolution, creation and the transpose index for the shapes S1 to S6. Medians of runs that follow each other, so
 * that small layers are in the cache; one thread by the time of its processor, which a busy machine disturbs least,
 * more by the clock on the wall. Usage: evolution_bench [SHAPE|all [THREADS]]; without, all on 1 and 2 threads.
 * -DTSNN_BENCH_NO_MAIN leaves the program out and keeps the measuring functions. */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */

#include "evolution_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "layer.h"
#include "sparse/pattern.h"

#include <tsnn.h>

const evolution_bench_shape evolution_bench_shapes[EVOLUTION_BENCH_SHAPES] = {
    {"S1", 784, 1000, 20, 301},  {"S2", 1000, 1000, 20, 301},  {"S3", 3072, 4000, 20, 101},
    {"S4", 4000, 1000, 20, 101}, {"S5", 27500, 27500, 10, 41}, {"S6", 500000, 500000, 5, 15},
};

typedef struct bench {
    const evolution_bench_shape *shape;
    tsnn_context *context;
    tsnn_layer *layer;
    tsnn_evolution *evolution;
    double *times;
} bench;

static double now(const bench *b)
{
    struct timespec time;
    clock_gettime(b->context->runtime.threads == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *times, int32_t count)
{
    qsort(times, (size_t)count, sizeof *times, compare_doubles);
    return times[count / 2];
}

static tsnn_status create(bench *b, int32_t sampling, tsnn_layer **out)
{
    tsnn_layer_options options = TSNN_LAYER_OPTIONS_INIT;
    options.inputs = b->shape->inputs;
    options.outputs = b->shape->outputs;
    options.epsilon = b->shape->epsilon;
    options.sampling = sampling;
    return tsnn_layer_create(b->context, &options, out);
}

static tsnn_status time_creation(bench *b, int32_t sampling, double *result)
{
    for (int32_t r = 0; r < b->shape->repetitions; r++) {
        tsnn_layer *layer;
        double start = now(b);
        tsnn_status status = create(b, sampling, &layer);
        if (status < 0)
            return status;
        b->times[r] = (now(b) - start) / (double)layer->topology.pattern.count;
        tsnn_layer_destroy(&layer);
    }
    *result = median(b->times, b->shape->repetitions);
    return TSNN_OK;
}

/* Weights as training leaves them, most of them near zero: without, evolution alone would drive them apart. */
static void train(bench *b, int32_t round)
{
    int64_t count = b->layer->topology.pattern.count;
    float *values = b->layer->topology.values;
    uint32_t state = (uint32_t)round;
    for (int64_t k = 0; k < count; k++) {
        uint32_t next = state * 1664525u + 1013904223u;
        values[k] = ((float)(state >> 8) - (float)(next >> 8)) * 0x1p-24f;
        state = next * 1664525u + 1013904223u;
    }
}

static tsnn_status time_evolution(bench *b, double *result)
{
    tsnn_status status = tsnni_layer_need_velocity(b->layer);
    for (int32_t r = 0; r < b->shape->repetitions && status >= 0; r++) {
        train(b, r);
        double start = now(b);
        status = tsnn_evolution_apply_layer(b->evolution, b->layer, r, NULL);
        b->times[r] = (now(b) - start) / (double)b->layer->topology.pattern.count;
    }
    *result = median(b->times, b->shape->repetitions);
    return status;
}

static tsnn_status time_transpose(bench *b, double *result)
{
    tsnni_runtime *runtime = &b->context->runtime;
    for (int32_t r = 0; r < b->shape->repetitions; r++) {
        tsnni_transpose transpose;
        double start = now(b);
        tsnn_status status = tsnni_transpose_build(runtime, &b->layer->topology.pattern, &transpose);
        if (status < 0)
            return status;
        b->times[r] = (now(b) - start) / (double)b->layer->topology.pattern.count;
        tsnni_transpose_free(runtime, &transpose);
    }
    *result = median(b->times, b->shape->repetitions);
    return TSNN_OK;
}

static tsnn_status measure(bench *b, int32_t threads, evolution_bench_times *times)
{
    tsnn_context_options options = TSNN_CONTEXT_OPTIONS_INIT;
    tsnn_status status;
    options.threads = threads;
    options.seed = 1;
    if ((status = tsnn_context_create(&options, &b->context)) < 0 ||
        (status = tsnn_evolution_create(b->context, NULL, &b->evolution)) < 0 ||
        (status = create(b, TSNN_SAMPLING_BERNOULLI, &b->layer)) < 0 ||
        (status = time_creation(b, TSNN_SAMPLING_BERNOULLI, &times->creation)) < 0 ||
        (status = time_creation(b, TSNN_SAMPLING_EXACT, &times->exact)) < 0 ||
        (status = time_transpose(b, &times->transpose)) < 0)
        return status;
    times->connections = b->layer->topology.pattern.count;
    return time_evolution(b, &times->evolution);
}

int evolution_bench_measure(const evolution_bench_shape *shape, int32_t threads, evolution_bench_times *times)
{
    bench b = {.shape = shape};
    memset(times, 0, sizeof *times);
    b.times = malloc((size_t)shape->repetitions * sizeof *b.times);
    tsnn_status status = b.times != NULL ? measure(&b, threads, times) : TSNN_ERROR_OUT_OF_MEMORY;
    tsnn_layer_destroy(&b.layer);
    tsnn_evolution_destroy(&b.evolution);
    tsnn_context_destroy(&b.context);
    free(b.times);
    return status < 0 ? -1 : 0;
}

#ifndef TSNN_BENCH_NO_MAIN
static int print_shape(const evolution_bench_shape *shape, int32_t threads)
{
    evolution_bench_times times;
    if (evolution_bench_measure(shape, threads, &times) < 0) {
        fprintf(stderr, "%s: out of memory\n", shape->name);
        return EXIT_FAILURE;
    }
    printf("%s %7lld x %-7lld %9lld connections, %d thread%s: evolution %6.2f, creation %6.2f, exact %6.2f, transpose "
           "%6.2f ns/connection\n",
           shape->name, (long long)shape->inputs, (long long)shape->outputs, (long long)times.connections, (int)threads,
           threads == 1 ? " " : "s", times.evolution, times.creation, times.exact, times.transpose);
    fflush(stdout);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    for (int32_t threads = 1; threads <= 2; threads++) {
        if (argc > 2 && atoi(argv[2]) != threads)
            continue;
        for (int s = 0; s < EVOLUTION_BENCH_SHAPES; s++) {
            if (argc > 1 && strcmp(argv[1], "all") != 0 && strcmp(argv[1], evolution_bench_shapes[s].name) != 0)
                continue;
            if (print_shape(&evolution_bench_shapes[s], threads) != EXIT_SUCCESS)
                return EXIT_FAILURE;
        }
    }
    return EXIT_SUCCESS;
}
#endif
