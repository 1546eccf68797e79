/* Claims about bad input: whatever one rank does otherwise than the others is refused on all of them, soon. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ranks.h"

/* ---- one rank that differs: the last ---- */

/* Everything that a rank brings. */
typedef struct baggage {
    tsnni_course *course;
    tsnn_parallel_options *options;
    tsnn_mpi_options *more;
} baggage;

static void other_batch(baggage own)
{
    own.options->batch = 8;
}

static void other_mode(baggage own)
{
    own.options->mode = own.options->mode == TSNN_PARALLEL_WASSP ? TSNN_PARALLEL_REPLICAS : TSNN_PARALLEL_WASSP;
}

static void unknown_mode(baggage own)
{
    own.options->mode = 3;
}

static void no_network(baggage own)
{
    own.options->network = NULL;
}

static void newer_headers(baggage own)
{
    own.more->version += 100;
}

static void too_many_workers(baggage own)
{
    own.options->workers = 99;
}

static void negative_workers(baggage own)
{
    own.options->workers = -1;
}

static void a_replay(baggage own)
{
    static const tsnn_parallel_commit commit = {0, 0, 0};
    own.options->replay = &commit;
    own.options->replay_count = 1;
}

static void unknown_data(baggage own)
{
    own.more->data = 2;
}

static void shards(baggage own)
{
    own.more->data = TSNN_MPI_SHARDED;
}

static void nine_in_flight(baggage own)
{
    own.more->in_flight = 9;
}

static void another_transport(baggage own)
{
    own.more->transport = TSNN_MPI_MESSAGES;
}

static void unknown_transport(baggage own)
{
    own.more->transport = 2;
}

static void endless_timeout(baggage own)
{
    own.more->timeout_seconds = INFINITY;
}

static void no_number_for_a_pause(baggage own)
{
    own.more->pause_seconds = NAN;
}

static void no_struct_size(baggage own)
{
    own.more->struct_size = 0;
}

static void other_optimizer(baggage own)
{
    tsnn_optimizer_destroy(&own.course->optimizer);
    own.course->optimizer = tsnni_test_optimizer(own.course->context, TSNN_OPTIMIZER_NESTEROV, 0.02, 0.0, 0);
    own.options->optimizer = own.course->optimizer;
}

static void wider_layer(baggage own)
{
    static const int64_t sizes[] = {12, 20, 16, 4};
    static const tsnni_test_function functions[] = {
        {TSNN_ACTIVATION_ALL_RELU, .6}, {TSNN_ACTIVATION_ALL_RELU, .6}, {TSNN_ACTIVATION_SOFTMAX, 0}};
    tsnn_network_destroy(&own.course->network);
    own.course->network = tsnni_test_network(own.course->context, 3, sizes, functions, 0.4, 0.0);
    own.options->network = own.course->network;
}

static void another_layer(baggage own)
{
    static const int64_t sizes[] = {12, 20, 4};
    static const tsnni_test_function functions[] = {{TSNN_ACTIVATION_ALL_RELU, .6}, {TSNN_ACTIVATION_SOFTMAX, 0}};
    tsnn_network_destroy(&own.course->network);
    own.course->network = tsnni_test_network(own.course->context, 2, sizes, functions, 0.4, 0.0);
    own.options->network = own.course->network;
}

static void replace_data(baggage own, int64_t samples, int64_t features, int64_t classes)
{
    tsnn_dataset_destroy(&own.course->train);
    own.course->train = tsnni_test_labelled(own.course->context, samples, features, classes, 5);
}

static void other_slope(baggage own)
{
    static const int64_t sizes[] = {12, 20, 15, 4};
    static const tsnni_test_function functions[] = {
        {TSNN_ACTIVATION_ALL_RELU, .6}, {TSNN_ACTIVATION_ALL_RELU, .5}, {TSNN_ACTIVATION_SOFTMAX, 0}};
    tsnn_network_destroy(&own.course->network);
    own.course->network = tsnni_test_network(own.course->context, 3, sizes, functions, 0.4, 0.0);
    own.options->network = own.course->network;
}

static void other_zeta(baggage own)
{
    tsnn_evolution_destroy(&own.course->evolution);
    tsnni_course_add_evolution(own.course, 0.2);
    own.options->evolution = own.course->evolution;
}

static void other_steps_of_the_rate(baggage own)
{
    static tsnn_schedule_options schedule = TSNN_SCHEDULE_OPTIONS_INIT;
    schedule.kind = TSNN_SCHEDULE_STEP;
    schedule.step_epochs = 2.0;
    schedule.step_factor = 0.4;
    own.options->schedule = &schedule;
}

static void other_values(baggage own)
{
    tsnn_dataset_destroy(&own.course->train);
    own.course->train = tsnni_test_labelled(own.course->context, 120, 12, 4, 6);
}

static void other_features(baggage own)
{
    replace_data(own, 120, 11, 4);
}

static void more_classes(baggage own)
{
    replace_data(own, 120, 12, 5);
}

static void fewer_classes(baggage own)
{
    replace_data(own, 120, 12, 3);
}

static void fewer_samples(baggage own)
{
    replace_data(own, 119, 12, 4);
}

static void no_data(baggage own)
{
    tsnn_dataset_destroy(&own.course->train);
}

typedef struct fault {
    const char *text;
    void (*make)(baggage own);
    tsnn_status expected;
    int alone; /* 1: wrong even where there is nobody to differ from */
} fault;

static const fault faults[] = {
    {"another batch", other_batch, TSNN_ERROR_INVALID_ARGUMENT, 0},
    {"another mode", other_mode, TSNN_ERROR_INVALID_ARGUMENT, 0},
    {"an unknown mode", unknown_mode, TSNN_ERROR_INVALID_ARGUMENT, 1},
    {"no network", no_network, TSNN_ERROR_NULL_ARGUMENT, 1},
    {"newer headers", newer_headers, TSNN_ERROR_UNSUPPORTED, 1},
    {"another number of workers", too_many_workers, TSNN_ERROR_INVALID_ARGUMENT, 1},
    {"-1 workers", negative_workers, TSNN_ERROR_INVALID_ARGUMENT, 1},
    {"a log to replay", a_replay, TSNN_ERROR_INVALID_ARGUMENT, 1},
    {"data of an unknown kind", unknown_data, TSNN_ERROR_INVALID_ARGUMENT, 1},
    {"a shard where others have all data", shards, TSNN_ERROR_INVALID_ARGUMENT, 0},
    {"nine gradients in flight", nine_in_flight, TSNN_ERROR_INVALID_ARGUMENT, 1},
    {"another transport", another_transport, TSNN_ERROR_INVALID_ARGUMENT, 0},
    {"an unknown transport", unknown_transport, TSNN_ERROR_INVALID_ARGUMENT, 1},
    {"an endless timeout", endless_timeout, TSNN_ERROR_INVALID_ARGUMENT, 1},
    {"a pause that is no number", no_number_for_a_pause, TSNN_ERROR_INVALID_ARGUMENT, 1},
    {"options without a size", no_struct_size, TSNN_ERROR_STRUCT_SIZE, 1},
    {"another optimizer", other_optimizer, TSNN_ERROR_INVALID_ARGUMENT, 0},
    {"a wider layer", wider_layer, TSNN_ERROR_SHAPE, 0},
    {"a layer fewer", another_layer, TSNN_ERROR_SHAPE, 0},
    {"another slope below 0", other_slope, TSNN_ERROR_SHAPE, 0},
    {"another share that evolves", other_zeta, TSNN_ERROR_INVALID_ARGUMENT, 0},
    {"other steps of the rate", other_steps_of_the_rate, TSNN_ERROR_INVALID_ARGUMENT, 0},
    {"other samples", other_values, TSNN_ERROR_INVALID_ARGUMENT, 0},
    {"data of other features", other_features, TSNN_ERROR_SHAPE, 1},
    {"data of more classes", more_classes, TSNN_ERROR_SHAPE, 1},
    {"data of fewer classes", fewer_classes, TSNN_ERROR_SHAPE, 0},
    {"fewer samples", fewer_samples, TSNN_ERROR_SHAPE, 0},
    {"no data", no_data, TSNN_ERROR_NULL_ARGUMENT, 1},
};

static const tsnn_schedule_options stepped = {(uint32_t)sizeof stepped, TSNN_SCHEDULE_STEP, 0.0, 2.0, 0.5, 0.0};

static void refuses(const fault *wrong, int32_t mode)
{
    char text[160];
    tsnni_course course = tsnni_ranks_course(0.0);
    tsnn_mpi_options more = TSNN_MPI_OPTIONS_INIT;
    tsnn_parallel_options options = tsnni_ranks_options(&course, mode, NULL);
    options.schedule = &stepped;
    if (tsnni_rank == tsnni_ranks - 1)
        wrong->make((baggage){&course, &options, &more});
    tsnn_status status = tsnni_ranks_run(&course, &options, &more, NULL);
    snprintf(text, sizeof text, "%s: a rank with %s is refused on all", tsnni_modes[mode], wrong->text);
    tsnni_course_free(&course);
    tsnni_claim(text, status == wrong->expected || (tsnni_ranks == 1 && !wrong->alone));
}

/* ---- what else may be wrong ---- */

static void refuses_no_context_and_another_seed(void)
{
    tsnni_course course = tsnni_ranks_course(0.0);
    tsnn_parallel_options options = tsnni_ranks_options(&course, TSNN_PARALLEL_WASSP, NULL);
    tsnn_mpi *mpi = NULL;
    int last = tsnni_rank == tsnni_ranks - 1;
    tsnn_status status =
        tsnn_mpi_create(last ? NULL : course.context, MPI_COMM_WORLD, last ? NULL : &options, NULL, &mpi);
    tsnni_claim("a rank without a context is refused on all", status == TSNN_ERROR_NULL_ARGUMENT && mpi == NULL);
    status = tsnn_mpi_create(course.context, MPI_COMM_WORLD, &options, NULL, last ? NULL : &mpi);
    tsnni_claim("a rank without room for the object is refused on all",
                status == TSNN_ERROR_NULL_ARGUMENT && mpi == NULL);
    tsnni_course_free(&course);
    course = tsnni_course_small(last ? 8 : 7, 120, 0.0);
    options = tsnni_ranks_options(&course, TSNN_PARALLEL_WASSP, NULL);
    status = tsnni_ranks_run(&course, &options, NULL, NULL);
    tsnni_claim("a rank with another seed is refused on all",
                tsnni_ranks == 1 || status == TSNN_ERROR_INVALID_ARGUMENT);
    tsnni_course_free(&course);
}

static void refuses_more_workers_than_samples(int32_t mode)
{
    char text[160];
    tsnni_course course = tsnni_ranks_course(0.0);
    tsnn_parallel_options options = tsnni_ranks_options(&course, mode, NULL);
    tsnn_dataset_destroy(&course.train);
    course.train = tsnni_test_labelled(course.context, tsnni_ranks > 1 ? tsnni_ranks - 1 : 1, 12, 4, 5);
    tsnn_status status = tsnni_ranks_run(&course, &options, NULL, NULL);
    snprintf(text, sizeof text, "%s: more workers than samples are refused", tsnni_modes[mode]);
    tsnni_claim(text, tsnni_ranks == 1 || status == TSNN_ERROR_INVALID_ARGUMENT || status == TSNN_ERROR_SHAPE);
    tsnni_course_free(&course);
}

/* As few as there can be is no fault. */
static void takes_a_sample_each(int32_t mode)
{
    char text[160];
    for (int32_t data = TSNN_MPI_WHOLE; data <= TSNN_MPI_SHARDED; data++) {
        tsnni_course course = tsnni_ranks_course(0.0);
        tsnn_mpi_options more = TSNN_MPI_OPTIONS_INIT;
        tsnn_parallel_options options = tsnni_ranks_options(&course, mode, NULL);
        more.data = data;
        tsnn_dataset_destroy(&course.train);
        course.train = tsnni_test_labelled(course.context, data == TSNN_MPI_WHOLE ? tsnni_ranks : 1, 12, 4, 5);
        tsnn_status status = tsnni_ranks_run(&course, &options, &more, NULL);
        snprintf(text, sizeof text, "%s: a sample for each worker is enough, %s", tsnni_modes[mode],
                 data == TSNN_MPI_WHOLE ? "of one set" : "in shards");
        tsnni_claim(text, status == TSNN_OK);
        tsnni_course_free(&course);
    }
}

static void refuses_validation_that_does_not_fit(int32_t mode)
{
    char text[160];
    tsnni_course course = tsnni_ranks_course(0.0);
    tsnn_parallel_options options = tsnni_ranks_options(&course, mode, NULL);
    tsnn_dataset_destroy(&course.validation);
    course.validation = tsnni_test_labelled(course.context, 60, 11, 4, 5);
    tsnn_status status = tsnni_ranks_run(&course, &options, NULL, NULL);
    snprintf(text, sizeof text, "%s: rank 0's validation of other features is refused on all", tsnni_modes[mode]);
    tsnni_claim(text, status == TSNN_ERROR_SHAPE);
    tsnni_course_free(&course);
}

/* No ranks: a communicator that this process is not in. */
static void refuses_no_ranks_and_takes_one(void)
{
    tsnni_course course = tsnni_ranks_course(0.0);
    tsnn_parallel_options options = tsnni_ranks_options(&course, TSNN_PARALLEL_WASAP, NULL);
    tsnn_mpi *mpi = NULL;
    tsnn_status status = tsnn_mpi_create(course.context, MPI_COMM_NULL, &options, NULL, &mpi);
    tsnni_claim("a communicator without ranks is refused", status == TSNN_ERROR_INVALID_ARGUMENT && mpi == NULL);
    status = tsnn_mpi_create(course.context, MPI_COMM_SELF, &options, NULL, &mpi);
    if (status >= 0)
        status = tsnn_mpi_run(mpi, course.train, NULL);
    tsnn_mpi_destroy(&mpi);
    tsnni_claim("each rank may train by itself", status == TSNN_OK);
    tsnni_course_free(&course);
}

/* The message names the rank and the numbers. */
static void tells_what_differs(void)
{
    tsnni_course course = tsnni_ranks_course(0.0);
    tsnn_parallel_options options = tsnni_ranks_options(&course, TSNN_PARALLEL_WASSP, NULL);
    int last = tsnni_ranks - 1;
    char text[256], expected[64];
    options.batch = tsnni_rank == last ? 8 : 7;
    (void)tsnni_ranks_run(&course, &options, NULL, NULL);
    tsnn_context_error(course.context, text, sizeof text, NULL);
    snprintf(expected, sizeof expected, "rank %d: batch is 8, but 7 on rank 0", last);
    tsnni_claim("what differs is told by its name, rank and numbers", last == 0 || strcmp(text, expected) == 0);
    tsnni_course_free(&course);
}

/* Each of its numbers by itself. */
static void refuses_other_pruning(void)
{
    static const tsnn_pruning_options others[] = {{sizeof(tsnn_pruning_options), 0, 21.0, 0.0, 2, 1},
                                                  {sizeof(tsnn_pruning_options), 0, 20.0, 0.0, 3, 1},
                                                  {sizeof(tsnn_pruning_options), 0, 20.0, 0.0, 2, 2},
                                                  {sizeof(tsnn_pruning_options), 0, 0.0, 0.1, 2, 1}};
    int good = 1;
    for (size_t n = 0; n < sizeof others / sizeof others[0]; n++) {
        tsnn_pruning_options first = {sizeof first, 0, 20.0, 0.0, 2, 1};
        tsnni_course course = tsnni_ranks_course(0.0);
        tsnn_parallel_options options = tsnni_ranks_options(&course, TSNN_PARALLEL_WASSP, NULL);
        tsnn_pruning *pruning = NULL;
        TSNNI_OK(tsnn_pruning_create(course.context, tsnni_rank == tsnni_ranks - 1 ? &others[n] : &first, &pruning));
        options.pruning = pruning;
        tsnn_status status = tsnni_ranks_run(&course, &options, NULL, NULL);
        good &= tsnni_ranks == 1 || status == TSNN_ERROR_INVALID_ARGUMENT;
        tsnn_pruning_destroy(&pruning);
        tsnni_course_free(&course);
    }
    tsnni_claim("a rank that prunes by other numbers is refused on all", good);
}

static void tells_defaults(void)
{
    tsnn_mpi_options options, expected = TSNN_MPI_OPTIONS_INIT;
    memset(&options, 1, sizeof options);
    int good = tsnn_mpi_options_init(&options) == TSNN_OK && options.version == tsnn_version_number();
    good &= options.struct_size == expected.struct_size && options.data == 0 && options.in_flight == 0;
    good &= options.timeout_seconds == 0.0 && options.pause_seconds == 0.0;
    good &= options.transport == 0 && options.reserved == 0;
    tsnni_claim("the options' defaults are also there for callers without macros",
                good && tsnn_mpi_options_init(NULL) == TSNN_ERROR_NULL_ARGUMENT);
}

void tsnni_claim_refusals(void)
{
    for (int32_t mode = TSNN_PARALLEL_WASAP; mode <= TSNN_PARALLEL_REPLICAS; mode++) {
        for (size_t f = 0; f < sizeof faults / sizeof faults[0]; f++)
            refuses(&faults[f], mode);
        refuses_more_workers_than_samples(mode);
        takes_a_sample_each(mode);
        refuses_validation_that_does_not_fit(mode);
    }
    refuses_no_context_and_another_seed();
    refuses_no_ranks_and_takes_one();
    refuses_other_pruning();
    tells_what_differs();
    tells_defaults();
}

/* ---- programs of another kind ---- */

void tsnni_claim_other_version(void)
{
    char text[200], expected[160];
    int last = tsnni_rank == tsnni_ranks - 1;
    tsnni_course course = tsnni_ranks_course(0.0);
    tsnn_mpi_options more = TSNN_MPI_OPTIONS_INIT;
    tsnn_parallel_options options = tsnni_ranks_options(&course, TSNN_PARALLEL_WASSP, NULL);
    int32_t version = more.version;
    more.version = tsnn_version_number(); /* its own headers are right */
    tsnn_status status = tsnni_ranks_run(&course, &options, &more, NULL);
    tsnn_context_error(course.context, text, sizeof text, NULL);
    snprintf(expected, sizeof expected, "the ranks have versions %d to %d of the library, this one %d", (int)version,
             (int)version + 1, (int)tsnn_version_number());
    tsnni_claim("the last rank's library is another one here", tsnn_version_number() == version + last);
    snprintf(tsnni_claim_detail, sizeof tsnni_claim_detail, ": status %d: %s", (int)status, text);
    tsnni_claim("a rank with another version of the library is refused on all",
                status == TSNN_ERROR_UNSUPPORTED && strcmp(text, expected) == 0);
    tsnni_course_free(&course);
}

/* The last rank's context has two threads, which only MPI_Init_thread() allows. */
void tsnni_claim_single(void)
{
    int level;
    tsnni_course course = tsnni_ranks_large_course(tsnni_rank == tsnni_ranks - 1 ? 2 : 1);
    tsnn_parallel_options options = tsnni_ranks_options(&course, TSNN_PARALLEL_WASSP, NULL);
    options.epochs = 2;
    tsnn_status status = tsnni_ranks_run(&course, &options, NULL, NULL);
    MPI_Query_thread(&level);
    tsnni_claim("a rank of two threads, where MPI has none, is refused on all",
                status == (level < MPI_THREAD_FUNNELED ? TSNN_ERROR_STATE : TSNN_OK));
    tsnni_course_free(&course);
}
