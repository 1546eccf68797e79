/* The asynchronous protocol by hand: gradients handed in late, and across an evolution. */
#include "suites.h"

#include <stdlib.h>
#include <string.h>

#include "course.h"
#include "parallel.h"

/* Two workers in the middle of phase 1, nobody running. */
typedef struct scene {
    tsnni_course course;
    tsnn_parallel *parallel;
} scene;

static scene scene_create(void (*change)(tsnn_parallel_options *options))
{
    scene own = {.course = tsnni_course_small(6, 40, 0.0)};
    tsnn_parallel_options options = TSNN_PARALLEL_OPTIONS_INIT;
    options.workers = 2;
    options.network = own.course.network;
    options.loss = own.course.loss;
    options.optimizer = own.course.optimizer;
    options.batch = 10;
    options.keep_log = 1;
    if (change != NULL)
        change(&options);
    TSNNI_OK(tsnn_parallel_create(own.course.context, &options, &own.parallel));
    TSNNI_OK(tsnni_parallel_begin(own.parallel, own.course.train));
    TSNNI_OK(tsnni_parallel_prepare(own.parallel));
    own.parallel->commit_end = own.parallel->exchanges;
    return own;
}

static void scene_free(scene *own)
{
    tsnni_parallel_end(own->parallel);
    tsnn_parallel_destroy(&own->parallel);
    tsnni_course_free(&own->course);
}

static tsnni_worker *compute(scene *own, int32_t number)
{
    tsnni_worker *worker = &own->parallel->workers[number];
    tsnni_worker_compute(own->parallel, worker, worker->exchange, worker->exchange + 1, 0);
    return worker;
}

static tsnn_parallel_info info_of(const scene *own)
{
    tsnn_parallel_info info = TSNN_PARALLEL_INFO_INIT;
    TSNNI_OK(tsnn_parallel_get_info(own->parallel, &info));
    return info;
}

static float *copy(const float *from, int64_t count)
{
    float *to = tsnni_test_array(count, sizeof *to);
    memcpy(to, from, (size_t)count * sizeof *to);
    return to;
}

static void expect_fetched(const scene *own, const tsnni_worker *worker)
{
    for (int64_t l = 0; l < own->course.network->count; l++) {
        const tsnn_layer *server = own->course.network->stages[l].layer, *layer = worker->network->stages[l].layer;
        const tsnni_pattern *pattern = &server->topology.pattern;
        ck_assert_uint_eq(layer->version, server->version);
        ck_assert_mem_eq(layer->topology.pattern.row_ptr, pattern->row_ptr,
                         (size_t)(pattern->rows + 1) * sizeof(int64_t));
        ck_assert_mem_eq(layer->topology.pattern.column.data, pattern->column.data,
                         (size_t)(pattern->count * pattern->column.width));
        ck_assert_mem_eq(layer->topology.values, server->topology.values, (size_t)pattern->count * sizeof(float));
        ck_assert_mem_eq(layer->bias, server->bias, (size_t)pattern->columns * sizeof(float));
    }
}

START_TEST(a_commit_updates_the_server_and_fetches_what_it_became)
{
    scene own = scene_create(NULL);
    tsnni_test_bytes before = tsnni_course_bytes(own.course.network);
    tsnni_worker *worker = compute(&own, 0);
    tsnni_test_bytes computed = tsnni_course_bytes(own.course.network);
    ck_assert(tsnni_test_bytes_equal(&before, &computed));
    ck_assert_int_eq(tsnni_async_commit(own.parallel, worker), 1);
    tsnni_test_bytes after = tsnni_course_bytes(own.course.network);
    ck_assert(!tsnni_test_bytes_equal(&before, &after));
    expect_fetched(&own, worker);
    ck_assert_int_eq(worker->snapshot, 1);
    ck_assert_int_eq(worker->exchange, 2);
    tsnni_test_bytes_free(&before);
    tsnni_test_bytes_free(&computed);
    tsnni_test_bytes_free(&after);
    scene_free(&own);
}
END_TEST

START_TEST(staleness_counts_the_updates_that_came_between)
{
    scene own = scene_create(NULL);
    tsnni_worker *late = compute(&own, 1);
    for (int n = 0; n < 2; n++)
        ck_assert_int_eq(tsnni_async_commit(own.parallel, compute(&own, 0)), 1);
    ck_assert_int_eq(tsnni_async_commit(own.parallel, late), 1);
    tsnn_parallel_info info = info_of(&own);
    ck_assert_int_eq(info.staleness[0], 2);
    ck_assert_int_eq(info.staleness[2], 1);
    ck_assert_int_eq(info.staleness_most, 2);
    ck_assert_int_eq(info.exchanges, 3);
    tsnn_parallel_commit log[3];
    int64_t count = 0;
    TSNNI_OK(tsnn_parallel_get_log(own.parallel, log, 3, &count));
    ck_assert_int_eq(count, 3);
    ck_assert_int_eq(log[2].worker, 1);
    ck_assert_int_eq(log[2].exchange, 1);
    ck_assert_int_eq(log[2].snapshot, 0);
    TSNNI_REFUSED(own.course.context, TSNN_ERROR_BUFFER_TOO_SMALL, tsnn_parallel_get_log(own.parallel, log, 2, &count));
    scene_free(&own);
}
END_TEST

START_TEST(a_full_epoch_takes_no_more_commits)
{
    scene own = scene_create(NULL);
    for (int n = 0; n < 4; n++)
        ck_assert_int_eq(tsnni_async_commit(own.parallel, compute(&own, 0)), 1);
    tsnni_test_bytes before = tsnni_course_bytes(own.course.network);
    ck_assert_int_eq(tsnni_async_commit(own.parallel, compute(&own, 1)), 0);
    tsnni_test_bytes after = tsnni_course_bytes(own.course.network);
    ck_assert(tsnni_test_bytes_equal(&before, &after));
    tsnni_test_bytes_free(&before);
    tsnni_test_bytes_free(&after);
    scene_free(&own);
}
END_TEST

/* ---- an evolution between fetch and commit ---- */

/* Layer 0 without its first connection, and with one at the first empty cell of the last row that has one. */
static void move_a_connection(tsnn_layer *layer)
{
    tsnni_topology *old = &layer->topology;
    tsnn_layer *moved = NULL;
    int64_t count = old->pattern.count, columns = old->pattern.columns;
    int32_t *row = tsnni_test_array(count, sizeof *row), *column = tsnni_test_array(count, sizeof *column);
    float *values = copy(old->values, count);
    TSNNI_OK(tsnn_layer_get_coo(layer, row, column, values, count));
    int32_t empty = 0;
    for (int64_t k = old->pattern.row_ptr[old->pattern.rows - 1]; k < count && column[k] == empty; k++)
        empty++;
    ck_assert_int_lt(empty, columns);
    row[0] = (int32_t)old->pattern.rows - 1;
    column[0] = empty;
    values[0] = 0.125f;
    TSNNI_OK(tsnn_layer_create_from_coo(layer->context, old->pattern.rows, columns, count, row, column, values, NULL,
                                        &moved));
    TSNNI_OK(tsnni_layer_need_velocity(moved));
    TSNNI_OK(tsnni_layer_replace_topology(layer, &moved->topology));
    tsnn_layer_destroy(&moved);
    free(row);
    free(column);
    free(values);
}

/* The value of a cell in an array of the pattern's order; *found tells whether the pattern has it. */
static float cell(const tsnni_pattern *pattern, const float *values, int64_t i, int64_t j, int *found)
{
    *found = 0;
    for (int64_t k = pattern->row_ptr[i]; k < pattern->row_ptr[i + 1]; k++)
        if (tsnni_index_at(&pattern->column, k) == j) {
            *found = 1;
            return values[k];
        }
    return 0.0f;
}

START_TEST(exactly_the_entries_count_whose_connections_still_exist)
{
    scene own = scene_create(NULL);
    tsnni_worker *worker = compute(&own, 1);
    tsnn_layer *server = own.course.network->stages[0].layer, *seen = worker->network->stages[0].layer;
    tsnni_pattern *pattern = &server->topology.pattern, old = {0};
    int64_t connections = 0;
    move_a_connection(server);
    TSNNI_OK(tsnni_pattern_copy(&own.course.context->runtime, &seen->topology.pattern, &old));
    float *before = copy(server->topology.values, pattern->count);
    float *gradient = copy(worker->gradient->layers[0].weights, old.count);
    ck_assert_int_eq(tsnni_async_commit(own.parallel, worker), 1);
    int64_t fresh = 0, moved = 0;
    for (int64_t i = 0; i < pattern->rows; i++)
        for (int64_t k = pattern->row_ptr[i]; k < pattern->row_ptr[i + 1]; k++) {
            int found;
            float g = cell(&old, gradient, i, tsnni_index_at(&pattern->column, k), &found);
            float wanted = found ? before[k] - 0.02f * g : before[k];
            ck_assert_float_eq_tol(server->topology.values[k], wanted, 1e-6f);
            ck_assert(found || server->topology.values[k] == 0.125f);
            fresh += !found;
            moved += server->topology.values[k] != before[k];
        }
    ck_assert_int_eq(fresh, 1);
    ck_assert_int_gt(moved, 0);
    tsnn_parallel_info info = info_of(&own);
    connections = old.count;
    ck_assert_int_eq(info.entries_lost, 1);
    ck_assert_int_eq(info.entries_retained, connections - 1);
    expect_fetched(&own, worker);
    /* The next gradient is about the new topology, all of it. */
    ck_assert_int_eq(tsnni_async_commit(own.parallel, compute(&own, 1)), 1);
    info = info_of(&own);
    ck_assert_int_eq(info.entries_lost, 1);
    ck_assert_int_eq(info.entries_retained, connections - 1);
    tsnni_pattern_free(&own.course.context->runtime, &old);
    free(before);
    free(gradient);
    scene_free(&own);
}
END_TEST

static void discard_stale(tsnn_parallel_options *options)
{
    options->retain = TSNN_DISCARD_STALE;
}

static void limit_staleness(tsnn_parallel_options *options)
{
    options->stale_limit = 1;
}

/* The commit must change nothing, yet fetch. */
static void expect_dropped(scene *own, tsnni_worker *worker)
{
    tsnni_test_bytes before = tsnni_course_bytes(own->course.network);
    ck_assert_int_eq(tsnni_async_commit(own->parallel, worker), 1);
    tsnni_test_bytes after = tsnni_course_bytes(own->course.network);
    ck_assert(tsnni_test_bytes_equal(&before, &after));
    ck_assert_int_eq(info_of(own).dropped, 1);
    expect_fetched(own, worker);
    tsnni_test_bytes_free(&before);
    tsnni_test_bytes_free(&after);
}

START_TEST(a_gradient_from_before_an_evolution_is_dropped_when_asked_for)
{
    scene own = scene_create(discard_stale);
    tsnni_worker *worker = compute(&own, 1);
    move_a_connection(own.course.network->stages[0].layer);
    expect_dropped(&own, worker);
    scene_free(&own);
}
END_TEST

START_TEST(a_gradient_beyond_the_limit_of_staleness_is_dropped)
{
    scene own = scene_create(limit_staleness);
    tsnni_worker *late = compute(&own, 1);
    ck_assert_int_eq(tsnni_async_commit(own.parallel, compute(&own, 0)), 1);
    ck_assert_int_eq(tsnni_async_commit(own.parallel, compute(&own, 0)), 1);
    expect_dropped(&own, late);
    scene_free(&own);
}
END_TEST

START_TEST(a_gradient_within_the_limit_counts)
{
    scene own = scene_create(limit_staleness);
    tsnni_worker *late = compute(&own, 1);
    ck_assert_int_eq(tsnni_async_commit(own.parallel, compute(&own, 0)), 1);
    tsnni_test_bytes before = tsnni_course_bytes(own.course.network);
    ck_assert_int_eq(tsnni_async_commit(own.parallel, late), 1);
    tsnni_test_bytes after = tsnni_course_bytes(own.course.network);
    ck_assert(!tsnni_test_bytes_equal(&before, &after));
    ck_assert_int_eq(info_of(&own).dropped, 0);
    tsnni_test_bytes_free(&before);
    tsnni_test_bytes_free(&after);
    scene_free(&own);
}
END_TEST

START_TEST(seeds_of_workers_differ)
{
    ck_assert_uint_ne(tsnni_worker_seed(1, 0, 0), tsnni_worker_seed(1, 1, 0));
    ck_assert_uint_ne(tsnni_worker_seed(1, 0, 0), tsnni_worker_seed(2, 0, 0));
    ck_assert_uint_ne(tsnni_worker_seed(1, 0, 0), tsnni_worker_seed(1, 0, 7));
    ck_assert_uint_eq(tsnni_worker_seed(1, 3, 7), tsnni_worker_seed(1, 3, 7));
}
END_TEST

Suite *tsnni_suite_commit(void)
{
    Suite *suite = suite_create("commit");
    TCase *protocol = tcase_create("protocol");
    tcase_add_test(protocol, a_commit_updates_the_server_and_fetches_what_it_became);
    tcase_add_test(protocol, staleness_counts_the_updates_that_came_between);
    tcase_add_test(protocol, a_full_epoch_takes_no_more_commits);
    tcase_add_test(protocol, exactly_the_entries_count_whose_connections_still_exist);
    tcase_add_test(protocol, a_gradient_from_before_an_evolution_is_dropped_when_asked_for);
    tcase_add_test(protocol, a_gradient_beyond_the_limit_of_staleness_is_dropped);
    tcase_add_test(protocol, a_gradient_within_the_limit_counts);
    tcase_add_test(protocol, seeds_of_workers_differ);
    suite_add_tcase(suite, protocol);
    return suite;
}
