/* Inputs and hidden activations as bf16: the numbers are those of a network that rounds them, and nothing else is
 * rounded. */
#include "suites.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "course.h"
#include "kernels/bf16.h"
#include "network.h"

static float float_of(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

START_TEST(numbers_are_rounded_to_the_nearest_and_ties_to_even)
{
    static const struct {
        uint32_t given;
        uint16_t rounded;
    } cases[] = {
        {0x00000000, 0x0000}, {0x80000000, 0x8000}, {0x3F800000, 0x3F80}, {0x3F807FFF, 0x3F80}, {0x3F808000, 0x3F80},
        {0x3F808001, 0x3F81}, {0x3F818000, 0x3F82}, {0xBF818000, 0xBF82}, {0x3FFFFFFF, 0x4000}, {0x00008001, 0x0001},
        {0x7F7F7FFF, 0x7F7F}, {0x7F7FFFFF, 0x7F80}, {0x7F800000, 0x7F80}, {0xFF800000, 0xFF80},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
        ck_assert_msg(tsnni_bf16_round(float_of(cases[k].given)) == cases[k].rounded, "%08x becomes %04x",
                      cases[k].given, tsnni_bf16_round(float_of(cases[k].given)));
    static const uint32_t not_numbers[] = {0x7FC00000, 0xFFC00000, 0x7F800001, 0xFFFFFFFF, 0x7FFFFFFF};
    for (size_t k = 0; k < sizeof not_numbers / sizeof *not_numbers; k++)
        ck_assert(isnan(tsnni_bf16_value(tsnni_bf16_round(float_of(not_numbers[k])))));
}
END_TEST

START_TEST(every_column_has_a_place_of_its_own)
{
    int taken[96] = {0};
    for (int64_t c = 0; c < 96; c++) {
        ck_assert_int_eq(tsnni_bf16_place(c) / 32, c / 32);
        ck_assert_int_eq(taken[tsnni_bf16_place(c)]++, 0);
    }
}
END_TEST

/* ---- prediction ---- */

enum { LAYERS = 3, MOST = 40, SAMPLES = 150 };
static const int64_t sizes[LAYERS + 1] = {20, 30, 25, 5};

typedef struct network_case {
    tsnni_test_function hidden;
    double density; /* of the middle layer */
} network_case;

static const network_case network_cases[] = {
    {{TSNN_ACTIVATION_RELU, 0}, .4},  {{TSNN_ACTIVATION_LEAKY_RELU, .25}, .4}, {{TSNN_ACTIVATION_IDENTITY, 0}, .4},
    {{TSNN_ACTIVATION_TANH, 0}, .4},  {{TSNN_ACTIVATION_CUSTOM, 0}, .4},       {{TSNN_ACTIVATION_RELU, 0}, 1},
    {{TSNN_ACTIVATION_RELU, 0}, .85}, {{TSNN_ACTIVATION_TANH, 0}, 1},
};
#define CASE_COUNT ((int)(sizeof network_cases / sizeof *network_cases))

static tsnn_network *hidden_network(tsnn_context *context, const network_case *given, double dropout)
{
    tsnn_network *network = NULL;
    tsnn_activation *activation = tsnni_test_activation(context, given->hidden);
    TSNNI_OK(tsnn_network_create(context, &network));
    for (int64_t l = 0; l < LAYERS; l++) {
        tsnn_layer *layer = tsnni_test_layer(context, sizes[l], sizes[l + 1], l == 1 ? given->density : .4);
        TSNNI_OK(
            tsnn_network_append(network, &layer, l < LAYERS - 1 ? activation : NULL, l < LAYERS - 1 ? dropout : 0));
    }
    tsnn_activation_destroy(&activation);
    return network;
}

/* Weights and biases become small multiples of 1/4, so that sums are exact and rounding happens where it is meant to.
 */
static void make_exact(tsnn_network *network)
{
    for (int64_t l = 0; l < LAYERS; l++) {
        tsnn_layer *layer = network->stages[l].layer;
        for (int64_t k = 0; k < layer->topology.pattern.count; k++)
            layer->topology.values[k] = (float)((k * 7 + l) % 7 - 3) / 4.0f;
        for (int64_t j = 0; j < sizes[l + 1]; j++)
            layer->bias[j] = (float)(j % 3 - 1) / 4.0f;
    }
}

static float *exact_features(void)
{
    float *features = tsnni_test_array(SAMPLES * sizes[0], sizeof *features);
    tsnni_test_random random = {5};
    for (int64_t k = 0; k < SAMPLES * sizes[0]; k++)
        features[k] = (float)(tsnni_test_below(&random, 9) - 4);
    return features;
}

static float rounded(float value)
{
    return tsnni_bf16_value(tsnni_bf16_round(value));
}

/* One sample through the network, hidden activations rounded; *magnitude: of the largest sum's terms. */
static void expected_outputs(const tsnn_network *network, const tsnn_activation *activation, const float *features,
                             float *outputs, double *magnitude)
{
    float from[MOST], z[MOST];
    for (int64_t i = 0; i < sizes[0]; i++)
        from[i] = rounded(features[i]);
    for (int64_t l = 0; l < LAYERS; l++) {
        const tsnn_layer *layer = network->stages[l].layer;
        const tsnni_pattern *pattern = &layer->topology.pattern;
        double sum[MOST], terms = 0;
        for (int64_t j = 0; j < pattern->columns; j++)
            sum[j] = layer->bias[j];
        for (int64_t i = 0; i < pattern->rows; i++)
            for (int64_t k = pattern->row_ptr[i]; k < pattern->row_ptr[i + 1]; k++) {
                sum[tsnni_index_at(&pattern->column, k)] += (double)layer->topology.values[k] * from[i];
                terms += fabs((double)layer->topology.values[k] * from[i]);
            }
        for (int64_t j = 0; j < pattern->columns; j++)
            z[j] = (float)sum[j];
        *magnitude = terms + 1;
        if (l == LAYERS - 1) {
            memcpy(outputs, z, (size_t)pattern->columns * sizeof *z);
            return;
        }
        TSNNI_OK(tsnn_activation_evaluate(activation, l, z, from, NULL, pattern->columns));
        for (int64_t j = 0; j < pattern->columns; j++)
            from[j] = rounded(from[j]);
    }
}

static void expect_rounded_network(const network_case *given, int32_t isa)
{
    tsnn_context *context = tsnni_test_context(isa, 2, 3);
    if (context == NULL)
        return;
    tsnn_network *network = hidden_network(context, given, 0.25);
    tsnn_activation *activation = tsnni_test_activation(context, given->hidden);
    float *features = exact_features(), *outputs = tsnni_test_array(SAMPLES * sizes[LAYERS], sizeof *outputs);
    static const int64_t batches[] = {1, 16, 17, 40, SAMPLES};
    make_exact(network);
    TSNNI_OK(tsnn_network_set_activation_format(network, TSNN_ACTIVATIONS_BF16));
    for (int b = 0; b < 5; b++) {
        TSNNI_OK(tsnn_network_predict(network, features, batches[b], outputs, SAMPLES * sizes[LAYERS]));
        for (int64_t n = 0; n < batches[b]; n++) {
            float expected[MOST];
            double magnitude;
            expected_outputs(network, activation, features + n * sizes[0], expected, &magnitude);
            for (int64_t j = 0; j < sizes[LAYERS]; j++)
                ck_assert_msg(fabsf(outputs[n * sizes[LAYERS] + j] - expected[j]) <= 1e-6 * magnitude,
                              "batch %d, sample %d, output %d is %g, not %g", (int)batches[b], (int)n, (int)j,
                              (double)outputs[n * sizes[LAYERS] + j], (double)expected[j]);
        }
    }
    free(features);
    free(outputs);
    tsnn_activation_destroy(&activation);
    tsnn_network_destroy(&network);
    tsnn_context_destroy(&context);
}

START_TEST(predictions_are_those_of_a_network_that_rounds_its_activations)
{
    for (int32_t isa = TSNN_ISA_REF; isa <= TSNN_ISA_NEON; isa++)
        expect_rounded_network(&network_cases[_i], isa);
}
END_TEST

/* ---- learning ---- */

typedef struct gradient_numbers {
    float *numbers;
    int64_t count;
} gradient_numbers;

static gradient_numbers gradient_of(tsnn_network *network, const tsnn_loss *loss, const tsnn_dataset *dataset)
{
    gradient_numbers all = {NULL, 0};
    tsnn_gradient *gradient = NULL;
    tsnn_network_info info = tsnni_test_network_size(network);
    all.numbers = tsnni_test_array(info.connections, sizeof *all.numbers);
    TSNNI_OK(tsnn_gradient_create(network, &gradient));
    TSNNI_OK(tsnn_gradient_add(gradient, network, loss, dataset, NULL, 50, NULL));
    for (int64_t l = 0; l < info.layers; l++) {
        int64_t count = network->stages[l].layer->topology.pattern.count;
        TSNNI_OK(tsnn_gradient_get(gradient, l, all.numbers + all.count, count, NULL, 0));
        all.count += count;
    }
    tsnn_gradient_destroy(&gradient);
    return all;
}

START_TEST(gradients_differ_from_those_of_floats_by_the_rounding_only)
{
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 3);
    tsnn_network *network = hidden_network(context, &network_cases[_i], 0.3);
    tsnn_loss *loss = tsnni_test_loss(context, TSNN_LOSS_MEAN_SQUARED_ERROR, 0);
    tsnn_dataset *dataset = tsnni_test_targeted(context, 50, sizes[0], sizes[LAYERS], 0, 4);
    gradient_numbers exact = gradient_of(network, loss, dataset);
    TSNNI_OK(tsnn_network_set_activation_format(network, TSNN_ACTIVATIONS_BF16));
    gradient_numbers given = gradient_of(network, loss, dataset);
    double difference = 0, size = 0;
    for (int64_t k = 0; k < exact.count; k++) {
        difference += pow((double)given.numbers[k] - (double)exact.numbers[k], 2);
        size += pow(exact.numbers[k], 2);
    }
    ck_assert_double_gt(sqrt(difference / size), 1e-5);
    ck_assert_double_lt(sqrt(difference / size), 0.05); /* a few sums that are nearly zero change their sign */
    free(exact.numbers);
    free(given.numbers);
    tsnn_dataset_destroy(&dataset);
    tsnn_loss_destroy(&loss);
    tsnn_network_destroy(&network);
    tsnn_context_destroy(&context);
}
END_TEST

static tsnni_test_bytes trained_bytes(const network_case *given, tsnni_caches caches)
{
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 2, 3);
    context->caches = caches;
    tsnn_network *network = hidden_network(context, given, 0.3);
    TSNNI_OK(tsnn_network_set_activation_format(network, TSNN_ACTIVATIONS_BF16));
    tsnni_course course =
        tsnni_course_create(context, network, tsnni_test_targeted(context, 90, sizes[0], sizes[LAYERS], 0, 4),
                            TSNN_LOSS_MEAN_SQUARED_ERROR, 0.02);
    course.options.epochs = 3;
    course.options.batch = 48;
    tsnni_course_start(&course);
    TSNNI_OK(tsnn_trainer_run(course.trainer, course.train, course.train));
    tsnni_test_bytes bytes = tsnni_course_bytes(network);
    tsnni_course_free(&course);
    return bytes;
}

/* Panels keep sums of floats between them. */
START_TEST(training_gives_the_same_bits_whatever_the_size_of_the_caches)
{
    static const tsnni_caches large = {32 << 10, 1 << 20, 32 << 20}, tiny = {256, 1024, 2048};
    tsnni_test_bytes first = trained_bytes(&network_cases[_i], large), second = trained_bytes(&network_cases[_i], tiny);
    ck_assert(tsnni_test_bytes_equal(&first, &second));
    tsnni_test_bytes_free(&first);
    tsnni_test_bytes_free(&second);
}
END_TEST

START_TEST(a_network_learns_as_well_as_with_floats)
{
    double accuracy[2];
    for (int32_t format = 0; format < 2; format++) {
        tsnni_course course = tsnni_course_small(3, 200, 0.1);
        course.options.epochs = 60;
        TSNNI_OK(tsnn_network_set_activation_format(course.network, format));
        tsnni_course_start(&course);
        TSNNI_OK(tsnn_trainer_run(course.trainer, course.train, NULL));
        tsnn_evaluation evaluation = TSNN_EVALUATION_INIT;
        TSNNI_OK(tsnn_network_evaluate(course.network, course.loss, course.train, &evaluation));
        accuracy[format] = evaluation.accuracy;
        tsnni_course_free(&course);
    }
    ck_assert_double_gt(accuracy[TSNN_ACTIVATIONS_FLOAT32], 0.8);
    ck_assert_double_ge(accuracy[TSNN_ACTIVATIONS_BF16], accuracy[TSNN_ACTIVATIONS_FLOAT32] - 0.03);
}
END_TEST

/* ---- the choice ---- */

START_TEST(the_format_can_change_between_steps_and_is_told_and_copied)
{
    tsnni_course course = tsnni_course_small(3, 40, 0.2);
    tsnn_network *copy = NULL;
    tsnni_course_start(&course);
    ck_assert_int_eq(tsnni_test_network_size(course.network).activation_format, TSNN_ACTIVATIONS_FLOAT32);
    for (int step = 0; step < 4; step++) {
        TSNNI_OK(tsnn_network_set_activation_format(course.network, step % 2));
        TSNNI_OK(tsnn_trainer_step(course.trainer, course.train, NULL, 40, 1.0, NULL));
        ck_assert_int_eq(tsnni_test_network_size(course.network).activation_format, step % 2);
    }
    TSNNI_OK(tsnn_network_copy(course.network, &copy));
    ck_assert_int_eq(tsnni_test_network_size(copy).activation_format, TSNN_ACTIVATIONS_BF16);
    tsnn_network_destroy(&copy);
    tsnni_course_free(&course);
}
END_TEST

START_TEST(unknown_formats_are_refused_and_change_nothing)
{
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 3);
    tsnn_network *network = hidden_network(context, &network_cases[0], 0);
    static const int32_t unknown[] = {-1, 2, INT32_MAX, INT32_MIN};
    TSNNI_OK(tsnn_network_set_activation_format(network, TSNN_ACTIVATIONS_BF16));
    for (int k = 0; k < 4; k++)
        TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_network_set_activation_format(network, unknown[k]));
    ck_assert_int_eq(tsnni_test_network_size(network).activation_format, TSNN_ACTIVATIONS_BF16);
    ck_assert_int_eq(tsnn_network_set_activation_format(NULL, TSNN_ACTIVATIONS_BF16), TSNN_ERROR_NULL_ARGUMENT);
    tsnn_network_destroy(&network);
    tsnn_context_destroy(&context);
}
END_TEST

/* What the forward pass reads at random is half as much. */
START_TEST(the_plan_counts_the_bytes_of_the_format)
{
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 3);
    tsnn_network *network = hidden_network(context, &network_cases[0], 0);
    tsnn_layer_plan floats = TSNN_LAYER_PLAN_INIT, halves = TSNN_LAYER_PLAN_INIT;
    TSNNI_OK(tsnn_network_explain(network, 1, 64, &floats, NULL, 0));
    TSNNI_OK(tsnn_network_set_activation_format(network, TSNN_ACTIVATIONS_BF16));
    TSNNI_OK(tsnn_network_explain(network, 1, 64, &halves, NULL, 0));
    ck_assert_int_eq(floats.forward_bytes, 30 * 64 * 4);
    ck_assert_int_eq(halves.forward_bytes, 30 * 64 * 2);
    ck_assert_int_eq(halves.backward_bytes, floats.backward_bytes);
    tsnn_network_destroy(&network);
    tsnn_context_destroy(&context);
}
END_TEST

Suite *tsnni_suite_bf16(void)
{
    Suite *suite = suite_create("bf16");
    TCase *tcase = tcase_create("bf16");
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, numbers_are_rounded_to_the_nearest_and_ties_to_even);
    tcase_add_test(tcase, every_column_has_a_place_of_its_own);
    tcase_add_loop_test(tcase, predictions_are_those_of_a_network_that_rounds_its_activations, 0, CASE_COUNT);
    tcase_add_loop_test(tcase, gradients_differ_from_those_of_floats_by_the_rounding_only, 0, CASE_COUNT);
    tcase_add_loop_test(tcase, training_gives_the_same_bits_whatever_the_size_of_the_caches, 0, CASE_COUNT);
    tcase_add_test(tcase, a_network_learns_as_well_as_with_floats);
    tcase_add_test(tcase, the_format_can_change_between_steps_and_is_told_and_copied);
    tcase_add_test(tcase, unknown_formats_are_refused_and_change_nothing);
    tcase_add_test(tcase, the_plan_counts_the_bytes_of_the_format);
    suite_add_tcase(suite, tcase);
    return suite;
}
