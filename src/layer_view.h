/* A layer's matrix in the orientation of a file, read row by row. */
#ifndef TSNNI_LAYER_VIEW_H
#define TSNNI_LAYER_VIEW_H

#include "core/file.h"
#include "layer.h"

typedef struct tsnni_layer_view {
    const tsnn_layer *layer;
    int32_t turned;     /* rows are outputs */
    int32_t as_mask;    /* ones in place of weights */
    const float *scale; /* a factor for each input's weights; NULL: none */
    int64_t rows, columns;
} tsnni_layer_view;

/* `rows` is one of TSNN_ROWS_*. */
tsnni_layer_view tsnni_layer_view_of(const tsnn_layer *layer, int32_t rows, int32_t as_mask);

/* Where row i of the view begins among the connections in the view's order. */
int64_t tsnni_layer_view_row(const tsnni_layer_view *view, int64_t i);

/* Column and weight of connection k in the view's order. */
int64_t tsnni_layer_view_entry(const tsnni_layer_view *view, int64_t k, float *value);

/* All cells of all rows: floats, or bytes of a mask. A tsnni_tensor_writer over a view. */
tsnn_status tsnni_layer_view_write(tsnni_runtime *runtime, tsnni_sink *sink, const void *view);

#endif
