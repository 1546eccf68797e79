/**
 * @file parallel.h
 * @brief Training by several workers at once: WASAP-SGD, WASSP-SGD, replicas. Curci et al., arXiv 2102.01732.
 *
 * Phase 1 trains one model: in WASAP each worker hands in the gradient of a mini-batch whenever it has one and goes on
 * with the newest weights, nobody waits; in WASSP all workers' gradients of a step are averaged. In phase 2 every
 * worker trains a copy of its own, with its own evolution, and after each epoch the network becomes the mean of the
 * copies, on the union of their topologies trimmed to the connections that each layer had; the workers go on with their
 * copies and never look at the mean. Replicas have phase 2 only.
 *
 * An epoch is one pass over the training set by all workers together, so a run of E epochs sees as many samples as a
 * trainer's E epochs. In phase 1 each sample is seen once an epoch, though in WASAP a late gradient may count in
 * the next epoch; in phase 2 each worker draws its share of mini-batches in an order of its own.
 *
 * Workers are threads. Where a process cannot have as many (a build without OpenMP, a call from inside a parallel
 * region), the workers take turns on the caller's thread, which gives the results of one possible order.
 *
 * Threads come from OpenMP's runtime, which ends the process when the system refuses one (GNU libgomp: "Thread creation
 * failed"): a library cannot catch that. Workers beyond the processors bring nothing; each thread wants a stack of its
 * own (OMP_STACKSIZE, often 8 MiB of addresses). Where a limit on memory or processes may be met, set OMP_THREAD_LIMIT:
 * above it the workers take turns.
 */
#ifndef TSNN_PARALLEL_H
#define TSNN_PARALLEL_H

#include <stddef.h>
#include <stdint.h>

#include <tsnn/trainer.h>

TSNN_BEGIN_DECLS

/** How workers work together in phase 1. */
enum {
    TSNN_PARALLEL_WASAP = 0,   /**< Asynchronously. */
    TSNN_PARALLEL_WASSP = 1,   /**< In step; the same bits in every run. */
    TSNN_PARALLEL_REPLICAS = 2 /**< Not at all: phase 2 from the start; the same bits in every run. */
};

/** What becomes of a gradient whose topology has evolved away before it was handed in. */
enum {
    TSNN_RETAIN_VALID = 0, /**< The entries whose connections still exist count; new connections wait. */
    TSNN_DISCARD_STALE = 1 /**< It is dropped. */
};

/** One update of the asynchronous phase, in the order in which they were made. */
typedef struct tsnn_parallel_commit {
    int64_t worker;   /**< Who handed it in, from 0. */
    int64_t exchange; /**< Which mini-batches it is about: number of the exchange, from 0 over all epochs. */
    int64_t snapshot; /**< Updates that the weights held which it was computed on. */
} tsnn_parallel_commit;

/** Training by several workers. */
typedef struct tsnn_parallel tsnn_parallel;

/** Options of tsnn_parallel_create(). Zero means the default. What a mode would ignore is refused unless it is the
 * default: retain, stale_limit, keep_log and replay are WASAP's; replicas have no phase 1, so no phase_split,
 * local_steps, rate_multiple nor pruning. */
typedef struct tsnn_parallel_options {
    uint32_t struct_size;            /**< sizeof this struct. */
    int32_t mode;                    /**< TSNN_PARALLEL_*. */
    int32_t workers;                 /**< Required: 1 to 1024, at most the samples. */
    int32_t retain;                  /**< WASAP: TSNN_RETAIN_VALID or TSNN_DISCARD_STALE. */
    tsnn_network *network;           /**< Required. This and the next four must outlive the object. */
    const tsnn_loss *loss;           /**< Required. */
    const tsnn_optimizer *optimizer; /**< Required. */
    const tsnn_evolution *evolution; /**< After every epoch of phase 1 but the run's last; in phase 2 whenever a worker
                                        has seen as many samples as there are, unless less than that is left for it to
                                        learn from: every `workers` epochs, in a phase 2 of at least 2 x workers epochs.
                                        NULL: the topology stays. */
    tsnn_pruning *pruning; /**< On its own schedule in phase 1; never in phase 2, as the workers' neurons would differ;
                              not with REPLICAS. NULL: none. */
    const tsnn_schedule_options *schedule; /**< Copied; NULL: constant. */
    int64_t epochs;                        /**< Default 10. */
    int64_t batch;                         /**< Samples a mini-batch of a worker; default 128. */
    int64_t micro_batch;   /**< As in the trainer: samples at once, the gradient being accumulated over the batch. */
    int64_t local_steps;   /**< Phase 1: mini-batches between exchanges, whose gradients are summed up; default 1. */
    int64_t stale_limit;   /**< WASAP: updates that may come between fetching weights and handing a gradient in; a
                              gradient that missed more is dropped. Default: no limit. */
    double phase_split;    /**< Part of the epochs that is phase 1, in (0, 1]; default .7, rounded to whole epochs. */
    double rate_multiple;  /**< Phase 1: the learning rate's multiple. Default: WASAP 1, WASSP workers x local_steps. */
    double local_multiple; /**< Phase 2: the same. Default: 2 x workers, or 1 for one: the mean of K copies that each
                              see a K-th of the samples moves a K-th as far, and being calmer than they are bears more.
                              Decay counts K times a step whatever the multiple, so the mean decays as in a trainer. */
    double rate_warmup;    /**< Epochs of the run over which the multiples rise from 1; default 5. */
    double clip_norm;      /**< Largest norm of a worker's gradient; larger ones are scaled down. Default: off. */
    int32_t keep_log;      /**< WASAP: 1 keeps the log of commits for tsnn_parallel_get_log(). */
    int32_t reserved;      /**< 0. */
    const tsnn_parallel_commit *replay; /**< WASAP: the log of a complete phase 1 with the same options, seed and data,
                                           to be followed; copied. Where the log's run was stopped between epochs and
                                           went on, the replay does so too by itself, and in phase 1 it can be stopped
                                           and go on only there. NULL: none. */
    int64_t replay_count;               /**< Commits in it. */
    tsnn_step_callback on_step;         /**< After each step of worker 0, whose `samples` and `loss` it has. In phase 1
                                           `steps` are the exchanges of an epoch: in WASSP all workers take part in
                                           each; in WASAP they are those of all workers, and only those that worker 0
                                           handed in are reported: `step` jumps, a given number may never come, nor may
                                           any in a short epoch, so stop at `step >= n` or by a count of your own. In
                                           phase 2 they are worker 0's own mini-batches. NULL: none. */
    tsnn_epoch_callback on_epoch;       /**< After each epoch. In phase 2 train_loss and train_accuracy are of the
                                           workers' own copies, and `replaced` is the sum over these. NULL: none. */
    void *user;                         /**< Passed to both. */
} tsnn_parallel_options;

/** Initialises a tsnn_parallel_options to its defaults (workers, network, loss and optimizer remain to be set). */
#define TSNN_PARALLEL_OPTIONS_INIT                                                                                     \
    {                                                                                                                  \
        (uint32_t)sizeof(tsnn_parallel_options), 0, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, 0, 0.0, 0.0, \
            0.0, 0.0, 0.0, 0, 0, NULL, 0, NULL, NULL, NULL                                                             \
    }

/** @brief The same as TSNN_PARALLEL_OPTIONS_INIT. @return OK, NULL_ARGUMENT */
TSNN_API tsnn_status tsnn_parallel_options_init(tsnn_parallel_options *options);

/**
 * @brief Creates an object for training by several workers.
 * @param[out] out NULL on failure
 * @return OK, NULL_ARGUMENT, STRUCT_SIZE, INVALID_ARGUMENT (also: a loss that does not fit the last activation), STATE
 * (a network without layers), OUT_OF_MEMORY
 */
TSNN_API tsnn_status tsnn_parallel_create(tsnn_context *context, const tsnn_parallel_options *options,
                                          tsnn_parallel **out);

/** @brief Frees it, not its network, and sets *parallel to NULL. Takes NULL and a pointer to NULL. Does nothing in its
 * callbacks. */
TSNN_API void tsnn_parallel_destroy(tsnn_parallel **parallel);

/**
 * @brief Trains for the epochs that are left.
 *
 * The thread that calls is worker 0; both callbacks run on it. The on_epoch callback runs while no worker does: it may
 * use the library as anywhere else, read the network, save it; only tsnn_parallel_run() of this object is refused. What
 * it changes in the network (weights, topology, freezing, standardizer, activation format) reaches the workers in phase
 * 1, but not the copies that they have in phase
 * 2. The on_step callback runs beside the other workers: it may stop the run, but not use the context's objects. Custom
 * activations and a caller's allocator are called by the workers' threads, the allocator by one at a time. After
 * TSNN_STOPPED the network holds what was learned, and a further call goes on with the next epoch, the workers starting
 * from the network. After an error or a stop the epoch counts as done.
 * @param train samples to learn from
 * @param validation scored after each epoch; NULL: none
 * @return OK, STOPPED, NULL_ARGUMENT, INVALID_ARGUMENT (more workers than samples; a log that does not fit), SHAPE,
 * STATE (also: in its callbacks), CALLBACK, OVERFLOW, OUT_OF_MEMORY, NOT_FINITE (a worker's loss became NaN or
 * infinite)
 */
TSNN_API tsnn_status tsnn_parallel_run(tsnn_parallel *parallel, const tsnn_dataset *train,
                                       const tsnn_dataset *validation);

/** Bins of the staleness histogram; the last counts all that do not fit. */
enum { TSNN_STALENESS_BINS = 64 };

/** What the runs so far did. */
typedef struct tsnn_parallel_info {
    uint32_t struct_size;     /**< Set by the caller. */
    int32_t workers;          /**< As asked for. */
    int32_t concurrent;       /**< 1: each worker had a thread of its own; 0: they took turns. */
    int32_t reserved;         /**< 0. */
    int64_t epochs_done;      /**< Of all. */
    int64_t phase_one_epochs; /**< How many of all epochs belong to phase 1. */
    int64_t exchanges;        /**< Phase 1: updates of the model, those included that were dropped. */
    int64_t dropped;          /**< WASAP: gradients dropped by the limit or as stale. */
    int64_t entries_retained; /**< WASAP: entries of gradients from before an evolution that counted ... */
    int64_t entries_lost;     /**< ... and those whose connections were gone. */
    double phase_seconds[2];  /**< Steps, exchanges, evolution and averaging of each phase; not validation. */
    double compute_seconds;   /**< Sum over workers: passes through the network and local updates. */
    double exchange_seconds;  /**< Sum over workers: handing in and fetching, or summing up, with the model's update. */
    double wait_seconds;      /**< Sum over workers: waiting for each other, and at the end of epochs. */
    int64_t staleness_most;   /**< WASAP: most updates that came between fetch and commit. */
    double staleness_mean;    /**< The same as a mean. */
    int64_t staleness[TSNN_STALENESS_BINS]; /**< How many gradients had missed 0, 1, 2, ... updates. */
} tsnn_parallel_info;

/** Initialises a tsnn_parallel_info. */
#define TSNN_PARALLEL_INFO_INIT                                                                                        \
    {                                                                                                                  \
        (uint32_t)sizeof(tsnn_parallel_info), 0, 0, 0, 0, 0, 0, 0, 0, 0, {0.0, 0.0}, 0.0, 0.0, 0.0, 0, 0.0,            \
        {                                                                                                              \
            0                                                                                                          \
        }                                                                                                              \
    }

/** @brief Tells what the runs so far did. @return OK, NULL_ARGUMENT, STRUCT_SIZE */
TSNN_API tsnn_status tsnn_parallel_get_info(const tsnn_parallel *parallel, tsnn_parallel_info *info);

/** What one worker did. */
typedef struct tsnn_parallel_worker_info {
    uint32_t struct_size;       /**< Set by the caller. */
    int32_t has_validation;     /**< 1 when the two numbers below are set. */
    int64_t steps;              /**< Mini-batches. */
    int64_t samples;            /**< Trained on. */
    double compute_seconds;     /**< As in tsnn_parallel_info. */
    double exchange_seconds;    /**< The same. */
    double wait_seconds;        /**< The same. */
    double validation_loss;     /**< Of the worker's own copy after the last epoch of phase 2, before averaging. NaN or
                                     infinite where that copy has diverged though the mean has not. */
    double validation_accuracy; /**< The same. */
} tsnn_parallel_worker_info;

/** Initialises a tsnn_parallel_worker_info. */
#define TSNN_PARALLEL_WORKER_INFO_INIT                                                                                 \
    {                                                                                                                  \
        (uint32_t)sizeof(tsnn_parallel_worker_info), 0, 0, 0, 0.0, 0.0, 0.0, 0.0, 0.0                                  \
    }

/** @brief Tells what a worker did. @return OK, NULL_ARGUMENT, STRUCT_SIZE, INVALID_ARGUMENT (no such worker) */
TSNN_API tsnn_status tsnn_parallel_get_worker(const tsnn_parallel *parallel, int32_t worker,
                                              tsnn_parallel_worker_info *info);

/**
 * @brief Copies out the log of an asynchronous phase: of all its epochs, also when a run was stopped between them and
 * went on. A run that ended within an epoch leaves no log that can be replayed.
 * @param[out] commits NULL: not wanted
 * @param capacity commits that the array can hold
 * @param[out] count how many there are; NULL: not wanted
 * @return OK, NULL_ARGUMENT, STATE (no log was kept), BUFFER_TOO_SMALL
 */
TSNN_API tsnn_status tsnn_parallel_get_log(const tsnn_parallel *parallel, tsnn_parallel_commit *commits,
                                           int64_t capacity, int64_t *count);

TSNN_END_DECLS

#endif
