/* The calls that read and write files, for the tests of memory. What they read has been written with another context; a
 * file that is not complete is not there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory_calls.h"

/* ---- what there is to read ---- */

#if TSNN_MODEL_FILES

/* A network with custom activations and momentum, saved; the block is kept until the process ends. */
static const tsnni_test_bytes *saved_network(int kind)
{
    static tsnni_test_bytes saved[TSNNI_TEST_KINDS];
    if (saved[kind].size == 0) {
        tsnn_context *context = tsnni_test_context(TSNN_ISA_REF, 1, 5);
        tsnn_network *network = tsnni_test_network_of_kind(context, kind);
        tsnn_save_options options = TSNN_SAVE_OPTIONS_INIT;
        options.momentum = 1;
        saved[kind] = tsnni_test_saved(network, &options);
        tsnn_network_destroy(&network);
        tsnn_context_destroy(&context);
    }
    return &saved[kind];
}

/* The checkpoint of a world's trainer. */
static const tsnni_test_bytes *saved_trainer(void)
{
    static tsnni_test_bytes saved;
    if (saved.size == 0) {
        tsnni_test_world other;
        tsnni_test_world_create(&other, tsnni_test_context(TSNN_ISA_REF, 1, 5));
        saved = tsnni_test_saved_trainer(other.trainer);
        tsnni_test_world_destroy(&other);
    }
    return &saved;
}

#endif

/* Everything in a folder of the call's own: its one file is told. */
static tsnn_status with_file(tsnn_status (*call)(tsnni_test_world *world, tsnni_product *made, const char *path),
                             tsnni_test_world *world, tsnni_product *made)
{
    tsnni_test_folder_create();
    const char *path = tsnni_test_path("file");
    tsnn_status status = call(world, made, path);
    ck_assert_int_eq(tsnni_test_folder_count(), status == TSNN_OK ? 1 : 0);
    if (status == TSNN_OK) {
        tsnni_test_bytes written = tsnni_test_file_read(path);
        tsnni_test_bytes_add(&made->told, written.data, written.size);
        tsnni_test_bytes_free(&written);
    }
    tsnni_test_folder_remove();
    return status;
}

/* ---- model files ---- */

#if TSNN_MODEL_FILES

static const char *const pairs[] = {"name", "world", "a key longer than sixteen bytes", "and its value, no shorter"};

static tsnn_save_options all_saved(void)
{
    tsnn_save_options options = TSNN_SAVE_OPTIONS_INIT;
    options.momentum = 1;
    options.metadata = pairs;
    options.metadata_count = 2;
    return options;
}

static tsnn_status save_to(tsnni_test_world *world, tsnni_product *made, const char *path)
{
    (void)made;
    return tsnn_network_save(world->network, NULL, path);
}

static tsnn_status save_all_to(tsnni_test_world *world, tsnni_product *made, const char *path)
{
    (void)made;
    tsnn_save_options options = all_saved();
    return tsnn_network_save(world->network, &options, path);
}

static tsnn_status save_trainer_to(tsnni_test_world *world, tsnni_product *made, const char *path)
{
    (void)made;
    tsnn_save_options options = all_saved();
    return tsnn_trainer_save(world->trainer, &options, path);
}

static tsnn_status save(tsnni_test_world *world, tsnni_product *made)
{
    return with_file(save_to, world, made);
}

static tsnn_status save_all(tsnni_test_world *world, tsnni_product *made)
{
    return with_file(save_all_to, world, made);
}

static tsnn_status save_trainer(tsnni_test_world *world, tsnni_product *made)
{
    return with_file(save_trainer_to, world, made);
}

enum { ROOM = 100000 };

static tsnn_status save_memory(tsnni_test_world *world, tsnni_product *made)
{
    unsigned char *block = tsnni_test_array(ROOM, 1);
    int64_t size = 0;
    tsnn_status status = tsnn_network_save_memory(world->network, NULL, block, ROOM, &size);
    tsnni_test_bytes_add(&made->told, block, status == TSNN_OK ? (size_t)size : 0);
    free(block);
    return status;
}

static tsnn_status save_trainer_memory(tsnni_test_world *world, tsnni_product *made)
{
    unsigned char *block = tsnni_test_array(ROOM, 1);
    tsnn_save_options options = all_saved();
    int64_t size = 0;
    tsnn_status status = tsnn_trainer_save_memory(world->trainer, &options, block, ROOM, &size);
    tsnni_test_bytes_add(&made->told, block, status == TSNN_OK ? (size_t)size : 0);
    free(block);
    return status;
}

/* Every kind of network there is, one after the other. */
static tsnn_status load_memory(tsnni_test_world *world, tsnni_product *made)
{
    for (int kind = 0; kind < TSNNI_TEST_KINDS; kind++) {
        const tsnni_test_bytes *saved = saved_network(kind);
        tsnn_load_options options = TSNN_LOAD_OPTIONS_INIT;
        if (strcmp(tsnni_test_kind_name(kind), "wide") == 0 && !tsnni_test_all())
            continue;
        options.custom = world->custom;
        tsnn_network_destroy(&made->network);
        tsnn_status status =
            tsnn_network_load_memory(world->context, saved->data, (int64_t)saved->size, &options, &made->network);
        if (status < 0)
            return status;
    }
    return TSNN_OK;
}

/* With a file of these bytes. */
static const char *file_of(const tsnni_test_bytes *bytes)
{
    tsnni_test_folder_create();
    const char *path = tsnni_test_path("file");
    tsnni_test_file_write(path, bytes->data, bytes->size);
    return path;
}

static tsnn_status load(tsnni_test_world *world, tsnni_product *made)
{
    tsnn_status status = tsnn_network_load(world->context, file_of(saved_network(0)), NULL, &made->network);
    tsnni_test_folder_remove();
    return status;
}

/* Back to the state it has: everything stays as it was after success, too. */
static tsnn_status resume_memory(tsnni_test_world *world, tsnni_product *made)
{
    (void)made;
    return tsnn_trainer_resume_memory(world->trainer, saved_trainer()->data, (int64_t)saved_trainer()->size, NULL);
}

static tsnn_status resume(tsnni_test_world *world, tsnni_product *made)
{
    (void)made;
    tsnn_status status = tsnn_trainer_resume(world->trainer, file_of(saved_trainer()), NULL);
    tsnni_test_folder_remove();
    return status;
}

static tsnn_status get_metadata(tsnni_test_world *world, tsnni_product *made)
{
    char text[100] = "";
    tsnn_status status =
        tsnn_model_get_metadata(world->context, file_of(saved_network(0)), "tsnn.library", text, sizeof text, NULL);
    tsnni_test_bytes_add(&made->told, text, sizeof text);
    tsnni_test_folder_remove();
    return status;
}

#endif

/* ---- predictors of model files, and whole checkpoints ---- */

#if TSNN_MODEL_FILES

/* From an odd address: every array is copied. */
static tsnn_status load_predictor(tsnni_test_world *world, tsnni_product *made, int32_t ownership)
{
    static unsigned char *block;
    const tsnni_test_bytes *saved = saved_network(0);
    tsnn_predictor_load_options options = TSNN_PREDICTOR_LOAD_OPTIONS_INIT;
    if (block == NULL)
        memcpy((block = tsnni_test_array((int64_t)saved->size + 1, 1)) + 1, saved->data, saved->size);
    options.ownership = ownership;
    options.skip_zeros = 1;
    return tsnn_predictor_load_memory(world->context, block + 1, (int64_t)saved->size, &options, &made->predictor);
}

static tsnn_status load_packed(tsnni_test_world *world, tsnni_product *made)
{
    return load_predictor(world, made, TSNN_COPY);
}

static tsnn_status load_in_place(tsnni_test_world *world, tsnni_product *made)
{
    return load_predictor(world, made, TSNN_BORROW);
}

/* The file may go while it is mapped. */
static tsnn_status map_file(tsnni_test_world *world, tsnni_product *made)
{
    tsnn_predictor_load_options options = TSNN_PREDICTOR_LOAD_OPTIONS_INIT;
    options.ownership = TSNN_BORROW;
    tsnn_status status = tsnn_predictor_load(world->context, file_of(saved_network(0)), &options, &made->predictor);
    tsnni_test_folder_remove();
    return status;
}

static tsnn_status export_network_to(tsnni_test_world *world, tsnni_product *made, const char *path)
{
    (void)made;
    tsnn_checkpoint_export_options options = TSNN_CHECKPOINT_EXPORT_OPTIONS_INIT;
    options.path = path;
    options.masks = 1;
    return tsnn_network_export(world->network, &options);
}

static tsnn_status export_network(tsnni_test_world *world, tsnni_product *made)
{
    return with_file(export_network_to, world, made);
}

/* With a batch, for which the file is read twice. */
static tsnn_status import_network(tsnni_test_world *world, tsnni_product *made)
{
    static tsnni_test_bytes saved;
    tsnn_checkpoint_import_options options = TSNN_CHECKPOINT_IMPORT_OPTIONS_INIT;
    if (saved.size == 0) {
        tsnn_context *context = tsnni_test_context(TSNN_ISA_REF, 1, 5);
        tsnn_network *network = NULL;
        static const int64_t sizes[] = {12, 9, 4};
        tsnn_mlp_options mlp = TSNN_MLP_OPTIONS_INIT;
        tsnn_checkpoint_export_options to = TSNN_CHECKPOINT_EXPORT_OPTIONS_INIT;
        mlp.sizes = sizes;
        mlp.size_count = 3;
        TSNNI_OK(tsnn_network_create_mlp(context, &mlp, &network));
        tsnni_test_folder_create();
        to.path = tsnni_test_path("checkpoint");
        TSNNI_OK(tsnn_network_export(network, &to));
        saved = tsnni_test_file_read(to.path);
        tsnni_test_folder_remove();
        tsnn_network_destroy(&network);
        tsnn_context_destroy(&context);
    }
    options.path = file_of(&saved);
    options.threshold = 0.1;
    options.features = world->features;
    options.samples = 30;
    tsnn_status status = tsnn_network_import(world->context, &options, NULL, &made->network);
    tsnni_test_folder_remove();
    return status;
}

#endif

/* ---- matrices of other programs ---- */

static tsnn_export_options export_options(int32_t format)
{
    tsnn_export_options options = TSNN_EXPORT_OPTIONS_INIT;
    options.format = format;
    options.path = tsnni_test_path("weights");
    options.bias = format == TSNN_FORMAT_SAFETENSORS ? "bias" : tsnni_test_path("bias.npy");
    if (format == TSNN_FORMAT_NPY)
        options.mask = tsnni_test_path("mask.npy");
    if (format == TSNN_FORMAT_SAFETENSORS)
        options.mask = "mask";
    return options;
}

/* Each file is whole or not there; which of them have been written before memory ended is left open. */
static tsnn_status export_as(tsnni_test_world *world, tsnni_product *made, int32_t format)
{
    tsnni_test_folder_create();
    tsnn_export_options options = export_options(format);
    tsnn_status status = tsnn_layer_export(world->layer, &options);
    tsnni_test_bytes written = {0};
    if (status == TSNN_OK)
        written = tsnni_test_file_read(options.path);
    tsnni_test_bytes_add(&made->told, written.data, written.size);
    tsnni_test_bytes_free(&written);
    tsnni_test_folder_remove();
    return status;
}

static tsnn_status export_npz(tsnni_test_world *world, tsnni_product *made)
{
    return export_as(world, made, TSNN_FORMAT_NPZ);
}

static tsnn_status export_npy(tsnni_test_world *world, tsnni_product *made)
{
    return export_as(world, made, TSNN_FORMAT_NPY);
}

static tsnn_status export_market(tsnni_test_world *world, tsnni_product *made)
{
    return export_as(world, made, TSNN_FORMAT_MATRIX_MARKET);
}

#if TSNN_MODEL_FILES
static tsnn_status export_safetensors(tsnni_test_world *world, tsnni_product *made)
{
    return export_as(world, made, TSNN_FORMAT_SAFETENSORS);
}
#endif

/* Into the folder: the layer of 5 x 4 that the imports read. */
static void write_matrix(int32_t format)
{
    tsnn_context *context = tsnni_test_context(TSNN_ISA_REF, 1, 5);
    tsnn_layer *layer = tsnni_test_layer(context, 5, 4, 0.5);
    tsnn_export_options options = export_options(format);
    TSNNI_OK(tsnn_layer_export(layer, &options));
    tsnn_layer_destroy(&layer);
    tsnn_context_destroy(&context);
}

static tsnn_status import_matrix(tsnni_test_world *world, tsnni_product *made, const tsnn_import_options *options)
{
    tsnn_import_report report = TSNN_IMPORT_REPORT_INIT;
    tsnn_status status = tsnn_layer_import(world->context, options, &report, &made->layer);
    if (status == TSNN_OK)
        tsnni_test_bytes_add(&made->told, &report, sizeof report);
    tsnni_test_folder_remove();
    return status;
}

/* With biases, a mask where the format has one, and a batch. */
static tsnn_status import_as(tsnni_test_world *world, tsnni_product *made, int32_t format, int32_t rows)
{
    tsnni_test_folder_create();
    write_matrix(format);
    tsnn_export_options written = export_options(format);
    tsnn_import_options options = TSNN_IMPORT_OPTIONS_INIT;
    options.path = written.path;
    options.weights = format == TSNN_FORMAT_SAFETENSORS ? "weight" : NULL;
    options.bias = rows == TSNN_ROWS_ARE_INPUTS ? written.bias : NULL; /* it is as long as a row */
    options.mask = written.mask;
    options.threshold = 0.3;
    options.rows = rows;
    options.features = world->features;
    options.samples = 3;
    return import_matrix(world, made, &options);
}

static tsnn_status import_npz(tsnni_test_world *world, tsnni_product *made)
{
    return import_as(world, made, TSNN_FORMAT_NPZ, TSNN_ROWS_ARE_INPUTS);
}

static tsnn_status import_npz_by_outputs(tsnni_test_world *world, tsnni_product *made)
{
    return import_as(world, made, TSNN_FORMAT_NPZ, TSNN_ROWS_ARE_OUTPUTS);
}

static tsnn_status import_npy(tsnni_test_world *world, tsnni_product *made)
{
    return import_as(world, made, TSNN_FORMAT_NPY, TSNN_ROWS_ARE_INPUTS);
}

static tsnn_status import_npy_by_outputs(tsnni_test_world *world, tsnni_product *made)
{
    return import_as(world, made, TSNN_FORMAT_NPY, TSNN_ROWS_ARE_OUTPUTS);
}

static tsnn_status import_market(tsnni_test_world *world, tsnni_product *made)
{
    return import_as(world, made, TSNN_FORMAT_MATRIX_MARKET, TSNN_ROWS_ARE_INPUTS);
}

#if TSNN_MODEL_FILES
static tsnn_status import_safetensors(tsnni_test_world *world, tsnni_product *made)
{
    return import_as(world, made, TSNN_FORMAT_SAFETENSORS, TSNN_ROWS_ARE_INPUTS);
}
#endif

/* scipy.sparse.save_npz() of the CSC matrix [[0, 1.5, 0], [2, 0, -3]], compressed. */
static const char compressed_csc[] =
    "504b03042d0000000800000021001d0f07ecffffffffffffffff0b001400696e64696365732e6e7079010010008c000000000000"
    "0049000000000000009bec17ea1b10c9c850c650ad9e925a9c5ca46ea5a06e9369a2aea3a09e965f54529498179f5f94920a1277"
    "4bcc294e058a17672416a402f91ac63a9a3a0ab50a14002e46060800d100504b03042d000000080000002100fe741ed4ffffffff"
    "ffffffff0a001400696e647074722e6e70790100100090000000000000004e000000000000009bec17ea1b10c9c850c650ad9e92"
    "5a9c5ca46ea5a06e9369a2aea3a09e965f54529498179f5f94920a12774bcc294e058a17672416a402f91a263a9a3a0ab50a1400"
    "2e0620600462262066066200504b03042d00000008000000210051e3c4fdffffffffffffffff0a001400666f726d61742e6e7079"
    "01001000830000000000000045000000000000009bec17ea1b10c9c850c650ad9e925a9c5ca46ea5a05e136cacaea3a09e965f54"
    "529498179f5f94920a12774bcc294e058a17672416a402f91a9a3a0ab50a1401aee4e26400504b03042d00000008000000210060"
    "487e0cffffffffffffffff0900140073686170652e6e70790100100090000000000000004a000000000000009bec17ea1b10c9c8"
    "50c650ad9e925a9c5ca46ea5a06e9369a1aea3a09e965f54529498179f5f94920a12774bcc294e058a17672416a402f91a463a9a"
    "3a0ab50a14002e2606086086d200504b03042d000000080000002100f8498d9fffffffffffffffff08001400646174612e6e7079"
    "010010008c000000000000004f000000000000009bec17ea1b10c9c850c650ad9e925a9c5ca46ea5a06e9366a2aea3a09e965f54"
    "529498179f5f94920a12774bcc294e058a17672416a402f91ac63a9a3a0ab50a14002e06060607068603f640ea0000504b01022d"
    "032d0000000800000021001d0f07ec490000008c0000000b0000000000000000000000800100000000696e64696365732e6e7079"
    "504b01022d032d000000080000002100fe741ed44e000000900000000a0000000000000000000000800186000000696e64707472"
    "2e6e7079504b01022d032d00000008000000210051e3c4fd45000000830000000a0000000000000000000000800110010000666f"
    "726d61742e6e7079504b01022d032d00000008000000210060487e0c4a0000009000000009000000000000000000000080019101"
    "000073686170652e6e7079504b01022d032d000000080000002100f8498d9f4f0000008c00000008000000000000000000000080"
    "0116020000646174612e6e7079504b05060000000005000500160100009f0200000000";

static tsnn_status import_compressed(tsnni_test_world *world, tsnni_product *made)
{
    unsigned char bytes[sizeof compressed_csc / 2];
    for (size_t k = 0; k < sizeof bytes; k++) {
        unsigned byte;
        ck_assert_int_eq(sscanf(compressed_csc + 2 * k, "%2x", &byte), 1);
        bytes[k] = (unsigned char)byte;
    }
    tsnni_test_folder_create();
    tsnn_import_options options = TSNN_IMPORT_OPTIONS_INIT;
    options.path = tsnni_test_path("compressed");
    tsnni_test_file_write(options.path, bytes, sizeof bytes);
    return import_matrix(world, made, &options);
}

/* ---- C ---- */

static tsnn_status export_c_as(tsnni_test_world *world, tsnni_product *made, const char *path, int32_t weights)
{
    tsnn_export_c_options options = TSNN_EXPORT_C_OPTIONS_INIT;
    tsnn_export_c_report report = TSNN_EXPORT_C_REPORT_INIT;
    options.weights = weights;
    options.samples = world->features;
    options.sample_count = 3;
    tsnn_status status = tsnn_export_c(world->network, &options, path, &report);
    if (status == TSNN_OK)
        tsnni_test_bytes_add(&made->told, &report, sizeof report);
    return status;
}

static tsnn_status export_c_floats_to(tsnni_test_world *world, tsnni_product *made, const char *path)
{
    return export_c_as(world, made, path, TSNN_EXPORT_FLOAT);
}

static tsnn_status export_c_bytes_to(tsnni_test_world *world, tsnni_product *made, const char *path)
{
    return export_c_as(world, made, path, TSNN_EXPORT_INT8);
}

static tsnn_status export_c_floats(tsnni_test_world *world, tsnni_product *made)
{
    return with_file(export_c_floats_to, world, made);
}

static tsnn_status export_c_bytes(tsnni_test_world *world, tsnni_product *made)
{
    return with_file(export_c_bytes_to, world, made);
}

const tsnni_memory_call tsnni_memory_files[] = {
    {"tsnn_network_save", "weights", TSNNI_FILES(save), TSNNI_UNCHANGED, 7},
    {"tsnn_network_save", "momentum and texts", TSNNI_FILES(save_all), TSNNI_UNCHANGED, 7},
    {"tsnn_network_save_memory", NULL, TSNNI_FILES(save_memory), TSNNI_UNCHANGED, 5},
    {"tsnn_network_load", NULL, TSNNI_FILES(load), TSNNI_UNCHANGED, 40},
    {"tsnn_network_load_memory", "every kind", TSNNI_FILES(load_memory), TSNNI_UNCHANGED, 300},
    {"tsnn_trainer_save", NULL, TSNNI_FILES(save_trainer), TSNNI_UNCHANGED, 7},
    {"tsnn_trainer_save_memory", NULL, TSNNI_FILES(save_trainer_memory), TSNNI_UNCHANGED, 5},
    {"tsnn_trainer_resume", NULL, TSNNI_FILES(resume), TSNNI_UNCHANGED, 40},
    {"tsnn_trainer_resume_memory", NULL, TSNNI_FILES(resume_memory), TSNNI_UNCHANGED, 40},
    {"tsnn_predictor_load", "in place", TSNNI_FILES(map_file), TSNNI_UNCHANGED, 8},
    {"tsnn_predictor_load_memory", "packed", TSNNI_FILES(load_packed), TSNNI_UNCHANGED, 40},
    {"tsnn_predictor_load_memory", "in place", TSNNI_FILES(load_in_place), TSNNI_UNCHANGED, 20},
    {"tsnn_network_export", NULL, TSNNI_FILES(export_network), TSNNI_UNCHANGED, 5},
    {"tsnn_network_import", NULL, TSNNI_FILES(import_network), TSNNI_UNCHANGED, 100},
    {"tsnn_model_get_metadata", NULL, TSNNI_FILES(get_metadata), TSNNI_UNCHANGED, 3},
    {"tsnn_layer_export", "npz", export_npz, TSNNI_UNCHANGED, 3},
    {"tsnn_layer_export", "npy", export_npy, TSNNI_UNCHANGED, 3},
    {"tsnn_layer_export", "Matrix Market", export_market, TSNNI_UNCHANGED, 3},
    {"tsnn_layer_export", "safetensors", TSNNI_FILES(export_safetensors), TSNNI_UNCHANGED, 3},
    {"tsnn_layer_import", "npz", import_npz, TSNNI_UNCHANGED, 10},
    {"tsnn_layer_import", "npz, rows are outputs", import_npz_by_outputs, TSNNI_UNCHANGED, 10},
    {"tsnn_layer_import", "npz, CSC, compressed", import_compressed, TSNNI_UNCHANGED, 10},
    {"tsnn_layer_import", "npy", import_npy, TSNNI_UNCHANGED, 8},
    {"tsnn_layer_import", "npy, rows are outputs", import_npy_by_outputs, TSNNI_UNCHANGED, 8},
    {"tsnn_layer_import", "Matrix Market", import_market, TSNNI_UNCHANGED, 8},
    {"tsnn_layer_import", "safetensors", TSNNI_FILES(import_safetensors), TSNNI_UNCHANGED, 8},
    {"tsnn_export_c", "float", export_c_floats, TSNNI_UNCHANGED, 5},
    {"tsnn_export_c", "8 bits", export_c_bytes, TSNNI_UNCHANGED, 5},
    {NULL, NULL, NULL, 0, 0},
};
