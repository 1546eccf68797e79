/* Layers to and from the files of other programs: what is written comes back, reports count, and enemies are refused.
 */
#include "suites.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model_support.h"

static tsnni_test_allocator allocator;
static tsnn_context *context;

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

/* Options for a file named after its format. */
static tsnn_import_options import_of(int32_t format, int32_t rows)
{
    tsnn_import_options options = TSNN_IMPORT_OPTIONS_INIT;
    options.path = tsnni_test_path("weights");
    options.rows = rows;
    options.bias = format == TSNN_FORMAT_SAFETENSORS ? "bias" : tsnni_test_path("bias.npy");
    options.weights = format == TSNN_FORMAT_SAFETENSORS ? "weight" : NULL;
    return options;
}

static void write_layer(const tsnn_layer *layer, int32_t format, int32_t rows, int32_t with_mask)
{
    tsnn_export_options options = TSNN_EXPORT_OPTIONS_INIT;
    options.format = format;
    options.path = tsnni_test_path("weights");
    options.rows = rows;
    options.bias = format == TSNN_FORMAT_SAFETENSORS ? "bias" : tsnni_test_path("bias.npy");
    if (with_mask)
        options.mask = format == TSNN_FORMAT_SAFETENSORS ? "mask" : tsnni_test_path("mask.npy");
    TSNNI_OK(tsnn_layer_export(layer, &options));
}

static void expect_same_layer(const tsnn_layer *one, const tsnn_layer *other)
{
    tsnni_test_bytes a = {0}, b = {0};
    tsnni_test_bytes_add_layer(&a, one);
    tsnni_test_bytes_add_layer(&b, other);
    ck_assert(tsnni_test_bytes_equal(&a, &b));
    tsnni_test_bytes_free(&a);
    tsnni_test_bytes_free(&b);
}

static int32_t readable(int32_t format)
{
    return format != TSNN_FORMAT_SAFETENSORS || TSNN_MODEL_FILES;
}

START_TEST(every_format_brings_a_layer_back_to_the_bit)
{
    static const int64_t sizes[][2] = {{7, 5}, {1, 1}, {40, 30}, {3, 70000}, {70000, 2}};
    for (int32_t format = TSNN_FORMAT_NPZ; format <= TSNN_FORMAT_SAFETENSORS; format++)
        for (int32_t rows = 0; rows < 2 && readable(format); rows++)
            for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
                tsnn_layer *layer = tsnni_test_layer(context, sizes[k][0], sizes[k][1], .3), *back = NULL;
                tsnn_import_report report = TSNN_IMPORT_REPORT_INIT;
                tsnn_import_options options = import_of(format, rows);
                write_layer(layer, format, rows, 0);
                TSNNI_OK(tsnn_layer_import(context, &options, &report, &back));
                expect_same_layer(layer, back);
                tsnn_layer_info info = tsnni_test_layer_size(layer);
                ck_assert_int_eq(report.format, format);
                ck_assert_int_eq(report.inputs, sizes[k][0]);
                ck_assert_int_eq(report.outputs, sizes[k][1]);
                ck_assert_int_eq(report.connections, info.connections);
                ck_assert_int_eq(report.dropped, 0);
                ck_assert(report.largest_difference == 0.0);
                tsnn_layer_destroy(&layer);
                tsnn_layer_destroy(&back);
            }
}
END_TEST

/* A connection whose weight is 0 is one only where a mask says so. */
START_TEST(masks_keep_connections_of_weight_zero)
{
    static const int64_t row_ptr[] = {0, 2, 3};
    static const int32_t column[] = {0, 2, 1};
    static const float values[] = {0, 1.5f, -2};
    static const int32_t formats[] = {TSNN_FORMAT_NPY, TSNN_FORMAT_SAFETENSORS};
    tsnn_layer *layer = NULL, *back = NULL;
    TSNNI_OK(tsnn_layer_create_from_csr(context, 2, 3, 3, row_ptr, column, values, NULL, 0, &layer));
    for (int k = 0; k < 2 && readable(formats[k]); k++)
        for (int32_t rows = 0; rows < 2; rows++) {
            tsnn_import_options options = import_of(formats[k], rows);
            write_layer(layer, formats[k], rows, 1);
            TSNNI_OK(tsnn_layer_import(context, &options, NULL, &back));
            ck_assert_int_eq(tsnni_test_layer_size(back).connections, 2);
            tsnn_layer_destroy(&back);
            options.mask = formats[k] == TSNN_FORMAT_SAFETENSORS ? "mask" : tsnni_test_path("mask.npy");
            TSNNI_OK(tsnn_layer_import(context, &options, NULL, &back));
            expect_same_layer(layer, back);
            tsnn_layer_destroy(&back);
        }
    tsnn_layer_destroy(&layer);
}
END_TEST

/* The outputs of a layer alone, before any activation. */
static void outputs_of(tsnn_layer *layer, const float *features, int64_t samples, float *outputs)
{
    tsnn_network *network = NULL;
    int64_t count = tsnni_test_layer_size(layer).outputs;
    TSNNI_OK(tsnn_network_create(context, &network));
    TSNNI_OK(tsnn_network_append(network, &layer, NULL, 0.0));
    TSNNI_OK(tsnn_network_predict(network, features, samples, outputs, samples * count));
    tsnn_network_destroy(&network);
}

START_TEST(a_threshold_is_reported_with_the_largest_difference)
{
    enum { INPUTS = 12, OUTPUTS = 9, SAMPLES = 6 };
    tsnn_layer *layer = tsnni_test_layer(context, INPUTS, OUTPUTS, 1.0), *all = NULL, *some = NULL;
    float features[SAMPLES * INPUTS], whole[SAMPLES * OUTPUTS], part[SAMPLES * OUTPUTS];
    tsnni_test_random random = {3};
    for (int k = 0; k < SAMPLES * INPUTS; k++)
        features[k] = (float)tsnni_test_uniform(&random, -2, 2);
    for (int32_t rows = 0; rows < 2; rows++) {
        write_layer(layer, TSNN_FORMAT_NPY, rows, 0);
        tsnn_import_options options = import_of(TSNN_FORMAT_NPY, rows);
        tsnn_import_report report = TSNN_IMPORT_REPORT_INIT;
        TSNNI_OK(tsnn_layer_import(context, &options, NULL, &all));
        options.threshold = .2;
        options.features = features;
        options.samples = SAMPLES;
        TSNNI_OK(tsnn_layer_import(context, &options, &report, &some));
        ck_assert_int_eq(report.entries, INPUTS * OUTPUTS);
        ck_assert_int_eq(report.connections + report.dropped, INPUTS * OUTPUTS);
        ck_assert_int_gt(report.dropped, 10);
        outputs_of(all, features, SAMPLES, whole);
        outputs_of(some, features, SAMPLES, part);
        double difference = 0.0;
        for (int k = 0; k < SAMPLES * OUTPUTS; k++)
            difference = fmax(difference, fabs((double)whole[k] - (double)part[k]));
        ck_assert_double_gt(difference, .01);
        ck_assert_double_eq_tol(report.largest_difference, difference, 1e-5);
    }
    tsnn_layer_destroy(&layer);
}
END_TEST

static void expect_import(const char *text, tsnn_status expected, const char *part)
{
    tsnn_layer *layer = (tsnn_layer *)(void *)&context;
    tsnn_import_options options = TSNN_IMPORT_OPTIONS_INIT;
    options.path = tsnni_test_path("text");
    tsnni_test_file_write(options.path, text, strlen(text));
    int64_t peak = allocator.peak = allocator.bytes;
    tsnn_status status = tsnn_layer_import(context, &options, NULL, &layer);
    ck_assert_int_le(allocator.peak - peak, ((int64_t)1 << 30) + 65536);
    if (expected == TSNN_OK) {
        TSNNI_OK(status);
        tsnn_layer_destroy(&layer);
        return;
    }
    TSNNI_REFUSED(context, expected, status);
    tsnni_test_expect_text(context, part);
    ck_assert_ptr_null(layer);
}

#define MARKET "%%MatrixMarket matrix coordinate real general\n"

START_TEST(matrix_market_is_read_as_it_is_written_elsewhere)
{
    expect_import(MARKET "2 3 1\n1 1 1\n", TSNN_OK, "");
    expect_import("%%MatrixMarket MATRIX Coordinate Pattern Symmetric\n% words\n\n2 2 2\n1 1\n2 1\n", TSNN_OK, "");
    expect_import("%%MatrixMarket matrix array integer general\n2 2\n1\n0\n\n-3\n4\n", TSNN_OK, "");
    expect_import(MARKET "2 3 2\r\n1 1 .5e1\r\n2 3 -1.e-2\r\n", TSNN_OK, "");
    expect_import("%%MatrixMarket vector\n", TSNN_ERROR_FORMAT, "line 1");
    expect_import("%%MatrixMarket matrix coordinate complex general\n1 1 1\n1 1 1 1\n", TSNN_ERROR_UNSUPPORTED,
                  "complex");
    expect_import(MARKET "2 3\n", TSNN_ERROR_FORMAT, "line 2: no sizes");
    expect_import(MARKET "2 3 2\n1 1 1\n", TSNN_ERROR_FORMAT, "1 entries of 2");
    expect_import(MARKET "2 3 1\n1 1 1\n2 1 1\n", TSNN_ERROR_FORMAT, "line 4: more entries");
    expect_import(MARKET "2 3 1\n3 1 1\n", TSNN_ERROR_STRUCTURE, "line 3: row 3, column 1 of 2 x 3");
    expect_import(MARKET "2 3 2\n1 1 1\n1 1 2\n", TSNN_ERROR_STRUCTURE, "more than once");
    expect_import(MARKET "2 3 1\n1 1 x\n", TSNN_ERROR_FORMAT, "line 3: no number");
    expect_import(MARKET "2 3 1\n1 1 nan\n", TSNN_ERROR_FORMAT, "line 3: no number");
    expect_import(MARKET "2 3 1\n1 1 1e39\n", TSNN_ERROR_NOT_FINITE, "is inf");
    expect_import(MARKET "0 3 0\n", TSNN_ERROR_SHAPE, "0 x 3");
    expect_import(MARKET "2 3 922337203685477580\n1 1 1\n", TSNN_ERROR_FORMAT, "922337203685477580 entries");
    expect_import(MARKET "2147483647 2147483647 1\n1 1 1\n", TSNN_ERROR_OVERFLOW, "max_bytes");
    expect_import("%%MatrixMarket matrix array real general\n2147483647 2147483647\n1\n", TSNN_ERROR_FORMAT,
                  "entries in");
}
END_TEST

START_TEST(an_error_tells_the_file_and_the_layer)
{
    tsnn_layer *layer = tsnni_test_layer(context, 6, 4, .5), *out = NULL;
    expect_import("0.5 1.5\n2.5 3.5\n", TSNN_ERROR_FORMAT, "it begins as no format that is known");
    expect_import("", TSNN_ERROR_FORMAT, "it begins as no format that is known");
    tsnni_test_expect_text_of(context, "text", "it begins");
    expect_import(MARKET "2 3\n", TSNN_ERROR_FORMAT, "");
    tsnni_test_expect_text_of(context, "text", "line 2: no sizes");
    write_layer(layer, TSNN_FORMAT_NPY, 0, 0);
    tsnn_import_options options = import_of(TSNN_FORMAT_NPY, TSNN_ROWS_ARE_OUTPUTS);
    TSNNI_REFUSED(context, TSNN_ERROR_SHAPE, tsnn_layer_import(context, &options, NULL, &out));
    tsnni_test_expect_text_of(context, "weights", "4 biases in 1 dimensions for 6 outputs");
    if (readable(TSNN_FORMAT_SAFETENSORS)) {
        write_layer(layer, TSNN_FORMAT_SAFETENSORS, 0, 0);
        options = import_of(TSNN_FORMAT_SAFETENSORS, TSNN_ROWS_ARE_OUTPUTS);
        TSNNI_REFUSED(context, TSNN_ERROR_SHAPE, tsnn_layer_import(context, &options, NULL, &out));
        tsnni_test_expect_text_of(context, "weights", "layer \"weight\": 4 biases in 1 dimensions for 6 outputs");
        options.weights = "bias";
        TSNNI_REFUSED(context, TSNN_ERROR_FORMAT, tsnn_layer_import(context, &options, NULL, &out));
        tsnni_test_expect_text_of(context, "weights", "layer \"bias\": 1 dimensions of F32");
        options.weights = "wieght";
        TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_layer_import(context, &options, NULL, &out));
        tsnni_test_expect_text_of(context, "weights",
                                  "layer \"wieght\": the file has no tensor \"wieght\"; it has \"bias\", \"weight\"");
        options.weights = NULL;
        TSNNI_REFUSED(context, TSNN_ERROR_NULL_ARGUMENT, tsnn_layer_import(context, &options, NULL, &out));
        tsnni_test_expect_text_of(context, "weights", "weights is NULL");
    }
    ck_assert_ptr_null(out);
    tsnn_layer_destroy(&layer);
}
END_TEST

/* Its bytes could be taken for numbers from 0 to 255. */
START_TEST(a_text_array_is_no_matrix)
{
    static const char file[] = "\x93NUMPY\x01\x00\x37\x00{'descr': '|S2', 'fortran_order': False, 'shape': (3,)}abcdef";
    tsnn_import_options options = TSNN_IMPORT_OPTIONS_INIT;
    tsnn_layer *layer = NULL;
    options.path = tsnni_test_path("text");
    tsnni_test_file_write(options.path, file, sizeof file - 1);
    TSNNI_REFUSED(context, TSNN_ERROR_FORMAT, tsnn_layer_import(context, &options, NULL, &layer));
    tsnni_test_expect_text(context, "2 dimensions of text; a matrix of numbers is wanted");
}
END_TEST

/* Nor mask nor biases: three texts of two bytes, and one. */
START_TEST(a_text_array_is_no_companion)
{
    static const char mask[] = "\x93NUMPY\x01\x00\x37\x00{'descr': '|S2', 'fortran_order': False, 'shape': (3,)}abcdef";
    static const char bias[] = "\x93NUMPY\x01\x00\x35\x00{'descr': '|S2', 'fortran_order': False, 'shape': ()}ab";
    tsnn_import_options options = import_of(TSNN_FORMAT_NPY, 0);
    tsnn_layer *layer = tsnni_test_layer(context, 3, 2, 1.0), *out = NULL;
    write_layer(layer, TSNN_FORMAT_NPY, 0, 0);
    tsnni_test_file_write(tsnni_test_path("text"), mask, sizeof mask - 1);
    options.mask = tsnni_test_path("text");
    TSNNI_REFUSED(context, TSNN_ERROR_SHAPE, tsnn_layer_import(context, &options, NULL, &out));
    options.mask = NULL;
    tsnni_test_file_write(tsnni_test_path("bias.npy"), bias, sizeof bias - 1);
    TSNNI_REFUSED(context, TSNN_ERROR_SHAPE, tsnn_layer_import(context, &options, NULL, &out));
    ck_assert_ptr_null(out);
    tsnn_layer_destroy(&layer);
}
END_TEST

/* 1000 entries of 12 bytes, and as many to mirror them, beside the text. */
START_TEST(matrix_market_stays_within_max_bytes)
{
    static char text[16000];
    tsnn_import_options options = TSNN_IMPORT_OPTIONS_INIT;
    tsnn_layer *layer = NULL;
    int length = snprintf(text, sizeof text, "%%%%MatrixMarket matrix coordinate pattern symmetric\n2000 2000 1000\n");
    for (int k = 0; k < 1000; k++)
        length += snprintf(text + length, sizeof text - (size_t)length, "%d %d\n", k + 1001, k + 1);
    options.path = tsnni_test_path("text");
    options.max_bytes = 23999;
    tsnni_test_file_write(options.path, text, (size_t)length);
    int64_t base = allocator.peak = allocator.bytes;
    TSNNI_REFUSED(context, TSNN_ERROR_OVERFLOW, tsnn_layer_import(context, &options, NULL, &layer));
    tsnni_test_expect_text(context, "2000 entries take 24000 bytes; at most 23999");
    ck_assert_int_le(allocator.peak - base, length + 4096);
    options.max_bytes = 1 << 20;
    TSNNI_OK(tsnn_layer_import(context, &options, NULL, &layer));
    tsnn_layer_destroy(&layer);
}
END_TEST

/* Nine digits of any float come back as that float. */
START_TEST(numbers_in_text_are_exact)
{
    static const int64_t row_ptr[] = {0, 2000};
    tsnni_test_random random = {9};
    float values[2000];
    int32_t columns[2000];
    for (int k = 0; k < 2000; k++) {
        columns[k] = k;
        values[k] = (float)(tsnni_test_uniform(&random, -1, 1) * pow(10, tsnni_test_uniform(&random, -37, 38)));
    }
    values[0] = 3.40282347e38f;
    values[1] = 1.17549435e-38f;
    values[2] = 1e-45f;
    values[3] = -0.1f;
    tsnn_layer *layer = NULL, *back = NULL;
    TSNNI_OK(tsnn_layer_create_from_csr(context, 1, 2000, 2000, row_ptr, columns, values, NULL, 0, &layer));
    tsnn_import_options options = import_of(TSNN_FORMAT_MATRIX_MARKET, 0);
    write_layer(layer, TSNN_FORMAT_MATRIX_MARKET, 0, 0);
    TSNNI_OK(tsnn_layer_import(context, &options, NULL, &back));
    expect_same_layer(layer, back);
    tsnn_layer_destroy(&layer);
    tsnn_layer_destroy(&back);
}
END_TEST

START_TEST(mutated_foreign_files_do_no_harm)
{
    const int32_t format = TSNN_FORMAT_NPZ + _i;
    if (!readable(format))
        return;
    tsnn_layer *layer = tsnni_test_layer(context, 9, 7, .4);
    tsnn_import_options options = import_of(format, 0);
    const char *path = tsnni_test_path("weights");
    tsnni_test_random random = {(uint64_t)format};
    options.path = path;
    options.bias = NULL;
    options.max_bytes = 1 << 20;
    write_layer(layer, format, 0, 0);
    tsnni_test_bytes good = tsnni_test_file_read(path);
    int64_t loaded = 0, count = tsnni_test_all() ? 25000 : 1000;
    for (int64_t n = 0; n < count; n++) {
        tsnni_test_bytes bad = {0};
        tsnni_test_bytes_add(&bad, good.data, good.size);
        for (int64_t k = 1 + tsnni_test_below(&random, 3); k > 0; k--)
            bad.data[tsnni_test_below(&random, (int64_t)bad.size)] = (unsigned char)tsnni_test_below(&random, 256);
        if (tsnni_test_below(&random, 4) == 0)
            bad.size = (size_t)tsnni_test_below(&random, (int64_t)bad.size);
        tsnni_test_file_write(path, bad.data, bad.size);
        tsnn_layer *out = NULL;
        int64_t live = allocator.live, base = allocator.peak = allocator.bytes;
        tsnn_status status = tsnn_layer_import(context, &options, NULL, &out);
        ck_assert_int_le(allocator.peak - base, (1 << 20) + 40 * (int64_t)bad.size + 1000000);
        loaded += status == TSNN_OK;
        tsnn_layer_destroy(&out);
        ck_assert_int_eq(allocator.live, live);
        tsnni_test_bytes_free(&bad);
    }
    ck_assert_int_lt(loaded, count);
    tsnni_test_bytes_free(&good);
    tsnn_layer_destroy(&layer);
}
END_TEST

START_TEST(every_refused_request_is_an_error)
{
    for (int32_t format = TSNN_FORMAT_NPZ; format <= TSNN_FORMAT_SAFETENSORS; format++) {
        if (!readable(format))
            continue;
        tsnn_layer *layer = tsnni_test_layer(context, 9, 7, .4), *out = NULL;
        tsnn_export_options saved = TSNN_EXPORT_OPTIONS_INIT;
        saved.format = format;
        saved.path = tsnni_test_path("weights");
        saved.bias = format == TSNN_FORMAT_SAFETENSORS ? "bias" : tsnni_test_path("bias.npy");
        tsnn_import_options options = import_of(format, 0);
        TSNNI_REFUSE_EACH(&allocator, tsnn_layer_export(layer, &saved), 1);
        TSNNI_REFUSE_EACH(&allocator, tsnn_layer_import(context, &options, NULL, &out), out == NULL);
        tsnn_layer_destroy(&out);
        tsnn_layer_destroy(&layer);
    }
}
END_TEST

START_TEST(impossible_options_are_refused)
{
    tsnn_layer *layer = tsnni_test_layer(context, 9, 7, .4), *out = NULL;
    tsnn_export_options saved = TSNN_EXPORT_OPTIONS_INIT;
    tsnn_import_options options = TSNN_IMPORT_OPTIONS_INIT;
    TSNNI_REFUSED(context, TSNN_ERROR_NULL_ARGUMENT, tsnn_layer_export(layer, NULL));
    TSNNI_REFUSED(context, TSNN_ERROR_NULL_ARGUMENT, tsnn_layer_export(layer, &saved));
    TSNNI_REFUSED(context, TSNN_ERROR_NULL_ARGUMENT, tsnn_layer_import(context, NULL, NULL, &out));
    TSNNI_REFUSED(context, TSNN_ERROR_NULL_ARGUMENT, tsnn_layer_import(context, &options, NULL, &out));
    TSNNI_REFUSED(context, TSNN_ERROR_NULL_ARGUMENT, tsnn_layer_import(context, &options, NULL, NULL));
    ck_assert_int_eq(tsnn_layer_export(NULL, &saved), TSNN_ERROR_NULL_ARGUMENT);
    ck_assert_int_eq(tsnn_layer_import(NULL, &options, NULL, &out), TSNN_ERROR_NULL_ARGUMENT);
    saved.path = options.path = tsnni_test_path("weights");
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_layer_export(layer, &saved));
    saved.format = TSNN_FORMAT_NPZ;
    saved.mask = "mask";
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_layer_export(layer, &saved));
    saved.mask = NULL;
    for (int32_t format = TSNN_FORMAT_NPZ; format <= TSNN_FORMAT_MATRIX_MARKET; format++) {
        saved.format = format;
        saved.weights = "fc.weight";
        TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_layer_export(layer, &saved));
        tsnni_test_expect_text(context, "weights is \"fc.weight\"");
    }
    saved.format = TSNN_FORMAT_NPZ;
    saved.weights = NULL;
    saved.rows = 2;
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_layer_export(layer, &saved));
    saved.rows = 0;
    TSNNI_REFUSED(context, TSNN_ERROR_IO, tsnn_layer_import(context, &options, NULL, &out));
    TSNNI_OK(tsnn_layer_export(layer, &saved));
    options.mask = "mask";
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_layer_import(context, &options, NULL, &out));
    options.mask = NULL;
    options.threshold = NAN;
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_layer_import(context, &options, NULL, &out));
    options.threshold = 0;
    options.max_bytes = 100;
    TSNNI_REFUSED(context, TSNN_ERROR_OVERFLOW, tsnn_layer_import(context, &options, NULL, &out));
    options.max_bytes = 0;
    options.samples = 10; /* nothing would be measured */
    TSNNI_REFUSED(context, TSNN_ERROR_NULL_ARGUMENT, tsnn_layer_import(context, &options, NULL, &out));
    tsnni_test_expect_text(context, "features is NULL, samples 10");
    options.samples = 0;
    options.format = TSNN_FORMAT_NPY;
    TSNNI_REFUSED(context, TSNN_ERROR_FORMAT, tsnn_layer_import(context, &options, NULL, &out));
    ck_assert_ptr_null(out);
    tsnn_layer_destroy(&layer);
}
END_TEST

Suite *tsnni_suite_exchange(void)
{
    Suite *suite = suite_create("exchange");
    TCase *tcase = tcase_create("exchange");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 300);
    tcase_add_test(tcase, every_format_brings_a_layer_back_to_the_bit);
    tcase_add_test(tcase, masks_keep_connections_of_weight_zero);
    tcase_add_test(tcase, a_threshold_is_reported_with_the_largest_difference);
    tcase_add_test(tcase, matrix_market_is_read_as_it_is_written_elsewhere);
    tcase_add_test(tcase, matrix_market_stays_within_max_bytes);
    tcase_add_test(tcase, an_error_tells_the_file_and_the_layer);
    tcase_add_test(tcase, a_text_array_is_no_matrix);
    tcase_add_test(tcase, a_text_array_is_no_companion);
    tcase_add_test(tcase, numbers_in_text_are_exact);
    tcase_add_loop_test(tcase, mutated_foreign_files_do_no_harm, 0, 4);
    tcase_add_test(tcase, every_refused_request_is_an_error);
    tcase_add_test(tcase, impossible_options_are_refused);
    suite_add_tcase(suite, tcase);
    return suite;
}
