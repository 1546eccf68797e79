/* Learning from samples, and answering about them. Predictions read and write JavaScript's arrays in place. */
#include "train.h"

#include "model.h"

static const js_word losses[] = {{"cross_entropy", TSNN_LOSS_CROSS_ENTROPY},
                                 {"mean_squared_error", TSNN_LOSS_MEAN_SQUARED_ERROR},
                                 {"binary_cross_entropy", TSNN_LOSS_BINARY_CROSS_ENTROPY},
                                 {NULL, 0}};
static const js_word optimizers[] = {{"sgd", TSNN_OPTIMIZER_SGD},
                                     {"momentum", TSNN_OPTIMIZER_MOMENTUM},
                                     {"nesterov", TSNN_OPTIMIZER_NESTEROV},
                                     {NULL, 0}};
static const js_word schedules[] = {
    {"constant", TSNN_SCHEDULE_CONSTANT}, {"step", TSNN_SCHEDULE_STEP}, {"cosine", TSNN_SCHEDULE_COSINE}, {NULL, 0}};

/* What one call of fit() makes. */
typedef struct course {
    napi_env env;
    napi_value on_epoch;
    model *held;
    tsnn_dataset *data;
    tsnn_standardizer *standardizer;
    tsnn_loss *loss;
    tsnn_optimizer *optimizer;
    tsnn_evolution *evolution;
    tsnn_trainer *trainer;
    tsnn_loss_options loss_options;
    tsnn_optimizer_options optimizer_options;
    tsnn_evolution_options evolution_options;
    tsnn_schedule_options schedule_options;
    tsnn_trainer_options options;
    int32_t standardize;
} course;

static napi_value report_of(napi_env env, const tsnn_epoch_report *report)
{
    napi_value object;
    if (napi_create_object(env, &object) != napi_ok)
        return NULL;
    js_set(env, object, "epoch", (double)report->epoch);
    js_set(env, object, "epochs", (double)report->epochs);
    js_set(env, object, "samples", (double)report->samples);
    js_set(env, object, "loss", report->train_loss);
    js_set(env, object, "accuracy", report->train_accuracy);
    js_set(env, object, "learningRate", report->learning_rate);
    js_set(env, object, "seconds", report->train_seconds);
    js_set(env, object, "replaced", (double)report->replaced);
    js_set(env, object, "connections", (double)report->connections);
    return object;
}

/* What the function throws stays pending: it stops the training, and JavaScript sees it when fit() returns. */
static int32_t on_epoch(void *user, const tsnn_epoch_report *report)
{
    course *c = user;
    napi_handle_scope scope;
    napi_value object, undefined, result;
    bool stop = false;
    int32_t answer = -1;
    if (napi_open_handle_scope(c->env, &scope) != napi_ok)
        return -1;
    object = report_of(c->env, report);
    if (object != NULL && napi_get_undefined(c->env, &undefined) == napi_ok &&
        napi_call_function(c->env, undefined, c->on_epoch, 1, &object, &result) == napi_ok)
        answer = napi_get_value_bool(c->env, result, &stop) == napi_ok && stop ? 1 : 0;
    napi_close_handle_scope(c->env, scope);
    return answer;
}

/* Samples of JavaScript's arrays, which are copied, since a callback may take the arrays away. */
static bool make_data(napi_env env, model *held, napi_value features, napi_value truth, tsnn_dataset **out)
{
    void *x, *y;
    int64_t x_count, y_count, columns = held->info.outputs;
    napi_typedarray_type type = napi_float32_array;
    bool is_typed = false;
    tsnn_dataset_options options = TSNN_DATASET_OPTIONS_INIT;
    if (napi_is_typedarray(env, truth, &is_typed) == napi_ok && is_typed)
        napi_get_typedarray_info(env, truth, &type, NULL, NULL, NULL, NULL);
    if (type != napi_int32_array)
        type = napi_float32_array;
    if (!js_array(env, features, "features", napi_float32_array, &x, &x_count) ||
        !js_array(env, truth, "labels or targets", type, &y, &y_count) ||
        !js_rows(env, "features", x_count, held->info.inputs, &options.samples))
        return false;
    options.features = held->info.inputs;
    options.feature_data = x;
    if (type == napi_int32_array) {
        columns = 1;
        options.labels = y;
        options.classes = held->info.outputs > 1 ? held->info.outputs : 2;
    } else {
        options.targets = y;
        options.target_size = columns;
    }
    if (y_count != options.samples * columns) {
        js_throw(env, TSNN_ERROR_SHAPE, "features and labels or targets are not of equally many samples");
        return false;
    }
    tsnn_status status = tsnn_dataset_create(held->context, &options, out);
    if (status < 0)
        js_throw_status(env, held->context, status);
    return status >= 0;
}

static bool read_options(napi_env env, napi_value options, course *c)
{
    c->loss_options = (tsnn_loss_options)TSNN_LOSS_OPTIONS_INIT;
    c->optimizer_options = (tsnn_optimizer_options)TSNN_OPTIMIZER_OPTIONS_INIT;
    c->optimizer_options.kind = TSNN_OPTIMIZER_MOMENTUM;
    c->evolution_options = (tsnn_evolution_options)TSNN_EVOLUTION_OPTIONS_INIT;
    c->schedule_options = (tsnn_schedule_options)TSNN_SCHEDULE_OPTIONS_INIT;
    c->options = (tsnn_trainer_options)TSNN_TRAINER_OPTIONS_INIT;
    if (!js_option_word(env, options, "loss", losses, &c->loss_options.kind) ||
        !js_option_number(env, options, "labelSmoothing", &c->loss_options.label_smoothing) ||
        !js_option_word(env, options, "optimizer", optimizers, &c->optimizer_options.kind) ||
        !js_option_number(env, options, "learningRate", &c->optimizer_options.learning_rate) ||
        !js_option_number(env, options, "momentum", &c->optimizer_options.momentum) ||
        !js_option_number(env, options, "weightDecay", &c->optimizer_options.weight_decay) ||
        !js_option_word(env, options, "schedule", schedules, &c->schedule_options.kind) ||
        !js_option_number(env, options, "warmupEpochs", &c->schedule_options.warmup_epochs) ||
        !js_option_number(env, options, "zeta", &c->evolution_options.zeta) ||
        !js_option_whole(env, options, "epochs", &c->options.epochs) ||
        !js_option_whole(env, options, "batch", &c->options.batch) ||
        !js_option_number(env, options, "clipNorm", &c->options.clip_norm) ||
        !js_option_small(env, options, "standardize", &c->standardize))
        return false;
    c->options.schedule = &c->schedule_options;
    c->options.network = c->held->network;
    c->options.on_epoch = on_epoch;
    c->options.user = c;
    return true;
}

static tsnn_status make_trainer(course *c, bool evolves)
{
    tsnn_context *context = c->held->context;
    tsnn_status status = tsnn_loss_create(context, &c->loss_options, &c->loss);
    if (status >= 0)
        status = tsnn_optimizer_create(context, &c->optimizer_options, &c->optimizer);
    if (status >= 0 && evolves)
        status = tsnn_evolution_create(context, &c->evolution_options, &c->evolution);
    c->options.loss = c->loss;
    c->options.optimizer = c->optimizer;
    c->options.evolution = c->evolution;
    if (status >= 0)
        status = tsnn_trainer_create(context, &c->options, &c->trainer);
    if (status >= 0 && c->standardize != 0)
        status = tsnn_standardizer_fit(context, c->data, &c->standardizer);
    if (status >= 0 && c->standardize != 0)
        status = tsnn_network_set_standardizer(c->held->network, c->standardizer);
    return status;
}

/* fit(handle, features, labels or targets, options, onEpoch): whether all epochs were done. */
napi_value train_fit(napi_env env, napi_callback_info info)
{
    napi_value arguments[5], result = NULL, zeta;
    napi_valuetype type;
    course c = {.env = env};
    bool has_zeta = false;
    if (!js_arguments(env, info, 5, arguments) || !model_of(env, arguments[0], &c.held))
        return NULL;
    c.on_epoch = arguments[4];
    if (napi_typeof(env, c.on_epoch, &type) != napi_ok || type != napi_function) {
        napi_throw_type_error(env, NULL, "onEpoch must be a function");
        return NULL;
    }
    /* Options first: their getters may run code that takes arrays or the network away. */
    if (!js_option_value(env, arguments[3], "zeta", &zeta, &has_zeta) || !read_options(env, arguments[3], &c) ||
        !model_of(env, arguments[0], &c.held))
        return NULL;
    if (c.held->busy) {
        js_throw(env, TSNN_ERROR_STATE, "this network is being trained");
        return NULL;
    }
    if (!make_data(env, c.held, arguments[1], arguments[2], &c.data))
        return NULL;
    c.held->busy = true;
    /* zeta: not given, the library's; 0, no evolution. */
    tsnn_status status = make_trainer(&c, !has_zeta || c.evolution_options.zeta != 0.0);
    if (status >= 0)
        status = tsnn_trainer_run(c.trainer, c.data, NULL);
    c.held->busy = false;
    if (status < 0)
        js_throw_status(env, c.held->context, status); /* unless onEpoch has thrown */
    else
        napi_get_boolean(env, status != TSNN_STOPPED, &result);
    tsnn_trainer_destroy(&c.trainer);
    tsnn_evolution_destroy(&c.evolution);
    tsnn_optimizer_destroy(&c.optimizer);
    tsnn_loss_destroy(&c.loss);
    tsnn_standardizer_destroy(&c.standardizer);
    tsnn_dataset_destroy(&c.data);
    return result;
}

/* evaluate(handle, features, labels or targets, options): samples, correct, accuracy, loss. */
napi_value train_evaluate(napi_env env, napi_callback_info info)
{
    napi_value arguments[4], object = NULL;
    model *held;
    tsnn_dataset *data = NULL;
    tsnn_loss *loss = NULL;
    tsnn_loss_options options = TSNN_LOSS_OPTIONS_INIT;
    tsnn_evaluation found = TSNN_EVALUATION_INIT;
    if (!js_arguments(env, info, 4, arguments) || !js_option_word(env, arguments[3], "loss", losses, &options.kind) ||
        !model_of(env, arguments[0], &held) || !make_data(env, held, arguments[1], arguments[2], &data))
        return NULL;
    tsnn_status status = tsnn_loss_create(held->context, &options, &loss);
    if (status >= 0)
        status = tsnn_network_evaluate(held->network, loss, data, &found);
    if (status < 0) {
        js_throw_status(env, held->context, status);
    } else if (napi_create_object(env, &object) == napi_ok) {
        js_set(env, object, "samples", (double)found.samples);
        js_set(env, object, "correct", (double)found.correct);
        js_set(env, object, "accuracy", found.accuracy);
        js_set(env, object, "loss", found.loss);
    }
    tsnn_loss_destroy(&loss);
    tsnn_dataset_destroy(&data);
    return object;
}

/* Rows of features and an array for the answers, both in place. */
static bool answer_arrays(napi_env env, napi_callback_info info, napi_typedarray_type type, model **held,
                          void **features, int64_t *rows, void **answers, int64_t *capacity)
{
    napi_value arguments[3];
    int64_t count;
    return js_arguments(env, info, 3, arguments) && model_of(env, arguments[0], held) &&
           js_array(env, arguments[1], "features", napi_float32_array, features, &count) &&
           js_array(env, arguments[2], type == napi_float32_array ? "outputs" : "labels", type, answers, capacity) &&
           js_rows(env, "features", count, (*held)->info.inputs, rows);
}

/* predict(handle, features, outputs): fills outputs. */
napi_value train_predict(napi_env env, napi_callback_info info)
{
    model *held;
    void *features, *outputs;
    int64_t rows, capacity;
    if (answer_arrays(env, info, napi_float32_array, &held, &features, &rows, &outputs, &capacity)) {
        tsnn_status status = tsnn_network_predict(held->network, features, rows, outputs, capacity);
        if (status < 0)
            js_throw_status(env, held->context, status);
    }
    return NULL;
}

/* classify(handle, features, labels): fills labels. */
napi_value train_classify(napi_env env, napi_callback_info info)
{
    model *held;
    void *features, *labels;
    int64_t rows, capacity;
    if (answer_arrays(env, info, napi_int32_array, &held, &features, &rows, &labels, &capacity)) {
        tsnn_status status = tsnn_network_classify(held->network, features, rows, labels, capacity);
        if (status < 0)
            js_throw_status(env, held->context, status);
    }
    return NULL;
}
