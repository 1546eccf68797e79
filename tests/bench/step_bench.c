/* Times one training step of the Fashion-MNIST network (784-1000-1000-1000-10, about 125,685 connections, batch 128)
 * through the public interface, everything included: input transpose, dropout, loss, biases. Prints the median, which a
 * busy machine disturbs least. Usage: step_bench [threads] [isa: 0 auto, 1 ref, 2 avx2, 3 avx512, 4 neon] */
#include <tsnn.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SAMPLES 2048
#define FEATURES 784
#define CLASSES 10
#define BATCH 128
#define WARM_UP 50
#define STEPS 1001

static void require(tsnn_status status, const char *what)
{
    if (status >= 0)
        return;
    fprintf(stderr, "%s: %s\n", what, tsnn_status_string(status));
    exit(EXIT_FAILURE);
}

static double seconds_now(void)
{
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double difference = *(const double *)a - *(const double *)b;
    return (difference > 0.0) - (difference < 0.0);
}

static tsnn_dataset *random_dataset(tsnn_context *context)
{
    static float features[SAMPLES * FEATURES];
    static int32_t labels[SAMPLES];
    uint32_t state = 1;
    for (int k = 0; k < SAMPLES * FEATURES; k++) {
        state = state * 1664525u + 1013904223u;
        features[k] = (float)(state >> 8) / 8388608.0f - 1.0f;
    }
    for (int n = 0; n < SAMPLES; n++)
        labels[n] = n % CLASSES;
    tsnn_dataset_options options = TSNN_DATASET_OPTIONS_INIT;
    options.ownership = TSNN_BORROW;
    options.samples = SAMPLES;
    options.features = FEATURES;
    options.feature_data = features;
    options.labels = labels;
    tsnn_dataset *dataset;
    require(tsnn_dataset_create(context, &options, &dataset), "data set");
    return dataset;
}

static tsnn_network *paper_network(tsnn_context *context, const tsnn_dataset *dataset)
{
    static const int64_t sizes[] = {FEATURES, 1000, 1000, 1000, CLASSES};
    tsnn_mlp_options options = TSNN_MLP_OPTIONS_INIT;
    options.sampling = TSNN_SAMPLING_EXACT;
    options.sizes = sizes;
    options.size_count = 5;
    options.dropout = 0.3;
    tsnn_network *network;
    tsnn_standardizer *standardizer;
    require(tsnn_network_create_mlp(context, &options, &network), "network");
    require(tsnn_standardizer_fit(context, dataset, &standardizer), "standardizer");
    require(tsnn_network_set_standardizer(network, standardizer), "standardizer");
    tsnn_standardizer_destroy(&standardizer);
    return network;
}

int main(int argc, char **argv)
{
    static double times[STEPS];
    tsnn_context_options context_options = TSNN_CONTEXT_OPTIONS_INIT;
    context_options.threads = argc > 1 ? atoi(argv[1]) : 1;
    context_options.isa = argc > 2 ? atoi(argv[2]) : TSNN_ISA_AUTO;
    tsnn_context *context;
    require(tsnn_context_create(&context_options, &context), "context");
    tsnn_dataset *dataset = random_dataset(context);
    tsnn_network *network = paper_network(context, dataset);
    tsnn_loss *loss;
    tsnn_optimizer *optimizer;
    tsnn_optimizer_options rule = TSNN_OPTIMIZER_OPTIONS_INIT;
    rule.kind = TSNN_OPTIMIZER_MOMENTUM;
    rule.weight_decay = 0.0002;
    require(tsnn_loss_create(context, NULL, &loss), "loss");
    require(tsnn_optimizer_create(context, &rule, &optimizer), "optimizer");
    tsnn_trainer_options options = TSNN_TRAINER_OPTIONS_INIT;
    options.network = network;
    options.loss = loss;
    options.optimizer = optimizer;
    options.batch = BATCH;
    tsnn_trainer *trainer;
    require(tsnn_trainer_create(context, &options, &trainer), "trainer");

    int64_t samples[BATCH];
    for (int s = 0; s < WARM_UP + STEPS; s++) {
        for (int n = 0; n < BATCH; n++)
            samples[n] = ((int64_t)s * 977 + (int64_t)n * 331) % SAMPLES;
        double start = seconds_now();
        require(tsnn_trainer_step(trainer, dataset, samples, BATCH, 1.0, NULL), "step");
        if (s >= WARM_UP)
            times[s - WARM_UP] = seconds_now() - start;
    }
    qsort(times, STEPS, sizeof *times, compare);
    tsnn_network_info network_info = TSNN_NETWORK_INFO_INIT;
    tsnn_context_info context_info = TSNN_CONTEXT_INFO_INIT;
    tsnn_network_get_info(network, &network_info);
    tsnn_context_get_info(context, &context_info);
    printf("training step, %lld connections, batch %d, %s, %d thread%s: median %.3f ms, fastest %.3f ms\n",
           (long long)network_info.connections, BATCH, tsnn_isa_string(context_info.isa), (int)context_info.threads,
           context_info.threads == 1 ? "" : "s", 1e3 * times[STEPS / 2], 1e3 * times[0]);

    tsnn_trainer_destroy(&trainer);
    tsnn_optimizer_destroy(&optimizer);
    tsnn_loss_destroy(&loss);
    tsnn_network_destroy(&network);
    tsnn_dataset_destroy(&dataset);
    tsnn_context_destroy(&context);
    return EXIT_SUCCESS;
}
