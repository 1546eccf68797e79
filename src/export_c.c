/* A network as freestanding C: constant arrays, one small function a layer, and a self-test. */
#include <tsnn/export_c.h>

#include <ctype.h>
#include <float.h>
#include <math.h>
#include <string.h>

#include "core/file.h"
#include "core/memory.h"
#include "core/text.h"
#include "network.h"

#define MOST_SAMPLES 1000
#define MOST_NAME 63
#define DEFAULT_NAME "tsnn_model"
#define DEFAULT_TOLERANCE 1e-4
#define LARGEST_INT8 127.0f
#define NUMBERS_PER_LINE 12

typedef struct exporter {
    const tsnn_network *network; /* what the file computes: its weights, in floats */
    tsnn_export_c_options options;
    char upper[MOST_NAME + 1]; /* the name in capitals */
    int64_t workspace, constant_bytes;
    tsnni_text text;
} exporter;

tsnn_status tsnn_export_c_options_init(tsnn_export_c_options *options)
{
    if (options == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    *options = (tsnn_export_c_options)TSNN_EXPORT_C_OPTIONS_INIT;
    return TSNN_OK;
}

/* ---- checks ---- */

static int32_t is_identifier(const char *name)
{
    size_t length = strlen(name);
    if (length == 0 || length > MOST_NAME || isdigit((unsigned char)name[0]))
        return 0;
    for (size_t i = 0; i < length; i++)
        if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_", name[i]))
            return 0;
    return 1;
}

static tsnn_status check_options(const tsnn_network *network, tsnn_export_c_options *options)
{
    tsnni_runtime *runtime = &network->context->runtime;
    tsnn_status status;
    options->name = options->name != NULL ? options->name : DEFAULT_NAME;
    if (!is_identifier(options->name))
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "the name \"%.80s\" is no C identifier of 1 to %d characters",
                   options->name, MOST_NAME);
    if (options->weights != TSNN_EXPORT_FLOAT && options->weights != TSNN_EXPORT_INT8)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "weights %d is unknown", (int)options->weights);
    if (options->sample_count < 0 || options->sample_count > MOST_SAMPLES)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "sample_count is %lld; it must be 0..%d",
                   (long long)options->sample_count, MOST_SAMPLES);
    if (options->sample_count > 0 && options->samples == NULL)
        TSNNI_FAIL(runtime, TSNN_ERROR_NULL_ARGUMENT, "samples is NULL, sample_count %lld",
                   (long long)options->sample_count);
    if (!(options->tolerance >= 0.0 && options->tolerance <= FLT_MAX)) /* it is written as a float */
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "tolerance is %g; it must be above 0 and a float",
                   options->tolerance);
    options->tolerance = options->tolerance > 0.0 ? options->tolerance : DEFAULT_TOLERANCE;
    return TSNN_OK;
fail:
    return status;
}

static tsnn_status check_network(const tsnn_network *network)
{
    tsnni_runtime *runtime = &network->context->runtime;
    if (network->count == 0)
        return tsnni_fail(runtime, TSNN_ERROR_STATE, "the network has no layers");
    for (int64_t l = 0; l < network->count; l++) {
        const tsnni_topology *topology = &network->stages[l].layer->topology;
        if (network->stages[l].activation.kind == TSNN_ACTIVATION_CUSTOM)
            return tsnni_fail(runtime, TSNN_ERROR_UNSUPPORTED,
                              "layer %lld has a custom activation: a function of the "
                              "caller's cannot be written out",
                              (long long)l);
        for (int64_t k = 0; k < topology->pattern.count; k++)
            if (!isfinite(topology->values[k]))
                return tsnni_fail(runtime, TSNN_ERROR_NOT_FINITE, "layer %lld: weight %lld is %g", (long long)l,
                                  (long long)k, (double)topology->values[k]);
        for (int64_t j = 0; j < topology->pattern.columns; j++)
            if (!isfinite(network->stages[l].layer->bias[j]))
                return tsnni_fail(runtime, TSNN_ERROR_NOT_FINITE, "layer %lld: bias %lld is %g", (long long)l,
                                  (long long)j, (double)network->stages[l].layer->bias[j]);
    }
    return TSNN_OK;
}

/* ---- 8-bit weights ---- */

/* The scale of output j: its largest weight is 127 steps. */
static float int8_scale(const tsnni_topology *topology, int64_t j)
{
    float largest = 0.0f;
    for (int64_t k = topology->transpose.column_ptr[j]; k < topology->transpose.column_ptr[j + 1]; k++)
        largest = fmaxf(largest, fabsf(topology->values[topology->transpose.position[k]]));
    return largest > 0.0f ? largest / LARGEST_INT8 : 1.0f;
}

static long int8_steps(float weight, float scale)
{
    float steps = fminf(fmaxf(weight / scale, -LARGEST_INT8), LARGEST_INT8); /* a denormal scale rounds coarsely */
    return lroundf(steps);
}

/* Every weight becomes what its 8 bits say. Rounding again gives the same steps, for the largest keeps its size. */
static void round_weights(tsnn_network *network)
{
    for (int64_t l = 0; l < network->count; l++) {
        tsnni_topology *topology = &network->stages[l].layer->topology;
        for (int64_t j = 0; j < topology->pattern.columns; j++) {
            float scale = int8_scale(topology, j);
            for (int64_t k = topology->transpose.column_ptr[j]; k < topology->transpose.column_ptr[j + 1]; k++) {
                float *weight = &topology->values[topology->transpose.position[k]];
                *weight = scale * (float)int8_steps(*weight, scale);
            }
        }
    }
}

/* What the file computes where that is not the network itself: 8-bit weights, and floats for activations of bf16.
 * NULL: it is. */
static tsnn_status computed_network(const tsnn_network *network, int32_t weights, tsnn_network **out)
{
    tsnn_status status;
    *out = NULL;
    if (weights != TSNN_EXPORT_INT8 && network->activation_format == TSNN_ACTIVATIONS_FLOAT32)
        return TSNN_OK;
    TSNNI_TRY(tsnn_network_copy(network, out));
    TSNNI_TRY(tsnn_network_set_activation_format(*out, TSNN_ACTIVATIONS_FLOAT32));
    if (weights == TSNN_EXPORT_INT8)
        round_weights(*out);
    return TSNN_OK;
fail:
    tsnn_network_destroy(out);
    return status;
}

/* ---- arrays ---- */

static const char *index_type(int64_t largest)
{
    return largest <= UINT16_MAX ? "uint16_t" : "uint32_t";
}

static int64_t index_bytes(int64_t largest)
{
    return largest <= UINT16_MAX ? 2 : 4;
}

static void begin_array(exporter *e, const char *type, int64_t layer, const char *what, int64_t count)
{
    tsnni_text_add(&e->text, "static const %s %s_%s%lld[%lld] = {", type, e->options.name, what, (long long)layer,
                   (long long)(count > 0 ? count : 1));
    if (count == 0)
        tsnni_text_add(&e->text, "0");
}

static void separate(exporter *e, int64_t k)
{
    tsnni_text_add(&e->text, k % NUMBERS_PER_LINE == 0 ? "\n    " : " ");
}

static void end_array(exporter *e)
{
    tsnni_text_add(&e->text, "\n};\n");
}

static void write_floats(exporter *e, int64_t layer, const char *what, const float *values, int64_t count)
{
    begin_array(e, "float", layer, what, count);
    for (int64_t k = 0; k < count; k++) {
        separate(e, k);
        tsnni_text_add_float(&e->text, values[k]);
        tsnni_text_add(&e->text, ",");
    }
    end_array(e);
}

static void write_weights(exporter *e, int64_t l)
{
    const tsnni_topology *topology = &e->network->stages[l].layer->topology;
    const tsnni_transpose *transpose = &topology->transpose;
    int64_t count = topology->pattern.count, outputs = topology->pattern.columns;
    int32_t int8 = e->options.weights == TSNN_EXPORT_INT8;
    if (int8) {
        begin_array(e, "float", l, "scale", outputs);
        for (int64_t j = 0; j < outputs; j++) {
            separate(e, j);
            tsnni_text_add_float(&e->text, int8_scale(topology, j));
            tsnni_text_add(&e->text, ",");
        }
        end_array(e);
    }
    begin_array(e, int8 ? "int8_t" : "float", l, "weight", count);
    for (int64_t j = 0; j < outputs; j++) {
        float scale = int8 ? int8_scale(topology, j) : 1.0f;
        for (int64_t k = transpose->column_ptr[j]; k < transpose->column_ptr[j + 1]; k++) {
            float weight = topology->values[transpose->position[k]];
            separate(e, k);
            if (int8)
                tsnni_text_add(&e->text, "%ld", int8_steps(weight, scale));
            else
                tsnni_text_add_float(&e->text, weight);
            tsnni_text_add(&e->text, ",");
        }
    }
    end_array(e);
    e->constant_bytes += int8 ? count + outputs * 4 : count * 4;
}

static void write_layer_arrays(exporter *e, int64_t l)
{
    const tsnn_layer *layer = e->network->stages[l].layer;
    const tsnni_pattern *pattern = &layer->topology.pattern;
    const tsnni_transpose *transpose = &layer->topology.transpose;
    begin_array(e, index_type(pattern->count), l, "first", pattern->columns + 1);
    for (int64_t j = 0; j <= pattern->columns; j++) {
        separate(e, j);
        tsnni_text_add(&e->text, "%lld,", (long long)transpose->column_ptr[j]);
    }
    end_array(e);
    begin_array(e, index_type(pattern->rows - 1), l, "from", pattern->count);
    for (int64_t k = 0; k < pattern->count; k++) {
        separate(e, k);
        tsnni_text_add(&e->text, "%lld,", (long long)tsnni_index_at(&transpose->row, k));
    }
    end_array(e);
    write_weights(e, l);
    write_floats(e, l, "bias", layer->bias, pattern->columns);
    e->constant_bytes += (pattern->columns + 1) * index_bytes(pattern->count) +
                         pattern->count * index_bytes(pattern->rows - 1) + pattern->columns * 4;
}

/* ---- functions ---- */

/* What becomes of z in the layer's loop; softmax follows in a loop of its own. */
static void write_activation(exporter *e, int64_t l)
{
    const tsnni_stage *stage = &e->network->stages[l];
    if (stage->activation.kind == TSNN_ACTIVATION_SIGMOID) {
        tsnni_text_add(&e->text, "        float e = expf(z < 0.0f ? z : -z);\n"
                                 "        output[j] = z < 0.0f ? e / (1.0f + e) : 1.0f / (1.0f + e);\n");
    } else if (stage->activation.kind == TSNN_ACTIVATION_TANH) {
        /* tanh |z| = (1 - e) / (1 + e), e = exp(-2 |z|); near 0, where that cancels, the series z - z^3 / 3. */
        tsnni_text_add(&e->text,
                       "        float e = expf(z < 0.0f ? 2.0f * z : -2.0f * z), t = (1.0f - e) / (1.0f + e);\n"
                       "        output[j] = z * z < 1e-4f ? z - z * z * z / 3.0f : z < 0.0f ? -t : t;\n");
    } else if (tsnni_activation_is_slope(&stage->activation) && tsnni_activation_slope(&stage->activation, l) != 1.0f) {
        tsnni_text_add(&e->text, "        output[j] = z < 0.0f ? ");
        tsnni_text_add_float(&e->text, tsnni_activation_slope(&stage->activation, l));
        tsnni_text_add(&e->text, " * z : z;\n");
    } else {
        tsnni_text_add(&e->text, "        output[j] = z;\n");
    }
}

static void write_softmax(exporter *e, int64_t outputs)
{
    tsnni_text_add(&e->text,
                   "    float largest = output[0], sum = 0.0f;\n"
                   "    for (uint32_t j = 1; j < %lluu; j++)\n"
                   "        largest = output[j] > largest ? output[j] : largest;\n",
                   (unsigned long long)outputs);
    tsnni_text_add(&e->text,
                   "    for (uint32_t j = 0; j < %lluu; j++) {\n"
                   "        output[j] = expf(output[j] - largest);\n"
                   "        sum += output[j];\n"
                   "    }\n"
                   "    for (uint32_t j = 0; j < %lluu; j++)\n"
                   "        output[j] /= sum;\n",
                   (unsigned long long)outputs, (unsigned long long)outputs);
}

static void write_layer_function(exporter *e, int64_t l)
{
    const char *name = e->options.name;
    long long n = (long long)l;
    int64_t outputs = e->network->stages[l].layer->topology.pattern.columns;
    tsnni_text_add(&e->text, "\nstatic void %s_layer%lld(const float *input, float *output)\n{\n", name, n);
    tsnni_text_add(&e->text,
                   "    for (uint32_t j = 0; j < %lluu; j++) {\n"
                   "        float z = 0.0f;\n"
                   "        for (uint32_t k = %s_first%lld[j]; k < %s_first%lld[j + 1]; k++)\n",
                   (unsigned long long)outputs, name, n, name, n);
    tsnni_text_add(&e->text, "            z += (float)%s_weight%lld[k] * input[%s_from%lld[k]];\n", name, n, name, n);
    if (e->options.weights == TSNN_EXPORT_INT8)
        tsnni_text_add(&e->text, "        z = z * %s_scale%lld[j] + %s_bias%lld[j];\n", name, n, name, n);
    else
        tsnni_text_add(&e->text, "        z += %s_bias%lld[j];\n", name, n);
    write_activation(e, l);
    tsnni_text_add(&e->text, "    }\n");
    if (e->network->stages[l].activation.kind == TSNN_ACTIVATION_SOFTMAX)
        write_softmax(e, outputs);
    tsnni_text_add(&e->text, "}\n");
}

/* The layers take turns on two halves of the workspace; the first reads the input, or its standardised copy. */
static void write_predict(exporter *e, int64_t half)
{
    const char *name = e->options.name;
    int64_t inputs = tsnni_network_inputs(e->network), last = e->network->count - 1;
    int32_t standardised = e->network->shift != NULL;
    tsnni_text_add(&e->text, "\nvoid %s_predict(const float *input, float *output, float *workspace)\n{\n", name);
    tsnni_text_add(&e->text, "    float *half[2] = {workspace, workspace + %llu};\n", (unsigned long long)half);
    if (standardised)
        tsnni_text_add(&e->text,
                       "    for (uint32_t i = 0; i < %lluu; i++)\n"
                       "        half[1][i] = (input[i] - %s_shift0[i]) * %s_inverse0[i];\n",
                       (unsigned long long)inputs, name, name);
    for (int64_t l = 0; l <= last; l++) {
        tsnni_text_add(&e->text, "    %s_layer%lld(", name, (long long)l);
        if (l == 0 && !standardised)
            tsnni_text_add(&e->text, "input, ");
        else
            tsnni_text_add(&e->text, "half[%d], ", (int)((l + 1) % 2));
        if (l == last)
            tsnni_text_add(&e->text, "output);\n");
        else
            tsnni_text_add(&e->text, "half[%d]);\n", (int)(l % 2));
    }
    tsnni_text_add(&e->text, "    (void)half;\n}\n");
}

static void write_class(exporter *e)
{
    int64_t outputs = tsnni_network_outputs(e->network);
    tsnni_text_add(&e->text, "\nint %s_class(const float *output)\n{\n", e->options.name);
    if (outputs == 1)
        tsnni_text_add(&e->text, "    return output[0] >= 0.5f;\n}\n");
    else
        tsnni_text_add(&e->text,
                       "    int best = 0;\n"
                       "    for (int j = 1; j < %lld; j++)\n"
                       "        best = output[j] > output[best] ? j : best;\n"
                       "    return best;\n}\n",
                       (long long)outputs);
}

static void write_self_test(exporter *e, const float *expected)
{
    const char *name = e->options.name;
    int64_t inputs = tsnni_network_inputs(e->network), outputs = tsnni_network_outputs(e->network);
    int64_t samples = e->options.sample_count;
    tsnni_text_add(&e->text, "\n/* The self-test's samples and the outputs that the library gives for them. */\n");
    write_floats(e, 0, "sample", e->options.samples, samples * inputs);
    write_floats(e, 0, "expected", expected, samples * outputs);
    tsnni_text_add(&e->text, "\nint %s_self_test(float *workspace)\n{\n    float output[%s_OUTPUTS];\n", name,
                   e->upper);
    tsnni_text_add(&e->text,
                   "    for (uint32_t n = 0; n < %lluu; n++) {\n"
                   "        %s_predict(%s_sample0 + n * %s_INPUTS, output, workspace);\n"
                   "        for (uint32_t j = 0; j < %s_OUTPUTS; j++) {\n",
                   (unsigned long long)samples, name, name, e->upper, e->upper);
    tsnni_text_add(&e->text,
                   "            float expected = %s_expected0[n * %s_OUTPUTS + j], error = output[j] - expected;\n"
                   "            error = error < 0.0f ? -error : error;\n",
                   name, e->upper);
    tsnni_text_add(&e->text, "            if (!(error <= ");
    tsnni_text_add_float(&e->text, (float)e->options.tolerance);
    tsnni_text_add(&e->text, " * (1.0f + (expected < 0.0f ? -expected : expected))))\n"
                             "                return (int)n + 1;\n"
                             "        }\n    }\n    return 0;\n}\n");
}

/* ---- the file ---- */

static int32_t needs_expf(const tsnn_network *network)
{
    for (int64_t l = 0; l < network->count; l++) {
        int32_t kind = network->stages[l].activation.kind;
        if (kind == TSNN_ACTIVATION_SOFTMAX || kind == TSNN_ACTIVATION_SIGMOID || kind == TSNN_ACTIVATION_TANH)
            return 1;
    }
    return 0;
}

/* The comment that the file begins with. */
static void write_comment(exporter *e)
{
    const char *name = e->options.name;
    tsnni_text_add(&e->text, "/* A sparse neural network, written by libtsnn. Freestanding C99:%s.\n",
                   needs_expf(e->network) ? " it needs expf() and no other function" : " it needs no other function");
    tsnni_text_add(&e->text, " *\n * layer: inputs x outputs, connections\n");
    for (int64_t l = 0; l < e->network->count; l++) {
        const tsnni_pattern *pattern = &e->network->stages[l].layer->topology.pattern;
        tsnni_text_add(&e->text, " * %lld: %lld x %lld, %lld\n", (long long)l, (long long)pattern->rows,
                       (long long)pattern->columns, (long long)pattern->count);
    }
    tsnni_text_add(&e->text, " *\n * %s_predict() keeps no state and allocates nothing.\n", name);
    tsnni_text_add(
        &e->text,
        " * Compile the file once; other files, in C or C++, define %s_DECLARATIONS_ONLY and include it. */\n",
        e->upper);
}

/* What other files may include: everything in front of the first array. */
static void write_declarations(exporter *e)
{
    const char *name = e->options.name;
    tsnni_text_add(&e->text, "#ifndef %s_DECLARED\n#define %s_DECLARED\n\n", e->upper, e->upper);
    tsnni_text_add(&e->text, "#define %s_INPUTS %lld\n#define %s_OUTPUTS %lld\n", e->upper,
                   (long long)tsnni_network_inputs(e->network), e->upper, (long long)tsnni_network_outputs(e->network));
    tsnni_text_add(&e->text, "#define %s_WORKSPACE %lld /* floats */\n\n", e->upper, (long long)e->workspace);
    tsnni_text_add(&e->text, "#ifdef __cplusplus\nextern \"C\" {\n#endif\n");
    tsnni_text_add(&e->text,
                   "/* input: raw features. output: one number for each output. workspace: memory to work in. */\n"
                   "void %s_predict(const float *input, float *output, float *workspace);\n",
                   name);
    tsnni_text_add(&e->text, "/* The class that the outputs tell. */\nint %s_class(const float *output);\n", name);
    if (e->options.sample_count > 0)
        tsnni_text_add(&e->text,
                       "/* 0, or the number from 1 of the first sample whose outputs are not as expected. */\n"
                       "int %s_self_test(float *workspace);\n",
                       name);
    tsnni_text_add(&e->text, "#ifdef __cplusplus\n}\n#endif\n\n#endif\n\n");
}

static void begin_definitions(exporter *e)
{
    tsnni_text_add(&e->text, "#ifndef %s_DECLARATIONS_ONLY\n#include <stdint.h>\n\n", e->upper);
    if (needs_expf(e->network))
        tsnni_text_add(&e->text, "#ifdef __cplusplus\nextern \"C\"\n#endif\nfloat expf(float);\n\n");
}

static tsnn_status write_all(exporter *e, const float *expected)
{
    tsnn_status status;
    int64_t inputs = tsnni_network_inputs(e->network), half = inputs;
    for (int64_t l = 0; l < e->network->count; l++) {
        int64_t outputs = e->network->stages[l].layer->topology.pattern.columns;
        half = outputs > half ? outputs : half;
    }
    TSNNI_TRY(tsnni_multiply(half, 2, &e->workspace));
    write_comment(e);
    write_declarations(e);
    begin_definitions(e);
    if (e->network->shift != NULL) {
        write_floats(e, 0, "shift", e->network->shift, inputs);
        write_floats(e, 0, "inverse", e->network->scale, inputs);
        e->constant_bytes += 8 * inputs;
    }
    for (int64_t l = 0; l < e->network->count; l++)
        write_layer_arrays(e, l);
    for (int64_t l = 0; l < e->network->count; l++)
        write_layer_function(e, l);
    write_predict(e, half);
    write_class(e);
    if (expected != NULL)
        write_self_test(e, expected);
    tsnni_text_add(&e->text, "\n#endif\n");
    return e->text.status;
fail:
    return status;
}

/* The outputs that the file must give, and how far they are from those of the network. */
static tsnn_status predict_samples(const exporter *e, const tsnn_network *original, float **out, double *difference)
{
    tsnni_runtime *runtime = &original->context->runtime;
    int64_t samples = e->options.sample_count, numbers;
    float *exact = NULL;
    tsnn_status status;
    *out = NULL;
    *difference = 0.0;
    if (samples == 0)
        return TSNN_OK;
    numbers = samples * tsnni_network_outputs(original); /* at most 1000 times an int32 */
    TSNNI_TRY(TSNNI_NEW(runtime, numbers, out));
    TSNNI_TRY(TSNNI_NEW(runtime, numbers, &exact));
    TSNNI_TRY(tsnn_network_predict(e->network, e->options.samples, samples, *out, numbers));
    TSNNI_TRY(tsnn_network_predict(original, e->options.samples, samples, exact, numbers));
    for (int64_t k = 0; k < numbers; k++)
        if (!isfinite((*out)[k]))
            TSNNI_FAIL(runtime, TSNN_ERROR_NOT_FINITE, "output %lld of the samples is %g: no test can expect that",
                       (long long)k, (double)(*out)[k]);
    for (int64_t k = 0; k < numbers; k++)
        *difference = fmax(*difference, fabs((double)(*out)[k] - (double)exact[k]));
    tsnni_release(runtime, exact);
    return TSNN_OK;
fail:
    tsnni_release(runtime, exact);
    tsnni_release(runtime, *out);
    *out = NULL;
    return status;
}

static tsnn_status write_file(const exporter *e, const char *path)
{
    tsnni_runtime *runtime = &e->network->context->runtime;
    tsnni_sink sink;
    tsnn_status status = tsnni_sink_open(runtime, path, &sink);
    if (status >= 0)
        status = tsnni_sink_write(runtime, &sink, e->text.bytes, e->text.length);
    if (status >= 0)
        status = tsnni_sink_commit(runtime, &sink);
    tsnni_sink_abandon(runtime, &sink);
    return status;
}

tsnn_status tsnn_export_c(const tsnn_network *network, const tsnn_export_c_options *options, const char *path,
                          tsnn_export_c_report *report)
{
    if (network == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *runtime = &network->context->runtime;
    tsnn_network *computed = NULL;
    float *expected = NULL;
    exporter e = {.network = network};
    tsnn_export_c_report known = TSNN_EXPORT_C_REPORT_INIT;
    tsnn_status status;
    tsnni_text_init(&e.text, runtime);
    if (path == NULL)
        TSNNI_FAIL(runtime, TSNN_ERROR_NULL_ARGUMENT, "path is NULL");
    TSNNI_TRY(tsnni_options_read(runtime, options, &e.options, sizeof e.options, "tsnn_export_c_options"));
    TSNNI_TRY(check_options(network, &e.options));
    TSNNI_TRY(check_network(network));
    for (size_t i = 0; e.options.name[i] != '\0'; i++)
        e.upper[i] = (char)toupper((unsigned char)e.options.name[i]);
    TSNNI_TRY(computed_network(network, e.options.weights, &computed));
    e.network = computed != NULL ? computed : network;
    TSNNI_TRY(predict_samples(&e, network, &expected, &known.largest_difference));
    TSNNI_TRY(write_all(&e, expected));
    known.text_bytes = e.text.length;
    known.constant_bytes = e.constant_bytes;
    known.workspace_floats = e.workspace;
    if (report != NULL)
        TSNNI_TRY(tsnni_info_write(runtime, report, &known, sizeof known, "tsnn_export_c_report"));
    TSNNI_TRY(write_file(&e, path));
    status = TSNN_OK;
fail:
    tsnni_text_free(&e.text);
    tsnni_release(runtime, expected);
    tsnn_network_destroy(&computed);
    return status;
}
