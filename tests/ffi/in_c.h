/* A course of training in C, which those in other languages must repeat to the bit. */
#ifndef TSNN_TESTS_FFI_IN_C_H
#define TSNN_TESTS_FFI_IN_C_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Trains and predicts; outputs holds 2 numbers a sample. Returns the first status below 0, or 0. */
int32_t tsnni_trained_in_c(const float *features, const int32_t *labels, int64_t samples, float *outputs);

#ifdef __cplusplus
}
#endif

#endif
