/* Evolution: what goes, what stays, what comes, and where. */
#include "suites.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

/* ---- a layer read out ---- */

typedef struct snapshot {
    int64_t rows, columns, count;
    int64_t *row_ptr;
    int32_t *column;
    float *values, *velocity;
} snapshot;

static snapshot take_snapshot(const tsnn_layer *layer)
{
    tsnn_layer_info info = tsnni_test_layer_size(layer);
    snapshot s = {info.inputs, info.outputs, info.connections, NULL, NULL, NULL, NULL};
    s.row_ptr = tsnni_test_array(s.rows + 1, sizeof *s.row_ptr);
    s.column = tsnni_test_array(s.count, sizeof *s.column);
    s.values = tsnni_test_array(s.count, sizeof *s.values);
    s.velocity = tsnni_test_array(s.count, sizeof *s.velocity);
    TSNNI_OK(tsnn_layer_get_csr(layer, s.row_ptr, s.rows + 1, s.column, s.values, s.count));
    TSNNI_OK(tsnn_layer_get_velocity(layer, s.velocity, s.count, NULL, 0));
    return s;
}

static void free_snapshot(snapshot *s)
{
    free(s->row_ptr);
    free(s->column);
    free(s->values);
    free(s->velocity);
}

static void expect_structure(const snapshot *s)
{
    ck_assert_int_eq(s->row_ptr[0], 0);
    ck_assert_int_eq(s->row_ptr[s->rows], s->count);
    for (int64_t i = 0; i < s->rows; i++) {
        ck_assert_int_ge(s->row_ptr[i + 1], s->row_ptr[i]);
        for (int64_t k = s->row_ptr[i]; k < s->row_ptr[i + 1]; k++) {
            ck_assert_int_ge(s->column[k], 0);
            ck_assert_int_lt(s->column[k], s->columns);
            if (k > s->row_ptr[i])
                ck_assert_int_gt(s->column[k], s->column[k - 1]);
        }
    }
}

/* Position of a connection, or -1. */
static int64_t find(const snapshot *s, int64_t row, int64_t column)
{
    for (int64_t k = s->row_ptr[row]; k < s->row_ptr[row + 1]; k++)
        if (s->column[k] == column)
            return k;
    return -1;
}

/* ---- making things ---- */

static tsnn_evolution *make_evolution(tsnn_context *context, double zeta)
{
    tsnn_evolution_options options = TSNN_EVOLUTION_OPTIONS_INIT;
    options.zeta = zeta;
    tsnn_evolution *evolution = NULL;
    TSNNI_OK(tsnn_evolution_create(context, &options, &evolution));
    return evolution;
}

/* Weights that tell the connections apart, momentum that is a multiple of the weight. Fresh weights are at most
 * sqrt(6) in size, so those of 3 and more are survivors. */
static tsnn_layer *make_marked(tsnn_context *context, int64_t rows, int64_t columns, double density, uint64_t seed)
{
    tsnn_layer_options options = TSNN_LAYER_OPTIONS_INIT;
    options.inputs = rows;
    options.outputs = columns;
    options.density = density;
    options.stream = 9;
    tsnn_layer *layer = NULL;
    TSNNI_OK(tsnn_layer_create(context, &options, &layer));
    int64_t count = tsnni_test_layer_size(layer).connections;
    float *values = tsnni_test_array(2 * count, sizeof *values), *velocity = values + count;
    tsnni_test_random random = {seed};
    for (int64_t k = 0; k < count; k++)
        values[k] = (float)(3 + k);
    for (int64_t k = count - 1; k > 0; k--) {
        int64_t other = tsnni_test_below(&random, k + 1);
        float value = values[k];
        values[k] = values[other];
        values[other] = value;
    }
    for (int64_t k = 0; k < count; k++) {
        values[k] *= tsnni_test_below(&random, 2) == 0 ? -1.0f : 1.0f;
        velocity[k] = 3.0f * values[k];
    }
    TSNNI_OK(tsnn_layer_set_weights(layer, values, count, NULL, 0));
    TSNNI_OK(tsnn_layer_set_velocity(layer, velocity, count, NULL, 0));
    free(values);
    return layer;
}

static tsnn_layer *make_row(tsnn_context *context, int64_t columns, int64_t count, const float *values)
{
    const int64_t row_ptr[2] = {0, count};
    int32_t *column = tsnni_test_array(count, sizeof *column);
    for (int64_t k = 0; k < count; k++)
        column[k] = (int32_t)k;
    tsnn_layer *layer = NULL;
    TSNNI_OK(
        tsnn_layer_create_from_csr(context, 1, columns, count, row_ptr, column, values, NULL, TSNN_TRUSTED, &layer));
    free(column);
    return layer;
}

static tsnni_test_bytes bytes_of(const tsnn_layer *layer)
{
    tsnni_test_bytes bytes = {0};
    tsnni_test_bytes_add_layer(&bytes, layer);
    return bytes;
}

static void expect_unchanged(const tsnn_layer *layer, tsnni_test_bytes *before)
{
    tsnni_test_bytes after = bytes_of(layer);
    ck_assert(tsnni_test_bytes_equal(before, &after));
    tsnni_test_bytes_free(before);
    tsnni_test_bytes_free(&after);
}

/* ---- what goes and what stays ---- */

static int64_t smaller_of_sign(const snapshot *s, int64_t k)
{
    int64_t smaller = 0;
    for (int64_t other = 0; other < s->count; other++)
        smaller += (s->values[other] < 0.0f) == (s->values[k] < 0.0f) && fabsf(s->values[other]) < fabsf(s->values[k]);
    return smaller;
}

/* Every property of one evolution of a layer of make_marked, whose weights differ in size. */
static void expect_evolved(const snapshot *before, const snapshot *after, double zeta, int64_t replaced)
{
    int64_t counts[2] = {0, 0}, quota[2], fresh = 0;
    for (int64_t k = 0; k < before->count; k++)
        counts[before->values[k] < 0.0f ? 0 : 1]++;
    for (int sign = 0; sign < 2; sign++)
        quota[sign] = (int64_t)floor(zeta * (double)counts[sign]);
    expect_structure(after);
    ck_assert_int_eq(after->count, before->count);
    ck_assert_int_eq(replaced, quota[0] + quota[1]);
    for (int64_t i = 0; i < before->rows; i++) {
        for (int64_t k = before->row_ptr[i]; k < before->row_ptr[i + 1]; k++) {
            int64_t now = find(after, i, before->column[k]);
            int survived = now >= 0 && fabsf(after->values[now]) >= 3.0f;
            ck_assert_int_eq(survived, smaller_of_sign(before, k) >= quota[before->values[k] < 0.0f ? 0 : 1]);
            if (survived) {
                ck_assert(after->values[now] == before->values[k]);
                ck_assert(after->velocity[now] == before->velocity[k]);
            }
        }
    }
    for (int64_t k = 0; k < after->count; k++) {
        if (fabsf(after->values[k]) >= 3.0f)
            continue;
        ck_assert(after->values[k] != 0.0f && fabsf(after->values[k]) < 2.45f);
        ck_assert(after->velocity[k] == 0.0f);
        fresh++;
    }
    ck_assert_int_eq(fresh, replaced);
}

static void expect_evolution(int64_t rows, int64_t columns, double density, double zeta, int32_t threads)
{
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, threads, 3);
    tsnn_layer *layer = make_marked(context, rows, columns, density, 11);
    tsnn_evolution *evolution = make_evolution(context, zeta);
    snapshot before = take_snapshot(layer);
    int64_t replaced = -1;
    TSNNI_OK(tsnn_evolution_apply_layer(evolution, layer, 4, &replaced));
    snapshot after = take_snapshot(layer);
    expect_evolved(&before, &after, zeta, replaced);
    free_snapshot(&before);
    free_snapshot(&after);
    tsnn_evolution_destroy(&evolution);
    tsnn_layer_destroy(&layer);
    tsnn_context_destroy(&context);
}

START_TEST(the_smallest_of_each_sign_go_and_as_many_come)
{
    const double zetas[] = {0.05, 0.3, 0.5, 0.99, 1.0};
    for (size_t z = 0; z < sizeof zetas / sizeof zetas[0]; z++) {
        expect_evolution(40, 30, 0.2, zetas[z], 1);
        expect_evolution(40, 30, 0.2, zetas[z], 3);
        expect_evolution(1, 500, 0.3, zetas[z], 2);
        expect_evolution(500, 1, 0.3, zetas[z], 2);
    }
}
END_TEST

START_TEST(a_layer_that_is_nearly_full_evolves_too)
{
    expect_evolution(30, 20, 0.6, 0.3, 1);
    expect_evolution(30, 20, 0.97, 0.3, 2);
    expect_evolution(30, 20, 0.97, 1.0, 2);
}
END_TEST

START_TEST(columns_beyond_16_bits_evolve_too)
{
    expect_evolution(5, 70000, 0.01, 0.3, 2);
    expect_evolution(70000, 5, 0.01, 0.3, 2);
}
END_TEST

START_TEST(the_count_stays_over_many_rounds)
{
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 3);
    tsnn_layer *layer = make_marked(context, 20, 20, 0.25, 5);
    tsnn_evolution *evolution = make_evolution(context, 0.3);
    int64_t count = tsnni_test_layer_size(layer).connections;
    for (int64_t round = 0; round < 30; round++) {
        TSNNI_OK(tsnn_evolution_apply_layer(evolution, layer, round, NULL));
        snapshot after = take_snapshot(layer);
        expect_structure(&after);
        ck_assert_int_eq(after.count, count);
        free_snapshot(&after);
    }
    tsnn_evolution_destroy(&evolution);
    tsnn_layer_destroy(&layer);
    tsnn_context_destroy(&context);
}
END_TEST

START_TEST(init_scale_is_for_the_first_weights_not_for_regrown_ones)
{
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 1);
    tsnn_layer_options options = TSNN_LAYER_OPTIONS_INIT;
    options.inputs = options.outputs = 60;
    options.density = 0.3;
    options.init_scale = 100.0;
    tsnn_layer *layer = NULL;
    TSNNI_OK(tsnn_layer_create(context, &options, &layer));
    tsnn_evolution *evolution = make_evolution(context, 0.3);
    int64_t replaced = 0, small = 0;
    TSNNI_OK(tsnn_evolution_apply_layer(evolution, layer, 1, &replaced));
    snapshot after = take_snapshot(layer);
    /* The rule's width is sqrt(6 / 60); survivors are a hundred times as large and the smallest of them went. */
    for (int64_t k = 0; k < after.count; k++)
        small += fabsf(after.values[k]) <= 0.3163f;
    ck_assert_int_gt(replaced, 0);
    ck_assert_int_eq(small, replaced);
    free_snapshot(&after);
    tsnn_evolution_destroy(&evolution);
    tsnn_layer_destroy(&layer);
    tsnn_context_destroy(&context);
}
END_TEST

/* Values of make_row after one round: those of before that are left, in order. */
static void expect_survivors(int64_t count, const float *values, double zeta, int64_t expected_count,
                             const float *expected)
{
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 1);
    tsnn_layer *layer = make_row(context, 1000, count, values);
    tsnn_evolution *evolution = make_evolution(context, zeta);
    float velocity[64];
    for (int64_t k = 0; k < count; k++)
        velocity[k] = 1.0f; /* tells survivors from fresh ones */
    TSNNI_OK(tsnn_layer_set_velocity(layer, velocity, count, NULL, 0));
    int64_t replaced = -1, found = 0;
    TSNNI_OK(tsnn_evolution_apply_layer(evolution, layer, 0, &replaced));
    ck_assert_int_eq(replaced, count - expected_count);
    snapshot after = take_snapshot(layer);
    ck_assert_int_eq(after.count, count);
    for (int64_t k = 0; k < count; k++) {
        if (after.velocity[k] == 0.0f)
            continue;
        ck_assert_int_lt(found, expected_count);
        ck_assert(after.values[k] == expected[found++]);
    }
    ck_assert_int_eq(found, expected_count);
    free_snapshot(&after);
    tsnn_evolution_destroy(&evolution);
    tsnn_layer_destroy(&layer);
    tsnn_context_destroy(&context);
}

START_TEST(of_equal_weights_the_earlier_go)
{
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 1);
    const float values[10] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    float velocity[10];
    for (int k = 0; k < 10; k++)
        velocity[k] = (float)(k + 1);
    tsnn_layer *layer = make_row(context, 1000, 10, values);
    TSNNI_OK(tsnn_layer_set_velocity(layer, velocity, 10, NULL, 0));
    tsnn_evolution *evolution = make_evolution(context, 0.45);
    TSNNI_OK(tsnn_evolution_apply_layer(evolution, layer, 0, NULL));
    snapshot after = take_snapshot(layer);
    float last = 4.0f; /* of the ten, 1 to 4 have gone */
    for (int64_t k = 0; k < 10; k++) {
        if (after.velocity[k] == 0.0f)
            continue;
        ck_assert(after.velocity[k] == last + 1.0f);
        last = after.velocity[k];
    }
    ck_assert(last == 10.0f);
    free_snapshot(&after);
    tsnn_evolution_destroy(&evolution);
    tsnn_layer_destroy(&layer);
    tsnn_context_destroy(&context);
}
END_TEST

START_TEST(zeros_of_both_kinds_count_as_positive)
{
    const float values[8] = {-1.0f, 0.0f, 2.0f, -0.0f, -3.0f, 1.0f, -2.0f, -4.0f};
    const float half[4] = {2.0f, -3.0f, 1.0f, -4.0f};
    expect_survivors(8, values, 0.5, 4, half);
    const float quarter[6] = {2.0f, -0.0f, -3.0f, 1.0f, -2.0f, -4.0f};
    expect_survivors(8, values, 0.25, 6, quarter);
}
END_TEST

START_TEST(a_layer_of_one_sign_loses_its_share)
{
    const float positive[5] = {5.0f, 4.0f, 3.0f, 2.0f, 1.0f}, kept[4] = {5.0f, 4.0f, 3.0f, 2.0f};
    expect_survivors(5, positive, 0.3, 4, kept);
    const float negative[5] = {-1.0f, -4.0f, -3.0f, -2.0f, -5.0f}, kept_too[2] = {-4.0f, -5.0f};
    expect_survivors(5, negative, 0.6, 2, kept_too);
}
END_TEST

/* ---- layers that stay as they are ---- */

static void expect_nothing_replaced(tsnn_context *context, tsnn_layer *layer, double zeta)
{
    tsnn_evolution *evolution = make_evolution(context, zeta);
    tsnni_test_bytes before = bytes_of(layer);
    int64_t replaced = -1;
    TSNNI_OK(tsnn_evolution_apply_layer(evolution, layer, 0, &replaced));
    ck_assert_int_eq(replaced, 0);
    expect_unchanged(layer, &before);
    tsnn_evolution_destroy(&evolution);
}

START_TEST(a_layer_with_nothing_to_replace_keeps_its_bits)
{
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 1);
    tsnn_layer *small = make_marked(context, 10, 10, 0.3, 1);
    expect_nothing_replaced(context, small, 0.02); /* less than one of each sign */
    tsnn_layer *full = make_marked(context, 10, 10, 1.0, 1);
    expect_nothing_replaced(context, full, 1.0);
    TSNNI_OK(tsnn_layer_freeze(small, 1));
    expect_nothing_replaced(context, small, 1.0);
    tsnn_layer *empty = make_row(context, 7, 0, NULL);
    expect_nothing_replaced(context, empty, 1.0);
    tsnn_layer_destroy(&small);
    tsnn_layer_destroy(&full);
    tsnn_layer_destroy(&empty);
    tsnn_context_destroy(&context);
}
END_TEST

START_TEST(a_weight_that_is_no_number_is_refused_with_its_position)
{
    const float weights[4][3] = {{1.0f, NAN, 2.0f}, {INFINITY, 1.0f, 2.0f}, {1.0f, 2.0f, -INFINITY}, {NAN, NAN, NAN}};
    const char *texts[4] = {"value 1 of 3", "value 0 of 3", "value 2 of 3", "value 0 of 3"};
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 1);
    tsnn_evolution *evolution = make_evolution(context, 0.5);
    for (int c = 0; c < 4; c++) {
        tsnn_layer *layer = make_row(context, 9, 3, weights[c]);
        tsnni_test_bytes before = bytes_of(layer);
        int64_t replaced = -1;
        TSNNI_REFUSED(context, TSNN_ERROR_NOT_FINITE, tsnn_evolution_apply_layer(evolution, layer, 0, &replaced));
        tsnni_test_expect_text(context, texts[c]);
        expect_unchanged(layer, &before);
        tsnn_layer_destroy(&layer);
    }
    tsnn_evolution_destroy(&evolution);
    tsnn_context_destroy(&context);
}
END_TEST

/* ---- where the new ones come ---- */

/* Five standard deviations above the mean of chi-square. */
static double chi_square_limit(double freedom)
{
    return freedom + 5.0 * sqrt(2.0 * freedom);
}

/* Many rounds from one start: each empty cell, those just left included, is as likely as any other. */
static void expect_uniform(int64_t rows, int64_t columns, double density, double zeta, int64_t rounds)
{
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 17);
    tsnn_evolution *evolution = make_evolution(context, zeta);
    tsnn_layer *layer = make_marked(context, rows, columns, density, 2);
    snapshot start = take_snapshot(layer);
    int64_t *hits = tsnni_test_array(rows * columns, sizeof *hits), replaced = 0, returned = 0;
    char *survives = tsnni_test_array(rows * columns, 1);
    for (int64_t round = 0; round < rounds; round++) {
        tsnn_layer *copy = make_marked(context, rows, columns, density, 2); /* the same but for the round */
        TSNNI_OK(tsnn_evolution_apply_layer(evolution, copy, round, &replaced));
        snapshot after = take_snapshot(copy);
        for (int64_t i = 0; i < rows; i++) {
            for (int64_t k = after.row_ptr[i]; k < after.row_ptr[i + 1]; k++) {
                int64_t cell = i * columns + after.column[k];
                if (after.velocity[k] != 0.0f) {
                    survives[cell] = 1;
                } else {
                    hits[cell]++;
                    returned += find(&start, i, after.column[k]) >= 0;
                }
            }
        }
        free_snapshot(&after);
        tsnn_layer_destroy(&copy);
    }
    double empty = (double)(rows * columns - (start.count - replaced));
    double share = (double)replaced / empty, expected = (double)rounds * share, chi = 0.0;
    for (int64_t cell = 0; cell < rows * columns; cell++) {
        if (survives[cell])
            ck_assert_int_eq(hits[cell], 0);
        else
            chi += ((double)hits[cell] - expected) * ((double)hits[cell] - expected) / expected;
    }
    chi /= 1.0 - share; /* drawn without replacement: each count varies less */
    ck_assert_msg(chi < chi_square_limit(empty - 1.0), "chi-square %g with %g degrees of freedom", chi, empty - 1.0);
    ck_assert_msg(chi > empty - 1.0 - 5.0 * sqrt(2.0 * empty), "chi-square %g is too even", chi);
    double mean = (double)rounds * (double)replaced * share;
    ck_assert(fabs((double)returned - mean) < 6.0 * sqrt(mean));
    free(hits);
    free(survives);
    free_snapshot(&start);
    tsnn_layer_destroy(&layer);
    tsnn_evolution_destroy(&evolution);
    tsnn_context_destroy(&context);
}

START_TEST(every_empty_cell_is_as_likely_as_any_other)
{
    int64_t rounds = tsnni_test_all() ? 20000 : 2000;
    expect_uniform(12, 15, 0.3, 0.3, rounds);
    expect_uniform(7, 9, 0.7, 0.5, rounds);
    expect_uniform(40, 50, 0.04, 0.3, rounds / 4);
}
END_TEST

START_TEST(every_row_of_a_larger_layer_gets_its_share)
{
    enum { ROWS = 400, COLUMNS = 600, ROUNDS = 20 };
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 2, 23);
    tsnn_evolution *evolution = make_evolution(context, 0.3);
    double chi = 0.0, freedom = 0.0;
    tsnn_layer *layer = make_marked(context, ROWS, COLUMNS, 0.05, 4);
    for (int64_t round = 0; round < ROUNDS; round++) {
        int64_t replaced, kept[ROWS] = {0}, fresh[ROWS] = {0};
        int64_t count = tsnni_test_layer_size(layer).connections;
        float *ones = tsnni_test_array(count, sizeof *ones);
        for (int64_t k = 0; k < count; k++)
            ones[k] = 1.0f;
        TSNNI_OK(tsnn_layer_set_velocity(layer, ones, count, NULL, 0));
        TSNNI_OK(tsnn_evolution_apply_layer(evolution, layer, round, &replaced));
        snapshot after = take_snapshot(layer);
        for (int64_t i = 0; i < ROWS; i++)
            for (int64_t k = after.row_ptr[i]; k < after.row_ptr[i + 1]; k++)
                *(after.velocity[k] != 0.0f ? &kept[i] : &fresh[i]) += 1;
        double share = (double)replaced / (double)(ROWS * COLUMNS - (count - replaced));
        for (int64_t i = 0; i < ROWS; i++) {
            double expected = share * (double)(COLUMNS - kept[i]);
            chi += ((double)fresh[i] - expected) * ((double)fresh[i] - expected) / (expected * (1.0 - share));
        }
        freedom += ROWS - 1;
        free_snapshot(&after);
        free(ones);
    }
    ck_assert_msg(chi < chi_square_limit(freedom), "chi-square %g with %g degrees of freedom", chi, freedom);
    tsnn_layer_destroy(&layer);
    tsnn_evolution_destroy(&evolution);
    tsnn_context_destroy(&context);
}
END_TEST

START_TEST(fresh_weights_follow_the_layers_rule)
{
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 31);
    tsnn_evolution *evolution = make_evolution(context, 1.0);
    for (int32_t init = TSNN_INIT_HE_UNIFORM; init <= TSNN_INIT_NORMAL; init++) {
        tsnn_layer_options options = TSNN_LAYER_OPTIONS_INIT;
        options.inputs = 150;
        options.outputs = 300;
        options.density = 0.3;
        options.init = init;
        tsnn_layer *layer = NULL;
        TSNNI_OK(tsnn_layer_create(context, &options, &layer));
        TSNNI_OK(tsnn_evolution_apply_layer(evolution, layer, 0, NULL));
        snapshot after = take_snapshot(layer);
        double sum = 0.0, squares = 0.0, n = (double)after.count;
        for (int64_t k = 0; k < after.count; k++) {
            sum += (double)after.values[k];
            squares += (double)after.values[k] * (double)after.values[k];
        }
        double variance = init == TSNN_INIT_HE_UNIFORM       ? 2.0 / 150.0
                          : init == TSNN_INIT_XAVIER_UNIFORM ? 2.0 / 450.0
                                                             : 0.01;
        ck_assert(fabs(sum / n) < 5.0 * sqrt(variance / n));
        ck_assert(fabs(squares / n - variance) < 5.0 * variance * sqrt(2.0 / n));
        free_snapshot(&after);
        tsnn_layer_destroy(&layer);
    }
    tsnn_evolution_destroy(&evolution);
    tsnn_context_destroy(&context);
}
END_TEST

/* ---- repeatability ---- */

static tsnni_test_bytes evolved_bytes(int32_t threads, int64_t round, uint64_t seed)
{
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, threads, seed);
    tsnn_evolution *evolution = make_evolution(context, 0.3);
    tsnn_layer *layer = make_marked(context, 400, 500, 0.15, 6);
    TSNNI_OK(tsnn_evolution_apply_layer(evolution, layer, round, NULL));
    tsnni_test_bytes bytes = bytes_of(layer);
    tsnn_layer_destroy(&layer);
    tsnn_evolution_destroy(&evolution);
    tsnn_context_destroy(&context);
    return bytes;
}

START_TEST(threads_do_not_change_the_result)
{
    const int32_t threads[] = {2, 3, 8};
    tsnni_test_bytes one = evolved_bytes(1, 5, 1);
    for (size_t t = 0; t < sizeof threads / sizeof threads[0]; t++) {
        tsnni_test_bytes many = evolved_bytes(threads[t], 5, 1);
        ck_assert(tsnni_test_bytes_equal(&one, &many));
        tsnni_test_bytes_free(&many);
    }
    tsnni_test_bytes_free(&one);
}
END_TEST

START_TEST(a_round_repeats_itself_and_no_other)
{
    tsnni_test_bytes first = evolved_bytes(1, 5, 1), again = evolved_bytes(1, 5, 1), other = evolved_bytes(1, 6, 1);
    ck_assert(tsnni_test_bytes_equal(&first, &again));
    ck_assert(!tsnni_test_bytes_equal(&first, &other));
    tsnni_test_bytes_free(&first);
    tsnni_test_bytes_free(&again);
    tsnni_test_bytes_free(&other);
}
END_TEST

/* ---- networks ---- */

START_TEST(every_layer_but_the_last_evolves)
{
    const int64_t sizes[] = {20, 30, 25, 10};
    const tsnni_test_function functions[3] = {{TSNN_ACTIVATION_RELU, 0}, {TSNN_ACTIVATION_RELU, 0}, {0, 0}};
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 1);
    tsnn_network *network = tsnni_test_network(context, 3, sizes, functions, 0.2, 0.0);
    tsnn_evolution *evolution = make_evolution(context, 0.0); /* the default, .3 */
    tsnni_test_bytes before[3];
    int64_t expected = 0, replaced = -1;
    for (int64_t l = 0; l < 3; l++) {
        snapshot s = take_snapshot(tsnni_test_layer_of(network, l));
        before[l] = bytes_of(tsnni_test_layer_of(network, l));
        int64_t negative = 0;
        for (int64_t k = 0; k < s.count; k++)
            negative += s.values[k] < 0.0f;
        if (l < 2)
            expected += (int64_t)floor(0.3 * (double)negative) + (int64_t)floor(0.3 * (double)(s.count - negative));
        free_snapshot(&s);
    }
    TSNNI_OK(tsnn_evolution_apply(evolution, network, 1, &replaced));
    ck_assert_int_eq(replaced, expected);
    for (int64_t l = 0; l < 3; l++) {
        tsnni_test_bytes after = bytes_of(tsnni_test_layer_of(network, l));
        ck_assert_int_eq(tsnni_test_bytes_equal(&before[l], &after), l == 2);
        tsnni_test_bytes_free(&before[l]);
        tsnni_test_bytes_free(&after);
    }
    tsnn_evolution_destroy(&evolution);
    tsnn_network_destroy(&network);
    TSNNI_OK(tsnn_network_create(context, &network));
    evolution = make_evolution(context, 0.5);
    TSNNI_OK(tsnn_evolution_apply(evolution, network, 0, &replaced));
    ck_assert_int_eq(replaced, 0);
    tsnn_evolution_destroy(&evolution);
    tsnn_network_destroy(&network);
    tsnn_context_destroy(&context);
}
END_TEST

/* ---- refusals ---- */

START_TEST(bad_arguments_are_refused)
{
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 1), *stranger = tsnni_test_context(0, 1, 1);
    const double bad[] = {-0.1, 1.0000001, NAN, INFINITY, -INFINITY};
    tsnn_evolution *evolution = (tsnn_evolution *)context;
    tsnn_evolution_options options = TSNN_EVOLUTION_OPTIONS_INIT, from_function;
    for (size_t c = 0; c < sizeof bad / sizeof bad[0]; c++) {
        options.zeta = bad[c];
        TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_evolution_create(context, &options, &evolution));
        ck_assert_ptr_null(evolution);
    }
    options.struct_size = 3;
    TSNNI_REFUSED(context, TSNN_ERROR_STRUCT_SIZE, tsnn_evolution_create(context, &options, &evolution));
    ck_assert_int_eq(tsnn_evolution_create(NULL, NULL, &evolution), TSNN_ERROR_NULL_ARGUMENT);
    ck_assert_int_eq(tsnn_evolution_create(context, NULL, NULL), TSNN_ERROR_NULL_ARGUMENT);
    ck_assert_int_eq(tsnn_evolution_options_init(NULL), TSNN_ERROR_NULL_ARGUMENT);
    memset(&from_function, 0xFF, sizeof from_function);
    TSNNI_OK(tsnn_evolution_options_init(&from_function));
    ck_assert_uint_eq(from_function.struct_size, sizeof from_function);
    ck_assert(from_function.zeta == 0.0 && from_function.reserved == 0);

    TSNNI_OK(tsnn_evolution_create(context, NULL, &evolution));
    tsnn_layer *layer = make_marked(context, 5, 5, 0.5, 1), *strange = make_marked(stranger, 5, 5, 0.5, 1);
    tsnn_network *network = NULL, *strange_network = NULL;
    TSNNI_OK(tsnn_network_create(context, &network));
    TSNNI_OK(tsnn_network_create(stranger, &strange_network));
    ck_assert_int_eq(tsnn_evolution_apply_layer(NULL, layer, 0, NULL), TSNN_ERROR_NULL_ARGUMENT);
    ck_assert_int_eq(tsnn_evolution_apply_layer(evolution, NULL, 0, NULL), TSNN_ERROR_NULL_ARGUMENT);
    ck_assert_int_eq(tsnn_evolution_apply(NULL, network, 0, NULL), TSNN_ERROR_NULL_ARGUMENT);
    ck_assert_int_eq(tsnn_evolution_apply(evolution, NULL, 0, NULL), TSNN_ERROR_NULL_ARGUMENT);
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_evolution_apply_layer(evolution, layer, -1, NULL));
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_evolution_apply(evolution, network, -1, NULL));
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_evolution_apply_layer(evolution, strange, 0, NULL));
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_evolution_apply(evolution, strange_network, 0, NULL));
    tsnn_network_destroy(&network);
    tsnn_network_destroy(&strange_network);
    tsnn_layer_destroy(&layer);
    tsnn_layer_destroy(&strange);
    tsnn_evolution_destroy(&evolution);
    ck_assert_ptr_null(evolution);
    tsnn_evolution_destroy(&evolution);
    tsnn_evolution_destroy(NULL);
    tsnn_context_destroy(&context);
    tsnn_context_destroy(&stranger);
}
END_TEST

START_TEST(a_failing_layer_is_named)
{
    const float weights[2] = {1.0f, NAN};
    const int64_t row_ptr[3] = {0, 1, 2};
    const int32_t column[2] = {0, 1};
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 1);
    tsnn_network *network = NULL;
    TSNNI_OK(tsnn_network_create(context, &network));
    for (int l = 0; l < 3; l++) {
        const float fine[2] = {1.0f, 2.0f};
        tsnn_layer *layer = NULL;
        TSNNI_OK(tsnn_layer_create_from_csr(context, 2, 2, 2, row_ptr, column, l == 1 ? weights : fine, NULL,
                                            TSNN_TRUSTED, &layer));
        TSNNI_OK(tsnn_network_append(network, &layer, NULL, 0.0));
    }
    tsnn_evolution *evolution = make_evolution(context, 0.5);
    int64_t replaced = -1;
    TSNNI_REFUSED(context, TSNN_ERROR_NOT_FINITE, tsnn_evolution_apply(evolution, network, 0, &replaced));
    tsnni_test_expect_text(context, "layer 1: ");
    tsnni_test_expect_text(context, "value 1 of 2 is nan");
    ck_assert_int_eq(replaced, 1); /* of layer 0 */
    tsnn_evolution_destroy(&evolution);
    tsnn_network_destroy(&network);
    tsnn_context_destroy(&context);
}
END_TEST

static void fail_each_allocation_of(double density)
{
    for (int64_t fail_at = 1;; fail_at++) {
        tsnni_test_allocator allocator = {0};
        tsnn_context *context = tsnni_test_counted_context(&allocator);
        tsnn_layer *layer = make_marked(context, 20, 60, density, 1);
        tsnni_test_bytes before = bytes_of(layer);
        tsnn_evolution *evolution = (tsnn_evolution *)layer;
        allocator.fail_at = allocator.calls + fail_at;
        tsnn_status status = tsnn_evolution_create(context, NULL, &evolution);
        if (status < 0) {
            ck_assert_ptr_null(evolution);
        } else {
            status = tsnn_evolution_apply_layer(evolution, layer, 0, NULL);
        }
        if (status < 0) {
            TSNNI_REFUSED(context, TSNN_ERROR_OUT_OF_MEMORY, status);
            expect_unchanged(layer, &before);
        }
        tsnni_test_bytes_free(&before);
        tsnn_evolution_destroy(&evolution);
        tsnn_layer_destroy(&layer);
        tsnn_context_destroy(&context);
        ck_assert_int_eq(allocator.live, 0);
        if (status == TSNN_OK) {
            ck_assert_int_eq(allocator.refused, 0);
            ck_assert_int_gt(fail_at, 5);
            return;
        }
        ck_assert_int_eq(allocator.refused, 1);
    }
}

START_TEST(without_memory_the_layer_stays_as_it_was)
{
    fail_each_allocation_of(0.02);
    fail_each_allocation_of(0.5);
}
END_TEST

Suite *tsnni_suite_evolution(void)
{
    Suite *suite = suite_create("evolution");
    TCase *exchange = tcase_create("exchange");
    tcase_add_test(exchange, init_scale_is_for_the_first_weights_not_for_regrown_ones);
    tcase_add_test(exchange, the_smallest_of_each_sign_go_and_as_many_come);
    tcase_add_test(exchange, a_layer_that_is_nearly_full_evolves_too);
    tcase_add_test(exchange, columns_beyond_16_bits_evolve_too);
    tcase_add_test(exchange, the_count_stays_over_many_rounds);
    tcase_add_test(exchange, of_equal_weights_the_earlier_go);
    tcase_add_test(exchange, zeros_of_both_kinds_count_as_positive);
    tcase_add_test(exchange, a_layer_of_one_sign_loses_its_share);
    tcase_add_test(exchange, a_layer_with_nothing_to_replace_keeps_its_bits);
    tcase_add_test(exchange, a_weight_that_is_no_number_is_refused_with_its_position);
    tcase_add_test(exchange, every_layer_but_the_last_evolves);
    suite_add_tcase(suite, exchange);
    TCase *chance = tcase_create("chance");
    tcase_set_timeout(chance, 60);
    tcase_add_test(chance, every_empty_cell_is_as_likely_as_any_other);
    tcase_add_test(chance, every_row_of_a_larger_layer_gets_its_share);
    tcase_add_test(chance, fresh_weights_follow_the_layers_rule);
    tcase_add_test(chance, threads_do_not_change_the_result);
    tcase_add_test(chance, a_round_repeats_itself_and_no_other);
    suite_add_tcase(suite, chance);
    TCase *refusals = tcase_create("refusals");
    tcase_add_test(refusals, bad_arguments_are_refused);
    tcase_add_test(refusals, a_failing_layer_is_named);
    tcase_add_test(refusals, without_memory_the_layer_stays_as_it_was);
    suite_add_tcase(suite, refusals);
    return suite;
}
