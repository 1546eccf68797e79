/* The calls that never ask for memory, for the tests of memory: each is measured. */
#include <string.h>

#include "memory_calls.h"

/* A call's body is MEASURE(expression): it succeeds, and asks for nothing. */
#define MEASURE(expression) TSNNI_TAKES_NOTHING(TSNNI_OK(expression))

#define CALL(name, ...)                                                                                                \
    static tsnn_status name(tsnni_test_world *world, tsnni_product *made)                                              \
    {                                                                                                                  \
        (void)world, (void)made;                                                                                       \
        __VA_ARGS__ return TSNN_OK;                                                                                    \
    }

/* ---- options and texts ---- */

#define OPTIONS_INIT(type)                                                                                             \
    CALL(init_##type, {                                                                                                \
        tsnn_##type##_options options;                                                                                 \
        MEASURE(tsnn_##type##_options_init(&options));                                                                 \
    })

OPTIONS_INIT(activation)
OPTIONS_INIT(checkpoint_export)
OPTIONS_INIT(checkpoint_import)
OPTIONS_INIT(context)
OPTIONS_INIT(dataset)
OPTIONS_INIT(evolution)
OPTIONS_INIT(export_c)
OPTIONS_INIT(export)
OPTIONS_INIT(import)
OPTIONS_INIT(layer)
OPTIONS_INIT(load)
OPTIONS_INIT(loss)
OPTIONS_INIT(mlp)
OPTIONS_INIT(optimizer)
OPTIONS_INIT(parallel)
OPTIONS_INIT(predictor)
OPTIONS_INIT(predictor_load)
OPTIONS_INIT(pruning)
OPTIONS_INIT(publisher)
OPTIONS_INIT(save)
OPTIONS_INIT(schedule)
OPTIONS_INIT(trainer)

CALL(tell_status, TSNNI_TAKES_NOTHING(ck_assert_ptr_nonnull(tsnn_status_string(TSNN_ERROR_OUT_OF_MEMORY)));)
CALL(tell_version, TSNNI_TAKES_NOTHING(ck_assert_ptr_nonnull(tsnn_version_string()));)
CALL(tell_version_number, TSNNI_TAKES_NOTHING(ck_assert_int_ge(tsnn_version_number(), 0));)
CALL(tell_isa, TSNNI_TAKES_NOTHING(ck_assert_ptr_nonnull(tsnn_isa_string(TSNN_ISA_REF)));)

/* ---- ends ---- */

#define DESTROY(type, what) CALL(destroy_##type, TSNNI_TAKES_NOTHING(tsnn_##type##_destroy(&(what)));)

DESTROY(activation, world->activation)
DESTROY(dataset, world->targets)
DESTROY(gradient, world->gradient)
DESTROY(layer, world->layer)
DESTROY(loss, world->squared)
DESTROY(network, world->empty)
DESTROY(parallel, world->parallel)
DESTROY(predictor_workspace, world->workspace)
DESTROY(standardizer, world->standardizer)

CALL(destroy_context, {
    TSNNI_OK(tsnn_context_create(NULL, &made->context));
    TSNNI_TAKES_NOTHING(tsnn_context_destroy(&made->context));
})
CALL(destroy_evolution, {
    TSNNI_OK(tsnn_evolution_create(world->context, NULL, &made->evolution));
    TSNNI_TAKES_NOTHING(tsnn_evolution_destroy(&made->evolution));
})
CALL(destroy_optimizer, {
    TSNNI_OK(tsnn_optimizer_create(world->context, NULL, &made->optimizer));
    TSNNI_TAKES_NOTHING(tsnn_optimizer_destroy(&made->optimizer));
})
CALL(destroy_pruning, {
    TSNNI_OK(tsnn_pruning_create(world->context, NULL, &made->pruning));
    TSNNI_TAKES_NOTHING(tsnn_pruning_destroy(&made->pruning));
})
CALL(destroy_predictor, {
    TSNNI_OK(tsnn_predictor_create(world->context, world->network, NULL, &made->predictor));
    TSNNI_TAKES_NOTHING(tsnn_predictor_destroy(&made->predictor));
})
CALL(destroy_trainer, TSNNI_TAKES_NOTHING(tsnn_trainer_destroy(&world->trainer));)

/* ---- what objects tell ---- */

CALL(context_error, {
    char text[100];
    MEASURE(tsnn_context_error(world->context, text, sizeof text, NULL));
})
CALL(context_info, {
    tsnn_context_info info = TSNN_CONTEXT_INFO_INIT;
    MEASURE(tsnn_context_get_info(world->context, &info));
})
CALL(context_threads, MEASURE(tsnn_context_set_threads(world->context, 1));)
CALL(dataset_info, {
    tsnn_dataset_info info = TSNN_DATASET_INFO_INIT;
    MEASURE(tsnn_dataset_get_info(world->dataset, &info));
})
CALL(layer_info, {
    tsnn_layer_info info = TSNN_LAYER_INFO_INIT;
    MEASURE(tsnn_layer_get_info(world->layer, &info));
})
CALL(network_info, {
    tsnn_network_info info = TSNN_NETWORK_INFO_INIT;
    MEASURE(tsnn_network_get_info(world->network, &info));
})
CALL(network_layer, {
    tsnn_layer *layer;
    MEASURE(tsnn_network_get_layer(world->network, 1, &layer));
})
CALL(network_explain, {
    tsnn_layer_plan plan = TSNN_LAYER_PLAN_INIT;
    char text[1000];
    MEASURE(tsnn_network_explain(world->network, 1, 128, &plan, text, sizeof text));
})
CALL(parallel_info, {
    tsnn_parallel_info info = TSNN_PARALLEL_INFO_INIT;
    MEASURE(tsnn_parallel_get_info(world->parallel, &info));
})
CALL(parallel_worker, {
    tsnn_parallel_worker_info info = TSNN_PARALLEL_WORKER_INFO_INIT;
    MEASURE(tsnn_parallel_get_worker(world->parallel, 1, &info));
})
CALL(parallel_log, {
    int64_t count = 0;
    TSNNI_TAKES_NOTHING(
        ck_assert_int_eq(tsnn_parallel_get_log(world->parallel, NULL, 0, &count), TSNN_ERROR_STATE)); /* none is kept */
})
CALL(predictor_info, {
    tsnn_predictor_info info = TSNN_PREDICTOR_INFO_INIT;
    MEASURE(tsnn_predictor_get_info(world->predictor, &info));
})

/* ---- layers ---- */

enum { ROOM = 300 };

CALL(layer_freeze, MEASURE(tsnn_layer_freeze(world->layer, 1));)
CALL(layer_bias, {
    float bias[ROOM];
    MEASURE(tsnn_layer_get_bias(world->layer, bias, ROOM));
})
CALL(layer_coo, {
    int32_t row[ROOM], column[ROOM];
    float values[ROOM];
    MEASURE(tsnn_layer_get_coo(world->layer, row, column, values, ROOM));
})
CALL(layer_csr, {
    int64_t row_ptr[ROOM];
    int32_t column[ROOM];
    float values[ROOM];
    MEASURE(tsnn_layer_get_csr(world->layer, row_ptr, ROOM, column, values, ROOM));
})
CALL(layer_importance, {
    double importance[ROOM];
    MEASURE(tsnn_layer_get_importance(world->layer, importance, ROOM));
})
CALL(layer_velocity, {
    float weights[ROOM], bias[ROOM];
    MEASURE(tsnn_layer_get_velocity(world->layer, weights, ROOM, bias, ROOM));
})
CALL(layer_weights, {
    static const float bias[] = {1, 2, 3, 4, 5, 6};
    MEASURE(tsnn_layer_set_weights(world->layer, NULL, 0, bias, 6));
})

/* ---- numbers ---- */

CALL(activation_evaluate, {
    static const float z[] = {-1, 0, 1};
    float a[3], derivative[3];
    MEASURE(tsnn_activation_evaluate(world->activation, 0, z, a, derivative, 3));
})
CALL(loss_evaluate, {
    static const float outputs[] = {0.5f, 0.5f, 1.0f, 0.0f};
    static const int32_t labels[] = {1, 0};
    double value;
    MEASURE(tsnn_loss_evaluate(world->loss, outputs, 2, 2, labels, NULL, &value));
})
CALL(schedule_factor, {
    double factor;
    MEASURE(tsnn_schedule_factor(NULL, 1.0, 3, &factor));
})
CALL(standardizer_get, {
    float mean[12], deviation[12];
    MEASURE(tsnn_standardizer_get(world->standardizer, mean, deviation, 12, NULL));
})
CALL(standardizer_apply, {
    float out[30 * 12];
    MEASURE(tsnn_standardizer_apply(world->standardizer, world->features, 30, out));
})
CALL(dataset_standardize, MEASURE(tsnn_dataset_standardize(world->dataset, world->standardizer));)
CALL(gradient_clear, MEASURE(tsnn_gradient_clear(world->gradient));)
CALL(gradient_scale, MEASURE(tsnn_gradient_scale(world->gradient, 0.5));)
CALL(gradient_norm, {
    double norm;
    MEASURE(tsnn_gradient_norm(world->gradient, &norm));
})
CALL(gradient_get, {
    float weights[ROOM], bias[ROOM];
    MEASURE(tsnn_gradient_get(world->gradient, 1, weights, ROOM, bias, ROOM));
})
CALL(activation_format, MEASURE(tsnn_network_set_activation_format(world->network, TSNN_ACTIVATIONS_BF16));)
CALL(pruning_map, {
    int32_t map[64];
    TSNNI_OK(tsnn_pruning_apply(world->pruning, world->network, NULL));
    MEASURE(tsnn_pruning_get_map(world->pruning, 0, map, 64, NULL));
})

/* ---- predicting: dense and sparse, one sample and a batch ---- */

CALL(predictor_predict, {
    float outputs[30 * 4];
    MEASURE(tsnn_predictor_predict(world->predictor, world->workspace, world->features, 1, outputs, 4));
    MEASURE(tsnn_predictor_predict(world->predictor, world->workspace, world->features, 30, outputs, 120));
})
CALL(predictor_classify, {
    int32_t labels[30];
    MEASURE(tsnn_predictor_classify(world->predictor, world->workspace, world->features, 1, labels, 1));
    MEASURE(tsnn_predictor_classify(world->predictor, world->workspace, world->features, 30, labels, 30));
})
CALL(predictor_run, {
    static const int64_t sample_ptr[] = {0, 2, 3};
    static const int32_t index[] = {0, 7, 3};
    float scores[30 * 2];
    int32_t labels[30 * 2];
    tsnn_samples dense = TSNN_SAMPLES_INIT, sparse = TSNN_SAMPLES_INIT;
    tsnn_answers answers = TSNN_ANSWERS_INIT;
    dense.count = 30;
    dense.features = world->features;
    sparse.count = 2;
    sparse.sample_ptr = sample_ptr;
    sparse.index = index;
    sparse.value = world->features;
    sparse.capacity = 3;
    answers.top = 2;
    answers.labels = labels;
    answers.labels_capacity = 60;
    answers.scores = scores;
    answers.scores_capacity = 60;
    MEASURE(tsnn_predictor_run(world->predictor, world->workspace, &dense, &answers));
    MEASURE(tsnn_predictor_run(world->predictor, world->workspace, &sparse, &answers));
})
CALL(workspace_error, {
    char text[100];
    MEASURE(tsnn_predictor_workspace_error(world->workspace, text, sizeof text, NULL));
})
CALL(workspace_size, {
    int64_t bytes;
    MEASURE(tsnn_predictor_workspace_size(world->predictor, 16, &bytes));
})
CALL(workspace_init, {
    static unsigned char memory[100000];
    tsnn_predictor_workspace *workspace;
    MEASURE(tsnn_predictor_workspace_init(world->predictor, 16, memory, sizeof memory, &workspace));
})

/* ---- publishers ---- */

/* `expression` with a publisher of its own and a subscriber of that. */
#define PUBLISHED(name, expression)                                                                                    \
    CALL(name, {                                                                                                       \
        tsnn_publisher *publisher = NULL;                                                                              \
        tsnn_subscriber *subscriber = NULL;                                                                            \
        TSNNI_OK(tsnn_predictor_create(world->context, world->network, NULL, &made->predictor));                       \
        TSNNI_OK(tsnn_publisher_create(world->context, &made->predictor, NULL, &publisher));                           \
        TSNNI_OK(tsnn_subscriber_create(publisher, 16, &subscriber));                                                  \
        TSNNI_OK(tsnn_predictor_create(world->context, world->network, NULL, &made->predictor));                       \
        expression;                                                                                                    \
        tsnn_subscriber_destroy(&subscriber);                                                                          \
        tsnn_publisher_destroy(&publisher);                                                                            \
    })

PUBLISHED(publisher_publish, MEASURE(tsnn_publisher_publish(publisher, &made->predictor)))
PUBLISHED(publisher_info, tsnn_publisher_info info = TSNN_PUBLISHER_INFO_INIT;
          MEASURE(tsnn_publisher_get_info(publisher, &info)))
PUBLISHED(subscriber_hold, MEASURE(tsnn_subscriber_hold(subscriber, NULL)))
PUBLISHED(subscriber_release, TSNNI_OK(tsnn_subscriber_hold(subscriber, NULL));
          MEASURE(tsnn_subscriber_release(subscriber)))
PUBLISHED(subscriber_predict, float outputs[30 * 4];
          MEASURE(tsnn_subscriber_predict(subscriber, world->features, 30, outputs, 120, NULL)))
PUBLISHED(subscriber_classify, int32_t labels[30];
          MEASURE(tsnn_subscriber_classify(subscriber, world->features, 30, labels, 30, NULL)))
PUBLISHED(subscriber_run, float outputs[30 * 4]; tsnn_samples samples = TSNN_SAMPLES_INIT;
          tsnn_answers answers = TSNN_ANSWERS_INIT; samples.count = 30; samples.features = world->features;
          answers.outputs = outputs; answers.outputs_capacity = 120;
          MEASURE(tsnn_subscriber_run(subscriber, &samples, &answers, NULL)))
PUBLISHED(subscriber_error, char text[100]; MEASURE(tsnn_subscriber_error(subscriber, text, sizeof text, NULL)))
PUBLISHED(destroy_subscriber, TSNNI_TAKES_NOTHING(tsnn_subscriber_destroy(&subscriber)))
PUBLISHED(destroy_publisher, tsnn_subscriber_destroy(&subscriber);
          TSNNI_TAKES_NOTHING(tsnn_publisher_destroy(&publisher)))

#define NOTHING(function, call)                                                                                        \
    {                                                                                                                  \
#function, NULL, call, TSNNI_NOTHING, 0                                                                        \
    }

const tsnni_memory_call tsnni_memory_nothing[] = {
    NOTHING(tsnn_activation_destroy, destroy_activation),
    NOTHING(tsnn_activation_evaluate, activation_evaluate),
    NOTHING(tsnn_activation_options_init, init_activation),
    NOTHING(tsnn_checkpoint_export_options_init, init_checkpoint_export),
    NOTHING(tsnn_checkpoint_import_options_init, init_checkpoint_import),
    NOTHING(tsnn_context_destroy, destroy_context),
    NOTHING(tsnn_context_error, context_error),
    NOTHING(tsnn_context_get_info, context_info),
    NOTHING(tsnn_context_options_init, init_context),
    NOTHING(tsnn_context_set_threads, context_threads),
    NOTHING(tsnn_dataset_destroy, destroy_dataset),
    NOTHING(tsnn_dataset_get_info, dataset_info),
    NOTHING(tsnn_dataset_options_init, init_dataset),
    NOTHING(tsnn_dataset_standardize, dataset_standardize),
    NOTHING(tsnn_evolution_destroy, destroy_evolution),
    NOTHING(tsnn_evolution_options_init, init_evolution),
    NOTHING(tsnn_export_c_options_init, init_export_c),
    NOTHING(tsnn_export_options_init, init_export),
    NOTHING(tsnn_gradient_clear, gradient_clear),
    NOTHING(tsnn_gradient_destroy, destroy_gradient),
    NOTHING(tsnn_gradient_get, gradient_get),
    NOTHING(tsnn_gradient_norm, gradient_norm),
    NOTHING(tsnn_gradient_scale, gradient_scale),
    NOTHING(tsnn_import_options_init, init_import),
    NOTHING(tsnn_isa_string, tell_isa),
    NOTHING(tsnn_layer_destroy, destroy_layer),
    NOTHING(tsnn_layer_freeze, layer_freeze),
    NOTHING(tsnn_layer_get_bias, layer_bias),
    NOTHING(tsnn_layer_get_coo, layer_coo),
    NOTHING(tsnn_layer_get_csr, layer_csr),
    NOTHING(tsnn_layer_get_importance, layer_importance),
    NOTHING(tsnn_layer_get_info, layer_info),
    NOTHING(tsnn_layer_get_velocity, layer_velocity),
    NOTHING(tsnn_layer_options_init, init_layer),
    NOTHING(tsnn_layer_set_weights, layer_weights),
    NOTHING(tsnn_load_options_init, init_load),
    NOTHING(tsnn_loss_destroy, destroy_loss),
    NOTHING(tsnn_loss_evaluate, loss_evaluate),
    NOTHING(tsnn_loss_options_init, init_loss),
    NOTHING(tsnn_mlp_options_init, init_mlp),
    NOTHING(tsnn_network_destroy, destroy_network),
    NOTHING(tsnn_network_explain, network_explain),
    NOTHING(tsnn_network_get_info, network_info),
    NOTHING(tsnn_network_get_layer, network_layer),
    NOTHING(tsnn_network_set_activation_format, activation_format),
    NOTHING(tsnn_optimizer_destroy, destroy_optimizer),
    NOTHING(tsnn_optimizer_options_init, init_optimizer),
    NOTHING(tsnn_parallel_destroy, destroy_parallel),
    NOTHING(tsnn_parallel_get_info, parallel_info),
    NOTHING(tsnn_parallel_get_log, parallel_log),
    NOTHING(tsnn_parallel_get_worker, parallel_worker),
    NOTHING(tsnn_parallel_options_init, init_parallel),
    NOTHING(tsnn_predictor_classify, predictor_classify),
    NOTHING(tsnn_predictor_destroy, destroy_predictor),
    NOTHING(tsnn_predictor_get_info, predictor_info),
    NOTHING(tsnn_predictor_load_options_init, init_predictor_load),
    NOTHING(tsnn_predictor_options_init, init_predictor),
    NOTHING(tsnn_predictor_predict, predictor_predict),
    NOTHING(tsnn_predictor_run, predictor_run),
    NOTHING(tsnn_predictor_workspace_destroy, destroy_predictor_workspace),
    NOTHING(tsnn_predictor_workspace_error, workspace_error),
    NOTHING(tsnn_predictor_workspace_init, workspace_init),
    NOTHING(tsnn_predictor_workspace_size, workspace_size),
    NOTHING(tsnn_pruning_destroy, destroy_pruning),
    NOTHING(tsnn_pruning_get_map, pruning_map),
    NOTHING(tsnn_pruning_options_init, init_pruning),
    NOTHING(tsnn_publisher_destroy, destroy_publisher),
    NOTHING(tsnn_publisher_get_info, publisher_info),
    NOTHING(tsnn_publisher_options_init, init_publisher),
    NOTHING(tsnn_publisher_publish, publisher_publish),
    NOTHING(tsnn_save_options_init, init_save),
    NOTHING(tsnn_schedule_factor, schedule_factor),
    NOTHING(tsnn_schedule_options_init, init_schedule),
    NOTHING(tsnn_standardizer_apply, standardizer_apply),
    NOTHING(tsnn_standardizer_destroy, destroy_standardizer),
    NOTHING(tsnn_standardizer_get, standardizer_get),
    NOTHING(tsnn_status_string, tell_status),
    NOTHING(tsnn_subscriber_classify, subscriber_classify),
    NOTHING(tsnn_subscriber_destroy, destroy_subscriber),
    NOTHING(tsnn_subscriber_error, subscriber_error),
    NOTHING(tsnn_subscriber_hold, subscriber_hold),
    NOTHING(tsnn_subscriber_predict, subscriber_predict),
    NOTHING(tsnn_subscriber_release, subscriber_release),
    NOTHING(tsnn_subscriber_run, subscriber_run),
    NOTHING(tsnn_trainer_destroy, destroy_trainer),
    NOTHING(tsnn_trainer_options_init, init_trainer),
    NOTHING(tsnn_version_number, tell_version_number),
    NOTHING(tsnn_version_string, tell_version),
    {NULL, NULL, NULL, 0, 0},
};
