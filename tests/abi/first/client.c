/* A program as it could be written when the interface first stood: it is compiled with the headers of then and runs on
 * the library of now. Uses every struct, callback and enumeration of those headers, and most of the functions. */
#include <tsnn.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 120, FEATURES = 12, CLASSES = 4, EPOCHS = 12 };

#define CHECK(condition)                                                                                               \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            printf("line %d: %s\n", __LINE__, #condition);                                                             \
            exit(1);                                                                                                   \
        }                                                                                                              \
    } while (0)
#define OK(call) CHECK((call) == TSNN_OK)

/* ---- callbacks ---- */

static int64_t blocks, log_lines, steps, epochs;
static double first_loss, last_loss;

static void *take(void *user, size_t size)
{
    CHECK(user == &blocks);
    blocks++;
    return malloc(size);
}

static void give_back(void *user, void *pointer)
{
    CHECK(user == &blocks && pointer != NULL);
    blocks--;
    free(pointer);
}

static void note(void *user, int32_t level, const char *text)
{
    CHECK(user == &log_lines && level >= TSNN_LOG_WARNING && text[0] != '\0');
    log_lines++;
}

static void softsign(void *user, const float *z, float *a, int64_t count)
{
    CHECK(user == &steps);
    for (int64_t k = 0; k < count; k++)
        a[k] = z[k] / (1.0f + fabsf(z[k]));
}

static void softsign_derivative(void *user, const float *z, const float *a, float *derivative, int64_t count)
{
    CHECK(user == &steps && a != NULL);
    for (int64_t k = 0; k < count; k++)
        derivative[k] = 1.0f / ((1.0f + fabsf(z[k])) * (1.0f + fabsf(z[k])));
}

static int32_t on_step(void *user, const tsnn_step_report *report)
{
    CHECK(user == &epochs && report->struct_size >= sizeof *report);
    CHECK(report->epoch >= 1 && report->step >= 1 && report->step <= report->steps && report->samples > 0);
    CHECK(isfinite(report->loss) && report->learning_rate > 0.0 && report->gradient_norm >= 0.0);
    steps++;
    return 0;
}

static int32_t on_epoch(void *user, const tsnn_epoch_report *report)
{
    CHECK(user == &epochs && report->struct_size >= sizeof *report);
    CHECK(report->epoch == ++epochs && report->epochs == EPOCHS && report->samples == SAMPLES);
    CHECK(report->has_validation == 1 && report->validation_accuracy >= 0.0 && report->validation_accuracy <= 1.0);
    CHECK(report->train_seconds >= 0.0 && report->evolution_seconds >= 0.0 && report->validation_seconds >= 0.0);
    CHECK(report->connections > 0 && report->neurons > CLASSES && report->replaced >= 0 && report->pruned >= 0);
    CHECK(report->train_accuracy >= 0.0 && report->learning_rate > 0.0 && isfinite(report->train_loss));
    if (report->epoch == 1)
        first_loss = report->validation_loss;
    last_loss = report->validation_loss;
    return 0;
}

/* ---- the parts of a program ---- */

static tsnn_context *make_context(void)
{
    tsnn_context_options options = TSNN_CONTEXT_OPTIONS_INIT, same;
    tsnn_context_info info = TSNN_CONTEXT_INFO_INIT;
    tsnn_context *context = NULL;
    OK(tsnn_context_options_init(&same));
    CHECK(memcmp(&options, &same, sizeof same) == 0);
    options.threads = 2;
    options.seed = 7;
    options.allocate = take;
    options.release = give_back;
    options.allocator_user = &blocks;
    options.log = note;
    options.log_user = &log_lines;
    OK(tsnn_context_create(&options, &context));
    OK(tsnn_context_get_info(context, &info));
    CHECK(info.threads == 2 && info.seed == 7 && info.isa > TSNN_ISA_AUTO);
    CHECK(strcmp(tsnn_isa_string(info.isa), "unknown") != 0);
    return context;
}

/* Clusters that a small network can tell apart. */
static tsnn_dataset *make_data(tsnn_context *context)
{
    static float features[SAMPLES * FEATURES];
    static int32_t labels[SAMPLES];
    tsnn_dataset_options options = TSNN_DATASET_OPTIONS_INIT;
    tsnn_dataset_info info = TSNN_DATASET_INFO_INIT;
    tsnn_dataset *dataset = NULL;
    uint32_t state = 1;
    for (int n = 0; n < SAMPLES; n++) {
        labels[n] = n % CLASSES;
        for (int f = 0; f < FEATURES; f++) {
            state = state * 1664525u + 1013904223u;
            features[n * FEATURES + f] = (float)(state >> 8) / 16777216.0f + (f % CLASSES == labels[n] ? 1.5f : 0.0f);
        }
    }
    options.samples = SAMPLES;
    options.features = FEATURES;
    options.feature_data = features;
    options.labels = labels;
    OK(tsnn_dataset_create(context, &options, &dataset));
    OK(tsnn_dataset_get_info(dataset, &info));
    CHECK(info.samples == SAMPLES && info.features == FEATURES && info.classes == CLASSES && info.targets == NULL);
    CHECK(memcmp(info.feature_data, features, sizeof features) == 0);
    return dataset;
}

static void add_layer(tsnn_context *context, tsnn_network *network, int64_t inputs, int64_t outputs, int32_t kind)
{
    tsnn_layer_options shape = TSNN_LAYER_OPTIONS_INIT;
    tsnn_activation_options function = TSNN_ACTIVATION_OPTIONS_INIT;
    tsnn_layer_info info = TSNN_LAYER_INFO_INIT;
    tsnn_layer *layer = NULL;
    tsnn_activation *activation = NULL;
    shape.inputs = inputs;
    shape.outputs = outputs;
    shape.density = 0.5;
    shape.sampling = TSNN_SAMPLING_EXACT;
    shape.init = TSNN_INIT_XAVIER_UNIFORM;
    shape.fan = TSNN_FAN_SPARSE;
    OK(tsnn_layer_create(context, &shape, &layer));
    OK(tsnn_layer_get_info(layer, &info));
    CHECK(info.inputs == inputs && info.outputs == outputs && info.connections == (inputs * outputs + 1) / 2);
    CHECK(info.frozen == 0 && info.density > 0.4 && info.density < 0.6 && info.bytes > 0 && info.index_bytes == 2);
    function.kind = kind;
    if (kind == TSNN_ACTIVATION_CUSTOM) {
        function.function = softsign;
        function.derivative = softsign_derivative;
        function.user = &steps;
    }
    OK(tsnn_activation_create(context, &function, &activation));
    OK(tsnn_network_append(network, &layer, activation, kind == TSNN_ACTIVATION_SOFTMAX ? 0.0 : 0.1));
    CHECK(layer == NULL);
    tsnn_activation_destroy(&activation);
}

static tsnn_network *make_network(tsnn_context *context, const tsnn_dataset *dataset)
{
    tsnn_network_info info = TSNN_NETWORK_INFO_INIT;
    tsnn_standardizer *standardizer = NULL;
    tsnn_network *network = NULL;
    float mean[FEATURES], deviation[FEATURES];
    OK(tsnn_network_create(context, &network));
    add_layer(context, network, FEATURES, 30, TSNN_ACTIVATION_ALL_RELU);
    add_layer(context, network, 30, 20, TSNN_ACTIVATION_CUSTOM);
    add_layer(context, network, 20, CLASSES, TSNN_ACTIVATION_SOFTMAX);
    OK(tsnn_standardizer_fit(context, dataset, &standardizer));
    OK(tsnn_standardizer_get(standardizer, mean, deviation, FEATURES, NULL));
    CHECK(mean[0] > 0.0f && deviation[0] > 0.0f);
    OK(tsnn_network_set_standardizer(network, standardizer));
    tsnn_standardizer_destroy(&standardizer);
    OK(tsnn_network_get_info(network, &info));
    CHECK(info.layers == 3 && info.inputs == FEATURES && info.outputs == CLASSES && info.neurons == 30 + 20 + CLASSES);
    CHECK(info.connections == 180 + 300 + 40 && info.bytes > 0);
    return network;
}

static void train(tsnn_context *context, tsnn_network *network, const tsnn_dataset *dataset)
{
    tsnn_loss_options loss_options = TSNN_LOSS_OPTIONS_INIT;
    tsnn_optimizer_options optimizer_options = TSNN_OPTIMIZER_OPTIONS_INIT;
    tsnn_evolution_options evolution_options = TSNN_EVOLUTION_OPTIONS_INIT;
    tsnn_pruning_options pruning_options = TSNN_PRUNING_OPTIONS_INIT;
    tsnn_schedule_options schedule = TSNN_SCHEDULE_OPTIONS_INIT;
    tsnn_trainer_options options = TSNN_TRAINER_OPTIONS_INIT;
    tsnn_evaluation evaluation = TSNN_EVALUATION_INIT;
    tsnn_loss *loss = NULL;
    tsnn_optimizer *optimizer = NULL;
    tsnn_evolution *evolution = NULL;
    tsnn_pruning *pruning = NULL;
    tsnn_trainer *trainer = NULL;
    loss_options.label_smoothing = 0.05;
    optimizer_options.kind = TSNN_OPTIMIZER_NESTEROV;
    optimizer_options.learning_rate = 0.05;
    optimizer_options.weight_decay = 1e-4;
    optimizer_options.decay = TSNN_DECAY_L2;
    evolution_options.zeta = 0.2;
    pruning_options.first_epoch = 6;
    pruning_options.every_epochs = 3;
    pruning_options.fold = TSNN_FOLD_BIASES;
    schedule.kind = TSNN_SCHEDULE_COSINE;
    schedule.final_factor = 0.1;
    OK(tsnn_loss_create(context, &loss_options, &loss));
    OK(tsnn_optimizer_create(context, &optimizer_options, &optimizer));
    OK(tsnn_evolution_create(context, &evolution_options, &evolution));
    OK(tsnn_pruning_create(context, &pruning_options, &pruning));
    options.network = network;
    options.loss = loss;
    options.optimizer = optimizer;
    options.evolution = evolution;
    options.pruning = pruning;
    options.schedule = &schedule;
    options.epochs = EPOCHS;
    options.batch = 16;
    options.clip_norm = 5.0;
    options.on_step = on_step;
    options.on_epoch = on_epoch;
    options.user = &epochs;
    OK(tsnn_trainer_create(context, &options, &trainer));
    OK(tsnn_trainer_run(trainer, dataset, dataset));
    CHECK(epochs == EPOCHS && steps == EPOCHS * 8 && last_loss < 0.5 * first_loss);
    OK(tsnn_network_evaluate(network, loss, dataset, &evaluation));
    CHECK(evaluation.samples == SAMPLES && evaluation.accuracy > 0.9 && evaluation.loss > 0.0);
    CHECK(evaluation.correct == (int64_t)(evaluation.accuracy * SAMPLES + 0.5));
    tsnn_trainer_destroy(&trainer);
    tsnn_pruning_destroy(&pruning);
    tsnn_evolution_destroy(&evolution);
    tsnn_optimizer_destroy(&optimizer);
    tsnn_loss_destroy(&loss);
}

/* A training loop of one's own: a gradient as an object, and pruning with its report and map. */
static void train_by_hand(tsnn_context *context, tsnn_network *network, const tsnn_dataset *dataset)
{
    tsnn_pruning_report report = TSNN_PRUNING_REPORT_INIT;
    tsnn_loss *loss = NULL;
    tsnn_optimizer *optimizer = NULL;
    tsnn_gradient *gradient = NULL;
    tsnn_evolution *evolution = NULL;
    tsnn_pruning *pruning = NULL;
    double value = 0.0, norm = 0.0;
    int64_t replaced = 0, count = 0;
    int32_t map[30];
    OK(tsnn_loss_create(context, NULL, &loss));
    OK(tsnn_optimizer_create(context, NULL, &optimizer));
    OK(tsnn_gradient_create(network, &gradient));
    OK(tsnn_gradient_add(gradient, network, loss, dataset, NULL, SAMPLES, &value));
    OK(tsnn_gradient_norm(gradient, &norm));
    CHECK(value > 0.0 && norm > 0.0);
    OK(tsnn_gradient_scale(gradient, 0.5));
    OK(tsnn_optimizer_apply(optimizer, network, gradient, 1.0));
    OK(tsnn_evolution_create(context, NULL, &evolution));
    OK(tsnn_evolution_apply(evolution, network, 100, &replaced));
    CHECK(replaced > 0);
    CHECK(tsnn_gradient_add(gradient, network, loss, dataset, NULL, 1, NULL) == TSNN_ERROR_STATE);
    OK(tsnn_pruning_create(context, NULL, &pruning));
    OK(tsnn_pruning_apply(pruning, network, &report));
    CHECK(report.neurons_after < report.neurons_before && report.connections_after < report.connections_before);
    OK(tsnn_pruning_get_map(pruning, 0, map, 30, &count));
    CHECK(count > 0 && count <= 30);
    tsnn_pruning_destroy(&pruning);
    tsnn_evolution_destroy(&evolution);
    tsnn_gradient_destroy(&gradient);
    tsnn_optimizer_destroy(&optimizer);
    tsnn_loss_destroy(&loss);
}

/* An MLP by options, a copy, predictions and classes of both, and a layer that goes out and in again. */
static void predict(tsnn_context *context, const tsnn_dataset *dataset)
{
    static const int64_t sizes[] = {FEATURES, 9, CLASSES};
    tsnn_mlp_options options = TSNN_MLP_OPTIONS_INIT;
    tsnn_dataset_info data = TSNN_DATASET_INFO_INIT;
    tsnn_layer_info info = TSNN_LAYER_INFO_INIT;
    tsnn_network *network = NULL, *copy = NULL;
    tsnn_layer *layer = NULL, *again = NULL;
    float outputs[2][5 * CLASSES], values[FEATURES * 9], bias[9];
    int64_t row_ptr[FEATURES + 1];
    int32_t column[FEATURES * 9], classes[5];
    options.sizes = sizes;
    options.size_count = 3;
    options.epsilon = 3.0;
    options.dropout = 0.2;
    OK(tsnn_network_create_mlp(context, &options, &network));
    OK(tsnn_network_copy(network, &copy));
    OK(tsnn_dataset_get_info(dataset, &data));
    OK(tsnn_network_predict(network, data.feature_data, 5, outputs[0], 5 * CLASSES));
    OK(tsnn_network_predict(copy, data.feature_data, 5, outputs[1], 5 * CLASSES));
    CHECK(memcmp(outputs[0], outputs[1], sizeof outputs[0]) == 0);
    OK(tsnn_network_classify(copy, data.feature_data, 5, classes, 5));
    for (int n = 0; n < 5; n++)
        for (int k = 0; k < CLASSES; k++)
            CHECK(outputs[0][n * CLASSES + k] <= outputs[0][n * CLASSES + classes[n]]);
    OK(tsnn_network_get_layer(network, 0, &layer));
    OK(tsnn_layer_get_info(layer, &info));
    OK(tsnn_layer_get_csr(layer, row_ptr, FEATURES + 1, column, values, FEATURES * 9));
    OK(tsnn_layer_get_bias(layer, bias, 9));
    OK(tsnn_layer_create_from_csr(context, FEATURES, 9, info.connections, row_ptr, column, values, bias, TSNN_CHECKED,
                                  &again));
    OK(tsnn_layer_freeze(again, 1));
    OK(tsnn_layer_get_info(again, &info));
    CHECK(info.frozen == 1 && info.connections == row_ptr[FEATURES]);
    tsnn_layer_destroy(&again);
    tsnn_network_destroy(&copy);
    tsnn_network_destroy(&network);
}

/* Failures keep their numbers, and say more on request. */
static void fail(tsnn_context *context)
{
    tsnn_layer_options options = TSNN_LAYER_OPTIONS_INIT;
    struct {
        tsnn_layer_options known;
        uint64_t newer;
    } larger = {TSNN_LAYER_OPTIONS_INIT, 0};
    tsnn_layer *layer = NULL;
    tsnn_status code = TSNN_OK;
    char text[200];
    options.inputs = -1;
    options.outputs = 3;
    CHECK(tsnn_layer_create(context, &options, &layer) == TSNN_ERROR_SHAPE && layer == NULL);
    OK(tsnn_context_error(context, text, sizeof text, &code));
    CHECK(code == TSNN_ERROR_SHAPE && strstr(text, "-1") != NULL);
    CHECK(strcmp(tsnn_status_string(code), tsnn_status_string(-12345)) != 0);
    larger.known.struct_size = sizeof larger;
    larger.known.inputs = larger.known.outputs = 3;
    OK(tsnn_layer_create(context, &larger.known, &layer));
    tsnn_layer_destroy(&layer);
    larger.newer = 1;
    CHECK(tsnn_layer_create(context, &larger.known, &layer) == TSNN_ERROR_STRUCT_SIZE && layer == NULL);
}

int main(void)
{
    tsnn_context *context = make_context();
    tsnn_dataset *dataset = make_data(context);
    tsnn_network *network = make_network(context, dataset);
    train(context, network, dataset);
    train_by_hand(context, network, dataset);
    predict(context, dataset);
    fail(context);
    tsnn_network_destroy(&network);
    tsnn_dataset_destroy(&dataset);
    tsnn_context_destroy(&context);
    CHECK(blocks == 0 && context == NULL && log_lines > 0);
    printf("compiled with the headers of %d.%d.%d, running on %s\n", TSNN_VERSION_MAJOR, TSNN_VERSION_MINOR,
           TSNN_VERSION_PATCH, tsnn_version_string());
    return 0;
}
