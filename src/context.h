/* Inside of a context, and how options and info structs of any version are read and written. */
#ifndef TSNNI_CONTEXT_H
#define TSNNI_CONTEXT_H

#include <tsnn/context.h>

#include "core/runtime.h"
#include "kernels/kernels.h"
#include "kernels/plan.h"

struct tsnn_context {
    tsnni_runtime runtime; /* first: lib/ is handed this */
    const tsnni_kernels *kernels;
    tsnni_caches caches;
    uint64_t seed;
    int64_t streams;   /* layers created so far: the default stream of the next is one more */
    uint64_t versions; /* topologies created so far */

    void (*between)(
        void *user); /* called after each layer of a pass, on the pass's thread: what must go on meanwhile */
    void *between_user;
};

/* A pass calls it after each layer. */
static inline void tsnni_context_breathe(const tsnn_context *context)
{
    if (context->between != NULL)
        context->between(context->between_user);
}

/* Reads a caller's options struct of known_size bytes or of another version of it: what a smaller one lacks is 0, what
 * a larger one has more must be 0 (STRUCT_SIZE). NULL reads as all zeros. `name` is for the text. */
tsnn_status tsnni_options_read(tsnni_runtime *runtime, const void *options, void *out, size_t known_size,
                               const char *name);

/* Writes `known` into a caller's info struct, as much of it as its struct_size says; struct_size stays the caller's. */
tsnn_status tsnni_info_write(tsnni_runtime *runtime, void *info, const void *known, size_t known_size,
                             const char *name);

/* NULL_ARGUMENT, with a text where there is a context to hold it. */
tsnn_status tsnni_null_argument(tsnn_context *context, const char *name);

#endif
