/* Softmax over the neurons of a layer, for each sample: the one activation that is not a function of one number. */
#ifndef TSNNI_SOFTMAX_H
#define TSNNI_SOFTMAX_H

#include <stdint.h>

/* In place on `rows` rows of one group of 16 columns (z and a point at the group's first column). */
void tsnni_softmax_group(float *z, int64_t rows, int64_t stride);

/* delta <- a (delta - sum_k a_k delta_k) on one group of columns: the Jacobian of softmax applied to delta. */
void tsnni_softmax_differentiate_group(const float *a, float *delta, int64_t rows, int64_t stride);

#endif
