/* The training of course.rs in C: writes topology, weights, biases and predictions to standard output. */
#include <stdio.h>
#include <stdlib.h>

#include <tsnn.h>

enum { SAMPLES = 200, COLUMNS = 6, LAYERS = 3, OUTPUTS = 2, LARGEST = 10000 };

static void must(const char *what, tsnn_status status)
{
    if (status < 0) {
        fprintf(stderr, "%s: %s\n", what, tsnn_status_string(status));
        exit(1);
    }
}

static void bent(void *user, const float *z, float *a, int64_t count)
{
    (void)user;
    for (int64_t k = 0; k < count; k++)
        a[k] = z[k] > 0.0f ? z[k] : 0.25f * z[k];
}

static void bent_derivative(void *user, const float *z, const float *a, float *derivative, int64_t count)
{
    (void)user;
    (void)a;
    for (int64_t k = 0; k < count; k++)
        derivative[k] = z[k] > 0.0f ? 1.0f : 0.25f;
}

static void fill(float *features, int32_t *labels)
{
    uint64_t state = 1;
    for (int k = 0; k < SAMPLES * COLUMNS; k++) {
        state = state * 6364136223846793005U + 1442695040888963407U;
        features[k] = (float)(state >> 40) / 8388608.0f - 1.0f;
    }
    for (int k = 0; k < SAMPLES; k++)
        labels[k] = features[k * COLUMNS + 1] * features[k * COLUMNS + 4] > 0.0f;
}

static void put(const void *numbers, size_t size, int64_t count)
{
    if (fwrite(numbers, size, (size_t)count, stdout) != (size_t)count)
        exit(1);
}

static void put_layer(tsnn_network *network, int64_t index)
{
    static int64_t row_ptr[LARGEST];
    static int32_t column[LARGEST];
    static float values[LARGEST], bias[LARGEST];
    tsnn_layer *layer;
    tsnn_layer_info info = TSNN_LAYER_INFO_INIT;
    must("layer", tsnn_network_get_layer(network, index, &layer));
    must("info", tsnn_layer_get_info(layer, &info));
    must("csr", tsnn_layer_get_csr(layer, row_ptr, LARGEST, column, values, LARGEST));
    must("bias", tsnn_layer_get_bias(layer, bias, LARGEST));
    put(row_ptr, sizeof *row_ptr, info.inputs + 1);
    put(column, sizeof *column, info.connections);
    put(values, sizeof *values, info.connections);
    put(bias, sizeof *bias, info.outputs);
}

static tsnn_network *create_network(tsnn_context *context)
{
    const int64_t sizes[] = {COLUMNS, 30, 20, OUTPUTS};
    tsnn_activation *activation;
    tsnn_network *network;
    tsnn_activation_options rule = TSNN_ACTIVATION_OPTIONS_INIT;
    tsnn_mlp_options shape = TSNN_MLP_OPTIONS_INIT;
    rule.kind = TSNN_ACTIVATION_CUSTOM;
    rule.function = bent;
    rule.derivative = bent_derivative;
    must("activation", tsnn_activation_create(context, &rule, &activation));
    shape.sizes = sizes;
    shape.size_count = LAYERS + 1;
    shape.epsilon = 6;
    shape.hidden = activation;
    must("network", tsnn_network_create_mlp(context, &shape, &network));
    tsnn_activation_destroy(&activation);
    return network;
}

static void train(tsnn_context *context, tsnn_network *network, const tsnn_dataset *dataset)
{
    tsnn_loss *loss;
    tsnn_optimizer *optimizer;
    tsnn_evolution *evolution;
    tsnn_trainer *trainer;
    tsnn_optimizer_options nesterov = TSNN_OPTIMIZER_OPTIONS_INIT;
    tsnn_evolution_options share = TSNN_EVOLUTION_OPTIONS_INIT;
    tsnn_schedule_options cosine = TSNN_SCHEDULE_OPTIONS_INIT;
    tsnn_trainer_options options = TSNN_TRAINER_OPTIONS_INIT;
    nesterov.kind = TSNN_OPTIMIZER_NESTEROV;
    nesterov.learning_rate = 0.05;
    share.zeta = 0.2;
    cosine.kind = TSNN_SCHEDULE_COSINE;
    cosine.warmup_epochs = 1;
    must("loss", tsnn_loss_create(context, NULL, &loss));
    must("optimizer", tsnn_optimizer_create(context, &nesterov, &optimizer));
    must("evolution", tsnn_evolution_create(context, &share, &evolution));
    options.network = network;
    options.loss = loss;
    options.optimizer = optimizer;
    options.evolution = evolution;
    options.schedule = &cosine;
    options.epochs = 6;
    options.batch = 20;
    options.clip_norm = 1;
    must("trainer", tsnn_trainer_create(context, &options, &trainer));
    must("run", tsnn_trainer_run(trainer, dataset, NULL));
    tsnn_trainer_destroy(&trainer);
    tsnn_evolution_destroy(&evolution);
    tsnn_optimizer_destroy(&optimizer);
    tsnn_loss_destroy(&loss);
}

int main(void)
{
    static float features[SAMPLES * COLUMNS], outputs[SAMPLES * OUTPUTS];
    static int32_t labels[SAMPLES];
    tsnn_context *context;
    tsnn_dataset *dataset;
    tsnn_context_options seeded = TSNN_CONTEXT_OPTIONS_INIT;
    tsnn_dataset_options options = TSNN_DATASET_OPTIONS_INIT;
    fill(features, labels);
    seeded.seed = 7;
    must("context", tsnn_context_create(&seeded, &context));
    options.samples = SAMPLES;
    options.features = COLUMNS;
    options.classes = OUTPUTS;
    options.feature_data = features;
    options.labels = labels;
    must("dataset", tsnn_dataset_create(context, &options, &dataset));
    tsnn_network *network = create_network(context);
    train(context, network, dataset);
    for (int64_t index = 0; index < LAYERS; index++)
        put_layer(network, index);
    must("predict", tsnn_network_predict(network, features, SAMPLES, outputs, SAMPLES * OUTPUTS));
    put(outputs, sizeof *outputs, SAMPLES * OUTPUTS);
    tsnn_network_destroy(&network);
    tsnn_dataset_destroy(&dataset);
    tsnn_context_destroy(&context);
    return 0;
}
