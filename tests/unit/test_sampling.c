/* Random topologies: distribution, exactness, order, cost, and the same bits for any number of threads. */
#include "suites.h"

#include <math.h>
#include <string.h>

#include "allocator.h"
#include "core/memory.h"
#include "sparse/sampling.h"

/* Loops over many numbers test them without Check, which writes to a pipe at every assertion. */
static int is_rising(const int64_t *sample, int64_t count, int64_t population)
{
    for (int64_t k = 0; k < count; k++) {
        if (sample[k] < 0 || sample[k] >= population || (k > 0 && sample[k] <= sample[k - 1]))
            return 0;
    }
    return 1;
}

static int is_valid_row(const tsnni_pattern *pattern, int64_t row)
{
    for (int64_t k = pattern->row_ptr[row]; k < pattern->row_ptr[row + 1]; k++) {
        int64_t column = tsnni_index_at(&pattern->column, k);
        if (column >= pattern->columns)
            return 0;
        if (k > pattern->row_ptr[row] && column <= tsnni_index_at(&pattern->column, k - 1))
            return 0;
    }
    return pattern->row_ptr[row] <= pattern->row_ptr[row + 1];
}

static void assert_sorted_rows(const tsnni_pattern *pattern)
{
    ck_assert_int_eq(pattern->row_ptr[0], 0);
    ck_assert_int_eq(pattern->row_ptr[pattern->rows], pattern->count);
    for (int64_t row = 0; row < pattern->rows; row++) {
        if (!is_valid_row(pattern, row))
            ck_abort_msg("row %lld is damaged", (long long)row);
    }
    for (int64_t k = pattern->count; k < pattern->count + TSNNI_INDEX_PADDING; k++) {
        if (tsnni_index_at(&pattern->column, k) != 0)
            ck_abort_msg("padding entry %lld is not 0", (long long)(k - pattern->count));
    }
}

static void assert_equal(const tsnni_pattern *a, const tsnni_pattern *b)
{
    ck_assert_int_eq(a->count, b->count);
    ck_assert_mem_eq(a->row_ptr, b->row_ptr, (size_t)(a->rows + 1) * sizeof *a->row_ptr);
    ck_assert_mem_eq(a->column.data, b->column.data, (size_t)a->count * (size_t)a->column.width);
}

static void add_cells(const tsnni_pattern *pattern, int64_t *hits)
{
    for (int64_t row = 0; row < pattern->rows; row++) {
        for (int64_t k = pattern->row_ptr[row]; k < pattern->row_ptr[row + 1]; k++)
            hits[row * pattern->columns + tsnni_index_at(&pattern->column, k)]++;
    }
}

/* The number of hits of each cell in `trials` has mean trials * p; variance is that of one trial. The sum of the
 * squared deviations stays within five standard deviations on both sides: neither uneven nor too even. */
static void assert_cells_even(const int64_t *hits, int64_t cells, int64_t trials, double p, double freedom)
{
    double statistic = 0, mean = (double)trials * p, variance = (double)trials * p * (1 - p);
    for (int64_t cell = 0; cell < cells; cell++)
        statistic += ((double)hits[cell] - mean) * ((double)hits[cell] - mean) / variance;
    ck_assert_double_lt(fabs(statistic - freedom), 5 * sqrt(2 * freedom));
}

START_TEST(every_cell_is_as_likely_as_the_density_says)
{
    enum { ROWS = 23, COLUMNS = 41, TRIALS = 400 };
    const double densities[] = {.01, .2, .5, .93};
    for (int d = 0; d < 4; d++) {
        int64_t hits[ROWS * COLUMNS] = {0};
        double sum = 0, squares = 0;
        for (int trial = 0; trial < TRIALS; trial++) {
            tsnni_runtime runtime;
            tsnni_pattern pattern;
            tsnni_runtime_init(&runtime);
            ck_assert_int_eq(
                tsnni_sample_bernoulli(&runtime, ROWS, COLUMNS, densities[d], (uint64_t)trial, d, &pattern), TSNN_OK);
            assert_sorted_rows(&pattern);
            add_cells(&pattern, hits);
            sum += (double)pattern.count;
            squares += (double)pattern.count * (double)pattern.count;
            tsnni_pattern_free(&runtime, &pattern);
        }
        double cells = ROWS * COLUMNS, expected = cells * densities[d], variance = expected * (1 - densities[d]);
        double mean = sum / TRIALS;
        ck_assert_double_lt(fabs(mean - expected), 5 * sqrt(variance / TRIALS));
        ck_assert_double_lt(fabs(squares / TRIALS - mean * mean - variance), 5 * variance * sqrt(2.0 / TRIALS));
        assert_cells_even(hits, ROWS * COLUMNS, TRIALS, densities[d], cells);
    }
}
END_TEST

START_TEST(neighbouring_cells_are_independent)
{
    tsnni_runtime runtime;
    tsnni_pattern pattern;
    const double density = .3;
    int64_t right = 0, below = 0;
    tsnni_runtime_init(&runtime);
    ck_assert_int_eq(tsnni_sample_bernoulli(&runtime, 300, 300, density, 8, 0, &pattern), TSNN_OK);
    int64_t *hits;
    ck_assert_int_eq(TSNNI_NEW_ZERO(&runtime, 300 * 300, &hits), TSNN_OK);
    add_cells(&pattern, hits);
    for (int64_t row = 0; row < 299; row++) {
        for (int64_t column = 0; column < 299; column++) {
            right += hits[row * 300 + column] && hits[row * 300 + column + 1];
            below += hits[row * 300 + column] && hits[(row + 1) * 300 + column];
        }
    }
    double expected = 299.0 * 299.0 * density * density;
    ck_assert_double_lt(fabs((double)right - expected), 6 * sqrt(expected * 2));
    ck_assert_double_lt(fabs((double)below - expected), 6 * sqrt(expected * 2));
    tsnni_release(&runtime, hits);
    tsnni_pattern_free(&runtime, &pattern);
}
END_TEST

START_TEST(extreme_densities_are_exact)
{
    const double none[] = {0, 1e-300, 1e-310, 4.9e-324, 1e-20};
    tsnni_runtime runtime;
    tsnni_pattern pattern;
    tsnni_runtime_init(&runtime);
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(tsnni_sample_bernoulli(&runtime, 1000, 1000, none[i], 1, 0, &pattern), TSNN_OK);
        ck_assert_int_eq(pattern.count, 0);
        assert_sorted_rows(&pattern);
        tsnni_pattern_free(&runtime, &pattern);
    }
    const int64_t columns[] = {1, 77, 65537};
    for (int i = 0; i < 3; i++) {
        const double full[] = {1, 1 - 0x1p-53};
        for (int d = 0; d < 2; d++) {
            ck_assert_int_eq(tsnni_sample_bernoulli(&runtime, 5, columns[i], full[d], 1, 0, &pattern), TSNN_OK);
            ck_assert_int_eq(pattern.count, 5 * columns[i]);
            assert_sorted_rows(&pattern);
            tsnni_pattern_free(&runtime, &pattern);
        }
    }
}
END_TEST

START_TEST(a_tiny_density_keeps_its_mean_over_wide_rows)
{
    tsnni_runtime runtime;
    tsnni_pattern pattern;
    tsnni_runtime_init(&runtime);
    ck_assert_int_eq(tsnni_sample_bernoulli(&runtime, 50000, INT32_MAX, 1e-12, 3, 0, &pattern), TSNN_OK);
    assert_sorted_rows(&pattern);
    double expected = 50000.0 * INT32_MAX * 1e-12;
    ck_assert_double_lt(fabs((double)pattern.count - expected), 5 * sqrt(expected));
    tsnni_pattern_free(&runtime, &pattern);
    ck_assert_int_eq(tsnni_sample_bernoulli(&runtime, 100, INT32_MAX, 1e-7, 3, 0, &pattern), TSNN_OK);
    assert_sorted_rows(&pattern);
    expected = 100.0 * INT32_MAX * 1e-7;
    ck_assert_double_lt(fabs((double)pattern.count - expected), 5 * sqrt(expected));
    tsnni_pattern_free(&runtime, &pattern);
}
END_TEST

START_TEST(impossible_densities_and_shapes_are_refused)
{
    tsnni_runtime runtime;
    counting_allocator allocator;
    tsnni_pattern pattern;
    const double bad[] = {-1e-9, 1.0000001, NAN, INFINITY, -INFINITY};
    counting_runtime_init(&runtime, &allocator);
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(tsnni_sample_bernoulli(&runtime, 5, 5, bad[i], 1, 0, &pattern), TSNN_ERROR_INVALID_ARGUMENT);
        ck_assert_ptr_null(pattern.row_ptr);
    }
    ck_assert_int_eq(tsnni_sample_bernoulli(&runtime, 0, 5, .5, 1, 0, &pattern), TSNN_ERROR_SHAPE);
    ck_assert_int_eq(tsnni_sample_bernoulli(&runtime, INT32_MAX, INT32_MAX, 1, 1, 0, &pattern), TSNN_ERROR_OVERFLOW);
    ck_assert_int_eq(tsnni_sample_bernoulli(&runtime, INT32_MAX, INT32_MAX, .5, 1, 0, &pattern), TSNN_ERROR_OVERFLOW);
    ck_assert_int_eq(tsnni_sample_exact(&runtime, 5, -5, 1, 1, 0, &pattern), TSNN_ERROR_SHAPE);
    ck_assert_int_eq(tsnni_sample_exact(&runtime, 5, 5, 26, 1, 0, &pattern), TSNN_ERROR_STRUCTURE);
    ck_assert_int_eq(tsnni_sample_exact(&runtime, 5, 5, -1, 1, 0, &pattern), TSNN_ERROR_INVALID_ARGUMENT);
    ck_assert_ptr_null(pattern.row_ptr);
    ck_assert_int_eq(allocator.calls, 0);
}
END_TEST

START_TEST(an_exact_count_is_exact)
{
    const int64_t shapes[][2] = {{1, 1}, {1, 100}, {100, 1}, {31, 37}, {1000, 1000}};
    for (int s = 0; s < 5; s++) {
        int64_t cells = shapes[s][0] * shapes[s][1];
        const int64_t counts[] = {0, 1, cells / 100, cells / 32, cells / 31, cells / 2, cells - 1, cells};
        for (int c = 0; c < 8; c++) {
            tsnni_runtime runtime;
            tsnni_pattern pattern;
            tsnni_runtime_init(&runtime);
            ck_assert_int_eq(tsnni_sample_exact(&runtime, shapes[s][0], shapes[s][1], counts[c], 2, 1, &pattern),
                             TSNN_OK);
            ck_assert_int_eq(pattern.count, counts[c]);
            assert_sorted_rows(&pattern);
            tsnni_pattern_free(&runtime, &pattern);
        }
    }
}
END_TEST

START_TEST(an_exact_count_falls_on_every_cell_alike)
{
    enum { ROWS = 19, COLUMNS = 53, CELLS = ROWS * COLUMNS, TRIALS = 400 };
    const int64_t counts[] = {25, 100, 500, 900}; /* sorted draws; a set of bits; the same as a complement */
    for (int c = 0; c < 4; c++) {
        int64_t hits[CELLS] = {0};
        for (int trial = 0; trial < TRIALS; trial++) {
            tsnni_runtime runtime;
            tsnni_pattern pattern;
            tsnni_runtime_init(&runtime);
            ck_assert_int_eq(tsnni_sample_exact(&runtime, ROWS, COLUMNS, counts[c], (uint64_t)trial, 0, &pattern),
                             TSNN_OK);
            add_cells(&pattern, hits);
            tsnni_pattern_free(&runtime, &pattern);
        }
        assert_cells_even(hits, CELLS, TRIALS, (double)counts[c] / CELLS, CELLS - 1);
    }
}
END_TEST

static tsnni_random_key user_key(int64_t epoch)
{
    return tsnni_random_key_make(77, TSNNI_PURPOSE_USER, 0, epoch, 0);
}

/* All 20 sets of 3 out of 6 and all 4 sets of 3 out of 4: a wrong redraw shows in the sets before it shows in the
 * cells. */
START_TEST(every_small_set_is_as_likely_as_any_other)
{
    enum { TRIALS = 6000 };
    for (int64_t population = 4; population <= 6; population += 2) {
        int64_t sets[64] = {0};
        int kinds = 0;
        double statistic = 0, expected = TRIALS / (population == 4 ? 4.0 : 20.0);
        for (int trial = 0; trial < TRIALS; trial++) {
            tsnni_runtime runtime;
            int64_t *sample;
            tsnni_runtime_init(&runtime);
            ck_assert_int_eq(tsnni_sample_distinct(&runtime, user_key(trial), population, 3, &sample), TSNN_OK);
            ck_assert(is_rising(sample, 3, population));
            sets[1 << sample[0] | 1 << sample[1] | 1 << sample[2]]++;
            tsnni_release(&runtime, sample);
        }
        for (int set = 0; set < 64; set++) {
            if (sets[set] == 0)
                continue;
            kinds++;
            statistic += ((double)sets[set] - expected) * ((double)sets[set] - expected) / expected;
        }
        ck_assert_int_eq(kinds, population == 4 ? 4 : 20);
        ck_assert_double_lt(statistic, kinds - 1 + 5 * sqrt(2.0 * (kinds - 1)));
    }
}
END_TEST

START_TEST(sparse_draws_are_even_after_their_redraws)
{
    enum { POPULATION = 3300, COUNT = 100, TRIALS = 2000 }; /* about one duplicate in each trial */
    int64_t hits[POPULATION] = {0};
    for (int trial = 0; trial < TRIALS; trial++) {
        tsnni_runtime runtime;
        int64_t *sample;
        tsnni_runtime_init(&runtime);
        ck_assert_int_eq(tsnni_sample_distinct(&runtime, user_key(trial), POPULATION, COUNT, &sample), TSNN_OK);
        ck_assert(is_rising(sample, COUNT, POPULATION));
        for (int k = 0; k < COUNT; k++)
            hits[sample[k]]++;
        tsnni_release(&runtime, sample);
    }
    assert_cells_even(hits, POPULATION, TRIALS, (double)COUNT / POPULATION, POPULATION - 1);
}
END_TEST

START_TEST(a_huge_population_costs_only_the_count)
{
    const int64_t populations[] = {(int64_t)2000000000 * 2000000000, (int64_t)1 << 62, ((int64_t)1 << 61) + 1};
    enum { COUNT = 100000, CELLS = 64 };
    for (int p = 0; p < 3; p++) {
        tsnni_runtime runtime;
        counting_allocator allocator;
        int64_t *sample, hits[CELLS] = {0};
        counting_runtime_init(&runtime, &allocator);
        ck_assert_int_eq(tsnni_sample_distinct(&runtime, user_key(0), populations[p], COUNT, &sample), TSNN_OK);
        ck_assert(is_rising(sample, COUNT, populations[p]));
        for (int k = 0; k < COUNT; k++)
            hits[(int64_t)((double)sample[k] / (double)populations[p] * CELLS)]++;
        assert_cells_even(hits, CELLS, COUNT, 1.0 / CELLS, CELLS - 1);
        tsnni_release(&runtime, sample);
        ck_assert_int_eq(allocator.live, 0);
    }
    tsnni_runtime runtime;
    tsnni_pattern pattern;
    tsnni_runtime_init(&runtime);
    ck_assert_int_eq(tsnni_sample_exact(&runtime, 1000, 2000000000, 1000, 1, 0, &pattern), TSNN_OK);
    assert_sorted_rows(&pattern);
    tsnni_pattern_free(&runtime, &pattern);
}
END_TEST

START_TEST(impossible_samples_are_refused)
{
    tsnni_runtime runtime;
    int64_t *sample = (int64_t *)&runtime;
    tsnni_runtime_init(&runtime);
    ck_assert_int_eq(tsnni_sample_distinct(&runtime, user_key(0), 10, 11, &sample), TSNN_ERROR_INVALID_ARGUMENT);
    ck_assert_ptr_null(sample);
    ck_assert_ptr_nonnull(strstr(runtime.error_text, "11 distinct values out of 10"));
    ck_assert_int_eq(tsnni_sample_distinct(&runtime, user_key(0), 10, -1, &sample), TSNN_ERROR_INVALID_ARGUMENT);
    ck_assert_int_eq(tsnni_sample_distinct(&runtime, user_key(0), -1, 0, &sample), TSNN_ERROR_OVERFLOW);
    ck_assert_int_eq(tsnni_sample_distinct(&runtime, user_key(0), INT64_MAX, 1, &sample), TSNN_ERROR_OVERFLOW);
    ck_assert_int_eq(tsnni_sample_distinct(&runtime, user_key(0), 0, 0, &sample), TSNN_OK);
    ck_assert_ptr_nonnull(sample);
    tsnni_release(&runtime, sample);
}
END_TEST

START_TEST(the_number_of_threads_does_not_show)
{
    const int32_t threads[] = {1, 2, 3, 8};
    tsnni_pattern first[4];
    for (int t = 0; t < 4; t++) {
        tsnni_runtime runtime;
        tsnni_pattern pattern[4];
        tsnni_runtime_init(&runtime);
        runtime.threads = threads[t];
        ck_assert_int_eq(tsnni_sample_bernoulli(&runtime, 3000, 2000, .01, 6, 1, &pattern[0]), TSNN_OK);
        ck_assert_int_eq(tsnni_sample_bernoulli(&runtime, 500, 70000, .001, 6, 2, &pattern[1]), TSNN_OK);
        ck_assert_int_eq(tsnni_sample_exact(&runtime, 3000, 2000, 60001, 6, 3, &pattern[2]), TSNN_OK);
        ck_assert_int_eq(tsnni_sample_exact(&runtime, 300, 200, 31000, 6, 4, &pattern[3]), TSNN_OK);
        for (int i = 0; i < 4; i++) {
            if (t == 0) {
                first[i] = pattern[i];
            } else {
                assert_equal(&pattern[i], &first[i]);
                tsnni_pattern_free(&runtime, &pattern[i]);
            }
            if (threads[t] == 8)
                tsnni_pattern_free(&runtime, &first[i]);
        }
    }
}
END_TEST

START_TEST(seed_and_layer_change_the_topology)
{
    const struct {
        uint64_t seed;
        int64_t layer;
    } keys[] = {{1, 0}, {2, 0}, {1, 1}, {1, 0}};
    tsnni_runtime runtime;
    tsnni_pattern pattern[4][2];
    tsnni_runtime_init(&runtime);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(tsnni_sample_exact(&runtime, 50, 50, 300, keys[i].seed, keys[i].layer, &pattern[i][0]),
                         TSNN_OK);
        ck_assert_int_eq(tsnni_sample_bernoulli(&runtime, 50, 50, .1, keys[i].seed, keys[i].layer, &pattern[i][1]),
                         TSNN_OK);
    }
    for (int kind = 0; kind < 2; kind++) {
        assert_equal(&pattern[0][kind], &pattern[3][kind]);
        for (int i = 1; i < 3; i++)
            ck_assert_int_ne(memcmp(pattern[0][kind].row_ptr, pattern[i][kind].row_ptr, 51 * sizeof(int64_t)), 0);
    }
    for (int i = 0; i < 4; i++) {
        tsnni_pattern_free(&runtime, &pattern[i][0]);
        tsnni_pattern_free(&runtime, &pattern[i][1]);
    }
}
END_TEST

static tsnn_status end_sample(tsnni_runtime *runtime, tsnn_status status, tsnni_pattern *pattern)
{
    if (status < 0) {
        ck_assert_ptr_null(pattern->row_ptr);
        ck_assert_ptr_null(pattern->column.data);
        ck_assert_int_eq(pattern->rows | pattern->columns | pattern->count, 0);
    }
    tsnni_pattern_free(runtime, pattern);
    return status;
}

static tsnn_status build_bernoulli(tsnni_runtime *runtime)
{
    tsnni_pattern pattern = {.rows = 5};
    return end_sample(runtime, tsnni_sample_bernoulli(runtime, 40, 40, .2, 1, 0, &pattern), &pattern);
}

static tsnn_status build_full(tsnni_runtime *runtime)
{
    tsnni_pattern pattern = {.rows = 5};
    return end_sample(runtime, tsnni_sample_bernoulli(runtime, 40, 40, 1, 1, 0, &pattern), &pattern);
}

static tsnn_status build_exact_sorted(tsnni_runtime *runtime)
{
    tsnni_pattern pattern = {.rows = 5};
    return end_sample(runtime, tsnni_sample_exact(runtime, 400, 400, 200, 1, 0, &pattern), &pattern);
}

static tsnn_status build_exact_bits(tsnni_runtime *runtime)
{
    tsnni_pattern pattern = {.rows = 5};
    return end_sample(runtime, tsnni_sample_exact(runtime, 40, 40, 1200, 1, 0, &pattern), &pattern);
}

static tsnn_status build_distinct(tsnni_runtime *runtime)
{
    int64_t *sample = (int64_t *)runtime;
    tsnn_status status = tsnni_sample_distinct(runtime, user_key(0), 1000000, 100, &sample);
    if (status < 0)
        ck_assert_ptr_null(sample);
    tsnni_release(runtime, sample);
    return status;
}

START_TEST(a_sample_whose_memory_fails_leaves_nothing)
{
    ck_assert_int_ge(fail_each_allocation(build_bernoulli), 2);
    ck_assert_int_ge(fail_each_allocation(build_full), 2);
    ck_assert_int_ge(fail_each_allocation(build_exact_sorted), 4);
    ck_assert_int_ge(fail_each_allocation(build_exact_bits), 4);
    ck_assert_int_ge(fail_each_allocation(build_distinct), 2);
}
END_TEST

Suite *tsnni_suite_sampling(void)
{
    Suite *suite = suite_create("sampling");
    TCase *bernoulli = tcase_create("bernoulli");
    tcase_add_test(bernoulli, every_cell_is_as_likely_as_the_density_says);
    tcase_add_test(bernoulli, neighbouring_cells_are_independent);
    tcase_add_test(bernoulli, extreme_densities_are_exact);
    tcase_add_test(bernoulli, a_tiny_density_keeps_its_mean_over_wide_rows);
    suite_add_tcase(suite, bernoulli);
    TCase *exact = tcase_create("exact");
    tcase_add_test(exact, an_exact_count_is_exact);
    tcase_add_test(exact, an_exact_count_falls_on_every_cell_alike);
    tcase_add_test(exact, every_small_set_is_as_likely_as_any_other);
    tcase_add_test(exact, sparse_draws_are_even_after_their_redraws);
    tcase_add_test(exact, a_huge_population_costs_only_the_count);
    suite_add_tcase(suite, exact);
    TCase *both = tcase_create("both");
    tcase_add_test(both, impossible_densities_and_shapes_are_refused);
    tcase_add_test(both, impossible_samples_are_refused);
    tcase_add_test(both, the_number_of_threads_does_not_show);
    tcase_add_test(both, seed_and_layer_change_the_topology);
    tcase_add_test(both, a_sample_whose_memory_fails_leaves_nothing);
    suite_add_tcase(suite, both);
    return suite;
}
