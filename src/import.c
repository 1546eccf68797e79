/* A layer out of a file of another program: the file becomes entries, of which some become connections. */
#include "import.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "formats/element.h"
#include "formats/market.h"
#include "formats/npy.h"
#include "formats/zip.h"
#include "context.h"

#define DEFAULT_MAX_BYTES ((int64_t)1 << 30)
#define BLOCKS 13 /* most arrays that one import holds */

/* A vector or matrix as bytes. */
typedef struct array {
    const unsigned char *data; /* NULL: there is none */
    tsnni_element element;
    int32_t rank, column_major, is_text;
    int64_t shape[TSNNI_TENSOR_RANK], count;
} array;

/* The file's matrix: dense values, or row and column of each. */
typedef struct entries {
    int64_t rows, columns, count;
    const int32_t *row, *column; /* NULL: dense */
    array values, mask;
} entries;

typedef struct import_call {
    tsnn_context *context;
    tsnni_runtime *runtime;
    tsnn_import_options options;
    tsnn_import_report report;
    tsnni_source source;
    const tsnni_safetensors *tensors; /* SAFETENSORS only: `file`, or the caller's */
    tsnni_safetensors file;
    tsnni_zip zip;        /* NPZ only */
    tsnni_market market;  /* MATRIX_MARKET only */
    void *blocks[BLOCKS]; /* what else has been allocated */
    int32_t block_count;
    int64_t bytes_left; /* of max_bytes */
    entries matrix;
    const char *bias_mask_name; /* a tensor; NULL: there is none */
    array bias, bias_mask;
} import_call;

tsnn_status tsnn_import_options_init(tsnn_import_options *options)
{
    if (options == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    *options = (tsnn_import_options)TSNN_IMPORT_OPTIONS_INIT;
    return TSNN_OK;
}

/* ---- memory ---- */

/* Counts against max_bytes. */
static tsnn_status spend(import_call *call, int64_t count, int64_t each)
{
    int64_t bytes;
    if (tsnni_multiply(count, each, &bytes) < 0 || bytes > call->bytes_left)
        return tsnni_fail(call->runtime, TSNN_ERROR_OVERFLOW, "%lld times %lld bytes; max_bytes leaves %lld",
                          (long long)count, (long long)each, (long long)call->bytes_left);
    call->bytes_left -= bytes;
    return TSNN_OK;
}

static tsnn_status allocate(import_call *call, int64_t count, int64_t each, void **out)
{
    tsnn_status status;
    TSNNI_TRY(spend(call, count, each));
    TSNNI_TRY(tsnni_allocate(call->runtime, count, (size_t)each, out));
    call->blocks[call->block_count++] = *out;
    return TSNN_OK;
fail:
    return status;
}

/* Texts are bytes that would pass for numbers. */
static int32_t is_numbers(const array *one)
{
    return !one->is_text && tsnni_element_is_number(one->element);
}

static void close_all(import_call *call)
{
    for (int32_t k = 0; k < call->block_count; k++)
        tsnni_release(call->runtime, call->blocks[k]);
    tsnni_market_free(call->runtime, &call->market);
    tsnni_zip_close(call->runtime, &call->zip);
    tsnni_safetensors_close(call->runtime, &call->file);
    tsnni_source_close(&call->source);
}

/* ---- arrays ---- */

static tsnn_status read_npy(import_call *call, const unsigned char *block, int64_t bytes, const char *name, array *out)
{
    tsnni_npy head;
    tsnn_status status = tsnni_npy_read(call->runtime, block, bytes, name, &head);
    if (status < 0)
        return status;
    *out = (array){block + head.data, head.element, head.rank, head.column_major, head.is_text, {0}, head.count};
    memcpy(out->shape, head.shape, sizeof out->shape);
    return TSNN_OK;
}

/* The file's own size is free of max_bytes. */
static tsnn_status load_npy(import_call *call, const tsnni_source *source, const char *name, array *out)
{
    void *block;
    tsnn_status status;
    TSNNI_TRY(tsnni_allocate(call->runtime, source->size, 1, &block));
    call->blocks[call->block_count++] = block;
    TSNNI_TRY(tsnni_source_read(call->runtime, source, 0, source->size, block));
    return read_npy(call, block, source->size, name, out);
fail:
    return status;
}

static tsnn_status load_tensor(import_call *call, const char *name, array *out)
{
    const tsnni_tensor *tensor = tsnni_safetensors_find(call->tensors, name);
    void *block;
    tsnn_status status;
    if (tensor == NULL)
        return tsnni_safetensors_lacks(call->runtime, call->tensors, name);
    TSNNI_TRY(tsnni_allocate(call->runtime, tensor->end - tensor->begin, 1, &block));
    call->blocks[call->block_count++] = block;
    TSNNI_TRY(tsnni_safetensors_read(call->runtime, call->tensors, tensor, block));
    *out = (array){block, tensor->element, tensor->rank, 0, 0, {0}, tensor->count};
    memcpy(out->shape, tensor->shape, sizeof out->shape);
    return TSNN_OK;
fail:
    return status;
}

/* Bias or mask: a tensor of the same file, or a .npy of its own. */
static tsnn_status load_companion(import_call *call, const char *name, array *out)
{
    tsnni_source source;
    if (name == NULL)
        return TSNN_OK;
    if (call->report.format == TSNN_FORMAT_SAFETENSORS)
        return load_tensor(call, name, out);
    tsnn_status status = tsnni_source_open(call->runtime, name, &source);
    if (status >= 0)
        status = load_npy(call, &source, name, out);
    tsnni_source_close(&source);
    return status;
}

/* ---- formats ---- */

static tsnn_status use_dense(import_call *call, const array *values)
{
    if (values->rank != 2 || !is_numbers(values))
        return tsnni_fail(call->runtime, TSNN_ERROR_FORMAT, "%d dimensions of %s; a matrix of numbers is wanted",
                          (int)values->rank, values->is_text ? "text" : tsnni_element_name(values->element));
    call->matrix.values = *values;
    call->matrix.rows = values->shape[0];
    call->matrix.columns = values->shape[1];
    call->matrix.count = values->count;
    return TSNN_OK;
}

static tsnn_status load_member(import_call *call, const char *name, array *out)
{
    unsigned char *block = NULL;
    int64_t bytes = 0;
    tsnn_status status;
    TSNNI_TRY(tsnni_zip_read(call->runtime, &call->zip, name, call->bytes_left, &block, &bytes));
    if (block == NULL)
        TSNNI_FAIL(call->runtime, TSNN_ERROR_FORMAT, "the archive has no %s: no matrix of scipy.sparse.save_npz()",
                   name);
    call->blocks[call->block_count++] = block;
    call->bytes_left -= bytes;
    return read_npy(call, block, bytes, name, out);
fail:
    return status;
}

/* 1 for CSC, 0 for CSR. */
static tsnn_status read_kind(import_call *call, int32_t *is_csc)
{
    array kind;
    tsnn_status status = load_member(call, "format.npy", &kind);
    if (status < 0)
        return status;
    *is_csc = kind.count >= 3 && memcmp(kind.data, "csc", 3) == 0;
    if (!*is_csc && (kind.count < 3 || memcmp(kind.data, "csr", 3) != 0))
        return tsnni_fail(call->runtime, TSNN_ERROR_UNSUPPORTED, "a SciPy matrix \"%.3s\"; csr and csc are read",
                          kind.count >= 3 ? (const char *)kind.data : "");
    return TSNN_OK;
}

/* Expands the pointers: `major` gets the row (of CSR) of each entry, `minor` its column. */
static tsnn_status expand(import_call *call, const array *indptr, const array *indices, int64_t majors, int64_t minors,
                          int32_t *major, int32_t *minor)
{
    int64_t begin, end, index, done = 0;
    for (int64_t i = 0; i < majors; i++) {
        if (!tsnni_element_whole(indptr->element, indptr->data, i, &begin) ||
            !tsnni_element_whole(indptr->element, indptr->data, i + 1, &end) || begin != done || end < begin ||
            end > indices->count)
            return tsnni_fail(call->runtime, TSNN_ERROR_STRUCTURE, "indptr of %lld is no row of %lld entries",
                              (long long)i, (long long)indices->count);
        for (; done < end; done++) {
            if (!tsnni_element_whole(indices->element, indices->data, done, &index) || index < 0 || index >= minors)
                return tsnni_fail(call->runtime, TSNN_ERROR_STRUCTURE, "index %lld is outside 0..%lld", (long long)done,
                                  (long long)minors - 1);
            major[done] = (int32_t)i;
            minor[done] = (int32_t)index;
        }
    }
    if (done != indices->count)
        return tsnni_fail(call->runtime, TSNN_ERROR_STRUCTURE, "indptr ends at %lld of %lld entries", (long long)done,
                          (long long)indices->count);
    return TSNN_OK;
}

static tsnn_status open_npz(import_call *call)
{
    array shape, indptr, indices, values;
    int32_t is_csc = 0, *row = NULL, *column = NULL;
    int64_t rows = 0, columns = 0;
    tsnn_status status;
    TSNNI_TRY(tsnni_zip_open(call->runtime, &call->source, &call->zip));
    TSNNI_TRY(read_kind(call, &is_csc));
    TSNNI_TRY(load_member(call, "shape.npy", &shape));
    TSNNI_TRY(load_member(call, "indptr.npy", &indptr));
    TSNNI_TRY(load_member(call, "indices.npy", &indices));
    TSNNI_TRY(load_member(call, "data.npy", &values));
    if (shape.count != 2 || !tsnni_element_whole(shape.element, shape.data, 0, &rows) ||
        !tsnni_element_whole(shape.element, shape.data, 1, &columns))
        TSNNI_FAIL(call->runtime, TSNN_ERROR_FORMAT, "shape.npy holds %lld numbers, not two whole ones",
                   (long long)shape.count);
    TSNNI_TRY(tsnni_pattern_check(call->runtime, rows, columns, 0));
    int64_t majors = is_csc ? columns : rows, minors = is_csc ? rows : columns;
    if (indptr.count != majors + 1 || indices.count != values.count)
        TSNNI_FAIL(call->runtime, TSNN_ERROR_STRUCTURE, "%lld x %lld with %lld pointers, %lld indices, %lld values",
                   (long long)rows, (long long)columns, (long long)indptr.count, (long long)indices.count,
                   (long long)values.count);
    TSNNI_TRY(allocate(call, indices.count, sizeof *row, (void **)&row));
    TSNNI_TRY(allocate(call, indices.count, sizeof *column, (void **)&column));
    TSNNI_TRY(is_csc ? expand(call, &indptr, &indices, majors, minors, column, row)
                     : expand(call, &indptr, &indices, majors, minors, row, column));
    call->matrix = (entries){.rows = rows, .columns = columns, .count = values.count, .row = row, .column = column};
    call->matrix.values = values;
    return TSNN_OK;
fail:
    return status;
}

static tsnn_status open_npy(import_call *call)
{
    array values;
    tsnn_status status = load_npy(call, &call->source, call->options.path, &values);
    return status < 0 ? status : use_dense(call, &values);
}

static tsnn_status open_market(import_call *call)
{
    tsnn_status status = tsnni_market_read(call->runtime, &call->source, call->bytes_left, &call->market);
    const tsnni_market *market = &call->market;
    if (status < 0)
        return status;
    call->bytes_left -= market->bytes;
    call->matrix = (entries){.rows = market->rows,
                             .columns = market->columns,
                             .count = market->count,
                             .row = market->row,
                             .column = market->column};
    call->matrix.values.data = (const unsigned char *)market->value;
    call->matrix.values.element = TSNNI_F32;
    return TSNN_OK;
}

static tsnn_status open_safetensors(import_call *call)
{
    array values;
    tsnn_status status;
    if (call->options.weights == NULL)
        TSNNI_FAIL(call->runtime, TSNN_ERROR_NULL_ARGUMENT, "weights is NULL; a safetensors file has named tensors");
    if (call->tensors == NULL) {
        TSNNI_TRY(tsnni_safetensors_open(call->runtime, &call->source, &call->file));
        call->tensors = &call->file;
    }
    TSNNI_TRY(load_tensor(call, call->options.weights, &values));
    return use_dense(call, &values);
fail:
    return status;
}

/* By the first bytes: those of safetensors are a length, and the brace that its header begins with. */
static tsnn_status find_format(import_call *call)
{
    unsigned char first[9] = {0};
    tsnn_status status = TSNN_OK;
    call->report.format = call->options.format;
    if (call->options.format != TSNN_FORMAT_AUTO)
        return TSNN_OK;
    TSNNI_TRY(tsnni_source_read(call->runtime, &call->source, 0,
                                call->source.size < (int64_t)sizeof first ? call->source.size : (int64_t)sizeof first,
                                first));
    call->report.format = memcmp(first, "PK", 2) == 0          ? TSNN_FORMAT_NPZ
                          : memcmp(first, "\x93NUMPY", 6) == 0 ? TSNN_FORMAT_NPY
                          : memcmp(first, "%%", 2) == 0        ? TSNN_FORMAT_MATRIX_MARKET
                          : first[8] == '{'                    ? TSNN_FORMAT_SAFETENSORS
                                                               : TSNN_FORMAT_AUTO;
    if (call->report.format == TSNN_FORMAT_AUTO)
        TSNNI_FAIL(call->runtime, TSNN_ERROR_FORMAT,
                   "it begins as no format that is known: .npz, .npy, Matrix Market or safetensors");
fail:
    return status;
}

static tsnn_status read_matrix(import_call *call)
{
    if (call->tensors != NULL)
        call->report.format = TSNN_FORMAT_SAFETENSORS;
    else {
        tsnn_status status = find_format(call);
        if (status < 0)
            return status;
    }
    switch (call->report.format) {
    case TSNN_FORMAT_NPZ:
        return open_npz(call);
    case TSNN_FORMAT_NPY:
        return open_npy(call);
    case TSNN_FORMAT_MATRIX_MARKET:
        return open_market(call);
    default:
        return open_safetensors(call);
    }
}

/* ---- entries to connections ---- */

/* One entry of the file, in the layer's terms. */
typedef struct cell {
    int64_t input, output;
    float value;
    int32_t kept;
} cell;

static cell cell_at(const import_call *call, int64_t k)
{
    const entries *matrix = &call->matrix;
    int64_t row, column, place = k;
    if (matrix->row != NULL) {
        row = matrix->row[k];
        column = matrix->column[k];
    } else {
        row = k / matrix->columns;
        column = k % matrix->columns;
        place = matrix->values.column_major ? column * matrix->rows + row : k;
    }
    cell out = {row, column, tsnni_element_float(matrix->values.element, matrix->values.data, place), 0};
    if (call->options.rows == TSNN_ROWS_ARE_OUTPUTS) {
        out.input = column;
        out.output = row;
    }
    double threshold = call->options.threshold;
    int32_t by_mask = matrix->mask.data != NULL;
    out.kept = by_mask && threshold == 0.0 ? 1 : !(fabs((double)out.value) <= threshold);
    if (by_mask) {
        int64_t mask_place = matrix->mask.column_major ? column * matrix->rows + row : row * matrix->columns + column;
        out.kept = out.kept && tsnni_element_float(matrix->mask.element, matrix->mask.data, mask_place) != 0.0f;
    }
    return out;
}

static tsnn_status check_companions(const import_call *call)
{
    const entries *matrix = &call->matrix;
    const array *mask = &matrix->mask;
    tsnn_status status;
    if (mask->data != NULL &&
        (mask->rank != 2 || mask->shape[0] != matrix->rows || mask->shape[1] != matrix->columns || !is_numbers(mask)))
        TSNNI_FAIL(call->runtime, TSNN_ERROR_SHAPE, "a mask of %lld x %lld for weights of %lld x %lld",
                   (long long)mask->shape[0], (long long)mask->shape[1], (long long)matrix->rows,
                   (long long)matrix->columns);
    if (call->bias.data != NULL &&
        (call->bias.rank != 1 || call->bias.count != call->report.outputs || !is_numbers(&call->bias)))
        TSNNI_FAIL(call->runtime, TSNN_ERROR_SHAPE, "%lld biases in %d dimensions for %lld outputs",
                   (long long)call->bias.count, (int)call->bias.rank, (long long)call->report.outputs);
    if (call->bias_mask.data != NULL &&
        (call->bias_mask.rank != 1 || call->bias_mask.count != call->report.outputs || !is_numbers(&call->bias_mask)))
        TSNNI_FAIL(call->runtime, TSNN_ERROR_SHAPE, "a mask of %lld biases in %d dimensions for %lld outputs",
                   (long long)call->bias_mask.count, (int)call->bias_mask.rank, (long long)call->report.outputs);
    return TSNN_OK;
fail:
    return status;
}

static tsnn_status check_features(const import_call *call)
{
    const tsnn_import_options *options = &call->options;
    int64_t inputs = call->report.inputs;
    for (int64_t n = 0; options->features != NULL && n < options->samples; n++)
        for (int64_t f = 0; f < inputs; f++)
            if (!isfinite(options->features[n * inputs + f]))
                return tsnni_fail(call->runtime, TSNN_ERROR_NOT_FINITE, "sample %lld: feature %lld is %g", (long long)n,
                                  (long long)f, (double)options->features[n * inputs + f]);
    return TSNN_OK;
}

static float bias_at(const import_call *call, int64_t j)
{
    if (call->bias.data == NULL ||
        (call->bias_mask.data != NULL && tsnni_element_float(call->bias_mask.element, call->bias_mask.data, j) == 0.0f))
        return 0.0f;
    return tsnni_element_float(call->bias.element, call->bias.data, j);
}

/* Also what the batch would have got from the entries that are left out. */
static tsnn_status count_cells(import_call *call)
{
    tsnn_import_report *report = &call->report;
    int64_t samples = call->options.features != NULL ? call->options.samples : 0, numbers = 0;
    double *lost = NULL;
    tsnn_status status;
    if (tsnni_multiply(samples, report->outputs, &numbers) < 0)
        TSNNI_FAIL(call->runtime, TSNN_ERROR_OVERFLOW, "%lld samples", (long long)samples);
    TSNNI_TRY(allocate(call, numbers, sizeof *lost, (void **)&lost));
    memset(lost, 0, (size_t)numbers * sizeof *lost);
    for (int64_t k = 0; k < call->matrix.count; k++) {
        cell each = cell_at(call, k);
        if (!isfinite(each.value))
            TSNNI_FAIL(call->runtime, TSNN_ERROR_NOT_FINITE, "the weight from input %lld to output %lld is %g",
                       (long long)each.input, (long long)each.output, (double)each.value);
        report->connections += each.kept;
        if (each.kept || each.value == 0.0f)
            continue;
        report->dropped++;
        for (int64_t n = 0; n < samples; n++)
            lost[n * report->outputs + each.output] +=
                (double)call->options.features[n * report->inputs + each.input] * (double)each.value;
    }
    for (int64_t k = 0; k < numbers; k++)
        report->largest_difference = fmax(report->largest_difference, fabs(lost[k]));
    return TSNN_OK;
fail:
    return status;
}

static tsnn_status make_layer(import_call *call, tsnn_layer **out)
{
    const int64_t count = call->report.connections, outputs = call->report.outputs;
    int32_t *input = NULL, *output = NULL;
    float *value = NULL, *bias = NULL;
    int64_t kept = 0;
    tsnn_status status;
    /* What the layer itself will take, so that a few bytes cannot ask for gigabytes. */
    TSNNI_TRY(spend(call, call->report.inputs + outputs, 24));
    TSNNI_TRY(spend(call, count, 24));
    TSNNI_TRY(tsnni_allocate(call->runtime, count, sizeof *input, (void **)&input));
    TSNNI_TRY(tsnni_allocate(call->runtime, count, sizeof *output, (void **)&output));
    TSNNI_TRY(tsnni_allocate(call->runtime, count, sizeof *value, (void **)&value));
    TSNNI_TRY(tsnni_allocate(call->runtime, outputs, sizeof *bias, (void **)&bias));
    for (int64_t k = 0; k < call->matrix.count; k++) {
        cell each = cell_at(call, k);
        if (!each.kept)
            continue;
        input[kept] = (int32_t)each.input;
        output[kept] = (int32_t)each.output;
        value[kept++] = each.value;
    }
    for (int64_t j = 0; j < outputs; j++)
        bias[j] = bias_at(call, j);
    TSNNI_TRY(tsnn_layer_create_from_coo(call->context, call->report.inputs, outputs, count, input, output, value, bias,
                                         out));
fail:
    tsnni_release(call->runtime, input);
    tsnni_release(call->runtime, output);
    tsnni_release(call->runtime, value);
    tsnni_release(call->runtime, bias);
    return status;
}

static tsnn_status check_options(const import_call *call)
{
    const tsnn_import_options *options = &call->options;
    tsnni_runtime *runtime = call->runtime;
    tsnn_status status;
    if (options->path == NULL && call->tensors == NULL)
        TSNNI_FAIL(runtime, TSNN_ERROR_NULL_ARGUMENT, "path is NULL");
    if (options->format < TSNN_FORMAT_AUTO || options->format > TSNN_FORMAT_SAFETENSORS)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "format %d is unknown", (int)options->format);
    if (options->rows != TSNN_ROWS_ARE_INPUTS && options->rows != TSNN_ROWS_ARE_OUTPUTS)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "rows %d is unknown", (int)options->rows);
    if (!(options->threshold >= 0.0) || !isfinite(options->threshold))
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "threshold is %g; it must not be below 0", options->threshold);
    if (options->reserved != 0 || options->max_bytes < 0 || options->samples < 0)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "max_bytes %lld, samples %lld; neither may be below 0",
                   (long long)options->max_bytes, (long long)options->samples);
    if (options->features == NULL && options->samples > 0)
        TSNNI_FAIL(runtime, TSNN_ERROR_NULL_ARGUMENT, "features is NULL, samples %lld", (long long)options->samples);
    return TSNN_OK;
fail:
    return status;
}

static tsnn_status read_layer(import_call *call, tsnn_layer **out)
{
    tsnn_import_report *report = &call->report;
    tsnn_status status;
    TSNNI_TRY(read_matrix(call));
    TSNNI_TRY(tsnni_pattern_check(call->runtime, call->matrix.rows, call->matrix.columns, 0));
    int32_t turned = call->options.rows == TSNN_ROWS_ARE_OUTPUTS;
    report->inputs = turned ? call->matrix.columns : call->matrix.rows;
    report->outputs = turned ? call->matrix.rows : call->matrix.columns;
    report->entries = call->matrix.count;
    if (call->options.mask != NULL && call->matrix.row != NULL)
        TSNNI_FAIL(call->runtime, TSNN_ERROR_INVALID_ARGUMENT, "a mask for a matrix that is sparse already");
    TSNNI_TRY(load_companion(call, call->options.mask, &call->matrix.mask));
    TSNNI_TRY(load_companion(call, call->options.bias, &call->bias));
    TSNNI_TRY(load_companion(call, call->bias_mask_name, &call->bias_mask));
    TSNNI_TRY(check_companions(call));
    TSNNI_TRY(check_features(call));
    TSNNI_TRY(count_cells(call));
    TSNNI_TRY(make_layer(call, out));
fail:
    return status;
}

/* A text that says nothing of the file gets its path, and the layer in it. */
static tsnn_status run(import_call *call, tsnn_layer **out)
{
    tsnn_status status;
    TSNNI_TRY(check_options(call));
    call->bytes_left = call->options.max_bytes > 0 ? call->options.max_bytes : DEFAULT_MAX_BYTES;
    if (call->tensors == NULL)
        TSNNI_TRY(tsnni_source_open(call->runtime, call->options.path, &call->source));
    status = read_layer(call, out);
    if (status < 0 && call->report.format == TSNN_FORMAT_SAFETENSORS && call->options.weights != NULL)
        status = tsnni_fail_at(call->runtime, status, "layer \"%.80s\"", call->options.weights);
    if (status < 0 && call->source.file >= 0)
        status = tsnni_fail_at(call->runtime, status, "%.200s", call->options.path);
fail:
    return status;
}

static tsnn_status finish(import_call *call, tsnn_import_report *report, tsnn_layer **out)
{
    int64_t streams = call->context->streams;
    tsnn_status status;
    TSNNI_TRY(run(call, out));
    if (report != NULL)
        TSNNI_TRY(tsnni_info_write(call->runtime, report, &call->report, sizeof call->report, "tsnn_import_report"));
    close_all(call);
    return TSNN_OK;
fail:
    close_all(call);
    tsnn_layer_destroy(out);
    call->context->streams = streams; /* the next layer draws what it would have drawn */
    return status;
}

tsnn_status tsnni_layer_import_tensors(tsnn_context *context, const tsnni_safetensors *file,
                                       const tsnn_import_options *options, const char *bias_mask,
                                       tsnn_import_report *report, tsnn_layer **out)
{
    import_call call = {.context = context,
                        .runtime = &context->runtime,
                        .options = *options,
                        .report = TSNN_IMPORT_REPORT_INIT,
                        .source = tsnni_source_of_memory(NULL, 0),
                        .tensors = file,
                        .bias_mask_name = bias_mask};
    return finish(&call, report, out);
}

tsnn_status tsnn_layer_import(tsnn_context *context, const tsnn_import_options *options, tsnn_import_report *report,
                              tsnn_layer **out)
{
    if (out == NULL)
        return tsnni_null_argument(context, "out");
    *out = NULL;
    if (context == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    import_call call = {.context = context,
                        .runtime = &context->runtime,
                        .report = TSNN_IMPORT_REPORT_INIT,
                        .source = tsnni_source_of_memory(NULL, 0)};
    if (options == NULL)
        return tsnni_fail(&context->runtime, TSNN_ERROR_NULL_ARGUMENT, "options is NULL; an import needs a path");
    tsnn_status status =
        tsnni_options_read(&context->runtime, options, &call.options, sizeof call.options, "tsnn_import_options");
    return status < 0 ? status : finish(&call, report, out);
}
