/**
 * @file network.h
 * @brief A feed-forward network of sparse layers.
 */
#ifndef TSNN_NETWORK_H
#define TSNN_NETWORK_H

#include <stddef.h>
#include <stdint.h>

#include <tsnn/activation.h>
#include <tsnn/dataset.h>
#include <tsnn/layer.h>
#include <tsnn/loss.h>

TSNN_BEGIN_DECLS

/** A network. It owns its layers. */
typedef struct tsnn_network tsnn_network;

/** @brief Creates a network without layers. @param[out] out NULL on failure @return OK, NULL_ARGUMENT, OUT_OF_MEMORY */
TSNN_API tsnn_status tsnn_network_create(tsnn_context *context, tsnn_network **out);

/**
 * @brief Appends a layer and takes it over: on success *layer is NULL and the network owns it.
 * @param layer its inputs must equal the outputs of the layer before
 * @param activation copied; NULL: identity
 * @param dropout share of the layer's outputs that are dropped while training, in [0, 1), in steps of 1/256; inverted
 *        (kept values are scaled up), so nothing changes at inference
 * @return OK, NULL_ARGUMENT, SHAPE, INVALID_ARGUMENT (dropout; a layer of another context), OUT_OF_MEMORY; on failure
 * the caller keeps the layer
 */
TSNN_API tsnn_status tsnn_network_append(tsnn_network *network, tsnn_layer **layer, const tsnn_activation *activation,
                                         double dropout);

/** Options of tsnn_network_create_mlp(). Zero means the default. */
typedef struct tsnn_mlp_options {
    uint32_t struct_size;          /**< sizeof this struct. */
    int32_t sampling;              /**< TSNN_SAMPLING_*. */
    const int64_t *sizes;          /**< Neurons of the input, of each hidden layer and of the output. Required. */
    int64_t size_count;            /**< Length of sizes, at least 2. */
    double epsilon;                /**< As in tsnn_layer_options; one for all layers; default 20. */
    double init_scale;             /**< Factor on fresh weights; default 1. */
    int32_t init;                  /**< TSNN_INIT_*. */
    int32_t fan;                   /**< TSNN_FAN_*. */
    const tsnn_activation *hidden; /**< Of hidden layers; default All-ReLU with alpha .6. */
    const tsnn_activation *output; /**< Of the last layer; default softmax. */
    double dropout;                /**< Of hidden layers, in [0, 1). */
} tsnn_mlp_options;

/** Initialises a tsnn_mlp_options to its defaults (sizes remain to be set). */
#define TSNN_MLP_OPTIONS_INIT                                                                                          \
    {                                                                                                                  \
        (uint32_t)sizeof(tsnn_mlp_options), 0, NULL, 0, 0.0, 0.0, 0, 0, NULL, NULL, 0.0                                \
    }

/** @brief The same as TSNN_MLP_OPTIONS_INIT. @return OK, NULL_ARGUMENT */
TSNN_API tsnn_status tsnn_mlp_options_init(tsnn_mlp_options *options);

/**
 * @brief Creates a multi-layer perceptron with random sparse layers.
 * @param[out] out NULL on failure
 * @return OK, and what tsnn_layer_create() and tsnn_network_append() return
 */
TSNN_API tsnn_status tsnn_network_create_mlp(tsnn_context *context, const tsnn_mlp_options *options,
                                             tsnn_network **out);

/** @brief An independent copy: layers, activations, standardizer, momentum. @return OK, NULL_ARGUMENT, OUT_OF_MEMORY */
TSNN_API tsnn_status tsnn_network_copy(const tsnn_network *network, tsnn_network **out);

/** @brief Frees a network with its layers and sets *network to NULL. Takes NULL and a pointer to NULL. */
TSNN_API void tsnn_network_destroy(tsnn_network **network);

/** The size of a network. */
typedef struct tsnn_network_info {
    uint32_t struct_size; /**< Set by the caller. */
    int32_t reserved;     /**< 0. */
    int64_t layers;       /**< Layers of connections. */
    int64_t inputs;       /**< Features a sample; 0 without layers. */
    int64_t outputs;      /**< Neurons of the last layer. */
    int64_t neurons;      /**< Neurons of all layers, without the inputs. */
    int64_t connections;  /**< Of all layers. */
    int64_t bytes;        /**< Memory of all layers. */
} tsnn_network_info;

/** Initialises a tsnn_network_info. */
#define TSNN_NETWORK_INFO_INIT                                                                                         \
    {                                                                                                                  \
        (uint32_t)sizeof(tsnn_network_info), 0, 0, 0, 0, 0, 0, 0                                                       \
    }

/** @brief Tells the size of a network. @return OK, NULL_ARGUMENT, STRUCT_SIZE */
TSNN_API tsnn_status tsnn_network_get_info(const tsnn_network *network, tsnn_network_info *info);

/**
 * @brief Lends a layer.
 * @param index 0 is the layer after the inputs
 * @param[out] out the network's own layer, valid until the network is destroyed (training, evolution and pruning change
 * it in place); never to be destroyed by the caller
 * @return OK, NULL_ARGUMENT, INVALID_ARGUMENT (no such layer)
 */
TSNN_API tsnn_status tsnn_network_get_layer(tsnn_network *network, int64_t index, tsnn_layer **out);

/**
 * @brief Makes the network take raw features: they are standardised as they enter.
 * @param standardizer copied; NULL: features are taken as they are
 * @return OK, NULL_ARGUMENT, SHAPE, STATE (no layers yet), OUT_OF_MEMORY
 */
TSNN_API tsnn_status tsnn_network_set_standardizer(tsnn_network *network, const tsnn_standardizer *standardizer);

/**
 * @brief Computes the outputs for rows of features.
 * @param features samples x inputs, row-major, finite
 * @param[out] outputs samples x outputs, row-major
 * @param capacity numbers that outputs can hold
 * @return OK, NULL_ARGUMENT, INVALID_ARGUMENT (negative samples), STATE (no layers), BUFFER_TOO_SMALL, NOT_FINITE,
 *         OVERFLOW, OUT_OF_MEMORY
 */
TSNN_API tsnn_status tsnn_network_predict(const tsnn_network *network, const float *features, int64_t samples,
                                          float *outputs, int64_t capacity);

/**
 * @brief Computes the class of each row of features: the output with the largest value, the first of equals; with a
 * single output, 1 when it is at least one half.
 * @param[out] labels samples class numbers
 * @param capacity numbers that labels can hold
 * @return as tsnn_network_predict()
 */
TSNN_API tsnn_status tsnn_network_classify(const tsnn_network *network, const float *features, int64_t samples,
                                           int32_t *labels, int64_t capacity);

/** What tsnn_network_evaluate() found. */
typedef struct tsnn_evaluation {
    uint32_t struct_size; /**< Set by the caller. */
    int32_t reserved;     /**< 0. */
    int64_t samples;      /**< Samples scored: all of them. */
    int64_t correct;      /**< Of these, classified right; 0 for data without labels. */
    double loss;          /**< Mean over the samples. */
    double accuracy;      /**< correct / samples. */
} tsnn_evaluation;

/** Initialises a tsnn_evaluation. */
#define TSNN_EVALUATION_INIT                                                                                           \
    {                                                                                                                  \
        (uint32_t)sizeof(tsnn_evaluation), 0, 0, 0, 0.0, 0.0                                                           \
    }

/**
 * @brief Scores a network on a data set, every sample once.
 * @param loss NULL: accuracy only, loss is 0
 * @return OK, NULL_ARGUMENT, STRUCT_SIZE, SHAPE (features or classes that do not fit the network), INVALID_ARGUMENT (a
 * loss that does not fit the last activation), STATE, OUT_OF_MEMORY
 */
TSNN_API tsnn_status tsnn_network_evaluate(const tsnn_network *network, const tsnn_loss *loss,
                                           const tsnn_dataset *dataset, tsnn_evaluation *evaluation);

TSNN_END_DECLS

#endif
