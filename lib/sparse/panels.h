/* Where the connections of each row cross from one panel of columns into the next: lets a kernel visit the columns in
 * parts that fit a cache. Serves rows of a pattern and columns of its transpose alike. */
#ifndef TSNNI_SPARSE_PANELS_H
#define TSNNI_SPARSE_PANELS_H

#include "sparse/pattern.h"

/* (panels - 1) x rows numbers: [(p * rows) + i] is where in row i the connections of panel p end. Panels are of equal
 * size, of `dimension` indices in all; panels >= 2. *out: new array. */
tsnn_status tsnni_panels_build(tsnni_runtime *runtime, const int64_t *pointer, const tsnni_indices *index, int64_t rows,
                               int64_t dimension, int64_t panels, int64_t **out);

/* The same into an array that there is: when the pattern has changed, and its shape has not. */
void tsnni_panels_fill(int32_t threads, const int64_t *pointer, const tsnni_indices *index, int64_t rows,
                       int64_t dimension, int64_t panels, int64_t *ends);

#endif
