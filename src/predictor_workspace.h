/* Inside of a predictor's workspace: one block of memory, laid out once. */
#ifndef TSNNI_PREDICTOR_WORKSPACE_H
#define TSNNI_PREDICTOR_WORKSPACE_H

#include "predictor.h"

struct tsnn_predictor_workspace {
    tsnni_runtime errors; /* a copy of the predictor's: holds the text of the last failure, and frees the block */
    const tsnn_predictor *predictor;
    void *owned;           /* the block, NULL when it is the caller's */
    int64_t batch, stride; /* samples at once; floats between the rows of a batch */
    float *x[2];           /* a layer's inputs and outputs: one sample, or a feature-major batch */
    int32_t *input;        /* skip_zeros: the inputs of a sample that are not 0 */
    float *amount;
};

#endif
