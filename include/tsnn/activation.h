/**
 * @file activation.h
 * @brief Activation functions of layers.
 */
#ifndef TSNN_ACTIVATION_H
#define TSNN_ACTIVATION_H

#include <stddef.h>
#include <stdint.h>

#include <tsnn/context.h>

TSNN_BEGIN_DECLS

/** Kinds of activation. */
enum {
    TSNN_ACTIVATION_IDENTITY = 0,
    TSNN_ACTIVATION_RELU = 1,
    TSNN_ACTIVATION_LEAKY_RELU = 2, /**< z < 0: alpha z; default alpha .01. */
    /**
     * z < 0: s z, with s = -alpha in the first, third, ... hidden layer of a network and +alpha in the second,
     * fourth, ...; derivative 1 at 0; default alpha .6. Curci et al., arXiv 2102.01732.
     */
    TSNN_ACTIVATION_ALL_RELU = 3,
    TSNN_ACTIVATION_SIGMOID = 4,
    TSNN_ACTIVATION_TANH = 5,
    TSNN_ACTIVATION_SOFTMAX = 6, /**< Over the neurons of the layer, for each sample. */
    TSNN_ACTIVATION_CUSTOM = 7   /**< The caller's function and derivative. */
};

/**
 * @brief A caller's activation: a_k = f(z_k) for k in [0, count).
 *
 * Called on the thread that calls the library, on whole groups of elements, in no particular order; must be a pure
 * function of z. Where several threads call the library, so they call it, at once: those that predict with one
 * predictor, and the workers of tsnn_parallel_run(), which are the library's own. Function and `user` must bear that.
 */
typedef void (*tsnn_activation_function)(void *user, const float *z, float *a, int64_t count);

/** @brief Its derivative: derivative_k = f'(z_k); a_k = f(z_k) is passed as well, for functions that are cheaper from
 * it. On the same threads. */
typedef void (*tsnn_activation_derivative)(void *user, const float *z, const float *a, float *derivative,
                                           int64_t count);

/** An activation function. Immutable; layers copy it, so it may be destroyed once they have it. */
typedef struct tsnn_activation tsnn_activation;

/** Options of tsnn_activation_create(). Zero means the default. */
typedef struct tsnn_activation_options {
    uint32_t struct_size;                  /**< sizeof this struct. */
    int32_t kind;                          /**< TSNN_ACTIVATION_*; default identity. */
    double alpha;                          /**< Slope of LEAKY_RELU and ALL_RELU, of no other; default by kind. */
    tsnn_activation_function function;     /**< CUSTOM only. */
    tsnn_activation_derivative derivative; /**< CUSTOM only. */
    void *user;                            /**< Passed to both; must outlive every network that uses the activation. */
} tsnn_activation_options;

/** Initialises a tsnn_activation_options to its defaults. */
#define TSNN_ACTIVATION_OPTIONS_INIT                                                                                   \
    {                                                                                                                  \
        (uint32_t)sizeof(tsnn_activation_options), 0, 0.0, NULL, NULL, NULL                                            \
    }

/** @brief The same as TSNN_ACTIVATION_OPTIONS_INIT. @return OK, NULL_ARGUMENT */
TSNN_API tsnn_status tsnn_activation_options_init(tsnn_activation_options *options);

/**
 * @brief Creates an activation.
 * @param options NULL: identity
 * @param[out] out NULL on failure
 * @return OK, NULL_ARGUMENT, STRUCT_SIZE, INVALID_ARGUMENT (unknown kind; alpha not finite, above 1000 in size, or of
 * a kind that has none; CUSTOM without both functions, or these with another kind), OUT_OF_MEMORY
 */
TSNN_API tsnn_status tsnn_activation_create(tsnn_context *context, const tsnn_activation_options *options,
                                            tsnn_activation **out);

/** @brief Frees an activation and sets *activation to NULL. Takes NULL and a pointer to NULL. */
TSNN_API void tsnn_activation_destroy(tsnn_activation **activation);

/**
 * @brief Evaluates an activation and its derivative on plain numbers.
 * @param hidden_index place among the hidden layers, from 0: the sign of ALL_RELU depends on it
 * @param z count inputs
 * @param[out] a count outputs
 * @param[out] derivative count derivatives; NULL: not wanted
 * @return OK, NULL_ARGUMENT, INVALID_ARGUMENT (negative count or index; z and a being one array where the derivative is
 *         wanted, or for CUSTOM), UNSUPPORTED (SOFTMAX, which is not a function
 * of one number)
 */
TSNN_API tsnn_status tsnn_activation_evaluate(const tsnn_activation *activation, int64_t hidden_index, const float *z,
                                              float *a, float *derivative, int64_t count);

TSNN_END_DECLS

#endif
