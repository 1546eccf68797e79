/* The options that train_parallel has beyond those of train_mlp. */
#ifndef TRAIN_PARALLEL_OPTIONS_H
#define TRAIN_PARALLEL_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct parallel_options {
    int32_t mode; /* TSNN_PARALLEL_* */
    int64_t workers;
    double phase_split; /* 0: the library's default, as below */
    int64_t local_steps;
    int64_t stale_limit;
    bool discard_stale;
    double rate_multiple;
    double local_multiple;
    double rate_warmup;
    const char *compare; /* NULL: one run; else a directory for the picture of all modes */
};

/* What to do after the command line has been read. */
enum parallel_options_result { PARALLEL_OPTIONS_RUN, PARALLEL_OPTIONS_HELP, PARALLEL_OPTIONS_WRONG };

/*
 * Takes its options out of argv, which keeps the others for options_parse(), and *argc with it. On WRONG a message has
 * been written; on HELP its part of the help has.
 */
enum parallel_options_result parallel_options_parse(struct parallel_options *options, int *argc, char **argv);

const char *parallel_mode_word(int32_t mode);

#endif
