/* Validation and conversion of CSR and COO arrays from outside. */
#include "sparse/convert.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"

static tsnn_status check_finite(tsnni_runtime *runtime, int64_t count, const float *values)
{
    for (int64_t k = 0; k < count; k++) {
        if (!isfinite(values[k]))
            return tsnni_fail(runtime, TSNN_ERROR_NOT_FINITE, "value %lld is %g", (long long)k, (double)values[k]);
    }
    return TSNN_OK;
}

static tsnn_status check_row_ptr(tsnni_runtime *runtime, int64_t rows, int64_t count, const int64_t *row_ptr)
{
    if (row_ptr[0] != 0)
        return tsnni_fail(runtime, TSNN_ERROR_STRUCTURE, "row pointer 0 is %lld, not 0", (long long)row_ptr[0]);
    for (int64_t row = 0; row < rows; row++) {
        if (row_ptr[row + 1] < row_ptr[row])
            return tsnni_fail(runtime, TSNN_ERROR_STRUCTURE, "row %lld: row pointer falls from %lld to %lld",
                              (long long)row, (long long)row_ptr[row], (long long)row_ptr[row + 1]);
    }
    if (row_ptr[rows] != count)
        return tsnni_fail(runtime, TSNN_ERROR_STRUCTURE, "the last row pointer (row %lld) is %lld, not the count %lld",
                          (long long)rows, (long long)row_ptr[rows], (long long)count);
    return TSNN_OK;
}

static tsnn_status check_columns(tsnni_runtime *runtime, int64_t rows, int64_t columns, const int64_t *row_ptr,
                                 const int32_t *column)
{
    for (int64_t row = 0; row < rows; row++) {
        for (int64_t k = row_ptr[row]; k < row_ptr[row + 1]; k++) {
            if (column[k] < 0 || column[k] >= columns)
                return tsnni_fail(runtime, TSNN_ERROR_STRUCTURE,
                                  "row %lld, position %lld: column %ld is outside [0, %lld)", (long long)row,
                                  (long long)k, (long)column[k], (long long)columns);
            if (k > row_ptr[row] && column[k] <= column[k - 1])
                return tsnni_fail(runtime, TSNN_ERROR_STRUCTURE,
                                  "row %lld, position %lld: column %ld does not rise above %ld before it",
                                  (long long)row, (long long)k, (long)column[k], (long)column[k - 1]);
        }
    }
    return TSNN_OK;
}

/* An empty matrix may come without arrays. */
static tsnn_status check_arrays(tsnni_runtime *runtime, int64_t count, const void *first, const char *first_name,
                                const int32_t *column)
{
    if (count > 0 && (first == NULL || column == NULL))
        return tsnni_fail(runtime, TSNN_ERROR_NULL_ARGUMENT, "%s is NULL for %lld connections",
                          first == NULL ? first_name : "column", (long long)count);
    return TSNN_OK;
}

static tsnn_status check_values(tsnni_runtime *runtime, int64_t count, const float *values)
{
    if (count > 0 && values == NULL)
        return tsnni_fail(runtime, TSNN_ERROR_NULL_ARGUMENT, "values is NULL for %lld connections", (long long)count);
    return TSNN_OK;
}

tsnn_status tsnni_csr_validate(tsnni_runtime *runtime, int64_t rows, int64_t columns, int64_t count,
                               const int64_t *row_ptr, const int32_t *column, const float *values)
{
    tsnn_status status;
    TSNNI_TRY(tsnni_pattern_check(runtime, rows, columns, count));
    TSNNI_TRY(check_arrays(runtime, count, row_ptr, "row_ptr", column));
    if (row_ptr != NULL) {
        TSNNI_TRY(check_row_ptr(runtime, rows, count, row_ptr));
        TSNNI_TRY(check_columns(runtime, rows, columns, row_ptr, column));
    }
    return values == NULL ? TSNN_OK : check_finite(runtime, count, values);
fail:
    return status;
}

tsnn_status tsnni_csr_import(tsnni_runtime *runtime, int64_t rows, int64_t columns, int64_t count,
                             const int64_t *row_ptr, const int32_t *column, const float *values, int32_t trusted,
                             tsnni_pattern *pattern, float **pattern_values)
{
    tsnn_status status;
    memset(pattern, 0, sizeof *pattern);
    *pattern_values = NULL;
    if (!trusted)
        TSNNI_TRY(tsnni_csr_validate(runtime, rows, columns, count, row_ptr, column, values));
    TSNNI_TRY(check_arrays(runtime, count, row_ptr, "row_ptr", column));
    TSNNI_TRY(check_values(runtime, count, values));
    TSNNI_TRY(tsnni_pattern_allocate(runtime, rows, columns, count, pattern));
    TSNNI_TRY(TSNNI_NEW(runtime, count, pattern_values));
    if (count > 0) {
        memcpy(pattern->row_ptr, row_ptr, (size_t)(rows + 1) * sizeof *row_ptr);
        memcpy(*pattern_values, values, (size_t)count * sizeof *values);
    }
    for (int64_t k = 0; k < count; k++)
        tsnni_index_set(&pattern->column, k, column[k]);
    return TSNN_OK;
fail:
    tsnni_pattern_free(runtime, pattern);
    return status;
}

static tsnn_status check_triplets(tsnni_runtime *runtime, int64_t rows, int64_t columns, int64_t count,
                                  const int32_t *row, const int32_t *column)
{
    for (int64_t k = 0; k < count; k++) {
        if (row[k] < 0 || row[k] >= rows || column[k] < 0 || column[k] >= columns)
            return tsnni_fail(runtime, TSNN_ERROR_STRUCTURE,
                              "position %lld: row %ld, column %ld is outside %lld x %lld cells", (long long)k,
                              (long)row[k], (long)column[k], (long long)rows, (long long)columns);
    }
    return TSNN_OK;
}

/* Lists the positions [0, count) ordered by column, each column's in the caller's order. start: columns + 1 zeros. */
static void order_by_column(int64_t columns, int64_t count, const int32_t *column, int64_t *start, uint32_t *order)
{
    for (int64_t k = 0; k < count; k++)
        start[column[k] + (int64_t)1]++;
    for (int64_t j = 0; j < columns; j++)
        start[j + 1] += start[j];
    for (int64_t k = 0; k < count; k++)
        order[start[column[k]]++] = (uint32_t)k;
}

static tsnn_status check_duplicates(tsnni_runtime *runtime, const tsnni_pattern *pattern)
{
    for (int64_t row = 0; row < pattern->rows; row++) {
        for (int64_t k = pattern->row_ptr[row] + 1; k < pattern->row_ptr[row + 1]; k++) {
            int64_t column = tsnni_index_at(&pattern->column, k);
            if (column == tsnni_index_at(&pattern->column, k - 1))
                return tsnni_fail(runtime, TSNN_ERROR_STRUCTURE, "row %lld, column %lld is given more than once",
                                  (long long)row, (long long)column);
        }
    }
    return TSNN_OK;
}

/* A stable counting sort by row of positions that are in column order. */
static void scatter_rows(tsnni_pattern *pattern, float *pattern_values, const uint32_t *order, const int32_t *row,
                         const int32_t *column, const float *values)
{
    int64_t *row_ptr = pattern->row_ptr;
    for (int64_t k = 0; k < pattern->count; k++)
        row_ptr[row[k] + (int64_t)1]++;
    for (int64_t i = 0; i < pattern->rows; i++)
        row_ptr[i + 1] += row_ptr[i];
    for (int64_t k = 0; k < pattern->count; k++) {
        int64_t from = order[k], slot = row_ptr[row[from]]++;
        tsnni_index_set(&pattern->column, slot, column[from]);
        pattern_values[slot] = values[from];
    }
    /* Each entry has moved on to where the next row begins. */
    memmove(row_ptr + 1, row_ptr, (size_t)pattern->rows * sizeof *row_ptr);
    row_ptr[0] = 0;
}

tsnn_status tsnni_coo_import(tsnni_runtime *runtime, int64_t rows, int64_t columns, int64_t count, const int32_t *row,
                             const int32_t *column, const float *values, tsnni_pattern *pattern, float **pattern_values)
{
    int64_t *start = NULL;
    uint32_t *order = NULL;
    tsnn_status status;
    memset(pattern, 0, sizeof *pattern);
    *pattern_values = NULL;
    TSNNI_TRY(tsnni_pattern_check(runtime, rows, columns, count));
    TSNNI_TRY(check_arrays(runtime, count, row, "row", column));
    TSNNI_TRY(check_values(runtime, count, values));
    TSNNI_TRY(check_triplets(runtime, rows, columns, count, row, column));
    TSNNI_TRY(check_finite(runtime, count, values));

    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, columns + 1, &start));
    TSNNI_TRY(TSNNI_NEW(runtime, count, &order));
    TSNNI_TRY(tsnni_pattern_allocate(runtime, rows, columns, count, pattern));
    TSNNI_TRY(TSNNI_NEW(runtime, count, pattern_values));
    order_by_column(columns, count, column, start, order);
    scatter_rows(pattern, *pattern_values, order, row, column, values);
    TSNNI_TRY(check_duplicates(runtime, pattern));
    tsnni_release(runtime, start);
    tsnni_release(runtime, order);
    return TSNN_OK;
fail:
    tsnni_release(runtime, start);
    tsnni_release(runtime, order);
    tsnni_pattern_free(runtime, pattern);
    tsnni_release(runtime, *pattern_values);
    *pattern_values = NULL;
    return status;
}

void tsnni_csr_export(const tsnni_pattern *pattern, const float *pattern_values, int64_t *row_ptr, int32_t *column,
                      float *values)
{
    if (row_ptr != NULL)
        memcpy(row_ptr, pattern->row_ptr, (size_t)(pattern->rows + 1) * sizeof *row_ptr);
    if (column != NULL) {
        for (int64_t k = 0; k < pattern->count; k++)
            column[k] = (int32_t)tsnni_index_at(&pattern->column, k);
    }
    if (values != NULL)
        memcpy(values, pattern_values, (size_t)pattern->count * sizeof *values);
}

void tsnni_coo_export(const tsnni_pattern *pattern, const float *pattern_values, int32_t *row, int32_t *column,
                      float *values)
{
    tsnni_csr_export(pattern, pattern_values, NULL, column, values);
    if (row == NULL)
        return;
    for (int64_t i = 0; i < pattern->rows; i++) {
        for (int64_t k = pattern->row_ptr[i]; k < pattern->row_ptr[i + 1]; k++)
            row[k] = (int32_t)i;
    }
}

void tsnni_csr_expand(const tsnni_pattern *pattern, const float *pattern_values, int64_t begin, int64_t end,
                      float *matrix)
{
    memset(matrix + begin * pattern->columns, 0, (size_t)((end - begin) * pattern->columns) * sizeof *matrix);
    for (int64_t i = begin; i < end; i++)
        for (int64_t k = pattern->row_ptr[i]; k < pattern->row_ptr[i + 1]; k++)
            matrix[i * pattern->columns + tsnni_index_at(&pattern->column, k)] = pattern_values[k];
}
