/* The choice of kernels: what is chosen for which shape, that it changes no bit, and how it is told. */
#include "suites.h"

#include <stdio.h>
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

/* For kernels that take 128 columns at a time. */
static tsnni_plan_shape shape_of(int64_t rows, int64_t columns, double density, int64_t batch)
{
    tsnni_plan_shape shape = {.rows = rows,
                              .columns = columns,
                              .count = (int64_t)((double)rows * (double)columns * density),
                              .width = batch,
                              .input_bytes = sizeof(float),
                              .forward_columns = 128,
                              .backward_columns = 128};
    return shape;
}

static tsnni_pass_plan forward_of(int64_t rows, int64_t columns, double density, int64_t batch)
{
    tsnni_plan_shape shape = shape_of(rows, columns, density, batch);
    return tsnni_plan_forward(&caches, &shape);
}

static tsnni_pass_plan backward_of(int64_t rows, int64_t columns, double density, int64_t batch, int32_t input_gradient)
{
    tsnni_plan_shape shape = shape_of(rows, columns, density, batch);
    return tsnni_plan_backward(&caches, &shape, input_gradient);
}

START_TEST(activations_with_few_connections_a_row_are_read_plainly)
{
    tsnni_pass_plan forward = forward_of(700, 1000, 0.04, 128);
    ck_assert_int_eq(forward.route, TSNNI_ROUTE_PLAIN);
    ck_assert_int_eq(forward.panels, 1);
    ck_assert_int_eq(forward.prefetch_far, 0);
    ck_assert_int_eq(forward.bytes, 700 * 128 * 4);
    ck_assert_int_eq(forward.reason, TSNNI_REASON_FITS);
    ck_assert_int_eq(backward_of(700, 1000, 0.04, 128, 1).route, TSNNI_ROUTE_PLAIN);
    ck_assert_int_eq(forward_of(27500, 27500, 10.0 * 55000 / (27500.0 * 27500), 32).reason, TSNNI_REASON_FEW);
    ck_assert_int_eq(backward_of(27500, 27500, 10.0 * 55000 / (27500.0 * 27500), 32, 1).route, TSNNI_ROUTE_PLAIN);
}
END_TEST

START_TEST(with_more_they_are_read_in_as_many_parts_as_pay_or_as_fit_the_first_level_cache)
{
    ck_assert_int_eq(forward_of(1000, 1000, 0.02, 128).panels, 1);
    ck_assert_int_eq(forward_of(1000, 1000, 0.04, 128).panels, 2);
    ck_assert_int_eq(forward_of(1000, 1000, 0.04, 128).route, TSNNI_ROUTE_PANELS);
    ck_assert_int_eq(forward_of(1000, 1000, 0.04, 128).reason, TSNNI_REASON_PARTS);
    ck_assert_int_eq(forward_of(4000, 1000, 0.025, 128).panels, 4);
    tsnni_pass_plan many = forward_of(1000, 1000, 0.5, 128);
    ck_assert_int_le(many.bytes / many.panels, caches.level1);
    ck_assert_int_gt(many.bytes / (many.panels / 2), caches.level1);
    /* visiting a sum weighs more where rows are narrow */
    ck_assert_int_eq(forward_of(400, 100, 0.12, 32).panels, 1);
    ck_assert_int_eq(forward_of(400, 100, 0.12, 128).panels, 2);
    /* and all fits already */
    ck_assert_int_eq(forward_of(40, 1000, 0.5, 128).panels, 1);
}
END_TEST

START_TEST(the_backward_pass_takes_parts_for_wide_rows_only)
{
    ck_assert_int_eq(backward_of(1000, 4000, 0.025, 128, 1).panels, 3);
    ck_assert_int_eq(backward_of(1000, 4000, 0.025, 128, 0).panels, 3);
    ck_assert_int_eq(backward_of(1000, 4000, 0.025, 32, 0).panels, 1);
    ck_assert_int_eq(backward_of(10000, 10000, 0.004, 32, 0).panels, 1);
    /* those that fit the second-level cache, only without the gradient to the input */
    ck_assert_int_eq(backward_of(1000, 1000, 0.3, 128, 0).panels, 10);
    ck_assert_int_eq(backward_of(1000, 1000, 0.3, 128, 1).panels, 1);
    /* kernels that take few columns at a time: all parts or none */
    tsnni_plan_shape shape = shape_of(28, 1000, 0.73, 128), fewer = shape_of(1000, 1000, 0.3, 128);
    shape.backward_columns = fewer.backward_columns = 64;
    ck_assert_int_eq(tsnni_plan_backward(&caches, &shape, 0).panels, 16);
    ck_assert_int_eq(tsnni_plan_backward(&caches, &fewer, 0).panels, 1);
}
END_TEST

START_TEST(activations_in_memory_are_asked_for_twice)
{
    tsnni_pass_plan forward = forward_of(500000, 500000, 2e-5, 32), backward = backward_of(500000, 500000, 2e-5, 32, 1);
    ck_assert_int_gt(forward.prefetch_far, forward.prefetch);
    ck_assert_int_gt(backward.prefetch_far, backward.prefetch);
    ck_assert_int_eq(forward.reason, TSNNI_REASON_MEMORY);
    /* 7.0 and 3.5 MB of 32 */
    ck_assert_int_gt(forward_of(54675, 27500, 5.5e-4, 32).prefetch_far, 0);
    ck_assert_int_eq(forward_of(27500, 27500, 7e-4, 32).prefetch_far, 0);
}
END_TEST

/* The forward kernel takes its columns through all outputs before the next ones; backward takes whole rows. */
START_TEST(only_columns_that_are_read_together_count)
{
    for (int64_t batch = 128; batch <= 1024; batch *= 2) {
        tsnni_pass_plan plan = forward_of(3072, 4000, 0.0115, batch);
        ck_assert_int_eq(plan.bytes, 3072 * 512);
        ck_assert_int_eq(plan.panels, 2);
        ck_assert_int_eq(backward_of(3072, 4000, 0.0115, batch, 1).bytes, 4000 * batch * 4);
    }
    ck_assert_int_eq(forward_of(1000, 1000, 0.01, 144).bytes, 1000 * 80 * 4); /* 80 columns, then 64 */
    tsnni_plan_shape halves = shape_of(1000, 1000, 0.01, 1024);
    halves.input_bytes = 2;
    ck_assert_int_eq(tsnni_plan_forward(&caches, &halves).bytes, 1000 * 256);
    halves.forward_columns = 64;
    ck_assert_int_eq(tsnni_plan_forward(&caches, &halves).bytes, 1000 * 128);
}
END_TEST

START_TEST(nearly_full_layers_are_computed_densely_forward_and_full_ones_backward)
{
    tsnni_pass_plan dense = forward_of(1000, 100, 0.8, 128);
    ck_assert_int_eq(dense.route, TSNNI_ROUTE_DENSE);
    ck_assert_int_eq(dense.panels, 1);
    ck_assert_int_eq(dense.prefetch, 0);
    ck_assert_int_eq(dense.prefetch_far, 0);
    ck_assert_int_eq(dense.bytes, 0);
    ck_assert_int_eq(forward_of(1000, 100, 1.0, 128).route, TSNNI_ROUTE_DENSE);
    ck_assert_int_ne(forward_of(1000, 100, 0.3, 128).route, TSNNI_ROUTE_DENSE);
    ck_assert_int_eq(backward_of(1000, 100, 1.0, 128, 1).route, TSNNI_ROUTE_DENSE);
    ck_assert_int_ne(backward_of(1000, 100, 0.8, 128, 1).route, TSNNI_ROUTE_DENSE);
    ck_assert_int_eq(backward_of(1000, 10, 1.0, 128, 1).route, TSNNI_ROUTE_DENSE);
    ck_assert_int_eq(backward_of(1000, 2, 1.0, 128, 1).route, TSNNI_ROUTE_PLAIN);
    ck_assert_int_eq(backward_of(1000, 2, 1.0, 128, 0).route, TSNNI_ROUTE_DENSE);
    ck_assert_int_eq(backward_of(400, 2, 1.0, 32, 0).route, TSNNI_ROUTE_PLAIN);
    ck_assert_int_eq(backward_of(1000, 64, 1.0, 32, 0).route, TSNNI_ROUTE_DENSE);
    ck_assert_int_eq(backward_of(400, 8, 1.0, 32, 1).route, TSNNI_ROUTE_PLAIN);
}
END_TEST

START_TEST(the_density_that_is_dense_depends_on_the_width_and_on_the_inputs)
{
    static const struct {
        int64_t rows, columns, batch;
        double sparse, dense;
    } bounds[] = {{1000, 1000, 128, 0.6, 0.66}, {1000, 1000, 32, 0.7, 0.8},  {1000, 1000, 16, 0.55, 0.65},
                  {28, 1000, 128, 0.74, 0.85},  {27500, 18, 32, 0.556, 0.8}, {784, 300, 32, 0.5, 0.8},
                  {2, 1000, 128, 0.99, 1.0}};
    for (size_t k = 0; k < sizeof bounds / sizeof bounds[0]; k++) {
        ck_assert_int_ne(forward_of(bounds[k].rows, bounds[k].columns, bounds[k].sparse, bounds[k].batch).route,
                         TSNNI_ROUTE_DENSE);
        ck_assert_int_eq(forward_of(bounds[k].rows, bounds[k].columns, bounds[k].dense, bounds[k].batch).route,
                         TSNNI_ROUTE_DENSE);
    }
}
END_TEST

START_TEST(the_reference_kernels_have_neither_panels_nor_prefetch)
{
    tsnni_plan_shape shape = shape_of(4000, 4000, 0.1, 128), full = shape_of(100, 100, 1.0, 128);
    shape.forward_columns = shape.backward_columns = full.forward_columns = full.backward_columns = 0;
    for (int way = 0; way < 3; way++) {
        tsnni_pass_plan plan =
            way == 0 ? tsnni_plan_forward(&caches, &shape) : tsnni_plan_backward(&caches, &shape, way == 1);
        ck_assert_int_eq(plan.route, TSNNI_ROUTE_PLAIN);
        ck_assert_int_eq(plan.panels, 1);
        ck_assert_int_eq(plan.prefetch, 0);
        ck_assert_int_eq(plan.prefetch_far, 0);
        ck_assert_int_eq(plan.reason, TSNNI_REASON_REFERENCE);
    }
    ck_assert_int_eq(tsnni_plan_forward(&caches, &full).route, TSNNI_ROUTE_DENSE);
    ck_assert_int_eq(tsnni_kernels_for(TSNNI_ISA_REF)->forward_columns, 0);
}
END_TEST

START_TEST(bytes_beyond_all_numbers_count_as_the_largest)
{
    const int64_t most = UINT32_MAX;
    tsnni_plan_shape shape = {most, most, most, INT32_MAX - 15, 4, 0, 0};
    ck_assert_int_eq(tsnni_plan_forward(&caches, &shape).bytes, INT64_MAX);
    shape.forward_columns = shape.backward_columns = 128;
    tsnni_pass_plan backward = tsnni_plan_backward(&caches, &shape, 1);
    ck_assert_int_eq(backward.bytes, INT64_MAX);
    ck_assert_int_gt(backward.prefetch_far, 0);
    ck_assert_int_eq(tsnni_plan_forward(&caches, &shape).bytes, most * 512);
}
END_TEST

START_TEST(a_machine_that_tells_no_caches_gets_a_plan)
{
    tsnni_caches none = {0, 0, 0};
    tsnni_plan_shape shape = shape_of(4000, 1000, 0.025, 128);
    ck_assert_int_eq(tsnni_plan_forward(&none, &shape).panels, 1);
    ck_assert_int_eq(tsnni_plan_forward(&none, &shape).route, TSNNI_ROUTE_PLAIN);
    ck_assert_int_eq(tsnni_plan_backward(&none, &shape, 0).panels, 1);
    ck_assert_int_eq(tsnni_plan_backward(&none, &shape, 1).panels, 1);
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

/* The reference kernels have neither these nor prefetch. */
static int has_panels(const tsnn_context *context)
{
    return context->kernels->isa != TSNNI_ISA_REF;
}

/* A context that believes in other caches takes other routes. */
START_TEST(the_size_of_the_caches_changes_no_bit)
{
    float expected[64 * 3], actual[64 * 3];
    const tsnni_caches small = {1 << 10, 32 << 10, 1 << 20}, far = {64 << 20, 64 << 20, 1 << 10};
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 4);
    tsnn_network *network = network_of(context, 0.3);
    tsnn_layer_plan plan = TSNN_LAYER_PLAN_INIT;
    predict(network, expected);
    context->caches = small;
    ck_assert_int_eq(tsnn_network_explain(network, 0, 64, &plan, NULL, 0), TSNN_OK);
    ck_assert_int_eq(plan.forward_route, has_panels(context) ? TSNN_ROUTE_PANELS : TSNN_ROUTE_PLAIN);
    predict(network, actual);
    ck_assert_mem_eq(actual, expected, sizeof actual);
    context->caches = far;
    ck_assert_int_eq(tsnn_network_explain(network, 0, 64, &plan, NULL, 0), TSNN_OK);
    ck_assert_int_eq(plan.forward_prefetch_far > 0, has_panels(context));
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

START_TEST(the_explanation_names_the_instruction_set_routes_and_numbers)
{
    char text[1000], cut[9], expected[100];
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 4);
    const char *isa = context->kernels->name;
    tsnn_network *network = network_of(context, 0.9);
    tsnn_layer_plan plan = TSNN_LAYER_PLAN_INIT;
    ck_assert_int_eq(tsnn_network_explain(network, 2, 64, &plan, text, sizeof text), TSNN_OK);
    snprintf(expected, sizeof expected, "forward: %s, plain; 16-bit indices for 40 neurons", isa);
    ck_assert_int_eq(strncmp(text, expected, strlen(expected)), 0);
    snprintf(expected, sizeof expected, "\nbackward: %s, plain; 16-bit indices for 3 neurons", isa);
    ck_assert_ptr_nonnull(strstr(text, expected));
    ck_assert_ptr_nonnull(strstr(text, " 10240 bytes of activations "));
    ck_assert_ptr_nonnull(strstr(text, " 768 bytes of derivatives "));
    ck_assert_int_eq(text[strlen(text) - 1], '\n');
    ck_assert_int_eq(plan.input_index_bytes, 2);
    ck_assert_int_eq(plan.output_index_bytes, 2);
    ck_assert_int_eq(plan.forward_bytes, 40 * 64 * 4);
    ck_assert_int_eq(plan.backward_bytes, 3 * 64 * 4);
    ck_assert_int_eq(tsnn_network_explain(network, 1, 64, NULL, cut, sizeof cut), TSNN_OK);
    ck_assert_str_eq(cut, "forward:");
    tsnn_network_destroy(&network);
    tsnn_context_destroy(&context);
}
END_TEST

/* Its kernels have no prefetch and no indices, and read nothing at random. */
START_TEST(a_dense_pass_is_told_without_what_it_does_not_have)
{
    char text[1000], expected[100];
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 4);
    tsnn_network *network = network_of(context, 0.9);
    tsnn_layer_plan plan = TSNN_LAYER_PLAN_INIT;
    ck_assert_int_eq(tsnn_network_explain(network, 1, 64, &plan, text, sizeof text), TSNN_OK);
    *strchr(text, '\n') = '\0';
    snprintf(expected, sizeof expected, "forward: %s, dense. Density 0.9", context->kernels->name);
    ck_assert_int_eq(strncmp(text, expected, strlen(expected)), 0);
    ck_assert_ptr_nonnull(strstr(text, "computing all of them is faster"));
    ck_assert_ptr_null(strstr(text, "prefetch"));
    ck_assert_ptr_null(strstr(text, "bit indices"));
    ck_assert_ptr_null(strstr(text, "random"));
    ck_assert_int_eq(plan.forward_route, TSNN_ROUTE_DENSE);
    ck_assert_int_eq(plan.forward_panels, 1);
    ck_assert_int_eq(plan.forward_prefetch, 0);
    ck_assert_int_eq(plan.forward_bytes, 0);
    ck_assert_int_eq(plan.input_index_bytes, 0);
    tsnn_network_destroy(&network);
    tsnn_context_destroy(&context);
}
END_TEST

START_TEST(the_reference_is_told_without_panels_and_prefetch)
{
    char text[1000];
    tsnn_context *context = tsnni_test_context(TSNN_ISA_REF, 1, 4);
    context->caches = (tsnni_caches){1 << 10, 2 << 10, 4 << 10};
    tsnn_network *network = network_of(context, 0.3);
    tsnn_layer_plan plan = TSNN_LAYER_PLAN_INIT;
    ck_assert_int_eq(tsnn_network_explain(network, 0, 128, &plan, text, sizeof text), TSNN_OK);
    ck_assert_int_eq(strncmp(text, "forward: ref, plain; ", 21), 0);
    ck_assert_ptr_null(strstr(text, "prefetch"));
    ck_assert_ptr_null(strstr(text, "parts"));
    ck_assert_int_eq(plan.forward_route, TSNN_ROUTE_PLAIN);
    ck_assert_int_eq(plan.forward_panels, 1);
    ck_assert_int_eq(plan.backward_panels, 1);
    ck_assert_int_eq(plan.forward_prefetch, 0);
    ck_assert_int_eq(plan.backward_prefetch_far, 0);
    tsnn_network_destroy(&network);
    tsnn_context_destroy(&context);
}
END_TEST

static void freeze(tsnn_network *network, int64_t l, int32_t frozen)
{
    tsnn_layer *layer;
    ck_assert_int_eq(tsnn_network_get_layer(network, l, &layer), TSNN_OK);
    ck_assert_int_eq(tsnn_layer_freeze(layer, frozen), TSNN_OK);
}

/* Whatever lies below the lowest layer that learns gets no derivatives, which spares that layer to make them. */
START_TEST(frozen_layers_leave_less_to_run_backward)
{
    char text[1000];
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 4);
    tsnn_network *network = network_of(context, 0.3);
    tsnn_layer_plan plan = TSNN_LAYER_PLAN_INIT;
    freeze(network, 2, 1);
    ck_assert_int_eq(tsnn_network_explain(network, 0, 128, NULL, text, sizeof text), TSNN_OK);
    ck_assert_ptr_nonnull(strstr(text, ", weights only, "));
    ck_assert_int_eq(tsnn_network_explain(network, 1, 128, NULL, text, sizeof text), TSNN_OK);
    ck_assert_ptr_null(strstr(text, " only, "));
    ck_assert_int_eq(tsnn_network_explain(network, 2, 128, NULL, text, sizeof text), TSNN_OK);
    ck_assert_ptr_nonnull(strstr(text, ", derivatives only, "));

    freeze(network, 0, 1);
    ck_assert_int_eq(tsnn_network_explain(network, 0, 128, &plan, text, sizeof text), TSNN_OK);
    ck_assert_ptr_nonnull(strstr(text, "\nbackward: nothing runs"));
    ck_assert_int_eq(plan.backward_route, TSNN_ROUTE_PLAIN);
    ck_assert_int_eq(plan.backward_panels, 1);
    ck_assert_int_eq(plan.backward_prefetch, 0);
    ck_assert_int_eq(plan.backward_bytes, 0);
    ck_assert_int_eq(plan.output_index_bytes, 0);
    ck_assert_int_ne(plan.input_index_bytes, 0);
    ck_assert_int_eq(tsnn_network_explain(network, 1, 128, NULL, text, sizeof text), TSNN_OK);
    ck_assert_ptr_nonnull(strstr(text, ", weights only, "));

    freeze(network, 1, 1);
    ck_assert_int_eq(tsnn_network_explain(network, 2, 128, NULL, text, sizeof text), TSNN_OK);
    ck_assert_ptr_nonnull(strstr(text, "\nbackward: nothing runs"));
    tsnn_network_destroy(&network);
    tsnn_context_destroy(&context);
}
END_TEST

/* A full layer of 10 outputs at 32 columns: dense for the weights alone, not with the derivatives that go down. */
START_TEST(the_lowest_layer_that_learns_runs_as_one_without_derivatives_to_pass_down)
{
    static const int64_t sizes[] = {30, 20, 10};
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 4);
    tsnn_network *network;
    tsnni_workspace *workspace;
    ck_assert_int_eq(tsnn_network_create(context, &network), TSNN_OK);
    for (int l = 0; l < 2; l++) {
        tsnn_layer_options options = TSNN_LAYER_OPTIONS_INIT;
        tsnn_layer *layer;
        options.inputs = sizes[l];
        options.outputs = sizes[l + 1];
        options.density = l == 0 ? 0.3 : 1.0;
        ck_assert_int_eq(tsnn_layer_create(context, &options, &layer), TSNN_OK);
        ck_assert_int_eq(tsnn_network_append(network, &layer, NULL, 0.0), TSNN_OK);
    }
    for (int frozen = 0; frozen < 2; frozen++) {
        freeze(network, 0, frozen);
        ck_assert_int_eq(tsnni_workspace_create(network, 32, 1, &workspace), TSNN_OK);
        ck_assert_int_eq(workspace->plans[1].backward.route, frozen ? TSNNI_ROUTE_DENSE : TSNNI_ROUTE_PLAIN);
        tsnni_workspace_destroy(&workspace);
    }
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
    tcase_add_test(tests, activations_with_few_connections_a_row_are_read_plainly);
    tcase_add_test(tests, with_more_they_are_read_in_as_many_parts_as_pay_or_as_fit_the_first_level_cache);
    tcase_add_test(tests, the_backward_pass_takes_parts_for_wide_rows_only);
    tcase_add_test(tests, activations_in_memory_are_asked_for_twice);
    tcase_add_test(tests, only_columns_that_are_read_together_count);
    tcase_add_test(tests, nearly_full_layers_are_computed_densely_forward_and_full_ones_backward);
    tcase_add_test(tests, the_density_that_is_dense_depends_on_the_width_and_on_the_inputs);
    tcase_add_test(tests, the_reference_kernels_have_neither_panels_nor_prefetch);
    tcase_add_test(tests, bytes_beyond_all_numbers_count_as_the_largest);
    tcase_add_test(tests, a_machine_that_tells_no_caches_gets_a_plan);
    tcase_add_test(tests, the_bounds_of_panels_part_the_sorted_indices);
    tcase_add_test(tests, expanded_rows_hold_every_cell);
    tcase_add_test(tests, the_size_of_the_caches_changes_no_bit);
    tcase_add_test(tests, a_nearly_full_layer_gives_what_the_reference_gives);
    tcase_add_test(tests, the_explanation_names_the_instruction_set_routes_and_numbers);
    tcase_add_test(tests, a_dense_pass_is_told_without_what_it_does_not_have);
    tcase_add_test(tests, the_reference_is_told_without_panels_and_prefetch);
    tcase_add_test(tests, frozen_layers_leave_less_to_run_backward);
    tcase_add_test(tests, the_lowest_layer_that_learns_runs_as_one_without_derivatives_to_pass_down);
    tcase_add_test(tests, a_bad_question_is_refused);
    suite_add_tcase(suite, tests);
    return suite;
}
