/* 6-20-15-2 neurons, five epochs of momentum and evolution with seed 7, by plain calls of the library. */
#include "in_c.h"

#include <tsnn.h>

typedef struct course {
    tsnn_context *context;
    tsnn_dataset *data;
    tsnn_network *network;
    tsnn_loss *loss;
    tsnn_optimizer *optimizer;
    tsnn_evolution *evolution;
    tsnn_trainer *trainer;
} course;

static tsnn_status make_context(course *c)
{
    tsnn_context_options options = TSNN_CONTEXT_OPTIONS_INIT;
    options.seed = 7;
    options.threads = 1;
    return tsnn_context_create(&options, &c->context);
}

static tsnn_status make_data(course *c, const float *features, const int32_t *labels, int64_t samples)
{
    tsnn_dataset_options options = TSNN_DATASET_OPTIONS_INIT;
    options.samples = samples;
    options.features = 6;
    options.feature_data = features;
    options.labels = labels;
    return tsnn_dataset_create(c->context, &options, &c->data);
}

static tsnn_status make_network(course *c)
{
    const int64_t sizes[] = {6, 20, 15, 2};
    tsnn_mlp_options options = TSNN_MLP_OPTIONS_INIT;
    options.sizes = sizes;
    options.size_count = 4;
    options.epsilon = 3;
    return tsnn_network_create_mlp(c->context, &options, &c->network);
}

static tsnn_status make_trainer(course *c)
{
    tsnn_optimizer_options momentum = TSNN_OPTIMIZER_OPTIONS_INIT;
    momentum.kind = TSNN_OPTIMIZER_MOMENTUM;
    momentum.learning_rate = 0.05;
    tsnn_status status = tsnn_optimizer_create(c->context, &momentum, &c->optimizer);
    if (status >= 0)
        status = tsnn_loss_create(c->context, NULL, &c->loss);
    if (status >= 0)
        status = tsnn_evolution_create(c->context, NULL, &c->evolution);
    if (status < 0)
        return status;
    tsnn_trainer_options options = TSNN_TRAINER_OPTIONS_INIT;
    options.network = c->network;
    options.loss = c->loss;
    options.optimizer = c->optimizer;
    options.evolution = c->evolution;
    options.epochs = 5;
    options.batch = 20;
    return tsnn_trainer_create(c->context, &options, &c->trainer);
}

int32_t tsnni_trained_in_c(const float *features, const int32_t *labels, int64_t samples, float *outputs)
{
    course c = {0};
    tsnn_status status = make_context(&c);
    if (status >= 0)
        status = make_data(&c, features, labels, samples);
    if (status >= 0)
        status = make_network(&c);
    if (status >= 0)
        status = make_trainer(&c);
    if (status >= 0)
        status = tsnn_trainer_run(c.trainer, c.data, NULL);
    if (status >= 0)
        status = tsnn_network_predict(c.network, features, samples, outputs, samples * 2);
    tsnn_trainer_destroy(&c.trainer);
    tsnn_evolution_destroy(&c.evolution);
    tsnn_optimizer_destroy(&c.optimizer);
    tsnn_loss_destroy(&c.loss);
    tsnn_network_destroy(&c.network);
    tsnn_dataset_destroy(&c.data);
    tsnn_context_destroy(&c.context);
    return status;
}
