/* IDX, the format of MNIST and its kin: 0, 0, type, dimensions, each dimension as 4 bytes, then the numbers. */
#include "data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "input.h"
#include "text.h"

enum { TYPE_BYTE = 0x08, MOST_DIMENSIONS = 4, BLOCK = 1 << 15 };

/* What a header promises. */
struct shape {
    int dimensions;
    int64_t size[MOST_DIMENSIONS];
    int64_t count; /* size[0] */
    int64_t each;  /* bytes of one item: the product of the others */
    char text[64]; /* "60000 x 28 x 28" */
};

static bool read_header_bytes(struct input *input, unsigned char *bytes, int64_t count)
{
    int64_t got = input_read(input, bytes, count);
    if (got >= 0 && got < count)
        return complain("%s: truncated: it ends after %lld bytes, within its header", input_path(input),
                        (long long)input_offset(input));
    return got == count;
}

/* The sizes of an IDX file of bytes with `least` to `most` dimensions, checked against what the file can hold. */
static bool read_header(struct input *input, int least, int most, struct shape *shape)
{
    const char *path = input_path(input);
    unsigned char magic[4];
    unsigned char size[4 * MOST_DIMENSIONS];
    if (!read_header_bytes(input, magic, 4))
        return false;
    if (magic[0] != 0 || magic[1] != 0 || magic[2] != TYPE_BYTE || magic[3] < least || magic[3] > most)
        return complain("%s: wrong magic number 0x%02x%02x%02x%02x: an IDX file of bytes with %d dimension%s begins "
                        "with 0x0000080%d",
                        path, magic[0], magic[1], magic[2], magic[3], most == 1 ? 1 : 3, most == 1 ? "" : "s",
                        most == 1 ? 1 : 3);
    shape->dimensions = magic[3];
    if (!read_header_bytes(input, size, 4 * shape->dimensions))
        return false;
    size_t used = 0;
    shape->each = 1;
    bool fits = true;
    for (int i = 0; i < shape->dimensions; i++) {
        const unsigned char *at = size + 4 * i;
        shape->size[i] = (int64_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
        used += (size_t)snprintf(shape->text + used, sizeof shape->text - used, "%s%lld", i > 0 ? " x " : "",
                                 (long long)shape->size[i]);
        if (i > 0 && fits) {
            shape->each *= shape->size[i]; /* below 2^31 times 2^32 */
            fits = shape->each <= INT32_MAX;
        }
    }
    shape->count = shape->size[0];
    if (shape->count == 0 || shape->each == 0)
        return complain("%s: holds no samples: its header says %s", path, shape->text);
    if (!fits || shape->count > INT32_MAX || shape->count * shape->each > input_most(input))
        return complain("%s: its header promises %s bytes, which the file cannot hold", path, shape->text);
    return true;
}

/* The next `count` bytes of the body, at most BLOCK. */
static bool read_block(struct input *input, const struct shape *shape, int64_t header, unsigned char *block,
                       int64_t count)
{
    int64_t got = input_read(input, block, count);
    if (got >= 0 && got < count)
        return complain("%s: truncated: its header promises %s bytes, but only %lld follow", input_path(input),
                        shape->text, (long long)(input_offset(input) - header));
    return got == count;
}

static bool expect_end(struct input *input, const struct shape *shape)
{
    unsigned char more;
    int64_t got = input_read(input, &more, 1);
    if (got > 0)
        return complain("%s: goes on after the %s bytes that its header promises", input_path(input), shape->text);
    return got == 0;
}

static bool read_images(struct samples *samples, struct input *input, unsigned char *block)
{
    struct shape shape;
    if (!read_header(input, 2, MOST_DIMENSIONS, &shape))
        return false;
    int64_t header = input_offset(input);
    int64_t all = shape.count * shape.each;
    samples->count = shape.count;
    samples->features = shape.each;
    samples->feature_data = (uint64_t)all > SIZE_MAX / sizeof(float) ? NULL : malloc((size_t)all * sizeof(float));
    if (samples->feature_data == NULL)
        return complain("%s: out of memory for %s bytes as numbers", input_path(input), shape.text);
    for (int64_t done = 0; done < all;) {
        int64_t take = all - done < BLOCK ? all - done : BLOCK;
        if (!read_block(input, &shape, header, block, take))
            return false;
        for (int64_t i = 0; i < take; i++)
            samples->feature_data[done + i] = (float)block[i] / 255.0f;
        done += take;
    }
    return expect_end(input, &shape);
}

static bool read_labels(struct samples *samples, struct input *input, const char *image_path, unsigned char *block)
{
    struct shape shape;
    if (!read_header(input, 1, 1, &shape))
        return false;
    int64_t header = input_offset(input);
    if (shape.count != samples->count)
        return complain("%s: has %lld labels, but %s has %lld images", input_path(input), (long long)shape.count,
                        image_path, (long long)samples->count);
    samples->labels = malloc((size_t)shape.count * sizeof(int32_t));
    if (samples->labels == NULL)
        return complain("%s: out of memory for %s labels", input_path(input), shape.text);
    for (int64_t done = 0; done < shape.count;) {
        int64_t take = shape.count - done < BLOCK ? shape.count - done : BLOCK;
        if (!read_block(input, &shape, header, block, take))
            return false;
        for (int64_t i = 0; i < take; i++)
            samples->labels[done + i] = block[i];
        done += take;
    }
    return expect_end(input, &shape);
}

bool samples_read_idx(struct samples *samples, const char *image_path, const char *label_path)
{
    unsigned char block[BLOCK];
    struct input *images = input_open(image_path);
    struct input *labels = images != NULL ? input_open(label_path) : NULL;
    bool good = labels != NULL && read_images(samples, images, block) &&
                read_labels(samples, labels, image_path, block) && (samples->path = path_copy(label_path)) != NULL;
    input_close(images);
    input_close(labels);
    return good;
}
