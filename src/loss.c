/* Loss functions: values, derivatives, accuracy. A group of columns (samples) at a time, so that the bits do not depend
 * on the threads. */
#include "loss.h"

#include <float.h>
#include <math.h>

#include "core/memory.h"
#include "sparse/partition.h"

tsnn_status tsnn_loss_options_init(tsnn_loss_options *options)
{
    if (options == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    *options = (tsnn_loss_options)TSNN_LOSS_OPTIONS_INIT;
    return TSNN_OK;
}

tsnn_status tsnn_loss_create(tsnn_context *context, const tsnn_loss_options *options, tsnn_loss **out)
{
    if (out == NULL)
        return tsnni_null_argument(context, "out");
    *out = NULL;
    if (context == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *runtime = &context->runtime;
    tsnn_loss_options given;
    tsnn_status status;
    TSNNI_TRY(tsnni_options_read(runtime, options, &given, sizeof given, "tsnn_loss_options"));
    if (given.kind < TSNN_LOSS_CROSS_ENTROPY || given.kind > TSNN_LOSS_BINARY_CROSS_ENTROPY)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "loss kind %d is unknown", (int)given.kind);
    if (!(given.label_smoothing >= 0.0 && given.label_smoothing < 1.0))
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "label_smoothing is %g; it must be in [0, 1)",
                   given.label_smoothing);
    if (given.label_smoothing > 0.0 && given.kind != TSNN_LOSS_CROSS_ENTROPY)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "label_smoothing is for the cross-entropy only");
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, 1, out));
    (*out)->context = context;
    (*out)->kind = given.kind;
    (*out)->smoothing = (float)given.label_smoothing;
    return TSNN_OK;
fail:
    return status;
}

void tsnn_loss_destroy(tsnn_loss **loss)
{
    if (loss == NULL || *loss == NULL)
        return;
    tsnni_release(&(*loss)->context->runtime, *loss);
    *loss = NULL;
}

/* ---- what fits what ---- */

tsnn_status tsnni_loss_check_network(const tsnn_loss *loss, const tsnn_network *network)
{
    tsnni_runtime *runtime = &network->context->runtime;
    if (network->count == 0)
        return tsnni_fail(runtime, TSNN_ERROR_STATE, "the network has no layers");
    if (loss == NULL)
        return TSNN_OK;
    int32_t last = network->stages[network->count - 1].activation.kind;
    if (loss->kind == TSNN_LOSS_CROSS_ENTROPY && tsnni_network_outputs(network) < 2)
        return tsnni_fail(
            runtime, TSNN_ERROR_INVALID_ARGUMENT,
            "cross-entropy needs at least 2 outputs; a single one wants sigmoid and binary cross-entropy");
    if (loss->kind == TSNN_LOSS_CROSS_ENTROPY && last != TSNN_ACTIVATION_SOFTMAX)
        return tsnni_fail(runtime, TSNN_ERROR_INVALID_ARGUMENT,
                          "cross-entropy needs softmax as the last activation, not %s", tsnni_activation_name(last));
    if (loss->kind == TSNN_LOSS_BINARY_CROSS_ENTROPY && last != TSNN_ACTIVATION_SIGMOID)
        return tsnni_fail(runtime, TSNN_ERROR_INVALID_ARGUMENT,
                          "binary cross-entropy needs sigmoid as the last activation, not %s",
                          tsnni_activation_name(last));
    return TSNN_OK;
}

/* Targets of the cross-entropy are weights of classes, those of the binary one probabilities. */
static int32_t target_range_fits(int32_t kind, float least, float largest)
{
    return kind == TSNN_LOSS_MEAN_SQUARED_ERROR ||
           (least >= 0.0f && (kind == TSNN_LOSS_CROSS_ENTROPY || largest <= 1.0f));
}

tsnn_status tsnni_loss_check_dataset(const tsnn_loss *loss, const tsnn_network *network, const tsnn_dataset *dataset)
{
    tsnni_runtime *runtime = &network->context->runtime;
    int64_t inputs = tsnni_network_inputs(network), outputs = tsnni_network_outputs(network);
    int64_t classes = outputs == 1 ? 2 : outputs;
    if (dataset->features != inputs)
        return tsnni_fail(runtime, TSNN_ERROR_SHAPE, "a data set of %lld features for a network with %lld inputs",
                          (long long)dataset->features, (long long)inputs);
    if (dataset->labels != NULL && dataset->classes > classes)
        return tsnni_fail(runtime, TSNN_ERROR_SHAPE, "a data set of %lld classes for a network with %lld outputs",
                          (long long)dataset->classes, (long long)outputs);
    if (dataset->targets != NULL && dataset->target_size != outputs)
        return tsnni_fail(runtime, TSNN_ERROR_SHAPE, "a data set of %lld targets for a network with %lld outputs",
                          (long long)dataset->target_size, (long long)outputs);
    if (loss != NULL && dataset->targets != NULL &&
        !target_range_fits(loss->kind, dataset->least_target, dataset->largest_target))
        return tsnni_fail(runtime, TSNN_ERROR_INVALID_ARGUMENT, "targets from %g to %g do not suit %s",
                          (double)dataset->least_target, (double)dataset->largest_target,
                          loss->kind == TSNN_LOSS_CROSS_ENTROPY ? "cross-entropy: at least 0"
                                                                : "binary cross-entropy: 0 to 1");
    return TSNN_OK;
}

tsnni_truth tsnni_truth_of(const tsnn_dataset *dataset, const int64_t *index, int64_t first, int64_t count)
{
    tsnni_truth truth = {dataset->labels, dataset->targets, dataset->target_size, index, count};
    if (index == NULL && truth.labels != NULL)
        truth.labels += first;
    if (index == NULL && truth.targets != NULL)
        truth.targets += first * dataset->target_size;
    return truth;
}

/* ---- one number ---- */

/* y_k of a sample. */
static float truth_at(const tsnni_truth *truth, int64_t sample, int64_t k, int64_t outputs)
{
    if (truth->targets != NULL)
        return truth->targets[sample * truth->target_size + k];
    if (outputs == 1)
        return (float)truth->labels[sample];
    return truth->labels[sample] == k ? 1.0f : 0.0f;
}

/* log p, kept finite at p = 0; NaN stays NaN. */
static double safe_log(float p)
{
    return log(p < FLT_MIN ? (double)FLT_MIN : (double)p);
}

/* What output k adds to the loss of a sample with `outputs` outputs. */
static double loss_term(int32_t kind, float a, float y, int64_t outputs)
{
    switch (kind) {
    case TSNN_LOSS_CROSS_ENTROPY:
        return y == 0.0f && a == a ? 0.0 : -(double)y * safe_log(a);
    case TSNN_LOSS_MEAN_SQUARED_ERROR:
        return ((double)a - (double)y) * ((double)a - (double)y) / (double)outputs;
    default:
        return -((double)y * safe_log(a) + (1.0 - (double)y) * safe_log(1.0f - a)) / (double)outputs;
    }
}

/* ---- a batch ---- */

/* Nanoseconds an output, measured for the cross-entropy. */
#define LOSS_COST 3

typedef struct score_call {
    const tsnn_loss *loss;
    const tsnni_truth *truth;
    const float *outputs;
    float *delta; /* NULL: scores only */
    int64_t rows, stride;
    float factor; /* of the derivative: 1 / divisor */
    float smoothing;
    double *group_loss;
    int64_t *group_correct;
} score_call;

int32_t tsnni_predicted_class(const float *outputs, int64_t count, int64_t stride)
{
    if (count == 1)
        return outputs[0] >= 0.5f;
    int64_t best = 0;
    for (int64_t k = 1; k < count; k++)
        if (outputs[k * stride] > outputs[best * stride])
            best = k;
    return (int32_t)best;
}

/* A group of columns: neighbouring samples, so that loops over them become vectors. Surplus columns repeat a sample. */
typedef struct score_group {
    int64_t sample[TSNNI_COLUMN_GROUP];
    float total[TSNNI_COLUMN_GROUP];   /* the sum of y */
    float uniform[TSNNI_COLUMN_GROUP]; /* label smoothing: what each output gets */
} score_group;

static void truth_row(const score_call *call, const score_group *group, int64_t k, float *y)
{
    for (int c = 0; c < TSNNI_COLUMN_GROUP; c++)
        y[c] = truth_at(call->truth, group->sample[c], k, call->rows);
    for (int c = 0; call->smoothing > 0.0f && c < TSNNI_COLUMN_GROUP; c++)
        y[c] = (1.0f - call->smoothing) * y[c] + group->uniform[c];
}

/* For the cross-entropy with labels the sum of y is 1, otherwise its derivative is p sum(y) - y. */
static score_group group_of(const score_call *call, int64_t first, int64_t count)
{
    score_group group;
    for (int64_t c = 0; c < TSNNI_COLUMN_GROUP; c++) {
        int64_t column = first + (c < count ? c : 0);
        group.sample[c] = call->truth->index != NULL ? call->truth->index[column] : column;
        group.total[c] = 1.0f;
        group.uniform[c] = call->smoothing / (float)call->rows;
    }
    if (call->loss == NULL || call->loss->kind != TSNN_LOSS_CROSS_ENTROPY || call->truth->targets == NULL)
        return group;
    for (int64_t c = 0; c < TSNNI_COLUMN_GROUP; c++) {
        float total = 0.0f;
        for (int64_t k = 0; k < call->rows; k++)
            total += truth_at(call->truth, group.sample[c], k, call->rows);
        group.total[c] = total;
        group.uniform[c] *= total;
    }
    return group;
}

/* The derivative: by the pre-activation for both cross-entropies (p - y: softmax and sigmoid cancel), by the output for
 * the squared error. */
static void derivative_row(const score_call *call, const score_group *group, const float *a, const float *y,
                           float *delta)
{
    float factor = call->factor, outputs = (float)call->rows;
    switch (call->loss->kind) {
    case TSNN_LOSS_CROSS_ENTROPY:
        for (int c = 0; c < TSNNI_COLUMN_GROUP; c++)
            delta[c] = factor * (group->total[c] * a[c] - y[c]);
        break;
    case TSNN_LOSS_MEAN_SQUARED_ERROR:
        for (int c = 0; c < TSNNI_COLUMN_GROUP; c++)
            delta[c] = factor * (2.0f * (a[c] - y[c]) / outputs);
        break;
    default:
        for (int c = 0; c < TSNNI_COLUMN_GROUP; c++)
            delta[c] = factor * ((a[c] - y[c]) / outputs);
    }
}

/* The loss of the group's samples; their derivative goes to delta, with zeros in surplus columns. */
static double group_loss(const score_call *call, const score_group *group, int64_t first, int64_t count)
{
    double loss[TSNNI_COLUMN_GROUP] = {0.0}, sum = 0.0;
    for (int64_t k = 0; k < call->rows; k++) {
        const float *a = call->outputs + k * call->stride + first;
        float *delta = call->delta != NULL ? call->delta + k * call->stride + first : NULL;
        float y[TSNNI_COLUMN_GROUP];
        truth_row(call, group, k, y);
        for (int64_t c = 0; c < count; c++)
            loss[c] += loss_term(call->loss->kind, a[c], y[c], call->rows);
        if (delta == NULL)
            continue;
        derivative_row(call, group, a, y, delta);
        for (int64_t c = count; c < TSNNI_COLUMN_GROUP; c++)
            delta[c] = 0.0f;
    }
    for (int64_t c = 0; c < count; c++)
        sum += loss[c];
    return sum;
}

/* How many of the group's labels are what tsnni_predicted_class() says. */
static int64_t group_correct(const score_call *call, const score_group *group, int64_t first, int64_t count)
{
    float largest[TSNNI_COLUMN_GROUP];
    int32_t best[TSNNI_COLUMN_GROUP];
    int64_t correct = 0;
    for (int c = 0; c < TSNNI_COLUMN_GROUP; c++) {
        largest[c] = call->outputs[first + c];
        best[c] = call->rows == 1 && largest[c] >= 0.5f;
    }
    for (int64_t k = 1; k < call->rows; k++) {
        const float *a = call->outputs + k * call->stride + first;
        for (int c = 0; c < TSNNI_COLUMN_GROUP; c++) {
            best[c] = a[c] > largest[c] ? (int32_t)k : best[c];
            largest[c] = a[c] > largest[c] ? a[c] : largest[c];
        }
    }
    for (int64_t c = 0; c < count; c++)
        correct += best[c] == call->truth->labels[group->sample[c]];
    return correct;
}

static void score_groups(void *argument, int64_t begin, int64_t end)
{
    const score_call *call = argument;
    for (int64_t g = begin; g < end; g++) {
        int64_t first = g * TSNNI_COLUMN_GROUP, left = call->truth->count - first;
        int64_t count = left < TSNNI_COLUMN_GROUP ? left : TSNNI_COLUMN_GROUP;
        score_group group = group_of(call, first, count);
        call->group_loss[g] = call->loss != NULL ? group_loss(call, &group, first, count) : 0.0;
        call->group_correct[g] = call->truth->labels != NULL ? group_correct(call, &group, first, count) : 0;
    }
}

tsnni_score tsnni_loss_score(const tsnn_loss *loss, const tsnn_network *network, tsnni_workspace *workspace,
                             const tsnni_truth *truth, int64_t divisor, int32_t *delta_is_final)
{
    int64_t last = network->count - 1, groups = tsnni_width_for(truth->count) / TSNNI_COLUMN_GROUP;
    int32_t threads = network->context->runtime.threads;
    score_call call = {.loss = loss,
                       .truth = truth,
                       .outputs = workspace->output[last],
                       .delta = divisor > 0 ? workspace->delta[last % 2] : NULL,
                       .rows = tsnni_network_outputs(network),
                       .stride = workspace->stride,
                       .factor = divisor > 0 ? 1.0f / (float)divisor : 0.0f,
                       .smoothing = loss != NULL && divisor > 0 ? loss->smoothing : 0.0f,
                       .group_loss = workspace->group_loss,
                       .group_correct = workspace->group_correct};
    tsnni_parallel_items(threads, LOSS_COST * call.rows * truth->count, groups, score_groups, &call);
    tsnni_score score = {0.0, 0};
    for (int64_t group = 0; group < groups; group++) {
        score.loss += call.group_loss[group];
        score.correct += call.group_correct[group];
    }
    if (delta_is_final != NULL)
        *delta_is_final = loss != NULL && loss->kind != TSNN_LOSS_MEAN_SQUARED_ERROR;
    return score;
}

tsnn_status tsnn_loss_evaluate(const tsnn_loss *loss, const float *outputs, int64_t samples, int64_t count,
                               const int32_t *labels, const float *targets, double *value)
{
    if (loss == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *runtime = &loss->context->runtime;
    int64_t classes = count == 1 ? 2 : count, numbers;
    double sum = 0.0;
    tsnn_status status;
    if (value == NULL)
        TSNNI_FAIL(runtime, TSNN_ERROR_NULL_ARGUMENT, "value is NULL");
    if (samples < 0 || count < 1 || tsnni_multiply(samples, count, &numbers) < 0)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "%lld samples of %lld outputs", (long long)samples,
                   (long long)count);
    if (loss->kind == TSNN_LOSS_CROSS_ENTROPY && count < 2)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "cross-entropy needs at least 2 outputs, not %lld",
                   (long long)count);
    if (samples > 0 && outputs == NULL)
        TSNNI_FAIL(runtime, TSNN_ERROR_NULL_ARGUMENT, "outputs is NULL");
    if (samples > 0 && (labels == NULL) == (targets == NULL))
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "%s are given; it must be one of them",
                   labels == NULL ? "neither labels nor targets" : "both labels and targets");
    tsnni_truth truth = {labels, targets, count, NULL, samples};
    for (int64_t n = 0; n < samples; n++) {
        if (labels != NULL && (labels[n] < 0 || labels[n] >= classes))
            TSNNI_FAIL(runtime, TSNN_ERROR_LABEL, "sample %lld: label %d is outside 0..%lld", (long long)n,
                       (int)labels[n], (long long)classes - 1);
        for (int64_t k = 0; k < count; k++) {
            float a = outputs[n * count + k], y = truth_at(&truth, n, k, count);
            if (!isfinite(a) || !isfinite(y))
                TSNNI_FAIL(runtime, TSNN_ERROR_NOT_FINITE, "sample %lld: output %lld is %g, target %g", (long long)n,
                           (long long)k, (double)a, (double)y);
            if (loss->kind != TSNN_LOSS_MEAN_SQUARED_ERROR && !(a >= 0.0f && a <= 1.0f + FLT_EPSILON))
                TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT,
                           "sample %lld: output %lld is %g; a probability is in [0, 1]", (long long)n, (long long)k,
                           (double)a);
            if (!target_range_fits(loss->kind, y, y))
                TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "sample %lld: target %lld is %g", (long long)n,
                           (long long)k, (double)y);
            sum += loss_term(loss->kind, a, y, count);
        }
    }
    *value = samples > 0 ? sum / (double)samples : 0.0;
    return TSNN_OK;
fail:
    return status;
}
