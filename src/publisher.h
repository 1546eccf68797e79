/* Inside of a publisher: the current predictor, those that subscribers may still use, and a place for each subscriber.
 */
#ifndef TSNNI_PUBLISHER_H
#define TSNNI_PUBLISHER_H

#include <tsnn/publisher.h>

#include <stdatomic.h>

#include "predictor_workspace.h"

/* What a place holds besides the address of a predictor. */
#define TSNNI_HOLDS_NOTHING ((uintptr_t)0)
#define TSNNI_IS_TAKING ((uintptr_t)1)

/* A subscriber's place, alone in its cache line. */
typedef struct tsnni_place {
    atomic_uintptr_t holds; /* the predictor that must stay */
    atomic_int taken;       /* by a subscriber */
    char padding[TSNNI_ALIGNMENT - sizeof(atomic_uintptr_t) - sizeof(atomic_int)];
} tsnni_place;

struct tsnn_publisher {
    tsnni_runtime runtime; /* a copy, for subscribers: the context belongs to the publishing thread */
    tsnn_context *context;
    atomic_uintptr_t current; /* a tsnn_predictor */
    tsnni_workspace_needs needs;
    int64_t inputs, outputs;
    tsnni_place *places;
    int64_t place_count;
    tsnn_predictor **retired; /* place_count + 1; no longer current, but perhaps held */
    int64_t retired_count;
};

struct tsnn_subscriber {
    tsnn_publisher *publisher;
    tsnni_place *place;
    tsnn_predictor_workspace *workspace;
    const tsnn_predictor *held; /* NULL: each call takes the current one */
};

static inline tsnn_predictor *tsnni_publisher_current(tsnn_publisher *publisher)
{
    return (tsnn_predictor *)atomic_load(&publisher->current);
}

/* Frees the retired predictors that no place holds. */
void tsnni_publisher_collect(tsnn_publisher *publisher);

#endif
