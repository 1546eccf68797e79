/* What goes around the steps of an epoch, whoever makes them: the order of samples, the learning rate, callbacks,
 * validation, and the change of topology at the end. The trainer and parallel training share it. */
#ifndef TSNNI_EPOCH_H
#define TSNNI_EPOCH_H

#include <tsnn/trainer.h>

#include "network.h"

double tsnni_seconds_now(void);

/* Fills order[0 .. samples) with a permutation (Fisher-Yates), keyed by the epoch: resuming at an epoch gives its
 * order. */
void tsnni_epoch_shuffle(uint64_t seed, int64_t epoch, int64_t *order, int64_t samples);

/* The schedule's factor for a step of that length (in epochs). A warm-up reaches its full rate with its last step and
 * never starts at zero. */
double tsnni_epoch_rate_factor(const tsnn_schedule_options *schedule, double progress, double step, double epochs);

/* What a callback's answer means: OK, STOPPED or CALLBACK. */
tsnn_status tsnni_callback_status(tsnni_runtime *runtime, int32_t answer);

/* NOT_FINITE when a weight is. The loss tells of divergence one step late; this tells of the last step's. */
tsnn_status tsnni_epoch_check_weights(const tsnn_network *network, int64_t epoch);

/* Scores the network, when validation is not NULL, into the report. */
tsnn_status tsnni_epoch_validate(const tsnn_network *network, const tsnn_loss *loss, const tsnn_dataset *validation,
                                 tsnn_epoch_report *report);

/* Pruning on its schedule, then evolution; neither after the last epoch. Either rule may be NULL. */
tsnn_status tsnni_epoch_change_topology(tsnn_network *network, const tsnn_evolution *evolution, tsnn_pruning *pruning,
                                        tsnn_epoch_report *report);

#endif
