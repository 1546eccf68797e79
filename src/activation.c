/* Activation functions and their derivatives, element by element. A pass takes all but the custom ones from the
 * kernels. */
#include "activation.h"

#include <fenv.h>
#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "context.h"

#define TSNNI_DEFAULT_LEAKY_ALPHA 0.01
#define TSNNI_DEFAULT_ALL_RELU_ALPHA 0.6
#define TSNNI_LARGEST_ALPHA 1000.0

tsnn_status tsnn_activation_options_init(tsnn_activation_options *options)
{
    if (options == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    *options = (tsnn_activation_options)TSNN_ACTIVATION_OPTIONS_INIT;
    return TSNN_OK;
}

const char *tsnni_activation_name(int32_t kind)
{
    static const char *const names[] = {"identity", "ReLU", "leaky ReLU", "All-ReLU",
                                        "sigmoid",  "tanh", "softmax",    "custom"};
    return kind >= TSNN_ACTIVATION_IDENTITY && kind <= TSNN_ACTIVATION_CUSTOM ? names[kind] : "unknown";
}

static double default_alpha(int32_t kind)
{
    return kind == TSNN_ACTIVATION_LEAKY_RELU ? TSNNI_DEFAULT_LEAKY_ALPHA
           : kind == TSNN_ACTIVATION_ALL_RELU ? TSNNI_DEFAULT_ALL_RELU_ALPHA
                                              : 0.0;
}

tsnn_status tsnn_activation_create(tsnn_context *context, const tsnn_activation_options *options, tsnn_activation **out)
{
    if (out == NULL)
        return tsnni_null_argument(context, "out");
    *out = NULL;
    if (context == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *runtime = &context->runtime;
    tsnn_activation_options given;
    tsnn_activation *activation = NULL;
    tsnn_status status;
    TSNNI_TRY(tsnni_options_read(runtime, options, &given, sizeof given, "tsnn_activation_options"));
    if (given.kind < TSNN_ACTIVATION_IDENTITY || given.kind > TSNN_ACTIVATION_CUSTOM)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "activation kind %d is unknown", (int)given.kind);
    if (!isfinite(given.alpha) || fabs(given.alpha) > TSNNI_LARGEST_ALPHA)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "alpha is %g; it must be within -%g..%g", given.alpha,
                   TSNNI_LARGEST_ALPHA, TSNNI_LARGEST_ALPHA);
    if (given.alpha != 0.0 && given.kind != TSNN_ACTIVATION_LEAKY_RELU && given.kind != TSNN_ACTIVATION_ALL_RELU)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "alpha is %g; only leaky ReLU and All-ReLU have one, not %s",
                   given.alpha, tsnni_activation_name(given.kind));
    if (given.kind != TSNN_ACTIVATION_CUSTOM && (given.function != NULL || given.derivative != NULL))
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "a %s of the caller's is given, but the activation is %s",
                   given.function != NULL ? "function" : "derivative", tsnni_activation_name(given.kind));
    if (given.kind == TSNN_ACTIVATION_CUSTOM && (given.function == NULL || given.derivative == NULL))
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "a custom activation needs a function and its derivative");

    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, 1, &activation));
    activation->context = context;
    activation->rule.kind = given.kind;
    activation->rule.alpha = (float)(given.alpha != 0.0 ? given.alpha : default_alpha(given.kind));
    if (given.kind == TSNN_ACTIVATION_CUSTOM) {
        activation->rule.function = given.function;
        activation->rule.derivative = given.derivative;
        activation->rule.user = given.user;
    }
    *out = activation;
    return TSNN_OK;
fail:
    return status;
}

void tsnn_activation_destroy(tsnn_activation **activation)
{
    if (activation == NULL || *activation == NULL)
        return;
    tsnni_release(&(*activation)->context->runtime, *activation);
    *activation = NULL;
}

int32_t tsnni_activation_is_slope(const tsnni_activation_rule *rule)
{
    return rule->kind <= TSNN_ACTIVATION_ALL_RELU;
}

float tsnni_activation_slope(const tsnni_activation_rule *rule, int64_t hidden_index)
{
    switch (rule->kind) {
    case TSNN_ACTIVATION_RELU:
        return 0.0f;
    case TSNN_ACTIVATION_LEAKY_RELU:
        return rule->alpha;
    case TSNN_ACTIVATION_ALL_RELU:
        return hidden_index % 2 == 0 ? -rule->alpha : rule->alpha;
    default:
        return 1.0f;
    }
}

/* exp of a non-positive number only: never overflows. */
static float sigmoid(float z)
{
    float e = expf(-fabsf(z));
    return z < 0.0f ? e / (1.0f + e) : 1.0f / (1.0f + e);
}

void tsnni_activation_apply(const tsnni_activation_rule *rule, int64_t hidden_index, const float *z, float *a,
                            int64_t count)
{
    if (tsnni_activation_is_slope(rule)) {
        float slope = tsnni_activation_slope(rule, hidden_index);
        for (int64_t k = 0; k < count; k++)
            a[k] = z[k] < 0.0f ? slope * z[k] : z[k];
    } else if (rule->kind == TSNN_ACTIVATION_SIGMOID) {
        for (int64_t k = 0; k < count; k++)
            a[k] = sigmoid(z[k]);
    } else if (rule->kind == TSNN_ACTIVATION_TANH) {
        for (int64_t k = 0; k < count; k++)
            a[k] = tanhf(z[k]);
    } else if (rule->kind == TSNN_ACTIVATION_CUSTOM) {
        rule->function(rule->user, z, a, count);
    }
}

void tsnni_activation_differentiate(const tsnni_activation_rule *rule, int64_t hidden_index, const float *z,
                                    const float *a, float *derivative, int64_t count)
{
    if (tsnni_activation_is_slope(rule)) {
        float slope = tsnni_activation_slope(rule, hidden_index);
        for (int64_t k = 0; k < count; k++)
            derivative[k] = z[k] < 0.0f ? slope : 1.0f;
    } else if (rule->kind == TSNN_ACTIVATION_SIGMOID) {
        for (int64_t k = 0; k < count; k++)
            derivative[k] = a[k] * (1.0f - a[k]);
    } else if (rule->kind == TSNN_ACTIVATION_TANH) {
        for (int64_t k = 0; k < count; k++)
            derivative[k] = 1.0f - a[k] * a[k];
    } else if (rule->kind == TSNN_ACTIVATION_CUSTOM) {
        rule->derivative(rule->user, z, a, derivative, count);
    }
}

tsnn_status tsnn_activation_evaluate(const tsnn_activation *activation, int64_t hidden_index, const float *z, float *a,
                                     float *derivative, int64_t count)
{
    if (activation == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *runtime = &activation->context->runtime;
    if (count < 0 || hidden_index < 0)
        return tsnni_fail(runtime, TSNN_ERROR_INVALID_ARGUMENT, "count is %lld, hidden_index %lld; neither may be < 0",
                          (long long)count, (long long)hidden_index);
    if (activation->rule.kind == TSNN_ACTIVATION_SOFTMAX)
        return tsnni_fail(runtime, TSNN_ERROR_UNSUPPORTED, "softmax is not a function of one number");
    if (count == 0)
        return TSNN_OK;
    if (z == NULL || a == NULL)
        return tsnni_fail(runtime, TSNN_ERROR_NULL_ARGUMENT, "%s is NULL", z == NULL ? "z" : "a");
    if (a == z && (derivative != NULL || activation->rule.kind == TSNN_ACTIVATION_CUSTOM))
        return tsnni_fail(runtime, TSNN_ERROR_INVALID_ARGUMENT, "z and a are one array, but both are needed");
    fenv_t environment; /* the caller's function may change it */
    fegetenv(&environment);
    tsnni_activation_apply(&activation->rule, hidden_index, z, a, count);
    if (derivative != NULL)
        tsnni_activation_differentiate(&activation->rule, hidden_index, z, a, derivative, count);
    fesetenv(&environment);
    return TSNN_OK;
}
