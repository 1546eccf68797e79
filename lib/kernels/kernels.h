/* The kernel table: one set of loops for each instruction set, all with the meaning that ref.c gives them.
 *
 * Activations are feature-major: row f of a matrix holds feature f of every sample of the mini-batch, `width` floats
 * (the batch rounded up to 16; the surplus columns of a delta hold zero), rows `stride` floats apart and 64-byte
 * aligned. Weights are in CSR order, rows = inputs, columns = outputs. Bit planes hold one bit an element: word c / 16
 * of a row, bit c % 16, rows width / 16 words apart.
 *
 * Activations may be kept as bf16 instead (bf16.h): rows `bf16_stride` halves apart, a multiple of 32, in blocks of 32
 * columns whose halves 2 k and 2 k + 1 hold columns k and k + 16. So one vector of 32-bit words becomes two vectors of
 * floats by a shift and a mask. An odd number of groups leaves every other half of the last block zero. A NaN is kept
 * when it is one that arithmetic makes. Sums, weights and gradients are always floats.
 *
 * Kernels take ranges, never start threads, and write nothing outside their range; a result does not depend on how the
 * whole was cut into ranges. A width of zero or an empty range changes nothing. */
#ifndef TSNNI_KERNELS_KERNELS_H
#define TSNNI_KERNELS_KERNELS_H

#include "core/random.h"
#include "kernels/bf16.h"
#include "sparse/pattern.h"

/* Columns are processed in groups of this many: the width of every activation matrix is a multiple of it. */
#define TSNNI_COLUMN_GROUP 16

/* Outputs of a dense layer are computed in blocks of this many, a multiple of every instruction set's tile. */
#define TSNNI_DENSE_BLOCK 24

/* Same values as the public tsnn_isa. */
typedef enum tsnni_isa { TSNNI_ISA_REF = 1, TSNNI_ISA_AVX2 = 2, TSNNI_ISA_AVX512 = 3, TSNNI_ISA_NEON = 4 } tsnni_isa;

/* y_j = dropout(slope(sum_i w_ij x_i + b_j)), one output row at a time. */
typedef struct tsnni_forward {
    int64_t rows, columns;     /* inputs, outputs */
    const int64_t *column_ptr; /* transpose index (sparse kernels only) */
    const void *row;           /* uint16_t or uint32_t */
    const uint32_t *position;  /* of each connection in values */
    const float *values;       /* CSR order; for the dense kernels the full rows x columns matrix */
    const float *bias;         /* columns, or NULL */
    const float *x;            /* rows x stride */
    float *y;                  /* columns x stride */
    const uint16_t *x_bf16;    /* instead of x, or NULL */
    uint16_t *y_bf16;          /* instead of y, which then takes sums between panels only; NULL for dense kernels */
    int64_t stride, width, bf16_stride;
    float negative_slope;     /* f(z) = z < 0 ? negative_slope * z : z; 1 is the identity */
    uint16_t *negative;       /* out: bit plane of z < 0, or NULL */
    uint16_t *keep;           /* out: bit plane of the elements that dropout keeps; NULL: no dropout */
    uint32_t keep_below;      /* an element is kept when its random byte is below this, 1..256 */
    float keep_scale;         /* 256 / keep_below: kept elements are multiplied by it, others become 0 */
    tsnni_random_key key;     /* of row 0, block 0: element (j, c) takes byte c % 16 of block c / 16 of row j */
    int64_t prefetch;         /* connections ahead, 0..TSNNI_MAX_PREFETCH */
    int64_t prefetch_far;     /* the same, into the second-level cache; 0: none */
    int64_t panels;           /* the inputs are visited in this many parts, one after the other; below 2: in one */
    const int64_t *panel_ptr; /* (panels - 1) x columns: where in each column part p ends */
} tsnni_forward;

/* One optimizer step for one weight with gradient g:
 *   g' = gradient_scale g + l2 w;  v' = momentum v - learning_rate g';
 *   w' = w + (nesterov ? momentum v' - learning_rate g' : v') - decay w.
 * velocity may be NULL when momentum is 0. */
typedef struct tsnni_update {
    float gradient_scale, learning_rate, momentum, decay, l2;
    int32_t nesterov;
} tsnni_update;

typedef enum tsnni_backward_mode {
    TSNNI_BACKWARD_UPDATE,   /* change the weights in place by `update` */
    TSNNI_BACKWARD_GRADIENT, /* write (or add) the gradient of each weight into `gradient` */
    TSNNI_BACKWARD_INPUT     /* weights are frozen: dx only */
} tsnni_backward_mode;

/* For every input row i: dx_i = (sum_j w_ij dy_j) f'(z_i) keep, with the weights as they were before the step, and
 * g_ij = <x_i, dy_j>, in one pass over the CSR rows. */
typedef struct tsnni_backward {
    int64_t rows, columns;
    const int64_t *row_ptr; /* sparse kernels only */
    const void *column;     /* uint16_t or uint32_t */
    float *values;          /* CSR order */
    float *velocity;        /* the same, or NULL */
    float *gradient;        /* the same; mode GRADIENT only */
    int32_t accumulate;     /* mode GRADIENT: add to what is there */
    tsnni_backward_mode mode;
    const float *x;         /* rows x stride */
    const uint16_t *x_bf16; /* instead of x, or NULL */
    const float *dy;        /* columns x stride */
    float *dx;              /* rows x stride; NULL: not wanted (first layer) */
    int64_t stride, width, bf16_stride;
    /* derivative of the layer that made x, applied to dx */
    const uint16_t *negative; /* NULL: slope 1 everywhere */
    float negative_slope;
    const uint16_t *keep; /* NULL: no dropout */
    float keep_scale;
    float *dx_sum; /* rows: sum over the batch of the finished dx (the bias gradient), or NULL */
    tsnni_update update;
    int64_t prefetch, prefetch_far; /* as in tsnni_forward */
    int64_t panels;                 /* the outputs are visited in parts, as the inputs in tsnni_forward */
    const int64_t *panel_ptr;       /* (panels - 1) x rows: where in each row part p ends */
} tsnni_backward;

/* x[f][c] = (samples[index[c]][f] - shift[f]) * scale[f] for c < count, 0 for count <= c < width. */
typedef struct tsnni_batch_load {
    const float *samples;  /* row-major */
    int64_t sample_stride; /* floats between samples */
    const int64_t *index;  /* count sample numbers; NULL: 0, 1, 2, ... */
    int64_t count, features;
    const float *shift, *scale; /* features; both NULL: as is */
    float *x;
    uint16_t *x_bf16; /* instead of x, or NULL */
    int64_t stride, width, bf16_stride;
} tsnni_batch_load;

/* to[i][c] = from[i][c], rounded to bf16. */
typedef struct tsnni_pack {
    const float *from;
    uint16_t *to;
    int64_t stride, width, bf16_stride;
} tsnni_pack;

/* out[c][f] = y[f][c] for c < count. */
typedef struct tsnni_batch_store {
    const float *y;
    int64_t stride, count, features;
    float *out;
    int64_t out_stride;
} tsnni_batch_store;

/* y becomes f(y), for the functions that forward does not fuse. At most 3 units in the last place from the true
 * value; e^x counts as 0 below x = -87. NaN stays NaN. */
typedef struct tsnni_function {
    int64_t rows; /* neurons: softmax only */
    float *y;
    int64_t stride, width;
} tsnni_function;

/* ---- packed layers: inference only, see src/packed_layer.c ----
 *
 * Outputs are in chunks of TSNNI_CHUNK_ROWS rows. A chunk that has `steps` steps takes steps x TSNNI_CHUNK_ROWS entries
 * of `index` and `values`, step by step: entry r of a step is one connection of row r, or padding (weight 0, and an
 * index whose x is 0). */
#define TSNNI_CHUNK_ROWS 16

/* `chunks` chunks, beginning with `chunk`, each of which adds `steps` steps; entries follow those of the run before. */
typedef struct tsnni_packed_run {
    int32_t chunk, chunks, steps;
} tsnni_packed_run;

/* One whole layer; a call runs on one thread. */
typedef struct tsnni_packed {
    int64_t rows, columns; /* inputs, outputs */
    const tsnni_packed_run *runs;
    int64_t run_count;
    const void *index;     /* uint16_t or uint32_t: the row of x; TSNNI_INDEX_PADDING steps of padding */
    const float *values;   /* in the order of index; dense: tiles of 16 outputs, each rows x 16 */
    const int32_t *length; /* batch: connections of each output */
    const float *bias;     /* batch: of each output */
    const float *x;        /* single: rows floats, and x[rows] = 0; batch: rows x stride */
    float *y;              /* single: whole chunks, in: where the sums start, out: the sums; batch: columns x stride */
    int32_t far;           /* single: x is beyond the nearer caches */
    int64_t stride, width; /* batch */
    float negative_slope;  /* batch */
    const int32_t *order;  /* batch: the row of y of each output; NULL: its own */
    int64_t prefetch;      /* batch: connections ahead, 0..TSNNI_INDEX_PADDING */
} tsnni_packed;

/* y_j += sum over the given inputs of amount w_ij: an input-major copy of a layer, for samples that are mostly zero. */
typedef struct tsnni_packed_inputs {
    const int64_t *row_ptr;
    const void *index; /* uint16_t or uint32_t: the place in y */
    const float *values;
    const int32_t *input; /* count distinct inputs */
    const float *amount;
    int64_t count;
    float *y;
} tsnni_packed_inputs;

/* Units that a dense forward pass can be cut into: one group of columns of one block of outputs each, block by block.
 */
static inline int64_t tsnni_dense_units(const tsnni_forward *task)
{
    return (task->columns + TSNNI_DENSE_BLOCK - 1) / TSNNI_DENSE_BLOCK * (task->width / TSNNI_COLUMN_GROUP);
}

/* What units from `begin` on are a rectangle of outputs and groups of columns. */
typedef struct tsnni_dense_part {
    int64_t first_output, end_output, first_group, end_group;
    int64_t units;
} tsnni_dense_part;

/* The largest one that ends before unit `end`: whole blocks where there are some, else what there is of one. */
static inline tsnni_dense_part tsnni_dense_part_of(const tsnni_forward *task, int64_t begin, int64_t end)
{
    int64_t groups = task->width / TSNNI_COLUMN_GROUP, block = begin / groups, first = begin % groups, blocks = 1;
    tsnni_dense_part part = {.first_group = first, .end_group = groups};
    if (first == 0 && end - begin >= groups)
        blocks = (end - begin) / groups;
    else if (end - begin < groups - first)
        part.end_group = first + end - begin;
    part.units = blocks * (part.end_group - first);
    part.first_output = block * TSNNI_DENSE_BLOCK;
    part.end_output = (block + blocks) * TSNNI_DENSE_BLOCK;
    if (part.end_output > task->columns)
        part.end_output = task->columns;
    return part;
}

typedef struct tsnni_kernels {
    const char *name; /* "ref", "avx2", "avx512", "neon" */
    tsnni_isa isa;
    int32_t lanes; /* floats in a vector */
    /* Columns that the two sparse kernels take at most at a time: forward goes over all outputs with them, then with
     * the next ones; backward takes the next ones of the same connections first. 0: all; no panels and no prefetch. */
    int32_t forward_columns, backward_columns;

    /* Index [0] takes 16-bit row and column indices, [1] 32-bit. Range: output rows. */
    void (*forward[2])(const tsnni_forward *task, int64_t begin, int64_t end);
    /* Range: input rows. */
    void (*backward[2])(const tsnni_backward *task, int64_t begin, int64_t end);

    /* Every connection exists: register tiles, no indices. Range of forward: tsnni_dense_units(). */
    void (*dense_forward)(const tsnni_forward *task, int64_t begin, int64_t end);
    void (*dense_backward)(const tsnni_backward *task, int64_t begin, int64_t end);

    /* Elements [begin, end) of flat arrays. */
    void (*update)(float *values, float *velocity, const float *gradient, const tsnni_update *update, int64_t begin,
                   int64_t end);
    /* Dropout alone on output rows of y (for activations that the forward kernel does not fuse). */
    void (*dropout)(const tsnni_forward *task, int64_t begin, int64_t end);
    /* The derivative and the row sums of `backward` alone, in place on rows of dx. */
    void (*derivative)(const tsnni_backward *task, int64_t begin, int64_t end);

    /* Range: rows. */
    void (*sigmoid)(const tsnni_function *task, int64_t begin, int64_t end);
    void (*hyperbolic_tangent)(const tsnni_function *task, int64_t begin, int64_t end);
    /* Over all rows of each column. Range: groups of columns. */
    void (*softmax)(const tsnni_function *task, int64_t begin, int64_t end);
    void (*pack)(const tsnni_pack *task, int64_t begin, int64_t end);

    /* Range: features. */
    void (*batch_load)(const tsnni_batch_load *task, int64_t begin, int64_t end);
    void (*batch_store)(const tsnni_batch_store *task, int64_t begin, int64_t end);

    /* Packed layers; index [0] takes 16-bit indices, [1] 32-bit. In packed_batch every chunk is in one run. */
    void (*packed_single[2])(const tsnni_packed *task);
    void (*packed_batch[2])(const tsnni_packed *task);
    void (*packed_dense)(const tsnni_packed *task);
    void (*packed_inputs[2])(const tsnni_packed_inputs *task);
    /* y = y < 0 ? negative_slope y : y */
    void (*slope)(float *y, int64_t count, float negative_slope);
    /* 1 when no number is NaN or infinite. */
    int32_t (*all_finite)(const float *x, int64_t count);
    /* x = (from - shift) scale */
    void (*standardise)(const float *from, const float *shift, const float *scale, float *x, int64_t count);
} tsnni_kernels;

/* The table for an instruction set, or NULL when this machine or build lacks it. Asks the processor at every call,
 * which can take 15 us in a virtual machine: ask once and keep the answer. */
const tsnni_kernels *tsnni_kernels_for(tsnni_isa isa);

/* The fastest table of this machine. Never NULL. */
const tsnni_kernels *tsnni_kernels_best(void);

#endif
