/* One JSON object an epoch, a line each, written with jansson. */
#include "metrics.h"

#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "text.h"

bool metrics_open(struct metrics *metrics, const char *path, bool append)
{
    metrics->path = path;
    metrics->file = path != NULL ? fopen(path, append ? "a" : "w") : NULL;
    return path == NULL || metrics->file != NULL || complain("--metrics %s: %s", path, strerror(errno));
}

/* clang-format off */
static json_t *as_json(const tsnn_epoch_report *report)
{
    return json_pack("{s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:I, s:I, s:I, s:I}",
                     "epoch", (json_int_t)report->epoch,
                     "epochs", (json_int_t)report->epochs,
                     "train_loss", report->train_loss,
                     "train_accuracy", report->train_accuracy,
                     "test_loss", report->validation_loss,
                     "test_accuracy", report->validation_accuracy,
                     "learning_rate", report->learning_rate,
                     "train_seconds", report->train_seconds,
                     "evolution_seconds", report->evolution_seconds,
                     "test_seconds", report->validation_seconds,
                     "replaced", (json_int_t)report->replaced,
                     "pruned", (json_int_t)report->pruned,
                     "connections", (json_int_t)report->connections,
                     "neurons", (json_int_t)report->neurons);
}
/* clang-format on */

void metrics_write(struct metrics *metrics, const tsnn_epoch_report *report)
{
    if (metrics->file == NULL)
        return;
    json_t *line = as_json(report);
    int failed = line == NULL || json_dumpf(line, metrics->file, JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(9)) != 0 ||
                 fputc('\n', metrics->file) == EOF || fflush(metrics->file) != 0;
    json_decref(line);
    if (failed) {
        warn("--metrics %s: epoch %lld and later ones are not written: %s", metrics->path, (long long)report->epoch,
             line == NULL ? "a number is not finite, or memory is out" : strerror(errno));
        metrics_close(metrics);
    }
}

void metrics_close(struct metrics *metrics)
{
    if (metrics->file != NULL)
        fclose(metrics->file);
    metrics->file = NULL;
}
