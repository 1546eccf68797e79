/**
 * @file checkpoint.h
 * @brief Whole networks from and to checkpoints of PyTorch: safetensors files with a dense matrix for each layer.
 *
 * A layer called "fc1" has the tensor "fc1.weight", [outputs, inputs], and, where it has biases, "fc1.bias". A layer
 * that torch.nn.utils.prune has pruned has "fc1.weight_orig" and "fc1.weight_mask" instead. Other layouts and formats
 * are read layer by layer (exchange.h); libtsnn's own files, which keep everything, are in model_file.h.
 */
#ifndef TSNN_CHECKPOINT_H
#define TSNN_CHECKPOINT_H

#include <stddef.h>
#include <stdint.h>

#include <tsnn/exchange.h>
#include <tsnn/network.h>

TSNN_BEGIN_DECLS

/** Options of tsnn_network_import(). Zero means the default. */
typedef struct tsnn_checkpoint_import_options {
    uint32_t struct_size;          /**< sizeof this struct. */
    int32_t reserved;              /**< 0. */
    const char *path;              /**< Of the safetensors file. Required. */
    const char *const *names;      /**< Of the layers, from the inputs on, as state_dict() has them: "fc1", or "0" and
                                      "2" for a torch.nn.Sequential. NULL: "layers.0", "layers.1", ... */
    int64_t name_count;            /**< Length of names; 0 without names. */
    double threshold;              /**< Connections are where |weight| is above it, and the mask, if any, is not 0.
                                      Default 0: where the weight is not 0, or with a mask where that is not 0. */
    const tsnn_activation *hidden; /**< Of hidden layers; default ReLU. */
    const tsnn_activation *output; /**< Of the last layer; default softmax. */
    double dropout;                /**< Of hidden layers, in [0, 1). */
    int64_t max_bytes;             /**< Memory that one layer may take besides its tensors; default 1 GiB. */
    const float *features;         /**< A batch on which to measure what was left out: samples x inputs, finite. NULL:
                                      none. */
    int64_t samples;               /**< Rows of features; 0 without. */
} tsnn_checkpoint_import_options;

/** Initialises a tsnn_checkpoint_import_options to its defaults (path remains to be set). */
#define TSNN_CHECKPOINT_IMPORT_OPTIONS_INIT                                                                            \
    {                                                                                                                  \
        (uint32_t)sizeof(tsnn_checkpoint_import_options), 0, NULL, NULL, 0, 0.0, NULL, NULL, 0.0, 0, NULL, 0           \
    }

/** @brief The same as TSNN_CHECKPOINT_IMPORT_OPTIONS_INIT. @return OK, NULL_ARGUMENT */
TSNN_API tsnn_status tsnn_checkpoint_import_options_init(tsnn_checkpoint_import_options *options);

/**
 * @brief Makes a network of a checkpoint.
 *
 * With a batch, what the threshold left out is measured at the network's outputs: the same file is read once more with
 * every weight that the masks keep, for which the memory must suffice.
 * @param[out] report of the whole network: inputs of the first layer, outputs of the last, sums over the layers, the
 * largest difference between outputs with and without what the threshold left out; NULL: not wanted
 * @param[out] out NULL on failure
 * @return OK, and what tsnn_layer_import(), tsnn_network_append() and tsnn_network_predict() return; UNSUPPORTED in a
 * build without model files
 */
TSNN_API tsnn_status tsnn_network_import(tsnn_context *context, const tsnn_checkpoint_import_options *options,
                                         tsnn_import_report *report, tsnn_network **out);

/** Options of tsnn_network_export(). Zero means the default. */
typedef struct tsnn_checkpoint_export_options {
    uint32_t struct_size;     /**< sizeof this struct. */
    int32_t masks;            /**< 1: also "fc1.weight_mask", U8, 1 where a connection is and 0 elsewhere, for
                                   tsnn_network_import() and programs of your own; load_state_dict() takes the file
                                   without, see below. */
    const char *path;         /**< Of the file, which is replaced in one go. Required. */
    const char *const *names; /**< Of the layers; NULL: "layers.0", "layers.1", ... */
    int64_t name_count;       /**< Length of names: the network's layers; 0 without names. */
} tsnn_checkpoint_export_options;

/** Initialises a tsnn_checkpoint_export_options to its defaults (path remains to be set). */
#define TSNN_CHECKPOINT_EXPORT_OPTIONS_INIT                                                                            \
    {                                                                                                                  \
        (uint32_t)sizeof(tsnn_checkpoint_export_options), 0, NULL, NULL, 0                                             \
    }

/** @brief The same as TSNN_CHECKPOINT_EXPORT_OPTIONS_INIT. @return OK, NULL_ARGUMENT */
TSNN_API tsnn_status tsnn_checkpoint_export_options_init(tsnn_checkpoint_export_options *options);

/**
 * @brief Writes a network as a checkpoint that load_state_dict() takes: dense matrices, row by row, and biases; and
 * masks on request. Activations and dropout are the model's code there. A standardizer is folded into the first layer's
 * weights and biases, rounded to float: the written network takes raw features, as this one does.
 *
 * With masks, load_state_dict() finds "fc1.weight_mask" unexpected: take those tensors out first, or pass strict=False.
 * A module pruned by torch.nn.utils.prune calls the weights "fc1.weight_orig"; rename them for such a one.
 * @return OK, NULL_ARGUMENT, STRUCT_SIZE, INVALID_ARGUMENT (options, names that are twice there), STATE (no layers),
 *         NOT_FINITE (a weight or bias, also of folding; nothing is written), IO, OVERFLOW, UNSUPPORTED (a build
 * without model files), OUT_OF_MEMORY
 */
TSNN_API tsnn_status tsnn_network_export(const tsnn_network *network, const tsnn_checkpoint_export_options *options);

TSNN_END_DECLS

#endif
