/**
 * @file model_file.h
 * @brief Networks and the state of their training as files or memory blocks.
 *
 * The format is safetensors (docs/model-format.md): for layer k of a network the tensors `layers.<k>.row_ptr`,
 * `layers.<k>.col_idx`, `layers.<k>.values` and `layers.<k>.bias`, the standardisation of the inputs, and what else a
 * network is in `__metadata__`. A file does not depend on the instruction set or the thread count.
 *
 * Nothing in a file is trusted: whatever it holds, reading it takes at most 4 times its size, plus 64 times the size of
 * its header (at most 16 MiB), plus 4 KiB, and either gives a network that tsnn_layer_create_from_csr() would take, or
 * an error. Files are written beside their name, as NAME.PID.N.tmp, brought to the disk and renamed: a crash leaves the
 * old file or the new one, and perhaps that other one, which may be deleted.
 */
#ifndef TSNN_MODEL_FILE_H
#define TSNN_MODEL_FILE_H

#include <stddef.h>
#include <stdint.h>

#include <tsnn/network.h>
#include <tsnn/trainer.h>

TSNN_BEGIN_DECLS

/** Options of saving. Zero means the default. */
typedef struct tsnn_save_options {
    uint32_t struct_size;        /**< sizeof this struct. */
    int32_t momentum;            /**< 1: the momentum of connections and biases too, where there is any. A trainer's
                                    files have it always. */
    const char *const *metadata; /**< Texts of your own, in UTF-8: key, value, key, value, ... No key may begin with
                                    "tsnn."; none may be there twice. */
    int64_t metadata_count;      /**< Pairs. */
} tsnn_save_options;

/** Initialises a tsnn_save_options to its defaults. */
#define TSNN_SAVE_OPTIONS_INIT                                                                                         \
    {                                                                                                                  \
        (uint32_t)sizeof(tsnn_save_options), 0, NULL, 0                                                                \
    }

/** @brief The same as TSNN_SAVE_OPTIONS_INIT. @return OK, NULL_ARGUMENT */
TSNN_API tsnn_status tsnn_save_options_init(tsnn_save_options *options);

/** Options of loading. Zero means the default. */
typedef struct tsnn_load_options {
    uint32_t struct_size;          /**< sizeof this struct. */
    int32_t reserved;              /**< 0. */
    int64_t max_bytes;             /**< Larger files and blocks are refused; default: none is. */
    const tsnn_activation *custom; /**< The activation of layers saved as CUSTOM, since a function cannot be saved.
                                      Copied. A trainer that resumes takes those of its network instead. */
} tsnn_load_options;

/** Initialises a tsnn_load_options to its defaults. */
#define TSNN_LOAD_OPTIONS_INIT                                                                                         \
    {                                                                                                                  \
        (uint32_t)sizeof(tsnn_load_options), 0, 0, NULL                                                                \
    }

/** @brief The same as TSNN_LOAD_OPTIONS_INIT. @return OK, NULL_ARGUMENT */
TSNN_API tsnn_status tsnn_load_options_init(tsnn_load_options *options);

/**
 * @brief Saves a network: layers, activations, dropout, standardisation, and what evolution needs.
 * @param options NULL: without momentum
 * @param path of the file, which is replaced (a symbolic link too, not what it points to) by one with the same
 *             permission bits; its directory must exist. What exists and is no regular file is refused: IO
 * @return OK, NULL_ARGUMENT, STRUCT_SIZE, INVALID_ARGUMENT (options), STATE (no layers), NOT_FINITE (a weight, bias or
 *         momentum), IO, OVERFLOW (a header beyond 16 MiB: some 20,000 layers), OUT_OF_MEMORY, UNSUPPORTED (a build
 *         without model files); the old file stays after a failure, unless it is IO and the text speaks of the
 * directory
 */
TSNN_API tsnn_status tsnn_network_save(const tsnn_network *network, const tsnn_save_options *options, const char *path);

/**
 * @brief Saves a network into memory: the bytes that tsnn_network_save() writes.
 * @param[out] buffer capacity bytes; NULL: only the size is wanted
 * @param capacity bytes that buffer can hold
 * @param[out] size bytes needed, set whenever they could be counted; NULL: not wanted
 * @return as tsnn_network_save(), and BUFFER_TOO_SMALL (the buffer's bytes are then undefined)
 */
TSNN_API tsnn_status tsnn_network_save_memory(const tsnn_network *network, const tsnn_save_options *options,
                                              void *buffer, int64_t capacity, int64_t *size);

/**
 * @brief Loads a network from a file that tsnn_network_save() or tsnn_trainer_save() has written.
 * @param options NULL: the defaults
 * @param[out] out NULL on failure
 * @return OK, NULL_ARGUMENT, STRUCT_SIZE, INVALID_ARGUMENT (options; a file above max_bytes), IO, FORMAT, SHAPE,
 *         STRUCTURE, NOT_FINITE, OVERFLOW (what the file holds is no network, and how), UNSUPPORTED (a newer format; a
 *         custom activation without options.custom; a build without model files), OUT_OF_MEMORY
 */
TSNN_API tsnn_status tsnn_network_load(tsnn_context *context, const char *path, const tsnn_load_options *options,
                                       tsnn_network **out);

/** @brief Loads a network from a block of `size` bytes, which may go afterwards. Otherwise as tsnn_network_load(). */
TSNN_API tsnn_status tsnn_network_load_memory(tsnn_context *context, const void *data, int64_t size,
                                              const tsnn_load_options *options, tsnn_network **out);

/**
 * @brief Saves a trainer's network together with its momentum, random counters and place in the training.
 *
 * May be called from the trainer's callbacks: after a step, the file holds the place within the epoch. So it does after
 * a run that a step callback has stopped. The objects that the trainer was made with are not in the file, nor is the
 * data.
 * @param options NULL: the defaults
 * @return as tsnn_network_save()
 */
TSNN_API tsnn_status tsnn_trainer_save(const tsnn_trainer *trainer, const tsnn_save_options *options, const char *path);

/** @brief The same into memory. Arguments as tsnn_network_save_memory(). */
TSNN_API tsnn_status tsnn_trainer_save_memory(const tsnn_trainer *trainer, const tsnn_save_options *options,
                                              void *buffer, int64_t capacity, int64_t *size);

/**
 * @brief Goes back to what tsnn_trainer_save() has saved: the trainer's network becomes the saved one.
 *
 * With the same context seed, instruction set, trainer options and data, a run that is resumed ends with the bits of
 * one that was never interrupted; that goes for bf16 too, which comes from the file. Options may also differ (more
 * epochs, another rate): then it goes on by the new ones; only after a save inside an epoch the batch must be the same.
 * Layers that tsnn_network_get_layer() has lent are no longer valid.
 * @param options NULL: the defaults
 * @return as tsnn_network_load(), and STATE (the context's seed is another; the file holds no training, or was saved
 * inside an epoch with another batch; in a callback of this trainer), SHAPE (the saved network has other inputs or
 * outputs than the trainer's), INVALID_ARGUMENT (the loss does not fit the saved network); the trainer and its network
 * are unchanged on failure
 */
TSNN_API tsnn_status tsnn_trainer_resume(tsnn_trainer *trainer, const char *path, const tsnn_load_options *options);

/** @brief The same from a block of `size` bytes. */
TSNN_API tsnn_status tsnn_trainer_resume_memory(tsnn_trainer *trainer, const void *data, int64_t size,
                                                const tsnn_load_options *options);

/**
 * @brief Copies a text out of the `__metadata__` of a model file, or of any safetensors file.
 * @param key "tsnn.library", or one of your own
 * @param[out] buffer receives the text with a closing zero byte; may be NULL when capacity is 0
 * @param capacity bytes in buffer
 * @param[out] size bytes needed; NULL: not wanted
 * @return OK, NULL_ARGUMENT, INVALID_ARGUMENT (negative capacity; the file has no such key), BUFFER_TOO_SMALL (with a
 *         buffer), IO, FORMAT, UNSUPPORTED, OUT_OF_MEMORY
 */
TSNN_API tsnn_status tsnn_model_get_metadata(tsnn_context *context, const char *path, const char *key, char *buffer,
                                             int64_t capacity, int64_t *size);

TSNN_END_DECLS

#endif
