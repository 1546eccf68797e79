/* Inference and scoring: rows of features through the network, a batch at a time. */
#include "network.h"

#include <math.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "step.h"

/* Samples at once: activations of a few thousand neurons stay in the second-level cache. */
#define TSNNI_INFERENCE_BATCH 128

/* Receives the outputs of a part of the samples, feature-major in workspace->output[last]. */
typedef void (*part_function)(void *task, const tsnn_network *network, tsnni_workspace *workspace, int64_t first,
                              int64_t count);

/* A walk over the samples inside a session: one parallel region for all parts. */
typedef struct parts_call {
    const tsnn_network *network;
    tsnni_workspace *workspace;
    const float *features;
    int64_t samples;
    part_function part;
    void *task;
    int64_t bad_sample, bad_output; /* the first that is not finite; -1: none */
    float bad_value;
} parts_call;

/* Notes the first sample of the part that has an output which is no finite number. */
static void check_outputs(parts_call *call, int64_t first, int64_t count)
{
    int64_t outputs = tsnni_network_outputs(call->network), least = count;
    for (int64_t k = 0; k < outputs; k++) {
        const float *y = call->workspace->output[call->network->count - 1] + k * call->workspace->stride;
        if (call->network->context->kernels->all_finite(y, least))
            continue;
        for (least = 0; isfinite(y[least]);)
            least++;
        call->bad_sample = first + least;
        call->bad_output = k;
        call->bad_value = y[least];
    }
}

static void walk_parts(void *argument)
{
    parts_call *call = argument;
    int64_t inputs = tsnni_network_inputs(call->network);
    for (int64_t first = 0; first < call->samples; first += TSNNI_INFERENCE_BATCH) {
        int64_t left = call->samples - first, count = left < TSNNI_INFERENCE_BATCH ? left : TSNNI_INFERENCE_BATCH;
        tsnni_batch batch = {call->features + first * inputs, inputs, NULL, count};
        tsnni_propagate_forward(call->network, call->workspace, &batch, TSNNI_PASS_INFERENCE, 0);
        call->part(call->task, call->network, call->workspace, first, count);
        if (call->bad_sample < 0)
            check_outputs(call, first, count);
    }
}

/* All parts; NOT_FINITE afterwards when an output was not. */
static tsnn_status run_parts(const tsnn_network *network, const float *features, int64_t samples, part_function part,
                             void *task)
{
    tsnni_workspace *workspace;
    tsnn_status status = tsnni_workspace_create(
        network, samples < TSNNI_INFERENCE_BATCH ? samples : TSNNI_INFERENCE_BATCH, 0, &workspace);
    if (status < 0)
        return status;
    parts_call call = {network, workspace, features, samples, part, task, -1, -1, 0.0f};
    tsnni_parallel_session(network->context->runtime.threads, tsnni_step_work(network, samples), walk_parts, &call);
    tsnni_workspace_destroy(&workspace);
    if (call.bad_sample >= 0)
        return tsnni_fail(&network->context->runtime, TSNN_ERROR_NOT_FINITE, "sample %lld: output %lld is %g",
                          (long long)call.bad_sample, (long long)call.bad_output, (double)call.bad_value);
    return TSNN_OK;
}

static tsnn_status check_features(const tsnn_network *network, const float *features, int64_t samples, const void *out,
                                  int64_t capacity, int64_t each)
{
    tsnni_runtime *runtime = &network->context->runtime;
    int64_t inputs = tsnni_network_inputs(network), numbers, needed;
    tsnn_status status;
    if (network->count == 0)
        TSNNI_FAIL(runtime, TSNN_ERROR_STATE, "the network has no layers");
    if (samples < 0)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "samples is %lld; it must not be below 0", (long long)samples);
    if (samples > 0 && (features == NULL || out == NULL))
        TSNNI_FAIL(runtime, TSNN_ERROR_NULL_ARGUMENT, "%s is NULL",
                   features == NULL ? "features" : "the array for the results");
    if (tsnni_multiply(samples, inputs, &numbers) < 0 || tsnni_multiply(samples, each, &needed) < 0)
        TSNNI_FAIL(runtime, TSNN_ERROR_OVERFLOW, "%lld samples of %lld features", (long long)samples,
                   (long long)inputs);
    if (capacity < needed)
        TSNNI_FAIL(runtime, TSNN_ERROR_BUFFER_TOO_SMALL, "room for %lld results; %lld are needed", (long long)capacity,
                   (long long)needed);
    for (int64_t k = 0; k < numbers; k++)
        if (!isfinite(features[k]))
            TSNNI_FAIL(runtime, TSNN_ERROR_NOT_FINITE, "sample %lld: feature %lld is %g", (long long)(k / inputs),
                       (long long)(k % inputs), (double)features[k]);
    return TSNN_OK;
fail:
    return status;
}

static void store_outputs(void *task, const tsnn_network *network, tsnni_workspace *workspace, int64_t first,
                          int64_t count)
{
    float *outputs = task;
    int64_t each = tsnni_network_outputs(network);
    tsnni_batch_store store = {.y = workspace->output[network->count - 1],
                               .stride = workspace->stride,
                               .count = count,
                               .features = each,
                               .out = outputs + first * each,
                               .out_stride = each};
    network->context->kernels->batch_store(&store, 0, each);
}

tsnn_status tsnn_network_predict(const tsnn_network *network, const float *features, int64_t samples, float *outputs,
                                 int64_t capacity)
{
    if (network == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnn_status status = check_features(network, features, samples, outputs, capacity, tsnni_network_outputs(network));
    if (status < 0 || samples == 0)
        return status;
    return run_parts(network, features, samples, store_outputs, outputs);
}

static void store_labels(void *task, const tsnn_network *network, tsnni_workspace *workspace, int64_t first,
                         int64_t count)
{
    int32_t *labels = (int32_t *)task + first;
    const float *y = workspace->output[network->count - 1];
    for (int64_t c = 0; c < count; c++)
        labels[c] = tsnni_predicted_class(y + c, tsnni_network_outputs(network), workspace->stride);
}

tsnn_status tsnn_network_classify(const tsnn_network *network, const float *features, int64_t samples, int32_t *labels,
                                  int64_t capacity)
{
    if (network == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnn_status status = check_features(network, features, samples, labels, capacity, 1);
    if (status < 0 || samples == 0)
        return status;
    return run_parts(network, features, samples, store_labels, labels);
}

typedef struct score_task {
    const tsnn_loss *loss;
    const tsnn_dataset *dataset;
    tsnni_score total;
} score_task;

static void score_part(void *argument, const tsnn_network *network, tsnni_workspace *workspace, int64_t first,
                       int64_t count)
{
    score_task *task = argument;
    tsnni_truth truth = tsnni_truth_of(task->dataset, NULL, first, count);
    tsnni_score score = tsnni_loss_score(task->loss, network, workspace, &truth, 0, NULL);
    task->total.loss += score.loss;
    task->total.correct += score.correct;
}

tsnn_status tsnn_network_evaluate(const tsnn_network *network, const tsnn_loss *loss, const tsnn_dataset *dataset,
                                  tsnn_evaluation *evaluation)
{
    if (network == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *runtime = &network->context->runtime;
    tsnn_evaluation known = TSNN_EVALUATION_INIT;
    tsnn_status status, scored;
    if (dataset == NULL || evaluation == NULL)
        TSNNI_FAIL(runtime, TSNN_ERROR_NULL_ARGUMENT, "%s is NULL", dataset == NULL ? "dataset" : "evaluation");
    TSNNI_TRY(tsnni_loss_check_network(loss, network));
    TSNNI_TRY(tsnni_loss_check_dataset(loss, network, dataset));
    score_task task = {loss, dataset, {0.0, 0}};
    scored = run_parts(network, dataset->feature_data, dataset->samples, score_part, &task);
    if (scored < 0 && scored != TSNN_ERROR_NOT_FINITE)
        return scored;
    known.samples = dataset->samples;
    known.correct = task.total.correct;
    known.loss = task.total.loss / (double)dataset->samples;
    known.accuracy = (double)task.total.correct / (double)dataset->samples;
    TSNNI_TRY(tsnni_info_write(runtime, evaluation, &known, sizeof known, "tsnn_evaluation"));
    return scored;
fail:
    return status;
}
