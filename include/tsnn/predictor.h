/**
 * @file predictor.h
 * @brief Inference in other people's programs: a frozen, packed copy of a network that any number of threads share,
 * made from a network, from plain arrays, or straight from a model file.
 *
 * Thread rule: a predictor never changes. Any number of threads may use it at once, each with a workspace of its own,
 * while others train the network that it was made from. Calls that predict allocate nothing, take no lock, make no
 * system call and do not touch the context. They run on the calling thread; equal calls give equal bits.
 */
#ifndef TSNN_PREDICTOR_H
#define TSNN_PREDICTOR_H

#include <stddef.h>
#include <stdint.h>

#include <tsnn/activation.h>
#include <tsnn/context.h>
#include <tsnn/dataset.h>
#include <tsnn/network.h>

TSNN_BEGIN_DECLS

/** A frozen copy of a network, packed for inference. */
typedef struct tsnn_predictor tsnn_predictor;
/** The memory of one thread that predicts. */
typedef struct tsnn_predictor_workspace tsnn_predictor_workspace;

/** What a predictor is packed for. Where one sample and batches want different orders of a layer, packing for only one
 * saves the other copy; everything works either way. */
enum {
    TSNN_PACK_ALL = 0,    /**< Fast on single samples and on batches. */
    TSNN_PACK_SINGLE = 1, /**< Fast on single samples; batches are predicted sample by sample. */
    TSNN_PACK_BATCH = 2   /**< Fast on batches; single samples may be slower on large layers. */
};

/** Options of tsnn_predictor_create(). Zero means the default. */
typedef struct tsnn_predictor_options {
    uint32_t struct_size; /**< sizeof this struct. */
    int32_t pack;         /**< TSNN_PACK_*. */
    /**
     * 1: samples are mostly zero. The predictor keeps a second copy of the first layer, by input, and does nothing for
     * inputs that are 0, standardizer or not, in single samples where that is less work. Which way was taken shows in
     * the rounding only.
     */
    int32_t skip_zeros;
    int32_t reserved; /**< 0. */
} tsnn_predictor_options;

/** Initialises a tsnn_predictor_options to its defaults. */
#define TSNN_PREDICTOR_OPTIONS_INIT                                                                                    \
    {                                                                                                                  \
        (uint32_t)sizeof(tsnn_predictor_options), 0, 0, 0                                                              \
    }

/** @brief The same as TSNN_PREDICTOR_OPTIONS_INIT. @return OK, NULL_ARGUMENT */
TSNN_API tsnn_status tsnn_predictor_options_init(tsnn_predictor_options *options);

/** One layer of a network, as plain arrays. */
typedef struct tsnn_predictor_layer {
    uint32_t struct_size;              /**< sizeof this struct. */
    int32_t reserved;                  /**< 0. */
    int64_t inputs;                    /**< Neurons before this layer, 1..2^31 - 1. */
    int64_t outputs;                   /**< Neurons of this layer, 1..2^31 - 1. */
    int64_t connections;               /**< Length of column and values. */
    const int64_t *row_ptr;            /**< inputs + 1 offsets, as in tsnn_layer_create_from_csr(). */
    const int32_t *column;             /**< Rising strictly within a row, in [0, outputs). */
    const float *values;               /**< Finite weights. */
    const float *bias;                 /**< outputs finite numbers; NULL: zeros. */
    const tsnn_activation *activation; /**< Copied; NULL: identity. */
} tsnn_predictor_layer;

/** Initialises a tsnn_predictor_layer. */
#define TSNN_PREDICTOR_LAYER_INIT                                                                                      \
    {                                                                                                                  \
        (uint32_t)sizeof(tsnn_predictor_layer), 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL                               \
    }

/**
 * @brief Packs plain arrays, without a network. Everything is checked and copied.
 * @param layers count layers in a row: the outputs of each are the inputs of the next
 * @param shift, scale the first layer's inputs each: features enter as (x - shift) * scale; both NULL: as they are
 * @param options NULL: all defaults
 * @param[out] out NULL on failure
 * @return OK, NULL_ARGUMENT, STRUCT_SIZE, INVALID_ARGUMENT (count outside 1..65,536, an unknown option), SHAPE,
 * STRUCTURE, NOT_FINITE, OVERFLOW, OUT_OF_MEMORY
 */
TSNN_API tsnn_status tsnn_predictor_create_from_layers(tsnn_context *context, const tsnn_predictor_layer *layers,
                                                       int64_t count, const float *shift, const float *scale,
                                                       const tsnn_predictor_options *options, tsnn_predictor **out);

/**
 * @brief Packs a network as it is now: weights, activations and standardizer. Dropout and everything that only training
 * needs stays behind; the network may change or go afterwards.
 *
 * Custom activations are called on the threads that predict: their function and `user` must bear that, and outlive the
 * predictor. A predictor takes 4 + 2 bytes a connection where a layer has fewer than 65,536 inputs, else 4 + 4; layers
 * that are at least half full take 4 bytes for each pair of neurons. A library built with INFERENCE_ONLY=1, which has
 * no networks, lacks this function.
 * @param context whose allocator and instruction set are used; need not be that of the network, and is not needed after
 *        the call (its allocator is, until the predictor is destroyed)
 * @param options NULL: all defaults
 * @param[out] out NULL on failure
 * @return OK, NULL_ARGUMENT, STRUCT_SIZE, INVALID_ARGUMENT, STATE (a network without layers), NOT_FINITE (training has
 *         diverged), OVERFLOW, OUT_OF_MEMORY
 */
TSNN_API tsnn_status tsnn_predictor_create(tsnn_context *context, const tsnn_network *network,
                                           const tsnn_predictor_options *options, tsnn_predictor **out);

/** Options of tsnn_predictor_load(). Zero means the default. */
typedef struct tsnn_predictor_load_options {
    uint32_t struct_size; /**< sizeof this struct. */
    /**
     * TSNN_COPY: the layers are packed, and the block or the file may go after the call. TSNN_BORROW: nothing is
     * packed; row pointers, column indices and weights are read where they are, in the caller's block or in the file,
     * which is mapped into memory and shared with every process that maps it too. The first use of a page, or of one
     * that the system has dropped, waits for the disk. They must stay and not change until
     * the predictor is destroyed: they are checked once, when it is made. A file that is replaced by another of its
     * name is safe, as tsnn_network_save() replaces it; one that is written over or cut short is not. Arrays that are
     * not aligned to their elements are copied; those in files that the library has written are aligned, in a block
     * when its first byte is at a multiple of 8.
     */
    int32_t ownership;
    int32_t pack;       /**< TSNN_PACK_*; with TSNN_BORROW 0: batches are predicted sample by sample. */
    int32_t skip_zeros; /**< As in tsnn_predictor_options. With TSNN_BORROW there is no second copy: inputs of any layer
                           that are 0 cost nothing in any case, and 1 is for data that is mostly zero and becomes
                           something else by the standardizer. */
    int64_t max_bytes;  /**< Larger files and blocks are refused; default: none is. */
    const tsnn_activation *custom; /**< The activation of layers saved as CUSTOM. Copied. */
} tsnn_predictor_load_options;

/** Initialises a tsnn_predictor_load_options to its defaults. */
#define TSNN_PREDICTOR_LOAD_OPTIONS_INIT                                                                               \
    {                                                                                                                  \
        (uint32_t)sizeof(tsnn_predictor_load_options), 0, 0, 0, 0, NULL                                                \
    }

/** @brief The same as TSNN_PREDICTOR_LOAD_OPTIONS_INIT. @return OK, NULL_ARGUMENT */
TSNN_API tsnn_status tsnn_predictor_load_options_init(tsnn_predictor_load_options *options);

/**
 * @brief Makes a predictor of a model file, without a network in between. It takes raw features, as the saved network.
 *
 * Reads what inference needs, and nothing else: momentum, dropout, random streams and the place in the training may be
 * there or not. Nothing in the file is trusted: every index and number is checked before the first is used. Packing
 * takes, beside the packed layers, 8 bytes for each connection of the layer at hand, and 8 more when it comes from a
 * file. Whatever a file holds, it is packed within 24 times its size, plus 64 times the size of its header (at most 16
 * MiB), plus 4 KiB. With TSNN_BORROW that is 4 times its size, and for a file as the library writes them next to
 * nothing.
 * @param options NULL: the defaults
 * @param[out] out NULL on failure
 * @return OK, NULL_ARGUMENT, STRUCT_SIZE, INVALID_ARGUMENT (options; a file above max_bytes), IO, FORMAT, SHAPE,
 *         STRUCTURE, NOT_FINITE, OVERFLOW (what the file holds is no network, and how), UNSUPPORTED (a newer format; a
 *         custom activation without options.custom; a build without model files), OUT_OF_MEMORY
 */
TSNN_API tsnn_status tsnn_predictor_load(tsnn_context *context, const char *path,
                                         const tsnn_predictor_load_options *options, tsnn_predictor **out);

/**
 * @brief Makes a predictor of a block of `size` bytes that hold a model file. Otherwise as tsnn_predictor_load().
 * @param data of any alignment; may go after the call unless it is borrowed
 */
TSNN_API tsnn_status tsnn_predictor_load_memory(tsnn_context *context, const void *data, int64_t size,
                                                const tsnn_predictor_load_options *options, tsnn_predictor **out);

/** @brief Frees a predictor and sets *predictor to NULL. Takes NULL and a pointer to NULL. No thread may be using it.
 */
TSNN_API void tsnn_predictor_destroy(tsnn_predictor **predictor);

/** What a predictor is. */
typedef struct tsnn_predictor_info {
    uint32_t struct_size; /**< Set by the caller. */
    int32_t isa;          /**< TSNN_ISA_* of its kernels. */
    int64_t layers;       /**< Layers of connections. */
    int64_t inputs;       /**< Features a sample. */
    int64_t outputs;      /**< Neurons of the last layer. */
    int64_t connections;  /**< Of all layers. */
    int64_t bytes;        /**< Memory of the layers, without what is borrowed. */
    int64_t borrowed;     /**< Bytes that are read in the caller's block or in a mapped file. */
} tsnn_predictor_info;

/** Initialises a tsnn_predictor_info. */
#define TSNN_PREDICTOR_INFO_INIT                                                                                       \
    {                                                                                                                  \
        (uint32_t)sizeof(tsnn_predictor_info), 0, 0, 0, 0, 0, 0, 0                                                     \
    }

/** @brief Tells what a predictor is. Safe from any thread. @return OK, NULL_ARGUMENT, STRUCT_SIZE */
TSNN_API tsnn_status tsnn_predictor_get_info(const tsnn_predictor *predictor, tsnn_predictor_info *info);

/**
 * @brief Bytes of a workspace, for memory of the caller's own. Safe from any thread.
 * @param batch samples that go through the network at once, 1..1,048,576; calls with more samples are cut into parts.
 *        128 is good for throughput, 1 is enough for single samples
 * @param[out] bytes enough at any alignment
 * @return OK, NULL_ARGUMENT, INVALID_ARGUMENT (batch), OVERFLOW
 */
TSNN_API tsnn_status tsnn_predictor_workspace_size(const tsnn_predictor *predictor, int64_t batch, int64_t *bytes);

/**
 * @brief Makes a workspace in the caller's memory, which it borrows until the workspace is used no more. Safe from any
 * thread.
 * @param memory of any alignment
 * @param bytes at least what tsnn_predictor_workspace_size() tells for this batch
 * @param[out] out lies inside the memory; needs no destroying; NULL on failure
 * @return OK, NULL_ARGUMENT, INVALID_ARGUMENT (batch), BUFFER_TOO_SMALL, OVERFLOW
 */
TSNN_API tsnn_status tsnn_predictor_workspace_init(const tsnn_predictor *predictor, int64_t batch, void *memory,
                                                   int64_t bytes, tsnn_predictor_workspace **out);

/**
 * @brief Makes a workspace in memory of the context's allocator, which is called on this thread.
 * @param[out] out NULL on failure
 * @return OK, NULL_ARGUMENT, INVALID_ARGUMENT (batch), OVERFLOW, OUT_OF_MEMORY; no text goes with it, as the predictor
 * and its context may be in use on other threads
 */
TSNN_API tsnn_status tsnn_predictor_workspace_create(const tsnn_predictor *predictor, int64_t batch,
                                                     tsnn_predictor_workspace **out);

/** @brief Frees a workspace and sets *workspace to NULL. Takes NULL, a pointer to NULL, and workspaces in the caller's
 * memory, of which it frees nothing. */
TSNN_API void tsnn_predictor_workspace_destroy(tsnn_predictor_workspace **workspace);

/**
 * @brief Copies out the message of the last failed call with this workspace.
 * @param[out] buffer receives text with a closing zero byte, cut to fit; may be NULL when capacity is 0
 * @param capacity bytes in buffer
 * @param[out] code the status that goes with the text; may be NULL
 * @return OK, NULL_ARGUMENT, INVALID_ARGUMENT (negative capacity)
 */
TSNN_API tsnn_status tsnn_predictor_workspace_error(const tsnn_predictor_workspace *workspace, char *buffer,
                                                    int64_t capacity, tsnn_status *code);

/** Samples to predict: rows of features, or their numbers other than 0. One of the two forms; both are refused. */
typedef struct tsnn_samples {
    uint32_t struct_size;      /**< sizeof this struct. */
    int32_t reserved;          /**< 0. */
    int64_t count;             /**< Samples. */
    const float *features;     /**< count x inputs, row-major, finite; NULL: sparse. */
    const int64_t *sample_ptr; /**< Sparse: count + 1 offsets into index and value, never falling, from 0. */
    const int32_t *index;      /**< Sparse: features, rising strictly within a sample, in [0, inputs). */
    const float *value;        /**< Sparse: their finite values. */
    int64_t capacity;          /**< Sparse: length of index and value; sample_ptr may not point beyond it. */
} tsnn_samples;

/** Initialises a tsnn_samples. */
#define TSNN_SAMPLES_INIT                                                                                              \
    {                                                                                                                  \
        (uint32_t)sizeof(tsnn_samples), 0, 0, NULL, NULL, NULL, NULL, 0                                                \
    }

/** Form of the outputs. */
enum {
    TSNN_OUTPUT_ACTIVATED = 0, /**< Through the last activation: probabilities, where that is softmax. */
    TSNN_OUTPUT_RAW = 1        /**< The sums of the last layer, before its activation. */
};

/** Which answers are wanted; pointers that are NULL are not. */
typedef struct tsnn_answers {
    uint32_t struct_size;     /**< sizeof this struct. */
    int32_t form;             /**< TSNN_OUTPUT_*, of outputs and scores. */
    float *outputs;           /**< samples x outputs, row-major. */
    int64_t outputs_capacity; /**< Numbers that outputs can hold. */
    int32_t *labels; /**< samples x max(top, 1): with top 0 the class as tsnn_network_classify() tells it, else the top
                        classes, best first, the lower number of equals first. */
    int64_t labels_capacity; /**< Numbers that labels can hold. */
    float *scores;           /**< samples x max(top, 1): the outputs of these classes. */
    int64_t scores_capacity; /**< Numbers that scores can hold. */
    int64_t top;             /**< 0, or 1..outputs. */
} tsnn_answers;

/** Initialises a tsnn_answers. */
#define TSNN_ANSWERS_INIT                                                                                              \
    {                                                                                                                  \
        (uint32_t)sizeof(tsnn_answers), 0, NULL, 0, NULL, 0, NULL, 0, 0                                                \
    }

/**
 * @brief Predicts samples of any form, and answers in any form. Allocates nothing.
 *
 * All arguments are checked before anything is written. The arrays of the answers must not overlap the samples. When an
 * output of the wanted form is no finite number - weights so large that sums overflow, a custom activation that gives
 * NaN - all answers are written nevertheless, and the status is NOT_FINITE; the text names the first such sample and
 * output, and the classes of such samples mean nothing.
 * @param workspace of this predictor; used by no other thread at the same time
 * @return OK, NULL_ARGUMENT, STRUCT_SIZE, INVALID_ARGUMENT (negative count, reserved not 0, dense and sparse samples at
 * once, unknown form, top above the outputs, a workspace of another predictor; labels without top of the raw form of a
 * single output, which has no threshold), BUFFER_TOO_SMALL, NOT_FINITE (a feature, or an output), STRUCTURE (sample_ptr
 * or index), OVERFLOW; the
 * detail is in the workspace: tsnn_predictor_workspace_error()
 */
TSNN_API tsnn_status tsnn_predictor_run(const tsnn_predictor *predictor, tsnn_predictor_workspace *workspace,
                                        const tsnn_samples *samples, const tsnn_answers *answers);

/**
 * @brief The outputs for rows of features, as tsnn_network_predict().
 * @param features samples x inputs, row-major, finite
 * @param[out] outputs samples x outputs, row-major
 * @param capacity numbers that outputs can hold
 * @return as tsnn_predictor_run()
 */
TSNN_API tsnn_status tsnn_predictor_predict(const tsnn_predictor *predictor, tsnn_predictor_workspace *workspace,
                                            const float *features, int64_t samples, float *outputs, int64_t capacity);

/**
 * @brief The class of each row of features, as tsnn_network_classify().
 * @param[out] labels samples class numbers
 * @param capacity numbers that labels can hold
 * @return as tsnn_predictor_run()
 */
TSNN_API tsnn_status tsnn_predictor_classify(const tsnn_predictor *predictor, tsnn_predictor_workspace *workspace,
                                             const float *features, int64_t samples, int32_t *labels, int64_t capacity);

TSNN_END_DECLS

#endif
