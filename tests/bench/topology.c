/* Changes of topology: how long it takes to create a layer, to evolve it and to build its transpose index, in
 * nanoseconds a connection: one thread by the time of its processor, which a busy machine disturbs least, more by the
 * clock on the wall. */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */

#include "bench.h"

#include <stdio.h>
#include <time.h>

#include "layer.h"
#include "sparse/pattern.h"

#include <tsnn.h>

static double now(const tsnn_context *context)
{
    struct timespec time;
    clock_gettime(context->runtime.threads == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void create(tsnn_context *context, const bench_shape *shape, int32_t sampling, tsnn_layer **out)
{
    tsnn_layer_options options = TSNN_LAYER_OPTIONS_INIT;
    options.inputs = shape->inputs;
    options.outputs = shape->outputs;
    options.epsilon = shape->epsilon;
    options.sampling = sampling;
    bench_require(tsnn_layer_create(context, &options, out), "layer");
}

/* Nanoseconds a connection, with the first weights and the transpose index. */
static double time_creation(bench *b, tsnn_context *context, const bench_shape *shape, int32_t sampling)
{
    double work = 60.0 * shape->epsilon * (double)(shape->inputs + shape->outputs);
    int64_t repetitions = bench_repetitions(b, work, 0.5);
    double *times = bench_array(b, repetitions, sizeof *times);
    for (int64_t r = 0; r < repetitions; r++) {
        tsnn_layer *layer;
        double start = now(context);
        create(context, shape, sampling, &layer);
        times[r] = (now(context) - start) / (double)layer->topology.pattern.count;
        tsnn_layer_destroy(&layer);
    }
    double median = bench_median(times, repetitions);
    bench_release(b, times);
    return median;
}

/* Weights as training leaves them, most of them near zero: without, evolution alone would drive them apart. */
static void train(tsnn_layer *layer, int64_t round)
{
    float *values = layer->topology.values;
    uint32_t state = (uint32_t)round;
    for (int64_t k = 0; k < layer->topology.pattern.count; k++) {
        uint32_t next = state * 1664525u + 1013904223u;
        values[k] = ((float)(state >> 8) - (float)(next >> 8)) * 0x1p-24f;
        state = next * 1664525u + 1013904223u;
    }
}

/* The same for evolution with momentum, zeta .3. */
static double time_evolution(bench *b, tsnn_context *context, tsnn_layer *layer)
{
    double count = (double)layer->topology.pattern.count;
    int64_t repetitions = bench_repetitions(b, 20.0 * count, 0.5);
    double *times = bench_array(b, repetitions, sizeof *times);
    tsnn_evolution *evolution;
    bench_require(tsnn_evolution_create(context, NULL, &evolution), "evolution");
    bench_require(tsnni_layer_need_velocity(layer), "momentum");
    for (int64_t r = 0; r < repetitions; r++) {
        train(layer, r);
        double start = now(context);
        bench_require(tsnn_evolution_apply_layer(evolution, layer, r, NULL), "evolution");
        times[r] = (now(context) - start) / count;
    }
    double median = bench_median(times, repetitions);
    tsnn_evolution_destroy(&evolution);
    bench_release(b, times);
    return median;
}

static double time_transpose(bench *b, tsnn_context *context, const tsnn_layer *layer)
{
    const tsnni_pattern *pattern = &layer->topology.pattern;
    int64_t repetitions = bench_repetitions(b, 4.0 * (double)pattern->count, 0.3);
    double *times = bench_array(b, repetitions, sizeof *times);
    for (int64_t r = 0; r < repetitions; r++) {
        tsnni_transpose transpose;
        double start = now(context);
        bench_require(tsnni_transpose_build(&context->runtime, pattern, &transpose), "transpose index");
        times[r] = (now(context) - start) / (double)pattern->count;
        tsnni_transpose_free(&context->runtime, &transpose);
    }
    double median = bench_median(times, repetitions);
    bench_release(b, times);
    return median;
}

static void measure(bench *b, const bench_shape *shape, int32_t threads)
{
    tsnn_context *context;
    tsnn_context_options options = TSNN_CONTEXT_OPTIONS_INIT;
    tsnn_layer *layer;
    bench_begin(b, "topology", "evolution and creation of layers");
    options.threads = threads;
    options.seed = 1;
    bench_require(tsnn_context_create(&options, &context), "context");
    create(context, shape, TSNN_SAMPLING_BERNOULLI, &layer);
    double cells = time_creation(b, context, shape, TSNN_SAMPLING_BERNOULLI);
    double exact = time_creation(b, context, shape, TSNN_SAMPLING_EXACT);
    double evolution = time_evolution(b, context, layer);
    double transpose = time_transpose(b, context, layer);
    long long count = (long long)layer->topology.pattern.count;
    printf(
        "  %-3s %9lld connections, %d thread%s: evolution %6.2f, creation by cells %6.2f, exact %6.2f, transpose index "
        "%6.2f ns/connection\n",
        shape->name, count, (int)threads, threads == 1 ? " " : "s", evolution, cells, exact, transpose);
    fflush(stdout);
    bench_add(b, "topology",
              json_pack("{s:s, s:I, s:i, s:f, s:f, s:f, s:f}", "shape", shape->name, "connections", (json_int_t)count,
                        "threads", (int)threads, "evolution_ns_per_connection", evolution, "creation_ns_per_connection",
                        cells, "exact_creation_ns_per_connection", exact, "transpose_ns_per_connection", transpose));
    tsnn_layer_destroy(&layer);
    tsnn_context_destroy(&context);
}

void bench_topology(bench *b)
{
    for (size_t s = 0; s < sizeof bench_shapes / sizeof bench_shapes[0]; s++) {
        const bench_shape *shape = &bench_shapes[s];
        if (!bench_wants(b, shape->name) || bench_shape_is_full(shape))
            continue; /* a full layer has nowhere to grow */
        measure(b, shape, 1);
        if (b->threads > 1 && (b->threads_given || !b->quick)) {
            bench_unpin();
            measure(b, shape, b->threads);
            bench_pin();
        }
    }
    bench_end(b, "topology");
}
