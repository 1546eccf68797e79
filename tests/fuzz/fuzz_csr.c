/* Fuzz target: sparse matrices as arrays of a caller: layers from CSR and from triplets, packed layers, sparse samples.
 * The input becomes sizes and arrays, each in a block of exactly its size. What is taken is what was handed over. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAX_DIMENSION = 300,
    MAX_CONNECTIONS = 2000,
    MOST_BYTES = 1 << 22 /* that the library may take */
};

typedef struct matrix {
    int64_t inputs, outputs, connections;
    int64_t *row_ptr;
    int32_t *row, *column;
    float *values, *bias;
} matrix;

/* ---- arrays out of the input ---- */

/* Small, or, for one choice in sixteen, any number at all: it is refused before arrays of that size are looked at. */
static int64_t take_size(tsnni_fuzz_input *input, int64_t low, int64_t high, int64_t largest)
{
    int64_t any;
    if (tsnni_fuzz_byte(input) % 16 != 15)
        return tsnni_fuzz_whole(input, low, high);
    tsnni_fuzz_take(input, &any, sizeof any);
    return any < low || any > largest ? any : low + any % (high - low + 1);
}

/* Mostly small whole numbers in float's format; else any bits, NaN and infinity too. */
static float *take_floats(tsnni_fuzz_input *input, int64_t count)
{
    int raw = tsnni_fuzz_byte(input) % 8 == 7;
    if (raw)
        return tsnni_fuzz_copy(input, (size_t)count * sizeof(float));
    float *numbers = malloc(count > 0 ? (size_t)count * sizeof *numbers : 1);
    FUZZ_REQUIRE(numbers != NULL);
    for (int64_t k = 0; k < count; k++)
        numbers[k] = (float)((int8_t)tsnni_fuzz_byte(input)) / 16.0f;
    return numbers;
}

/* Rising by steps of 0 to 3, which is close to valid, or any bits. */
static int64_t *take_pointers(tsnni_fuzz_input *input, int64_t rows, int64_t last)
{
    int64_t *pointers = malloc((size_t)(rows + 1) * sizeof *pointers), at = 0;
    int kind = tsnni_fuzz_byte(input) % 8;
    FUZZ_REQUIRE(pointers != NULL);
    if (kind == 7) {
        tsnni_fuzz_take(input, pointers, (size_t)(rows + 1) * sizeof *pointers);
        return pointers;
    }
    for (int64_t k = 0; k <= rows; k++) {
        pointers[k] = at;
        at += (int8_t)tsnni_fuzz_byte(input) % 8;
        at = kind < 6 && at < pointers[k] ? pointers[k] : at;
        at = kind < 6 && at > last ? last : at;
    }
    if (kind < 6)
        pointers[rows] = last;
    return pointers;
}

static int32_t *take_indices(tsnni_fuzz_input *input, int64_t count, int64_t bound)
{
    int raw = tsnni_fuzz_byte(input) % 8 == 7;
    if (raw)
        return tsnni_fuzz_copy(input, (size_t)count * sizeof(int32_t));
    int32_t *indices = malloc(count > 0 ? (size_t)count * sizeof *indices : 1);
    FUZZ_REQUIRE(indices != NULL);
    for (int64_t k = 0; k < count; k++)
        indices[k] = (int32_t)tsnni_fuzz_whole(input, 0, bound);
    return indices;
}

/* Indices that rise within each row, so that valid matrices are not the exception. */
static void sort_rows(matrix *m)
{
    for (int64_t i = 0; i < m->inputs; i++) {
        int64_t begin = m->row_ptr[i], end = m->row_ptr[i + 1];
        if (begin < 0 || end < begin || end > m->connections)
            return;
        for (int64_t k = begin; k < end; k++) /* a row of few is spread over the columns */
            m->column[k] = (int32_t)((k - begin) + (m->column[k] & 1) * (m->outputs > end - begin));
    }
}

static matrix take_matrix(tsnni_fuzz_input *input)
{
    matrix m = {0};
    m.inputs = take_size(input, 1, MAX_DIMENSION, INT32_MAX);
    m.outputs = take_size(input, 1, MAX_DIMENSION, INT32_MAX);
    m.connections = take_size(input, 0, MAX_CONNECTIONS, UINT32_MAX);
    int whole = m.inputs >= 1 && m.inputs <= MAX_DIMENSION && m.outputs >= 1 && m.outputs <= MAX_DIMENSION;
    int64_t rows = whole ? m.inputs : 1,
            count = m.connections > 0 && m.connections <= MAX_CONNECTIONS ? m.connections : 0;
    if (whole && count > rows * m.outputs)
        m.connections = count = rows * m.outputs;
    m.row_ptr = take_pointers(input, rows, count);
    m.row = take_indices(input, count, rows - 1);
    m.column = take_indices(input, count, whole ? m.outputs - 1 : 1);
    if (whole && m.connections == count && tsnni_fuzz_byte(input) % 4 != 0)
        sort_rows(&m);
    m.values = take_floats(input, count);
    m.bias = tsnni_fuzz_byte(input) % 2 ? take_floats(input, whole ? m.outputs : 1) : NULL;
    return m;
}

static void matrix_free(matrix *m)
{
    free(m->row_ptr);
    free(m->row);
    free(m->column);
    free(m->values);
    free(m->bias);
}

/* ---- what was taken ---- */

static void compare_csr(const tsnn_context *context, const tsnn_layer *layer, const matrix *m)
{
    int64_t *row_ptr = malloc((size_t)(m->inputs + 1) * sizeof *row_ptr);
    int32_t *column = malloc((size_t)m->connections * sizeof *column + 1);
    float *values = malloc((size_t)m->connections * sizeof *values + 1);
    FUZZ_REQUIRE(row_ptr != NULL && column != NULL && values != NULL);
    FUZZ_OK(context, tsnn_layer_get_csr(layer, row_ptr, m->inputs + 1, column, values, m->connections));
    FUZZ_REQUIRE(memcmp(row_ptr, m->row_ptr, (size_t)(m->inputs + 1) * sizeof *row_ptr) == 0);
    FUZZ_REQUIRE(memcmp(column, m->column, (size_t)m->connections * sizeof *column) == 0);
    FUZZ_REQUIRE(memcmp(values, m->values, (size_t)m->connections * sizeof *values) == 0);
    free(row_ptr);
    free(column);
    free(values);
}

/* Each triplet that comes out went in, once: both have as many, and those that come out rise. */
static void compare_triplets(const tsnn_context *context, const tsnn_layer *layer, const matrix *m)
{
    int64_t count = m->connections;
    int32_t *row = malloc((size_t)count * sizeof *row + 1), *column = malloc((size_t)count * sizeof *column + 1);
    float *values = malloc((size_t)count * sizeof *values + 1);
    FUZZ_REQUIRE(row != NULL && column != NULL && values != NULL);
    FUZZ_OK(context, tsnn_layer_get_coo(layer, row, column, values, count));
    for (int64_t k = 0; k < count; k++) {
        int64_t at = 0;
        FUZZ_REQUIRE(k == 0 || row[k] > row[k - 1] || (row[k] == row[k - 1] && column[k] > column[k - 1]));
        while (at < count && (m->row[at] != row[k] || m->column[at] != column[k]))
            at++;
        FUZZ_REQUIRE(at < count && memcmp(&m->values[at], &values[k], sizeof values[k]) == 0);
    }
    free(row);
    free(column);
    free(values);
}

/* ---- what can be done with it ---- */

static void predict(const tsnn_context *context, const tsnn_predictor *predictor, tsnni_fuzz_input *input)
{
    tsnn_predictor_info info = TSNN_PREDICTOR_INFO_INIT;
    tsnn_predictor_workspace *workspace = NULL;
    tsnn_samples samples = TSNN_SAMPLES_INIT;
    tsnn_answers answers = TSNN_ANSWERS_INIT;
    FUZZ_OK(context, tsnn_predictor_get_info(predictor, &info));
    FUZZ_OK(context, tsnn_predictor_workspace_create(predictor, tsnni_fuzz_whole(input, 1, 20), &workspace));
    samples.count = tsnni_fuzz_whole(input, 0, 20);
    samples.capacity = tsnni_fuzz_whole(input, 0, 100);
    int64_t *sample_ptr = take_pointers(input, samples.count, samples.capacity);
    int32_t *index = take_indices(input, samples.capacity, info.inputs);
    float *value = take_floats(input, samples.capacity);
    answers.top = tsnni_fuzz_whole(input, 0, info.outputs);
    answers.outputs_capacity = samples.count * info.outputs;
    answers.labels_capacity = samples.count * (answers.top > 0 ? answers.top : 1);
    float *outputs = malloc((size_t)answers.outputs_capacity * sizeof *outputs + 1);
    int32_t *labels = malloc((size_t)answers.labels_capacity * sizeof *labels + 1);
    FUZZ_REQUIRE(outputs != NULL && labels != NULL);
    samples.sample_ptr = sample_ptr;
    samples.index = index;
    samples.value = value;
    answers.outputs = outputs;
    answers.labels = labels;
    (void)tsnn_predictor_run(predictor, workspace, &samples, &answers); /* any status; no harm */
    tsnn_predictor_workspace_destroy(&workspace);
    free(sample_ptr);
    free(index);
    free(value);
    free(outputs);
    free(labels);
}

static void pack(tsnn_context *context, const matrix *m, tsnni_fuzz_input *input)
{
    tsnn_predictor_layer layers[2] = {TSNN_PREDICTOR_LAYER_INIT, TSNN_PREDICTOR_LAYER_INIT};
    tsnn_predictor_options options = TSNN_PREDICTOR_OPTIONS_INIT;
    tsnn_predictor *predictor = NULL;
    options.pack = (int32_t)tsnni_fuzz_whole(input, TSNN_PACK_ALL, TSNN_PACK_BATCH);
    options.skip_zeros = (int32_t)tsnni_fuzz_whole(input, 0, 1);
    layers[0].inputs = m->inputs;
    layers[0].outputs = m->outputs;
    layers[0].connections = m->connections;
    layers[0].row_ptr = m->row_ptr;
    layers[0].column = m->column;
    layers[0].values = m->values;
    layers[0].bias = m->bias;
    layers[1] = layers[0]; /* two of the same go together where they are square */
    int64_t count = m->inputs == m->outputs ? 2 : 1;
    tsnn_status status = tsnn_predictor_create_from_layers(context, layers, count, NULL, NULL, &options, &predictor);
    FUZZ_REQUIRE((status == TSNN_OK) == (predictor != NULL));
    if (predictor != NULL)
        predict(context, predictor, input);
    tsnn_predictor_destroy(&predictor);
}

/* Evolution, and a network that predicts. */
static void use_layer(tsnn_context *context, tsnn_layer **layer)
{
    tsnn_layer_info info = TSNN_LAYER_INFO_INIT, after = TSNN_LAYER_INFO_INIT;
    tsnn_evolution *evolution = NULL;
    tsnn_network *network = NULL;
    FUZZ_OK(context, tsnn_layer_get_info(*layer, &info));
    FUZZ_OK(context, tsnn_evolution_create(context, NULL, &evolution));
    FUZZ_OK(context, tsnn_evolution_apply_layer(evolution, *layer, 1, NULL));
    FUZZ_OK(context, tsnn_layer_get_info(*layer, &after));
    FUZZ_REQUIRE(after.connections == info.connections);
    FUZZ_OK(context, tsnn_network_create(context, &network));
    FUZZ_OK(context, tsnn_network_append(network, layer, NULL, 0.0));
    float *features = calloc(3 * (size_t)info.inputs, sizeof *features);
    float *outputs = malloc(3 * (size_t)info.outputs * sizeof *outputs);
    FUZZ_REQUIRE(features != NULL && outputs != NULL);
    features[0] = 1.0f;
    tsnn_status status = tsnn_network_predict(network, features, 3, outputs, 3 * info.outputs);
    FUZZ_REQUIRE(status == TSNN_OK || status == TSNN_ERROR_NOT_FINITE); /* weights may be as large as a float */
    free(features);
    free(outputs);
    tsnn_network_destroy(&network);
    tsnn_evolution_destroy(&evolution);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tsnni_fuzz_input input = {data, size};
    tsnn_context *context = tsnni_fuzz_context(MOST_BYTES);
    tsnn_layer *layer = NULL;
    int from_triplets = tsnni_fuzz_byte(&input) % 2;
    matrix m = take_matrix(&input);
    tsnn_status status = from_triplets
                             ? tsnn_layer_create_from_coo(context, m.inputs, m.outputs, m.connections, m.row, m.column,
                                                          m.values, m.bias, &layer)
                             : tsnn_layer_create_from_csr(context, m.inputs, m.outputs, m.connections, m.row_ptr,
                                                          m.column, m.values, m.bias, TSNN_CHECKED, &layer);
    FUZZ_REQUIRE((status == TSNN_OK) == (layer != NULL));
    if (layer != NULL) {
        if (from_triplets)
            compare_triplets(context, layer, &m);
        else
            compare_csr(context, layer, &m);
        use_layer(context, &layer);
    }
    pack(context, &m, &input);
    tsnn_layer_destroy(&layer);
    matrix_free(&m);
    tsnn_context_destroy(&context);
    FUZZ_REQUIRE(tsnni_fuzz_live() == 0);
    return 0;
}
