/* The Jacobian of softmax on groups of columns of a feature-major matrix. */
#include "softmax.h"

#include "kernels/kernels.h"

void tsnni_softmax_differentiate_group(const float *a, float *delta, int64_t rows, int64_t stride)
{
    float sum[TSNNI_COLUMN_GROUP] = {0};
    for (int64_t k = 0; k < rows; k++)
        for (int c = 0; c < TSNNI_COLUMN_GROUP; c++)
            sum[c] += a[k * stride + c] * delta[k * stride + c];
    for (int64_t k = 0; k < rows; k++)
        for (int c = 0; c < TSNNI_COLUMN_GROUP; c++)
            delta[k * stride + c] = a[k * stride + c] * (delta[k * stride + c] - sum[c]);
}
