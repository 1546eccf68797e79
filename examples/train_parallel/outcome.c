/* The network in a file, and the result line. */
#define _POSIX_C_SOURCE 200809L

#include "outcome.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "../train_mlp/text.h"

bool outcome_save(const struct model *model, const char *path)
{
    tsnn_save_options options = TSNN_SAVE_OPTIONS_INIT;
    char text[512];
    options.momentum = 1;
    if (tsnn_network_save(model->network, &options, path) >= 0)
        return true;
    tsnn_context_error(model->context, text, sizeof text, NULL);
    warn("--save %s: %s", path, text);
    return false;
}

bool outcome_print(const struct model *model, const struct options *options, const struct parallel_options *parallel,
                   const struct outcome *outcome)
{
    tsnn_evaluation evaluation = TSNN_EVALUATION_INIT;
    tsnn_network_info network = TSNN_NETWORK_INFO_INIT;
    const tsnn_parallel_info *info = &outcome->info;
    double busy = info->compute_seconds + info->exchange_seconds + info->wait_seconds;
    struct rusage usage;
    tsnn_status status = tsnn_network_evaluate(model->network, NULL, model->test, &evaluation);
    if (status >= 0)
        status = tsnn_network_get_info(model->network, &network);
    if (status < 0)
        return model_complain(model, "the test failed", status);
    getrusage(RUSAGE_SELF, &usage);
    printf("%sresult test_accuracy=%.4f epochs=%lld connections=%lld neurons=%lld train_seconds=%.1f peak_rss_mb=%ld "
           "seed=%" PRIu64 " mode=%s workers=%d staleness_mean=%.2f staleness_max=%lld phase1_seconds=%.2f "
           "phase2_seconds=%.2f exchange_share=%.3f wait_share=%.3f%s\n",
           options->quiet ? "" : "\n", evaluation.accuracy, (long long)outcome->epochs, (long long)network.connections,
           (long long)network.neurons, outcome->seconds, (usage.ru_maxrss + 512) / 1024, options->seed,
           parallel_mode_word(parallel->mode), (int)info->workers, info->staleness_mean,
           (long long)info->staleness_most, info->phase_seconds[0], info->phase_seconds[1],
           busy > 0 ? info->exchange_seconds / busy : 0, busy > 0 ? info->wait_seconds / busy : 0, outcome->more);
    return (fflush(stdout) == 0 && ferror(stdout) == 0) ||
           complain("standard output cannot be written: %s", strerror(errno));
}
