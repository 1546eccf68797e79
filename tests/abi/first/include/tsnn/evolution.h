/**
 * @file evolution.h
 * @brief SET: topology evolution by magnitude. Mocanu et al., Nature Communications 2018,
 * doi 10.1038/s41467-018-04316-3.
 *
 * From every layer but the last the share zeta of the negative weights and the share zeta of the positive ones that are
 * nearest to zero go, by exact order statistics within each sign (a weight of exactly zero counts as positive; of
 * equals the earlier goes). As many grow back at cells drawn uniformly from the empty ones, just-removed cells
 * included, with fresh weights by the layer's rule and no momentum. Survivors keep weight and momentum. The number of
 * connections stays; biases are untouched.
 */
#ifndef TSNN_EVOLUTION_H
#define TSNN_EVOLUTION_H

#include <stddef.h>
#include <stdint.h>

#include <tsnn/network.h>

TSNN_BEGIN_DECLS

/** An evolution rule. */
typedef struct tsnn_evolution tsnn_evolution;

/** Options of tsnn_evolution_create(). Zero means the default. */
typedef struct tsnn_evolution_options {
    uint32_t struct_size; /**< sizeof this struct. */
    int32_t reserved;     /**< 0. */
    double zeta;          /**< Share replaced, in (0, 1]; default .3. floor(zeta n) of the n weights of a sign go. */
} tsnn_evolution_options;

/** Initialises a tsnn_evolution_options to its defaults. */
#define TSNN_EVOLUTION_OPTIONS_INIT                                                                                    \
    {                                                                                                                  \
        (uint32_t)sizeof(tsnn_evolution_options), 0, 0.0                                                               \
    }

/** @brief The same as TSNN_EVOLUTION_OPTIONS_INIT. @return OK, NULL_ARGUMENT */
TSNN_API tsnn_status tsnn_evolution_options_init(tsnn_evolution_options *options);

/**
 * @brief Creates an evolution rule.
 * @param options NULL: zeta .3
 * @param[out] out NULL on failure
 * @return OK, NULL_ARGUMENT, STRUCT_SIZE, INVALID_ARGUMENT, OUT_OF_MEMORY
 */
TSNN_API tsnn_status tsnn_evolution_create(tsnn_context *context, const tsnn_evolution_options *options,
                                           tsnn_evolution **out);

/** @brief Frees an evolution rule and sets *evolution to NULL. Takes NULL and a pointer to NULL. */
TSNN_API void tsnn_evolution_destroy(tsnn_evolution **evolution);

/**
 * @brief Evolves one layer, in O(connections) time and memory.
 * @param round keys the random numbers, at least 0: an epoch's number, or a counter; the same round repeats the same
 * draw
 * @param[out] replaced connections removed and regrown; 0 for frozen and for full layers; NULL: not wanted
 * @return OK, NULL_ARGUMENT, INVALID_ARGUMENT, NOT_FINITE (a weight that training has driven to NaN or infinity),
 * OUT_OF_MEMORY; the layer is unchanged on failure
 */
TSNN_API tsnn_status tsnn_evolution_apply_layer(const tsnn_evolution *evolution, tsnn_layer *layer, int64_t round,
                                                int64_t *replaced);

/**
 * @brief Evolves every layer of a network but the last.
 * @param[out] replaced connections removed and regrown, over all layers; NULL: not wanted
 * @return as tsnn_evolution_apply_layer(); layers before the one that failed have been evolved
 */
TSNN_API tsnn_status tsnn_evolution_apply(const tsnn_evolution *evolution, tsnn_network *network, int64_t round,
                                          int64_t *replaced);

TSNN_END_DECLS

#endif
