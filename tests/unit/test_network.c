/* Networks: how they are put together, copied, and what they say about samples. */
#include "suites.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "oracle.h"

#define ALL_RELU                                                                                                       \
    {                                                                                                                  \
        TSNN_ACTIVATION_ALL_RELU, .6                                                                                   \
    }
#define TANH                                                                                                           \
    {                                                                                                                  \
        TSNN_ACTIVATION_TANH, 0                                                                                        \
    }
#define SOFTMAX                                                                                                        \
    {                                                                                                                  \
        TSNN_ACTIVATION_SOFTMAX, 0                                                                                     \
    }
#define IDENTITY                                                                                                       \
    {                                                                                                                  \
        TSNN_ACTIVATION_IDENTITY, 0                                                                                    \
    }

static tsnn_context *context;

static void setup(void)
{
    context = tsnni_test_context(TSNN_ISA_AUTO, 2, 21);
}

static void teardown(void)
{
    tsnn_context_destroy(&context);
}

static const int64_t small_sizes[] = {12, 20, 15, 4};
static const tsnni_test_function small_functions[] = {ALL_RELU, TANH, SOFTMAX};

static tsnn_network *small_network(double dropout)
{
    return tsnni_test_network(context, 3, small_sizes, small_functions, 0.4, dropout);
}

static float *random_features(int64_t count, uint64_t seed)
{
    tsnni_test_random random = {seed};
    float *features = tsnni_test_array(count, sizeof *features);
    for (int64_t k = 0; k < count; k++)
        features[k] = (float)tsnni_test_uniform(&random, -2.0, 2.0);
    return features;
}

/* ---- putting together ---- */

START_TEST(append_takes_the_layer_over)
{
    tsnn_network *network = NULL;
    TSNNI_OK(tsnn_network_create(context, &network));
    ck_assert_int_eq(tsnni_test_network_size(network).layers, 0);
    ck_assert_int_eq(tsnni_test_network_size(network).inputs, 0);
    int64_t connections = 0;
    for (int l = 0; l < 20; l++) {
        tsnn_layer *layer = tsnni_test_layer(context, 10 + l, 11 + l, 0.5), *given = layer;
        connections += tsnni_test_layer_size(layer).connections;
        TSNNI_OK(tsnn_network_append(network, &layer, NULL, 0.0));
        ck_assert_ptr_null(layer);
        ck_assert_ptr_eq(tsnni_test_layer_of(network, l), given);
    }
    tsnn_network_info info = tsnni_test_network_size(network);
    ck_assert_int_eq(info.layers, 20);
    ck_assert_int_eq(info.inputs, 10);
    ck_assert_int_eq(info.outputs, 30);
    ck_assert_int_eq(info.neurons, 20 * (11 + 30) / 2);
    ck_assert_int_eq(info.connections, connections);
    int64_t bytes = 0;
    for (int l = 0; l < 20; l++)
        bytes += tsnni_test_layer_size(tsnni_test_layer_of(network, l)).bytes;
    ck_assert_int_eq(info.bytes, bytes);
    tsnn_network_destroy(&network);
}
END_TEST

START_TEST(the_caller_keeps_a_layer_that_is_refused)
{
    tsnn_network *network = small_network(0.0);
    tsnn_layer *layer = tsnni_test_layer(context, 5, 5, 0.5), *given = layer;
    TSNNI_REFUSED(context, TSNN_ERROR_SHAPE, tsnn_network_append(network, &layer, NULL, 0.0));
    tsnni_test_expect_text(context, "5");
    tsnni_test_expect_text(context, "4");
    tsnn_layer *fitting = tsnni_test_layer(context, 4, 5, 0.5);
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_network_append(network, &fitting, NULL, 1.0));
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_network_append(network, &fitting, NULL, -0.1));
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_network_append(network, &fitting, NULL, NAN));
    ck_assert_ptr_eq(layer, given);
    ck_assert_int_eq(tsnni_test_network_size(network).layers, 3);
    TSNNI_OK(tsnn_network_append(network, &fitting, NULL, 0.5));
    tsnn_layer_destroy(&layer);
    tsnn_network_destroy(&network);
}
END_TEST

START_TEST(a_layer_of_another_context_is_refused)
{
    tsnn_context *other = tsnni_test_context(TSNN_ISA_AUTO, 1, 1);
    tsnn_network *network = small_network(0.0);
    tsnn_layer *layer = tsnni_test_layer(other, 4, 5, 0.5);
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_network_append(network, &layer, NULL, 0.0));
    ck_assert_ptr_nonnull(layer);
    tsnn_layer_destroy(&layer);
    tsnn_network_destroy(&network);
    tsnn_context_destroy(&other);
}
END_TEST

START_TEST(a_layer_that_is_in_a_network_is_refused)
{
    /* inputs equal outputs, so that only ownership speaks against it */
    static const int64_t sizes[] = {6, 6, 6};
    static const tsnni_test_function functions[] = {TANH, TANH};
    tsnn_network *network = tsnni_test_network(context, 2, sizes, functions, 0.5, 0.0), *other = NULL;
    TSNNI_OK(tsnn_network_create(context, &other));
    tsnn_layer *layer = tsnni_test_layer_of(network, 0);
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_network_append(network, &layer, NULL, 0.0));
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_network_append(other, &layer, NULL, 0.0));
    ck_assert_ptr_nonnull(layer);
    tsnn_network_destroy(&other);
    tsnn_network_destroy(&network);
}
END_TEST

START_TEST(a_lent_layer_cannot_be_destroyed)
{
    tsnn_network *network = small_network(0.0);
    tsnn_layer *lent = tsnni_test_layer_of(network, 1), *same = lent;
    tsnn_layer_destroy(&lent);
    ck_assert_ptr_eq(lent, same);
    ck_assert_int_eq(tsnni_test_layer_size(lent).inputs, 20);
    tsnn_network_destroy(&network);
}
END_TEST

START_TEST(a_perceptron_has_the_shape_that_was_asked_for)
{
    static const int64_t sizes[] = {784, 300, 200, 10};
    tsnn_mlp_options options = TSNN_MLP_OPTIONS_INIT;
    options.sizes = sizes;
    options.size_count = 4;
    options.epsilon = 5.0;
    options.sampling = TSNN_SAMPLING_EXACT;
    tsnn_network *network = NULL;
    TSNNI_OK(tsnn_network_create_mlp(context, &options, &network));
    tsnn_network_info info = tsnni_test_network_size(network);
    ck_assert_int_eq(info.layers, 3);
    ck_assert_int_eq(info.inputs, 784);
    ck_assert_int_eq(info.outputs, 10);
    ck_assert_int_eq(info.neurons, 510);
    int64_t expected = 5 * (784 + 300) + 5 * (300 + 200) + 5 * (200 + 10);
    ck_assert_int_eq(info.connections, expected);
    for (int64_t l = 0; l < 3; l++) {
        tsnn_layer_info layer = tsnni_test_layer_size(tsnni_test_layer_of(network, l));
        ck_assert_int_eq(layer.inputs, sizes[l]);
        ck_assert_int_eq(layer.outputs, sizes[l + 1]);
    }
    tsnn_network_destroy(&network);
}
END_TEST

START_TEST(a_perceptron_s_defaults_are_all_relu_and_softmax)
{
    static const int64_t sizes[] = {12, 20, 15, 4};
    tsnn_mlp_options options = TSNN_MLP_OPTIONS_INIT;
    options.sizes = sizes;
    options.size_count = 4;
    tsnn_network *network = NULL;
    TSNNI_OK(tsnn_network_create_mlp(context, &options, &network));
    static const tsnni_test_function functions[] = {ALL_RELU, ALL_RELU, SOFTMAX};
    tsnni_oracle *oracle = tsnni_oracle_create(network, functions, 10);
    float *features = random_features(120, 3), outputs[40];
    const double *expected = tsnni_oracle_forward(oracle, features, 10);
    TSNNI_OK(tsnn_network_predict(network, features, 10, outputs, 40));
    for (int k = 0; k < 40; k++)
        ck_assert_double_eq_tol(outputs[k], expected[k], 1e-6);
    free(features);
    tsnni_oracle_destroy(oracle);
    tsnn_network_destroy(&network);
}
END_TEST

START_TEST(a_perceptron_takes_the_given_activations)
{
    static const int64_t sizes[] = {12, 20, 15, 4};
    tsnn_activation *hidden = tsnni_test_activation(context, (tsnni_test_function)TANH);
    tsnn_activation *output = tsnni_test_activation(context, (tsnni_test_function){TSNN_ACTIVATION_SIGMOID, 0});
    tsnn_mlp_options options = TSNN_MLP_OPTIONS_INIT;
    options.sizes = sizes;
    options.size_count = 4;
    options.hidden = hidden;
    options.output = output;
    options.dropout = 0.5; /* nothing changes at inference */
    tsnn_network *network = NULL;
    TSNNI_OK(tsnn_network_create_mlp(context, &options, &network));
    tsnn_activation_destroy(&hidden); /* copied */
    tsnn_activation_destroy(&output);
    static const tsnni_test_function functions[] = {TANH, TANH, {TSNN_ACTIVATION_SIGMOID, 0}};
    tsnni_oracle *oracle = tsnni_oracle_create(network, functions, 10);
    float *features = random_features(120, 3), outputs[40];
    const double *expected = tsnni_oracle_forward(oracle, features, 10);
    TSNNI_OK(tsnn_network_predict(network, features, 10, outputs, 40));
    for (int k = 0; k < 40; k++)
        ck_assert_double_eq_tol(outputs[k], expected[k], 1e-6);
    free(features);
    tsnni_oracle_destroy(oracle);
    tsnn_network_destroy(&network);
}
END_TEST

/* ---- copies ---- */

static void train_a_little(tsnn_network *network, int64_t steps)
{
    tsnn_dataset *dataset = tsnni_test_labelled(context, 32, 12, 4, 3);
    tsnn_loss *loss = tsnni_test_loss(context, TSNN_LOSS_CROSS_ENTROPY, 0.0);
    tsnn_optimizer *optimizer = tsnni_test_optimizer(context, TSNN_OPTIMIZER_MOMENTUM, 0.1, 0.0, 0);
    tsnn_trainer_options options = TSNN_TRAINER_OPTIONS_INIT;
    options.network = network;
    options.loss = loss;
    options.optimizer = optimizer;
    tsnn_trainer *trainer = NULL;
    TSNNI_OK(tsnn_trainer_create(context, &options, &trainer));
    for (int64_t s = 0; s < steps; s++)
        TSNNI_OK(tsnn_trainer_step(trainer, dataset, NULL, 32, 1.0, NULL));
    tsnn_trainer_destroy(&trainer);
    tsnn_optimizer_destroy(&optimizer);
    tsnn_loss_destroy(&loss);
    tsnn_dataset_destroy(&dataset);
}

static tsnni_test_bytes bytes_of(tsnn_network *network)
{
    tsnni_test_bytes bytes = {0};
    tsnni_test_bytes_add_network(&bytes, network);
    return bytes;
}

START_TEST(a_copy_is_equal_and_independent)
{
    tsnn_network *network = small_network(0.25), *copy = NULL;
    train_a_little(network, 3);
    TSNNI_OK(tsnn_layer_freeze(tsnni_test_layer_of(network, 1), 1));
    TSNNI_OK(tsnn_network_copy(network, &copy));
    tsnni_test_bytes before = bytes_of(network), copied = bytes_of(copy);
    ck_assert(tsnni_test_bytes_equal(&before, &copied));
    train_a_little(copy, 3);
    tsnni_test_bytes after = bytes_of(network), trained = bytes_of(copy);
    ck_assert(tsnni_test_bytes_equal(&before, &after));
    ck_assert(!tsnni_test_bytes_equal(&copied, &trained));
    /* the original, trained the same way, comes out the same: dropout and momentum are copied too */
    train_a_little(network, 3);
    tsnni_test_bytes same = bytes_of(network);
    ck_assert(tsnni_test_bytes_equal(&same, &trained));
    tsnn_network_destroy(&network);
    float *features = random_features(12, 1), outputs[4];
    TSNNI_OK(tsnn_network_predict(copy, features, 1, outputs, 4)); /* lives on without it */
    free(features);
    tsnni_test_bytes_free(&before);
    tsnni_test_bytes_free(&copied);
    tsnni_test_bytes_free(&after);
    tsnni_test_bytes_free(&trained);
    tsnni_test_bytes_free(&same);
    tsnn_network_destroy(&copy);
}
END_TEST

START_TEST(a_copy_has_the_standardizer_and_an_empty_network_can_be_copied)
{
    tsnn_network *network = small_network(0.0), *copy = NULL;
    tsnn_dataset *dataset = tsnni_test_labelled(context, 50, 12, 4, 9);
    tsnn_standardizer *standardizer = NULL;
    TSNNI_OK(tsnn_standardizer_fit(context, dataset, &standardizer));
    TSNNI_OK(tsnn_network_set_standardizer(network, standardizer));
    TSNNI_OK(tsnn_network_copy(network, &copy));
    float *features = random_features(120, 1), a[40], b[40];
    TSNNI_OK(tsnn_network_predict(network, features, 10, a, 40));
    TSNNI_OK(tsnn_network_predict(copy, features, 10, b, 40));
    ck_assert_mem_eq(a, b, sizeof a);
    TSNNI_OK(tsnn_network_set_standardizer(copy, NULL));
    TSNNI_OK(tsnn_network_predict(copy, features, 10, b, 40));
    ck_assert_mem_ne(a, b, sizeof a);
    free(features);
    tsnn_network_destroy(&network);
    tsnn_network_destroy(&copy);
    TSNNI_OK(tsnn_network_create(context, &network));
    TSNNI_OK(tsnn_network_copy(network, &copy));
    ck_assert_int_eq(tsnni_test_network_size(copy).layers, 0);
    tsnn_layer *layer = tsnni_test_layer(context, 3, 3, 1.0);
    TSNNI_OK(tsnn_network_append(copy, &layer, NULL, 0.0));
    tsnn_network_destroy(&network);
    tsnn_network_destroy(&copy);
    tsnn_standardizer_destroy(&standardizer);
    tsnn_dataset_destroy(&dataset);
}
END_TEST

/* ---- inference ---- */

START_TEST(how_samples_are_split_does_not_change_a_bit)
{
    for (int32_t isa = TSNN_ISA_REF; isa <= TSNN_ISA_NEON; isa++) {
        tsnn_context *own = tsnni_test_context(isa, 1, 4);
        if (own == NULL)
            continue;
        /* sparse or full, and large enough for threads to share */
        static const int64_t sizes[] = {12, 200, 150, 9};
        static const tsnni_test_function functions[] = {ALL_RELU, TANH, SOFTMAX};
        for (int full = 0; full < 2; full++) {
            tsnn_network *network = tsnni_test_network(own, 3, sizes, functions, full ? 1.0 : 0.3, 0.0);
            float *features = random_features(300 * 12, 8);
            float *whole = tsnni_test_array(300 * 9, sizeof *whole), *part = tsnni_test_array(300 * 9, sizeof *part);
            TSNNI_OK(tsnn_network_predict(network, features, 300, whole, 300 * 9));
            static const int64_t splits[] = {1, 2, 7, 15, 16, 17, 33, 128, 129, 299};
            for (size_t s = 0; s < sizeof splits / sizeof *splits; s++) {
                for (int64_t first = 0; first < 300; first += splits[s]) {
                    int64_t count = 300 - first < splits[s] ? 300 - first : splits[s];
                    TSNNI_OK(tsnn_network_predict(network, features + 12 * first, count, part + 9 * first, 9 * count));
                }
                ck_assert_mem_eq(part, whole, 300 * 9 * sizeof *part);
            }
            for (int32_t threads = 2; threads < 9; threads += 3) {
                TSNNI_OK(tsnn_context_set_threads(own, threads));
                TSNNI_OK(tsnn_network_predict(network, features, 300, part, 300 * 9));
                ck_assert_mem_eq(part, whole, 300 * 9 * sizeof *part);
            }
            free(features);
            free(whole);
            free(part);
            tsnn_network_destroy(&network);
        }
        tsnn_context_destroy(&own);
    }
}
END_TEST

START_TEST(prediction_leaves_what_is_beyond_the_outputs_alone)
{
    tsnn_network *network = small_network(0.0);
    float *features = random_features(12 * 5, 2), outputs[24];
    int32_t labels[8];
    for (int k = 0; k < 24; k++)
        outputs[k] = 7.0f;
    for (int k = 0; k < 8; k++)
        labels[k] = 77;
    TSNNI_OK(tsnn_network_predict(network, features, 5, outputs, 24));
    TSNNI_OK(tsnn_network_classify(network, features, 5, labels, 8));
    for (int k = 20; k < 24; k++)
        ck_assert_float_eq(outputs[k], 7.0f);
    for (int k = 5; k < 8; k++)
        ck_assert_int_eq(labels[k], 77);
    TSNNI_OK(tsnn_network_predict(network, features, 0, NULL, 0));
    TSNNI_OK(tsnn_network_classify(network, NULL, 0, labels, 8));
    free(features);
    tsnn_network_destroy(&network);
}
END_TEST

/* One full layer with these weights (row-major, inputs x outputs) and zero biases. */
static tsnn_network *given_network(int64_t inputs, int64_t outputs, const float *weights, int32_t kind)
{
    tsnn_layer *layer = tsnni_test_layer(context, inputs, outputs, 1.0);
    float *zeros = tsnni_test_array(outputs, sizeof *zeros);
    TSNNI_OK(tsnn_layer_set_weights(layer, weights, inputs * outputs, zeros, outputs));
    free(zeros);
    tsnn_network *network = NULL;
    tsnn_activation *activation = tsnni_test_activation(context, (tsnni_test_function){kind, 0});
    TSNNI_OK(tsnn_network_create(context, &network));
    TSNNI_OK(tsnn_network_append(network, &layer, activation, 0.0));
    tsnn_activation_destroy(&activation);
    return network;
}

START_TEST(the_first_of_equal_outputs_is_the_class)
{
    /* the outputs are the inputs */
    static const float unit[] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
    static const float features[] = {1, 1, 1, 0, 2, 2, -1, -1, 0, 3, 2, 3, -5, -4, -4};
    static const int32_t expected[] = {0, 1, 2, 0, 1};
    static const int32_t kinds[] = {TSNN_ACTIVATION_IDENTITY, TSNN_ACTIVATION_SOFTMAX};
    for (int k = 0; k < 2; k++) {
        tsnn_network *network = given_network(3, 3, unit, kinds[k]);
        int32_t labels[5];
        TSNNI_OK(tsnn_network_classify(network, features, 5, labels, 5));
        ck_assert_mem_eq(labels, expected, sizeof expected);
        tsnn_network_destroy(&network);
    }
}
END_TEST

START_TEST(a_single_output_is_class_1_from_one_half)
{
    static const float unit[] = {1.0f};
    static const float features[] = {0.0f, 0.499f, 0.5f, 0.501f, 7.0f, -3.0f};
    static const int32_t expected[] = {0, 0, 1, 1, 1, 0};
    int32_t labels[6];
    tsnn_network *network = given_network(1, 1, unit, TSNN_ACTIVATION_IDENTITY);
    TSNNI_OK(tsnn_network_classify(network, features, 6, labels, 6));
    ck_assert_mem_eq(labels, expected, sizeof expected);
    /* sigmoid(0) is one half */
    static const float around[] = {-0.01f, 0.0f, 0.01f};
    static const int32_t around_expected[] = {0, 1, 1};
    tsnn_network *sigmoid = given_network(1, 1, unit, TSNN_ACTIVATION_SIGMOID);
    TSNNI_OK(tsnn_network_classify(sigmoid, around, 3, labels, 3));
    ck_assert_mem_eq(labels, around_expected, sizeof around_expected);
    tsnn_network_destroy(&network);
    tsnn_network_destroy(&sigmoid);
}
END_TEST

START_TEST(evaluation_counts_every_sample)
{
    tsnn_network *network = small_network(0.3);
    tsnn_loss *loss = tsnni_test_loss(context, TSNN_LOSS_CROSS_ENTROPY, 0.2);
    static const int64_t counts[] = {1, 15, 16, 17, 127, 128, 129, 300};
    for (int c = 0; c < 8; c++) {
        tsnn_dataset *dataset = tsnni_test_labelled(context, counts[c], 12, 4, 40 + (uint64_t)c);
        tsnn_dataset_info info = TSNN_DATASET_INFO_INIT;
        TSNNI_OK(tsnn_dataset_get_info(dataset, &info));
        float *outputs = tsnni_test_array(4 * counts[c], sizeof *outputs);
        int32_t *labels = tsnni_test_array(counts[c], sizeof *labels);
        TSNNI_OK(tsnn_network_predict(network, info.feature_data, counts[c], outputs, 4 * counts[c]));
        TSNNI_OK(tsnn_network_classify(network, info.feature_data, counts[c], labels, counts[c]));
        int64_t correct = 0;
        double expected = 0.0;
        for (int64_t n = 0; n < counts[c]; n++) {
            correct += labels[n] == info.labels[n];
            expected -= log((double)outputs[4 * n + info.labels[n]]) / (double)counts[c];
        }
        tsnn_evaluation evaluation = TSNN_EVALUATION_INIT;
        TSNNI_OK(tsnn_network_evaluate(network, loss, dataset, &evaluation));
        ck_assert_int_eq(evaluation.samples, counts[c]);
        ck_assert_int_eq(evaluation.correct, correct);
        ck_assert_double_eq_tol(evaluation.accuracy, (double)correct / (double)counts[c], 1e-12);
        ck_assert_double_eq_tol(evaluation.loss, expected, 1e-6);
        TSNNI_OK(tsnn_network_evaluate(network, NULL, dataset, &evaluation));
        ck_assert_int_eq(evaluation.correct, correct);
        ck_assert_double_eq(evaluation.loss, 0.0);
        free(outputs);
        free(labels);
        tsnn_dataset_destroy(&dataset);
    }
    tsnn_loss_destroy(&loss);
    tsnn_network_destroy(&network);
}
END_TEST

START_TEST(evaluation_of_targets_has_a_loss_and_no_accuracy)
{
    tsnn_network *network = small_network(0.0);
    tsnn_loss *loss = tsnni_test_loss(context, TSNN_LOSS_MEAN_SQUARED_ERROR, 0.0);
    tsnn_dataset *dataset = tsnni_test_targeted(context, 77, 12, 4, 1, 3);
    tsnn_dataset_info info = TSNN_DATASET_INFO_INIT;
    TSNNI_OK(tsnn_dataset_get_info(dataset, &info));
    float outputs[77 * 4];
    double expected = 0.0;
    TSNNI_OK(tsnn_network_predict(network, info.feature_data, 77, outputs, 77 * 4));
    TSNNI_OK(tsnn_loss_evaluate(loss, outputs, 77, 4, NULL, info.targets, &expected));
    tsnn_evaluation evaluation = TSNN_EVALUATION_INIT;
    TSNNI_OK(tsnn_network_evaluate(network, loss, dataset, &evaluation));
    ck_assert_int_eq(evaluation.samples, 77);
    ck_assert_int_eq(evaluation.correct, 0);
    ck_assert_double_eq(evaluation.accuracy, 0.0);
    ck_assert_double_eq_tol(evaluation.loss, expected, 1e-6);
    tsnn_dataset_destroy(&dataset);
    tsnn_loss_destroy(&loss);
    tsnn_network_destroy(&network);
}
END_TEST

START_TEST(a_standardizer_in_the_network_is_as_good_as_standardised_data)
{
    tsnn_network *raw = small_network(0.0), *plain = NULL;
    TSNNI_OK(tsnn_network_copy(raw, &plain));
    tsnn_dataset *dataset = tsnni_test_labelled(context, 90, 12, 4, 6);
    tsnn_dataset_info info = TSNN_DATASET_INFO_INIT;
    TSNNI_OK(tsnn_dataset_get_info(dataset, &info));
    tsnn_standardizer *standardizer = NULL;
    TSNNI_OK(tsnn_standardizer_fit(context, dataset, &standardizer));
    TSNNI_OK(tsnn_network_set_standardizer(raw, standardizer));
    float outputs[2][90 * 4];
    tsnn_evaluation evaluations[2] = {TSNN_EVALUATION_INIT, TSNN_EVALUATION_INIT};
    tsnn_loss *loss = tsnni_test_loss(context, TSNN_LOSS_CROSS_ENTROPY, 0.0);
    TSNNI_OK(tsnn_network_predict(raw, info.feature_data, 90, outputs[0], 90 * 4));
    TSNNI_OK(tsnn_network_evaluate(raw, loss, dataset, &evaluations[0]));
    TSNNI_OK(tsnn_dataset_standardize(dataset, standardizer));
    tsnn_standardizer_destroy(&standardizer); /* the network has its copy */
    TSNNI_OK(tsnn_dataset_get_info(dataset, &info));
    TSNNI_OK(tsnn_network_predict(plain, info.feature_data, 90, outputs[1], 90 * 4));
    TSNNI_OK(tsnn_network_evaluate(plain, loss, dataset, &evaluations[1]));
    for (int k = 0; k < 90 * 4; k++)
        ck_assert_float_eq_tol(outputs[0][k], outputs[1][k], 1e-6f);
    ck_assert_double_eq_tol(evaluations[0].loss, evaluations[1].loss, 1e-6);
    ck_assert_int_eq(evaluations[0].correct, evaluations[1].correct);
    tsnn_loss_destroy(&loss);
    tsnn_dataset_destroy(&dataset);
    tsnn_network_destroy(&raw);
    tsnn_network_destroy(&plain);
}
END_TEST

START_TEST(a_replaced_standardizer_is_the_one_that_counts)
{
    static const float zeros[12] = {0}, ones[12] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    float halves[12];
    for (int f = 0; f < 12; f++)
        halves[f] = 0.5f;
    tsnn_network *network = small_network(0.0);
    tsnn_standardizer *plain = NULL, *doubling = NULL;
    TSNNI_OK(tsnn_standardizer_create(context, 12, zeros, ones, &plain));
    TSNNI_OK(tsnn_standardizer_create(context, 12, zeros, halves, &doubling));
    float *features = random_features(12, 4), before[4], after[4];
    TSNNI_OK(tsnn_network_predict(network, features, 1, before, 4));
    TSNNI_OK(tsnn_network_set_standardizer(network, doubling));
    TSNNI_OK(tsnn_network_predict(network, features, 1, after, 4));
    ck_assert_mem_ne(before, after, sizeof before);
    TSNNI_OK(tsnn_network_set_standardizer(network, plain));
    TSNNI_OK(tsnn_network_predict(network, features, 1, after, 4));
    for (int k = 0; k < 4; k++)
        ck_assert_float_eq_tol(before[k], after[k], 1e-6f);
    free(features);
    tsnn_standardizer_destroy(&plain);
    tsnn_standardizer_destroy(&doubling);
    tsnn_network_destroy(&network);
}
END_TEST

START_TEST(outputs_that_are_not_finite_are_written_and_told)
{
    enum { SAMPLES = 300 };
    tsnn_network *network = tsnni_test_overflowing_network(context);
    float features[SAMPLES * 2] = {0}, outputs[SAMPLES * 2], targets[SAMPLES * 2] = {0};
    int32_t labels[SAMPLES];
    for (int n = 0; n < SAMPLES; n++)
        features[2 * n] = (float)n;
    TSNNI_OK(tsnn_network_predict(network, features, SAMPLES, outputs, SAMPLES * 2));
    features[2 * 290 + 1] = 1.0f;
    features[2 * 200 + 1] = -1.0f;
    TSNNI_REFUSED(context, TSNN_ERROR_NOT_FINITE,
                  tsnn_network_predict(network, features, SAMPLES, outputs, SAMPLES * 2));
    tsnni_test_expect_text(context, "sample 200: output 1 is -inf");
    for (int n = 0; n < SAMPLES; n++) {
        ck_assert(outputs[2 * n] == (float)n);
        ck_assert_int_eq(!isfinite(outputs[2 * n + 1]), n == 200 || n == 290);
    }
    TSNNI_REFUSED(context, TSNN_ERROR_NOT_FINITE, tsnn_network_classify(network, features, SAMPLES, labels, SAMPLES));
    ck_assert_int_eq(labels[290], 1);

    tsnn_dataset *dataset = NULL;
    tsnn_dataset_options options = TSNN_DATASET_OPTIONS_INIT;
    options.samples = SAMPLES;
    options.features = 2;
    options.feature_data = features;
    options.target_size = 2;
    options.targets = targets;
    TSNNI_OK(tsnn_dataset_create(context, &options, &dataset));
    tsnn_loss *loss = NULL;
    tsnn_loss_options kind = TSNN_LOSS_OPTIONS_INIT;
    kind.kind = TSNN_LOSS_MEAN_SQUARED_ERROR;
    TSNNI_OK(tsnn_loss_create(context, &kind, &loss));
    tsnn_evaluation evaluation = TSNN_EVALUATION_INIT;
    TSNNI_REFUSED(context, TSNN_ERROR_NOT_FINITE, tsnn_network_evaluate(network, loss, dataset, &evaluation));
    ck_assert_int_eq(evaluation.samples, SAMPLES);
    ck_assert(isinf(evaluation.loss));
    TSNNI_REFUSED(context, TSNN_ERROR_NOT_FINITE, tsnn_network_evaluate(network, NULL, dataset, &evaluation));
    tsnn_loss_destroy(&loss);
    tsnn_dataset_destroy(&dataset);
    tsnn_network_destroy(&network);
}
END_TEST

START_TEST(softmax_outputs_sum_to_one_even_for_huge_numbers)
{
    static const float unit[] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
    static const float features[] = {1e4f, -1e4f, 0, 3e38f, 3e38f, 0, -3e38f, -3e38f, -3e38f};
    tsnn_network *network = given_network(3, 3, unit, TSNN_ACTIVATION_SOFTMAX);
    float outputs[9];
    TSNNI_OK(tsnn_network_predict(network, features, 3, outputs, 9));
    for (int n = 0; n < 3; n++)
        ck_assert_float_eq_tol(outputs[3 * n] + outputs[3 * n + 1] + outputs[3 * n + 2], 1.0f, 1e-6f);
    ck_assert_float_eq(outputs[0], 1.0f);
    ck_assert_float_eq_tol(outputs[3], 0.5f, 1e-6f);
    tsnn_network_destroy(&network);
}
END_TEST

Suite *tsnni_suite_network(void)
{
    Suite *suite = suite_create("network");
    TCase *building = tcase_create("building");
    tcase_add_checked_fixture(building, setup, teardown);
    tcase_add_test(building, append_takes_the_layer_over);
    tcase_add_test(building, the_caller_keeps_a_layer_that_is_refused);
    tcase_add_test(building, a_layer_of_another_context_is_refused);
    tcase_add_test(building, a_layer_that_is_in_a_network_is_refused);
    tcase_add_test(building, a_lent_layer_cannot_be_destroyed);
    tcase_add_test(building, a_perceptron_has_the_shape_that_was_asked_for);
    tcase_add_test(building, a_perceptron_s_defaults_are_all_relu_and_softmax);
    tcase_add_test(building, a_perceptron_takes_the_given_activations);
    tcase_add_test(building, a_copy_is_equal_and_independent);
    tcase_add_test(building, a_copy_has_the_standardizer_and_an_empty_network_can_be_copied);
    suite_add_tcase(suite, building);
    TCase *inference = tcase_create("inference");
    tcase_add_checked_fixture(inference, setup, teardown);
    tcase_set_timeout(inference, 60);
    tcase_add_test(inference, how_samples_are_split_does_not_change_a_bit);
    tcase_add_test(inference, prediction_leaves_what_is_beyond_the_outputs_alone);
    tcase_add_test(inference, the_first_of_equal_outputs_is_the_class);
    tcase_add_test(inference, a_single_output_is_class_1_from_one_half);
    tcase_add_test(inference, evaluation_counts_every_sample);
    tcase_add_test(inference, evaluation_of_targets_has_a_loss_and_no_accuracy);
    tcase_add_test(inference, a_standardizer_in_the_network_is_as_good_as_standardised_data);
    tcase_add_test(inference, a_replaced_standardizer_is_the_one_that_counts);
    tcase_add_test(inference, outputs_that_are_not_finite_are_written_and_told);
    tcase_add_test(inference, softmax_outputs_sum_to_one_even_for_huge_numbers);
    suite_add_tcase(suite, inference);
    return suite;
}
