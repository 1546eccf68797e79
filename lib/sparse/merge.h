/* Several sparse matrices of one shape: their mean, and what one has at the positions of another. Both by merging rows,
 * whose columns rise. */
#ifndef TSNNI_SPARSE_MERGE_H
#define TSNNI_SPARSE_MERGE_H

#include "sparse/pattern.h"

/* One matrix of a mean. */
typedef struct tsnni_merge_source {
    const tsnni_pattern *pattern;
    const float *values;
    const float *companion; /* a second array in the pattern's order, in all sources or in none; NULL: none */
} tsnni_merge_source;

/* The mean of `count` matrices of one shape, an absent connection counting as 0: on the union of their patterns, in
 * O((connections of all sources + rows x count) x log2(count)) at most. Sums run over the sources in their order, in
 * double precision. *companion is NULL without companions. The same for any number of threads. The outputs are zeroed
 * on failure: SHAPE, OVERFLOW (more connections than a pattern may have), OUT_OF_MEMORY. */
tsnn_status tsnni_merge_mean(tsnni_runtime *runtime, const tsnni_merge_source *sources, int64_t count,
                             tsnni_pattern *pattern, float **values, float **companion);

/* For every position of `to`, what `from` has there, or 0: to_values[0 .. to->count). The shapes are equal. Returns how
 * many positions they share. O(connections of both). */
int64_t tsnni_merge_retain(const tsnni_pattern *from, const float *from_values, const tsnni_pattern *to,
                           float *to_values);

#endif
