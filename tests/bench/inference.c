/* Inference: predictors on one sample, on one that is mostly zero, and on batches; and tsnn_network_predict beside
 * them. */
#include "bench.h"
#include "trainee.h"

#include <stdio.h>

#define MANY 512
#define ZEROS 5 /* of the sample that is mostly zero: all numbers but every fifth */

typedef struct inference_times {
    int64_t connections, bytes;          /* of the predictor */
    double single, skip, batch, network; /* nanoseconds a sample; network: tsnn_network_predict on the batch */
} inference_times;

static double time_predictor(bench *b, const tsnn_predictor *predictor, const float *features, int64_t samples,
                             float *outputs, double work)
{
    tsnn_predictor_info info = TSNN_PREDICTOR_INFO_INIT;
    tsnn_predictor_workspace *workspace;
    int64_t repetitions = bench_repetitions(b, work, 0.5);
    double *times = bench_array(b, repetitions, sizeof *times);
    bench_require(tsnn_predictor_get_info(predictor, &info), "predictor");
    bench_require(tsnn_predictor_workspace_create(predictor, samples < 128 ? samples : 128, &workspace), "workspace");
    for (int64_t r = 0; r < repetitions; r++) {
        double start = bench_now();
        bench_require(tsnn_predictor_predict(predictor, workspace, features, samples, outputs, samples * info.outputs),
                      "predictor");
        times[r] = (bench_now() - start) / (double)samples;
    }
    double median = bench_median(times, repetitions);
    tsnn_predictor_workspace_destroy(&workspace);
    bench_release(b, times);
    return median;
}

static double time_network(bench *b, const tsnn_network *network, const float *features, int64_t samples,
                           float *outputs, int64_t each, double work)
{
    int64_t repetitions = bench_repetitions(b, work, 0.5);
    double *times = bench_array(b, repetitions, sizeof *times);
    for (int64_t r = 0; r < repetitions; r++) {
        double start = bench_now();
        bench_require(tsnn_network_predict(network, features, samples, outputs, samples * each), "inference");
        times[r] = (bench_now() - start) / (double)samples;
    }
    double median = bench_median(times, repetitions);
    bench_release(b, times);
    return median;
}

static void measure(bench *b, tsnn_context *context, const tsnn_network *network, int64_t samples, inference_times *out)
{
    tsnn_network_info size = TSNN_NETWORK_INFO_INIT;
    tsnn_predictor_info info = TSNN_PREDICTOR_INFO_INIT;
    tsnn_predictor_options options = TSNN_PREDICTOR_OPTIONS_INIT;
    tsnn_predictor *predictor;
    bench_require(tsnn_network_get_info(network, &size), "network");
    bench_require(tsnn_predictor_create(context, network, &options, &predictor), "predictor");
    bench_require(tsnn_predictor_get_info(predictor, &info), "predictor");
    out->connections = info.connections;
    out->bytes = info.bytes;
    float *features = bench_array(b, samples * size.inputs, sizeof *features);
    float *sparse = bench_array(b, size.inputs, sizeof *sparse);
    float *outputs = bench_array(b, samples * size.outputs, sizeof *outputs);
    uint32_t state = 1;
    for (int64_t k = 0; k < samples * size.inputs; k++) {
        state = state * 1664525u + 1013904223u;
        features[k] = (float)(state >> 8) * 0x1p-23f - 1.0f;
    }
    for (int64_t k = 0; k < size.inputs; k++)
        sparse[k] = k % ZEROS == 0 ? features[k] : 0.0f;
    double each = (double)size.connections;
    out->single = time_predictor(b, predictor, features, 1, outputs, each + 1000.0);
    out->batch = time_predictor(b, predictor, features, samples, outputs, each * (double)samples / 16.0);
    out->network = time_network(b, network, features, samples, outputs, size.outputs, each * (double)samples / 16.0);
    tsnn_predictor_destroy(&predictor);
    options.pack = TSNN_PACK_SINGLE;
    options.skip_zeros = 1;
    bench_require(tsnn_predictor_create(context, network, &options, &predictor), "predictor");
    out->skip = time_predictor(b, predictor, sparse, 1, outputs, each + 1000.0);
    tsnn_predictor_destroy(&predictor);
    bench_release(b, features);
    bench_release(b, sparse);
    bench_release(b, outputs);
}

static void print_times(bench *b, const char *name, const inference_times *times)
{
    double count = (double)times->connections;
    printf("  %-9s %8lld connections, %5.2f bytes each: one sample %6.3f ns/connection, %9.1f us; 4 of 5 inputs zero "
           "%9.1f us; batch %7.4f ns/connection, %8.2f us a sample; tsnn_network_predict %8.2f us a sample\n",
           name, (long long)times->connections, (double)times->bytes / count, times->single / count,
           times->single * 1e-3, times->skip * 1e-3, times->batch / count, times->batch * 1e-3, times->network * 1e-3);
    fflush(stdout);
    bench_add(b, "inference",
              json_pack("{s:s, s:I, s:I, s:f, s:f, s:f, s:f}", "case", name, "connections",
                        (json_int_t)times->connections, "bytes", (json_int_t)times->bytes, "single_ns", times->single,
                        "mostly_zero_ns", times->skip, "batch_ns_per_sample", times->batch, "network_ns_per_sample",
                        times->network));
}

/* A layer alone, as a network without activation. */
static void measure_shape(bench *b, const bench_shape *shape)
{
    tsnn_context_options options = TSNN_CONTEXT_OPTIONS_INIT;
    tsnn_layer_options layer_options = TSNN_LAYER_OPTIONS_INIT;
    tsnn_context *context;
    tsnn_layer *layer;
    tsnn_network *network;
    inference_times times;
    options.threads = 1;
    options.isa = (int32_t)b->isa;
    options.seed = 1;
    layer_options.inputs = shape->inputs;
    layer_options.outputs = shape->outputs;
    layer_options.epsilon = shape->epsilon;
    bench_begin(b, "inference", "inference with a predictor, one thread");
    bench_require(tsnn_context_create(&options, &context), "context");
    bench_require(tsnn_layer_create(context, &layer_options, &layer), "layer");
    bench_require(tsnn_network_create(context, &network), "network");
    bench_require(tsnn_network_append(network, &layer, NULL, 0.0), "network");
    measure(b, context, network, shape->batch, &times);
    print_times(b, shape->name, &times);
    tsnn_network_destroy(&network);
    tsnn_context_destroy(&context);
}

static void measure_network(bench *b, const bench_network *shape)
{
    bench_trainee trainee;
    inference_times times;
    bench_begin(b, "inference", "inference with a predictor, one thread");
    bench_trainee_init(b, shape, shape->epsilon, NULL, &trainee);
    measure(b, trainee.context, trainee.network, MANY, &times);
    print_times(b, shape->name, &times);
    bench_trainee_free(b, &trainee);
}

void bench_inference(bench *b)
{
    for (size_t s = 0; s < sizeof bench_shapes / sizeof bench_shapes[0]; s++)
        if (bench_wants(b, bench_shapes[s].name))
            measure_shape(b, &bench_shapes[s]);
    for (size_t n = 0; n < sizeof bench_networks / sizeof bench_networks[0]; n++)
        if (bench_wants(b, bench_networks[n].name))
            measure_network(b, &bench_networks[n]);
    bench_end(b, "inference");
}
