/*
 * Two half moons in two columns, noise in eighteen more: a sparse network that evolves its connections while it learns
 * finds out which columns matter.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <tsnn.h>

enum { FEATURES = 20, LEFT = 3, RIGHT = 12, MOST_SAMPLES = 4000 };

/* Every call returns a status; the words that go with a failure are in the context. */
static void check(const tsnn_context *context, tsnn_status status)
{
    char detail[256] = "";
    if (status >= 0)
        return;
    if (context != NULL)
        tsnn_context_error(context, detail, sizeof detail, NULL);
    fprintf(stderr, "hello_sparse: %s %s\n", tsnn_status_string(status), detail);
    exit(EXIT_FAILURE);
}

/* Numbers in [-1, 1). */
static float noise(void)
{
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return (float)(state >> 8) / 8388608.0f - 1.0f;
}

/* Samples from the upper moon, class 0, and the lower one, class 1, by turns. */
static tsnn_dataset *two_moons(tsnn_context *context, int64_t samples)
{
    static float features[MOST_SAMPLES][FEATURES];
    static int32_t labels[MOST_SAMPLES];
    for (int64_t i = 0; i < samples; i++) {
        float angle = 1.5708f * (noise() + 1.0f);
        for (int j = 0; j < FEATURES; j++)
            features[i][j] = noise();
        labels[i] = (int32_t)(i % 2);
        features[i][LEFT] = (labels[i] ? 1.0f - cosf(angle) : cosf(angle)) + 0.15f * noise();
        features[i][RIGHT] = (labels[i] ? 0.5f - sinf(angle) : sinf(angle)) + 0.15f * noise();
    }
    tsnn_dataset *dataset = NULL;
    tsnn_dataset_options options = TSNN_DATASET_OPTIONS_INIT;
    options.samples = samples;
    options.features = FEATURES;
    options.feature_data = features[0];
    options.labels = labels;
    check(context, tsnn_dataset_create(context, &options, &dataset)); /* which copies the arrays */
    return dataset;
}

/* Fifty epochs of momentum SGD; after each, three connections in ten are given up and regrown elsewhere. */
static void learn(tsnn_context *context, tsnn_network *network, const tsnn_dataset *dataset)
{
    tsnn_loss *loss = NULL;
    tsnn_optimizer *optimizer = NULL;
    tsnn_evolution *evolution = NULL;
    tsnn_trainer *trainer = NULL;
    tsnn_optimizer_options momentum = TSNN_OPTIMIZER_OPTIONS_INIT;
    momentum.kind = TSNN_OPTIMIZER_MOMENTUM;
    momentum.learning_rate = 0.05;
    check(context, tsnn_loss_create(context, NULL, &loss)); /* NULL: the defaults, here cross-entropy */
    check(context, tsnn_optimizer_create(context, &momentum, &optimizer));
    check(context, tsnn_evolution_create(context, NULL, &evolution)); /* here zeta .3 */

    tsnn_trainer_options options = TSNN_TRAINER_OPTIONS_INIT;
    options.network = network;
    options.loss = loss;
    options.optimizer = optimizer;
    options.evolution = evolution;
    options.epochs = 50;
    check(context, tsnn_trainer_create(context, &options, &trainer));
    check(context, tsnn_trainer_run(trainer, dataset, NULL));

    tsnn_trainer_destroy(&trainer);
    tsnn_evolution_destroy(&evolution);
    tsnn_optimizer_destroy(&optimizer);
    tsnn_loss_destroy(&loss);
}

/* The accuracy on data that the network was not trained with, and where its first layer looks. */
static void report(tsnn_context *context, tsnn_network *network, const tsnn_dataset *dataset, const char *when)
{
    int64_t start[FEATURES + 1];
    tsnn_layer *layer = NULL;
    tsnn_evaluation evaluation = TSNN_EVALUATION_INIT;
    check(context, tsnn_network_evaluate(network, NULL, dataset, &evaluation));
    check(context, tsnn_network_get_layer(network, 0, &layer));
    check(context, tsnn_layer_get_csr(layer, start, FEATURES + 1, NULL, NULL, 0));
    int64_t moons = start[LEFT + 1] - start[LEFT] + start[RIGHT + 1] - start[RIGHT];
    printf("%s: accuracy %.3f, connections of a column %.1f (moons) and %.1f (noise)\n", when, evaluation.accuracy,
           (double)moons / 2, (double)(start[FEATURES] - moons) / (FEATURES - 2));
}

int main(void)
{
    tsnn_context *context = NULL;
    tsnn_network *network = NULL;
    check(NULL, tsnn_context_create(NULL, &context));
    tsnn_dataset *train = two_moons(context, 4000);
    tsnn_dataset *test = two_moons(context, 1000);

    const int64_t sizes[] = {FEATURES, 100, 100, 2};
    tsnn_mlp_options shape = TSNN_MLP_OPTIONS_INIT;
    shape.sizes = sizes;
    shape.size_count = 4;
    shape.epsilon = 4; /* connections = epsilon (inputs + outputs) for each layer */
    check(context, tsnn_network_create_mlp(context, &shape, &network));

    tsnn_network_info info = TSNN_NETWORK_INFO_INIT;
    check(context, tsnn_network_get_info(network, &info));
    printf("%lld connections, %.0f %% of the dense network's\n", (long long)info.connections,
           100.0 * (double)info.connections / (20 * 100 + 100 * 100 + 100 * 2));
    report(context, network, test, "before");
    learn(context, network, train);
    report(context, network, test, "after ");

    tsnn_network_destroy(&network);
    tsnn_dataset_destroy(&test);
    tsnn_dataset_destroy(&train);
    tsnn_context_destroy(&context);
    return 0;
}
