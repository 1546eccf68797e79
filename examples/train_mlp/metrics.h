/* One JSON object an epoch, a line each. */
#ifndef TRAIN_MLP_METRICS_H
#define TRAIN_MLP_METRICS_H

#include <stdbool.h>
#include <stdio.h>

#include <tsnn.h>

struct metrics {
    FILE *file;       /* NULL: no metrics */
    const char *path; /* the caller's */
};

/* path: NULL for no metrics. False: the file cannot be written, which has been said. */
bool metrics_open(struct metrics *metrics, const char *path, bool append);

/* Writes a line, and has it on disk for readers at once. A full disk is a warning: training is worth more. */
void metrics_write(struct metrics *metrics, const tsnn_epoch_report *report);

void metrics_close(struct metrics *metrics);

#endif
