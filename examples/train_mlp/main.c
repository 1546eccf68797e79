/*
 * train_mlp: trains a truly sparse multi-layer perceptron on a data set of one's own or on Fashion-MNIST.
 *
 * The story: options -> data -> model -> training -> pruning -> pictures -> result. The calls to the library are in
 * model.c; `train_mlp --help` lists what can be set.
 */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <tsnn.h>

#include "data.h"
#include "interrupt.h"
#include "metrics.h"
#include "model.h"
#include "options.h"
#include "plot.h"
#include "progress.h"
#include "text.h"

const char text_program[] = "train_mlp";

/* All that one run needs; the callbacks get it too. */
struct run {
    struct options options;
    struct data data;
    struct model model;
    struct metrics metrics;
    struct progress progress;
    tsnn_epoch_report *epochs; /* those that are done */
    int64_t epoch_count;
    int64_t epochs_before;   /* with --resume: of the runs before */
    bool stopped;            /* by Ctrl-C */
    bool save_failed;        /* the last time */
    struct attention before; /* with --plot: before training ... */
    struct attention after;  /* ... and after it, before --prune-after */
};

/* --- what the trainer calls ----------------------------------------------------------------------------------- */

/* A checkpoint that cannot be written is no reason to stop: there will be another after the next epoch. */
static void save(struct run *run)
{
    tsnn_status status = run->options.save != NULL ? model_save(&run->model, run->options.save) : TSNN_OK;
    run->save_failed = status < 0;
    if (status < 0) {
        char text[512] = "";
        tsnn_context_error(run->model.context, text, sizeof text, NULL);
        progress_end(&run->progress);
        warn("--save %s: %s", run->options.save, text);
    }
}

static int32_t on_step(void *user, const tsnn_step_report *report)
{
    struct run *run = user;
    progress_step(&run->progress, report);
    /* Here and now, so that resuming goes on with the next step. */
    if (interrupt_wanted())
        save(run);
    return interrupt_wanted();
}

static int32_t on_epoch(void *user, const tsnn_epoch_report *report)
{
    struct run *run = user;
    run->epochs[run->epoch_count++] = *report;
    progress_epoch(&run->progress, report);
    metrics_write(&run->metrics, report);
    save(run);
    return interrupt_wanted();
}

/* --- the story ------------------------------------------------------------------------------------------------ */

static bool load(struct run *run)
{
    const struct data *data = &run->data;
    if (!data_load(&run->data, run->options.data, run->options.label_column))
        return false;
    if (data->sample) {
        /* With --quiet standard output is the result's alone. */
        fprintf(run->options.quiet ? stderr : stdout,
                "Fashion-MNIST is not in %s: training on the small sample of it that comes with this program.\n"
                "The whole data set is in Debian's package dataset-fashion-mnist.\n",
                DATA_DEFAULT_DIRECTORY);
    }
    return true;
}

static void describe(const struct run *run)
{
    const struct options *options = &run->options;
    const struct data *data = &run->data;
    tsnn_network_info network = TSNN_NETWORK_INFO_INIT;
    tsnn_context_info context = TSNN_CONTEXT_INFO_INIT;
    tsnn_network_get_info(run->model.network, &network);
    tsnn_context_get_info(run->model.context, &context);
    double dense = 0;
    printf("data      %s%s: %s training and %s test samples, %s features, %s classes\n", data->name,
           data->sample ? " (sample)" : "", grouped(data->train.count).text, grouped(data->test.count).text,
           grouped(data->train.features).text, grouped(data->classes).text);
    printf("network   %lld", (long long)network.inputs);
    for (int64_t i = 0; i < network.layers; i++) {
        tsnn_layer *layer = NULL;
        tsnn_layer_info size = TSNN_LAYER_INFO_INIT;
        tsnn_network_get_layer(run->model.network, i, &layer);
        tsnn_layer_get_info(layer, &size);
        printf("-%lld", (long long)size.outputs);
        dense += (double)size.inputs * (double)size.outputs;
    }
    printf(": %s neurons, %s connections, %.1f %% of the dense network's\n", grouped(network.neurons).text,
           grouped(network.connections).text, 100 * (double)network.connections / dense);
    if (options->resume != NULL)
        printf("resumed   %s, after %s epoch%s\n", options->resume, grouped(run->epochs_before).text,
               run->epochs_before == 1 ? "" : "s");
    printf("machine   %s, %d thread%s\n", tsnn_isa_string(context.isa), (int)context.threads,
           context.threads == 1 ? "" : "s");
}

static bool create_attention(struct attention *attention, int64_t features)
{
    attention->connections = calloc((size_t)features, sizeof *attention->connections);
    attention->strength = calloc((size_t)features, sizeof *attention->strength);
    return (attention->connections != NULL && attention->strength != NULL) ||
           complain("out of memory for the connections of %s inputs", grouped(features).text);
}

static void free_attention(struct attention *attention)
{
    free(attention->connections);
    free(attention->strength);
}

/* Room for what is kept of each epoch, and the first layer as it was drawn. */
static bool prepare_records(struct run *run)
{
    int64_t features = run->data.train.features;
    run->epochs = calloc((size_t)run->options.epochs, sizeof *run->epochs);
    if (run->epochs == NULL)
        return complain("out of memory for %s epochs", grouped(run->options.epochs).text);
    if (run->options.plot == NULL)
        return true;
    return create_attention(&run->before, features) && create_attention(&run->after, features) &&
           model_get_attention(&run->model, features, &run->before);
}

static bool resume(struct run *run)
{
    return run->options.resume == NULL || model_resume(&run->model, &run->options, &run->epochs_before);
}

static bool train(struct run *run)
{
    interrupt_catch();
    progress_start(&run->progress, run->options.quiet, run->options.epochs);
    tsnn_status status = tsnn_trainer_run(run->model.trainer, run->model.train, run->model.test);
    progress_end(&run->progress);
    run->stopped = status == TSNN_STOPPED;
    if (run->stopped && !run->options.quiet)
        printf("\nStopped by Ctrl-C; what was learned until then is kept%s%s.\n",
               run->options.save != NULL ? ", and goes on with --resume " : "",
               run->options.save != NULL ? run->options.save : "");
    if (status == TSNN_ERROR_NOT_FINITE)
        return model_complain(&run->model, "training diverged, try a lower --lr", status);
    if (status < 0)
        return model_complain(&run->model, "training failed", status);
    return run->options.plot == NULL || model_get_attention(&run->model, run->data.train.features, &run->after);
}

static bool prune(struct run *run)
{
    struct pruning_outcome outcome;
    if (run->options.prune_after == 0)
        return true;
    if (!model_prune(&run->model, run->options.prune_after, run->options.fold, &outcome))
        return false;
    if (!run->stopped)
        save(run);
    const tsnn_pruning_report *report = &outcome.report;
    if (!run->options.quiet)
        printf("\npruned percentile=%g test_accuracy=%.4f->%.4f connections=%lld->%lld neurons=%lld->%lld "
               "test_seconds=%.4f->%.4f layer_kb=%lld->%lld\n",
               run->options.prune_after, outcome.accuracy_before, outcome.accuracy_after,
               (long long)report->connections_before, (long long)report->connections_after,
               (long long)report->neurons_before, (long long)report->neurons_after, outcome.seconds_before,
               outcome.seconds_after, (long long)outcome.bytes_before / 1000, (long long)outcome.bytes_after / 1000);
    return true;
}

static bool draw(struct run *run)
{
    bool drawn = false;
    char title[160];
    if (run->options.plot == NULL)
        return true;
    double best = 0;
    for (int64_t i = 0; i < run->epoch_count; i++)
        best = run->epochs[i].validation_accuracy > best ? run->epochs[i].validation_accuracy : best;
    int64_t connections = run->epoch_count > 0 ? run->epochs[run->epoch_count - 1].connections : 0;
    snprintf(title, sizeof title, "%s: %s connections, best test accuracy %.4f", run->data.name,
             grouped(connections).text, best);
    struct plot plot = {.directory = run->options.plot,
                        .title = title,
                        .epochs = run->epochs,
                        .epoch_count = run->epoch_count,
                        .features = run->data.train.features,
                        .before = &run->before,
                        .after = &run->after};
    if (!plot_draw(&plot, &drawn))
        return false;
    if (drawn && !run->options.quiet)
        printf("\npictures  %s/learning_curves.png\n          %s/input_connections.png\n", run->options.plot,
               run->options.plot);
    return true;
}

/* The network as it now is, scored once more: pruning may have changed it after the last epoch's score. */
static bool print_result(struct run *run)
{
    tsnn_evaluation evaluation = TSNN_EVALUATION_INIT;
    tsnn_network_info network = TSNN_NETWORK_INFO_INIT;
    struct rusage usage;
    double seconds = 0;
    tsnn_status status = tsnn_network_evaluate(run->model.network, NULL, run->model.test, &evaluation);
    if (status >= 0)
        status = tsnn_network_get_info(run->model.network, &network);
    if (status < 0)
        return model_complain(&run->model, "the test failed", status);
    for (int64_t i = 0; i < run->epoch_count; i++)
        seconds += run->epochs[i].train_seconds;
    getrusage(RUSAGE_SELF, &usage);
    printf("%sresult test_accuracy=%.4f epochs=%lld connections=%lld neurons=%lld train_seconds=%.1f peak_rss_mb=%ld "
           "seed=%" PRIu64 "\n",
           run->options.quiet ? "" : "\n", evaluation.accuracy, (long long)(run->epochs_before + run->epoch_count),
           (long long)network.connections, (long long)network.neurons, seconds, (usage.ru_maxrss + 512) / 1024,
           run->options.seed);
    if (run->save_failed)
        return complain("--save %s: the network could not be written", run->options.save);
    return (fflush(stdout) == 0 && ferror(stdout) == 0) ||
           complain("standard output cannot be written: %s", strerror(errno));
}

static bool run_all(struct run *run)
{
    const struct model_callbacks callbacks = {on_step, on_epoch, run};
    /* What can be refused at once is, before the minutes that training takes. */
    if ((run->options.plot != NULL && !plot_prepare(run->options.plot)) || !load(run) ||
        !model_create(&run->model, &run->options, &run->data, &callbacks) || !resume(run) || !prepare_records(run) ||
        !metrics_open(&run->metrics, run->options.metrics, run->options.resume != NULL))
        return false;
    if (!run->options.quiet)
        describe(run);
    return train(run) && prune(run) && draw(run) && print_result(run);
}

int main(int argc, char **argv)
{
    static struct run run; /* all zeros: what has not been made is not freed */
    switch (options_parse(&run.options, argc, argv)) {
    case OPTIONS_DONE:
        return EXIT_SUCCESS;
    case OPTIONS_WRONG:
        return EXIT_FAILURE;
    default:
        break;
    }
    bool good = run_all(&run);
    metrics_close(&run.metrics);
    model_destroy(&run.model);
    data_free(&run.data);
    free(run.epochs);
    free_attention(&run.before);
    free_attention(&run.after);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
