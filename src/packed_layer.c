/* Packing a layer for inference.
 *
 * Rows (outputs) are sorted by length and cut into chunks of sixteen, whose connections are stored step by step: one of
 * each row, then the next of each (SELL-C-sigma: Kreutzer, Hager, Wellein, Fehske, Bishop, SIAM J. Sci. Comput. 36,
 * 2014). Sorted rows of a chunk are equally long but for a few, so that padding is a percent or two. The order of the
 * outputs is folded into the indices of the next layer.
 *
 * The connections of a row stand in rising order of their inputs, in any form. On one sample, where x does not fit the
 * first-level cache, many rows advance together a step at a time ("swept"): at any moment they all read about the same
 * part of x. Where it does not fit the second-level cache either, x is cut into panels, and rows are sorted by their
 * connections in each panel. */
#include "packed_layer.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"

/* Density from which the indices cost more than the connections that do not exist. */
#define TSNNI_DENSE_SHARE 0.5

/* Bytes of x. Up to the first, gathers find it in the first-level cache; from the second on, it has to be cut. */
#define TSNNI_NEAR_BYTES ((int64_t)24 << 10)
#define TSNNI_FAR_BYTES ((int64_t)768 << 10)
#define TSNNI_PANELS 2

/* Rows that are sorted among themselves: enough for chunks of equal rows, few enough to undo the order within the
 * nearer caches. A multiple of TSNNI_SWEPT_ROWS. */
#define TSNNI_SORTED_ROWS 8192

/* Rows that advance together: their sums stay in the first-level cache, beside the part of x that they read. */
#define TSNNI_SWEPT_ROWS 512

/* Connections a row below which cutting it further gains nothing. */
#define TSNNI_SWEPT_LENGTH 4

int64_t tsnni_whole_chunks(int64_t outputs)
{
    return (outputs + TSNNI_CHUNK_ROWS - 1) / TSNNI_CHUNK_ROWS * TSNNI_CHUNK_ROWS;
}

static tsnn_status check_numbers(tsnni_runtime *runtime, const tsnni_layer_source *source, const char *name)
{
    for (int64_t k = 0; k < source->connections; k++)
        if (!isfinite(source->values[k]))
            return tsnni_fail(runtime, TSNN_ERROR_NOT_FINITE, "%s: values[%lld] is %g", name, (long long)k,
                              (double)source->values[k]);
    for (int64_t j = 0; source->bias != NULL && j < source->outputs; j++)
        if (!isfinite(source->bias[j]))
            return tsnni_fail(runtime, TSNN_ERROR_NOT_FINITE, "%s: bias[%lld] is %g", name, (long long)j,
                              (double)source->bias[j]);
    return TSNN_OK;
}

/* ---- connections by output ---- */

/* The places of the inputs of each output, rising, and the weights. Scratch of one build. */
typedef struct output_lists {
    int64_t *ptr;    /* outputs + 1 */
    int64_t *cursor; /* outputs: where filling or emitting stands */
    int32_t *place;
    float *values;
    int64_t panels, panel_width;
    int32_t *panel_length; /* panels x outputs */
} output_lists;

static void lists_free(tsnni_runtime *runtime, output_lists *lists)
{
    tsnni_release(runtime, lists->ptr);
    tsnni_release(runtime, lists->cursor);
    tsnni_release(runtime, lists->place);
    tsnni_release(runtime, lists->values);
    tsnni_release(runtime, lists->panel_length);
}

static void lists_rewind(output_lists *lists, int64_t outputs)
{
    memcpy(lists->cursor, lists->ptr, (size_t)outputs * sizeof *lists->cursor);
}

static void lists_fill(const tsnni_layer_source *source, const int32_t *input_order, output_lists *lists)
{
    for (int64_t k = 0; k < source->connections; k++)
        lists->ptr[tsnni_index_at(&source->column, k) + 1]++;
    for (int64_t j = 0; j < source->outputs; j++)
        lists->ptr[j + 1] += lists->ptr[j];
    lists_rewind(lists, source->outputs);
    for (int64_t p = 0; p < source->inputs; p++) {
        int64_t i = input_order != NULL ? input_order[p] : p, panel = p / lists->panel_width;
        for (int64_t k = source->row_ptr[i]; k < source->row_ptr[i + 1]; k++) {
            int64_t j = tsnni_index_at(&source->column, k), to = lists->cursor[j]++;
            lists->place[to] = (int32_t)p;
            lists->values[to] = source->values[k];
            lists->panel_length[panel * source->outputs + j]++;
        }
    }
}

static tsnn_status lists_build(tsnni_runtime *runtime, const tsnni_layer_source *source, const int32_t *input_order,
                               int64_t panels, output_lists *lists)
{
    tsnn_status status;
    int64_t lengths;
    lists->panels = panels;
    lists->panel_width = (source->inputs + panels - 1) / panels;
    if (tsnni_multiply(panels, source->outputs, &lengths) < 0)
        TSNNI_FAIL(runtime, TSNN_ERROR_OVERFLOW, "%lld outputs", (long long)source->outputs);
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, source->outputs + 1, &lists->ptr));
    TSNNI_TRY(TSNNI_NEW(runtime, source->outputs, &lists->cursor));
    TSNNI_TRY(TSNNI_NEW(runtime, source->connections, &lists->place));
    TSNNI_TRY(TSNNI_NEW(runtime, source->connections, &lists->values));
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, lengths, &lists->panel_length));
    lists_fill(source, input_order, lists);
    return TSNN_OK;
fail:
    return status;
}

/* ---- the order of the outputs ---- */

/* Stable counting sort of `from` by falling length; `start` is scratch of longest + 2. */
static void sort_by_length(const int32_t *length, int64_t longest, const int32_t *from, int32_t *to, int64_t count,
                           int64_t *start)
{
    memset(start, 0, (size_t)(longest + 2) * sizeof *start);
    for (int64_t p = 0; p < count; p++)
        start[longest - length[from[p]] + 1]++;
    for (int64_t n = 0; n <= longest; n++)
        start[n + 1] += start[n];
    for (int64_t p = 0; p < count; p++)
        to[start[longest - length[from[p]]]++] = from[p];
}

/* By the length in the first panel, then in the next: rows of a chunk are alike in every panel. */
static tsnn_status sort_outputs(tsnni_runtime *runtime, const output_lists *lists, int64_t outputs, int32_t *order)
{
    int32_t *other = NULL;
    int64_t *start = NULL, longest = 0;
    tsnn_status status;
    for (int64_t k = 0; k < lists->panels * outputs; k++)
        longest = lists->panel_length[k] > longest ? lists->panel_length[k] : longest;
    TSNNI_TRY(TSNNI_NEW(runtime, outputs < TSNNI_SORTED_ROWS ? outputs : TSNNI_SORTED_ROWS, &other));
    TSNNI_TRY(TSNNI_NEW(runtime, longest + 2, &start));
    for (int64_t j = 0; j < outputs; j++)
        order[j] = (int32_t)j;
    for (int64_t first = 0; first < outputs; first += TSNNI_SORTED_ROWS) {
        int64_t count = outputs - first < TSNNI_SORTED_ROWS ? outputs - first : TSNNI_SORTED_ROWS;
        for (int64_t panel = lists->panels - 1; panel >= 0; panel--) {
            sort_by_length(lists->panel_length + panel * outputs, longest, order + first, other, count, start);
            memcpy(order + first, other, (size_t)count * sizeof *order);
        }
    }
    status = TSNN_OK;
fail:
    tsnni_release(runtime, other);
    tsnni_release(runtime, start);
    return status;
}

/* ---- the entries ---- */

/* Walks the steps of a form twice: first to count, then to write. */
typedef struct writer {
    const tsnni_layer_source *source;
    const int32_t *order;
    output_lists *lists;
    tsnni_packed_form *form; /* values NULL: only counted */
} writer;

/* Entries of the chunk's next step: of each row the next connection below `end`. */
static void write_step(writer *w, int64_t chunk, int64_t end, int64_t first)
{
    for (int r = 0; r < TSNNI_CHUNK_ROWS; r++) {
        int32_t j = w->order[chunk * TSNNI_CHUNK_ROWS + r];
        int64_t place = w->source->inputs; /* where x is 0 */
        float value = 0.0f;
        if (j >= 0 && w->lists->cursor[j] < w->lists->ptr[j + 1] && w->lists->place[w->lists->cursor[j]] < end) {
            place = w->lists->place[w->lists->cursor[j]];
            value = w->lists->values[w->lists->cursor[j]++];
        }
        tsnni_index_set(&w->form->index, first + r, place);
        w->form->values[first + r] = value;
    }
}

static void add_steps(writer *w, int64_t chunk, int64_t steps, int64_t end)
{
    tsnni_packed_form *form = w->form;
    for (int64_t t = 0; t < steps && form->values != NULL; t++)
        write_step(w, chunk, end, form->entries + t * TSNNI_CHUNK_ROWS);
    form->entries += steps * TSNNI_CHUNK_ROWS;
    tsnni_packed_run *next = form->runs != NULL ? form->runs + form->run_count : NULL;
    if (next != NULL && form->run_count > 0 && next[-1].steps == steps && next[-1].chunk + next[-1].chunks == chunk) {
        next[-1].chunks++;
        return;
    }
    if (next != NULL)
        *next = (tsnni_packed_run){(int32_t)chunk, 1, (int32_t)steps};
    form->run_count++;
}

static int64_t chunk_steps(const writer *w, int64_t panel, int64_t chunk)
{
    int64_t steps = 0;
    for (int r = 0; r < TSNNI_CHUNK_ROWS; r++) {
        int32_t j = w->order[chunk * TSNNI_CHUNK_ROWS + r];
        int32_t length = j >= 0 ? w->lists->panel_length[panel * w->source->outputs + j] : 0;
        steps = length > steps ? length : steps;
    }
    return steps;
}

/* Every chunk once, all its panels together. */
static void walk_plain(writer *w)
{
    int64_t chunks = tsnni_whole_chunks(w->source->outputs) / TSNNI_CHUNK_ROWS;
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
        int64_t longest = 0;
        for (int r = 0; r < TSNNI_CHUNK_ROWS; r++) {
            int32_t j = w->order[chunk * TSNNI_CHUNK_ROWS + r];
            int64_t length = j >= 0 ? w->lists->ptr[j + 1] - w->lists->ptr[j] : 0;
            longest = length > longest ? length : longest;
        }
        add_steps(w, chunk, longest, w->source->inputs);
    }
}

/* One panel: with one panel in all, blocks of chunks step by step; else chunk by chunk. */
static void walk_swept(writer *w)
{
    int64_t chunks = tsnni_whole_chunks(w->source->outputs) / TSNNI_CHUNK_ROWS;
    int64_t block = w->lists->panels > 1 ? 1 : TSNNI_SWEPT_ROWS / TSNNI_CHUNK_ROWS;
    for (int64_t panel = 0; panel < w->lists->panels; panel++) {
        int64_t end = (panel + 1) * w->lists->panel_width;
        for (int64_t first = 0; first < chunks; first += block) {
            int64_t last = first + block < chunks ? first + block : chunks, steps = chunk_steps(w, panel, first);
            if (block == 1 && steps > 0)
                add_steps(w, first, steps, end);
            for (int64_t t = 0; block > 1 && t < steps; t++)
                for (int64_t chunk = first; chunk < last && chunk_steps(w, panel, chunk) > t; chunk++)
                    add_steps(w, chunk, 1, end);
        }
    }
}

static void form_free(tsnni_runtime *runtime, tsnni_packed_form *form)
{
    tsnni_release(runtime, form->runs);
    tsnni_release(runtime, form->values);
    tsnni_indices_free(runtime, &form->index);
    memset(form, 0, sizeof *form);
}

static tsnn_status form_build(tsnni_runtime *runtime, writer *w, void (*walk)(writer *w))
{
    tsnni_packed_form counted = {0}, *form = w->form;
    tsnn_status status;
    int64_t padding = (int64_t)TSNNI_INDEX_PADDING * TSNNI_CHUNK_ROWS; /* for prefetching a whole row ahead */
    w->form = &counted;
    walk(w);
    w->form = form;
    TSNNI_TRY(TSNNI_NEW(runtime, counted.run_count, &form->runs)); /* counted without merging */
    TSNNI_TRY(TSNNI_NEW(runtime, counted.entries, &form->values));
    TSNNI_TRY(tsnni_indices_allocate(runtime, counted.entries + padding, tsnni_index_width(w->source->inputs + 1),
                                     &form->index));
    memset(form->index.data, 0, (size_t)((counted.entries + padding) * form->index.width));
    lists_rewind(w->lists, w->source->outputs);
    walk(w);
    return TSNN_OK;
fail:
    form_free(runtime, form);
    return status;
}

/* ---- layers ---- */

/* Tiles of sixteen outputs, each with all its inputs: inputs x 16. */
static tsnn_status build_dense(tsnni_runtime *runtime, const tsnni_layer_source *source, const int32_t *input_order,
                               tsnni_packed_layer *layer)
{
    tsnn_status status;
    int64_t numbers, rows = source->inputs;
    if (tsnni_multiply(tsnni_whole_chunks(source->outputs), rows, &numbers) < 0)
        TSNNI_FAIL(runtime, TSNN_ERROR_OVERFLOW, "%lld x %lld weights", (long long)rows, (long long)source->outputs);
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, numbers, &layer->plain.values));
    layer->plain.entries = numbers;
    layer->dense = 1;
    for (int64_t p = 0; p < rows; p++) {
        int64_t i = input_order != NULL ? input_order[p] : p;
        for (int64_t k = source->row_ptr[i]; k < source->row_ptr[i + 1]; k++) {
            int64_t j = tsnni_index_at(&source->column, k), tile = j / TSNNI_CHUNK_ROWS;
            layer->plain.values[(tile * rows + p) * TSNNI_CHUNK_ROWS + j % TSNNI_CHUNK_ROWS] = source->values[k];
        }
    }
    return TSNN_OK;
fail:
    return status;
}

static tsnn_status build_sparse(tsnni_runtime *runtime, const tsnni_layer_source *source, const int32_t *input_order,
                                const tsnni_packing *packing, tsnni_packed_layer *layer)
{
    output_lists lists = {0};
    tsnn_status status;
    int64_t whole = tsnni_whole_chunks(source->outputs), bytes = source->inputs * (int64_t)sizeof(float);
    int32_t worth = packing->single && source->connections >= TSNNI_SWEPT_LENGTH * source->outputs;
    int32_t swept = worth && bytes > TSNNI_NEAR_BYTES;
    layer->far = bytes > TSNNI_FAR_BYTES;
    TSNNI_TRY(lists_build(runtime, source, input_order, swept && layer->far ? TSNNI_PANELS : 1, &lists));
    TSNNI_TRY(TSNNI_NEW(runtime, whole, &layer->order));
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, whole, &layer->length));
    TSNNI_TRY(sort_outputs(runtime, &lists, source->outputs, layer->order));
    for (int64_t p = source->outputs; p < whole; p++)
        layer->order[p] = -1;
    for (int64_t p = 0; p < source->outputs; p++)
        layer->length[p] = (int32_t)(lists.ptr[layer->order[p] + 1] - lists.ptr[layer->order[p]]);
    writer plain = {source, layer->order, &lists, &layer->plain}, sweep = {source, layer->order, &lists, &layer->swept};
    if (packing->batch || !swept)
        TSNNI_TRY(form_build(runtime, &plain, walk_plain));
    if (swept)
        TSNNI_TRY(form_build(runtime, &sweep, walk_swept));
    status = TSNN_OK;
fail:
    lists_free(runtime, &lists);
    return status;
}

tsnn_status tsnni_packed_layer_build(tsnni_runtime *runtime, const tsnni_layer_source *source,
                                     const int32_t *input_order, const tsnni_packing *packing, const char *name,
                                     tsnni_packed_layer *out)
{
    int64_t whole = tsnni_whole_chunks(source->outputs);
    double cells = (double)source->inputs * (double)source->outputs;
    tsnn_status status;
    memset(out, 0, sizeof *out);
    out->inputs = source->inputs;
    out->outputs = source->outputs;
    out->connections = source->connections;
    out->activation = source->activation;
    TSNNI_TRY(check_numbers(runtime, source, name));
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, whole, &out->bias));
    if ((double)source->connections >= TSNNI_DENSE_SHARE * cells)
        TSNNI_TRY(build_dense(runtime, source, input_order, out));
    else
        TSNNI_TRY(build_sparse(runtime, source, input_order, packing, out));
    for (int64_t p = 0; source->bias != NULL && p < source->outputs; p++)
        out->bias[p] = source->bias[out->order != NULL ? out->order[p] : p];
    return TSNN_OK;
fail:
    tsnni_packed_layer_free(runtime, out);
    return status;
}

void tsnni_packed_layer_free(tsnni_runtime *runtime, tsnni_packed_layer *layer)
{
    form_free(runtime, &layer->plain);
    form_free(runtime, &layer->swept);
    tsnni_release(runtime, layer->order);
    tsnni_release(runtime, layer->length);
    tsnni_release(runtime, layer->bias);
    for (int array = 0; array < 4; array++)
        tsnni_release(runtime, layer->in_place.copies[array]);
    memset(layer, 0, sizeof *layer);
}

static int64_t form_bytes(const tsnni_packed_form *form)
{
    return form->entries * (int64_t)(sizeof(float) + (size_t)form->index.width) +
           form->run_count * (int64_t)sizeof *form->runs;
}

int64_t tsnni_packed_layer_bytes(const tsnni_packed_layer *layer)
{
    int64_t a_row = (int64_t)(sizeof *layer->bias + (layer->dense ? 0 : sizeof *layer->order + sizeof *layer->length));
    return form_bytes(&layer->plain) + form_bytes(&layer->swept) + tsnni_whole_chunks(layer->outputs) * a_row;
}

/* ---- by inputs ---- */

static tsnn_status fold_zeros(tsnni_runtime *runtime, const tsnni_layer_source *source, const int32_t *place,
                              const float *shift, const float *scale, tsnni_packed_input_layer *out)
{
    double *sum = NULL;
    tsnn_status status;
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, source->outputs, &sum));
    for (int64_t i = 0; i < source->inputs; i++)
        for (int64_t k = source->row_ptr[i]; k < source->row_ptr[i + 1]; k++) {
            int64_t j = tsnni_index_at(&source->column, k);
            tsnni_index_set(&out->place, k, place[j]);
            out->values[k] = scale != NULL ? source->values[k] * scale[i] : source->values[k];
            if (shift != NULL)
                sum[j] -= (double)source->values[k] * (double)shift[i] * (double)scale[i];
        }
    for (int64_t j = 0; j < source->outputs; j++)
        out->base[place[j]] = (float)(sum[j] + (source->bias != NULL ? (double)source->bias[j] : 0.0));
    status = TSNN_OK;
fail:
    tsnni_release(runtime, sum);
    return status;
}

tsnn_status tsnni_packed_inputs_build(tsnni_runtime *runtime, const tsnni_layer_source *source,
                                      const tsnni_packed_layer *layer, const float *shift, const float *scale,
                                      tsnni_packed_input_layer *out)
{
    int32_t *place = NULL;
    tsnn_status status;
    memset(out, 0, sizeof *out);
    TSNNI_TRY(TSNNI_NEW(runtime, source->outputs, &place));
    for (int64_t p = 0; p < source->outputs; p++)
        place[layer->order[p]] = (int32_t)p;
    TSNNI_TRY(TSNNI_NEW(runtime, source->inputs + 1, &out->row_ptr));
    TSNNI_TRY(tsnni_indices_allocate(runtime, source->connections, tsnni_index_width(source->outputs), &out->place));
    TSNNI_TRY(TSNNI_NEW(runtime, source->connections, &out->values));
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, tsnni_whole_chunks(source->outputs), &out->base));
    memcpy(out->row_ptr, source->row_ptr, (size_t)(source->inputs + 1) * sizeof *out->row_ptr);
    TSNNI_TRY(fold_zeros(runtime, source, place, shift, scale, out));
    tsnni_release(runtime, place);
    return TSNN_OK;
fail:
    tsnni_release(runtime, place);
    tsnni_packed_inputs_free(runtime, out);
    return status;
}

void tsnni_packed_inputs_free(tsnni_runtime *runtime, tsnni_packed_input_layer *inputs)
{
    tsnni_release(runtime, inputs->row_ptr);
    tsnni_release(runtime, inputs->values);
    tsnni_release(runtime, inputs->base);
    tsnni_indices_free(runtime, &inputs->place);
    memset(inputs, 0, sizeof *inputs);
}
