/* OpenBLAS: the masked dense layer that most people take for a sparse one. Weights are full matrices, and a training
 * step masks the gradient, so that its result is the sparse network's. Forward is feature-major, one product of
 * (outputs x inputs) by (inputs x batch); the step is batch-major, as dense frameworks do it. */
#include "peer.h"

#include <cblas.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More than this and the case is refused: it would not fit beside the rest. */
#define MOST_BYTES 12e9

static char error[160];

const char *peer_version(void)
{
    static char text[160];
    char release[32] = "";
    sscanf(openblas_get_config(), "OpenBLAS %31s", release);
    snprintf(text, sizeof text, "OpenBLAS %s dense (%s)", release, openblas_get_corename());
    return text;
}

const char *peer_error(void)
{
    return error;
}

static void *take(int64_t count, size_t size)
{
    size_t bytes = ((size_t)count * size + 63) / 64 * 64;
    void *array = aligned_alloc(64, bytes);
    if (array != NULL)
        memset(array, 0, bytes);
    return array;
}

static int32_t refuse_bytes(double bytes)
{
    if (bytes <= MOST_BYTES)
        return 0;
    snprintf(error, sizeof error, "dense matrices of %.0f GB", bytes / 1e9);
    return 1;
}

/* ---- forward ---- */

typedef struct forward {
    int64_t inputs, outputs, batch;
    float *weights, *y; /* outputs x inputs; outputs x batch */
    const float *x;
} forward;

void *peer_forward_create(const peer_matrix *weights, int64_t batch, const float *x)
{
    if (refuse_bytes(4.0 * (double)weights->inputs * (double)weights->outputs))
        return NULL;
    forward *f = calloc(1, sizeof *f);
    if (f == NULL)
        return NULL;
    *f = (forward){weights->inputs, weights->outputs, batch, NULL, NULL, x};
    f->weights = take(f->inputs * f->outputs, sizeof(float));
    f->y = take(f->outputs * batch, sizeof(float));
    if (f->weights == NULL || f->y == NULL) {
        snprintf(error, sizeof error, "out of memory");
        peer_forward_destroy(f);
        return NULL;
    }
    for (int64_t i = 0; i < f->inputs; i++)
        for (int64_t k = weights->row_ptr[i]; k < weights->row_ptr[i + 1]; k++)
            f->weights[weights->column[k] * f->inputs + i] = weights->values[k];
    return f;
}

int32_t peer_forward_run(void *pointer)
{
    forward *f = pointer;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)f->outputs, (int)f->batch, (int)f->inputs, 1.0f,
                f->weights, (int)f->inputs, f->x, (int)f->batch, 0.0f, f->y, (int)f->batch);
    return 0;
}

int32_t peer_forward_result(void *pointer, float *y)
{
    const forward *f = pointer;
    memcpy(y, f->y, (size_t)(f->outputs * f->batch) * sizeof *y);
    return 0;
}

void peer_forward_destroy(void *pointer)
{
    forward *f = pointer;
    free(f->weights);
    free(f->y);
    free(f);
}

/* ---- step ---- */

typedef struct layer {
    int64_t inputs, outputs;
    const peer_matrix *pattern;
    float *weights, *velocity, *gradient, *bias, *bias_velocity; /* inputs x outputs; outputs */
    uint8_t *mask;
    float slope;       /* of negative z; 1 in the last layer */
    float *a, *factor; /* batch x outputs: activations after dropout, and derivative times dropout */
    float *delta;
} layer;

typedef struct step {
    const peer_network *network;
    int64_t layers, taken;
    uint32_t draws; /* counter of the dropout's random numbers */
    layer *layer;
} step;

static int32_t layer_init(layer *l, const peer_network *network, int64_t index)
{
    const peer_matrix *m = l->pattern = &network->layer[index];
    int64_t cells = m->inputs * m->outputs, elements = network->batch * m->outputs;
    l->inputs = m->inputs;
    l->outputs = m->outputs;
    l->slope = index + 1 == network->layers ? 1.0f : (float)(index % 2 == 0 ? -network->alpha : network->alpha);
    l->weights = take(cells, sizeof(float));
    l->velocity = take(cells, sizeof(float));
    l->gradient = take(cells, sizeof(float));
    l->mask = take(cells, 1);
    l->bias = take(m->outputs, sizeof(float));
    l->bias_velocity = take(m->outputs, sizeof(float));
    l->a = take(elements, sizeof(float));
    l->factor = take(elements, sizeof(float));
    l->delta = take(elements, sizeof(float));
    if (!l->weights || !l->velocity || !l->gradient || !l->mask || !l->bias || !l->bias_velocity || !l->a ||
        !l->factor || !l->delta)
        return -1;
    for (int64_t i = 0; i < m->inputs; i++) {
        for (int64_t k = m->row_ptr[i]; k < m->row_ptr[i + 1]; k++) {
            l->weights[i * m->outputs + m->column[k]] = m->values[k];
            l->mask[i * m->outputs + m->column[k]] = 1;
        }
    }
    return 0;
}

void *peer_step_create(const peer_network *network)
{
    double bytes = 0;
    for (int64_t l = 0; l < network->layers; l++)
        bytes += 13.0 * (double)network->layer[l].inputs * (double)network->layer[l].outputs;
    if (refuse_bytes(bytes))
        return NULL;
    step *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->network = network;
    s->layers = network->layers;
    s->layer = calloc((size_t)network->layers, sizeof *s->layer);
    for (int64_t l = 0; s->layer != NULL && l < network->layers; l++) {
        if (layer_init(&s->layer[l], network, l) != 0) {
            snprintf(error, sizeof error, "out of memory");
            peer_step_destroy(s);
            return NULL;
        }
    }
    return s;
}

/* A random byte an element from a hash of its number: no state, so that compilers vectorise the loop. */
static inline uint32_t random_byte(uint32_t number)
{
    number ^= number >> 16;
    number *= 0x7feb352du;
    number ^= number >> 15;
    number *= 0x846ca68bu;
    return number >> 24;
}

static void activate(step *s, layer *l, int64_t batch)
{
    uint32_t keep_below = (uint32_t)lrint(256.0 * (1.0 - s->network->dropout));
    float keep = 256.0f / (float)keep_below, slope = l->slope;
    for (int64_t c = 0; c < batch; c++) {
        float *restrict a = l->a + c * l->outputs, *restrict factor = l->factor + c * l->outputs;
        for (int64_t j = 0; j < l->outputs; j++) {
            float kept = random_byte(s->draws + (uint32_t)j) < keep_below ? keep : 0.0f;
            float z = a[j] + l->bias[j];
            factor[j] = z < 0.0f ? slope * kept : kept;
            a[j] = z * factor[j];
        }
        s->draws += (uint32_t)l->outputs;
    }
}

/* Softmax and cross-entropy; delta becomes (p - y) / batch. */
static double score(layer *l, const int32_t *labels, int64_t batch)
{
    double loss = 0;
    for (int64_t c = 0; c < batch; c++) {
        float *z = l->a + c * l->outputs, *delta = l->delta + c * l->outputs, most = -INFINITY, sum = 0.0f;
        for (int64_t j = 0; j < l->outputs; j++) {
            z[j] += l->bias[j];
            most = z[j] > most ? z[j] : most;
        }
        for (int64_t j = 0; j < l->outputs; j++)
            sum += delta[j] = expf(z[j] - most);
        loss += log(sum) + most - z[labels[c]];
        for (int64_t j = 0; j < l->outputs; j++)
            delta[j] = (delta[j] / sum - (j == labels[c])) / (float)batch;
    }
    return loss / (double)batch;
}

static void update(const peer_network *network, layer *l, int64_t batch)
{
    const float rate = (float)network->learning_rate, momentum = (float)network->momentum;
    const float decay = (float)network->weight_decay;
    float *restrict w = l->weights, *restrict v = l->velocity;
    const float *restrict g = l->gradient;
    const uint8_t *restrict mask = l->mask;
    for (int64_t k = 0; k < l->inputs * l->outputs; k++) {
        v[k] = momentum * v[k] - rate * (mask[k] ? g[k] : 0.0f);
        w[k] += v[k] - decay * w[k];
    }
    for (int64_t j = 0; j < l->outputs; j++)
        l->bias_velocity[j] *= momentum;
    for (int64_t c = 0; c < batch; c++)
        for (int64_t j = 0; j < l->outputs; j++)
            l->bias_velocity[j] -= rate * l->delta[c * l->outputs + j];
    for (int64_t j = 0; j < l->outputs; j++)
        l->bias[j] += l->bias_velocity[j] - decay * l->bias[j];
}

int32_t peer_step_run(void *pointer, double *loss)
{
    step *s = pointer;
    const peer_network *network = s->network;
    int64_t batch = network->batch, at = s->taken++ % network->batches * batch, last = s->layers - 1;
    const float *samples = network->samples + at * s->layer[0].inputs;
    for (int64_t i = 0; i <= last; i++) {
        layer *l = &s->layer[i];
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)batch, (int)l->outputs, (int)l->inputs, 1.0f,
                    i == 0 ? samples : l[-1].a, (int)l->inputs, l->weights, (int)l->outputs, 0.0f, l->a,
                    (int)l->outputs);
        if (i < last)
            activate(s, l, batch);
    }
    *loss = score(&s->layer[last], network->labels + at, batch);
    for (int64_t i = last; i >= 0; i--) {
        layer *l = &s->layer[i];
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)l->inputs, (int)l->outputs, (int)batch, 1.0f,
                    i == 0 ? samples : l[-1].a, (int)l->inputs, l->delta, (int)l->outputs, 0.0f, l->gradient,
                    (int)l->outputs);
        if (i > 0) {
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)batch, (int)l->inputs, (int)l->outputs, 1.0f,
                        l->delta, (int)l->outputs, l->weights, (int)l->outputs, 0.0f, l[-1].delta, (int)l->inputs);
            for (int64_t k = 0; k < batch * l->inputs; k++)
                l[-1].delta[k] *= l[-1].factor[k];
        }
        update(network, l, batch);
    }
    return 0;
}

int32_t peer_step_weights(void *pointer, int64_t index, float *values, float *bias)
{
    const layer *l = &((const step *)pointer)->layer[index];
    for (int64_t i = 0; i < l->inputs; i++)
        for (int64_t k = l->pattern->row_ptr[i]; k < l->pattern->row_ptr[i + 1]; k++)
            values[k] = l->weights[i * l->outputs + l->pattern->column[k]];
    memcpy(bias, l->bias, (size_t)l->outputs * sizeof *bias);
    return 0;
}

void peer_step_destroy(void *pointer)
{
    step *s = pointer;
    for (int64_t i = 0; s->layer != NULL && i < s->layers; i++) {
        layer *l = &s->layer[i];
        void *arrays[] = {l->weights,       l->velocity, l->gradient, l->mask, l->bias,
                          l->bias_velocity, l->a,        l->factor,   l->delta};
        for (size_t k = 0; k < sizeof arrays / sizeof arrays[0]; k++)
            free(arrays[k]);
    }
    free(s->layer);
    free(s);
}
