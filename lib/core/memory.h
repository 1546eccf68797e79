/* Aligned arrays from the caller's allocator, with every size checked for overflow. */
#ifndef TSNNI_CORE_MEMORY_H
#define TSNNI_CORE_MEMORY_H

#include "core/runtime.h"

/* count * size bytes, aligned to TSNNI_ALIGNMENT, uninitialised; *out is NULL after a failure. count = 0 gives a valid
 * pointer. Errors: OVERFLOW (count negative or the product too large), OUT_OF_MEMORY, both with the numbers in the
 * text. Large blocks are advised to use huge pages where the system has them. */
tsnn_status tsnni_allocate(tsnni_runtime *runtime, int64_t count, size_t size, void **out);

/* The same, filled with zero bytes. */
tsnn_status tsnni_allocate_zero(tsnni_runtime *runtime, int64_t count, size_t size, void **out);

/* Takes NULL. */
void tsnni_release(tsnni_runtime *runtime, void *pointer);

/* Typed shorthands: `TSNNI_TRY(TSNNI_NEW(runtime, count, &array))` for any `T *array`. */
#define TSNNI_NEW(runtime, count, out) tsnni_allocate((runtime), (count), sizeof **(out), (void **)(out))
#define TSNNI_NEW_ZERO(runtime, count, out) tsnni_allocate_zero((runtime), (count), sizeof **(out), (void **)(out))

/* a * b and a + b for non-negative sizes; OVERFLOW without touching *out when the result exceeds INT64_MAX. No text. */
tsnn_status tsnni_multiply(int64_t a, int64_t b, int64_t *out);
tsnn_status tsnni_add(int64_t a, int64_t b, int64_t *out);

#endif
