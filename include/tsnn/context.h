/**
 * @file context.h
 * @brief What every object shares: memory, threads, instruction set, seed, log and the last error.
 *
 * Thread rule for the whole library: a context and the objects made with it are used by one thread at a time. Different
 * contexts are independent. The library keeps no other mutable state.
 */
#ifndef TSNN_CONTEXT_H
#define TSNN_CONTEXT_H

#include <stddef.h>
#include <stdint.h>

#include <tsnn/export.h>
#include <tsnn/status.h>

TSNN_BEGIN_DECLS

/** Instruction sets of the kernels. */
enum {
    TSNN_ISA_AUTO = 0,   /**< The fastest that this machine has. */
    TSNN_ISA_REF = 1,    /**< Plain C, everywhere; the oracle of the others. */
    TSNN_ISA_AVX2 = 2,   /**< x86-64 with AVX2 and FMA. */
    TSNN_ISA_AVX512 = 3, /**< x86-64 with AVX-512 F, BW, DQ and VL. */
    TSNN_ISA_NEON = 4    /**< aarch64. */
};

/** Levels of log lines. */
enum { TSNN_LOG_WARNING = 1, TSNN_LOG_INFO = 2, TSNN_LOG_DEBUG = 3 };

/**
 * @brief Returns `size` bytes of any alignment, or NULL.
 *
 * Called on the thread that calls the library, with these exceptions. tsnn_parallel_run() calls it on its workers'
 * threads, by one at a time. Workspaces of predictors and subscribers may be made and destroyed on any threads, and
 * predictors destroyed there: where several do so at once, or while another uses the context, it is called by them all
 * at once.
 */
typedef void *(*tsnn_allocate_function)(void *user, size_t size);
/** Takes back what the allocate function returned; never called with NULL. On the same threads. */
typedef void (*tsnn_release_function)(void *user, void *pointer);
/**
 * @brief Receives one line without a newline, on the thread that calls the library. Must not call the library.
 *
 * So far one line is logged: INFO when tsnn_context_create() has succeeded, which kernels and how many threads.
 * Training is told by callbacks, failures by their status and tsnn_context_error(); neither is logged. Later versions
 * may log more, at any level.
 */
typedef void (*tsnn_log_function)(void *user, int32_t level, const char *text);

/** Owner of everything that objects share. */
typedef struct tsnn_context tsnn_context;

/** Options of tsnn_context_create(). Zero means the default. */
typedef struct tsnn_context_options {
    uint32_t struct_size;            /**< sizeof this struct, for the version that the caller was compiled with. */
    int32_t threads;                 /**< Threads that a call may use; default: the processors of this process. */
    int32_t isa;                     /**< TSNN_ISA_*; one that the machine lacks is refused (UNSUPPORTED). */
    int32_t reserved;                /**< 0. */
    uint64_t seed;                   /**< Of all random numbers: same seed, same bits, for any thread count. */
    tsnn_allocate_function allocate; /**< Default: malloc. Set with `release`, or neither. */
    tsnn_release_function release;   /**< Default: free. */
    void *allocator_user;            /**< Passed to both. */
    tsnn_log_function log;           /**< Default: no log. */
    void *log_user;                  /**< Passed to log. */
} tsnn_context_options;

/** Initialises a tsnn_context_options to its defaults. */
#define TSNN_CONTEXT_OPTIONS_INIT                                                                                      \
    {                                                                                                                  \
        (uint32_t)sizeof(tsnn_context_options), 0, 0, 0, 0, NULL, NULL, NULL, NULL, NULL                               \
    }

/**
 * @brief The same as TSNN_CONTEXT_OPTIONS_INIT, for callers without a C preprocessor.
 * @param options filled in; NULL gives NULL_ARGUMENT
 */
TSNN_API tsnn_status tsnn_context_options_init(tsnn_context_options *options);

/**
 * @brief Creates a context.
 * @param options NULL: all defaults
 * @param[out] out the context, to be given back with tsnn_context_destroy() after all objects made with it; NULL on
 * failure
 * @return OK, NULL_ARGUMENT, STRUCT_SIZE, INVALID_ARGUMENT (threads outside 0..1024, an unknown isa, one allocator
 *         function without the other), UNSUPPORTED (an isa that this machine lacks), OUT_OF_MEMORY
 */
TSNN_API tsnn_status tsnn_context_create(const tsnn_context_options *options, tsnn_context **out);

/** @brief Frees a context and sets *context to NULL. Takes NULL and a pointer to NULL. */
TSNN_API void tsnn_context_destroy(tsnn_context **context);

/**
 * @brief Copies out the message of the last failure: which object, which argument, which numbers.
 * @param context the context of the failed call
 * @param[out] buffer receives text with a closing zero byte, cut to fit; may be NULL when capacity is 0
 * @param capacity bytes in buffer
 * @param[out] code the status that goes with the text; may be NULL
 * @return OK, NULL_ARGUMENT, INVALID_ARGUMENT (negative capacity)
 */
TSNN_API tsnn_status tsnn_context_error(const tsnn_context *context, char *buffer, int64_t capacity, tsnn_status *code);

/** What a context settled on. */
typedef struct tsnn_context_info {
    uint32_t struct_size; /**< Set by the caller. */
    int32_t threads;      /**< Threads that a call may use. */
    int32_t isa;          /**< TSNN_ISA_* in use, never AUTO. */
    int32_t reserved;     /**< 0. */
    uint64_t seed;        /**< As given. */
} tsnn_context_info;

/** Initialises a tsnn_context_info. */
#define TSNN_CONTEXT_INFO_INIT                                                                                         \
    {                                                                                                                  \
        (uint32_t)sizeof(tsnn_context_info), 0, 0, 0, 0                                                                \
    }

/**
 * @brief Tells the number of threads, the instruction set and the seed in use.
 * @return OK, NULL_ARGUMENT, STRUCT_SIZE
 */
TSNN_API tsnn_status tsnn_context_get_info(const tsnn_context *context, tsnn_context_info *info);

/** @brief Name of an instruction set ("avx512"); "unknown" for values that are none. @return a static string */
TSNN_API const char *tsnn_isa_string(int32_t isa);

/**
 * @brief Changes the thread count for later calls. Results do not depend on it.
 * @param threads 0: the processors of this process; at most 1024
 * @return OK, NULL_ARGUMENT, INVALID_ARGUMENT
 */
TSNN_API tsnn_status tsnn_context_set_threads(tsnn_context *context, int32_t threads);

TSNN_END_DECLS

#endif
