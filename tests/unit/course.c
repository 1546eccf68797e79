/* Courses of training. */
#include "course.h"

#define ALL_RELU                                                                                                       \
    {                                                                                                                  \
        TSNN_ACTIVATION_ALL_RELU, .6                                                                                   \
    }
#define SOFTMAX                                                                                                        \
    {                                                                                                                  \
        TSNN_ACTIVATION_SOFTMAX, 0                                                                                     \
    }

static const int64_t small_sizes[] = {12, 20, 15, 4};
static const tsnni_test_function small_functions[] = {ALL_RELU, ALL_RELU, SOFTMAX};

tsnni_course tsnni_course_create(tsnn_context *context, tsnn_network *network, tsnn_dataset *train, int32_t loss,
                                 double rate)
{
    tsnni_course course = {.context = context, .network = network, .train = train};
    course.loss = tsnni_test_loss(context, loss, 0.0);
    course.optimizer = tsnni_test_optimizer(context, TSNN_OPTIMIZER_MOMENTUM, rate, 0.0, 0);
    course.options = (tsnn_trainer_options)TSNN_TRAINER_OPTIONS_INIT;
    course.options.network = network;
    course.options.loss = course.loss;
    course.options.optimizer = course.optimizer;
    return course;
}

void tsnni_course_add_evolution(tsnni_course *course, double zeta)
{
    tsnn_evolution_options options = TSNN_EVOLUTION_OPTIONS_INIT;
    options.zeta = zeta;
    TSNNI_OK(tsnn_evolution_create(course->context, &options, &course->evolution));
    course->options.evolution = course->evolution;
}

void tsnni_course_add_pruning(tsnni_course *course, double percentile, int64_t first, int64_t every)
{
    tsnn_pruning_options options = TSNN_PRUNING_OPTIONS_INIT;
    options.percentile = percentile;
    options.first_epoch = first;
    options.every_epochs = every;
    TSNNI_OK(tsnn_pruning_create(course->context, &options, &course->pruning));
    course->options.pruning = course->pruning;
}

void tsnni_course_start(tsnni_course *course)
{
    TSNNI_OK(tsnn_trainer_create(course->context, &course->options, &course->trainer));
}

void tsnni_course_free(tsnni_course *course)
{
    tsnn_trainer_destroy(&course->trainer);
    tsnn_evolution_destroy(&course->evolution);
    tsnn_pruning_destroy(&course->pruning);
    tsnn_dataset_destroy(&course->train);
    tsnn_dataset_destroy(&course->validation);
    tsnn_optimizer_destroy(&course->optimizer);
    tsnn_loss_destroy(&course->loss);
    tsnn_network_destroy(&course->network);
    tsnn_context_destroy(&course->context);
}

tsnni_course tsnni_course_small(uint64_t seed, int64_t samples, double dropout)
{
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, seed);
    tsnn_network *network = tsnni_test_network(context, 3, small_sizes, small_functions, 0.4, dropout);
    return tsnni_course_create(context, network, tsnni_test_labelled(context, samples, 12, 4, 5),
                               TSNN_LOSS_CROSS_ENTROPY, 0.02);
}

tsnni_test_bytes tsnni_course_bytes(tsnn_network *network)
{
    tsnni_test_bytes bytes = {0};
    tsnni_test_bytes_add_network(&bytes, network);
    return bytes;
}
