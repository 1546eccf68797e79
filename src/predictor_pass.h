/* One pass through a predictor: samples in, the outputs of the last layer inside the workspace. Nothing can fail. */
#ifndef TSNNI_PREDICTOR_PASS_H
#define TSNNI_PREDICTOR_PASS_H

#include "predictor_workspace.h"

/* Checked samples: rows of features, or the numbers of each sample other than 0. */
typedef struct tsnni_sample_rows {
    const float *features; /* NULL: sparse */
    const int64_t *sample_ptr;
    const int32_t *index;
    const float *value;
} tsnni_sample_rows;

/* One sample. Returns its outputs, one behind the other; before the last activation when `raw`. */
const float *tsnni_predictor_single(const tsnn_predictor *predictor, tsnn_predictor_workspace *workspace,
                                    const tsnni_sample_rows *rows, int64_t sample, int32_t raw);

/* `count` samples from `first`, at most workspace->batch. Returns the outputs feature-major, rows workspace->stride
 * floats apart. */
const float *tsnni_predictor_batch(const tsnn_predictor *predictor, tsnn_predictor_workspace *workspace,
                                   const tsnni_sample_rows *rows, int64_t first, int64_t count, int32_t raw);

#endif
