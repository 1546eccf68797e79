/* Sources and sinks of bytes over POSIX descriptors and memory. */
#if !defined(_POSIX_C_SOURCE) && !defined(_GNU_SOURCE)
#define _POSIX_C_SOURCE 200809L /* pread, fsync, O_CLOEXEC */
#endif
#if !defined(_FILE_OFFSET_BITS)
#define _FILE_OFFSET_BITS 64
#endif

#include "core/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/memory.h"

#define BUFFER_BYTES ((int64_t)1 << 16)
#define LARGEST_TRANSFER ((int64_t)1 << 30) /* Linux moves at most 2^31 bytes at once */
#define TEMPORARY_NAMES 1000

/* strerror() may share a buffer between threads; the number always tells. */
static const char *reason(int number)
{
    switch (number) {
    case ENOENT:
        return "no such file or directory";
    case EACCES:
    case EPERM:
        return "not permitted";
    case ENOSPC:
    case EDQUOT:
        return "no space left";
    case EFBIG:
        return "the file would be too large";
    case EISDIR:
        return "it is a directory";
    case ENOTDIR:
        return "a part of the path is no directory";
    case EROFS:
        return "the file system is read-only";
    case ENAMETOOLONG:
        return "the name is too long";
    case EMFILE:
    case ENFILE:
        return "too many open files";
    case EIO:
        return "the device failed";
    default:
        return "the system refused";
    }
}

static tsnn_status refused(tsnni_runtime *runtime, const char *what, const char *path)
{
    int number = errno;
    if (path[0] == '\0')
        return tsnni_fail(runtime, TSNN_ERROR_IO, "the path is empty");
    return tsnni_fail(runtime, TSNN_ERROR_IO, "%s %.300s: %s (errno %d)", what, path, reason(number), number);
}

/* ---- sources ---- */

tsnn_status tsnni_source_open(tsnni_runtime *runtime, const char *path, tsnni_source *out)
{
    struct stat found;
    *out = (tsnni_source){.file = -1};
    /* Not blocking: opening a pipe must not wait for a writer. */
    do
        out->file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    while (out->file < 0 && errno == EINTR);
    if (out->file < 0)
        return refused(runtime, "cannot open", path);
    if (fstat(out->file, &found) != 0)
        return refused(runtime, "cannot read", path);
    if (!S_ISREG(found.st_mode))
        return tsnni_fail(runtime, TSNN_ERROR_IO, "%.300s is not a regular file", path);
    out->size = (int64_t)found.st_size;
    return TSNN_OK;
}

tsnni_source tsnni_source_of_memory(const void *data, int64_t size)
{
    static const unsigned char nothing;
    return (tsnni_source){.size = size, .memory = data != NULL ? data : &nothing, .file = -1};
}

tsnn_status tsnni_source_map(tsnni_runtime *runtime, tsnni_source *source)
{
    if ((uint64_t)source->size > PTRDIFF_MAX)
        return tsnni_fail(runtime, TSNN_ERROR_OVERFLOW, "%lld bytes cannot be mapped", (long long)source->size);
    tsnni_source mapped = tsnni_source_of_memory(NULL, source->size);
    if (source->size > 0) { /* nothing cannot be mapped */
        mapped.mapped = mmap(NULL, (size_t)source->size, PROT_READ, MAP_SHARED, source->file, 0);
        if (mapped.mapped == MAP_FAILED)
            return refused(runtime, "cannot map", "the file");
        mapped.memory = mapped.mapped;
    }
    tsnni_source_close(source);
    *source = mapped;
    return TSNN_OK;
}

void tsnni_source_close(tsnni_source *source)
{
    if (source->file >= 0)
        close(source->file);
    if (source->mapped != NULL)
        munmap(source->mapped, (size_t)source->size);
    *source = tsnni_source_of_memory(NULL, 0);
}

tsnn_status tsnni_source_read(tsnni_runtime *runtime, const tsnni_source *source, int64_t offset, int64_t bytes,
                              void *to)
{
    if (offset < 0 || bytes < 0 || offset > source->size || bytes > source->size - offset)
        return tsnni_fail(runtime, TSNN_ERROR_FORMAT, "%lld bytes from %lld on are wanted, but there are %lld in all",
                          (long long)bytes, (long long)offset, (long long)source->size);
    if (bytes == 0)
        return TSNN_OK;
    if (source->memory != NULL) {
        memcpy(to, source->memory + offset, (size_t)bytes);
        return TSNN_OK;
    }
    for (int64_t done = 0; done < bytes;) {
        int64_t left = bytes - done;
        ssize_t got = pread(source->file, (unsigned char *)to + done,
                            (size_t)(left < LARGEST_TRANSFER ? left : LARGEST_TRANSFER), (off_t)(offset + done));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return refused(runtime, "cannot read", "the file");
        if (got == 0) /* it has become shorter since it was opened */
            return tsnni_fail(runtime, TSNN_ERROR_FORMAT, "the file ends after %lld bytes, it had %lld",
                              (long long)(offset + done), (long long)source->size);
        done += got;
    }
    return TSNN_OK;
}

/* ---- sinks ---- */

/* The permission bits of the file that will be replaced; -1: there is none, or the system tells when it is opened. */
static tsnn_status find_old_mode(tsnni_runtime *runtime, const char *path, int64_t *mode)
{
    struct stat found;
    *mode = -1;
    if (stat(path, &found) != 0)
        return TSNN_OK;
    if (!S_ISREG(found.st_mode))
        return tsnni_fail(runtime, TSNN_ERROR_IO, "%.300s is not a regular file, and is not replaced", path);
    *mode = (int64_t)(found.st_mode & 0777);
    return TSNN_OK;
}

tsnn_status tsnni_sink_open(tsnni_runtime *runtime, const char *path, tsnni_sink *out)
{
    size_t room = strlen(path) + 48;
    int64_t old_mode;
    tsnn_status status;
    *out = (tsnni_sink){.file = -1, .path = path};
    if (path[0] == '\0') /* a temporary file beside it could be created */
        TSNNI_FAIL(runtime, TSNN_ERROR_IO, "the path is empty");
    TSNNI_TRY(find_old_mode(runtime, path, &old_mode));
    TSNNI_TRY(TSNNI_NEW(runtime, BUFFER_BYTES, &out->buffer));
    TSNNI_TRY(TSNNI_NEW(runtime, (int64_t)room, &out->temporary));
    /* A name that is taken belongs to another writer, or to one that was killed. */
    for (int number = 0; out->file < 0 && number < TEMPORARY_NAMES; number++) {
        snprintf(out->temporary, room, "%s.%ld.%d.tmp", path, (long)getpid(), number);
        out->file =
            open(out->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, old_mode < 0 ? 0666 : (mode_t)old_mode);
        if (out->file < 0 && errno != EEXIST && errno != EINTR)
            break;
    }
    if (out->file < 0) {
        status = refused(runtime, "cannot create", out->temporary);
        goto fail;
    }
    if (old_mode >= 0 && fchmod(out->file, (mode_t)old_mode) != 0) { /* bits that the process's mask took away */
        status = refused(runtime, "cannot set the permissions of", out->temporary);
        goto fail;
    }
    return TSNN_OK;
fail:
    return status;
}

tsnni_sink tsnni_sink_of_memory(void *memory, int64_t capacity)
{
    return (tsnni_sink){.file = -1, .memory = memory, .capacity = memory != NULL ? capacity : 0};
}

static tsnn_status write_through(tsnni_runtime *runtime, const tsnni_sink *sink, const unsigned char *data,
                                 int64_t bytes)
{
    for (int64_t done = 0; done < bytes;) {
        int64_t left = bytes - done;
        ssize_t put = write(sink->file, data + done, (size_t)(left < LARGEST_TRANSFER ? left : LARGEST_TRANSFER));
        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return refused(runtime, "cannot write", sink->temporary);
        done += put;
    }
    return TSNN_OK;
}

static tsnn_status flush(tsnni_runtime *runtime, tsnni_sink *sink)
{
    int64_t bytes = sink->buffered;
    sink->buffered = 0;
    return write_through(runtime, sink, sink->buffer, bytes);
}

tsnn_status tsnni_sink_write(tsnni_runtime *runtime, tsnni_sink *sink, const void *data, int64_t bytes)
{
    tsnn_status status;
    if (bytes == 0)
        return TSNN_OK;
    int64_t before = sink->size;
    if (tsnni_add(before, bytes, &sink->size) < 0)
        TSNNI_FAIL(runtime, TSNN_ERROR_OVERFLOW, "%lld bytes after %lld", (long long)bytes, (long long)before);
    if (sink->file < 0) {
        if (sink->memory != NULL && sink->size <= sink->capacity)
            memcpy(sink->memory + before, data, (size_t)bytes);
        return TSNN_OK;
    }
    if (sink->buffered + bytes > BUFFER_BYTES)
        TSNNI_TRY(flush(runtime, sink));
    if (bytes >= BUFFER_BYTES)
        return write_through(runtime, sink, data, bytes);
    memcpy(sink->buffer + sink->buffered, data, (size_t)bytes);
    sink->buffered += bytes;
    return TSNN_OK;
fail:
    return status;
}

/* The name of the directory that holds the path, over the temporary name, which is longer and no longer needed. */
static void name_directory(char *name, const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t length = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
    memcpy(name, length > 0 ? path : ".", length > 0 ? length : 1);
    name[length > 0 ? length : 1] = '\0';
}

/* The new name on the disk as well. File systems that cannot do that for a directory say EINVAL. */
static tsnn_status sync_directory(tsnni_runtime *runtime, tsnni_sink *sink)
{
    tsnn_status status = TSNN_OK;
    name_directory(sink->temporary, sink->path);
    int directory = open(sink->temporary, O_RDONLY | O_CLOEXEC);
    if (directory < 0)
        return TSNN_OK; /* it may be written to, but not read */
    if (fsync(directory) != 0 && errno != EINVAL)
        status = refused(runtime, "cannot bring to the disk the directory", sink->temporary);
    close(directory);
    return status;
}

static void sink_free(tsnni_runtime *runtime, tsnni_sink *sink)
{
    tsnni_release(runtime, sink->buffer);
    tsnni_release(runtime, sink->temporary);
    sink->buffer = NULL;
    sink->temporary = NULL;
}

tsnn_status tsnni_sink_commit(tsnni_runtime *runtime, tsnni_sink *sink)
{
    tsnn_status status;
    if (sink->file < 0) {
        if (sink->memory != NULL && sink->size > sink->capacity)
            return tsnni_fail(runtime, TSNN_ERROR_BUFFER_TOO_SMALL, "the buffer holds %lld bytes; %lld are needed",
                              (long long)sink->capacity, (long long)sink->size);
        return TSNN_OK;
    }
    TSNNI_TRY(flush(runtime, sink));
    if (fsync(sink->file) != 0) {
        status = refused(runtime, "cannot bring to the disk", sink->temporary);
        goto fail;
    }
    int closed = close(sink->file);
    sink->file = -1;
    if (closed != 0 || rename(sink->temporary, sink->path) != 0) {
        status = refused(runtime, closed != 0 ? "cannot close" : "cannot give its name to", sink->path);
        unlink(sink->temporary);
        goto fail;
    }
    status = sync_directory(runtime, sink);
    sink_free(runtime, sink);
    return status;
fail:
    return status;
}

void tsnni_sink_abandon(tsnni_runtime *runtime, tsnni_sink *sink)
{
    if (sink->file >= 0) {
        close(sink->file);
        unlink(sink->temporary);
        sink->file = -1;
    }
    sink_free(runtime, sink);
}
