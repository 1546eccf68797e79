/**
 * @file schedule.h
 * @brief How the learning rate changes over the epochs.
 */
#ifndef TSNN_SCHEDULE_H
#define TSNN_SCHEDULE_H

#include <stdint.h>

#include <tsnn/export.h>
#include <tsnn/status.h>

TSNN_BEGIN_DECLS

/** Kinds of schedule. */
enum {
    TSNN_SCHEDULE_CONSTANT = 0,
    TSNN_SCHEDULE_STEP = 1,  /**< Multiplied by step_factor every step_epochs. */
    TSNN_SCHEDULE_COSINE = 2 /**< From 1 to final_factor along half a cosine, over the epochs after the warm-up. */
};

/** Options of a schedule, changed per step, not only per epoch. Zero means the default. What a kind would ignore is
 * refused unless it is the default. */
typedef struct tsnn_schedule_options {
    uint32_t struct_size; /**< sizeof this struct. */
    int32_t kind;         /**< TSNN_SCHEDULE_*. */
    double warmup_epochs; /**< The rate rises linearly to its full value over these epochs; default none. More than
                               there are: it only rises. */
    double step_epochs;   /**< STEP; default 10. */
    double step_factor;   /**< STEP, in (0, 1]; default .1. */
    double final_factor;  /**< COSINE, in [0, 1]; default 0. */
} tsnn_schedule_options;

/** Initialises a tsnn_schedule_options to its defaults. */
#define TSNN_SCHEDULE_OPTIONS_INIT                                                                                     \
    {                                                                                                                  \
        (uint32_t)sizeof(tsnn_schedule_options), 0, 0.0, 0.0, 0.0, 0.0                                                 \
    }

/** @brief The same as TSNN_SCHEDULE_OPTIONS_INIT. @return OK, NULL_ARGUMENT */
TSNN_API tsnn_status tsnn_schedule_options_init(tsnn_schedule_options *options);

/**
 * @brief The factor on the learning rate at some point of training.
 * @param options NULL: constant
 *
 * The trainer takes the warm-up at the end of each step, so that its first step does not have rate 0.
 * @param progress epochs done, with fractions; at least 0
 * @param epochs epochs in all, at least 1
 * @param[out] factor in [0, 1]
 * @return OK, NULL_ARGUMENT, STRUCT_SIZE, INVALID_ARGUMENT
 */
TSNN_API tsnn_status tsnn_schedule_factor(const tsnn_schedule_options *options, double progress, int64_t epochs,
                                          double *factor);

TSNN_END_DECLS

#endif
