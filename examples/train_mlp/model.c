/* The library's objects for one training run: the part of this program to copy from. */
#define _POSIX_C_SOURCE 200809L

#include "model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "text.h"

bool model_complain(const struct model *model, const char *what, tsnn_status status)
{
    char text[512] = "";
    if (model->context != NULL)
        tsnn_context_error(model->context, text, sizeof text, NULL);
    return complain("%s: %s%s%s", what, tsnn_status_string(status), text[0] != '\0' ? ": " : "", text);
}

/* The same for an option's file. */
static bool complain_of_file(const struct model *model, const char *option, const char *path, tsnn_status status)
{
    char what[400];
    snprintf(what, sizeof what, "%s %.300s", option, path);
    return model_complain(model, what, status);
}

static tsnn_status create_context(struct model *model, const struct options *options)
{
    tsnn_context_options context = TSNN_CONTEXT_OPTIONS_INIT;
    context.threads = (int32_t)options->threads;
    context.isa = options->isa;
    context.seed = options->seed;
    return tsnn_context_create(&context, &model->context);
}

/* Data sets that read our arrays in place: nothing is held twice. */
static tsnn_status create_dataset(struct model *model, const struct samples *samples, int64_t classes,
                                  tsnn_dataset **out)
{
    tsnn_dataset_options dataset = TSNN_DATASET_OPTIONS_INIT;
    dataset.ownership = TSNN_BORROW;
    dataset.samples = samples->count;
    dataset.features = samples->features;
    dataset.classes = classes;
    dataset.feature_data = samples->feature_data;
    dataset.labels = samples->labels;
    return tsnn_dataset_create(model->context, &dataset, out);
}

static tsnn_status create_activation(struct model *model, const struct options *options, tsnn_activation **out)
{
    tsnn_activation_options activation = TSNN_ACTIVATION_OPTIONS_INIT;
    activation.kind = options->activation;
    if (!isnan(options->alpha))
        activation.alpha = options->alpha;
    /* In the options 0 means the default; a slope of nought is ReLU. */
    if (options->alpha == 0 &&
        (activation.kind == TSNN_ACTIVATION_ALL_RELU || activation.kind == TSNN_ACTIVATION_LEAKY_RELU))
        activation.kind = TSNN_ACTIVATION_RELU;
    return tsnn_activation_create(model->context, &activation, out);
}

static tsnn_status create_network(struct model *model, const struct options *options, const struct data *data)
{
    int64_t sizes[OPTIONS_HIDDEN + 2];
    int64_t count = 0;
    tsnn_activation *hidden = NULL;
    sizes[count++] = data->train.features;
    for (int64_t i = 0; i < options->hidden.count; i++)
        sizes[count++] = options->hidden.neurons[i];
    sizes[count++] = data->classes;
    tsnn_mlp_options mlp = TSNN_MLP_OPTIONS_INIT;
    tsnn_status status = create_activation(model, options, &hidden);
    if (status >= 0) {
        mlp.sampling = options->sampling;
        mlp.sizes = sizes;
        mlp.size_count = count;
        mlp.epsilon = options->epsilon;
        mlp.init_scale = options->init_scale;
        mlp.init = options->init;
        mlp.fan = options->fan;
        mlp.hidden = hidden; /* the output is softmax, by default */
        mlp.dropout = options->dropout;
        status = tsnn_network_create_mlp(model->context, &mlp, &model->network);
    }
    if (status >= 0 && options->bf16)
        status = tsnn_network_set_activation_format(model->network, TSNN_ACTIVATIONS_BF16);
    tsnn_activation_destroy(&hidden);
    return status;
}

/* The network takes raw features from here on: training, test and later use cannot disagree about their scale. */
static tsnn_status standardize(struct model *model)
{
    tsnn_standardizer *standardizer = NULL;
    tsnn_status status = tsnn_standardizer_fit(model->context, model->train, &standardizer);
    if (status >= 0)
        status = tsnn_network_set_standardizer(model->network, standardizer);
    tsnn_standardizer_destroy(&standardizer);
    return status;
}

static tsnn_status create_rules(struct model *model, const struct options *options)
{
    tsnn_loss_options loss = TSNN_LOSS_OPTIONS_INIT;
    tsnn_optimizer_options optimizer = TSNN_OPTIMIZER_OPTIONS_INIT;
    loss.kind = options->loss;
    loss.label_smoothing = options->label_smoothing;
    optimizer.kind = options->optimizer;
    optimizer.learning_rate = options->rate;
    optimizer.momentum = options->momentum;
    optimizer.weight_decay = options->weight_decay;
    optimizer.decay = options->decay;
    tsnn_status status = tsnn_loss_create(model->context, &loss, &model->loss);
    if (status >= 0)
        status = tsnn_optimizer_create(model->context, &optimizer, &model->optimizer);
    if (status >= 0 && options->zeta > 0) {
        tsnn_evolution_options evolution = TSNN_EVOLUTION_OPTIONS_INIT;
        evolution.zeta = options->zeta;
        status = tsnn_evolution_create(model->context, &evolution, &model->evolution);
    }
    if (status >= 0 && options_prune_in_training(options)) {
        tsnn_pruning_options pruning = TSNN_PRUNING_OPTIONS_INIT;
        pruning.percentile = options->prune_percentile;
        pruning.threshold = options->prune_threshold;
        pruning.first_epoch = options->prune_first;
        pruning.every_epochs = options->prune_every;
        pruning.fold = options->fold ? TSNN_FOLD_BIASES : TSNN_FOLD_NONE;
        status = tsnn_pruning_create(model->context, &pruning, &model->pruning);
    }
    return status;
}

static tsnn_status create_trainer(struct model *model, const struct options *options,
                                  const struct model_callbacks *callbacks)
{
    tsnn_schedule_options schedule = TSNN_SCHEDULE_OPTIONS_INIT;
    schedule.kind = options->schedule;
    schedule.warmup_epochs = options->warmup;
    schedule.step_epochs = options->step_epochs;
    schedule.step_factor = options->step_factor;
    schedule.final_factor = options->final_factor;
    tsnn_trainer_options trainer = TSNN_TRAINER_OPTIONS_INIT;
    trainer.network = model->network;
    trainer.loss = model->loss;
    trainer.optimizer = model->optimizer;
    trainer.evolution = model->evolution;
    trainer.pruning = model->pruning;
    trainer.schedule = &schedule;
    trainer.epochs = options->epochs;
    trainer.batch = options->batch;
    trainer.micro_batch = options->micro_batch;
    trainer.clip_norm = options->clip_norm;
    if (callbacks != NULL) {
        trainer.on_step = callbacks->on_step;
        trainer.on_epoch = callbacks->on_epoch;
        trainer.user = callbacks->user;
    }
    return tsnn_trainer_create(model->context, &trainer, &model->trainer);
}

bool model_create(struct model *model, const struct options *options, const struct data *data,
                  const struct model_callbacks *callbacks)
{
    tsnn_status status;
    memset(model, 0, sizeof *model);
    if ((status = create_context(model, options)) < 0 ||
        (status = create_dataset(model, &data->train, data->classes, &model->train)) < 0 ||
        (status = create_dataset(model, &data->test, data->classes, &model->test)) < 0 ||
        (status = create_network(model, options, data)) < 0 ||
        (!options->no_standardize && (status = standardize(model)) < 0) ||
        (status = create_rules(model, options)) < 0 || (status = create_trainer(model, options, callbacks)) < 0) {
        model_complain(model, "cannot set up the training", status);
        model_destroy(model);
        return false;
    }
    return true;
}

tsnn_status model_save(const struct model *model, const char *path)
{
    return tsnn_trainer_save(model->trainer, NULL, path);
}

bool model_resume(struct model *model, const struct options *options, int64_t *epochs_done)
{
    char text[24] = "";
    const char *path = options->resume;
    tsnn_status status = tsnn_trainer_resume(model->trainer, path, NULL);
    if (status >= 0 && options->bf16) /* also of a network that was trained without until now */
        status = tsnn_network_set_activation_format(model->network, TSNN_ACTIVATIONS_BF16);
    if (status >= 0)
        status = tsnn_model_get_metadata(model->context, path, "tsnn.training.epochs_done", text, sizeof text, NULL);
    if (status < 0)
        return complain_of_file(model, "--resume", path, status);
    *epochs_done = strtoll(text, NULL, 10);
    return true;
}

void model_destroy(struct model *model)
{
    tsnn_trainer_destroy(&model->trainer);
    tsnn_pruning_destroy(&model->pruning);
    tsnn_evolution_destroy(&model->evolution);
    tsnn_optimizer_destroy(&model->optimizer);
    tsnn_loss_destroy(&model->loss);
    tsnn_network_destroy(&model->network);
    tsnn_dataset_destroy(&model->test);
    tsnn_dataset_destroy(&model->train);
    tsnn_context_destroy(&model->context);
}

/* The test accuracy, how long it took to find (the best of three), and the memory of the layers. */
static tsnn_status measure(struct model *model, double *accuracy, double *seconds, int64_t *bytes)
{
    tsnn_evaluation evaluation = TSNN_EVALUATION_INIT;
    tsnn_network_info info = TSNN_NETWORK_INFO_INIT;
    tsnn_status status = TSNN_OK;
    *seconds = INFINITY;
    for (int i = 0; i < 3 && status >= 0; i++) {
        struct timespec start, end;
        clock_gettime(CLOCK_MONOTONIC, &start);
        status = tsnn_network_evaluate(model->network, NULL, model->test, &evaluation);
        clock_gettime(CLOCK_MONOTONIC, &end);
        *seconds = fmin(*seconds, (double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec));
    }
    if (status >= 0)
        status = tsnn_network_get_info(model->network, &info);
    *accuracy = evaluation.accuracy;
    *bytes = info.bytes;
    return status;
}

bool model_prune(struct model *model, double percentile, bool fold, struct pruning_outcome *outcome)
{
    tsnn_pruning *pruning = NULL;
    tsnn_pruning_options options = TSNN_PRUNING_OPTIONS_INIT;
    options.percentile = percentile;
    options.fold = fold ? TSNN_FOLD_BIASES : TSNN_FOLD_NONE;
    outcome->report = (tsnn_pruning_report)TSNN_PRUNING_REPORT_INIT;
    tsnn_status status = measure(model, &outcome->accuracy_before, &outcome->seconds_before, &outcome->bytes_before);
    if (status >= 0)
        status = tsnn_pruning_create(model->context, &options, &pruning);
    if (status >= 0)
        status = tsnn_pruning_apply(pruning, model->network, &outcome->report);
    if (status >= 0)
        status = measure(model, &outcome->accuracy_after, &outcome->seconds_after, &outcome->bytes_after);
    tsnn_pruning_destroy(&pruning);
    return status >= 0 || model_complain(model, "pruning failed", status);
}

bool model_get_attention(const struct model *model, int64_t features, const struct attention *attention)
{
    tsnn_layer *layer = NULL;
    tsnn_layer_info info = TSNN_LAYER_INFO_INIT;
    int64_t *row_ptr = malloc((size_t)(features + 1) * sizeof *row_ptr);
    float *weights = NULL;
    bool good = false;
    tsnn_status status = tsnn_network_get_layer(model->network, 0, &layer);
    if (status >= 0)
        status = tsnn_layer_get_info(layer, &info);
    if (status >= 0)
        weights = malloc((size_t)(info.connections + 1) * sizeof *weights);
    if (row_ptr == NULL || (status >= 0 && weights == NULL)) {
        complain("out of memory for the connections of %s inputs", grouped(features).text);
        goto done;
    }
    if (status >= 0)
        status = tsnn_layer_get_csr(layer, row_ptr, features + 1, NULL, weights, info.connections);
    if (status < 0) {
        model_complain(model, "cannot read the first layer", status);
        goto done;
    }
    for (int64_t i = 0; i < features; i++) {
        attention->connections[i] = row_ptr[i + 1] - row_ptr[i];
        attention->strength[i] = 0;
        for (int64_t k = row_ptr[i]; k < row_ptr[i + 1]; k++)
            attention->strength[i] += fabs((double)weights[k]);
    }
    good = true;
done:
    free(weights);
    free(row_ptr);
    return good;
}
