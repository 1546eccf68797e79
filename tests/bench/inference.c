/* Inference through the training structures: one sample, and many. */
#include "bench.h"
#include "trainee.h"

#include <stdio.h>

#define MANY 512

static double time_predict(bench *b, const bench_trainee *t, const float *features, int64_t samples, float *outputs)
{
    int64_t classes = t->shape->sizes[t->shape->size_count - 1];
    double work = (double)t->connections * (double)samples / 16.0 + 1000.0;
    int64_t repetitions = bench_repetitions(b, work, 0.7);
    double *times = bench_array(b, repetitions, sizeof *times);
    for (int64_t r = 0; r < repetitions; r++) {
        double start = bench_now();
        bench_require(tsnn_network_predict(t->network, features, samples, outputs, samples * classes), "inference");
        times[r] = (bench_now() - start) / (double)t->connections / (double)samples;
    }
    double median = bench_median(times, repetitions);
    bench_release(b, times);
    return median;
}

static void measure(bench *b, const bench_network *shape)
{
    bench_trainee trainee;
    bench_begin(b, "inference", "inference with tsnn_network_predict, one thread");
    bench_trainee_init(b, shape, shape->epsilon, NULL, &trainee);
    int64_t inputs = shape->sizes[0], classes = shape->sizes[shape->size_count - 1];
    float *features = bench_array(b, MANY * inputs, sizeof *features);
    float *outputs = bench_array(b, MANY * classes, sizeof *outputs);
    for (int64_t k = 0; k < MANY * inputs; k++)
        features[k] = trainee.features[k % (shape->batch * inputs)];
    double one = time_predict(b, &trainee, features, 1, outputs);
    double many = time_predict(b, &trainee, features, MANY, outputs);
    printf("  %-9s %8lld connections: one sample %7.3f ns/connection, %8.1f us; %d samples %7.4f ns/connection each, "
           "%9.0f samples/s\n",
           shape->name, (long long)trainee.connections, one, one * (double)trainee.connections * 1e-3, MANY, many,
           1e9 / (many * (double)trainee.connections));
    fflush(stdout);
    bench_add(b, "inference",
              json_pack("{s:s, s:I, s:f, s:f}", "network", shape->name, "connections", (json_int_t)trainee.connections,
                        "one_sample_ns_per_connection", one, "many_samples_ns_per_connection", many));
    bench_release(b, features);
    bench_release(b, outputs);
    bench_trainee_free(b, &trainee);
}

void bench_inference(bench *b)
{
    for (size_t n = 0; n < sizeof bench_networks / sizeof bench_networks[0]; n++)
        if (bench_wants(b, bench_networks[n].name))
            measure(b, &bench_networks[n]);
    bench_end(b, "inference");
}
