/* Folders, files and networks of every kind. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* mkdtemp */
#endif

#include "model_support.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64];

void tsnni_test_folder_create(void)
{
    snprintf(folder, sizeof folder, "/tmp/tsnn-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

/* Every entry but . and .. */
static int64_t each_entry(void (*call)(const char *path))
{
    int64_t count = 0;
    DIR *list = opendir(folder);
    ck_assert_ptr_nonnull(list);
    for (const struct dirent *entry; (entry = readdir(list)) != NULL;) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        count++;
        if (call != NULL)
            call(tsnni_test_path(entry->d_name));
    }
    closedir(list);
    return count;
}

static void remove_path(const char *path)
{
    if (remove(path) != 0)
        unlink(path);
}

void tsnni_test_folder_remove(void)
{
    each_entry(remove_path);
    rmdir(folder);
}

const char *tsnni_test_path(const char *name)
{
    static char paths[16][400];
    static int next;
    next = (next + 1) % 16;
    snprintf(paths[next], sizeof paths[next], "%s/%s", folder, name);
    return paths[next];
}

void tsnni_test_expect_text_of(const tsnn_context *context, const char *name, const char *rest)
{
    char wanted[500], text[600] = "";
    snprintf(wanted, sizeof wanted, "%s: %s", tsnni_test_path(name), rest);
    TSNNI_OK(tsnn_context_error(context, text, (int64_t)sizeof text, NULL));
    ck_assert_msg(strncmp(text, wanted, strlen(wanted)) == 0, "\"%s\" does not begin with \"%s\"", text, wanted);
}

int64_t tsnni_test_folder_count(void)
{
    return each_entry(NULL);
}

void tsnni_test_file_write(const char *path, const void *data, size_t size)
{
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(data, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
}

tsnni_test_bytes tsnni_test_file_read(const char *path)
{
    tsnni_test_bytes bytes = {0};
    unsigned char block[4096];
    size_t got;
    FILE *file = fopen(path, "rb");
    ck_assert_ptr_nonnull(file);
    while ((got = fread(block, 1, sizeof block, file)) > 0)
        tsnni_test_bytes_add(&bytes, block, got);
    fclose(file);
    return bytes;
}

tsnni_test_bytes tsnni_test_saved(const tsnn_network *network, const tsnn_save_options *options)
{
    int64_t size = 0, again = 0;
    TSNNI_OK(tsnn_network_save_memory(network, options, NULL, 0, &size));
    tsnni_test_bytes bytes = {tsnni_test_array(size, 1), (size_t)size, (size_t)size};
    TSNNI_OK(tsnn_network_save_memory(network, options, bytes.data, size, &again));
    ck_assert_int_eq(size, again);
    return bytes;
}

tsnni_test_bytes tsnni_test_saved_trainer(const tsnn_trainer *trainer)
{
    int64_t size = 0;
    TSNNI_OK(tsnn_trainer_save_memory(trainer, NULL, NULL, 0, &size));
    tsnni_test_bytes bytes = {tsnni_test_array(size, 1), (size_t)size, (size_t)size};
    TSNNI_OK(tsnn_trainer_save_memory(trainer, NULL, bytes.data, size, NULL));
    return bytes;
}

/* ---- networks ---- */

static const struct {
    const char *name;
    int32_t hidden, output;
    double alpha, density, dropout;
} kinds[TSNNI_TEST_KINDS] = {
    {"identity", TSNN_ACTIVATION_IDENTITY, TSNN_ACTIVATION_IDENTITY, 0, .3, 0},
    {"relu", TSNN_ACTIVATION_RELU, TSNN_ACTIVATION_SOFTMAX, 0, .3, 0},
    {"leaky relu, dropout", TSNN_ACTIVATION_LEAKY_RELU, TSNN_ACTIVATION_SOFTMAX, .0123456789, .3, .3},
    {"all-relu, standardised", TSNN_ACTIVATION_ALL_RELU, TSNN_ACTIVATION_SOFTMAX, -1. / 3, .3, .5},
    {"sigmoid", TSNN_ACTIVATION_SIGMOID, TSNN_ACTIVATION_SIGMOID, 0, .3, 0},
    {"tanh, frozen", TSNN_ACTIVATION_TANH, TSNN_ACTIVATION_TANH, 0, .3, 0},
    {"custom", TSNN_ACTIVATION_CUSTOM, TSNN_ACTIVATION_SOFTMAX, 0, .3, 0},
    {"full", TSNN_ACTIVATION_ALL_RELU, TSNN_ACTIVATION_SOFTMAX, .6, 1, .9},
    {"pruned", TSNN_ACTIVATION_ALL_RELU, TSNN_ACTIVATION_SOFTMAX, .6, .3, 0},
    {"evolved and trained", TSNN_ACTIVATION_ALL_RELU, TSNN_ACTIVATION_SOFTMAX, .6, .3, 0},
    {"without connections", TSNN_ACTIVATION_RELU, TSNN_ACTIVATION_SOFTMAX, 0, .3, 0},
    {"wide", TSNN_ACTIVATION_RELU, TSNN_ACTIVATION_SOFTMAX, 0, .0005, 0},
};

const char *tsnni_test_kind_name(int kind)
{
    return kinds[kind].name;
}

static void prune(tsnn_context *context, tsnn_network *network)
{
    tsnn_pruning *pruning = NULL;
    TSNNI_OK(tsnn_pruning_create(context, NULL, &pruning));
    TSNNI_OK(tsnn_pruning_apply(pruning, network, NULL));
    tsnn_pruning_destroy(&pruning);
}

static void learn(tsnn_context *context, tsnn_network *network, const tsnn_dataset *dataset)
{
    tsnn_loss *loss = tsnni_test_loss(context, TSNN_LOSS_CROSS_ENTROPY, 0.0);
    tsnn_optimizer *optimizer = tsnni_test_optimizer(context, TSNN_OPTIMIZER_MOMENTUM, .05, 0, 0);
    tsnn_evolution *evolution = NULL;
    tsnn_trainer *trainer = NULL;
    TSNNI_OK(tsnn_evolution_create(context, NULL, &evolution));
    tsnn_trainer_options options = TSNN_TRAINER_OPTIONS_INIT;
    options.network = network;
    options.loss = loss;
    options.optimizer = optimizer;
    options.evolution = evolution;
    options.epochs = 2;
    TSNNI_OK(tsnn_trainer_create(context, &options, &trainer));
    TSNNI_OK(tsnn_trainer_run(trainer, dataset, NULL));
    tsnn_trainer_destroy(&trainer);
    tsnn_evolution_destroy(&evolution);
    tsnn_optimizer_destroy(&optimizer);
    tsnn_loss_destroy(&loss);
}

static void standardise(tsnn_context *context, tsnn_network *network, const tsnn_dataset *dataset)
{
    tsnn_standardizer *standardizer = NULL;
    TSNNI_OK(tsnn_standardizer_fit(context, dataset, &standardizer));
    TSNNI_OK(tsnn_network_set_standardizer(network, standardizer));
    tsnn_standardizer_destroy(&standardizer);
}

static tsnn_network *without_connections(tsnn_context *context)
{
    static const int64_t row_ptr[13] = {0};
    static const float bias[] = {1, -2, 3, .5f};
    tsnn_network *network = NULL;
    tsnn_layer *layer = NULL;
    tsnn_activation *softmax = tsnni_test_activation(context, (tsnni_test_function){TSNN_ACTIVATION_SOFTMAX, 0});
    TSNNI_OK(tsnn_network_create(context, &network));
    TSNNI_OK(tsnn_layer_create_from_csr(context, 12, 4, 0, row_ptr, NULL, NULL, bias, 0, &layer));
    TSNNI_OK(tsnn_network_append(network, &layer, softmax, 0.0));
    tsnn_activation_destroy(&softmax);
    return network;
}

tsnn_network *tsnni_test_network_of_kind(tsnn_context *context, int kind)
{
    static const int64_t usual[] = {12, 20, 15, 4}, wide[] = {12, 70000, 15, 4};
    const char *name = kinds[kind].name;
    if (strcmp(name, "without connections") == 0)
        return without_connections(context);
    const tsnni_test_function hidden = {kinds[kind].hidden, kinds[kind].alpha};
    const tsnni_test_function functions[] = {hidden, hidden, {kinds[kind].output, kinds[kind].alpha}};
    tsnn_network *network = tsnni_test_network(context, 3, strcmp(name, "wide") == 0 ? wide : usual, functions,
                                               kinds[kind].density, kinds[kind].dropout);
    tsnn_dataset *dataset = tsnni_test_labelled(context, 40, 12, 4, 3);
    if (strstr(name, "standardised") != NULL)
        standardise(context, network, dataset);
    if (strstr(name, "frozen") != NULL)
        TSNNI_OK(tsnn_layer_freeze(tsnni_test_layer_of(network, 1), 1));
    if (strstr(name, "pruned") != NULL)
        prune(context, network);
    if (strstr(name, "trained") != NULL)
        learn(context, network, dataset);
    tsnn_dataset_destroy(&dataset);
    return network;
}

tsnni_test_bytes tsnni_test_outputs(const tsnn_network *network)
{
    float features[5 * 12], outputs[5 * 4];
    tsnni_test_random random = {11};
    for (int k = 0; k < 5 * 12; k++)
        features[k] = (float)tsnni_test_uniform(&random, -3.0, 3.0);
    tsnn_status status = tsnn_network_predict(network, features, 5, outputs, 5 * 4);
    ck_assert(status == TSNN_OK || status == TSNN_ERROR_NOT_FINITE); /* of a file with any weights */
    tsnni_test_bytes bytes = {0};
    tsnni_test_bytes_add(&bytes, outputs, sizeof outputs);
    return bytes;
}
