/* Subscribers: taking the current predictor of a publisher, and predicting with it. publisher.c says how that is safe.
 */
#include "publisher.h"

#include "core/memory.h"

tsnn_status tsnn_subscriber_create(tsnn_publisher *publisher, int64_t batch, tsnn_subscriber **out)
{
    if (out == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    *out = NULL;
    if (publisher == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime runtime = publisher->runtime;
    tsnn_subscriber *subscriber = NULL;
    tsnn_status status;
    TSNNI_TRY(TSNNI_NEW_ZERO(&runtime, 1, &subscriber));
    TSNNI_TRY(tsnni_workspace_make(&runtime, &publisher->needs, batch, &subscriber->workspace));
    for (int64_t p = 0; p < publisher->place_count && subscriber->place == NULL; p++) {
        int nobody = 0;
        if (atomic_compare_exchange_strong(&publisher->places[p].taken, &nobody, 1))
            subscriber->place = &publisher->places[p];
    }
    if (subscriber->place == NULL) {
        status = TSNN_ERROR_STATE;
        goto fail;
    }
    subscriber->publisher = publisher;
    *out = subscriber;
    return TSNN_OK;
fail:
    if (subscriber != NULL)
        tsnn_predictor_workspace_destroy(&subscriber->workspace);
    tsnni_release(&runtime, subscriber);
    return status;
}

void tsnn_subscriber_destroy(tsnn_subscriber **subscriber)
{
    if (subscriber == NULL || *subscriber == NULL)
        return;
    tsnni_runtime runtime = (*subscriber)->publisher->runtime;
    atomic_store(&(*subscriber)->place->holds, TSNNI_HOLDS_NOTHING);
    atomic_store(&(*subscriber)->place->taken, 0);
    tsnn_predictor_workspace_destroy(&(*subscriber)->workspace);
    tsnni_release(&runtime, *subscriber);
    *subscriber = NULL;
}

/* ---- taking ---- */

static const tsnn_predictor *take(tsnn_subscriber *subscriber)
{
    uintptr_t expected = TSNNI_IS_TAKING;
    atomic_store(&subscriber->place->holds, TSNNI_IS_TAKING);
    uintptr_t current = atomic_load(&subscriber->publisher->current);
    if (!atomic_compare_exchange_strong(&subscriber->place->holds, &expected, current))
        current = expected; /* the publisher has put a newer one there */
    return (const tsnn_predictor *)current;
}

static void let_go(tsnn_subscriber *subscriber)
{
    atomic_store_explicit(&subscriber->place->holds, TSNNI_HOLDS_NOTHING, memory_order_release);
}

tsnn_status tsnn_subscriber_hold(tsnn_subscriber *subscriber, int64_t *version)
{
    if (subscriber == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    if (subscriber->held != NULL)
        return tsnni_fail(&subscriber->workspace->errors, TSNN_ERROR_STATE, "version %lld is held already",
                          (long long)subscriber->held->version);
    subscriber->held = take(subscriber);
    if (version != NULL)
        *version = subscriber->held->version;
    return TSNN_OK;
}

tsnn_status tsnn_subscriber_release(tsnn_subscriber *subscriber)
{
    if (subscriber == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    if (subscriber->held == NULL)
        return tsnni_fail(&subscriber->workspace->errors, TSNN_ERROR_STATE, "no version is held");
    subscriber->held = NULL;
    let_go(subscriber);
    return TSNN_OK;
}

/* ---- predicting ---- */

/* The predictor of one call, which its workspace then belongs to. */
static const tsnn_predictor *enter(tsnn_subscriber *subscriber, int64_t *version)
{
    const tsnn_predictor *predictor = subscriber->held != NULL ? subscriber->held : take(subscriber);
    subscriber->workspace->predictor = predictor;
    if (version != NULL)
        *version = predictor->version;
    return predictor;
}

static tsnn_status leave(tsnn_subscriber *subscriber, tsnn_status status)
{
    if (subscriber->held == NULL)
        let_go(subscriber);
    return status;
}

tsnn_status tsnn_subscriber_run(tsnn_subscriber *subscriber, const tsnn_samples *samples, const tsnn_answers *answers,
                                int64_t *version)
{
    if (subscriber == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    const tsnn_predictor *predictor = enter(subscriber, version);
    return leave(subscriber, tsnn_predictor_run(predictor, subscriber->workspace, samples, answers));
}

tsnn_status tsnn_subscriber_predict(tsnn_subscriber *subscriber, const float *features, int64_t samples, float *outputs,
                                    int64_t capacity, int64_t *version)
{
    if (subscriber == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    const tsnn_predictor *predictor = enter(subscriber, version);
    return leave(subscriber,
                 tsnn_predictor_predict(predictor, subscriber->workspace, features, samples, outputs, capacity));
}

tsnn_status tsnn_subscriber_classify(tsnn_subscriber *subscriber, const float *features, int64_t samples,
                                     int32_t *labels, int64_t capacity, int64_t *version)
{
    if (subscriber == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    const tsnn_predictor *predictor = enter(subscriber, version);
    return leave(subscriber,
                 tsnn_predictor_classify(predictor, subscriber->workspace, features, samples, labels, capacity));
}

tsnn_status tsnn_subscriber_error(const tsnn_subscriber *subscriber, char *buffer, int64_t capacity, tsnn_status *code)
{
    return tsnn_predictor_workspace_error(subscriber != NULL ? subscriber->workspace : NULL, buffer, capacity, code);
}
