/* Kernels against a plain double-precision computation, without a test framework: used by the unit tests and by the
 * program that runs where no framework is. */
#ifndef TSNN_TESTS_KERNEL_COMPARE_H
#define TSNN_TESTS_KERNEL_COMPARE_H

#include "kernel_cases.h"

typedef struct tsnni_report {
    int64_t checks, mismatches;
    char first[300]; /* describes the first mismatch */
} tsnni_report;

/* ---- what the comparisons are made of ---- */

/* Memory between guards; all of it, guards included, is filled with a byte that makes a float no number. */
void *tsnni_guarded_new(int64_t bytes);
void tsnni_guarded_free(void *array);
/* An exact copy without guards, so that a memory checker sees a read beyond it. NULL stays NULL. */
void *tsnni_exact_copy(const void *from, int64_t bytes);

tsnni_stream tsnni_case_stream(int64_t a, int64_t b);
/* Uniform in [-1, 1). */
float *tsnni_guarded_floats(tsnni_stream *stream, int64_t count);
uint16_t *tsnni_guarded_plane(tsnni_stream *stream, int64_t words);

void tsnni_expect(tsnni_report *report, int good, const char *format, ...) TSNNI_PRINTF(3, 4);
void tsnni_expect_guards(tsnni_report *report, const void *array, int64_t bytes, const char *name);
/* Rows [begin, end) of a matrix may be written up to the width, the others not at all. */
void tsnni_expect_inside(tsnni_report *report, const float *matrix, int64_t rows, int64_t stride, int64_t width,
                         int64_t begin, int64_t end, const char *name);
/* Within the rounding of a sum of about `terms` terms whose magnitudes sum to `magnitude`. */
int tsnni_close_enough(double actual, double expected, double magnitude, int64_t terms);

/* ---- the comparisons ---- */

/* Both sparse kernels (16 and 32-bit indices), and the dense one where the density is 1. Besides the numbers: nothing
 * is written outside the range, the rows or the arrays, and the bits do not depend on how the range is cut. */
void tsnni_compare_forward(const tsnni_kernels *kernels, const tsnni_kernel_shape *shape,
                           const tsnni_forward_variant *variant, tsnni_report *report);
void tsnni_compare_backward(const tsnni_kernels *kernels, const tsnni_kernel_shape *shape,
                            const tsnni_backward_variant *variant, tsnni_report *report);

/* The flat kernels, for `count` elements, features or rows. */
void tsnni_compare_update(const tsnni_kernels *kernels, int64_t count, tsnni_report *report);
void tsnni_compare_dropout(const tsnni_kernels *kernels, int64_t rows, int64_t batch, tsnni_report *report);
void tsnni_compare_derivative(const tsnni_kernels *kernels, int64_t rows, int64_t batch, tsnni_report *report);
void tsnni_compare_pack(const tsnni_kernels *kernels, int64_t rows, int64_t batch, tsnni_report *report);
void tsnni_compare_batch(const tsnni_kernels *kernels, int64_t features, int64_t batch, tsnni_report *report);

/* The groups of cases, each over the whole of its tables. */
void tsnni_compare_sizes(const tsnni_kernels *kernels, tsnni_report *report);
void tsnni_compare_batches(const tsnni_kernels *kernels, tsnni_report *report);
void tsnni_compare_shapes(const tsnni_kernels *kernels, tsnni_report *report);
void tsnni_compare_flat(const tsnni_kernels *kernels, tsnni_report *report);
void tsnni_compare_functions(const tsnni_kernels *kernels, tsnni_report *report);
/* The kernels of packed layers, see kernel_packed.c. */
void tsnni_compare_packed(const tsnni_kernels *kernels, tsnni_report *report);

#endif
