/**
 * @file loss.h
 * @brief Loss functions. A loss is the mean over the samples.
 */
#ifndef TSNN_LOSS_H
#define TSNN_LOSS_H

#include <stddef.h>
#include <stdint.h>

#include <tsnn/context.h>

TSNN_BEGIN_DECLS

/** Kinds of loss. */
enum {
    /** -sum_k y_k log p_k; the last layer must be SOFTMAX. At least 2 outputs. Targets: labels, or rows of
        numbers not below 0. */
    TSNN_LOSS_CROSS_ENTROPY = 0,
    /** mean_k (a_k - y_k)^2; any last layer. Targets: rows of numbers, or labels (one-hot). */
    TSNN_LOSS_MEAN_SQUARED_ERROR = 1,
    /** mean_k -(y_k log p_k + (1 - y_k) log(1 - p_k)); the last layer must be SIGMOID. Targets in [0, 1], or labels.
       With one output, label 1 is y = 1. */
    TSNN_LOSS_BINARY_CROSS_ENTROPY = 2
};

/** A loss function. Immutable. */
typedef struct tsnn_loss tsnn_loss;

/** Options of tsnn_loss_create(). Zero means the default. */
typedef struct tsnn_loss_options {
    uint32_t struct_size;   /**< sizeof this struct. */
    int32_t kind;           /**< TSNN_LOSS_*. */
    double label_smoothing; /**< CROSS_ENTROPY: y <- (1 - s) y + s / classes while training, s in [0, 1). Evaluation is
                               without it. */
} tsnn_loss_options;

/** Initialises a tsnn_loss_options to its defaults. */
#define TSNN_LOSS_OPTIONS_INIT                                                                                         \
    {                                                                                                                  \
        (uint32_t)sizeof(tsnn_loss_options), 0, 0.0                                                                    \
    }

/** @brief The same as TSNN_LOSS_OPTIONS_INIT. @return OK, NULL_ARGUMENT */
TSNN_API tsnn_status tsnn_loss_options_init(tsnn_loss_options *options);

/**
 * @brief Creates a loss.
 * @param options NULL: cross-entropy
 * @param[out] out NULL on failure
 * @return OK, NULL_ARGUMENT, STRUCT_SIZE, INVALID_ARGUMENT, OUT_OF_MEMORY
 */
TSNN_API tsnn_status tsnn_loss_create(tsnn_context *context, const tsnn_loss_options *options, tsnn_loss **out);

/** @brief Frees a loss and sets *loss to NULL. Takes NULL and a pointer to NULL. */
TSNN_API void tsnn_loss_destroy(tsnn_loss **loss);

/**
 * @brief The mean loss of given outputs, without a network.
 * @param outputs samples x count, row-major: what the last layer's activation gave
 * @param labels samples class numbers, or NULL when targets are given
 * @param targets samples x count, row-major, or NULL when labels are given
 * @param[out] value the mean over samples; 0 for no samples
 *
 * Logarithms, here as in training, are of no less than FLT_MIN, about 1e-38: a probability of 0 costs 87, not infinity.
 * @return OK, NULL_ARGUMENT, INVALID_ARGUMENT (negative sizes; cross-entropy of a single output; both or neither of
 * labels and targets; of the cross-entropies an output outside [0, 1], a negative target, or of the binary one a target
 * above 1), LABEL, NOT_FINITE
 */
TSNN_API tsnn_status tsnn_loss_evaluate(const tsnn_loss *loss, const float *outputs, int64_t samples, int64_t count,
                                        const int32_t *labels, const float *targets, double *value);

TSNN_END_DECLS

#endif
