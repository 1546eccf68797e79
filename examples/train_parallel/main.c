/*
 * train_parallel: train_mlp with several workers at once.
 *
 * Data, network and rules are those of train_mlp, whose files are linked in; what differs is in workers.c: a
 * tsnn_parallel in place of the trainer. `train_parallel --help` lists what can be set.
 */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tsnn.h>

#include "compare.h"
#include "../train_mlp/data.h"
#include "../train_mlp/interrupt.h"
#include "../train_mlp/metrics.h"
#include "../train_mlp/model.h"
#include "../train_mlp/options.h"
#include "outcome.h"
#include "parallel_options.h"
#include "../train_mlp/progress.h"
#include "../train_mlp/text.h"
#include "workers.h"

const char text_program[] = "train_parallel";

/* All that one run needs; the callbacks get it too. */
struct run {
    struct options options;
    struct parallel_options parallel;
    struct data data;
    struct model model;
    tsnn_parallel *workers;
    struct metrics metrics;
    struct progress progress;
    double seconds; /* of the epochs that are done */
    int64_t epoch_count;
    bool save_failed; /* the last time */
};

static int32_t on_step(void *user, const tsnn_step_report *report)
{
    struct run *run = user;
    progress_step(&run->progress, report);
    return interrupt_wanted();
}

static void save(struct run *run)
{
    if (run->options.save != NULL)
        run->save_failed = !outcome_save(&run->model, run->options.save);
}

static int32_t on_epoch(void *user, const tsnn_epoch_report *report)
{
    struct run *run = user;
    run->epoch_count++;
    run->seconds += report->train_seconds;
    progress_epoch(&run->progress, report);
    metrics_write(&run->metrics, report);
    save(run);
    return interrupt_wanted();
}

static bool train(struct run *run)
{
    interrupt_catch();
    progress_start(&run->progress, run->options.quiet, run->options.epochs);
    tsnn_status status = tsnn_parallel_run(run->workers, run->model.train, run->model.test);
    progress_end(&run->progress);
    if (status == TSNN_STOPPED && !run->options.quiet)
        printf("\nStopped by Ctrl-C; what was learned until then is kept.\n");
    if (status == TSNN_ERROR_NOT_FINITE)
        return model_complain(&run->model, "training diverged, try a lower --lr", status);
    return status >= 0 || model_complain(&run->model, "training failed", status);
}

static bool prune(struct run *run)
{
    struct pruning_outcome outcome;
    if (run->options.prune_after == 0)
        return true;
    if (!model_prune(&run->model, run->options.prune_after, run->options.fold, &outcome))
        return false;
    if (!run->options.quiet)
        printf("\npruned percentile=%g test_accuracy=%.4f->%.4f connections=%lld->%lld\n", run->options.prune_after,
               outcome.accuracy_before, outcome.accuracy_after, (long long)outcome.report.connections_before,
               (long long)outcome.report.connections_after);
    return true;
}

static bool print_result(struct run *run)
{
    struct outcome outcome = {run->epoch_count, run->seconds, TSNN_PARALLEL_INFO_INIT, ""};
    tsnn_status status = tsnn_parallel_get_info(run->workers, &outcome.info);
    if (status < 0)
        return model_complain(&run->model, "the test failed", status);
    if (!run->options.quiet)
        workers_describe(run->workers);
    return outcome_print(&run->model, &run->options, &run->parallel, &outcome);
}

static bool run_one(struct run *run)
{
    const struct model_callbacks callbacks = {on_step, on_epoch, run};
    if (!model_create(&run->model, &run->options, &run->data, NULL) ||
        !workers_create(&run->workers, &run->model, &run->options, &run->parallel, &callbacks) ||
        !metrics_open(&run->metrics, run->options.metrics, false))
        return false;
    if (!run->options.quiet)
        printf("workers   %s, %lld workers\n", parallel_mode_word(run->parallel.mode),
               (long long)run->parallel.workers);
    if (!train(run) || !prune(run))
        return false;
    save(run);
    return print_result(run) &&
           (!run->save_failed || complain("--save %s: the network could not be written", run->options.save));
}

int main(int argc, char **argv)
{
    static struct run run; /* all zeros: what has not been made is not freed */
    if (parallel_options_parse(&run.parallel, &argc, argv) == PARALLEL_OPTIONS_WRONG)
        return EXIT_FAILURE;
    switch (options_parse(&run.options, argc, argv)) {
    case OPTIONS_DONE:
        return EXIT_SUCCESS;
    case OPTIONS_WRONG:
        return EXIT_FAILURE;
    default:
        break;
    }
    bool good = run.options.plot == NULL || complain("--plot: train_parallel draws with --compare");
    good =
        good && (run.options.resume == NULL ||
                 complain("--resume: only train_mlp's runs can be resumed; the order of an asynchronous run is lost"));
    good = good && data_load(&run.data, run.options.data, run.options.label_column);
    if (good && run.data.sample)
        fprintf(run.options.quiet ? stderr : stdout,
                "Fashion-MNIST is not in %s: training on the small sample of it that comes with this program.\n",
                DATA_DEFAULT_DIRECTORY);
    if (good && run.parallel.compare != NULL)
        good = compare_draw(&run.options, &run.parallel, &run.data);
    else
        good = good && run_one(&run);
    metrics_close(&run.metrics);
    tsnn_parallel_destroy(&run.workers);
    model_destroy(&run.model);
    data_free(&run.data);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
