/* Layers: how they are drawn, imported, read out and changed. */
#include "suites.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

static tsnn_context *context;

static void setup(void)
{
    context = tsnni_test_context(TSNN_ISA_AUTO, 2, 21);
}

static void teardown(void)
{
    tsnn_context_destroy(&context);
}

static tsnn_layer *create(const tsnn_layer_options *options)
{
    tsnn_layer *layer = NULL;
    TSNNI_OK(tsnn_layer_create(context, options, &layer));
    return layer;
}

static tsnn_layer_options sized(int64_t inputs, int64_t outputs)
{
    tsnn_layer_options options = TSNN_LAYER_OPTIONS_INIT;
    options.inputs = inputs;
    options.outputs = outputs;
    return options;
}

static float *values_of(const tsnn_layer *layer, int64_t *count)
{
    *count = tsnni_test_layer_size(layer).connections;
    float *values = tsnni_test_array(*count, sizeof *values);
    TSNNI_OK(tsnn_layer_get_csr(layer, NULL, 0, NULL, values, *count));
    return values;
}

/* ---- topology ---- */

START_TEST(epsilon_gives_the_erdos_renyi_density)
{
    /* Each of the n cells by itself: the count is binomial, so 5 deviations are never left by chance. */
    static const int64_t sizes[][2] = {{784, 1000}, {1000, 1000}, {300, 17}, {50, 2000}};
    for (int s = 0; s < 4; s++)
        for (int e = 0; e < 2; e++) {
            double inputs = (double)sizes[s][0], outputs = (double)sizes[s][1], epsilon = e == 0 ? 20.0 : 3.0;
            tsnn_layer_options options = sized(sizes[s][0], sizes[s][1]);
            options.epsilon = e == 0 ? 0.0 : epsilon; /* 20 is the default */
            tsnn_layer *layer = create(&options);
            tsnn_layer_info info = tsnni_test_layer_size(layer);
            double density = fmin(1.0, epsilon * (inputs + outputs) / (inputs * outputs));
            double deviation = sqrt(inputs * outputs * density * (1.0 - density));
            ck_assert_double_le(fabs((double)info.connections - density * inputs * outputs), 5.0 * deviation);
            ck_assert_double_eq_tol(info.density, (double)info.connections / (inputs * outputs), 1e-12);
            tsnn_layer_destroy(&layer);
        }
}
END_TEST

START_TEST(a_layer_whose_density_reaches_one_is_full)
{
    tsnn_layer_options options = sized(1000, 10); /* 20 * 1010 > 10000 */
    tsnn_layer *layer = create(&options);
    ck_assert_int_eq(tsnni_test_layer_size(layer).connections, 10000);
    tsnn_layer_destroy(&layer);
    options = sized(7, 9);
    options.density = 1.0;
    layer = create(&options);
    ck_assert_int_eq(tsnni_test_layer_size(layer).connections, 63);
    tsnn_layer_destroy(&layer);
}
END_TEST

START_TEST(exact_sampling_gives_exactly_the_rounded_count)
{
    static const double densities[] = {0.001, 0.0317, 0.25, 0.5, 0.77, 1.0};
    for (int d = 0; d < 6; d++) {
        tsnn_layer_options options = sized(101, 67);
        options.sampling = TSNN_SAMPLING_EXACT;
        options.density = densities[d];
        tsnn_layer *layer = create(&options);
        ck_assert_int_eq(tsnni_test_layer_size(layer).connections, llround(densities[d] * 101 * 67));
        tsnn_layer_destroy(&layer);
    }
}
END_TEST

/* Connections of each row and column are spread as chance does it: chi-square with as many degrees of freedom as rows,
 * whose deviation is sqrt(2 n). */
START_TEST(connections_spread_evenly_over_rows_and_columns)
{
    for (int32_t sampling = TSNN_SAMPLING_BERNOULLI; sampling <= TSNN_SAMPLING_EXACT; sampling++) {
        tsnn_layer_options options = sized(300, 300);
        options.sampling = sampling;
        options.density = 0.1;
        tsnn_layer *layer = create(&options);
        int64_t count = tsnni_test_layer_size(layer).connections;
        int32_t *row = tsnni_test_array(2 * count, sizeof *row), *column = row + count;
        TSNNI_OK(tsnn_layer_get_coo(layer, row, column, NULL, count));
        double rows[300] = {0}, columns[300] = {0}, expected = (double)count / 300.0, squares[2] = {0};
        for (int64_t k = 0; k < count; k++) {
            rows[row[k]] += 1.0;
            columns[column[k]] += 1.0;
        }
        for (int i = 0; i < 300; i++) {
            squares[0] += (rows[i] - expected) * (rows[i] - expected) / (expected * 0.9);
            squares[1] += (columns[i] - expected) * (columns[i] - expected) / (expected * 0.9);
        }
        for (int side = 0; side < 2; side++)
            ck_assert_double_le(fabs(squares[side] - 300.0), 5.0 * sqrt(600.0));
        free(row);
        tsnn_layer_destroy(&layer);
    }
}
END_TEST

START_TEST(the_csr_of_a_random_layer_is_valid)
{
    tsnn_layer_options options = sized(500, 300);
    tsnn_layer *layer = create(&options), *again = NULL;
    int64_t count = tsnni_test_layer_size(layer).connections;
    int64_t *row_ptr = tsnni_test_array(501, sizeof *row_ptr);
    int32_t *column = tsnni_test_array(count, sizeof *column);
    float *values = tsnni_test_array(count, sizeof *values);
    TSNNI_OK(tsnn_layer_get_csr(layer, row_ptr, 501, column, values, count));
    ck_assert_int_eq(row_ptr[0], 0);
    ck_assert_int_eq(row_ptr[500], count);
    for (int64_t i = 0; i < 500; i++)
        for (int64_t k = row_ptr[i]; k < row_ptr[i + 1]; k++) {
            ck_assert(column[k] >= 0 && column[k] < 300);
            ck_assert(k == row_ptr[i] || column[k] > column[k - 1]);
        }
    TSNNI_OK(tsnn_layer_create_from_csr(context, 500, 300, count, row_ptr, column, values, NULL, TSNN_CHECKED, &again));
    tsnn_layer_destroy(&again);
    free(row_ptr);
    free(column);
    free(values);
    tsnn_layer_destroy(&layer);
}
END_TEST

static tsnni_test_bytes bytes_of(const tsnn_layer *layer)
{
    tsnni_test_bytes bytes = {0};
    tsnni_test_bytes_add_layer(&bytes, layer);
    return bytes;
}

/* Whether two layers drawn with these options in two contexts of these seeds and threads are the same. */
static int same_draw(tsnn_layer_options first, uint64_t first_seed, int32_t first_threads, tsnn_layer_options second,
                     uint64_t second_seed, int32_t second_threads)
{
    tsnn_context *contexts[2] = {tsnni_test_context(TSNN_ISA_AUTO, first_threads, first_seed),
                                 tsnni_test_context(TSNN_ISA_AUTO, second_threads, second_seed)};
    tsnn_layer *layers[2] = {NULL, NULL};
    tsnni_test_bytes bytes[2];
    TSNNI_OK(tsnn_layer_create(contexts[0], &first, &layers[0]));
    TSNNI_OK(tsnn_layer_create(contexts[1], &second, &layers[1]));
    for (int l = 0; l < 2; l++)
        bytes[l] = bytes_of(layers[l]);
    int same = tsnni_test_bytes_equal(&bytes[0], &bytes[1]);
    for (int l = 0; l < 2; l++) {
        tsnni_test_bytes_free(&bytes[l]);
        tsnn_layer_destroy(&layers[l]);
        tsnn_context_destroy(&contexts[l]);
    }
    return same;
}

START_TEST(seed_and_stream_decide_the_draw_and_threads_do_not)
{
    for (int32_t sampling = TSNN_SAMPLING_BERNOULLI; sampling <= TSNN_SAMPLING_EXACT; sampling++)
        for (int32_t init = TSNN_INIT_HE_UNIFORM; init <= TSNN_INIT_NORMAL; init++) {
            tsnn_layer_options options = sized(400, 300), other = options;
            options.sampling = other.sampling = sampling;
            options.init = other.init = init;
            other.stream = 9;
            ck_assert(same_draw(options, 1, 1, options, 1, 1));
            ck_assert(same_draw(options, 1, 1, options, 1, 8));
            ck_assert(same_draw(options, 1, 3, options, 1, 2));
            ck_assert(!same_draw(options, 1, 1, options, 2, 1));
            ck_assert(!same_draw(options, 1, 1, options, 1 + (UINT64_C(1) << 32), 1));
            ck_assert(!same_draw(options, 1, 1, other, 1, 1));
        }
}
END_TEST

START_TEST(layers_of_one_context_differ_unless_their_stream_is_the_same)
{
    tsnn_layer_options options = sized(60, 50);
    tsnn_layer *layers[4];
    tsnni_test_bytes bytes[4];
    for (int l = 0; l < 4; l++) {
        options.stream = l >= 2 ? 1 : 0; /* the first layer's own default */
        layers[l] = create(&options);
        bytes[l] = bytes_of(layers[l]);
    }
    ck_assert(!tsnni_test_bytes_equal(&bytes[0], &bytes[1]));
    ck_assert(tsnni_test_bytes_equal(&bytes[2], &bytes[3]));
    ck_assert(tsnni_test_bytes_equal(&bytes[0], &bytes[2]));
    for (int l = 0; l < 4; l++) {
        tsnni_test_bytes_free(&bytes[l]);
        tsnn_layer_destroy(&layers[l]);
    }
}
END_TEST

/* ---- fresh weights ---- */

typedef struct init_case {
    int32_t init, fan;
    double scale;
} init_case;

static const init_case init_cases[] = {
    {TSNN_INIT_HE_UNIFORM, TSNN_FAN_DENSE, 0},     {TSNN_INIT_HE_UNIFORM, TSNN_FAN_SPARSE, 0},
    {TSNN_INIT_XAVIER_UNIFORM, TSNN_FAN_DENSE, 0}, {TSNN_INIT_XAVIER_UNIFORM, TSNN_FAN_SPARSE, 0},
    {TSNN_INIT_NORMAL, TSNN_FAN_DENSE, 0},         {TSNN_INIT_NORMAL, TSNN_FAN_SPARSE, 0},
    {TSNN_INIT_HE_UNIFORM, TSNN_FAN_DENSE, 2.5},   {TSNN_INIT_NORMAL, TSNN_FAN_DENSE, 0.1},
};

START_TEST(fresh_weights_follow_their_rule)
{
    const init_case *given = &init_cases[_i];
    tsnn_layer_options options = sized(600, 400);
    options.density = 0.2;
    options.sampling = TSNN_SAMPLING_EXACT;
    options.init = given->init;
    options.fan = given->fan;
    options.init_scale = given->scale;
    tsnn_layer *layer = create(&options);
    int64_t count;
    float *values = values_of(layer, &count);
    double fan_in = given->fan == TSNN_FAN_DENSE ? 600.0 : (double)count / 400.0;
    double fan_out = given->fan == TSNN_FAN_DENSE ? 400.0 : (double)count / 600.0;
    double scale = given->scale != 0.0 ? given->scale : 1.0;
    double width = scale * (given->init == TSNN_INIT_HE_UNIFORM ? sqrt(6.0 / fan_in) : sqrt(6.0 / (fan_in + fan_out)));
    double deviation = given->init == TSNN_INIT_NORMAL ? 0.1 * scale : width / sqrt(3.0);
    double sum = 0.0, squares = 0.0, largest = 0.0, fourth = 0.0;
    for (int64_t k = 0; k < count; k++) {
        double value = values[k] / deviation;
        sum += value;
        squares += value * value;
        fourth += value * value * value * value;
        largest = fmax(largest, fabs((double)values[k]));
    }
    double samples = (double)count; /* 48,000: mean within 5/sqrt(n), variance within 5 sqrt(2/n) */
    ck_assert_double_le(fabs(sum / samples), 5.0 / sqrt(samples));
    ck_assert_double_le(fabs(squares / samples - 1.0), 5.0 * sqrt(2.0 / samples));
    if (given->init == TSNN_INIT_NORMAL) {
        ck_assert_double_le(fabs(fourth / samples - 3.0), 5.0 * sqrt(96.0 / samples));
        ck_assert(largest > 3.0 * deviation && largest < 7.0 * deviation);
    } else {
        ck_assert_double_le(fabs(fourth / samples - 1.8), 5.0 * sqrt(6.0 / samples));
        ck_assert(largest <= width * (1.0 + 1e-6) && largest > 0.999 * width);
    }
    float bias[400];
    TSNNI_OK(tsnn_layer_get_bias(layer, bias, 400));
    for (int j = 0; j < 400; j++)
        ck_assert_float_eq(bias[j], 0.0f);
    free(values);
    tsnn_layer_destroy(&layer);
}
END_TEST

/* ---- import and export ---- */

/* 4 x 5 with an empty row and an empty column. */
static const int64_t row_ptr[] = {0, 2, 2, 5, 6};
static const int32_t column[] = {1, 4, 0, 1, 2, 4};
static const float values[] = {0.5f, -1.0f, 2.0f, 0.0f, -0.25f, 8.0f};
static const float bias[] = {1, 2, 3, 4, 5};
static const int32_t rows_shuffled[] = {3, 2, 0, 2, 0, 2}, columns_shuffled[] = {4, 2, 1, 0, 4, 1};
static const float values_shuffled[] = {8.0f, -0.25f, 0.5f, 2.0f, -1.0f, 0.0f};

static void expect_small_layer(const tsnn_layer *layer)
{
    int64_t own_row_ptr[5];
    int32_t own_row[6], own_column[6];
    float own_values[6], own_bias[5];
    static const int32_t rows[] = {0, 0, 2, 2, 2, 3};
    tsnn_layer_info info = tsnni_test_layer_size(layer);
    ck_assert_int_eq(info.inputs, 4);
    ck_assert_int_eq(info.outputs, 5);
    ck_assert_int_eq(info.connections, 6);
    ck_assert_double_eq_tol(info.density, 0.3, 1e-12);
    ck_assert_int_eq(info.index_bytes, 2);
    ck_assert_int_eq(info.frozen, 0);
    TSNNI_OK(tsnn_layer_get_csr(layer, own_row_ptr, 5, own_column, own_values, 6));
    ck_assert_mem_eq(own_row_ptr, row_ptr, sizeof row_ptr);
    ck_assert_mem_eq(own_column, column, sizeof column);
    ck_assert_mem_eq(own_values, values, sizeof values);
    TSNNI_OK(tsnn_layer_get_coo(layer, own_row, own_column, own_values, 6));
    ck_assert_mem_eq(own_row, rows, sizeof rows);
    ck_assert_mem_eq(own_column, column, sizeof column);
    ck_assert_mem_eq(own_values, values, sizeof values);
    TSNNI_OK(tsnn_layer_get_bias(layer, own_bias, 5));
    ck_assert_mem_eq(own_bias, bias, sizeof bias);
}

START_TEST(csr_goes_in_and_comes_out)
{
    for (int32_t trust = TSNN_CHECKED; trust <= TSNN_TRUSTED; trust++) {
        tsnn_layer *layer = NULL;
        TSNNI_OK(tsnn_layer_create_from_csr(context, 4, 5, 6, row_ptr, column, values, bias, trust, &layer));
        expect_small_layer(layer);
        tsnn_layer_destroy(&layer);
    }
}
END_TEST

START_TEST(triplets_go_in_unsorted_and_come_out_sorted)
{
    tsnn_layer *layer = NULL;
    TSNNI_OK(
        tsnn_layer_create_from_coo(context, 4, 5, 6, rows_shuffled, columns_shuffled, values_shuffled, bias, &layer));
    expect_small_layer(layer);
    tsnn_layer_destroy(&layer);
}
END_TEST

START_TEST(a_layer_without_connections_is_a_layer)
{
    static const int64_t empty[] = {0, 0, 0, 0};
    tsnn_layer *layer = NULL;
    TSNNI_OK(tsnn_layer_create_from_csr(context, 3, 2, 0, empty, NULL, NULL, NULL, TSNN_CHECKED, &layer));
    ck_assert_int_eq(tsnni_test_layer_size(layer).connections, 0);
    tsnn_network *network = NULL;
    TSNNI_OK(tsnn_network_create(context, &network));
    TSNNI_OK(tsnn_layer_set_weights(layer, NULL, 0, bias, 2));
    TSNNI_OK(tsnn_network_append(network, &layer, NULL, 0.0));
    float outputs[2];
    TSNNI_OK(tsnn_network_predict(network, values, 1, outputs, 2));
    ck_assert_float_eq(outputs[0], 1.0f);
    ck_assert_float_eq(outputs[1], 2.0f);
    tsnn_network_destroy(&network);
    TSNNI_OK(tsnn_layer_create_from_coo(context, 3, 2, 0, NULL, NULL, NULL, NULL, &layer));
    tsnn_layer_destroy(&layer);
}
END_TEST

START_TEST(a_random_layer_survives_the_round_trip)
{
    static const int64_t sizes[][2] = {{1, 1}, {1, 300}, {300, 1}, {70, 90}, {66000, 3}, {2, 66000}};
    for (int s = 0; s < 6; s++) {
        tsnn_layer *layer = tsnni_test_layer(context, sizes[s][0], sizes[s][1], 0.05), *copies[2] = {NULL, NULL};
        tsnn_layer_info info = tsnni_test_layer_size(layer);
        ck_assert_int_eq(info.index_bytes, sizes[s][1] > 65536 ? 4 : 2);
        int64_t count = info.connections;
        int64_t *pointer = tsnni_test_array(info.inputs + 1, sizeof *pointer);
        int32_t *row = tsnni_test_array(count, sizeof *row), *col = tsnni_test_array(count, sizeof *col);
        float *weights = tsnni_test_array(count, sizeof *weights), *b = tsnni_test_array(info.outputs, sizeof *b);
        TSNNI_OK(tsnn_layer_get_csr(layer, pointer, info.inputs + 1, col, weights, count));
        TSNNI_OK(tsnn_layer_get_coo(layer, row, col, NULL, count));
        TSNNI_OK(tsnn_layer_get_bias(layer, b, info.outputs));
        TSNNI_OK(tsnn_layer_create_from_csr(context, info.inputs, info.outputs, count, pointer, col, weights, b,
                                            TSNN_CHECKED, &copies[0]));
        TSNNI_OK(
            tsnn_layer_create_from_coo(context, info.inputs, info.outputs, count, row, col, weights, b, &copies[1]));
        tsnni_test_bytes bytes = bytes_of(layer);
        for (int c = 0; c < 2; c++) {
            tsnni_test_bytes other = bytes_of(copies[c]);
            ck_assert(tsnni_test_bytes_equal(&bytes, &other));
            tsnni_test_bytes_free(&other);
            tsnn_layer_destroy(&copies[c]);
        }
        tsnni_test_bytes_free(&bytes);
        free(pointer);
        free(row);
        free(col);
        free(weights);
        free(b);
        tsnn_layer_destroy(&layer);
    }
}
END_TEST

typedef struct broken_csr {
    const char *name;
    int64_t row_ptr[5];
    int32_t column[6];
    tsnn_status expected;
} broken_csr;

static const broken_csr broken[] = {
    {"first offset", {1, 2, 2, 5, 6}, {1, 4, 0, 1, 2, 4}, TSNN_ERROR_STRUCTURE},
    {"last offset", {0, 2, 2, 5, 5}, {1, 4, 0, 1, 2, 4}, TSNN_ERROR_STRUCTURE},
    {"last offset too large", {0, 2, 2, 5, 7}, {1, 4, 0, 1, 2, 4}, TSNN_ERROR_STRUCTURE},
    {"falling offsets", {0, 3, 2, 5, 6}, {1, 2, 4, 1, 2, 4}, TSNN_ERROR_STRUCTURE},
    {"offset beyond the end", {0, 900, 2, 5, 6}, {1, 4, 0, 1, 2, 4}, TSNN_ERROR_STRUCTURE},
    {"negative offset", {0, -2, 2, 5, 6}, {1, 4, 0, 1, 2, 4}, TSNN_ERROR_STRUCTURE},
    {"column too large", {0, 2, 2, 5, 6}, {1, 5, 0, 1, 2, 4}, TSNN_ERROR_STRUCTURE},
    {"negative column", {0, 2, 2, 5, 6}, {-1, 4, 0, 1, 2, 4}, TSNN_ERROR_STRUCTURE},
    {"duplicate", {0, 2, 2, 5, 6}, {1, 4, 0, 1, 1, 4}, TSNN_ERROR_STRUCTURE},
    {"unsorted", {0, 2, 2, 5, 6}, {4, 1, 0, 1, 2, 4}, TSNN_ERROR_STRUCTURE},
};

START_TEST(a_broken_csr_is_refused)
{
    for (size_t b = 0; b < sizeof broken / sizeof *broken; b++) {
        tsnn_layer *layer = (tsnn_layer *)&layer;
        tsnni_test_expect_error(context, broken[b].expected,
                                tsnn_layer_create_from_csr(context, 4, 5, 6, broken[b].row_ptr, broken[b].column,
                                                           values, bias, TSNN_CHECKED, &layer),
                                broken[b].name);
        ck_assert_ptr_null(layer);
    }
}
END_TEST

START_TEST(broken_triplets_are_refused)
{
    tsnn_layer *layer = NULL;
    for (int wrong = 0; wrong < 5; wrong++) {
        int32_t row[6], col[6];
        memcpy(row, rows_shuffled, sizeof row);
        memcpy(col, columns_shuffled, sizeof col);
        if (wrong == 0)
            row[3] = 4;
        else if (wrong == 1)
            row[3] = -1;
        else if (wrong == 2)
            col[3] = 5;
        else if (wrong == 3)
            col[3] = -1;
        else
            col[3] = 1; /* (2, 1) is there already */
        TSNNI_REFUSED(context, TSNN_ERROR_STRUCTURE,
                      tsnn_layer_create_from_coo(context, 4, 5, 6, row, col, values_shuffled, bias, &layer));
        ck_assert_ptr_null(layer);
    }
}
END_TEST

START_TEST(weights_and_biases_that_are_no_numbers_are_refused)
{
    static const float wrong[] = {NAN, INFINITY, -INFINITY};
    for (int w = 0; w < 3; w++) {
        tsnn_layer *layer = NULL;
        float own_values[6], own_bias[5];
        memcpy(own_values, values, sizeof own_values);
        memcpy(own_bias, bias, sizeof own_bias);
        own_values[5] = wrong[w];
        own_bias[4] = wrong[w];
        TSNNI_REFUSED(context, TSNN_ERROR_NOT_FINITE,
                      tsnn_layer_create_from_csr(context, 4, 5, 6, row_ptr, column, own_values, bias, 0, &layer));
        TSNNI_REFUSED(context, TSNN_ERROR_NOT_FINITE,
                      tsnn_layer_create_from_csr(context, 4, 5, 6, row_ptr, column, values, own_bias, 0, &layer));
        TSNNI_REFUSED(
            context, TSNN_ERROR_NOT_FINITE,
            tsnn_layer_create_from_coo(context, 4, 5, 6, rows_shuffled, columns_shuffled, own_values, bias, &layer));
        ck_assert_ptr_null(layer);
        TSNNI_OK(tsnn_layer_create_from_csr(context, 4, 5, 6, row_ptr, column, values, bias, 0, &layer));
        TSNNI_REFUSED(context, TSNN_ERROR_NOT_FINITE, tsnn_layer_set_weights(layer, own_values, 6, NULL, 0));
        TSNNI_REFUSED(context, TSNN_ERROR_NOT_FINITE, tsnn_layer_set_weights(layer, values_shuffled, 6, own_bias, 5));
        TSNNI_REFUSED(context, TSNN_ERROR_NOT_FINITE, tsnn_layer_set_velocity(layer, own_values, 6, NULL, 0));
        TSNNI_REFUSED(context, TSNN_ERROR_NOT_FINITE, tsnn_layer_set_velocity(layer, values, 6, own_bias, 5));
        expect_small_layer(layer); /* nothing has changed */
        tsnn_layer_destroy(&layer);
    }
}
END_TEST

START_TEST(buffers_that_are_too_small_are_left_alone)
{
    tsnn_layer *layer = NULL;
    int64_t own_row_ptr[5] = {7, 7, 7, 7, 7};
    int32_t own_column[6] = {7, 7, 7, 7, 7, 7}, own_row[6] = {7, 7, 7, 7, 7, 7};
    float own_values[6] = {7, 7, 7, 7, 7, 7}, own_bias[5] = {7, 7, 7, 7, 7};
    TSNNI_OK(tsnn_layer_create_from_csr(context, 4, 5, 6, row_ptr, column, values, bias, 0, &layer));
    static const tsnn_status small = TSNN_ERROR_BUFFER_TOO_SMALL;
    TSNNI_REFUSED(context, small, tsnn_layer_get_csr(layer, own_row_ptr, 4, own_column, own_values, 6));
    TSNNI_REFUSED(context, small, tsnn_layer_get_csr(layer, own_row_ptr, 5, own_column, NULL, 5));
    TSNNI_REFUSED(context, small, tsnn_layer_get_csr(layer, own_row_ptr, 5, NULL, own_values, 5));
    TSNNI_REFUSED(context, small, tsnn_layer_get_csr(layer, own_row_ptr, -1, NULL, NULL, 0));
    TSNNI_REFUSED(context, small, tsnn_layer_get_coo(layer, own_row, own_column, own_values, 5));
    TSNNI_REFUSED(context, small, tsnn_layer_get_coo(layer, own_row, NULL, NULL, -6));
    TSNNI_REFUSED(context, small, tsnn_layer_get_bias(layer, own_bias, 4));
    TSNNI_REFUSED(context, small, tsnn_layer_get_velocity(layer, own_values, 5, own_bias, 5));
    TSNNI_REFUSED(context, small, tsnn_layer_get_velocity(layer, own_values, 6, own_bias, 4));
    for (int k = 0; k < 5; k++) {
        ck_assert(own_row_ptr[k] == 7 && own_column[k] == 7 && own_row[k] == 7);
        ck_assert(own_values[k] == 7.0f && own_bias[k] == 7.0f);
    }
    TSNNI_OK(tsnn_layer_get_csr(layer, NULL, 0, NULL, NULL, 0));
    TSNNI_OK(tsnn_layer_get_coo(layer, NULL, NULL, NULL, 0));
    TSNNI_OK(tsnn_layer_get_velocity(layer, NULL, 0, NULL, 0));
    tsnn_layer_destroy(&layer);
}
END_TEST

/* ---- changing ---- */

START_TEST(weights_biases_and_momentum_are_what_was_set)
{
    tsnn_layer *layer = NULL;
    float own_values[6], own_bias[5];
    TSNNI_OK(tsnn_layer_create_from_csr(context, 4, 5, 6, row_ptr, column, values_shuffled, NULL, 0, &layer));
    TSNNI_OK(tsnn_layer_get_velocity(layer, own_values, 6, own_bias, 5));
    for (int k = 0; k < 5; k++)
        ck_assert(own_values[k] == 0.0f && own_bias[k] == 0.0f);
    TSNNI_OK(tsnn_layer_set_weights(layer, NULL, 0, bias, 5));
    TSNNI_OK(tsnn_layer_get_csr(layer, NULL, 0, NULL, own_values, 6));
    ck_assert_mem_eq(own_values, values_shuffled, sizeof own_values);
    TSNNI_OK(tsnn_layer_set_weights(layer, values, 6, NULL, 0));
    expect_small_layer(layer);
    TSNNI_OK(tsnn_layer_set_velocity(layer, NULL, 0, bias, 5));
    TSNNI_OK(tsnn_layer_get_velocity(layer, own_values, 6, own_bias, 5));
    ck_assert_mem_eq(own_bias, bias, sizeof bias);
    for (int k = 0; k < 6; k++)
        ck_assert_float_eq(own_values[k], 0.0f);
    TSNNI_OK(tsnn_layer_set_velocity(layer, values, 6, NULL, 0));
    TSNNI_OK(tsnn_layer_get_velocity(layer, own_values, 6, NULL, 0));
    ck_assert_mem_eq(own_values, values, sizeof values);
    expect_small_layer(layer);
    TSNNI_OK(tsnn_layer_set_weights(layer, NULL, 0, NULL, 0));
    TSNNI_REFUSED(context, TSNN_ERROR_SHAPE, tsnn_layer_set_weights(layer, values, 5, NULL, 0));
    TSNNI_REFUSED(context, TSNN_ERROR_SHAPE, tsnn_layer_set_weights(layer, values, 6, bias, 6));
    TSNNI_REFUSED(context, TSNN_ERROR_SHAPE, tsnn_layer_set_velocity(layer, values, 7, NULL, 0));
    TSNNI_REFUSED(context, TSNN_ERROR_SHAPE, tsnn_layer_set_velocity(layer, NULL, 0, bias, 4));
    expect_small_layer(layer);
    tsnn_layer_destroy(&layer);
}
END_TEST

START_TEST(freezing_shows_in_the_info)
{
    tsnn_layer *layer = tsnni_test_layer(context, 10, 10, 0.5);
    TSNNI_OK(tsnn_layer_freeze(layer, 1));
    ck_assert_int_eq(tsnni_test_layer_size(layer).frozen, 1);
    TSNNI_OK(tsnn_layer_freeze(layer, 0));
    ck_assert_int_eq(tsnni_test_layer_size(layer).frozen, 0);
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_layer_freeze(layer, 2));
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_layer_freeze(layer, -1));
    tsnn_layer_destroy(&layer);
}
END_TEST

/* Weight, momentum, two 16-bit indices and a position: 16 bytes; 20 with 32-bit indices. */
START_TEST(training_takes_16_to_20_bytes_a_connection)
{
    static const int64_t sizes[][2] = {{1000, 1000}, {65536, 40}, {70000, 40}, {40, 70000}};
    static const int64_t bytes_each[] = {16, 16, 18, 18};
    for (int s = 0; s < 4; s++) {
        tsnn_layer *layer = tsnni_test_layer(context, sizes[s][0], sizes[s][1], 0.05);
        float *velocity = tsnni_test_array(tsnni_test_layer_size(layer).connections, sizeof *velocity);
        TSNNI_OK(tsnn_layer_set_velocity(layer, velocity, tsnni_test_layer_size(layer).connections, NULL, 0));
        tsnn_layer_info info = tsnni_test_layer_size(layer);
        int64_t around = 8 * (info.inputs + info.outputs + 2) + 8 * info.outputs;
        ck_assert_int_le(info.bytes, bytes_each[s] * info.connections + around);
        ck_assert_int_ge(info.bytes, bytes_each[s] * info.connections);
        free(velocity);
        tsnn_layer_destroy(&layer);
    }
}
END_TEST

START_TEST(a_layer_is_a_handful_of_blocks_and_gives_them_all_back)
{
    tsnni_test_allocator allocator = {0};
    tsnn_context *counted = tsnni_test_counted_context(&allocator);
    tsnn_layer *layer = tsnni_test_layer(counted, 300, 200, 0.2);
    /* row_ptr, column, values, column_ptr, row, position, bias, and the struct itself */
    ck_assert_int_le(allocator.live, 1 + 8);
    tsnn_layer_destroy(&layer);
    ck_assert_int_eq(allocator.live, 1);
    tsnn_context_destroy(&counted);
    ck_assert_int_eq(allocator.live, 0);
}
END_TEST

Suite *tsnni_suite_layer(void)
{
    Suite *suite = suite_create("layer");
    TCase *random = tcase_create("random");
    tcase_add_checked_fixture(random, setup, teardown);
    tcase_add_test(random, epsilon_gives_the_erdos_renyi_density);
    tcase_add_test(random, a_layer_whose_density_reaches_one_is_full);
    tcase_add_test(random, exact_sampling_gives_exactly_the_rounded_count);
    tcase_add_test(random, connections_spread_evenly_over_rows_and_columns);
    tcase_add_test(random, the_csr_of_a_random_layer_is_valid);
    tcase_add_test(random, seed_and_stream_decide_the_draw_and_threads_do_not);
    tcase_add_test(random, layers_of_one_context_differ_unless_their_stream_is_the_same);
    tcase_add_loop_test(random, fresh_weights_follow_their_rule, 0, (int)(sizeof init_cases / sizeof *init_cases));
    suite_add_tcase(suite, random);
    TCase *arrays = tcase_create("arrays");
    tcase_add_checked_fixture(arrays, setup, teardown);
    tcase_add_test(arrays, csr_goes_in_and_comes_out);
    tcase_add_test(arrays, triplets_go_in_unsorted_and_come_out_sorted);
    tcase_add_test(arrays, a_layer_without_connections_is_a_layer);
    tcase_add_test(arrays, a_random_layer_survives_the_round_trip);
    tcase_add_test(arrays, a_broken_csr_is_refused);
    tcase_add_test(arrays, broken_triplets_are_refused);
    tcase_add_test(arrays, weights_and_biases_that_are_no_numbers_are_refused);
    tcase_add_test(arrays, buffers_that_are_too_small_are_left_alone);
    suite_add_tcase(suite, arrays);
    TCase *changes = tcase_create("changes");
    tcase_add_checked_fixture(changes, setup, teardown);
    tcase_add_test(changes, weights_biases_and_momentum_are_what_was_set);
    tcase_add_test(changes, freezing_shows_in_the_info);
    tcase_add_test(changes, training_takes_16_to_20_bytes_a_connection);
    tcase_add_test(changes, a_layer_is_a_handful_of_blocks_and_gives_them_all_back);
    suite_add_tcase(suite, changes);
    return suite;
}
