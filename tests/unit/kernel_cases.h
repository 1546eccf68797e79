/* The shapes and variants that the kernel tests run: small ones here, and those that are timed (bench/cases.h). */
#ifndef TSNN_TESTS_KERNEL_CASES_H
#define TSNN_TESTS_KERNEL_CASES_H

#include "../bench/cases.h"
#include "kernels/kernels.h"

typedef struct tsnni_kernel_shape {
    int64_t rows, columns, batch;
    double density; /* expected share of cells; 1: all of them */
    int32_t ragged; /* every third row is empty, every fifth full */
    int64_t gap;    /* floats between the width and the stride */
} tsnni_kernel_shape;

typedef struct tsnni_forward_variant {
    int32_t bias, negative; /* wanted or not */
    float negative_slope;
    uint32_t keep_below; /* 0: no dropout */
    int64_t prefetch;
} tsnni_forward_variant;

typedef struct tsnni_backward_variant {
    tsnni_backward_mode mode;
    int32_t dx, velocity, accumulate, dx_sum;
    int32_t negative, keep; /* planes of the derivative */
    tsnni_update update;
    int64_t prefetch;
} tsnni_backward_variant;

/* 0, 1, around 4, 8 and 16 (the lanes of the vectors), around the tiles of the dense kernels, primes. */
static const int64_t tsnni_kernel_sizes[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 15, 16, 17, 31, 33};

/* Every batch from 1 to 130 is tried with small layers; these are the rest. */
static const tsnni_kernel_shape tsnni_kernel_shapes[] = {
    {7, 9, 256, 0.5, 0, 0},   {7, 9, 256, 0.5, 1, 16},   {5, 11, 300, 0.6, 0, 16}, {6, 10, 1024, 0.5, 0, 16},
    {3, 4, 1024, 1.0, 0, 48}, {23, 71, 40, 0.9, 1, 16},  {9, 190, 33, 1.0, 0, 0},  {3, 130, 144, 0.95, 0, 16},
    {190, 3, 20, 0.4, 0, 0},  {67, 67, 16, 0.05, 0, 16}, {37, 1, 128, 1.0, 0, 0},  {41, 10, 128, 1.0, 0, 0},
    {19, 64, 128, 1.0, 0, 0}, {19, 65, 272, 1.0, 0, 0},
};

static const tsnni_forward_variant tsnni_forward_variants[] = {
    {1, 1, -0.6f, 179, 8}, {0, 0, 1.0f, 0, 0},    {1, 0, 0.0f, 0, 12},    {0, 1, 1.0f, 1, 64},
    {1, 0, 0.6f, 256, 3},  {0, 1, -0.25f, 0, 16}, {1, 0, 1.0f, 128, 128},
};

#define TSNNI_PLAIN_SGD                                                                                                \
    {                                                                                                                  \
        1.0f, 0.01f, 0.0f, 0.0f, 0.0f, 0                                                                               \
    }
#define TSNNI_MOMENTUM                                                                                                 \
    {                                                                                                                  \
        1.0f / 128, 0.05f, 0.9f, 0.0002f, 0.0f, 0                                                                      \
    }
#define TSNNI_NESTEROV                                                                                                 \
    {                                                                                                                  \
        0.5f, 0.02f, 0.8f, 0.001f, 0.01f, 1                                                                            \
    }

static const tsnni_backward_variant tsnni_backward_variants[] = {
    {TSNNI_BACKWARD_UPDATE, 1, 1, 0, 1, 1, 1, TSNNI_MOMENTUM, 8},
    {TSNNI_BACKWARD_UPDATE, 1, 0, 0, 0, 0, 0, TSNNI_PLAIN_SGD, 0},
    {TSNNI_BACKWARD_UPDATE, 1, 1, 0, 1, 0, 1, TSNNI_NESTEROV, 128},
    {TSNNI_BACKWARD_UPDATE, 0, 1, 0, 0, 0, 0, TSNNI_NESTEROV, 12},
    {TSNNI_BACKWARD_UPDATE, 0, 0, 0, 1, 1, 1, TSNNI_PLAIN_SGD, 1},
    {TSNNI_BACKWARD_GRADIENT, 1, 0, 0, 1, 1, 0, TSNNI_MOMENTUM, 8},
    {TSNNI_BACKWARD_GRADIENT, 1, 1, 1, 0, 1, 1, TSNNI_MOMENTUM, 16},
    {TSNNI_BACKWARD_GRADIENT, 0, 0, 1, 0, 0, 0, TSNNI_MOMENTUM, 5},
    {TSNNI_BACKWARD_GRADIENT, 0, 0, 0, 0, 0, 0, TSNNI_MOMENTUM, 64},
    {TSNNI_BACKWARD_INPUT, 1, 0, 0, 1, 1, 1, TSNNI_PLAIN_SGD, 8},
    {TSNNI_BACKWARD_INPUT, 1, 1, 0, 0, 0, 0, TSNNI_MOMENTUM, 0},
    {TSNNI_BACKWARD_INPUT, 0, 1, 0, 0, 0, 0, TSNNI_MOMENTUM, 0},
};

#define TSNNI_COUNT(array) (sizeof(array) / sizeof(array)[0])

#endif
