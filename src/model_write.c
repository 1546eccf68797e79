/* A network and its training as tensors and metadata. */
#include "model_file.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include <tsnn/version.h>

#include "formats/json.h"

#define FLOAT_DIGITS 9
#define DOUBLE_DIGITS 17
#define INDEX_BLOCK 1024

const tsnni_word tsnni_init_words[] = {{"he_uniform", TSNN_INIT_HE_UNIFORM},
                                       {"xavier_uniform", TSNN_INIT_XAVIER_UNIFORM},
                                       {"normal", TSNN_INIT_NORMAL},
                                       {NULL, 0}};
const tsnni_word tsnni_fan_words[] = {{"dense", TSNN_FAN_DENSE}, {"sparse", TSNN_FAN_SPARSE}, {NULL, 0}};

static const char *word_of(const tsnni_word *words, int32_t value)
{
    while (words->text != NULL && words->value != value)
        words++;
    return words->text != NULL ? words->text : "";
}

/* ---- metadata ---- */

/* "tsnn.layers.3.alpha" for layer 3; "tsnn.alpha" for layer -1. */
static tsnn_status add_text(tsnni_runtime *runtime, tsnni_safetensors_plan *plan, int64_t layer, const char *key,
                            const char *value)
{
    char name[TSNNI_MODEL_NAME];
    if (layer >= 0)
        snprintf(name, sizeof name, "tsnn.layers.%lld.%s", (long long)layer, key);
    else
        snprintf(name, sizeof name, "tsnn.%s", key);
    return tsnni_plan_add_metadata(runtime, plan, name, value);
}

static tsnn_status add_whole(tsnni_runtime *runtime, tsnni_safetensors_plan *plan, int64_t layer, const char *key,
                             int64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)value);
    return add_text(runtime, plan, layer, key, text);
}

static tsnn_status add_real(tsnni_runtime *runtime, tsnni_safetensors_plan *plan, int64_t layer, const char *key,
                            double value, int digits)
{
    char text[TSNNI_REAL_TEXT];
    tsnn_status status = tsnni_json_write_real(runtime, value, digits, text);
    return status < 0 ? status : add_text(runtime, plan, layer, key, text);
}

static tsnn_status describe_stage(tsnni_runtime *runtime, tsnni_safetensors_plan *plan, int64_t l,
                                  const tsnni_stage *stage)
{
    const tsnni_activation_rule *activation = &stage->activation;
    const tsnn_layer *layer = stage->layer;
    double dropout = 1.0 - (double)stage->keep_below / TSNNI_KEEP_ALL;
    tsnn_status status;
    TSNNI_TRY(add_text(runtime, plan, l, "activation", word_of(tsnni_activation_words, activation->kind)));
    if (tsnni_model_has_alpha(activation->kind))
        TSNNI_TRY(add_real(runtime, plan, l, "alpha", (double)activation->alpha, FLOAT_DIGITS));
    TSNNI_TRY(add_real(runtime, plan, l, "dropout", dropout, DOUBLE_DIGITS));
    TSNNI_TRY(add_text(runtime, plan, l, "init", word_of(tsnni_init_words, layer->rule.init)));
    TSNNI_TRY(add_text(runtime, plan, l, "fan", word_of(tsnni_fan_words, layer->rule.fan)));
    TSNNI_TRY(add_whole(runtime, plan, l, "stream", layer->stream));
    TSNNI_TRY(add_whole(runtime, plan, l, "frozen", layer->frozen));
    return TSNN_OK;
fail:
    return status;
}

/* ---- tensors ---- */

/* Indices are 16-bit inside where they fit; a file has 32-bit ones. `data` is the layer's pattern. */
static tsnn_status write_columns(tsnni_runtime *runtime, tsnni_sink *sink, const void *data)
{
    const tsnni_pattern *pattern = data;
    int32_t block[INDEX_BLOCK];
    for (int64_t k = 0; k < pattern->count;) {
        int64_t count = 0;
        for (; count < INDEX_BLOCK && k < pattern->count; count++, k++)
            block[count] = (int32_t)tsnni_index_at(&pattern->column, k);
        tsnn_status status = tsnni_sink_write(runtime, sink, block, count * (int64_t)sizeof *block);
        if (status < 0)
            return status;
    }
    return TSNN_OK;
}

static tsnn_status check_finite(tsnni_runtime *runtime, const float *values, int64_t count, const char *name)
{
    for (int64_t k = 0; k < count; k++)
        if (!isfinite(values[k]))
            return tsnni_fail(runtime, TSNN_ERROR_NOT_FINITE, "%s[%lld] is %g; that is not saved", name, (long long)k,
                              (double)values[k]);
    return TSNN_OK;
}

static tsnn_status add_floats(tsnni_runtime *runtime, tsnni_safetensors_plan *plan, const char *name,
                              const float *values, int64_t count)
{
    tsnn_status status = check_finite(runtime, values, count, name);
    return status < 0 ? status : tsnni_plan_add_tensor(runtime, plan, name, TSNNI_F32, 1, &count, values, NULL);
}

static tsnn_status add_layer_floats(tsnni_runtime *runtime, tsnni_safetensors_plan *plan, int64_t l, const char *what,
                                    const float *values, int64_t count)
{
    char name[TSNNI_MODEL_NAME];
    snprintf(name, sizeof name, "layers.%lld.%s", (long long)l, what);
    return add_floats(runtime, plan, name, values, count);
}

static tsnn_status add_layer(tsnni_runtime *runtime, tsnni_safetensors_plan *plan, int64_t l, const tsnn_layer *layer,
                             int32_t momentum)
{
    const tsnni_topology *topology = &layer->topology;
    const tsnni_pattern *pattern = &topology->pattern;
    int64_t pointers = pattern->rows + 1;
    char name[TSNNI_MODEL_NAME];
    tsnn_status status;
    snprintf(name, sizeof name, "layers.%lld.row_ptr", (long long)l);
    TSNNI_TRY(tsnni_plan_add_tensor(runtime, plan, name, TSNNI_I64, 1, &pointers, pattern->row_ptr, NULL));
    snprintf(name, sizeof name, "layers.%lld.col_idx", (long long)l);
    TSNNI_TRY(tsnni_plan_add_tensor(runtime, plan, name, TSNNI_I32, 1, &pattern->count, pattern, write_columns));
    TSNNI_TRY(add_layer_floats(runtime, plan, l, "values", topology->values, pattern->count));
    TSNNI_TRY(add_layer_floats(runtime, plan, l, "bias", layer->bias, pattern->columns));
    if (momentum && topology->velocity != NULL) {
        TSNNI_TRY(add_layer_floats(runtime, plan, l, "velocity", topology->velocity, pattern->count));
        TSNNI_TRY(add_layer_floats(runtime, plan, l, "bias_velocity", layer->bias_velocity, pattern->columns));
    }
    return TSNN_OK;
fail:
    return status;
}

tsnn_status tsnni_model_plan(const tsnn_network *network, int32_t momentum, tsnni_safetensors_plan *plan)
{
    tsnni_runtime *runtime = &network->context->runtime;
    int64_t inputs = tsnni_network_inputs(network);
    tsnn_status status;
    if (network->count == 0)
        TSNNI_FAIL(runtime, TSNN_ERROR_STATE, "the network has no layers yet");
    TSNNI_TRY(add_whole(runtime, plan, -1, "format", TSNNI_MODEL_FORMAT));
    TSNNI_TRY(add_text(runtime, plan, -1, "library", tsnn_version_string()));
    TSNNI_TRY(add_whole(runtime, plan, -1, "layers", network->count));
    TSNNI_TRY(add_whole(runtime, plan, -1, "bf16", network->activation_format == TSNN_ACTIVATIONS_BF16));
    for (int64_t l = 0; l < network->count; l++) {
        TSNNI_TRY(describe_stage(runtime, plan, l, &network->stages[l]));
        TSNNI_TRY(add_layer(runtime, plan, l, network->stages[l].layer, momentum));
    }
    if (network->shift != NULL) {
        TSNNI_TRY(add_floats(runtime, plan, "inputs.mean", network->shift, inputs));
        TSNNI_TRY(add_floats(runtime, plan, "inputs.scale", network->scale, inputs));
    }
    return TSNN_OK;
fail:
    return status;
}

tsnn_status tsnni_model_plan_training(const tsnn_trainer *trainer, tsnni_safetensors_plan *plan)
{
    tsnni_runtime *runtime = &trainer->context->runtime;
    const tsnni_epoch_part *part = &trainer->part;
    char seed[24];
    tsnn_status status;
    snprintf(seed, sizeof seed, "%" PRIu64, trainer->context->seed);
    TSNNI_TRY(add_text(runtime, plan, -1, "training.seed", seed));
    TSNNI_TRY(add_whole(runtime, plan, -1, "training.epochs_done", trainer->epochs_done));
    TSNNI_TRY(add_whole(runtime, plan, -1, "training.passes", trainer->passes));
    TSNNI_TRY(add_whole(runtime, plan, -1, "training.steps_done", part->steps));
    if (part->steps == 0)
        return TSNN_OK;
    TSNNI_TRY(add_whole(runtime, plan, -1, "training.samples", part->samples));
    TSNNI_TRY(add_whole(runtime, plan, -1, "training.batch", part->batch));
    TSNNI_TRY(add_whole(runtime, plan, -1, "training.correct", part->correct));
    TSNNI_TRY(add_real(runtime, plan, -1, "training.loss_sum", part->loss, DOUBLE_DIGITS));
    TSNNI_TRY(add_real(runtime, plan, -1, "training.learning_rate", part->learning_rate, DOUBLE_DIGITS));
    return TSNN_OK;
fail:
    return status;
}
