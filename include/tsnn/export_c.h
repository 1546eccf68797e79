/**
 * @file export_c.h
 * @brief Writes a trained network as one file of freestanding C, for machines too small for a library.
 */
#ifndef TSNN_EXPORT_C_H
#define TSNN_EXPORT_C_H

#include <stddef.h>
#include <stdint.h>

#include <tsnn/network.h>

TSNN_BEGIN_DECLS

/** How the weights are stored. */
enum {
    TSNN_EXPORT_FLOAT = 0, /**< As they are. */
    TSNN_EXPORT_INT8 = 1   /**< Rounded to 8 bits, with one scale for each neuron: a quarter of the memory. */
};

/** Options of tsnn_export_c(). Zero means the default. */
typedef struct tsnn_export_c_options {
    uint32_t struct_size; /**< sizeof this struct. */
    int32_t weights;      /**< TSNN_EXPORT_*. */
    const char *name;     /**< Begins every name in the file: a C identifier of at most 63 characters; default
                               "tsnn_model". */
    const float *samples; /**< sample_count x inputs raw features that the file's self-test runs; NULL: no self-test. */
    int64_t sample_count; /**< At most 1000. */
    double tolerance;     /**< Of the self-test: |y - expected| <= tolerance (1 + |expected|); default 1e-4. */
} tsnn_export_c_options;

/** Initialises a tsnn_export_c_options to its defaults. */
#define TSNN_EXPORT_C_OPTIONS_INIT                                                                                     \
    {                                                                                                                  \
        (uint32_t)sizeof(tsnn_export_c_options), 0, NULL, NULL, 0, 0.0                                                 \
    }

/** @brief The same as TSNN_EXPORT_C_OPTIONS_INIT. @return OK, NULL_ARGUMENT */
TSNN_API tsnn_status tsnn_export_c_options_init(tsnn_export_c_options *options);

/** What tsnn_export_c() wrote. */
typedef struct tsnn_export_c_report {
    uint32_t struct_size;      /**< Set by the caller. */
    int32_t reserved;          /**< 0. */
    int64_t text_bytes;        /**< Of the file. */
    int64_t constant_bytes;    /**< Of the constant arrays once compiled, without the self-test's. */
    int64_t workspace_floats;  /**< Floats of memory that a prediction needs. */
    double largest_difference; /**< Between the network's outputs and the exported ones, on the samples; 0 without.
                                    8-bit weights and a network of bf16 activations make one. */
} tsnn_export_c_report;

/** Initialises a tsnn_export_c_report. */
#define TSNN_EXPORT_C_REPORT_INIT                                                                                      \
    {                                                                                                                  \
        (uint32_t)sizeof(tsnn_export_c_report), 0, 0, 0, 0, 0.0                                                        \
    }

/**
 * @brief Writes a network as a C99 file that needs no library but expf() (and that only for softmax, sigmoid and tanh).
 *
 * For the default name the file defines
 * - `TSNN_MODEL_INPUTS`, `TSNN_MODEL_OUTPUTS`, `TSNN_MODEL_WORKSPACE` (floats),
 * - `void tsnn_model_predict(const float *input, float *output, float *workspace)`, which takes raw features, keeps no
 *   state and allocates nothing, so that any number of threads may call it with workspaces of their own,
 * - `int tsnn_model_class(const float *output)`: the largest output, the first of equals; of one output 1 where
 *   it is at least 0.5, else 0,
 * - with samples, `int tsnn_model_self_test(float *workspace)`: 0, or the number from 1 of the first sample whose
 *   outputs are not as expected.
 *
 * The file is its own header: one that defines `TSNN_MODEL_DECLARATIONS_ONLY` before it includes the file gets the
 * macros and declarations alone, in C++ as `extern "C"`. The file itself may be compiled as C99 or as C++17.
 *
 * Weights lie output by output; indices have 16 bits where they fit. Dropout is left out, standardisation is included.
 * The file computes in floats, as the network does with TSNN_ACTIVATIONS_FLOAT32, whichever format it is set to.
 * @param options NULL: all defaults
 * @param path of the file; an existing one is replaced once the new one is complete
 * @param[out] report NULL: not wanted
 * @return OK, NULL_ARGUMENT, STRUCT_SIZE, STATE (no layers), INVALID_ARGUMENT (a name that is no identifier, unknown
 * weights, sample_count or tolerance out of range), NOT_FINITE (a weight or a sample), UNSUPPORTED (a custom
 * activation), OVERFLOW, OUT_OF_MEMORY, IO (the file cannot be written)
 */
TSNN_API tsnn_status tsnn_export_c(const tsnn_network *network, const tsnn_export_c_options *options, const char *path,
                                   tsnn_export_c_report *report);

TSNN_END_DECLS

#endif
