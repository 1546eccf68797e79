/* A layer into files of other programs, row by row of the matrix as the file has it. */
#include <tsnn/exchange.h>

#include <stdio.h>
#include <string.h>

#include "core/memory.h"
#include "formats/market.h"
#include "formats/npy.h"
#include "formats/zip.h"
#include "layer_view.h"

tsnn_status tsnn_export_options_init(tsnn_export_options *options)
{
    if (options == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    *options = (tsnn_export_options)TSNN_EXPORT_OPTIONS_INIT;
    return TSNN_OK;
}

/* ---- dense ---- */

static tsnn_status write_npy(tsnni_runtime *runtime, tsnni_sink *sink, const void *data)
{
    const tsnni_layer_view *matrix = data;
    unsigned char head[TSNNI_NPY_HEAD];
    char shape[64];
    snprintf(shape, sizeof shape, "(%lld, %lld)", (long long)matrix->rows, (long long)matrix->columns);
    int64_t bytes = tsnni_npy_head(head, matrix->as_mask ? "|u1" : "<f4", shape);
    tsnn_status status = tsnni_sink_write(runtime, sink, head, bytes);
    return status < 0 ? status : tsnni_layer_view_write(runtime, sink, matrix);
}

static tsnn_status write_bias_npy(tsnni_runtime *runtime, tsnni_sink *sink, const void *data)
{
    const tsnn_layer *layer = data;
    unsigned char head[TSNNI_NPY_HEAD];
    char shape[64];
    int64_t outputs = layer->topology.pattern.columns;
    snprintf(shape, sizeof shape, "(%lld,)", (long long)outputs);
    int64_t bytes = tsnni_npy_head(head, "<f4", shape);
    tsnn_status status = tsnni_sink_write(runtime, sink, head, bytes);
    return status < 0 ? status : tsnni_sink_write(runtime, sink, layer->bias, outputs * (int64_t)sizeof *layer->bias);
}

/* ---- sparse ---- */

static tsnn_status write_market(tsnni_runtime *runtime, tsnni_sink *sink, const void *data)
{
    const tsnni_layer_view *matrix = data;
    char line[128];
    int length =
        snprintf(line, sizeof line, "%%%%MatrixMarket matrix coordinate real general\n%lld %lld %lld\n",
                 (long long)matrix->rows, (long long)matrix->columns, (long long)matrix->layer->topology.pattern.count);
    tsnn_status status;
    TSNNI_TRY(tsnni_sink_write(runtime, sink, line, length));
    for (int64_t i = 0; i < matrix->rows; i++)
        for (int64_t k = tsnni_layer_view_row(matrix, i); k < tsnni_layer_view_row(matrix, i + 1); k++) {
            char number[32];
            float value;
            int64_t column = tsnni_layer_view_entry(matrix, k, &value);
            tsnni_float_text(value, number);
            length = snprintf(line, sizeof line, "%lld %lld %s\n", (long long)i + 1, (long long)column + 1, number);
            TSNNI_TRY(tsnni_sink_write(runtime, sink, line, length));
        }
    return TSNN_OK;
fail:
    return status;
}

static tsnn_status store_array(tsnni_runtime *runtime, tsnni_zip_writer *zip, const char *name, const char *descr,
                               int64_t count, const void *data, int64_t element)
{
    unsigned char head[TSNNI_NPY_HEAD];
    char shape[32] = "()";
    if (count >= 0)
        snprintf(shape, sizeof shape, "(%lld,)", (long long)count);
    return tsnni_zip_store(runtime, zip, name, head, tsnni_npy_head(head, descr, shape), data,
                           (count >= 0 ? count : 1) * element);
}

/* As scipy.sparse.save_npz() does, without compression. */
static tsnn_status write_npz(tsnni_runtime *runtime, tsnni_sink *sink, const void *data)
{
    const tsnni_layer_view *matrix = data;
    const int64_t count = matrix->layer->topology.pattern.count, shape[2] = {matrix->rows, matrix->columns};
    tsnni_zip_writer zip = {.sink = sink};
    int64_t *indptr = NULL;
    int32_t *indices = NULL;
    float *values = NULL;
    tsnn_status status;
    TSNNI_TRY(TSNNI_NEW(runtime, matrix->rows + 1, &indptr));
    TSNNI_TRY(TSNNI_NEW(runtime, count, &indices));
    TSNNI_TRY(TSNNI_NEW(runtime, count, &values));
    for (int64_t i = 0; i <= matrix->rows; i++)
        indptr[i] = tsnni_layer_view_row(matrix, i);
    for (int64_t k = 0; k < count; k++)
        indices[k] = (int32_t)tsnni_layer_view_entry(matrix, k, &values[k]);
    TSNNI_TRY(store_array(runtime, &zip, "indices.npy", "<i4", count, indices, sizeof *indices));
    TSNNI_TRY(store_array(runtime, &zip, "indptr.npy", "<i8", matrix->rows + 1, indptr, sizeof *indptr));
    TSNNI_TRY(store_array(runtime, &zip, "format.npy", "|S3", -1, "csr", 3));
    TSNNI_TRY(store_array(runtime, &zip, "shape.npy", "<i8", 2, shape, sizeof *shape));
    TSNNI_TRY(store_array(runtime, &zip, "data.npy", "<f4", count, values, sizeof *values));
    TSNNI_TRY(tsnni_zip_finish(runtime, &zip));
fail:
    tsnni_release(runtime, indptr);
    tsnni_release(runtime, indices);
    tsnni_release(runtime, values);
    return status;
}

/* ---- files ---- */

static tsnn_status write_file(tsnni_runtime *runtime, const char *path, tsnni_tensor_writer write, const void *data)
{
    tsnni_sink sink;
    tsnn_status status;
    TSNNI_TRY(tsnni_sink_open(runtime, path, &sink));
    TSNNI_TRY(write(runtime, &sink, data));
    TSNNI_TRY(tsnni_sink_commit(runtime, &sink));
fail:
    tsnni_sink_abandon(runtime, &sink);
    return status;
}

static tsnn_status export_safetensors(const tsnn_layer *layer, const tsnn_export_options *options)
{
    tsnni_runtime *runtime = &layer->context->runtime;
    tsnni_layer_view weights = tsnni_layer_view_of(layer, options->rows, 0);
    tsnni_layer_view mask = tsnni_layer_view_of(layer, options->rows, 1);
    const int64_t shape[2] = {weights.rows, weights.columns}, outputs = layer->topology.pattern.columns;
    const char *name = options->weights != NULL ? options->weights : "weight";
    tsnni_safetensors_plan plan = {0};
    tsnn_status status;
    if ((options->bias != NULL && strcmp(options->bias, name) == 0) ||
        (options->mask != NULL && strcmp(options->mask, name) == 0) ||
        (options->bias != NULL && options->mask != NULL && strcmp(options->bias, options->mask) == 0))
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "two tensors of one name in \"%.80s\", \"%.80s\", \"%.80s\"",
                   name, options->bias != NULL ? options->bias : "", options->mask != NULL ? options->mask : "");
    TSNNI_TRY(tsnni_plan_add_tensor(runtime, &plan, name, TSNNI_F32, 2, shape, &weights, tsnni_layer_view_write));
    if (options->bias != NULL)
        TSNNI_TRY(tsnni_plan_add_tensor(runtime, &plan, options->bias, TSNNI_F32, 1, &outputs, layer->bias, NULL));
    if (options->mask != NULL)
        TSNNI_TRY(
            tsnni_plan_add_tensor(runtime, &plan, options->mask, TSNNI_U8, 2, shape, &mask, tsnni_layer_view_write));
    TSNNI_TRY(tsnni_plan_save(runtime, &plan, options->path));
fail:
    tsnni_plan_free(runtime, &plan);
    return status;
}

static int32_t same(const char *one, const char *other)
{
    return one != NULL && other != NULL && strcmp(one, other) == 0;
}

static tsnn_status check_options(tsnni_runtime *runtime, const tsnn_export_options *options)
{
    tsnn_status status;
    if (options->path == NULL)
        TSNNI_FAIL(runtime, TSNN_ERROR_NULL_ARGUMENT, "path is NULL");
    if (options->format < TSNN_FORMAT_NPZ || options->format > TSNN_FORMAT_SAFETENSORS)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "format %d is none to write", (int)options->format);
    if (options->rows != TSNN_ROWS_ARE_INPUTS && options->rows != TSNN_ROWS_ARE_OUTPUTS)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "rows %d is unknown", (int)options->rows);
    if (options->reserved != 0)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "reserved is %d; it must be 0", (int)options->reserved);
    if (options->weights != NULL && options->format != TSNN_FORMAT_SAFETENSORS)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT,
                   "weights is \"%.80s\": only a safetensors file has named tensors", options->weights);
    if (options->mask != NULL && (options->format == TSNN_FORMAT_NPZ || options->format == TSNN_FORMAT_MATRIX_MARKET))
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "a mask for a format that is sparse itself");
    if (options->format != TSNN_FORMAT_SAFETENSORS &&
        (same(options->path, options->bias) || same(options->path, options->mask) ||
         same(options->bias, options->mask)))
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "weights, bias and mask cannot go to one file");
    return TSNN_OK;
fail:
    return status;
}

tsnn_status tsnn_layer_export(const tsnn_layer *layer, const tsnn_export_options *options)
{
    if (layer == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *runtime = &layer->context->runtime;
    tsnn_export_options given;
    tsnn_status status;
    if (options == NULL)
        TSNNI_FAIL(runtime, TSNN_ERROR_NULL_ARGUMENT, "options is NULL; an export needs a format and a path");
    TSNNI_TRY(tsnni_options_read(runtime, options, &given, sizeof given, "tsnn_export_options"));
    TSNNI_TRY(check_options(runtime, &given));
    tsnni_layer_view weights = tsnni_layer_view_of(layer, given.rows, 0);
    tsnni_layer_view mask = tsnni_layer_view_of(layer, given.rows, 1);
    TSNNI_TRY(tsnni_layer_view_check(runtime, &weights, layer->bias));
    if (given.format == TSNN_FORMAT_SAFETENSORS)
        return export_safetensors(layer, &given);
    tsnni_tensor_writer write = given.format == TSNN_FORMAT_NPZ   ? write_npz
                                : given.format == TSNN_FORMAT_NPY ? write_npy
                                                                  : write_market;
    TSNNI_TRY(write_file(runtime, given.path, write, &weights));
    if (given.mask != NULL)
        TSNNI_TRY(write_file(runtime, given.mask, write_npy, &mask));
    if (given.bias != NULL)
        TSNNI_TRY(write_file(runtime, given.bias, write_bias_npy, layer));
    return TSNN_OK;
fail:
    return status;
}
