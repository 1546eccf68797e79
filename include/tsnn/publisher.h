/**
 * @file publisher.h
 * @brief Snapshots: a trainer, or whoever loads model files, publishes predictors that other threads pick up while they
 * serve, without a lock.
 *
 * A publisher has one current predictor. Publishing another swaps it; each subscriber takes the current one anew in
 * every call, keeps to it until the call ends, and sees versions that never fall. A subscriber's calls allocate
 * nothing, take no lock, make no system call and never wait, whatever the publishing thread does; neither does
 * publishing wait for subscribers: a predictor that one of them still uses is kept, and freed by a later publication.
 *
 * Memory: a subscriber keeps at most one predictor, so at most subscribers + 2 are alive: those, the current one, and
 * the one that is being made. In practice it is two or three.
 *
 * Thread rule: a publisher is used by one thread at a time, as the context that it was made with. Subscribers are made,
 * used and destroyed on any threads at any time while the publisher lives, each by one thread at a time.
 */
#ifndef TSNN_PUBLISHER_H
#define TSNN_PUBLISHER_H

#include <stdint.h>

#include <tsnn/predictor.h>

TSNN_BEGIN_DECLS

/** The current predictor and those that are still in use. */
typedef struct tsnn_publisher tsnn_publisher;
/** One thread's way to the current predictor, with the memory to use it. */
typedef struct tsnn_subscriber tsnn_subscriber;

/** Options of tsnn_publisher_create(). Zero means the default. */
typedef struct tsnn_publisher_options {
    uint32_t struct_size; /**< sizeof this struct. */
    int32_t subscribers;  /**< Most at a time, 1..65,536; default: 64. Each place takes 64 bytes. */
    /**
     * Neurons of the widest layer, inputs included, that a predictor may have: the memory of subscribers is made for
     * it. Default: those of the first predictor, which does for any later state of the same network, since pruning only
     * removes neurons.
     */
    int64_t widest;
} tsnn_publisher_options;

/** Initialises a tsnn_publisher_options to its defaults. */
#define TSNN_PUBLISHER_OPTIONS_INIT                                                                                    \
    {                                                                                                                  \
        (uint32_t)sizeof(tsnn_publisher_options), 0, 0                                                                 \
    }

/** @brief The same as TSNN_PUBLISHER_OPTIONS_INIT. @return OK, NULL_ARGUMENT */
TSNN_API tsnn_status tsnn_publisher_options_init(tsnn_publisher_options *options);

/**
 * @brief Makes a publisher and publishes its first predictor, which becomes version 1.
 * @param[in,out] predictor taken over and set to NULL; unchanged on failure. No thread may be using it
 * @param options NULL: the defaults
 * @param[out] out NULL on failure
 * @return OK, NULL_ARGUMENT, STRUCT_SIZE, INVALID_ARGUMENT (options; widest below that of the predictor), OUT_OF_MEMORY
 */
TSNN_API tsnn_status tsnn_publisher_create(tsnn_context *context, tsnn_predictor **predictor,
                                           const tsnn_publisher_options *options, tsnn_publisher **out);

/** @brief Frees a publisher with all its predictors and sets *publisher to NULL. Takes NULL and a pointer to NULL. All
 * its subscribers must have been destroyed. */
TSNN_API void tsnn_publisher_destroy(tsnn_publisher **publisher);

/**
 * @brief Publishes a predictor: the next version, which every later call of a subscriber uses. Then frees the
 * predictors that no subscriber uses any longer. Allocates nothing and never waits.
 * @param[in,out] predictor taken over and set to NULL; unchanged on failure. No thread may be using it
 * @return OK, NULL_ARGUMENT, SHAPE (other inputs or outputs than the first, or a layer above `widest`)
 */
TSNN_API tsnn_status tsnn_publisher_publish(tsnn_publisher *publisher, tsnn_predictor **predictor);

/**
 * @brief Packs a network as it is now, and publishes it. For callbacks of a trainer (`on_epoch`, `on_step`), or a loop
 * of your own.
 *
 * Packed as the current predictor is: its TSNN_PACK_* and skip_zeros. Takes the time of tsnn_predictor_create(), on
 * this thread. A library built with INFERENCE_ONLY=1, which has no networks, lacks this function.
 * @param network not changed meanwhile
 * @return as tsnn_predictor_create() and tsnn_publisher_publish(); the current predictor stays after a failure
 */
TSNN_API tsnn_status tsnn_publisher_publish_network(tsnn_publisher *publisher, const tsnn_network *network);

/** What a publisher has. */
typedef struct tsnn_publisher_info {
    uint32_t struct_size; /**< Set by the caller. */
    int32_t subscribers;  /**< That are there now. */
    int64_t version;      /**< Of the current predictor: 1, 2, 3, ... */
    int64_t alive;        /**< Predictors in memory, the current one included. */
} tsnn_publisher_info;

/** Initialises a tsnn_publisher_info. */
#define TSNN_PUBLISHER_INFO_INIT                                                                                       \
    {                                                                                                                  \
        (uint32_t)sizeof(tsnn_publisher_info), 0, 0, 0                                                                 \
    }

/** @brief Tells what a publisher has. On the publishing thread. @return OK, NULL_ARGUMENT, STRUCT_SIZE */
TSNN_API tsnn_status tsnn_publisher_get_info(const tsnn_publisher *publisher, tsnn_publisher_info *info);

/**
 * @brief Makes a subscriber. Safe from any thread; the allocator of the publisher's context is called on this one.
 * @param batch as in tsnn_predictor_workspace_create(); the memory is that of such a workspace, for layers as wide as
 *        `widest`
 * @param[out] out NULL on failure
 * @return OK, NULL_ARGUMENT, INVALID_ARGUMENT (batch), STATE (all places are taken), OVERFLOW, OUT_OF_MEMORY
 */
TSNN_API tsnn_status tsnn_subscriber_create(tsnn_publisher *publisher, int64_t batch, tsnn_subscriber **out);

/** @brief Frees a subscriber and its place, and sets *subscriber to NULL. Takes NULL and a pointer to NULL. */
TSNN_API void tsnn_subscriber_destroy(tsnn_subscriber **subscriber);

/**
 * @brief Keeps this subscriber to the predictor that is current now, until tsnn_subscriber_release(): several calls get
 * answers of one version.
 * @param[out] version of that predictor; NULL: not wanted
 * @return OK, NULL_ARGUMENT, STATE (it holds one already)
 */
TSNN_API tsnn_status tsnn_subscriber_hold(tsnn_subscriber *subscriber, int64_t *version);

/** @brief Ends tsnn_subscriber_hold(). @return OK, NULL_ARGUMENT, STATE (it holds none) */
TSNN_API tsnn_status tsnn_subscriber_release(tsnn_subscriber *subscriber);

/**
 * @brief tsnn_predictor_run() with the current predictor, or the one that is held.
 * @param[out] version of the predictor that answered; NULL: not wanted
 * @return as tsnn_predictor_run(); the detail is in tsnn_subscriber_error()
 */
TSNN_API tsnn_status tsnn_subscriber_run(tsnn_subscriber *subscriber, const tsnn_samples *samples,
                                         const tsnn_answers *answers, int64_t *version);

/** @brief tsnn_predictor_predict() with the current predictor, or the one that is held. @return as
 * tsnn_subscriber_run() */
TSNN_API tsnn_status tsnn_subscriber_predict(tsnn_subscriber *subscriber, const float *features, int64_t samples,
                                             float *outputs, int64_t capacity, int64_t *version);

/** @brief tsnn_predictor_classify() with the current predictor, or the one that is held. @return as
 * tsnn_subscriber_run() */
TSNN_API tsnn_status tsnn_subscriber_classify(tsnn_subscriber *subscriber, const float *features, int64_t samples,
                                              int32_t *labels, int64_t capacity, int64_t *version);

/** @brief Copies out the message of the last failed call with this subscriber. Arguments as
 * tsnn_predictor_workspace_error(). */
TSNN_API tsnn_status tsnn_subscriber_error(const tsnn_subscriber *subscriber, char *buffer, int64_t capacity,
                                           tsnn_status *code);

TSNN_END_DECLS

#endif
