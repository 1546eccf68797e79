/* The services that every library function is handed: memory, error text, thread count.
 * The public tsnn_context begins with one of these; nothing in lib/ keeps state of its own. */
#ifndef TSNNI_CORE_RUNTIME_H
#define TSNNI_CORE_RUNTIME_H

#include <stddef.h>
#include <stdint.h>

#include <tsnn/status.h>

#if defined(__GNUC__) || defined(__clang__)
#define TSNNI_PRINTF(text, first) __attribute__((__format__(__printf__, text, first)))
#else
#define TSNNI_PRINTF(text, first)
#endif

/* Bytes. A cache line and the widest vector: every array that a kernel reads starts on one. */
#define TSNNI_ALIGNMENT 64

typedef struct tsnni_runtime {
    void *(*allocate)(void *user, size_t size); /* returns NULL on failure; any alignment */
    void (*release)(void *user, void *pointer);
    void *allocator_user;
    int32_t huge_pages; /* advise the system on large blocks: only on our own, never on a caller's memory */
    void (*log)(void *user, int32_t level, const char *text); /* NULL: off */
    void *log_user;
    int32_t threads;   /* at least 1 */
    tsnn_status error; /* of the last failure */
    char error_text[512];
} tsnni_runtime;

/* malloc and free, one thread, no log. */
void tsnni_runtime_init(tsnni_runtime *runtime);

/* Stores code and formatted text in the runtime and returns code, so that `return tsnni_fail(...)` reads well.
 * A NULL runtime only returns the code. */
tsnn_status tsnni_fail(tsnni_runtime *runtime, tsnn_status code, const char *format, ...) TSNNI_PRINTF(3, 4);

/* Puts a formatted place in front of the text of the failure that a call has just returned as `code`, as "place: text",
 * and returns `code`. */
tsnn_status tsnni_fail_at(tsnni_runtime *runtime, tsnn_status code, const char *format, ...) TSNNI_PRINTF(3, 4);

/* Passes a formatted line to the caller's log, if one is set. */
void tsnni_log(tsnni_runtime *runtime, int32_t level, const char *format, ...) TSNNI_PRINTF(3, 4);

/* Both need a local `tsnn_status status` and a label `fail` that cleans up and returns status. */
#define TSNNI_TRY(expression)                                                                                          \
    do {                                                                                                               \
        if ((status = (expression)) < 0)                                                                               \
            goto fail;                                                                                                 \
    } while (0)

#define TSNNI_FAIL(runtime, code, ...)                                                                                 \
    do {                                                                                                               \
        status = tsnni_fail((runtime), (code), __VA_ARGS__);                                                           \
        goto fail;                                                                                                     \
    } while (0)

#endif
