/* The command line. */
#ifndef TRAIN_MLP_OPTIONS_H
#define TRAIN_MLP_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* Most hidden layers that --hidden takes. */
enum { OPTIONS_HIDDEN = 64 };

/* The hidden layers, from the input to the output. */
struct sizes {
    int64_t count;
    int64_t neurons[OPTIONS_HIDDEN];
};

/* Every option; choices hold the library's TSNN_* values. Where 0 is no sensible value, 0 means "not given". */
struct options {
    /* data */
    const char *data; /* NULL: Fashion-MNIST where Debian's package puts it, else the embedded sample */
    int64_t label_column;
    bool no_standardize;
    /* network */
    struct sizes hidden;
    double epsilon;
    int32_t sampling;
    int32_t activation;
    double alpha; /* NaN: the library's default for the activation */
    double dropout;
    int32_t init;
    int32_t fan;
    double init_scale;
    bool bf16;
    /* training */
    int64_t epochs;
    int64_t batch;
    int64_t micro_batch;
    int32_t loss;
    double label_smoothing;
    int32_t optimizer;
    double rate;
    double momentum; /* NaN: .9, or 0 for plain SGD */
    double weight_decay;
    int32_t decay;
    double clip_norm;
    int32_t schedule;
    double warmup;
    double step_epochs;
    double step_factor;
    double final_factor;
    /* topology */
    double zeta;
    double prune_percentile;
    double prune_threshold;
    int64_t prune_first;
    int64_t prune_every;
    double prune_after;
    bool fold;
    /* machine */
    int64_t threads; /* 0: all processors */
    int32_t isa;
    uint64_t seed;
    /* output */
    const char *save;
    const char *resume;
    const char *metrics;
    const char *plot;
    bool quiet;
};

/* What to do after the command line has been read. */
enum options_result { OPTIONS_RUN, OPTIONS_DONE, OPTIONS_WRONG };

/*
 * Reads the command line. OPTIONS_DONE: --help or --version has been answered; OPTIONS_WRONG: a message has been
 * written to standard error. Texts point into argv.
 */
enum options_result options_parse(struct options *options, int argc, char **argv);

/* Whether pruning during training was asked for. */
bool options_prune_in_training(const struct options *options);

#endif
