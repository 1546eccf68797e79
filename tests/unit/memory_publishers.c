/* The calls of publishers and subscribers, for the tests of memory. Each makes a publisher of its own, whose requests
 * are refused like the others. */
#include "memory_calls.h"

static tsnn_status make_publisher(tsnni_test_world *world, tsnn_publisher **out)
{
    tsnn_predictor *predictor = NULL;
    *out = NULL;
    tsnn_status status = tsnn_predictor_create(world->context, world->network, NULL, &predictor);
    if (status == TSNN_OK)
        status = tsnn_publisher_create(world->context, &predictor, NULL, out);
    tsnn_predictor_destroy(&predictor);
    return status;
}

static tsnn_status publish(tsnni_test_world *world, tsnni_product *made)
{
    tsnn_publisher *publisher;
    (void)made;
    tsnn_status status = make_publisher(world, &publisher);
    tsnn_publisher_destroy(&publisher);
    return status;
}

static tsnn_status subscribe(tsnni_test_world *world, tsnni_product *made)
{
    tsnn_publisher *publisher;
    tsnn_subscriber *subscriber = NULL;
    (void)made;
    tsnn_status status = make_publisher(world, &publisher);
    if (status == TSNN_OK)
        status = tsnn_subscriber_create(publisher, 16, &subscriber);
    tsnn_subscriber_destroy(&subscriber);
    tsnn_publisher_destroy(&publisher);
    return status;
}

/* A refused snapshot leaves the one before. */
static tsnn_status publish_network(tsnni_test_world *world, tsnni_product *made)
{
    tsnn_publisher *publisher;
    (void)made;
    tsnn_status status = make_publisher(world, &publisher);
    if (status == TSNN_OK) {
        tsnn_publisher_info info = TSNN_PUBLISHER_INFO_INIT;
        status = tsnn_publisher_publish_network(publisher, world->network);
        TSNNI_OK(tsnn_publisher_get_info(publisher, &info));
        ck_assert_int_eq(info.version, status == TSNN_OK ? 2 : 1);
    }
    tsnn_publisher_destroy(&publisher);
    return status;
}

const tsnni_memory_call tsnni_memory_publishers[] = {
    {"tsnn_publisher_create", NULL, publish, TSNNI_UNCHANGED, 20},
    {"tsnn_subscriber_create", NULL, subscribe, TSNNI_UNCHANGED, 20},
    {"tsnn_publisher_publish_network", NULL, publish_network, TSNNI_UNCHANGED, 30},
    {NULL, NULL, NULL, 0, 0},
};
