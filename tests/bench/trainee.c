/* Makes a trainee, steps it, counts its memory, and times the kernels inside its steps. */
#include "trainee.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "context.h"
#include "core/random.h"

#define BATCHES 8
#define DROPOUT 0.3
#define HEADER ((size_t)64) /* in front of a counted block, for its size */

/* ---- memory that is counted ---- */

static void *count_allocation(void *user, size_t size)
{
    bench_counter *counter = user;
    unsigned char *block = malloc(size + HEADER);
    if (block == NULL)
        return NULL;
    memcpy(block, &size, sizeof size);
    counter->bytes += (int64_t)size;
    return block + HEADER;
}

static void count_release(void *user, void *pointer)
{
    bench_counter *counter = user;
    unsigned char *block = (unsigned char *)pointer - HEADER;
    size_t size;
    memcpy(&size, block, sizeof size);
    counter->bytes -= (int64_t)size;
    free(block);
}

/* ---- a trainee ---- */

static void make_data(bench *b, bench_trainee *t)
{
    int64_t samples = BATCHES * t->shape->batch, features = t->shape->sizes[0];
    int64_t classes = t->shape->sizes[t->shape->size_count - 1];
    t->features = bench_array(b, samples * features, sizeof *t->features);
    t->labels = bench_array(b, samples, sizeof *t->labels);
    tsnni_stream stream;
    tsnni_stream_init(&stream, tsnni_random_key_make(1, TSNNI_PURPOSE_USER, 0, 0, 0));
    for (int64_t k = 0; k < samples * features; k++)
        t->features[k] = 2.0f * tsnni_stream_uniform_float(&stream) - 1.0f;
    for (int64_t n = 0; n < samples; n++)
        t->labels[n] = (int32_t)(n % classes);
    tsnn_dataset_options options = TSNN_DATASET_OPTIONS_INIT;
    options.ownership = TSNN_BORROW;
    options.samples = samples;
    options.features = features;
    options.classes = classes;
    options.feature_data = t->features;
    options.labels = t->labels;
    bench_require(tsnn_dataset_create(t->context, &options, &t->dataset), "data set");
}

static void make_network(bench_trainee *t, double epsilon)
{
    tsnn_activation *hidden;
    tsnn_activation_options rule = TSNN_ACTIVATION_OPTIONS_INIT;
    rule.kind = TSNN_ACTIVATION_ALL_RELU;
    rule.alpha = t->shape->alpha;
    bench_require(tsnn_activation_create(t->context, &rule, &hidden), "activation");
    tsnn_mlp_options options = TSNN_MLP_OPTIONS_INIT;
    options.sizes = t->shape->sizes;
    options.size_count = t->shape->size_count;
    options.epsilon = epsilon;
    options.hidden = hidden;
    options.dropout = DROPOUT;
    bench_require(tsnn_network_create_mlp(t->context, &options, &t->network), "network");
    tsnn_activation_destroy(&hidden);
    tsnn_network_info info = TSNN_NETWORK_INFO_INIT;
    bench_require(tsnn_network_get_info(t->network, &info), "network");
    t->connections = info.connections;
}

void bench_trainee_init(bench *b, const bench_network *shape, double epsilon, bench_counter *counter, bench_trainee *t)
{
    memset(t, 0, sizeof *t);
    t->shape = shape;
    tsnn_context_options options = TSNN_CONTEXT_OPTIONS_INIT;
    options.threads = 1;
    options.isa = (int32_t)b->isa;
    options.seed = 1;
    if (counter != NULL) {
        options.allocate = count_allocation;
        options.release = count_release;
        options.allocator_user = counter;
    }
    bench_require(tsnn_context_create(&options, &t->context), "context");
    make_data(b, t);
    make_network(t, epsilon);
    bench_require(tsnn_loss_create(t->context, NULL, &t->loss), "loss");
    tsnn_optimizer_options rule = TSNN_OPTIMIZER_OPTIONS_INIT;
    rule.kind = TSNN_OPTIMIZER_MOMENTUM;
    rule.learning_rate = 0.001;
    rule.weight_decay = 0.0002;
    bench_require(tsnn_optimizer_create(t->context, &rule, &t->optimizer), "optimizer");
    tsnn_trainer_options training = TSNN_TRAINER_OPTIONS_INIT;
    training.network = t->network;
    training.loss = t->loss;
    training.optimizer = t->optimizer;
    training.batch = shape->batch;
    bench_require(tsnn_trainer_create(t->context, &training, &t->trainer), "trainer");
}

void bench_trainee_free(bench *b, bench_trainee *t)
{
    tsnn_trainer_destroy(&t->trainer);
    tsnn_optimizer_destroy(&t->optimizer);
    tsnn_loss_destroy(&t->loss);
    tsnn_network_destroy(&t->network);
    tsnn_dataset_destroy(&t->dataset);
    tsnn_context_destroy(&t->context);
    bench_release(b, t->features);
    bench_release(b, t->labels);
    memset(t, 0, sizeof *t);
}

double bench_trainee_step(bench_trainee *t)
{
    enum { MOST_SAMPLES = 1024 };
    int64_t samples[MOST_SAMPLES], batch = t->shape->batch;
    /* An order without a pattern that a processor could guess, every sample as often as any other. */
    for (int64_t n = 0; n < batch; n++)
        samples[n] = (t->steps * batch + n) * 331 % (BATCHES * batch);
    t->steps++;
    double start = bench_now();
    bench_require(tsnn_trainer_step(t->trainer, t->dataset, samples, batch, 1.0, NULL), "step");
    return bench_now() - start;
}

/* ---- where the time of a step goes ---- */

const char *const bench_part_names[BENCH_PARTS] = {"forward", "backward", "transpose", "delta", "biases", "other"};

/* A kernel has no argument for it. */
static const tsnni_kernels *watched;
static double spent[BENCH_PARTS];

#define TIMED(part, call)                                                                                              \
    do {                                                                                                               \
        double start = bench_now();                                                                                    \
        call;                                                                                                          \
        spent[part] += bench_now() - start;                                                                            \
    } while (0)

static void forward_short(const tsnni_forward *task, int64_t begin, int64_t end)
{
    TIMED(BENCH_PART_FORWARD, watched->forward[0](task, begin, end));
}

static void forward_long(const tsnni_forward *task, int64_t begin, int64_t end)
{
    TIMED(BENCH_PART_FORWARD, watched->forward[1](task, begin, end));
}

static void dense_forward(const tsnni_forward *task, int64_t begin, int64_t end)
{
    TIMED(BENCH_PART_FORWARD, watched->dense_forward(task, begin, end));
}

static void backward_short(const tsnni_backward *task, int64_t begin, int64_t end)
{
    TIMED(BENCH_PART_BACKWARD, watched->backward[0](task, begin, end));
}

static void backward_long(const tsnni_backward *task, int64_t begin, int64_t end)
{
    TIMED(BENCH_PART_BACKWARD, watched->backward[1](task, begin, end));
}

static void dense_backward(const tsnni_backward *task, int64_t begin, int64_t end)
{
    TIMED(BENCH_PART_BACKWARD, watched->dense_backward(task, begin, end));
}

static void batch_load(const tsnni_batch_load *task, int64_t begin, int64_t end)
{
    TIMED(BENCH_PART_LOAD, watched->batch_load(task, begin, end));
}

static void derivative(const tsnni_backward *task, int64_t begin, int64_t end)
{
    TIMED(BENCH_PART_DELTA, watched->derivative(task, begin, end));
}

static void update(float *values, float *velocity, const float *gradient, const tsnni_update *rule, int64_t begin,
                   int64_t end)
{
    TIMED(BENCH_PART_UPDATE, watched->update(values, velocity, gradient, rule, begin, end));
}

void bench_parts_watch(bench_trainee *t)
{
    static tsnni_kernels timed;
    watched = t->context->kernels;
    timed = *watched;
    timed.forward[0] = forward_short;
    timed.forward[1] = forward_long;
    timed.dense_forward = dense_forward;
    timed.backward[0] = backward_short;
    timed.backward[1] = backward_long;
    timed.dense_backward = dense_backward;
    timed.batch_load = batch_load;
    timed.derivative = derivative;
    timed.update = update;
    t->context->kernels = &timed;
    memset(spent, 0, sizeof spent);
}

void bench_parts_take(double step, double parts[BENCH_PARTS])
{
    for (int p = 0; p < BENCH_PART_OTHER; p++) {
        parts[p] = spent[p];
        step -= spent[p];
    }
    parts[BENCH_PART_OTHER] = step;
    memset(spent, 0, sizeof spent);
}
