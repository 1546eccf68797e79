/* Files read from front to back, gzipped or not, with messages that say where they end or break. */
#ifndef TRAIN_MLP_INPUT_H
#define TRAIN_MLP_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Joins directory, name and suffix. NULL: out of memory, which has been said. */
char *path_join(const char *directory, const char *name, const char *suffix);

/* A copy of a path. NULL: out of memory, which has been said. */
char *path_copy(const char *path);

bool path_exists(const char *path);

struct input;

/* Opens a file. NULL: a message has been written. */
struct input *input_open(const char *path);

/* Takes NULL. */
void input_close(struct input *input);

const char *input_path(const struct input *input);

/* Bytes given out so far, after decompression. */
int64_t input_offset(const struct input *input);

/* The most bytes that the file can hold after decompression, judged by its size on disk. */
int64_t input_most(const struct input *input);

/* Reads up to `count` bytes: fewer only at the end. -1: the file is damaged, which has been said. */
int64_t input_read(struct input *input, unsigned char *bytes, int64_t count);

/*
 * Reads a line without its end (LF or CRLF). 1: *line is valid until the next call, 0: no lines left, -1: damaged,
 * which has been said.
 */
int input_line(struct input *input, char **line);

/* Number of the line last read, from 1. */
int64_t input_line_number(const struct input *input);

#endif
