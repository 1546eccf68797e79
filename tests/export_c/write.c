/* Writes networks of every kind as C files into a folder: write FOLDER. Prints one line a file: its name, the bytes of
 * its constants and the largest difference to the network's outputs. */
#include <tsnn.h>

#include <stdio.h>
#include <stdlib.h>

#define INPUTS 24
#define SAMPLES 16

static void require(tsnn_status status, tsnn_context *context, const char *what)
{
    char text[512] = "";
    if (status >= 0)
        return;
    if (context != NULL)
        tsnn_context_error(context, text, sizeof text, NULL);
    fprintf(stderr, "%s: %s: %s\n", what, tsnn_status_string(status), text);
    exit(EXIT_FAILURE);
}

static float features[SAMPLES * INPUTS];

static void make_features(void)
{
    uint32_t state = 7;
    for (int k = 0; k < SAMPLES * INPUTS; k++) {
        state = state * 1664525u + 1013904223u;
        features[k] = (float)(state >> 8) / 1e6f + (float)(k % INPUTS);
    }
}

static void standardise(tsnn_context *context, tsnn_network *network)
{
    tsnn_dataset_options options = TSNN_DATASET_OPTIONS_INIT;
    tsnn_dataset *dataset;
    tsnn_standardizer *standardizer;
    int32_t labels[SAMPLES] = {0};
    options.samples = SAMPLES;
    options.features = INPUTS;
    options.feature_data = features;
    options.labels = labels;
    require(tsnn_dataset_create(context, &options, &dataset), context, "data set");
    require(tsnn_standardizer_fit(context, dataset, &standardizer), context, "standardizer");
    require(tsnn_network_set_standardizer(network, standardizer), context, "standardizer");
    tsnn_standardizer_destroy(&standardizer);
    tsnn_dataset_destroy(&dataset);
}

static void write_network(const char *folder, tsnn_context *context, int32_t hidden, int32_t output, int64_t outputs,
                          int32_t weights, int32_t format, const char *name)
{
    const int64_t sizes[] = {INPUTS, 40, 30, outputs};
    char path[1024];
    tsnn_activation_options kind = TSNN_ACTIVATION_OPTIONS_INIT;
    tsnn_activation *inside, *last;
    tsnn_network *network;
    tsnn_mlp_options shape = TSNN_MLP_OPTIONS_INIT;
    kind.kind = hidden;
    require(tsnn_activation_create(context, &kind, &inside), context, "activation");
    kind.kind = output;
    require(tsnn_activation_create(context, &kind, &last), context, "activation");
    shape.sizes = sizes;
    shape.size_count = 4;
    shape.epsilon = 5;
    shape.dropout = 0.3;
    shape.hidden = inside;
    shape.output = last;
    require(tsnn_network_create_mlp(context, &shape, &network), context, "network");
    standardise(context, network);
    require(tsnn_network_set_activation_format(network, format), context, "format");

    tsnn_export_c_options options = TSNN_EXPORT_C_OPTIONS_INIT;
    tsnn_export_c_report report = TSNN_EXPORT_C_REPORT_INIT;
    options.weights = weights;
    options.name = name;
    options.samples = features;
    options.sample_count = SAMPLES;
    snprintf(path, sizeof path, "%s/%s.c", folder, name);
    require(tsnn_export_c(network, &options, path, &report), context, "export");
    printf("%s %lld %g\n", name, (long long)report.constant_bytes, report.largest_difference);
    tsnn_network_destroy(&network);
    tsnn_activation_destroy(&inside);
    tsnn_activation_destroy(&last);
}

int main(int argc, char **argv)
{
    tsnn_context *context;
    if (argc != 2)
        return EXIT_FAILURE;
    make_features();
    require(tsnn_context_create(NULL, &context), NULL, "context");
    write_network(argv[1], context, TSNN_ACTIVATION_ALL_RELU, TSNN_ACTIVATION_SOFTMAX, 7, TSNN_EXPORT_FLOAT,
                  TSNN_ACTIVATIONS_FLOAT32, "classify");
    write_network(argv[1], context, TSNN_ACTIVATION_ALL_RELU, TSNN_ACTIVATION_SOFTMAX, 7, TSNN_EXPORT_INT8,
                  TSNN_ACTIVATIONS_FLOAT32, "small");
    write_network(argv[1], context, TSNN_ACTIVATION_RELU, TSNN_ACTIVATION_IDENTITY, 3, TSNN_EXPORT_FLOAT,
                  TSNN_ACTIVATIONS_FLOAT32, "regress");
    write_network(argv[1], context, TSNN_ACTIVATION_TANH, TSNN_ACTIVATION_SIGMOID, 1, TSNN_EXPORT_FLOAT,
                  TSNN_ACTIVATIONS_FLOAT32, "binary");
    write_network(argv[1], context, TSNN_ACTIVATION_SIGMOID, TSNN_ACTIVATION_TANH, 2, TSNN_EXPORT_INT8,
                  TSNN_ACTIVATIONS_FLOAT32, "curves");
    write_network(argv[1], context, TSNN_ACTIVATION_ALL_RELU, TSNN_ACTIVATION_SOFTMAX, 7, TSNN_EXPORT_FLOAT,
                  TSNN_ACTIVATIONS_BF16, "halved");
    tsnn_context_destroy(&context);
    return EXIT_SUCCESS;
}
