/* The mean of several networks, by hand and against a plain computation; and what is handed between networks. */
#include "suites.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "average.h"
#include "core/memory.h"
#include "course.h"
#include "sparse/convert.h"
#include "sparse/merge.h"
#include "transfer.h"

/* ---- by hand ---- */

static tsnn_network *hand_network(tsnn_context *context, int64_t count, const int64_t *row_ptr, const int32_t *column,
                                  const float *values, const float *bias)
{
    tsnn_layer *layer = NULL;
    tsnn_network *network = NULL;
    TSNNI_OK(tsnn_layer_create_from_csr(context, 2, 4, count, row_ptr, column, values, bias, 0, &layer));
    TSNNI_OK(tsnn_network_create(context, &network));
    TSNNI_OK(tsnn_network_append(network, &layer, NULL, 0.0));
    return network;
}

START_TEST(two_topologies_worked_out_by_hand)
{
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 1);
    /* row 0: [ 4 . -2 1 ]   and   [ 2 6 . . ]    mean [  3 3 -1 .5 ]
     * row 1: [ . -8 . . ]   and   [ . -4 -6 . ]  mean [  . -6 -3 . ]
     * The union has 6, each has 4: 2 are too many, 3 of 6 are negative, so one of each sign goes: -1 and .5. */
    static const int64_t first_rows[] = {0, 3, 4}, second_rows[] = {0, 2, 4}, mean_rows[] = {0, 2, 4};
    static const int32_t first_columns[] = {0, 2, 3, 1}, second_columns[] = {0, 1, 1, 2}, mean_columns[] = {0, 1, 1, 2};
    static const float first[] = {4, -2, 1, -8}, second[] = {2, 6, -4, -6}, mean[] = {3, 3, -6, -3};
    static const float first_bias[] = {1, 2, 3, 4}, second_bias[] = {3, 2, 1, -4}, mean_bias[] = {2, 2, 2, 0};
    tsnn_network *networks[] = {hand_network(context, 4, first_rows, first_columns, first, first_bias),
                                hand_network(context, 4, second_rows, second_columns, second, second_bias)};
    tsnn_network *out = hand_network(context, 4, second_rows, second_columns, second, first_bias);
    TSNNI_OK(tsnni_average_networks(out, networks, 2));
    int64_t row_ptr[3];
    int32_t column[4];
    float values[4], bias[4];
    TSNNI_OK(tsnn_layer_get_csr(tsnni_test_layer_of(out, 0), row_ptr, 3, column, values, 4));
    TSNNI_OK(tsnn_layer_get_bias(tsnni_test_layer_of(out, 0), bias, 4));
    ck_assert_mem_eq(row_ptr, mean_rows, sizeof row_ptr);
    ck_assert_mem_eq(column, mean_columns, sizeof column);
    ck_assert_mem_eq(values, mean, sizeof values);
    ck_assert_mem_eq(bias, mean_bias, sizeof bias);
    for (int n = 0; n < 2; n++)
        tsnn_network_destroy(&networks[n]);
    tsnn_network_destroy(&out);
    tsnn_context_destroy(&context);
}
END_TEST

START_TEST(only_the_entries_that_both_have_are_retained)
{
    tsnni_runtime runtime;
    tsnni_runtime_init(&runtime);
    static const int64_t old_rows[] = {0, 2, 2, 5}, new_rows[] = {0, 2, 3, 5};
    static const int32_t old_columns[] = {1, 3, 0, 2, 3}, new_columns[] = {0, 3, 1, 2, 3};
    static const float gradient[] = {1, 2, 3, 4, 5}, wanted[] = {0, 2, 0, 4, 5};
    tsnni_pattern old_pattern, new_pattern;
    float *old_values, *new_values, retained[5];
    TSNNI_OK(tsnni_csr_import(&runtime, 3, 4, 5, old_rows, old_columns, gradient, 0, &old_pattern, &old_values));
    TSNNI_OK(tsnni_csr_import(&runtime, 3, 4, 5, new_rows, new_columns, gradient, 0, &new_pattern, &new_values));
    ck_assert_int_eq(tsnni_merge_retain(&old_pattern, gradient, &new_pattern, retained), 3);
    ck_assert_mem_eq(retained, wanted, sizeof wanted);
    tsnni_pattern_free(&runtime, &old_pattern);
    tsnni_pattern_free(&runtime, &new_pattern);
    tsnni_release(&runtime, old_values);
    tsnni_release(&runtime, new_values);
}
END_TEST

/* ---- against a plain computation ---- */

enum { COPIES = 3, LAYERS = 3 };

/* Copies of one network, each evolved and trained by itself. */
typedef struct family {
    tsnni_course course;
    tsnn_context *contexts[COPIES];
    tsnn_network *copies[COPIES];
} family;

static family family_create(void)
{
    family own = {.course = tsnni_course_small(3, 40, 0.0)};
    for (int n = 0; n < COPIES; n++) {
        own.contexts[n] = tsnni_test_context(TSNN_ISA_AUTO, 1, 50 + (uint64_t)n);
        TSNNI_OK(tsnni_network_copy(own.course.network, own.contexts[n], &own.copies[n]));
        tsnn_evolution *evolution = NULL;
        tsnn_trainer *trainer = NULL;
        tsnn_trainer_options options = own.course.options;
        TSNNI_OK(tsnn_evolution_create(own.contexts[n], NULL, &evolution));
        options.network = own.copies[n];
        options.evolution = evolution;
        options.epochs = 4;
        options.batch = 10;
        TSNNI_OK(tsnn_trainer_create(own.contexts[n], &options, &trainer));
        TSNNI_OK(tsnn_trainer_run(trainer, own.course.train, NULL));
        tsnn_trainer_destroy(&trainer);
        tsnn_evolution_destroy(&evolution);
    }
    return own;
}

static void family_free(family *own)
{
    for (int n = 0; n < COPIES; n++) {
        tsnn_network_destroy(&own->copies[n]);
        tsnn_context_destroy(&own->contexts[n]);
    }
    tsnni_course_free(&own->course);
}

/* A layer as a dense matrix of numbers; absent ones are NaN. */
static double *dense(const tsnn_layer *layer)
{
    const tsnni_pattern *pattern = &layer->topology.pattern;
    double *cells = tsnni_test_array(pattern->rows * pattern->columns, sizeof *cells);
    for (int64_t k = 0; k < pattern->rows * pattern->columns; k++)
        cells[k] = NAN;
    for (int64_t i = 0; i < pattern->rows; i++)
        for (int64_t k = pattern->row_ptr[i]; k < pattern->row_ptr[i + 1]; k++)
            cells[i * pattern->columns + tsnni_index_at(&pattern->column, k)] = layer->topology.values[k];
    return cells;
}

/* Every cell of the mean is the copies' mean; what was cut of a sign is no larger than what stayed of it. */
static void expect_mean_layer(const family *own, int64_t l, int64_t count)
{
    const tsnn_layer *mean = own->course.network->stages[l].layer;
    int64_t cells = mean->topology.pattern.rows * mean->topology.pattern.columns, united = 0;
    double *result = dense(mean), *copies[COPIES], cut[2] = {0, 0}, kept[2] = {INFINITY, INFINITY};
    for (int n = 0; n < COPIES; n++)
        copies[n] = dense(own->copies[n]->stages[l].layer);
    for (int64_t k = 0; k < cells; k++) {
        double sum = 0.0;
        int present = 0;
        for (int n = 0; n < COPIES; n++)
            if (!isnan(copies[n][k])) {
                sum += copies[n][k];
                present = 1;
            }
        united += present;
        double value = (double)(float)(sum / COPIES);
        ck_assert(present || isnan(result[k]));
        if (!present)
            continue;
        if (isnan(result[k])) {
            cut[value >= 0] = fmax(cut[value >= 0], fabs(value));
        } else {
            ck_assert(fabs(result[k] - value) <= 1e-6 * fabs(value));
            kept[value >= 0] = fmin(kept[value >= 0], fabs(value));
        }
    }
    ck_assert_int_eq(mean->topology.pattern.count, count);
    ck_assert_int_ge(united, count);
    ck_assert(cut[0] <= kept[0] * (1 + 1e-6) && cut[1] <= kept[1] * (1 + 1e-6));
    free(result);
    for (int n = 0; n < COPIES; n++)
        free(copies[n]);
}

/* Any number of random matrices, against sums over dense cells in the order of the matrices: not a bit differs. */
static void expect_mean_of_many(int64_t count)
{
    enum { ROWS = 9, COLUMNS = 31, CELLS = ROWS * COLUMNS };
    tsnni_runtime runtime;
    tsnni_runtime_init(&runtime);
    tsnni_pattern *patterns = tsnni_test_array(count, sizeof *patterns), mean;
    tsnni_merge_source *sources = tsnni_test_array(count, sizeof *sources);
    double sum[CELLS] = {0.0}, companion_sum[CELLS] = {0.0};
    int32_t present[CELLS] = {0}, column[CELLS];
    float values[CELLS], *kept, *mean_values, *mean_companion;
    srand((unsigned)count);
    for (int64_t s = 0; s < count; s++) {
        int64_t row_ptr[ROWS + 1] = {0}, found = 0;
        for (int cell = 0; cell < CELLS; cell++) {
            /* The last matrices are empty, the first are full in their first rows. */
            if (s % 7 == 6 || rand() % 8 >= (s % 7 == 0 && cell < 3 * COLUMNS ? 8 : 1))
                continue;
            column[found] = cell % COLUMNS;
            values[found] = (float)(rand() % 2000 - 1000) / 777.0f;
            sum[cell] += (double)values[found];
            companion_sum[cell] += (double)(2.0f * values[found]);
            present[cell] = 1;
            row_ptr[cell / COLUMNS + 1] = ++found;
        }
        for (int row = 1; row <= ROWS; row++)
            row_ptr[row] = row_ptr[row] > row_ptr[row - 1] ? row_ptr[row] : row_ptr[row - 1];
        TSNNI_OK(tsnni_csr_import(&runtime, ROWS, COLUMNS, found, row_ptr, column, values, 0, &patterns[s], &kept));
        float *companion = tsnni_test_array(found + 1, sizeof *companion);
        for (int64_t k = 0; k < found; k++)
            companion[k] = 2.0f * kept[k];
        sources[s] = (tsnni_merge_source){&patterns[s], kept, companion};
    }
    TSNNI_OK(tsnni_merge_mean(&runtime, sources, count, &mean, &mean_values, &mean_companion));
    int64_t k = 0;
    for (int cell = 0; cell < CELLS; cell++) {
        if (cell % COLUMNS == 0)
            ck_assert_int_eq(mean.row_ptr[cell / COLUMNS], k);
        if (!present[cell])
            continue;
        ck_assert_int_eq(tsnni_index_at(&mean.column, k), cell % COLUMNS);
        ck_assert(mean_values[k] == (float)(sum[cell] * (1.0 / (double)count)));
        ck_assert(mean_companion[k] == (float)(companion_sum[cell] * (1.0 / (double)count)));
        k++;
    }
    ck_assert_int_eq(mean.count, k);
    for (int64_t s = 0; s < count; s++) {
        tsnni_pattern_free(&runtime, &patterns[s]);
        tsnni_release(&runtime, (void *)(uintptr_t)sources[s].values);
        free((void *)(uintptr_t)sources[s].companion);
    }
    tsnni_pattern_free(&runtime, &mean);
    tsnni_release(&runtime, mean_values);
    tsnni_release(&runtime, mean_companion);
    free(patterns);
    free(sources);
}

START_TEST(the_mean_of_many_is_exact)
{
    static const int64_t counts[] = {1, 2, 3, 4, 5, 7, 8, 9, 16, 33, 100, 257};
    for (size_t n = 0; n < sizeof counts / sizeof counts[0]; n++)
        expect_mean_of_many(counts[n]);
}
END_TEST

START_TEST(the_mean_of_evolved_copies_keeps_each_layers_count)
{
    family own = family_create();
    int64_t counts[LAYERS];
    for (int64_t l = 0; l < LAYERS; l++)
        counts[l] = own.course.network->stages[l].layer->topology.pattern.count;
    TSNNI_OK(tsnni_average_networks(own.course.network, own.copies, COPIES));
    for (int64_t l = 0; l < LAYERS; l++)
        expect_mean_layer(&own, l, counts[l]);
    family_free(&own);
}
END_TEST

/* Copies large enough to be merged by threads, each of a topology of its own. */
static tsnni_test_bytes mean_by_threads(int32_t threads)
{
    static const int64_t sizes[] = {80, 400, 300};
    static const tsnni_test_function functions[] = {{TSNN_ACTIVATION_ALL_RELU, .6}, {TSNN_ACTIVATION_SOFTMAX, 0}};
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, threads, 3);
    tsnn_network *copies[COPIES], *mean = tsnni_test_network(context, 2, sizes, functions, 0.2, 0.0);
    for (int n = 0; n < COPIES; n++)
        copies[n] = tsnni_test_network(context, 2, sizes, functions, 0.2, 0.0);
    TSNNI_OK(tsnni_average_networks(mean, copies, COPIES));
    tsnni_test_bytes bytes = tsnni_course_bytes(mean);
    for (int n = 0; n < COPIES; n++)
        tsnn_network_destroy(&copies[n]);
    tsnn_network_destroy(&mean);
    tsnn_context_destroy(&context);
    return bytes;
}

START_TEST(the_mean_is_the_same_for_any_number_of_threads)
{
    tsnni_test_bytes one = mean_by_threads(1);
    for (int32_t threads = 2; threads <= 5; threads++) {
        tsnni_test_bytes more = mean_by_threads(threads);
        ck_assert(tsnni_test_bytes_equal(&one, &more));
        tsnni_test_bytes_free(&more);
    }
    tsnni_test_bytes_free(&one);
}
END_TEST

START_TEST(networks_of_other_shapes_are_refused)
{
    static const int64_t sizes[] = {12, 20, 14, 4};
    static const tsnni_test_function functions[] = {
        {TSNN_ACTIVATION_ALL_RELU, .6}, {TSNN_ACTIVATION_ALL_RELU, .6}, {TSNN_ACTIVATION_SOFTMAX, 0}};
    family own = family_create();
    tsnni_test_bytes before = tsnni_course_bytes(own.course.network);
    tsnn_network *other = tsnni_test_network(own.course.context, 3, sizes, functions, 0.4, 0.0);
    tsnn_network *pair[] = {own.copies[0], other};
    TSNNI_REFUSED(own.course.context, TSNN_ERROR_SHAPE, tsnni_average_networks(own.course.network, pair, 2));
    pair[0] = other;
    TSNNI_REFUSED(own.course.context, TSNN_ERROR_SHAPE, tsnni_average_networks(own.course.network, pair, 2));
    tsnn_network *shorter = tsnni_test_network(own.course.context, 2, sizes, functions, 0.4, 0.0);
    pair[0] = shorter;
    TSNNI_REFUSED(own.course.context, TSNN_ERROR_SHAPE, tsnni_average_networks(own.course.network, pair, 1));
    tsnni_test_bytes after = tsnni_course_bytes(own.course.network);
    ck_assert(tsnni_test_bytes_equal(&before, &after));
    tsnni_test_bytes_free(&before);
    tsnni_test_bytes_free(&after);
    tsnn_network_destroy(&other);
    tsnn_network_destroy(&shorter);
    family_free(&own);
}
END_TEST

START_TEST(a_mean_without_memory_changes_nothing)
{
    tsnni_test_allocator allocator = {0};
    family own = family_create();
    tsnn_context *context = tsnni_test_counted_context(&allocator);
    tsnn_network *network = NULL;
    TSNNI_OK(tsnni_network_copy(own.course.network, context, &network));
    int64_t live = allocator.live;
    tsnni_test_bytes before = tsnni_course_bytes(network);
    for (int64_t fail = 1;; fail++) {
        allocator.calls = 0;
        allocator.fail_at = fail;
        tsnn_status status = tsnni_average_networks(network, own.copies, COPIES);
        if (status == TSNN_OK)
            break;
        ck_assert_int_eq(status, TSNN_ERROR_OUT_OF_MEMORY);
        ck_assert_int_eq(allocator.live, live);
        tsnni_test_bytes after = tsnni_course_bytes(network);
        ck_assert(tsnni_test_bytes_equal(&before, &after));
        tsnni_test_bytes_free(&after);
    }
    ck_assert_int_gt(allocator.calls, 10);
    tsnni_test_bytes_free(&before);
    tsnn_network_destroy(&network);
    ck_assert_int_eq(allocator.live, 1); /* the context itself */
    tsnn_context_destroy(&context);
    family_free(&own);
}
END_TEST

/* ---- what is handed over ---- */

START_TEST(weights_and_gradients_survive_being_packed)
{
    family own = family_create();
    tsnn_network *from = own.copies[0], *to = NULL;
    tsnn_gradient *gradient = NULL, *received = NULL;
    TSNNI_OK(tsnn_network_copy(from, &to));
    int64_t size = tsnni_transfer_size(from), wanted = 0;
    for (int64_t l = 0; l < LAYERS; l++)
        wanted += tsnni_test_layer_size(from->stages[l].layer).connections +
                  tsnni_test_layer_size(from->stages[l].layer).outputs;
    ck_assert_int_eq(size, wanted);
    float *flat = tsnni_test_array(2 * size, sizeof *flat);
    memset(flat, 0, (size_t)size * sizeof *flat);
    tsnni_transfer_unpack_weights(flat, to);
    tsnni_transfer_pack_weights(from, flat);
    tsnni_transfer_unpack_weights(flat, to);
    tsnni_transfer_pack_weights(to, flat + size);
    ck_assert_mem_eq(flat, flat + size, (size_t)size * sizeof *flat);
    TSNNI_OK(tsnn_gradient_create(from, &gradient));
    TSNNI_OK(tsnn_gradient_create(from, &received));
    TSNNI_OK(tsnn_gradient_add(gradient, from, own.course.loss, own.course.train, NULL, 10, NULL));
    tsnni_transfer_pack_gradient(gradient, flat);
    tsnni_transfer_unpack_gradient(flat, received);
    double norm, received_norm;
    TSNNI_OK(tsnn_gradient_norm(gradient, &norm));
    TSNNI_OK(tsnn_gradient_norm(received, &received_norm));
    ck_assert(norm > 0.0 && norm == received_norm);
    free(flat);
    tsnn_gradient_destroy(&gradient);
    tsnn_gradient_destroy(&received);
    tsnn_network_destroy(&to);
    family_free(&own);
}
END_TEST

START_TEST(a_topology_is_handed_over_with_its_index_and_version)
{
    family own = family_create();
    tsnn_network *to = NULL;
    TSNNI_OK(tsnni_network_copy(own.course.network, own.contexts[0], &to));
    for (int64_t l = 0; l < LAYERS; l++) {
        tsnn_layer *from = own.copies[0]->stages[l].layer, *layer = to->stages[l].layer;
        tsnni_transfer_topology(from, layer);
        memcpy(layer->topology.values, from->topology.values, (size_t)from->topology.pattern.count * sizeof(float));
        memcpy(layer->bias, from->bias, (size_t)from->topology.pattern.columns * sizeof(float));
        ck_assert_uint_eq(layer->version, from->version);
    }
    tsnn_evaluation ours = TSNN_EVALUATION_INIT, theirs = TSNN_EVALUATION_INIT;
    TSNNI_OK(tsnn_network_evaluate(to, own.course.loss, own.course.train, &ours));
    TSNNI_OK(tsnn_network_evaluate(own.copies[0], own.course.loss, own.course.train, &theirs));
    ck_assert(ours.loss == theirs.loss);
    tsnn_network_destroy(&to);
    family_free(&own);
}
END_TEST

Suite *tsnni_suite_average(void)
{
    Suite *suite = suite_create("average");
    TCase *hand = tcase_create("by hand");
    tcase_add_test(hand, two_topologies_worked_out_by_hand);
    tcase_add_test(hand, only_the_entries_that_both_have_are_retained);
    suite_add_tcase(suite, hand);
    TCase *mean = tcase_create("mean");
    tcase_add_test(mean, the_mean_of_many_is_exact);
    tcase_add_test(mean, the_mean_of_evolved_copies_keeps_each_layers_count);
    tcase_add_test(mean, the_mean_is_the_same_for_any_number_of_threads);
    tcase_add_test(mean, networks_of_other_shapes_are_refused);
    tcase_add_test(mean, a_mean_without_memory_changes_nothing);
    suite_add_tcase(suite, mean);
    TCase *transfer = tcase_create("transfer");
    tcase_add_test(transfer, weights_and_gradients_survive_being_packed);
    tcase_add_test(transfer, a_topology_is_handed_over_with_its_index_and_version);
    suite_add_tcase(suite, transfer);
    return suite;
}
