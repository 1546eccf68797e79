/* Random topologies in O(connections) time and memory, the same for any number of threads. */
#ifndef TSNNI_SPARSE_SAMPLING_H
#define TSNNI_SPARSE_SAMPLING_H

#include "core/random.h"
#include "sparse/pattern.h"

/* Erdos-Renyi, each cell by itself with probability `density` in [0, 1]: a binomial number of cells, then that many
 * distinct ones. density 1 gives the full pattern. layer keys the random numbers. */
tsnn_status tsnni_sample_bernoulli(tsnni_runtime *runtime, int64_t rows, int64_t columns, double density, uint64_t seed,
                                   int64_t layer, tsnni_pattern *out);

/* Exactly `count` distinct cells, every set of cells as likely as any other. */
tsnn_status tsnni_sample_exact(tsnni_runtime *runtime, int64_t rows, int64_t columns, int64_t count, uint64_t seed,
                               int64_t layer, tsnni_pattern *out);

/* `count` distinct integers of [0, population), uniform over all such sets, sorted, in O(count) time and memory
 * whatever the population (a duplicate is redrawn over the whole population; more than half is drawn as a complement).
 * key.counter[0] and [1] (block and row) must be free for this function to use. *out: new array of count. */
tsnn_status tsnni_sample_distinct(tsnni_runtime *runtime, tsnni_random_key key, int64_t population, int64_t count,
                                  int64_t **out);

#endif
