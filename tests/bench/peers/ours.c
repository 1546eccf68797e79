/* libtsnn behind the peers' interface, and the table of cases for the driver.
 *
 * A lone forward is the kernel call that the library makes for such a layer, on feature-major arrays as every peer has
 * them; the training step and the prediction go through the public functions, with everything that they do. */
#include "peer.h"

#include "../cases.h"

#include <tsnn.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/memory.h"
#include "kernels/kernels.h"
#include "kernels/plan.h"
#include "sparse/convert.h"
#include "sparse/panels.h"

static char error[512] = "out of memory";

const char *peer_version(void)
{
    static char text[64];
    snprintf(text, sizeof text, "libtsnn %d.%d.%d (%s)", TSNN_VERSION_MAJOR, TSNN_VERSION_MINOR, TSNN_VERSION_PATCH,
             tsnni_kernels_best()->name);
    return text;
}

const char *peer_error(void)
{
    return error;
}

/* ---- cases ---- */

PEER_API const bench_shape *bench_shape_at(int64_t index);
PEER_API const bench_network *bench_network_at(int64_t index);

const bench_shape *bench_shape_at(int64_t index)
{
    int64_t count = (int64_t)(sizeof bench_shapes / sizeof bench_shapes[0]);
    return index < count ? &bench_shapes[index] : NULL;
}

const bench_network *bench_network_at(int64_t index)
{
    int64_t count = (int64_t)(sizeof bench_networks / sizeof bench_networks[0]);
    return index < count ? &bench_networks[index] : NULL;
}

/* ---- forward ---- */

typedef struct forward {
    tsnni_runtime runtime;
    const tsnni_kernels *kernels;
    tsnni_pattern pattern;
    tsnni_transpose transpose;
    float *values, *x, *y;
    tsnni_pass_plan plan;
    int64_t *panel_ends;
    tsnni_forward task;
} forward;

/* What the library would choose for the layer. */
static tsnn_status choose(forward *f)
{
    const tsnni_caches caches = tsnni_caches_of_this_machine();
    const tsnni_kernels *kernels = tsnni_kernels_best();
    const tsnni_plan_shape shape = {.rows = f->pattern.rows,
                                    .columns = f->pattern.columns,
                                    .count = f->pattern.count,
                                    .width = f->task.width,
                                    .input_bytes = sizeof(float),
                                    .forward_columns = kernels->forward_columns,
                                    .backward_columns = kernels->backward_columns};
    f->plan = tsnni_plan_forward(&caches, &shape);
    f->task.prefetch = f->plan.prefetch;
    f->task.prefetch_far = f->plan.prefetch_far;
    f->task.panels = f->plan.panels;
    if (f->plan.route != TSNNI_ROUTE_PANELS)
        return TSNN_OK;
    tsnn_status status = tsnni_panels_build(&f->runtime, f->transpose.column_ptr, &f->transpose.row, f->pattern.columns,
                                            f->pattern.rows, f->plan.panels, &f->panel_ends);
    f->task.panel_ptr = f->panel_ends;
    return status;
}

static tsnn_status forward_init(forward *f, const peer_matrix *weights, int64_t batch, const float *x)
{
    tsnn_status status;
    tsnni_runtime_init(&f->runtime);
    f->kernels = tsnni_kernels_best();
    TSNNI_TRY(tsnni_csr_import(&f->runtime, weights->inputs, weights->outputs, weights->connections, weights->row_ptr,
                               weights->column, weights->values, 0, &f->pattern, &f->values));
    TSNNI_TRY(tsnni_transpose_build(&f->runtime, &f->pattern, &f->transpose));
    TSNNI_TRY(TSNNI_NEW(&f->runtime, weights->inputs * batch, &f->x));
    TSNNI_TRY(TSNNI_NEW_ZERO(&f->runtime, weights->outputs * batch, &f->y));
    memcpy(f->x, x, (size_t)(weights->inputs * batch) * sizeof *x);
    f->task.rows = weights->inputs;
    f->task.columns = weights->outputs;
    f->task.column_ptr = f->transpose.column_ptr;
    f->task.row = f->transpose.row.data;
    f->task.position = f->transpose.position;
    f->task.values = f->values;
    f->task.x = f->x;
    f->task.y = f->y;
    f->task.stride = f->task.width = batch;
    f->task.negative_slope = 1.0f;
    TSNNI_TRY(choose(f));
    return TSNN_OK;
fail:
    return status;
}

void *peer_forward_create(const peer_matrix *weights, int64_t batch, const float *x)
{
    forward *f = calloc(1, sizeof *f);
    if (f == NULL)
        return NULL;
    if (batch % TSNNI_COLUMN_GROUP != 0 || forward_init(f, weights, batch, x) < 0) {
        snprintf(error, sizeof error, "%s", f->runtime.error_text);
        peer_forward_destroy(f);
        return NULL;
    }
    return f;
}

int32_t peer_forward_run(void *pointer)
{
    forward *f = pointer;
    if (f->plan.route == TSNNI_ROUTE_DENSE)
        f->kernels->dense_forward(&f->task, 0, tsnni_dense_units(&f->task));
    else
        f->kernels->forward[f->transpose.row.width == 2 ? 0 : 1](&f->task, 0, f->task.columns);
    return 0;
}

int32_t peer_forward_result(void *pointer, float *y)
{
    const forward *f = pointer;
    memcpy(y, f->y, (size_t)(f->task.columns * f->task.width) * sizeof *y);
    return 0;
}

void peer_forward_destroy(void *pointer)
{
    forward *f = pointer;
    tsnni_pattern_free(&f->runtime, &f->pattern);
    tsnni_transpose_free(&f->runtime, &f->transpose);
    tsnni_release(&f->runtime, f->panel_ends);
    tsnni_release(&f->runtime, f->values);
    tsnni_release(&f->runtime, f->x);
    tsnni_release(&f->runtime, f->y);
    free(f);
}

/* ---- networks ---- */

static tsnn_status one_thread(tsnn_context **out)
{
    tsnn_context_options options = TSNN_CONTEXT_OPTIONS_INIT;
    options.threads = 1;
    options.seed = 1;
    return tsnn_context_create(&options, out);
}

static tsnn_status append(tsnn_network *network, tsnn_context *context, const peer_matrix *weights,
                          const tsnn_activation *activation, double dropout)
{
    tsnn_layer *layer = NULL;
    tsnn_status status;
    TSNNI_TRY(tsnn_layer_create_from_csr(context, weights->inputs, weights->outputs, weights->connections,
                                         weights->row_ptr, weights->column, weights->values, NULL, TSNN_CHECKED,
                                         &layer));
    TSNNI_TRY(tsnn_network_append(network, &layer, activation, dropout));
    return TSNN_OK;
fail:
    tsnn_layer_destroy(&layer);
    return status;
}

static void keep_error(const tsnn_context *context)
{
    if (context != NULL)
        tsnn_context_error(context, error, (int64_t)sizeof error, NULL);
}

/* ---- step ---- */

typedef struct step {
    tsnn_context *context;
    tsnn_activation *hidden, *output;
    tsnn_network *network;
    tsnn_dataset *dataset;
    tsnn_loss *loss;
    tsnn_optimizer *optimizer;
    tsnn_trainer *trainer;
    int64_t *order; /* sample numbers: 0, 1, 2, ... */
    int64_t batch, batches, taken;
} step;

static tsnn_status build_network(step *s, const peer_network *network)
{
    tsnn_activation_options hidden = TSNN_ACTIVATION_OPTIONS_INIT, output = TSNN_ACTIVATION_OPTIONS_INIT;
    tsnn_status status;
    hidden.kind = TSNN_ACTIVATION_ALL_RELU;
    hidden.alpha = network->alpha;
    output.kind = TSNN_ACTIVATION_SOFTMAX;
    TSNNI_TRY(one_thread(&s->context));
    TSNNI_TRY(tsnn_activation_create(s->context, &hidden, &s->hidden));
    TSNNI_TRY(tsnn_activation_create(s->context, &output, &s->output));
    TSNNI_TRY(tsnn_network_create(s->context, &s->network));
    for (int64_t l = 0; l < network->layers; l++) {
        int32_t last = l + 1 == network->layers;
        TSNNI_TRY(append(s->network, s->context, &network->layer[l], last ? s->output : s->hidden,
                         last ? 0.0 : network->dropout));
    }
    return TSNN_OK;
fail:
    return status;
}

static tsnn_status build_trainer(step *s, const peer_network *network)
{
    tsnn_dataset_options data = TSNN_DATASET_OPTIONS_INIT;
    tsnn_optimizer_options rule = TSNN_OPTIMIZER_OPTIONS_INIT;
    tsnn_trainer_options options = TSNN_TRAINER_OPTIONS_INIT;
    tsnn_status status;
    data.ownership = TSNN_BORROW;
    data.samples = network->batch * network->batches;
    data.features = network->layer[0].inputs;
    data.classes = network->layer[network->layers - 1].outputs;
    data.feature_data = network->samples;
    data.labels = network->labels;
    rule.kind = TSNN_OPTIMIZER_MOMENTUM;
    rule.learning_rate = network->learning_rate;
    rule.momentum = network->momentum;
    rule.weight_decay = network->weight_decay;
    TSNNI_TRY(tsnn_dataset_create(s->context, &data, &s->dataset));
    TSNNI_TRY(tsnn_loss_create(s->context, NULL, &s->loss));
    TSNNI_TRY(tsnn_optimizer_create(s->context, &rule, &s->optimizer));
    options.network = s->network;
    options.loss = s->loss;
    options.optimizer = s->optimizer;
    options.batch = network->batch;
    TSNNI_TRY(tsnn_trainer_create(s->context, &options, &s->trainer));
    return TSNN_OK;
fail:
    return status;
}

void *peer_step_create(const peer_network *network)
{
    int64_t samples = network->batch * network->batches;
    step *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->batch = network->batch;
    s->batches = network->batches;
    s->order = calloc((size_t)samples, sizeof *s->order);
    if (s->order == NULL || build_network(s, network) < 0 || build_trainer(s, network) < 0) {
        keep_error(s->context);
        peer_step_destroy(s);
        return NULL;
    }
    for (int64_t n = 0; n < samples; n++)
        s->order[n] = n;
    return s;
}

int32_t peer_step_run(void *pointer, double *loss)
{
    step *s = pointer;
    int64_t at = s->taken++ % s->batches * s->batch;
    tsnn_status status = tsnn_trainer_step(s->trainer, s->dataset, s->order + at, s->batch, 1.0, loss);
    if (status < 0)
        keep_error(s->context);
    return status < 0 ? -1 : 0;
}

int32_t peer_step_weights(void *pointer, int64_t index, float *values, float *bias)
{
    step *s = pointer;
    tsnn_layer *layer;
    tsnn_layer_info info = TSNN_LAYER_INFO_INIT;
    if (tsnn_network_get_layer(s->network, index, &layer) < 0 || tsnn_layer_get_info(layer, &info) < 0 ||
        tsnn_layer_get_csr(layer, NULL, 0, NULL, values, info.connections) < 0 ||
        tsnn_layer_get_bias(layer, bias, info.outputs) < 0) {
        keep_error(s->context);
        return -1;
    }
    return 0;
}

void peer_step_destroy(void *pointer)
{
    step *s = pointer;
    tsnn_trainer_destroy(&s->trainer);
    tsnn_optimizer_destroy(&s->optimizer);
    tsnn_loss_destroy(&s->loss);
    tsnn_dataset_destroy(&s->dataset);
    tsnn_network_destroy(&s->network);
    tsnn_activation_destroy(&s->hidden);
    tsnn_activation_destroy(&s->output);
    tsnn_context_destroy(&s->context);
    free(s->order);
    free(s);
}

/* ---- one sample ---- */

typedef struct predict {
    tsnn_context *context;
    tsnn_network *network;
    tsnn_predictor *predictor;
    tsnn_predictor_workspace *workspace;
    const float *x;
    float *y;
    int64_t outputs;
} predict;

static tsnn_status predict_init(predict *p, const peer_matrix *weights)
{
    tsnn_status status;
    TSNNI_TRY(one_thread(&p->context));
    TSNNI_TRY(tsnn_network_create(p->context, &p->network));
    TSNNI_TRY(append(p->network, p->context, weights, NULL, 0.0));
    TSNNI_TRY(tsnn_predictor_create(p->context, p->network, NULL, &p->predictor));
    TSNNI_TRY(tsnn_predictor_workspace_create(p->predictor, 1, &p->workspace));
    return TSNN_OK;
fail:
    return status;
}

void *peer_predict_create(const peer_matrix *weights, const float *x)
{
    predict *p = calloc(1, sizeof *p);
    if (p == NULL)
        return NULL;
    p->x = x;
    p->outputs = weights->outputs;
    p->y = calloc((size_t)weights->outputs, sizeof *p->y);
    if (p->y == NULL || predict_init(p, weights) < 0) {
        keep_error(p->context);
        peer_predict_destroy(p);
        return NULL;
    }
    return p;
}

int32_t peer_predict_run(void *pointer)
{
    predict *p = pointer;
    tsnn_status status = tsnn_predictor_predict(p->predictor, p->workspace, p->x, 1, p->y, p->outputs);
    if (status < 0)
        keep_error(p->context);
    return status < 0 ? -1 : 0;
}

int32_t peer_predict_result(void *pointer, float *y)
{
    const predict *p = pointer;
    memcpy(y, p->y, (size_t)p->outputs * sizeof *y);
    return 0;
}

void peer_predict_destroy(void *pointer)
{
    predict *p = pointer;
    tsnn_predictor_workspace_destroy(&p->workspace);
    tsnn_predictor_destroy(&p->predictor);
    tsnn_network_destroy(&p->network);
    tsnn_context_destroy(&p->context);
    free(p->y);
    free(p);
}
