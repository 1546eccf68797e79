/* Times topology changes: evolution, creation and the transpose index, in nanoseconds a connection. */
#ifndef TSNN_EVOLUTION_BENCH_H
#define TSNN_EVOLUTION_BENCH_H

#include <stdint.h>

typedef struct evolution_bench_shape {
    const char *name;
    int64_t inputs, outputs;
    double epsilon;
    int32_t repetitions; /* more for the smaller ones */
} evolution_bench_shape;

/* The shapes S1 to S6 of docs/performance.md. */
#define EVOLUTION_BENCH_SHAPES 6
extern const evolution_bench_shape evolution_bench_shapes[EVOLUTION_BENCH_SHAPES];

/* Medians, in nanoseconds a connection: processor time on one thread, else wall-clock time. */
typedef struct evolution_bench_times {
    int64_t connections;
    double evolution; /* zeta .3, with momentum, everything included */
    double creation;  /* Erdos-Renyi by cells, first weights, transpose index */
    double exact;     /* the same with an exact number of connections */
    double transpose; /* the transpose index alone */
} evolution_bench_times;

/* Measures one shape on `threads` threads. 0, or -1 when memory ran out. */
int evolution_bench_measure(const evolution_bench_shape *shape, int32_t threads, evolution_bench_times *times);

#endif
