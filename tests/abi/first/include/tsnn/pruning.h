/**
 * @file pruning.h
 * @brief Importance pruning: removes hidden neurons that hardly anything flows into. Curci et al., arXiv 2102.01732.
 *
 * The importance of hidden neuron j is the sum of |w_ij| over its incoming connections. Neurons at or below a
 * percentile of their layer's importances, or a threshold, are removed: incoming and outgoing connections, bias,
 * momentum, and the neuron itself, so that the layers become smaller. At least the most important neuron of a layer
 * stays. Importances are taken before any neuron goes. A hidden layer next to frozen connections is left alone.
 */
#ifndef TSNN_PRUNING_H
#define TSNN_PRUNING_H

#include <stddef.h>
#include <stdint.h>

#include <tsnn/network.h>

TSNN_BEGIN_DECLS

/** What the removed neurons' constant outputs become. */
enum {
    TSNN_FOLD_NONE = 0,  /**< Dropped, as the outgoing connections are. */
    TSNN_FOLD_BIASES = 1 /**< f(bias) of each is added, times the outgoing weights, to the next layer's biases. */
};

/** A pruning rule, and the maps of its last application. */
typedef struct tsnn_pruning tsnn_pruning;

/** Options of tsnn_pruning_create(). Zero means the default. */
typedef struct tsnn_pruning_options {
    uint32_t struct_size; /**< sizeof this struct. */
    int32_t fold;         /**< TSNN_FOLD_*. */
    double percentile;   /**< In (0, 100), with linear interpolation between neighbours; default 20, unless threshold is
                            set. */
    double threshold;    /**< Above 0: an importance instead of a percentile. */
    int64_t first_epoch; /**< In training: after this many epochs the first time, at least 1; default 200. */
    int64_t every_epochs; /**< In training: and then after every so many more; default 10. */
} tsnn_pruning_options;

/** Initialises a tsnn_pruning_options to its defaults. */
#define TSNN_PRUNING_OPTIONS_INIT                                                                                      \
    {                                                                                                                  \
        (uint32_t)sizeof(tsnn_pruning_options), 0, 0.0, 0.0, 0, 0                                                      \
    }

/** @brief The same as TSNN_PRUNING_OPTIONS_INIT. @return OK, NULL_ARGUMENT */
TSNN_API tsnn_status tsnn_pruning_options_init(tsnn_pruning_options *options);

/**
 * @brief Creates a pruning rule.
 * @param options NULL: 20th percentile
 * @param[out] out NULL on failure
 * @return OK, NULL_ARGUMENT, STRUCT_SIZE, INVALID_ARGUMENT (both percentile and threshold, ...), OUT_OF_MEMORY
 */
TSNN_API tsnn_status tsnn_pruning_create(tsnn_context *context, const tsnn_pruning_options *options,
                                         tsnn_pruning **out);

/** @brief Frees a pruning rule and sets *pruning to NULL. Takes NULL and a pointer to NULL. */
TSNN_API void tsnn_pruning_destroy(tsnn_pruning **pruning);

/** What tsnn_pruning_apply() did. */
typedef struct tsnn_pruning_report {
    uint32_t struct_size;       /**< Set by the caller. */
    int32_t reserved;           /**< 0. */
    int64_t neurons_before;     /**< Of all layers, without the inputs. */
    int64_t neurons_after;      /**< The same after. */
    int64_t connections_before; /**< Of all layers. */
    int64_t connections_after;  /**< The same after. */
} tsnn_pruning_report;

/** Initialises a tsnn_pruning_report. */
#define TSNN_PRUNING_REPORT_INIT                                                                                       \
    {                                                                                                                  \
        (uint32_t)sizeof(tsnn_pruning_report), 0, 0, 0, 0, 0                                                           \
    }

/**
 * @brief Prunes every hidden layer of a network.
 * @param[out] report NULL: not wanted
 * @return OK, NULL_ARGUMENT, STRUCT_SIZE, STATE (no layers), NOT_FINITE (a weight is NaN or infinite), OUT_OF_MEMORY;
 * the network and the maps are unchanged on failure
 */
TSNN_API tsnn_status tsnn_pruning_apply(tsnn_pruning *pruning, tsnn_network *network, tsnn_pruning_report *report);

/**
 * @brief Where the neurons of a layer went in the last application.
 * @param layer 0 is the first hidden layer; the last layer's map is the identity
 * @param[out] map for each old neuron its new number, or -1; NULL: not wanted
 * @param capacity numbers that map can hold
 * @param[out] old_count neurons before; NULL: not wanted
 * @return OK, NULL_ARGUMENT, STATE (nothing was pruned yet), INVALID_ARGUMENT (no such layer), BUFFER_TOO_SMALL
 */
TSNN_API tsnn_status tsnn_pruning_get_map(const tsnn_pruning *pruning, int64_t layer, int32_t *map, int64_t capacity,
                                          int64_t *old_count);

/**
 * @brief The importance of each neuron of a layer: the sum of |weight| over its incoming connections.
 * @param[out] importance outputs numbers
 * @param capacity numbers that importance can hold
 * @return OK, NULL_ARGUMENT, BUFFER_TOO_SMALL
 */
TSNN_API tsnn_status tsnn_layer_get_importance(const tsnn_layer *layer, double *importance, int64_t capacity);

TSNN_END_DECLS

#endif
