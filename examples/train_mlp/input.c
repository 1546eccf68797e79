/* Files read from front to back, gzipped or not: zlib's gzread() passes plain files through. */
#define _POSIX_C_SOURCE 200809L

#include "input.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "text.h"

enum { CHUNK = 1 << 16, LONGEST_LINE = 1 << 28 };

struct input {
    gzFile file;
    char *path;
    int64_t size; /* on disk */
    int64_t offset;
    int64_t line_number;
    char *line;
    size_t line_capacity;
    int have; /* bytes in chunk, of which `used` have been given out */
    int used;
    unsigned char chunk[CHUNK];
};

char *path_join(const char *directory, const char *name, const char *suffix)
{
    size_t length = strlen(directory) + strlen(name) + strlen(suffix) + 2;
    char *path = malloc(length);
    if (path == NULL)
        complain("out of memory");
    else
        snprintf(path, length, "%s/%s%s", directory, name, suffix);
    return path;
}

char *path_copy(const char *path)
{
    char *copy = strdup(path);
    if (copy == NULL)
        complain("out of memory");
    return copy;
}

bool path_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

struct input *input_open(const char *path)
{
    struct stat status;
    struct input *input = calloc(1, sizeof *input);
    if (input == NULL || (input->path = strdup(path)) == NULL) {
        complain("%s: out of memory", path);
        goto fail;
    }
    input->file = gzopen(path, "rb");
    if (input->file == NULL || stat(path, &status) != 0) {
        complain("%s: cannot be opened: %s", path, errno != 0 ? strerror(errno) : "out of memory");
        goto fail;
    }
    if (!S_ISREG(status.st_mode)) {
        complain("%s: is not a file", path);
        goto fail;
    }
    if (status.st_size == 0) {
        complain("%s: is empty", path);
        goto fail;
    }
    input->size = status.st_size;
    gzbuffer(input->file, 2 * CHUNK);
    return input;
fail:
    input_close(input);
    return NULL;
}

void input_close(struct input *input)
{
    if (input == NULL)
        return;
    if (input->file != NULL)
        gzclose(input->file);
    free(input->line);
    free(input->path);
    free(input);
}

const char *input_path(const struct input *input)
{
    return input->path;
}

int64_t input_offset(const struct input *input)
{
    return input->offset;
}

int64_t input_most(const struct input *input)
{
    /* Deflate packs at most 1032 bytes into one. */
    return gzdirect(input->file) ? input->size : input->size > INT64_MAX / 1033 ? INT64_MAX : input->size * 1033;
}

/* Fills the chunk. False: damaged, which has been said. At the end of the file `have` is 0. */
static bool refill(struct input *input)
{
    int code = Z_OK;
    errno = 0;
    input->used = 0;
    input->have = gzread(input->file, input->chunk, CHUNK);
    const char *text = gzerror(input->file, &code);
    if (input->have > 0)
        return true; /* an error further on comes up with the next chunk */
    input->have = 0;
    if (code == Z_ERRNO)
        return complain("%s: cannot be read: %s", input->path, strerror(errno));
    if (code == Z_BUF_ERROR)
        return complain("%s: truncated: the gzip data breaks off after %s bytes", input->path,
                        grouped(input->offset).text);
    if (code != Z_OK && code != Z_STREAM_END)
        return complain("%s: damaged gzip data after %s bytes (%s)", input->path, grouped(input->offset).text, text);
    return true;
}

int64_t input_read(struct input *input, unsigned char *bytes, int64_t count)
{
    int64_t done = 0;
    while (done < count) {
        if (input->used == input->have && !refill(input))
            return -1;
        if (input->have == 0)
            break;
        int64_t take = input->have - input->used;
        if (take > count - done)
            take = count - done;
        memcpy(bytes + done, input->chunk + input->used, (size_t)take);
        input->used += (int)take;
        input->offset += take;
        done += take;
    }
    return done;
}

static bool append(struct input *input, size_t length, const unsigned char *bytes, size_t count)
{
    if (length + count >= LONGEST_LINE)
        return complain("%s: line %s is longer than %s bytes", input->path, grouped(input->line_number + 1).text,
                        grouped(LONGEST_LINE).text);
    if (length + count + 1 > input->line_capacity) {
        size_t capacity = 2 * (length + count + 1);
        char *line = realloc(input->line, capacity);
        if (line == NULL)
            return complain("%s: out of memory for line %s", input->path, grouped(input->line_number + 1).text);
        input->line = line;
        input->line_capacity = capacity;
    }
    memcpy(input->line + length, bytes, count);
    return true;
}

int input_line(struct input *input, char **line)
{
    size_t length = 0;
    bool complete = false;
    bool any = false;
    while (!complete) {
        if (input->used == input->have && !refill(input))
            return -1;
        if (input->have == 0)
            break;
        const unsigned char *start = input->chunk + input->used;
        size_t left = (size_t)(input->have - input->used);
        const unsigned char *end = memchr(start, '\n', left);
        size_t take = end != NULL ? (size_t)(end - start) : left;
        if (!append(input, length, start, take))
            return -1;
        length += take;
        complete = end != NULL;
        any = true;
        input->used += (int)(take + complete);
        input->offset += (int64_t)(take + complete);
    }
    if (!any)
        return 0;
    input->line_number++;
    if (memchr(input->line, '\0', length) != NULL) {
        complain("%s: line %s holds a zero byte: not a text file", input->path, grouped(input->line_number).text);
        return -1;
    }
    if (length > 0 && input->line[length - 1] == '\r')
        length--;
    input->line[length] = '\0';
    *line = input->line;
    return 1;
}

int64_t input_line_number(const struct input *input)
{
    return input->line_number;
}
