/* Patterns: import and its refusals, export, copy, the transpose index and the partition of rows. */
#include "suites.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "allocator.h"
#include "core/memory.h"
#include "sparse/convert.h"
#include "sparse/partition.h"
#include "sparse/sampling.h"

/* Row 1 is empty, row 2 full.
 *   .  1  .  2
 *   .  .  .  .
 *   3  4  5  6
 *   .  .  7  .   */
enum { ROWS = 4, COLUMNS = 4, COUNT = 7 };

typedef struct small_matrix {
    int64_t row_ptr[ROWS + 1];
    int32_t row[COUNT], column[COUNT];
    float values[COUNT];
} small_matrix;

static const small_matrix good = {
    {0, 2, 2, 6, 7},
    {0, 0, 2, 2, 2, 2, 3},
    {1, 3, 0, 1, 2, 3, 2},
    {1, 2, 3, 4, 5, 6, 7},
};

static void assert_empty(const tsnni_pattern *pattern)
{
    const tsnni_pattern empty = {0};
    ck_assert_ptr_null(pattern->row_ptr);
    ck_assert_ptr_null(pattern->column.data);
    ck_assert_int_eq(pattern->rows | pattern->columns | pattern->count, 0);
    ck_assert_int_eq(pattern->column.width, empty.column.width);
}

static void assert_is_good(const tsnni_pattern *pattern, const float *values)
{
    ck_assert_int_eq(pattern->rows, ROWS);
    ck_assert_int_eq(pattern->columns, COLUMNS);
    ck_assert_int_eq(pattern->count, COUNT);
    ck_assert_mem_eq(pattern->row_ptr, good.row_ptr, sizeof good.row_ptr);
    ck_assert_mem_eq(values, good.values, sizeof good.values);
    for (int64_t k = 0; k < COUNT; k++)
        ck_assert_int_eq(tsnni_index_at(&pattern->column, k), good.column[k]);
    for (int64_t k = COUNT; k < COUNT + TSNNI_INDEX_PADDING; k++)
        ck_assert_int_eq(tsnni_index_at(&pattern->column, k), 0);
}

static tsnn_status import_csr(tsnni_runtime *runtime, const small_matrix *matrix, int32_t trusted,
                              tsnni_pattern *pattern, float **values)
{
    return tsnni_csr_import(runtime, ROWS, COLUMNS, COUNT, matrix->row_ptr, matrix->column, matrix->values, trusted,
                            pattern, values);
}

static tsnn_status import_coo(tsnni_runtime *runtime, const small_matrix *matrix, tsnni_pattern *pattern,
                              float **values)
{
    return tsnni_coo_import(runtime, ROWS, COLUMNS, COUNT, matrix->row, matrix->column, matrix->values, pattern,
                            values);
}

START_TEST(a_valid_csr_matrix_is_taken_as_it_is)
{
    for (int32_t trusted = 0; trusted <= 1; trusted++) {
        tsnni_runtime runtime;
        counting_allocator allocator;
        tsnni_pattern pattern;
        float *values;
        counting_runtime_init(&runtime, &allocator);
        ck_assert_int_eq(import_csr(&runtime, &good, trusted, &pattern, &values), TSNN_OK);
        assert_is_good(&pattern, values);
        tsnni_pattern_free(&runtime, &pattern);
        assert_empty(&pattern);
        tsnni_pattern_free(&runtime, &pattern);
        tsnni_release(&runtime, values);
        ck_assert_int_eq(allocator.live, 0);
    }
}
END_TEST

static void assert_csr_refused(const small_matrix *matrix, tsnn_status expected, const char *text)
{
    tsnni_runtime runtime;
    counting_allocator allocator;
    tsnni_pattern pattern;
    float *values;
    counting_runtime_init(&runtime, &allocator);
    ck_assert_int_eq(import_csr(&runtime, matrix, 0, &pattern, &values), expected);
    ck_assert_msg(strstr(runtime.error_text, text) != NULL, "no \"%s\" in \"%s\"", text, runtime.error_text);
    assert_empty(&pattern);
    ck_assert_ptr_null(values);
    ck_assert_int_eq(allocator.live, 0);
}

START_TEST(damaged_row_pointers_are_refused)
{
    small_matrix matrix = good;
    matrix.row_ptr[0] = 1;
    assert_csr_refused(&matrix, TSNN_ERROR_STRUCTURE, "row pointer 0 is 1");
    matrix = good;
    matrix.row_ptr[2] = 1;
    assert_csr_refused(&matrix, TSNN_ERROR_STRUCTURE, "row 1: row pointer falls from 2 to 1");
    matrix = good;
    matrix.row_ptr[1] = INT64_MAX;
    assert_csr_refused(&matrix, TSNN_ERROR_STRUCTURE, "row 1: row pointer falls");
    matrix = good;
    matrix.row_ptr[1] = -2;
    assert_csr_refused(&matrix, TSNN_ERROR_STRUCTURE, "row 0: row pointer falls from 0 to -2");
    matrix = good;
    matrix.row_ptr[4] = 8;
    assert_csr_refused(&matrix, TSNN_ERROR_STRUCTURE, "is 8, not the count 7");
}
END_TEST

START_TEST(damaged_columns_are_refused)
{
    small_matrix matrix = good;
    matrix.column[5] = 4;
    assert_csr_refused(&matrix, TSNN_ERROR_STRUCTURE, "row 2, position 5: column 4 is outside [0, 4)");
    matrix = good;
    matrix.column[2] = -1;
    assert_csr_refused(&matrix, TSNN_ERROR_STRUCTURE, "row 2, position 2: column -1");
    matrix = good;
    matrix.column[1] = 1;
    assert_csr_refused(&matrix, TSNN_ERROR_STRUCTURE, "row 0, position 1: column 1 does not rise above 1");
    matrix = good;
    matrix.column[3] = 2;
    matrix.column[4] = 1;
    assert_csr_refused(&matrix, TSNN_ERROR_STRUCTURE, "row 2, position 4: column 1 does not rise above 2");
}
END_TEST

START_TEST(values_that_are_not_finite_are_refused)
{
    const float bad[] = {NAN, INFINITY, -INFINITY};
    for (int i = 0; i < 3; i++) {
        tsnni_runtime runtime;
        tsnni_pattern pattern;
        float *values;
        small_matrix matrix = good;
        matrix.values[6] = bad[i];
        assert_csr_refused(&matrix, TSNN_ERROR_NOT_FINITE, "value 6 is");
        tsnni_runtime_init(&runtime);
        ck_assert_int_eq(import_coo(&runtime, &matrix, &pattern, &values), TSNN_ERROR_NOT_FINITE);
        ck_assert_ptr_nonnull(strstr(runtime.error_text, "value 6 is"));
        assert_empty(&pattern);
        ck_assert_ptr_null(values);
    }
}
END_TEST

START_TEST(dimensions_and_counts_are_checked_before_the_arrays)
{
    const int64_t too_many = (int64_t)INT32_MAX + 1;
    const struct {
        int64_t rows, columns, count;
        tsnn_status expected;
    } cases[] = {
        {0, 4, 7, TSNN_ERROR_SHAPE},
        {4, 0, 7, TSNN_ERROR_SHAPE},
        {-1, 4, 7, TSNN_ERROR_SHAPE},
        {too_many, 4, 7, TSNN_ERROR_SHAPE},
        {4, too_many, 7, TSNN_ERROR_SHAPE},
        {INT64_MAX, INT64_MAX, 7, TSNN_ERROR_SHAPE},
        {4, 4, -1, TSNN_ERROR_INVALID_ARGUMENT},
        {4, 4, 17, TSNN_ERROR_STRUCTURE},
        {INT32_MAX, INT32_MAX, TSNNI_MAX_CONNECTIONS + 1, TSNN_ERROR_OVERFLOW},
        {4, 4, INT64_MAX, TSNN_ERROR_OVERFLOW},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        tsnni_runtime runtime;
        counting_allocator allocator;
        tsnni_pattern pattern;
        float *values;
        counting_runtime_init(&runtime, &allocator);
        for (int32_t trusted = 0; trusted <= 1; trusted++) {
            ck_assert_int_eq(tsnni_csr_import(&runtime, cases[i].rows, cases[i].columns, cases[i].count, good.row_ptr,
                                              good.column, good.values, trusted, &pattern, &values),
                             cases[i].expected);
            assert_empty(&pattern);
        }
        ck_assert_int_eq(tsnni_coo_import(&runtime, cases[i].rows, cases[i].columns, cases[i].count, good.row,
                                          good.column, good.values, &pattern, &values),
                         cases[i].expected);
        assert_empty(&pattern);
        ck_assert_int_eq(tsnni_pattern_allocate(&runtime, cases[i].rows, cases[i].columns, cases[i].count, &pattern),
                         cases[i].expected);
        assert_empty(&pattern);
        ck_assert_int_eq(allocator.calls, 0);
    }
}
END_TEST

START_TEST(missing_arrays_are_refused)
{
    for (int missing = 0; missing < 3; missing++) {
        tsnni_runtime runtime;
        tsnni_pattern pattern;
        float *values;
        const char *names[] = {"row", "column is NULL", "values is NULL"};
        const int32_t *row = missing == 0 ? NULL : good.row, *column = missing == 1 ? NULL : good.column;
        const int64_t *row_ptr = missing == 0 ? NULL : good.row_ptr;
        const float *input = missing == 2 ? NULL : good.values;
        tsnni_runtime_init(&runtime);
        for (int32_t trusted = 0; trusted <= 1; trusted++) {
            ck_assert_int_eq(
                tsnni_csr_import(&runtime, ROWS, COLUMNS, COUNT, row_ptr, column, input, trusted, &pattern, &values),
                TSNN_ERROR_NULL_ARGUMENT);
            ck_assert_ptr_nonnull(strstr(runtime.error_text, names[missing]));
        }
        ck_assert_int_eq(tsnni_coo_import(&runtime, ROWS, COLUMNS, COUNT, row, column, input, &pattern, &values),
                         TSNN_ERROR_NULL_ARGUMENT);
        ck_assert_ptr_nonnull(strstr(runtime.error_text, names[missing]));
    }
}
END_TEST

START_TEST(validation_alone_needs_no_values)
{
    tsnni_runtime runtime;
    tsnni_runtime_init(&runtime);
    ck_assert_int_eq(tsnni_csr_validate(&runtime, ROWS, COLUMNS, COUNT, good.row_ptr, good.column, NULL), TSNN_OK);
    ck_assert_int_eq(tsnni_csr_validate(&runtime, ROWS, COLUMNS, COUNT, good.row_ptr, good.column, good.values),
                     TSNN_OK);
    ck_assert_int_eq(tsnni_csr_validate(&runtime, ROWS, 3, COUNT, good.row_ptr, good.column, NULL),
                     TSNN_ERROR_STRUCTURE);
}
END_TEST

START_TEST(a_matrix_without_connections_may_come_without_arrays)
{
    for (int coo = 0; coo <= 1; coo++) {
        tsnni_runtime runtime;
        counting_allocator allocator;
        tsnni_pattern pattern;
        float *values;
        counting_runtime_init(&runtime, &allocator);
        tsnn_status status = coo ? tsnni_coo_import(&runtime, 3, 5, 0, NULL, NULL, NULL, &pattern, &values)
                                 : tsnni_csr_import(&runtime, 3, 5, 0, NULL, NULL, NULL, 0, &pattern, &values);
        ck_assert_int_eq(status, TSNN_OK);
        ck_assert_int_eq(pattern.count, 0);
        for (int row = 0; row <= 3; row++)
            ck_assert_int_eq(pattern.row_ptr[row], 0);
        ck_assert_ptr_nonnull(values);
        tsnni_transpose transpose;
        ck_assert_int_eq(tsnni_transpose_build(&runtime, &pattern, &transpose), TSNN_OK);
        for (int column = 0; column <= 5; column++)
            ck_assert_int_eq(transpose.column_ptr[column], 0);
        tsnni_transpose_free(&runtime, &transpose);
        tsnni_pattern_free(&runtime, &pattern);
        tsnni_release(&runtime, values);
        ck_assert_int_eq(allocator.live, 0);
    }
}
END_TEST

START_TEST(triplets_in_any_order_give_the_same_matrix)
{
    for (int step = 1; step < COUNT; step++) { /* COUNT is prime: every step visits all */
        tsnni_runtime runtime;
        tsnni_pattern pattern;
        float *values;
        small_matrix shuffled = good;
        for (int k = 0; k < COUNT; k++) {
            int from = (k + 1) * step % COUNT;
            shuffled.row[k] = good.row[from];
            shuffled.column[k] = good.column[from];
            shuffled.values[k] = good.values[from];
        }
        tsnni_runtime_init(&runtime);
        ck_assert_int_eq(import_coo(&runtime, &shuffled, &pattern, &values), TSNN_OK);
        assert_is_good(&pattern, values);
        tsnni_pattern_free(&runtime, &pattern);
        tsnni_release(&runtime, values);
    }
}
END_TEST

static void assert_coo_refused(const small_matrix *matrix, const char *text)
{
    tsnni_runtime runtime;
    counting_allocator allocator;
    tsnni_pattern pattern;
    float *values;
    counting_runtime_init(&runtime, &allocator);
    ck_assert_int_eq(import_coo(&runtime, matrix, &pattern, &values), TSNN_ERROR_STRUCTURE);
    ck_assert_msg(strstr(runtime.error_text, text) != NULL, "no \"%s\" in \"%s\"", text, runtime.error_text);
    assert_empty(&pattern);
    ck_assert_ptr_null(values);
    ck_assert_int_eq(allocator.live, 0);
}

START_TEST(a_duplicate_coordinate_is_refused)
{
    small_matrix matrix = good;
    matrix.row[6] = 0;
    matrix.column[6] = 3;
    assert_coo_refused(&matrix, "row 0, column 3 is given more than once");
}
END_TEST

START_TEST(a_coordinate_outside_the_matrix_is_refused)
{
    small_matrix matrix = good;
    matrix.row[1] = 4;
    assert_coo_refused(&matrix, "position 1: row 4, column 3 is outside 4 x 4");
    matrix = good;
    matrix.row[2] = -1;
    assert_coo_refused(&matrix, "position 2: row -1");
    matrix = good;
    matrix.column[3] = INT32_MAX;
    assert_coo_refused(&matrix, "position 3: row 2, column 2147483647");
    matrix = good;
    matrix.column[4] = INT32_MIN;
    assert_coo_refused(&matrix, "position 4: row 2, column -2147483648");
}
END_TEST

/* Sides of 16-bit and 32-bit indices, and the border between them. */
static const int64_t sides[][2] = {{1, 1}, {300, 7}, {7, 300}, {65536, 40}, {40, 65536}, {65537, 40}, {40, 65537}};
enum { SIDES = sizeof sides / sizeof sides[0] };

static void sample_shape(tsnni_runtime *runtime, int shape, tsnni_pattern *pattern)
{
    int64_t cells = sides[shape][0] * sides[shape][1];
    ck_assert_int_eq(tsnni_sample_exact(runtime, sides[shape][0], sides[shape][1],
                                        cells < 5000 ? (cells + 1) / 2 : 5000, 17, shape, pattern),
                     TSNN_OK);
}

START_TEST(indices_are_16_bit_up_to_65536)
{
    ck_assert_int_eq(tsnni_index_width(1), 2);
    ck_assert_int_eq(tsnni_index_width(65536), 2);
    ck_assert_int_eq(tsnni_index_width(65537), 4);
    ck_assert_int_eq(tsnni_index_width(INT32_MAX), 4);
}
END_TEST

START_TEST(what_is_exported_imports_to_the_same_matrix)
{
    for (int shape = 0; shape < SIDES; shape++) {
        tsnni_runtime runtime;
        counting_allocator allocator;
        tsnni_pattern pattern, again[2];
        int64_t *row_ptr;
        int32_t *row, *column;
        float *values, *exported, *again_values[2];
        counting_runtime_init(&runtime, &allocator);
        sample_shape(&runtime, shape, &pattern);
        int64_t rows = pattern.rows, columns = pattern.columns, count = pattern.count;
        ck_assert_int_eq(TSNNI_NEW(&runtime, rows + 1, &row_ptr), TSNN_OK);
        ck_assert_int_eq(TSNNI_NEW(&runtime, count, &row), TSNN_OK);
        ck_assert_int_eq(TSNNI_NEW(&runtime, count, &column), TSNN_OK);
        ck_assert_int_eq(TSNNI_NEW(&runtime, count, &values), TSNN_OK);
        ck_assert_int_eq(TSNNI_NEW(&runtime, count, &exported), TSNN_OK);
        for (int64_t k = 0; k < count; k++)
            values[k] = (float)(k + 1);
        tsnni_csr_export(&pattern, values, NULL, NULL, NULL);
        tsnni_coo_export(&pattern, values, row, column, exported);
        ck_assert_int_eq(
            tsnni_coo_import(&runtime, rows, columns, count, row, column, exported, &again[0], &again_values[0]),
            TSNN_OK);
        memset(column, 0, (size_t)count * sizeof *column);
        memset(exported, 0, (size_t)count * sizeof *exported);
        tsnni_csr_export(&pattern, values, row_ptr, column, exported);
        ck_assert_int_eq(
            tsnni_csr_import(&runtime, rows, columns, count, row_ptr, column, exported, 0, &again[1], &again_values[1]),
            TSNN_OK);
        for (int i = 0; i < 2; i++) {
            ck_assert_int_eq(again[i].column.width, columns <= 65536 ? 2 : 4);
            ck_assert_int_eq(again[i].count, count);
            ck_assert_mem_eq(again[i].row_ptr, pattern.row_ptr, (size_t)(rows + 1) * sizeof *row_ptr);
            ck_assert_mem_eq(again[i].column.data, pattern.column.data,
                             (size_t)(count + TSNNI_INDEX_PADDING) * (size_t)pattern.column.width);
            ck_assert_mem_eq(again_values[i], values, (size_t)count * sizeof *values);
            tsnni_pattern_free(&runtime, &again[i]);
            tsnni_release(&runtime, again_values[i]);
        }
        tsnni_release(&runtime, row_ptr);
        tsnni_release(&runtime, row);
        tsnni_release(&runtime, column);
        tsnni_release(&runtime, values);
        tsnni_release(&runtime, exported);
        tsnni_pattern_free(&runtime, &pattern);
        ck_assert_int_eq(allocator.live, 0);
    }
}
END_TEST

START_TEST(a_copy_is_equal_and_apart)
{
    tsnni_runtime runtime;
    tsnni_pattern pattern, copy;
    tsnni_runtime_init(&runtime);
    sample_shape(&runtime, 1, &pattern);
    ck_assert_int_eq(tsnni_pattern_copy(&runtime, &pattern, &copy), TSNN_OK);
    ck_assert_int_eq(copy.rows, pattern.rows);
    ck_assert_int_eq(copy.columns, pattern.columns);
    ck_assert_int_eq(copy.count, pattern.count);
    ck_assert_ptr_ne(copy.row_ptr, pattern.row_ptr);
    ck_assert_ptr_ne(copy.column.data, pattern.column.data);
    ck_assert_mem_eq(copy.row_ptr, pattern.row_ptr, (size_t)(pattern.rows + 1) * sizeof *pattern.row_ptr);
    ck_assert_mem_eq(copy.column.data, pattern.column.data, (size_t)(pattern.count + TSNNI_INDEX_PADDING) * 2);
    tsnni_pattern_free(&runtime, &pattern);
    tsnni_pattern_free(&runtime, &copy);
}
END_TEST

/* Check writes to a pipe at every assertion: too slow for each connection. */
static int is_valid_column(const tsnni_pattern *pattern, const tsnni_transpose *transpose, int64_t column)
{
    for (int64_t k = transpose->column_ptr[column]; k < transpose->column_ptr[column + 1]; k++) {
        int64_t row = tsnni_index_at(&transpose->row, k), position = transpose->position[k];
        if (tsnni_index_at(&pattern->column, position) != column)
            return 0;
        if (position < pattern->row_ptr[row] || position >= pattern->row_ptr[row + 1])
            return 0;
        if (k > transpose->column_ptr[column] && row <= tsnni_index_at(&transpose->row, k - 1))
            return 0;
    }
    return transpose->column_ptr[column] <= transpose->column_ptr[column + 1];
}

START_TEST(the_transpose_index_names_every_connection_once_in_order)
{
    for (int shape = 0; shape < SIDES; shape++) {
        tsnni_runtime runtime;
        counting_allocator allocator;
        tsnni_pattern pattern;
        tsnni_transpose transpose;
        counting_runtime_init(&runtime, &allocator);
        sample_shape(&runtime, shape, &pattern);
        ck_assert_int_eq(tsnni_transpose_build(&runtime, &pattern, &transpose), TSNN_OK);
        ck_assert_int_eq(transpose.row.width, pattern.rows <= 65536 ? 2 : 4);
        ck_assert_int_eq(transpose.column_ptr[0], 0);
        ck_assert_int_eq(transpose.column_ptr[pattern.columns], pattern.count);
        for (int64_t column = 0; column < pattern.columns; column++) {
            if (!is_valid_column(&pattern, &transpose, column))
                ck_abort_msg("shape %d: column %lld is damaged", shape, (long long)column);
        }
        for (int64_t k = pattern.count; k < pattern.count + TSNNI_INDEX_PADDING; k++) {
            ck_assert_int_eq(tsnni_index_at(&transpose.row, k), 0);
            ck_assert_uint_eq(transpose.position[k], 0);
        }
        tsnni_transpose_free(&runtime, &transpose);
        ck_assert_ptr_null(transpose.column_ptr);
        tsnni_transpose_free(&runtime, &transpose);
        tsnni_pattern_free(&runtime, &pattern);
        ck_assert_int_eq(allocator.live, 0);
    }
}
END_TEST

/* More columns than are sorted at once, for both widths of a row; more columns than connections; rows that leave few
 * bits for a column; few columns that have all connections. */
static const int64_t wide_shapes[][3] = {{300, 40000, 0},     {70000, 40000, 0},   {200, 5000000, 0}, {3, 35000, 0},
                                         {1 << 22, 40000, 0}, {2000, 50000, 1900}, {100000, 50000, 1}};
enum { WIDE_SHAPES = sizeof wide_shapes / sizeof wide_shapes[0], WIDE_COUNT = 60000 };

/* skewed > 0: the connections lie in the first `skewed` columns. */
static void sample_wide(tsnni_runtime *runtime, int shape, int64_t layer, tsnni_pattern *pattern)
{
    int64_t rows = wide_shapes[shape][0], columns = wide_shapes[shape][1], skewed = wide_shapes[shape][2];
    ck_assert_int_eq(tsnni_sample_exact(runtime, rows, skewed > 0 ? skewed : columns, WIDE_COUNT, 18, layer, pattern),
                     TSNN_OK);
    pattern->columns = columns;
}

static int is_valid_index(const tsnni_pattern *pattern, const tsnni_transpose *transpose)
{
    int valid = transpose->column_ptr[0] == 0 && transpose->column_ptr[pattern->columns] == pattern->count;
    for (int64_t column = 0; column < pattern->columns && valid; column++)
        valid = is_valid_column(pattern, transpose, column);
    return valid;
}

START_TEST(many_columns_are_indexed_by_groups_on_any_number_of_threads)
{
    for (int shape = 0; shape < WIDE_SHAPES; shape++) {
        for (int32_t threads = 1; threads <= 3; threads += 2) {
            tsnni_runtime runtime;
            tsnni_pattern pattern, other;
            tsnni_transpose transpose;
            tsnni_runtime_init(&runtime);
            runtime.threads = threads;
            sample_wide(&runtime, shape, 1, &pattern);
            ck_assert_int_eq(tsnni_transpose_build(&runtime, &pattern, &transpose), TSNN_OK);
            ck_assert_msg(is_valid_index(&pattern, &transpose), "shape %d, %d threads", shape, (int)threads);
            sample_wide(&runtime, shape, 2, &other);
            const void *memory = transpose.position;
            ck_assert_int_eq(tsnni_transpose_refill(&runtime, &other, &transpose), TSNN_OK);
            ck_assert_ptr_eq(transpose.position, memory);
            ck_assert_msg(is_valid_index(&other, &transpose), "shape %d, %d threads, again", shape, (int)threads);
            tsnni_transpose_free(&runtime, &transpose);
            tsnni_pattern_free(&runtime, &pattern);
            tsnni_pattern_free(&runtime, &other);
        }
    }
}
END_TEST

START_TEST(row_chunks_cover_all_rows_in_balance)
{
    enum { MANY = 1000 };
    int64_t pointer[MANY + 1] = {0};
    tsnni_stream stream;
    tsnni_stream_init(&stream, tsnni_random_key_make(5, TSNNI_PURPOSE_USER, 0, 0, 0));
    int64_t longest = 0;
    for (int row = 0; row < MANY; row++) { /* empty, short and a few very long rows */
        int64_t length = row % 3 == 0 ? 0 : row % 100 == 1 ? 5000 : (int64_t)tsnni_stream_below(&stream, 50);
        longest = length > longest ? length : longest;
        pointer[row + 1] = pointer[row] + length;
    }
    const int64_t parts[] = {1, 2, 3, 7, 16, 64, 999, 1000, 5000};
    for (size_t p = 0; p < sizeof parts / sizeof parts[0]; p++) {
        for (int64_t row_cost = 0; row_cost <= 10; row_cost += 5) {
            double total = (double)(pointer[MANY] + MANY * row_cost);
            ck_assert_int_eq(tsnni_partition_bound(pointer, MANY, row_cost, 0, parts[p]), 0);
            ck_assert_int_eq(tsnni_partition_bound(pointer, MANY, row_cost, parts[p], parts[p]), MANY);
            for (int64_t chunk = 0; chunk < parts[p]; chunk++) {
                int64_t begin = tsnni_partition_bound(pointer, MANY, row_cost, chunk, parts[p]);
                int64_t end = tsnni_partition_bound(pointer, MANY, row_cost, chunk + 1, parts[p]);
                ck_assert_int_le(begin, end);
                double cost = (double)(pointer[end] - pointer[begin] + (end - begin) * row_cost);
                ck_assert_double_le(cost, total / (double)parts[p] + (double)(longest + row_cost) + 1);
            }
        }
    }
}
END_TEST

START_TEST(even_chunks_differ_by_at_most_one)
{
    const int64_t items[] = {0, 1, 5, 64, 1000003, INT64_MAX / 2};
    for (size_t i = 0; i < sizeof items / sizeof items[0]; i++) {
        for (int64_t chunks = 1; chunks <= 9; chunks++) {
            int64_t next = 0;
            for (int64_t chunk = 0; chunk < chunks; chunk++) {
                ck_assert_int_eq(tsnni_partition_even(items[i], chunk, chunks), next);
                next = tsnni_partition_even(items[i], chunk + 1, chunks);
                int64_t size = next - tsnni_partition_even(items[i], chunk, chunks);
                ck_assert(size == items[i] / chunks || size == items[i] / chunks + 1);
            }
            ck_assert_int_eq(next, items[i]);
        }
    }
}
END_TEST

static tsnn_status build_csr(tsnni_runtime *runtime)
{
    tsnni_pattern pattern = {.rows = 5};
    float *values = (float *)&pattern;
    tsnn_status status = import_csr(runtime, &good, 0, &pattern, &values);
    if (status < 0) {
        assert_empty(&pattern);
        ck_assert_ptr_null(values);
    }
    tsnni_pattern_free(runtime, &pattern);
    tsnni_release(runtime, values);
    return status;
}

static tsnn_status build_coo(tsnni_runtime *runtime)
{
    tsnni_pattern pattern = {.rows = 5};
    float *values = (float *)&pattern;
    tsnn_status status = import_coo(runtime, &good, &pattern, &values);
    if (status < 0) {
        assert_empty(&pattern);
        ck_assert_ptr_null(values);
    }
    tsnni_pattern_free(runtime, &pattern);
    tsnni_release(runtime, values);
    return status;
}

static tsnn_status build_copy_and_transpose(tsnni_runtime *runtime)
{
    tsnni_runtime other;
    tsnni_pattern pattern, copy = {.rows = 5};
    tsnni_transpose transpose = {0};
    tsnni_runtime_init(&other);
    sample_shape(&other, 1, &pattern);
    tsnn_status status = tsnni_pattern_copy(runtime, &pattern, &copy);
    if (status < 0) {
        assert_empty(&copy);
    } else {
        status = tsnni_transpose_build(runtime, &pattern, &transpose);
        if (status < 0) {
            ck_assert_ptr_null(transpose.column_ptr);
            ck_assert_ptr_null(transpose.row.data);
            ck_assert_ptr_null(transpose.position);
        }
    }
    tsnni_transpose_free(runtime, &transpose);
    tsnni_pattern_free(runtime, &copy);
    tsnni_pattern_free(&other, &pattern);
    return status;
}

/* The index must still be that of the first pattern. */
static tsnn_status refill_index(tsnni_runtime *runtime)
{
    tsnni_runtime other;
    tsnni_pattern first, second;
    tsnni_transpose transpose;
    tsnni_runtime_init(&other);
    sample_wide(&other, 0, 1, &first);
    sample_wide(&other, 0, 2, &second);
    ck_assert_int_eq(tsnni_transpose_build(&other, &first, &transpose), TSNN_OK);
    tsnn_status status = tsnni_transpose_refill(runtime, &second, &transpose);
    ck_assert(is_valid_index(status < 0 ? &first : &second, &transpose));
    tsnni_transpose_free(&other, &transpose);
    tsnni_pattern_free(&other, &first);
    tsnni_pattern_free(&other, &second);
    return status;
}

START_TEST(an_import_whose_memory_fails_leaves_nothing)
{
    ck_assert_int_ge(fail_each_allocation(build_csr), 3);
    ck_assert_int_ge(fail_each_allocation(build_coo), 5);
}
END_TEST

START_TEST(a_copy_or_index_whose_memory_fails_leaves_nothing)
{
    ck_assert_int_ge(fail_each_allocation(build_copy_and_transpose), 5);
    ck_assert_int_ge(fail_each_allocation(refill_index), 3);
}
END_TEST

Suite *tsnni_suite_sparse(void)
{
    Suite *suite = suite_create("sparse");
    TCase *import = tcase_create("import");
    tcase_add_test(import, a_valid_csr_matrix_is_taken_as_it_is);
    tcase_add_test(import, damaged_row_pointers_are_refused);
    tcase_add_test(import, damaged_columns_are_refused);
    tcase_add_test(import, values_that_are_not_finite_are_refused);
    tcase_add_test(import, dimensions_and_counts_are_checked_before_the_arrays);
    tcase_add_test(import, missing_arrays_are_refused);
    tcase_add_test(import, validation_alone_needs_no_values);
    tcase_add_test(import, a_matrix_without_connections_may_come_without_arrays);
    tcase_add_test(import, triplets_in_any_order_give_the_same_matrix);
    tcase_add_test(import, a_duplicate_coordinate_is_refused);
    tcase_add_test(import, a_coordinate_outside_the_matrix_is_refused);
    tcase_add_test(import, an_import_whose_memory_fails_leaves_nothing);
    suite_add_tcase(suite, import);
    TCase *pattern = tcase_create("pattern");
    tcase_add_test(pattern, indices_are_16_bit_up_to_65536);
    tcase_add_test(pattern, what_is_exported_imports_to_the_same_matrix);
    tcase_add_test(pattern, a_copy_is_equal_and_apart);
    tcase_add_test(pattern, the_transpose_index_names_every_connection_once_in_order);
    tcase_add_test(pattern, many_columns_are_indexed_by_groups_on_any_number_of_threads);
    tcase_add_test(pattern, a_copy_or_index_whose_memory_fails_leaves_nothing);
    suite_add_tcase(suite, pattern);
    TCase *partition = tcase_create("partition");
    tcase_add_test(partition, row_chunks_cover_all_rows_in_balance);
    tcase_add_test(partition, even_chunks_differ_by_at_most_one);
    suite_add_tcase(suite, partition);
    return suite;
}
