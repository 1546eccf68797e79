/* One layer as the kernels see it, with random connections, weights and activations: what the sections about kernels
 * time. */
#ifndef TSNN_BENCH_KERNEL_LAYER_H
#define TSNN_BENCH_KERNEL_LAYER_H

#include "bench.h"

typedef enum bench_pass {
    BENCH_FORWARD,
    BENCH_FORWARD_DROPOUT,
    BENCH_BACKWARD, /* with the update of the weights by momentum and decay */
    BENCH_WEIGHTS,  /* the same without the gradient to the input: the first layer */
    BENCH_INPUT,    /* the gradient to the input alone: frozen weights */
    BENCH_PASSES
} bench_pass;

extern const char *const bench_pass_names[BENCH_PASSES];

typedef struct bench_layer {
    const bench_shape *shape;
    tsnni_pattern pattern;
    tsnni_transpose transpose;
    tsnni_forward forward;
    tsnni_backward backward;
    tsnni_plan_shape plan_shape;
    float *expanded; /* room for every cell, or NULL */
} bench_layer;

/* How a pass runs, and the bounds of its panels. */
typedef struct bench_way {
    tsnni_pass_plan plan;
    int64_t *panel_ptr;
} bench_way;

void bench_layer_init(bench *b, const bench_shape *shape, bench_layer *layer);
void bench_layer_free(bench *b, bench_layer *layer);

int32_t bench_layer_is_full(const bench_layer *layer);

/* What the library would choose. */
tsnni_pass_plan bench_layer_plan(const bench *b, const bench_layer *layer, bench_pass pass);

/* Builds the bounds that a plan needs; free with bench_way_free. */
bench_way bench_way_for(bench *b, const bench_layer *layer, bench_pass pass, tsnni_pass_plan plan);
void bench_way_free(bench *b, bench_way *way);

/* Runs a pass once on this thread and gives nanoseconds. */
double bench_layer_run(const bench_layer *layer, const tsnni_kernels *kernels, bench_pass pass, const bench_way *way);

/* Multiply-adds of a pass. */
double bench_layer_work(const bench_layer *layer, bench_pass pass);

#endif
