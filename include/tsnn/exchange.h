/**
 * @file exchange.h
 * @brief Layers from and to the files of other programs: SciPy, NumPy, Matrix Market, PyTorch by way of safetensors.
 *
 * One file holds the weights of one layer, or, for safetensors, of many. What is read is not trusted.
 */
#ifndef TSNN_EXCHANGE_H
#define TSNN_EXCHANGE_H

#include <stddef.h>
#include <stdint.h>

#include <tsnn/layer.h>

TSNN_BEGIN_DECLS

/** Formats of weights. */
enum {
    TSNN_FORMAT_AUTO = 0,          /**< Reading: by what the file begins with. */
    TSNN_FORMAT_NPZ = 1,           /**< scipy.sparse.save_npz(): a CSR or CSC matrix, compressed or not; CSR written. */
    TSNN_FORMAT_NPY = 2,           /**< numpy.save(): a dense matrix. */
    TSNN_FORMAT_MATRIX_MARKET = 3, /**< scipy.io.mmwrite(): coordinates or an array; coordinates written. */
    TSNN_FORMAT_SAFETENSORS = 4    /**< Dense tensors of a PyTorch checkpoint and others. */
};

/** What a row of a matrix in a file is. */
enum {
    TSNN_ROWS_ARE_INPUTS = 0, /**< outputs = inputs x matrix, as this library has it. */
    TSNN_ROWS_ARE_OUTPUTS = 1 /**< The weight of torch.nn.Linear, [outputs, inputs]. */
};

/** Options of tsnn_layer_import(). Zero means the default. */
typedef struct tsnn_import_options {
    uint32_t struct_size;  /**< sizeof this struct. */
    int32_t format;        /**< TSNN_FORMAT_*. */
    const char *path;      /**< Of the file with the weights. Required. */
    const char *weights;   /**< SAFETENSORS: name of the tensor, with two dimensions. Required there. */
    const char *bias;      /**< SAFETENSORS: name of a tensor; else the path of a .npy. NULL: zeros. */
    const char *mask;      /**< Dense formats: a matrix of the same shape, named as bias is; connections are where it is
                              not 0. NULL: none. */
    double threshold;      /**< Connections are where |weight| is above it. Default 0: where it is not 0. With a mask,
                              weights of 0 that the mask keeps are connections too, unless this is set. */
    int32_t rows;          /**< TSNN_ROWS_ARE_*. */
    int32_t reserved;      /**< 0. */
    int64_t max_bytes;     /**< Memory that may be taken besides the file's own size; default 1 GiB. */
    const float *features; /**< A batch on which to measure what was left out: samples x inputs, finite. NULL: none. How
                              many inputs there are, the file decides: a stranger's is to be imported without first. */
    int64_t samples;       /**< Rows of features; 0 without. */
} tsnn_import_options;

/** Initialises a tsnn_import_options to its defaults (path remains to be set). */
#define TSNN_IMPORT_OPTIONS_INIT                                                                                       \
    {                                                                                                                  \
        (uint32_t)sizeof(tsnn_import_options), 0, NULL, NULL, NULL, NULL, 0.0, 0, 0, 0, NULL, 0                        \
    }

/** @brief The same as TSNN_IMPORT_OPTIONS_INIT. @return OK, NULL_ARGUMENT */
TSNN_API tsnn_status tsnn_import_options_init(tsnn_import_options *options);

/** What tsnn_layer_import() found. */
typedef struct tsnn_import_report {
    uint32_t struct_size;      /**< Set by the caller. */
    int32_t format;            /**< TSNN_FORMAT_* of the file. */
    int64_t inputs;            /**< Of the layer. */
    int64_t outputs;           /**< Of the layer. */
    int64_t entries;           /**< Numbers in the file's matrix. */
    int64_t connections;       /**< Of these, kept. */
    int64_t dropped;           /**< Left out although not 0. */
    double largest_difference; /**< Over batch and outputs: |outputs with - outputs without what was left out|, before
                                  the activation; 0 without a batch. */
} tsnn_import_report;

/** Initialises a tsnn_import_report. */
#define TSNN_IMPORT_REPORT_INIT                                                                                        \
    {                                                                                                                  \
        (uint32_t)sizeof(tsnn_import_report), 0, 0, 0, 0, 0, 0, 0.0                                                    \
    }

/**
 * @brief Makes a layer of a matrix in a file. Elements may be whole numbers or floats of 16 to 64 bits.
 * @param[out] report NULL: not wanted
 * @param[out] out NULL on failure
 * @return OK, NULL_ARGUMENT, STRUCT_SIZE, INVALID_ARGUMENT (options; a tensor that is missing: the text names some that
 *         are there), IO, FORMAT (also: AUTO, and it begins as none that is known), SHAPE, STRUCTURE (an entry that is
 *         there twice or outside), NOT_FINITE, OVERFLOW (also: max_bytes), UNSUPPORTED (a variant of the format that is
 *         not read), OUT_OF_MEMORY
 */
TSNN_API tsnn_status tsnn_layer_import(tsnn_context *context, const tsnn_import_options *options,
                                       tsnn_import_report *report, tsnn_layer **out);

/** Options of tsnn_layer_export(). Zero means the default. */
typedef struct tsnn_export_options {
    uint32_t struct_size; /**< sizeof this struct. */
    int32_t format;       /**< TSNN_FORMAT_*. Required. */
    const char *path;     /**< Of the file with the weights, which is replaced. Required. */
    const char *weights;  /**< SAFETENSORS: name of the tensor; default "weight". Else NULL. */
    const char *bias;     /**< SAFETENSORS: name of the tensor; else the path of a .npy. NULL: not written. */
    const char *mask;     /**< Dense formats: the same for a matrix of 1 where a connection is and 0 elsewhere, U8. */
    int32_t rows;         /**< TSNN_ROWS_ARE_*. */
    int32_t reserved;     /**< 0. */
} tsnn_export_options;

/** Initialises a tsnn_export_options to its defaults (format and path remain to be set). */
#define TSNN_EXPORT_OPTIONS_INIT                                                                                       \
    {                                                                                                                  \
        (uint32_t)sizeof(tsnn_export_options), 0, NULL, NULL, NULL, NULL, 0, 0                                         \
    }

/** @brief The same as TSNN_EXPORT_OPTIONS_INIT. @return OK, NULL_ARGUMENT */
TSNN_API tsnn_status tsnn_export_options_init(tsnn_export_options *options);

/**
 * @brief Writes a layer's weights, and its biases and mask on request, for other programs. Each file is replaced in one
 * go. Dense formats are written row by row; no dense matrix is allocated.
 * @return OK, NULL_ARGUMENT, STRUCT_SIZE, INVALID_ARGUMENT (options; two of them naming one file, a tensor's name for a
 *         format without names), NOT_FINITE (a weight or bias; nothing is written), IO, OVERFLOW (4 GiB and more as
 *         NPZ), OUT_OF_MEMORY
 */
TSNN_API tsnn_status tsnn_layer_export(const tsnn_layer *layer, const tsnn_export_options *options);

TSNN_END_DECLS

#endif
