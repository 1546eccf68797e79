/* Inside of importing: a layer out of a checkpoint that is open already. */
#ifndef TSNNI_IMPORT_H
#define TSNNI_IMPORT_H

#include <tsnn/exchange.h>

#include "formats/safetensors.h"

/* tsnn_layer_import() from the tensors of `file`, which options->weights, bias and mask name; path and format are not
 * looked at. A bias is where `bias_mask`, a tensor too, is not 0; NULL: everywhere. After a failure the context draws
 * as if nothing had been tried. */
tsnn_status tsnni_layer_import_tensors(tsnn_context *context, const tsnni_safetensors *file,
                                       const tsnn_import_options *options, const char *bias_mask,
                                       tsnn_import_report *report, tsnn_layer **out);

#endif
