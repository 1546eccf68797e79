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

/* What decides. */
typedef struct tsnni_plan_shape {
    int64_t rows, columns, count; /* inputs, outputs, connections */
    int64_t width, stride;        /* of the activations, in floats */
    int64_t input_row_bytes;      /* of the inputs' activations; 0: as many as a row of floats has */
} tsnni_plan_shape;

/* How one pass runs. */
typedef struct tsnni_pass_plan {
    tsnni_route route;
    int64_t panels;       /* 1 without */
    int64_t prefetch;     /* connections ahead, into the first-level cache */
    int64_t prefetch_far; /* the same into the second-level cache; 0: none */
    int64_t bytes;        /* of the activations that the pass reads at random: why */
} tsnni_pass_plan;

tsnni_caches tsnni_caches_of_this_machine(void);

tsnni_pass_plan tsnni_plan_forward(const tsnni_caches *caches, const tsnni_plan_shape *shape);

/* `input_gradient`: dx is wanted, not only the gradient of the weights. */
tsnni_pass_plan tsnni_plan_backward(const tsnni_caches *caches, const tsnni_plan_shape *shape, int32_t input_gradient);

#endif
