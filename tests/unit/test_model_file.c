/* Model files: what is saved comes back to the bit, wherever it is loaded; writing never harms the old file. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* SIGXFSZ, setrlimit */
#endif

#include "suites.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model_support.h"

#define LOAD(context, bytes, options, out)                                                                             \
    tsnn_network_load_memory((context), (bytes).data, (int64_t)(bytes).size, (options), (out))

static tsnn_context *context;

static void setup(void)
{
    context = tsnni_test_context(TSNN_ISA_AUTO, 1, 5);
    tsnni_test_folder_create();
}

static void teardown(void)
{
    tsnni_test_folder_remove();
    tsnn_context_destroy(&context);
}

#if TSNN_MODEL_FILES

/* Options that bring back what a file cannot hold. */
static tsnn_load_options with_custom(tsnn_activation **custom)
{
    tsnn_load_options options = TSNN_LOAD_OPTIONS_INIT;
    *custom = tsnni_test_activation(context, (tsnni_test_function){TSNN_ACTIVATION_CUSTOM, 0});
    options.custom = *custom;
    return options;
}

static tsnn_network *load_into(tsnn_context *where, const tsnni_test_bytes *bytes)
{
    tsnn_activation *custom = NULL;
    tsnn_network *network = NULL;
    tsnn_load_options options = with_custom(&custom);
    TSNNI_OK(LOAD(where, *bytes, &options, &network));
    tsnn_activation_destroy(&custom);
    return network;
}

static void expect_equal(tsnni_test_bytes a, tsnni_test_bytes b, const char *what)
{
    ck_assert_msg(tsnni_test_bytes_equal(&a, &b), "%s differ", what);
    tsnni_test_bytes_free(&a);
    tsnni_test_bytes_free(&b);
}

static tsnni_test_bytes bytes_of(tsnn_network *network)
{
    tsnni_test_bytes bytes = {0};
    tsnni_test_bytes_add_network(&bytes, network);
    return bytes;
}

/* Two steps with dropout, then evolution: shows streams, rules, dropout, frozen layers and momentum. */
static void train_on(tsnn_network *network)
{
    tsnn_dataset *targets = tsnni_test_targeted(context, 20, 12, 4, 0, 9);
    tsnn_loss *loss = tsnni_test_loss(context, TSNN_LOSS_MEAN_SQUARED_ERROR, 0.0);
    tsnn_optimizer *optimizer = tsnni_test_optimizer(context, TSNN_OPTIMIZER_MOMENTUM, .01, 0, 0);
    tsnn_evolution *evolution = NULL;
    tsnn_trainer *trainer = NULL;
    tsnn_trainer_options options = TSNN_TRAINER_OPTIONS_INIT;
    options.network = network;
    options.loss = loss;
    options.optimizer = optimizer;
    TSNNI_OK(tsnn_evolution_create(context, NULL, &evolution));
    TSNNI_OK(tsnn_trainer_create(context, &options, &trainer));
    for (int s = 0; s < 2; s++)
        TSNNI_OK(tsnn_trainer_step(trainer, targets, NULL, 20, 1.0, NULL));
    TSNNI_OK(tsnn_evolution_apply(evolution, network, 3, NULL));
    tsnn_trainer_destroy(&trainer);
    tsnn_evolution_destroy(&evolution);
    tsnn_optimizer_destroy(&optimizer);
    tsnn_loss_destroy(&loss);
    tsnn_dataset_destroy(&targets);
}

START_TEST(a_network_of_every_kind_comes_back_to_the_bit)
{
    tsnn_save_options options = TSNN_SAVE_OPTIONS_INIT;
    options.momentum = 1;
    tsnn_network *network = tsnni_test_network_of_kind(context, _i);
    tsnni_test_bytes saved = tsnni_test_saved(network, &options);
    tsnn_network *loaded = load_into(context, &saved);
    expect_equal(bytes_of(network), bytes_of(loaded), tsnni_test_kind_name(_i));
    expect_equal(tsnni_test_outputs(network), tsnni_test_outputs(loaded), "outputs");
    expect_equal(tsnni_test_saved(loaded, &options), saved, "the files of the network and of its copy");
    train_on(network);
    train_on(loaded);
    expect_equal(bytes_of(network), bytes_of(loaded), "after two steps and evolution, the networks");
    tsnn_network_destroy(&network);
    tsnn_network_destroy(&loaded);
}
END_TEST

static int32_t format_of(const tsnn_network *network)
{
    return tsnni_test_network_size(network).activation_format;
}

START_TEST(the_format_of_activations_is_saved)
{
    static const char key[] = "\"tsnn.bf16\":\"1\"";
    tsnn_network *network = tsnni_test_network_of_kind(context, 3), *loaded = NULL;
    TSNNI_OK(tsnn_network_set_activation_format(network, TSNN_ACTIVATIONS_BF16));
    tsnni_test_bytes saved = tsnni_test_saved(network, NULL);
    loaded = load_into(context, &saved);
    ck_assert_int_eq(format_of(loaded), TSNN_ACTIVATIONS_BF16);
    expect_equal(tsnni_test_outputs(network), tsnni_test_outputs(loaded), "outputs");
    tsnn_network_destroy(&loaded);

    unsigned char *at = memmem(saved.data, saved.size, key, strlen(key));
    ck_assert_ptr_nonnull(at);
    at[strlen(key) - 2] = '2';
    TSNNI_REFUSED(context, TSNN_ERROR_FORMAT, LOAD(context, saved, NULL, &loaded));
    tsnni_test_expect_text(context, "tsnn.bf16 is \"2\"; it must be 0..1");
    at[1] = 'T'; /* a file of before there was the key */
    loaded = load_into(context, &saved);
    ck_assert_int_eq(format_of(loaded), TSNN_ACTIVATIONS_FLOAT32);
    tsnn_network_destroy(&loaded);
    tsnn_network_destroy(&network);
    tsnni_test_bytes_free(&saved);
}
END_TEST

START_TEST(momentum_is_saved_on_request)
{
    tsnn_network *network = tsnni_test_network_of_kind(context, 9);
    tsnni_test_bytes with = {0}, without = tsnni_test_saved(network, NULL);
    tsnn_save_options options = TSNN_SAVE_OPTIONS_INIT;
    options.momentum = 1;
    with = tsnni_test_saved(network, &options);
    tsnn_network_info size = tsnni_test_network_size(network);
    ck_assert_int_ge((int64_t)(with.size - without.size), 4 * (size.connections + size.neurons));
    tsnn_network *loaded = load_into(context, &without);
    float velocity[20 * 15], bias[15];
    tsnn_layer *layer = tsnni_test_layer_of(loaded, 1);
    TSNNI_OK(tsnn_layer_get_velocity(layer, velocity, 20 * 15, bias, 15));
    for (int64_t k = 0; k < tsnni_test_layer_size(layer).connections; k++)
        ck_assert(velocity[k] == 0.0f);
    tsnn_network_destroy(&loaded);
    tsnn_network_destroy(&network);
    tsnni_test_bytes_free(&with);
    tsnni_test_bytes_free(&without);
}
END_TEST

START_TEST(files_and_memory_hold_the_same)
{
    tsnn_network *network = tsnni_test_network_of_kind(context, 3), *loaded = NULL;
    const char *path = tsnni_test_path("model");
    TSNNI_OK(tsnn_network_save(network, NULL, path));
    expect_equal(tsnni_test_file_read(path), tsnni_test_saved(network, NULL), "file and memory");
    TSNNI_OK(tsnn_network_load(context, path, NULL, &loaded));
    expect_equal(bytes_of(network), bytes_of(loaded), "networks");
    ck_assert_int_eq(tsnni_test_folder_count(), 1);
    tsnn_network_destroy(&network);
    tsnn_network_destroy(&loaded);
}
END_TEST

START_TEST(a_file_does_not_depend_on_instruction_set_or_threads)
{
    tsnn_network *network = tsnni_test_network_of_kind(context, 3);
    tsnni_test_bytes saved = tsnni_test_saved(network, NULL);
    for (int32_t isa = TSNN_ISA_REF; isa <= TSNNI_ISA_COUNT; isa++)
        for (int32_t threads = 1; threads <= 3; threads++) {
            tsnn_context *other = tsnni_test_context(isa, threads, 77);
            if (other == NULL)
                continue;
            tsnn_network *loaded = NULL;
            TSNNI_OK(LOAD(other, saved, NULL, &loaded));
            expect_equal(bytes_of(network), bytes_of(loaded), "networks");
            tsnni_test_bytes again = tsnni_test_saved(loaded, NULL);
            ck_assert(tsnni_test_bytes_equal(&saved, &again));
            tsnni_test_bytes_free(&again);
            tsnn_network_destroy(&loaded);
            tsnn_context_destroy(&other);
        }
    tsnni_test_bytes_free(&saved);
    tsnn_network_destroy(&network);
}
END_TEST

/* Layers that are drawn after loading repeat none of the loaded ones, and a failed load changes no later draw. */
START_TEST(loading_leaves_the_random_streams_in_order)
{
    static const int64_t sizes[] = {6, 5, 4};
    static const tsnni_test_function functions[] = {{TSNN_ACTIVATION_RELU, 0}, {TSNN_ACTIVATION_SOFTMAX, 0}};
    tsnn_network *first = tsnni_test_network(context, 2, sizes, functions, .5, 0);
    tsnni_test_bytes saved = tsnni_test_saved(first, NULL);
    tsnn_network *second = tsnni_test_network(context, 2, sizes, functions, .5, 0);
    tsnn_context *other = tsnni_test_context(TSNN_ISA_AUTO, 1, 5);
    tsnn_network *loaded = NULL;
    saved.data[saved.size - 1] |= 0x7F; /* the last bias is none any more */
    saved.data[saved.size - 2] |= 0x80;
    ck_assert_int_eq(LOAD(other, saved, NULL, &loaded), TSNN_ERROR_NOT_FINITE);
    ck_assert_ptr_null(loaded);
    tsnni_test_bytes_free(&saved);
    saved = tsnni_test_saved(first, NULL);
    TSNNI_OK(LOAD(other, saved, NULL, &loaded));
    tsnn_network *drawn = tsnni_test_network(other, 2, sizes, functions, .5, 0);
    expect_equal(bytes_of(second), bytes_of(drawn), "the networks drawn after");
    tsnn_network_destroy(&drawn);
    tsnn_network_destroy(&loaded);
    tsnn_context_destroy(&other);
    tsnn_network_destroy(&first);
    tsnn_network_destroy(&second);
    tsnni_test_bytes_free(&saved);
}
END_TEST

START_TEST(custom_activations_have_to_be_given)
{
    tsnn_network *network = tsnni_test_network_of_kind(context, 6), *loaded = (tsnn_network *)(void *)&network;
    tsnni_test_bytes saved = tsnni_test_saved(network, NULL);
    TSNNI_REFUSED(context, TSNN_ERROR_UNSUPPORTED, LOAD(context, saved, NULL, &loaded));
    tsnni_test_expect_text(context, "layer 0 has a custom activation");
    ck_assert_ptr_null(loaded);
    tsnni_test_bytes_free(&saved);
    tsnn_network_destroy(&network);
}
END_TEST

START_TEST(a_pruned_network_takes_a_smaller_file)
{
    static const int64_t sizes[] = {100, 300, 300, 10};
    static const tsnni_test_function functions[] = {
        {TSNN_ACTIVATION_RELU, 0}, {TSNN_ACTIVATION_RELU, 0}, {TSNN_ACTIVATION_SOFTMAX, 0}};
    tsnn_network *network = tsnni_test_network(context, 3, sizes, functions, .2, 0);
    tsnn_network_info before = tsnni_test_network_size(network);
    tsnni_test_bytes large = tsnni_test_saved(network, NULL);
    tsnn_pruning_options options = TSNN_PRUNING_OPTIONS_INIT;
    options.percentile = 50;
    tsnn_pruning *pruning = NULL;
    TSNNI_OK(tsnn_pruning_create(context, &options, &pruning));
    TSNNI_OK(tsnn_pruning_apply(pruning, network, NULL));
    tsnn_network_info after = tsnni_test_network_size(network);
    tsnni_test_bytes small = tsnni_test_saved(network, NULL);
    double connections = (double)after.connections / (double)before.connections;
    double bytes = (double)small.size / (double)large.size;
    ck_assert_msg(connections < .5 && bytes < connections + .05, "%.3f of the connections take %.3f of the bytes",
                  connections, bytes);
    tsnn_pruning_destroy(&pruning);
    tsnn_network_destroy(&network);
    tsnni_test_bytes_free(&large);
    tsnni_test_bytes_free(&small);
}
END_TEST

START_TEST(metadata_of_the_caller_comes_back)
{
    static const char *const pairs[] = {"name", "half moons", "classes", "\"upper\"\n\\lower\x01\xC3\xA9"};
    static const char *const own[] = {"tsnn.layers", "1"}, *const twice[] = {"a", "b", "a", "c"};
    static const char *const no_text[] = {"a", "\xC3("}, *const missing[] = {"a", NULL};
    tsnn_network *network = tsnni_test_network_of_kind(context, 1);
    const char *path = tsnni_test_path("model");
    char text[40];
    int64_t size = 0;
    tsnn_save_options options = TSNN_SAVE_OPTIONS_INIT;
    options.metadata = pairs;
    options.metadata_count = 2;
    TSNNI_OK(tsnn_network_save(network, &options, path));
    for (int k = 0; k < 4; k += 2) {
        TSNNI_OK(tsnn_model_get_metadata(context, path, pairs[k], text, 40, &size));
        ck_assert_str_eq(text, pairs[k + 1]);
        ck_assert_int_eq(size, (int64_t)strlen(pairs[k + 1]) + 1);
        TSNNI_REFUSED(context, TSNN_ERROR_BUFFER_TOO_SMALL,
                      tsnn_model_get_metadata(context, path, pairs[k], text, size - 1, NULL));
    }
    TSNNI_OK(tsnn_model_get_metadata(context, path, "tsnn.library", text, 40, NULL));
    ck_assert_str_eq(text, tsnn_version_string());
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT,
                  tsnn_model_get_metadata(context, path, "colour", text, 40, NULL));

    const struct {
        const char *const *pairs;
        int64_t count;
        tsnn_status status;
    } bad[] = {{own, 1, TSNN_ERROR_INVALID_ARGUMENT},     {twice, 2, TSNN_ERROR_INVALID_ARGUMENT},
               {no_text, 1, TSNN_ERROR_INVALID_ARGUMENT}, {pairs, -1, TSNN_ERROR_INVALID_ARGUMENT},
               {NULL, 1, TSNN_ERROR_INVALID_ARGUMENT},    {missing, 1, TSNN_ERROR_NULL_ARGUMENT}};
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        options.metadata = bad[k].pairs;
        options.metadata_count = bad[k].count;
        TSNNI_REFUSED(context, bad[k].status, tsnn_network_save(network, &options, tsnni_test_path("other")));
    }
    ck_assert_int_eq(tsnni_test_folder_count(), 1);
    tsnn_network_destroy(&network);
}
END_TEST

START_TEST(what_cannot_be_saved_is_refused_and_the_old_file_stays)
{
    tsnn_network *network = tsnni_test_network_of_kind(context, 1), *empty = NULL;
    const char *path = tsnni_test_path("model");
    int64_t size = 7;
    unsigned char byte = 0;
    TSNNI_OK(tsnn_network_save(network, NULL, path));
    tsnni_test_bytes before = tsnni_test_file_read(path);
    TSNNI_OK(tsnn_network_create(context, &empty));
    TSNNI_REFUSED(context, TSNN_ERROR_STATE, tsnn_network_save(empty, NULL, path));
    TSNNI_REFUSED(context, TSNN_ERROR_NULL_ARGUMENT, tsnn_network_save(network, NULL, NULL));
    TSNNI_REFUSED(context, TSNN_ERROR_BUFFER_TOO_SMALL, tsnn_network_save_memory(network, NULL, &byte, 1, &size));
    ck_assert_int_eq(size, (int64_t)before.size);
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_network_save_memory(network, NULL, NULL, -1, NULL));
    TSNNI_REFUSED(context, TSNN_ERROR_IO, tsnn_network_save(network, NULL, tsnni_test_path("nowhere/model")));
    TSNNI_REFUSED(context, TSNN_ERROR_IO, tsnn_network_save(network, NULL, tsnni_test_path(".")));
    ck_assert_int_eq(tsnn_network_save(NULL, NULL, path), TSNN_ERROR_NULL_ARGUMENT);
    ck_assert_int_eq(tsnn_network_save_memory(NULL, NULL, NULL, 0, NULL), TSNN_ERROR_NULL_ARGUMENT);
    expect_equal(before, tsnni_test_file_read(path), "the file before and after");
    ck_assert_int_eq(tsnni_test_folder_count(), 1);
    tsnn_network_destroy(&empty);
    tsnn_network_destroy(&network);
}
END_TEST

START_TEST(what_is_no_model_file_is_refused)
{
    tsnn_network *network = tsnni_test_network_of_kind(context, 1), *loaded = NULL;
    tsnni_test_bytes saved = tsnni_test_saved(network, NULL);
    const char *path = tsnni_test_path("model");
    TSNNI_REFUSED(context, TSNN_ERROR_IO, tsnn_network_load(context, path, NULL, &loaded));
    TSNNI_REFUSED(context, TSNN_ERROR_IO, tsnn_network_load(context, tsnni_test_path("."), NULL, &loaded));
    ck_assert_int_eq(mkfifo(path, 0600), 0); /* no one will ever write into it */
    TSNNI_REFUSED(context, TSNN_ERROR_IO, tsnn_network_load(context, path, NULL, &loaded));
    tsnni_test_expect_text(context, "not a regular file");
    ck_assert_int_eq(unlink(path), 0);
    tsnni_test_file_write(path, "", 0);
    TSNNI_REFUSED(context, TSNN_ERROR_FORMAT, tsnn_network_load(context, path, NULL, &loaded));
    TSNNI_REFUSED(context, TSNN_ERROR_NULL_ARGUMENT, tsnn_network_load(context, NULL, NULL, &loaded));
    TSNNI_REFUSED(context, TSNN_ERROR_NULL_ARGUMENT, tsnn_network_load(context, path, NULL, NULL));
    TSNNI_REFUSED(context, TSNN_ERROR_NULL_ARGUMENT, tsnn_network_load_memory(context, NULL, 9, NULL, &loaded));
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_network_load_memory(context, path, -1, NULL, &loaded));
    ck_assert_int_eq(tsnn_network_load(NULL, path, NULL, &loaded), TSNN_ERROR_NULL_ARGUMENT);
    ck_assert_ptr_null(loaded);

    tsnn_load_options options = TSNN_LOAD_OPTIONS_INIT;
    options.max_bytes = (int64_t)saved.size - 1;
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, LOAD(context, saved, &options, &loaded));
    options.max_bytes++;
    TSNNI_OK(LOAD(context, saved, &options, &loaded));
    tsnn_network_destroy(&loaded);
    options.max_bytes = -1;
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, LOAD(context, saved, &options, &loaded));
    tsnni_test_bytes_free(&saved);
    tsnn_network_destroy(&network);
}
END_TEST

/* The disk is full after so many bytes: the old file stays, nothing else is left, and with room it works. */
START_TEST(an_empty_path_is_told_as_such)
{
    tsnn_network *network = tsnni_test_network_of_kind(context, 1), *loaded = NULL;
    TSNNI_REFUSED(context, TSNN_ERROR_IO, tsnn_network_save(network, NULL, ""));
    tsnni_test_expect_text(context, "the path is empty");
    TSNNI_REFUSED(context, TSNN_ERROR_IO, tsnn_network_load(context, "", NULL, &loaded));
    tsnni_test_expect_text(context, "the path is empty");
    ck_assert_ptr_null(loaded);
    tsnn_network_destroy(&network);
}
END_TEST

START_TEST(an_error_tells_the_file)
{
    static const char other[] = "\x35\0\0\0\0\0\0\0{\"w\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}}x";
    tsnn_network *loaded = NULL;
    const char *path = tsnni_test_path("other");
    tsnn_load_options options = TSNN_LOAD_OPTIONS_INIT;
    tsnni_test_file_write(path, other, sizeof other - 1);
    TSNNI_REFUSED(context, TSNN_ERROR_FORMAT, tsnn_network_load(context, path, NULL, &loaded));
    tsnni_test_expect_text_of(context, "other", "metadata: tsnn.format is missing");
    TSNNI_REFUSED(context, TSNN_ERROR_FORMAT,
                  tsnn_network_load_memory(context, other, sizeof other - 1, NULL, &loaded));
    tsnni_test_expect_text(context, "metadata: tsnn.format is missing");
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_model_get_metadata(context, path, "note", NULL, 0, NULL));
    tsnni_test_expect_text_of(context, "other", "the file has no metadata \"note\"");
    options.max_bytes = 10;
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_network_load(context, path, &options, &loaded));
    tsnni_test_expect_text_of(context, "other", "62 bytes; max_bytes is 10");
    tsnni_test_file_write(path, "too short", 9);
    TSNNI_REFUSED(context, TSNN_ERROR_FORMAT, tsnn_network_load(context, path, NULL, &loaded));
    tsnni_test_expect_text_of(context, "other", "a header of");
    TSNNI_REFUSED(context, TSNN_ERROR_FORMAT, tsnn_model_get_metadata(context, path, "note", NULL, 0, NULL));
    tsnni_test_expect_text_of(context, "other", "a header of");
    ck_assert_ptr_null(loaded);
}
END_TEST

START_TEST(a_full_disk_leaves_the_old_file)
{
    tsnn_network *network = tsnni_test_network_of_kind(context, 7), *larger = tsnni_test_network_of_kind(context, 11);
    const char *path = tsnni_test_path("model");
    struct rlimit limit;
    TSNNI_OK(tsnn_network_save(network, NULL, path));
    tsnni_test_bytes before = tsnni_test_file_read(path);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    struct rlimit small = limit;
    signal(SIGXFSZ, SIG_IGN);
    for (rlim_t bytes = 0; bytes < 200000; bytes = 3 * bytes + 1) {
        small.rlim_cur = bytes;
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
        tsnn_status status = tsnn_network_save(larger, NULL, path);
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
        TSNNI_REFUSED(context, TSNN_ERROR_IO, status);
        tsnni_test_bytes after = tsnni_test_file_read(path);
        ck_assert(tsnni_test_bytes_equal(&before, &after));
        tsnni_test_bytes_free(&after);
        ck_assert_int_eq(tsnni_test_folder_count(), 1);
    }
    TSNNI_OK(tsnn_network_save(larger, NULL, path));
    expect_equal(tsnni_test_file_read(path), tsnni_test_saved(larger, NULL), "file and memory");
    tsnni_test_bytes_free(&before);
    tsnn_network_destroy(&larger);
    tsnn_network_destroy(&network);
}
END_TEST

/* A pipe, or a link to one: renaming would put a file in its place. */
START_TEST(what_is_no_regular_file_is_not_replaced)
{
    tsnn_network *network = tsnni_test_network_of_kind(context, 1);
    struct stat status;
    ck_assert_int_eq(mkfifo(tsnni_test_path("pipe"), 0600), 0);
    ck_assert_int_eq(symlink("pipe", tsnni_test_path("link")), 0);
    static const char *const names[] = {"pipe", "link"};
    for (int k = 0; k < 2; k++) {
        TSNNI_REFUSED(context, TSNN_ERROR_IO, tsnn_network_save(network, NULL, tsnni_test_path(names[k])));
        tsnni_test_expect_text(context, "is not a regular file");
        ck_assert_int_eq(stat(tsnni_test_path(names[k]), &status), 0);
        ck_assert(S_ISFIFO(status.st_mode));
    }
    ck_assert_int_eq(tsnni_test_folder_count(), 2);
    ck_assert_int_eq(unlink(tsnni_test_path("link")), 0);
    ck_assert_int_eq(unlink(tsnni_test_path("pipe")), 0);
    tsnn_network_destroy(&network);
}
END_TEST

START_TEST(a_file_that_is_replaced_keeps_its_permissions)
{
    static const mode_t modes[] = {0600, 0640, 0666, 0400};
    tsnn_network *network = tsnni_test_network_of_kind(context, 1);
    const char *path = tsnni_test_path("model");
    struct stat status;
    mode_t mask = umask(022);
    TSNNI_OK(tsnn_network_save(network, NULL, path));
    for (int k = 0; k < 4; k++) {
        ck_assert_int_eq(chmod(path, modes[k]), 0);
        TSNNI_OK(tsnn_network_save(network, NULL, path));
        ck_assert_int_eq(stat(path, &status), 0);
        ck_assert_int_eq(status.st_mode & 0777, modes[k]);
    }
    umask(mask);
    tsnn_network_destroy(&network);
}
END_TEST

START_TEST(files_have_the_permissions_of_the_process)
{
    tsnn_network *network = tsnni_test_network_of_kind(context, 1);
    struct stat status;
    mode_t mask = umask(027);
    TSNNI_OK(tsnn_network_save(network, NULL, tsnni_test_path("model")));
    umask(mask);
    ck_assert_int_eq(stat(tsnni_test_path("model"), &status), 0);
    ck_assert_int_eq(status.st_mode & 0777, 0640);
    tsnn_network_destroy(&network);
}
END_TEST

#else

START_TEST(a_build_without_model_files_says_so)
{
    tsnn_network *network = tsnni_test_network_of_kind(context, 1), *loaded = NULL;
    static const unsigned char file[] = "\x02\0\0\0\0\0\0\0{}";
    TSNNI_REFUSED(context, TSNN_ERROR_UNSUPPORTED, tsnn_network_save(network, NULL, tsnni_test_path("model")));
    TSNNI_REFUSED(context, TSNN_ERROR_UNSUPPORTED, tsnn_network_load_memory(context, file, 10, NULL, &loaded));
    ck_assert_int_eq(tsnni_test_folder_count(), 0);
    tsnn_network_destroy(&network);
}
END_TEST

#endif

Suite *tsnni_suite_model_file(void)
{
    Suite *suite = suite_create("model_file");
    TCase *tcase = tcase_create("model_file");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
#if TSNN_MODEL_FILES
    tcase_add_loop_test(tcase, a_network_of_every_kind_comes_back_to_the_bit, 0, TSNNI_TEST_KINDS);
    tcase_add_test(tcase, the_format_of_activations_is_saved);
    tcase_add_test(tcase, momentum_is_saved_on_request);
    tcase_add_test(tcase, files_and_memory_hold_the_same);
    tcase_add_test(tcase, a_file_does_not_depend_on_instruction_set_or_threads);
    tcase_add_test(tcase, loading_leaves_the_random_streams_in_order);
    tcase_add_test(tcase, custom_activations_have_to_be_given);
    tcase_add_test(tcase, a_pruned_network_takes_a_smaller_file);
    tcase_add_test(tcase, metadata_of_the_caller_comes_back);
    tcase_add_test(tcase, what_cannot_be_saved_is_refused_and_the_old_file_stays);
    tcase_add_test(tcase, what_is_no_model_file_is_refused);
    tcase_add_test(tcase, an_empty_path_is_told_as_such);
    tcase_add_test(tcase, an_error_tells_the_file);
    tcase_add_test(tcase, a_full_disk_leaves_the_old_file);
    tcase_add_test(tcase, what_is_no_regular_file_is_not_replaced);
    tcase_add_test(tcase, a_file_that_is_replaced_keeps_its_permissions);
    tcase_add_test(tcase, files_have_the_permissions_of_the_process);
#else
    tcase_add_test(tcase, a_build_without_model_files_says_so);
#endif
    suite_add_tcase(suite, tcase);
    return suite;
}
