/* A network with everything that training it needs, for the tests that train. */
#ifndef TSNN_TESTS_COURSE_H
#define TSNN_TESTS_COURSE_H

#include "support.h"

/* A network with everything that training it needs. */
typedef struct tsnni_course {
    tsnn_context *context;
    tsnn_network *network;
    tsnn_loss *loss;
    tsnn_optimizer *optimizer;
    tsnn_dataset *train, *validation;
    tsnn_evolution *evolution;
    tsnn_pruning *pruning;
    tsnn_trainer *trainer;
    tsnn_trainer_options options;
} tsnni_course;

/* Momentum, no decay; takes the context, the network and the data set over. `options` may be changed before the start.
 */
tsnni_course tsnni_course_create(tsnn_context *context, tsnn_network *network, tsnn_dataset *train, int32_t loss,
                                 double rate);
void tsnni_course_add_evolution(tsnni_course *course, double zeta);
void tsnni_course_add_pruning(tsnni_course *course, double percentile, int64_t first, int64_t every);
void tsnni_course_start(tsnni_course *course);
void tsnni_course_free(tsnni_course *course);

/* 12-20-15-4, All-ReLU and softmax, cross-entropy, labels. */
tsnni_course tsnni_course_small(uint64_t seed, int64_t samples, double dropout);

tsnni_test_bytes tsnni_course_bytes(tsnn_network *network);

#endif
