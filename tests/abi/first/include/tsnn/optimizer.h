/**
 * @file optimizer.h
 * @brief How a gradient changes weights.
 *
 * With gradient g, learning rate r, momentum m and weight decay d, for every connection and bias:
 *
 *     L2 decay:         g <- g + d w
 *     SGD, momentum:    v <- m v - r g;  w <- w + v            (SGD: m = 0)
 *     Nesterov:         v <- m v - r g;  w <- w + m v - r g
 *     decoupled decay:  d w, with the weight before the step, is taken off as well; not scaled by r
 */
#ifndef TSNN_OPTIMIZER_H
#define TSNN_OPTIMIZER_H

#include <stddef.h>
#include <stdint.h>

#include <tsnn/gradient.h>

TSNN_BEGIN_DECLS

/** Kinds of optimizer. */
enum { TSNN_OPTIMIZER_SGD = 0, TSNN_OPTIMIZER_MOMENTUM = 1, TSNN_OPTIMIZER_NESTEROV = 2 };

/** Kinds of weight decay. */
enum {
    TSNN_DECAY_DECOUPLED = 0, /**< As the original does: per step, not scaled by the learning rate. */
    TSNN_DECAY_L2 = 1         /**< Part of the gradient. */
};

/** An optimizer: its rule and numbers. The momentum itself lives in the layers. */
typedef struct tsnn_optimizer tsnn_optimizer;

/** Options of tsnn_optimizer_create(). Zero means the default. */
typedef struct tsnn_optimizer_options {
    uint32_t struct_size; /**< sizeof this struct. */
    int32_t kind;         /**< TSNN_OPTIMIZER_*. */
    double learning_rate; /**< Above 0; default .01. */
    double momentum;      /**< In (0, 1) for MOMENTUM and NESTEROV; default .9. Must be 0 for SGD. */
    double weight_decay;  /**< In [0, 1); default none. */
    int32_t decay;        /**< TSNN_DECAY_*. */
    int32_t reserved;     /**< 0. */
} tsnn_optimizer_options;

/** Initialises a tsnn_optimizer_options to its defaults. */
#define TSNN_OPTIMIZER_OPTIONS_INIT                                                                                    \
    {                                                                                                                  \
        (uint32_t)sizeof(tsnn_optimizer_options), 0, 0.0, 0.0, 0.0, 0, 0                                               \
    }

/** @brief The same as TSNN_OPTIMIZER_OPTIONS_INIT. @return OK, NULL_ARGUMENT */
TSNN_API tsnn_status tsnn_optimizer_options_init(tsnn_optimizer_options *options);

/**
 * @brief Creates an optimizer.
 * @param options NULL: SGD with learning rate .01
 * @param[out] out NULL on failure
 * @return OK, NULL_ARGUMENT, STRUCT_SIZE, INVALID_ARGUMENT, OUT_OF_MEMORY
 */
TSNN_API tsnn_status tsnn_optimizer_create(tsnn_context *context, const tsnn_optimizer_options *options,
                                           tsnn_optimizer **out);

/** @brief Frees an optimizer and sets *optimizer to NULL. Takes NULL and a pointer to NULL. */
TSNN_API void tsnn_optimizer_destroy(tsnn_optimizer **optimizer);

/**
 * @brief One step: changes the network's weights, biases and momentum by a gradient. Frozen layers stay.
 * @param rate_factor finite, at least 0; the learning rate is multiplied by it (1: as it is)
 * @return OK, NULL_ARGUMENT, INVALID_ARGUMENT, STATE (the gradient belongs to another topology), OUT_OF_MEMORY
 */
TSNN_API tsnn_status tsnn_optimizer_apply(const tsnn_optimizer *optimizer, tsnn_network *network,
                                          const tsnn_gradient *gradient, double rate_factor);

TSNN_END_DECLS

#endif
