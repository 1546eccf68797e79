/* What is seen while the network learns: an epoch table, and on a terminal a bar that is redrawn in place. */
#ifndef TRAIN_MLP_PROGRESS_H
#define TRAIN_MLP_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include <tsnn.h>

struct progress {
    bool quiet;
    bool bar;    /* standard output is a terminal that can redraw a line */
    bool colour; /* ... and colours are welcome */
    bool utf8;   /* ... and more than ASCII can be shown */
    bool drawn;  /* a bar stands on the current line */
    int64_t epochs;
    double start;  /* seconds, of a clock that only rises */
    double redraw; /* when the bar may be drawn again */
    double best;   /* test accuracy so far */
};

void progress_start(struct progress *progress, bool quiet, int64_t epochs);

void progress_step(struct progress *progress, const tsnn_step_report *report);

void progress_epoch(struct progress *progress, const tsnn_epoch_report *report);

/* Takes the bar away. */
void progress_end(struct progress *progress);

#endif
