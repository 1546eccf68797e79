/* Takes rows and columns out of a pattern with its arrays. */
#ifndef TSNNI_SPARSE_FILTER_H
#define TSNNI_SPARSE_FILTER_H

#include "sparse/pattern.h"

/* Which indices stay, and what they are called afterwards. */
typedef struct tsnni_index_map {
    int32_t *to;           /* for each old index its new one, rising, or -1 for those that go; NULL: all stay */
    int64_t before, after; /* indices; equal when all stay */
} tsnni_index_map;

/* Builds the pattern of what stays, with its arrays, beside the old one. companion: a second array in the pattern's
 * order, or NULL. Takes count + rows steps. The same for any number of threads. The outputs are zeroed on failure. */
tsnn_status tsnni_filter(tsnni_runtime *runtime, const tsnni_pattern *from, const float *from_values,
                         const float *from_companion, const tsnni_index_map *rows, const tsnni_index_map *columns,
                         tsnni_pattern *pattern, float **values, float **companion);

/* The same for an array with one entry for each index. *out: new array of map->after. */
tsnn_status tsnni_filter_array(tsnni_runtime *runtime, const float *from, const tsnni_index_map *map, float **out);

#endif
