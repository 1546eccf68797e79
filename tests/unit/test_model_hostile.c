/* Model files from an enemy: ordinary errors that name the numbers, no leak, and never more memory than the file's size
 * allows. */
#include "suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model_support.h"

static tsnni_test_allocator library, json; /* what the library takes from the context, and jansson from malloc */
static tsnn_context *context;

#if TSNN_MODEL_FILES

#include <jansson.h>

static void *json_allocate(size_t size)
{
    /* jansson wants aligned blocks: 16 bytes in front, its size in the first of them. */
    unsigned char *block = malloc(size + 16);
    json.calls++;
    if (json.calls == json.fail_at || block == NULL) {
        json.refused++;
        free(block);
        return NULL;
    }
    memcpy(block, &size, sizeof size);
    json.live++;
    json.bytes += (int64_t)size + 16; /* what malloc itself needs for a block, about */
    json.peak = json.bytes > json.peak ? json.bytes : json.peak;
    return block + 16;
}

static void json_release(void *pointer)
{
    size_t size;
    if (pointer == NULL)
        return;
    memcpy(&size, (unsigned char *)pointer - 16, sizeof size);
    json.live--;
    json.bytes -= (int64_t)size + 16;
    free((unsigned char *)pointer - 16);
}

static void setup(void)
{
    json_set_alloc_funcs(json_allocate, json_release);
    context = tsnni_test_counted_context(&library);
}

static void teardown(void)
{
    tsnn_context_destroy(&context);
    ck_assert_int_eq(library.live, 0);
    ck_assert_int_eq(json.live, 0);
}

/* ---- files made by hand ---- */

static tsnni_test_bytes file_of(const char *header, size_t data)
{
    tsnni_test_bytes bytes = {0};
    unsigned char length[8], zero = 0;
    size_t size = strlen(header);
    for (int k = 0; k < 8; k++)
        length[k] = (unsigned char)((uint64_t)size >> 8 * k);
    tsnni_test_bytes_add(&bytes, length, 8);
    tsnni_test_bytes_add(&bytes, header, size);
    for (size_t k = 0; k < data; k++)
        tsnni_test_bytes_add(&bytes, &zero, 1);
    return bytes;
}

static int64_t header_bytes(const tsnni_test_bytes *file)
{
    uint64_t length = 0;
    if (file->size < 8)
        return 0;
    for (int k = 7; k >= 0; k--)
        length = length << 8 | file->data[k];
    return length > file->size - 8 || length > 16 << 20 ? 0 : (int64_t)length;
}

/* The same for predictors. */
static tsnn_status load_predictor(const tsnni_test_bytes *file, int32_t ownership, tsnn_status network_status)
{
    static const int64_t factor[] = {[TSNN_COPY] = 24, [TSNN_BORROW] = 4};
    tsnn_predictor_load_options options = TSNN_PREDICTOR_LOAD_OPTIONS_INIT;
    tsnn_predictor *predictor = (tsnn_predictor *)(void *)&context;
    int64_t blocks = library.live, base = library.bytes;
    options.ownership = ownership;
    options.skip_zeros = 1;
    library.peak = library.bytes;
    json.peak = json.bytes;
    tsnn_status status = tsnn_predictor_load_memory(context, file->data, (int64_t)file->size, &options, &predictor);
    int64_t taken = library.peak - base + json.peak;
    int64_t allowed = factor[ownership] * (int64_t)file->size + 64 * header_bytes(file) + 4096;
    ck_assert_msg(taken <= allowed, "a file of %lld bytes, of which %lld header, took %lld bytes; %lld are allowed",
                  (long long)file->size, (long long)header_bytes(file), (long long)taken, (long long)allowed);
    ck_assert((status == TSNN_OK) == (predictor != NULL));
    ck_assert(status == TSNN_OK || network_status != TSNN_OK); /* it takes what the network takes, and perhaps more */
    if (status == TSNN_OK) {
        float features[64] = {0}, outputs[64];
        tsnn_predictor_workspace *workspace = NULL;
        tsnn_predictor_info info = TSNN_PREDICTOR_INFO_INIT;
        TSNNI_OK(tsnn_predictor_get_info(predictor, &info));
        if (info.inputs <= 64 && info.outputs <= 64) {
            TSNNI_OK(tsnn_predictor_workspace_create(predictor, 1, &workspace));
            features[0] = 1;
            tsnn_status predicted = tsnn_predictor_predict(predictor, workspace, features, 1, outputs, 64);
            ck_assert(predicted == TSNN_OK || predicted == TSNN_ERROR_NOT_FINITE); /* it works, with any weights */
            tsnn_predictor_workspace_destroy(&workspace);
        }
        tsnn_predictor_destroy(&predictor);
    }
    ck_assert_int_eq(library.live, blocks);
    ck_assert_int_eq(json.live, 0);
    return status;
}

/* Loads; whatever comes of it, memory stays within what include/tsnn/model_file.h promises, and none is left. */
static tsnn_status load(const tsnni_test_bytes *file)
{
    tsnn_network *network = (tsnn_network *)(void *)&context;
    int64_t blocks = library.live, base = library.bytes;
    library.peak = library.bytes;
    json.peak = json.bytes;
    tsnn_status status = tsnn_network_load_memory(context, file->data, (int64_t)file->size, NULL, &network);
    int64_t taken = library.peak - base + json.peak;
    int64_t allowed = 4 * (int64_t)file->size + 64 * header_bytes(file) + 4096;
    ck_assert_msg(taken <= allowed, "a file of %lld bytes, of which %lld header, took %lld bytes; %lld are allowed",
                  (long long)file->size, (long long)header_bytes(file), (long long)taken, (long long)allowed);
    ck_assert((status == TSNN_OK) == (network != NULL));
    if (status == TSNN_OK) {
        tsnni_test_bytes outputs = {0};
        if (tsnni_test_network_size(network).inputs == 12 && tsnni_test_network_size(network).outputs == 4)
            outputs = tsnni_test_outputs(network); /* it works */
        tsnni_test_bytes_free(&outputs);
        tsnn_network_destroy(&network);
    }
    ck_assert_int_eq(library.live, blocks);
    ck_assert_int_eq(json.live, 0);
    return status;
}

/* The same, and as a predictor too. */
static tsnn_status load_every_way(const tsnni_test_bytes *file)
{
    tsnn_status status = load(file);
    load_predictor(file, TSNN_COPY, status);
    load_predictor(file, TSNN_BORROW, status);
    return status;
}

/* Predictors do not take it either; some find another fault first. */
static void expect_refused(const char *header, size_t data, tsnn_status expected, const char *text)
{
    tsnni_test_bytes file = file_of(header, data);
    ck_assert_int_lt(load_predictor(&file, TSNN_COPY, expected), 0);
    ck_assert_int_lt(load_predictor(&file, TSNN_BORROW, expected), 0);
    TSNNI_REFUSED(context, expected, load(&file));
    tsnni_test_expect_text(context, text);
    tsnni_test_bytes_free(&file);
}

/* A header with one tensor. */
#define TENSOR(dtype, shape, offsets) "{\"a\":{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}}"
/* Empty tensors, as many as a layer has. */
#define NOTHING "{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}"
#define FOUR "\"a\":" NOTHING ",\"b\":" NOTHING ",\"c\":" NOTHING ",\"d\":" NOTHING
/* A header with them, and these texts besides the format. */
#define MODEL_BEGIN "{" FOUR ",\"__metadata__\":{\"tsnn.format\":\"1\","
#define MODEL(texts) MODEL_BEGIN texts "}}"
#define ALPHA_BEGIN "\"tsnn.layers\":\"1\",\"tsnn.layers.0.activation\":\"all_relu\",\"tsnn.layers.0.alpha\":\""
#define ALPHA(text) MODEL(ALPHA_BEGIN text "\"")
#define FORMAT TSNN_ERROR_FORMAT

START_TEST(broken_headers_are_refused_with_their_numbers)
{
    static const struct {
        const char *header;
        size_t data;
        const char *text;
    } bad[] = {
        {"", 0, "does not begin with {"},
        {"[]", 0, "does not begin with {"},
        {"{", 0, "header, byte"},
        {"{}x", 0, "header, byte"},
        {"{\"a\":1}", 0, "dtype, shape or data_offsets is missing"},
        {"{\"__metadata__\":[]}", 0, "__metadata__ is no object"},
        {"{\"__metadata__\":{\"a\":1}}", 0, "\"a\" is no text"},
        {"{\"a\":{},\"a\":{}}", 0, "duplicate"},
        {"{\"a\":\"\xff\"}", 0, "header, byte"},
        {"{\"a\":\"\\u0000\"}", 0, "header, byte"},
        {"{\"a\":[[[[[[1]]]]]]}", 0, "nested more than 3 deep"},
        {"{\"a\":[[],[],[],[],[],[],[],[],[],[],[],[],[]]}", 0, "15 objects and arrays"},
        {"{}", 3, "the tensors take 0 bytes; the file holds 3"},
        {TENSOR("\"F31\"", "[1]", "[0,4]"), 4, "dtype \"F31\" is unknown"},
        {TENSOR("4", "[1]", "[0,4]"), 4, "is missing or of another type"},
        {TENSOR("\"F32\"", "[-1]", "[0,4]"), 4, "no whole number"},
        {TENSOR("\"F32\"", "[1.0]", "[0,4]"), 4, "no whole number"},
        {TENSOR("\"F32\"", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4, "9 dimensions; at most 8"},
        {TENSOR("\"F32\"", "[9223372036854775808]", "[0,4]"), 4, "header, byte"},
        {TENSOR("\"F32\"", "[9223372036854775807]", "[0,4]"), 4, "9223372036854775807 elements of F32 in 4 bytes"},
        {TENSOR("\"F32\"", "[4294967296,4294967296]", "[0,4]"), 4, "its shape overflows"},
        {TENSOR("\"F32\"", "[2]", "[0,4]"), 4, "2 elements of F32 in 4 bytes"},
        {TENSOR("\"F32\"", "[1]", "[0,4]"), 3, "the tensors take 4 bytes; the file holds 3"},
        {TENSOR("\"F32\"", "[1]", "[0,4]"), 5, "the tensors take 4 bytes; the file holds 5"},
        {TENSOR("\"F32\"", "[1]", "[1,5]"), 5, "at bytes 1 to 5 of the data; the one before ends at 0"},
        {TENSOR("\"F32\"", "[1]", "[4,0]"), 4, "at bytes 4 to 0"},
        {TENSOR("\"F32\"", "[1]", "[-4,0]"), 4, "no two whole numbers"},
        {TENSOR("\"F32\"", "[1]", "[0,4,8]"), 4, "no two whole numbers"},
        {TENSOR("\"F32\"", "[0]", "[0,0]"), 0, "tsnn.format is missing"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[0,4]},"
         "\"b\":{\"dtype\":\"U8\",\"shape\":[4],\"data_offsets\":[2,6]}}",
         6, "tensor \"b\" is at bytes 2 to 6 of the data; the one before ends at 4"},
        {"{\"__metadata__\":{\"tsnn.format\":\"1\"}}", 0, "tsnn.layers is missing"},
        {"{\"__metadata__\":{\"tsnn.format\":\"1x\"}}", 0, "tsnn.format is \"1x\""},
        {"{\"__metadata__\":{\"tsnn.format\":\"1\",\"tsnn.layers\":\"70000\"}}", 0, "it must be 1..65536"},
        {"{\"__metadata__\":{\"tsnn.format\":\"1\",\"tsnn.layers\":\"18446744073709551617\"}}", 0, "1..65536"},
        {"{\"__metadata__\":{\"tsnn.format\":\"1\",\"tsnn.layers\":\"65536\"}}", 0,
         "tsnn.layers is 65536; 0 tensors are too few"},
        {MODEL("\"tsnn.layers\":\"2\""), 0, "tsnn.layers is 2; 4 tensors are too few"},
        {MODEL("\"tsnn.layers\":\"1\""), 0, "tsnn.layers.0.activation is missing"},
        {MODEL("\"tsnn.layers\":\"1\",\"tsnn.layers.0.activation\":\"relu\",\"tsnn.layers.0.dropout\":\"0.0\""), 0,
         "no tensor layers.0.row_ptr"},
        {MODEL("\"tsnn.layers\":\"1\",\"tsnn.layers.0.activation\":\"step\""), 0,
         "tsnn.layers.0.activation is \"step\""},
        {ALPHA("nan"), 0, "tsnn.layers.0.alpha is \"nan\""},
        {ALPHA("0.1000000000000000000000000000000000000000"), 0, "it must be a number"},
        {ALPHA("[1]"), 0, "it must be a number"},
        {ALPHA("1e300"), 0, "layer 0: alpha is 1e+300"},
        {MODEL("\"tsnn.layers\":\"1\",\"tsnn.layers.0.activation\":\"relu\",\"tsnn.layers.0.dropout\":\"1.0\""), 0,
         "layer 0: dropout is 1"},
    };
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
        expect_refused(bad[k].header, bad[k].data, FORMAT, bad[k].text);
    expect_refused("{\"__metadata__\":{\"tsnn.format\":\"2\"}}", 0, TSNN_ERROR_UNSUPPORTED, "model format 2");
}
END_TEST

/* Every digit that 0..1 does not have: one that is above the range counts no less than a number of many. */
START_TEST(digits_above_their_range_are_refused)
{
    static const char word[] = "tsnn.layers.0.frozen\":\"";
    tsnn_context *plain = tsnni_test_context(TSNN_ISA_REF, 1, 3);
    tsnn_network *network = tsnni_test_network_of_kind(plain, 2);
    tsnni_test_bytes file = tsnni_test_saved(network, NULL);
    size_t at = 0;
    while (at + sizeof word < file.size && memcmp(file.data + at, word, sizeof word - 1) != 0)
        at++;
    at += sizeof word - 1;
    ck_assert_int_eq(file.data[at], '0');
    for (file.data[at] = '2'; file.data[at] <= '9'; file.data[at]++) {
        TSNNI_REFUSED(context, FORMAT, load(&file));
        tsnni_test_expect_text(context, "it must be 0..1");
    }
    file.data[at] = '1';
    TSNNI_OK(load(&file));
    tsnni_test_bytes_free(&file);
    tsnn_network_destroy(&network);
    tsnn_context_destroy(&plain);
}
END_TEST

START_TEST(lengths_of_headers_are_checked_against_the_file)
{
    static const uint64_t lengths[] = {3, 1000, 1ull << 31, 1ull << 32, 1ull << 62, 1ull << 63, UINT64_MAX};
    for (size_t k = 0; k < sizeof lengths / sizeof *lengths; k++) {
        tsnni_test_bytes file = file_of("{}", 0);
        for (int b = 0; b < 8; b++)
            file.data[b] = (unsigned char)(lengths[k] >> 8 * b);
        TSNNI_REFUSED(context, FORMAT, load(&file));
        tsnni_test_expect_text(context, "in a file of 10");
        tsnni_test_bytes_free(&file);
    }
    for (size_t size = 0; size < 8; size++) {
        tsnni_test_bytes file = file_of("{}", 0);
        file.size = size;
        TSNNI_REFUSED(context, FORMAT, load(&file));
        tsnni_test_bytes_free(&file);
    }
}
END_TEST

/* Short texts that are dear to parse: a few bytes each, many times. */
START_TEST(dear_headers_stay_within_the_limit)
{
    static const char *const patterns[][3] = {
        {"{\"a\":[", "0,", "0]}"},
        {"{\"a\":[", "\"\",", "0]}"},
        {"{\"a\":[", "[],", "0]}"},
        {"{\"a\":[", "{},                                           ", "0]}"},
        {"{\"a\":[", "[],                                           ", "0]}"},
        {"{\"a\":[", "[0],                                          ", "0]}"},
        {"{\"a\":[", "0.5,", "0]}"},
        {"{\"a\":\"", "\\u0041", "\"}"},
        {"{\"a\":\"", "xxxxxxxx", "\"}"},
        {MODEL_BEGIN ALPHA_BEGIN "[", "{},", "{}]\"}}"},
        {MODEL_BEGIN ALPHA_BEGIN "[", "[],", "[]]\"}}"},
        {MODEL_BEGIN ALPHA_BEGIN "0.", "0", "1\"}}"},
        {"{", "\"%07d\":0,", "\"a\":0}"},
        {"{\"__metadata__\":{", "\"%07d\":\"\",", "\"a\":\"\"}}"},
        {"{", "\"%06d\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,0]},", "\"a\":0}"},
        {"{", "\"%06d\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},",
         "\"a\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]}}"},
    };
    for (size_t k = 0; k < sizeof patterns / sizeof *patterns; k++)
        for (int count = 10; count <= 100000; count *= 10) {
            size_t room = 1000 + (size_t)count * (strlen(patterns[k][1]) + 8);
            char *header = tsnni_test_array((int64_t)room, 1), *at = header;
            at += snprintf(at, room, "%s", patterns[k][0]);
            for (int n = 0; n < count; n++) {
                if (strstr(patterns[k][1], "%0") == NULL) {
                    at = strcpy(at, patterns[k][1]) + strlen(patterns[k][1]);
                } else {
                    size_t digits = strcspn(patterns[k][1], "%");
                    int width = patterns[k][1][digits + 2] - '0';
                    at += snprintf(at, 100, "%.*s%0*d%s", (int)digits, patterns[k][1], width, n,
                                   patterns[k][1] + digits + 4);
                }
            }
            strcpy(at, patterns[k][2]);
            tsnni_test_bytes file = file_of(header, 0);
            ck_assert_int_eq(load_every_way(&file), FORMAT);
            tsnni_test_bytes_free(&file);
            free(header);
        }
}
END_TEST

/* ---- mutations ---- */

static uint64_t digits_from(tsnni_test_random *random)
{
    static const uint64_t numbers[] = {0, 1, 2, 255, 65536, 2147483647, 4294967295u, 1ull << 53, INT64_MAX, UINT64_MAX};
    return numbers[tsnni_test_below(random, 10)];
}

/* Puts another number in place of one of the header's. */
static void change_number(tsnni_test_bytes *file, tsnni_test_random *random)
{
    int64_t length = header_bytes(file), at = 8 + tsnni_test_below(random, length > 0 ? length : 1);
    while (at < 8 + length && (file->data[at] < '0' || file->data[at] > '9'))
        at++;
    int64_t end = at;
    while (end < 8 + length && file->data[end] >= '0' && file->data[end] <= '9')
        end++;
    char digits[24];
    int size = snprintf(digits, sizeof digits, "%llu", (unsigned long long)digits_from(random));
    for (int k = 0; at < end; at++, k++) /* of the same length, so that the rest stays where it is */
        file->data[at] = (unsigned char)(k < size ? digits[k] : '0');
}

static void change_bytes(tsnni_test_bytes *file, tsnni_test_random *random)
{
    static const unsigned char favourites[] = {0, 1, 0x7F, 0x80, 0xFF, '"', '{', '}', '[', ']', ',', ':', '\\', '9'};
    int64_t header = 8 + header_bytes(file);
    for (int64_t n = 1 + tsnni_test_below(random, 4); n > 0; n--) {
        /* headers are where most can go wrong */
        int64_t bound = tsnni_test_below(random, 2) ? header : (int64_t)file->size;
        unsigned char *byte = &file->data[tsnni_test_below(random, bound)];
        switch (tsnni_test_below(random, 3)) {
        case 0:
            *byte = (unsigned char)(*byte ^ 1u << tsnni_test_below(random, 8));
            break;
        case 1:
            *byte = (unsigned char)tsnni_test_below(random, 256);
            break;
        default:
            *byte = favourites[tsnni_test_below(random, 14)];
        }
    }
}

/* Copies a part of the file over another. */
static void move_bytes(tsnni_test_bytes *file, tsnni_test_random *random)
{
    int64_t size = (int64_t)file->size, count = 1 + tsnni_test_below(random, size < 64 ? size : 64);
    memmove(file->data + tsnni_test_below(random, size - count + 1),
            file->data + tsnni_test_below(random, size - count + 1), (size_t)count);
}

static tsnni_test_bytes mutate(const tsnni_test_bytes *good, tsnni_test_random *random)
{
    tsnni_test_bytes file = {0};
    tsnni_test_bytes_add(&file, good->data, good->size);
    for (int64_t n = 1 + tsnni_test_below(random, 2); n > 0; n--)
        switch (tsnni_test_below(random, 8)) {
        case 0:
            file.size = (size_t)(1 + tsnni_test_below(random, (int64_t)file.size));
            break;
        case 1:
            tsnni_test_bytes_add(&file, good->data, (size_t)tsnni_test_below(random, 100));
            break;
        case 2:
        case 3:
            change_number(&file, random);
            break;
        case 4:
            move_bytes(&file, random);
            break;
        default:
            change_bytes(&file, random);
        }
    return file;
}

START_TEST(mutated_files_do_no_harm)
{
    static const int bases[] = {2, 3, 7, 10};
    tsnni_test_random random = {(uint64_t)_i + 1};
    int64_t loaded = 0, refused = 0, count = tsnni_test_all() ? 25000 : 1000;
    tsnn_context *plain = tsnni_test_context(TSNN_ISA_REF, 1, 3);
    tsnn_network *network = tsnni_test_network_of_kind(plain, bases[_i]);
    tsnni_test_bytes good = tsnni_test_saved(network, NULL);
    for (int64_t n = 0; n < count; n++) {
        tsnni_test_bytes file = mutate(&good, &random);
        tsnn_status status = load_every_way(&file);
        ck_assert_msg(status == TSNN_OK || (status <= -10 && status >= -101), "mutation %d: status %d", (int)n,
                      (int)status);
        *(status == TSNN_OK ? &loaded : &refused) += 1;
        tsnni_test_bytes_free(&file);
    }
    ck_assert_msg(loaded > count / 100 && refused > count / 10, "%d were loaded, %d refused: not much of a test",
                  (int)loaded, (int)refused);
    tsnni_test_bytes_free(&good);
    tsnn_network_destroy(&network);
    tsnn_context_destroy(&plain);
}
END_TEST

/* All connections at one output of three: the packed layer is nearly all padding, twice, for single samples and
 * batches.
 */
START_TEST(the_worst_layer_to_pack_stays_within_the_limit)
{
    enum { INPUTS = 70000 };
    tsnn_context *plain = tsnni_test_context(TSNN_ISA_REF, 1, 3);
    int64_t *row_ptr = tsnni_test_array(INPUTS + 1, sizeof *row_ptr);
    int32_t *column = tsnni_test_array(INPUTS, sizeof *column);
    float *values = tsnni_test_array(INPUTS, sizeof *values);
    for (int64_t i = 0; i < INPUTS; i++) {
        row_ptr[i + 1] = i + 1;
        values[i] = 1;
    }
    tsnn_layer *layer = NULL;
    tsnn_network *network = NULL;
    TSNNI_OK(tsnn_layer_create_from_csr(plain, INPUTS, 3, INPUTS, row_ptr, column, values, NULL, TSNN_CHECKED, &layer));
    TSNNI_OK(tsnn_network_create(plain, &network));
    TSNNI_OK(tsnn_network_append(network, &layer, NULL, 0));
    tsnni_test_bytes saved = tsnni_test_saved(network, NULL);
    ck_assert_int_eq(load_every_way(&saved), TSNN_OK);
    tsnni_test_bytes_free(&saved);
    tsnn_network_destroy(&network);
    tsnn_context_destroy(&plain);
    free(row_ptr);
    free(column);
    free(values);
}
END_TEST

START_TEST(every_refusal_of_memory_to_the_parser_is_an_error)
{
    tsnn_context *plain = tsnni_test_context(TSNN_ISA_REF, 1, 3);
    tsnn_network *network = tsnni_test_network_of_kind(plain, 10);
    tsnni_test_bytes good = tsnni_test_saved(network, NULL);
    int64_t refusals = 0;
    for (;; refusals++) {
        json.fail_at = json.calls + refusals + 1;
        int64_t before = json.refused;
        tsnn_status status = load(&good);
        json.fail_at = 0;
        if (json.refused == before) {
            TSNNI_OK(status);
            break;
        }
        /* The parser does not always say why it gave up. */
        ck_assert_msg(status == TSNN_ERROR_OUT_OF_MEMORY || status == FORMAT, "refusal %d: status %d",
                      (int)refusals + 1, (int)status);
    }
    ck_assert_int_gt(refusals, 50);
    tsnni_test_bytes_free(&good);
    tsnn_network_destroy(&network);
    tsnn_context_destroy(&plain);
}
END_TEST

#else

static void setup(void)
{
    context = tsnni_test_counted_context(&library);
    (void)json;
}

static void teardown(void)
{
    tsnn_context_destroy(&context);
}

#endif

Suite *tsnni_suite_model_hostile(void)
{
    Suite *suite = suite_create("model_hostile");
    TCase *tcase = tcase_create("model_hostile");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 600);
#if TSNN_MODEL_FILES
    tcase_add_test(tcase, broken_headers_are_refused_with_their_numbers);
    tcase_add_test(tcase, digits_above_their_range_are_refused);
    tcase_add_test(tcase, lengths_of_headers_are_checked_against_the_file);
    tcase_add_test(tcase, dear_headers_stay_within_the_limit);
    tcase_add_loop_test(tcase, mutated_files_do_no_harm, 0, 4);
    tcase_add_test(tcase, the_worst_layer_to_pack_stays_within_the_limit);
    tcase_add_test(tcase, every_refusal_of_memory_to_the_parser_is_an_error);
#endif
    suite_add_tcase(suite, tcase);
    return suite;
}
