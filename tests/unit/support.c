/* Helpers of the library's tests. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int tsnni_test_all(void)
{
    const char *all = getenv("TSNN_CHECK_ALL");
    return all != NULL && strcmp(all, "1") == 0;
}

/* ---- random numbers: splitmix64 ---- */

static uint64_t next(tsnni_test_random *random)
{
    uint64_t z = random->state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

double tsnni_test_uniform(tsnni_test_random *random, double low, double high)
{
    return low + (high - low) * ((double)(next(random) >> 11) * 0x1p-53);
}

int64_t tsnni_test_below(tsnni_test_random *random, int64_t bound)
{
    return (int64_t)(next(random) % (uint64_t)bound);
}

/* ---- memory ---- */

void *tsnni_test_array(int64_t count, size_t size)
{
    void *array = calloc(count > 0 ? (size_t)count : 1, size);
    ck_assert_ptr_nonnull(array);
    return array;
}

/* In front of each block: its size, and one byte more so that the address is odd. */
#define FRONT (sizeof(size_t) + 1)

void *tsnni_test_allocate(void *user, size_t size)
{
    tsnni_test_allocator *allocator = user;
    allocator->calls++;
    if (allocator->calls == allocator->fail_at ||
        (allocator->for_good && allocator->fail_at > 0 && allocator->calls > allocator->fail_at)) {
        allocator->refused++;
        return NULL;
    }
    unsigned char *block = malloc(size + FRONT);
    if (block == NULL)
        return NULL;
    memcpy(block, &size, sizeof size);
    memset(block + FRONT, 0xA5, size); /* what is not set by the library must not look like zeros */
    allocator->live++;
    allocator->bytes += (int64_t)size;
    if (allocator->bytes > allocator->peak)
        allocator->peak = allocator->bytes;
    return block + FRONT;
}

void tsnni_test_release(void *user, void *pointer)
{
    tsnni_test_allocator *allocator = user;
    size_t size;
    ck_assert_ptr_nonnull(pointer);
    memcpy(&size, (unsigned char *)pointer - FRONT, sizeof size);
    allocator->live--;
    allocator->bytes -= (int64_t)size;
    free((unsigned char *)pointer - FRONT);
}

/* ---- contexts ---- */

tsnn_context *tsnni_test_context(int32_t isa, int32_t threads, uint64_t seed)
{
    tsnn_context_options options = TSNN_CONTEXT_OPTIONS_INIT;
    options.isa = isa;
    options.threads = threads;
    options.seed = seed;
    tsnn_context *context = NULL;
    tsnn_status status = tsnn_context_create(&options, &context);
    if (status == TSNN_ERROR_UNSUPPORTED && isa > TSNN_ISA_REF)
        return NULL;
    TSNNI_OK(status);
    return context;
}

tsnn_context *tsnni_test_counted_context(tsnni_test_allocator *allocator)
{
    tsnn_context_options options = TSNN_CONTEXT_OPTIONS_INIT;
    options.threads = 2;
    options.seed = 5;
    options.allocate = tsnni_test_allocate;
    options.release = tsnni_test_release;
    options.allocator_user = allocator;
    tsnn_context *context = NULL;
    tsnn_status status = tsnn_context_create(&options, &context);
    if (status == TSNN_ERROR_OUT_OF_MEMORY && allocator->refused > 0) {
        ck_assert_ptr_null(context);
        return NULL;
    }
    TSNNI_OK(status);
    return context;
}

void tsnni_test_expect_error(const tsnn_context *context, tsnn_status expected, tsnn_status actual, const char *call)
{
    ck_assert_msg(actual == expected, "%s: status %d, expected %d", call, (int)actual, (int)expected);
    char text[600] = "";
    tsnn_status code = TSNN_OK;
    TSNNI_OK(tsnn_context_error(context, text, (int64_t)sizeof text, &code));
    ck_assert_msg(code == expected, "%s: returned %d, but the context tells of %d (%s)", call, (int)actual, (int)code,
                  text);
    ck_assert_msg(text[0] != '\0', "%s: no text", call);
}

void tsnni_test_expect_text(const tsnn_context *context, const char *part)
{
    char text[600] = "";
    TSNNI_OK(tsnn_context_error(context, text, (int64_t)sizeof text, NULL));
    ck_assert_msg(strstr(text, part) != NULL, "\"%s\" is not in \"%s\"", part, text);
}

/* ---- objects ---- */

static void softsign(void *user, const float *z, float *a, int64_t count)
{
    ck_assert_ptr_null(user);
    for (int64_t k = 0; k < count; k++)
        a[k] = z[k] / (1.0f + fabsf(z[k]));
}

static void softsign_derivative(void *user, const float *z, const float *a, float *derivative, int64_t count)
{
    ck_assert_ptr_null(user);
    for (int64_t k = 0; k < count; k++) {
        float denominator = 1.0f + fabsf(z[k]);
        ck_assert(a[k] == z[k] / denominator); /* both must be of the same element */
        derivative[k] = 1.0f / (denominator * denominator);
    }
}

tsnn_activation *tsnni_test_activation(tsnn_context *context, tsnni_test_function function)
{
    tsnn_activation_options options = TSNN_ACTIVATION_OPTIONS_INIT;
    options.kind = function.kind;
    if (function.kind == TSNN_ACTIVATION_LEAKY_RELU || function.kind == TSNN_ACTIVATION_ALL_RELU)
        options.alpha = function.alpha;
    if (function.kind == TSNN_ACTIVATION_CUSTOM) {
        options.function = softsign;
        options.derivative = softsign_derivative;
    }
    tsnn_activation *activation = NULL;
    TSNNI_OK(tsnn_activation_create(context, &options, &activation));
    return activation;
}

tsnn_layer *tsnni_test_layer(tsnn_context *context, int64_t inputs, int64_t outputs, double density)
{
    tsnn_layer_options options = TSNN_LAYER_OPTIONS_INIT;
    options.inputs = inputs;
    options.outputs = outputs;
    options.density = density;
    options.fan = TSNN_FAN_SPARSE;
    options.init = TSNN_INIT_XAVIER_UNIFORM;
    tsnn_layer *layer = NULL;
    TSNNI_OK(tsnn_layer_create(context, &options, &layer));
    tsnni_test_random random = {(uint64_t)(inputs * 1000 + outputs)};
    float *bias = tsnni_test_array(outputs, sizeof *bias);
    for (int64_t j = 0; j < outputs; j++)
        bias[j] = (float)tsnni_test_uniform(&random, -0.3, 0.3);
    TSNNI_OK(tsnn_layer_set_weights(layer, NULL, 0, bias, outputs));
    free(bias);
    return layer;
}

tsnn_network *tsnni_test_overflowing_network(tsnn_context *context)
{
    static const int64_t row_ptr[] = {0, 1, 2};
    static const int32_t col_idx[] = {0, 1};
    static const float values[] = {1.0f, 1e30f};
    tsnn_network *network = NULL;
    TSNNI_OK(tsnn_network_create(context, &network));
    for (int l = 0; l < 2; l++) {
        tsnn_layer *layer = NULL;
        TSNNI_OK(tsnn_layer_create_from_csr(context, 2, 2, 2, row_ptr, col_idx, values, NULL, 0, &layer));
        TSNNI_OK(tsnn_network_append(network, &layer, NULL, 0.0));
    }
    return network;
}

tsnn_network *tsnni_test_network(tsnn_context *context, int64_t layers, const int64_t *sizes,
                                 const tsnni_test_function *functions, double density, double dropout)
{
    tsnn_network *network = NULL;
    TSNNI_OK(tsnn_network_create(context, &network));
    for (int64_t l = 0; l < layers; l++) {
        tsnn_layer *layer = tsnni_test_layer(context, sizes[l], sizes[l + 1], density);
        tsnn_activation *activation = tsnni_test_activation(context, functions[l]);
        TSNNI_OK(tsnn_network_append(network, &layer, activation, l < layers - 1 ? dropout : 0.0));
        ck_assert_ptr_null(layer);
        tsnn_activation_destroy(&activation);
    }
    return network;
}

tsnn_loss *tsnni_test_loss(tsnn_context *context, int32_t kind, double label_smoothing)
{
    tsnn_loss_options options = TSNN_LOSS_OPTIONS_INIT;
    options.kind = kind;
    options.label_smoothing = label_smoothing;
    tsnn_loss *loss = NULL;
    TSNNI_OK(tsnn_loss_create(context, &options, &loss));
    return loss;
}

tsnn_optimizer *tsnni_test_optimizer(tsnn_context *context, int32_t kind, double rate, double decay, int32_t decay_kind)
{
    tsnn_optimizer_options options = TSNN_OPTIMIZER_OPTIONS_INIT;
    options.kind = kind;
    options.learning_rate = rate;
    options.weight_decay = decay;
    options.decay = decay_kind;
    tsnn_optimizer *optimizer = NULL;
    TSNNI_OK(tsnn_optimizer_create(context, &options, &optimizer));
    return optimizer;
}

tsnn_dataset *tsnni_test_labelled(tsnn_context *context, int64_t samples, int64_t features, int64_t classes,
                                  uint64_t seed)
{
    tsnni_test_random random = {seed};
    float *data = tsnni_test_array(samples * features, sizeof *data);
    int32_t *labels = tsnni_test_array(samples, sizeof *labels);
    for (int64_t n = 0; n < samples; n++) {
        labels[n] = (int32_t)(n % classes);
        for (int64_t f = 0; f < features; f++)
            data[n * features + f] =
                (float)(tsnni_test_uniform(&random, -1.0, 1.0) + (f % classes == labels[n] ? 1.0 : 0.0));
    }
    tsnn_dataset_options options = TSNN_DATASET_OPTIONS_INIT;
    options.samples = samples;
    options.features = features;
    options.classes = classes;
    options.feature_data = data;
    options.labels = labels;
    tsnn_dataset *dataset = NULL;
    TSNNI_OK(tsnn_dataset_create(context, &options, &dataset));
    free(data);
    free(labels);
    return dataset;
}

tsnn_dataset *tsnni_test_targeted(tsnn_context *context, int64_t samples, int64_t features, int64_t size, int simplex,
                                  uint64_t seed)
{
    tsnni_test_random random = {seed};
    float *data = tsnni_test_array(samples * features, sizeof *data);
    float *targets = tsnni_test_array(samples * size, sizeof *targets);
    for (int64_t k = 0; k < samples * features; k++)
        data[k] = (float)tsnni_test_uniform(&random, -1.0, 1.0);
    for (int64_t n = 0; n < samples; n++) {
        double sum = 0.0;
        for (int64_t k = 0; k < size; k++)
            sum += targets[n * size + k] = (float)tsnni_test_uniform(&random, 0.0, 1.0);
        for (int64_t k = 0; simplex && k < size; k++)
            targets[n * size + k] = (float)(targets[n * size + k] / sum);
    }
    tsnn_dataset_options options = TSNN_DATASET_OPTIONS_INIT;
    options.samples = samples;
    options.features = features;
    options.target_size = size;
    options.feature_data = data;
    options.targets = targets;
    tsnn_dataset *dataset = NULL;
    TSNNI_OK(tsnn_dataset_create(context, &options, &dataset));
    free(data);
    free(targets);
    return dataset;
}

/* ---- state as bytes ---- */

void tsnni_test_bytes_add(tsnni_test_bytes *bytes, const void *data, size_t size)
{
    if (bytes->size + size > bytes->capacity) {
        bytes->capacity = 2 * (bytes->size + size);
        bytes->data = realloc(bytes->data, bytes->capacity);
        ck_assert_ptr_nonnull(bytes->data);
    }
    if (size > 0)
        memcpy(bytes->data + bytes->size, data, size);
    bytes->size += size;
}

void tsnni_test_bytes_add_layer(tsnni_test_bytes *bytes, const tsnn_layer *layer)
{
    tsnn_layer_info info = tsnni_test_layer_size(layer);
    info.bytes = 0; /* momentum that is still zero may or may not have memory */
    int64_t count = info.connections;
    int64_t *row_ptr = tsnni_test_array(info.inputs + 1, sizeof *row_ptr);
    int32_t *column = tsnni_test_array(count, sizeof *column);
    float *values = tsnni_test_array(2 * count + 2 * info.outputs, sizeof *values);
    float *velocity = values + count, *bias = velocity + count, *bias_velocity = bias + info.outputs;
    TSNNI_OK(tsnn_layer_get_csr(layer, row_ptr, info.inputs + 1, column, values, count));
    TSNNI_OK(tsnn_layer_get_bias(layer, bias, info.outputs));
    TSNNI_OK(tsnn_layer_get_velocity(layer, velocity, count, bias_velocity, info.outputs));
    tsnni_test_bytes_add(bytes, &info, sizeof info);
    tsnni_test_bytes_add(bytes, row_ptr, (size_t)(info.inputs + 1) * sizeof *row_ptr);
    tsnni_test_bytes_add(bytes, column, (size_t)count * sizeof *column);
    tsnni_test_bytes_add(bytes, values, (size_t)(2 * count + 2 * info.outputs) * sizeof *values);
    free(row_ptr);
    free(column);
    free(values);
}

void tsnni_test_bytes_add_network(tsnni_test_bytes *bytes, tsnn_network *network)
{
    int64_t layers = tsnni_test_network_size(network).layers;
    tsnni_test_bytes_add(bytes, &layers, sizeof layers);
    for (int64_t l = 0; l < layers; l++)
        tsnni_test_bytes_add_layer(bytes, tsnni_test_layer_of(network, l));
}

void tsnni_test_bytes_add_dataset(tsnni_test_bytes *bytes, const tsnn_dataset *dataset)
{
    tsnn_dataset_info info = TSNN_DATASET_INFO_INIT;
    TSNNI_OK(tsnn_dataset_get_info(dataset, &info));
    tsnni_test_bytes_add(bytes, &info, sizeof info);
    tsnni_test_bytes_add(bytes, info.feature_data, (size_t)(info.samples * info.features) * sizeof(float));
    if (info.labels != NULL)
        tsnni_test_bytes_add(bytes, info.labels, (size_t)info.samples * sizeof(int32_t));
    if (info.targets != NULL)
        tsnni_test_bytes_add(bytes, info.targets, (size_t)(info.samples * info.target_size) * sizeof(float));
}

int tsnni_test_bytes_equal(const tsnni_test_bytes *a, const tsnni_test_bytes *b)
{
    return a->size == b->size && (a->size == 0 || memcmp(a->data, b->data, a->size) == 0);
}

void tsnni_test_bytes_free(tsnni_test_bytes *bytes)
{
    free(bytes->data);
    *bytes = (tsnni_test_bytes){0};
}

tsnn_network_info tsnni_test_network_size(const tsnn_network *network)
{
    tsnn_network_info info = TSNN_NETWORK_INFO_INIT;
    TSNNI_OK(tsnn_network_get_info(network, &info));
    return info;
}

tsnn_layer_info tsnni_test_layer_size(const tsnn_layer *layer)
{
    tsnn_layer_info info = TSNN_LAYER_INFO_INIT;
    TSNNI_OK(tsnn_layer_get_info(layer, &info));
    return info;
}

tsnn_layer *tsnni_test_layer_of(tsnn_network *network, int64_t index)
{
    tsnn_layer *layer = NULL;
    TSNNI_OK(tsnn_network_get_layer(network, index, &layer));
    ck_assert_ptr_nonnull(layer);
    return layer;
}
