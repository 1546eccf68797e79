/* A network and its training out of the parts of a file. */
#include "model_file.h"

#include <string.h>

#include "core/memory.h"

/* ---- layers ---- */

static tsnn_status read_velocity(const tsnni_safetensors *file, int64_t l, tsnn_layer *layer)
{
    tsnni_runtime *runtime = &layer->context->runtime;
    const tsnni_tensor *weights, *bias;
    float *weight_numbers = NULL, *bias_numbers = NULL;
    tsnn_status status;
    TSNNI_TRY(tsnni_model_layer_vector(runtime, file, l, "velocity", TSNNI_F32, 0, &weights));
    TSNNI_TRY(tsnni_model_layer_vector(runtime, file, l, "bias_velocity", TSNNI_F32, weights != NULL, &bias));
    if ((weights == NULL) != (bias == NULL))
        TSNNI_FAIL(runtime, TSNN_ERROR_FORMAT, "layer %lld: bias_velocity without velocity", (long long)l);
    if (weights == NULL)
        return TSNN_OK;
    TSNNI_TRY(tsnni_model_copy_vector(runtime, file, weights, (void **)&weight_numbers));
    TSNNI_TRY(tsnni_model_copy_vector(runtime, file, bias, (void **)&bias_numbers));
    TSNNI_TRY(tsnn_layer_set_velocity(layer, weight_numbers, weights->count, bias_numbers, bias->count));
fail:
    tsnni_release(runtime, weight_numbers);
    tsnni_release(runtime, bias_numbers);
    return status;
}

static tsnn_status read_rule(const tsnni_safetensors *file, int64_t l, tsnn_layer *layer)
{
    tsnni_runtime *runtime = &layer->context->runtime;
    int64_t frozen = 0;
    tsnn_status status;
    TSNNI_TRY(tsnni_model_word(runtime, file, l, "init", tsnni_init_words, &layer->rule.init));
    TSNNI_TRY(tsnni_model_word(runtime, file, l, "fan", tsnni_fan_words, &layer->rule.fan));
    TSNNI_TRY(tsnni_model_whole(runtime, file, l, "stream", 1, TSNNI_LARGEST_COUNT, &layer->stream));
    TSNNI_TRY(tsnni_model_whole(runtime, file, l, "frozen", 0, 1, &frozen));
    layer->frozen = (int32_t)frozen;
    return TSNN_OK;
fail:
    return status;
}

static tsnn_status read_layer(tsnn_context *context, const tsnni_safetensors *file, int64_t l, tsnn_layer **out)
{
    tsnni_runtime *runtime = &context->runtime;
    tsnni_model_layer arrays;
    tsnn_status status;
    TSNNI_TRY(tsnni_model_layer_read(runtime, file, l, &arrays));
    TSNNI_TRY(tsnn_layer_create_from_csr(context, arrays.inputs, arrays.outputs, arrays.connections, arrays.row_ptr,
                                         arrays.column, arrays.values, arrays.bias, TSNN_CHECKED, out));
    TSNNI_TRY(read_rule(file, l, *out));
    TSNNI_TRY(read_velocity(file, l, *out));
fail:
    tsnni_model_layer_free(runtime, &arrays);
    if (status < 0)
        tsnn_layer_destroy(out);
    return status;
}

/* ---- a network ---- */

/* The custom activation of layer l: that of `like` at the same place, or `custom`. */
static const tsnni_activation_rule *custom_rule(int64_t l, const tsnn_network *like, const tsnn_activation *custom)
{
    if (like != NULL && l < like->count && like->stages[l].activation.kind == TSNN_ACTIVATION_CUSTOM)
        return &like->stages[l].activation;
    return custom != NULL ? &custom->rule : NULL;
}

static tsnn_status read_stage(tsnn_network *network, const tsnni_safetensors *file, int64_t l, const tsnn_network *like,
                              const tsnn_activation *custom)
{
    tsnn_context *context = network->context;
    tsnn_activation *activation = NULL;
    tsnn_layer *layer = NULL;
    double dropout = 0.0;
    tsnn_status status;
    TSNNI_TRY(tsnni_model_activation(context, file, l, custom_rule(l, like, custom), &activation));
    TSNNI_TRY(tsnni_model_real(&context->runtime, file, l, "dropout", &dropout));
    if (!(dropout >= 0.0 && dropout < 1.0))
        TSNNI_FAIL(&context->runtime, TSNN_ERROR_FORMAT, "layer %lld: dropout is %g; it must be in [0, 1)",
                   (long long)l, dropout);
    TSNNI_TRY(read_layer(context, file, l, &layer));
    TSNNI_TRY(tsnn_network_append(network, &layer, activation, dropout));
fail:
    tsnn_layer_destroy(&layer);
    tsnn_activation_destroy(&activation);
    return status;
}

/* Files of before bf16 do not have the key: their training goes on as the network that resumes it is set. The key is
 * shorter than the strings that jansson can lose a part of when memory is out. */
static tsnn_status read_activation_format(tsnn_network *network, const tsnni_safetensors *file,
                                          const tsnn_network *like)
{
    int64_t bf16 = 0;
    if (like != NULL)
        network->activation_format = like->activation_format;
    if (tsnni_safetensors_metadata(file, "tsnn.bf16") == NULL)
        return TSNN_OK;
    tsnn_status status = tsnni_model_whole(&network->context->runtime, file, -1, "bf16", 0, 1, &bf16);
    network->activation_format = bf16 ? TSNN_ACTIVATIONS_BF16 : TSNN_ACTIVATIONS_FLOAT32;
    return status;
}

/* The stream of a layer that is drawn later must be none of these. */
static int64_t largest_stream(const tsnn_network *network)
{
    int64_t largest = 0;
    for (int64_t l = 0; l < network->count; l++)
        if (network->stages[l].layer->stream > largest)
            largest = network->stages[l].layer->stream;
    return largest;
}

tsnn_status tsnni_model_read(tsnn_context *context, const tsnni_safetensors *file, const tsnn_network *like,
                             const tsnn_activation *custom, tsnn_network **out)
{
    tsnni_runtime *runtime = &context->runtime;
    int64_t layers = 0, streams = context->streams;
    tsnn_network *network = NULL;
    tsnn_status status;
    *out = NULL;
    TSNNI_TRY(tsnni_model_check_format(runtime, file, &layers));
    TSNNI_TRY(tsnn_network_create(context, &network));
    TSNNI_TRY(read_activation_format(network, file, like));
    for (int64_t l = 0; l < layers; l++)
        TSNNI_TRY(read_stage(network, file, l, like, custom));
    TSNNI_TRY(tsnni_model_standardizer(runtime, file, tsnni_network_inputs(network), &network->shift, &network->scale));
    context->streams = streams > largest_stream(network) ? streams : largest_stream(network);
    *out = network;
    return TSNN_OK;
fail:
    context->streams = streams;
    tsnn_network_destroy(&network);
    return status;
}

/* ---- training ---- */

tsnn_status tsnni_model_read_training(tsnn_context *context, const tsnni_safetensors *file, tsnni_training_place *place)
{
    tsnni_runtime *runtime = &context->runtime;
    tsnni_epoch_part *part = &place->part;
    char name[TSNNI_MODEL_NAME];
    uint64_t seed = 0;
    const char *text;
    tsnn_status status;
    memset(place, 0, sizeof *place);
    if (tsnni_model_text(runtime, file, -1, "training.seed", name, &text) < 0)
        TSNNI_FAIL(runtime, TSNN_ERROR_STATE, "the file holds a network, but no training to resume");
    if (!tsnni_model_digits(text, UINT64_MAX, &seed))
        TSNNI_FAIL(runtime, TSNN_ERROR_FORMAT, "%s is \"%.40s\"", name, text);
    if (seed != context->seed)
        TSNNI_FAIL(runtime, TSNN_ERROR_STATE, "trained with seed %llu; this context has %llu", (unsigned long long)seed,
                   (unsigned long long)context->seed);
    const int64_t most = TSNNI_LARGEST_COUNT;
    TSNNI_TRY(tsnni_model_whole(runtime, file, -1, "training.epochs_done", 0, most, &place->epochs_done));
    TSNNI_TRY(tsnni_model_whole(runtime, file, -1, "training.passes", 0, most, &place->passes));
    TSNNI_TRY(tsnni_model_whole(runtime, file, -1, "training.steps_done", 0, most, &part->steps));
    if (part->steps == 0)
        return TSNN_OK;
    TSNNI_TRY(tsnni_model_whole(runtime, file, -1, "training.samples", 1, most, &part->samples));
    TSNNI_TRY(tsnni_model_whole(runtime, file, -1, "training.batch", 1, most, &part->batch));
    TSNNI_TRY(tsnni_model_whole(runtime, file, -1, "training.correct", 0, most, &part->correct));
    TSNNI_TRY(tsnni_model_real(runtime, file, -1, "training.loss_sum", &part->loss));
    TSNNI_TRY(tsnni_model_real(runtime, file, -1, "training.learning_rate", &part->learning_rate));
    return TSNN_OK;
fail:
    return status;
}
