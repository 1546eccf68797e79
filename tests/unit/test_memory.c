/* Every request for memory is refused in turn, once and for good, in every public function: the call says
 * OUT_OF_MEMORY, nothing leaks, nothing else changes, and afterwards it works and gives what it would have given.
 * memory_calls.h tells where the calls are. */
#include "suites.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory_calls.h"

/* What the build under test exports; the tests run in the root of the tree. */
#define SYMBOLS "tests/abi/libtsnn.symbols"

tsnni_test_allocator tsnni_memory_counter;
int64_t tsnni_memory_measured;
#define counter tsnni_memory_counter

static const tsnni_memory_call *const lists[] = {tsnni_memory_objects,    tsnni_memory_training,
                                                 tsnni_memory_predictors, tsnni_memory_publishers,
                                                 tsnni_memory_files,      tsnni_memory_nothing};
enum { LISTS = 6 };

/* Call `index` of all lists in a row; NULL behind the last one. */
static const tsnni_memory_call *call_number(int index)
{
    for (int l = 0; l < LISTS; l++)
        for (const tsnni_memory_call *given = lists[l]; given->function != NULL; given++)
            if (index-- == 0)
                return given;
    return NULL;
}

static const char *name_of(const tsnni_memory_call *given)
{
    static char name[200];
    snprintf(name, sizeof name, "%s%s%s", given->function, given->variant != NULL ? ", " : "",
             given->variant != NULL ? given->variant : "");
    return name;
}

/* ---- what calls make ---- */

static void product_free(tsnni_product *made)
{
    tsnn_parallel_destroy(&made->parallel);
    tsnn_trainer_destroy(&made->trainer);
    tsnn_activation_destroy(&made->activation);
    tsnn_layer_destroy(&made->layer);
    tsnn_network_destroy(&made->network);
    tsnn_loss_destroy(&made->loss);
    tsnn_dataset_destroy(&made->dataset);
    tsnn_standardizer_destroy(&made->standardizer);
    tsnn_optimizer_destroy(&made->optimizer);
    tsnn_gradient_destroy(&made->gradient);
    tsnn_evolution_destroy(&made->evolution);
    tsnn_pruning_destroy(&made->pruning);
    tsnn_predictor_workspace_destroy(&made->workspace);
    tsnn_predictor_destroy(&made->predictor);
    tsnn_context_destroy(&made->context);
    tsnni_test_bytes_free(&made->told);
}

static tsnni_test_bytes product_bytes(const tsnni_product *made)
{
    tsnni_test_bytes bytes = {0};
    tsnni_test_bytes_add(&bytes, made->told.data, made->told.size);
    if (made->layer != NULL)
        tsnni_test_bytes_add_layer(&bytes, made->layer);
    if (made->network != NULL)
        tsnni_test_bytes_add_network(&bytes, made->network);
    return bytes;
}

static void start_world(tsnni_test_world *world)
{
    memset(&counter, 0, sizeof counter);
    tsnni_test_world_create(world, tsnni_test_counted_context(&counter));
}

static void end_world(tsnni_test_world *world, const char *name)
{
    tsnni_test_world_destroy(world);
    ck_assert_msg(counter.live == 0 && counter.bytes == 0, "%s: %d blocks leak", name, (int)counter.live);
}

/* All objects and the product after the call without any refusal. Returns the requests that it took. */
static int64_t undisturbed(const tsnni_memory_call *given, tsnni_test_bytes bytes[2])
{
    tsnni_test_world world;
    tsnni_product made = {0};
    start_world(&world);
    int64_t requests = counter.calls;
    TSNNI_OK(given->call(&world, &made));
    requests = counter.calls - requests;
    bytes[0] = tsnni_test_world_bytes(&world);
    bytes[1] = product_bytes(&made);
    product_free(&made);
    end_world(&world, name_of(given));
    return requests;
}

/* The info of a data set holds its addresses, which differ between two worlds: everything else is compared. */
static void expect_same(const tsnni_test_bytes *expected, const tsnni_test_bytes *actual, const char *name)
{
    ck_assert_msg(expected->size == actual->size, "%s gives other sizes than undisturbed", name);
    size_t different = 0;
    for (size_t k = 0; k < expected->size; k++)
        different += expected->data[k] != actual->data[k];
    size_t addresses = 2 * 2 * sizeof(void *); /* two data sets of two arrays */
    ck_assert_msg(different <= addresses, "%s gives %u other bytes than undisturbed", name, (unsigned)different);
}

/* ---- refusals ---- */

/* The next request to refuse. Long runs of them are sampled, unless everything is to be tested; `dense` is where the
 * gaps begin. */
static int64_t after(int64_t k, int64_t dense)
{
    return k < dense || tsnni_test_all() ? k + 1 : k + 1 + k / 6;
}
enum { DENSE = 60, DENSE_RUN = 20 };

/* There is no context yet; or the predictor is shared by threads, so that nothing can be noted in its context. */
static int32_t has_text(const tsnni_memory_call *given)
{
    return strcmp(given->function, "tsnn_context_create") != 0 &&
           strcmp(given->function, "tsnn_predictor_workspace_create") != 0 &&
           strcmp(given->function, "tsnn_subscriber_create") != 0;
}

/* Refuses the k-th request from here on; with `for_good` those that follow as well. 1 when one was refused. */
static int32_t refuse(const tsnni_memory_call *given, tsnni_test_world *world, tsnni_product *made, int64_t k,
                      int32_t for_good)
{
    int64_t refused = counter.refused;
    counter.fail_at = counter.calls + k;
    counter.for_good = for_good;
    tsnn_status status = given->call(world, made);
    counter.fail_at = 0;
    if (counter.refused == refused) {
        TSNNI_OK(status);
        return 0;
    }
    ck_assert_msg(status == TSNN_ERROR_OUT_OF_MEMORY, "%s, request %d refused: status %d", name_of(given), (int)k,
                  (int)status);
    if (has_text(given))
        TSNNI_REFUSED(world->context, TSNN_ERROR_OUT_OF_MEMORY, status);
    tsnni_product nothing = {0};
    tsnni_test_bytes_free(&made->told);
    ck_assert_msg(memcmp(made, &nothing, sizeof nothing) == 0, "%s: an output is set", name_of(given));
    return 1;
}

/* One world; every refusal must leave it as it was. Returns how many there were. */
static int64_t refuse_unchanged(const tsnni_memory_call *given, const tsnni_test_bytes expected[2], int32_t for_good)
{
    tsnni_test_world world;
    tsnni_product made = {0};
    int64_t refusals = 0;
    start_world(&world);
    tsnni_test_bytes before = tsnni_test_world_bytes(&world);
    for (int64_t k = 1;; k = after(k, DENSE), refusals++) {
        int64_t live = counter.live, bytes = counter.bytes;
        if (!refuse(given, &world, &made, k, for_good))
            break;
        if (given->rule != TSNNI_KEEPS)
            ck_assert_msg(counter.live == live && counter.bytes == bytes, "%s, request %d refused: %d blocks more",
                          name_of(given), (int)k, (int)(counter.live - live));
        tsnni_test_bytes now = tsnni_test_world_bytes(&world);
        ck_assert_msg(tsnni_test_bytes_equal(&before, &now), "%s, request %d refused: something has changed",
                      name_of(given), (int)k);
        tsnni_test_bytes_free(&now);
    }
    tsnni_test_bytes now = tsnni_test_world_bytes(&world), own = product_bytes(&made);
    expect_same(&expected[0], &now, name_of(given));
    ck_assert_msg(tsnni_test_bytes_equal(&expected[1], &own), "%s makes something else than undisturbed",
                  name_of(given));
    product_free(&made);
    tsnni_test_bytes_free(&before);
    tsnni_test_bytes_free(&now);
    tsnni_test_bytes_free(&own);
    end_world(&world, name_of(given));
    return refusals;
}

/* A whole network that works. */
static void expect_sound(const tsnni_test_world *world)
{
    tsnn_network *copy = NULL;
    tsnn_evaluation evaluation = TSNN_EVALUATION_INIT;
    TSNNI_OK(tsnn_network_copy(world->network, &copy));
    tsnn_network_destroy(&copy);
    TSNNI_OK(tsnn_network_evaluate(world->network, world->loss, world->dataset, &evaluation));
}

/* A world for each refusal: a part may have been done, and the call goes on from there. */
static int64_t refuse_partly(const tsnni_memory_call *given, const tsnni_test_bytes expected[2], int32_t for_good)
{
    int64_t refusals = 0;
    for (int64_t k = 1;; k = after(k, DENSE_RUN), refusals++) {
        tsnni_test_world world;
        tsnni_product made = {0};
        start_world(&world);
        int32_t refused = refuse(given, &world, &made, k, for_good);
        if (refused) {
            expect_sound(&world);
            TSNNI_OK(given->call(&world, &made));
        } else if (given->rule == TSNNI_PARTLY) {
            tsnni_test_bytes now = tsnni_test_world_bytes(&world);
            expect_same(&expected[0], &now, name_of(given));
            tsnni_test_bytes_free(&now);
        }
        expect_sound(&world);
        product_free(&made);
        end_world(&world, name_of(given));
        if (!refused)
            return refusals;
    }
}

START_TEST(every_refused_request_leaves_everything_as_it_was)
{
    const tsnni_memory_call *given = call_number(_i);
    if (given->call == NULL)
        return;
    tsnni_test_bytes expected[2];
    int64_t requests = undisturbed(given, expected);
    ck_assert_msg(requests >= given->requests, "%s makes only %d requests", name_of(given), (int)requests);
    for (int32_t for_good = 0; for_good < 2; for_good++) {
        int64_t refusals = given->rule == TSNNI_UNCHANGED || given->rule == TSNNI_KEEPS
                               ? refuse_unchanged(given, expected, for_good)
                               : refuse_partly(given, expected, for_good);
        ck_assert_msg(refusals >= given->requests || (refusals >= DENSE_RUN && !tsnni_test_all()),
                      "%s: only %d requests were refused", name_of(given), (int)refusals);
    }
    tsnni_test_bytes_free(&expected[0]);
    tsnni_test_bytes_free(&expected[1]);
}
END_TEST

START_TEST(calls_that_are_said_to_take_no_memory_take_none)
{
    for (const tsnni_memory_call *given = tsnni_memory_nothing; given->function != NULL; given++) {
        tsnni_test_world world;
        tsnni_product made = {0};
        start_world(&world);
        tsnni_memory_measured = 0;
        TSNNI_OK(given->call(&world, &made));
        ck_assert_msg(tsnni_memory_measured > 0, "%s was not measured", given->function);
        product_free(&made);
        end_world(&world, given->function);
    }
}
END_TEST

/* ---- completeness ---- */

START_TEST(every_public_function_is_in_the_lists)
{
    char line[200];
    FILE *file = fopen(SYMBOLS, "r");
    ck_assert_msg(file != NULL, "%s cannot be read: the tests run in the root of the tree", SYMBOLS);
    int missing = 0, functions = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        int found = 0;
        for (int k = 0; !found && call_number(k) != NULL; k++)
            found = strcmp(call_number(k)->function, line) == 0;
        if (!found)
            fprintf(stderr, "%s is in no list of tests/unit/memory_*.c\n", line);
        missing += !found;
        functions++;
    }
    fclose(file);
    ck_assert_msg(missing == 0, "%d public functions are in no list of tests/unit/memory_*.c", missing);
    ck_assert_int_gt(functions, 100);
}
END_TEST

START_TEST(no_list_has_a_function_that_is_none)
{
    for (int k = 0; call_number(k) != NULL; k++) {
        char line[200];
        int found = 0;
        FILE *file = fopen(SYMBOLS, "r");
        ck_assert_ptr_nonnull(file);
        while (!found && fgets(line, sizeof line, file) != NULL)
            found = strncmp(line, call_number(k)->function, strlen(line) - 1) == 0 &&
                    strlen(line) - 1 == strlen(call_number(k)->function);
        fclose(file);
        ck_assert_msg(found, "%s is not in %s", call_number(k)->function, SYMBOLS);
    }
}
END_TEST

/* ---- more ---- */

START_TEST(a_context_that_gets_no_memory_is_none)
{
    tsnni_test_allocator allocator = {.fail_at = 1};
    ck_assert_ptr_null(tsnni_test_counted_context(&allocator));
    ck_assert_int_eq(allocator.live, 0);
    tsnn_context *context = tsnni_test_counted_context(&allocator);
    ck_assert_ptr_nonnull(context);
    tsnn_context_destroy(&context);
    ck_assert_int_eq(allocator.live, 0);
}
END_TEST

/* The library asks for nothing in a step once the first has been made. */
START_TEST(steps_after_the_first_take_no_memory)
{
    tsnni_test_world world;
    start_world(&world);
    int64_t requests = counter.calls;
    for (int s = 0; s < 5; s++)
        TSNNI_OK(tsnn_trainer_step(world.trainer, world.dataset, NULL, 16 - s, 1.0, NULL));
    ck_assert_int_eq(counter.calls, requests);
    end_world(&world, "steps");
}
END_TEST

Suite *tsnni_suite_memory(void)
{
    int calls = 0; /* the list of those that take nothing is the last */
    while (call_number(calls)->rule != TSNNI_NOTHING)
        calls++;
    Suite *suite = suite_create("memory");
    TCase *tcase = tcase_create("refused");
    tcase_set_timeout(tcase, tsnni_test_all() ? 600 : 60);
    tcase_add_loop_test(tcase, every_refused_request_leaves_everything_as_it_was, 0, calls);
    tcase_add_test(tcase, calls_that_are_said_to_take_no_memory_take_none);
    tcase_add_test(tcase, every_public_function_is_in_the_lists);
    tcase_add_test(tcase, no_list_has_a_function_that_is_none);
    tcase_add_test(tcase, a_context_that_gets_no_memory_is_none);
    tcase_add_test(tcase, steps_after_the_first_take_no_memory);
    suite_add_tcase(suite, tcase);
    return suite;
}
