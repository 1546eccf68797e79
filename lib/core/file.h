/* Bytes from a file or a memory block, and bytes into one: what readers and writers of formats are handed. A file
 * is written beside its final name and takes it only when it is complete and on the disk, so that a crash leaves the
 * old file or the new one. */
#ifndef TSNNI_CORE_FILE_H
#define TSNNI_CORE_FILE_H

#include "core/runtime.h"

/* Where bytes come from. */
typedef struct tsnni_source {
    int64_t size;
    const unsigned char *memory; /* NULL: a file */
    int file;                    /* descriptor; -1: none */
    void *mapped;                /* memory of `size` bytes to be given back; NULL: none */
} tsnni_source;

/* IO when the system refuses, or the path is not that of a regular file. To be closed, also after a failure. */
tsnn_status tsnni_source_open(tsnni_runtime *runtime, const char *path, tsnni_source *out);

/* Reads the caller's block in place; there is nothing to close. */
tsnni_source tsnni_source_of_memory(const void *data, int64_t size);

/* Turns a file that is open into memory: its pages, read when they are touched and shared with whoever maps it too. Who
 * shortens the file makes touching them fatal, so this is only for callers who vouch for it. IO when the system
 * refuses. */
tsnn_status tsnni_source_map(tsnni_runtime *runtime, tsnni_source *source);

void tsnni_source_close(tsnni_source *source);

/* Copies out `bytes` bytes from `offset`. FORMAT when the source ends before, IO when the system refuses. */
tsnn_status tsnni_source_read(tsnni_runtime *runtime, const tsnni_source *source, int64_t offset, int64_t bytes,
                              void *to);

/* Where bytes go to. */
typedef struct tsnni_sink {
    int64_t size;          /* bytes written so far; in memory, those that did not fit are counted too */
    unsigned char *memory; /* of capacity bytes; NULL: a file, or only counting */
    int64_t capacity;
    int file; /* descriptor; -1: none */
    const char *path;
    char *temporary; /* the name until it is complete */
    unsigned char *buffer;
    int64_t buffered;
} tsnni_sink;

/* Makes PATH.PID.N.tmp, with the permission bits of PATH if that exists. IO when the system refuses, or PATH is
 * something else than a regular file; OUT_OF_MEMORY. The path must outlive the sink. To be ended by tsnni_sink_commit
 * or tsnni_sink_abandon, also after a failure. */
tsnn_status tsnni_sink_open(tsnni_runtime *runtime, const char *path, tsnni_sink *out);

/* Into the caller's block; NULL and 0 only count. */
tsnni_sink tsnni_sink_of_memory(void *memory, int64_t capacity);

/* IO when the system refuses, as for a full disk. A block that is too small is no failure until the commit. */
tsnn_status tsnni_sink_write(tsnni_runtime *runtime, tsnni_sink *sink, const void *data, int64_t bytes);

/* A file: to the disk, renamed, its directory to the disk as well. Memory: BUFFER_TOO_SMALL when not all of it fits.
 * After a failure what was there before is there still; the sink is to be abandoned. */
tsnn_status tsnni_sink_commit(tsnni_runtime *runtime, tsnni_sink *sink);

/* Drops what was written. Does nothing after a commit. */
void tsnni_sink_abandon(tsnni_runtime *runtime, tsnni_sink *sink);

#endif
