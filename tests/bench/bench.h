/* What the sections of the benchmark share: options, the clock, statistics, memory, the results. A section measures one
 * thing, prints a table and adds rows to the results; main.c lists them. */
#ifndef TSNN_BENCH_BENCH_H
#define TSNN_BENCH_BENCH_H

#include <jansson.h>
#include <stdint.h>

#include "cases.h"
#include "core/runtime.h"
#include "kernels/kernels.h"
#include "kernels/plan.h"

typedef struct bench {
    int32_t threads; /* of the runs on several threads */
    int32_t threads_given;
    const char *shape; /* only the shape or network of this name; NULL: all */
    tsnni_isa isa;     /* the kernels to time */
    int32_t isa_given; /* by the caller: no other is timed beside it */
    int32_t quick;
    tsnni_caches caches;
    tsnni_runtime runtime; /* memory as the library has it: huge pages for large blocks */
    json_t *results;       /* section -> list of rows */
} bench;

/* ---- the sections ---- */

void bench_limits(bench *b);
void bench_kernels(bench *b);
void bench_choice(bench *b);
void bench_steps(bench *b);
void bench_topology(bench *b);
void bench_inference(bench *b);
void bench_loading(bench *b);

/* ---- support.c ---- */

/* Ends the program with a message when the status is an error. */
void bench_require(tsnn_status status, const char *what);

/* Nanoseconds of a clock that never goes back. */
double bench_now(void);

/* count zeroed elements, as the library allocates them; ends the program when there are none. Free with
 * bench_release. */
void *bench_array(bench *b, int64_t count, size_t size);
void bench_release(bench *b, const void *array);

/* Sorts the numbers. */
double bench_median(double *numbers, int64_t count);

/* 1 when every cell of the layer is a connection. */
int32_t bench_shape_is_full(const bench_shape *shape);

/* 1 when the caller wants the case of this name. */
int32_t bench_wants(const bench *b, const char *name);

/* Begins a section with a line, once there is something in it to show: the first time that it is called. */
void bench_begin(bench *b, const char *section, const char *format, ...) TSNNI_PRINTF(3, 4);
/* Ends it with an empty line, if it has begun. */
void bench_end(bench *b, const char *section);

/* How often to repeat what takes `nanoseconds`, to spend about `seconds` (a fifth of it when quick): 3 to 301, odd. */
int64_t bench_repetitions(const bench *b, double nanoseconds, double seconds);

/* Adds a row, which it takes over, to the results of a section. */
void bench_add(bench *b, const char *section, json_t *row);

/* The main thread stays on the first processor of those that the process may use; bench_unpin gives it all of them
 * back. Nothing where the system has no such call. */
void bench_pin(void);
void bench_unpin(void);
/* Processors that the process may use. */
int32_t bench_processors(void);

#endif
