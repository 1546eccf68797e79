/* NumPy's .npy: a magic string, a header in the form of a Python dictionary, and the elements of one array. */
#ifndef TSNNI_FORMATS_NPY_H
#define TSNNI_FORMATS_NPY_H

#include "formats/safetensors.h"

#define TSNNI_NPY_HEAD 192 /* most bytes of a head that is written */

typedef struct tsnni_npy {
    tsnni_element element; /* TSNNI_U8 for text, one element a byte */
    int32_t is_text;       /* its last dimension is then the length */
    int32_t column_major;
    int32_t rank;
    int64_t shape[TSNNI_TENSOR_RANK];
    int64_t count, data; /* elements, and where they begin */
} tsnni_npy;

/* Reads the head of a block of `bytes` bytes, and checks that the elements are there. FORMAT, UNSUPPORTED (big-endian
 * or structured elements). `name` is for the text. */
tsnn_status tsnni_npy_read(tsnni_runtime *runtime, const unsigned char *block, int64_t bytes, const char *name,
                           tsnni_npy *out);

/* The head of an array of type `descr` ("<f4"), shape as Python writes it ("(3,)"). Returns its bytes. */
int64_t tsnni_npy_head(unsigned char head[TSNNI_NPY_HEAD], const char *descr, const char *shape);

#endif
