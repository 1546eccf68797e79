/* Predictors: the network's own outputs, whatever its layers, and nothing taken or shared while predicting. */
#include "suites.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "strict.h"
#include "world.h"

/* ---- networks of every kind ---- */

typedef struct network_case {
    const char *name;
    int64_t layers, sizes[5];
    tsnni_test_function functions[4];
    double density;
} network_case;

#define SLOPES                                                                                                         \
    {TSNN_ACTIVATION_ALL_RELU, 0.6}, {TSNN_ACTIVATION_ALL_RELU, 0.6},                                                  \
    {                                                                                                                  \
        TSNN_ACTIVATION_ALL_RELU, 0.6                                                                                  \
    }
static const network_case network_cases[] = {
    {"all-relu, softmax", 4, {23, 40, 37, 64, 5}, {SLOPES, {TSNN_ACTIVATION_SOFTMAX, 0}}, 0.2},
    {"relu, leaky, tanh, sigmoid",
     4,
     {16, 32, 48, 16, 33},
     {{TSNN_ACTIVATION_RELU, 0},
      {TSNN_ACTIVATION_LEAKY_RELU, 0.1},
      {TSNN_ACTIVATION_TANH, 0},
      {TSNN_ACTIVATION_SIGMOID, 0}},
     0.3},
    {"custom in between and last",
     4,
     {19, 17, 31, 12, 9},
     {{TSNN_ACTIVATION_CUSTOM, 0}, {TSNN_ACTIVATION_RELU, 0}, {TSNN_ACTIVATION_CUSTOM, 0}, {TSNN_ACTIVATION_CUSTOM, 0}},
     0.35},
    {"full layers", 3, {7, 20, 33, 3}, {SLOPES, {TSNN_ACTIVATION_IDENTITY, 0}}, 1.0},
    {"one output", 2, {30, 50, 1}, {{TSNN_ACTIVATION_ALL_RELU, 0.6}, {TSNN_ACTIVATION_SIGMOID, 0}}, 0.15},
    {"mostly without connections", 3, {60, 70, 80, 90}, {SLOPES, {TSNN_ACTIVATION_IDENTITY, 0}}, 0.004},
    {"one layer beyond the first-level cache", 1, {9000, 700}, {{TSNN_ACTIVATION_IDENTITY, 0}}, 0.002},
    {"one layer beyond the second-level cache", 1, {210000, 90}, {{TSNN_ACTIVATION_SOFTMAX, 0}}, 0.0005},
    {"a softmax within", 2, {12, 25, 6}, {{TSNN_ACTIVATION_SOFTMAX, 0}, {TSNN_ACTIVATION_TANH, 0}}, 0.3},
};
#define CASES ((int)(sizeof network_cases / sizeof *network_cases))

enum { SAMPLES = 37, FEW_SAMPLES = 5 };

static float *random_features(int64_t count, double zero, uint64_t seed)
{
    tsnni_test_random random = {seed};
    float *features = tsnni_test_array(count, sizeof *features);
    for (int64_t k = 0; k < count; k++)
        if (tsnni_test_uniform(&random, 0, 1) >= zero)
            features[k] = (float)tsnni_test_uniform(&random, -2, 2);
    return features;
}

static tsnn_network *network_of(tsnn_context *context, const network_case *given)
{
    return tsnni_test_network(context, given->layers, given->sizes, given->functions, given->density, 0.25);
}

static void give_standardizer(tsnn_context *context, tsnn_network *network)
{
    int64_t inputs = tsnni_test_network_size(network).inputs;
    tsnn_dataset *dataset = tsnni_test_labelled(context, 12, inputs, 3, 8);
    tsnn_standardizer *standardizer = NULL;
    TSNNI_OK(tsnn_standardizer_fit(context, dataset, &standardizer));
    TSNNI_OK(tsnn_network_set_standardizer(network, standardizer));
    tsnn_standardizer_destroy(&standardizer);
    tsnn_dataset_destroy(&dataset);
}

static tsnn_predictor *predictor_of(tsnn_context *context, const tsnn_network *network, int32_t pack, int32_t skip)
{
    tsnn_predictor_options options = TSNN_PREDICTOR_OPTIONS_INIT;
    options.pack = pack;
    options.skip_zeros = skip;
    tsnn_predictor *predictor = NULL;
    TSNNI_OK(tsnn_predictor_create(context, network, &options, &predictor));
    return predictor;
}

static tsnn_predictor_workspace *workspace_of(const tsnn_predictor *predictor, int64_t batch)
{
    tsnn_predictor_workspace *workspace = NULL;
    TSNNI_OK(tsnn_predictor_workspace_create(predictor, batch, &workspace));
    return workspace;
}

static void expect_close(const float *actual, const float *expected, int64_t count, const char *name)
{
    for (int64_t k = 0; k < count; k++)
        ck_assert_msg(fabs((double)actual[k] - (double)expected[k]) <= 2e-5 * (1 + fabs((double)expected[k])),
                      "%s: output %d is %g, not %g", name, (int)k, (double)actual[k], (double)expected[k]);
}

/* The numbers other than 0 of rows of features. */
typedef struct sparse_rows {
    int64_t *ptr;
    int32_t *index;
    float *value;
    tsnn_samples samples;
} sparse_rows;

static sparse_rows sparse_of(const float *features, int64_t count, int64_t inputs)
{
    sparse_rows rows = {tsnni_test_array(count + 1, sizeof *rows.ptr),
                        tsnni_test_array(count * inputs, sizeof *rows.index),
                        tsnni_test_array(count * inputs, sizeof *rows.value), TSNN_SAMPLES_INIT};
    for (int64_t n = 0; n < count; n++) {
        rows.ptr[n + 1] = rows.ptr[n];
        for (int64_t f = 0; f < inputs; f++)
            if (features[n * inputs + f] != 0.0f) {
                rows.index[rows.ptr[n + 1]] = (int32_t)f;
                rows.value[rows.ptr[n + 1]++] = features[n * inputs + f];
            }
    }
    rows.samples.count = count;
    rows.samples.sample_ptr = rows.ptr;
    rows.samples.index = rows.index;
    rows.samples.value = rows.value;
    rows.samples.capacity = rows.ptr[count];
    return rows;
}

static void sparse_free(sparse_rows *rows)
{
    free(rows->ptr);
    free(rows->index);
    free(rows->value);
}

/* Dense and sparse samples, one by one and in batches of several sizes, against the network. */
static void compare_with_network(tsnn_context *context, tsnn_network *network, int32_t pack, int32_t skip, double zero,
                                 const char *name)
{
    tsnn_network_info info = tsnni_test_network_size(network);
    int64_t samples = info.inputs > 5000 ? FEW_SAMPLES : SAMPLES, count = samples * info.outputs;
    float *features = random_features(samples * info.inputs, zero, 3);
    float *expected = tsnni_test_array(count, sizeof *expected), *actual = tsnni_test_array(count, sizeof *actual);
    sparse_rows rows = sparse_of(features, samples, info.inputs);
    TSNNI_OK(tsnn_network_predict(network, features, samples, expected, count));
    tsnn_predictor *predictor = predictor_of(context, network, pack, skip);
    static const int64_t batches[] = {1, 2, 16, 33, 200};
    for (int b = 0; b < 5; b++) {
        tsnn_predictor_workspace *workspace = workspace_of(predictor, batches[b]);
        TSNNI_OK(tsnn_predictor_predict(predictor, workspace, features, samples, actual, count));
        expect_close(actual, expected, count, name);
        memset(actual, 0xFF, (size_t)count * sizeof *actual);
        tsnn_answers answers = TSNN_ANSWERS_INIT;
        answers.outputs = actual;
        answers.outputs_capacity = count;
        TSNNI_OK(tsnn_predictor_run(predictor, workspace, &rows.samples, &answers));
        expect_close(actual, expected, count, name);
        tsnn_predictor_workspace_destroy(&workspace);
        ck_assert_ptr_null(workspace);
    }
    tsnn_predictor_destroy(&predictor);
    ck_assert_ptr_null(predictor);
    sparse_free(&rows);
    free(features);
    free(expected);
    free(actual);
}

START_TEST(outputs_are_those_of_the_network)
{
    const network_case *given = &network_cases[_i];
    for (int32_t isa = TSNN_ISA_REF; isa <= TSNN_ISA_NEON; isa++) {
        tsnn_context *context = tsnni_test_context(isa, 1, 11);
        if (context == NULL)
            continue;
        tsnn_network *network = network_of(context, given);
        for (int32_t pack = TSNN_PACK_ALL; pack <= TSNN_PACK_BATCH; pack++) {
            compare_with_network(context, network, pack, pack % 2, 0.0, given->name);
            compare_with_network(context, network, pack, 1, 0.9, given->name);
        }
        give_standardizer(context, network);
        compare_with_network(context, network, TSNN_PACK_ALL, 0, 0.5, given->name);
        compare_with_network(context, network, TSNN_PACK_ALL, 1, 0.9, given->name);
        tsnn_network_destroy(&network);
        tsnn_context_destroy(&context);
    }
}
END_TEST

START_TEST(a_pruned_network_is_predicted)
{
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 11);
    tsnn_network *network = network_of(context, &network_cases[0]);
    tsnn_pruning_options options = TSNN_PRUNING_OPTIONS_INIT;
    options.percentile = 50;
    tsnn_pruning *pruning = NULL;
    TSNNI_OK(tsnn_pruning_create(context, &options, &pruning));
    TSNNI_OK(tsnn_pruning_apply(pruning, network, NULL));
    compare_with_network(context, network, TSNN_PACK_ALL, 1, 0.5, "pruned");
    tsnn_pruning_destroy(&pruning);
    tsnn_network_destroy(&network);
    tsnn_context_destroy(&context);
}
END_TEST

START_TEST(a_predictor_outlives_its_network_and_its_context)
{
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 11);
    tsnn_network *network = network_of(context, &network_cases[0]);
    tsnn_predictor *predictor = predictor_of(context, network, TSNN_PACK_ALL, 0);
    float *features = random_features(23, 0, 1), expected[5], actual[5];
    TSNNI_OK(tsnn_network_predict(network, features, 1, expected, 5));
    tsnn_network_destroy(&network);
    tsnn_context_destroy(&context);
    tsnn_predictor_workspace *workspace = workspace_of(predictor, 1);
    TSNNI_OK(tsnn_predictor_predict(predictor, workspace, features, 1, actual, 5));
    expect_close(actual, expected, 5, "alone");
    tsnn_predictor_destroy(&predictor);
    tsnn_predictor_workspace_destroy(&workspace);
    free(features);
}
END_TEST

/* ---- plain arrays ---- */

START_TEST(plain_arrays_make_the_same_predictor_as_their_network)
{
    static const int64_t ptr0[] = {0, 2, 2, 3}, ptr1[] = {0, 1, 3};
    static const int32_t column0[] = {0, 1, 1}, column1[] = {2, 0, 1};
    static const float values0[] = {0.5f, -1, 2}, values1[] = {1, 3, -2}, bias[] = {0.25f, -0.5f};
    static const float shift[] = {1, 2, 3}, scale[] = {1, 0.5f, 2}, features[] = {2, 4, 3.5f, 0, 0, 0};
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 1);
    tsnn_activation *relu = tsnni_test_activation(context, (tsnni_test_function){TSNN_ACTIVATION_ALL_RELU, 0.5});
    tsnn_predictor_layer layers[2] = {TSNN_PREDICTOR_LAYER_INIT, TSNN_PREDICTOR_LAYER_INIT};
    layers[0].inputs = 3;
    layers[0].outputs = 2;
    layers[0].connections = 3;
    layers[0].row_ptr = ptr0;
    layers[0].column = column0;
    layers[0].values = values0;
    layers[0].bias = bias;
    layers[0].activation = relu;
    layers[1].inputs = 2;
    layers[1].outputs = 3;
    layers[1].connections = 3;
    layers[1].row_ptr = ptr1;
    layers[1].column = column1;
    layers[1].values = values1;
    tsnn_predictor *predictor = NULL;
    TSNNI_OK(tsnn_predictor_create_from_layers(context, layers, 2, shift, scale, NULL, &predictor));
    tsnn_activation_destroy(&relu);
    tsnn_predictor_workspace *workspace = workspace_of(predictor, 1);
    float outputs[6];
    TSNNI_OK(tsnn_predictor_predict(predictor, workspace, features, 2, outputs, 6));
    /* x = (1, 1, 1), z = (.75, .5); x = (-1, -1, -6), z = (-.25, -11.5), y = (.125, 5.75). */
    static const float expected[] = {1.5f, -1.0f, 0.75f, 17.25f, -11.5f, 0.125f};
    expect_close(outputs, expected, 6, "plain arrays");
    tsnn_predictor_info info = TSNN_PREDICTOR_INFO_INIT;
    TSNNI_OK(tsnn_predictor_get_info(predictor, &info));
    ck_assert_int_eq(info.layers, 2);
    ck_assert_int_eq(info.inputs, 3);
    ck_assert_int_eq(info.outputs, 3);
    ck_assert_int_eq(info.connections, 6);
    ck_assert_int_gt(info.bytes, 0);
    tsnn_predictor_workspace_destroy(&workspace);
    tsnn_predictor_destroy(&predictor);
    tsnn_context_destroy(&context);
}
END_TEST

/* ---- answers ---- */

/* A network that hands its inputs on. */
static tsnn_network *identity_network(tsnn_context *context, int64_t size, int32_t kind)
{
    int64_t *ptr = tsnni_test_array(size + 1, sizeof *ptr);
    int32_t *column = tsnni_test_array(size, sizeof *column);
    float *values = tsnni_test_array(size, sizeof *values);
    for (int64_t i = 0; i < size; i++) {
        ptr[i + 1] = i + 1;
        column[i] = (int32_t)i;
        values[i] = 1;
    }
    tsnn_layer *layer = NULL;
    tsnn_network *network = NULL;
    TSNNI_OK(tsnn_layer_create_from_csr(context, size, size, size, ptr, column, values, NULL, TSNN_CHECKED, &layer));
    TSNNI_OK(tsnn_network_create(context, &network));
    tsnn_activation *activation = tsnni_test_activation(context, (tsnni_test_function){kind, 0});
    TSNNI_OK(tsnn_network_append(network, &layer, activation, 0));
    tsnn_activation_destroy(&activation);
    free(ptr);
    free(column);
    free(values);
    return network;
}

START_TEST(the_best_classes_come_first_and_the_lower_number_of_equals)
{
    static const float features[] = {1, 5, 3, 5, -2, 0, 0, 0, 0, 0, 9, 8, 7, 6, 5, 1, 2, 3, 4, 5};
    static const int32_t expected[] = {1, 3, 2, 0, 1, 2, 0, 1, 2, 4, 3, 2};
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 1);
    tsnn_network *network = identity_network(context, 5, TSNN_ACTIVATION_SOFTMAX);
    tsnn_predictor *predictor = predictor_of(context, network, TSNN_PACK_ALL, 0);
    for (int64_t batch = 1; batch <= 16; batch += 15) {
        tsnn_predictor_workspace *workspace = workspace_of(predictor, batch);
        int32_t labels[12], single[4];
        float scores[12], alone[12], probabilities[20];
        tsnn_samples samples = TSNN_SAMPLES_INIT;
        samples.count = 4;
        samples.features = features;
        tsnn_answers answers = TSNN_ANSWERS_INIT;
        answers.top = 3;
        answers.labels = labels;
        answers.scores = scores;
        answers.labels_capacity = answers.scores_capacity = 12;
        answers.outputs = probabilities;
        answers.outputs_capacity = 20;
        TSNNI_OK(tsnn_predictor_run(predictor, workspace, &samples, &answers));
        for (int k = 0; k < 12; k++) {
            ck_assert_int_eq(labels[k], expected[k]);
            ck_assert_float_eq(scores[k], probabilities[k / 3 * 5 + expected[k]]);
        }
        answers.labels = NULL;
        answers.scores = alone;
        answers.outputs = NULL;
        TSNNI_OK(tsnn_predictor_run(predictor, workspace, &samples, &answers));
        ck_assert_mem_eq(alone, scores, sizeof scores);
        answers.form = TSNN_OUTPUT_RAW;
        TSNNI_OK(tsnn_predictor_run(predictor, workspace, &samples, &answers));
        for (int k = 0; k < 12; k++)
            ck_assert_float_eq(alone[k], features[k / 3 * 5 + expected[k]]);
        TSNNI_OK(tsnn_predictor_classify(predictor, workspace, features, 4, single, 4));
        for (int n = 0; n < 4; n++)
            ck_assert_int_eq(single[n], expected[3 * n]);
        tsnn_predictor_workspace_destroy(&workspace);
    }
    tsnn_predictor_destroy(&predictor);
    tsnn_network_destroy(&network);
    tsnn_context_destroy(&context);
}
END_TEST

static void expect_not_finite(const tsnn_predictor_workspace *workspace, tsnn_status status)
{
    char text[128];
    tsnn_status code;
    ck_assert_int_eq(status, TSNN_ERROR_NOT_FINITE);
    TSNNI_OK(tsnn_predictor_workspace_error(workspace, text, sizeof text, &code));
    ck_assert_int_eq(code, TSNN_ERROR_NOT_FINITE);
    ck_assert_str_eq(text, "sample 20: output 1 is -inf");
}

START_TEST(outputs_that_are_not_finite_are_written_and_told)
{
    enum { MANY = 40 };
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 1);
    tsnn_network *network = tsnni_test_overflowing_network(context);
    float features[MANY * 2] = {0}, outputs[MANY * 2], scores[MANY];
    int32_t labels[MANY];
    for (int n = 0; n < MANY; n++)
        features[2 * n] = (float)(n + 1);
    features[2 * 20 + 1] = -1.0f;
    features[2 * 21 + 1] = 1.0f;
    sparse_rows rows = sparse_of(features, MANY, 2);
    for (int64_t batch = 1; batch <= 16; batch *= 16)
        for (int32_t skip = 0; skip < 2; skip++)
            for (int32_t form = TSNN_OUTPUT_ACTIVATED; form <= TSNN_OUTPUT_RAW; form++) {
                tsnn_predictor *predictor = predictor_of(context, network, TSNN_PACK_ALL, skip);
                tsnn_predictor_workspace *workspace = workspace_of(predictor, batch);
                tsnn_answers answers = TSNN_ANSWERS_INIT;
                TSNNI_OK(tsnn_predictor_predict(predictor, workspace, features, 20, outputs, MANY * 2));
                expect_not_finite(workspace,
                                  tsnn_predictor_predict(predictor, workspace, features, MANY, outputs, MANY * 2));
                for (int n = 0; n < MANY; n++) {
                    ck_assert(outputs[2 * n] == (float)(n + 1));
                    ck_assert_int_eq(!isfinite(outputs[2 * n + 1]), n == 20 || n == 21);
                }
                expect_not_finite(workspace,
                                  tsnn_predictor_classify(predictor, workspace, features, MANY, labels, MANY));
                ck_assert_int_eq(labels[MANY - 1], 0);
                answers.form = form;
                answers.scores = scores;
                answers.scores_capacity = MANY;
                expect_not_finite(workspace, tsnn_predictor_run(predictor, workspace, &rows.samples, &answers));
                ck_assert(scores[MANY - 1] == (float)MANY);
                tsnn_predictor_workspace_destroy(&workspace);
                tsnn_predictor_destroy(&predictor);
            }
    sparse_free(&rows);
    tsnn_network_destroy(&network);
    tsnn_context_destroy(&context);
}
END_TEST

START_TEST(a_single_output_is_a_yes_or_no)
{
    static const float features[] = {-1, 0, 1};
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 1);
    tsnn_network *network = identity_network(context, 1, TSNN_ACTIVATION_SIGMOID);
    tsnn_predictor *predictor = predictor_of(context, network, TSNN_PACK_ALL, 0);
    tsnn_predictor_workspace *workspace = workspace_of(predictor, 3);
    int32_t labels[3], expected[3];
    TSNNI_OK(tsnn_network_classify(network, features, 3, expected, 3));
    TSNNI_OK(tsnn_predictor_classify(predictor, workspace, features, 3, labels, 3));
    ck_assert_mem_eq(labels, expected, sizeof labels);
    tsnn_predictor_workspace_destroy(&workspace);
    tsnn_predictor_destroy(&predictor);
    tsnn_network_destroy(&network);
    tsnn_context_destroy(&context);
}
END_TEST

/* ---- memory and threads ---- */

START_TEST(predicting_takes_no_memory)
{
    tsnni_test_allocator allocator = {0};
    tsnn_context *context = tsnni_test_counted_context(&allocator);
    tsnn_network *network = network_of(context, &network_cases[0]);
    float *features = random_features(SAMPLES * 23, 0.6, 4), outputs[SAMPLES * 5];
    int32_t labels[SAMPLES];
    sparse_rows rows = sparse_of(features, SAMPLES, 23);
    tsnn_predictor *predictor = predictor_of(context, network, TSNN_PACK_ALL, 1);
    tsnn_predictor_workspace *workspace = workspace_of(predictor, 16);
    int64_t bytes, requests = allocator.calls;
    TSNNI_OK(tsnn_predictor_workspace_size(predictor, 16, &bytes));
    unsigned char *memory = tsnni_test_array(bytes + 64, 1);
    for (int64_t shift = 0; shift < 64; shift += 7) {
        tsnn_predictor_workspace *own = NULL;
        memset(memory, 0xA5, (size_t)bytes + 64);
        TSNNI_OK(tsnn_predictor_workspace_init(predictor, 16, memory + shift, bytes, &own));
        TSNNI_OK(tsnn_predictor_predict(predictor, own, features, SAMPLES, outputs, SAMPLES * 5));
        TSNNI_OK(tsnn_predictor_classify(predictor, own, features, SAMPLES, labels, SAMPLES));
        for (int64_t k = 0; k < shift; k++)
            ck_assert_int_eq(memory[k], 0xA5);
        for (int64_t k = shift + bytes; k < bytes + 64; k++)
            ck_assert_int_eq(memory[k], 0xA5);
        tsnn_predictor_workspace_destroy(&own);
        ck_assert_ptr_null(own);
    }
    tsnn_answers answers = TSNN_ANSWERS_INIT;
    answers.outputs = outputs;
    answers.outputs_capacity = SAMPLES * 5;
    TSNNI_OK(tsnn_predictor_run(predictor, workspace, &rows.samples, &answers));
    TSNNI_OK(tsnn_predictor_predict(predictor, workspace, features, 1, outputs, 5));
    ck_assert_int_eq(allocator.calls, requests);
    free(memory);
    free(features);
    sparse_free(&rows);
    tsnn_predictor_workspace_destroy(&workspace);
    tsnn_predictor_destroy(&predictor);
    tsnn_network_destroy(&network);
    tsnn_context_destroy(&context);
    ck_assert_int_eq(allocator.live, 0);
}
END_TEST

typedef struct prediction {
    const tsnn_predictor *predictor;
    tsnn_predictor_workspace *workspace;
    const float *features;
    const sparse_rows *rows;
} prediction;

/* Every kind of sample and answer. */
static int32_t predict_in_every_way(void *argument)
{
    const prediction *given = argument;
    float outputs[SAMPLES * 5];
    int32_t labels[2 * SAMPLES];
    float scores[2 * SAMPLES];
    tsnn_answers answers = TSNN_ANSWERS_INIT;
    answers.outputs = outputs;
    answers.outputs_capacity = SAMPLES * 5;
    tsnn_answers best = TSNN_ANSWERS_INIT;
    best.top = 2;
    best.labels = labels;
    best.labels_capacity = 2 * SAMPLES;
    best.scores = scores;
    best.scores_capacity = 2 * SAMPLES;
    tsnn_status status =
        tsnn_predictor_predict(given->predictor, given->workspace, given->features, SAMPLES, outputs, SAMPLES * 5);
    if (status >= 0)
        status = tsnn_predictor_predict(given->predictor, given->workspace, given->features, 1, outputs, 5);
    if (status >= 0)
        status = tsnn_predictor_classify(given->predictor, given->workspace, given->features, SAMPLES, labels, SAMPLES);
    if (status >= 0)
        status = tsnn_predictor_run(given->predictor, given->workspace, &given->rows->samples, &answers);
    if (status >= 0)
        status = tsnn_predictor_run(given->predictor, given->workspace, &given->rows->samples, &best);
    return status;
}

START_TEST(predicting_makes_no_system_call)
{
    for (int32_t isa = TSNN_ISA_REF; isa <= TSNN_ISA_NEON; isa++) {
        tsnn_context *context = tsnni_test_context(isa, 2, 4);
        if (context == NULL)
            continue;
        tsnn_network *network = network_of(context, &network_cases[0]);
        float *features = random_features(SAMPLES * 23, 0.6, 4);
        sparse_rows rows = sparse_of(features, SAMPLES, 23);
        tsnn_predictor *predictor = predictor_of(context, network, TSNN_PACK_ALL, 1);
        tsnn_predictor_workspace *workspace = workspace_of(predictor, 16);
        prediction given = {predictor, workspace, features, &rows};
        tsnni_test_expect_no_system_call(predict_in_every_way, &given);
        free(features);
        sparse_free(&rows);
        tsnn_predictor_workspace_destroy(&workspace);
        tsnn_predictor_destroy(&predictor);
        tsnn_network_destroy(&network);
        tsnn_context_destroy(&context);
    }
}
END_TEST

enum { THREADS = 8, ROUNDS = 40 };

typedef struct reader {
    const tsnn_predictor *predictor;
    const float *features, *expected[2]; /* one by one, and as a batch */
    int64_t outputs;
    int failures;
} reader;

static void *read_along(void *argument)
{
    reader *task = argument;
    tsnn_predictor_workspace *workspace = NULL;
    float *actual = malloc((size_t)(SAMPLES * task->outputs) * sizeof *actual);
    for (int r = 0; actual != NULL && r < ROUNDS; r++) {
        int64_t batch = r % 2 ? 16 : 1, count = SAMPLES * task->outputs;
        task->failures += tsnn_predictor_workspace_create(task->predictor, batch, &workspace) != TSNN_OK;
        task->failures +=
            tsnn_predictor_predict(task->predictor, workspace, task->features, SAMPLES, actual, count) != TSNN_OK;
        task->failures += memcmp(actual, task->expected[r % 2], (size_t)count * sizeof *actual) != 0;
        tsnn_predictor_workspace_destroy(&workspace);
    }
    task->failures += actual == NULL;
    free(actual);
    return NULL;
}

START_TEST(eight_threads_get_equal_bits_while_another_trains)
{
    tsnni_test_world world;
    tsnni_test_world_create(&world, tsnni_test_context(TSNN_ISA_AUTO, 2, 4));
    tsnn_predictor *predictor = predictor_of(world.context, world.network, TSNN_PACK_ALL, 1);
    float *features = random_features(SAMPLES * 12, 0.5, 2);
    float one_by_one[SAMPLES * 4], together[SAMPLES * 4];
    tsnn_predictor_workspace *one = workspace_of(predictor, 1), *sixteen = workspace_of(predictor, 16);
    TSNNI_OK(tsnn_predictor_predict(predictor, one, features, SAMPLES, one_by_one, SAMPLES * 4));
    TSNNI_OK(tsnn_predictor_predict(predictor, sixteen, features, SAMPLES, together, SAMPLES * 4));
    pthread_t threads[THREADS];
    reader tasks[THREADS];
    for (int t = 0; t < THREADS; t++) {
        tasks[t] = (reader){predictor, features, {one_by_one, together}, 4, 0};
        ck_assert_int_eq(pthread_create(&threads[t], NULL, read_along, &tasks[t]), 0);
    }
    TSNNI_OK(tsnn_trainer_run(world.trainer, world.dataset, NULL));
    for (int t = 0; t < THREADS; t++) {
        ck_assert_int_eq(pthread_join(threads[t], NULL), 0);
        ck_assert_msg(tasks[t].failures == 0, "thread %d: %d failures", t, tasks[t].failures);
    }
    tsnn_predictor_workspace_destroy(&one);
    tsnn_predictor_workspace_destroy(&sixteen);
    tsnn_predictor_destroy(&predictor);
    free(features);
    tsnni_test_world_destroy(&world);
}
END_TEST

/* ---- size ---- */

START_TEST(a_packed_layer_takes_six_bytes_a_connection)
{
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 1, 1);
    tsnn_layer *layer = tsnni_test_layer(context, 1000, 1000, 0.04);
    tsnn_network *network = NULL;
    TSNNI_OK(tsnn_network_create(context, &network));
    TSNNI_OK(tsnn_network_append(network, &layer, NULL, 0));
    tsnn_predictor *predictor = predictor_of(context, network, TSNN_PACK_ALL, 0);
    tsnn_predictor_info info = TSNN_PREDICTOR_INFO_INIT;
    TSNNI_OK(tsnn_predictor_get_info(predictor, &info));
    int64_t rows = 1000 * 12; /* bias, order and length of each output */
    ck_assert_int_le(info.bytes, (int64_t)(6.15 * (double)info.connections) + rows + 2000);
    tsnn_predictor_destroy(&predictor);
    tsnn_network_destroy(&network);
    tsnn_context_destroy(&context);
}
END_TEST

Suite *tsnni_suite_predictor(void)
{
    Suite *suite = suite_create("predictor");
    TCase *tcase = tcase_create("predictor");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, outputs_are_those_of_the_network, 0, CASES);
    tcase_add_test(tcase, a_pruned_network_is_predicted);
    tcase_add_test(tcase, a_predictor_outlives_its_network_and_its_context);
    tcase_add_test(tcase, plain_arrays_make_the_same_predictor_as_their_network);
    tcase_add_test(tcase, the_best_classes_come_first_and_the_lower_number_of_equals);
    tcase_add_test(tcase, outputs_that_are_not_finite_are_written_and_told);
    tcase_add_test(tcase, a_single_output_is_a_yes_or_no);
    tcase_add_test(tcase, predicting_takes_no_memory);
    tcase_add_test(tcase, predicting_makes_no_system_call);
    tcase_add_test(tcase, eight_threads_get_equal_bits_while_another_trains);
    tcase_add_test(tcase, a_packed_layer_takes_six_bytes_a_connection);
    suite_add_tcase(suite, tcase);
    return suite;
}
