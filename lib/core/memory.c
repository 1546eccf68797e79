/* Alignment over an allocator of any alignment: the block that the allocator gave is remembered in front of the array.
 */
#if defined(__linux__) && !defined(_DEFAULT_SOURCE)
#define _DEFAULT_SOURCE /* madvise */
#endif

#include "core/memory.h"

#include <string.h>

#if defined(__linux__)
#include <sys/mman.h>
#endif

/* Bytes. Smaller blocks gain nothing from huge pages. */
#define HUGE_BLOCK ((size_t)4 << 20)
#define HUGE_PAGE ((size_t)2 << 20)

/* Room for the allocator's pointer and for rounding up to the alignment. */
#define OVERHEAD (sizeof(void *) + TSNNI_ALIGNMENT - 1)

/* Only whole huge pages inside the block: its neighbours are not ours to advise on. */
static void advise_huge_pages(unsigned char *block, size_t bytes)
{
#if defined(MADV_HUGEPAGE)
    if (bytes < HUGE_BLOCK)
        return;
    size_t skip = (HUGE_PAGE - (uintptr_t)block % HUGE_PAGE) % HUGE_PAGE;
    size_t inside = (bytes - skip) / HUGE_PAGE * HUGE_PAGE;
    (void)madvise(block + skip, inside, MADV_HUGEPAGE); /* advice: a refusal changes nothing */
#else
    (void)block;
    (void)bytes;
#endif
}

tsnn_status tsnni_allocate(tsnni_runtime *runtime, int64_t count, size_t size, void **out)
{
    void *array = NULL;
    memcpy(out, &array, sizeof array); /* *out may be a pointer to any type */
    if (count < 0 || (size > 0 && (uint64_t)count > (PTRDIFF_MAX - OVERHEAD) / size))
        return tsnni_fail(runtime, TSNN_ERROR_OVERFLOW, "cannot allocate %lld elements of %zu bytes", (long long)count,
                          size);
    size_t bytes = (size_t)count * size;
    unsigned char *block = runtime->allocate(runtime->allocator_user, bytes + OVERHEAD);
    if (block == NULL)
        return tsnni_fail(runtime, TSNN_ERROR_OUT_OF_MEMORY, "out of memory: %lld elements of %zu bytes",
                          (long long)count, size);
    unsigned char *first = block + sizeof(void *);
    first += (TSNNI_ALIGNMENT - (uintptr_t)first % TSNNI_ALIGNMENT) % TSNNI_ALIGNMENT;
    memcpy(first - sizeof(void *), &block, sizeof block);
    if (runtime->huge_pages)
        advise_huge_pages(first, bytes);
    array = first;
    memcpy(out, &array, sizeof array);
    return TSNN_OK;
}

tsnn_status tsnni_allocate_zero(tsnni_runtime *runtime, int64_t count, size_t size, void **out)
{
    tsnn_status status = tsnni_allocate(runtime, count, size, out);
    if (status == TSNN_OK) {
        void *array;
        memcpy(&array, out, sizeof array);
        memset(array, 0, (size_t)count * size);
    }
    return status;
}

void tsnni_release(tsnni_runtime *runtime, void *pointer)
{
    if (pointer == NULL)
        return;
    void *block;
    memcpy(&block, (unsigned char *)pointer - sizeof block, sizeof block);
    runtime->release(runtime->allocator_user, block);
}

tsnn_status tsnni_multiply(int64_t a, int64_t b, int64_t *out)
{
    if (a < 0 || b < 0 || (b > 0 && a > INT64_MAX / b))
        return TSNN_ERROR_OVERFLOW;
    *out = a * b;
    return TSNN_OK;
}

tsnn_status tsnni_add(int64_t a, int64_t b, int64_t *out)
{
    if (a < 0 || b < 0 || a > INT64_MAX - b)
        return TSNN_ERROR_OVERFLOW;
    *out = a + b;
    return TSNN_OK;
}
