/* Inside of a predictor: packed layers that nothing changes after creation. */
#ifndef TSNNI_PREDICTOR_H
#define TSNNI_PREDICTOR_H

#include <tsnn/predictor.h>

#include "context.h"
#include "packed_layer.h"

struct tsnn_predictor {
    tsnni_runtime runtime; /* its own: the context may be busy, or gone */
    const tsnni_kernels *kernels;
    tsnni_packed_layer *layers;
    int64_t count;
    int64_t largest; /* neurons of the largest layer, inputs included, as whole chunks */
    int64_t connections, bytes;
    int32_t batch;      /* packed for batches */
    int32_t skip_zeros; /* `by_input` is there */
    tsnni_packed_input_layer by_input;
    float *shift, *scale; /* of the inputs: (x - shift) * scale; both NULL: as they are */
};

/* What a predictor is packed from; the arrays are borrowed. */
typedef struct tsnni_predictor_source {
    const tsnni_layer_source *layers; /* count that fit together, at least one */
    int64_t count;
    const float *shift, *scale; /* NULL: features are taken as they are */
} tsnni_predictor_source;

/* The one way to a predictor, for networks, plain arrays and files alike. Options as from tsnni_options_read. */
tsnn_status tsnni_predictor_pack(tsnn_context *context, const tsnni_predictor_source *source,
                                 const tsnn_predictor_options *options, tsnn_predictor **out);

/* Reads and checks the options. */
tsnn_status tsnni_predictor_options_read(tsnni_runtime *runtime, const tsnn_predictor_options *options,
                                         tsnn_predictor_options *out);

static inline int64_t tsnni_predictor_inputs(const tsnn_predictor *predictor)
{
    return predictor->layers[0].inputs;
}

static inline int64_t tsnni_predictor_outputs(const tsnn_predictor *predictor)
{
    return predictor->layers[predictor->count - 1].outputs;
}

#endif
