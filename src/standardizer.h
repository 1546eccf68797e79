/* Inside of a standardizer: (x - mean) * inverse for each feature. */
#ifndef TSNNI_STANDARDIZER_H
#define TSNNI_STANDARDIZER_H

#include <tsnn/dataset.h>

#include "core/runtime.h"

struct tsnn_standardizer {
    tsnn_context *context;
    int64_t features;
    float *mean, *deviation, *inverse;
};

/* Two new arrays with the numbers of two others; both outputs are NULL on failure. */
tsnn_status tsnni_standardizer_arrays_copy(tsnni_runtime *runtime, int64_t features, const float *mean,
                                           const float *inverse, float **mean_out, float **inverse_out);

#endif
