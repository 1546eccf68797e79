/* Fuzz target: options and info structs. The first byte of the input picks a struct, the next its size, what follows
 * fills it; pointers are NULL or point to what they should, in blocks of exactly the size that the struct tells. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

enum {
    MOST_BYTES = 1 << 22,  /* that the library may take */
    LARGEST_STRUCT = 4096, /* that is read at all */
    SAMPLES = 12,
    INPUTS = 5,
    CLASSES = 3,
    MOST_WORKERS = 4, /* that are let run */
    MOST_EPOCHS = 3,  /* without a callback that stops them */
    BLOCKS = 64
};

typedef struct world {
    tsnni_fuzz_input input;
    tsnn_context *context;
    tsnn_network *network;
    tsnn_activation *activation;
    tsnn_loss *loss;
    tsnn_optimizer *optimizer;
    tsnn_evolution *evolution;
    tsnn_pruning *pruning;
    tsnn_dataset *dataset;
    void *blocks[BLOCKS]; /* to be freed at the end */
    int block_count;
    int64_t calls;      /* of callbacks */
    int64_t given_size; /* of the struct as handed over */
} world;

/* ---- blocks ---- */

static void *keep(world *w, void *block)
{
    FUZZ_REQUIRE(w->block_count < BLOCKS);
    return w->blocks[w->block_count++] = block;
}

static int pick(world *w)
{
    return tsnni_fuzz_byte(&w->input) % 4 != 3;
}

/* Finite and small, but for one in sixteen. */
static float *floats(world *w, int64_t count)
{
    float *numbers = keep(w, malloc((size_t)count * sizeof *numbers + 1));
    FUZZ_REQUIRE(numbers != NULL);
    for (int64_t k = 0; k < count; k++) {
        uint8_t byte = tsnni_fuzz_byte(&w->input);
        numbers[k] = (float)(int8_t)byte / 8.0f;
        if (byte == 0x80)
            tsnni_fuzz_take(&w->input, &numbers[k], sizeof numbers[k]);
    }
    return numbers;
}

static char *text(world *w)
{
    size_t length = tsnni_fuzz_byte(&w->input) % 80;
    char *string = keep(w, tsnni_fuzz_copy(&w->input, length + 1));
    string[length] = '\0';
    return string;
}

/* Numbers that are no negative ones are brought below `bound`, so that arrays of that size can be there. */
static int64_t bounded(int64_t number, int64_t bound)
{
    return number < 0 ? number : number % bound;
}

/* The struct as a caller would hand it over: in a block as large as it says. */
static void *hand_over(world *w, const void *known, size_t known_size)
{
    uint32_t size = (uint32_t)known_size;
    uint8_t kind = tsnni_fuzz_byte(&w->input);
    if (kind % 8 == 5)
        size = kind;
    if (kind % 8 == 6)
        size += kind / 8u * 4u - 64u;
    if (kind % 8 == 7)
        tsnni_fuzz_take(&w->input, &size, sizeof size);
    size_t block_size = size >= 8 && size <= LARGEST_STRUCT ? size : sizeof size;
    unsigned char *block = keep(w, malloc(block_size));
    FUZZ_REQUIRE(block != NULL);
    for (size_t k = known_size; k < block_size; k++)
        block[k] = tsnni_fuzz_byte(&w->input);
    memcpy(block, known, block_size < known_size ? block_size : known_size);
    memcpy(block, &size, sizeof size);
    w->given_size = size;
    return block;
}

#define TAKE(type, name)                                                                                               \
    type name;                                                                                                         \
    tsnni_fuzz_take(&w->input, &name, sizeof name)
#define HAND_OVER(name) hand_over(w, &name, sizeof name)

/* ---- callbacks ---- */

static int32_t on_step(void *user, const tsnn_step_report *report)
{
    world *w = user;
    FUZZ_REQUIRE(report->step >= 1 && report->step <= report->steps);
    return ++w->calls > 20;
}

static int32_t on_epoch(void *user, const tsnn_epoch_report *report)
{
    world *w = user;
    FUZZ_REQUIRE(report->epoch >= 1 && report->epoch <= report->epochs);
    return ++w->calls > 20 ? -1 : 0;
}

static void twice(void *user, const float *z, float *a, int64_t count)
{
    (void)user;
    for (int64_t k = 0; k < count; k++)
        a[k] = 2.0f * z[k];
}

static void two(void *user, const float *z, const float *a, float *derivative, int64_t count)
{
    (void)user;
    (void)z;
    (void)a;
    for (int64_t k = 0; k < count; k++)
        derivative[k] = 2.0f;
}

/* ---- one call for each options struct ---- */

static void try_context(world *w)
{
    TAKE(tsnn_context_options, options);
    tsnn_context *out = NULL;
    options.allocate = NULL;
    options.release = NULL;
    options.log = NULL;
    options.threads = options.threads > 64 ? options.threads | 2048 : options.threads;
    tsnn_status status = tsnn_context_create(HAND_OVER(options), &out);
    FUZZ_REQUIRE((status == TSNN_OK) == (out != NULL));
    tsnn_context_destroy(&out);
}

static void try_activation(world *w)
{
    TAKE(tsnn_activation_options, options);
    tsnn_activation *out = NULL;
    options.function = pick(w) ? twice : NULL;
    options.derivative = pick(w) ? two : NULL;
    tsnn_status status = tsnn_activation_create(w->context, HAND_OVER(options), &out);
    FUZZ_REQUIRE((status == TSNN_OK) == (out != NULL));
    if (out != NULL) {
        float *z = floats(w, 5), a[5], derivative[5];
        (void)tsnn_activation_evaluate(out, tsnni_fuzz_byte(&w->input), z, a, derivative, 5);
    }
    tsnn_activation_destroy(&out);
}

static void try_layer(world *w)
{
    TAKE(tsnn_layer_options, options);
    tsnn_layer *out = NULL;
    tsnn_layer_info info = TSNN_LAYER_INFO_INIT;
    if (pick(w)) {
        options.inputs = bounded(options.inputs, 1000);
        options.outputs = bounded(options.outputs, 1000);
    }
    tsnn_status status = tsnn_layer_create(w->context, HAND_OVER(options), &out);
    FUZZ_REQUIRE((status == TSNN_OK) == (out != NULL));
    if (out != NULL) {
        FUZZ_OK(w->context, tsnn_layer_get_info(out, &info));
        FUZZ_REQUIRE(info.connections <= info.inputs * info.outputs && info.density <= 1.0);
    }
    tsnn_layer_destroy(&out);
}

static void try_mlp(world *w)
{
    TAKE(tsnn_mlp_options, options);
    tsnn_network *out = NULL;
    int64_t count = options.size_count >= 0 && options.size_count <= 65536 ? options.size_count : 1;
    int64_t *sizes = keep(w, malloc((size_t)count * sizeof *sizes + 1));
    FUZZ_REQUIRE(sizes != NULL);
    for (int64_t k = 0; k < count; k++)
        sizes[k] = tsnni_fuzz_byte(&w->input);
    if (count > 0 && !pick(w))
        tsnni_fuzz_take(&w->input, &sizes[count - 1], sizeof *sizes);
    options.sizes = pick(w) ? sizes : NULL;
    options.hidden = pick(w) ? w->activation : NULL;
    options.output = pick(w) ? w->activation : NULL;
    tsnn_status status = tsnn_network_create_mlp(w->context, HAND_OVER(options), &out);
    FUZZ_REQUIRE((status == TSNN_OK) == (out != NULL));
    tsnn_network_destroy(&out);
}

static void use_dataset(world *w, tsnn_dataset *dataset)
{
    tsnn_standardizer *standardizer = NULL;
    tsnn_evaluation evaluation = TSNN_EVALUATION_INIT;
    if (tsnn_standardizer_fit(w->context, dataset, &standardizer) == TSNN_OK)
        (void)tsnn_dataset_standardize(dataset, standardizer);
    (void)tsnn_network_evaluate(w->network, w->loss, dataset, &evaluation);
    tsnn_standardizer_destroy(&standardizer);
}

static void try_dataset(world *w)
{
    TAKE(tsnn_dataset_options, options);
    tsnn_dataset *out = NULL;
    options.samples = bounded(options.samples, 40);
    options.features = bounded(options.features, 40);
    options.target_size = bounded(options.target_size, 40);
    int64_t samples = options.samples > 0 ? options.samples : 0;
    int64_t features = options.features > 0 ? options.features : 0;
    int64_t targets = options.target_size > 0 ? options.target_size : 0;
    int32_t *labels = keep(w, malloc((size_t)samples * sizeof *labels + 1));
    FUZZ_REQUIRE(labels != NULL);
    for (int64_t n = 0; n < samples; n++)
        labels[n] = (int8_t)tsnni_fuzz_byte(&w->input);
    options.feature_data = pick(w) ? floats(w, samples * features) : NULL;
    options.labels = pick(w) ? labels : NULL;
    options.targets = pick(w) ? NULL : floats(w, samples * targets);
    tsnn_status status = tsnn_dataset_create(w->context, HAND_OVER(options), &out);
    FUZZ_REQUIRE((status == TSNN_OK) == (out != NULL));
    if (out != NULL)
        use_dataset(w, out);
    tsnn_dataset_destroy(&out);
}

#define TRY_PLAIN(name)                                                                                                \
    static void try_##name(world *w)                                                                                   \
    {                                                                                                                  \
        TAKE(tsnn_##name##_options, options);                                                                          \
        tsnn_##name *out = NULL;                                                                                       \
        tsnn_status status = tsnn_##name##_create(w->context, HAND_OVER(options), &out);                               \
        FUZZ_REQUIRE((status == TSNN_OK) == (out != NULL));                                                            \
        if (out != NULL)                                                                                               \
            use_##name(w, out);                                                                                        \
        tsnn_##name##_destroy(&out);                                                                                   \
    }

static void use_loss(world *w, const tsnn_loss *loss)
{
    double value = 0.0;
    static const int32_t labels[] = {0, 1};
    (void)tsnn_loss_evaluate(loss, floats(w, 2 * CLASSES), 2, CLASSES, labels, NULL, &value);
}

static void use_optimizer(world *w, const tsnn_optimizer *optimizer)
{
    tsnn_gradient *gradient = NULL;
    FUZZ_OK(w->context, tsnn_gradient_create(w->network, &gradient));
    FUZZ_OK(w->context, tsnn_gradient_add(gradient, w->network, w->loss, w->dataset, NULL, SAMPLES, NULL));
    (void)tsnn_optimizer_apply(optimizer, w->network, gradient, 1.0);
    tsnn_gradient_destroy(&gradient);
}

static void use_evolution(world *w, const tsnn_evolution *evolution)
{
    FUZZ_OK(w->context, tsnn_evolution_apply(evolution, w->network, 3, NULL));
}

static void use_pruning(world *w, tsnn_pruning *pruning)
{
    tsnn_pruning_report report = TSNN_PRUNING_REPORT_INIT;
    FUZZ_OK(w->context, tsnn_pruning_apply(pruning, w->network, &report));
    FUZZ_REQUIRE(report.neurons_after >= 1 + CLASSES && report.neurons_after <= report.neurons_before);
}

TRY_PLAIN(loss)
TRY_PLAIN(optimizer)
TRY_PLAIN(evolution)
TRY_PLAIN(pruning)

static const tsnn_schedule_options *schedule(world *w)
{
    TAKE(tsnn_schedule_options, options);
    return HAND_OVER(options);
}

static void try_schedule(world *w)
{
    double factor = -1.0, progress;
    int64_t epochs;
    tsnni_fuzz_take(&w->input, &progress, sizeof progress);
    tsnni_fuzz_take(&w->input, &epochs, sizeof epochs);
    if (tsnn_schedule_factor(schedule(w), progress, epochs, &factor) == TSNN_OK)
        FUZZ_REQUIRE(factor >= 0.0 && factor <= 1.0);
}

/* ---- training ---- */

static void try_trainer(world *w)
{
    TAKE(tsnn_trainer_options, options);
    tsnn_trainer *out = NULL;
    options.network = pick(w) ? w->network : NULL;
    options.loss = pick(w) ? w->loss : NULL;
    options.optimizer = pick(w) ? w->optimizer : NULL;
    options.evolution = pick(w) ? w->evolution : NULL;
    options.pruning = pick(w) ? w->pruning : NULL;
    options.schedule = pick(w) ? NULL : schedule(w);
    options.on_step = pick(w) ? on_step : NULL;
    options.on_epoch = pick(w) ? on_epoch : NULL;
    options.user = w;
    tsnn_status status = tsnn_trainer_create(w->context, HAND_OVER(options), &out);
    FUZZ_REQUIRE((status == TSNN_OK) == (out != NULL));
    /* A struct that is cut short may have neither. */
    if (out != NULL && w->given_size >= (int64_t)sizeof options &&
        (options.on_step != NULL || options.on_epoch != NULL || options.epochs <= MOST_EPOCHS))
        (void)tsnn_trainer_run(out, w->dataset, pick(w) ? w->dataset : NULL);
    tsnn_trainer_destroy(&out);
}

static void try_parallel(world *w)
{
    TAKE(tsnn_parallel_options, options);
    tsnn_parallel *out = NULL;
    options.network = pick(w) ? w->network : NULL;
    options.loss = pick(w) ? w->loss : NULL;
    options.optimizer = pick(w) ? w->optimizer : NULL;
    options.evolution = pick(w) ? w->evolution : NULL;
    options.pruning = pick(w) ? NULL : w->pruning;
    options.schedule = pick(w) ? NULL : schedule(w);
    options.on_step = NULL;
    options.on_epoch = pick(w) ? on_epoch : NULL;
    options.user = w;
    options.replay_count = bounded(options.replay_count, 16);
    options.replay = NULL;
    if (options.replay_count > 0)
        options.replay =
            keep(w, tsnni_fuzz_copy(&w->input, (size_t)options.replay_count * sizeof(tsnn_parallel_commit)));
    tsnn_status status = tsnn_parallel_create(w->context, HAND_OVER(options), &out);
    FUZZ_REQUIRE((status == TSNN_OK) == (out != NULL));
    if (out != NULL && options.workers <= MOST_WORKERS && w->given_size >= (int64_t)sizeof options &&
        (options.on_epoch != NULL || options.epochs <= MOST_EPOCHS))
        (void)tsnn_parallel_run(out, w->dataset, pick(w) ? w->dataset : NULL);
    tsnn_parallel_destroy(&out);
}

/* ---- files ---- */

static void try_save(world *w)
{
    TAKE(tsnn_save_options, options);
    int64_t size = 0;
    options.metadata_count = bounded(options.metadata_count, 6);
    int64_t count = options.metadata_count > 0 ? 2 * options.metadata_count : 0;
    const char **texts = keep(w, malloc((size_t)count * sizeof *texts + 1));
    FUZZ_REQUIRE(texts != NULL);
    for (int64_t k = 0; k < count; k++)
        texts[k] = tsnni_fuzz_byte(&w->input) % 16 == 15 ? NULL : text(w);
    options.metadata = pick(w) ? texts : NULL;
    (void)tsnn_network_save_memory(w->network, HAND_OVER(options), NULL, 0, &size);
}

static void try_load(world *w)
{
    TAKE(tsnn_load_options, options);
    tsnn_network *out = NULL;
    int64_t size = 0;
    options.custom = pick(w) ? w->activation : NULL;
    if (tsnn_network_save_memory(w->network, NULL, NULL, 0, &size) != TSNN_OK)
        return; /* without model files */
    void *bytes = keep(w, malloc((size_t)size));
    FUZZ_OK(w->context, tsnn_network_save_memory(w->network, NULL, bytes, size, NULL));
    tsnn_status status = tsnn_network_load_memory(w->context, bytes, size, HAND_OVER(options), &out);
    FUZZ_REQUIRE((status == TSNN_OK) == (out != NULL));
    tsnn_network_destroy(&out);
}

static const char *npy_file(int slot)
{
    static const char head[] = "\x93NUMPY\x01\x00\x36\x00{'descr': '|u1', 'fortran_order': False, 'shape': (3, 4)}";
    char block[sizeof head - 1 + 12];
    memcpy(block, head, sizeof head - 1);
    for (int k = 0; k < 12; k++)
        block[sizeof head - 1 + k] = (char)(k % 3);
    return tsnni_fuzz_file(slot, block, sizeof block);
}

static void try_import(world *w)
{
    TAKE(tsnn_import_options, options);
    tsnn_import_report report = TSNN_IMPORT_REPORT_INIT;
    tsnn_layer *out = NULL;
    options.path = pick(w) ? npy_file(0) : NULL;
    options.weights = pick(w) ? text(w) : NULL;
    options.bias = pick(w) ? NULL : npy_file(1);
    options.mask = pick(w) ? NULL : npy_file(2);
    options.samples = bounded(options.samples, 20);
    options.features = pick(w) ? floats(w, options.samples > 0 ? 4 * options.samples : 0) : NULL;
    tsnn_status status = tsnn_layer_import(w->context, HAND_OVER(options), HAND_OVER(report), &out);
    FUZZ_REQUIRE((status == TSNN_OK) == (out != NULL));
    tsnn_layer_destroy(&out);
}

/* Where nothing can be written: the options are looked at, and nothing else. */
#define NOWHERE "/dev/null/fuzz"

static void try_export(world *w)
{
    TAKE(tsnn_export_options, options);
    tsnn_layer *layer = NULL;
    options.path = pick(w) ? NOWHERE : NULL;
    options.weights = pick(w) ? text(w) : NULL;
    options.bias = pick(w) ? NOWHERE ".bias" : NULL;
    options.mask = pick(w) ? NOWHERE ".mask" : NULL;
    FUZZ_OK(w->context, tsnn_network_get_layer(w->network, 0, &layer));
    FUZZ_REQUIRE(tsnn_layer_export(layer, HAND_OVER(options)) < 0);
}

static void try_export_c(world *w)
{
    TAKE(tsnn_export_c_options, options);
    tsnn_export_c_report report = TSNN_EXPORT_C_REPORT_INIT;
    options.name = pick(w) ? text(w) : NULL;
    options.sample_count = options.sample_count > 1000 ? options.sample_count : bounded(options.sample_count, 20);
    int64_t count = options.sample_count > 0 && options.sample_count <= 1000 ? options.sample_count : 0;
    options.samples = pick(w) ? floats(w, count * INPUTS) : NULL;
    FUZZ_REQUIRE(tsnn_export_c(w->network, HAND_OVER(options), NOWHERE, HAND_OVER(report)) < 0);
}

/* ---- inference ---- */

static void try_predictor(world *w)
{
    TAKE(tsnn_predictor_options, options);
    tsnn_predictor *out = NULL;
    tsnn_predictor_workspace *workspace = NULL;
    TAKE(tsnn_samples, samples);
    TAKE(tsnn_answers, answers);
    tsnn_status status = tsnn_predictor_create(w->context, w->network, HAND_OVER(options), &out);
    FUZZ_REQUIRE((status == TSNN_OK) == (out != NULL));
    if (out == NULL)
        return;
    samples.count = bounded(samples.count, 20);
    int64_t count = samples.count > 0 ? samples.count : 0;
    samples.features = floats(w, count * INPUTS);
    samples.sample_ptr = NULL;
    samples.index = NULL;
    samples.value = NULL;
    answers.outputs_capacity = bounded(answers.outputs_capacity, 100);
    answers.labels_capacity = bounded(answers.labels_capacity, 100);
    answers.scores_capacity = bounded(answers.scores_capacity, 100);
    answers.outputs = pick(w) ? floats(w, answers.outputs_capacity > 0 ? answers.outputs_capacity : 0) : NULL;
    answers.scores = pick(w) ? floats(w, answers.scores_capacity > 0 ? answers.scores_capacity : 0) : NULL;
    int64_t labels = answers.labels_capacity > 0 ? answers.labels_capacity : 0;
    answers.labels = pick(w) ? keep(w, malloc((size_t)labels * sizeof(int32_t) + 1)) : NULL;
    FUZZ_OK(w->context, tsnn_predictor_workspace_create(out, tsnni_fuzz_whole(&w->input, 1, 20), &workspace));
    /* Cut short, they lose pointers that their counts speak of: then only a refusal is harmless, and is what comes. */
    (void)tsnn_predictor_run(out, workspace, HAND_OVER(samples), HAND_OVER(answers));
    tsnn_predictor_workspace_destroy(&workspace);
    tsnn_predictor_destroy(&out);
}

/* ---- info structs: any size, nothing written beyond ---- */

static void try_infos(world *w)
{
    tsnn_layer *layer = NULL;
    tsnn_predictor *predictor = NULL;
    FUZZ_OK(w->context, tsnn_network_get_layer(w->network, 0, &layer));
    FUZZ_OK(w->context, tsnn_predictor_create(w->context, w->network, NULL, &predictor));
    TAKE(tsnn_context_info, context_info);
    TAKE(tsnn_layer_info, layer_info);
    TAKE(tsnn_network_info, network_info);
    TAKE(tsnn_layer_plan, plan);
    TAKE(tsnn_dataset_info, dataset_info);
    TAKE(tsnn_evaluation, evaluation);
    TAKE(tsnn_predictor_info, predictor_info);
    (void)tsnn_context_get_info(w->context, HAND_OVER(context_info));
    (void)tsnn_layer_get_info(layer, HAND_OVER(layer_info));
    (void)tsnn_network_get_info(w->network, HAND_OVER(network_info));
    (void)tsnn_network_explain(w->network, 0, 16, HAND_OVER(plan), NULL, 0);
    (void)tsnn_dataset_get_info(w->dataset, HAND_OVER(dataset_info));
    (void)tsnn_network_evaluate(w->network, w->loss, w->dataset, HAND_OVER(evaluation));
    (void)tsnn_predictor_get_info(predictor, HAND_OVER(predictor_info));
    tsnn_predictor_destroy(&predictor);
}

static void (*const tries[])(world *) = {try_context, try_activation, try_layer,     try_mlp,     try_dataset,
                                         try_loss,    try_optimizer,  try_evolution, try_pruning, try_schedule,
                                         try_trainer, try_parallel,   try_save,      try_load,    try_import,
                                         try_export,  try_export_c,   try_predictor, try_infos};

/* ---- the objects ---- */

static void create_dataset(world *w)
{
    static float features[SAMPLES * INPUTS];
    static int32_t labels[SAMPLES];
    tsnn_dataset_options options = TSNN_DATASET_OPTIONS_INIT;
    for (int k = 0; k < SAMPLES * INPUTS; k++)
        features[k] = (float)(k * 7 % 11) / 5.0f - 1.0f;
    for (int n = 0; n < SAMPLES; n++)
        labels[n] = n % CLASSES;
    options.samples = SAMPLES;
    options.features = INPUTS;
    options.classes = CLASSES;
    options.feature_data = features;
    options.labels = labels;
    FUZZ_OK(w->context, tsnn_dataset_create(w->context, &options, &w->dataset));
}

static void create_world(world *w)
{
    static const int64_t sizes[] = {INPUTS, 6, 7, CLASSES};
    tsnn_mlp_options options = TSNN_MLP_OPTIONS_INIT;
    w->context = tsnni_fuzz_context(MOST_BYTES);
    options.sizes = sizes;
    options.size_count = 4;
    options.epsilon = 1.5;
    FUZZ_OK(w->context, tsnn_network_create_mlp(w->context, &options, &w->network));
    FUZZ_OK(w->context, tsnn_activation_create(w->context, NULL, &w->activation));
    FUZZ_OK(w->context, tsnn_loss_create(w->context, NULL, &w->loss));
    FUZZ_OK(w->context, tsnn_optimizer_create(w->context, NULL, &w->optimizer));
    FUZZ_OK(w->context, tsnn_evolution_create(w->context, NULL, &w->evolution));
    FUZZ_OK(w->context, tsnn_pruning_create(w->context, NULL, &w->pruning));
    create_dataset(w);
}

static void destroy_world(world *w)
{
    tsnn_dataset_destroy(&w->dataset);
    tsnn_pruning_destroy(&w->pruning);
    tsnn_evolution_destroy(&w->evolution);
    tsnn_optimizer_destroy(&w->optimizer);
    tsnn_loss_destroy(&w->loss);
    tsnn_activation_destroy(&w->activation);
    tsnn_network_destroy(&w->network);
    tsnn_context_destroy(&w->context);
    for (int k = 0; k < w->block_count; k++)
        free(w->blocks[k]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    world w = {.input = {data, size}};
    create_world(&w);
    tries[tsnni_fuzz_byte(&w.input) % (sizeof tries / sizeof *tries)](&w);
    destroy_world(&w);
    FUZZ_REQUIRE(tsnni_fuzz_live() == 0);
    return 0;
}
