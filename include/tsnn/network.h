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
 * @return OK, NULL_ARGUMENT, SHAPE, INVALID_ARGUMENT (dropout; a layer of another context, one that a network owns
 * already), OUT_OF_MEMORY; on failure the caller keeps the layer
 */
TSNN_API tsnn_status tsnn_network_append(tsnn_network *network, tsnn_layer **layer, const tsnn_activation *activation,
                                         double dropout);

/** Options of tsnn_network_create_mlp(). Zero means the default. */
typedef struct tsnn_mlp_options {
    uint32_t struct_size;          /**< sizeof this struct. */
    int32_t sampling;              /**< TSNN_SAMPLING_*. */
    const int64_t *sizes;          /**< Neurons of the input, of each hidden layer and of the output. Required. */
    int64_t size_count;            /**< Length of sizes, 2 to 65,536. */
    double epsilon;                /**< As in tsnn_layer_options; one for all layers; default 20. */
    double init_scale;             /**< Factor on the first weights, not on those that evolution grows; default 1. */
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
 *
 * Each network that a context creates is another draw. The same seed and the same order of creation repeat it.
 * @param[out] out NULL on failure
 * @return OK, and what tsnn_layer_create() and tsnn_network_append() return
 */
TSNN_API tsnn_status tsnn_network_create_mlp(tsnn_context *context, const tsnn_mlp_options *options,
                                             tsnn_network **out);

/** @brief An independent copy: layers, activations, standardizer, momentum; also the layers' random streams, so that
 * it evolves and drops out the same way. @return OK, NULL_ARGUMENT, OUT_OF_MEMORY */
TSNN_API tsnn_status tsnn_network_copy(const tsnn_network *network, tsnn_network **out);

/** @brief Frees a network with its layers and sets *network to NULL. Takes NULL and a pointer to NULL. */
TSNN_API void tsnn_network_destroy(tsnn_network **network);

/** The size of a network. */
typedef struct tsnn_network_info {
    uint32_t struct_size;      /**< Set by the caller. */
    int32_t activation_format; /**< TSNN_ACTIVATIONS_*. */
    int64_t layers;            /**< Layers of connections. */
    int64_t inputs;            /**< Features a sample; 0 without layers. */
    int64_t outputs;           /**< Neurons of the last layer. */
    int64_t neurons;           /**< Neurons of all layers, without the inputs. */
    int64_t connections;       /**< Of all layers. */
    int64_t bytes;             /**< Memory of all layers. */
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
 * it in place); tsnn_layer_destroy() does nothing to it
 * @return OK, NULL_ARGUMENT, INVALID_ARGUMENT (no such layer)
 */
TSNN_API tsnn_status tsnn_network_get_layer(tsnn_network *network, int64_t index, tsnn_layer **out);

/** Ways to run a layer. */
enum {
    TSNN_ROUTE_PLAIN = 0,  /**< Connection by connection. */
    TSNN_ROUTE_PANELS = 1, /**< The same, a part of the other side's neurons at a time, as many as fit the cache. */
    TSNN_ROUTE_DENSE = 2   /**< Every cell, in register tiles; those without a connection count as zero. */
};

/** How the library runs a layer on this machine. The choice decides the speed, never the result. */
typedef struct tsnn_layer_plan {
    uint32_t struct_size;          /**< Set by the caller. */
    int32_t forward_route;         /**< TSNN_ROUTE_* of the forward pass. */
    int32_t backward_route;        /**< The same, backward pass in training; PLAIN where nothing runs. */
    int32_t input_index_bytes;     /**< Bytes of an input's number in the forward pass: 2 or 4; dense: 0. */
    int32_t output_index_bytes;    /**< The same for an output's, backward pass; 0 where nothing runs, too. */
    int32_t reserved;              /**< 0. */
    int64_t forward_panels;        /**< Parts that the inputs are visited in; 1 without panels. */
    int64_t backward_panels;       /**< Parts that the outputs are visited in. */
    int64_t forward_prefetch;      /**< Connections ahead that rows are asked for, first-level cache; 0: not. */
    int64_t backward_prefetch;     /**< The same in the backward pass. */
    int64_t forward_prefetch_far;  /**< The same, second-level cache; 0: not. */
    int64_t backward_prefetch_far; /**< The same in the backward pass. */
    int64_t forward_bytes;         /**< Activations that the pass reads at random at a time, of all panels. */
    int64_t backward_bytes;        /**< The same of derivatives, backward pass; dense, and where nothing runs: 0. */
} tsnn_layer_plan;

/** Initialises a tsnn_layer_plan. */
#define TSNN_LAYER_PLAN_INIT                                                                                           \
    {                                                                                                                  \
        (uint32_t)sizeof(tsnn_layer_plan), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0                                       \
    }

/**
 * @brief Tells which kernels run a layer of a network, and why, as things are now.
 *
 * The backward pass is that of training: of the lowest layer that learns only the weights change, a frozen layer above
 * it only passes derivatives down, and below it nothing runs. Large batches are taken some columns at a time in the
 * forward pass, and bytes are those of one such part.
 * @param layer 0 is the layer after the inputs
 * @param samples of a mini-batch, at least 1
 * @param[out] plan NULL: not wanted
 * @param[out] text receives two lines, forward and backward, with the instruction set, the numbers that decided and a
 * closing zero byte, cut to fit; may be NULL when capacity is 0
 * @param capacity bytes in text
 * @return OK, NULL_ARGUMENT, INVALID_ARGUMENT (no such layer, samples or capacity out of range), STRUCT_SIZE
 */
TSNN_API tsnn_status tsnn_network_explain(const tsnn_network *network, int64_t layer, int64_t samples,
                                          tsnn_layer_plan *plan, char *text, int64_t capacity);

/** How inputs and hidden activations are kept while they are computed with. */
enum {
    TSNN_ACTIVATIONS_FLOAT32 = 0, /**< As float: the default. */
    TSNN_ACTIVATIONS_BF16 = 1     /**< Rounded to bf16, the upper half of a float: 8 significant bits. */
};

/**
 * @brief Chooses how the network's inputs and hidden activations are kept in every later pass: training, gradients,
 * prediction and evaluation.
 *
 * With TSNN_ACTIVATIONS_BF16 they take half the memory, and the forward pass, which reads one row of them for each
 * connection, is about 1.5 times as fast; see docs/performance.md for the speed of whole steps and what rounding costs
 * in accuracy. Each number is rounded once, to the nearest, ties to even: by at most 1 part in 256. Standardise
 * features whose mean is large beside their deviation, or their differences are lost. Weights, sums, the last layer's
 * outputs, the loss, and everything of the backward pass but the inputs of its products stay float; activations whose
 * derivative is computed from their outputs (sigmoid, tanh, softmax, custom) are kept as float as well while training.
 * Results still do not depend on the number of threads. Copies of the network and model files keep the choice.
 * @param format TSNN_ACTIVATIONS_*
 * @return OK, NULL_ARGUMENT, INVALID_ARGUMENT (an unknown format)
 */
TSNN_API tsnn_status tsnn_network_set_activation_format(tsnn_network *network, int32_t format);

/**
 * @brief Makes the network take raw features: they are standardised as they enter.
 * @param standardizer copied; NULL: features are taken as they are
 * @return OK, NULL_ARGUMENT, SHAPE, STATE (no layers yet), OUT_OF_MEMORY
 */
TSNN_API tsnn_status tsnn_network_set_standardizer(tsnn_network *network, const tsnn_standardizer *standardizer);

/**
 * @brief Computes the outputs for rows of features.
 *
 * When an output is no finite number - weights so large that sums overflow, a custom activation that gives NaN - all
 * outputs are written nevertheless, and the status is NOT_FINITE; the text names the first such sample and output.
 * @param features samples x inputs, row-major, finite
 * @param[out] outputs samples x outputs, row-major
 * @param capacity numbers that outputs can hold
 * @return OK, NULL_ARGUMENT, INVALID_ARGUMENT (negative samples), STATE (no layers), BUFFER_TOO_SMALL, NOT_FINITE (a
 *         feature, before anything is written; an output), OVERFLOW, OUT_OF_MEMORY
 */
TSNN_API tsnn_status tsnn_network_predict(const tsnn_network *network, const float *features, int64_t samples,
                                          float *outputs, int64_t capacity);

/**
 * @brief Computes the class of each row of features: the output with the largest value, the first of equals; with a
 * single output, 1 when it is at least one half. Of a sample with an output that is not finite it means nothing, which
 * the status tells.
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
 *
 * Also when an output is no finite number, as after training that diverged; then the status is NOT_FINITE, and the
 * evaluation says what came of it.
 * @param loss NULL: accuracy only, loss is 0
 * @return OK, NULL_ARGUMENT, STRUCT_SIZE, SHAPE (features or classes that do not fit the network), INVALID_ARGUMENT (a
 * loss that does not fit the last activation), STATE, OUT_OF_MEMORY, NOT_FINITE (an output)
 */
TSNN_API tsnn_status tsnn_network_evaluate(const tsnn_network *network, const tsnn_loss *loss,
                                           const tsnn_dataset *dataset, tsnn_evaluation *evaluation);

TSNN_END_DECLS

#endif
