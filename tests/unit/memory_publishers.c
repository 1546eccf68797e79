/* The calls of publishers and subscribers, for the tests of memory. Each makes a publisher of its own, whose requests
 * are refused like the others. */
#include "memory_calls.h"

typedef struct pair {
    tsnn_publisher *publisher;
    tsnn_subscriber *subscriber;
} pair;

static void pair_free(pair *made)
{
    tsnn_subscriber_destroy(&made->subscriber);
    tsnn_publisher_destroy(&made->publisher);
}

static tsnn_status pair_create(tsnni_test_world *world, pair *made)
{
    tsnn_predictor *predictor = NULL;
    *made = (pair){NULL, NULL};
    tsnn_status status = tsnn_predictor_create(world->context, world->network, NULL, &predictor);
    if (status == TSNN_OK)
        status = tsnn_publisher_create(world->context, &predictor, NULL, &made->publisher);
    if (status == TSNN_OK)
        status = tsnn_subscriber_create(made->publisher, 16, &made->subscriber);
    tsnn_predictor_destroy(&predictor);
    return status;
}

static tsnn_status make_pair(tsnni_test_world *world, tsnni_product *made)
{
    pair own;
    (void)made;
    tsnn_status status = pair_create(world, &own);
    pair_free(&own);
    return status;
}

/* A refused snapshot leaves the one before. */
static tsnn_status publish_network(tsnni_test_world *world, tsnni_product *made)
{
    pair own;
    (void)made;
    tsnn_status status = pair_create(world, &own);
    if (status == TSNN_OK) {
        tsnn_publisher_info info = TSNN_PUBLISHER_INFO_INIT;
        status = tsnn_publisher_publish_network(own.publisher, world->network);
        TSNNI_OK(tsnn_publisher_get_info(own.publisher, &info));
        ck_assert_int_eq(info.version, status == TSNN_OK ? 2 : 1);
    }
    pair_free(&own);
    return status;
}

const tsnni_memory_call tsnni_memory_publishers[] = {
    {"tsnn_publisher_create", NULL, make_pair, TSNNI_UNCHANGED, 20},
    {"tsnn_subscriber_create", NULL, make_pair, TSNNI_UNCHANGED, 20},
    {"tsnn_publisher_publish_network", NULL, publish_network, TSNNI_UNCHANGED, 30},
    {NULL, NULL, NULL, 0, 0},
};
