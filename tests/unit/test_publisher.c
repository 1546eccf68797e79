/* Publishers: subscribers use the newest predictor, keep it while they use it, and nothing waits, leaks or allocates.
 */
#include "suites.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "course.h"
#include "model_support.h"
#include "publisher.h" /* the inside: src/publisher.h */
#include "strict.h"

enum { INPUTS = 12, OUTPUTS = 4, SAMPLES = 20 };

static tsnni_test_allocator allocator;
static tsnn_context *context;
static float features[SAMPLES * INPUTS];

static void setup(void)
{
    tsnni_test_random random = {3};
    memset(&allocator, 0, sizeof allocator);
    context = tsnni_test_counted_context(&allocator);
    for (int k = 0; k < SAMPLES * INPUTS; k++)
        features[k] = (float)tsnni_test_uniform(&random, -2, 2);
}

static void teardown(void)
{
    tsnn_context_destroy(&context);
    ck_assert_int_eq(allocator.live, 0);
}

/* INPUTS-hidden-15-OUTPUTS, other weights for each call. */
static tsnn_network *network_of(int64_t hidden)
{
    const int64_t sizes[] = {INPUTS, hidden, 15, OUTPUTS};
    static const tsnni_test_function functions[] = {
        {TSNN_ACTIVATION_ALL_RELU, .6}, {TSNN_ACTIVATION_ALL_RELU, .6}, {TSNN_ACTIVATION_SOFTMAX, 0}};
    return tsnni_test_network(context, 3, sizes, functions, .3, 0);
}

static tsnn_predictor *predictor_of(const tsnn_network *network, int32_t pack, int32_t skip_zeros)
{
    tsnn_predictor_options options = TSNN_PREDICTOR_OPTIONS_INIT;
    tsnn_predictor *predictor = NULL;
    options.pack = pack;
    options.skip_zeros = skip_zeros;
    TSNNI_OK(tsnn_predictor_create(context, network, &options, &predictor));
    return predictor;
}

static tsnn_publisher *publisher_of(const tsnn_network *network, const tsnn_publisher_options *options)
{
    tsnn_predictor *predictor = predictor_of(network, TSNN_PACK_ALL, 0);
    tsnn_publisher *publisher = NULL;
    TSNNI_OK(tsnn_publisher_create(context, &predictor, options, &publisher));
    ck_assert_ptr_null(predictor);
    return publisher;
}

static tsnn_subscriber *subscriber_of(tsnn_publisher *publisher, int64_t batch)
{
    tsnn_subscriber *subscriber = NULL;
    TSNNI_OK(tsnn_subscriber_create(publisher, batch, &subscriber));
    return subscriber;
}

static tsnn_publisher_info info_of(const tsnn_publisher *publisher)
{
    tsnn_publisher_info info = TSNN_PUBLISHER_INFO_INIT;
    TSNNI_OK(tsnn_publisher_get_info(publisher, &info));
    return info;
}

/* The subscriber answers with this version, and with the bits of that predictor. */
static void expect_answers(tsnn_subscriber *subscriber, const tsnn_predictor *predictor, int64_t batch, int64_t version)
{
    float expected[SAMPLES * OUTPUTS], actual[SAMPLES * OUTPUTS];
    int32_t right[SAMPLES], labels[SAMPLES];
    tsnn_predictor_workspace *workspace = NULL;
    int64_t answered = 0;
    TSNNI_OK(tsnn_predictor_workspace_create(predictor, batch, &workspace));
    TSNNI_OK(tsnn_predictor_predict(predictor, workspace, features, SAMPLES, expected, SAMPLES * OUTPUTS));
    TSNNI_OK(tsnn_predictor_classify(predictor, workspace, features, SAMPLES, right, SAMPLES));
    TSNNI_OK(tsnn_subscriber_predict(subscriber, features, SAMPLES, actual, SAMPLES * OUTPUTS, &answered));
    ck_assert_int_eq(answered, version);
    ck_assert_mem_eq(actual, expected, sizeof actual);
    answered = 0;
    TSNNI_OK(tsnn_subscriber_classify(subscriber, features, SAMPLES, labels, SAMPLES, &answered));
    ck_assert_int_eq(answered, version);
    ck_assert_mem_eq(labels, right, sizeof labels);
    memset(actual, 0, sizeof actual);
    tsnn_samples samples = TSNN_SAMPLES_INIT;
    tsnn_answers answers = TSNN_ANSWERS_INIT;
    samples.features = features;
    samples.count = SAMPLES;
    answers.outputs = actual;
    answers.outputs_capacity = SAMPLES * OUTPUTS;
    TSNNI_OK(tsnn_subscriber_run(subscriber, &samples, &answers, NULL));
    ck_assert_mem_eq(actual, expected, sizeof actual);
    tsnn_predictor_workspace_destroy(&workspace);
}

/* ---- what is published is what answers ---- */

START_TEST(every_version_answers_with_the_bits_of_its_network)
{
    tsnn_network *network = network_of(20);
    tsnn_publisher *publisher = publisher_of(network, NULL);
    tsnn_subscriber *one = subscriber_of(publisher, 1), *many = subscriber_of(publisher, 16);
    for (int64_t version = 1; version < 5; version++) {
        tsnn_predictor *same = predictor_of(network, TSNN_PACK_ALL, 0);
        expect_answers(one, same, 1, version);
        expect_answers(many, same, 16, version);
        ck_assert_int_eq(info_of(publisher).version, version);
        ck_assert_int_eq(info_of(publisher).alive, 1);
        tsnn_predictor_destroy(&same);
        tsnn_network_destroy(&network);
        network = network_of(20);
        TSNNI_OK(tsnn_publisher_publish_network(publisher, network));
    }
    tsnn_subscriber_destroy(&one);
    tsnn_subscriber_destroy(&many);
    ck_assert_ptr_null(many);
    tsnn_publisher_destroy(&publisher);
    ck_assert_ptr_null(publisher);
    tsnn_network_destroy(&network);
}
END_TEST

START_TEST(networks_are_packed_as_the_first_was)
{
    tsnn_network *network = network_of(20);
    for (int32_t pack = TSNN_PACK_ALL; pack <= TSNN_PACK_BATCH; pack++) {
        tsnn_predictor *first = predictor_of(network, pack, 1), *same = predictor_of(network, pack, 1);
        tsnn_publisher *publisher = NULL;
        TSNNI_OK(tsnn_publisher_create(context, &first, NULL, &publisher));
        tsnn_subscriber *subscriber = subscriber_of(publisher, 16);
        expect_answers(subscriber, same, 16, 1);
        TSNNI_OK(tsnn_publisher_publish_network(publisher, network));
        expect_answers(subscriber, same, 16, 2);
        tsnn_subscriber_destroy(&subscriber);
        tsnn_publisher_destroy(&publisher);
        tsnn_predictor_destroy(&same);
    }
    tsnn_network_destroy(&network);
}
END_TEST

START_TEST(a_pruned_network_follows_its_larger_self)
{
    tsnn_network *network = network_of(200);
    tsnn_publisher *publisher = publisher_of(network, NULL);
    tsnn_subscriber *one = subscriber_of(publisher, 1), *many = subscriber_of(publisher, 16);
    tsnn_predictor *same = predictor_of(network, TSNN_PACK_ALL, 0);
    expect_answers(one, same, 1, 1); /* leaves numbers of the wide layer behind */
    expect_answers(many, same, 16, 1);
    tsnn_predictor_destroy(&same);
    tsnn_pruning_options options = TSNN_PRUNING_OPTIONS_INIT;
    tsnn_pruning *pruning = NULL;
    options.percentile = 60;
    TSNNI_OK(tsnn_pruning_create(context, &options, &pruning));
    TSNNI_OK(tsnn_pruning_apply(pruning, network, NULL));
    TSNNI_OK(tsnn_publisher_publish_network(publisher, network));
    same = predictor_of(network, TSNN_PACK_ALL, 0);
    expect_answers(one, same, 1, 2);
    expect_answers(many, same, 16, 2);
    tsnn_predictor_destroy(&same);
    tsnn_pruning_destroy(&pruning);
    tsnn_subscriber_destroy(&one);
    tsnn_subscriber_destroy(&many);
    tsnn_publisher_destroy(&publisher);
    tsnn_network_destroy(&network);
}
END_TEST

/* A predictor of any kind, of this network; kind 4 reads `saved` in place. */
static tsnn_predictor *of_kind(const tsnn_network *network, int kind, const tsnni_test_bytes *saved)
{
    tsnn_predictor *predictor = NULL;
    if (kind < 4)
        return predictor_of(network, kind < 3 ? kind : 0, kind == 3);
    tsnn_predictor_load_options options = TSNN_PREDICTOR_LOAD_OPTIONS_INIT;
    options.ownership = TSNN_BORROW;
    options.skip_zeros = kind == 5;
    TSNNI_OK(tsnn_predictor_load_memory(context, saved->data, (int64_t)saved->size, &options, &predictor));
    return predictor;
}

START_TEST(predictors_of_any_kind_follow_each_other)
{
    tsnn_network *network = network_of(40);
    tsnn_publisher *publisher = publisher_of(network, NULL);
    tsnn_subscriber *subscriber = subscriber_of(publisher, 16);
    tsnni_test_bytes saved = {0};
    int kinds = 4;
#if TSNN_MODEL_FILES
    saved = tsnni_test_saved(network, NULL);
    kinds = 6;
#endif
    int64_t version = 1;
    for (int from = 0; from < kinds; from++)
        for (int to = 0; to < kinds; to++) {
            tsnn_predictor *first = of_kind(network, from, &saved), *then = of_kind(network, to, &saved);
            tsnn_predictor *same = of_kind(network, to, &saved);
            TSNNI_OK(tsnn_publisher_publish(publisher, &first));
            TSNNI_OK(tsnn_publisher_publish(publisher, &then));
            version += 2;
            expect_answers(subscriber, same, 16, version);
            tsnn_predictor_destroy(&same);
        }
    tsnn_subscriber_destroy(&subscriber);
    tsnn_publisher_destroy(&publisher);
    tsnni_test_bytes_free(&saved);
    tsnn_network_destroy(&network);
}
END_TEST

/* ---- holding ---- */

START_TEST(what_is_held_stays_and_what_is_not_goes)
{
    enum { HOLDERS = 5 };
    tsnn_publisher_options options = TSNN_PUBLISHER_OPTIONS_INIT;
    options.subscribers = HOLDERS;
    tsnn_network *networks[HOLDERS + 3];
    for (int n = 0; n < HOLDERS + 3; n++)
        networks[n] = network_of(20);
    tsnn_publisher *publisher = publisher_of(networks[0], &options);
    tsnn_subscriber *holders[HOLDERS];
    for (int h = 0; h < HOLDERS; h++) { /* each holds another version, and every place is taken */
        int64_t version = 0;
        holders[h] = subscriber_of(publisher, 1);
        TSNNI_OK(tsnn_subscriber_hold(holders[h], &version));
        ck_assert_int_eq(version, h + 1);
        TSNNI_OK(tsnn_publisher_publish_network(publisher, networks[h + 1]));
        ck_assert_int_eq(info_of(publisher).alive, h + 2);
    }
    ck_assert_int_eq(info_of(publisher).subscribers, HOLDERS);
    for (int n = HOLDERS + 1; n < HOLDERS + 3; n++) { /* versions that nobody holds take no memory */
        TSNNI_OK(tsnn_publisher_publish_network(publisher, networks[n]));
        ck_assert_int_eq(info_of(publisher).alive, HOLDERS + 1);
    }
    for (int h = 0; h < HOLDERS; h++) {
        tsnn_predictor *same = predictor_of(networks[h], TSNN_PACK_ALL, 0);
        expect_answers(holders[h], same, 1, h + 1);
        ck_assert_int_eq(tsnn_subscriber_hold(holders[h], NULL), TSNN_ERROR_STATE);
        expect_answers(holders[h], same, 1, h + 1);
        tsnn_predictor_destroy(&same);
        TSNNI_OK(tsnn_subscriber_release(holders[h]));
        ck_assert_int_eq(tsnn_subscriber_release(holders[h]), TSNN_ERROR_STATE);
    }
    tsnn_predictor *last = predictor_of(networks[HOLDERS + 2], TSNN_PACK_ALL, 0);
    expect_answers(holders[0], last, 1, HOLDERS + 3);
    tsnn_predictor_destroy(&last);
    TSNNI_OK(tsnn_publisher_publish_network(publisher, networks[0]));
    ck_assert_int_eq(info_of(publisher).alive, 1);
    TSNNI_OK(tsnn_subscriber_hold(holders[1], NULL)); /* a holder may just go */
    for (int h = 0; h < HOLDERS; h++)
        tsnn_subscriber_destroy(&holders[h]);
    TSNNI_OK(tsnn_publisher_publish_network(publisher, networks[1]));
    ck_assert_int_eq(info_of(publisher).alive, 1);
    ck_assert_int_eq(info_of(publisher).subscribers, 0);
    tsnn_publisher_destroy(&publisher);
    for (int n = 0; n < HOLDERS + 3; n++)
        tsnn_network_destroy(&networks[n]);
}
END_TEST

/* What a thread meets that is interrupted after it has said that it takes one: threads hardly ever are, just there. */
START_TEST(who_is_taking_while_another_is_published_gets_that_one)
{
    tsnn_network *network = network_of(20);
    tsnn_publisher *publisher = publisher_of(network, NULL);
    tsnn_subscriber *subscriber = subscriber_of(publisher, 1);
    atomic_store(&subscriber->place->holds, TSNNI_IS_TAKING);
    TSNNI_OK(tsnn_publisher_publish_network(publisher, network));
    ck_assert(atomic_load(&subscriber->place->holds) == (uintptr_t)tsnni_publisher_current(publisher));
    TSNNI_OK(tsnn_publisher_publish_network(publisher, network)); /* and keeps it */
    ck_assert_int_eq(info_of(publisher).alive, 2);
    ck_assert_int_eq(((const tsnn_predictor *)atomic_load(&subscriber->place->holds))->version, 2);
    tsnn_subscriber_destroy(&subscriber);
    tsnn_publisher_destroy(&publisher);
    tsnn_network_destroy(&network);
}
END_TEST

START_TEST(places_are_given_back)
{
    tsnn_publisher_options options = TSNN_PUBLISHER_OPTIONS_INIT;
    tsnn_network *network = network_of(20);
    options.subscribers = 2;
    tsnn_publisher *publisher = publisher_of(network, &options);
    tsnn_subscriber *first = subscriber_of(publisher, 1), *second = subscriber_of(publisher, 1), *third = first;
    ck_assert_int_eq(tsnn_subscriber_create(publisher, 1, &third), TSNN_ERROR_STATE);
    ck_assert_ptr_null(third);
    tsnn_subscriber_destroy(&first);
    third = subscriber_of(publisher, 1);
    tsnn_subscriber_destroy(&second);
    tsnn_subscriber_destroy(&third);
    tsnn_publisher_destroy(&publisher);
    tsnn_network_destroy(&network);
}
END_TEST

/* ---- what is refused ---- */

START_TEST(predictors_that_do_not_fit_are_refused)
{
    static const int64_t other_sizes[][4] = {{INPUTS + 1, 20, 15, OUTPUTS}, {INPUTS, 20, 15, OUTPUTS + 1}};
    static const tsnni_test_function functions[] = {
        {TSNN_ACTIVATION_RELU, 0}, {TSNN_ACTIVATION_RELU, 0}, {TSNN_ACTIVATION_IDENTITY, 0}};
    tsnn_network *network = network_of(20), *wider = network_of(100);
    tsnn_publisher *publisher = publisher_of(network, NULL);
    for (int k = 0; k < 2; k++) {
        tsnn_network *other = tsnni_test_network(context, 3, other_sizes[k], functions, .3, 0);
        tsnn_predictor *predictor = predictor_of(other, TSNN_PACK_ALL, 0), *kept = predictor;
        TSNNI_REFUSED(context, TSNN_ERROR_SHAPE, tsnn_publisher_publish(publisher, &predictor));
        ck_assert_ptr_eq(predictor, kept);
        TSNNI_REFUSED(context, TSNN_ERROR_SHAPE, tsnn_publisher_publish_network(publisher, other));
        tsnn_predictor_destroy(&predictor);
        tsnn_network_destroy(&other);
    }
    TSNNI_REFUSED(context, TSNN_ERROR_SHAPE, tsnn_publisher_publish_network(publisher, wider));
    tsnni_test_expect_text(context, "a layer of 112 neurons; subscribers have memory for 32");
    tsnn_network *empty = NULL;
    TSNNI_OK(tsnn_network_create(context, &empty));
    TSNNI_REFUSED(context, TSNN_ERROR_STATE, tsnn_publisher_publish_network(publisher, empty));
    ck_assert_int_eq(info_of(publisher).version, 1);
    tsnn_publisher_destroy(&publisher);

    tsnn_publisher_options options = TSNN_PUBLISHER_OPTIONS_INIT;
    options.widest = 100;
    publisher = publisher_of(network, &options);
    tsnn_subscriber *subscriber = subscriber_of(publisher, 16);
    TSNNI_OK(tsnn_publisher_publish_network(publisher, wider));
    tsnn_predictor *same = predictor_of(wider, TSNN_PACK_ALL, 0);
    expect_answers(subscriber, same, 16, 2);
    tsnn_predictor_destroy(&same);
    tsnn_subscriber_destroy(&subscriber);
    tsnn_publisher_destroy(&publisher);
    tsnn_network_destroy(&empty);
    tsnn_network_destroy(&wider);
    tsnn_network_destroy(&network);
}
END_TEST

START_TEST(wrong_arguments_are_refused)
{
    tsnn_network *network = network_of(20);
    tsnn_predictor *predictor = predictor_of(network, TSNN_PACK_ALL, 0), *none = NULL;
    tsnn_publisher *publisher = (tsnn_publisher *)(void *)&context;
    tsnn_publisher_options options = TSNN_PUBLISHER_OPTIONS_INIT;
    ck_assert_int_eq(tsnn_publisher_options_init(NULL), TSNN_ERROR_NULL_ARGUMENT);
    ck_assert_int_eq(tsnn_publisher_create(NULL, &predictor, NULL, &publisher), TSNN_ERROR_NULL_ARGUMENT);
    ck_assert_ptr_null(publisher);
    TSNNI_REFUSED(context, TSNN_ERROR_NULL_ARGUMENT, tsnn_publisher_create(context, &predictor, NULL, NULL));
    TSNNI_REFUSED(context, TSNN_ERROR_NULL_ARGUMENT, tsnn_publisher_create(context, NULL, NULL, &publisher));
    TSNNI_REFUSED(context, TSNN_ERROR_NULL_ARGUMENT, tsnn_publisher_create(context, &none, NULL, &publisher));
    static const int32_t counts[] = {-1, 65537};
    static const int64_t widths[] = {-1, 1, 16, INT64_MAX};
    for (int k = 0; k < 6; k++) {
        options.subscribers = k < 2 ? counts[k] : 0;
        options.widest = k < 2 ? 0 : widths[k - 2];
        TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT,
                      tsnn_publisher_create(context, &predictor, &options, &publisher));
        ck_assert_ptr_null(publisher);
    }
    ck_assert_ptr_nonnull(predictor);
    TSNNI_OK(tsnn_publisher_create(context, &predictor, NULL, &publisher));
    ck_assert_int_eq(tsnn_publisher_publish(NULL, &predictor), TSNN_ERROR_NULL_ARGUMENT);
    ck_assert_int_eq(tsnn_publisher_publish_network(NULL, network), TSNN_ERROR_NULL_ARGUMENT);
    TSNNI_REFUSED(context, TSNN_ERROR_NULL_ARGUMENT, tsnn_publisher_publish(publisher, NULL));
    TSNNI_REFUSED(context, TSNN_ERROR_NULL_ARGUMENT, tsnn_publisher_publish(publisher, &none));
    TSNNI_REFUSED(context, TSNN_ERROR_NULL_ARGUMENT, tsnn_publisher_publish_network(publisher, NULL));
    tsnn_publisher_info info = TSNN_PUBLISHER_INFO_INIT;
    ck_assert_int_eq(tsnn_publisher_get_info(NULL, &info), TSNN_ERROR_NULL_ARGUMENT);
    ck_assert_int_eq(tsnn_publisher_get_info(publisher, NULL), TSNN_ERROR_NULL_ARGUMENT);
    info.struct_size = 4;
    TSNNI_REFUSED(context, TSNN_ERROR_STRUCT_SIZE, tsnn_publisher_get_info(publisher, &info));

    tsnn_subscriber *subscriber = (tsnn_subscriber *)(void *)&context;
    ck_assert_int_eq(tsnn_subscriber_create(publisher, 1, NULL), TSNN_ERROR_NULL_ARGUMENT);
    ck_assert_int_eq(tsnn_subscriber_create(NULL, 1, &subscriber), TSNN_ERROR_NULL_ARGUMENT);
    ck_assert_ptr_null(subscriber);
    ck_assert_int_eq(tsnn_subscriber_create(publisher, 0, &subscriber), TSNN_ERROR_INVALID_ARGUMENT);
    ck_assert_int_eq(info_of(publisher).subscribers, 0);
    subscriber = subscriber_of(publisher, 4);
    float outputs[OUTPUTS];
    char text[200] = "";
    tsnn_status code = TSNN_OK;
    ck_assert_int_eq(tsnn_subscriber_predict(NULL, features, 1, outputs, OUTPUTS, NULL), TSNN_ERROR_NULL_ARGUMENT);
    ck_assert_int_eq(tsnn_subscriber_classify(NULL, features, 1, NULL, 0, NULL), TSNN_ERROR_NULL_ARGUMENT);
    ck_assert_int_eq(tsnn_subscriber_run(NULL, NULL, NULL, NULL), TSNN_ERROR_NULL_ARGUMENT);
    ck_assert_int_eq(tsnn_subscriber_run(subscriber, NULL, NULL, NULL), TSNN_ERROR_NULL_ARGUMENT);
    ck_assert_int_eq(tsnn_subscriber_hold(NULL, NULL), TSNN_ERROR_NULL_ARGUMENT);
    ck_assert_int_eq(tsnn_subscriber_release(NULL), TSNN_ERROR_NULL_ARGUMENT);
    ck_assert_int_eq(tsnn_subscriber_error(NULL, text, 200, NULL), TSNN_ERROR_NULL_ARGUMENT);
    ck_assert_int_eq(tsnn_subscriber_predict(subscriber, features, 1, outputs, OUTPUTS - 1, NULL),
                     TSNN_ERROR_BUFFER_TOO_SMALL);
    TSNNI_OK(tsnn_subscriber_error(subscriber, text, 200, &code));
    ck_assert_int_eq(code, TSNN_ERROR_BUFFER_TOO_SMALL);
    ck_assert_ptr_nonnull(strstr(text, "outputs"));
    TSNNI_OK(tsnn_publisher_publish_network(publisher, network)); /* a refused call holds nothing */
    ck_assert_int_eq(info_of(publisher).alive, 1);
    tsnn_subscriber_destroy(NULL);
    tsnn_subscriber_destroy(&subscriber);
    tsnn_subscriber_destroy(&subscriber);
    tsnn_publisher_destroy(NULL);
    tsnn_publisher_destroy(&publisher);
    tsnn_publisher_destroy(&publisher);
    tsnn_network_destroy(&network);
}
END_TEST

/* ---- memory ---- */

START_TEST(predicting_allocates_nothing)
{
    tsnn_network *network = network_of(20);
    tsnn_publisher *publisher = publisher_of(network, NULL);
    tsnn_subscriber *subscriber = subscriber_of(publisher, 16);
    float outputs[SAMPLES * OUTPUTS];
    int64_t calls = allocator.calls;
    for (int n = 0; n < 3; n++) {
        TSNNI_OK(tsnn_subscriber_hold(subscriber, NULL));
        TSNNI_OK(tsnn_subscriber_predict(subscriber, features, SAMPLES, outputs, SAMPLES * OUTPUTS, NULL));
        TSNNI_OK(tsnn_subscriber_release(subscriber));
        TSNNI_OK(tsnn_subscriber_predict(subscriber, features, 1, outputs, OUTPUTS, NULL));
    }
    ck_assert_int_eq(allocator.calls, calls);
    tsnn_predictor *next = predictor_of(network, TSNN_PACK_ALL, 0);
    calls = allocator.calls;
    TSNNI_OK(tsnn_publisher_publish(publisher, &next)); /* nor does publishing itself */
    ck_assert_int_eq(allocator.calls, calls);
    tsnn_subscriber_destroy(&subscriber);
    tsnn_publisher_destroy(&publisher);
    tsnn_network_destroy(&network);
}
END_TEST

static int32_t use_subscriber(void *argument)
{
    tsnn_subscriber *subscriber = argument;
    float outputs[SAMPLES * OUTPUTS];
    int32_t labels[SAMPLES];
    tsnn_status status = tsnn_subscriber_hold(subscriber, NULL);
    if (status >= 0)
        status = tsnn_subscriber_predict(subscriber, features, SAMPLES, outputs, SAMPLES * OUTPUTS, NULL);
    if (status >= 0)
        status = tsnn_subscriber_release(subscriber);
    if (status >= 0)
        status = tsnn_subscriber_classify(subscriber, features, SAMPLES, labels, SAMPLES, NULL);
    return status;
}

START_TEST(subscribers_make_no_system_call)
{
    tsnn_network *network = network_of(20);
    tsnn_publisher *publisher = publisher_of(network, NULL);
    tsnn_subscriber *subscriber = subscriber_of(publisher, 16);
    tsnn_predictor *next = predictor_of(network, TSNN_PACK_ALL, 0);
    TSNNI_OK(tsnn_publisher_publish(publisher, &next));
    tsnni_test_expect_no_system_call(use_subscriber, subscriber);
    tsnn_subscriber_destroy(&subscriber);
    tsnn_publisher_destroy(&publisher);
    tsnn_network_destroy(&network);
}
END_TEST

START_TEST(a_refused_request_changes_nothing)
{
    tsnn_network *network = network_of(20), *other = network_of(20);
    tsnn_predictor *predictor = predictor_of(network, TSNN_PACK_ALL, 0), *same = predictor_of(network, 0, 0);
    tsnn_publisher *publisher = NULL;
    tsnn_subscriber *subscriber = NULL;
    TSNNI_REFUSE_EACH(&allocator, tsnn_publisher_create(context, &predictor, NULL, &publisher),
                      predictor != NULL && publisher == NULL);
    TSNNI_REFUSE_EACH(&allocator, tsnn_subscriber_create(publisher, 4, &subscriber),
                      subscriber == NULL && info_of(publisher).subscribers == 0);
    expect_answers(subscriber, same, 4, 1);
    TSNNI_REFUSE_EACH(&allocator, tsnn_publisher_publish_network(publisher, other),
                      info_of(publisher).version == 1 && info_of(publisher).alive == 1);
    tsnn_predictor_destroy(&same);
    same = predictor_of(other, TSNN_PACK_ALL, 0);
    expect_answers(subscriber, same, 4, 2);
    tsnn_predictor_destroy(&same);
    tsnn_subscriber_destroy(&subscriber);
    tsnn_publisher_destroy(&publisher);
    tsnn_network_destroy(&network);
    tsnn_network_destroy(&other);
}
END_TEST

/* ---- threads ---- */

enum { THREADS = 8, STEPS = 5, EPOCHS = 30, VERSIONS = 2 + (STEPS + 1) * EPOCHS };

/* What the training thread and those that predict share. */
typedef struct stage {
    tsnni_course course;
    tsnn_publisher *publisher;
    float expected[VERSIONS + 1][OUTPUTS]; /* written before the version is published */
    int64_t version;                       /* published so far */
    int64_t most_alive;
    atomic_int ready, over;
} stage;

/* What one thread saw; checked by the main one. */
typedef struct watcher {
    stage *shared;
    int64_t calls, versions, last, wrong;
} watcher;

static void watch(watcher *mine, tsnn_subscriber *subscriber)
{
    float outputs[OUTPUTS];
    int64_t version = 0, held = 0;
    int32_t hold = mine->calls++ % 3 == 0;
    mine->wrong += hold && tsnn_subscriber_hold(subscriber, &held) != TSNN_OK;
    for (int n = 0; n < 1 + hold; n++) {
        mine->wrong += tsnn_subscriber_predict(subscriber, features, 1, outputs, OUTPUTS, &version) != TSNN_OK;
        mine->wrong += memcmp(outputs, mine->shared->expected[version], sizeof outputs) != 0;
        mine->wrong += version < mine->last || (hold && version != held);
        mine->versions += version > mine->last;
        mine->last = version;
    }
    mine->wrong += hold && tsnn_subscriber_release(subscriber) != TSNN_OK;
}

static void *watch_along(void *user)
{
    watcher *mine = user;
    stage *shared = mine->shared;
    tsnn_subscriber *subscriber = NULL;
    if (tsnn_subscriber_create(shared->publisher, 1, &subscriber) != TSNN_OK)
        mine->wrong++;
    else
        watch(mine, subscriber);
    atomic_fetch_add(&shared->ready, 1);
    while (subscriber != NULL && !atomic_load(&shared->over)) {
        if (mine->calls % 50 == 0) { /* subscribers come and go */
            tsnn_subscriber_destroy(&subscriber);
            if (tsnn_subscriber_create(shared->publisher, 1, &subscriber) != TSNN_OK) {
                mine->wrong++;
                break;
            }
        }
        watch(mine, subscriber);
    }
    if (subscriber != NULL)
        watch(mine, subscriber); /* what was published before the end is there */
    tsnn_subscriber_destroy(&subscriber);
    return NULL;
}

/* Writes down what the next version will answer. */
static void foresee(stage *shared)
{
    tsnn_predictor *predictor = NULL;
    tsnn_predictor_workspace *workspace = NULL;
    TSNNI_OK(tsnn_predictor_create(shared->course.context, shared->course.network, NULL, &predictor));
    TSNNI_OK(tsnn_predictor_workspace_create(predictor, 1, &workspace));
    TSNNI_OK(tsnn_predictor_predict(predictor, workspace, features, 1, shared->expected[shared->version + 1], OUTPUTS));
    tsnn_predictor_workspace_destroy(&workspace);
    tsnn_predictor_destroy(&predictor);
    shared->version++;
}

static int32_t publish(stage *shared)
{
    foresee(shared);
    TSNNI_OK(tsnn_publisher_publish_network(shared->publisher, shared->course.network));
    tsnn_publisher_info info = info_of(shared->publisher);
    ck_assert_int_eq(info.version, shared->version);
    shared->most_alive = info.alive > shared->most_alive ? info.alive : shared->most_alive;
    return 0;
}

static int32_t on_step(void *user, const tsnn_step_report *report)
{
    (void)report;
    return publish(user);
}

static int32_t on_epoch(void *user, const tsnn_epoch_report *report)
{
    (void)report;
    return publish(user);
}

/* Training evolves and prunes; every step and every epoch is published. */
START_TEST(eight_threads_predict_while_a_trainer_publishes)
{
    stage *shared = tsnni_test_array(1, sizeof *shared);
    pthread_t threads[THREADS];
    watcher watchers[THREADS];
    shared->course = tsnni_course_small(4, 10 * STEPS, .2);
    tsnni_course_add_evolution(&shared->course, .3);
    tsnni_course_add_pruning(&shared->course, 5, 5, 5);
    shared->course.options.epochs = EPOCHS;
    shared->course.options.batch = 10;
    shared->course.options.on_step = on_step;
    shared->course.options.on_epoch = on_epoch;
    shared->course.options.user = shared;
    tsnni_course_start(&shared->course);
    tsnn_predictor *first = NULL;
    TSNNI_OK(tsnn_predictor_create(shared->course.context, shared->course.network, NULL, &first));
    TSNNI_OK(tsnn_publisher_create(shared->course.context, &first, NULL, &shared->publisher));
    foresee(shared);
    for (int t = 0; t < THREADS; t++) {
        watchers[t] = (watcher){.shared = shared};
        ck_assert_int_eq(pthread_create(&threads[t], NULL, watch_along, &watchers[t]), 0);
    }
    while (atomic_load(&shared->ready) < THREADS)
        sched_yield();
    TSNNI_OK(tsnn_trainer_run(shared->course.trainer, shared->course.train, NULL));
    atomic_store(&shared->over, 1);
    for (int t = 0; t < THREADS; t++) {
        ck_assert_int_eq(pthread_join(threads[t], NULL), 0);
        ck_assert_msg(watchers[t].wrong == 0, "thread %d: %d of %d calls were wrong", t, (int)watchers[t].wrong,
                      (int)watchers[t].calls);
        ck_assert_int_eq(watchers[t].last, shared->version); /* the last that was published */
        ck_assert_int_ge(watchers[t].versions, 2);
    }
    ck_assert_int_eq(shared->version, 1 + (STEPS + 1) * EPOCHS);
    ck_assert_int_le(shared->most_alive, THREADS + 1);
    tsnn_publisher_destroy(&shared->publisher);
    tsnni_course_free(&shared->course);
    free(shared);
}
END_TEST

Suite *tsnni_suite_publisher(void)
{
    Suite *suite = suite_create("publisher");
    TCase *tcase = tcase_create("publisher");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 120);
    tcase_add_test(tcase, every_version_answers_with_the_bits_of_its_network);
    tcase_add_test(tcase, networks_are_packed_as_the_first_was);
    tcase_add_test(tcase, a_pruned_network_follows_its_larger_self);
    tcase_add_test(tcase, predictors_of_any_kind_follow_each_other);
    tcase_add_test(tcase, what_is_held_stays_and_what_is_not_goes);
    tcase_add_test(tcase, who_is_taking_while_another_is_published_gets_that_one);
    tcase_add_test(tcase, places_are_given_back);
    tcase_add_test(tcase, predictors_that_do_not_fit_are_refused);
    tcase_add_test(tcase, wrong_arguments_are_refused);
    tcase_add_test(tcase, predicting_allocates_nothing);
    tcase_add_test(tcase, subscribers_make_no_system_call);
    tcase_add_test(tcase, a_refused_request_changes_nothing);
    tcase_add_test(tcase, eight_threads_predict_while_a_trainer_publishes);
    suite_add_tcase(suite, tcase);
    return suite;
}
