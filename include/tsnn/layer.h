/**
 * @file layer.h
 * @brief A sparse layer: the connections between two groups of neurons, their weights, and the biases of the second
 * group.
 *
 * Weights are a compressed sparse row (CSR) matrix of inputs x outputs; there is no dense matrix and no mask anywhere.
 * Training takes 16 bytes a connection where neither dimension exceeds 65,536, else up to 20.
 */
#ifndef TSNN_LAYER_H
#define TSNN_LAYER_H

#include <stddef.h>
#include <stdint.h>

#include <tsnn/context.h>

TSNN_BEGIN_DECLS

/** How a random topology is drawn. */
enum {
    TSNN_SAMPLING_BERNOULLI = 0, /**< Each cell by itself: the number of connections varies a little. */
    TSNN_SAMPLING_EXACT = 1      /**< Exactly round(density * inputs * outputs) connections. */
};

/** Where fresh weights come from. */
enum {
    TSNN_INIT_HE_UNIFORM = 0,     /**< U(-a, a), a = sqrt(6 / fan_in). */
    TSNN_INIT_XAVIER_UNIFORM = 1, /**< U(-a, a), a = sqrt(6 / (fan_in + fan_out)). */
    TSNN_INIT_NORMAL = 2          /**< N(0, 1) / 10. */
};

/** What fan-in and fan-out mean in the rules above. */
enum {
    TSNN_FAN_DENSE = 0, /**< The layer's dimensions, as the original does. */
    TSNN_FAN_SPARSE =
        1 /**< Connections that the neurons really have: the layer's mean, so that signals keep their size. */
};

/** A sparse layer. */
typedef struct tsnn_layer tsnn_layer;

/** Options of tsnn_layer_create(). Zero means the default. */
typedef struct tsnn_layer_options {
    uint32_t struct_size; /**< sizeof this struct. */
    int32_t sampling;     /**< TSNN_SAMPLING_*. */
    int64_t inputs;       /**< Neurons before, 1..2^31 - 1. Required. */
    int64_t outputs;      /**< Neurons of this layer, 1..2^31 - 1. Required. */
    double epsilon;    /**< Density = min(1, epsilon (inputs + outputs) / (inputs outputs)); default 20. Mocanu et al.,
                          2018. */
    double density;    /**< In (0, 1]; instead of epsilon. */
    double init_scale; /**< Factor on the first weights, not on those that evolution grows; default 1. */
    int32_t init;      /**< TSNN_INIT_*; evolution draws the weights of new connections by the same rule. */
    int32_t fan;       /**< TSNN_FAN_*. */
    int64_t stream; /**< Keys the random numbers; default: 1, 2, 3, ... in the order of creation. At most 2^24 - 1. */
} tsnn_layer_options;

/** Initialises a tsnn_layer_options to its defaults (inputs and outputs remain to be set). */
#define TSNN_LAYER_OPTIONS_INIT                                                                                        \
    {                                                                                                                  \
        (uint32_t)sizeof(tsnn_layer_options), 0, 0, 0, 0.0, 0.0, 0.0, 0, 0, 0                                          \
    }

/** @brief The same as TSNN_LAYER_OPTIONS_INIT. @return OK, NULL_ARGUMENT */
TSNN_API tsnn_status tsnn_layer_options_init(tsnn_layer_options *options);

/**
 * @brief Creates a layer with a random topology (Erdos-Renyi), random weights and zero biases, in O(connections).
 * @param[out] out NULL on failure
 * @return OK, NULL_ARGUMENT, STRUCT_SIZE, INVALID_ARGUMENT, SHAPE (a dimension outside its range), OVERFLOW (more than
 *         2^32 - 1 connections), OUT_OF_MEMORY
 */
TSNN_API tsnn_status tsnn_layer_create(tsnn_context *context, const tsnn_layer_options *options, tsnn_layer **out);

/** Whether CSR arrays are checked before use. */
enum { TSNN_CHECKED = 0, TSNN_TRUSTED = 1 };

/**
 * @brief Creates a layer from the caller's CSR arrays, which are copied.
 * @param inputs rows
 * @param outputs columns
 * @param connections length of column and values
 * @param row_ptr inputs + 1 offsets: row_ptr[0] = 0, never falling, row_ptr[inputs] = connections
 * @param column rising strictly within a row, in [0, outputs); may be NULL when there are no connections
 * @param values finite weights; as column
 * @param bias outputs finite numbers; NULL: zeros
 * @param trust TSNN_CHECKED, or TSNN_TRUSTED to skip the checks of arrays that are known to be valid
 * @param[out] out NULL on failure
 * @return OK, NULL_ARGUMENT, SHAPE, STRUCTURE (also: more connections than cells), NOT_FINITE, INVALID_ARGUMENT (trust;
 *         connections below 0), OVERFLOW (connections above 2^32 - 1), OUT_OF_MEMORY
 */
TSNN_API tsnn_status tsnn_layer_create_from_csr(tsnn_context *context, int64_t inputs, int64_t outputs,
                                                int64_t connections, const int64_t *row_ptr, const int32_t *column,
                                                const float *values, const float *bias, int32_t trust,
                                                tsnn_layer **out);

/**
 * @brief Creates a layer from coordinate triplets (input, output, weight) in any order; duplicates are refused.
 * @param row connections input numbers in [0, inputs)
 * @param column connections output numbers in [0, outputs)
 * @return as tsnn_layer_create_from_csr()
 */
TSNN_API tsnn_status tsnn_layer_create_from_coo(tsnn_context *context, int64_t inputs, int64_t outputs,
                                                int64_t connections, const int32_t *row, const int32_t *column,
                                                const float *values, const float *bias, tsnn_layer **out);

/** @brief Frees a layer and sets *layer to NULL. Takes NULL and a pointer to NULL. Does nothing to a layer that a
 * network owns and has lent. */
TSNN_API void tsnn_layer_destroy(tsnn_layer **layer);

/** The size of a layer. */
typedef struct tsnn_layer_info {
    uint32_t struct_size; /**< Set by the caller. */
    int32_t frozen;       /**< 1 when training leaves the layer alone. */
    int64_t inputs;       /**< Neurons before. */
    int64_t outputs;      /**< Neurons of the layer. */
    int64_t connections;  /**< Stored weights. */
    double density;       /**< connections / (inputs outputs). */
    int64_t bytes;        /**< Memory of weights, velocities, indices and biases. */
    int32_t index_bytes;  /**< Bytes of a column index inside: 2 or 4. */
    int32_t reserved;     /**< 0. */
} tsnn_layer_info;

/** Initialises a tsnn_layer_info. */
#define TSNN_LAYER_INFO_INIT                                                                                           \
    {                                                                                                                  \
        (uint32_t)sizeof(tsnn_layer_info), 0, 0, 0, 0, 0.0, 0, 0, 0                                                    \
    }

/** @brief Tells the size of a layer. @return OK, NULL_ARGUMENT, STRUCT_SIZE */
TSNN_API tsnn_status tsnn_layer_get_info(const tsnn_layer *layer, tsnn_layer_info *info);

/**
 * @brief Copies the layer out as CSR.
 * @param[out] row_ptr inputs + 1 numbers; NULL: not wanted
 * @param row_ptr_capacity numbers that row_ptr can hold
 * @param[out] column connections numbers; NULL: not wanted
 * @param[out] values connections numbers; NULL: not wanted
 * @param capacity numbers that column and values can hold
 * @return OK, NULL_ARGUMENT (layer), BUFFER_TOO_SMALL (nothing written)
 */
TSNN_API tsnn_status tsnn_layer_get_csr(const tsnn_layer *layer, int64_t *row_ptr, int64_t row_ptr_capacity,
                                        int32_t *column, float *values, int64_t capacity);

/** @brief Copies the layer out as triplets in row-major order. Arrays and errors as tsnn_layer_get_csr(). */
TSNN_API tsnn_status tsnn_layer_get_coo(const tsnn_layer *layer, int32_t *row, int32_t *column, float *values,
                                        int64_t capacity);

/** @brief Copies out the biases. @param capacity numbers that bias can hold, at least outputs @return OK,
 * NULL_ARGUMENT, BUFFER_TOO_SMALL */
TSNN_API tsnn_status tsnn_layer_get_bias(const tsnn_layer *layer, float *bias, int64_t capacity);

/**
 * @brief Copies out the momentum of every connection (CSR order) and bias; zeros before the first step.
 * @param[out] weights connections numbers; NULL: not wanted
 * @param[out] bias outputs numbers; NULL: not wanted
 * @return OK, NULL_ARGUMENT, BUFFER_TOO_SMALL
 */
TSNN_API tsnn_status tsnn_layer_get_velocity(const tsnn_layer *layer, float *weights, int64_t capacity, float *bias,
                                             int64_t bias_capacity);

/**
 * @brief Replaces weights (CSR order), biases, or both; the topology stays.
 * @param values count = connections finite numbers; NULL: unchanged
 * @param bias bias_count = outputs finite numbers; NULL: unchanged
 * @return OK, NULL_ARGUMENT, SHAPE (a count that differs from the layer's), NOT_FINITE (nothing is changed)
 */
TSNN_API tsnn_status tsnn_layer_set_weights(tsnn_layer *layer, const float *values, int64_t count, const float *bias,
                                            int64_t bias_count);

/** @brief Sets momentum; arguments and errors as tsnn_layer_set_weights(). May also return OUT_OF_MEMORY. */
TSNN_API tsnn_status tsnn_layer_set_velocity(tsnn_layer *layer, const float *weights, int64_t count, const float *bias,
                                             int64_t bias_count);

/**
 * @brief Freezes a layer (its weights and biases no longer change, neither do its connections) or thaws it.
 * @param frozen 1 or 0
 * @return OK, NULL_ARGUMENT, INVALID_ARGUMENT
 */
TSNN_API tsnn_status tsnn_layer_freeze(tsnn_layer *layer, int32_t frozen);

TSNN_END_DECLS

#endif
