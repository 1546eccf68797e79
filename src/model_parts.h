/* The parts of a model in a file, as networks and predictors read them: texts and numbers of the metadata, the arrays
 * of a layer, its activation, the standardisation of the inputs. Knows neither network nor predictor. */
#ifndef TSNNI_MODEL_PARTS_H
#define TSNNI_MODEL_PARTS_H

#include "activation.h"
#include "context.h"
#include "formats/safetensors.h"

#define TSNNI_MODEL_FORMAT 1            /* raised when an old reader would misread a file */
#define TSNNI_MODEL_LAYERS 65536        /* most */
#define TSNNI_LARGEST_COUNT (1LL << 53) /* of what is counted in a file; nothing real comes near it */
#define TSNNI_MODEL_NAME 64             /* bytes of "layers.<k>.bias_velocity" or "tsnn.layers.<k>.activation" */

/* One word of the metadata and its value. */
typedef struct tsnni_word {
    const char *text;
    int32_t value;
} tsnni_word;

/* Ends with NULL. */
extern const tsnni_word tsnni_activation_words[];

/* Whether that kind of activation has an alpha in the file. */
int32_t tsnni_model_has_alpha(int32_t activation);

/* ---- where the bytes are ---- */

/* A path, or a block of memory when that is NULL; at most max_bytes, unless that is 0. */
typedef struct tsnni_model_place {
    const char *path;
    const void *data;
    int64_t size, max_bytes;
} tsnni_model_place;

/* To be closed, also after a failure. INVALID_ARGUMENT, NULL_ARGUMENT, IO. */
tsnn_status tsnni_model_open(tsnni_runtime *runtime, const tsnni_model_place *place, tsnni_source *source);

/* Puts the path, unless that is NULL, in front of the text of a failure; returns the status. */
tsnn_status tsnni_model_failed(tsnni_runtime *runtime, tsnn_status status, const char *path);

/* The number of layers of a file in a format that this version reads. */
tsnn_status tsnni_model_check_format(tsnni_runtime *runtime, const tsnni_safetensors *file, int64_t *layers);

/* ---- metadata: "tsnn.layers.3.alpha" is alpha of layer 3, "tsnn.alpha" that of layer -1; FORMAT when it is missing
 * ---- */

/* `name` receives the whole key, for messages. */
tsnn_status tsnni_model_text(tsnni_runtime *runtime, const tsnni_safetensors *file, int64_t layer, const char *key,
                             char name[TSNNI_MODEL_NAME], const char **out);
tsnn_status tsnni_model_whole(tsnni_runtime *runtime, const tsnni_safetensors *file, int64_t layer, const char *key,
                              int64_t low, int64_t high, int64_t *out);
tsnn_status tsnni_model_real(tsnni_runtime *runtime, const tsnni_safetensors *file, int64_t layer, const char *key,
                             double *out);
tsnn_status tsnni_model_word(tsnni_runtime *runtime, const tsnni_safetensors *file, int64_t layer, const char *key,
                             const tsnni_word *words, int32_t *out);
/* Decimal digits only, at most `most`; 0 when it is anything else. */
int32_t tsnni_model_digits(const char *text, uint64_t most, uint64_t *out);

/* ---- tensors ---- */

/* The vector `what` of a layer, of these elements; *out is NULL where there is none and it is not needed. */
tsnn_status tsnni_model_layer_vector(tsnni_runtime *runtime, const tsnni_safetensors *file, int64_t layer,
                                     const char *what, tsnni_element element, int32_t needed, const tsnni_tensor **out);

/* A new array with a tensor's elements. */
tsnn_status tsnni_model_copy_vector(tsnni_runtime *runtime, const tsnni_safetensors *file, const tsnni_tensor *tensor,
                                    void **out);

enum { TSNNI_MODEL_ARRAYS = 4 };

/* The arrays of a layer: where they are, when they are in memory and aligned, else copied. Their sizes fit together;
 * nothing of what they hold has been checked. */
typedef struct tsnni_model_layer {
    int64_t inputs, outputs, connections;
    const int64_t *row_ptr;
    const int32_t *column;
    const float *values, *bias;
    void *copies[TSNNI_MODEL_ARRAYS]; /* NULL for an array that is read in place */
    int64_t copied, in_place;         /* bytes */
} tsnni_model_layer;

/* Every size comes from tensors that are there: nothing larger than the file is asked for. *out is zeroed on failure.
 */
tsnn_status tsnni_model_layer_read(tsnni_runtime *runtime, const tsnni_safetensors *file, int64_t layer,
                                   tsnni_model_layer *out);
void tsnni_model_layer_free(tsnni_runtime *runtime, tsnni_model_layer *layer);

/* The activation of a layer; `custom` (NULL: none) is that of layers saved as CUSTOM. */
tsnn_status tsnni_model_activation(tsnn_context *context, const tsnni_safetensors *file, int64_t layer,
                                   const tsnni_activation_rule *custom, tsnn_activation **out);

/* New arrays of `inputs` numbers each, checked; both NULL for a file without them. What has been allocated is there
 * after a failure too. */
tsnn_status tsnni_model_standardizer(tsnni_runtime *runtime, const tsnni_safetensors *file, int64_t inputs,
                                     float **shift, float **scale);

#endif
