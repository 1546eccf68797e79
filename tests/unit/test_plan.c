/* The choice of kernels: what is chosen for which shape, that it changes no bit, and how it is told. */
#include "suites.h"

#include <stdlib.h>
#include <string.h>

#include "context.h"
#include "core/memory.h"
#include "kernels/plan.h"
#include "sparse/convert.h"
#include "sparse/panels.h"
#include "sparse/sampling.h"
#include "support.h"
#include "workspace.h"

static const tsnni_caches caches = {32 << 10, 1 << 20, 32 << 20};

static tsnni_plan_shape shape_of(int64_t rows, int64_t columns, double density, int64_t batch)
{
    tsnni_plan_shape shape = {rows, columns, (int64_t)((double)rows * (double)columns * density), batch, batch, 0};
    return shape;
}

START_TEST(activations_that_leave_room_in_the_second_level_cache_are_read_plainly)
{
    tsnni_plan_shape shape = shape_of(700, 1000, 0.06, 128);
    ck_assert_int_eq(tsnni_plan_forward(&caches, &shape).route, TSNNI_ROUTE_PLAIN);
    ck_assert_int_eq(tsnni_plan_backward(&caches, &shape, 1).route, TSNNI_ROUTE_PLAIN);
    ck_assert_int_eq(tsnni_plan_forward(&caches, &shape).panels, 1);
    ck_assert_int_eq(tsnni_plan_forward(&caches, &shape).prefetch_far, 0);
    ck_assert_int_eq(tsnni_plan_forward(&caches, &shape).bytes, 700 * 128 * 4);
}
END_TEST

START_TEST(those_that_only_just_fit_are_read_in_two_panels_in_the_forward_pass)
{
    tsnni_plan_shape shape = shape_of(1000, 1000, 0.04, 128), few = shape_of(1000, 1000, 0.02, 128);
    ck_assert_int_eq(tsnni_plan_forward(&caches, &shape).panels, 2);
    ck_assert_int_eq(tsnni_plan_forward(&caches, &shape).route, TSNNI_ROUTE_PANELS);
    ck_assert_int_eq(tsnni_plan_backward(&caches, &shape, 1).route, TSNNI_ROUTE_PLAIN);
    ck_assert_int_eq(tsnni_plan_forward(&caches, &few).panels, 1);
}
END_TEST

START_TEST(larger_ones_with_enough_connections_are_read_in_panels_that_fit)
{
    tsnni_plan_shape shape = shape_of(4000, 1000, 0.025, 128);
    tsnni_pass_plan plan = tsnni_plan_forward(&caches, &shape);
    ck_assert_int_eq(plan.route, TSNNI_ROUTE_PANELS);
    ck_assert_int_ge(plan.panels, 2);
    ck_assert_int_le(plan.bytes / plan.panels, caches.level2);
    /* the outputs' derivatives, 1000 rows, fit */
    ck_assert_int_eq(tsnni_plan_backward(&caches, &shape, 1).route, TSNNI_ROUTE_PLAIN);
}
END_TEST

START_TEST(few_connections_a_row_get_no_panels)
{
    tsnni_plan_shape shape = shape_of(27500, 27500, 10.0 * 55000 / (27500.0 * 27500), 32);
    ck_assert_int_eq(tsnni_plan_forward(&caches, &shape).route, TSNNI_ROUTE_PLAIN);
    ck_assert_int_eq(tsnni_plan_backward(&caches, &shape, 1).route, TSNNI_ROUTE_PLAIN);
}
END_TEST

START_TEST(activations_in_memory_are_asked_for_twice)
{
    tsnni_plan_shape shape = shape_of(500000, 500000, 2e-5, 32);
    tsnni_pass_plan forward = tsnni_plan_forward(&caches, &shape), backward = tsnni_plan_backward(&caches, &shape, 1);
    ck_assert_int_gt(forward.prefetch_far, forward.prefetch);
    ck_assert_int_gt(backward.prefetch_far, backward.prefetch);
}
END_TEST

START_TEST(nearly_full_layers_are_computed_densely)
{
    tsnni_plan_shape full = shape_of(1000, 100, 1.0, 128), nearly = shape_of(1000, 100, 0.8, 128);
    tsnni_plan_shape sparse = shape_of(1000, 100, 0.3, 128), narrow = shape_of(1000, 10, 1.0, 128);
    ck_assert_int_eq(tsnni_plan_forward(&caches, &full).route, TSNNI_ROUTE_DENSE);
    ck_assert_int_eq(tsnni_plan_forward(&caches, &nearly).route, TSNNI_ROUTE_DENSE);
    ck_assert_int_ne(tsnni_plan_forward(&caches, &sparse).route, TSNNI_ROUTE_DENSE);
    ck_assert_int_eq(tsnni_plan_backward(&caches, &full, 1).route, TSNNI_ROUTE_DENSE);
    ck_assert_int_eq(tsnni_plan_backward(&caches, &nearly, 1).route, TSNNI_ROUTE_PLAIN);
    ck_assert_int_eq(tsnni_plan_backward(&caches, &narrow, 1).route, TSNNI_ROUTE_DENSE);
    narrow = shape_of(1000, 2, 1.0, 128);
    ck_assert_int_eq(tsnni_plan_backward(&caches, &narrow, 1).route, TSNNI_ROUTE_PLAIN);
    ck_assert_int_eq(tsnni_plan_backward(&caches, &narrow, 0).route, TSNNI_ROUTE_DENSE);
}
END_TEST

START_TEST(a_machine_that_tells_no_caches_gets_a_plan)
{
    tsnni_caches none = {0, 0, 0};
    tsnni_plan_shape shape = shape_of(4000, 1000, 0.025, 128);
    tsnni_pass_plan plan = tsnni_plan_forward(&none, &shape);
    ck_assert_int_eq(plan.panels, 1);
    ck_assert_int_eq(plan.route, TSNNI_ROUTE_PLAIN);
}
END_TEST

START_TEST(the_bounds_of_panels_part_the_sorted_indices)
{
    tsnni_runtime runtime;
    tsnni_pattern pattern;
    int64_t *ends;
    const int64_t panels = 3;
    tsnni_runtime_init(&runtime);
    ck_assert_int_eq(tsnni_sample_bernoulli(&runtime, 50, 70, 0.2, 3, 1, &pattern), TSNN_OK);
    ck_assert_int_eq(
        tsnni_panels_build(&runtime, pattern.row_ptr, &pattern.column, pattern.rows, pattern.columns, panels, &ends),
        TSNN_OK);
    for (int64_t i = 0; i < pattern.rows; i++)
        for (int64_t k = pattern.row_ptr[i]; k < pattern.row_ptr[i + 1]; k++) {
            int64_t panel = (k >= ends[i]) + (k >= ends[pattern.rows + i]);
            int64_t column = tsnni_index_at(&pattern.column, k);
            ck_assert_int_ge(column, panel * pattern.columns / panels);
            ck_assert_int_lt(column, (panel + 1) * pattern.columns / panels);
        }
    tsnni_release(&runtime, ends);
    tsnni_pattern_free(&runtime, &pattern);
}
END_TEST

START_TEST(expanded_rows_hold_every_cell)
{
    tsnni_runtime runtime;
    tsnni_pattern pattern;
    float values[200], matrix[11 * 13];
    tsnni_runtime_init(&runtime);
    ck_assert_int_eq(tsnni_sample_bernoulli(&runtime, 11, 13, 0.6, 3, 1, &pattern), TSNN_OK);
    for (int k = 0; k < 200; k++)
        values[k] = (float)(k + 1);
    for (int k = 0; k < 11 * 13; k++)
        matrix[k] = -1.0f;
    tsnni_csr_expand(&pattern, values, 2, 11, matrix);
    for (int64_t i = 0; i < 11; i++) {
        int64_t k = pattern.row_ptr[i];
        for (int64_t j = 0; j < 13; j++) {
            int there = k < pattern.row_ptr[i + 1] && tsnni_index_at(&pattern.column, k) == j;
            ck_assert_float_eq(matrix[i * 13 + j], i < 2 ? -1.0f : there ? values[k] : 0.0f);
            k += there;
        }
    }
    tsnni_pattern_free(&runtime, &pattern);
}
END_TEST

/* ---- through the library ---- */

static const int64_t wide_sizes[] = {300, 260, 40, 3};

static tsnn_network *network_of(tsnn_context *context, double density_of_middle)
{
    tsnn_network *network;
    ck_assert_int_eq(tsnn_network_create(context, &network), TSNN_OK);
    for (int l = 0; l < 3; l++) {
        tsnn_layer_options options = TSNN_LAYER_OPTIONS_INIT;
        tsnn_layer *layer;
        options.inputs = wide_sizes[l];
        options.outputs = wide_sizes[l + 1];
        options.density = l == 1 ? density_of_middle : 0.3;
        ck_assert_int_eq(tsnn_layer_create(context, &options, &layer), TSNN_OK);
        ck_assert_int_eq(tsnn_network_append(network, &layer, NULL, 0.0), TSNN_OK);
    }
    return network;
}

static void predict(const tsnn_network *network, float *outputs)
{
    static float features[64 * 300];
    for (int k = 0; k < 64 * 300; k++)
        features[k] = (float)(k * 37 % 101) / 50.0f - 1.0f;
    ck_assert_int_eq(tsnn_network_predict(network, features, 64, outputs, 64 * 3), TSNN_OK);
}

/* A context that believes in other caches takes other routes. */
START_TEST(the_size_of_the_caches_changes_no_bit)
{
    float expected[64 * 3], actual[64 * 3];
    const tsnni_caches small = {1 << 10, 32 << 10, 1 << 20}, tiny = {1 << 10, 64 << 20, 1 << 10};
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 4);
    tsnn_network *network = network_of(context, 0.3);
    tsnn_layer_plan plan = TSNN_LAYER_PLAN_INIT;
    predict(network, expected);
    context->caches = small;
    ck_assert_int_eq(tsnn_network_explain(network, 0, 64, &plan, NULL, 0), TSNN_OK);
    ck_assert_int_eq(plan.forward_route, TSNN_ROUTE_PANELS);
    predict(network, actual);
    ck_assert_mem_eq(actual, expected, sizeof actual);
    context->caches = tiny;
    ck_assert_int_eq(tsnn_network_explain(network, 0, 64, &plan, NULL, 0), TSNN_OK);
    ck_assert_int_gt(plan.forward_prefetch_far, 0);
    predict(network, actual);
    ck_assert_mem_eq(actual, expected, sizeof actual);
    tsnn_network_destroy(&network);
    tsnn_context_destroy(&context);
}
END_TEST

/* The dense route and the plain one sum in the same order. */
START_TEST(a_nearly_full_layer_gives_what_the_reference_gives)
{
    float expected[64 * 3], actual[64 * 3];
    for (int isa = TSNN_ISA_REF; isa <= TSNN_ISA_NEON; isa++) {
        tsnn_context_options options = TSNN_CONTEXT_OPTIONS_INIT;
        tsnn_context *context;
        options.isa = isa;
        options.threads = 2;
        options.seed = 9;
        if (tsnn_context_create(&options, &context) < 0)
            continue;
        tsnn_network *network = network_of(context, 0.9);
        tsnn_layer_plan plan = TSNN_LAYER_PLAN_INIT;
        ck_assert_int_eq(tsnn_network_explain(network, 1, 64, &plan, NULL, 0), TSNN_OK);
        ck_assert_int_eq(plan.forward_route, TSNN_ROUTE_DENSE);
        predict(network, isa == TSNN_ISA_REF ? expected : actual);
        for (int k = 0; isa != TSNN_ISA_REF && k < 64 * 3; k++)
            ck_assert_float_eq_tol(actual[k], expected[k],
                                   1e-4f * (1.0f + (expected[k] < 0 ? -expected[k] : expected[k])));
        tsnn_network_destroy(&network);
        tsnn_context_destroy(&context);
    }
}
END_TEST

START_TEST(the_explanation_names_routes_and_numbers)
{
    char text[1000], cut[9];
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 4);
    tsnn_network *network = network_of(context, 0.9);
    tsnn_layer_plan plan = TSNN_LAYER_PLAN_INIT;
    ck_assert_int_eq(tsnn_network_explain(network, 1, 64, &plan, text, sizeof text), TSNN_OK);
    ck_assert_ptr_nonnull(strstr(text, "forward: dense, 1 part, 16-bit"));
    ck_assert_ptr_nonnull(strstr(text, "\nbackward: plain"));
    ck_assert_int_eq(text[strlen(text) - 1], '\n');
    ck_assert_int_eq(plan.input_index_bytes, 2);
    ck_assert_int_eq(plan.forward_bytes, 260 * 64 * 4);
    ck_assert_int_eq(tsnn_network_explain(network, 1, 64, NULL, cut, sizeof cut), TSNN_OK);
    ck_assert_str_eq(cut, "forward:");
    tsnn_network_destroy(&network);
    tsnn_context_destroy(&context);
}
END_TEST

START_TEST(a_bad_question_is_refused)
{
    char text[8] = "before";
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 4);
    tsnn_network *network = network_of(context, 0.9);
    tsnn_layer_plan plan = TSNN_LAYER_PLAN_INIT;
    ck_assert_int_eq(tsnn_network_explain(NULL, 0, 1, &plan, NULL, 0), TSNN_ERROR_NULL_ARGUMENT);
    ck_assert_int_eq(tsnn_network_explain(network, 3, 1, &plan, NULL, 0), TSNN_ERROR_INVALID_ARGUMENT);
    ck_assert_int_eq(tsnn_network_explain(network, -1, 1, &plan, NULL, 0), TSNN_ERROR_INVALID_ARGUMENT);
    ck_assert_int_eq(tsnn_network_explain(network, 0, 0, &plan, NULL, 0), TSNN_ERROR_INVALID_ARGUMENT);
    ck_assert_int_eq(tsnn_network_explain(network, 0, (int64_t)1 << 40, &plan, NULL, 0), TSNN_ERROR_INVALID_ARGUMENT);
    ck_assert_int_eq(tsnn_network_explain(network, 0, 1, &plan, NULL, 4), TSNN_ERROR_NULL_ARGUMENT);
    ck_assert_int_eq(tsnn_network_explain(network, 0, 1, &plan, text, -1), TSNN_ERROR_INVALID_ARGUMENT);
    plan.struct_size = 3;
    ck_assert_int_eq(tsnn_network_explain(network, 0, 1, &plan, text, sizeof text), TSNN_ERROR_STRUCT_SIZE);
    ck_assert_str_eq(text, "before");
    tsnn_network_destroy(&network);
    tsnn_context_destroy(&context);
}
END_TEST

Suite *tsnni_suite_plan(void)
{
    Suite *suite = suite_create("plan");
    TCase *tests = tcase_create("plan");
    tcase_add_test(tests, activations_that_leave_room_in_the_second_level_cache_are_read_plainly);
    tcase_add_test(tests, those_that_only_just_fit_are_read_in_two_panels_in_the_forward_pass);
    tcase_add_test(tests, larger_ones_with_enough_connections_are_read_in_panels_that_fit);
    tcase_add_test(tests, few_connections_a_row_get_no_panels);
    tcase_add_test(tests, activations_in_memory_are_asked_for_twice);
    tcase_add_test(tests, nearly_full_layers_are_computed_densely);
    tcase_add_test(tests, a_machine_that_tells_no_caches_gets_a_plan);
    tcase_add_test(tests, the_bounds_of_panels_part_the_sorted_indices);
    tcase_add_test(tests, expanded_rows_hold_every_cell);
    tcase_add_test(tests, the_size_of_the_caches_changes_no_bit);
    tcase_add_test(tests, a_nearly_full_layer_gives_what_the_reference_gives);
    tcase_add_test(tests, the_explanation_names_routes_and_numbers);
    tcase_add_test(tests, a_bad_question_is_refused);
    suite_add_tcase(suite, tests);
    return suite;
}
