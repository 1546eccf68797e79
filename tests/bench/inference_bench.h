/* The inference benchmarks, for any program that prints them. */
#ifndef TSNN_TESTS_INFERENCE_BENCH_H
#define TSNN_TESTS_INFERENCE_BENCH_H

#include <tsnn.h>

typedef struct tsnni_inference_shape {
    const char *name;
    int64_t inputs, outputs, batch;
    double epsilon;
} tsnni_inference_shape;

/* S1 to S7. */
#define TSNNI_INFERENCE_SHAPES 7
extern const tsnni_inference_shape tsnni_inference_shapes[TSNNI_INFERENCE_SHAPES];

typedef struct tsnni_inference_timing {
    int64_t connections, bytes; /* of the packed layer or network */
    double single;              /* nanoseconds for one sample: smallest of the repetitions */
    double batch; /* nanoseconds for the batch, input transposed and output transposed back; 0: not timed */
    double skip;  /* nanoseconds for one sample of which 80 % are 0, with skip_zeros; 0: not timed */
} tsnni_inference_timing;

/* One layer as a network without activation. isa: TSNN_ISA_*. Returns 0 when this machine lacks it. */
int tsnni_inference_layer(int32_t isa, const tsnni_inference_shape *shape, int repetitions,
                          tsnni_inference_timing *out);

/* The network 784-1000-1000-1000-10, epsilon 20, All-ReLU, softmax, standardised inputs. */
int tsnni_inference_network(int32_t isa, int repetitions, tsnni_inference_timing *out);

#endif
