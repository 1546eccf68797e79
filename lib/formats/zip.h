/* Zip archives as .npz files are: members found through the central directory, stored or deflated; written stored. */
#ifndef TSNNI_FORMATS_ZIP_H
#define TSNNI_FORMATS_ZIP_H

#include "core/file.h"

typedef struct tsnni_zip {
    const tsnni_source *source;
    unsigned char *directory; /* the central one */
    int64_t directory_bytes, members;
} tsnni_zip;

/* The source must outlive *out, which is all zeros after a failure. FORMAT, UNSUPPORTED (zip64). */
tsnn_status tsnni_zip_open(tsnni_runtime *runtime, const tsnni_source *source, tsnni_zip *out);
void tsnni_zip_close(tsnni_runtime *runtime, tsnni_zip *zip);

/* A new array with a member's bytes, checked against its CRC-32. *out is NULL when there is no such member and after a
 * failure. Nothing above `most` bytes is allocated: OVERFLOW. */
tsnn_status tsnni_zip_read(tsnni_runtime *runtime, const tsnni_zip *zip, const char *name, int64_t most,
                           unsigned char **out, int64_t *bytes);

/* Members of a zip that is written. */
#define TSNNI_ZIP_MEMBERS 8
typedef struct tsnni_zip_writer {
    tsnni_sink *sink;
    struct {
        const char *name;
        uint32_t crc;
        int64_t offset, bytes;
    } member[TSNNI_ZIP_MEMBERS];
    int32_t members;
} tsnni_zip_writer;

/* Stores `head` and `data` as one member; the name must outlive the writer. OVERFLOW from 4 GiB on. */
tsnn_status tsnni_zip_store(tsnni_runtime *runtime, tsnni_zip_writer *writer, const char *name, const void *head,
                            int64_t head_bytes, const void *data, int64_t data_bytes);
tsnn_status tsnni_zip_finish(tsnni_runtime *runtime, const tsnni_zip_writer *writer);

#endif
