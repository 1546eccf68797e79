/* Inside of model files: a network as tensors and metadata, and back. docs/model-format.md tells the names. */
#ifndef TSNNI_MODEL_FILE_H
#define TSNNI_MODEL_FILE_H

#include <tsnn/model_file.h>

#include "model_parts.h"
#include "network.h"
#include "trainer.h"

/* Each ends with NULL. */
extern const tsnni_word tsnni_init_words[], tsnni_fan_words[];

/* Adds the tensors and metadata of a network, whose arrays must outlive the plan. STATE without layers, NOT_FINITE. */
tsnn_status tsnni_model_plan(const tsnn_network *network, int32_t momentum, tsnni_safetensors_plan *plan);

/* Adds a trainer's place in the training. */
tsnn_status tsnni_model_plan_training(const tsnn_trainer *trainer, tsnni_safetensors_plan *plan);

/* Builds the network of a file. Custom activations are those of `like` at the same place, or `custom`; both may be
 * NULL. *out is NULL on failure. */
tsnn_status tsnni_model_read(tsnn_context *context, const tsnni_safetensors *file, const tsnn_network *like,
                             const tsnn_activation *custom, tsnn_network **out);

/* A place in the training. */
typedef struct tsnni_training_place {
    int64_t epochs_done, passes;
    tsnni_epoch_part part;
} tsnni_training_place;

/* STATE when the file holds no training or another seed. */
tsnn_status tsnni_model_read_training(tsnn_context *context, const tsnni_safetensors *file,
                                      tsnni_training_place *place);

#endif
