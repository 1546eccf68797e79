/* A network with all that a training step takes, made through the public interface, and where its time and memory go.
 */
#ifndef TSNN_BENCH_TRAINEE_H
#define TSNN_BENCH_TRAINEE_H

#include <tsnn.h>

#include "bench.h"

/* Counts the bytes that are alive. */
typedef struct bench_counter {
    int64_t bytes;
} bench_counter;

typedef struct bench_trainee {
    const bench_network *shape;
    tsnn_context *context;
    tsnn_dataset *dataset;
    tsnn_network *network;
    tsnn_loss *loss;
    tsnn_optimizer *optimizer;
    tsnn_trainer *trainer;
    float *features;
    int32_t *labels;
    int64_t steps; /* done so far */
    int64_t connections;
} bench_trainee;

/* One thread. epsilon: in place of the shape's. counter: of the library's memory; NULL: malloc, which the library
 * advises on huge pages. */
void bench_trainee_init(bench *b, const bench_network *shape, double epsilon, bench_counter *counter,
                        bench_trainee *trainee);
void bench_trainee_free(bench *b, bench_trainee *trainee);

/* One training step; gives nanoseconds. */
double bench_trainee_step(bench_trainee *trainee);

/* Parts of a step: the kernels that take time, and the rest of it. */
typedef enum bench_part {
    BENCH_PART_FORWARD,
    BENCH_PART_BACKWARD, /* with the update of the weights */
    BENCH_PART_LOAD,     /* the batch enters: the transpose */
    BENCH_PART_DELTA,    /* the last layer's derivative and bias gradient */
    BENCH_PART_UPDATE,   /* biases */
    BENCH_PART_OTHER,    /* loss, softmax, whatever is around the kernels */
    BENCH_PARTS
} bench_part;

extern const char *const bench_part_names[BENCH_PARTS];

/* Lets every kernel of the trainee's context be timed; for one thread and one trainee at a time. */
void bench_parts_watch(bench_trainee *trainee);
/* Nanoseconds of each part since the last call, of which `step` were spent in all. */
void bench_parts_take(double step, double parts[BENCH_PARTS]);

#endif
