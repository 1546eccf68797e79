/* Around an epoch's steps. */
#include "epoch.h"

#include <math.h>
#include <time.h>

#include "core/random.h"
#include "pruning.h"
#include "schedule.h"

double tsnni_seconds_now(void)
{
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void tsnni_epoch_shuffle(uint64_t seed, int64_t epoch, int64_t *order, int64_t samples)
{
    for (int64_t n = 0; n < samples; n++)
        order[n] = n;
    tsnni_stream stream;
    tsnni_stream_init(&stream, tsnni_random_key_make(seed, TSNNI_PURPOSE_SHUFFLE, 0, epoch, 0));
    for (int64_t n = samples - 1; n > 0; n--) {
        int64_t other = (int64_t)tsnni_stream_below(&stream, (uint64_t)n + 1), kept = order[n];
        order[n] = order[other];
        order[other] = kept;
    }
}

double tsnni_epoch_rate_factor(const tsnn_schedule_options *schedule, double progress, double step, double epochs)
{
    if (progress < schedule->warmup_epochs)
        progress = fmin(progress + step, schedule->warmup_epochs);
    return tsnni_schedule_factor(schedule, progress, epochs);
}

tsnn_status tsnni_callback_status(tsnni_runtime *runtime, int32_t answer)
{
    if (answer == 0)
        return TSNN_OK;
    if (answer > 0)
        return TSNN_STOPPED;
    return tsnni_fail(runtime, TSNN_ERROR_CALLBACK, "the callback returned %d", (int)answer);
}

tsnn_status tsnni_epoch_check_weights(const tsnn_network *network, int64_t epoch)
{
    for (int64_t l = 0; l < network->count; l++) {
        const tsnn_layer *layer = network->stages[l].layer;
        float sum = 0.0f;
        for (int64_t k = 0; k < layer->topology.pattern.count; k++)
            sum += 0.0f * layer->topology.values[k];
        for (int64_t j = 0; j < layer->topology.pattern.columns; j++)
            sum += 0.0f * layer->bias[j];
        if (sum != 0.0f)
            return tsnni_fail(&network->context->runtime, TSNN_ERROR_NOT_FINITE,
                              "epoch %lld: a weight of layer %lld is not finite; is the learning rate too high?",
                              (long long)epoch, (long long)l);
    }
    return TSNN_OK;
}

tsnn_status tsnni_epoch_validate(const tsnn_network *network, const tsnn_loss *loss, const tsnn_dataset *validation,
                                 tsnn_epoch_report *report)
{
    tsnn_evaluation evaluation = TSNN_EVALUATION_INIT;
    if (validation == NULL)
        return TSNN_OK;
    double start = tsnni_seconds_now();
    tsnn_status status = tsnn_network_evaluate(network, loss, validation, &evaluation);
    report->has_validation = 1;
    report->validation_loss = evaluation.loss;
    report->validation_accuracy = evaluation.accuracy;
    report->validation_seconds = tsnni_seconds_now() - start;
    if (status == TSNN_ERROR_NOT_FINITE)
        return tsnni_fail(&network->context->runtime, TSNN_ERROR_NOT_FINITE,
                          "epoch %lld: an output for the validation set is not finite, the loss is %g; is the learning "
                          "rate too high?",
                          (long long)report->epoch, evaluation.loss);
    return status;
}

tsnn_status tsnni_epoch_change_topology(tsnn_network *network, const tsnn_evolution *evolution, tsnn_pruning *pruning,
                                        tsnn_epoch_report *report)
{
    tsnn_pruning_report pruned = TSNN_PRUNING_REPORT_INIT;
    double start = tsnni_seconds_now();
    tsnn_status status;
    if (report->epoch >= report->epochs)
        return TSNN_OK;
    if (pruning != NULL && tsnni_pruning_is_due(pruning, report->epoch)) {
        TSNNI_TRY(tsnn_pruning_apply(pruning, network, &pruned));
        report->pruned = pruned.neurons_before - pruned.neurons_after;
    }
    if (evolution != NULL)
        TSNNI_TRY(tsnn_evolution_apply(evolution, network, report->epoch, &report->replaced));
    report->evolution_seconds = tsnni_seconds_now() - start;
    return TSNN_OK;
fail:
    return status;
}
