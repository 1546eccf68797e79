/* What is measured: the shapes of single layers and the networks of chained training steps. The one table of both
 * benchmarks, against the machine and against peers. Density = min(1, epsilon (inputs + outputs) / (inputs outputs)).
 */
#ifndef TSNN_BENCH_CASES_H
#define TSNN_BENCH_CASES_H

#include <stdint.h>

#define BENCH_MAX_SIZES 5

typedef struct bench_shape {
    const char *name;
    int64_t inputs, outputs, batch;
    double epsilon;
} bench_shape;

typedef struct bench_network {
    const char *name;
    int64_t batch;
    double epsilon, alpha; /* alpha: of All-ReLU */
    int64_t size_count;
    int64_t sizes[BENCH_MAX_SIZES]; /* features, neurons of each hidden layer, classes */
} bench_network;

static const bench_shape bench_shapes[] = {
    {"S1", 784, 1000, 128, 20},  {"S2", 1000, 1000, 128, 20},  {"S3", 3072, 4000, 128, 20},
    {"S4", 4000, 1000, 128, 20}, {"S5", 27500, 27500, 32, 10}, {"S6", 500000, 500000, 32, 5},
    {"S7", 1000, 10, 128, 20},
};

/* More shapes, for the choice of kernels: other batches, the fourth shape turned over, densities from .3 to .9, full
 * layers, what else the networks below have (their layers that are not here are S1 to S5, S7, S4t and F2), and a square
 * one between S3 and S5. */
static const bench_shape bench_variants[] = {
    {"S1b32", 784, 1000, 32, 20},      {"S2b32", 1000, 1000, 32, 20},       {"S2b256", 1000, 1000, 256, 20},
    {"S3b32", 3072, 4000, 32, 20},     {"S3b256", 3072, 4000, 256, 20},     {"S4t", 1000, 4000, 128, 20},
    {"S5b128", 27500, 27500, 128, 10}, {"D.3", 1000, 1000, 128, 150},       {"D.5", 1000, 1000, 128, 250},
    {"D.7", 1000, 1000, 128, 350},     {"D.9", 1000, 1000, 128, 450},       {"F64", 1000, 64, 128, 64},
    {"F2", 1000, 2, 128, 2},           {"F32", 1000, 32, 128, 32},          {"D.5b32", 1000, 1000, 32, 250},
    {"D.7b32", 1000, 1000, 32, 350},   {"D.9b32", 1000, 1000, 32, 450},     {"D.5n", 784, 300, 32, 108.5},
    {"Q", 10000, 10000, 32, 20},       {"cifar4", 4000, 10, 128, 20},       {"madelon1", 500, 400, 32, 10},
    {"madelon2", 400, 100, 32, 10},    {"madelon3", 100, 400, 32, 10},      {"madelon4", 400, 2, 32, 10},
    {"higgs1", 28, 1000, 128, 20},     {"leukemia1", 54675, 27500, 32, 10}, {"leukemia3", 27500, 18, 32, 10},
};

static const bench_network bench_networks[] = {
    {"fashion", 128, 20, 0.6, 5, {784, 1000, 1000, 1000, 10}},
    {"cifar", 128, 20, 0.75, 5, {3072, 4000, 1000, 4000, 10}},
    {"madelon", 32, 10, 0.5, 5, {500, 400, 100, 400, 2}},
    {"higgs", 128, 20, 0.6, 5, {28, 1000, 1000, 1000, 2}},
    {"leukemia", 32, 10, 0.75, 4, {54675, 27500, 27500, 18}},
};

#endif
