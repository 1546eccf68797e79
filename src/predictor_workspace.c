/* Workspaces of predictors: their size, and their layout in memory of any alignment. */
#include "predictor_workspace.h"

#include <string.h>

#include "core/memory.h"

#define TSNNI_LARGEST_BATCH (1 << 20)

/* Rows whose distance is a multiple of this many bytes fall into the same cache sets. */
#define TSNNI_ALIASING_BYTES 4096

typedef struct layout {
    int64_t stride, x_bytes, list_bytes, total;
} layout;

static int64_t aligned(int64_t bytes)
{
    return (bytes + TSNNI_ALIGNMENT - 1) / TSNNI_ALIGNMENT * TSNNI_ALIGNMENT;
}

tsnni_workspace_needs tsnni_predictor_needs(const tsnn_predictor *predictor)
{
    return (tsnni_workspace_needs){.largest = predictor->largest,
                                   .list = predictor->in_place     ? predictor->largest
                                           : predictor->skip_zeros ? tsnni_predictor_inputs(predictor)
                                                                   : 0,
                                   .batch = predictor->batch};
}

/* Places of x: all neurons, and one chunk more, where padding finds its 0. */
static tsnn_status layout_make(const tsnni_workspace_needs *needs, int64_t batch, layout *out)
{
    if (batch < 1 || batch > TSNNI_LARGEST_BATCH)
        return TSNN_ERROR_INVALID_ARGUMENT;
    int64_t width = (batch + TSNNI_COLUMN_GROUP - 1) / TSNNI_COLUMN_GROUP * TSNNI_COLUMN_GROUP, floats;
    out->stride = width * (int64_t)sizeof(float) % TSNNI_ALIASING_BYTES == 0 ? width + TSNNI_COLUMN_GROUP : width;
    if (batch == 1 || !needs->batch)
        out->stride = 1;
    if (tsnni_multiply(needs->largest + TSNNI_CHUNK_ROWS, out->stride, &floats) < 0 || floats > INT64_MAX / 64)
        return TSNN_ERROR_OVERFLOW;
    out->x_bytes = aligned(floats * (int64_t)sizeof(float));
    out->list_bytes = aligned(needs->list * (int64_t)sizeof(float));
    out->total = aligned((int64_t)sizeof(tsnn_predictor_workspace)) + 2 * out->x_bytes + 2 * out->list_bytes +
                 TSNNI_ALIGNMENT - 1;
    return TSNN_OK;
}

tsnn_status tsnn_predictor_workspace_size(const tsnn_predictor *predictor, int64_t batch, int64_t *bytes)
{
    if (predictor == NULL || bytes == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    layout made;
    tsnni_workspace_needs needs = tsnni_predictor_needs(predictor);
    tsnn_status status = layout_make(&needs, batch, &made);
    if (status >= 0)
        *bytes = made.total;
    return status;
}

static void *take(unsigned char **at, int64_t bytes)
{
    void *block = *at;
    *at += bytes;
    return block;
}

/* `memory` has room for the layout. */
static tsnn_predictor_workspace *lay_out(const tsnni_runtime *runtime, const layout *made, int64_t batch, void *memory)
{
    unsigned char *at = memory;
    at += (TSNNI_ALIGNMENT - (uintptr_t)at % TSNNI_ALIGNMENT) % TSNNI_ALIGNMENT;
    tsnn_predictor_workspace *workspace = take(&at, aligned((int64_t)sizeof *workspace));
    memset(workspace, 0, sizeof *workspace);
    workspace->errors = *runtime;
    workspace->errors.error = TSNN_OK;
    workspace->errors.error_text[0] = '\0';
    workspace->batch = made->stride == 1 ? 1 : batch;
    workspace->stride = made->stride;
    for (int b = 0; b < 2; b++) {
        workspace->x[b] = take(&at, made->x_bytes);
        memset(workspace->x[b], 0, (size_t)made->x_bytes);
    }
    workspace->input = take(&at, made->list_bytes);
    workspace->amount = take(&at, made->list_bytes);
    return workspace;
}

tsnn_status tsnn_predictor_workspace_init(const tsnn_predictor *predictor, int64_t batch, void *memory, int64_t bytes,
                                          tsnn_predictor_workspace **out)
{
    if (out == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    *out = NULL;
    if (predictor == NULL || memory == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    layout made;
    tsnni_workspace_needs needs = tsnni_predictor_needs(predictor);
    tsnn_status status = layout_make(&needs, batch, &made);
    if (status < 0)
        return status;
    if (bytes < made.total)
        return TSNN_ERROR_BUFFER_TOO_SMALL;
    *out = lay_out(&predictor->runtime, &made, batch, memory);
    (*out)->predictor = predictor;
    return TSNN_OK;
}

tsnn_status tsnni_workspace_make(tsnni_runtime *runtime, const tsnni_workspace_needs *needs, int64_t batch,
                                 tsnn_predictor_workspace **out)
{
    layout made;
    unsigned char *block;
    *out = NULL;
    tsnn_status status = layout_make(needs, batch, &made);
    if (status >= 0)
        status = TSNNI_NEW(runtime, made.total, &block);
    if (status < 0)
        return status;
    *out = lay_out(runtime, &made, batch, block);
    (*out)->owned = block;
    return TSNN_OK;
}

tsnn_status tsnn_predictor_workspace_create(const tsnn_predictor *predictor, int64_t batch,
                                            tsnn_predictor_workspace **out)
{
    if (out == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    *out = NULL;
    if (predictor == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime runtime = predictor->runtime; /* a copy: the predictor is shared */
    tsnni_workspace_needs needs = tsnni_predictor_needs(predictor);
    tsnn_status status = tsnni_workspace_make(&runtime, &needs, batch, out);
    if (status >= 0)
        (*out)->predictor = predictor;
    return status;
}

void tsnn_predictor_workspace_destroy(tsnn_predictor_workspace **workspace)
{
    if (workspace == NULL || *workspace == NULL)
        return;
    if ((*workspace)->owned != NULL) {
        tsnni_runtime runtime = (*workspace)->errors;
        tsnni_release(&runtime, (*workspace)->owned);
    }
    *workspace = NULL;
}

tsnn_status tsnn_predictor_workspace_error(const tsnn_predictor_workspace *workspace, char *buffer, int64_t capacity,
                                           tsnn_status *code)
{
    if (workspace == NULL || (buffer == NULL && capacity > 0))
        return TSNN_ERROR_NULL_ARGUMENT;
    if (capacity < 0)
        return TSNN_ERROR_INVALID_ARGUMENT;
    if (code != NULL)
        *code = workspace->errors.error;
    if (capacity > 0) {
        size_t length = strlen(workspace->errors.error_text);
        length = (int64_t)length < capacity ? length : (size_t)capacity - 1;
        memcpy(buffer, workspace->errors.error_text, length);
        buffer[length] = '\0';
    }
    return TSNN_OK;
}
