/* Inside of a pruning rule: its schedule and where it belongs, for the trainer. */
#ifndef TSNNI_PRUNING_H
#define TSNNI_PRUNING_H

#include <tsnn/pruning.h>

const tsnn_context *tsnni_pruning_context(const tsnn_pruning *pruning);

/* The rule's numbers, as its options have them; of percentile and threshold one is 0. */
void tsnni_pruning_tell(const tsnn_pruning *pruning, tsnn_pruning_options *out);

/* 1 when the rule is to be applied after that epoch (from 1). */
int32_t tsnni_pruning_is_due(const tsnn_pruning *pruning, int64_t epoch);

#endif
