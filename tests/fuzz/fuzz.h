/* What the fuzz targets share: numbers out of the input, memory that is counted, files without a directory. A target is
 * one file that defines LLVMFuzzerTestOneInput(); it takes any bytes and ends the process when something is wrong. */
#ifndef TSNN_TESTS_FUZZ_H
#define TSNN_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include <tsnn.h>

#ifndef TSNN_MODEL_FILES
#define TSNN_MODEL_FILES 1 /* 0: the library was built without them */
#endif

/* libFuzzer calls it, or replay.c. Always 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- findings ---- */

/* Says what did not hold, with the context's last error where there is one, and aborts: a finding. */
void tsnni_fuzz_fail(const char *file, int line, const char *text, const tsnn_context *context);

#define FUZZ_REQUIRE(condition)                                                                                        \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            tsnni_fuzz_fail(__FILE__, __LINE__, #condition, NULL);                                                     \
    } while (0)

/* The call must succeed. */
#define FUZZ_OK(context, call)                                                                                         \
    do {                                                                                                               \
        if ((call) != TSNN_OK)                                                                                         \
            tsnni_fuzz_fail(__FILE__, __LINE__, #call, (context));                                                     \
    } while (0)

/* ---- the input ---- */

/* What of it is left. */
typedef struct tsnni_fuzz_input {
    const uint8_t *data;
    size_t size;
} tsnni_fuzz_input;

/* Beyond the end come zeros. */
void tsnni_fuzz_take(tsnni_fuzz_input *input, void *to, size_t bytes);
uint8_t tsnni_fuzz_byte(tsnni_fuzz_input *input);
/* In [low, high], from one byte, or two where the range is wider. */
int64_t tsnni_fuzz_whole(tsnni_fuzz_input *input, int64_t low, int64_t high);
/* A copy of what comes next, in a block of exactly that size; to be freed. */
void *tsnni_fuzz_copy(tsnni_fuzz_input *input, size_t bytes);

/* ---- memory ---- */

/* A context of one thread whose arrays end where their memory does, so that a step beyond is seen. It and jansson share
 * one count of bytes; beyond `most` of them the library is refused (0: never). */
tsnn_context *tsnni_fuzz_context(int64_t most);

/* The count begins anew: what is allocated now is not part of the peak. */
void tsnni_fuzz_peak_reset(void);
int64_t tsnni_fuzz_peak(void);
/* Blocks that were not given back. */
int64_t tsnni_fuzz_live(void);

/* ---- files ---- */

#define TSNNI_FUZZ_FILES 4

/* Replaces the contents of file `slot`, of TSNNI_FUZZ_FILES, and tells its path. */
const char *tsnni_fuzz_file(int slot, const void *data, size_t size);

#endif
