/* What the fuzz targets share. */
#define _GNU_SOURCE /* memfd_create, posix_memalign */

#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if TSNN_MODEL_FILES
#include <jansson.h>
#endif

/* ---- findings ---- */

void tsnni_fuzz_fail(const char *file, int line, const char *text, const tsnn_context *context)
{
    char error[512] = "";
    if (context != NULL)
        tsnn_context_error(context, error, sizeof error, NULL);
    fprintf(stderr, "%s:%d: finding: %s %s\n", file, line, text, error);
    abort();
}

/* ---- the input ---- */

void tsnni_fuzz_take(tsnni_fuzz_input *input, void *to, size_t bytes)
{
    size_t there = bytes < input->size ? bytes : input->size;
    if (bytes == 0)
        return;
    memset(to, 0, bytes);
    if (there > 0)
        memcpy(to, input->data, there);
    input->data += there;
    input->size -= there;
}

uint8_t tsnni_fuzz_byte(tsnni_fuzz_input *input)
{
    uint8_t byte;
    tsnni_fuzz_take(input, &byte, 1);
    return byte;
}

int64_t tsnni_fuzz_whole(tsnni_fuzz_input *input, int64_t low, int64_t high)
{
    int64_t number = tsnni_fuzz_byte(input);
    if (high - low > UINT8_MAX)
        number = number << 8 | tsnni_fuzz_byte(input);
    return low + number % (high - low + 1);
}

void *tsnni_fuzz_copy(tsnni_fuzz_input *input, size_t bytes)
{
    void *block = malloc(bytes > 0 ? bytes : 1);
    FUZZ_REQUIRE(block != NULL);
    tsnni_fuzz_take(input, block, bytes);
    return block;
}

/* ---- memory ---- */

/* The library puts a pointer in front of an array and rounds up to 64 bytes. At one byte beyond a multiple it has to
 * skip all that it asked for to be able to: then the array ends with the block. */
#define SKIPPED 121 /* bytes in front, of which the first hold the size: 64 + 64 - sizeof(pointer) + 1 */
#define ALIGNMENT 64

static struct {
    int64_t live, bytes, peak, base, most;
} memory;

static void count(int64_t bytes)
{
    memory.live += bytes > 0 ? 1 : -1;
    memory.bytes += bytes;
    memory.peak = memory.bytes > memory.peak ? memory.bytes : memory.peak;
}

static void *allocate(void *user, size_t size)
{
    void *block = NULL;
    (void)user;
    if (memory.most > 0 && (size > (size_t)memory.most || memory.bytes + (int64_t)size > memory.most))
        return NULL;
    if (posix_memalign(&block, ALIGNMENT, size + SKIPPED) != 0)
        return NULL;
    memcpy(block, &size, sizeof size);
    count((int64_t)size);
    return (unsigned char *)block + SKIPPED;
}

static void release(void *user, void *pointer)
{
    unsigned char *block = (unsigned char *)pointer - SKIPPED;
    size_t size;
    (void)user;
    memcpy(&size, block, sizeof size);
    count(-(int64_t)size);
    free(block);
}

#if TSNN_MODEL_FILES

#define JSON_FRONT 16 /* holds the size; about what malloc itself needs for a block, so it is counted */

static void *json_allocate(size_t size)
{
    unsigned char *block = malloc(size + JSON_FRONT);
    if (block == NULL)
        return NULL;
    memcpy(block, &size, sizeof size);
    count((int64_t)size + JSON_FRONT);
    return block + JSON_FRONT;
}

static void json_release(void *pointer)
{
    size_t size;
    if (pointer == NULL)
        return;
    unsigned char *block = (unsigned char *)pointer - JSON_FRONT;
    memcpy(&size, block, sizeof size);
    count(-(int64_t)size - JSON_FRONT);
    free(block);
}

static void prepare_json(void)
{
    json_set_alloc_funcs(json_allocate, json_release);
    json_object_seed(1); /* equal inputs take equal ways */
}

#else

static void prepare_json(void)
{
}

#endif

tsnn_context *tsnni_fuzz_context(int64_t most)
{
    static int prepared;
    tsnn_context *context = NULL;
    tsnn_context_options options = TSNN_CONTEXT_OPTIONS_INIT;
    if (!prepared)
        prepare_json();
    prepared = 1;
    memory.most = most;
    options.threads = 1;
    options.seed = 3;
    options.allocate = allocate;
    options.release = release;
    FUZZ_OK(NULL, tsnn_context_create(&options, &context));
    return context;
}

void tsnni_fuzz_peak_reset(void)
{
    memory.base = memory.peak = memory.bytes;
}

int64_t tsnni_fuzz_peak(void)
{
    return memory.peak - memory.base;
}

int64_t tsnni_fuzz_live(void)
{
    return memory.live;
}

/* ---- files ---- */

const char *tsnni_fuzz_file(int slot, const void *data, size_t size)
{
    static struct {
        int descriptor; /* 0: none yet */
        char path[32];
    } files[TSNNI_FUZZ_FILES];
    if (files[slot].descriptor == 0) {
        files[slot].descriptor = memfd_create("fuzz", MFD_CLOEXEC);
        FUZZ_REQUIRE(files[slot].descriptor > 0);
        snprintf(files[slot].path, sizeof files[slot].path, "/proc/self/fd/%d", files[slot].descriptor);
    }
    FUZZ_REQUIRE(ftruncate(files[slot].descriptor, 0) == 0);
    FUZZ_REQUIRE(size == 0 || pwrite(files[slot].descriptor, data, size, 0) == (ssize_t)size);
    return files[slot].path;
}
