/* Thirty training steps follow the double-precision oracle, for every instruction set of the machine. */
#include "suites.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "oracle.h"

#define STEPS 30
#define TOLERANCE 1e-4

#define MAX_LAYERS 4

typedef struct training_case {
    const char *name;
    int64_t layers, sizes[MAX_LAYERS + 1];
    tsnni_test_function functions[MAX_LAYERS];
    double density;
    int32_t loss;
    double smoothing;
    int32_t targets; /* 0: labels, 1: numbers in [0, 1], 2: probabilities */
    tsnni_oracle_rule rule;
    int64_t batch, micro_batch, last_batch; /* last_batch: the epoch's last step; 0: as the others */
    int32_t standardize, freeze;            /* freeze: 1 + a layer; 0: none */
} training_case;

#define SGD(rate, kind, decay)                                                                                         \
    {                                                                                                                  \
        TSNN_OPTIMIZER_SGD, kind, rate, 0, decay, 0                                                                    \
    }
#define MOMENTUM(rate, kind, decay)                                                                                    \
    {                                                                                                                  \
        TSNN_OPTIMIZER_MOMENTUM, kind, rate, .9, decay, 0                                                              \
    }
#define NESTEROV(rate, kind, decay)                                                                                    \
    {                                                                                                                  \
        TSNN_OPTIMIZER_NESTEROV, kind, rate, .9, decay, 0                                                              \
    }
#define DECOUPLED TSNN_DECAY_DECOUPLED
#define L2 TSNN_DECAY_L2
#define PAPER MOMENTUM(.01, DECOUPLED, 2e-4)
#define CE TSNN_LOSS_CROSS_ENTROPY
#define MSE TSNN_LOSS_MEAN_SQUARED_ERROR
#define BCE TSNN_LOSS_BINARY_CROSS_ENTROPY

static const training_case cases[] = {
    /* the paper's settings, and batches of every kind */
    {"paper", 3, {30, 41, 37, 7}, {ALL_RELU, ALL_RELU, SOFTMAX}, .3, CE, 0, 0, PAPER, 33, 0, 0, 0, 0},
    {"batch 1", 3, {30, 41, 37, 7}, {ALL_RELU, ALL_RELU, SOFTMAX}, .3, CE, 0, 0, PAPER, 1, 0, 0, 0, 0},
    {"batch 7", 3, {30, 41, 37, 7}, {ALL_RELU, ALL_RELU, SOFTMAX}, .3, CE, 0, 0, PAPER, 7, 0, 0, 0, 0},
    {"batch 16", 3, {30, 41, 37, 7}, {ALL_RELU, ALL_RELU, SOFTMAX}, .3, CE, 0, 0, PAPER, 16, 0, 0, 0, 0},
    {"batch 130", 3, {30, 41, 37, 7}, {ALL_RELU, ALL_RELU, SOFTMAX}, .3, CE, 0, 0, PAPER, 130, 0, 0, 0, 0},
    {"partial last", 3, {30, 41, 37, 7}, {ALL_RELU, ALL_RELU, SOFTMAX}, .3, CE, 0, 0, PAPER, 33, 0, 5, 0, 0},
    {"full layers", 3, {19, 23, 40, 17}, {ALL_RELU, ALL_RELU, SOFTMAX}, 1, CE, 0, 0, PAPER, 20, 0, 3, 0, 0},
    {"nearly full layers", 3, {19, 23, 40, 5}, {ALL_RELU, TANH, SOFTMAX}, .8, CE, 0, 0, PAPER, 20, 0, 0, 0, 0},
    {"one layer", 1, {50, 3}, {SOFTMAX}, .5, CE, 0, 0, PAPER, 33, 0, 0, 0, 0},
    {"four layers",
     4,
     {20, 30, 30, 30, 4},
     {ALL_RELU, ALL_RELU, ALL_RELU, SOFTMAX},
     .25,
     CE,
     0,
     0,
     PAPER,
     33,
     0,
     0,
     0,
     0},
    {"wide input", 2, {66000, 20, 4}, {ALL_RELU, SOFTMAX}, .02, CE, 0, 0, PAPER, 3, 0, 0, 0, 0},
    {"wide hidden", 2, {9, 66000, 3}, {ALL_RELU, SOFTMAX}, .01, CE, 0, 0, PAPER, 3, 0, 0, 0, 0},
    {"nearly empty layers", 3, {40, 60, 50, 5}, {ALL_RELU, ALL_RELU, SOFTMAX}, .01, CE, 0, 0, PAPER, 33, 0, 0, 0, 0},
    /* optimizers and decay */
    {"sgd", 2, {20, 30, 5}, {TANH, SOFTMAX}, .4, CE, 0, 0, SGD(.1, DECOUPLED, 0), 33, 0, 0, 0, 0},
    {"sgd decoupled", 2, {20, 30, 5}, {TANH, SOFTMAX}, .4, CE, 0, 0, SGD(.1, DECOUPLED, .01), 33, 0, 0, 0, 0},
    {"sgd l2", 2, {20, 30, 5}, {TANH, SOFTMAX}, .4, CE, 0, 0, SGD(.1, L2, .1), 33, 0, 0, 0, 0},
    {"momentum", 2, {20, 30, 5}, {TANH, SOFTMAX}, .4, CE, 0, 0, MOMENTUM(.02, DECOUPLED, 0), 33, 0, 0, 0, 0},
    {"momentum decoupled",
     2,
     {20, 30, 5},
     {TANH, SOFTMAX},
     .4,
     CE,
     0,
     0,
     MOMENTUM(.02, DECOUPLED, .01),
     33,
     0,
     0,
     0,
     0},
    {"momentum l2", 2, {20, 30, 5}, {TANH, SOFTMAX}, .4, CE, 0, 0, MOMENTUM(.02, L2, .1), 33, 0, 0, 0, 0},
    {"nesterov", 2, {20, 30, 5}, {TANH, SOFTMAX}, .4, CE, 0, 0, NESTEROV(.02, DECOUPLED, 0), 33, 0, 0, 0, 0},
    {"nesterov decoupled",
     2,
     {20, 30, 5},
     {TANH, SOFTMAX},
     .4,
     CE,
     0,
     0,
     NESTEROV(.02, DECOUPLED, .01),
     33,
     0,
     0,
     0,
     0},
    {"nesterov l2", 2, {20, 30, 5}, {TANH, SOFTMAX}, .4, CE, 0, 0, NESTEROV(.02, L2, .1), 33, 0, 0, 0, 0},
    /* losses */
    {"smoothing", 2, {20, 30, 5}, {ALL_RELU, SOFTMAX}, .4, CE, .1, 0, PAPER, 33, 0, 0, 0, 0},
    {"probabilities", 2, {20, 30, 5}, {ALL_RELU, SOFTMAX}, .4, CE, 0, 2, PAPER, 33, 0, 0, 0, 0},
    {"mse targets", 2, {20, 30, 5}, {TANH, IDENTITY}, .4, MSE, 0, 1, PAPER, 33, 0, 0, 0, 0},
    {"mse labels", 2, {20, 30, 5}, {RELU, SIGMOID}, .4, MSE, 0, 0, PAPER, 33, 0, 0, 0, 0},
    {"mse softmax", 2, {20, 30, 5}, {LEAKY, SOFTMAX}, .4, MSE, 0, 0, MOMENTUM(.05, L2, 0), 33, 0, 0, 0, 0},
    {"mse all-relu", 2, {20, 30, 5}, {ALL_RELU, ALL_RELU}, .4, MSE, 0, 1, PAPER, 33, 0, 0, 0, 0},
    {"bce targets", 2, {20, 30, 5}, {CUSTOM, SIGMOID}, .4, BCE, 0, 1, MOMENTUM(.05, L2, 0), 33, 0, 0, 0, 0},
    {"bce labels", 2, {20, 30, 5}, {SIGMOID, SIGMOID}, .4, BCE, 0, 0, MOMENTUM(.05, L2, 0), 33, 0, 0, 0, 0},
    {"bce one output", 2, {20, 30, 1}, {TANH, SIGMOID}, .4, BCE, 0, 0, MOMENTUM(.05, L2, 0), 33, 0, 0, 0, 0},
    /* hidden activations */
    {"relu", 3, {20, 30, 25, 5}, {RELU, RELU, SOFTMAX}, .4, CE, 0, 0, PAPER, 33, 0, 0, 0, 0},
    {"leaky relu", 3, {20, 30, 25, 5}, {LEAKY, LEAKY, SOFTMAX}, .4, CE, 0, 0, PAPER, 33, 0, 0, 0, 0},
    {"identity", 3, {20, 30, 25, 5}, {IDENTITY, IDENTITY, SOFTMAX}, .4, CE, 0, 0, PAPER, 33, 0, 0, 0, 0},
    {"sigmoid, tanh", 3, {20, 30, 25, 5}, {SIGMOID, TANH, SOFTMAX}, .4, CE, 0, 0, PAPER, 33, 0, 0, 0, 0},
    {"custom", 3, {20, 30, 25, 5}, {CUSTOM, CUSTOM, SOFTMAX}, .4, CE, 0, 0, PAPER, 33, 0, 0, 0, 0},
    {"hidden softmax",
     3,
     {20, 30, 25, 5},
     {TANH, SOFTMAX, SOFTMAX},
     .4,
     CE,
     0,
     0,
     MOMENTUM(.05, L2, 0),
     33,
     0,
     0,
     0,
     0},
    {"mixed", 3, {20, 30, 25, 5}, {ALL_RELU, SIGMOID, SOFTMAX}, .4, CE, 0, 0, PAPER, 33, 0, 0, 0, 0},
    {"custom output", 2, {20, 30, 5}, {ALL_RELU, CUSTOM}, .4, MSE, 0, 1, PAPER, 33, 0, 0, 0, 0},
    /* the rest of a trainer's options */
    {"micro-batches", 3, {30, 41, 37, 7}, {ALL_RELU, ALL_RELU, SOFTMAX}, .3, CE, 0, 0, PAPER, 33, 10, 0, 0, 0},
    {"micro-batches, nesterov",
     3,
     {30, 41, 37, 7},
     {ALL_RELU, TANH, SOFTMAX},
     .3,
     CE,
     0,
     0,
     NESTEROV(.02, L2, .01),
     48,
     16,
     5,
     0,
     0},
    {"micro-batches, full", 2, {30, 41, 7}, {ALL_RELU, SOFTMAX}, 1, CE, 0, 0, SGD(.1, L2, .01), 32, 1, 0, 0, 0},
    {"standardizer", 3, {30, 41, 37, 7}, {ALL_RELU, ALL_RELU, SOFTMAX}, .3, CE, 0, 0, PAPER, 33, 0, 0, 1, 0},
    {"first frozen", 3, {30, 41, 37, 7}, {ALL_RELU, ALL_RELU, SOFTMAX}, .3, CE, 0, 0, PAPER, 33, 0, 0, 0, 1},
    {"middle frozen", 3, {30, 41, 37, 7}, {ALL_RELU, TANH, SOFTMAX}, .3, CE, 0, 0, PAPER, 33, 0, 0, 0, 2},
    {"last frozen", 3, {30, 41, 37, 7}, {ALL_RELU, ALL_RELU, SOFTMAX}, .3, CE, 0, 0, PAPER, 33, 0, 0, 0, 3},
    {"middle frozen, micro", 3, {30, 41, 37, 7}, {ALL_RELU, TANH, SOFTMAX}, .3, CE, 0, 0, PAPER, 33, 8, 0, 0, 2},
    {"clipping",
     3,
     {30, 41, 37, 7},
     {ALL_RELU, ALL_RELU, SOFTMAX},
     .3,
     CE,
     0,
     0,
     {TSNN_OPTIMIZER_MOMENTUM, DECOUPLED, .05, .9, 2e-4, .5},
     33,
     0,
     0,
     0,
     0},
    {"clipping, micro",
     3,
     {30, 41, 37, 7},
     {ALL_RELU, ALL_RELU, SOFTMAX},
     .3,
     CE,
     0,
     0,
     {TSNN_OPTIMIZER_NESTEROV, DECOUPLED, .05, .9, 2e-4, .5},
     33,
     11,
     0,
     0,
     0},
    {"clipping that never bites",
     3,
     {30, 41, 37, 7},
     {ALL_RELU, ALL_RELU, SOFTMAX},
     .3,
     CE,
     0,
     0,
     {TSNN_OPTIMIZER_SGD, L2, .05, 0, .01, 1e6},
     33,
     0,
     0,
     0,
     0},
};
#define CASE_COUNT ((int)(sizeof cases / sizeof *cases))

typedef struct step_follower {
    const training_case *given;
    tsnni_oracle *oracle;
    const float *features;
    double *targets;
    int64_t sizes, steps, clipped; /* sizes: numbers of a target */
} step_follower;

/* After each step of the library the oracle takes the same one; stops after STEPS. */
static int32_t follow(void *user, const tsnn_step_report *report)
{
    step_follower *follower = user;
    const training_case *given = follower->given;
    int64_t first = (report->step - 1) * given->batch;
    int64_t inputs = given->sizes[0];
    double loss = tsnni_oracle_gradient(follower->oracle, given->loss, follower->features + first * inputs,
                                        follower->targets + first * follower->sizes, report->samples);
    ck_assert_msg(fabs(report->loss - loss) <= TOLERANCE * (fabs(loss) + .01), "%s, step %d: loss %.9g, oracle %.9g",
                  given->name, (int)follower->steps, report->loss, loss);
    ck_assert_double_eq_tol(report->learning_rate, given->rule.rate, 1e-12);
    double norm = tsnni_oracle_norm(follower->oracle);
    if (given->rule.clip_norm > 0.0)
        ck_assert_msg(fabs(report->gradient_norm - norm) <= TOLERANCE * norm, "%s: gradient norm %.9g, oracle %.9g",
                      given->name, report->gradient_norm, norm);
    else
        ck_assert_double_eq(report->gradient_norm, 0.0);
    follower->clipped += given->rule.clip_norm > 0.0 && norm > given->rule.clip_norm;
    tsnni_oracle_update(follower->oracle, &given->rule, 1.0);
    return ++follower->steps >= STEPS;
}

static tsnn_dataset *make_data(tsnn_context *context, const training_case *given)
{
    int64_t samples = given->last_batch > 0 ? 2 * given->batch + given->last_batch : 3 * given->batch;
    int64_t outputs = given->sizes[given->layers];
    return given->targets == 0
               ? tsnni_test_labelled(context, samples, given->sizes[0], outputs > 1 ? outputs : 2, 11)
               : tsnni_test_targeted(context, samples, given->sizes[0], outputs, given->targets == 2, 12);
}

static void run_case(const training_case *given, tsnn_context *context)
{
    tsnn_network *network =
        tsnni_test_network(context, given->layers, given->sizes, given->functions, given->density, 0.0);
    tsnn_dataset *dataset = make_data(context, given);
    tsnn_loss *loss = tsnni_test_loss(context, given->loss, given->smoothing);
    tsnn_optimizer *optimizer =
        tsnni_test_optimizer(context, given->rule.kind, given->rule.rate, given->rule.decay, given->rule.decay_kind);
    if (given->freeze > 0)
        TSNNI_OK(tsnn_layer_freeze(tsnni_test_layer_of(network, given->freeze - 1), 1));
    int64_t outputs = given->sizes[given->layers];
    step_follower follower = {.given = given, .sizes = outputs};
    follower.oracle = tsnni_oracle_create(network, given->functions, given->batch);
    if (given->standardize) {
        tsnn_standardizer *standardizer = NULL;
        TSNNI_OK(tsnn_standardizer_fit(context, dataset, &standardizer));
        TSNNI_OK(tsnn_network_set_standardizer(network, standardizer));
        tsnni_oracle_set_standardizer(follower.oracle, standardizer);
        tsnn_standardizer_destroy(&standardizer);
    }
    tsnn_dataset_info info = TSNN_DATASET_INFO_INIT;
    TSNNI_OK(tsnn_dataset_get_info(dataset, &info));
    follower.features = info.feature_data;
    follower.targets = tsnni_oracle_targets(dataset, outputs);
    tsnni_oracle_smooth(follower.targets, info.samples, outputs, given->smoothing);

    tsnn_trainer_options options = TSNN_TRAINER_OPTIONS_INIT;
    options.network = network;
    options.loss = loss;
    options.optimizer = optimizer;
    options.order = TSNN_IN_ORDER;
    options.epochs = STEPS;
    options.batch = given->batch;
    options.micro_batch = given->micro_batch;
    options.clip_norm = given->rule.clip_norm;
    options.on_step = follow;
    options.user = &follower;
    tsnn_trainer *trainer = NULL;
    TSNNI_OK(tsnn_trainer_create(context, &options, &trainer));
    ck_assert_int_eq(tsnn_trainer_run(trainer, dataset, NULL), TSNN_STOPPED);
    ck_assert_int_eq(follower.steps, STEPS);
    if (given->rule.clip_norm > 0.0 && given->rule.clip_norm < 1.0)
        ck_assert_msg(follower.clipped > 0 && follower.clipped < STEPS,
                      "%s: %d of %d steps clipped; choose another norm", given->name, (int)follower.clipped, STEPS);
    tsnni_oracle_expect(follower.oracle, network, TOLERANCE);

    tsnn_trainer_destroy(&trainer);
    tsnn_optimizer_destroy(&optimizer);
    tsnn_loss_destroy(&loss);
    tsnn_dataset_destroy(&dataset);
    tsnn_network_destroy(&network);
    tsnni_oracle_destroy(follower.oracle);
    free(follower.targets);
}

START_TEST(thirty_steps_follow_the_oracle)
{
    const training_case *given = &cases[_i / TSNNI_ISA_COUNT];
    tsnn_context *context = tsnni_test_context(TSNN_ISA_REF + _i % TSNNI_ISA_COUNT, 1, 3);
    if (context == NULL)
        return;
    run_case(given, context);
    tsnn_context_destroy(&context);
}
END_TEST

START_TEST(several_threads_follow_the_oracle_too)
{
    static const int32_t threads[] = {2, 3, 8};
    for (size_t t = 0; t < sizeof threads / sizeof *threads; t++) {
        tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, threads[t], 3);
        run_case(&cases[_i], context);
        tsnn_context_destroy(&context);
    }
}
END_TEST

/* Predictions come from other code than training's forward pass, so they are compared by themselves. */
START_TEST(predictions_are_the_oracle_s)
{
    const training_case *given = &cases[_i / TSNNI_ISA_COUNT];
    tsnn_context *context = tsnni_test_context(TSNN_ISA_REF + _i % TSNNI_ISA_COUNT, 1, 3);
    if (context == NULL)
        return;
    tsnn_network *network =
        tsnni_test_network(context, given->layers, given->sizes, given->functions, given->density, 0.3);
    tsnn_dataset *dataset = make_data(context, given);
    tsnn_dataset_info info = TSNN_DATASET_INFO_INIT;
    TSNNI_OK(tsnn_dataset_get_info(dataset, &info));
    tsnni_oracle *oracle = tsnni_oracle_create(network, given->functions, info.samples);
    if (given->standardize) {
        tsnn_standardizer *standardizer = NULL;
        TSNNI_OK(tsnn_standardizer_fit(context, dataset, &standardizer));
        TSNNI_OK(tsnn_network_set_standardizer(network, standardizer));
        tsnni_oracle_set_standardizer(oracle, standardizer);
        tsnn_standardizer_destroy(&standardizer);
    }
    int64_t outputs = given->sizes[given->layers], numbers = info.samples * outputs;
    const double *expected = tsnni_oracle_forward(oracle, info.feature_data, info.samples);
    float *predicted = tsnni_test_array(numbers, sizeof *predicted);
    TSNNI_OK(tsnn_network_predict(network, info.feature_data, info.samples, predicted, numbers));
    for (int64_t k = 0; k < numbers; k++)
        ck_assert_msg(fabs(predicted[k] - expected[k]) <= 1e-5 * (fabs(expected[k]) + .1),
                      "%s: output %d is %.9g, oracle %.9g", given->name, (int)k, (double)predicted[k], expected[k]);

    tsnn_loss *loss = tsnni_test_loss(context, given->loss, given->smoothing);
    double *targets = tsnni_oracle_targets(dataset, outputs); /* without smoothing: evaluation has none */
    double expected_loss = tsnni_oracle_loss(given->loss, expected, targets, info.samples, outputs);
    tsnn_evaluation evaluation = TSNN_EVALUATION_INIT;
    TSNNI_OK(tsnn_network_evaluate(network, loss, dataset, &evaluation));
    ck_assert_double_eq_tol(evaluation.loss, expected_loss, 1e-5 * (1.0 + expected_loss));
    ck_assert_int_eq(evaluation.samples, info.samples);
    free(targets);
    free(predicted);
    tsnni_oracle_destroy(oracle);
    tsnn_loss_destroy(&loss);
    tsnn_dataset_destroy(&dataset);
    tsnn_network_destroy(&network);
    tsnn_context_destroy(&context);
}
END_TEST

Suite *tsnni_suite_oracle(void)
{
    Suite *suite = suite_create("oracle");
    TCase *training = tcase_create("training");
    tcase_set_timeout(training, 60);
    tcase_add_loop_test(training, thirty_steps_follow_the_oracle, 0, CASE_COUNT * TSNNI_ISA_COUNT);
    tcase_add_loop_test(training, several_threads_follow_the_oracle_too, 0, tsnni_test_all() ? CASE_COUNT : 8);
    suite_add_tcase(suite, training);
    TCase *prediction = tcase_create("prediction");
    tcase_set_timeout(prediction, 60);
    tcase_add_loop_test(prediction, predictions_are_the_oracle_s, 0, CASE_COUNT * TSNNI_ISA_COUNT);
    suite_add_tcase(suite, prediction);
    return suite;
}
