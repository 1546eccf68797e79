/* Selection, regrowing and filtering of sparse patterns against their plain definitions. */
#include "suites.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "allocator.h"
#include "core/memory.h"
#include "core/random.h"
#include "sparse/filter.h"
#include "sparse/regrow.h"

/* 1 when the cut of its sign takes the value: what a tsnni_cut means, word for word. */
static int32_t cut_takes(const tsnni_cut cuts[2], float value, int64_t position)
{
    const uint32_t sign_bit = (uint32_t)1 << 31;
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t magnitude = bits & ~sign_bit;
    const tsnni_cut *cut = &cuts[bits > sign_bit ? TSNNI_NEGATIVE : TSNNI_POSITIVE];
    return magnitude + (position >= cut->end) <= cut->magnitude; /* both conditions at once: a branch would be costly */
}

static int is_negative(float value)
{
    return value < 0.0f;
}

/* By the definition: a value goes when fewer than take[sign] of its sign come before it by (magnitude, position). */
static int goes(const float *values, int64_t count, const int64_t take[2], int64_t k)
{
    int64_t before = 0;
    for (int64_t other = 0; other < count; other++) {
        float a = fabsf(values[other]), b = fabsf(values[k]);
        if (is_negative(values[other]) == is_negative(values[k]) && (a < b || (a == b && other < k)))
            before++;
    }
    return before < take[is_negative(values[k]) ? TSNNI_NEGATIVE : TSNNI_POSITIVE];
}

static void expect_exact_selection(const float *values, int64_t count, const int64_t take[2], int32_t threads)
{
    tsnni_runtime runtime;
    tsnni_cut cuts[2];
    tsnni_runtime_init(&runtime);
    runtime.threads = threads;
    ck_assert_int_eq(tsnni_select_smallest(&runtime, values, count, take, cuts), TSNN_OK);
    tsnni_cut_range range = {0, 0, 0};
    for (int64_t k = 0; k < count; k++) {
        if (k >= range.end)
            range = tsnni_cut_range_at(cuts, k);
        int32_t taken = cut_takes(cuts, values[k], k), ranged = tsnni_cut_range_takes(&range, values[k]);
        ck_assert_msg(taken == goes(values, count, take, k) && ranged == taken, "value %d is %a", (int)k,
                      (double)values[k]);
    }
}

/* Every pair of takes for small arrays, a few for large ones. */
static void expect_all_selections(const float *values, int64_t count)
{
    tsnni_runtime runtime;
    int64_t counts[2], steps = count < 20 ? count : 5;
    tsnni_runtime_init(&runtime);
    ck_assert_int_eq(tsnni_sign_counts(&runtime, values, count, counts), TSNN_OK);
    ck_assert_int_eq(counts[0] + counts[1], count);
    for (int64_t a = 0; a <= steps; a++) {
        for (int64_t b = 0; b <= steps; b++) {
            const int64_t take[2] = {steps > 0 ? counts[0] * a / steps : 0, steps > 0 ? counts[1] * b / steps : 0};
            expect_exact_selection(values, count, take, 1);
        }
    }
}

START_TEST(the_smallest_of_each_sign_are_taken)
{
    float values[700];
    tsnni_stream stream;
    tsnni_stream_init(&stream, tsnni_random_key_make(1, TSNNI_PURPOSE_USER, 0, 0, 0));
    for (int k = 0; k < 700; k++)
        values[k] = (float)tsnni_stream_normal(&stream);
    expect_all_selections(values, 700);
    for (int64_t count = 0; count < 18; count++)
        expect_all_selections(values + count, count);
}
END_TEST

START_TEST(of_equals_the_earlier_are_taken)
{
    const float levels[] = {-2.0f, -1.0f, -1.0f, 0.0f, -0.0f, 1.0f, 2.0f};
    float values[300];
    tsnni_stream stream;
    tsnni_stream_init(&stream, tsnni_random_key_make(2, TSNNI_PURPOSE_USER, 0, 0, 0));
    for (int k = 0; k < 300; k++)
        values[k] = levels[tsnni_stream_below(&stream, 7)];
    expect_all_selections(values, 300);
    expect_all_selections(values, 15);
}
END_TEST

/* One ulp apart, denormal, largest: where digits of the selection begin and end. */
START_TEST(neighbouring_magnitudes_are_told_apart)
{
    float values[256];
    int64_t count = 0;
    const uint32_t centres[] = {0, 1, 0x3FF, 0x400, 0xFFFFF, 0x100000, 0x00800000, 0x3F800000, 0x7F7FFFF8};
    for (size_t c = 0; c < sizeof centres / sizeof centres[0]; c++) {
        for (uint32_t step = 0; step < 8; step++) {
            uint32_t bits = centres[c] + (step * 5) % 8;
            memcpy(&values[count], &bits, sizeof bits);
            values[count + 1] = -values[count];
            count += 2;
        }
    }
    tsnni_runtime runtime;
    int64_t counts[2];
    tsnni_runtime_init(&runtime);
    ck_assert_int_eq(tsnni_sign_counts(&runtime, values, count, counts), TSNN_OK);
    for (int64_t take = 0; take <= counts[0]; take++) {
        const int64_t both[2] = {take, take};
        expect_exact_selection(values, count, both, 1);
    }
}
END_TEST

START_TEST(threads_do_not_change_a_selection)
{
    enum { COUNT = 100000 };
    float *values = malloc(COUNT * sizeof *values);
    tsnni_stream stream;
    tsnni_stream_init(&stream, tsnni_random_key_make(3, TSNNI_PURPOSE_USER, 0, 0, 0));
    for (int k = 0; k < COUNT; k++)
        values[k] = (float)(int)(1000.0 * tsnni_stream_normal(&stream)) / 1000.0f;
    const int64_t take[2] = {15000, 12345};
    tsnni_cut first[2];
    for (int32_t threads = 1; threads <= 8; threads++) {
        tsnni_runtime runtime;
        tsnni_cut cuts[2];
        tsnni_runtime_init(&runtime);
        runtime.threads = threads;
        ck_assert_int_eq(tsnni_select_smallest(&runtime, values, COUNT, take, cuts), TSNN_OK);
        int64_t taken[2] = {0, 0};
        for (int64_t k = 0; k < COUNT; k++)
            taken[is_negative(values[k]) ? 0 : 1] += cut_takes(cuts, values[k], k);
        ck_assert_int_eq(taken[0], take[0]);
        ck_assert_int_eq(taken[1], take[1]);
        if (threads == 1)
            memcpy(first, cuts, sizeof cuts);
        for (int sign = 0; sign < 2; sign++) {
            ck_assert_uint_eq(cuts[sign].magnitude, first[sign].magnitude);
            ck_assert_int_eq(cuts[sign].end, first[sign].end);
        }
    }
    free(values);
}
END_TEST

START_TEST(the_first_value_that_is_no_number_is_named)
{
    tsnni_runtime runtime;
    float values[50] = {0.0f};
    int64_t counts[2];
    tsnni_runtime_init(&runtime);
    values[31] = NAN;
    values[17] = -INFINITY;
    ck_assert_int_eq(tsnni_sign_counts(&runtime, values, 50, counts), TSNN_ERROR_NOT_FINITE);
    ck_assert_str_eq(runtime.error_text, "value 17 of 50 is -inf");
}
END_TEST

START_TEST(a_share_is_the_selection_of_that_many)
{
    enum { COUNT = 50000 };
    const double shares[] = {0, 1e-9, .3, .5, 1};
    float *values = malloc(COUNT * sizeof *values);
    tsnni_stream stream;
    tsnni_stream_init(&stream, tsnni_random_key_make(4, TSNNI_PURPOSE_USER, 0, 0, 0));
    for (int k = 0; k < COUNT; k++)
        values[k] = (float)(int)(300.0 * tsnni_stream_normal(&stream)) / -300.0f; /* zeros of both signs too */
    for (int i = 0; i < 5; i++) {
        for (int32_t threads = 1; threads <= 3; threads += 2) {
            tsnni_runtime runtime;
            tsnni_cut cuts[2], expected[2];
            int64_t counts[2], take[2];
            tsnni_runtime_init(&runtime);
            runtime.threads = threads;
            ck_assert_int_eq(tsnni_sign_counts(&runtime, values, COUNT, counts), TSNN_OK);
            ck_assert_int_eq(tsnni_select_share(&runtime, values, COUNT, shares[i], take, cuts), TSNN_OK);
            for (int sign = 0; sign < 2; sign++)
                ck_assert_int_eq(take[sign], (int64_t)floor(shares[i] * (double)counts[sign]));
            ck_assert_int_eq(tsnni_select_smallest(&runtime, values, COUNT, take, expected), TSNN_OK);
            for (int sign = 0; sign < 2; sign++) {
                ck_assert_uint_eq(cuts[sign].magnitude, expected[sign].magnitude);
                ck_assert_int_eq(cuts[sign].end, expected[sign].end);
            }
        }
    }
    free(values);
}
END_TEST

START_TEST(a_share_of_what_is_no_number_is_refused)
{
    tsnni_runtime runtime;
    counting_allocator allocator;
    float values[50] = {0.0f};
    int64_t take[2];
    tsnni_cut cuts[2];
    const float bad[] = {NAN, -NAN, INFINITY, -INFINITY};
    counting_runtime_init(&runtime, &allocator);
    values[40] = NAN;
    for (int i = 0; i < 4; i++) {
        values[33] = bad[i];
        ck_assert_int_eq(tsnni_select_share(&runtime, values, 50, .3, take, cuts), TSNN_ERROR_NOT_FINITE);
        ck_assert_ptr_nonnull(strstr(runtime.error_text, "value 33 of 50 is "));
        ck_assert_int_eq(allocator.live, 0);
    }
}
END_TEST

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

START_TEST(order_statistics_are_those_of_the_sorted_numbers)
{
    double values[400], sorted[400];
    tsnni_stream stream;
    tsnni_stream_init(&stream, tsnni_random_key_make(4, TSNNI_PURPOSE_USER, 0, 0, 0));
    for (int i = 0; i < 400; i++)
        values[i] = i % 7 == 0 ? 0.0 : i % 5 == 0 ? 1.5 : exp(30.0 * tsnni_stream_normal(&stream));
    values[3] = 1.7e308;
    values[4] = 5e-324;
    values[8] = nextafter(1.5, 2.0);
    memcpy(sorted, values, sizeof values);
    qsort(sorted, 400, sizeof *sorted, compare_doubles);
    for (int k = 0; k < 400; k++)
        ck_assert(tsnni_order_statistic(values, 400, k) == sorted[k]);
    ck_assert(tsnni_order_statistic(values + 1, 1, 0) == values[1]);
}
END_TEST

/* ---- regrowing and filtering, against a dense matrix ---- */

enum { ROWS = 23, COLUMNS = 31 };

/* A pattern whose values tell where they came from, with zeros left out of `dense`. */
static void make_pattern(tsnni_runtime *runtime, uint64_t seed, int64_t percent, tsnni_pattern *pattern, float **values,
                         float **companion)
{
    tsnni_stream stream;
    int64_t count = 0, row_ptr[ROWS + 1] = {0};
    int64_t columns[ROWS * COLUMNS];
    tsnni_stream_init(&stream, tsnni_random_key_make(seed, TSNNI_PURPOSE_USER, 0, 0, 0));
    for (int64_t row = 0; row < ROWS; row++) {
        for (int64_t column = 0; column < COLUMNS; column++)
            if (row % 6 != 4 && (int64_t)tsnni_stream_below(&stream, 100) < percent)
                columns[count++] = column;
        row_ptr[row + 1] = count;
    }
    ck_assert_int_eq(tsnni_pattern_allocate(runtime, ROWS, COLUMNS, count, pattern), TSNN_OK);
    ck_assert_int_eq(TSNNI_NEW(runtime, count, values), TSNN_OK);
    ck_assert_int_eq(TSNNI_NEW(runtime, count, companion), TSNN_OK);
    memcpy(pattern->row_ptr, row_ptr, sizeof row_ptr);
    for (int64_t k = 0; k < count; k++) {
        tsnni_index_set(&pattern->column, k, columns[k]);
        (*values)[k] = (float)tsnni_stream_normal(&stream);
        (*companion)[k] = (float)(k + 1);
    }
}

/* A pattern as a dense table: 0 where nothing is, and every rule of its structure checked on the way. */
static void spread(const tsnni_pattern *pattern, const float *values, float *dense)
{
    memset(dense, 0, (size_t)(pattern->rows * pattern->columns) * sizeof *dense);
    ck_assert_int_eq(pattern->row_ptr[0], 0);
    for (int64_t row = 0; row < pattern->rows; row++) {
        for (int64_t k = pattern->row_ptr[row]; k < pattern->row_ptr[row + 1]; k++) {
            int64_t column = tsnni_index_at(&pattern->column, k);
            ck_assert_int_lt(column, pattern->columns);
            if (k > pattern->row_ptr[row])
                ck_assert_int_gt(column, tsnni_index_at(&pattern->column, k - 1));
            dense[row * pattern->columns + column] = values[k];
        }
    }
    ck_assert_int_eq(pattern->row_ptr[pattern->rows], pattern->count);
    for (int64_t k = 0; k < TSNNI_INDEX_PADDING; k++)
        ck_assert_int_eq(tsnni_index_at(&pattern->column, pattern->count + k), 0);
}

static void expect_regrown(int64_t percent, int64_t cut_share, int64_t fresh_count, int32_t threads)
{
    tsnni_runtime runtime;
    counting_allocator allocator;
    counting_runtime_init(&runtime, &allocator);
    runtime.threads = threads;
    tsnni_regrowth regrowth = {0};
    tsnni_pattern old, pattern;
    float *values, *companion, *new_values, *new_companion;
    make_pattern(&runtime, 7, percent, &old, &values, &companion);
    int64_t counts[2];
    ck_assert_int_eq(tsnni_sign_counts(&runtime, values, old.count, counts), TSNN_OK);
    const int64_t take[2] = {counts[0] * cut_share / 100, counts[1] * cut_share / 100};
    ck_assert_int_eq(tsnni_select_smallest(&runtime, values, old.count, take, regrowth.cuts), TSNN_OK);

    /* Expected: survivors stay, then the ranks are counted over what is empty. */
    float dense[ROWS * COLUMNS], dense_companion[ROWS * COLUMNS], found[ROWS * COLUMNS], fresh[ROWS * COLUMNS];
    int64_t ranks[ROWS * COLUMNS], kept_count = 0, empty = 0, chosen = 0;
    float kept_values[ROWS * COLUMNS];
    for (int64_t k = 0; k < old.count; k++) {
        int32_t stays = !cut_takes(regrowth.cuts, values[k], k);
        kept_values[k] = stays ? values[k] : 0.0f;
        kept_count += stays;
    }
    spread(&old, kept_values, dense);
    spread(&old, companion, dense_companion);
    int64_t empty_count = ROWS * COLUMNS - kept_count;
    fresh_count = fresh_count < empty_count ? fresh_count : empty_count;
    for (int64_t cell = 0; cell < ROWS * COLUMNS; cell++) {
        if (dense[cell] != 0.0f)
            continue;
        dense_companion[cell] = 0.0f;
        if (chosen < fresh_count &&
            (empty * 7919 % empty_count < fresh_count || empty_count - empty == fresh_count - chosen)) {
            ranks[chosen] = empty;
            fresh[chosen] = 100.0f + (float)chosen;
            dense[cell] = fresh[chosen++];
        }
        empty++;
    }
    ck_assert_int_eq(chosen, fresh_count);

    regrowth.pattern = &old;
    regrowth.values = values;
    regrowth.companion = companion;
    regrowth.cut_count = old.count - kept_count;
    regrowth.ranks = ranks;
    regrowth.fresh = fresh;
    regrowth.fresh_count = fresh_count;
    ck_assert_int_eq(tsnni_regrow(&runtime, &regrowth, &pattern, &new_values, &new_companion), TSNN_OK);
    ck_assert_int_eq(pattern.count, kept_count + fresh_count);
    spread(&pattern, new_values, found);
    ck_assert_mem_eq(found, dense, sizeof dense);
    spread(&pattern, new_companion, found);
    ck_assert_mem_eq(found, dense_companion, sizeof dense);

    tsnni_pattern_free(&runtime, &old);
    tsnni_pattern_free(&runtime, &pattern);
    tsnni_release(&runtime, values);
    tsnni_release(&runtime, companion);
    tsnni_release(&runtime, new_values);
    tsnni_release(&runtime, new_companion);
    ck_assert_int_eq(allocator.live, 0);
}

START_TEST(regrowing_puts_each_rank_into_its_empty_cell)
{
    for (int64_t percent = 0; percent <= 100; percent += 20)
        for (int64_t cut = 0; cut <= 100; cut += 25)
            for (int64_t fresh = 0; fresh <= 800; fresh += 200)
                for (int32_t threads = 1; threads <= 3; threads += 2)
                    expect_regrown(percent, cut, fresh, threads);
}
END_TEST

/* Rows and columns whose number is divisible go. */
static void make_map(tsnni_index_map *map, int64_t count, int64_t divisor)
{
    map->before = count;
    map->after = 0;
    map->to = malloc((size_t)count * sizeof *map->to);
    for (int64_t index = 0; index < count; index++)
        map->to[index] = index % divisor == 0 ? -1 : (int32_t)map->after++;
}

START_TEST(filtering_leaves_exactly_what_stays)
{
    for (int variant = 0; variant < 8; variant++) {
        tsnni_runtime runtime;
        counting_allocator allocator;
        counting_runtime_init(&runtime, &allocator);
        runtime.threads = variant < 4 ? 1 : 3;
        tsnni_pattern old, pattern;
        float *values, *companion, *new_values, *new_companion;
        make_pattern(&runtime, 8, 40, &old, &values, &companion);
        tsnni_index_map rows = {NULL, ROWS, ROWS}, columns = {NULL, COLUMNS, COLUMNS};
        if (variant % 2 == 1)
            make_map(&rows, ROWS, 3);
        if (variant / 2 % 2 == 1)
            make_map(&columns, COLUMNS, 2);
        ck_assert_int_eq(
            tsnni_filter(&runtime, &old, values, companion, &rows, &columns, &pattern, &new_values, &new_companion),
            TSNN_OK);
        float dense[ROWS * COLUMNS], expected[ROWS * COLUMNS] = {0}, found[ROWS * COLUMNS];
        for (int array = 0; array < 2; array++) {
            spread(&old, array == 0 ? values : companion, dense);
            for (int64_t i = 0; i < ROWS; i++) {
                for (int64_t j = 0; j < COLUMNS; j++) {
                    int64_t row = rows.to == NULL ? i : rows.to[i], column = columns.to == NULL ? j : columns.to[j];
                    if (row >= 0 && column >= 0)
                        expected[row * columns.after + column] = dense[i * COLUMNS + j];
                }
            }
            spread(&pattern, array == 0 ? new_values : new_companion, found);
            ck_assert_mem_eq(found, expected, (size_t)(rows.after * columns.after) * sizeof *found);
        }
        tsnni_pattern_free(&runtime, &old);
        tsnni_pattern_free(&runtime, &pattern);
        tsnni_release(&runtime, values);
        tsnni_release(&runtime, companion);
        tsnni_release(&runtime, new_values);
        tsnni_release(&runtime, new_companion);
        ck_assert_int_eq(allocator.live, 0);
        free(rows.to);
        free(columns.to);
    }
}
END_TEST

Suite *tsnni_suite_select(void)
{
    Suite *suite = suite_create("select");
    TCase *selection = tcase_create("selection");
    tcase_add_test(selection, the_smallest_of_each_sign_are_taken);
    tcase_add_test(selection, of_equals_the_earlier_are_taken);
    tcase_add_test(selection, neighbouring_magnitudes_are_told_apart);
    tcase_add_test(selection, threads_do_not_change_a_selection);
    tcase_add_test(selection, the_first_value_that_is_no_number_is_named);
    tcase_add_test(selection, a_share_is_the_selection_of_that_many);
    tcase_add_test(selection, a_share_of_what_is_no_number_is_refused);
    tcase_add_test(selection, order_statistics_are_those_of_the_sorted_numbers);
    suite_add_tcase(suite, selection);
    TCase *moving = tcase_create("moving");
    tcase_add_test(moving, regrowing_puts_each_rank_into_its_empty_cell);
    tcase_add_test(moving, filtering_leaves_exactly_what_stays);
    suite_add_tcase(suite, moving);
    return suite;
}
