/* Times predictors: one sample and batches, layer shapes S1 to S7 and the Fashion-MNIST network, through the public
 * interface. Usage: inference_bench [ISA|all [REPETITIONS [SHAPE]]], SHAPE: the
 * beginning of a name. The fastest of the repetitions, each of some milliseconds.
 * With TSNNI_BENCH_NO_MAIN defined it is a part of another program. */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */

#include "inference_bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const tsnni_inference_shape tsnni_inference_shapes[TSNNI_INFERENCE_SHAPES] = {
    {"S1 784x1000", 784, 1000, 128, 20},      {"S2 1000x1000", 1000, 1000, 128, 20},
    {"S3 3072x4000", 3072, 4000, 128, 20},    {"S4 4000x1000", 4000, 1000, 128, 20},
    {"S5 27500x27500", 27500, 27500, 32, 10}, {"S6 500000x500000", 500000, 500000, 32, 5},
    {"S7 1000x10", 1000, 10, 128, 20},
};

/* Nanoseconds that a repetition takes at least. */
#define LEAST_TIME 4e6

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void must(tsnn_status status)
{
    if (status < 0) {
        fprintf(stderr, "inference_bench: %s\n", tsnn_status_string(status));
        exit(EXIT_FAILURE);
    }
}

/* Values in [-1, 1) from a linear congruence; a `share` of them is 0. */
static float *numbers_new(int64_t count, double share)
{
    float *numbers = malloc((size_t)count * sizeof *numbers);
    uint64_t state = 1;
    for (int64_t k = 0; numbers != NULL && k < count; k++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        double uniform = (double)(state >> 40) * 0x1p-24;
        state = state * 6364136223846793005u + 1442695040888963407u;
        numbers[k] = (double)(state >> 40) * 0x1p-24 < share ? 0.0f : (float)(2 * uniform - 1);
    }
    if (numbers == NULL)
        must(TSNN_ERROR_OUT_OF_MEMORY);
    return numbers;
}

/* The fastest repetition of predicting `samples` samples at once, in nanoseconds. */
static double time_predict(const tsnn_predictor *predictor, const float *x, int64_t samples, int repetitions)
{
    tsnn_predictor_info info = TSNN_PREDICTOR_INFO_INIT;
    tsnn_predictor_workspace *workspace = NULL;
    must(tsnn_predictor_get_info(predictor, &info));
    must(tsnn_predictor_workspace_create(predictor, samples, &workspace));
    int64_t capacity = samples * info.outputs;
    float *y = malloc((size_t)capacity * sizeof *y);
    if (y == NULL)
        must(TSNN_ERROR_OUT_OF_MEMORY);
    double fastest = 0;
    int64_t rounds = 1;
    for (int r = -1; r < repetitions; r++) {
        double begin = now();
        for (int64_t k = 0; k < rounds; k++)
            must(tsnn_predictor_predict(predictor, workspace, x, samples, y, capacity));
        double each = (now() - begin) / (double)rounds;
        if (r < 0) /* warms the caches and tells how many rounds a repetition needs */
            rounds = each < LEAST_TIME ? (int64_t)(LEAST_TIME / each) + 1 : 1;
        else if (r == 0 || each < fastest)
            fastest = each;
    }
    free(y);
    tsnn_predictor_workspace_destroy(&workspace);
    return fastest;
}

static void time_network(tsnn_context *context, const tsnn_network *network, int64_t batch, int repetitions,
                         tsnni_inference_timing *out)
{
    tsnn_predictor_info info = TSNN_PREDICTOR_INFO_INIT;
    tsnn_predictor_options options = TSNN_PREDICTOR_OPTIONS_INIT;
    tsnn_predictor *predictor = NULL;
    must(tsnn_predictor_create(context, network, &options, &predictor));
    must(tsnn_predictor_get_info(predictor, &info));
    out->connections = info.connections;
    out->bytes = info.bytes;
    float *x = numbers_new(batch * info.inputs, 0), *mostly_zero = numbers_new(info.inputs, 0.8);
    out->single = time_predict(predictor, x, 1, repetitions);
    out->batch = time_predict(predictor, x, batch, repetitions);
    tsnn_predictor_destroy(&predictor);
    options.pack = TSNN_PACK_SINGLE;
    options.skip_zeros = 1;
    must(tsnn_predictor_create(context, network, &options, &predictor));
    out->skip = time_predict(predictor, mostly_zero, 1, repetitions);
    tsnn_predictor_destroy(&predictor);
    free(x);
    free(mostly_zero);
}

static tsnn_context *context_new(int32_t isa)
{
    tsnn_context_options options = TSNN_CONTEXT_OPTIONS_INIT;
    options.isa = isa;
    options.threads = 1;
    options.seed = 1;
    tsnn_context *context = NULL;
    tsnn_status status = tsnn_context_create(&options, &context);
    if (status != TSNN_ERROR_UNSUPPORTED)
        must(status);
    return context;
}

int tsnni_inference_layer(int32_t isa, const tsnni_inference_shape *shape, int repetitions, tsnni_inference_timing *out)
{
    tsnn_context *context = context_new(isa);
    if (context == NULL)
        return 0;
    tsnn_layer_options options = TSNN_LAYER_OPTIONS_INIT;
    options.inputs = shape->inputs;
    options.outputs = shape->outputs;
    options.epsilon = shape->epsilon;
    tsnn_layer *layer = NULL;
    tsnn_network *network = NULL;
    must(tsnn_layer_create(context, &options, &layer));
    must(tsnn_network_create(context, &network));
    must(tsnn_network_append(network, &layer, NULL, 0.0));
    time_network(context, network, shape->batch, repetitions, out);
    tsnn_network_destroy(&network);
    tsnn_context_destroy(&context);
    return 1;
}

int tsnni_inference_network(int32_t isa, int repetitions, tsnni_inference_timing *out)
{
    static const int64_t sizes[] = {784, 1000, 1000, 1000, 10};
    enum { SAMPLES = 64 };
    tsnn_context *context = context_new(isa);
    if (context == NULL)
        return 0;
    tsnn_mlp_options options = TSNN_MLP_OPTIONS_INIT;
    options.sizes = sizes;
    options.size_count = 5;
    options.dropout = 0.3;
    tsnn_network *network = NULL;
    must(tsnn_network_create_mlp(context, &options, &network));
    float *x = numbers_new(SAMPLES * sizes[0], 0);
    int32_t labels[SAMPLES] = {0};
    tsnn_dataset_options data = TSNN_DATASET_OPTIONS_INIT;
    data.samples = SAMPLES;
    data.features = sizes[0];
    data.feature_data = x;
    data.classes = 10;
    data.labels = labels;
    tsnn_dataset *dataset = NULL;
    tsnn_standardizer *standardizer = NULL;
    must(tsnn_dataset_create(context, &data, &dataset));
    must(tsnn_standardizer_fit(context, dataset, &standardizer));
    must(tsnn_network_set_standardizer(network, standardizer));
    time_network(context, network, 128, repetitions, out);
    tsnn_standardizer_destroy(&standardizer);
    tsnn_dataset_destroy(&dataset);
    free(x);
    tsnn_network_destroy(&network);
    tsnn_context_destroy(&context);
    return 1;
}

#ifndef TSNNI_BENCH_NO_MAIN

static void print_line(const char *name, const char *isa, int64_t batch, const tsnni_inference_timing *timing)
{
    double connections = (double)timing->connections;
    printf("%-18s %-7s %9lld %7.3f %10.2f %10.2f %9.3f %10.2f\n", name, isa, (long long)timing->connections,
           timing->single / connections, timing->single * 1e-3, timing->skip * 1e-3,
           timing->batch / connections / (double)batch, timing->batch * 1e-3 / (double)batch);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    int repetitions = argc > 2 ? atoi(argv[2]) : 9;
    const char *wanted = argc > 3 ? argv[3] : "";
    printf("%-18s %-7s %9s %7s %10s %10s %9s %10s\n", "", "", "", "single", "single", "80 % zero", "batch", "batch");
    printf("%-18s %-7s %9s %7s %10s %10s %9s %10s\n", "shape", "isa", "conn.", "ns/con", "us", "us", "ns/con/x",
           "us/sample");
    for (int32_t isa = TSNN_ISA_NEON; isa >= TSNN_ISA_REF; isa--) {
        tsnni_inference_timing timing;
        if (argc > 1 && strcmp(argv[1], "all") != 0 && strcmp(argv[1], tsnn_isa_string(isa)) != 0)
            continue;
        for (int s = 0; s < TSNNI_INFERENCE_SHAPES; s++)
            if (strncmp(tsnni_inference_shapes[s].name, wanted, strlen(wanted)) == 0 &&
                tsnni_inference_layer(isa, &tsnni_inference_shapes[s], repetitions, &timing))
                print_line(tsnni_inference_shapes[s].name, tsnn_isa_string(isa), tsnni_inference_shapes[s].batch,
                           &timing);
        if (strncmp("784-1000x3-10", wanted, strlen(wanted)) == 0 && tsnni_inference_network(isa, repetitions, &timing))
            print_line("784-1000x3-10", tsnn_isa_string(isa), 128, &timing);
    }
    return EXIT_SUCCESS;
}

#endif
