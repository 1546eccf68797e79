/* Inside of a data set. */
#ifndef TSNNI_DATASET_H
#define TSNNI_DATASET_H

#include <tsnn/dataset.h>

struct tsnn_dataset {
    tsnn_context *context;
    int64_t samples, features, classes, target_size;
    int32_t ownership;
    const float *feature_data; /* samples x features; the data set's own unless borrowed */
    const int32_t *labels;
    const float *targets;
    float least_target, largest_target; /* of all targets */
};

#endif
