/* A plain double-precision network of triplets, batch-major: what training must compute, written as simply as it can be
 * and sharing nothing with the library. */
#ifndef TSNN_TESTS_ORACLE_H
#define TSNN_TESTS_ORACLE_H

#include "support.h"

typedef struct tsnni_oracle_layer {
    int64_t inputs, outputs, count;
    int32_t *row, *column;
    double *weight, *velocity, *gradient;         /* count */
    double *bias, *bias_velocity, *bias_gradient; /* outputs */
    double *z, *a, *delta;                        /* samples x outputs, of the last forward and backward */
    tsnni_test_function function;
    int32_t frozen;
} tsnni_oracle_layer;

typedef struct tsnni_oracle {
    int64_t count;
    tsnni_oracle_layer *layers;
    double *mean, *deviation; /* of the inputs; NULL: none */
    double *x;                /* samples x inputs, of the last forward */
    int64_t room;             /* samples that the arrays above hold */
} tsnni_oracle;

typedef struct tsnni_oracle_rule {
    int32_t kind, decay_kind; /* TSNN_OPTIMIZER_*, TSNN_DECAY_* */
    double rate, momentum, decay;
    double clip_norm; /* 0: off */
} tsnni_oracle_rule;

/* Reads weights, biases and momentum of a network; room: the largest batch. */
tsnni_oracle *tsnni_oracle_create(tsnn_network *network, const tsnni_test_function *functions, int64_t room);
void tsnni_oracle_set_standardizer(tsnni_oracle *oracle, const tsnn_standardizer *standardizer);
void tsnni_oracle_destroy(tsnni_oracle *oracle);

/* a and f' of one number in hidden layer `place`. */
double tsnni_oracle_activate(tsnni_test_function function, int64_t place, double z);
double tsnni_oracle_differentiate(tsnni_test_function function, int64_t place, double z);

/* Returns the outputs, samples x outputs, valid until the next call. x: samples x inputs. */
const double *tsnni_oracle_forward(tsnni_oracle *oracle, const float *x, int64_t samples);

/* Targets as rows, one-hot from labels where a data set has these; a single output gets the label itself. */
double *tsnni_oracle_targets(const tsnn_dataset *dataset, int64_t outputs);

/* y <- (1 - s) y + s / count */
void tsnni_oracle_smooth(double *targets, int64_t samples, int64_t count, double smoothing);

double tsnni_oracle_loss(int32_t loss, const double *outputs, const double *targets, int64_t samples, int64_t count);

/* Forward and backward; the gradients are in the layers. Returns the mean loss. */
double tsnni_oracle_gradient(tsnni_oracle *oracle, int32_t loss, const float *x, const double *targets,
                             int64_t samples);
/* Over all layers, biases included. */
double tsnni_oracle_norm(const tsnni_oracle *oracle);
void tsnni_oracle_update(tsnni_oracle *oracle, const tsnni_oracle_rule *rule, double rate_factor);

/* The network's weights, biases and momentum are within `tolerance`, relative to the size of the number and of its
 * layer's mean size. */
void tsnni_oracle_expect(const tsnni_oracle *oracle, tsnn_network *network, double tolerance);

/* Functions in tables of cases. */
#define IDENTITY                                                                                                       \
    {                                                                                                                  \
        TSNN_ACTIVATION_IDENTITY, 0                                                                                    \
    }
#define RELU                                                                                                           \
    {                                                                                                                  \
        TSNN_ACTIVATION_RELU, 0                                                                                        \
    }
#define LEAKY                                                                                                          \
    {                                                                                                                  \
        TSNN_ACTIVATION_LEAKY_RELU, .2                                                                                 \
    }
#define ALL_RELU                                                                                                       \
    {                                                                                                                  \
        TSNN_ACTIVATION_ALL_RELU, .6                                                                                   \
    }
#define SIGMOID                                                                                                        \
    {                                                                                                                  \
        TSNN_ACTIVATION_SIGMOID, 0                                                                                     \
    }
#define TANH                                                                                                           \
    {                                                                                                                  \
        TSNN_ACTIVATION_TANH, 0                                                                                        \
    }
#define SOFTMAX                                                                                                        \
    {                                                                                                                  \
        TSNN_ACTIVATION_SOFTMAX, 0                                                                                     \
    }
#define CUSTOM                                                                                                         \
    {                                                                                                                  \
        TSNN_ACTIVATION_CUSTOM, 0                                                                                      \
    }

#endif
