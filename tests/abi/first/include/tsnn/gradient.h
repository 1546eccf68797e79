/**
 * @file gradient.h
 * @brief The gradient of a network's loss as an object: for accumulation, clipping, and training loops of one's own.
 */
#ifndef TSNN_GRADIENT_H
#define TSNN_GRADIENT_H

#include <stddef.h>
#include <stdint.h>

#include <tsnn/network.h>

TSNN_BEGIN_DECLS

/** One number for each connection and bias of a network. */
typedef struct tsnn_gradient tsnn_gradient;

/**
 * @brief Creates a gradient of zeros for the topology that the network has now.
 *
 * After evolution or pruning the topology is another one: then the calls below return STATE, and a new gradient is
 * needed.
 * @param[out] out NULL on failure
 * @return OK, NULL_ARGUMENT, STATE (no layers), OUT_OF_MEMORY
 */
TSNN_API tsnn_status tsnn_gradient_create(const tsnn_network *network, tsnn_gradient **out);

/** @brief Frees a gradient and sets *gradient to NULL. Takes NULL and a pointer to NULL. */
TSNN_API void tsnn_gradient_destroy(tsnn_gradient **gradient);

/** @brief Sets every number to zero. @return OK, NULL_ARGUMENT */
TSNN_API tsnn_status tsnn_gradient_clear(tsnn_gradient *gradient);

/**
 * @brief Adds the gradient of the mean loss of some samples, without dropout.
 * @param samples count sample numbers of the data set; NULL: the first count
 * @param count at least 1
 * @param[out] value the mean loss; NULL: not wanted
 * @return OK, NULL_ARGUMENT, INVALID_ARGUMENT, SHAPE, STATE, OUT_OF_MEMORY, NOT_FINITE (the loss is NaN or infinite;
 *         the gradient may then hold a part of the sum)
 */
TSNN_API tsnn_status tsnn_gradient_add(tsnn_gradient *gradient, const tsnn_network *network, const tsnn_loss *loss,
                                       const tsnn_dataset *dataset, const int64_t *samples, int64_t count,
                                       double *value);

/** @brief Multiplies every number by a finite factor. @return OK, NULL_ARGUMENT, INVALID_ARGUMENT */
TSNN_API tsnn_status tsnn_gradient_scale(tsnn_gradient *gradient, double factor);

/** @brief The Euclidean norm over all numbers. @return OK, NULL_ARGUMENT */
TSNN_API tsnn_status tsnn_gradient_norm(const tsnn_gradient *gradient, double *norm);

/**
 * @brief Copies out one layer's gradient.
 * @param[out] weights one number a connection, in CSR order; NULL: not wanted
 * @param[out] bias one number an output; NULL: not wanted
 * @return OK, NULL_ARGUMENT, INVALID_ARGUMENT (no such layer), BUFFER_TOO_SMALL
 */
TSNN_API tsnn_status tsnn_gradient_get(const tsnn_gradient *gradient, int64_t layer, float *weights, int64_t capacity,
                                       float *bias, int64_t bias_capacity);

TSNN_END_DECLS

#endif
