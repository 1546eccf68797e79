/* One pass of learning: forward, score, backward. */
#include "step.h"

#include <math.h>

static tsnn_status check_samples(tsnni_runtime *runtime, const tsnn_dataset *dataset, const int64_t *samples,
                                 int64_t count)
{
    if (count < 1 || (samples == NULL && count > dataset->samples))
        return tsnni_fail(runtime, TSNN_ERROR_INVALID_ARGUMENT, "count is %lld; the data set has %lld samples",
                          (long long)count, (long long)dataset->samples);
    for (int64_t n = 0; samples != NULL && n < count; n++)
        if (samples[n] < 0 || samples[n] >= dataset->samples)
            return tsnni_fail(runtime, TSNN_ERROR_INVALID_ARGUMENT, "samples[%lld] is %lld; the data set has %lld",
                              (long long)n, (long long)samples[n], (long long)dataset->samples);
    return TSNN_OK;
}

tsnn_status tsnni_step_check(const tsnn_network *network, const tsnn_loss *loss, const tsnn_dataset *dataset,
                             const int64_t *samples, int64_t count)
{
    tsnni_runtime *runtime = &network->context->runtime;
    tsnn_status status;
    if (loss == NULL || dataset == NULL)
        TSNNI_FAIL(runtime, TSNN_ERROR_NULL_ARGUMENT, "%s is NULL", loss == NULL ? "loss" : "dataset");
    TSNNI_TRY(tsnni_loss_check_network(loss, network));
    TSNNI_TRY(tsnni_loss_check_dataset(loss, network, dataset));
    TSNNI_TRY(check_samples(runtime, dataset, samples, count));
    return TSNN_OK;
fail:
    return status;
}

tsnni_score tsnni_step_run(const tsnni_step *step, const int64_t *samples, int64_t first, int64_t count)
{
    const tsnn_dataset *dataset = step->dataset;
    tsnni_batch batch = {dataset->feature_data, dataset->features, samples, count};
    if (samples == NULL)
        batch.samples += first * dataset->features;
    tsnni_truth truth = tsnni_truth_of(dataset, samples, first, count);
    int32_t delta_is_final;
    tsnni_propagate_forward(step->network, step->workspace, &batch, step->pass, step->number);
    tsnni_score score =
        tsnni_loss_score(step->loss, step->network, step->workspace, &truth, step->divisor, &delta_is_final);
    if (isfinite(score.loss))
        tsnni_propagate_backward(step->network, step->workspace, count, step->pass, delta_is_final, step->update,
                                 step->gradient);
    return score;
}

int64_t tsnni_step_work(const tsnn_network *network, int64_t samples)
{
    double most = 0.0;
    for (int64_t l = 0; l < network->count; l++)
        most = fmax(most, (double)network->stages[l].layer->topology.pattern.count * (double)samples);
    return (int64_t)fmin(most / 32.0, 1e15);
}
