/* A layer's matrix in the orientation of a file: its rows, its entries, and all of it as dense cells. */
#include "layer_view.h"

#include <string.h>

#include <tsnn/exchange.h>

#include "core/memory.h"

tsnni_layer_view tsnni_layer_view_of(const tsnn_layer *layer, int32_t rows, int32_t as_mask)
{
    const tsnni_pattern *pattern = &layer->topology.pattern;
    int32_t turned = rows == TSNN_ROWS_ARE_OUTPUTS;
    return (tsnni_layer_view){layer,
                              turned,
                              as_mask,
                              NULL,
                              turned ? pattern->columns : pattern->rows,
                              turned ? pattern->rows : pattern->columns};
}

int64_t tsnni_layer_view_row(const tsnni_layer_view *view, int64_t i)
{
    const tsnni_topology *topology = &view->layer->topology;
    return view->turned ? topology->transpose.column_ptr[i] : topology->pattern.row_ptr[i];
}

int64_t tsnni_layer_view_entry(const tsnni_layer_view *view, int64_t k, float *value)
{
    const tsnni_topology *topology = &view->layer->topology;
    if (!view->turned) {
        *value = topology->values[k];
        return tsnni_index_at(&topology->pattern.column, k);
    }
    int64_t input = tsnni_index_at(&topology->transpose.row, k);
    *value = topology->values[topology->transpose.position[k]];
    return input;
}

tsnn_status tsnni_layer_view_write(tsnni_runtime *runtime, tsnni_sink *sink, const void *data)
{
    const tsnni_layer_view *view = data;
    float *row = NULL;
    unsigned char *bytes;
    int64_t size = view->columns * (view->as_mask ? 1 : (int64_t)sizeof *row);
    tsnn_status status;
    TSNNI_TRY(TSNNI_NEW(runtime, view->columns, &row));
    bytes = (unsigned char *)row;
    for (int64_t i = 0; i < view->rows; i++) {
        memset(row, 0, (size_t)size);
        for (int64_t k = tsnni_layer_view_row(view, i); k < tsnni_layer_view_row(view, i + 1); k++) {
            float value;
            int64_t column = tsnni_layer_view_entry(view, k, &value);
            if (view->as_mask)
                bytes[column] = 1;
            else
                row[column] = view->scale != NULL ? value * view->scale[view->turned ? column : i] : value;
        }
        TSNNI_TRY(tsnni_sink_write(runtime, sink, row, size));
    }
    status = TSNN_OK;
fail:
    tsnni_release(runtime, row);
    return status;
}
