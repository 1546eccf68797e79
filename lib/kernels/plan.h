/* Which kernel runs a layer, and how: chosen from the layer's shape and density, the batch, and the sizes of the
 * caches. A choice of route, panels or prefetch changes no bit of a result, only its speed. */
#ifndef TSNNI_KERNELS_PLAN_H
#define TSNNI_KERNELS_PLAN_H

#include <stdint.h>

/* Bytes of one core's caches. */
typedef struct tsnni_caches {
    int64_t level1, level2, level3;
} tsnni_caches;

typedef enum tsnni_route {
    TSNNI_ROUTE_PLAIN,  /* connection by connection */
    TSNNI_ROUTE_PANELS, /* the same, a cache-full of the other side's rows at a time */
    TSNNI_ROUTE_DENSE   /* register tiles over every cell; weights that do not exist count as zero */
} tsnni_route;

/* What decided. */
typedef enum tsnni_plan_reason {
    TSNNI_REASON_FITS,     /* what is read at random fits the second-level cache */
    TSNNI_REASON_PARTS,    /* rows have connections enough for parts of it that nearer caches hold */
    TSNNI_REASON_FEW,      /* it does not fit, and parts would not pay */
    TSNNI_REASON_MEMORY,   /* the same, and it is beyond the third-level cache's share too */
    TSNNI_REASON_FULL,     /* nearly all cells are connections */
    TSNNI_REASON_REFERENCE /* the kernels know one way only */
} tsnni_plan_reason;

/* What decides. */
typedef struct tsnni_plan_shape {
    int64_t rows, columns, count;              /* inputs, outputs, connections */
    int64_t width;                             /* columns of the activations */
    int64_t input_bytes;                       /* of one activation of an input: 4, or 2 as bf16 */
    int64_t forward_columns, backward_columns; /* of the kernels: see tsnni_kernels */
} tsnni_plan_shape;

/* How one pass runs. */
typedef struct tsnni_pass_plan {
    tsnni_route route;
    int64_t panels;       /* 1 without */
    int64_t prefetch;     /* connections ahead, into the first-level cache; 0: none */
    int64_t prefetch_far; /* the same into the second-level cache; 0: none */
    int64_t bytes;        /* of the activations that the pass reads at random before it turns to others; dense: 0 */
    tsnni_plan_reason reason;
} tsnni_pass_plan;

tsnni_caches tsnni_caches_of_this_machine(void);

tsnni_pass_plan tsnni_plan_forward(const tsnni_caches *caches, const tsnni_plan_shape *shape);

/* `input_gradient`: dx is wanted, not only the gradient of the weights. */
tsnni_pass_plan tsnni_plan_backward(const tsnni_caches *caches, const tsnni_plan_shape *shape, int32_t input_gradient);

#endif
