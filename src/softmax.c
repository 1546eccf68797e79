/* Softmax and its Jacobian on groups of columns of a feature-major matrix. */
#include "softmax.h"

#include <math.h>

#include "kernels/kernels.h"

void tsnni_softmax_group(float *z, int64_t rows, int64_t stride)
{
    float largest[TSNNI_COLUMN_GROUP], sum[TSNNI_COLUMN_GROUP];
    for (int c = 0; c < TSNNI_COLUMN_GROUP; c++) {
        largest[c] = z[c];
        sum[c] = 0.0f;
    }
    for (int64_t k = 1; k < rows; k++)
        for (int c = 0; c < TSNNI_COLUMN_GROUP; c++)
            largest[c] = z[k * stride + c] > largest[c] ? z[k * stride + c] : largest[c];
    for (int64_t k = 0; k < rows; k++)
        for (int c = 0; c < TSNNI_COLUMN_GROUP; c++) {
            float e = expf(z[k * stride + c] - largest[c]);
            z[k * stride + c] = e;
            sum[c] += e;
        }
    for (int c = 0; c < TSNNI_COLUMN_GROUP; c++)
        sum[c] = 1.0f / sum[c];
    for (int64_t k = 0; k < rows; k++)
        for (int c = 0; c < TSNNI_COLUMN_GROUP; c++)
            z[k * stride + c] *= sum[c];
}

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
