/* Builds a layer, and runs one pass through it the way src/propagate_forward.c and propagate_backward.c do. */
#include "kernel_layer.h"

#include <string.h>

#include "core/random.h"
#include "sparse/convert.h"
#include "sparse/panels.h"
#include "sparse/sampling.h"

/* Dropout of .3. */
#define KEEP_BELOW 179

/* As the library does: rows at this distance would fall into the same cache sets. */
#define ALIASING_BYTES 4096

const char *const bench_pass_names[BENCH_PASSES] = {"forward", "forward, dropout", "backward, update", "weights only",
                                                    "input only"};

static float *random_floats(bench *b, tsnni_stream *stream, int64_t count, float scale)
{
    float *array = bench_array(b, count, sizeof *array);
    for (int64_t k = 0; k < count; k++)
        array[k] = scale * (2.0f * tsnni_stream_uniform_float(stream) - 1.0f);
    return array;
}

static void sample(bench *b, const bench_shape *shape, bench_layer *layer)
{
    double cells = (double)shape->inputs * (double)shape->outputs;
    double density = shape->epsilon * (double)(shape->inputs + shape->outputs) / cells;
    bench_require(tsnni_sample_bernoulli(&b->runtime, shape->inputs, shape->outputs, density < 1.0 ? density : 1.0, 1,
                                         1, &layer->pattern),
                  "connections");
    bench_require(tsnni_transpose_build(&b->runtime, &layer->pattern, &layer->transpose), "transpose index");
}

void bench_layer_init(bench *b, const bench_shape *shape, bench_layer *layer)
{
    int64_t rows = shape->inputs, columns = shape->outputs, width = shape->batch, stride = width;
    int64_t words = width / TSNNI_COLUMN_GROUP;
    tsnni_stream stream;
    tsnni_stream_init(&stream, tsnni_random_key_make(1, TSNNI_PURPOSE_USER, 0, 0, 0));
    memset(layer, 0, sizeof *layer);
    layer->shape = shape;
    sample(b, shape, layer);
    if (stride * (int64_t)sizeof(float) % ALIASING_BYTES == 0)
        stride += TSNNI_COLUMN_GROUP;
    layer->plan_shape = (tsnni_plan_shape){
        .rows = rows, .columns = columns, .count = layer->pattern.count, .width = width, .input_bytes = sizeof(float)};

    tsnni_forward *forward = &layer->forward;
    forward->rows = rows;
    forward->columns = columns;
    forward->column_ptr = layer->transpose.column_ptr;
    forward->row = layer->transpose.row.data;
    forward->position = layer->transpose.position;
    float *values = random_floats(b, &stream, layer->pattern.count, 0.2f);
    forward->values = values;
    forward->bias = random_floats(b, &stream, columns, 0.1f);
    forward->x = random_floats(b, &stream, rows * stride, 1.0f);
    forward->y = bench_array(b, columns * stride, sizeof(float));
    forward->stride = stride;
    forward->width = width;
    forward->negative_slope = -0.6f;
    forward->negative = bench_array(b, columns * words, sizeof(uint16_t));
    forward->keep = bench_array(b, columns * words, sizeof(uint16_t));
    forward->keep_below = KEEP_BELOW;
    forward->keep_scale = 256.0f / KEEP_BELOW;

    tsnni_backward *backward = &layer->backward;
    backward->rows = rows;
    backward->columns = columns;
    backward->row_ptr = layer->pattern.row_ptr;
    backward->column = layer->pattern.column.data;
    backward->values = values;
    backward->velocity = bench_array(b, layer->pattern.count, sizeof(float));
    backward->mode = TSNNI_BACKWARD_UPDATE;
    backward->x = forward->x;
    backward->dy = random_floats(b, &stream, columns * stride, 0.01f);
    backward->dx = bench_array(b, rows * stride, sizeof(float));
    backward->stride = stride;
    backward->width = width;
    backward->negative = bench_array(b, rows * words, sizeof(uint16_t));
    backward->negative_slope = -0.6f;
    backward->keep = bench_array(b, rows * words, sizeof(uint16_t));
    memset((void *)(uintptr_t)backward->keep, 0xff, (size_t)(rows * words) * sizeof(uint16_t));
    backward->keep_scale = forward->keep_scale;
    backward->dx_sum = bench_array(b, rows, sizeof(float));
    backward->update = (tsnni_update){1.0f / (float)width, 1e-6f, 0.9f, 1e-9f, 0.0f, 0};
    if (!bench_layer_is_full(layer) && layer->pattern.count > rows * columns / 4)
        layer->expanded = bench_array(b, rows * columns, sizeof(float));
}

void bench_layer_free(bench *b, bench_layer *layer)
{
    bench_release(b, layer->forward.values);
    bench_release(b, layer->forward.bias);
    bench_release(b, layer->forward.x);
    bench_release(b, layer->forward.y);
    bench_release(b, layer->forward.negative);
    bench_release(b, layer->forward.keep);
    bench_release(b, layer->backward.velocity);
    bench_release(b, layer->backward.dy);
    bench_release(b, layer->backward.dx);
    bench_release(b, layer->backward.negative);
    bench_release(b, layer->backward.keep);
    bench_release(b, layer->backward.dx_sum);
    bench_release(b, layer->expanded);
    tsnni_transpose_free(&b->runtime, &layer->transpose);
    tsnni_pattern_free(&b->runtime, &layer->pattern);
}

int32_t bench_layer_is_full(const bench_layer *layer)
{
    return layer->pattern.count == layer->pattern.rows * layer->pattern.columns;
}

static int32_t is_forward(bench_pass pass)
{
    return pass <= BENCH_FORWARD_DROPOUT;
}

tsnni_pass_plan bench_layer_plan(const bench *b, const bench_layer *layer, bench_pass pass)
{
    tsnni_plan_shape shape = layer->plan_shape;
    shape.forward_columns = tsnni_kernels_for(b->isa)->forward_columns;
    shape.backward_columns = tsnni_kernels_for(b->isa)->backward_columns;
    return is_forward(pass) ? tsnni_plan_forward(&b->caches, &shape)
                            : tsnni_plan_backward(&b->caches, &shape, pass != BENCH_WEIGHTS);
}

bench_way bench_way_for(bench *b, const bench_layer *layer, bench_pass pass, tsnni_pass_plan plan)
{
    bench_way way = {plan, NULL};
    const tsnni_pattern *pattern = &layer->pattern;
    if (plan.route != TSNNI_ROUTE_PANELS)
        return way;
    bench_require(is_forward(pass) ? tsnni_panels_build(&b->runtime, layer->transpose.column_ptr, &layer->transpose.row,
                                                        pattern->columns, pattern->rows, plan.panels, &way.panel_ptr)
                                   : tsnni_panels_build(&b->runtime, pattern->row_ptr, &pattern->column, pattern->rows,
                                                        pattern->columns, plan.panels, &way.panel_ptr),
                  "panels");
    return way;
}

void bench_way_free(bench *b, bench_way *way)
{
    bench_release(b, way->panel_ptr);
    way->panel_ptr = NULL;
}

static void run_forward(const bench_layer *layer, const tsnni_kernels *kernels, bench_pass pass, const bench_way *way)
{
    tsnni_forward task = layer->forward;
    if (pass == BENCH_FORWARD)
        task.keep = NULL;
    task.prefetch = way->plan.prefetch;
    task.prefetch_far = way->plan.prefetch_far;
    task.panels = way->plan.panels;
    task.panel_ptr = way->panel_ptr;
    if (way->plan.route != TSNNI_ROUTE_DENSE) {
        kernels->forward[layer->transpose.row.width == 2 ? 0 : 1](&task, 0, task.columns);
        return;
    }
    if (!bench_layer_is_full(layer)) {
        tsnni_csr_expand(&layer->pattern, task.values, 0, task.rows, layer->expanded);
        task.values = layer->expanded;
    }
    kernels->dense_forward(&task, 0, tsnni_dense_units(&task));
}

static void run_backward(const bench_layer *layer, const tsnni_kernels *kernels, bench_pass pass, const bench_way *way)
{
    tsnni_backward task = layer->backward;
    if (pass == BENCH_WEIGHTS)
        task.dx = NULL;
    if (pass == BENCH_INPUT)
        task.mode = TSNNI_BACKWARD_INPUT;
    task.prefetch = way->plan.prefetch;
    task.prefetch_far = way->plan.prefetch_far;
    task.panels = way->plan.panels;
    task.panel_ptr = way->panel_ptr;
    if (way->plan.route == TSNNI_ROUTE_DENSE)
        kernels->dense_backward(&task, 0, task.rows);
    else
        kernels->backward[layer->pattern.column.width == 2 ? 0 : 1](&task, 0, task.rows);
}

double bench_layer_run(const bench_layer *layer, const tsnni_kernels *kernels, bench_pass pass, const bench_way *way)
{
    double start = bench_now();
    if (is_forward(pass))
        run_forward(layer, kernels, pass, way);
    else
        run_backward(layer, kernels, pass, way);
    return bench_now() - start;
}

double bench_layer_work(const bench_layer *layer, bench_pass pass)
{
    double once = (double)layer->pattern.count * (double)layer->shape->batch;
    return pass == BENCH_BACKWARD ? 2.0 * once : once;
}
