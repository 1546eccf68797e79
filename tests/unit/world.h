/* One of every object of the library, for the tests of bad arguments and failing memory. */
#ifndef TSNN_TESTS_WORLD_H
#define TSNN_TESTS_WORLD_H

#include "support.h"

/* 12 features, 3 layers, 4 classes, 30 samples; the trainer has made one step, so that momentum exists. */
typedef struct tsnni_test_world {
    tsnn_context *context;
    tsnn_layer *layer;     /* 4 x 6, in no network */
    tsnn_network *network; /* all-relu with dropout, tanh, softmax */
    tsnn_network *empty;   /* without layers */
    tsnn_dataset *dataset, *targets;
    tsnn_loss *loss, *squared; /* cross-entropy and mean squared error */
    tsnn_optimizer *optimizer;
    tsnn_activation *activation, *custom; /* tanh, and the one of support.h */
    tsnn_standardizer *standardizer;
    tsnn_gradient *gradient;
    tsnn_evolution *evolution;
    tsnn_pruning *pruning;
    tsnn_trainer *trainer;
    tsnn_predictor *predictor; /* of the network as it was */
    tsnn_predictor_workspace *workspace;
    tsnn_parallel *parallel; /* WASSP with 2 workers, not yet run */
    const float *features;   /* of the data set */
} tsnni_test_world;

/* Takes the context over. */
void tsnni_test_world_create(tsnni_test_world *world, tsnn_context *context);
void tsnni_test_world_destroy(tsnni_test_world *world);

/* Everything that can be read out of the objects. */
tsnni_test_bytes tsnni_test_world_bytes(const tsnni_test_world *world);

#endif
