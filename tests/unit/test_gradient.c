/* Gradients are what central differences of the loss say, for every activation, loss and place of a layer; and the
 * gradient object's own operations. */
#include "suites.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "oracle.h"

#define LAYERS 3
#define SAMPLES 6

typedef struct difference_case {
    const char *name;
    int64_t sizes[LAYERS + 1];
    tsnni_test_function functions[LAYERS];
    double density;
    int32_t loss;
    double smoothing;
    int32_t targets; /* 0: labels, 1: numbers in [0, 1], 2: probabilities */
} difference_case;

#define CE TSNN_LOSS_CROSS_ENTROPY
#define MSE TSNN_LOSS_MEAN_SQUARED_ERROR
#define BCE TSNN_LOSS_BINARY_CROSS_ENTROPY

static const difference_case cases[] = {
    {"identity", {4, 5, 4, 3}, {IDENTITY, IDENTITY, IDENTITY}, .7, MSE, 0, 1},
    {"relu", {4, 5, 4, 3}, {RELU, RELU, RELU}, .7, MSE, 0, 1},
    {"leaky relu", {4, 5, 4, 3}, {LEAKY, LEAKY, LEAKY}, .7, MSE, 0, 1},
    {"all-relu", {4, 5, 4, 3}, {ALL_RELU, ALL_RELU, ALL_RELU}, .7, MSE, 0, 1},
    {"all-relu, softmax", {4, 5, 4, 3}, {ALL_RELU, ALL_RELU, SOFTMAX}, .7, CE, 0, 0},
    {"sigmoid", {4, 5, 4, 3}, {SIGMOID, SIGMOID, SIGMOID}, .7, MSE, 0, 1},
    {"tanh", {4, 5, 4, 3}, {TANH, TANH, TANH}, .7, MSE, 0, 1},
    {"softmax everywhere", {4, 5, 4, 3}, {SOFTMAX, SOFTMAX, SOFTMAX}, .7, CE, 0, 0},
    {"softmax first", {4, 5, 4, 3}, {SOFTMAX, TANH, IDENTITY}, .7, MSE, 0, 1},
    {"softmax second", {4, 5, 4, 3}, {ALL_RELU, SOFTMAX, IDENTITY}, .7, MSE, 0, 1},
    {"softmax, mse", {4, 5, 4, 3}, {TANH, TANH, SOFTMAX}, .7, MSE, 0, 0},
    {"custom", {4, 5, 4, 3}, {CUSTOM, CUSTOM, CUSTOM}, .7, MSE, 0, 1},
    {"custom before relu", {4, 5, 4, 3}, {CUSTOM, ALL_RELU, SOFTMAX}, .7, CE, 0, 0},
    {"relu before custom", {4, 5, 4, 3}, {RELU, CUSTOM, SOFTMAX}, .7, CE, 0, 0},
    {"cross-entropy, probabilities", {4, 5, 4, 3}, {TANH, TANH, SOFTMAX}, .7, CE, 0, 2},
    {"cross-entropy, any targets", {4, 5, 4, 3}, {TANH, TANH, SOFTMAX}, .7, CE, 0, 1},
    {"smoothing, labels", {4, 5, 4, 3}, {TANH, TANH, SOFTMAX}, .7, CE, .2, 0},
    {"smoothing, probabilities", {4, 5, 4, 3}, {TANH, TANH, SOFTMAX}, .7, CE, .2, 2},
    {"mse, labels", {4, 5, 4, 3}, {TANH, TANH, TANH}, .7, MSE, 0, 0},
    {"binary, labels", {4, 5, 4, 3}, {TANH, TANH, SIGMOID}, .7, BCE, 0, 0},
    {"binary, targets", {4, 5, 4, 3}, {TANH, TANH, SIGMOID}, .7, BCE, 0, 1},
    {"binary, one output", {4, 5, 4, 1}, {TANH, TANH, SIGMOID}, .7, BCE, 0, 0},
    {"full layers", {4, 5, 4, 3}, {ALL_RELU, TANH, SOFTMAX}, 1, CE, 0, 0},
    {"wide output", {4, 5, 4, 20}, {TANH, TANH, SOFTMAX}, .5, CE, 0, 0},
};
#define CASE_COUNT ((int)(sizeof cases / sizeof *cases))

typedef struct gradient_setting {
    tsnn_context *context;
    tsnn_network *network;
    tsnn_loss *loss;
    tsnn_dataset *dataset;
} gradient_setting;

static void setting_free(gradient_setting *setting)
{
    tsnn_dataset_destroy(&setting->dataset);
    tsnn_loss_destroy(&setting->loss);
    tsnn_network_destroy(&setting->network);
    tsnn_context_destroy(&setting->context);
}

/* Smallest distance of a pre-activation from the kink at 0, over the layers that have one. */
static double kink_margin(const difference_case *given, gradient_setting *setting)
{
    tsnn_dataset_info info = TSNN_DATASET_INFO_INIT;
    TSNNI_OK(tsnn_dataset_get_info(setting->dataset, &info));
    tsnni_oracle *oracle = tsnni_oracle_create(setting->network, given->functions, SAMPLES);
    tsnni_oracle_forward(oracle, info.feature_data, SAMPLES);
    double margin = HUGE_VAL;
    for (int64_t l = 0; l < LAYERS; l++)
        for (int64_t k = 0; k < SAMPLES * oracle->layers[l].outputs; k++)
            if (given->functions[l].kind >= TSNN_ACTIVATION_RELU &&
                given->functions[l].kind <= TSNN_ACTIVATION_ALL_RELU)
                margin = fmin(margin, fabs(oracle->layers[l].z[k]));
    tsnni_oracle_destroy(oracle);
    return margin;
}

/* A network and data whose pre-activations keep away from kinks by more than the differences can move them. */
static gradient_setting setting_create(const difference_case *given)
{
    gradient_setting setting = {.context = tsnni_test_context(TSNN_ISA_AUTO, 1, 9)};
    setting.loss = tsnni_test_loss(setting.context, given->loss, given->smoothing);
    int64_t outputs = given->sizes[LAYERS];
    for (uint64_t seed = 1; seed < 20000; seed++) {
        setting.network =
            tsnni_test_network(setting.context, LAYERS, given->sizes, given->functions, given->density, 0.0);
        setting.dataset =
            given->targets == 0
                ? tsnni_test_labelled(setting.context, SAMPLES, given->sizes[0], outputs > 1 ? outputs : 2, seed)
                : tsnni_test_targeted(setting.context, SAMPLES, given->sizes[0], outputs, given->targets == 2, seed);
        if (kink_margin(given, &setting) > 0.04)
            return setting;
        tsnn_network_destroy(&setting.network);
        tsnn_dataset_destroy(&setting.dataset);
    }
    ck_abort_msg("%s: no data without kinks found", given->name);
    return setting;
}

static double loss_at(gradient_setting *setting, tsnn_gradient *scratch)
{
    double value = 0.0;
    TSNNI_OK(tsnn_gradient_add(scratch, setting->network, setting->loss, setting->dataset, NULL, SAMPLES, &value));
    return value;
}

/* (L(w + h) - L(w - h)) / 2h for one weight (k < count) or bias. */
static double difference(gradient_setting *setting, tsnn_layer *layer, tsnn_gradient *scratch, float *values,
                         float *bias, int64_t count, int64_t outputs, int64_t k, float step)
{
    float *number = k < count ? values + k : bias + k - count;
    float old = *number, above = old + step, below = old - step;
    *number = above;
    TSNNI_OK(tsnn_layer_set_weights(layer, values, count, bias, outputs));
    double upper = loss_at(setting, scratch);
    *number = below;
    TSNNI_OK(tsnn_layer_set_weights(layer, values, count, bias, outputs));
    double lower = loss_at(setting, scratch);
    *number = old;
    TSNNI_OK(tsnn_layer_set_weights(layer, values, count, bias, outputs));
    return (upper - lower) / ((double)above - (double)below);
}

/* With step h = 1/64 the loss, about 1, carries float rounding of about 3e-7: 2e-5 in the quotient, 3e-5 after the
 * extrapolation from h and 2h, whose own error is of order h^4: 1e-6. A wrong factor or a missing term is far larger.
 */
#define STEP (1.0f / 64.0f)
#define ALLOWED 1.5e-4

static void compare_layer(const difference_case *given, gradient_setting *setting, int64_t index,
                          const tsnn_gradient *gradient, tsnn_gradient *scratch)
{
    tsnn_layer *layer = tsnni_test_layer_of(setting->network, index);
    tsnn_layer_info info = tsnni_test_layer_size(layer);
    int64_t count = info.connections, outputs = info.outputs;
    float *numbers = tsnni_test_array(2 * (count + outputs), sizeof *numbers);
    float *values = numbers, *bias = values + count, *expected = bias + outputs;
    TSNNI_OK(tsnn_layer_get_csr(layer, NULL, 0, NULL, values, count));
    TSNNI_OK(tsnn_layer_get_bias(layer, bias, outputs));
    TSNNI_OK(tsnn_gradient_get(gradient, index, expected, count, expected + count, outputs));
    for (int64_t k = 0; k < count + outputs; k++) {
        double near = difference(setting, layer, scratch, values, bias, count, outputs, k, STEP);
        double far = difference(setting, layer, scratch, values, bias, count, outputs, k, 2 * STEP);
        double measured = (4.0 * near - far) / 3.0;
        ck_assert_msg(fabs(expected[k] - measured) <= ALLOWED + 1e-3 * fabs(measured),
                      "%s, layer %d, %s %d: gradient %.7g, differences %.7g", given->name, (int)index,
                      k < count ? "weight" : "bias", (int)(k < count ? k : k - count), (double)expected[k], measured);
    }
    free(numbers);
}

START_TEST(gradients_are_central_differences)
{
    const difference_case *given = &cases[_i];
    gradient_setting setting = setting_create(given);
    tsnn_gradient *gradient = NULL, *scratch = NULL;
    TSNNI_OK(tsnn_gradient_create(setting.network, &gradient));
    TSNNI_OK(tsnn_gradient_create(setting.network, &scratch));
    TSNNI_OK(tsnn_gradient_add(gradient, setting.network, setting.loss, setting.dataset, NULL, SAMPLES, NULL));
    double norm = 0.0;
    TSNNI_OK(tsnn_gradient_norm(gradient, &norm));
    ck_assert_msg(norm > 0.01, "%s: the gradient is %g, too small to show anything", given->name, norm);
    for (int64_t l = 0; l < LAYERS; l++)
        compare_layer(given, &setting, l, gradient, scratch);
    tsnn_gradient_destroy(&gradient);
    tsnn_gradient_destroy(&scratch);
    setting_free(&setting);
}
END_TEST

/* The oracle in double precision sees what differences in float cannot: errors of 1e-5. */
START_TEST(gradients_are_the_oracle_s)
{
    const difference_case *given = &cases[_i];
    gradient_setting setting = setting_create(given);
    tsnn_dataset_info info = TSNN_DATASET_INFO_INIT;
    TSNNI_OK(tsnn_dataset_get_info(setting.dataset, &info));
    tsnni_oracle *oracle = tsnni_oracle_create(setting.network, given->functions, SAMPLES);
    double *targets = tsnni_oracle_targets(setting.dataset, given->sizes[LAYERS]);
    tsnni_oracle_smooth(targets, SAMPLES, given->sizes[LAYERS], given->smoothing);
    double expected_loss = tsnni_oracle_gradient(oracle, given->loss, info.feature_data, targets, SAMPLES), value = 0.0;
    double norm = tsnni_oracle_norm(oracle), own_norm = 0.0;
    tsnn_gradient *gradient = NULL;
    TSNNI_OK(tsnn_gradient_create(setting.network, &gradient));
    TSNNI_OK(tsnn_gradient_add(gradient, setting.network, setting.loss, setting.dataset, NULL, SAMPLES, &value));
    TSNNI_OK(tsnn_gradient_norm(gradient, &own_norm));
    ck_assert_double_eq_tol(value, expected_loss, 1e-5 * (1.0 + expected_loss));
    ck_assert_double_eq_tol(own_norm, norm, 1e-5 * norm);
    for (int64_t l = 0; l < LAYERS; l++) {
        const tsnni_oracle_layer *layer = &oracle->layers[l];
        float *numbers = tsnni_test_array(layer->count + layer->outputs, sizeof *numbers);
        TSNNI_OK(tsnn_gradient_get(gradient, l, numbers, layer->count, numbers + layer->count, layer->outputs));
        for (int64_t k = 0; k < layer->count; k++)
            ck_assert_double_eq_tol(numbers[k], layer->gradient[k], 1e-5 * norm);
        for (int64_t j = 0; j < layer->outputs; j++)
            ck_assert_double_eq_tol(numbers[layer->count + j], layer->bias_gradient[j], 1e-5 * norm);
        free(numbers);
    }
    free(targets);
    tsnni_oracle_destroy(oracle);
    tsnn_gradient_destroy(&gradient);
    setting_free(&setting);
}
END_TEST

/* ---- the object ---- */

static gradient_setting paper_setting(void)
{
    static const difference_case given = {"", {12, 15, 9, 3}, {ALL_RELU, ALL_RELU, SOFTMAX}, .5, CE, 0, 0};
    gradient_setting setting = {.context = tsnni_test_context(TSNN_ISA_AUTO, 1, 9)};
    setting.loss = tsnni_test_loss(setting.context, CE, 0.0);
    setting.network = tsnni_test_network(setting.context, LAYERS, given.sizes, given.functions, given.density, 0.25);
    setting.dataset = tsnni_test_labelled(setting.context, 20, 12, 3, 4);
    return setting;
}

/* All numbers of a gradient in one array; *count tells how many. */
static float *gradient_numbers(const tsnn_gradient *gradient, tsnn_network *network, int64_t *count)
{
    tsnn_network_info size = tsnni_test_network_size(network);
    *count = size.connections + size.neurons;
    float *numbers = tsnni_test_array(*count, sizeof *numbers), *at = numbers;
    for (int64_t l = 0; l < size.layers; l++) {
        tsnn_layer_info layer = tsnni_test_layer_size(tsnni_test_layer_of(network, l));
        TSNNI_OK(tsnn_gradient_get(gradient, l, at, layer.connections, at + layer.connections, layer.outputs));
        at += layer.connections + layer.outputs;
    }
    return numbers;
}

START_TEST(a_new_gradient_is_zero_and_clear_makes_it_so_again)
{
    gradient_setting setting = paper_setting();
    tsnn_gradient *gradient = NULL;
    double norm = 1.0;
    TSNNI_OK(tsnn_gradient_create(setting.network, &gradient));
    TSNNI_OK(tsnn_gradient_norm(gradient, &norm));
    ck_assert_double_eq(norm, 0.0);
    TSNNI_OK(tsnn_gradient_add(gradient, setting.network, setting.loss, setting.dataset, NULL, 20, NULL));
    TSNNI_OK(tsnn_gradient_norm(gradient, &norm));
    ck_assert_double_gt(norm, 0.0);
    TSNNI_OK(tsnn_gradient_clear(gradient));
    TSNNI_OK(tsnn_gradient_norm(gradient, &norm));
    ck_assert_double_eq(norm, 0.0);
    tsnn_gradient_destroy(&gradient);
    setting_free(&setting);
}
END_TEST

START_TEST(add_adds_and_does_not_change_the_network)
{
    gradient_setting setting = paper_setting();
    tsnni_test_bytes before = {0}, after = {0};
    tsnni_test_bytes_add_network(&before, setting.network);
    tsnn_gradient *once = NULL, *twice = NULL;
    TSNNI_OK(tsnn_gradient_create(setting.network, &once));
    TSNNI_OK(tsnn_gradient_create(setting.network, &twice));
    TSNNI_OK(tsnn_gradient_add(once, setting.network, setting.loss, setting.dataset, NULL, 20, NULL));
    TSNNI_OK(tsnn_gradient_add(twice, setting.network, setting.loss, setting.dataset, NULL, 20, NULL));
    TSNNI_OK(tsnn_gradient_add(twice, setting.network, setting.loss, setting.dataset, NULL, 20, NULL));
    int64_t count;
    float *first = gradient_numbers(once, setting.network, &count);
    float *second = gradient_numbers(twice, setting.network, &count);
    for (int64_t k = 0; k < count; k++)
        ck_assert_float_eq_tol(second[k], 2.0f * first[k], 1e-6f);
    tsnni_test_bytes_add_network(&after, setting.network);
    ck_assert(tsnni_test_bytes_equal(&before, &after));
    tsnni_test_bytes_free(&before);
    tsnni_test_bytes_free(&after);
    free(first);
    free(second);
    tsnn_gradient_destroy(&once);
    tsnn_gradient_destroy(&twice);
    setting_free(&setting);
}
END_TEST

/* The mean over 20 samples is 13/20 of the mean of 13 and 7/20 of the mean of the other 7. */
START_TEST(parts_of_a_batch_add_up_to_the_whole)
{
    gradient_setting setting = paper_setting();
    static const int64_t part[] = {19, 3, 0, 7, 11, 2, 5}, rest[] = {1, 4, 6, 8, 9, 10, 12, 13, 14, 15, 16, 17, 18};
    tsnn_gradient *whole = NULL, *small = NULL, *large = NULL;
    double values[3], norm = 0.0;
    TSNNI_OK(tsnn_gradient_create(setting.network, &whole));
    TSNNI_OK(tsnn_gradient_create(setting.network, &small));
    TSNNI_OK(tsnn_gradient_create(setting.network, &large));
    TSNNI_OK(tsnn_gradient_add(whole, setting.network, setting.loss, setting.dataset, NULL, 20, &values[0]));
    TSNNI_OK(tsnn_gradient_add(small, setting.network, setting.loss, setting.dataset, part, 7, &values[1]));
    TSNNI_OK(tsnn_gradient_add(large, setting.network, setting.loss, setting.dataset, rest, 13, &values[2]));
    TSNNI_OK(tsnn_gradient_scale(small, 7.0 / 20.0));
    TSNNI_OK(tsnn_gradient_scale(large, 13.0 / 20.0));
    ck_assert_double_eq_tol(values[0], (7.0 * values[1] + 13.0 * values[2]) / 20.0, 1e-6);
    TSNNI_OK(tsnn_gradient_norm(whole, &norm));
    int64_t count;
    float *a = gradient_numbers(whole, setting.network, &count), *b = gradient_numbers(small, setting.network, &count);
    float *c = gradient_numbers(large, setting.network, &count);
    for (int64_t k = 0; k < count; k++)
        ck_assert_double_eq_tol(a[k], (double)b[k] + (double)c[k], 1e-6 * norm);
    free(a);
    free(b);
    free(c);
    tsnn_gradient_destroy(&whole);
    tsnn_gradient_destroy(&small);
    tsnn_gradient_destroy(&large);
    setting_free(&setting);
}
END_TEST

START_TEST(the_norm_is_over_all_numbers_and_scales)
{
    gradient_setting setting = paper_setting();
    tsnn_gradient *gradient = NULL;
    TSNNI_OK(tsnn_gradient_create(setting.network, &gradient));
    TSNNI_OK(tsnn_gradient_add(gradient, setting.network, setting.loss, setting.dataset, NULL, 20, NULL));
    int64_t count;
    float *numbers = gradient_numbers(gradient, setting.network, &count);
    double sum = 0.0, norm = 0.0;
    for (int64_t k = 0; k < count; k++)
        sum += (double)numbers[k] * (double)numbers[k];
    TSNNI_OK(tsnn_gradient_norm(gradient, &norm));
    ck_assert_double_eq_tol(norm, sqrt(sum), 1e-6 * norm);
    TSNNI_OK(tsnn_gradient_scale(gradient, -2.5));
    float *scaled = gradient_numbers(gradient, setting.network, &count);
    for (int64_t k = 0; k < count; k++)
        ck_assert_float_eq_tol(scaled[k], -2.5f * numbers[k], 1e-6f * (float)norm);
    TSNNI_OK(tsnn_gradient_scale(gradient, 0.0));
    TSNNI_OK(tsnn_gradient_norm(gradient, &norm));
    ck_assert_double_eq(norm, 0.0);
    free(numbers);
    free(scaled);
    tsnn_gradient_destroy(&gradient);
    setting_free(&setting);
}
END_TEST

START_TEST(a_step_by_hand_is_a_step_of_the_trainer)
{
    gradient_setting setting = paper_setting();
    static const int32_t kinds[] = {TSNN_OPTIMIZER_SGD, TSNN_OPTIMIZER_MOMENTUM, TSNN_OPTIMIZER_NESTEROV};
    for (size_t kind = 0; kind < 3; kind++) {
        static const int64_t sizes[] = {12, 15, 9, 3};
        static const tsnni_test_function functions[] = {ALL_RELU, ALL_RELU, SOFTMAX};
        tsnn_network *network = tsnni_test_network(setting.context, LAYERS, sizes, functions, .5, 0.0), *copy = NULL;
        TSNNI_OK(tsnn_network_copy(network, &copy));
        tsnn_optimizer *optimizer = tsnni_test_optimizer(setting.context, kinds[kind], .1, .01,
                                                         kind == 1 ? TSNN_DECAY_L2 : TSNN_DECAY_DECOUPLED);
        tsnn_trainer_options options = TSNN_TRAINER_OPTIONS_INIT;
        options.network = network;
        options.loss = setting.loss;
        options.optimizer = optimizer;
        options.batch = 20;
        tsnn_trainer *trainer = NULL;
        tsnn_gradient *gradient = NULL;
        TSNNI_OK(tsnn_trainer_create(setting.context, &options, &trainer));
        TSNNI_OK(tsnn_gradient_create(copy, &gradient));
        for (int step = 0; step < 3; step++) {
            double loss[2];
            TSNNI_OK(tsnn_trainer_step(trainer, setting.dataset, NULL, 20, .5, &loss[0]));
            TSNNI_OK(tsnn_gradient_clear(gradient));
            TSNNI_OK(tsnn_gradient_add(gradient, copy, setting.loss, setting.dataset, NULL, 20, &loss[1]));
            TSNNI_OK(tsnn_optimizer_apply(optimizer, copy, gradient, .5));
            ck_assert_double_eq_tol(loss[0], loss[1], 1e-6);
        }
        tsnni_oracle *expected = tsnni_oracle_create(network, functions, 1);
        tsnni_oracle_expect(expected, copy, 1e-5);
        tsnni_oracle_destroy(expected);
        tsnn_gradient_destroy(&gradient);
        tsnn_trainer_destroy(&trainer);
        tsnn_optimizer_destroy(&optimizer);
        tsnn_network_destroy(&network);
        tsnn_network_destroy(&copy);
    }
    setting_free(&setting);
}
END_TEST

START_TEST(a_gradient_of_another_topology_is_refused)
{
    gradient_setting setting = paper_setting();
    tsnn_gradient *gradient = NULL;
    tsnn_optimizer *optimizer = tsnni_test_optimizer(setting.context, TSNN_OPTIMIZER_SGD, .1, 0.0, 0);
    TSNNI_OK(tsnn_gradient_create(setting.network, &gradient));
    tsnn_evolution *evolution = NULL;
    TSNNI_OK(tsnn_evolution_create(setting.context, NULL, &evolution));
    int64_t replaced = 0;
    TSNNI_OK(tsnn_evolution_apply(evolution, setting.network, 1, &replaced));
    ck_assert_int_gt(replaced, 0);
    tsnni_test_bytes before = {0}, after = {0};
    tsnni_test_bytes_add_network(&before, setting.network);
    TSNNI_REFUSED(setting.context, TSNN_ERROR_STATE,
                  tsnn_gradient_add(gradient, setting.network, setting.loss, setting.dataset, NULL, 20, NULL));
    TSNNI_REFUSED(setting.context, TSNN_ERROR_STATE, tsnn_optimizer_apply(optimizer, setting.network, gradient, 1.0));
    tsnni_test_bytes_add_network(&after, setting.network);
    ck_assert(tsnni_test_bytes_equal(&before, &after));
    /* a new one works */
    tsnn_gradient_destroy(&gradient);
    TSNNI_OK(tsnn_gradient_create(setting.network, &gradient));
    TSNNI_OK(tsnn_gradient_add(gradient, setting.network, setting.loss, setting.dataset, NULL, 20, NULL));
    TSNNI_OK(tsnn_optimizer_apply(optimizer, setting.network, gradient, 1.0));
    /* so does a network of other layers, or fewer */
    static const int64_t sizes[] = {12, 15, 3};
    static const tsnni_test_function functions[] = {ALL_RELU, SOFTMAX};
    tsnn_network *other = tsnni_test_network(setting.context, 2, sizes, functions, .5, 0.0);
    TSNNI_REFUSED(setting.context, TSNN_ERROR_STATE,
                  tsnn_gradient_add(gradient, other, setting.loss, setting.dataset, NULL, 20, NULL));
    TSNNI_REFUSED(setting.context, TSNN_ERROR_STATE, tsnn_optimizer_apply(optimizer, other, gradient, 1.0));
    tsnni_test_bytes_free(&before);
    tsnni_test_bytes_free(&after);
    tsnn_network_destroy(&other);
    tsnn_evolution_destroy(&evolution);
    tsnn_gradient_destroy(&gradient);
    tsnn_optimizer_destroy(&optimizer);
    setting_free(&setting);
}
END_TEST

START_TEST(frozen_layers_stay_when_a_gradient_is_applied)
{
    gradient_setting setting = paper_setting();
    tsnn_gradient *gradient = NULL;
    tsnn_optimizer *optimizer = tsnni_test_optimizer(setting.context, TSNN_OPTIMIZER_MOMENTUM, .1, .01, 0);
    TSNNI_OK(tsnn_gradient_create(setting.network, &gradient));
    TSNNI_OK(tsnn_gradient_add(gradient, setting.network, setting.loss, setting.dataset, NULL, 20, NULL));
    TSNNI_OK(tsnn_layer_freeze(tsnni_test_layer_of(setting.network, 1), 1));
    tsnni_test_bytes before[LAYERS] = {{0}}, after[LAYERS] = {{0}};
    for (int64_t l = 0; l < LAYERS; l++)
        tsnni_test_bytes_add_layer(&before[l], tsnni_test_layer_of(setting.network, l));
    TSNNI_OK(tsnn_optimizer_apply(optimizer, setting.network, gradient, 1.0));
    for (int64_t l = 0; l < LAYERS; l++) {
        tsnni_test_bytes_add_layer(&after[l], tsnni_test_layer_of(setting.network, l));
        ck_assert_int_eq(tsnni_test_bytes_equal(&before[l], &after[l]), l == 1);
        tsnni_test_bytes_free(&before[l]);
        tsnni_test_bytes_free(&after[l]);
    }
    tsnn_gradient_destroy(&gradient);
    tsnn_optimizer_destroy(&optimizer);
    setting_free(&setting);
}
END_TEST

START_TEST(small_gradient_buffers_are_refused)
{
    gradient_setting setting = paper_setting();
    tsnn_gradient *gradient = NULL;
    TSNNI_OK(tsnn_gradient_create(setting.network, &gradient));
    int64_t count = tsnni_test_layer_size(tsnni_test_layer_of(setting.network, 0)).connections;
    float *weights = tsnni_test_array(count + 1, sizeof *weights), bias[16];
    weights[count] = 7.0f;
    bias[15] = 7.0f;
    TSNNI_REFUSED(setting.context, TSNN_ERROR_BUFFER_TOO_SMALL,
                  tsnn_gradient_get(gradient, 0, weights, count - 1, NULL, 0));
    TSNNI_REFUSED(setting.context, TSNN_ERROR_BUFFER_TOO_SMALL, tsnn_gradient_get(gradient, 0, NULL, 0, bias, 14));
    TSNNI_OK(tsnn_gradient_get(gradient, 0, NULL, 0, NULL, 0));
    TSNNI_OK(tsnn_gradient_get(gradient, 0, weights, count, bias, 15));
    ck_assert_float_eq(weights[count], 7.0f);
    ck_assert_float_eq(bias[15], 7.0f);
    free(weights);
    tsnn_gradient_destroy(&gradient);
    setting_free(&setting);
}
END_TEST

Suite *tsnni_suite_gradient(void)
{
    Suite *suite = suite_create("gradient");
    TCase *differences = tcase_create("differences");
    tcase_set_timeout(differences, 60);
    tcase_add_loop_test(differences, gradients_are_central_differences, 0, CASE_COUNT);
    tcase_add_loop_test(differences, gradients_are_the_oracle_s, 0, CASE_COUNT);
    suite_add_tcase(suite, differences);
    TCase *object = tcase_create("object");
    tcase_add_test(object, a_new_gradient_is_zero_and_clear_makes_it_so_again);
    tcase_add_test(object, add_adds_and_does_not_change_the_network);
    tcase_add_test(object, parts_of_a_batch_add_up_to_the_whole);
    tcase_add_test(object, the_norm_is_over_all_numbers_and_scales);
    tcase_add_test(object, a_step_by_hand_is_a_step_of_the_trainer);
    tcase_add_test(object, a_gradient_of_another_topology_is_refused);
    tcase_add_test(object, frozen_layers_stay_when_a_gradient_is_applied);
    tcase_add_test(object, small_gradient_buffers_are_refused);
    suite_add_tcase(suite, object);
    return suite;
}
