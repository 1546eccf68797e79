/* Publishing predictors to threads that go on predicting.
 *
 * Hazard pointers (Michael, IEEE Trans. Parallel Distrib. Syst. 15, 2004) without their loop: a subscriber writes
 * "taking" into its place, reads the current predictor, and puts it into the place if that still says "taking". The
 * publisher swaps the current predictor first and then looks at every place: where it says "taking", the publisher puts
 * the new one there itself, and the subscriber finds and uses that. So after the look no place can get an old predictor
 * any more, and an old one that is in no place can be freed. Neither side ever waits or tries again. All of this is
 * sequentially consistent, which the argument needs. */
#include "publisher.h"

#include <string.h>

#include "core/memory.h"

#define TSNNI_DEFAULT_SUBSCRIBERS 64
#define TSNNI_MOST_SUBSCRIBERS 65536

tsnn_status tsnn_publisher_options_init(tsnn_publisher_options *options)
{
    if (options == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    *options = (tsnn_publisher_options)TSNN_PUBLISHER_OPTIONS_INIT;
    return TSNN_OK;
}

static tsnn_status read_options(tsnni_runtime *runtime, const tsnn_publisher_options *options,
                                const tsnn_predictor *predictor, tsnn_publisher_options *out)
{
    tsnn_status status;
    TSNNI_TRY(tsnni_options_read(runtime, options, out, sizeof *out, "tsnn_publisher_options"));
    if (out->subscribers < 0 || out->subscribers > TSNNI_MOST_SUBSCRIBERS)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "subscribers is %d; it must be 0..%d", (int)out->subscribers,
                   TSNNI_MOST_SUBSCRIBERS);
    if (out->widest < 0 || out->widest > INT32_MAX ||
        (out->widest > 0 && tsnni_whole_chunks(out->widest) < predictor->largest))
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "widest is %lld; the predictor has a layer of %lld",
                   (long long)out->widest, (long long)predictor->largest);
    if (out->subscribers == 0)
        out->subscribers = TSNNI_DEFAULT_SUBSCRIBERS;
    return TSNN_OK;
fail:
    return status;
}

tsnn_status tsnn_publisher_create(tsnn_context *context, tsnn_predictor **predictor,
                                  const tsnn_publisher_options *options, tsnn_publisher **out)
{
    if (out == NULL)
        return tsnni_null_argument(context, "out");
    *out = NULL;
    if (context == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *runtime = &context->runtime;
    tsnn_publisher *publisher = NULL;
    tsnn_publisher_options given;
    tsnn_status status;
    if (predictor == NULL || *predictor == NULL)
        TSNNI_FAIL(runtime, TSNN_ERROR_NULL_ARGUMENT, "predictor is NULL");
    TSNNI_TRY(read_options(runtime, options, *predictor, &given));
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, 1, &publisher));
    TSNNI_TRY(TSNNI_NEW(runtime, given.subscribers, &publisher->places));
    TSNNI_TRY(TSNNI_NEW(runtime, given.subscribers + 1, &publisher->retired));
    for (int32_t p = 0; p < given.subscribers; p++) {
        atomic_init(&publisher->places[p].holds, TSNNI_HOLDS_NOTHING);
        atomic_init(&publisher->places[p].taken, 0);
    }
    publisher->place_count = given.subscribers;
    publisher->runtime = context->runtime;
    publisher->runtime.log = NULL;
    publisher->context = context;
    int64_t widest = tsnni_whole_chunks(given.widest);
    publisher->needs.largest = widest > (*predictor)->largest ? widest : (*predictor)->largest;
    publisher->needs.list = publisher->needs.largest; /* whatever is published later */
    publisher->needs.batch = 1;
    publisher->inputs = tsnni_predictor_inputs(*predictor);
    publisher->outputs = tsnni_predictor_outputs(*predictor);
    (*predictor)->version = 1;
    atomic_init(&publisher->current, (uintptr_t)*predictor);
    *predictor = NULL;
    *out = publisher;
    return TSNN_OK;
fail:
    if (publisher != NULL)
        tsnni_release(runtime, publisher->places);
    tsnni_release(runtime, publisher);
    return status;
}

void tsnn_publisher_destroy(tsnn_publisher **publisher)
{
    if (publisher == NULL || *publisher == NULL)
        return;
    tsnni_runtime runtime = (*publisher)->runtime;
    tsnn_predictor *current = tsnni_publisher_current(*publisher);
    tsnn_predictor_destroy(&current);
    for (int64_t k = 0; k < (*publisher)->retired_count; k++)
        tsnn_predictor_destroy(&(*publisher)->retired[k]);
    tsnni_release(&runtime, (*publisher)->retired);
    tsnni_release(&runtime, (*publisher)->places);
    tsnni_release(&runtime, *publisher);
    *publisher = NULL;
}

/* ---- publishing ---- */

static int32_t is_held(tsnn_publisher *publisher, const tsnn_predictor *predictor)
{
    for (int64_t p = 0; p < publisher->place_count; p++)
        if (atomic_load(&publisher->places[p].holds) == (uintptr_t)predictor)
            return 1;
    return 0;
}

void tsnni_publisher_collect(tsnn_publisher *publisher)
{
    int64_t kept = 0;
    for (int64_t k = 0; k < publisher->retired_count; k++)
        if (is_held(publisher, publisher->retired[k]))
            publisher->retired[kept++] = publisher->retired[k];
        else
            tsnn_predictor_destroy(&publisher->retired[k]);
    publisher->retired_count = kept;
}

tsnn_status tsnn_publisher_publish(tsnn_publisher *publisher, tsnn_predictor **predictor)
{
    if (publisher == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *runtime = &publisher->context->runtime;
    tsnn_status status;
    if (predictor == NULL || *predictor == NULL)
        TSNNI_FAIL(runtime, TSNN_ERROR_NULL_ARGUMENT, "predictor is NULL");
    int64_t inputs = tsnni_predictor_inputs(*predictor), outputs = tsnni_predictor_outputs(*predictor);
    if (inputs != publisher->inputs || outputs != publisher->outputs)
        TSNNI_FAIL(runtime, TSNN_ERROR_SHAPE,
                   "a predictor of %lld inputs and %lld outputs; the first has %lld and %lld", (long long)inputs,
                   (long long)outputs, (long long)publisher->inputs, (long long)publisher->outputs);
    if ((*predictor)->largest > publisher->needs.largest)
        TSNNI_FAIL(runtime, TSNN_ERROR_SHAPE, "a layer of %lld neurons; subscribers have memory for %lld",
                   (long long)(*predictor)->largest, (long long)publisher->needs.largest);
    tsnn_predictor *old = tsnni_publisher_current(publisher);
    uintptr_t fresh = (uintptr_t)*predictor;
    (*predictor)->version = old->version + 1;
    atomic_store(&publisher->current, fresh);
    for (int64_t p = 0; p < publisher->place_count; p++) {
        uintptr_t taking = TSNNI_IS_TAKING;
        atomic_compare_exchange_strong(&publisher->places[p].holds, &taking, fresh);
    }
    publisher->retired[publisher->retired_count++] = old;
    tsnni_publisher_collect(publisher);
    *predictor = NULL;
    return TSNN_OK;
fail:
    return status;
}

tsnn_status tsnn_publisher_get_info(const tsnn_publisher *publisher, tsnn_publisher_info *info)
{
    if (publisher == NULL || info == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnn_publisher_info known = TSNN_PUBLISHER_INFO_INIT;
    tsnn_publisher *inside = (tsnn_publisher *)publisher; /* only read: C11 has no atomic loads of const */
    for (int64_t p = 0; p < publisher->place_count; p++)
        known.subscribers += atomic_load(&inside->places[p].taken);
    known.version = tsnni_publisher_current(inside)->version;
    known.alive = publisher->retired_count + 1;
    return tsnni_info_write(&publisher->context->runtime, info, &known, sizeof known, "tsnn_publisher_info");
}
