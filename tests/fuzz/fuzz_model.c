/* Fuzz target: model files. The input is the file. Loading gives an error, or a network that works and is saved as it
 * was loaded; memory stays within what model_file.h promises; a refused file leaves the trainer as it was. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAX_BYTES = 1 << 18,    /* of a file; the fuzzer's are shorter */
    MAX_NEURONS = 4096,     /* of inputs and outputs that are computed with */
    SAMPLES = 8,            /* of the data that training goes on with, as in the seeds */
    BATCH = 4,              /* the same */
    HEADER_BYTES = 16 << 20 /* of the longest header */
};

/* Ways from a block of memory to an object: a name, what it makes, the call, its options (max_bytes and custom are set)
 * and their beginning. A new one is a line here; use_<what>() is what becomes of the object. */
#define LOADERS(LOADER)                                                                                                \
    LOADER(network, tsnn_network, tsnn_network_load_memory, tsnn_load_options, TSNN_LOAD_OPTIONS_INIT)                 \
    LOADER(packed, tsnn_predictor, tsnn_predictor_load_memory, tsnn_predictor_load_options,                            \
           TSNN_PREDICTOR_LOAD_OPTIONS_INIT)                                                                           \
    LOADER(borrowed, tsnn_predictor, tsnn_predictor_load_memory, tsnn_predictor_load_options,                          \
           {(uint32_t)sizeof(tsnn_predictor_load_options), TSNN_BORROW, 0, 0, 0, NULL})

typedef struct tools {
    tsnn_context *context;
    tsnn_activation *custom;
    tsnn_load_options options;
} tools;

static void custom_function(void *user, const float *z, float *a, int64_t count)
{
    (void)user;
    for (int64_t k = 0; k < count; k++)
        a[k] = z[k] < 0.0f ? 0.0f : 2.0f * z[k];
}

static void custom_derivative(void *user, const float *z, const float *a, float *derivative, int64_t count)
{
    (void)user;
    (void)a;
    for (int64_t k = 0; k < count; k++)
        derivative[k] = z[k] < 0.0f ? 0.0f : 2.0f;
}

/* ---- what is loaded works ---- */

static void use_tsnn_predictor(const tools *with, const tsnn_predictor *predictor)
{
    tsnn_predictor_info info = TSNN_PREDICTOR_INFO_INIT;
    tsnn_predictor_workspace *workspace = NULL;
    FUZZ_OK(with->context, tsnn_predictor_get_info(predictor, &info));
    FUZZ_REQUIRE(info.inputs >= 1 && info.outputs >= 1);
    if (info.inputs > MAX_NEURONS || info.outputs > MAX_NEURONS)
        return;
    float *features = calloc(2 * (size_t)info.inputs, sizeof *features);
    float *outputs = calloc(2 * (size_t)info.outputs, sizeof *outputs);
    FUZZ_REQUIRE(features != NULL && outputs != NULL);
    for (int64_t k = 0; k < 2 * info.inputs; k++)
        features[k] = (float)(k % 5) - 1.5f;
    FUZZ_OK(with->context, tsnn_predictor_workspace_create(predictor, 2, &workspace));
    for (int64_t samples = 2; samples > 0; samples--) {
        tsnn_status status =
            tsnn_predictor_predict(predictor, workspace, features, samples, outputs, samples * info.outputs);
        FUZZ_REQUIRE(status == TSNN_OK || status == TSNN_ERROR_NOT_FINITE); /* weights may be as large as a float */
    }
    tsnn_predictor_workspace_destroy(&workspace);
    free(features);
    free(outputs);
}

static uint8_t *saved(const tools *with, const tsnn_network *network, int64_t *size)
{
    tsnn_save_options options = TSNN_SAVE_OPTIONS_INIT;
    options.momentum = 1;
    FUZZ_OK(with->context, tsnn_network_save_memory(network, &options, NULL, 0, size));
    uint8_t *bytes = malloc((size_t)*size);
    FUZZ_REQUIRE(bytes != NULL);
    FUZZ_OK(with->context, tsnn_network_save_memory(network, &options, bytes, *size, NULL));
    return bytes;
}

static void use_tsnn_network(const tools *with, tsnn_network *network)
{
    tsnn_network_info info = TSNN_NETWORK_INFO_INIT;
    tsnn_predictor *predictor = NULL;
    tsnn_network *again = NULL;
    int64_t size, size_again;
    FUZZ_OK(with->context, tsnn_network_get_info(network, &info));
    for (int64_t l = 0; l < info.layers; l++) {
        tsnn_layer_info each = TSNN_LAYER_INFO_INIT;
        tsnn_layer *layer = NULL;
        FUZZ_OK(with->context, tsnn_network_get_layer(network, l, &layer));
        FUZZ_OK(with->context, tsnn_layer_get_info(layer, &each));
        FUZZ_REQUIRE((each.frozen == 0 || each.frozen == 1) && each.density <= 1.0);
    }
    FUZZ_OK(with->context, tsnn_predictor_create(with->context, network, NULL, &predictor));
    use_tsnn_predictor(with, predictor);
    tsnn_predictor_destroy(&predictor);
    uint8_t *bytes = saved(with, network, &size);
    FUZZ_OK(with->context, tsnn_network_load_memory(with->context, bytes, size, &with->options, &again));
    uint8_t *bytes_again = saved(with, again, &size_again);
    FUZZ_REQUIRE(size == size_again && memcmp(bytes, bytes_again, (size_t)size) == 0);
    tsnn_network_destroy(&again);
    free(bytes);
    free(bytes_again);
}

/* ---- ways in ---- */

/* What model_file.h allows a file of that size. */
static int64_t allowed_bytes(const uint8_t *data, size_t size)
{
    uint64_t header = 0;
    for (size_t k = 8; k-- > 0;)
        header = header << 8 | (k < size ? data[k] : 0);
    if (size < 8 || header > size - 8 || header > HEADER_BYTES)
        header = 0;
    return 4 * (int64_t)size + 64 * (int64_t)header + 4096;
}

#define LOADER(name, what, call, options_type, ...)                                                                    \
    static void load_##name(const tools *with, const uint8_t *data, size_t size)                                       \
    {                                                                                                                  \
        options_type options = __VA_ARGS__;                                                                            \
        what *out = NULL;                                                                                              \
        options.max_bytes = with->options.max_bytes;                                                                   \
        options.custom = with->options.custom;                                                                         \
        tsnni_fuzz_peak_reset();                                                                                       \
        tsnn_status status = call(with->context, data, (int64_t)size, &options, &out);                                 \
        FUZZ_REQUIRE(tsnni_fuzz_peak() <= allowed_bytes(data, size));                                                  \
        FUZZ_REQUIRE((status == TSNN_OK) == (out != NULL));                                                            \
        if (out != NULL)                                                                                               \
            use_##what(with, out);                                                                                     \
        what##_destroy(&out);                                                                                          \
    }
LOADERS(LOADER)
#undef LOADER

/* As many features and classes as the resumed network wants. */
static void train_on(const tools *with, tsnn_trainer *trainer, const tsnn_network *network)
{
    tsnn_network_info info = TSNN_NETWORK_INFO_INIT;
    tsnn_dataset_options options = TSNN_DATASET_OPTIONS_INIT;
    tsnn_dataset *dataset = NULL;
    int32_t labels[SAMPLES];
    FUZZ_OK(with->context, tsnn_network_get_info(network, &info));
    if (info.inputs > MAX_NEURONS || info.outputs > MAX_NEURONS || info.neurons > MAX_NEURONS)
        return;
    float *features = calloc(SAMPLES * (size_t)info.inputs, sizeof *features);
    FUZZ_REQUIRE(features != NULL);
    for (int64_t k = 0; k < SAMPLES * info.inputs; k++)
        features[k] = (float)(k % 7) / 3.0f - 1.0f;
    for (int32_t n = 0; n < SAMPLES; n++)
        labels[n] = n % (int32_t)info.outputs;
    options.samples = SAMPLES;
    options.features = info.inputs;
    options.classes = info.outputs;
    options.feature_data = features;
    options.labels = labels;
    FUZZ_OK(with->context, tsnn_dataset_create(with->context, &options, &dataset));
    tsnn_status status = tsnn_trainer_run(trainer, dataset, dataset);
    FUZZ_REQUIRE(status == TSNN_OK || status == TSNN_ERROR_NOT_FINITE || status == TSNN_ERROR_STATE);
    tsnn_dataset_destroy(&dataset);
    free(features);
}

/* Of as many inputs and outputs as the file's network has, if there is one: a trainer of others does not take it. */
static tsnn_network *small_network(const tools *with, const uint8_t *data, size_t size)
{
    int64_t sizes[] = {4, 6, 3};
    tsnn_network *network = NULL;
    if (tsnn_network_load_memory(with->context, data, (int64_t)size, &with->options, &network) == TSNN_OK) {
        tsnn_network_info info = TSNN_NETWORK_INFO_INIT;
        FUZZ_OK(with->context, tsnn_network_get_info(network, &info));
        if (info.inputs <= MAX_NEURONS && info.outputs <= MAX_NEURONS) {
            sizes[0] = info.inputs;
            sizes[2] = info.outputs;
        }
        tsnn_network_destroy(&network);
    }
    tsnn_mlp_options options = TSNN_MLP_OPTIONS_INIT;
    options.sizes = sizes;
    options.size_count = 3;
    options.epsilon = 1;
    options.hidden = with->custom;
    FUZZ_OK(with->context, tsnn_network_create_mlp(with->context, &options, &network));
    return network;
}

static void resume(const tools *with, const uint8_t *data, size_t size)
{
    tsnn_network *network = small_network(with, data, size);
    tsnn_loss *loss = NULL;
    tsnn_optimizer *optimizer = NULL;
    tsnn_evolution *evolution = NULL;
    tsnn_trainer *trainer = NULL;
    tsnn_load_options limits = with->options;
    int64_t size_before, size_after;
    FUZZ_OK(with->context, tsnn_loss_create(with->context, NULL, &loss));
    FUZZ_OK(with->context, tsnn_optimizer_create(with->context, NULL, &optimizer));
    FUZZ_OK(with->context, tsnn_evolution_create(with->context, NULL, &evolution));
    tsnn_trainer_options options = TSNN_TRAINER_OPTIONS_INIT;
    options.network = network;
    options.loss = loss;
    options.optimizer = optimizer;
    options.evolution = evolution;
    options.epochs = 3;
    options.batch = BATCH;
    FUZZ_OK(with->context, tsnn_trainer_create(with->context, &options, &trainer));
    uint8_t *before = saved(with, network, &size_before);
    limits.custom = NULL; /* that of the network serves */
    tsnni_fuzz_peak_reset();
    tsnn_status status = tsnn_trainer_resume_memory(trainer, data, (int64_t)size, &limits);
    FUZZ_REQUIRE(tsnni_fuzz_peak() <= allowed_bytes(data, size));
    if (status == TSNN_OK) {
        train_on(with, trainer, network);
    } else {
        uint8_t *after = saved(with, network, &size_after);
        FUZZ_REQUIRE(size_before == size_after && memcmp(before, after, (size_t)size_before) == 0);
        free(after);
    }
    free(before);
    tsnn_trainer_destroy(&trainer);
    tsnn_evolution_destroy(&evolution);
    tsnn_optimizer_destroy(&optimizer);
    tsnn_loss_destroy(&loss);
    tsnn_network_destroy(&network);
}

static void read_metadata(const tools *with, const uint8_t *data, size_t size)
{
    static const char *const keys[] = {"tsnn.library", "note", ""};
    const char *path = tsnni_fuzz_file(0, data, size);
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        int64_t needed = -1;
        tsnni_fuzz_peak_reset();
        if (tsnn_model_get_metadata(with->context, path, keys[k], NULL, 0, &needed) == TSNN_OK) {
            char *text = malloc((size_t)needed);
            FUZZ_REQUIRE(text != NULL);
            FUZZ_OK(with->context, tsnn_model_get_metadata(with->context, path, keys[k], text, needed, NULL));
            FUZZ_REQUIRE((int64_t)strlen(text) == needed - 1);
            FUZZ_REQUIRE(tsnn_model_get_metadata(with->context, path, keys[k], text, needed - 1, NULL) ==
                         TSNN_ERROR_BUFFER_TOO_SMALL);
            free(text);
        }
        FUZZ_REQUIRE(tsnni_fuzz_peak() <= allowed_bytes(data, size));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tools with = {tsnni_fuzz_context(0), NULL, TSNN_LOAD_OPTIONS_INIT};
    tsnn_activation_options custom = TSNN_ACTIVATION_OPTIONS_INIT;
    custom.kind = TSNN_ACTIVATION_CUSTOM;
    custom.function = custom_function;
    custom.derivative = custom_derivative;
    FUZZ_OK(with.context, tsnn_activation_create(with.context, &custom, &with.custom));
    with.options.max_bytes = MAX_BYTES;
    with.options.custom = with.custom;
    if (TSNN_MODEL_FILES) {
#define LOADER(name, ...) load_##name(&with, data, size);
        LOADERS(LOADER)
#undef LOADER
        resume(&with, data, size);
    }
    read_metadata(&with, data, size);
    tsnn_activation_destroy(&with.custom);
    tsnn_context_destroy(&with.context);
    FUZZ_REQUIRE(tsnni_fuzz_live() == 0);
    return 0;
}
