/* What the machine can do at best: loops that only read rows, stream memory, or multiply. A limit is a sum of them. */
#ifndef TSNN_BENCH_PROBE_H
#define TSNN_BENCH_PROBE_H

#include "bench.h"

typedef enum bench_probe_kind {
    BENCH_PROBE_ROWS,    /* whole rows in random order; the unit is a row */
    BENCH_PROBE_READ,    /* a block from one end to the other; the unit is a byte */
    BENCH_PROBE_COPY,    /* into another block; the unit is a byte that is copied */
    BENCH_PROBE_MULTIPLY /* multiply-adds on the first-level cache in register tiles; the unit is one of them */
} bench_probe_kind;

/* How rows are asked for before they are read. */
typedef enum bench_prefetch {
    BENCH_PREFETCH_NONE,
    BENCH_PREFETCH_LINE,            /* the first line of the row 8 ahead */
    BENCH_PREFETCH_ROW,             /* all its lines */
    BENCH_PREFETCH_TWO_SHORT_STEPS, /* all lines 16 ahead into the second-level cache, 8 ahead into the first */
    BENCH_PREFETCH_TWO_STEPS        /* the same 64 ahead and 8 ahead */
} bench_prefetch;

typedef struct bench_probe {
    bench_probe_kind kind;
    tsnni_isa isa;
    int64_t bytes;     /* of the block that is read */
    int64_t row_bytes; /* 64 or a multiple of it */
    bench_prefetch prefetch;
    int64_t count; /* units in one run */
    uint32_t *block, *target, *row;
} bench_probe;

/* Rows of row_bytes from a block of `bytes`; tries every way of asking and keeps the fastest. `isa`: of the loads. */
bench_probe bench_probe_rows(bench *b, tsnni_isa isa, int64_t bytes, int64_t row_bytes);
bench_probe bench_probe_read(bench *b, tsnni_isa isa, int64_t bytes);
bench_probe bench_probe_copy(bench *b, tsnni_isa isa, int64_t bytes);
bench_probe bench_probe_multiply(bench *b, tsnni_isa isa);
void bench_probe_free(bench *b, bench_probe *probe);

/* Runs once and gives nanoseconds a unit. */
double bench_probe_run(const bench_probe *probe);

/* Median of `repetitions` runs. */
double bench_probe_measure(const bench_probe *probe, int64_t repetitions);

const char *bench_prefetch_name(bench_prefetch prefetch);

/* The widest loads of this machine: limits are measured with these, whatever kernels are timed. */
tsnni_isa bench_widest(void);

#endif
