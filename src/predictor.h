/* Inside of a predictor: packed layers that nothing changes after creation. */
#ifndef TSNNI_PREDICTOR_H
#define TSNNI_PREDICTOR_H

#include <tsnn/predictor.h>

#include "context.h"
#include "core/file.h"
#include "packed_layer.h"

struct tsnn_predictor {
    tsnni_runtime runtime; /* its own: the context may be busy, or gone */
    const tsnni_kernels *kernels;
    tsnn_predictor_options options; /* how it was packed */
    tsnni_packed_layer *layers;
    int64_t count;
    int64_t largest; /* neurons of the largest layer, inputs included, as whole chunks */
    int64_t connections, bytes, borrowed;
    int32_t batch;      /* packed for batches */
    int32_t skip_zeros; /* `by_input` is there; of layers in place only its base */
    int32_t in_place;   /* all layers are */
    tsnni_packed_input_layer by_input;
    float *shift, *scale; /* of the inputs: (x - shift) * scale; both NULL: as they are */
    tsnni_source source;  /* of layers in place: the file, when it is mapped */
    int64_t version;      /* given by the publisher */
};

/* A predictor is made in steps, for networks, plain arrays and files alike: begun, given its standardizer, then each of
 * its layers in turn; all errors go to the context. Destroyed like any other, finished or not. */

/* For `count` layers. Options as from tsnni_options_read. */
tsnn_status tsnni_predictor_begin(tsnn_context *context, int64_t count, const tsnn_predictor_options *options,
                                  tsnn_predictor **out);
/* Copies `inputs` numbers each; both NULL: features are taken as they are. NOT_FINITE, OUT_OF_MEMORY. */
tsnn_status tsnni_predictor_standardise(tsnn_context *context, tsnn_predictor *predictor, int64_t inputs,
                                        const float *shift, const float *scale);
/* Packs the next layer, whose arrays may go afterwards. The errors of tsnni_packed_layer_build. */
tsnn_status tsnni_predictor_add(tsnn_context *context, tsnn_predictor *predictor, const tsnni_layer_source *source);

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
