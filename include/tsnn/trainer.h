/**
 * @file trainer.h
 * @brief Training: epochs of shuffled mini-batches, evolution and pruning between them, validation, callbacks.
 */
#ifndef TSNN_TRAINER_H
#define TSNN_TRAINER_H

#include <stddef.h>
#include <stdint.h>

#include <tsnn/evolution.h>
#include <tsnn/loss.h>
#include <tsnn/network.h>
#include <tsnn/optimizer.h>
#include <tsnn/pruning.h>
#include <tsnn/schedule.h>

TSNN_BEGIN_DECLS

/** What a step callback is told. What a step is to parallel training is said at tsnn_parallel_options.on_step. */
typedef struct tsnn_step_report {
    uint32_t struct_size; /**< sizeof this struct in the library. */
    int32_t reserved;     /**< 0. */
    int64_t epoch;        /**< From 1. */
    int64_t step;         /**< Of this epoch, from 1. */
    int64_t steps;        /**< Of an epoch. */
    int64_t samples;      /**< Of this step. */
    double loss;          /**< Mean loss of the step's samples, before its update. */
    double learning_rate; /**< Of this step. */
    double gradient_norm; /**< Before clipping; 0 when clipping is off. */
} tsnn_step_report;

/** What an epoch callback is told. */
typedef struct tsnn_epoch_report {
    uint32_t struct_size;       /**< sizeof this struct in the library. */
    int32_t has_validation;     /**< 1 when the validation numbers are set. */
    int64_t epoch;              /**< From 1. */
    int64_t epochs;             /**< In all. */
    int64_t samples;            /**< Trained on in this epoch. */
    double train_loss;          /**< Mean over the epoch, as it went: with dropout, weights changing. */
    double train_accuracy;      /**< The same; 0 for data without labels. */
    double validation_loss;     /**< After the epoch's last step, before evolution and pruning. */
    double validation_accuracy; /**< The same. */
    double learning_rate;       /**< Of the last step. */
    double train_seconds;       /**< Steps, evolution and pruning; not validation. */
    double evolution_seconds;   /**< Of these, evolution and pruning. */
    double validation_seconds;  /**< Validation. */
    int64_t replaced;           /**< Connections that evolution replaced after this epoch. */
    int64_t pruned;             /**< Neurons that pruning removed after this epoch. */
    int64_t connections;        /**< After all that. */
    int64_t neurons;            /**< The same, without the inputs. */
} tsnn_epoch_report;

/**
 * @brief Called after each step or epoch, on the thread that called the trainer.
 *
 * A callback may use the library as it is used anywhere else, on this context too: predict, evaluate, save the network
 * or the trainer (tsnn_trainer_save()), publish, take steps of its own (tsnn_trainer_step(), of which the reports of
 * the run know nothing). What it changes in the network is what the next step takes: weights, frozen layers, evolution
 * and pruning out of turn, an appended layer, the standardizer, the activation format; and the thread count. For the
 * trainer that runs, tsnn_trainer_run() and tsnn_trainer_resume() return STATE, and tsnn_trainer_destroy() does
 * nothing. What the run was given - network, loss, optimizer, evolution, pruning, data sets, context - must not be
 * destroyed.
 *
 * `user` is copied when the trainer is created, before there is a trainer to point to: let it point to a struct with a
 * place for the trainer, filled in afterwards.
 * @return 0: go on; positive: stop, the call returns TSNN_STOPPED; negative: stop with TSNN_ERROR_CALLBACK
 */
typedef int32_t (*tsnn_step_callback)(void *user, const tsnn_step_report *report);
/** @brief The same after each epoch: after its validation, pruning and evolution. */
typedef int32_t (*tsnn_epoch_callback)(void *user, const tsnn_epoch_report *report);

/** The order of samples. */
enum { TSNN_SHUFFLE = 0, TSNN_IN_ORDER = 1 };

/** A trainer of one network. */
typedef struct tsnn_trainer tsnn_trainer;

/** Options of tsnn_trainer_create(). Zero means the default. */
typedef struct tsnn_trainer_options {
    uint32_t struct_size;                  /**< sizeof this struct. */
    int32_t order;                         /**< TSNN_SHUFFLE (anew each epoch, every sample once) or TSNN_IN_ORDER. A
                                              shuffle follows from the context's seed and the number of the epoch: a
                                              second trainer repeats the first one's, as it counts from 1 too. */
    tsnn_network *network;                 /**< Required. This and the next four must outlive the trainer. */
    const tsnn_loss *loss;                 /**< Required. */
    const tsnn_optimizer *optimizer;       /**< Required. */
    const tsnn_evolution *evolution;       /**< After every epoch but the last; NULL: the topology stays. */
    tsnn_pruning *pruning;                 /**< On its own schedule, never after the last epoch; NULL: none. */
    const tsnn_schedule_options *schedule; /**< Copied; NULL: constant. */
    int64_t epochs;                        /**< Default 10. */
    int64_t batch;       /**< Samples a step; default 128; the last step of an epoch takes what is left. */
    int64_t micro_batch; /**< Samples at once, the gradient being accumulated over the batch; default: the batch, which
                            is what a larger number means too. */
    double clip_norm;    /**< Largest norm of the whole gradient; larger ones are scaled down. Default: off. */
    tsnn_step_callback on_step;   /**< NULL: none. */
    tsnn_epoch_callback on_epoch; /**< NULL: none. */
    void *user;                   /**< Passed to both. */
} tsnn_trainer_options;

/** Initialises a tsnn_trainer_options to its defaults (network, loss and optimizer remain to be set). */
#define TSNN_TRAINER_OPTIONS_INIT                                                                                      \
    {                                                                                                                  \
        (uint32_t)sizeof(tsnn_trainer_options), 0, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0.0, NULL, NULL, NULL  \
    }

/** @brief The same as TSNN_TRAINER_OPTIONS_INIT. @return OK, NULL_ARGUMENT */
TSNN_API tsnn_status tsnn_trainer_options_init(tsnn_trainer_options *options);

/**
 * @brief Creates a trainer.
 * @param[out] out NULL on failure
 * @return OK, NULL_ARGUMENT, STRUCT_SIZE, INVALID_ARGUMENT (also: a loss that does not fit the last activation), STATE
 * (a network without layers), OUT_OF_MEMORY
 */
TSNN_API tsnn_status tsnn_trainer_create(tsnn_context *context, const tsnn_trainer_options *options,
                                         tsnn_trainer **out);

/** @brief Frees a trainer, not its network, and sets *trainer to NULL. Takes NULL and a pointer to NULL. Does nothing
 * in a callback of this trainer. */
TSNN_API void tsnn_trainer_destroy(tsnn_trainer **trainer);

/**
 * @brief Trains for the epochs that are left.
 *
 * After TSNN_STOPPED, and after CALLBACK, a further call goes on where this one ended, and ends with the bits of a run
 * that was never stopped: with the next epoch, or within the epoch when a step callback stopped it; then the training
 * set must have as many samples as before (STATE). After another error the epoch in which it struck counts as done: its
 * steps are kept, what would have followed them (validation, pruning, evolution) is skipped. With no epoch left nothing
 * is done: OK, and no callback is called.
 * @param train samples to learn from
 * @param validation scored after each epoch; NULL: none
 * @return OK, STOPPED, NULL_ARGUMENT, INVALID_ARGUMENT, SHAPE, STATE (also: in a callback of this trainer), CALLBACK,
 * OVERFLOW, OUT_OF_MEMORY, NOT_FINITE (the loss became NaN or infinite: the learning rate is too high; weights are as
 * the diverged steps left them)
 */
TSNN_API tsnn_status tsnn_trainer_run(tsnn_trainer *trainer, const tsnn_dataset *train, const tsnn_dataset *validation);

/**
 * @brief One step on samples of the caller's choice, for training loops of one's own. No evolution, pruning or
 * callbacks.
 * @param samples count sample numbers of the data set; NULL: the first count
 * @param count at least 1, at most the batch
 * @param rate_factor multiplies the learning rate in place of the schedule
 * @param[out] loss mean loss before the update; NULL: not wanted
 * @return OK, NULL_ARGUMENT, INVALID_ARGUMENT, SHAPE, STATE, OVERFLOW, OUT_OF_MEMORY, NOT_FINITE
 */
TSNN_API tsnn_status tsnn_trainer_step(tsnn_trainer *trainer, const tsnn_dataset *dataset, const int64_t *samples,
                                       int64_t count, double rate_factor, double *loss);

TSNN_END_DECLS

#endif
