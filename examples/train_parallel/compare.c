/* Three runs from the same start, their test accuracies over the seconds of training. */
#include "compare.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../train_mlp/input.h"
#include "../train_mlp/model.h"
#include "../train_mlp/plot.h"
#include "../train_mlp/text.h"
#include "workers.h"

static const char style[] =
    "set terminal pngcairo size 900,520 font 'sans,11'\n"
    "set output 'accuracy_over_time.png'\n"
    "set border 3 linecolor rgb '#555555'\n"
    "set tics nomirror textcolor rgb '#333333'\n"
    "set grid linecolor rgb '#e4e4e4' linetype 1 linewidth 1\n"
    "set xlabel 'seconds of training'\n"
    "set ylabel 'test accuracy'\n"
    "set key bottom right\n"
    "plot 'accuracy_over_time.dat' index 0 using 1:2 with linespoints linewidth 2.5 pointtype 7 pointsize 0.5 \\\n"
    "     linecolor rgb '#7a7a7a' title 'in sequence, 1 thread', \\\n"
    "     '' index 1 using 1:2 with linespoints linewidth 2.5 pointtype 7 pointsize 0.5 \\\n"
    "     linecolor rgb '#31688e' title sprintf('WASSP, %d workers', workers), \\\n"
    "     '' index 2 using 1:2 with linespoints linewidth 2.5 pointtype 7 pointsize 0.5 \\\n"
    "     linecolor rgb '#c8402f' title sprintf('WASAP, %d workers', workers)\n";

struct curve {
    FILE *file;
    double seconds;
};

static int32_t on_epoch(void *user, const tsnn_epoch_report *report)
{
    struct curve *curve = user;
    curve->seconds += report->train_seconds;
    fprintf(curve->file, "%.3f %.4f\n", curve->seconds, report->validation_accuracy);
    return 0;
}

/* One run, as a block of the data file. mode -1: in sequence. */
static bool add_curve(FILE *file, const struct options *options, const struct parallel_options *parallel, int32_t mode,
                      const struct data *data)
{
    struct curve curve = {.file = file};
    struct options own = *options;
    struct parallel_options workers_own = *parallel;
    const struct model_callbacks callbacks = {NULL, on_epoch, &curve};
    struct model model;
    tsnn_parallel *workers = NULL;
    own.threads = mode < 0 ? 1 : options->threads;
    if (!model_create(&model, &own, data, &callbacks))
        return false;
    fprintf(file, "# %s: seconds, test accuracy\n", mode < 0 ? "in sequence" : parallel_mode_word(mode));
    workers_own.mode = mode;
    if (mode != TSNN_PARALLEL_WASAP) { /* whose these are: others refuse them */
        workers_own.stale_limit = 0;
        workers_own.discard_stale = false;
    }
    tsnn_status status = TSNN_OK;
    bool good = mode < 0 || workers_create(&workers, &model, &own, &workers_own, &callbacks);
    if (good)
        status = mode < 0 ? tsnn_trainer_run(model.trainer, model.train, model.test)
                          : tsnn_parallel_run(workers, model.train, model.test);
    if (status < 0)
        good = model_complain(&model, "training failed", status);
    if (good && !options->quiet)
        printf("%-12s %7.2f s\n", mode < 0 ? "in sequence" : parallel_mode_word(mode), curve.seconds);
    fputs("\n\n", file);
    tsnn_parallel_destroy(&workers);
    model_destroy(&model);
    return good;
}

static FILE *create(const char *directory, const char *suffix)
{
    char *path = path_join(directory, "accuracy_over_time", suffix);
    FILE *file = path != NULL ? fopen(path, "w") : NULL;
    if (path != NULL && file == NULL)
        complain("%s: %s", path, strerror(errno));
    free(path);
    return file;
}

bool compare_draw(const struct options *options, const struct parallel_options *parallel, const struct data *data)
{
    static const int32_t modes[] = {-1, TSNN_PARALLEL_WASSP, TSNN_PARALLEL_WASAP};
    FILE *curves = plot_prepare(parallel->compare) ? create(parallel->compare, ".dat") : NULL;
    bool good = curves != NULL;
    for (int m = 0; good && m < 3; m++)
        good = add_curve(curves, options, parallel, modes[m], data);
    if (curves != NULL && fclose(curves) != 0)
        good = complain("%s: accuracy_over_time.dat cannot be written", parallel->compare);
    FILE *script = good ? create(parallel->compare, ".gp") : NULL;
    if (script == NULL)
        return false;
    fprintf(script, "workers = %d\n%s", (int)parallel->workers, style);
    if (fclose(script) != 0)
        return complain("%s: accuracy_over_time.gp cannot be written", parallel->compare);
    int status = plot_run_gnuplot(parallel->compare, "accuracy_over_time.gp");
    if (status != 0)
        warn("gnuplot %s; data and script are in %s", status == 127 ? "is not installed" : "failed", parallel->compare);
    return true;
}
