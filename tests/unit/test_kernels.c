/* The kernel tables: each one that this machine has against a double-precision computation, and the dropout masks. */
#include "kernel_compare.h"
#include "suites.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void expect_no_mismatch(int isa, void (*compare)(const tsnni_kernels *, tsnni_report *))
{
    const tsnni_kernels *kernels = tsnni_kernels_for((tsnni_isa)isa);
    tsnni_report report = {0, 0, ""};
    if (!kernels)
        return;
    compare(kernels, &report);
    ck_assert_int_gt(report.checks, 0);
    ck_assert_msg(report.mismatches == 0, "%lld of %lld: %s", (long long)report.mismatches, (long long)report.checks,
                  report.first);
}

START_TEST(layers_of_every_size_agree_with_double_precision)
{
    expect_no_mismatch(_i, tsnni_compare_sizes);
}
END_TEST

START_TEST(batches_of_1_to_130_agree_with_double_precision)
{
    expect_no_mismatch(_i, tsnni_compare_batches);
}
END_TEST

START_TEST(wide_batches_and_uneven_rows_agree_with_double_precision)
{
    expect_no_mismatch(_i, tsnni_compare_shapes);
}
END_TEST

/* Those of the benchmark's table that a test has the time for. */
static void compare_timed_shapes(const tsnni_kernels *kernels, tsnni_report *report)
{
    for (size_t s = 0; s < TSNNI_COUNT(bench_shapes); s++) {
        const bench_shape *timed = &bench_shapes[s];
        double cells = (double)timed->inputs * (double)timed->outputs;
        double density = timed->epsilon * (double)(timed->inputs + timed->outputs) / cells;
        tsnni_kernel_shape shape = {timed->inputs, timed->outputs, timed->batch, density < 1.0 ? density : 1.0, 0, 0};
        if (cells > 1e6)
            continue;
        tsnni_compare_forward(kernels, &shape, &tsnni_forward_variants[0], report);
        tsnni_compare_backward(kernels, &shape, &tsnni_backward_variants[0], report);
    }
}

START_TEST(the_shapes_that_are_timed_agree_with_double_precision)
{
    expect_no_mismatch(_i, compare_timed_shapes);
}
END_TEST

START_TEST(sigmoid_tanh_and_softmax_are_within_three_units_in_the_last_place)
{
    expect_no_mismatch(_i, tsnni_compare_functions);
}
END_TEST

START_TEST(update_dropout_derivative_rounding_and_batch_transposes_agree)
{
    expect_no_mismatch(_i, tsnni_compare_flat);
}
END_TEST

START_TEST(packed_layers_agree_with_double_precision)
{
    expect_no_mismatch(_i, tsnni_compare_packed);
}
END_TEST

START_TEST(a_width_of_zero_changes_nothing)
{
    const tsnni_kernels *kernels = tsnni_kernels_for((tsnni_isa)_i);
    if (!kernels)
        return;
    int64_t ptr[] = {0, 1};
    uint16_t narrow[1 + TSNNI_INDEX_PADDING] = {0};
    uint32_t wide[1 + TSNNI_INDEX_PADDING] = {0};
    float value = 3, velocity = 5, dx_sum = 7, x[16] = {1}, y[16] = {9};
    tsnni_forward forward = {.rows = 1,
                             .columns = 1,
                             .column_ptr = ptr,
                             .position = wide,
                             .values = &value,
                             .x = x,
                             .y = y,
                             .stride = 16,
                             .negative_slope = 1};
    tsnni_backward backward = {.rows = 1,
                               .columns = 1,
                               .row_ptr = ptr,
                               .values = &value,
                               .velocity = &velocity,
                               .x = x,
                               .dy = x,
                               .dx = y,
                               .dx_sum = &dx_sum,
                               .stride = 16,
                               .update = TSNNI_MOMENTUM};
    for (int index = 0; index < 2; index++) {
        forward.row = backward.column = index ? (const void *)wide : narrow;
        kernels->forward[index](&forward, 0, 1);
        kernels->backward[index](&backward, 0, 1);
    }
    kernels->dense_forward(&forward, 0, 0);
    kernels->dense_backward(&backward, 0, 1);
    kernels->derivative(&backward, 0, 1);
    ck_assert_float_eq(value, 3);
    ck_assert_float_eq(velocity, 5);
    ck_assert_float_eq(dx_sum, 7);
    ck_assert_float_eq(y[0], 9);
}
END_TEST

/* ---- the dropout masks as random numbers ---- */

enum { MASK_ROWS = 512, MASK_WIDTH = 128, MASK_WORDS = MASK_WIDTH / 16 };

static void draw_mask(uint64_t seed, int64_t layer, int64_t step, uint32_t keep_below, uint16_t *mask)
{
    static float y[MASK_ROWS * MASK_WIDTH];
    tsnni_forward task = {.columns = MASK_ROWS,
                          .y = y,
                          .stride = MASK_WIDTH,
                          .width = MASK_WIDTH,
                          .keep = mask,
                          .keep_below = keep_below,
                          .keep_scale = 1,
                          .key = tsnni_random_key_make(seed, TSNNI_PURPOSE_DROPOUT, layer, step, 0)};
    tsnni_kernels_best()->dropout(&task, 0, MASK_ROWS);
}

static int64_t bits_of(const uint16_t *a, const uint16_t *b, int64_t words)
{
    int64_t count = 0;
    for (int64_t i = 0; i < words; i++)
        for (int k = 0; k < 16; k++)
            count += (a[i] & b[i]) >> k & 1;
    return count;
}

/* `count` of `trials` with probability p: within five standard deviations. */
static void expect_share(int64_t count, int64_t trials, double p)
{
    double deviation = ((double)count - p * (double)trials) / sqrt((double)trials * p * (1 - p));
    ck_assert_msg(fabs(deviation) < 5, "%lld of %lld with p %g", (long long)count, (long long)trials, p);
}

START_TEST(dropout_keeps_the_share_that_is_asked_for)
{
    static const uint32_t bounds[] = {1, 77, 128, 179, 255};
    static uint16_t mask[MASK_ROWS * MASK_WORDS];
    for (size_t i = 0; i < TSNNI_COUNT(bounds); i++) {
        draw_mask(1, 0, 0, bounds[i], mask);
        expect_share(bits_of(mask, mask, MASK_ROWS * MASK_WORDS), MASK_ROWS * MASK_WIDTH, bounds[i] / 256.0);
    }
    draw_mask(1, 0, 0, 256, mask);
    ck_assert_int_eq(bits_of(mask, mask, MASK_ROWS * MASK_WORDS), MASK_ROWS * MASK_WIDTH);
}
END_TEST

START_TEST(dropout_masks_of_other_rows_steps_layers_and_seeds_are_independent)
{
    static uint16_t mask[MASK_ROWS * MASK_WORDS], other[MASK_ROWS * MASK_WORDS];
    const int64_t words = MASK_ROWS * MASK_WORDS, bits = words * 16;
    draw_mask(1, 0, 0, 128, mask);
    expect_share(bits_of(mask, mask + MASK_WORDS, words - MASK_WORDS), bits - MASK_WIDTH, 0.25);
    expect_share(bits_of(mask, mask + 1, words - 1), bits - 16, 0.25);
    draw_mask(1, 0, 1, 128, other);
    expect_share(bits_of(mask, other, words), bits, 0.25);
    draw_mask(1, 1, 0, 128, other);
    expect_share(bits_of(mask, other, words), bits, 0.25);
    draw_mask(2, 0, 0, 128, other);
    expect_share(bits_of(mask, other, words), bits, 0.25);
    draw_mask(1, 0, 0, 128, other);
    ck_assert_mem_eq(mask, other, sizeof mask);
}
END_TEST

/* ---- the choice ---- */

START_TEST(tables_say_what_they_are)
{
    static const char *const names[] = {"", "ref", "avx2", "avx512", "neon"};
    ck_assert_ptr_nonnull(tsnni_kernels_for(TSNNI_ISA_REF));
    for (int isa = TSNNI_ISA_REF; isa <= TSNNI_ISA_NEON; isa++) {
        const tsnni_kernels *kernels = tsnni_kernels_for((tsnni_isa)isa);
        if (!kernels)
            continue;
        ck_assert_str_eq(kernels->name, names[isa]);
        ck_assert_int_eq(kernels->isa, isa);
    }
    ck_assert_ptr_null(tsnni_kernels_for((tsnni_isa)0));
    ck_assert_ptr_null(tsnni_kernels_for((tsnni_isa)99));
}
END_TEST

START_TEST(the_best_table_has_the_longest_vectors)
{
    const tsnni_kernels *best = tsnni_kernels_best();
    for (int isa = TSNNI_ISA_REF; isa <= TSNNI_ISA_NEON; isa++) {
        const tsnni_kernels *kernels = tsnni_kernels_for((tsnni_isa)isa);
        ck_assert(!kernels || kernels->lanes <= best->lanes);
    }
}
END_TEST

Suite *tsnni_suite_kernels(void)
{
    Suite *suite = suite_create("kernels");
    TCase *compared = tcase_create("compared");
    tcase_set_timeout(compared, 120);
    tcase_add_loop_test(compared, layers_of_every_size_agree_with_double_precision, TSNNI_ISA_REF, TSNNI_ISA_NEON + 1);
    tcase_add_loop_test(compared, batches_of_1_to_130_agree_with_double_precision, TSNNI_ISA_REF, TSNNI_ISA_NEON + 1);
    tcase_add_loop_test(compared, wide_batches_and_uneven_rows_agree_with_double_precision, TSNNI_ISA_REF,
                        TSNNI_ISA_NEON + 1);
    tcase_add_loop_test(compared, the_shapes_that_are_timed_agree_with_double_precision, TSNNI_ISA_REF,
                        TSNNI_ISA_NEON + 1);
    tcase_add_loop_test(compared, update_dropout_derivative_rounding_and_batch_transposes_agree, TSNNI_ISA_REF,
                        TSNNI_ISA_NEON + 1);
    tcase_add_loop_test(compared, sigmoid_tanh_and_softmax_are_within_three_units_in_the_last_place, TSNNI_ISA_REF,
                        TSNNI_ISA_NEON + 1);
    tcase_add_loop_test(compared, packed_layers_agree_with_double_precision, TSNNI_ISA_REF, TSNNI_ISA_NEON + 1);
    tcase_add_loop_test(compared, a_width_of_zero_changes_nothing, TSNNI_ISA_REF, TSNNI_ISA_NEON + 1);
    suite_add_tcase(suite, compared);
    TCase *masks = tcase_create("masks");
    tcase_add_test(masks, dropout_keeps_the_share_that_is_asked_for);
    tcase_add_test(masks, dropout_masks_of_other_rows_steps_layers_and_seeds_are_independent);
    suite_add_tcase(suite, masks);
    TCase *choice = tcase_create("choice");
    tcase_add_test(choice, tables_say_what_they_are);
    tcase_add_test(choice, the_best_table_has_the_longest_vectors);
    suite_add_tcase(suite, choice);
    return suite;
}
