/* Dropout: its size, its masks in both directions, its random numbers. */
#include "suites.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "course.h"
#include "oracle.h"

#define TANH                                                                                                           \
    {                                                                                                                  \
        TSNN_ACTIVATION_TANH, 0                                                                                        \
    }
#define SOFTMAX                                                                                                        \
    {                                                                                                                  \
        TSNN_ACTIVATION_SOFTMAX, 0                                                                                     \
    }
#define IDENTITY                                                                                                       \
    {                                                                                                                  \
        TSNN_ACTIVATION_IDENTITY, 0                                                                                    \
    }
#define SIGMOID                                                                                                        \
    {                                                                                                                  \
        TSNN_ACTIVATION_SIGMOID, 0                                                                                     \
    }

/* ---- dropout ---- */

#define HIDDEN 200

/* 1 input, HIDDEN neurons that all see `z`, 1 output that is their mean. */
static tsnni_course dropout_course(int32_t isa, tsnni_test_function hidden, float z, double dropout, uint64_t seed)
{
    tsnni_course course = {0};
    tsnn_context *context = tsnni_test_context(isa, 1, seed);
    if (context == NULL)
        return course;
    static const int64_t sizes[] = {1, HIDDEN, 1};
    tsnni_test_function functions[] = {hidden, IDENTITY};
    tsnn_network *network = tsnni_test_network(context, 2, sizes, functions, 1.0, dropout);
    float weights[HIDDEN], shares[HIDDEN], zeros[HIDDEN] = {0};
    for (int j = 0; j < HIDDEN; j++) {
        weights[j] = z;
        shares[j] = 1.0f / HIDDEN;
    }
    TSNNI_OK(tsnn_layer_set_weights(tsnni_test_layer_of(network, 0), weights, HIDDEN, zeros, HIDDEN));
    TSNNI_OK(tsnn_layer_set_weights(tsnni_test_layer_of(network, 1), shares, HIDDEN, zeros, 1));
    static const float ones[] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, targets[10] = {0};
    tsnn_dataset_options options = TSNN_DATASET_OPTIONS_INIT;
    options.samples = 10;
    options.features = 1;
    options.target_size = 1;
    options.feature_data = ones;
    options.targets = targets;
    tsnn_dataset *dataset = NULL;
    TSNNI_OK(tsnn_dataset_create(context, &options, &dataset));
    course = tsnni_course_create(context, network, dataset, TSNN_LOSS_MEAN_SQUARED_ERROR, 0.5);
    return course;
}

static const tsnni_test_function dropout_functions[] = {
    IDENTITY, {TSNN_ACTIVATION_ALL_RELU, .6}, SIGMOID, TANH, SOFTMAX, {TSNN_ACTIVATION_CUSTOM, 0},
};
#define DROPOUT_FUNCTIONS ((int)(sizeof dropout_functions / sizeof *dropout_functions))

static const float hidden_z = -1.0f; /* below the kink */

static double hidden_output(tsnni_test_function function)
{
    return function.kind == TSNN_ACTIVATION_SOFTMAX ? 1.0 / HIDDEN : tsnni_oracle_activate(function, 0, hidden_z);
}

/* Over many masks the output keeps its mean, and spreads as kept and dropped values of that rate must. */
START_TEST(dropout_keeps_the_expected_size)
{
    tsnni_test_function function = dropout_functions[_i / TSNNI_ISA_COUNT];
    static const double rates[] = {0.3, 0.5, 0.9};
    for (int r = 0; r < 3; r++) {
        tsnni_course course = dropout_course(TSNN_ISA_REF + _i % TSNNI_ISA_COUNT, function, hidden_z, rates[r], 17);
        if (course.context == NULL)
            return;
        for (int64_t l = 0; l < 2; l++)
            TSNNI_OK(tsnn_layer_freeze(tsnni_test_layer_of(course.network, l), 1));
        tsnni_course_start(&course);
        double sum = 0.0, squares = 0.0, whole = fabs(hidden_output(function));
        for (int n = 0; n < 400; n++) {
            double loss = 0.0;
            TSNNI_OK(tsnn_trainer_step(course.trainer, course.train, NULL, 1, 1.0, &loss));
            double share = sqrt(loss) / whole;
            sum += share;
            squares += (share - 1.0) * (share - 1.0);
        }
        double deviation = sqrt(rates[r] / (1.0 - rates[r]) / HIDDEN); /* to 1/256 in the rate */
        ck_assert_double_le(fabs(sum / 400.0 - 1.0), 5.0 * deviation / sqrt(400.0));
        ck_assert_double_le(fabs(sqrt(squares / 400.0) / deviation - 1.0), 0.2);
        tsnni_course_free(&course);
    }
}
END_TEST

/* One step on one sample: the output's weights that move are the kept neurons; their number gives the loss, and the
 * hidden weights move by the same mask. */
START_TEST(forward_and_backward_drop_the_same_neurons)
{
    tsnni_test_function function = dropout_functions[_i / TSNNI_ISA_COUNT];
    tsnni_course course = dropout_course(TSNN_ISA_REF + _i % TSNNI_ISA_COUNT, function, hidden_z, 0.5, 23);
    if (course.context == NULL)
        return;
    tsnni_course_start(&course);
    double loss = 0.0, rate = 0.5, scale = 2.0, f = hidden_output(function);
    TSNNI_OK(tsnn_trainer_step(course.trainer, course.train, NULL, 1, 1.0, &loss));
    float hidden[HIDDEN], output[HIDDEN];
    TSNNI_OK(tsnn_layer_get_csr(tsnni_test_layer_of(course.network, 0), NULL, 0, NULL, hidden, HIDDEN));
    TSNNI_OK(tsnn_layer_get_csr(tsnni_test_layer_of(course.network, 1), NULL, 0, NULL, output, HIDDEN));
    int64_t kept = 0;
    for (int j = 0; j < HIDDEN; j++)
        kept += output[j] != 1.0f / HIDDEN;
    ck_assert(kept > 60 && kept < 140);
    double a = f * scale * (double)kept / HIDDEN;
    ck_assert_double_eq_tol(loss, a * a, 1e-5 * a * a);
    for (int j = 0; j < HIDDEN; j++) {
        double mask = output[j] != 1.0f / HIDDEN ? scale : 0.0;
        double moved = rate * 2.0 * a * f * mask;
        ck_assert_double_eq_tol(output[j], 1.0 / HIDDEN - moved, 1e-6 * (1.0 + fabs(moved)));
        double g = 2.0 * a / HIDDEN, delta;
        if (function.kind == TSNN_ACTIVATION_SOFTMAX)
            delta = f * g * (mask - scale * (double)kept / HIDDEN);
        else
            delta = g * mask * tsnni_oracle_differentiate(function, 0, hidden_z);
        ck_assert_double_eq_tol(hidden[j], hidden_z - rate * delta, 2e-7);
    }
    tsnni_course_free(&course);
}
END_TEST

START_TEST(dropout_repeats_with_the_seed_and_changes_with_every_step)
{
    double losses[3][8];
    static const uint64_t seeds[] = {5, 5, 6};
    for (int run = 0; run < 3; run++) {
        tsnni_course course = dropout_course(TSNN_ISA_AUTO, (tsnni_test_function)IDENTITY, 1.0f, 0.5, seeds[run]);
        tsnni_course_start(&course);
        for (int s = 0; s < 8; s++)
            TSNNI_OK(tsnn_trainer_step(course.trainer, course.train, NULL, 10, 0.0, &losses[run][s]));
        tsnni_course_free(&course);
    }
    ck_assert_mem_eq(losses[0], losses[1], sizeof losses[0]);
    ck_assert_mem_ne(losses[0], losses[2], sizeof losses[0]);
    for (int s = 1; s < 8; s++)
        ck_assert_double_ne(losses[0][s], losses[0][s - 1]);
}
END_TEST

Suite *tsnni_suite_dropout(void)
{
    Suite *suite = suite_create("dropout");
    TCase *tcase = tcase_create("dropout");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, dropout_keeps_the_expected_size, 0, DROPOUT_FUNCTIONS * TSNNI_ISA_COUNT);
    tcase_add_loop_test(tcase, forward_and_backward_drop_the_same_neurons, 0, DROPOUT_FUNCTIONS * TSNNI_ISA_COUNT);
    tcase_add_test(tcase, dropout_repeats_with_the_seed_and_changes_with_every_step);
    suite_add_tcase(suite, tcase);
    return suite;
}
