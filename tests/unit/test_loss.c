/* Losses of given outputs, against numbers worked out by hand and the oracle. */
#include "suites.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "oracle.h"

#define CE TSNN_LOSS_CROSS_ENTROPY
#define MSE TSNN_LOSS_MEAN_SQUARED_ERROR
#define BCE TSNN_LOSS_BINARY_CROSS_ENTROPY

static tsnn_context *context;

static void setup(void)
{
    context = tsnni_test_context(TSNN_ISA_AUTO, 1, 0);
}

static void teardown(void)
{
    tsnn_context_destroy(&context);
}

static double value_of(int32_t kind, double smoothing, const float *outputs, int64_t samples, int64_t count,
                       const int32_t *labels, const float *targets)
{
    tsnn_loss *loss = tsnni_test_loss(context, kind, smoothing);
    double value = -1.0;
    TSNNI_OK(tsnn_loss_evaluate(loss, outputs, samples, count, labels, targets, &value));
    tsnn_loss_destroy(&loss);
    return value;
}

START_TEST(cross_entropy_by_hand)
{
    static const float outputs[] = {0.5f, 0.25f, 0.25f, 0.125f, 0.75f, 0.125f};
    static const int32_t labels[] = {0, 2};
    static const float targets[] = {0.5f, 0.5f, 0.0f, 0.0f, 1.0f, 0.0f};
    ck_assert_double_eq_tol(value_of(CE, 0, outputs, 2, 3, labels, NULL), (log(2.0) + log(8.0)) / 2.0, 1e-7);
    ck_assert_double_eq_tol(value_of(CE, 0, outputs, 2, 3, NULL, targets),
                            (0.5 * log(2.0) + 0.5 * log(4.0) + log(4.0 / 3.0)) / 2.0, 1e-7);
}
END_TEST

START_TEST(evaluation_is_without_label_smoothing)
{
    static const float outputs[] = {0.5f, 0.25f, 0.25f};
    static const int32_t labels[] = {0};
    ck_assert_double_eq_tol(value_of(CE, 0.3, outputs, 1, 3, labels, NULL), log(2.0), 1e-7);
}
END_TEST

START_TEST(mean_squared_error_by_hand)
{
    static const float outputs[] = {1.0f, -2.0f, 0.5f, 3.0f};
    static const float targets[] = {0.0f, 1.0f, 0.5f, 1.0f};
    static const int32_t labels[] = {1, 0};
    ck_assert_double_eq_tol(value_of(MSE, 0, outputs, 2, 2, NULL, targets), (1.0 + 9.0 + 0.0 + 4.0) / 4.0, 1e-7);
    ck_assert_double_eq_tol(value_of(MSE, 0, outputs, 2, 2, labels, NULL), (1.0 + 9.0 + 0.25 + 9.0) / 4.0, 1e-7);
}
END_TEST

START_TEST(binary_cross_entropy_by_hand)
{
    static const float outputs[] = {0.5f, 0.25f, 0.75f, 0.125f};
    static const float targets[] = {1.0f, 0.0f, 0.5f, 0.0f};
    static const int32_t labels[] = {1, 0}, bits[] = {1, 0, 1, 0};
    double expected = (log(2.0) - log(0.75) - 0.5 * log(0.75) - 0.5 * log(0.25) - log(0.875)) / 4.0;
    ck_assert_double_eq_tol(value_of(BCE, 0, outputs, 2, 2, NULL, targets), expected, 1e-7);
    /* two outputs: one-hot */
    expected = (-log(0.5) - log(0.25) - log(0.75) - log(0.875)) / 4.0;
    ck_assert_double_eq_tol(value_of(BCE, 0, outputs, 2, 2, labels, NULL), expected, 1e-7);
    /* one output: label 1 is y = 1 */
    expected = (-log(0.5) - log(0.75) - log(0.75) - log(0.875)) / 4.0;
    ck_assert_double_eq_tol(value_of(BCE, 0, outputs, 4, 1, bits, NULL), expected, 1e-7);
}
END_TEST

START_TEST(certain_and_wrong_is_large_but_finite)
{
    static const float outputs[] = {0.0f, 1.0f};
    static const int32_t labels[] = {0};
    static const int32_t kinds[] = {CE, BCE};
    for (int k = 0; k < 2; k++) {
        double value = value_of(kinds[k], 0, outputs, 1, 2, labels, NULL);
        ck_assert(isfinite(value) && value > 10.0);
    }
    static const float right[] = {1.0f, 0.0f};
    for (int k = 0; k < 2; k++)
        ck_assert_double_eq_tol(value_of(kinds[k], 0, right, 1, 2, labels, NULL), 0.0, 1e-6);
}
END_TEST

START_TEST(losses_are_the_oracle_s)
{
    static const int32_t kinds[] = {CE, MSE, BCE};
    tsnni_test_random random = {77};
    for (int kind = 0; kind < 3; kind++)
        for (int64_t samples = 1; samples < 50; samples += 13)
            for (int64_t count = kinds[kind] == CE ? 2 : 1; count < 20; count += 3) {
                float *outputs = tsnni_test_array(2 * samples * count, sizeof *outputs);
                float *targets = outputs + samples * count;
                double *wide = tsnni_test_array(2 * samples * count, sizeof *wide);
                for (int64_t k = 0; k < 2 * samples * count; k++) {
                    outputs[k] = (float)tsnni_test_uniform(&random, 0.01, 0.99);
                    wide[k] = outputs[k];
                }
                double expected = tsnni_oracle_loss(kinds[kind], wide, wide + samples * count, samples, count);
                ck_assert_double_eq_tol(value_of(kinds[kind], 0, outputs, samples, count, NULL, targets), expected,
                                        1e-6 * expected);
                free(outputs);
                free(wide);
            }
}
END_TEST

START_TEST(no_samples_give_zero)
{
    static const float outputs[] = {0.5f, 0.5f};
    static const int32_t labels[] = {0};
    ck_assert_double_eq(value_of(CE, 0, outputs, 0, 2, labels, NULL), 0.0);
    ck_assert_double_eq(value_of(MSE, 0, outputs, 0, 1, NULL, outputs), 0.0);
}
END_TEST

START_TEST(what_is_no_number_or_no_class_is_refused)
{
    static const float outputs[] = {0.5f, 0.5f, 0.5f, 0.5f}, broken[] = {0.5f, 0.5f, NAN, 0.5f},
                       endless[] = {0.5f, INFINITY, 0.5f, 0.5f};
    static const int32_t labels[] = {0, 1}, high[] = {0, 2}, low[] = {-1, 0};
    for (int32_t kind = CE; kind <= BCE; kind++) {
        tsnn_loss *loss = tsnni_test_loss(context, kind, 0);
        double value = 3.0;
        TSNNI_REFUSED(context, TSNN_ERROR_LABEL, tsnn_loss_evaluate(loss, outputs, 2, 2, high, NULL, &value));
        TSNNI_REFUSED(context, TSNN_ERROR_LABEL, tsnn_loss_evaluate(loss, outputs, 2, 2, low, NULL, &value));
        TSNNI_REFUSED(context, TSNN_ERROR_NOT_FINITE, tsnn_loss_evaluate(loss, broken, 2, 2, labels, NULL, &value));
        TSNNI_REFUSED(context, TSNN_ERROR_NOT_FINITE, tsnn_loss_evaluate(loss, endless, 2, 2, labels, NULL, &value));
        TSNNI_REFUSED(context, TSNN_ERROR_NOT_FINITE, tsnn_loss_evaluate(loss, outputs, 2, 2, NULL, broken, &value));
        TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT,
                      tsnn_loss_evaluate(loss, outputs, 2, 2, labels, outputs, &value));
        TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT,
                      tsnn_loss_evaluate(loss, outputs, 2, 2, NULL, NULL, &value));
        tsnn_loss_destroy(&loss);
    }
}
END_TEST

/* What tsnn_network_evaluate says to a loss, a number of outputs with that last activation, and a target. */
static tsnn_status answer_to(int32_t loss_kind, int32_t activation_kind, int64_t outputs, float target)
{
    tsnn_layer_options options = TSNN_LAYER_OPTIONS_INIT;
    options.inputs = 2;
    options.outputs = outputs;
    tsnn_layer *layer = NULL;
    tsnn_activation *activation = NULL;
    tsnn_activation_options kind = TSNN_ACTIVATION_OPTIONS_INIT;
    tsnn_network *network = NULL;
    tsnn_loss *loss = NULL;
    tsnn_loss_options loss_options = TSNN_LOSS_OPTIONS_INIT;
    tsnn_dataset *dataset = NULL;
    tsnn_dataset_options data = TSNN_DATASET_OPTIONS_INIT;
    const float features[2] = {1.0f, 2.0f}, targets[2] = {target, 1.0f};
    kind.kind = activation_kind;
    loss_options.kind = loss_kind;
    data.samples = 1;
    data.features = 2;
    data.feature_data = features;
    data.targets = targets;
    data.target_size = outputs;
    TSNNI_OK(tsnn_layer_create(context, &options, &layer));
    TSNNI_OK(tsnn_activation_create(context, &kind, &activation));
    TSNNI_OK(tsnn_network_create(context, &network));
    TSNNI_OK(tsnn_network_append(network, &layer, activation, 0.0));
    TSNNI_OK(tsnn_loss_create(context, &loss_options, &loss));
    TSNNI_OK(tsnn_dataset_create(context, &data, &dataset));
    tsnn_evaluation evaluation = TSNN_EVALUATION_INIT;
    tsnn_status status = tsnn_network_evaluate(network, loss, dataset, &evaluation);
    tsnn_dataset_destroy(&dataset);
    tsnn_loss_destroy(&loss);
    tsnn_network_destroy(&network);
    tsnn_activation_destroy(&activation);
    return status;
}

START_TEST(losses_of_probabilities_refuse_what_is_none)
{
    ck_assert_int_eq(answer_to(TSNN_LOSS_CROSS_ENTROPY, TSNN_ACTIVATION_SOFTMAX, 1, 1.0f), TSNN_ERROR_INVALID_ARGUMENT);
    ck_assert_int_eq(answer_to(TSNN_LOSS_CROSS_ENTROPY, TSNN_ACTIVATION_SOFTMAX, 2, -0.1f),
                     TSNN_ERROR_INVALID_ARGUMENT);
    ck_assert_int_eq(answer_to(TSNN_LOSS_CROSS_ENTROPY, TSNN_ACTIVATION_SOFTMAX, 2, 0.0f), TSNN_OK);
    ck_assert_int_eq(answer_to(TSNN_LOSS_BINARY_CROSS_ENTROPY, TSNN_ACTIVATION_SIGMOID, 1, 1.1f),
                     TSNN_ERROR_INVALID_ARGUMENT);
    ck_assert_int_eq(answer_to(TSNN_LOSS_BINARY_CROSS_ENTROPY, TSNN_ACTIVATION_SIGMOID, 2, -0.1f),
                     TSNN_ERROR_INVALID_ARGUMENT);
    ck_assert_int_eq(answer_to(TSNN_LOSS_BINARY_CROSS_ENTROPY, TSNN_ACTIVATION_SIGMOID, 2, 0.5f), TSNN_OK);
    ck_assert_int_eq(answer_to(TSNN_LOSS_MEAN_SQUARED_ERROR, TSNN_ACTIVATION_IDENTITY, 2, -7.0f), TSNN_OK);
}
END_TEST

Suite *tsnni_suite_loss(void)
{
    Suite *suite = suite_create("loss");
    TCase *tcase = tcase_create("loss");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, cross_entropy_by_hand);
    tcase_add_test(tcase, evaluation_is_without_label_smoothing);
    tcase_add_test(tcase, mean_squared_error_by_hand);
    tcase_add_test(tcase, binary_cross_entropy_by_hand);
    tcase_add_test(tcase, certain_and_wrong_is_large_but_finite);
    tcase_add_test(tcase, losses_are_the_oracle_s);
    tcase_add_test(tcase, no_samples_give_zero);
    tcase_add_test(tcase, what_is_no_number_or_no_class_is_refused);
    tcase_add_test(tcase, losses_of_probabilities_refuse_what_is_none);
    suite_add_tcase(suite, tcase);
    return suite;
}
