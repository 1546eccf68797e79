/* Pruning: which neurons go, what goes with them, and what the network still computes. */
#include "suites.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

/* ---- making and reading things ---- */

static tsnn_pruning *make_pruning(tsnn_context *context, double percentile, double threshold, int32_t fold)
{
    tsnn_pruning_options options = TSNN_PRUNING_OPTIONS_INIT;
    options.percentile = percentile;
    options.threshold = threshold;
    options.fold = fold;
    tsnn_pruning *pruning = NULL;
    TSNNI_OK(tsnn_pruning_create(context, &options, &pruning));
    return pruning;
}

/* Zeros of a row-major matrix are cells without a connection. */
static tsnn_layer *make_dense(tsnn_context *context, int64_t rows, int64_t columns, const float *matrix,
                              const float *bias)
{
    int64_t *row_ptr = tsnni_test_array(rows + 1, sizeof *row_ptr), count = 0;
    int32_t *column = tsnni_test_array(rows * columns, sizeof *column);
    float *values = tsnni_test_array(rows * columns, sizeof *values);
    for (int64_t i = 0; i < rows; i++) {
        for (int64_t j = 0; j < columns; j++) {
            if (matrix[i * columns + j] == 0.0f)
                continue;
            column[count] = (int32_t)j;
            values[count++] = matrix[i * columns + j];
        }
        row_ptr[i + 1] = count;
    }
    tsnn_layer *layer = NULL;
    TSNNI_OK(
        tsnn_layer_create_from_csr(context, rows, columns, count, row_ptr, column, values, bias, TSNN_TRUSTED, &layer));
    free(row_ptr);
    free(column);
    free(values);
    return layer;
}

static void append(tsnn_network *network, tsnn_layer *layer, tsnn_context *context, int32_t kind)
{
    tsnn_activation *activation = tsnni_test_activation(context, (tsnni_test_function){kind, 0.5});
    TSNNI_OK(tsnn_network_append(network, &layer, activation, 0.0));
    tsnn_activation_destroy(&activation);
}

static tsnn_network *make_empty(tsnn_context *context)
{
    tsnn_network *network = NULL;
    TSNNI_OK(tsnn_network_create(context, &network));
    return network;
}

/* Weights, then momentum, in CSR order. */
static void expect_layer(const tsnn_layer *layer, int64_t rows, int64_t columns, int64_t count, const int64_t *row_ptr,
                         const int32_t *column, const float *values, const float *velocity)
{
    int64_t found_ptr[16];
    int32_t found_column[32];
    float found_values[32], found_velocity[32];
    tsnn_layer_info info = tsnni_test_layer_size(layer);
    ck_assert_int_eq(info.inputs, rows);
    ck_assert_int_eq(info.outputs, columns);
    ck_assert_int_eq(info.connections, count);
    TSNNI_OK(tsnn_layer_get_csr(layer, found_ptr, 16, found_column, found_values, 32));
    TSNNI_OK(tsnn_layer_get_velocity(layer, found_velocity, 32, NULL, 0));
    for (int64_t i = 0; i <= rows; i++)
        ck_assert_int_eq(found_ptr[i], row_ptr[i]);
    for (int64_t k = 0; k < count; k++) {
        ck_assert_int_eq(found_column[k], column[k]);
        ck_assert(found_values[k] == values[k]);
        ck_assert(found_velocity[k] == velocity[k]);
    }
}

static void expect_bias(const tsnn_layer *layer, int64_t count, const float *bias, const float *velocity)
{
    float found[16], found_velocity[16];
    ck_assert_int_eq(tsnni_test_layer_size(layer).outputs, count);
    TSNNI_OK(tsnn_layer_get_bias(layer, found, 16));
    TSNNI_OK(tsnn_layer_get_velocity(layer, NULL, 0, found_velocity, 16));
    for (int64_t j = 0; j < count; j++) {
        ck_assert(found[j] == bias[j]);
        if (velocity != NULL)
            ck_assert(found_velocity[j] == velocity[j]);
    }
}

static void expect_map(const tsnn_pruning *pruning, int64_t layer, int64_t count, const int32_t *expected)
{
    int32_t map[64];
    int64_t old_count = -1;
    TSNNI_OK(tsnn_pruning_get_map(pruning, layer, map, count, &old_count));
    ck_assert_int_eq(old_count, count);
    for (int64_t j = 0; j < count; j++)
        ck_assert_int_eq(map[j], expected[j]);
}

/* ---- an example worked by hand ---- */

/* 2 inputs, 4 hidden, 3 hidden, 2 outputs. Importances: 3, .5, 5, 0 and 6, .25, 3. */
static const float hand_first[8] = {1, .25f, -2, 0, -2, .25f, 3, 0};
static const float hand_second[12] = {2, 0, -1, 4, .25f, 0, 0, 0, 2, 0, 0, 0};
static const float hand_third[6] = {1, 2, 8, 16, 0, 5};
static const float hand_bias[3][4] = {{.1f, -2, .3f, .5f}, {1, -4, 3}, {.5f, .25f}};

static tsnn_network *make_hand(tsnn_context *context, int32_t kind)
{
    tsnn_network *network = make_empty(context);
    append(network, make_dense(context, 2, 4, hand_first, hand_bias[0]), context, kind);
    append(network, make_dense(context, 4, 3, hand_second, hand_bias[1]), context, kind);
    append(network, make_dense(context, 3, 2, hand_third, hand_bias[2]), context, TSNN_ACTIVATION_IDENTITY);
    for (int64_t l = 0; l < 3; l++) {
        float weights[16], bias[4];
        tsnn_layer *layer = tsnni_test_layer_of(network, l);
        tsnn_layer_info info = tsnni_test_layer_size(layer);
        for (int k = 0; k < 16; k++)
            weights[k] = (float)(100 * (l + 1) + k);
        for (int j = 0; j < 4; j++)
            bias[j] = (float)(1000 * (l + 1) + j);
        TSNNI_OK(tsnn_layer_set_velocity(layer, weights, info.connections, bias, info.outputs));
    }
    return network;
}

START_TEST(a_neuron_goes_with_both_sides_bias_and_momentum)
{
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 1);
    tsnn_network *network = make_hand(context, TSNN_ACTIVATION_RELU);
    tsnn_pruning *pruning = make_pruning(context, 0, .5, TSNN_FOLD_NONE); /* neurons 1 and 3; then neuron 1 */
    tsnn_pruning_report report = TSNN_PRUNING_REPORT_INIT;
    TSNNI_OK(tsnn_pruning_apply(pruning, network, &report));
    ck_assert_int_eq(report.neurons_before, 9);
    ck_assert_int_eq(report.neurons_after, 6);
    ck_assert_int_eq(report.connections_before, 6 + 5 + 5);
    ck_assert_int_eq(report.connections_after, 4 + 3 + 3);

    const int64_t first_ptr[] = {0, 2, 4}, second_ptr[] = {0, 2, 3}, third_ptr[] = {0, 2, 3};
    const int32_t first_column[] = {0, 1, 0, 1}, second_column[] = {0, 1, 1}, third_column[] = {0, 1, 1};
    const float first[] = {1, -2, -2, 3}, first_velocity[] = {100, 102, 103, 105};
    const float second[] = {2, -1, 2}, second_velocity[] = {200, 201, 204};
    const float third[] = {1, 2, 5}, third_velocity[] = {300, 301, 304};
    expect_layer(tsnni_test_layer_of(network, 0), 2, 2, 4, first_ptr, first_column, first, first_velocity);
    expect_layer(tsnni_test_layer_of(network, 1), 2, 2, 3, second_ptr, second_column, second, second_velocity);
    expect_layer(tsnni_test_layer_of(network, 2), 2, 2, 3, third_ptr, third_column, third, third_velocity);

    const float bias[3][2] = {{.1f, .3f}, {1, 3}, {.5f, .25f}};
    const float bias_velocity[3][2] = {{1000, 1002}, {2000, 2002}, {3000, 3001}};
    for (int64_t l = 0; l < 3; l++)
        expect_bias(tsnni_test_layer_of(network, l), 2, bias[l], bias_velocity[l]);
    const int32_t first_map[] = {0, -1, 1, -1}, second_map[] = {0, -1, 1}, last_map[] = {0, 1};
    expect_map(pruning, 0, 4, first_map);
    expect_map(pruning, 1, 3, second_map);
    expect_map(pruning, 2, 2, last_map);
    tsnn_pruning_destroy(&pruning);
    tsnn_network_destroy(&network);
    tsnn_context_destroy(&context);
}
END_TEST

/* Constants: neuron 1 gives f(-2), neuron 3 f(.5); what they feed into neuron 1 of the next layer, which goes too,
 * moves its bias from -4 by .25 f(-2) before f is taken of it. */
START_TEST(constant_outputs_are_folded_into_the_next_biases)
{
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 1);
    tsnn_network *network = make_hand(context, TSNN_ACTIVATION_LEAKY_RELU); /* slope .5 */
    tsnn_pruning *pruning = make_pruning(context, 0, .5, TSNN_FOLD_BIASES);
    TSNNI_OK(tsnn_pruning_apply(pruning, network, NULL));
    /* f(-2) = -1: biases of the second layer 1 - 4, -4 - .25, 3. f(-4.25) = -2.125 times 8 and 16. */
    const float first[] = {.1f, .3f}, second[] = {-3, 3}, third[] = {.5f - 17, .25f - 34};
    expect_bias(tsnni_test_layer_of(network, 0), 2, first, NULL);
    expect_bias(tsnni_test_layer_of(network, 1), 2, second, NULL);
    expect_bias(tsnni_test_layer_of(network, 2), 2, third, NULL);
    tsnn_pruning_destroy(&pruning);
    tsnn_network_destroy(&network);
    tsnn_context_destroy(&context);
}
END_TEST

/* ---- which neurons go ---- */

/* Prunes one hidden layer of these importances; -1 ends the list of neurons that stay. */
static void expect_staying(int64_t neurons, const float *importance, double percentile, double threshold,
                           const int32_t *staying)
{
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 1);
    tsnn_network *network = make_empty(context);
    float out[64];
    for (int64_t j = 0; j < neurons; j++)
        out[j] = 1.0f;
    append(network, make_dense(context, 1, neurons, importance, NULL), context, TSNN_ACTIVATION_RELU);
    append(network, make_dense(context, neurons, 1, out, NULL), context, TSNN_ACTIVATION_IDENTITY);
    tsnn_pruning *pruning = make_pruning(context, percentile, threshold, TSNN_FOLD_NONE);
    TSNNI_OK(tsnn_pruning_apply(pruning, network, NULL));
    int32_t expected[64], next = 0;
    for (int32_t j = 0; j < neurons; j++)
        expected[j] = staying[next] == j ? next++ : -1;
    expect_map(pruning, 0, neurons, expected);
    ck_assert_int_eq(tsnni_test_layer_size(tsnni_test_layer_of(network, 0)).outputs, next);
    ck_assert_int_eq(tsnni_test_layer_size(tsnni_test_layer_of(network, 1)).inputs, next);
    tsnn_pruning_destroy(&pruning);
    tsnn_network_destroy(&network);
    tsnn_context_destroy(&context);
}

START_TEST(percentiles_lie_on_the_line_between_their_neighbours)
{
    const float five[] = {5, -1, 4, 2, 3};
    const int32_t without_smallest[] = {0, 2, 3, 4, -1}, without_two[] = {0, 2, 4, -1}, only_largest[] = {0, -1};
    expect_staying(5, five, 20, 0, without_smallest); /* at 1.8 */
    expect_staying(5, five, 0, 0, without_smallest);  /* the default is 20 */
    expect_staying(5, five, 1, 0, without_smallest);  /* at 1.04 */
    expect_staying(5, five, 24.999, 0, without_smallest);
    expect_staying(5, five, 25, 0, without_two); /* at 2 itself: it goes */
    expect_staying(5, five, 49.999, 0, without_two);
    expect_staying(5, five, 99.9, 0, only_largest);
    const float equal[] = {1, 1, 4, 1};
    const int32_t third_only[] = {2, -1};
    expect_staying(4, equal, 1, 0, third_only); /* all that are at the percentile */
}
END_TEST

START_TEST(a_threshold_takes_what_is_at_or_below_it)
{
    const float five[] = {5, 1, -4, 2, 0};
    const int32_t above_two[] = {0, 2, -1}, above_less[] = {0, 1, 2, 3, -1};
    expect_staying(5, five, 0, 2, above_two);
    expect_staying(5, five, 0, 1.9999999, (const int32_t[]){0, 2, 3, -1});
    expect_staying(5, five, 0, 1e-30, above_less);
    const float all[] = {3, 2};
    expect_staying(2, all, 0, 0.5, (const int32_t[]){0, 1, -1});
}
END_TEST

START_TEST(the_most_important_neuron_stays)
{
    const float equal[] = {2, 2, 2}, rising[] = {1, 2, 3, 3, 1}, nothing[] = {0, 0}, one[] = {1};
    const int32_t first[] = {0, -1}, third[] = {2, -1};
    expect_staying(3, equal, 50, 0, first);
    expect_staying(5, rising, 0, 100, third);
    expect_staying(2, nothing, 50, 0, first);
    expect_staying(1, one, 50, 0, first);
}
END_TEST

START_TEST(importance_is_the_sum_of_magnitudes_that_come_in)
{
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 1);
    const float matrix[] = {1e8f, 0, -2, -1, 0, 0.5f, -1e8f, 0, 3};
    tsnn_layer *layer = make_dense(context, 3, 3, matrix, NULL);
    double importance[3] = {-1, -1, -1};
    TSNNI_OK(tsnn_layer_get_importance(layer, importance, 3));
    ck_assert(importance[0] == 200000001.0 && importance[1] == 0.0 && importance[2] == 5.5);
    TSNNI_REFUSED(context, TSNN_ERROR_BUFFER_TOO_SMALL, tsnn_layer_get_importance(layer, importance, 2));
    TSNNI_REFUSED(context, TSNN_ERROR_NULL_ARGUMENT, tsnn_layer_get_importance(layer, NULL, 3));
    ck_assert_int_eq(tsnn_layer_get_importance(NULL, importance, 3), TSNN_ERROR_NULL_ARGUMENT);
    tsnn_layer_destroy(&layer);
    tsnn_context_destroy(&context);
}
END_TEST

/* ---- what the network computes afterwards ---- */

enum { SAMPLES = 9 };

static void predict(const tsnn_network *network, float *outputs)
{
    tsnn_network_info info = tsnni_test_network_size(network);
    float features[SAMPLES * 64];
    tsnni_test_random random = {77};
    for (int64_t k = 0; k < SAMPLES * info.inputs; k++)
        features[k] = (float)tsnni_test_uniform(&random, -2.0, 2.0);
    TSNNI_OK(tsnn_network_predict(network, features, SAMPLES, outputs, SAMPLES * info.outputs));
}

static void expect_same_outputs(const float *a, const float *b, int64_t count)
{
    for (int64_t k = 0; k < count; k++)
        ck_assert_msg(fabsf(a[k] - b[k]) <= 1e-5f * (1.0f + fabsf(a[k])), "output %d: %g and %g", (int)k, (double)a[k],
                      (double)b[k]);
}

/* Multiplies by zero what the removed neurons receive (incoming) or send. */
static void silence(tsnn_network *network, const tsnn_pruning *pruning, int64_t hidden, int incoming)
{
    tsnn_layer *layer = tsnni_test_layer_of(network, incoming ? hidden : hidden + 1);
    tsnn_layer_info info = tsnni_test_layer_size(layer);
    int32_t *map = tsnni_test_array(1000, sizeof *map), *row = tsnni_test_array(info.connections, sizeof *row);
    int32_t *column = tsnni_test_array(info.connections, sizeof *column);
    float *values = tsnni_test_array(info.connections, sizeof *values);
    TSNNI_OK(tsnn_pruning_get_map(pruning, hidden, map, 1000, NULL));
    TSNNI_OK(tsnn_layer_get_coo(layer, row, column, values, info.connections));
    for (int64_t k = 0; k < info.connections; k++)
        if (map[incoming ? column[k] : row[k]] < 0)
            values[k] = 0.0f;
    TSNNI_OK(tsnn_layer_set_weights(layer, values, info.connections, NULL, 0));
    free(map);
    free(row);
    free(column);
    free(values);
}

static tsnn_network *make_random(tsnn_context *context, int32_t kind)
{
    const int64_t sizes[] = {20, 30, 25, 15, 6};
    const tsnni_test_function functions[] = {{kind, .5}, {kind, .5}, {kind, .5}, {TSNN_ACTIVATION_IDENTITY, 0}};
    return tsnni_test_network(context, 4, sizes, functions, 0.3, 0.0);
}

static const int32_t kinds[] = {TSNN_ACTIVATION_IDENTITY, TSNN_ACTIVATION_RELU,    TSNN_ACTIVATION_LEAKY_RELU,
                                TSNN_ACTIVATION_ALL_RELU, TSNN_ACTIVATION_SIGMOID, TSNN_ACTIVATION_TANH,
                                TSNN_ACTIVATION_CUSTOM};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

START_TEST(without_folding_it_is_as_if_they_had_been_silent)
{
    for (int kind = 0; kind < KINDS; kind++) {
        tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 1);
        tsnn_network *network = make_random(context, kinds[kind]), *whole = NULL;
        TSNNI_OK(tsnn_network_copy(network, &whole));
        tsnn_pruning *pruning = make_pruning(context, 40, 0, TSNN_FOLD_NONE);
        tsnn_pruning_report report = TSNN_PRUNING_REPORT_INIT;
        TSNNI_OK(tsnn_pruning_apply(pruning, network, &report));
        ck_assert_int_eq(report.neurons_after, 18 + 15 + 9 + 6);
        ck_assert_int_eq(tsnni_test_network_size(network).connections, report.connections_after);
        for (int64_t hidden = 0; hidden < 3; hidden++)
            silence(whole, pruning, hidden, 0);
        float pruned_outputs[SAMPLES * 6], whole_outputs[SAMPLES * 6];
        predict(network, pruned_outputs);
        predict(whole, whole_outputs);
        expect_same_outputs(whole_outputs, pruned_outputs, SAMPLES * 6);
        tsnn_pruning_destroy(&pruning);
        tsnn_network_destroy(&network);
        tsnn_network_destroy(&whole);
        tsnn_context_destroy(&context);
    }
}
END_TEST

/* A neuron without incoming weights is constant; pruned and folded, the network computes the same. */
START_TEST(folding_keeps_what_constant_neurons_gave)
{
    for (int kind = 0; kind < KINDS; kind++) {
        tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 1);
        tsnn_network *network = make_random(context, kinds[kind]), *scratch = NULL;
        tsnn_pruning *scout = make_pruning(context, 40, 0, TSNN_FOLD_NONE);
        TSNNI_OK(tsnn_network_copy(network, &scratch));
        TSNNI_OK(tsnn_pruning_apply(scout, scratch, NULL)); /* only to learn which would go */
        for (int64_t hidden = 0; hidden < 3; hidden++)
            silence(network, scout, hidden, 1);
        float before[SAMPLES * 6], after[SAMPLES * 6];
        predict(network, before);
        tsnn_pruning *pruning = make_pruning(context, 0, 1e-20, TSNN_FOLD_BIASES);
        TSNNI_OK(tsnn_pruning_apply(pruning, network, NULL));
        ck_assert_int_eq(tsnni_test_network_size(network).neurons, 18 + 15 + 9 + 6);
        predict(network, after);
        expect_same_outputs(before, after, SAMPLES * 6);
        tsnn_pruning_destroy(&scout);
        tsnn_pruning_destroy(&pruning);
        tsnn_network_destroy(&network);
        tsnn_network_destroy(&scratch);
        tsnn_context_destroy(&context);
    }
}
END_TEST

START_TEST(a_hidden_softmax_is_pruned_but_not_folded)
{
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 1);
    tsnn_network *network = make_hand(context, TSNN_ACTIVATION_SOFTMAX);
    tsnn_pruning *pruning = make_pruning(context, 0, .5, TSNN_FOLD_BIASES);
    TSNNI_OK(tsnn_pruning_apply(pruning, network, NULL));
    const float second[] = {1, 3}, third[] = {.5f, .25f};
    expect_bias(tsnni_test_layer_of(network, 1), 2, second, NULL);
    expect_bias(tsnni_test_layer_of(network, 2), 2, third, NULL);
    tsnn_pruning_destroy(&pruning);
    tsnn_network_destroy(&network);
    tsnn_context_destroy(&context);
}
END_TEST

/* ---- again, and beside what is frozen ---- */

START_TEST(maps_of_two_prunings_compose)
{
    enum { NEURONS = 30 };
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 1);
    tsnn_network *network = make_random(context, TSNN_ACTIVATION_RELU);
    float bias[NEURONS], after[NEURONS];
    for (int j = 0; j < NEURONS; j++)
        bias[j] = (float)j;
    tsnn_layer *layer = tsnni_test_layer_of(network, 0);
    TSNNI_OK(tsnn_layer_set_weights(layer, NULL, 0, bias, NEURONS));
    tsnn_pruning *pruning = make_pruning(context, 20, 0, TSNN_FOLD_NONE);
    int32_t first[NEURONS], second[NEURONS];
    int64_t count;
    TSNNI_OK(tsnn_pruning_apply(pruning, network, NULL));
    TSNNI_OK(tsnn_pruning_get_map(pruning, 0, first, NEURONS, &count));
    ck_assert_int_eq(count, NEURONS);
    TSNNI_OK(tsnn_pruning_apply(pruning, network, NULL));
    TSNNI_OK(tsnn_pruning_get_map(pruning, 0, second, NEURONS, &count));
    ck_assert_int_eq(count, 24);
    int64_t left = tsnni_test_layer_size(layer).outputs, found = 0;
    ck_assert_int_eq(left, 19); /* of 24 importances the 20th percentile is above five */
    TSNNI_OK(tsnn_layer_get_bias(layer, after, NEURONS));
    for (int j = 0; j < NEURONS; j++) {
        int32_t now = first[j] < 0 ? -1 : second[first[j]];
        if (now >= 0)
            ck_assert(after[now] == bias[j] && now == found++);
    }
    ck_assert_int_eq(found, left);
    tsnn_pruning_destroy(&pruning);
    tsnn_network_destroy(&network);
    tsnn_context_destroy(&context);
}
END_TEST

START_TEST(neurons_beside_frozen_connections_stay)
{
    for (int64_t frozen = 0; frozen < 4; frozen++) {
        tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 1);
        tsnn_network *network = make_random(context, TSNN_ACTIVATION_RELU);
        tsnn_layer *layer = tsnni_test_layer_of(network, frozen);
        TSNNI_OK(tsnn_layer_freeze(layer, 1));
        tsnni_test_bytes before = {0}, after = {0};
        tsnni_test_bytes_add_layer(&before, layer);
        tsnn_pruning *pruning = make_pruning(context, 40, 0, TSNN_FOLD_BIASES);
        TSNNI_OK(tsnn_pruning_apply(pruning, network, NULL));
        tsnni_test_bytes_add_layer(&after, layer);
        ck_assert(tsnni_test_bytes_equal(&before, &after));
        const int64_t sizes[3] = {30, 25, 15}, pruned[3] = {18, 15, 9};
        for (int64_t hidden = 0; hidden < 3; hidden++)
            ck_assert_int_eq(tsnni_test_layer_size(tsnni_test_layer_of(network, hidden)).outputs,
                             hidden == frozen || hidden + 1 == frozen ? sizes[hidden] : pruned[hidden]);
        float outputs[SAMPLES * 6];
        predict(network, outputs); /* the shapes fit */
        tsnni_test_bytes_free(&before);
        tsnni_test_bytes_free(&after);
        tsnn_pruning_destroy(&pruning);
        tsnn_network_destroy(&network);
        tsnn_context_destroy(&context);
    }
}
END_TEST

START_TEST(a_network_without_hidden_layers_stays)
{
    const int64_t sizes[] = {10, 4};
    const tsnni_test_function functions[] = {{TSNN_ACTIVATION_SOFTMAX, 0}};
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 1);
    tsnn_network *network = tsnni_test_network(context, 1, sizes, functions, 0.5, 0.0);
    tsnn_pruning *pruning = make_pruning(context, 50, 0, TSNN_FOLD_BIASES);
    tsnni_test_bytes before = {0}, after = {0};
    tsnni_test_bytes_add_network(&before, network);
    tsnn_pruning_report report = TSNN_PRUNING_REPORT_INIT;
    TSNNI_OK(tsnn_pruning_apply(pruning, network, &report));
    tsnni_test_bytes_add_network(&after, network);
    ck_assert(tsnni_test_bytes_equal(&before, &after));
    ck_assert_int_eq(report.neurons_after, report.neurons_before);
    ck_assert_int_eq(report.connections_after, report.connections_before);
    expect_map(pruning, 0, 4, (const int32_t[]){0, 1, 2, 3});
    tsnni_test_bytes_free(&before);
    tsnni_test_bytes_free(&after);
    tsnn_pruning_destroy(&pruning);
    tsnn_network_destroy(&network);
    tsnn_context_destroy(&context);
}
END_TEST

START_TEST(indices_become_narrow_when_they_can)
{
    enum { WIDE = 70000, EVERY = 7 };
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 2, 1);
    tsnn_network *network = make_empty(context);
    float *matrix = tsnni_test_array(2 * WIDE, sizeof *matrix);
    for (int64_t j = 0; j < 2 * WIDE; j++)
        matrix[j] = j % EVERY == 0 ? 0.001f : 1.0f + (float)(j % 13);
    append(network, make_dense(context, 1, WIDE, matrix, NULL), context, TSNN_ACTIVATION_IDENTITY);
    append(network, make_dense(context, WIDE, 2, matrix, NULL), context, TSNN_ACTIVATION_IDENTITY);
    tsnn_layer *first = tsnni_test_layer_of(network, 0), *second = tsnni_test_layer_of(network, 1);
    ck_assert_int_eq(tsnni_test_layer_size(first).index_bytes, 4);
    int64_t bytes = tsnni_test_network_size(network).bytes;
    float before[2 * SAMPLES], after[2 * SAMPLES];
    tsnn_pruning *pruning = make_pruning(context, 0, 0.01, TSNN_FOLD_NONE);
    predict(network, before);
    TSNNI_OK(tsnn_pruning_apply(pruning, network, NULL));
    ck_assert_int_eq(tsnni_test_layer_size(first).outputs, WIDE - WIDE / EVERY);
    ck_assert_int_eq(tsnni_test_layer_size(second).inputs, WIDE - WIDE / EVERY);
    ck_assert_int_eq(tsnni_test_layer_size(first).index_bytes, 2);
    ck_assert_int_lt(tsnni_test_network_size(network).bytes, bytes * 6 / 7);
    predict(network, after);
    for (int k = 0; k < 2 * SAMPLES; k++) /* a seventh of the neurons gave about a ten-thousandth */
        ck_assert(fabsf(after[k] - before[k]) <= 1e-3f * fabsf(before[k]));
    free(matrix);
    tsnn_pruning_destroy(&pruning);
    tsnn_network_destroy(&network);
    tsnn_context_destroy(&context);
}
END_TEST

START_TEST(threads_do_not_change_the_result)
{
    tsnni_test_bytes one = {0};
    for (int32_t threads = 1; threads <= 8; threads++) {
        const int64_t sizes[] = {60, 500, 400, 10};
        const tsnni_test_function functions[] = {{TSNN_ACTIVATION_ALL_RELU, .6}, {TSNN_ACTIVATION_TANH, 0}, {0, 0}};
        tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, threads, 9);
        tsnn_network *network = tsnni_test_network(context, 3, sizes, functions, 0.2, 0.0);
        tsnn_pruning *pruning = make_pruning(context, 35, 0, TSNN_FOLD_BIASES);
        TSNNI_OK(tsnn_pruning_apply(pruning, network, NULL));
        tsnni_test_bytes bytes = {0};
        tsnni_test_bytes_add_network(&bytes, network);
        if (threads == 1)
            one = bytes;
        ck_assert(tsnni_test_bytes_equal(&one, &bytes));
        if (threads > 1)
            tsnni_test_bytes_free(&bytes);
        tsnn_pruning_destroy(&pruning);
        tsnn_network_destroy(&network);
        tsnn_context_destroy(&context);
    }
    tsnni_test_bytes_free(&one);
}
END_TEST

/* ---- refusals ---- */

START_TEST(a_network_with_bad_numbers_stays_as_it_was)
{
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 1);
    for (int bad = 0; bad < 3; bad++) {
        float first[8], third[6], bias[4] = {.1f, 3e38f, .3f, .5f}, second[12];
        memcpy(first, hand_first, sizeof first);
        memcpy(second, hand_second, sizeof second);
        memcpy(third, hand_third, sizeof third);
        if (bad == 0)
            first[4] = NAN;
        else if (bad == 1)
            third[5] = INFINITY;
        tsnn_network *network = make_empty(context);
        append(network, make_dense(context, 2, 4, first, bias), context, TSNN_ACTIVATION_IDENTITY);
        append(network, make_dense(context, 4, 3, second, NULL), context, TSNN_ACTIVATION_IDENTITY);
        append(network, make_dense(context, 3, 2, third, NULL), context, TSNN_ACTIVATION_IDENTITY);
        tsnni_test_bytes before = {0}, after = {0};
        tsnni_test_bytes_add_network(&before, network);
        tsnn_pruning *pruning = make_pruning(context, 0, .5, TSNN_FOLD_BIASES);
        tsnn_pruning_report report = TSNN_PRUNING_REPORT_INIT;
        TSNNI_REFUSED(context, TSNN_ERROR_NOT_FINITE, tsnn_pruning_apply(pruning, network, &report));
        tsnni_test_expect_text(context, bad == 0   ? "layer 0: weights: value 3"
                                        : bad == 1 ? "layer 2"
                                                   : "layer 1: fold");
        tsnni_test_bytes_add_network(&after, network);
        ck_assert(tsnni_test_bytes_equal(&before, &after));
        ck_assert_int_eq(report.neurons_before, 0);
        TSNNI_REFUSED(context, TSNN_ERROR_STATE, tsnn_pruning_get_map(pruning, 0, NULL, 0, NULL));
        tsnni_test_bytes_free(&before);
        tsnni_test_bytes_free(&after);
        tsnn_pruning_destroy(&pruning);
        tsnn_network_destroy(&network);
    }
    tsnn_context_destroy(&context);
}
END_TEST

START_TEST(bad_options_are_refused)
{
    const tsnn_pruning_options bad[] = {
        {sizeof(tsnn_pruning_options), 2, 0, 0, 0, 0},   {sizeof(tsnn_pruning_options), -1, 0, 0, 0, 0},
        {sizeof(tsnn_pruning_options), 0, 100, 0, 0, 0}, {sizeof(tsnn_pruning_options), 0, -1, 0, 0, 0},
        {sizeof(tsnn_pruning_options), 0, NAN, 0, 0, 0}, {sizeof(tsnn_pruning_options), 0, 0, -1, 0, 0},
        {sizeof(tsnn_pruning_options), 0, 0, NAN, 0, 0}, {sizeof(tsnn_pruning_options), 0, 0, INFINITY, 0, 0},
        {sizeof(tsnn_pruning_options), 0, 20, 1, 0, 0},  {sizeof(tsnn_pruning_options), 0, 0, 0, -1, 0},
        {sizeof(tsnn_pruning_options), 0, 0, 0, 0, -1},
    };
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 1);
    for (size_t c = 0; c < sizeof bad / sizeof bad[0]; c++) {
        tsnn_pruning *pruning = (tsnn_pruning *)context;
        TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_pruning_create(context, &bad[c], &pruning));
        ck_assert_ptr_null(pruning);
    }
    tsnn_pruning_options options = TSNN_PRUNING_OPTIONS_INIT;
    tsnn_pruning *pruning = NULL;
    options.struct_size = 0;
    TSNNI_REFUSED(context, TSNN_ERROR_STRUCT_SIZE, tsnn_pruning_create(context, &options, &pruning));
    ck_assert_int_eq(tsnn_pruning_create(NULL, NULL, &pruning), TSNN_ERROR_NULL_ARGUMENT);
    ck_assert_int_eq(tsnn_pruning_create(context, NULL, NULL), TSNN_ERROR_NULL_ARGUMENT);
    ck_assert_int_eq(tsnn_pruning_options_init(NULL), TSNN_ERROR_NULL_ARGUMENT);
    memset(&options, 0xFF, sizeof options);
    TSNNI_OK(tsnn_pruning_options_init(&options));
    TSNNI_OK(tsnn_pruning_create(context, &options, &pruning));
    tsnn_pruning_destroy(&pruning);
    ck_assert_ptr_null(pruning);
    tsnn_pruning_destroy(&pruning);
    tsnn_pruning_destroy(NULL);
    tsnn_context_destroy(&context);
}
END_TEST

START_TEST(bad_arguments_are_refused)
{
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 1), *stranger = tsnni_test_context(0, 1, 1);
    tsnn_network *network = make_hand(context, TSNN_ACTIVATION_RELU), *strange = make_hand(stranger, 0);
    tsnn_network *empty = make_empty(context);
    tsnn_pruning *pruning = make_pruning(context, 0, .5, TSNN_FOLD_NONE);
    tsnn_pruning_report report = TSNN_PRUNING_REPORT_INIT;
    int32_t map[4] = {7, 7, 7, 7};
    int64_t count = 5;
    ck_assert_int_eq(tsnn_pruning_apply(NULL, network, NULL), TSNN_ERROR_NULL_ARGUMENT);
    ck_assert_int_eq(tsnn_pruning_apply(pruning, NULL, NULL), TSNN_ERROR_NULL_ARGUMENT);
    TSNNI_REFUSED(context, TSNN_ERROR_STATE, tsnn_pruning_apply(pruning, empty, &report));
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_pruning_apply(pruning, strange, &report));
    tsnni_test_bytes before = {0}, after = {0};
    tsnni_test_bytes_add_network(&before, network);
    report.struct_size = 1;
    TSNNI_REFUSED(context, TSNN_ERROR_STRUCT_SIZE, tsnn_pruning_apply(pruning, network, &report));
    tsnni_test_bytes_add_network(&after, network);
    ck_assert(tsnni_test_bytes_equal(&before, &after));
    ck_assert_int_eq(tsnn_pruning_get_map(NULL, 0, map, 4, &count), TSNN_ERROR_NULL_ARGUMENT);
    TSNNI_REFUSED(context, TSNN_ERROR_STATE, tsnn_pruning_get_map(pruning, 0, map, 4, &count));
    TSNNI_OK(tsnn_pruning_apply(pruning, network, NULL));
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_pruning_get_map(pruning, -1, map, 4, &count));
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_pruning_get_map(pruning, 3, map, 4, &count));
    TSNNI_REFUSED(context, TSNN_ERROR_BUFFER_TOO_SMALL, tsnn_pruning_get_map(pruning, 0, map, 3, &count));
    ck_assert_int_eq(count, 5);
    ck_assert_int_eq(map[0], 7);
    TSNNI_OK(tsnn_pruning_get_map(pruning, 0, NULL, 0, &count));
    ck_assert_int_eq(count, 4);
    tsnni_test_bytes_free(&before);
    tsnni_test_bytes_free(&after);
    tsnn_pruning_destroy(&pruning);
    tsnn_network_destroy(&network);
    tsnn_network_destroy(&strange);
    tsnn_network_destroy(&empty);
    tsnn_context_destroy(&context);
    tsnn_context_destroy(&stranger);
}
END_TEST

START_TEST(without_memory_network_and_maps_stay_as_they_were)
{
    for (int64_t fail_at = 1;; fail_at++) {
        tsnni_test_allocator allocator = {0};
        tsnn_context *context = tsnni_test_counted_context(&allocator);
        tsnn_network *network = make_hand(context, TSNN_ACTIVATION_TANH);
        tsnn_pruning *pruning = make_pruning(context, 0, .3, TSNN_FOLD_BIASES);
        TSNNI_OK(tsnn_pruning_apply(pruning, network, NULL)); /* neuron 3 goes; there are maps now */
        tsnn_pruning *second = NULL;
        tsnni_test_bytes before = {0}, after = {0};
        tsnni_test_bytes_add_network(&before, network);
        allocator.fail_at = allocator.calls + fail_at;
        tsnn_pruning_options options = TSNN_PRUNING_OPTIONS_INIT;
        options.threshold = 2.5;
        options.fold = TSNN_FOLD_BIASES;
        tsnn_status status = tsnn_pruning_create(context, &options, &second);
        if (status >= 0)
            status = tsnn_pruning_apply(second, network, NULL);
        if (status >= 0)
            status = tsnn_pruning_apply(pruning, network, NULL);
        if (status < 0) {
            TSNNI_REFUSED(context, TSNN_ERROR_OUT_OF_MEMORY, status);
            tsnni_test_bytes_add_network(&after, network);
            int64_t now = tsnni_test_network_size(network).neurons;
            ck_assert(tsnni_test_bytes_equal(&before, &after) || now == 6);
            expect_map(pruning, 0, 4, (const int32_t[]){0, 1, 2, -1});
        }
        tsnni_test_bytes_free(&before);
        tsnni_test_bytes_free(&after);
        tsnn_pruning_destroy(&pruning);
        tsnn_pruning_destroy(&second);
        tsnn_network_destroy(&network);
        tsnn_context_destroy(&context);
        ck_assert_int_eq(allocator.live, 0);
        if (status == TSNN_OK) {
            ck_assert_int_gt(fail_at, 20);
            return;
        }
        ck_assert_int_eq(allocator.refused, 1);
    }
}
END_TEST

Suite *tsnni_suite_pruning(void)
{
    Suite *suite = suite_create("pruning");
    TCase *removal = tcase_create("removal");
    tcase_add_test(removal, a_neuron_goes_with_both_sides_bias_and_momentum);
    tcase_add_test(removal, constant_outputs_are_folded_into_the_next_biases);
    tcase_add_test(removal, percentiles_lie_on_the_line_between_their_neighbours);
    tcase_add_test(removal, a_threshold_takes_what_is_at_or_below_it);
    tcase_add_test(removal, the_most_important_neuron_stays);
    tcase_add_test(removal, importance_is_the_sum_of_magnitudes_that_come_in);
    suite_add_tcase(suite, removal);
    TCase *function = tcase_create("function");
    tcase_add_test(function, without_folding_it_is_as_if_they_had_been_silent);
    tcase_add_test(function, folding_keeps_what_constant_neurons_gave);
    tcase_add_test(function, a_hidden_softmax_is_pruned_but_not_folded);
    tcase_add_test(function, maps_of_two_prunings_compose);
    tcase_add_test(function, neurons_beside_frozen_connections_stay);
    tcase_add_test(function, a_network_without_hidden_layers_stays);
    tcase_add_test(function, indices_become_narrow_when_they_can);
    tcase_add_test(function, threads_do_not_change_the_result);
    suite_add_tcase(suite, function);
    TCase *refusals = tcase_create("refusals");
    tcase_add_test(refusals, a_network_with_bad_numbers_stays_as_it_was);
    tcase_add_test(refusals, bad_options_are_refused);
    tcase_add_test(refusals, bad_arguments_are_refused);
    tcase_add_test(refusals, without_memory_network_and_maps_stay_as_they_were);
    suite_add_tcase(suite, refusals);
    return suite;
}
