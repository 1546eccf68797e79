/* Pictures of a training run, drawn by gnuplot. */
#ifndef TRAIN_MLP_PLOT_H
#define TRAIN_MLP_PLOT_H

#include <stdbool.h>
#include <stdint.h>

#include <tsnn.h>

#include "model.h"

/* What there is to draw. All arrays are the caller's. */
struct plot {
    const char *directory;
    const char *title; /* "Fashion-MNIST, 784-1000-1000-1000-10, ..." */
    const tsnn_epoch_report *epochs;
    int64_t epoch_count;
    int64_t features;
    const struct attention *before; /* as drawn at random */
    const struct attention *after;  /* as trained */
};

/* Makes the directory where it is missing. False: it cannot be written to, which has been said. */
bool plot_prepare(const char *directory);

/*
 * Writes learning_curves and input_connections: data (.dat), script (.gp), and with gnuplot the picture (.png).
 * Where gnuplot is missing or fails a warning tells how to draw later. False: a file cannot be written, which has been
 * said. *drawn: whether the pictures are there.
 */
bool plot_draw(const struct plot *plot, bool *drawn);

/* Runs gnuplot on a script in the directory, without a shell. Its exit status; 127: there is no gnuplot. */
int plot_run_gnuplot(const char *directory, const char *script);

#endif
