/* The calls that compute: prediction with a network, gradients, evolution, pruning, trainers, parallel training. For
 * the tests of memory. */
#include <string.h>

#include "memory_calls.h"

enum { SAMPLES = 30, CLASSES = 4 };

/* ---- passes through the network ---- */

static tsnn_status predict(tsnni_test_world *world, tsnni_product *made)
{
    float outputs[SAMPLES * CLASSES];
    tsnn_status status =
        tsnn_network_predict(world->network, world->features, SAMPLES, outputs, (int64_t)SAMPLES * CLASSES);
    if (status == TSNN_OK)
        tsnni_test_bytes_add(&made->told, outputs, sizeof outputs);
    return status;
}

static tsnn_status classify(tsnni_test_world *world, tsnni_product *made)
{
    int32_t found[SAMPLES];
    tsnn_status status = tsnn_network_classify(world->network, world->features, SAMPLES, found, SAMPLES);
    if (status == TSNN_OK)
        tsnni_test_bytes_add(&made->told, found, sizeof found);
    return status;
}

static tsnn_status evaluate_with(tsnni_test_world *world, tsnni_product *made, const tsnn_loss *loss,
                                 const tsnn_dataset *dataset)
{
    tsnn_evaluation evaluation = TSNN_EVALUATION_INIT;
    tsnn_status status = tsnn_network_evaluate(world->network, loss, dataset, &evaluation);
    ck_assert_int_eq(evaluation.samples, status == TSNN_OK ? SAMPLES : 0);
    if (status == TSNN_OK)
        tsnni_test_bytes_add(&made->told, &evaluation, sizeof evaluation);
    return status;
}

static tsnn_status evaluate(tsnni_test_world *world, tsnni_product *made)
{
    return evaluate_with(world, made, world->loss, world->dataset);
}

static tsnn_status evaluate_targets(tsnni_test_world *world, tsnni_product *made)
{
    return evaluate_with(world, made, world->squared, world->targets);
}

static tsnn_status add_gradient(tsnni_test_world *world, tsnni_product *made)
{
    double value = 0.0;
    tsnn_status status =
        tsnn_gradient_add(world->gradient, world->network, world->loss, world->dataset, NULL, SAMPLES, &value);
    if (status == TSNN_OK)
        tsnni_test_bytes_add(&made->told, &value, sizeof value);
    return status;
}

/* The same with bf16 activations, which are put back. */
static tsnn_status with_bf16(tsnni_test_world *world, tsnni_product *made,
                             tsnn_status (*call)(tsnni_test_world *world, tsnni_product *made))
{
    TSNNI_OK(tsnn_network_set_activation_format(world->network, TSNN_ACTIVATIONS_BF16));
    tsnn_status status = call(world, made);
    TSNNI_OK(tsnn_network_set_activation_format(world->network, TSNN_ACTIVATIONS_FLOAT32));
    return status;
}

static tsnn_status predict_bf16(tsnni_test_world *world, tsnni_product *made)
{
    return with_bf16(world, made, predict);
}

static tsnn_status evaluate_bf16(tsnni_test_world *world, tsnni_product *made)
{
    return with_bf16(world, made, evaluate);
}

static tsnn_status add_gradient_bf16(tsnni_test_world *world, tsnni_product *made)
{
    return with_bf16(world, made, add_gradient);
}

/* ---- weights and topology ---- */

static tsnn_status apply_optimizer(tsnni_test_world *world, tsnni_product *made)
{
    (void)made;
    return tsnn_optimizer_apply(world->optimizer, world->network, world->gradient, 1.0);
}

/* To a network that has no momentum yet. */
static tsnn_status apply_optimizer_first(tsnni_test_world *world, tsnni_product *made)
{
    tsnn_layer_options options = TSNN_LAYER_OPTIONS_INIT;
    tsnn_layer *layer = NULL;
    tsnn_gradient *gradient = NULL;
    options.inputs = 12;
    options.outputs = CLASSES;
    options.density = 0.5;
    options.stream = 7;
    tsnn_status status = tsnn_network_create(world->context, &made->network);
    if (status == TSNN_OK)
        status = tsnn_layer_create(world->context, &options, &layer);
    if (status == TSNN_OK)
        status = tsnn_network_append(made->network, &layer, world->activation, 0.0);
    if (status == TSNN_OK)
        status = tsnn_gradient_create(made->network, &gradient);
    if (status == TSNN_OK)
        status = tsnn_gradient_add(gradient, made->network, world->squared, world->targets, NULL, SAMPLES, NULL);
    if (status == TSNN_OK)
        status = tsnn_optimizer_apply(world->optimizer, made->network, gradient, 1.0);
    tsnn_gradient_destroy(&gradient);
    tsnn_layer_destroy(&layer);
    if (status < 0)
        tsnn_network_destroy(&made->network);
    return status;
}

static tsnn_status evolve_layer(tsnni_test_world *world, tsnni_product *made)
{
    (void)made;
    return tsnn_evolution_apply_layer(world->evolution, tsnni_test_layer_of(world->network, 0), 3, NULL);
}

static tsnn_status evolve(tsnni_test_world *world, tsnni_product *made)
{
    (void)made;
    return tsnn_evolution_apply(world->evolution, world->network, 5, NULL);
}

static tsnn_status prune(tsnni_test_world *world, tsnni_product *made)
{
    (void)made;
    return tsnn_pruning_apply(world->pruning, world->network, NULL);
}

static tsnn_status prune_and_fold(tsnni_test_world *world, tsnni_product *made)
{
    tsnn_pruning_options options = TSNN_PRUNING_OPTIONS_INIT;
    tsnn_pruning_report report = TSNN_PRUNING_REPORT_INIT;
    options.fold = TSNN_FOLD_BIASES;
    options.percentile = 40.0;
    tsnn_status status = tsnn_pruning_create(world->context, &options, &made->pruning);
    if (status == TSNN_OK)
        status = tsnn_pruning_apply(made->pruning, world->network, &report);
    if (status == TSNN_OK)
        tsnni_test_bytes_add(&made->told, &report, sizeof report);
    else
        tsnn_pruning_destroy(&made->pruning);
    return status;
}

/* ---- trainers ---- */

static tsnn_trainer_options trainer_options(const tsnni_test_world *world)
{
    tsnn_trainer_options options = TSNN_TRAINER_OPTIONS_INIT;
    options.network = world->network;
    options.loss = world->loss;
    options.optimizer = world->optimizer;
    options.evolution = world->evolution;
    options.pruning = world->pruning;
    options.epochs = 3;
    options.batch = 16;
    return options;
}

static tsnn_status make_trainer(tsnni_test_world *world, tsnni_product *made)
{
    tsnn_schedule_options schedule = TSNN_SCHEDULE_OPTIONS_INIT;
    tsnn_trainer_options options = trainer_options(world);
    schedule.kind = TSNN_SCHEDULE_COSINE;
    options.schedule = &schedule;
    return tsnn_trainer_create(world->context, &options, &made->trainer);
}

static tsnn_status take_step(tsnni_test_world *world, tsnni_product *made)
{
    (void)made;
    return tsnn_trainer_step(world->trainer, world->dataset, NULL, 16, 1.0, NULL);
}

/* A new trainer, with everything that it may need memory for. */
static tsnn_status take_first_step(tsnni_test_world *world, tsnni_product *made)
{
    tsnn_trainer_options options = trainer_options(world);
    options.loss = world->squared;
    options.clip_norm = 0.1;
    options.micro_batch = 7;
    options.batch = SAMPLES;
    tsnn_status status = tsnn_trainer_create(world->context, &options, &made->trainer);
    if (status >= 0)
        status = tsnn_trainer_step(made->trainer, world->targets, NULL, SAMPLES, 1.0, NULL);
    if (status < 0)
        tsnn_trainer_destroy(&made->trainer);
    return status;
}

static tsnn_status run(tsnni_test_world *world, tsnni_product *made)
{
    (void)made;
    return tsnn_trainer_run(world->trainer, world->dataset, world->dataset);
}

static tsnn_status run_bf16(tsnni_test_world *world, tsnni_product *made)
{
    return with_bf16(world, made, run);
}

/* By parts of a mini-batch and with clipping: the gradient is an object of its own. */
static tsnn_status run_by_parts(tsnni_test_world *world, tsnni_product *made)
{
    tsnn_trainer_options options = trainer_options(world);
    options.micro_batch = 5;
    options.clip_norm = 0.5;
    options.epochs = 2;
    tsnn_trainer *trainer = NULL;
    (void)made;
    tsnn_status status = tsnn_trainer_create(world->context, &options, &trainer);
    if (status == TSNN_OK)
        status = tsnn_trainer_run(trainer, world->dataset, NULL);
    tsnn_trainer_destroy(&trainer);
    return status;
}

/* ---- parallel training ---- */

static tsnn_parallel_options parallel_options(const tsnni_test_world *world, int32_t mode, int32_t workers)
{
    tsnn_parallel_options options = TSNN_PARALLEL_OPTIONS_INIT;
    options.mode = mode;
    options.workers = workers;
    options.network = world->network;
    options.loss = world->loss;
    options.optimizer = world->optimizer;
    options.evolution = world->evolution;
    options.pruning = mode == TSNN_PARALLEL_REPLICAS ? NULL : world->pruning;
    options.epochs = 3;
    options.batch = 8;
    return options;
}

static tsnn_status make_parallel(tsnni_test_world *world, tsnni_product *made)
{
    static const tsnn_parallel_commit log[] = {{0, 0, 0}, {0, 1, 1}};
    tsnn_parallel_options options = parallel_options(world, TSNN_PARALLEL_WASAP, 1);
    options.replay = log;
    options.replay_count = 2;
    return tsnn_parallel_create(world->context, &options, &made->parallel);
}

/* In step: the object of the world, so that it can be asked to go on. */
static tsnn_status run_wassp(tsnni_test_world *world, tsnni_product *made)
{
    (void)made;
    return tsnn_parallel_run(world->parallel, world->dataset, world->dataset);
}

static tsnn_status run_parallel(tsnni_test_world *world, const tsnn_parallel_options *options)
{
    tsnn_parallel *parallel = NULL;
    tsnn_status status = tsnn_parallel_create(world->context, options, &parallel);
    if (status == TSNN_OK)
        status = tsnn_parallel_run(parallel, world->dataset, world->dataset);
    tsnn_parallel_destroy(&parallel);
    return status;
}

static tsnn_status run_wassp_by_parts(tsnni_test_world *world, tsnni_product *made)
{
    (void)made;
    tsnn_parallel_options options = parallel_options(world, TSNN_PARALLEL_WASSP, 3);
    options.micro_batch = 3;
    options.clip_norm = 0.5;
    options.local_steps = 2;
    return run_parallel(world, &options);
}

static tsnn_status run_replicas(tsnni_test_world *world, tsnni_product *made)
{
    (void)made;
    tsnn_parallel_options options = parallel_options(world, TSNN_PARALLEL_REPLICAS, 2);
    return run_parallel(world, &options);
}

static tsnn_status run_wasap(tsnni_test_world *world, tsnni_product *made)
{
    (void)made;
    tsnn_parallel_options options = parallel_options(world, TSNN_PARALLEL_WASAP, 2);
    options.keep_log = 1;
    return run_parallel(world, &options);
}

static tsnn_status run_wasap_alone(tsnni_test_world *world, tsnni_product *made)
{
    (void)made;
    tsnn_parallel_options options = parallel_options(world, TSNN_PARALLEL_WASAP, 1);
    options.retain = TSNN_DISCARD_STALE;
    options.keep_log = 1;
    return run_parallel(world, &options);
}

/* One worker hands in one mini-batch after another: what the log would tell. */
static tsnn_status run_replay(tsnni_test_world *world, tsnni_product *made)
{
    enum { COMMITS = 8 }; /* 2 epochs of phase 1 of 4 mini-batches */
    tsnn_parallel_commit log[COMMITS];
    (void)made;
    for (int64_t k = 0; k < COMMITS; k++)
        log[k] = (tsnn_parallel_commit){0, k, k};
    tsnn_parallel_options options = parallel_options(world, TSNN_PARALLEL_WASAP, 1);
    options.replay = log;
    options.replay_count = COMMITS;
    return run_parallel(world, &options);
}

const tsnni_memory_call tsnni_memory_training[] = {
    {"tsnn_network_predict", "float", predict, TSNNI_UNCHANGED, 3},
    {"tsnn_network_predict", "bf16", predict_bf16, TSNNI_UNCHANGED, 3},
    {"tsnn_network_classify", NULL, classify, TSNNI_UNCHANGED, 3},
    {"tsnn_network_evaluate", "labels", evaluate, TSNNI_UNCHANGED, 3},
    {"tsnn_network_evaluate", "targets", evaluate_targets, TSNNI_UNCHANGED, 3},
    {"tsnn_network_evaluate", "bf16", evaluate_bf16, TSNNI_UNCHANGED, 3},
    {"tsnn_gradient_add", "float", add_gradient, TSNNI_UNCHANGED, 5},
    {"tsnn_gradient_add", "bf16", add_gradient_bf16, TSNNI_UNCHANGED, 5},
    {"tsnn_optimizer_apply", "again", apply_optimizer, TSNNI_UNCHANGED, 0},
    {"tsnn_optimizer_apply", "the first time", apply_optimizer_first, TSNNI_UNCHANGED, 20},
    {"tsnn_evolution_apply_layer", NULL, evolve_layer, TSNNI_UNCHANGED, 3},
    {"tsnn_evolution_apply", NULL, evolve, TSNNI_PARTLY, 6},
    {"tsnn_pruning_apply", "by schedule", prune, TSNNI_UNCHANGED, 3},
    {"tsnn_pruning_apply", "folding biases", prune_and_fold, TSNNI_UNCHANGED, 3},
    {"tsnn_trainer_create", NULL, make_trainer, TSNNI_UNCHANGED, 1},
    {"tsnn_trainer_step", "again", take_step, TSNNI_KEEPS, 0},
    {"tsnn_trainer_step", "the first time", take_first_step, TSNNI_UNCHANGED, 10},
    {"tsnn_trainer_run", "evolution and pruning", run, TSNNI_PARTLY, 30},
    {"tsnn_trainer_run", "bf16", run_bf16, TSNNI_PARTLY, 30},
    {"tsnn_trainer_run", "by parts, with clipping", run_by_parts, TSNNI_PARTLY, 30},
    {"tsnn_parallel_create", NULL, make_parallel, TSNNI_UNCHANGED, 2},
    {"tsnn_parallel_run", "WASSP", run_wassp, TSNNI_PARTLY, 60},
    {"tsnn_parallel_run", "WASSP by parts, with clipping", run_wassp_by_parts, TSNNI_PARTLY, 60},
    {"tsnn_parallel_run", "replicas", run_replicas, TSNNI_PARTLY, 60},
    {"tsnn_parallel_run", "WASAP", run_wasap, TSNNI_UNORDERED, 60},
    {"tsnn_parallel_run", "WASAP, one worker", run_wasap_alone, TSNNI_PARTLY, 60},
    {"tsnn_parallel_run", "WASAP, replayed", run_replay, TSNNI_PARTLY, 60},
    {NULL, NULL, NULL, 0, 0},
};
