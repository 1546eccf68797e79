/* An allocator that counts what is alive, fails when told to and returns badly aligned blocks. */
#ifndef TSNN_TESTS_ALLOCATOR_H
#define TSNN_TESTS_ALLOCATOR_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "core/runtime.h"

typedef struct counting_allocator {
    int64_t live;    /* blocks handed out and not yet returned */
    int64_t calls;   /* allocations asked for */
    int64_t fail_at; /* the call, from 1, that returns NULL; 0: none */
    size_t offset;   /* bytes by which each block starts past malloc's alignment; below 64 */
} counting_allocator;

static inline void *counting_allocate(void *user, size_t size)
{
    counting_allocator *allocator = user;
    if (++allocator->calls == allocator->fail_at)
        return NULL;
    unsigned char *block = malloc(size + allocator->offset);
    if (block == NULL)
        return NULL;
    allocator->live++;
    memset(block, 0xA5, size + allocator->offset < 4096 ? size + allocator->offset : 4096);
    return block + allocator->offset;
}

static inline void counting_release(void *user, void *pointer)
{
    counting_allocator *allocator = user;
    allocator->live--;
    free((unsigned char *)pointer - allocator->offset);
}

static inline void counting_runtime_init(tsnni_runtime *runtime, counting_allocator *allocator)
{
    memset(allocator, 0, sizeof *allocator);
    tsnni_runtime_init(runtime);
    runtime->allocate = counting_allocate;
    runtime->release = counting_release;
    runtime->allocator_user = allocator;
}

/* Calls `build` with its first, second, ... allocation failing until it succeeds. `build` returns its status, checks
 * after a failure that its outputs are empty, and frees them after success. Returns how many allocations a success
 * takes. */
static inline int64_t fail_each_allocation(tsnn_status (*build)(tsnni_runtime *runtime))
{
    for (int64_t fail_at = 1;; fail_at++) {
        tsnni_runtime runtime;
        counting_allocator allocator;
        counting_runtime_init(&runtime, &allocator);
        allocator.fail_at = fail_at;
        tsnn_status status = build(&runtime);
        ck_assert_int_eq(allocator.live, 0);
        if (status == TSNN_OK)
            return allocator.calls;
        ck_assert_int_eq(status, TSNN_ERROR_OUT_OF_MEMORY);
        ck_assert_int_eq(runtime.error, TSNN_ERROR_OUT_OF_MEMORY);
        ck_assert_ptr_nonnull(strstr(runtime.error_text, "out of memory"));
    }
}

#endif
