/* A sparse layer: creation (random, CSR, COO), reading out, changing weights, swapping topologies. */
#include "layer.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "sparse/convert.h"
#include "sparse/partition.h"
#include "sparse/sampling.h"

#define TSNNI_DEFAULT_EPSILON 20.0
#define TSNNI_MAX_STREAM ((1 << 24) - 1)

/* Blocks of random numbers that are turned into weights while they are in the first-level cache. */
#define FILL_BLOCKS 64

/* Nanoseconds a weight. */
#define UNIFORM_COST 2
#define NORMAL_COST 40

#define CREATION_COST 10 /* ns a connection, all passes together */

tsnn_status tsnn_layer_options_init(tsnn_layer_options *options)
{
    if (options == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    *options = (tsnn_layer_options)TSNN_LAYER_OPTIONS_INIT;
    return TSNN_OK;
}

/* ---- fresh weights ---- */

float tsnni_init_width(const tsnni_init_rule *rule, int64_t inputs, int64_t outputs, int64_t connections)
{
    double fan_in = (double)inputs, fan_out = (double)outputs;
    if (rule->fan == TSNN_FAN_SPARSE) {
        fan_in = fmax(1.0, (double)connections / (double)outputs);
        fan_out = fmax(1.0, (double)connections / (double)inputs);
    }
    double width = rule->init == TSNN_INIT_HE_UNIFORM       ? sqrt(6.0 / fan_in)
                   : rule->init == TSNN_INIT_XAVIER_UNIFORM ? sqrt(6.0 / (fan_in + fan_out))
                                                            : 0.1;
    return (float)width;
}

typedef struct fill_task {
    const tsnni_init_rule *rule;
    float width;
    tsnni_random_key key;
    int64_t count;
    float *weights;
} fill_task;

/* Four weights a block of random numbers. */
static void fill_uniform(const fill_task *task, int64_t block, int64_t end)
{
    float numbers[4 * FILL_BLOCKS];
    for (; block < end; block += FILL_BLOCKS) {
        int64_t blocks = end - block < FILL_BLOCKS ? end - block : FILL_BLOCKS, first = 4 * block;
        int64_t count = task->count - first < 4 * blocks ? task->count - first : 4 * blocks;
        tsnni_random_floats(task->key, (uint64_t)block, blocks, numbers);
        for (int64_t k = 0; k < count; k++)
            task->weights[first + k] = task->width * (2.0f * numbers[k] - 1.0f);
    }
}

/* The same, each weight from a stream of its own. */
static void fill_normal(const fill_task *task, int64_t block, int64_t end)
{
    end = 4 * end < task->count ? 4 * end : task->count;
    for (int64_t k = 4 * block; k < end; k++) {
        tsnni_stream stream;
        tsnni_stream_init(&stream, task->key);
        stream.key.counter[0] = (uint32_t)k;
        stream.key.counter[1] = (uint32_t)(k >> 32);
        task->weights[k] = task->width * (float)tsnni_stream_normal(&stream);
    }
}

static void fill_blocks(void *argument, int64_t begin, int64_t end)
{
    const fill_task *task = argument;
    if (task->rule->init == TSNN_INIT_NORMAL)
        fill_normal(task, begin, end);
    else
        fill_uniform(task, begin, end);
}

void tsnni_init_fill(tsnni_runtime *runtime, const tsnni_init_rule *rule, float width, tsnni_random_key key,
                     int64_t count, float *weights)
{
    fill_task task = {rule, width, key, count, weights};
    int64_t cost = rule->init == TSNN_INIT_NORMAL ? NORMAL_COST : UNIFORM_COST;
    tsnni_parallel_items(runtime->threads, cost * count, (count + 3) / 4, fill_blocks, &task);
}

static void init_weights(tsnn_layer *layer, double scale)
{
    const tsnni_pattern *pattern = &layer->topology.pattern;
    double width = scale * (double)tsnni_init_width(&layer->rule, pattern->rows, pattern->columns, pattern->count);
    tsnni_init_fill(&layer->context->runtime, &layer->rule, (float)width,
                    tsnni_random_key_make(layer->context->seed, TSNNI_PURPOSE_WEIGHTS, layer->stream, 0, 0),
                    pattern->count, layer->topology.values);
}

/* ---- creation ---- */

void tsnni_topology_free(tsnni_runtime *runtime, tsnni_topology *topology)
{
    tsnni_transpose_free(runtime, &topology->transpose);
    tsnni_pattern_free(runtime, &topology->pattern);
    tsnni_release(runtime, topology->values);
    tsnni_release(runtime, topology->velocity);
    memset(topology, 0, sizeof *topology);
}

/* A layer around a pattern and values, which it takes over on success only. */
static tsnn_status layer_wrap(tsnn_context *context, tsnni_pattern *pattern, float *values, tsnn_layer **out)
{
    tsnni_runtime *runtime = &context->runtime;
    tsnn_layer *layer = NULL;
    tsnn_status status;
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, 1, &layer));
    layer->context = context;
    layer->rule = (tsnni_init_rule){TSNN_INIT_HE_UNIFORM, TSNN_FAN_DENSE};
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, pattern->columns, &layer->bias));
    TSNNI_TRY(tsnni_transpose_build(runtime, pattern, &layer->topology.transpose));
    layer->topology.pattern = *pattern;
    layer->topology.values = values;
    layer->stream = ++context->streams;
    layer->version = ++context->versions;
    memset(pattern, 0, sizeof *pattern);
    *out = layer;
    return TSNN_OK;
fail:
    if (layer != NULL)
        tsnni_release(runtime, layer->bias);
    tsnni_release(runtime, layer);
    return status;
}

static tsnn_status check_layer_options(tsnn_context *context, const tsnn_layer_options *options)
{
    tsnni_runtime *runtime = &context->runtime;
    tsnn_status status;
    if (options->inputs < 1 || options->inputs > INT32_MAX || options->outputs < 1 || options->outputs > INT32_MAX)
        TSNNI_FAIL(runtime, TSNN_ERROR_SHAPE, "a layer of %lld x %lld; both must be 1..%d", (long long)options->inputs,
                   (long long)options->outputs, INT32_MAX);
    if (!isfinite(options->epsilon) || options->epsilon < 0.0)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "epsilon is %g; it must be above 0", options->epsilon);
    if (!(options->density >= 0.0 && options->density <= 1.0))
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "density is %g; it must be in (0, 1]", options->density);
    if (options->density > 0.0 && options->epsilon > 0.0)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "epsilon %g and density %g are both set; only one may be",
                   options->epsilon, options->density);
    if (!isfinite(options->init_scale) || options->init_scale < 0.0 || options->init_scale > 1e6)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "init_scale is %g; it must be above 0, at most 1e6",
                   options->init_scale);
    if (options->init < TSNN_INIT_HE_UNIFORM || options->init > TSNN_INIT_NORMAL)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "init %d is unknown", (int)options->init);
    if (options->fan != TSNN_FAN_DENSE && options->fan != TSNN_FAN_SPARSE)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "fan %d is unknown", (int)options->fan);
    if (options->sampling != TSNN_SAMPLING_BERNOULLI && options->sampling != TSNN_SAMPLING_EXACT)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "sampling %d is unknown", (int)options->sampling);
    if (options->stream < 0 || options->stream > TSNNI_MAX_STREAM)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "stream is %lld; it must be 0..%d", (long long)options->stream,
                   TSNNI_MAX_STREAM);
    return TSNN_OK;
fail:
    return status;
}

static double layer_density(const tsnn_layer_options *options)
{
    if (options->density > 0.0)
        return options->density;
    double epsilon = options->epsilon > 0.0 ? options->epsilon : TSNNI_DEFAULT_EPSILON;
    double inputs = (double)options->inputs, outputs = (double)options->outputs;
    return fmin(1.0, epsilon * (inputs + outputs) / (inputs * outputs));
}

static tsnn_status layer_draw(tsnn_context *context, const tsnn_layer_options *given, tsnn_layer **out)
{
    tsnni_runtime *runtime = &context->runtime;
    tsnni_pattern pattern = {0};
    float *values = NULL;
    int64_t stream = given->stream > 0 ? given->stream : context->streams + 1;
    double density = layer_density(given), cells = (double)given->inputs * (double)given->outputs;
    tsnn_status status;
    if (density * cells > (double)TSNNI_MAX_CONNECTIONS)
        TSNNI_FAIL(runtime, TSNN_ERROR_OVERFLOW, "%.0f connections; a layer holds at most %lld", density * cells,
                   (long long)TSNNI_MAX_CONNECTIONS);
    if (given->sampling == TSNN_SAMPLING_EXACT)
        TSNNI_TRY(tsnni_sample_exact(runtime, given->inputs, given->outputs, (int64_t)llround(density * cells),
                                     context->seed, stream, &pattern));
    else
        TSNNI_TRY(
            tsnni_sample_bernoulli(runtime, given->inputs, given->outputs, density, context->seed, stream, &pattern));
    TSNNI_TRY(TSNNI_NEW(runtime, pattern.count, &values));
    TSNNI_TRY(layer_wrap(context, &pattern, values, out));
    (*out)->stream = stream;
    (*out)->rule.init = given->init;
    (*out)->rule.fan = given->fan;
    init_weights(*out, given->init_scale > 0.0 ? given->init_scale : 1.0);
    return TSNN_OK;
fail:
    tsnni_pattern_free(runtime, &pattern);
    tsnni_release(runtime, values);
    return status;
}

/* All passes inside a session. */
typedef struct draw_call {
    tsnn_context *context;
    tsnn_layer_options given;
    tsnn_layer **out;
    tsnn_status status;
} draw_call;

static void draw(void *argument)
{
    draw_call *call = argument;
    call->status = layer_draw(call->context, &call->given, call->out);
}

tsnn_status tsnn_layer_create(tsnn_context *context, const tsnn_layer_options *options, tsnn_layer **out)
{
    if (out == NULL)
        return tsnni_null_argument(context, "out");
    *out = NULL;
    if (context == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *runtime = &context->runtime;
    draw_call call = {.context = context, .out = out, .status = TSNN_OK};
    tsnn_status status;
    if (options == NULL)
        TSNNI_FAIL(runtime, TSNN_ERROR_NULL_ARGUMENT, "options is NULL; a layer needs inputs and outputs");
    TSNNI_TRY(tsnni_options_read(runtime, options, &call.given, sizeof call.given, "tsnn_layer_options"));
    TSNNI_TRY(check_layer_options(context, &call.given));
    double cells = (double)call.given.inputs * (double)call.given.outputs;
    double work = fmin(CREATION_COST * layer_density(&call.given) * cells, 1e18);
    tsnni_parallel_session(runtime->threads, (int64_t)work, draw, &call);
    return call.status;
fail:
    return status;
}

static tsnn_status check_finite(tsnni_runtime *runtime, const float *values, int64_t count, const char *name)
{
    for (int64_t k = 0; k < count; k++)
        if (!isfinite(values[k]))
            return tsnni_fail(runtime, TSNN_ERROR_NOT_FINITE, "%s[%lld] is %g", name, (long long)k, (double)values[k]);
    return TSNN_OK;
}

/* The common end of both imports: takes over pattern and values on success. */
static tsnn_status layer_import(tsnn_context *context, tsnni_pattern *pattern, float *values, const float *bias,
                                tsnn_layer **out)
{
    if (bias != NULL) {
        tsnn_status status = check_finite(&context->runtime, bias, pattern->columns, "bias");
        if (status < 0)
            return status;
    }
    int64_t outputs = pattern->columns;
    tsnn_status status = layer_wrap(context, pattern, values, out);
    if (status >= 0 && bias != NULL)
        memcpy((*out)->bias, bias, (size_t)outputs * sizeof *bias);
    return status;
}

tsnn_status tsnn_layer_create_from_csr(tsnn_context *context, int64_t inputs, int64_t outputs, int64_t connections,
                                       const int64_t *row_ptr, const int32_t *column, const float *values,
                                       const float *bias, int32_t trust, tsnn_layer **out)
{
    if (out == NULL)
        return tsnni_null_argument(context, "out");
    *out = NULL;
    if (context == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *runtime = &context->runtime;
    tsnni_pattern pattern = {0};
    float *own_values = NULL;
    tsnn_status status;
    if (trust != TSNN_CHECKED && trust != TSNN_TRUSTED)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "trust %d is unknown", (int)trust);
    TSNNI_TRY(tsnni_csr_import(runtime, inputs, outputs, connections, row_ptr, column, values, trust == TSNN_TRUSTED,
                               &pattern, &own_values));
    TSNNI_TRY(layer_import(context, &pattern, own_values, bias, out));
    return TSNN_OK;
fail:
    tsnni_pattern_free(runtime, &pattern);
    tsnni_release(runtime, own_values);
    return status;
}

tsnn_status tsnn_layer_create_from_coo(tsnn_context *context, int64_t inputs, int64_t outputs, int64_t connections,
                                       const int32_t *row, const int32_t *column, const float *values,
                                       const float *bias, tsnn_layer **out)
{
    if (out == NULL)
        return tsnni_null_argument(context, "out");
    *out = NULL;
    if (context == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *runtime = &context->runtime;
    tsnni_pattern pattern = {0};
    float *own_values = NULL;
    tsnn_status status;
    TSNNI_TRY(tsnni_coo_import(runtime, inputs, outputs, connections, row, column, values, &pattern, &own_values));
    TSNNI_TRY(layer_import(context, &pattern, own_values, bias, out));
    return TSNN_OK;
fail:
    tsnni_pattern_free(runtime, &pattern);
    tsnni_release(runtime, own_values);
    return status;
}

void tsnn_layer_destroy(tsnn_layer **layer)
{
    if (layer == NULL || *layer == NULL || (*layer)->owned) /* a network's: it was lent */
        return;
    tsnni_runtime *runtime = &(*layer)->context->runtime;
    tsnni_topology_free(runtime, &(*layer)->topology);
    tsnni_release(runtime, (*layer)->bias);
    tsnni_release(runtime, (*layer)->bias_velocity);
    tsnni_release(runtime, *layer);
    *layer = NULL;
}

/* ---- inside ---- */

static tsnn_status copy_floats(tsnni_runtime *runtime, const float *from, int64_t count, float **out)
{
    *out = NULL;
    if (from == NULL)
        return TSNN_OK;
    tsnn_status status = TSNNI_NEW(runtime, count, out);
    if (status >= 0)
        memcpy(*out, from, (size_t)count * sizeof *from);
    return status;
}

tsnn_status tsnni_layer_copy(const tsnn_layer *layer, tsnn_context *context, tsnn_layer **out)
{
    tsnni_runtime *runtime = &context->runtime;
    const tsnni_topology *topology = &layer->topology;
    int64_t count = topology->pattern.count, outputs = topology->pattern.columns;
    tsnn_layer *copy = NULL;
    tsnn_status status;
    *out = NULL;
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, 1, &copy));
    copy->context = context;
    copy->rule = layer->rule;
    copy->stream = layer->stream;
    copy->version = layer->version;
    copy->frozen = layer->frozen;
    TSNNI_TRY(tsnni_pattern_copy(runtime, &topology->pattern, &copy->topology.pattern));
    TSNNI_TRY(tsnni_transpose_build(runtime, &topology->pattern, &copy->topology.transpose));
    TSNNI_TRY(copy_floats(runtime, topology->values, count, &copy->topology.values));
    TSNNI_TRY(copy_floats(runtime, topology->velocity, count, &copy->topology.velocity));
    TSNNI_TRY(copy_floats(runtime, layer->bias, outputs, &copy->bias));
    TSNNI_TRY(copy_floats(runtime, layer->bias_velocity, outputs, &copy->bias_velocity));
    /* A version that the context gives later must not be one that came with a copy. */
    if (context->versions < layer->context->versions)
        context->versions = layer->context->versions;
    *out = copy;
    return TSNN_OK;
fail:
    tsnn_layer_destroy(&copy);
    return status;
}

tsnn_status tsnni_layer_replace_topology(tsnn_layer *layer, tsnni_topology *topology)
{
    tsnni_runtime *runtime = &layer->context->runtime;
    if (topology->transpose.column_ptr == NULL) {
        tsnn_status status = tsnni_transpose_build(runtime, &topology->pattern, &topology->transpose);
        if (status < 0)
            return status;
    }
    tsnni_topology_free(runtime, &layer->topology);
    layer->topology = *topology;
    layer->version = ++layer->context->versions;
    memset(topology, 0, sizeof *topology);
    return TSNN_OK;
}

tsnn_status tsnni_layer_need_velocity(tsnn_layer *layer)
{
    if (layer->topology.velocity != NULL)
        return TSNN_OK;
    tsnni_runtime *runtime = &layer->context->runtime;
    float *velocity = NULL, *bias_velocity = NULL;
    tsnn_status status;
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, layer->topology.pattern.count, &velocity));
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, layer->topology.pattern.columns, &bias_velocity));
    layer->topology.velocity = velocity;
    layer->bias_velocity = bias_velocity;
    return TSNN_OK;
fail:
    tsnni_release(runtime, velocity);
    return status;
}

int32_t tsnni_layer_is_full(const tsnn_layer *layer)
{
    const tsnni_pattern *pattern = &layer->topology.pattern;
    return pattern->count == pattern->rows * pattern->columns;
}

/* ---- reading and changing ---- */

static int64_t layer_bytes(const tsnn_layer *layer)
{
    const tsnni_topology *topology = &layer->topology;
    const tsnni_pattern *pattern = &topology->pattern;
    int64_t floats = topology->velocity != NULL ? 2 : 1;
    int64_t each_connection = 4 * floats + pattern->column.width + topology->transpose.row.width + 4;
    return each_connection * pattern->count + 4 * floats * pattern->columns +
           8 * (pattern->rows + pattern->columns + 2);
}

tsnn_status tsnn_layer_get_info(const tsnn_layer *layer, tsnn_layer_info *info)
{
    if (layer == NULL || info == NULL)
        return tsnni_null_argument(layer != NULL ? layer->context : NULL, "info");
    const tsnni_pattern *pattern = &layer->topology.pattern;
    tsnn_layer_info known = TSNN_LAYER_INFO_INIT;
    known.frozen = layer->frozen;
    known.inputs = pattern->rows;
    known.outputs = pattern->columns;
    known.connections = pattern->count;
    known.density = (double)pattern->count / ((double)pattern->rows * (double)pattern->columns);
    known.bytes = layer_bytes(layer);
    known.index_bytes = pattern->column.width;
    return tsnni_info_write(&layer->context->runtime, info, &known, sizeof known, "tsnn_layer_info");
}

static tsnn_status check_capacity(tsnni_runtime *runtime, const void *buffer, int64_t capacity, int64_t needed,
                                  const char *name)
{
    if (buffer != NULL && capacity < needed)
        return tsnni_fail(runtime, TSNN_ERROR_BUFFER_TOO_SMALL, "%s holds %lld numbers; %lld are needed", name,
                          (long long)capacity, (long long)needed);
    return TSNN_OK;
}

tsnn_status tsnn_layer_get_csr(const tsnn_layer *layer, int64_t *row_ptr, int64_t row_ptr_capacity, int32_t *column,
                               float *values, int64_t capacity)
{
    if (layer == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *runtime = &layer->context->runtime;
    const tsnni_pattern *pattern = &layer->topology.pattern;
    tsnn_status status;
    TSNNI_TRY(check_capacity(runtime, row_ptr, row_ptr_capacity, pattern->rows + 1, "row_ptr"));
    TSNNI_TRY(check_capacity(runtime, column, capacity, pattern->count, "column"));
    TSNNI_TRY(check_capacity(runtime, values, capacity, pattern->count, "values"));
    tsnni_csr_export(pattern, layer->topology.values, row_ptr, column, values);
    return TSNN_OK;
fail:
    return status;
}

tsnn_status tsnn_layer_get_coo(const tsnn_layer *layer, int32_t *row, int32_t *column, float *values, int64_t capacity)
{
    if (layer == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *runtime = &layer->context->runtime;
    const tsnni_pattern *pattern = &layer->topology.pattern;
    tsnn_status status;
    TSNNI_TRY(check_capacity(runtime, row, capacity, pattern->count, "row"));
    TSNNI_TRY(check_capacity(runtime, column, capacity, pattern->count, "column"));
    TSNNI_TRY(check_capacity(runtime, values, capacity, pattern->count, "values"));
    tsnni_coo_export(pattern, layer->topology.values, row, column, values);
    return TSNN_OK;
fail:
    return status;
}

tsnn_status tsnn_layer_get_bias(const tsnn_layer *layer, float *bias, int64_t capacity)
{
    if (layer == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *runtime = &layer->context->runtime;
    int64_t outputs = layer->topology.pattern.columns;
    tsnn_status status;
    if (bias == NULL)
        TSNNI_FAIL(runtime, TSNN_ERROR_NULL_ARGUMENT, "bias is NULL");
    TSNNI_TRY(check_capacity(runtime, bias, capacity, outputs, "bias"));
    memcpy(bias, layer->bias, (size_t)outputs * sizeof *bias);
    return TSNN_OK;
fail:
    return status;
}

/* Zeros stand for velocities that do not exist yet. */
static void copy_or_zero(float *to, const float *from, int64_t count)
{
    if (to == NULL)
        return;
    if (from != NULL)
        memcpy(to, from, (size_t)count * sizeof *to);
    else
        memset(to, 0, (size_t)count * sizeof *to);
}

tsnn_status tsnn_layer_get_velocity(const tsnn_layer *layer, float *weights, int64_t capacity, float *bias,
                                    int64_t bias_capacity)
{
    if (layer == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *runtime = &layer->context->runtime;
    const tsnni_pattern *pattern = &layer->topology.pattern;
    tsnn_status status;
    TSNNI_TRY(check_capacity(runtime, weights, capacity, pattern->count, "weights"));
    TSNNI_TRY(check_capacity(runtime, bias, bias_capacity, pattern->columns, "bias"));
    copy_or_zero(weights, layer->topology.velocity, pattern->count);
    copy_or_zero(bias, layer->bias_velocity, pattern->columns);
    return TSNN_OK;
fail:
    return status;
}

/* Counts and numbers of a pair of arrays that are to replace a layer's own. */
static tsnn_status check_replacement(const tsnn_layer *layer, const float *values, int64_t count, const float *bias,
                                     int64_t bias_count)
{
    tsnni_runtime *runtime = &layer->context->runtime;
    const tsnni_pattern *pattern = &layer->topology.pattern;
    tsnn_status status;
    if (values != NULL && count != pattern->count)
        TSNNI_FAIL(runtime, TSNN_ERROR_SHAPE, "%lld numbers for %lld connections", (long long)count,
                   (long long)pattern->count);
    if (bias != NULL && bias_count != pattern->columns)
        TSNNI_FAIL(runtime, TSNN_ERROR_SHAPE, "%lld numbers for %lld biases", (long long)bias_count,
                   (long long)pattern->columns);
    if (values != NULL)
        TSNNI_TRY(check_finite(runtime, values, count, "weights"));
    if (bias != NULL)
        TSNNI_TRY(check_finite(runtime, bias, bias_count, "bias"));
    return TSNN_OK;
fail:
    return status;
}

tsnn_status tsnn_layer_set_weights(tsnn_layer *layer, const float *values, int64_t count, const float *bias,
                                   int64_t bias_count)
{
    if (layer == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnn_status status = check_replacement(layer, values, count, bias, bias_count);
    if (status < 0)
        return status;
    if (values != NULL)
        memcpy(layer->topology.values, values, (size_t)count * sizeof *values);
    if (bias != NULL)
        memcpy(layer->bias, bias, (size_t)bias_count * sizeof *bias);
    return TSNN_OK;
}

tsnn_status tsnn_layer_set_velocity(tsnn_layer *layer, const float *weights, int64_t count, const float *bias,
                                    int64_t bias_count)
{
    if (layer == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnn_status status;
    TSNNI_TRY(check_replacement(layer, weights, count, bias, bias_count));
    TSNNI_TRY(tsnni_layer_need_velocity(layer));
    if (weights != NULL)
        memcpy(layer->topology.velocity, weights, (size_t)count * sizeof *weights);
    if (bias != NULL)
        memcpy(layer->bias_velocity, bias, (size_t)bias_count * sizeof *bias);
    return TSNN_OK;
fail:
    return status;
}

tsnn_status tsnn_layer_freeze(tsnn_layer *layer, int32_t frozen)
{
    if (layer == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    if (frozen != 0 && frozen != 1)
        return tsnni_fail(&layer->context->runtime, TSNN_ERROR_INVALID_ARGUMENT, "frozen is %d; it must be 0 or 1",
                          (int)frozen);
    layer->frozen = frozen;
    return TSNN_OK;
}
