/*
 * Two threads answer questions while a third learns the answers: after every epoch the trainer publishes a snapshot,
 * and the next question is answered by it. Nobody waits for anybody.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <threads.h>

#include <tsnn.h>

enum { FEATURES = 10, SAMPLES = 2000, QUESTIONS = 500, EPOCHS = 30, SERVERS = 2 };

/* Whether two of ten numbers have the same sign. */
static float features[SAMPLES + QUESTIONS][FEATURES];
static int32_t labels[SAMPLES + QUESTIONS];

static tsnn_publisher *publisher;
static atomic_int ready, over; /* servers that have answered once; the training is done */

/* What a server tells in the end. */
struct server {
    int64_t rounds, first, last; /* versions that answered first and last */
    int64_t right_first, right_last;
};

/* Every call returns a status; the words that go with a failure are in the context. */
static void check(const tsnn_context *context, tsnn_status status)
{
    char detail[256] = "";
    if (status >= 0)
        return;
    if (context != NULL)
        tsnn_context_error(context, detail, sizeof detail, NULL);
    fprintf(stderr, "serve_while_training: %s %s\n", tsnn_status_string(status), detail);
    exit(EXIT_FAILURE);
}

static void make_data(void)
{
    uint32_t state = 1;
    for (int n = 0; n < SAMPLES + QUESTIONS; n++) {
        for (int f = 0; f < FEATURES; f++) {
            state = state * 1664525u + 1013904223u;
            features[n][f] = (float)(state >> 8) / 8388608.0f - 1.0f;
        }
        labels[n] = features[n][2] * features[n][7] > 0;
    }
}

/* One thread that serves, with a subscriber of its own. */
static int serve(void *user)
{
    struct server *server = user;
    tsnn_subscriber *subscriber = NULL;
    int32_t answers[QUESTIONS];
    check(NULL, tsnn_subscriber_create(publisher, QUESTIONS, &subscriber));
    for (int last = 0; !last;) {
        last = atomic_load(&over); /* looked at before: the last round sees all that has been published */
        check(NULL,
              tsnn_subscriber_classify(subscriber, features[SAMPLES], QUESTIONS, answers, QUESTIONS, &server->last));
        server->right_last = 0;
        for (int n = 0; n < QUESTIONS; n++)
            server->right_last += answers[n] == labels[SAMPLES + n];
        if (server->rounds++ == 0) {
            server->first = server->last;
            server->right_first = server->right_last;
            atomic_fetch_add(&ready, 1);
        }
    }
    tsnn_subscriber_destroy(&subscriber);
    return 0;
}

/* Called by the trainer, on its thread. A negative answer would stop it. */
static int32_t on_epoch(void *user, const tsnn_epoch_report *report)
{
    (void)report;
    return tsnn_publisher_publish_network(publisher, user) < 0 ? -1 : 0;
}

static void learn(tsnn_context *context, tsnn_network *network)
{
    tsnn_dataset *dataset = NULL;
    tsnn_loss *loss = NULL;
    tsnn_optimizer *optimizer = NULL;
    tsnn_trainer *trainer = NULL;
    tsnn_dataset_options data = TSNN_DATASET_OPTIONS_INIT;
    data.samples = SAMPLES;
    data.features = FEATURES;
    data.feature_data = features[0];
    data.labels = labels;
    tsnn_optimizer_options momentum = TSNN_OPTIMIZER_OPTIONS_INIT;
    momentum.kind = TSNN_OPTIMIZER_MOMENTUM;
    momentum.learning_rate = 0.05;
    check(context, tsnn_dataset_create(context, &data, &dataset));
    check(context, tsnn_loss_create(context, NULL, &loss));
    check(context, tsnn_optimizer_create(context, &momentum, &optimizer));
    tsnn_trainer_options options = TSNN_TRAINER_OPTIONS_INIT;
    options.network = network;
    options.loss = loss;
    options.optimizer = optimizer;
    options.epochs = EPOCHS;
    options.on_epoch = on_epoch;
    options.user = network;
    check(context, tsnn_trainer_create(context, &options, &trainer));
    check(context, tsnn_trainer_run(trainer, dataset, NULL));
    tsnn_trainer_destroy(&trainer);
    tsnn_optimizer_destroy(&optimizer);
    tsnn_loss_destroy(&loss);
    tsnn_dataset_destroy(&dataset);
}

int main(void)
{
    static const int64_t sizes[] = {FEATURES, 100, 100, 2};
    tsnn_context *context = NULL;
    tsnn_network *network = NULL;
    tsnn_predictor *first = NULL;
    thrd_t threads[SERVERS];
    struct server servers[SERVERS] = {{0}};
    tsnn_mlp_options shape = TSNN_MLP_OPTIONS_INIT;
    shape.sizes = sizes;
    shape.size_count = 4;
    shape.epsilon = 4;
    make_data();
    check(NULL, tsnn_context_create(NULL, &context));
    check(context, tsnn_network_create_mlp(context, &shape, &network));
    check(context, tsnn_predictor_create(context, network, NULL, &first));
    check(context, tsnn_publisher_create(context, &first, NULL, &publisher)); /* takes it over: version 1 */
    for (int s = 0; s < SERVERS; s++)
        if (thrd_create(&threads[s], serve, &servers[s]) != thrd_success)
            return EXIT_FAILURE;
    while (atomic_load(&ready) < SERVERS)
        thrd_yield();
    learn(context, network);
    atomic_store(&over, 1);
    for (int s = 0; s < SERVERS; s++) {
        thrd_join(threads[s], NULL);
        printf("server %d: version %lld had %.3f right, version %lld has %.3f; %lld rounds of %d questions\n", s + 1,
               (long long)servers[s].first, (double)servers[s].right_first / QUESTIONS, (long long)servers[s].last,
               (double)servers[s].right_last / QUESTIONS, (long long)servers[s].rounds, QUESTIONS);
    }
    tsnn_publisher_destroy(&publisher);
    tsnn_network_destroy(&network);
    tsnn_context_destroy(&context);
    return 0;
}
