/* Inside of model files: a network as tensors and metadata, and back. docs/model-format.md tells the names. */
#ifndef TSNNI_MODEL_FILE_H
#define TSNNI_MODEL_FILE_H

#include <tsnn/model_file.h>

#include "formats/safetensors.h"
#include "network.h"
#include "trainer.h"

#define TSNNI_MODEL_FORMAT 1            /* raised when an old reader would misread a file */
#define TSNNI_LARGEST_COUNT (1LL << 53) /* of what is counted in a file; nothing real comes near it */
#define TSNNI_MODEL_NAME 64             /* bytes of "layers.<k>.bias_velocity" or "tsnn.layers.<k>.activation" */

/* One word of the metadata and its value. */
typedef struct tsnni_word {
    const char *text;
    int32_t value;
} tsnni_word;

/* Each ends with NULL. */
extern const tsnni_word tsnni_activation_words[], tsnni_init_words[], tsnni_fan_words[];

/* Whether that kind of activation has an alpha in the file. */
int32_t tsnni_model_has_alpha(int32_t activation);

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
