/* Loads a model file, packed, in place and from memory, and predicts; then swaps it for another under a subscriber:
 * what a program with the library for inference only does. serve FILE-TO-WRITE; 77: a build without model files. */
#include <stdio.h>
#include <string.h>
#include <tsnn.h>

/* Two raw features, standardised, one output: 2 (x - 1) - 3 (y - 2) / 2 + .5. The header's length is a multiple of 8.
 */
static const char header[] =
    "{\"__metadata__\":{\"tsnn.format\":\"1\",\"tsnn.layers\":\"1\",\"tsnn.layers.0.activation\":\"identity\"},"
    "\"layers.0.row_ptr\":{\"dtype\":\"I64\",\"shape\":[3],\"data_offsets\":[0,24]},"
    "\"layers.0.col_idx\":{\"dtype\":\"I32\",\"shape\":[2],\"data_offsets\":[24,32]},"
    "\"layers.0.values\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[32,40]},"
    "\"layers.0.bias\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[40,44]},"
    "\"inputs.mean\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[44,52]},"
    "\"inputs.scale\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[52,60]}}";
static const int64_t row_ptr[] = {0, 1, 2};
static const int32_t column[] = {0, 0};
static const float numbers[] = {2, -3, .5f, 1, 2, 1, .5f}; /* weights, bias, mean, scale */

static const float features[] = {5, 4};
static const float expected = 2 * 4 - 3 * 1 + .5f;

static union {
    int64_t align;
    unsigned char bytes[2048];
} block;

static int64_t put(int64_t at, const void *data, size_t size)
{
    memcpy(block.bytes + at, data, size);
    return at + (int64_t)size;
}

/* The size of the file, which is in the block, too. */
static int64_t write_file(const char *path)
{
    uint64_t length = (sizeof header - 1 + 7) / 8 * 8;
    unsigned char little[8];
    int k;
    int64_t size;
    FILE *file;
    memset(block.bytes, ' ', sizeof block.bytes);
    for (k = 0; k < 8; k++)
        little[k] = (unsigned char)(length >> 8 * k);
    size = put(0, little, sizeof little);
    put(size, header, sizeof header - 1);
    size =
        put(put(put(size + (int64_t)length, row_ptr, sizeof row_ptr), column, sizeof column), numbers, sizeof numbers);
    file = fopen(path, "wb");
    if (file == NULL || fwrite(block.bytes, 1, (size_t)size, file) != (size_t)size || fclose(file) != 0)
        return -1;
    return size;
}

static int predicts(const tsnn_predictor *predictor)
{
    tsnn_predictor_workspace *workspace;
    float output = 0;
    int right = tsnn_predictor_workspace_create(predictor, 1, &workspace) == TSNN_OK &&
                tsnn_predictor_predict(predictor, workspace, features, 1, &output, 1) == TSNN_OK && output == expected;
    tsnn_predictor_workspace_destroy(&workspace);
    return right;
}

/* Takes both over. */
static int serves(tsnn_context *context, tsnn_predictor **first, tsnn_predictor **next)
{
    tsnn_publisher *publisher;
    tsnn_subscriber *subscriber;
    float output = 0;
    int64_t version = 0;
    int right = tsnn_publisher_create(context, first, NULL, &publisher) == TSNN_OK &&
                tsnn_subscriber_create(publisher, 1, &subscriber) == TSNN_OK &&
                tsnn_publisher_publish(publisher, next) == TSNN_OK &&
                tsnn_subscriber_predict(subscriber, features, 1, &output, 1, &version) == TSNN_OK && version == 2 &&
                output == expected;
    if (publisher != NULL)
        tsnn_subscriber_destroy(&subscriber);
    tsnn_publisher_destroy(&publisher);
    return right;
}

int main(int count, char **arguments)
{
    tsnn_context *context;
    tsnn_predictor *packed, *mapped, *in_place;
    tsnn_predictor_load_options options = TSNN_PREDICTOR_LOAD_OPTIONS_INIT;
    tsnn_status status;
    int64_t size = count == 2 ? write_file(arguments[1]) : -1;
    int right;
    if (size < 0 || tsnn_context_create(NULL, &context) != TSNN_OK)
        return 1;
    status = tsnn_predictor_load(context, arguments[1], NULL, &packed);
    if (status == TSNN_ERROR_UNSUPPORTED)
        return 77;
    options.ownership = TSNN_BORROW;
    if (status != TSNN_OK || tsnn_predictor_load(context, arguments[1], &options, &mapped) != TSNN_OK ||
        tsnn_predictor_load_memory(context, block.bytes, size, &options, &in_place) != TSNN_OK) {
        char text[256];
        tsnn_context_error(context, text, sizeof text, NULL);
        puts(text);
        return 2;
    }
    right = predicts(packed) && predicts(mapped) && predicts(in_place) && serves(context, &packed, &mapped);
    tsnn_predictor_destroy(&packed);
    tsnn_predictor_destroy(&mapped);
    tsnn_predictor_destroy(&in_place);
    tsnn_context_destroy(&context);
    return right ? 0 : 3;
}
