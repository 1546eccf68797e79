/* Model files: the public calls, over files and memory blocks. */
#include "model_file.h"

#include <string.h>

#include "core/memory.h"
#include "loss.h"

#define OWN_PREFIX "tsnn."

tsnn_status tsnn_save_options_init(tsnn_save_options *options)
{
    if (options == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    *options = (tsnn_save_options)TSNN_SAVE_OPTIONS_INIT;
    return TSNN_OK;
}

tsnn_status tsnn_load_options_init(tsnn_load_options *options)
{
    if (options == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    *options = (tsnn_load_options)TSNN_LOAD_OPTIONS_INIT;
    return TSNN_OK;
}

/* ---- saving ---- */

/* What is saved, and where to: a path, or a block of memory when that is NULL. */
typedef struct save_call {
    const tsnn_network *network;
    const tsnn_trainer *trainer; /* NULL: the network alone */
    const tsnn_save_options *options;
    const char *path;
    void *buffer;
    int64_t capacity, *size;
} save_call;

static int32_t has_own_prefix(const char *key)
{
    return strncmp(key, OWN_PREFIX, strlen(OWN_PREFIX)) == 0;
}

static tsnn_status add_metadata(tsnni_runtime *runtime, const tsnn_save_options *options, tsnni_safetensors_plan *plan)
{
    tsnn_status status;
    if (options->metadata_count < 0 || (options->metadata_count > 0 && options->metadata == NULL))
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "%lld pairs of metadata %s",
                   (long long)options->metadata_count, options->metadata == NULL ? "at NULL" : "");
    for (int64_t k = 0; k < options->metadata_count; k++) {
        const char *key = options->metadata[2 * k], *value = options->metadata[2 * k + 1];
        if (key == NULL || value == NULL)
            TSNNI_FAIL(runtime, TSNN_ERROR_NULL_ARGUMENT, "metadata: the %s of pair %lld is NULL",
                       key == NULL ? "key" : "value", (long long)k);
        if (has_own_prefix(key))
            TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "metadata: \"%.80s\": keys with %s are the library's", key,
                       OWN_PREFIX);
        for (int64_t other = 0; other < k; other++)
            if (strcmp(options->metadata[2 * other], key) == 0)
                TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "metadata: \"%.80s\" is there twice", key);
        TSNNI_TRY(tsnni_plan_add_metadata(runtime, plan, key, value));
    }
    return TSNN_OK;
fail:
    return status;
}

static tsnn_status make_plan(const save_call *call, tsnni_safetensors_plan *plan)
{
    tsnni_runtime *runtime = &call->network->context->runtime;
    tsnn_save_options given;
    tsnn_status status;
    TSNNI_TRY(tsnni_options_read(runtime, call->options, &given, sizeof given, "tsnn_save_options"));
    if (given.momentum != 0 && given.momentum != 1)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "momentum is %d; it must be 0 or 1", (int)given.momentum);
    TSNNI_TRY(tsnni_model_plan(call->network, given.momentum || call->trainer != NULL, plan));
    if (call->trainer != NULL)
        TSNNI_TRY(tsnni_model_plan_training(call->trainer, plan));
    TSNNI_TRY(add_metadata(runtime, &given, plan));
    return TSNN_OK;
fail:
    return status;
}

static tsnn_status save(const save_call *call)
{
    tsnni_runtime *runtime = &call->network->context->runtime;
    tsnni_safetensors_plan plan = {0};
    tsnni_sink sink = tsnni_sink_of_memory(call->buffer, call->capacity);
    tsnn_status status;
    TSNNI_TRY(make_plan(call, &plan));
    if (call->path != NULL)
        TSNNI_TRY(tsnni_sink_open(runtime, call->path, &sink));
    TSNNI_TRY(tsnni_plan_write(runtime, &plan, &sink));
    if (call->size != NULL)
        *call->size = sink.size;
    TSNNI_TRY(tsnni_sink_commit(runtime, &sink));
fail:
    tsnni_sink_abandon(runtime, &sink);
    tsnni_plan_free(runtime, &plan);
    return status;
}

static tsnn_status save_memory(const save_call *call)
{
    if (call->size != NULL)
        *call->size = 0;
    if (call->capacity < 0)
        return tsnni_fail(&call->network->context->runtime, TSNN_ERROR_INVALID_ARGUMENT,
                          "capacity is %lld; it must not be below 0", (long long)call->capacity);
    return save(call);
}

tsnn_status tsnn_network_save(const tsnn_network *network, const tsnn_save_options *options, const char *path)
{
    if (network == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    if (path == NULL)
        return tsnni_null_argument(network->context, "path");
    return save(&(save_call){.network = network, .options = options, .path = path});
}

tsnn_status tsnn_network_save_memory(const tsnn_network *network, const tsnn_save_options *options, void *buffer,
                                     int64_t capacity, int64_t *size)
{
    if (network == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    return save_memory(
        &(save_call){.network = network, .options = options, .buffer = buffer, .capacity = capacity, .size = size});
}

tsnn_status tsnn_trainer_save(const tsnn_trainer *trainer, const tsnn_save_options *options, const char *path)
{
    if (trainer == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    if (path == NULL)
        return tsnni_null_argument(trainer->context, "path");
    return save(
        &(save_call){.network = trainer->options.network, .trainer = trainer, .options = options, .path = path});
}

tsnn_status tsnn_trainer_save_memory(const tsnn_trainer *trainer, const tsnn_save_options *options, void *buffer,
                                     int64_t capacity, int64_t *size)
{
    if (trainer == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    return save_memory(&(save_call){.network = trainer->options.network,
                                    .trainer = trainer,
                                    .options = options,
                                    .buffer = buffer,
                                    .capacity = capacity,
                                    .size = size});
}

/* ---- loading ---- */

/* What is loaded from where: a path, or a block of memory when that is NULL. */
typedef struct load_call {
    tsnn_context *context;
    const char *path;
    const void *data;
    int64_t size;
    const tsnn_load_options *options;
    const tsnn_network *like; /* has the custom activations; NULL: the options have */
    tsnn_network *network;    /* the result */
    int32_t with_training;    /* 1: `place` is wanted too */
    tsnni_training_place place;
} load_call;

static tsnn_status read_file(load_call *call, const tsnni_safetensors *file, const tsnn_activation *custom)
{
    tsnn_status status = TSNN_OK;
    if (call->with_training)
        status = tsnni_model_read_training(call->context, file, &call->place);
    return status < 0 ? status : tsnni_model_read(call->context, file, call->like, custom, &call->network);
}

static tsnn_status load(load_call *call)
{
    tsnni_runtime *runtime = &call->context->runtime;
    tsnni_source source = tsnni_source_of_memory(NULL, 0);
    tsnni_safetensors file = {0};
    tsnn_load_options given;
    tsnn_status status;
    TSNNI_TRY(tsnni_options_read(runtime, call->options, &given, sizeof given, "tsnn_load_options"));
    if (given.reserved != 0)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "reserved is %d; it must be 0", (int)given.reserved);
    TSNNI_TRY(
        tsnni_model_open(runtime, &(tsnni_model_place){call->path, call->data, call->size, given.max_bytes}, &source));
    status = tsnni_safetensors_open(runtime, &source, &file);
    if (status >= 0)
        status = read_file(call, &file, given.custom);
    status = tsnni_model_failed(runtime, status, call->path);
fail:
    tsnni_safetensors_close(runtime, &file);
    tsnni_source_close(&source);
    return status;
}

static tsnn_status load_network(load_call *call, tsnn_network **out)
{
    tsnn_status status = load(call);
    *out = call->network;
    return status;
}

tsnn_status tsnn_network_load(tsnn_context *context, const char *path, const tsnn_load_options *options,
                              tsnn_network **out)
{
    if (out == NULL)
        return tsnni_null_argument(context, "out");
    *out = NULL;
    if (context == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    if (path == NULL)
        return tsnni_null_argument(context, "path");
    return load_network(&(load_call){.context = context, .path = path, .options = options}, out);
}

tsnn_status tsnn_network_load_memory(tsnn_context *context, const void *data, int64_t size,
                                     const tsnn_load_options *options, tsnn_network **out)
{
    if (out == NULL)
        return tsnni_null_argument(context, "out");
    *out = NULL;
    if (context == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    return load_network(&(load_call){.context = context, .data = data, .size = size, .options = options}, out);
}

/* The contents of two networks of one context change places. */
static void swap_networks(tsnn_network *one, tsnn_network *other)
{
    tsnn_network kept = *one;
    *one = *other;
    *other = kept;
}

/* Pruning removes hidden neurons alone: a file of other inputs or outputs is of another model. */
static tsnn_status check_fit(const tsnn_trainer *trainer, const load_call *call)
{
    tsnni_runtime *runtime = &trainer->context->runtime;
    const tsnn_network *own = trainer->options.network;
    const tsnni_epoch_part *part = &call->place.part;
    tsnn_status status;
    if (own->count > 0 && (tsnni_network_inputs(call->network) != tsnni_network_inputs(own) ||
                           tsnni_network_outputs(call->network) != tsnni_network_outputs(own)))
        TSNNI_FAIL(runtime, TSNN_ERROR_SHAPE,
                   "the file's network has %lld inputs and %lld outputs, the trainer's has %lld and %lld",
                   (long long)tsnni_network_inputs(call->network), (long long)tsnni_network_outputs(call->network),
                   (long long)tsnni_network_inputs(own), (long long)tsnni_network_outputs(own));
    TSNNI_TRY(tsnni_loss_check_network(trainer->options.loss, call->network));
    if (part->steps > 0 && part->batch != trainer->options.batch)
        TSNNI_FAIL(runtime, TSNN_ERROR_STATE,
                   "saved inside an epoch, after %lld steps of %lld samples; the trainer's batch is %lld: "
                   "create it with batch = %lld",
                   (long long)part->steps, (long long)part->batch, (long long)trainer->options.batch,
                   (long long)part->batch);
    return TSNN_OK;
fail:
    return status;
}

static tsnn_status resume(tsnn_trainer *trainer, load_call *call)
{
    tsnn_network *network = trainer->options.network;
    int64_t streams = trainer->context->streams;
    tsnn_status status;
    TSNNI_TRY(tsnni_trainer_check_idle(trainer, "tsnn_trainer_resume"));
    call->context = trainer->context;
    call->like = network;
    call->with_training = 1;
    TSNNI_TRY(load(call));
    TSNNI_TRY(check_fit(trainer, call));
    swap_networks(network, call->network);
    trainer->epochs_done = call->place.epochs_done;
    trainer->passes = call->place.passes;
    trainer->part = call->place.part;
fail:
    if (status < 0)
        trainer->context->streams = streams; /* the next layer draws what it would have drawn */
    tsnn_network_destroy(&call->network);
    return status;
}

tsnn_status tsnn_trainer_resume(tsnn_trainer *trainer, const char *path, const tsnn_load_options *options)
{
    if (trainer == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    if (path == NULL)
        return tsnni_null_argument(trainer->context, "path");
    return resume(trainer, &(load_call){.path = path, .options = options});
}

tsnn_status tsnn_trainer_resume_memory(tsnn_trainer *trainer, const void *data, int64_t size,
                                       const tsnn_load_options *options)
{
    if (trainer == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    return resume(trainer, &(load_call){.data = data, .size = size, .options = options});
}

/* ---- metadata ---- */

tsnn_status tsnn_model_get_metadata(tsnn_context *context, const char *path, const char *key, char *buffer,
                                    int64_t capacity, int64_t *size)
{
    if (context == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *runtime = &context->runtime;
    tsnni_source source = tsnni_source_of_memory(NULL, 0);
    tsnni_safetensors file = {0};
    tsnn_status status;
    if (path == NULL || key == NULL || (buffer == NULL && capacity > 0))
        TSNNI_FAIL(runtime, TSNN_ERROR_NULL_ARGUMENT, "%s is NULL",
                   path == NULL  ? "path"
                   : key == NULL ? "key"
                                 : "buffer");
    if (capacity < 0)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "capacity is %lld; it must not be below 0",
                   (long long)capacity);
    TSNNI_TRY(tsnni_source_open(runtime, path, &source));
    TSNNI_TRY(tsnni_model_failed(runtime, tsnni_safetensors_open(runtime, &source, &file), path));
    const char *value = tsnni_safetensors_metadata(&file, key);
    if (value == NULL)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "%.200s: the file has no metadata \"%.80s\"", path, key);
    int64_t needed = (int64_t)strlen(value) + 1;
    if (size != NULL)
        *size = needed;
    if (buffer != NULL && capacity < needed)
        TSNNI_FAIL(runtime, TSNN_ERROR_BUFFER_TOO_SMALL, "the buffer holds %lld bytes; %lld are needed",
                   (long long)capacity, (long long)needed);
    if (buffer != NULL)
        memcpy(buffer, value, (size_t)needed);
fail:
    tsnni_safetensors_close(runtime, &file);
    tsnni_source_close(&source);
    return status;
}
