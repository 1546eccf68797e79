/* Fuzz target: weights in .npy, Matrix Market and safetensors files. The input: one byte of choices, then the file,
 * which is its own mask and biases where they are chosen. */
#include "import.h"

#include <string.h>

enum { SAMPLES = 2, INPUTS = 64 };

/* What exchange.h allows besides max_bytes: the file's size, as often as it is read, and 64 times that of a header of
 * safetensors. Archives have a target of their own. */
static int64_t besides(const tsnni_fuzz_input *file, int64_t times)
{
    static const char market[] = "%%", npy[] = "\x93NUMPY", zip[] = "PK";
    int64_t size = (int64_t)file->size;
    if (file->size >= 2 && memcmp(file->data, zip, 2) == 0)
        return (times + 1) * size + 3 * 65536;
    if ((file->size >= 2 && memcmp(file->data, market, 2) == 0) || (file->size >= 6 && memcmp(file->data, npy, 6) == 0))
        return times * size + FUZZ_OBJECTS;
    return (times + 64) * size + FUZZ_OBJECTS;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t limits[] = {1 << 20, 1 << 12};
    static float features[SAMPLES * INPUTS];
    tsnni_fuzz_input input = {data, size};
    uint8_t choices = tsnni_fuzz_byte(&input);
    tsnn_context *context = tsnni_fuzz_context(0);
    tsnn_import_options options = TSNN_IMPORT_OPTIONS_INIT;
    const char *path = tsnni_fuzz_file(0, input.data, input.size);
    int tensors = input.size > 8 && input.data[8] == '{';
    options.path = path;
    options.rows = choices & 1;
    options.mask = choices & 2 ? (tensors ? "mask" : path) : NULL;
    options.bias = choices & 4 ? (tensors ? "bias" : path) : NULL;
    options.weights = "weight";
    options.threshold = choices & 8 ? 0.5 : 0.0;
    options.max_bytes = limits[choices >> 4 & 1];
    int64_t allowed = besides(&input, 1 + (options.mask != NULL) + (options.bias != NULL));
    int64_t inputs = tsnni_fuzz_import(context, &options, allowed);
    if (inputs > 0 && inputs <= INPUTS) { /* now that it is known how many features a sample has */
        for (int k = 0; k < SAMPLES * INPUTS; k++)
            features[k] = (float)(k % 3);
        options.features = features;
        options.samples = SAMPLES;
        tsnni_fuzz_import(context, &options, allowed);
    }
    tsnn_context_destroy(&context);
    FUZZ_REQUIRE(tsnni_fuzz_live() == 0);
    return 0;
}
