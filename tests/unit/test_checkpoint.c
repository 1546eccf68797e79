/* Whole networks to and from checkpoints of PyTorch. */
#include "suites.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model_support.h"

static tsnni_test_allocator allocator;
static tsnn_context *context;

static const int64_t sizes[] = {9, 14, 11, 4};
static const tsnni_test_function functions[] = {
    {TSNN_ACTIVATION_RELU, 0}, {TSNN_ACTIVATION_RELU, 0}, {TSNN_ACTIVATION_SOFTMAX, 0}};
static const char *const names[] = {"0", "2", "head"};

static void setup(void)
{
    context = tsnni_test_counted_context(&allocator);
    tsnni_test_folder_create();
}

static void teardown(void)
{
    tsnni_test_folder_remove();
    tsnn_context_destroy(&context);
    ck_assert_int_eq(allocator.live, 0);
}

static tsnn_network *small_network(void)
{
    return tsnni_test_network(context, 3, sizes, functions, .4, 0.0);
}

static tsnn_checkpoint_import_options import_of(const char *const *layer_names, int64_t count)
{
    tsnn_checkpoint_import_options options = TSNN_CHECKPOINT_IMPORT_OPTIONS_INIT;
    options.path = tsnni_test_path("checkpoint");
    options.names = layer_names;
    options.name_count = count;
    return options;
}

static tsnn_checkpoint_export_options export_of(const char *const *layer_names, int64_t count, int32_t masks)
{
    tsnn_checkpoint_export_options options = TSNN_CHECKPOINT_EXPORT_OPTIONS_INIT;
    options.path = tsnni_test_path("checkpoint");
    options.names = layer_names;
    options.name_count = count;
    options.masks = masks;
    return options;
}

static float *batch(int64_t samples)
{
    float *features = malloc((size_t)(samples * sizes[0]) * sizeof *features);
    for (int64_t k = 0; k < samples * sizes[0]; k++)
        features[k] = (float)sin(1.3 * (double)k) * 2.0f;
    return features;
}

static void expect_same_bytes(tsnn_network *one, tsnn_network *other)
{
    tsnni_test_bytes a = {0}, b = {0};
    tsnni_test_bytes_add_network(&a, one);
    tsnni_test_bytes_add_network(&b, other);
    ck_assert(tsnni_test_bytes_equal(&a, &b));
    tsnni_test_bytes_free(&a);
    tsnni_test_bytes_free(&b);
}

START_TEST(a_network_comes_back_to_the_bit)
{
    for (int named = 0; named < 2; named++)
        for (int32_t masks = 0; masks < 2; masks++) {
            tsnn_network *network = small_network(), *back = NULL;
            tsnn_import_report report = TSNN_IMPORT_REPORT_INIT;
            tsnn_checkpoint_export_options saved = export_of(named ? names : NULL, named ? 3 : 0, masks);
            tsnn_checkpoint_import_options options = import_of(saved.names, saved.name_count);
            TSNNI_OK(tsnn_network_export(network, &saved));
            TSNNI_OK(tsnn_network_import(context, &options, &report, &back));
            expect_same_bytes(network, back);
            ck_assert_int_eq(report.inputs, 9);
            ck_assert_int_eq(report.outputs, 4);
            ck_assert_int_eq(report.entries, 9 * 14 + 14 * 11 + 11 * 4);
            ck_assert_int_eq(report.connections, tsnni_test_network_size(network).connections);
            ck_assert_int_eq(report.dropped, 0);
            tsnn_network_destroy(&network);
            tsnn_network_destroy(&back);
        }
}
END_TEST

/* ReLU and softmax are PyTorch's customs, not this library's; both can be had otherwise. */
START_TEST(activations_are_relu_and_softmax_unless_given)
{
    tsnn_network *network = small_network(), *plain = NULL, *given = NULL;
    tsnn_checkpoint_export_options saved = export_of(NULL, 0, 0);
    tsnn_checkpoint_import_options options = import_of(NULL, 0);
    tsnn_activation_options identity = TSNN_ACTIVATION_OPTIONS_INIT;
    tsnn_activation *activation = NULL;
    float *features = batch(1), outputs[3][4];
    TSNNI_OK(tsnn_activation_create(context, &identity, &activation));
    TSNNI_OK(tsnn_network_export(network, &saved));
    TSNNI_OK(tsnn_network_import(context, &options, NULL, &plain));
    options.hidden = options.output = activation;
    TSNNI_OK(tsnn_network_import(context, &options, NULL, &given));
    tsnn_network *all[] = {network, plain, given};
    for (int n = 0; n < 3; n++)
        TSNNI_OK(tsnn_network_predict(all[n], features, 1, outputs[n], 4));
    ck_assert_mem_eq(outputs[0], outputs[1], sizeof *outputs);
    ck_assert_mem_ne(outputs[0], outputs[2], sizeof *outputs);
    free(features);
    tsnn_activation_destroy(&activation);
    for (int n = 0; n < 3; n++)
        tsnn_network_destroy(&all[n]);
}
END_TEST

START_TEST(a_threshold_is_measured_at_the_networks_outputs)
{
    tsnn_network *network = small_network(), *cut = NULL;
    tsnn_checkpoint_export_options saved = export_of(NULL, 0, 0);
    tsnn_checkpoint_import_options options = import_of(NULL, 0);
    tsnn_import_report report = TSNN_IMPORT_REPORT_INIT;
    float *features = batch(20), wanted[20 * 4], got[20 * 4];
    double largest = 0.0;
    TSNNI_OK(tsnn_network_export(network, &saved));
    options.threshold = 0.1;
    options.features = features;
    options.samples = 20;
    TSNNI_OK(tsnn_network_import(context, &options, &report, &cut));
    TSNNI_OK(tsnn_network_predict(network, features, 20, wanted, 20 * 4));
    TSNNI_OK(tsnn_network_predict(cut, features, 20, got, 20 * 4));
    for (int k = 0; k < 20 * 4; k++)
        largest = fmax(largest, fabs((double)wanted[k] - (double)got[k]));
    ck_assert(largest > 0.0);
    ck_assert(report.largest_difference == largest);
    ck_assert_int_gt(report.dropped, 0);
    ck_assert_int_eq(report.connections + report.dropped, tsnni_test_network_size(network).connections);
    ck_assert_int_eq(report.connections, tsnni_test_network_size(cut).connections);
    free(features);
    tsnn_network_destroy(&network);
    tsnn_network_destroy(&cut);
}
END_TEST

/* torch.nn.utils.prune keeps all weights as weight_orig beside the mask; a layer without bias has no such tensor. */
START_TEST(a_pruned_module_is_read_by_its_mask)
{
    const int32_t input[] = {0, 1, 1, 2, 2}, output[] = {0, 0, 1, 0, 1};
    const float value[] = {1, 2, 3, 4, 5};
    tsnn_layer *layer = NULL, *lent = NULL;
    tsnn_network *network = NULL;
    tsnn_export_options saved = TSNN_EXPORT_OPTIONS_INIT;
    const char *name = "fc";
    TSNNI_OK(tsnn_layer_create_from_coo(context, 3, 2, 5, input, output, value, NULL, &layer));
    saved.format = TSNN_FORMAT_SAFETENSORS;
    saved.rows = TSNN_ROWS_ARE_OUTPUTS;
    saved.path = tsnni_test_path("checkpoint");
    saved.weights = "fc.weight_orig";
    saved.mask = "fc.weight_mask";
    TSNNI_OK(tsnn_layer_export(layer, &saved));
    tsnn_checkpoint_import_options options = import_of(&name, 1);
    TSNNI_OK(tsnn_network_import(context, &options, NULL, &network));
    TSNNI_OK(tsnn_network_get_layer(network, 0, &lent));
    ck_assert_int_eq(tsnni_test_layer_size(lent).connections, 5);
    tsnni_test_bytes a = {0}, b = {0};
    tsnni_test_bytes_add_layer(&a, layer);
    tsnni_test_bytes_add_layer(&b, lent);
    ck_assert(tsnni_test_bytes_equal(&a, &b));
    tsnni_test_bytes_free(&a);
    tsnni_test_bytes_free(&b);
    tsnn_layer_destroy(&layer);
    tsnn_network_destroy(&network);
}
END_TEST

/* Biases that are pruned away are 0; the others are as they were. */
START_TEST(pruned_biases_are_read_by_their_mask)
{
    static const char header[] = "{\"fc.weight\":{\"dtype\":\"F32\",\"shape\":[2,1],\"data_offsets\":[0,8]},"
                                 "\"fc.bias_orig\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]},"
                                 "\"fc.bias_mask\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[16,24]}}";
    const float numbers[] = {1, 2, 5, 6, 0, 1};
    unsigned char file[8 + sizeof header + sizeof numbers] = {sizeof header - 1, 0};
    const char *name = "fc";
    float bias[2];
    tsnn_layer *layer = NULL;
    tsnn_network *network = NULL;
    memcpy(file + 8, header, sizeof header - 1);
    memcpy(file + 8 + sizeof header - 1, numbers, sizeof numbers);
    tsnni_test_file_write(tsnni_test_path("checkpoint"), file, 8 + sizeof header - 1 + sizeof numbers);
    tsnn_checkpoint_import_options options = import_of(&name, 1);
    TSNNI_OK(tsnn_network_import(context, &options, NULL, &network));
    TSNNI_OK(tsnn_network_get_layer(network, 0, &layer));
    TSNNI_OK(tsnn_layer_get_bias(layer, bias, 2));
    ck_assert(bias[0] == 0.0f && bias[1] == 6.0f);
    tsnn_network_destroy(&network);
}
END_TEST

/* The same seed draws the same, whatever failed, and whatever was measured, before. */
START_TEST(imports_leave_the_random_numbers_alone)
{
    static const char *const wrong[] = {"0", "2", "nowhere"};
    tsnn_network *network = small_network();
    tsnn_checkpoint_export_options saved = export_of(names, 3, 0);
    TSNNI_OK(tsnn_network_export(network, &saved));
    tsnn_network_destroy(&network);
    float *features = batch(4);
    tsnni_test_bytes drawn[3] = {{0}, {0}, {0}};
    for (int attempt = 0; attempt < 3; attempt++) {
        tsnn_context *own = tsnni_test_context(TSNN_ISA_REF, 1, 9);
        tsnn_network *out = NULL;
        tsnn_layer *layer = NULL;
        tsnn_checkpoint_import_options options = import_of(attempt == 0 ? wrong : names, 3);
        tsnn_import_report report = TSNN_IMPORT_REPORT_INIT;
        tsnn_import_options one = TSNN_IMPORT_OPTIONS_INIT;
        if (attempt == 0) {
            ck_assert_int_lt(tsnn_network_import(own, &options, NULL, &out), 0);
            one.path = options.path;
            one.weights = "0.weight";
            report.struct_size = 3;
            ck_assert_int_eq(tsnn_layer_import(own, &one, &report, &layer), TSNN_ERROR_STRUCT_SIZE);
            options = import_of(names, 3);
        }
        if (attempt == 1) {
            options.features = features;
            options.samples = 4;
        }
        TSNNI_OK(tsnn_network_import(own, &options, NULL, &out));
        layer = tsnni_test_layer(own, 12, 9, .3);
        tsnni_test_bytes_add_layer(&drawn[attempt], layer);
        tsnn_layer_destroy(&layer);
        tsnn_network_destroy(&out);
        tsnn_context_destroy(&own);
    }
    ck_assert(tsnni_test_bytes_equal(&drawn[0], &drawn[2]));
    ck_assert(tsnni_test_bytes_equal(&drawn[1], &drawn[2]));
    for (int attempt = 0; attempt < 3; attempt++)
        tsnni_test_bytes_free(&drawn[attempt]);
    free(features);
}
END_TEST

START_TEST(what_is_no_number_is_neither_read_nor_written)
{
    tsnn_network *network = small_network(), *out = NULL;
    tsnn_layer *layer = NULL, *read = NULL;
    tsnn_checkpoint_export_options saved = export_of(names, 3, 0);
    tsnn_export_options plain = TSNN_EXPORT_OPTIONS_INIT;
    tsnn_import_options back = TSNN_IMPORT_OPTIONS_INIT;
    float huge[9], mean[9] = {0}, features[9] = {(float)NAN};
    tsnn_standardizer *standardizer = NULL;
    TSNNI_OK(tsnn_network_get_layer(network, 0, &layer));
    int64_t connections = tsnni_test_layer_size(layer).connections;
    float *values = malloc((size_t)connections * sizeof *values);
    for (int64_t k = 0; k < connections; k++)
        values[k] = 3e38f;
    for (int f = 0; f < 9; f++)
        huge[f] = 0.01f; /* 3e38 / .01 is no float */
    TSNNI_OK(tsnn_layer_set_weights(layer, values, connections, NULL, 0));
    TSNNI_OK(tsnn_standardizer_create(context, 9, mean, huge, &standardizer));
    TSNNI_OK(tsnn_network_set_standardizer(network, standardizer));
    TSNNI_REFUSED(context, TSNN_ERROR_NOT_FINITE, tsnn_network_export(network, &saved));
    ck_assert_int_eq(tsnni_test_folder_count(), 0);

    plain.path = tsnni_test_path("weights");
    plain.format = TSNN_FORMAT_NPY;
    plain.bias = plain.path;
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_layer_export(layer, &plain));
    plain.bias = NULL;
    TSNNI_OK(tsnn_layer_export(layer, &plain));
    back.path = plain.path;
    back.features = features;
    back.samples = 1;
    TSNNI_REFUSED(context, TSNN_ERROR_NOT_FINITE, tsnn_layer_import(context, &back, NULL, &read));
    ck_assert_ptr_null(out);
    free(values);
    tsnn_standardizer_destroy(&standardizer);
    tsnn_network_destroy(&network);
}
END_TEST

START_TEST(a_standardizer_is_folded_in)
{
    tsnn_network *network = small_network(), *back = NULL;
    float mean[9], deviation[9], *features = batch(30), wanted[30 * 4], got[30 * 4];
    tsnn_standardizer *standardizer = NULL;
    for (int f = 0; f < 9; f++) {
        mean[f] = 0.3f * (float)f - 1.0f;
        deviation[f] = 0.5f + 0.25f * (float)f;
    }
    TSNNI_OK(tsnn_standardizer_create(context, 9, mean, deviation, &standardizer));
    TSNNI_OK(tsnn_network_set_standardizer(network, standardizer));
    tsnn_checkpoint_export_options saved = export_of(NULL, 0, 0);
    tsnn_checkpoint_import_options options = import_of(NULL, 0);
    TSNNI_OK(tsnn_network_export(network, &saved));
    TSNNI_OK(tsnn_network_import(context, &options, NULL, &back));
    TSNNI_OK(tsnn_network_predict(network, features, 30, wanted, 30 * 4));
    TSNNI_OK(tsnn_network_predict(back, features, 30, got, 30 * 4));
    for (int k = 0; k < 30 * 4; k++)
        ck_assert_float_eq_tol(wanted[k], got[k], 1e-5f);
    free(features);
    tsnn_standardizer_destroy(&standardizer);
    tsnn_network_destroy(&network);
    tsnn_network_destroy(&back);
}
END_TEST

START_TEST(every_refused_request_is_an_error)
{
    float *features = batch(2);
    tsnn_network *network = small_network(), *out = NULL;
    tsnn_checkpoint_export_options saved = export_of(names, 3, 1);
    tsnn_checkpoint_import_options options = import_of(names, 3);
    options.features = features;
    options.samples = 2;
    TSNNI_REFUSE_EACH(&allocator, tsnn_network_export(network, &saved), 1);
    TSNNI_REFUSE_EACH(&allocator, tsnn_network_import(context, &options, NULL, &out), out == NULL);
    free(features);
    tsnn_network_destroy(&out);
    tsnn_network_destroy(&network);
}
END_TEST

START_TEST(an_error_tells_the_file_and_the_layer)
{
    static const char *const wrong[] = {"0", "nowhere"};
    tsnn_network *network = small_network(), *out = NULL;
    tsnn_checkpoint_export_options saved = export_of(names, 3, 0);
    TSNNI_OK(tsnn_network_export(network, &saved));
    tsnn_checkpoint_import_options options = import_of(NULL, 0);
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_network_import(context, &options, NULL, &out));
    tsnni_test_expect_text_of(
        context, "checkpoint",
        "names is NULL: the file has no tensor \"layers.0.weight\"; it has \"0.bias\", \"0.weight\", "
        "\"2.bias\", \"2.weight\" and 2 more");
    options = import_of(wrong, 2);
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_network_import(context, &options, NULL, &out));
    tsnni_test_expect_text_of(context, "checkpoint", "layer \"nowhere.weight\": the file has no tensor");
    options = import_of(names, 3);
    options.max_bytes = 500; /* the first layer takes 24 bytes for each of its 23 neurons */
    TSNNI_REFUSED(context, TSNN_ERROR_OVERFLOW, tsnn_network_import(context, &options, NULL, &out));
    tsnni_test_expect_text_of(context, "checkpoint", "layer \"0.weight\": 23 times 24 bytes; max_bytes leaves 500");
    options = import_of(names, 3); /* the batch is the caller's, not the file's */
    float *features = batch(1);
    features[2] = NAN;
    options.features = features;
    options.samples = 1;
    TSNNI_REFUSED(context, TSNN_ERROR_NOT_FINITE, tsnn_network_import(context, &options, NULL, &out));
    tsnni_test_expect_text(context, "sample 0: feature 2 is nan");
    free(features);
    tsnn_network_destroy(&network);
}
END_TEST

START_TEST(impossible_requests_are_refused)
{
    const char *const twice[] = {"0", "2", "0"}, *const hole[] = {"0", NULL, "2"}, *const wrong[] = {"0", "head"};
    char long_name[300];
    tsnn_network *network = small_network(), *empty = NULL, *out = NULL;
    tsnn_checkpoint_export_options saved = export_of(names, 3, 0);
    tsnn_checkpoint_import_options options = import_of(names, 3);
    TSNNI_OK(tsnn_network_create(context, &empty));
    TSNNI_REFUSED(context, TSNN_ERROR_STATE, tsnn_network_export(empty, &saved));
    TSNNI_OK(tsnn_network_export(network, &saved));

    saved.names = twice;
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_network_export(network, &saved));
    saved.names = hole;
    TSNNI_REFUSED(context, TSNN_ERROR_NULL_ARGUMENT, tsnn_network_export(network, &saved));
    saved = export_of(names, 2, 0);
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_network_export(network, &saved));
    saved = export_of(names, 3, 2);
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_network_export(network, &saved));
    saved.path = NULL;
    TSNNI_REFUSED(context, TSNN_ERROR_NULL_ARGUMENT, tsnn_network_export(network, &saved));
    TSNNI_REFUSED(context, TSNN_ERROR_NULL_ARGUMENT, tsnn_network_export(network, NULL));
    ck_assert_int_eq(tsnn_network_export(NULL, &saved), TSNN_ERROR_NULL_ARGUMENT);

    options.names = NULL;
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_network_import(context, &options, NULL, &out));
    options.name_count = 0; /* and the file's layers are called otherwise */
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_network_import(context, &options, NULL, &out));
    options = import_of(wrong, 2); /* 14 outputs, 11 inputs */
    TSNNI_REFUSED(context, TSNN_ERROR_SHAPE, tsnn_network_import(context, &options, NULL, &out));
    memset(long_name, 'x', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    const char *const too_long[] = {long_name};
    options = import_of(too_long, 1);
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_network_import(context, &options, NULL, &out));
    options = import_of(names, 3);
    options.dropout = 1.5;
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_network_import(context, &options, NULL, &out));
    options = import_of(names, 3);
    options.threshold = (double)NAN;
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_network_import(context, &options, NULL, &out));
    options = import_of(names, 3);
    options.samples = -1;
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_network_import(context, &options, NULL, &out));
    options.samples = 10; /* nothing would be measured */
    TSNNI_REFUSED(context, TSNN_ERROR_NULL_ARGUMENT, tsnn_network_import(context, &options, NULL, &out));
    tsnni_test_expect_text(context, "features is NULL, samples 10");
    options = import_of(names, 3);
    options.path = tsnni_test_path("nowhere");
    TSNNI_REFUSED(context, TSNN_ERROR_IO, tsnn_network_import(context, &options, NULL, &out));
    ck_assert_ptr_null(out);
    tsnn_network_destroy(&network);
    tsnn_network_destroy(&empty);
}
END_TEST

Suite *tsnni_suite_checkpoint(void)
{
    Suite *suite = suite_create("checkpoint");
    TCase *tcase = tcase_create("checkpoint");
    tcase_add_checked_fixture(tcase, setup, teardown);
    if (TSNN_MODEL_FILES) {
        tcase_add_test(tcase, a_network_comes_back_to_the_bit);
        tcase_add_test(tcase, activations_are_relu_and_softmax_unless_given);
        tcase_add_test(tcase, a_threshold_is_measured_at_the_networks_outputs);
        tcase_add_test(tcase, a_pruned_module_is_read_by_its_mask);
        tcase_add_test(tcase, pruned_biases_are_read_by_their_mask);
        tcase_add_test(tcase, imports_leave_the_random_numbers_alone);
        tcase_add_test(tcase, what_is_no_number_is_neither_read_nor_written);
        tcase_add_test(tcase, a_standardizer_is_folded_in);
        tcase_add_test(tcase, every_refused_request_is_an_error);
        tcase_add_test(tcase, an_error_tells_the_file_and_the_layer);
        tcase_add_test(tcase, impossible_requests_are_refused);
    }
    suite_add_tcase(suite, tcase);
    return suite;
}
