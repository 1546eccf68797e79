/* Decompression of DEFLATE (RFC 1951), for the members of .npz files, which SciPy compresses unless told otherwise. */
#ifndef TSNNI_FORMATS_INFLATE_H
#define TSNNI_FORMATS_INFLATE_H

#include "core/runtime.h"

/* Fills exactly `size` bytes from `bytes` bytes of compressed data. FORMAT when the data are damaged or give another
 * number of bytes. */
tsnn_status tsnni_inflate(tsnni_runtime *runtime, const unsigned char *data, int64_t bytes, unsigned char *out,
                          int64_t size);

#endif
