/* Networks as C: what is refused, that a failure leaves the old file, and the constants that floats become. What the
 * files compute is tested by tests/export_c. */
#define _POSIX_C_SOURCE 200809L /* mkstemp */

#include "suites.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "allocator.h"
#include "core/text.h"
#include "layer.h"
#include "network.h"
#include "support.h"

static char path[] = "/tmp/tsnn_export_c_XXXXXX";
static tsnn_context *context;
static tsnn_network *network;
static float samples[2 * 6] = {1, 2, 3, 4, 5, 6, -1, -2, -3, -4, -5, -6};

static void setup(void)
{
    const int64_t sizes[] = {6, 8, 3};
    tsnn_mlp_options shape = TSNN_MLP_OPTIONS_INIT;
    shape.sizes = sizes;
    shape.size_count = 3;
    context = tsnni_test_context(TSNN_ISA_AUTO, 1, 4);
    ck_assert_int_eq(tsnn_network_create_mlp(context, &shape, &network), TSNN_OK);
    snprintf(path, sizeof path, "/tmp/tsnn_export_c_XXXXXX");
    int file = mkstemp(path);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(close(file), 0);
}

static void teardown(void)
{
    remove(path);
    tsnn_network_destroy(&network);
    tsnn_context_destroy(&context);
}

/* The bytes of the file now; -1: there is none. */
static long file_size(void)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return -1;
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    fclose(file);
    return size;
}

static tsnn_status export(const tsnn_export_c_options *options)
{
    tsnn_export_c_report report = TSNN_EXPORT_C_REPORT_INIT;
    tsnn_status status = tsnn_export_c(network, options, path, &report);
    ck_assert_int_eq(file_size(), status < 0 ? 0 : (long)report.text_bytes);
    return status;
}

START_TEST(a_network_is_written_whole_and_reported)
{
    tsnn_export_c_options options = TSNN_EXPORT_C_OPTIONS_INIT;
    ck_assert_int_eq(export(&options), TSNN_OK);
    ck_assert_int_gt(file_size(), 1000);
}
END_TEST

START_TEST(bad_options_are_refused_and_leave_the_old_file)
{
    static const char *const names[] = {
        "", "1model", "a-b", "a b", "model;", "a123456789a123456789a123456789a123456789a123456789a123456789a123"};
    tsnn_export_c_options good = TSNN_EXPORT_C_OPTIONS_INIT, options;
    for (size_t n = 0; n < sizeof names / sizeof names[0]; n++) {
        options = good;
        options.name = names[n];
        ck_assert_int_eq(export(&options), TSNN_ERROR_INVALID_ARGUMENT);
    }
    options = good;
    options.weights = 2;
    ck_assert_int_eq(export(&options), TSNN_ERROR_INVALID_ARGUMENT);
    options = good;
    options.sample_count = 1;
    ck_assert_int_eq(export(&options), TSNN_ERROR_NULL_ARGUMENT);
    options.samples = samples;
    options.sample_count = 1001;
    ck_assert_int_eq(export(&options), TSNN_ERROR_INVALID_ARGUMENT);
    options.sample_count = -1;
    ck_assert_int_eq(export(&options), TSNN_ERROR_INVALID_ARGUMENT);
    options = good;
    options.tolerance = NAN;
    ck_assert_int_eq(export(&options), TSNN_ERROR_INVALID_ARGUMENT);
    options.tolerance = 1e39; /* no float */
    ck_assert_int_eq(export(&options), TSNN_ERROR_INVALID_ARGUMENT);
    options = good;
    options.struct_size = 3;
    ck_assert_int_eq(export(&options), TSNN_ERROR_STRUCT_SIZE);
    ck_assert_int_eq(tsnn_export_c(NULL, &good, path, NULL), TSNN_ERROR_NULL_ARGUMENT);
    ck_assert_int_eq(tsnn_export_c(network, &good, NULL, NULL), TSNN_ERROR_NULL_ARGUMENT);
    ck_assert_int_eq(tsnn_export_c(network, &good, "/nowhere/at/all.c", NULL), TSNN_ERROR_IO);
    ck_assert_int_eq(tsnn_export_c_options_init(NULL), TSNN_ERROR_NULL_ARGUMENT);
}
END_TEST

START_TEST(numbers_that_are_none_are_refused)
{
    tsnn_export_c_options options = TSNN_EXPORT_C_OPTIONS_INIT;
    float broken[6] = {0, NAN, 0, 0, 0, 0}, *weight = &network->stages[0].layer->topology.values[0];
    options.samples = broken;
    options.sample_count = 1;
    ck_assert_int_eq(export(&options), TSNN_ERROR_NOT_FINITE);
    for (int k = 0; k < 6; k++)
        broken[k] = 3e38f; /* finite, but not where it comes out */
    ck_assert_int_eq(export(&options), TSNN_ERROR_NOT_FINITE);
    *weight = INFINITY;
    ck_assert_int_eq(export(NULL), TSNN_ERROR_NOT_FINITE);
    *weight = 1.0f;
    network->stages[1].layer->bias[2] = NAN;
    ck_assert_int_eq(export(NULL), TSNN_ERROR_NOT_FINITE);
}
END_TEST

/* The report of an export of the network with the samples. */
static tsnn_export_c_report export_samples(int32_t weights)
{
    tsnn_export_c_options options = TSNN_EXPORT_C_OPTIONS_INIT;
    tsnn_export_c_report report = TSNN_EXPORT_C_REPORT_INIT;
    options.weights = weights;
    options.samples = samples;
    options.sample_count = 2;
    ck_assert_int_eq(tsnn_export_c(network, &options, path, &report), TSNN_OK);
    return report;
}

/* The bytes of the file, for the caller to free(). */
static char *file_text(void)
{
    long size = file_size();
    FILE *file = fopen(path, "rb");
    char *text = calloc((size_t)size + 1, 1);
    ck_assert(file != NULL && text != NULL);
    ck_assert_uint_eq(fread(text, 1, (size_t)size, file), (size_t)size);
    fclose(file);
    return text;
}

/* The file computes in floats, so that is what its self-test expects; how far bf16 is from that is reported. */
START_TEST(a_network_of_bf16_is_written_as_one_of_floats)
{
    tsnn_network_info info = TSNN_NETWORK_INFO_INIT;
    for (int32_t weights = TSNN_EXPORT_FLOAT; weights <= TSNN_EXPORT_INT8; weights++) {
        ck_assert_int_eq(tsnn_network_set_activation_format(network, TSNN_ACTIVATIONS_FLOAT32), TSNN_OK);
        double of_floats = export_samples(weights).largest_difference;
        char *expected = file_text();
        ck_assert_int_eq(tsnn_network_set_activation_format(network, TSNN_ACTIVATIONS_BF16), TSNN_OK);
        double of_bf16 = export_samples(weights).largest_difference;
        char *text = file_text();
        ck_assert(strcmp(text, expected) == 0); /* too long for a message */
        ck_assert(weights == TSNN_EXPORT_INT8 ? of_floats > 0.0 : of_floats == 0.0);
        ck_assert_double_gt(of_bf16, 0.0);
        ck_assert_double_ne(of_bf16, of_floats);
        free(expected);
        free(text);
    }
    ck_assert_int_eq(tsnn_network_get_info(network, &info), TSNN_OK);
    ck_assert_int_eq(info.activation_format, TSNN_ACTIVATIONS_BF16);
}
END_TEST

static void twice(void *user, const float *z, float *a, int64_t count)
{
    (void)user;
    for (int64_t k = 0; k < count; k++)
        a[k] = 2 * z[k];
}

static void two(void *user, const float *z, const float *a, float *derivative, int64_t count)
{
    (void)user, (void)z, (void)a;
    for (int64_t k = 0; k < count; k++)
        derivative[k] = 2;
}

START_TEST(what_cannot_be_written_out_is_refused)
{
    tsnn_network *own;
    tsnn_layer_options shape = TSNN_LAYER_OPTIONS_INIT;
    tsnn_activation_options kind = TSNN_ACTIVATION_OPTIONS_INIT;
    tsnn_activation *activation;
    tsnn_layer *layer;
    ck_assert_int_eq(tsnn_network_create(context, &own), TSNN_OK);
    ck_assert_int_eq(tsnn_export_c(own, NULL, path, NULL), TSNN_ERROR_STATE);
    shape.inputs = shape.outputs = 3;
    kind.kind = TSNN_ACTIVATION_CUSTOM;
    kind.function = twice;
    kind.derivative = two;
    ck_assert_int_eq(tsnn_layer_create(context, &shape, &layer), TSNN_OK);
    ck_assert_int_eq(tsnn_activation_create(context, &kind, &activation), TSNN_OK);
    ck_assert_int_eq(tsnn_network_append(own, &layer, activation, 0.0), TSNN_OK);
    ck_assert_int_eq(tsnn_export_c(own, NULL, path, NULL), TSNN_ERROR_UNSUPPORTED);
    ck_assert_int_eq(file_size(), 0);
    tsnn_activation_destroy(&activation);
    tsnn_network_destroy(&own);
}
END_TEST

START_TEST(a_failed_allocation_leaves_the_old_file_and_no_memory)
{
    const int64_t sizes[] = {6, 8, 3};
    int64_t failures = 0;
    for (tsnn_status status = TSNN_ERROR_OUT_OF_MEMORY; status != TSNN_OK; failures++) {
        counting_allocator allocator = {0, 0, 0, 0};
        tsnn_context_options options = TSNN_CONTEXT_OPTIONS_INIT;
        tsnn_context *own;
        tsnn_network *small;
        tsnn_mlp_options shape = TSNN_MLP_OPTIONS_INIT;
        tsnn_export_c_options how = TSNN_EXPORT_C_OPTIONS_INIT;
        options.allocate = counting_allocate;
        options.release = counting_release;
        options.allocator_user = &allocator;
        options.threads = 1;
        shape.sizes = sizes;
        shape.size_count = 3;
        how.weights = TSNN_EXPORT_INT8;
        how.samples = samples;
        how.sample_count = 2;
        ck_assert_int_eq(tsnn_context_create(&options, &own), TSNN_OK);
        ck_assert_int_eq(tsnn_network_create_mlp(own, &shape, &small), TSNN_OK);
        int64_t before = allocator.live;
        allocator.fail_at = allocator.calls + failures + 1;
        status = tsnn_export_c(small, &how, path, NULL);
        ck_assert_int_eq(allocator.live, before);
        ck_assert(status == TSNN_OK || (status == TSNN_ERROR_OUT_OF_MEMORY && file_size() == 0));
        tsnn_network_destroy(&small);
        tsnn_context_destroy(&own);
    }
    ck_assert_int_gt(failures, 5);
}
END_TEST

START_TEST(a_float_comes_back_bit_for_bit)
{
    static const float numbers[] = {0.0f, -0.0f, 1.0f, -1.5f, 0.1f, 3.4e38f, 1.2e-38f, 1e-45f, -1e-40f, 16777215.0f};
    tsnni_runtime runtime;
    tsnni_runtime_init(&runtime);
    for (size_t k = 0; k < sizeof numbers / sizeof numbers[0]; k++) {
        tsnni_text text;
        tsnni_text_init(&text, &runtime);
        tsnni_text_add_float(&text, numbers[k]);
        ck_assert_int_eq(text.status, TSNN_OK);
        float back = strtof(text.bytes, NULL);
        ck_assert_mem_eq(&back, &numbers[k], sizeof back);
        tsnni_text_free(&text);
    }
}
END_TEST

START_TEST(a_text_that_outgrew_its_piece_says_so_and_stays_as_it_was)
{
    tsnni_runtime runtime;
    tsnni_text text;
    tsnni_runtime_init(&runtime);
    tsnni_text_init(&text, &runtime);
    for (int k = 0; k < 1000; k++)
        tsnni_text_add(&text, "%s", "0123456789");
    ck_assert_int_eq(text.length, 10000);
    ck_assert_int_eq((int64_t)strlen(text.bytes), 10000);
    tsnni_text_add(&text, "%600d", 1);
    ck_assert_int_eq(text.status, TSNN_ERROR_OVERFLOW);
    tsnni_text_add(&text, "more");
    ck_assert_int_eq(text.length, 10000);
    tsnni_text_free(&text);
}
END_TEST

Suite *tsnni_suite_export_c(void)
{
    Suite *suite = suite_create("export_c");
    TCase *tests = tcase_create("export_c");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_network_is_written_whole_and_reported);
    tcase_add_test(tests, bad_options_are_refused_and_leave_the_old_file);
    tcase_add_test(tests, numbers_that_are_none_are_refused);
    tcase_add_test(tests, a_network_of_bf16_is_written_as_one_of_floats);
    tcase_add_test(tests, what_cannot_be_written_out_is_refused);
    tcase_add_test(tests, a_failed_allocation_leaves_the_old_file_and_no_memory);
    tcase_add_test(tests, a_float_comes_back_bit_for_bit);
    tcase_add_test(tests, a_text_that_outgrew_its_piece_says_so_and_stays_as_it_was);
    suite_add_tcase(suite, tests);
    return suite;
}
