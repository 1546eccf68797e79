/* Sparse matrices from outside: validation and conversion between the caller's CSR or COO arrays and a pattern with
 * values. */
#ifndef TSNNI_SPARSE_CONVERT_H
#define TSNNI_SPARSE_CONVERT_H

#include "sparse/pattern.h"

/* Checks dimensions, row_ptr (starts at 0, never falls, ends at count) and columns (in range, strictly rising in a
 * row), and that values are finite when values is not NULL. The text names the first offending row, position and
 * number. */
tsnn_status tsnni_csr_validate(tsnni_runtime *runtime, int64_t rows, int64_t columns, int64_t count,
                               const int64_t *row_ptr, const int32_t *column, const float *values);

/* Builds a pattern and its values (new array, count floats) from validated CSR arrays; unless `trusted`, validates
 * first. */
tsnn_status tsnni_csr_import(tsnni_runtime *runtime, int64_t rows, int64_t columns, int64_t count,
                             const int64_t *row_ptr, const int32_t *column, const float *values, int32_t trusted,
                             tsnni_pattern *pattern, float **pattern_values);

/* From triplets in any order: checks ranges and finiteness, sorts in O(count + rows + columns), refuses duplicates. */
tsnn_status tsnni_coo_import(tsnni_runtime *runtime, int64_t rows, int64_t columns, int64_t count, const int32_t *row,
                             const int32_t *column, const float *values, tsnni_pattern *pattern,
                             float **pattern_values);

/* Into the caller's arrays, which the caller has sized; any may be NULL to skip it. */
void tsnni_csr_export(const tsnni_pattern *pattern, const float *pattern_values, int64_t *row_ptr, int32_t *column,
                      float *values);
void tsnni_coo_export(const tsnni_pattern *pattern, const float *pattern_values, int32_t *row, int32_t *column,
                      float *values);

/* Rows [begin, end) with every cell, zero where no connection is, into a rows x columns matrix. */
void tsnni_csr_expand(const tsnni_pattern *pattern, const float *pattern_values, int64_t begin, int64_t end,
                      float *matrix);

#endif
