/* Moves connections: those that a cut takes go, others come at empty cells, all in one merge pass over the rows. */
#ifndef TSNNI_SPARSE_REGROW_H
#define TSNNI_SPARSE_REGROW_H

#include "sparse/pattern.h"
#include "sparse/select.h"

typedef struct tsnni_regrowth {
    const tsnni_pattern *pattern;
    const float *values;    /* of the pattern; the cuts look at them */
    const float *companion; /* a second array in the pattern's order; NULL: none */
    tsnni_cut cuts[2];      /* connections that go */
    int64_t cut_count;      /* how many these are */
    const int64_t *ranks; /* cells to come, rising: numbers among the cells that are empty after the cut, row by row */
    const float *fresh;   /* their values, in the same order */
    int64_t fresh_count;
} tsnni_regrowth;

/* Builds the new pattern with its arrays beside the old one. What stays keeps its value and its companion, what comes
 * has companion 0; *companion is NULL where the old one has none. Takes count + rows steps, and gives the same for any
 * number of threads. The outputs are zeroed on failure. */
tsnn_status tsnni_regrow(tsnni_runtime *runtime, const tsnni_regrowth *regrowth, tsnni_pattern *pattern, float **values,
                         float **companion);

#endif
