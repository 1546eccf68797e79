/* The double-precision oracle. */
#include "oracle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Momentum is a sum of gradients, which cancel where weights do not: its relative error is larger. */
#define MOMENTUM_FACTOR 10.0

static void read_layer(tsnni_oracle_layer *to, const tsnn_layer *layer, int64_t room)
{
    tsnn_layer_info info = tsnni_test_layer_size(layer);
    int64_t count = info.connections, outputs = info.outputs;
    to->inputs = info.inputs;
    to->outputs = outputs;
    to->count = count;
    to->frozen = info.frozen;
    to->row = tsnni_test_array(count, sizeof *to->row);
    to->column = tsnni_test_array(count, sizeof *to->column);
    to->weight = tsnni_test_array(3 * count, sizeof(double));
    to->velocity = to->weight + count;
    to->gradient = to->velocity + count;
    to->bias = tsnni_test_array(3 * outputs, sizeof(double));
    to->bias_velocity = to->bias + outputs;
    to->bias_gradient = to->bias_velocity + outputs;
    to->z = tsnni_test_array(3 * room * outputs, sizeof(double));
    to->a = to->z + room * outputs;
    to->delta = to->a + room * outputs;

    float *numbers = tsnni_test_array(count + outputs, sizeof *numbers);
    TSNNI_OK(tsnn_layer_get_coo(layer, to->row, to->column, numbers, count));
    TSNNI_OK(tsnn_layer_get_bias(layer, numbers + count, outputs));
    for (int64_t k = 0; k < count; k++)
        to->weight[k] = numbers[k];
    for (int64_t j = 0; j < outputs; j++)
        to->bias[j] = numbers[count + j];
    TSNNI_OK(tsnn_layer_get_velocity(layer, numbers, count, numbers + count, outputs));
    for (int64_t k = 0; k < count; k++)
        to->velocity[k] = numbers[k];
    for (int64_t j = 0; j < outputs; j++)
        to->bias_velocity[j] = numbers[count + j];
    free(numbers);
}

tsnni_oracle *tsnni_oracle_create(tsnn_network *network, const tsnni_test_function *functions, int64_t room)
{
    tsnn_network_info info = tsnni_test_network_size(network);
    tsnni_oracle *oracle = tsnni_test_array(1, sizeof *oracle);
    oracle->count = info.layers;
    oracle->room = room;
    oracle->layers = tsnni_test_array(info.layers, sizeof *oracle->layers);
    oracle->x = tsnni_test_array(room * info.inputs, sizeof *oracle->x);
    for (int64_t l = 0; l < info.layers; l++) {
        read_layer(&oracle->layers[l], tsnni_test_layer_of(network, l), room);
        oracle->layers[l].function = functions[l];
    }
    return oracle;
}

void tsnni_oracle_set_standardizer(tsnni_oracle *oracle, const tsnn_standardizer *standardizer)
{
    int64_t features = oracle->layers[0].inputs;
    float *numbers = tsnni_test_array(2 * features, sizeof *numbers);
    TSNNI_OK(tsnn_standardizer_get(standardizer, numbers, numbers + features, features, NULL));
    oracle->mean = tsnni_test_array(features, sizeof(double));
    oracle->deviation = tsnni_test_array(features, sizeof(double));
    for (int64_t f = 0; f < features; f++) {
        oracle->mean[f] = numbers[f];
        oracle->deviation[f] = numbers[features + f];
    }
    free(numbers);
}

void tsnni_oracle_destroy(tsnni_oracle *oracle)
{
    for (int64_t l = 0; l < oracle->count; l++) {
        free(oracle->layers[l].row);
        free(oracle->layers[l].column);
        free(oracle->layers[l].weight);
        free(oracle->layers[l].bias);
        free(oracle->layers[l].z);
    }
    free(oracle->layers);
    free(oracle->mean);
    free(oracle->deviation);
    free(oracle->x);
    free(oracle);
}

/* ---- activations ---- */

static double slope(tsnni_test_function function, int64_t place)
{
    switch (function.kind) {
    case TSNN_ACTIVATION_RELU:
        return 0.0;
    case TSNN_ACTIVATION_LEAKY_RELU:
        return function.alpha != 0.0 ? function.alpha : 0.01;
    case TSNN_ACTIVATION_ALL_RELU:
        return (place % 2 == 0 ? -1.0 : 1.0) * (function.alpha != 0.0 ? function.alpha : 0.6);
    default:
        return 1.0;
    }
}

double tsnni_oracle_activate(tsnni_test_function function, int64_t place, double z)
{
    switch (function.kind) {
    case TSNN_ACTIVATION_SIGMOID:
        return 1.0 / (1.0 + exp(-z));
    case TSNN_ACTIVATION_TANH:
        return tanh(z);
    case TSNN_ACTIVATION_CUSTOM:
        return z / (1.0 + fabs(z));
    default:
        return z < 0.0 ? slope(function, place) * z : z;
    }
}

double tsnni_oracle_differentiate(tsnni_test_function function, int64_t place, double z)
{
    double a = tsnni_oracle_activate(function, place, z);
    switch (function.kind) {
    case TSNN_ACTIVATION_SIGMOID:
        return a * (1.0 - a);
    case TSNN_ACTIVATION_TANH:
        return 1.0 - a * a;
    case TSNN_ACTIVATION_CUSTOM:
        return 1.0 / ((1.0 + fabs(z)) * (1.0 + fabs(z)));
    default:
        return z < 0.0 ? slope(function, place) : 1.0;
    }
}

static void softmax(const double *z, double *a, int64_t count)
{
    double largest = z[0], sum = 0.0;
    for (int64_t j = 1; j < count; j++)
        largest = fmax(largest, z[j]);
    for (int64_t j = 0; j < count; j++)
        sum += a[j] = exp(z[j] - largest);
    for (int64_t j = 0; j < count; j++)
        a[j] /= sum;
}

/* delta holds dL/da of one sample and becomes dL/dz. */
static void through_activation(const tsnni_oracle_layer *layer, int64_t place, const double *z, const double *a,
                               double *delta)
{
    if (layer->function.kind == TSNN_ACTIVATION_SOFTMAX) {
        double inner = 0.0;
        for (int64_t j = 0; j < layer->outputs; j++)
            inner += a[j] * delta[j];
        for (int64_t j = 0; j < layer->outputs; j++)
            delta[j] = a[j] * (delta[j] - inner);
    } else {
        for (int64_t j = 0; j < layer->outputs; j++)
            delta[j] *= tsnni_oracle_differentiate(layer->function, place, z[j]);
    }
}

/* ---- forward ---- */

const double *tsnni_oracle_forward(tsnni_oracle *oracle, const float *x, int64_t samples)
{
    int64_t features = oracle->layers[0].inputs;
    ck_assert_int_le(samples, oracle->room);
    for (int64_t n = 0; n < samples; n++)
        for (int64_t f = 0; f < features; f++) {
            double value = x[n * features + f];
            oracle->x[n * features + f] =
                oracle->mean != NULL ? (value - oracle->mean[f]) / oracle->deviation[f] : value;
        }
    const double *before = oracle->x;
    for (int64_t l = 0; l < oracle->count; l++) {
        tsnni_oracle_layer *layer = &oracle->layers[l];
        for (int64_t n = 0; n < samples; n++) {
            double *z = layer->z + n * layer->outputs, *a = layer->a + n * layer->outputs;
            memcpy(z, layer->bias, (size_t)layer->outputs * sizeof *z);
            for (int64_t k = 0; k < layer->count; k++)
                z[layer->column[k]] += before[n * layer->inputs + layer->row[k]] * layer->weight[k];
            if (layer->function.kind == TSNN_ACTIVATION_SOFTMAX)
                softmax(z, a, layer->outputs);
            else
                for (int64_t j = 0; j < layer->outputs; j++)
                    a[j] = tsnni_oracle_activate(layer->function, l, z[j]);
        }
        before = layer->a;
    }
    return before;
}

/* ---- losses ---- */

double *tsnni_oracle_targets(const tsnn_dataset *dataset, int64_t outputs)
{
    tsnn_dataset_info info = TSNN_DATASET_INFO_INIT;
    TSNNI_OK(tsnn_dataset_get_info(dataset, &info));
    double *targets = tsnni_test_array(info.samples * outputs, sizeof *targets);
    for (int64_t n = 0; n < info.samples; n++) {
        if (info.labels == NULL)
            for (int64_t k = 0; k < outputs; k++)
                targets[n * outputs + k] = info.targets[n * outputs + k];
        else if (outputs == 1)
            targets[n] = info.labels[n];
        else
            targets[n * outputs + info.labels[n]] = 1.0;
    }
    return targets;
}

void tsnni_oracle_smooth(double *targets, int64_t samples, int64_t count, double smoothing)
{
    for (int64_t k = 0; k < samples * count; k++)
        targets[k] = (1.0 - smoothing) * targets[k] + smoothing / (double)count;
}

double tsnni_oracle_loss(int32_t loss, const double *outputs, const double *targets, int64_t samples, int64_t count)
{
    double sum = 0.0;
    for (int64_t k = 0; k < samples * count; k++) {
        double a = outputs[k], y = targets[k];
        if (loss == TSNN_LOSS_CROSS_ENTROPY)
            sum -= y > 0.0 ? y * log(a) : 0.0;
        else if (loss == TSNN_LOSS_MEAN_SQUARED_ERROR)
            sum += (a - y) * (a - y) / (double)count;
        else
            sum -= ((y > 0.0 ? y * log(a) : 0.0) + (y < 1.0 ? (1.0 - y) * log(1.0 - a) : 0.0)) / (double)count;
    }
    return sum / (double)samples;
}

/* dL/da of the mean over the samples. */
static void loss_derivative(int32_t loss, const double *outputs, const double *targets, int64_t samples, int64_t count,
                            double *delta)
{
    for (int64_t k = 0; k < samples * count; k++) {
        double a = outputs[k], y = targets[k];
        if (loss == TSNN_LOSS_CROSS_ENTROPY)
            delta[k] = -y / a;
        else if (loss == TSNN_LOSS_MEAN_SQUARED_ERROR)
            delta[k] = 2.0 * (a - y) / (double)count;
        else
            delta[k] = (-y / a + (1.0 - y) / (1.0 - a)) / (double)count;
        delta[k] /= (double)samples;
    }
}

/* ---- backward ---- */

/* Gradients of one layer from its delta = dL/dz, and dL/da of the layer before when `below` is not NULL. */
static void layer_backward(tsnni_oracle_layer *layer, const double *x, int64_t samples, double *below)
{
    memset(layer->gradient, 0, (size_t)layer->count * sizeof *layer->gradient);
    memset(layer->bias_gradient, 0, (size_t)layer->outputs * sizeof *layer->bias_gradient);
    if (below != NULL)
        memset(below, 0, (size_t)(samples * layer->inputs) * sizeof *below);
    for (int64_t n = 0; n < samples; n++) {
        const double *delta = layer->delta + n * layer->outputs;
        for (int64_t j = 0; j < layer->outputs; j++)
            layer->bias_gradient[j] += delta[j];
        for (int64_t k = 0; k < layer->count; k++) {
            int32_t i = layer->row[k], j = layer->column[k];
            layer->gradient[k] += x[n * layer->inputs + i] * delta[j];
            if (below != NULL)
                below[n * layer->inputs + i] += layer->weight[k] * delta[j];
        }
    }
}

double tsnni_oracle_gradient(tsnni_oracle *oracle, int32_t loss, const float *x, const double *targets, int64_t samples)
{
    tsnni_oracle_layer *last = &oracle->layers[oracle->count - 1];
    const double *outputs = tsnni_oracle_forward(oracle, x, samples);
    loss_derivative(loss, outputs, targets, samples, last->outputs, last->delta);
    for (int64_t l = oracle->count - 1; l >= 0; l--) {
        tsnni_oracle_layer *layer = &oracle->layers[l];
        for (int64_t n = 0; n < samples; n++)
            through_activation(layer, l, layer->z + n * layer->outputs, layer->a + n * layer->outputs,
                               layer->delta + n * layer->outputs);
        layer_backward(layer, l > 0 ? oracle->layers[l - 1].a : oracle->x, samples,
                       l > 0 ? oracle->layers[l - 1].delta : NULL);
    }
    return tsnni_oracle_loss(loss, outputs, targets, samples, last->outputs);
}

/* ---- update ---- */

double tsnni_oracle_norm(const tsnni_oracle *oracle)
{
    double sum = 0.0;
    for (int64_t l = 0; l < oracle->count; l++) {
        const tsnni_oracle_layer *layer = &oracle->layers[l];
        for (int64_t k = 0; k < layer->count; k++)
            sum += layer->gradient[k] * layer->gradient[k];
        for (int64_t j = 0; j < layer->outputs; j++)
            sum += layer->bias_gradient[j] * layer->bias_gradient[j];
    }
    return sqrt(sum);
}

static void update_one(double *weight, double *velocity, double gradient, const tsnni_oracle_rule *rule, double rate)
{
    double old = *weight, momentum = rule->kind == TSNN_OPTIMIZER_SGD ? 0.0 : rule->momentum;
    double g = gradient + (rule->decay_kind == TSNN_DECAY_L2 ? rule->decay * old : 0.0);
    double v = momentum * *velocity - rate * g;
    *weight = old + (rule->kind == TSNN_OPTIMIZER_NESTEROV ? momentum * v - rate * g : v);
    *velocity = rule->kind == TSNN_OPTIMIZER_SGD ? 0.0 : v;
    if (rule->decay_kind == TSNN_DECAY_DECOUPLED)
        *weight -= rule->decay * old;
}

void tsnni_oracle_update(tsnni_oracle *oracle, const tsnni_oracle_rule *rule, double rate_factor)
{
    double norm = tsnni_oracle_norm(oracle);
    double scale = rule->clip_norm > 0.0 && norm > rule->clip_norm ? rule->clip_norm / norm : 1.0;
    for (int64_t l = 0; l < oracle->count; l++) {
        tsnni_oracle_layer *layer = &oracle->layers[l];
        if (layer->frozen)
            continue;
        for (int64_t k = 0; k < layer->count; k++)
            update_one(&layer->weight[k], &layer->velocity[k], scale * layer->gradient[k], rule,
                       rate_factor * rule->rate);
        for (int64_t j = 0; j < layer->outputs; j++)
            update_one(&layer->bias[j], &layer->bias_velocity[j], scale * layer->bias_gradient[j], rule,
                       rate_factor * rule->rate);
    }
}

/* ---- comparison ---- */

static void expect_near(const char *what, int64_t layer, const double *expected, const float *actual, int64_t count,
                        double tolerance)
{
    double size = 0.0;
    for (int64_t k = 0; k < count; k++)
        size += fabs(expected[k]) / (double)count;
    for (int64_t k = 0; k < count; k++)
        ck_assert_msg(fabs(actual[k] - expected[k]) <= tolerance * (fabs(expected[k]) + size),
                      "layer %d: %s %d is %.9g, the oracle has %.9g (mean size %.3g)", (int)layer, what, (int)k,
                      (double)actual[k], expected[k], size);
}

void tsnni_oracle_expect(const tsnni_oracle *oracle, tsnn_network *network, double tolerance)
{
    for (int64_t l = 0; l < oracle->count; l++) {
        const tsnni_oracle_layer *expected = &oracle->layers[l];
        const tsnn_layer *layer = tsnni_test_layer_of(network, l);
        int64_t count = expected->count, outputs = expected->outputs;
        float *numbers = tsnni_test_array(count + outputs, sizeof *numbers);
        TSNNI_OK(tsnn_layer_get_csr(layer, NULL, 0, NULL, numbers, count));
        TSNNI_OK(tsnn_layer_get_bias(layer, numbers + count, outputs));
        expect_near("weight", l, expected->weight, numbers, count, tolerance);
        expect_near("bias", l, expected->bias, numbers + count, outputs, tolerance);
        TSNNI_OK(tsnn_layer_get_velocity(layer, numbers, count, numbers + count, outputs));
        expect_near("momentum of weight", l, expected->velocity, numbers, count, MOMENTUM_FACTOR * tolerance);
        expect_near("momentum of bias", l, expected->bias_velocity, numbers + count, outputs,
                    MOMENTUM_FACTOR * tolerance);
        free(numbers);
    }
}
