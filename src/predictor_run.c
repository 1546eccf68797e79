/* The calls that predict: their checks, the walk over the samples, and the answers. */
#include "predictor_pass.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "cpu/cpu.h"

/* Samples fewer than this are faster one by one than as a group of sixteen columns. */
#define TSNNI_FEWEST_FOR_BATCH 3

/* ---- checks ---- */

static tsnn_status check_dense(const tsnn_predictor *predictor, tsnni_runtime *errors, const float *features,
                               int64_t numbers)
{
    int64_t inputs = tsnni_predictor_inputs(predictor);
    if (predictor->kernels->all_finite(features, numbers))
        return TSNN_OK;
    for (int64_t k = 0; k < numbers; k++)
        if (!isfinite(features[k]))
            return tsnni_fail(errors, TSNN_ERROR_NOT_FINITE, "sample %lld: feature %lld is %g", (long long)(k / inputs),
                              (long long)(k % inputs), (double)features[k]);
    return TSNN_OK;
}

static tsnn_status check_sparse_sample(tsnni_runtime *errors, const tsnn_samples *samples, int64_t n, int64_t inputs)
{
    int64_t begin = samples->sample_ptr[n], end = samples->sample_ptr[n + 1];
    if (end < begin || end > samples->capacity)
        return tsnni_fail(errors, TSNN_ERROR_STRUCTURE, "sample_ptr[%lld] is %lld after %lld, with %lld entries in all",
                          (long long)(n + 1), (long long)end, (long long)begin, (long long)samples->capacity);
    for (int64_t k = begin; k < end; k++) {
        int32_t index = samples->index[k];
        if (index < 0 || index >= inputs || (k > begin && index <= samples->index[k - 1]))
            return tsnni_fail(errors, TSNN_ERROR_STRUCTURE,
                              "sample %lld: index[%lld] is %ld; it must be below %lld and rise", (long long)n,
                              (long long)k, (long)index, (long long)inputs);
        if (!isfinite(samples->value[k]))
            return tsnni_fail(errors, TSNN_ERROR_NOT_FINITE, "sample %lld: value[%lld] is %g", (long long)n,
                              (long long)k, (double)samples->value[k]);
    }
    return TSNN_OK;
}

static tsnn_status check_sparse(tsnni_runtime *errors, const tsnn_samples *samples, int64_t inputs)
{
    if (samples->sample_ptr == NULL || (samples->capacity > 0 && (samples->index == NULL || samples->value == NULL)))
        return tsnni_fail(errors, TSNN_ERROR_NULL_ARGUMENT, "features is NULL, and so is %s",
                          samples->sample_ptr == NULL ? "sample_ptr"
                          : samples->index == NULL    ? "index"
                                                      : "value");
    if (samples->sample_ptr[0] != 0)
        return tsnni_fail(errors, TSNN_ERROR_STRUCTURE, "sample_ptr[0] is %lld; it must be 0",
                          (long long)samples->sample_ptr[0]);
    tsnn_status status = TSNN_OK;
    for (int64_t n = 0; n < samples->count && status >= 0; n++)
        status = check_sparse_sample(errors, samples, n, inputs);
    return status;
}

static tsnn_status check_samples(const tsnn_predictor *predictor, tsnni_runtime *errors, const tsnn_samples *samples)
{
    int64_t inputs = tsnni_predictor_inputs(predictor), numbers;
    if (samples->reserved != 0)
        return tsnni_fail(errors, TSNN_ERROR_INVALID_ARGUMENT, "reserved is %d; it must be 0", (int)samples->reserved);
    if (samples->count < 0 || samples->capacity < 0)
        return tsnni_fail(errors, TSNN_ERROR_INVALID_ARGUMENT, "%lld samples, capacity %lld; neither may be below 0",
                          (long long)samples->count, (long long)samples->capacity);
    if (samples->features != NULL && (samples->sample_ptr != NULL || samples->index != NULL || samples->value != NULL))
        return tsnni_fail(errors, TSNN_ERROR_INVALID_ARGUMENT,
                          "features and %s are both given; samples are dense or sparse",
                          samples->sample_ptr != NULL ? "sample_ptr"
                          : samples->index != NULL    ? "index"
                                                      : "value");
    if (samples->count == 0)
        return TSNN_OK;
    if (tsnni_multiply(samples->count, inputs, &numbers) < 0 || numbers > INT64_MAX / (int64_t)sizeof(float))
        return tsnni_fail(errors, TSNN_ERROR_OVERFLOW, "%lld samples of %lld features", (long long)samples->count,
                          (long long)inputs);
    if (samples->features != NULL)
        return check_dense(predictor, errors, samples->features, numbers);
    return check_sparse(errors, samples, inputs);
}

static tsnn_status check_capacity(tsnni_runtime *errors, const void *array, int64_t capacity, int64_t count,
                                  int64_t each, const char *name)
{
    int64_t needed;
    if (array == NULL)
        return TSNN_OK;
    if (tsnni_multiply(count, each, &needed) < 0)
        return tsnni_fail(errors, TSNN_ERROR_OVERFLOW, "%lld samples with %lld %s each", (long long)count,
                          (long long)each, name);
    if (capacity < needed)
        return tsnni_fail(errors, TSNN_ERROR_BUFFER_TOO_SMALL, "room for %lld %s; %lld are needed", (long long)capacity,
                          name, (long long)needed);
    return TSNN_OK;
}

static tsnn_status check_answers(const tsnn_predictor *predictor, tsnni_runtime *errors, const tsnn_answers *answers,
                                 int64_t count)
{
    int64_t outputs = tsnni_predictor_outputs(predictor), top = answers->top > 0 ? answers->top : 1;
    tsnn_status status;
    if (answers->form != TSNN_OUTPUT_ACTIVATED && answers->form != TSNN_OUTPUT_RAW)
        TSNNI_FAIL(errors, TSNN_ERROR_INVALID_ARGUMENT, "form %d is unknown", (int)answers->form);
    if (answers->top < 0 || answers->top > outputs)
        TSNNI_FAIL(errors, TSNN_ERROR_INVALID_ARGUMENT, "the top %lld of %lld outputs", (long long)answers->top,
                   (long long)outputs);
    if (answers->labels != NULL && answers->form == TSNN_OUTPUT_RAW && outputs == 1 && answers->top == 0)
        TSNNI_FAIL(errors, TSNN_ERROR_INVALID_ARGUMENT, "a raw output alone has no threshold that tells its class");
    if (count > 0 && answers->outputs == NULL && answers->labels == NULL && answers->scores == NULL)
        TSNNI_FAIL(errors, TSNN_ERROR_NULL_ARGUMENT, "outputs, labels and scores are NULL");
    TSNNI_TRY(check_capacity(errors, answers->outputs, answers->outputs_capacity, count, outputs, "outputs"));
    TSNNI_TRY(check_capacity(errors, answers->labels, answers->labels_capacity, count, top, "labels"));
    TSNNI_TRY(check_capacity(errors, answers->scores, answers->scores_capacity, count, top, "scores"));
    return TSNN_OK;
fail:
    return status;
}

/* ---- answers ---- */

/* The class of one sample as tsnn_network_classify() tells it. */
static int32_t class_of(const float *outputs, int64_t count, int64_t stride)
{
    if (count == 1)
        return outputs[0] >= 0.5f;
    int64_t best = 0;
    for (int64_t k = 1; k < count; k++)
        if (outputs[k * stride] > outputs[best * stride])
            best = k;
    return (int32_t)best;
}

/* The numbers of the `top` largest outputs, best first, by insertion; the outputs themselves stay where they are. */
static void select_top(const float *outputs, int64_t count, int64_t stride, int64_t top, int32_t *labels)
{
    int64_t held = 0;
    for (int64_t k = 0; k < count; k++) {
        if (held == top && !(outputs[k * stride] > outputs[labels[held - 1] * stride]))
            continue;
        int64_t at = held < top ? held++ : held - 1;
        for (; at > 0 && outputs[k * stride] > outputs[labels[at - 1] * stride]; at--)
            labels[at] = labels[at - 1];
        labels[at] = (int32_t)k;
    }
}

/* The same for scores without labels: the values themselves, best first. */
static void select_scores(const float *outputs, int64_t count, int64_t stride, int64_t top, float *scores)
{
    int64_t held = 0;
    for (int64_t k = 0; k < count; k++) {
        float value = outputs[k * stride];
        if (held == top && !(value > scores[held - 1]))
            continue;
        int64_t at = held < top ? held++ : held - 1;
        for (; at > 0 && value > scores[at - 1]; at--)
            scores[at] = scores[at - 1];
        scores[at] = value;
    }
}

/* Labels and scores of sample n. */
static void answer_classes(const tsnn_answers *answers, int64_t n, const float *outputs, int64_t count, int64_t stride)
{
    if (answers->labels == NULL && answers->scores == NULL)
        return;
    int64_t top = answers->top > 0 ? answers->top : 1;
    float *scores = answers->scores != NULL ? answers->scores + n * top : NULL;
    if (answers->labels == NULL) {
        select_scores(outputs, count, stride, top, scores);
        return;
    }
    int32_t *labels = answers->labels + n * top;
    if (answers->top > 0)
        select_top(outputs, count, stride, top, labels);
    else
        labels[0] = class_of(outputs, count, stride);
    for (int64_t t = 0; scores != NULL && t < top; t++)
        scores[t] = outputs[(count > 1 ? labels[t] : 0) * stride];
}

static void answer_batch(const tsnn_predictor *predictor, const tsnn_predictor_workspace *workspace,
                         const tsnn_answers *answers, const float *y, int64_t first, int64_t count)
{
    int64_t outputs = tsnni_predictor_outputs(predictor);
    if (answers->outputs != NULL) {
        tsnni_batch_store store = {.y = y,
                                   .stride = workspace->stride,
                                   .count = count,
                                   .features = outputs,
                                   .out = answers->outputs + first * outputs,
                                   .out_stride = outputs};
        predictor->kernels->batch_store(&store, 0, outputs);
    }
    for (int64_t c = 0; c < count; c++)
        answer_classes(answers, first + c, y + c, outputs, workspace->stride);
}

/* ---- the calls ---- */

/* NOT_FINITE, with the first sample in the text, when one of the outputs of `count` samples is; they are feature-major,
 * or one sample's with a stride of 1. */
static tsnn_status check_outputs(const tsnn_predictor *predictor, tsnni_runtime *errors, const float *y, int64_t stride,
                                 int64_t first, int64_t count)
{
    int64_t outputs = tsnni_predictor_outputs(predictor), least = count, output = 0;
    if (stride == 1 && predictor->kernels->all_finite(y, outputs))
        return TSNN_OK;
    for (int64_t k = 0; k < outputs; k++)
        if (!predictor->kernels->all_finite(y + k * stride, least)) {
            for (least = 0; isfinite(y[k * stride + least]);)
                least++;
            output = k;
        }
    if (least == count)
        return TSNN_OK;
    return tsnni_fail(errors, TSNN_ERROR_NOT_FINITE, "sample %lld: output %lld is %g", (long long)(first + least),
                      (long long)output, (double)y[output * stride + least]);
}

/* All samples; NOT_FINITE afterwards when an output was not, for the first one. */
static tsnn_status walk(const tsnn_predictor *predictor, tsnn_predictor_workspace *workspace,
                        const tsnni_sample_rows *rows, int64_t samples, const tsnn_answers *answers)
{
    tsnn_status status = TSNN_OK;
    int64_t outputs = tsnni_predictor_outputs(predictor);
    int64_t batch = predictor->batch ? workspace->batch : 1;
    int32_t raw = answers->form == TSNN_OUTPUT_RAW;
    for (int64_t first = 0, count; first < samples; first += count) {
        count = samples - first < batch ? samples - first : batch;
        if (count >= TSNNI_FEWEST_FOR_BATCH) {
            const float *y = tsnni_predictor_batch(predictor, workspace, rows, first, count, raw);
            answer_batch(predictor, workspace, answers, y, first, count);
            if (status == TSNN_OK)
                status = check_outputs(predictor, &workspace->errors, y, workspace->stride, first, count);
            continue;
        }
        for (int64_t n = first; n < first + count; n++) {
            const float *y = tsnni_predictor_single(predictor, workspace, rows, n, raw);
            if (answers->outputs != NULL)
                memcpy(answers->outputs + n * outputs, y, (size_t)outputs * sizeof *y);
            answer_classes(answers, n, y, outputs, 1);
            if (status == TSNN_OK)
                status = check_outputs(predictor, &workspace->errors, y, 1, n, 1);
        }
    }
    return status;
}

static tsnn_status run(const tsnn_predictor *predictor, tsnn_predictor_workspace *workspace,
                       const tsnn_samples *samples, const tsnn_answers *answers)
{
    tsnni_runtime *errors = &workspace->errors;
    tsnn_status status;
    if (workspace->predictor != predictor)
        TSNNI_FAIL(errors, TSNN_ERROR_INVALID_ARGUMENT, "the workspace belongs to another predictor");
    TSNNI_TRY(check_answers(predictor, errors, answers, samples->count > 0 ? samples->count : 0));
    TSNNI_TRY(check_samples(predictor, errors, samples));
    tsnni_sample_rows rows = {samples->features, samples->sample_ptr, samples->index, samples->value};
    uint64_t mode = tsnni_cpu_flush_denormals();
    status = walk(predictor, workspace, &rows, samples->count, answers);
    tsnni_cpu_float_mode_restore(mode);
    return status;
fail:
    return status;
}

tsnn_status tsnn_predictor_run(const tsnn_predictor *predictor, tsnn_predictor_workspace *workspace,
                               const tsnn_samples *samples, const tsnn_answers *answers)
{
    if (workspace == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *errors = &workspace->errors;
    tsnn_samples given;
    tsnn_answers wanted;
    tsnn_status status;
    if (predictor == NULL || samples == NULL || answers == NULL)
        TSNNI_FAIL(errors, TSNN_ERROR_NULL_ARGUMENT, "%s is NULL",
                   predictor == NULL ? "predictor"
                   : samples == NULL ? "samples"
                                     : "answers");
    TSNNI_TRY(tsnni_options_read(errors, samples, &given, sizeof given, "tsnn_samples"));
    TSNNI_TRY(tsnni_options_read(errors, answers, &wanted, sizeof wanted, "tsnn_answers"));
    return run(predictor, workspace, &given, &wanted);
fail:
    return status;
}

static tsnn_status run_dense(const tsnn_predictor *predictor, tsnn_predictor_workspace *workspace,
                             const float *features, int64_t samples, const tsnn_answers *answers)
{
    tsnn_samples given = TSNN_SAMPLES_INIT;
    if (samples > 0 && features == NULL)
        return tsnni_fail(&workspace->errors, TSNN_ERROR_NULL_ARGUMENT, "features is NULL");
    if (predictor == NULL)
        return tsnni_fail(&workspace->errors, TSNN_ERROR_NULL_ARGUMENT, "predictor is NULL");
    given.features = features;
    given.count = samples;
    return run(predictor, workspace, &given, answers);
}

tsnn_status tsnn_predictor_predict(const tsnn_predictor *predictor, tsnn_predictor_workspace *workspace,
                                   const float *features, int64_t samples, float *outputs, int64_t capacity)
{
    tsnn_answers answers = TSNN_ANSWERS_INIT;
    if (workspace == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    answers.outputs = outputs;
    answers.outputs_capacity = capacity;
    return run_dense(predictor, workspace, features, samples, &answers);
}

tsnn_status tsnn_predictor_classify(const tsnn_predictor *predictor, tsnn_predictor_workspace *workspace,
                                    const float *features, int64_t samples, int32_t *labels, int64_t capacity)
{
    tsnn_answers answers = TSNN_ANSWERS_INIT;
    if (workspace == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    answers.labels = labels;
    answers.labels_capacity = capacity;
    return run_dense(predictor, workspace, features, samples, &answers);
}
