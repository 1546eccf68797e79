/* Predictors of model files: those of the network that was saved, packed or read in place, and nothing in a file is
 * trusted. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* memmem */
#endif

#include "suites.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "model_support.h"

static tsnn_context *context;
static tsnn_activation *custom;

static void setup(void)
{
    context = tsnni_test_context(TSNN_ISA_AUTO, 1, 5);
    custom = tsnni_test_activation(context, (tsnni_test_function){TSNN_ACTIVATION_CUSTOM, 0});
    tsnni_test_folder_create();
}

static void teardown(void)
{
    tsnni_test_folder_remove();
    tsnn_activation_destroy(&custom);
    tsnn_context_destroy(&context);
}

#if TSNN_MODEL_FILES

enum { SAMPLES = 9 }; /* of 12 features, with 4 outputs: all kinds of network */

typedef struct samples {
    float features[SAMPLES * 12];
    int64_t ptr[SAMPLES + 1];
    int32_t index[SAMPLES * 12];
    float value[SAMPLES * 12];
    tsnn_samples dense, sparse;
} samples;

static samples *samples_new(void)
{
    tsnni_test_random random = {7};
    samples *made = tsnni_test_array(1, sizeof *made);
    made->dense = made->sparse = (tsnn_samples)TSNN_SAMPLES_INIT;
    for (int64_t n = 0; n < SAMPLES; n++) {
        made->ptr[n + 1] = made->ptr[n];
        for (int32_t f = 0; f < 12; f++) {
            if (tsnni_test_below(&random, 3) == 0)
                continue;
            float x = made->features[n * 12 + f] = (float)tsnni_test_uniform(&random, -3, 3);
            made->index[made->ptr[n + 1]] = f;
            made->value[made->ptr[n + 1]++] = x;
        }
    }
    made->dense.count = made->sparse.count = SAMPLES;
    made->dense.features = made->features;
    made->sparse.sample_ptr = made->ptr;
    made->sparse.index = made->index;
    made->sparse.value = made->value;
    made->sparse.capacity = made->ptr[SAMPLES];
    return made;
}

typedef struct outputs {
    float of[3][SAMPLES * 4]; /* dense in a batch, dense one by one, sparse */
} outputs;

static outputs outputs_of(const tsnn_predictor *predictor)
{
    outputs made;
    samples *given = samples_new();
    for (int way = 0; way < 3; way++) {
        tsnn_predictor_workspace *workspace = NULL;
        tsnn_answers answers = TSNN_ANSWERS_INIT;
        answers.outputs = made.of[way];
        answers.outputs_capacity = SAMPLES * 4;
        TSNNI_OK(tsnn_predictor_workspace_create(predictor, way == 0 ? 16 : 1, &workspace));
        TSNNI_OK(tsnn_predictor_run(predictor, workspace, way < 2 ? &given->dense : &given->sparse, &answers));
        tsnn_predictor_workspace_destroy(&workspace);
    }
    free(given);
    return made;
}

static void expect_close(const outputs *actual, const outputs *expected, const char *name)
{
    for (int way = 0; way < 3; way++)
        for (int k = 0; k < SAMPLES * 4; k++) {
            double a = (double)actual->of[way][k], e = (double)expected->of[way][k];
            ck_assert_msg(fabs(a - e) <= 2e-5 * (1 + fabs(e)), "%s, way %d: output %d is %g, not %g", name, way, k, a,
                          e);
        }
}

static tsnn_predictor_load_options options_of(int32_t ownership, int32_t pack, int32_t skip_zeros)
{
    tsnn_predictor_load_options options = TSNN_PREDICTOR_LOAD_OPTIONS_INIT;
    options.ownership = ownership;
    options.pack = pack;
    options.skip_zeros = skip_zeros;
    options.custom = custom;
    return options;
}

static tsnn_predictor *load_memory(const void *data, size_t size, tsnn_predictor_load_options options)
{
    tsnn_predictor *predictor = NULL;
    TSNNI_OK(tsnn_predictor_load_memory(context, data, (int64_t)size, &options, &predictor));
    return predictor;
}

static tsnn_predictor *load_file(const char *path, tsnn_predictor_load_options options)
{
    tsnn_predictor *predictor = NULL;
    TSNNI_OK(tsnn_predictor_load(context, path, &options, &predictor));
    return predictor;
}

static tsnn_predictor_info info_of(const tsnn_predictor *predictor)
{
    tsnn_predictor_info info = TSNN_PREDICTOR_INFO_INIT;
    TSNNI_OK(tsnn_predictor_get_info(predictor, &info));
    return info;
}

/* The bytes of the arrays of all layers. */
static int64_t array_bytes(tsnn_network *network)
{
    int64_t bytes = 0;
    for (int64_t l = 0; l < tsnni_test_network_size(network).layers; l++) {
        tsnn_layer_info layer = tsnni_test_layer_size(tsnni_test_layer_of(network, l));
        bytes += 8 * (layer.inputs + 1) + 8 * layer.connections + 4 * layer.outputs;
    }
    return bytes;
}

/* ---- what comes out ---- */

static tsnn_predictor *packed_of(const tsnn_network *network, int32_t pack, int32_t skip_zeros)
{
    tsnn_predictor_options options = TSNN_PREDICTOR_OPTIONS_INIT;
    tsnn_predictor *predictor = NULL;
    options.pack = pack;
    options.skip_zeros = skip_zeros;
    TSNNI_OK(tsnn_predictor_create(context, network, &options, &predictor));
    return predictor;
}

START_TEST(a_packed_file_has_the_bits_of_its_packed_network)
{
    tsnn_network *network = tsnni_test_network_of_kind(context, _i);
    tsnni_test_bytes saved = tsnni_test_saved(network, NULL);
    const char *path = tsnni_test_path("model");
    TSNNI_OK(tsnn_network_save(network, NULL, path));
    for (int32_t pack = TSNN_PACK_ALL; pack <= TSNN_PACK_BATCH; pack++)
        for (int32_t skip = 0; skip < 2; skip++) {
            tsnn_predictor *expected = packed_of(network, pack, skip);
            tsnn_predictor *of_file = load_file(path, options_of(TSNN_COPY, pack, skip));
            tsnn_predictor *of_block = load_memory(saved.data, saved.size, options_of(TSNN_COPY, pack, skip));
            outputs right = outputs_of(expected), file = outputs_of(of_file), block = outputs_of(of_block);
            ck_assert_msg(memcmp(&right, &file, sizeof right) == 0, "%s: the file", tsnni_test_kind_name(_i));
            ck_assert_msg(memcmp(&right, &block, sizeof right) == 0, "%s: the block", tsnni_test_kind_name(_i));
            tsnn_predictor_info a = info_of(expected), b = info_of(of_file);
            ck_assert_mem_eq(&a, &b, sizeof a);
            ck_assert_int_eq(b.borrowed, 0);
            tsnn_predictor_destroy(&expected);
            tsnn_predictor_destroy(&of_file);
            tsnn_predictor_destroy(&of_block);
        }
    tsnni_test_bytes_free(&saved);
    tsnn_network_destroy(&network);
}
END_TEST

START_TEST(layers_in_place_predict_as_the_network_does)
{
    tsnn_network *network = tsnni_test_network_of_kind(context, _i);
    const char *path = tsnni_test_path("model");
    TSNNI_OK(tsnn_network_save(network, NULL, path));
    tsnni_test_bytes saved = tsnni_test_saved(network, NULL);
    for (int32_t skip = 0; skip < 2; skip++) {
        tsnn_predictor *packed = packed_of(network, TSNN_PACK_ALL, skip);
        tsnn_predictor *mapped = load_file(path, options_of(TSNN_BORROW, 0, skip));
        tsnn_predictor *block = load_memory(saved.data, saved.size, options_of(TSNN_BORROW, 0, skip));
        outputs right = outputs_of(packed), of_file = outputs_of(mapped), of_block = outputs_of(block);
        expect_close(&of_file, &right, tsnni_test_kind_name(_i));
        ck_assert_mem_eq(&of_file, &of_block, sizeof of_file);
        ck_assert_mem_eq(of_file.of[0], of_file.of[1], sizeof of_file.of[0]); /* batches go one by one */
        ck_assert_int_eq(info_of(mapped).borrowed, array_bytes(network));
        ck_assert_int_eq(info_of(mapped).bytes,
                         skip ? 4 * tsnni_test_layer_size(tsnni_test_layer_of(network, 0)).outputs : 0);
        ck_assert_int_eq(info_of(mapped).connections, info_of(packed).connections);
        tsnn_predictor_destroy(&packed);
        tsnn_predictor_destroy(&mapped);
        tsnn_predictor_destroy(&block);
    }
    tsnni_test_bytes_free(&saved);
    tsnn_network_destroy(&network);
}
END_TEST

START_TEST(every_instruction_set_reads_layers_in_place)
{
    tsnn_network *network = tsnni_test_network_of_kind(context, 2);
    tsnni_test_bytes saved = tsnni_test_saved(network, NULL);
    tsnn_predictor *packed = packed_of(network, TSNN_PACK_ALL, 0);
    outputs right = outputs_of(packed);
    for (int32_t isa = TSNN_ISA_REF; isa <= TSNNI_ISA_COUNT; isa++) {
        tsnn_context *other = tsnni_test_context(isa, 1, 0);
        tsnn_predictor *predictor = NULL;
        tsnn_predictor_load_options options = options_of(TSNN_BORROW, 0, 0);
        if (other == NULL)
            continue;
        TSNNI_OK(tsnn_predictor_load_memory(other, saved.data, (int64_t)saved.size, &options, &predictor));
        tsnn_context_destroy(&other); /* not needed any longer */
        outputs made = outputs_of(predictor);
        expect_close(&made, &right, tsnn_isa_string(isa));
        tsnn_predictor_destroy(&predictor);
    }
    tsnn_predictor_destroy(&packed);
    tsnni_test_bytes_free(&saved);
    tsnn_network_destroy(&network);
}
END_TEST

/* ---- where the bytes are ---- */

START_TEST(blocks_of_any_alignment_give_the_same_bits)
{
    tsnn_network *network = tsnni_test_network_of_kind(context, 3);
    tsnni_test_bytes saved = tsnni_test_saved(network, NULL);
    unsigned char *room = tsnni_test_array((int64_t)saved.size + 16, 1);
    tsnn_predictor *aligned = load_memory(saved.data, saved.size, options_of(TSNN_BORROW, 0, 0));
    outputs right = outputs_of(aligned);
    int64_t all = array_bytes(network);
    for (size_t shift = 0; shift < 9; shift++) {
        memcpy(room + shift, saved.data, saved.size);
        tsnn_predictor *predictor = load_memory(room + shift, saved.size, options_of(TSNN_BORROW, 0, 0));
        outputs made = outputs_of(predictor);
        ck_assert_mem_eq(&made, &right, sizeof made);
        tsnn_predictor_info info = info_of(predictor);
        ck_assert_int_eq(info.borrowed + info.bytes, all);
        if (shift % 8 == 0)
            ck_assert_int_eq(info.borrowed, all);
        else if (shift % 4 == 0)
            ck_assert(info.borrowed > 0 && info.borrowed < all);
        else
            ck_assert_int_eq(info.borrowed, 0);
        tsnn_predictor_destroy(&predictor);
    }
    tsnn_predictor_destroy(&aligned);
    free(room);
    tsnni_test_bytes_free(&saved);
    tsnn_network_destroy(&network);
}
END_TEST

START_TEST(a_packed_predictor_needs_neither_block_nor_file)
{
    tsnn_network *network = tsnni_test_network_of_kind(context, 3);
    tsnni_test_bytes saved = tsnni_test_saved(network, NULL);
    tsnn_predictor *predictor = load_memory(saved.data, saved.size, options_of(TSNN_COPY, 0, 1));
    outputs right = outputs_of(predictor);
    memset(saved.data, 0xFF, saved.size);
    outputs made = outputs_of(predictor);
    ck_assert_mem_eq(&made, &right, sizeof made);
    tsnn_predictor_destroy(&predictor);
    tsnni_test_bytes_free(&saved);
    tsnn_network_destroy(&network);
}
END_TEST

START_TEST(a_mapped_file_may_be_replaced_or_removed)
{
    tsnn_network *network = tsnni_test_network_of_kind(context, 3), *other = tsnni_test_network_of_kind(context, 2);
    const char *path = tsnni_test_path("model");
    TSNNI_OK(tsnn_network_save(network, NULL, path));
    tsnn_predictor *predictor = load_file(path, options_of(TSNN_BORROW, 0, 0));
    outputs right = outputs_of(predictor);
    TSNNI_OK(tsnn_network_save(other, NULL, path));
    outputs made = outputs_of(predictor);
    ck_assert_mem_eq(&made, &right, sizeof made);
    ck_assert_int_eq(unlink(path), 0);
    made = outputs_of(predictor);
    ck_assert_mem_eq(&made, &right, sizeof made);
    tsnn_predictor_destroy(&predictor);
    tsnn_network_destroy(&network);
    tsnn_network_destroy(&other);
}
END_TEST

/* ---- what is refused ---- */

#define LOAD_REFUSED(expected, data, size, options)                                                                    \
    do {                                                                                                               \
        tsnn_predictor *refused = (tsnn_predictor *)(void *)&context;                                                  \
        TSNNI_REFUSED(context, expected, tsnn_predictor_load_memory(context, data, size, options, &refused));          \
        ck_assert_ptr_null(refused);                                                                                   \
    } while (0)

START_TEST(wrong_options_and_arguments_are_refused)
{
    tsnn_network *network = tsnni_test_network_of_kind(context, 3);
    tsnni_test_bytes saved = tsnni_test_saved(network, NULL);
    const int64_t size = (int64_t)saved.size;
    tsnn_predictor *out = (tsnn_predictor *)(void *)&context;
    ck_assert_int_eq(tsnn_predictor_load_options_init(NULL), TSNN_ERROR_NULL_ARGUMENT);
    ck_assert_int_eq(tsnn_predictor_load(NULL, "x", NULL, &out), TSNN_ERROR_NULL_ARGUMENT);
    ck_assert_ptr_null(out);
    ck_assert_int_eq(tsnn_predictor_load_memory(NULL, saved.data, size, NULL, &out), TSNN_ERROR_NULL_ARGUMENT);
    TSNNI_REFUSED(context, TSNN_ERROR_NULL_ARGUMENT, tsnn_predictor_load(context, NULL, NULL, &out));
    TSNNI_REFUSED(context, TSNN_ERROR_NULL_ARGUMENT, tsnn_predictor_load(context, "x", NULL, NULL));
    TSNNI_REFUSED(context, TSNN_ERROR_IO, tsnn_predictor_load(context, "/no/such/file", NULL, &out));
    TSNNI_REFUSED(context, TSNN_ERROR_IO, tsnn_predictor_load(context, "/tmp", NULL, &out));
    TSNNI_REFUSED(context, TSNN_ERROR_NULL_ARGUMENT, tsnn_predictor_load_memory(context, saved.data, size, NULL, NULL));
    tsnni_test_file_write(tsnni_test_path("cut"), saved.data, saved.size - 1);
    TSNNI_REFUSED(context, TSNN_ERROR_FORMAT, tsnn_predictor_load(context, tsnni_test_path("cut"), NULL, &out));
    tsnni_test_expect_text_of(context, "cut", "the tensors take");
    LOAD_REFUSED(TSNN_ERROR_NULL_ARGUMENT, NULL, size, NULL);
    LOAD_REFUSED(TSNN_ERROR_INVALID_ARGUMENT, saved.data, -1, NULL);
    LOAD_REFUSED(TSNN_ERROR_FORMAT, saved.data, 0, NULL);
    tsnn_predictor_load_options options = options_of(2, 0, 0);
    LOAD_REFUSED(TSNN_ERROR_INVALID_ARGUMENT, saved.data, size, &options);
    options = options_of(TSNN_BORROW, TSNN_PACK_BATCH, 0);
    LOAD_REFUSED(TSNN_ERROR_INVALID_ARGUMENT, saved.data, size, &options);
    options = options_of(TSNN_COPY, 3, 0);
    LOAD_REFUSED(TSNN_ERROR_INVALID_ARGUMENT, saved.data, size, &options);
    options = options_of(TSNN_COPY, 0, 2);
    LOAD_REFUSED(TSNN_ERROR_INVALID_ARGUMENT, saved.data, size, &options);
    options = options_of(TSNN_COPY, 0, 0);
    options.max_bytes = -1;
    LOAD_REFUSED(TSNN_ERROR_INVALID_ARGUMENT, saved.data, size, &options);
    options.max_bytes = size - 1;
    LOAD_REFUSED(TSNN_ERROR_INVALID_ARGUMENT, saved.data, size, &options);
    options.max_bytes = size;
    out = load_memory(saved.data, saved.size, options);
    tsnn_predictor_destroy(&out);
    tsnni_test_file_write(tsnni_test_path("empty"), "", 0);
    for (int32_t ownership = TSNN_COPY; ownership <= TSNN_BORROW; ownership++) {
        options = options_of(ownership, 0, 0);
        TSNNI_REFUSED(context, TSNN_ERROR_FORMAT,
                      tsnn_predictor_load(context, tsnni_test_path("empty"), &options, &out));
    }
    tsnni_test_bytes_free(&saved);
    tsnn_network_destroy(&network);
}
END_TEST

static const char *find(const tsnni_test_bytes *file, const char *text)
{
    const char *at = memmem(file->data, file->size, text, strlen(text));
    ck_assert_ptr_nonnull(at);
    return at;
}

/* Puts a text of the same length in place of another of the header. */
static void rename_in(tsnni_test_bytes *file, const char *from, const char *to)
{
    ck_assert_uint_eq(strlen(from), strlen(to));
    memcpy(file->data + (find(file, from) - (const char *)file->data), to, strlen(to));
}

START_TEST(what_only_training_needs_may_be_missing)
{
    static const char *const keys[][2] = {
        {"\"tsnn.layers.0.dropout", "\"user.layers.0.dropout"}, {"\"tsnn.layers.1.init", "\"user.layers.1.init"},
        {"\"tsnn.layers.1.fan", "\"user.layers.1.fan"},         {"\"tsnn.layers.2.stream", "\"user.layers.2.stream"},
        {"\"tsnn.layers.2.frozen", "\"user.layers.2.frozen"},
    };
    tsnn_network *network = tsnni_test_network_of_kind(context, 3), *none = NULL;
    tsnni_test_bytes saved = tsnni_test_saved(network, NULL);
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++)
        rename_in(&saved, keys[k][0], keys[k][1]);
    ck_assert_int_eq(tsnn_network_load_memory(context, saved.data, (int64_t)saved.size, NULL, &none),
                     TSNN_ERROR_FORMAT);
    tsnn_predictor *loaded = load_memory(saved.data, saved.size, options_of(TSNN_COPY, 0, 0));
    tsnn_predictor *packed = packed_of(network, TSNN_PACK_ALL, 0);
    outputs right = outputs_of(packed), made = outputs_of(loaded);
    ck_assert_mem_eq(&made, &right, sizeof made);
    tsnn_predictor_destroy(&loaded);
    tsnn_predictor_destroy(&packed);
    tsnni_test_bytes_free(&saved);
    tsnn_network_destroy(&network);
}
END_TEST

/* Where the numbers of a tensor are. */
static unsigned char *tensor_at(const tsnni_test_bytes *file, const char *name)
{
    long long begin = 0;
    uint64_t header = 0;
    const char *offsets = strstr(find(file, name), "\"data_offsets\":[");
    ck_assert_int_eq(sscanf(offsets, "\"data_offsets\":[%lld", &begin), 1);
    memcpy(&header, file->data, sizeof header); /* little-endian, as the machines that run this */
    return file->data + 8 + header + begin;
}

START_TEST(wrong_numbers_are_refused_wherever_they_are)
{
    static const struct {
        const char *tensor, *text;
        size_t at;     /* bytes into it */
        uint64_t bits; /* what is put there */
        size_t bytes;
        tsnn_status expected;
    } bad[] = {
        {"layers.0.row_ptr", "layer 0: row pointer 0 is 1", 0, 1, 8, TSNN_ERROR_STRUCTURE},
        {"layers.1.row_ptr", "layer 1: row 0: row pointer falls", 8, UINT64_MAX, 8, TSNN_ERROR_STRUCTURE},
        {"layers.1.row_ptr", "layer 1: ", 8, INT64_MAX, 8, TSNN_ERROR_STRUCTURE},
        {"layers.1.col_idx", "is outside [0, 15)", 0, 15, 4, TSNN_ERROR_STRUCTURE},
        {"layers.2.col_idx", "is outside [0, 4)", 4, UINT32_MAX, 4, TSNN_ERROR_STRUCTURE},
        {"layers.0.values", "layer 0: value 1 is", 4, 0x7FC00000, 4, TSNN_ERROR_NOT_FINITE},
        {"layers.2.values", "layer 2: value 0 is", 0, 0xFF800000, 4, TSNN_ERROR_NOT_FINITE},
        {"layers.2.bias", "layer 2: bias[3] is", 12, 0x7F800000, 4, TSNN_ERROR_NOT_FINITE},
        {"inputs.mean", "input 2: mean", 8, 0x7FC00000, 4, TSNN_ERROR_NOT_FINITE},
        {"inputs.scale", "input 0: mean", 0, 0xBF800000, 4, TSNN_ERROR_NOT_FINITE},
    };
    tsnn_network *network = tsnni_test_network_of_kind(context, 3);
    int32_t standardised = strstr(tsnni_test_kind_name(3), "standardised") != NULL;
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++)
        for (int32_t ownership = TSNN_COPY; ownership <= TSNN_BORROW; ownership++) {
            if (strncmp(bad[k].tensor, "inputs", 6) == 0 && !standardised)
                continue;
            tsnni_test_bytes saved = tsnni_test_saved(network, NULL);
            tsnn_predictor_load_options options = options_of(ownership, 0, 1);
            memcpy(tensor_at(&saved, bad[k].tensor) + bad[k].at, &bad[k].bits, bad[k].bytes);
            LOAD_REFUSED(bad[k].expected, saved.data, (int64_t)saved.size, &options);
            tsnni_test_expect_text(context, bad[k].text);
            const char *path = tsnni_test_path("bad");
            tsnni_test_file_write(path, saved.data, saved.size);
            tsnn_predictor *out = NULL;
            TSNNI_REFUSED(context, bad[k].expected, tsnn_predictor_load(context, path, &options, &out));
            tsnni_test_bytes_free(&saved);
        }
    tsnn_network_destroy(&network);
}
END_TEST

START_TEST(layers_that_do_not_fit_together_are_refused)
{
    static const int64_t ten[] = {12, 20, 10, 4};
    tsnn_network *network = tsnni_test_network_of_kind(context, 2);
    static const tsnni_test_function functions[] = {
        {TSNN_ACTIVATION_RELU, 0}, {TSNN_ACTIVATION_RELU, 0}, {TSNN_ACTIVATION_SOFTMAX, 0}};
    tsnn_network *other = tsnni_test_network(context, 3, ten, functions, .3, 0);
    tsnni_test_bytes saved = tsnni_test_saved(other, NULL);
    rename_in(&saved, "\"layers.0.row_ptr", "\"layers.X.row_ptr"); /* layer 0 becomes what was layer 1 */
    rename_in(&saved, "\"layers.0.col_idx", "\"layers.X.col_idx");
    rename_in(&saved, "\"layers.0.values", "\"layers.X.values");
    rename_in(&saved, "\"layers.0.bias", "\"layers.X.bias");
    LOAD_REFUSED(TSNN_ERROR_FORMAT, saved.data, (int64_t)saved.size, NULL);
    tsnni_test_expect_text(context, "there is no tensor layers.0.row_ptr");
    rename_in(&saved, "\"layers.1.row_ptr", "\"layers.0.row_ptr");
    rename_in(&saved, "\"layers.1.col_idx", "\"layers.0.col_idx");
    rename_in(&saved, "\"layers.1.values", "\"layers.0.values");
    rename_in(&saved, "\"layers.1.bias", "\"layers.0.bias");
    rename_in(&saved, "\"layers.X.row_ptr", "\"layers.1.row_ptr");
    rename_in(&saved, "\"layers.X.col_idx", "\"layers.1.col_idx");
    rename_in(&saved, "\"layers.X.values", "\"layers.1.values");
    rename_in(&saved, "\"layers.X.bias", "\"layers.1.bias");
    for (int32_t ownership = TSNN_COPY; ownership <= TSNN_BORROW; ownership++) {
        tsnn_predictor_load_options options = options_of(ownership, 0, 0);
        LOAD_REFUSED(TSNN_ERROR_SHAPE, saved.data, (int64_t)saved.size, &options);
        tsnni_test_expect_text(context, "layer 1: 12 inputs, but the layer before gives 10");
    }
    tsnni_test_bytes_free(&saved);
    tsnn_network_destroy(&other);
    tsnn_network_destroy(&network);
}
END_TEST

START_TEST(a_custom_activation_has_to_be_given)
{
    static const int64_t sizes[] = {12, 20, 4};
    static const tsnni_test_function functions[] = {{TSNN_ACTIVATION_CUSTOM, 0}, {TSNN_ACTIVATION_SOFTMAX, 0}};
    tsnn_network *network = tsnni_test_network(context, 2, sizes, functions, .3, 0);
    tsnni_test_bytes saved = tsnni_test_saved(network, NULL);
    LOAD_REFUSED(TSNN_ERROR_UNSUPPORTED, saved.data, (int64_t)saved.size, NULL);
    tsnni_test_expect_text(context, "layer 0 has a custom activation");
    tsnn_predictor *predictor = load_memory(saved.data, saved.size, options_of(TSNN_BORROW, 0, 0));
    tsnn_predictor_destroy(&predictor);
    tsnni_test_bytes_free(&saved);
    tsnn_network_destroy(&network);
}
END_TEST

#else

START_TEST(a_build_without_model_files_says_so)
{
    tsnn_predictor *out = NULL;
    static const unsigned char file[] = {2, 0, 0, 0, 0, 0, 0, 0, '{', '}'};
    TSNNI_REFUSED(context, TSNN_ERROR_UNSUPPORTED, tsnn_predictor_load_memory(context, file, 10, NULL, &out));
}
END_TEST

#endif

Suite *tsnni_suite_predictor_load(void)
{
    Suite *suite = suite_create("predictor_load");
    TCase *tcase = tcase_create("predictor_load");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
#if TSNN_MODEL_FILES
    tcase_add_loop_test(tcase, a_packed_file_has_the_bits_of_its_packed_network, 0, TSNNI_TEST_KINDS);
    tcase_add_loop_test(tcase, layers_in_place_predict_as_the_network_does, 0, TSNNI_TEST_KINDS);
    tcase_add_test(tcase, every_instruction_set_reads_layers_in_place);
    tcase_add_test(tcase, blocks_of_any_alignment_give_the_same_bits);
    tcase_add_test(tcase, a_packed_predictor_needs_neither_block_nor_file);
    tcase_add_test(tcase, a_mapped_file_may_be_replaced_or_removed);
    tcase_add_test(tcase, wrong_options_and_arguments_are_refused);
    tcase_add_test(tcase, what_only_training_needs_may_be_missing);
    tcase_add_test(tcase, wrong_numbers_are_refused_wherever_they_are);
    tcase_add_test(tcase, layers_that_do_not_fit_together_are_refused);
    tcase_add_test(tcase, a_custom_activation_has_to_be_given);
#else
    tcase_add_test(tcase, a_build_without_model_files_says_so);
#endif
    suite_add_tcase(suite, tcase);
    return suite;
}
