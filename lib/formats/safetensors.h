/* safetensors: eight bytes of header length, a JSON header, and the data of the tensors, without a gap. The reader
 * trusts nothing: every size is checked against the size of the file before anything of that size is allocated. */
#ifndef TSNNI_FORMATS_SAFETENSORS_H
#define TSNNI_FORMATS_SAFETENSORS_H

#include "core/file.h"

/* The numbers of a file are little-endian. */
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define TSNNI_OTHER_BYTE_ORDER 1
#else
#define TSNNI_OTHER_BYTE_ORDER 0
#endif

#define TSNNI_TENSOR_RANK 8                    /* most dimensions */
#define TSNNI_TENSOR_NAME 256                  /* most bytes of a name that is written, the closing zero included */
#define TSNNI_HEADER_BYTES ((int64_t)16 << 20) /* longest header */

/* Types of elements. The order is that of the names in safetensors.c. */
typedef enum tsnni_element {
    TSNNI_BOOL,
    TSNNI_U8,
    TSNNI_I8,
    TSNNI_F8_E5M2,
    TSNNI_F8_E4M3,
    TSNNI_I16,
    TSNNI_U16,
    TSNNI_F16,
    TSNNI_BF16,
    TSNNI_I32,
    TSNNI_U32,
    TSNNI_F32,
    TSNNI_F64,
    TSNNI_I64,
    TSNNI_U64
} tsnni_element;

/* "F32"; NULL for none of the above. */
const char *tsnni_element_name(tsnni_element element);
int64_t tsnni_element_bytes(tsnni_element element);
/* 0 when there is no type of that name. */
int32_t tsnni_element_by_name(const char *name, tsnni_element *element);

typedef struct tsnni_tensor {
    const char *name;
    tsnni_element element;
    int32_t rank;
    int64_t shape[TSNNI_TENSOR_RANK];
    int64_t count;      /* of elements */
    int64_t begin, end; /* bytes from the first of the data */
} tsnni_tensor;

typedef struct tsnni_metadata {
    const char *key, *value;
} tsnni_metadata;

/* ---- reading ---- */

typedef struct tsnni_safetensors {
    const tsnni_source *source;
    int64_t data;          /* where the data begin */
    tsnni_tensor *tensors; /* by name */
    int64_t tensor_count;
    tsnni_metadata *metadata; /* by key */
    int64_t metadata_count;
    char *text; /* names, keys and values */
} tsnni_safetensors;

/* Reads the header. The source must outlive *out, which is all zeros after a failure. FORMAT tells what is wrong. */
tsnn_status tsnni_safetensors_open(tsnni_runtime *runtime, const tsnni_source *source, tsnni_safetensors *out);
void tsnni_safetensors_close(tsnni_runtime *runtime, tsnni_safetensors *file);

/* NULL: there is none. */
const tsnni_tensor *tsnni_safetensors_find(const tsnni_safetensors *file, const char *name);
/* Fails with INVALID_ARGUMENT: no tensor of that name, and the names of the first few that are there. */
tsnn_status tsnni_safetensors_lacks(tsnni_runtime *runtime, const tsnni_safetensors *file, const char *name);
const char *tsnni_safetensors_metadata(const tsnni_safetensors *file, const char *key);

/* The elements as they are in the file. */
tsnn_status tsnni_safetensors_read(tsnni_runtime *runtime, const tsnni_safetensors *file, const tsnni_tensor *tensor,
                                   void *to);

/* The elements where they are; NULL when they are not in memory, not aligned to their size, or of another byte order.
 */
const void *tsnni_safetensors_view(const tsnni_safetensors *file, const tsnni_tensor *tensor);

/* ---- writing ---- */

/* Puts tensor->count elements into the sink; `data` is what was handed over with it. */
typedef tsnn_status (*tsnni_tensor_writer)(tsnni_runtime *runtime, tsnni_sink *sink, const void *data);

typedef struct tsnni_tensor_entry {
    char name[TSNNI_TENSOR_NAME];
    tsnni_element element;
    int32_t rank;
    int64_t shape[TSNNI_TENSOR_RANK];
    int64_t bytes;
    const void *data;
    tsnni_tensor_writer write; /* NULL: data are the elements */
} tsnni_tensor_entry;

/* What is to be written: collected first, because the header comes first. */
typedef struct tsnni_safetensors_plan {
    tsnni_tensor_entry *tensors;
    int64_t tensor_count, tensor_capacity;
    char *metadata; /* JSON text of the pairs so far */
    int64_t metadata_size, metadata_capacity;
} tsnni_safetensors_plan;

/* The data must outlive the plan. `shape` is of `rank` numbers. OVERFLOW, OUT_OF_MEMORY, INVALID_ARGUMENT (a name that
 * is too long or no UTF-8). */
tsnn_status tsnni_plan_add_tensor(tsnni_runtime *runtime, tsnni_safetensors_plan *plan, const char *name,
                                  tsnni_element element, int32_t rank, const int64_t *shape, const void *data,
                                  tsnni_tensor_writer write);
tsnn_status tsnni_plan_add_metadata(tsnni_runtime *runtime, tsnni_safetensors_plan *plan, const char *key,
                                    const char *value);

/* Header and data. Tensors of wider elements come first, so that each is aligned to its elements. */
tsnn_status tsnni_plan_write(tsnni_runtime *runtime, const tsnni_safetensors_plan *plan, tsnni_sink *sink);
/* The same into a file, which is replaced in one go. */
tsnn_status tsnni_plan_save(tsnni_runtime *runtime, const tsnni_safetensors_plan *plan, const char *path);
void tsnni_plan_free(tsnni_runtime *runtime, tsnni_safetensors_plan *plan);

#endif
