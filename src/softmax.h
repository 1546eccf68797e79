/* The derivative of softmax, the one activation that is not a function of one number. The kernels have softmax itself.
 */
#ifndef TSNNI_SOFTMAX_H
#define TSNNI_SOFTMAX_H

#include <stdint.h>

/* delta <- a (delta - sum_k a_k delta_k) on one group of 16 columns: the Jacobian of softmax applied to delta. */
void tsnni_softmax_differentiate_group(const float *a, float *delta, int64_t rows, int64_t stride);

#endif
