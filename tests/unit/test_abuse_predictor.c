/* Wrong arguments of predictors and workspaces: a status, a text, and no answer touched. */
#include "suites.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "abuse.h"

static tsnni_test_world world;
static tsnn_predictor *predictor;
static tsnn_predictor_workspace *workspace;

static void setup(void)
{
    tsnni_test_world_create(&world, tsnni_test_context(TSNN_ISA_AUTO, 1, 4));
    TSNNI_OK(tsnn_predictor_create(world.context, world.network, NULL, &predictor));
    TSNNI_OK(tsnn_predictor_workspace_create(predictor, 4, &workspace));
}

static void teardown(void)
{
    tsnn_predictor_workspace_destroy(&workspace);
    tsnn_predictor_destroy(&predictor);
    tsnni_test_world_destroy(&world);
}

/* The workspace tells what the call returned. */
static void expect_refused(tsnn_status expected, tsnn_status actual, const char *call)
{
    char text[600] = "";
    tsnn_status code = TSNN_OK;
    ck_assert_msg(actual == expected, "%s: status %d, expected %d", call, (int)actual, (int)expected);
    TSNNI_OK(tsnn_predictor_workspace_error(workspace, text, (int64_t)sizeof text, &code));
    ck_assert_msg(code == expected && text[0] != '\0', "%s: the workspace tells of %d (%s)", call, (int)code, text);
}
#define RUN_REFUSED(expected, call) expect_refused(expected, call, #call)

START_TEST(creating_calls)
{
    tsnn_predictor_options options = TSNN_PREDICTOR_OPTIONS_INIT;
    NOBODY(tsnn_predictor_options_init(NULL));
    REFUSED(NULL_ARGUMENT, tsnn_predictor_create(world.context, world.network, NULL, NULL));
    CREATE_NOBODY(tsnn_predictor, tsnn_predictor_create(NULL, world.network, NULL, &out));
    CREATE_REFUSED(tsnn_predictor, NULL_ARGUMENT, tsnn_predictor_create(world.context, NULL, NULL, &out));
    CREATE_REFUSED(tsnn_predictor, TSNN_ERROR_STATE, tsnn_predictor_create(world.context, world.empty, NULL, &out));
    for (int32_t bad = -1; bad <= 3; bad += 4) {
        options.pack = bad;
        CREATE_REFUSED(tsnn_predictor, INVALID, tsnn_predictor_create(world.context, world.network, &options, &out));
        options.pack = 0;
        options.skip_zeros = bad;
        CREATE_REFUSED(tsnn_predictor, INVALID, tsnn_predictor_create(world.context, world.network, &options, &out));
        options.skip_zeros = 0;
        options.reserved = bad;
        CREATE_REFUSED(tsnn_predictor, INVALID, tsnn_predictor_create(world.context, world.network, &options, &out));
        options.reserved = 0;
    }
    tsnn_predictor_destroy(NULL);
    tsnn_predictor *none = NULL;
    tsnn_predictor_destroy(&none);
}
END_TEST

START_TEST(plain_arrays)
{
    int64_t ptr[] = {0, 1, 2};
    int32_t column[] = {0, 1};
    float values[] = {1, 2}, bias[] = {0, 0}, shift[] = {0, 0}, scale[] = {1, 1};
    tsnn_predictor_layer good = TSNN_PREDICTOR_LAYER_INIT;
    good.inputs = good.outputs = good.connections = 2;
    good.row_ptr = ptr;
    good.column = column;
    good.values = values;
    good.bias = bias;
    tsnn_predictor_layer layers[2] = {good, good};
#define LAYERS_REFUSED(expected, count, shift, scale)                                                                  \
    CREATE_REFUSED(tsnn_predictor, expected,                                                                           \
                   tsnn_predictor_create_from_layers(world.context, layers, count, shift, scale, NULL, &out))
    tsnn_predictor *made = NULL;
    TSNNI_OK(tsnn_predictor_create_from_layers(world.context, layers, 2, shift, scale, NULL, &made));
    tsnn_predictor_destroy(&made);
    CREATE_NOBODY(tsnn_predictor, tsnn_predictor_create_from_layers(NULL, layers, 2, NULL, NULL, NULL, &out));
    CREATE_REFUSED(tsnn_predictor, NULL_ARGUMENT,
                   tsnn_predictor_create_from_layers(world.context, NULL, 2, NULL, NULL, NULL, &out));
    REFUSED(NULL_ARGUMENT, tsnn_predictor_create_from_layers(world.context, layers, 2, NULL, NULL, NULL, NULL));
    LAYERS_REFUSED(INVALID, 0, NULL, NULL);
    LAYERS_REFUSED(INVALID, 65537, NULL, NULL);
    LAYERS_REFUSED(NULL_ARGUMENT, 2, shift, NULL);
    LAYERS_REFUSED(NULL_ARGUMENT, 2, NULL, scale);
    layers[1].struct_size += 8;
    LAYERS_REFUSED(TSNN_ERROR_STRUCT_SIZE, 2, NULL, NULL);
    layers[1] = good;
    layers[1].inputs = 1;
    layers[1].connections = 1;
    LAYERS_REFUSED(TSNN_ERROR_SHAPE, 2, NULL, NULL);
    layers[1] = good;
    layers[0].inputs = 0;
    LAYERS_REFUSED(TSNN_ERROR_SHAPE, 2, NULL, NULL);
    layers[0] = good;
    layers[1].reserved = 1;
    LAYERS_REFUSED(INVALID, 2, NULL, NULL);
    layers[1] = good;
    layers[0].row_ptr = NULL;
    LAYERS_REFUSED(NULL_ARGUMENT, 2, NULL, NULL);
    layers[0] = good;
    column[1] = 2;
    LAYERS_REFUSED(TSNN_ERROR_STRUCTURE, 2, NULL, NULL);
    column[1] = 1;
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    float *const numbers[] = {values, bias, shift, scale};
    for (int k = 0; k < 12; k++) {
        float kept = numbers[k / 3][1];
        numbers[k / 3][1] = bad[k % 3];
        LAYERS_REFUSED(TSNN_ERROR_NOT_FINITE, 2, shift, scale);
        numbers[k / 3][1] = kept;
    }
}
END_TEST

START_TEST(workspaces)
{
    int64_t bytes = -1;
    unsigned char memory[64];
    tsnn_predictor_info info = TSNN_PREDICTOR_INFO_INIT;
    NOBODY(tsnn_predictor_get_info(NULL, &info));
    NOBODY(tsnn_predictor_get_info(predictor, NULL));
    info.struct_size = 4;
    ck_assert_int_eq(tsnn_predictor_get_info(predictor, &info), TSNN_ERROR_STRUCT_SIZE);
    NOBODY(tsnn_predictor_workspace_size(NULL, 1, &bytes));
    NOBODY(tsnn_predictor_workspace_size(predictor, 1, NULL));
    NOBODY(tsnn_predictor_workspace_create(predictor, 1, NULL));
    NOBODY(tsnn_predictor_workspace_init(predictor, 1, memory, 64, NULL));
    CREATE_NOBODY(tsnn_predictor_workspace, tsnn_predictor_workspace_create(NULL, 1, &out));
    CREATE_NOBODY(tsnn_predictor_workspace, tsnn_predictor_workspace_init(NULL, 1, memory, 64, &out));
    CREATE_NOBODY(tsnn_predictor_workspace, tsnn_predictor_workspace_init(predictor, 1, NULL, 64, &out));
    static const int64_t batches[] = {0, -1, INT64_MIN, INT64_MAX, (1 << 20) + 1};
    for (int k = 0; k < 5; k++) {
        tsnn_predictor_workspace *out = workspace;
        ck_assert_int_eq(tsnn_predictor_workspace_size(predictor, batches[k], &bytes), INVALID);
        ck_assert_int_eq(tsnn_predictor_workspace_create(predictor, batches[k], &out), INVALID);
        ck_assert_ptr_null(out);
        out = workspace;
        ck_assert_int_eq(tsnn_predictor_workspace_init(predictor, batches[k], memory, 64, &out), INVALID);
        ck_assert_ptr_null(out);
    }
    ck_assert_int_eq(bytes, -1);
    TSNNI_OK(tsnn_predictor_workspace_size(predictor, 1, &bytes));
    tsnn_predictor_workspace *out = workspace;
    ck_assert_int_eq(tsnn_predictor_workspace_init(predictor, 1, memory, bytes - 1, &out), SMALL);
    ck_assert_ptr_null(out);
    ck_assert_int_eq(tsnn_predictor_workspace_init(predictor, 1, memory, INT64_MIN, &out), SMALL);
    char text[8] = "?";
    NOBODY(tsnn_predictor_workspace_error(NULL, text, 8, NULL));
    NOBODY(tsnn_predictor_workspace_error(workspace, NULL, 8, NULL));
    ck_assert_int_eq(tsnn_predictor_workspace_error(workspace, text, -1, NULL), INVALID);
    TSNNI_OK(tsnn_predictor_workspace_error(workspace, text, 8, NULL));
    ck_assert_str_eq(text, "");
    tsnn_predictor_workspace_destroy(NULL);
    tsnn_predictor_workspace *none = NULL;
    tsnn_predictor_workspace_destroy(&none);
}
END_TEST

START_TEST(dense_samples)
{
    float features[24], outputs[8], untouched[8];
    int32_t labels[2];
    memcpy(features, world.features, sizeof features);
    memset(outputs, 0xA5, sizeof outputs);
    memset(untouched, 0xA5, sizeof untouched);
    NOBODY(tsnn_predictor_predict(predictor, NULL, features, 2, outputs, 8));
    NOBODY(tsnn_predictor_classify(predictor, NULL, features, 2, labels, 2));
    RUN_REFUSED(NULL_ARGUMENT, tsnn_predictor_predict(NULL, workspace, features, 2, outputs, 8));
    RUN_REFUSED(NULL_ARGUMENT, tsnn_predictor_predict(predictor, workspace, NULL, 2, outputs, 8));
    RUN_REFUSED(NULL_ARGUMENT, tsnn_predictor_predict(predictor, workspace, features, 2, NULL, 8));
    RUN_REFUSED(NULL_ARGUMENT, tsnn_predictor_classify(predictor, workspace, features, 2, NULL, 2));
    RUN_REFUSED(INVALID, tsnn_predictor_predict(predictor, workspace, features, -1, outputs, 8));
    RUN_REFUSED(SMALL, tsnn_predictor_predict(predictor, workspace, features, 2, outputs, 7));
    RUN_REFUSED(SMALL, tsnn_predictor_classify(predictor, workspace, features, 2, labels, 1));
    RUN_REFUSED(SMALL, tsnn_predictor_predict(predictor, workspace, features, 2, outputs, INT64_MIN));
    RUN_REFUSED(TSNN_ERROR_OVERFLOW,
                tsnn_predictor_predict(predictor, workspace, features, INT64_MAX / 2, outputs, INT64_MAX));
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    for (int k = 0; k < 24; k++) {
        float kept = features[k];
        features[k] = bad[k % 3];
        RUN_REFUSED(TSNN_ERROR_NOT_FINITE, tsnn_predictor_predict(predictor, workspace, features, 2, outputs, 8));
        features[k] = kept;
    }
    ck_assert_mem_eq(outputs, untouched, sizeof outputs);
    TSNNI_OK(tsnn_predictor_predict(predictor, workspace, NULL, 0, NULL, 0));
    TSNNI_OK(tsnn_predictor_predict(predictor, workspace, features, 2, outputs, 8));
    tsnn_predictor *other = NULL;
    TSNNI_OK(tsnn_predictor_create(world.context, world.network, NULL, &other));
    RUN_REFUSED(INVALID, tsnn_predictor_predict(other, workspace, features, 2, outputs, 8));
    tsnn_predictor_destroy(&other);
}
END_TEST

START_TEST(sparse_samples)
{
    int64_t ptr[] = {0, 2, 3};
    int32_t index[] = {1, 11, 0};
    float value[] = {1, 2, 3}, outputs[8];
    tsnn_answers answers = TSNN_ANSWERS_INIT;
    answers.outputs = outputs;
    answers.outputs_capacity = 8;
    tsnn_samples good = TSNN_SAMPLES_INIT, samples;
    good.count = 2;
    good.sample_ptr = ptr;
    good.index = index;
    good.value = value;
    good.capacity = 3;
#define SPARSE_REFUSED(expected, change, restore)                                                                      \
    do {                                                                                                               \
        samples = good;                                                                                                \
        change;                                                                                                        \
        RUN_REFUSED(expected, tsnn_predictor_run(predictor, workspace, &samples, &answers));                           \
        restore;                                                                                                       \
    } while (0)
    TSNNI_OK(tsnn_predictor_run(predictor, workspace, &good, &answers));
    SPARSE_REFUSED(NULL_ARGUMENT, samples.sample_ptr = NULL, );
    SPARSE_REFUSED(NULL_ARGUMENT, samples.index = NULL, );
    SPARSE_REFUSED(NULL_ARGUMENT, samples.value = NULL, );
    SPARSE_REFUSED(INVALID, samples.features = world.features, ); /* which form is meant? */
    SPARSE_REFUSED(INVALID, (samples.features = world.features, samples.sample_ptr = NULL), );
    SPARSE_REFUSED(INVALID, (samples.features = world.features, samples.sample_ptr = NULL, samples.index = NULL), );
    SPARSE_REFUSED(INVALID, samples.reserved = 1, );
    SPARSE_REFUSED(INVALID, samples.count = -1, );
    SPARSE_REFUSED(INVALID, samples.capacity = -1, );
    SPARSE_REFUSED(TSNN_ERROR_STRUCTURE, samples.capacity = 2, );
    SPARSE_REFUSED(TSNN_ERROR_STRUCT_SIZE, samples.struct_size = 4, );
    SPARSE_REFUSED(TSNN_ERROR_STRUCTURE, ptr[0] = 1, ptr[0] = 0);
    SPARSE_REFUSED(TSNN_ERROR_STRUCTURE, ptr[0] = -1, ptr[0] = 0);
    SPARSE_REFUSED(TSNN_ERROR_STRUCTURE, ptr[1] = 4, ptr[1] = 2);
    SPARSE_REFUSED(TSNN_ERROR_STRUCTURE, ptr[1] = INT64_MAX, ptr[1] = 2);
    SPARSE_REFUSED(TSNN_ERROR_STRUCTURE, ptr[1] = INT64_MIN, ptr[1] = 2);
    SPARSE_REFUSED(TSNN_ERROR_STRUCTURE, ptr[2] = 1, ptr[2] = 3);
    SPARSE_REFUSED(TSNN_ERROR_STRUCTURE, index[1] = 12, index[1] = 11);
    SPARSE_REFUSED(TSNN_ERROR_STRUCTURE, index[1] = INT32_MAX, index[1] = 11);
    SPARSE_REFUSED(TSNN_ERROR_STRUCTURE, index[0] = -1, index[0] = 1);
    SPARSE_REFUSED(TSNN_ERROR_STRUCTURE, index[0] = 11, index[0] = 1); /* twice */
    SPARSE_REFUSED(TSNN_ERROR_STRUCTURE, index[1] = 0, index[1] = 11); /* falls */
    SPARSE_REFUSED(TSNN_ERROR_NOT_FINITE, value[2] = NAN, value[2] = 3);
    SPARSE_REFUSED(TSNN_ERROR_NOT_FINITE, value[0] = -INFINITY, value[0] = 1);
    TSNNI_OK(tsnn_predictor_run(predictor, workspace, &good, &answers));
    ptr[1] = ptr[2] = 0; /* samples of zeros */
    good.index = NULL;
    good.value = NULL;
    good.capacity = 0;
    TSNNI_OK(tsnn_predictor_run(predictor, workspace, &good, &answers));
}
END_TEST

START_TEST(wrong_answers)
{
    float outputs[8], scores[8];
    int32_t labels[8];
    tsnn_samples samples = TSNN_SAMPLES_INIT;
    samples.count = 2;
    samples.features = world.features;
    tsnn_answers good = TSNN_ANSWERS_INIT, answers;
    good.outputs = outputs;
    good.labels = labels;
    good.scores = scores;
    good.outputs_capacity = good.labels_capacity = good.scores_capacity = 8;
    good.top = 4;
#define ANSWERS_REFUSED(expected, change)                                                                              \
    do {                                                                                                               \
        answers = good;                                                                                                \
        change;                                                                                                        \
        RUN_REFUSED(expected, tsnn_predictor_run(predictor, workspace, &samples, &answers));                           \
    } while (0)
    TSNNI_OK(tsnn_predictor_run(predictor, workspace, &samples, &good));
    NOBODY(tsnn_predictor_run(predictor, NULL, &samples, &good));
    RUN_REFUSED(NULL_ARGUMENT, tsnn_predictor_run(NULL, workspace, &samples, &good));
    RUN_REFUSED(NULL_ARGUMENT, tsnn_predictor_run(predictor, workspace, NULL, &good));
    RUN_REFUSED(NULL_ARGUMENT, tsnn_predictor_run(predictor, workspace, &samples, NULL));
    ANSWERS_REFUSED(NULL_ARGUMENT, answers.outputs = answers.scores = NULL; answers.labels = NULL);
    ANSWERS_REFUSED(INVALID, answers.top = 5);
    ANSWERS_REFUSED(INVALID, answers.top = -1);
    ANSWERS_REFUSED(INVALID, answers.form = 2);
    ANSWERS_REFUSED(INVALID, answers.form = -1);
    ANSWERS_REFUSED(SMALL, answers.outputs_capacity = 7);
    ANSWERS_REFUSED(SMALL, answers.labels_capacity = 7);
    ANSWERS_REFUSED(SMALL, answers.scores_capacity = 7);
    ANSWERS_REFUSED(TSNN_ERROR_STRUCT_SIZE, answers.struct_size = 0);
}
END_TEST

START_TEST(a_raw_output_alone_has_no_class)
{
    static const int64_t ptr[] = {0, 1};
    static const int32_t column[] = {0};
    static const float values[] = {1};
    tsnn_predictor_layer layer = TSNN_PREDICTOR_LAYER_INIT;
    layer.inputs = layer.outputs = layer.connections = 1;
    layer.row_ptr = ptr;
    layer.column = column;
    layer.values = values;
    tsnn_predictor_workspace_destroy(&workspace);
    tsnn_predictor_destroy(&predictor);
    TSNNI_OK(tsnn_predictor_create_from_layers(world.context, &layer, 1, NULL, NULL, NULL, &predictor));
    TSNNI_OK(tsnn_predictor_workspace_create(predictor, 1, &workspace));
    int32_t label;
    tsnn_samples samples = TSNN_SAMPLES_INIT;
    samples.count = 1;
    samples.features = values;
    tsnn_answers answers = TSNN_ANSWERS_INIT;
    answers.labels = &label;
    answers.labels_capacity = 1;
    TSNNI_OK(tsnn_predictor_run(predictor, workspace, &samples, &answers));
    answers.form = TSNN_OUTPUT_RAW;
    RUN_REFUSED(INVALID, tsnn_predictor_run(predictor, workspace, &samples, &answers));
}
END_TEST

Suite *tsnni_suite_abuse_predictor(void)
{
    Suite *suite = suite_create("abuse_predictor");
    TCase *tcase = tcase_create("refused");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, creating_calls);
    tcase_add_test(tcase, plain_arrays);
    tcase_add_test(tcase, workspaces);
    tcase_add_test(tcase, dense_samples);
    tcase_add_test(tcase, sparse_samples);
    tcase_add_test(tcase, wrong_answers);
    tcase_add_test(tcase, a_raw_output_alone_has_no_class);
    suite_add_tcase(suite, tcase);
    return suite;
}
