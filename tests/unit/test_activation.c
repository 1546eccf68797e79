/* Activation functions and their derivatives on plain numbers. */
#include "suites.h"

#include <math.h>

#include "oracle.h"

static tsnn_context *context;

static void setup(void)
{
    context = tsnni_test_context(TSNN_ISA_AUTO, 1, 0);
}

static void teardown(void)
{
    tsnn_context_destroy(&context);
}

static const float numbers[] = {-100.0f, -20.0f, -3.0f, -1.0f, -0.5f, -1e-3f, -1e-30f, 0.0f,
                                1e-30f,  1e-3f,  0.25f, 1.0f,  2.0f,  15.0f,  90.0f,   3e30f};
#define COUNT ((int64_t)(sizeof numbers / sizeof *numbers))

static const tsnni_test_function functions[] = {
    {TSNN_ACTIVATION_IDENTITY, 0},   {TSNN_ACTIVATION_RELU, 0},         {TSNN_ACTIVATION_LEAKY_RELU, 0},
    {TSNN_ACTIVATION_LEAKY_RELU, 1}, {TSNN_ACTIVATION_LEAKY_RELU, -.5}, {TSNN_ACTIVATION_ALL_RELU, 0},
    {TSNN_ACTIVATION_ALL_RELU, .75}, {TSNN_ACTIVATION_SIGMOID, 0},      {TSNN_ACTIVATION_TANH, 0},
    {TSNN_ACTIVATION_CUSTOM, 0},
};
#define FUNCTION_COUNT ((int)(sizeof functions / sizeof *functions))

START_TEST(functions_and_derivatives_are_the_oracle_s)
{
    tsnn_activation *activation = tsnni_test_activation(context, functions[_i]);
    for (int64_t place = 0; place < 4; place++) {
        float a[COUNT], derivative[COUNT];
        TSNNI_OK(tsnn_activation_evaluate(activation, place, numbers, a, derivative, COUNT));
        for (int64_t k = 0; k < COUNT; k++) {
            double expected = tsnni_oracle_activate(functions[_i], place, numbers[k]);
            double slope = tsnni_oracle_differentiate(functions[_i], place, numbers[k]);
            ck_assert_double_eq_tol(a[k], expected, 1e-6 * fabs(expected) + 1e-37);
            ck_assert_double_eq_tol(derivative[k], slope, 2e-6);
        }
    }
    tsnn_activation_destroy(&activation);
}
END_TEST

START_TEST(the_sign_of_all_relu_alternates_from_minus_alpha)
{
    tsnn_activation *activation = tsnni_test_activation(context, (tsnni_test_function){TSNN_ACTIVATION_ALL_RELU, 0.75});
    static const float z[] = {-2.0f, 0.0f, 2.0f};
    static const float expected[2][3] = {{1.5f, 0.0f, 2.0f}, {-1.5f, 0.0f, 2.0f}};
    static const float slope[2][3] = {{-0.75f, 1.0f, 1.0f}, {0.75f, 1.0f, 1.0f}};
    for (int64_t place = 0; place < 6; place++) {
        float a[3], derivative[3];
        TSNNI_OK(tsnn_activation_evaluate(activation, place, z, a, derivative, 3));
        for (int k = 0; k < 3; k++) {
            ck_assert_float_eq(a[k], expected[place % 2][k]);
            ck_assert_float_eq(derivative[k], slope[place % 2][k]);
        }
    }
    tsnn_activation_destroy(&activation);
}
END_TEST

START_TEST(default_slopes_are_as_documented)
{
    static const float z[] = {-1.0f};
    float a[1];
    tsnn_activation *leaky = tsnni_test_activation(context, (tsnni_test_function){TSNN_ACTIVATION_LEAKY_RELU, 0});
    TSNNI_OK(tsnn_activation_evaluate(leaky, 0, z, a, NULL, 1));
    ck_assert_float_eq_tol(a[0], -0.01f, 1e-9f);
    tsnn_activation *all_relu = tsnni_test_activation(context, (tsnni_test_function){TSNN_ACTIVATION_ALL_RELU, 0});
    TSNNI_OK(tsnn_activation_evaluate(all_relu, 0, z, a, NULL, 1));
    ck_assert_float_eq_tol(a[0], 0.6f, 1e-7f);
    tsnn_activation_destroy(&leaky);
    tsnn_activation_destroy(&all_relu);
}
END_TEST

START_TEST(no_options_give_the_identity)
{
    tsnn_activation *activation = NULL;
    float a[COUNT], derivative[COUNT];
    TSNNI_OK(tsnn_activation_create(context, NULL, &activation));
    TSNNI_OK(tsnn_activation_evaluate(activation, 0, numbers, a, derivative, COUNT));
    for (int64_t k = 0; k < COUNT; k++) {
        ck_assert_float_eq(a[k], numbers[k]);
        ck_assert_float_eq(derivative[k], 1.0f);
    }
    tsnn_activation_destroy(&activation);
}
END_TEST

START_TEST(outputs_may_replace_inputs_when_no_derivative_is_wanted)
{
    for (int f = 0; f < FUNCTION_COUNT - 1; f++) {
        tsnn_activation *activation = tsnni_test_activation(context, functions[f]);
        float apart[COUNT], in_place[COUNT];
        for (int64_t k = 0; k < COUNT; k++)
            in_place[k] = numbers[k];
        TSNNI_OK(tsnn_activation_evaluate(activation, 1, numbers, apart, NULL, COUNT));
        TSNNI_OK(tsnn_activation_evaluate(activation, 1, in_place, in_place, NULL, COUNT));
        for (int64_t k = 0; k < COUNT; k++)
            ck_assert_float_eq(in_place[k], apart[k]);
        tsnn_activation_destroy(&activation);
    }
}
END_TEST

START_TEST(sigmoid_and_tanh_saturate_without_nan)
{
    static const float z[] = {-3e38f, -1000.0f, 1000.0f, 3e38f};
    static const int32_t kinds[] = {TSNN_ACTIVATION_SIGMOID, TSNN_ACTIVATION_TANH};
    for (int kind = 0; kind < 2; kind++) {
        tsnn_activation *activation = tsnni_test_activation(context, (tsnni_test_function){kinds[kind], 0});
        float a[4], derivative[4];
        TSNNI_OK(tsnn_activation_evaluate(activation, 0, z, a, derivative, 4));
        for (int k = 0; k < 4; k++) {
            ck_assert_float_eq(a[k], k >= 2 ? 1.0f : kind == 0 ? 0.0f : -1.0f);
            ck_assert_float_eq(derivative[k], 0.0f);
        }
        tsnn_activation_destroy(&activation);
    }
}
END_TEST

START_TEST(softmax_is_no_function_of_one_number)
{
    tsnn_activation *activation = tsnni_test_activation(context, (tsnni_test_function){TSNN_ACTIVATION_SOFTMAX, 0});
    float a[COUNT] = {0};
    TSNNI_REFUSED(context, TSNN_ERROR_UNSUPPORTED, tsnn_activation_evaluate(activation, 0, numbers, a, NULL, COUNT));
    tsnn_activation_destroy(&activation);
}
END_TEST

static void remember_user(void *user, const float *z, float *a, int64_t count)
{
    *(int64_t *)user += count;
    for (int64_t k = 0; k < count; k++)
        a[k] = 2.0f * z[k];
}

static void remember_user_again(void *user, const float *z, const float *a, float *derivative, int64_t count)
{
    *(int64_t *)user += 100 * count;
    for (int64_t k = 0; k < count; k++)
        derivative[k] = a[k] / z[k];
}

START_TEST(custom_functions_get_their_user_pointer)
{
    int64_t seen = 0;
    tsnn_activation_options options = TSNN_ACTIVATION_OPTIONS_INIT;
    options.kind = TSNN_ACTIVATION_CUSTOM;
    options.function = remember_user;
    options.derivative = remember_user_again;
    options.user = &seen;
    tsnn_activation *activation = NULL;
    static const float z[] = {1.0f, 2.0f, 3.0f};
    float a[3], derivative[3];
    TSNNI_OK(tsnn_activation_create(context, &options, &activation));
    TSNNI_OK(tsnn_activation_evaluate(activation, 0, z, a, NULL, 3));
    ck_assert_int_eq(seen, 3);
    TSNNI_OK(tsnn_activation_evaluate(activation, 0, z, a, derivative, 3));
    ck_assert_int_eq(seen, 306);
    ck_assert_float_eq(a[2], 6.0f);
    ck_assert_float_eq(derivative[2], 2.0f);
    tsnn_activation_destroy(&activation);
}
END_TEST

Suite *tsnni_suite_activation(void)
{
    Suite *suite = suite_create("activation");
    TCase *tcase = tcase_create("activation");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, functions_and_derivatives_are_the_oracle_s, 0, FUNCTION_COUNT);
    tcase_add_test(tcase, the_sign_of_all_relu_alternates_from_minus_alpha);
    tcase_add_test(tcase, default_slopes_are_as_documented);
    tcase_add_test(tcase, no_options_give_the_identity);
    tcase_add_test(tcase, outputs_may_replace_inputs_when_no_derivative_is_wanted);
    tcase_add_test(tcase, sigmoid_and_tanh_saturate_without_nan);
    tcase_add_test(tcase, softmax_is_no_function_of_one_number);
    tcase_add_test(tcase, custom_functions_get_their_user_pointer);
    suite_add_tcase(suite, tcase);
    return suite;
}
