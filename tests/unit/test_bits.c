/* The same seed gives the same bits for any number of threads; and what runs on which thread. */
#include "suites.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "course.h"

#define ALL_RELU                                                                                                       \
    {                                                                                                                  \
        TSNN_ACTIVATION_ALL_RELU, .6                                                                                   \
    }
#define TANH                                                                                                           \
    {                                                                                                                  \
        TSNN_ACTIVATION_TANH, 0                                                                                        \
    }
#define SOFTMAX                                                                                                        \
    {                                                                                                                  \
        TSNN_ACTIVATION_SOFTMAX, 0                                                                                     \
    }

/* ---- the same bits ---- */

typedef struct bits_case {
    int32_t isa;
    int64_t micro_batch;
    double clip_norm;
    int32_t custom, format;
} bits_case;

static const bits_case bits_cases[] = {
    {TSNN_ISA_AUTO, 0, 0, 0, 0},
    {TSNN_ISA_AUTO, 40, 1.0, 0, 0},
    {TSNN_ISA_AUTO, 0, 0, 1, 0},
    {TSNN_ISA_REF, 0, 0, 0, 0},
    {TSNN_ISA_AVX2, 40, 1.0, 0, 0},
    {TSNN_ISA_AUTO, 40, 0, 0, TSNN_ACTIVATIONS_BF16},
    {TSNN_ISA_AUTO, 0, 0, 1, TSNN_ACTIVATIONS_BF16},
};

static tsnni_test_bytes trained_bits(const bits_case *given, int32_t threads, uint64_t seed)
{
    static const int64_t sizes[] = {200, 300, 250, 200, 10};
    static const tsnni_test_function plain[] = {ALL_RELU, TANH, ALL_RELU, SOFTMAX};
    static const tsnni_test_function other[] = {ALL_RELU, SOFTMAX, {TSNN_ACTIVATION_CUSTOM, 0}, SOFTMAX};
    tsnni_test_bytes bytes = {0};
    tsnn_context *context = tsnni_test_context(given->isa, threads, seed);
    if (context == NULL)
        return bytes;
    tsnn_network *network = tsnni_test_network(context, 4, sizes, given->custom ? other : plain, 0.2, 0.3);
    TSNNI_OK(tsnn_network_set_activation_format(network, given->format));
    tsnni_course course = tsnni_course_create(context, network, tsnni_test_labelled(context, 300, 200, 10, 1),
                                              TSNN_LOSS_CROSS_ENTROPY, 0.02);
    course.validation = tsnni_test_labelled(context, 100, 200, 10, 2);
    tsnni_course_add_evolution(&course, 0.3);
    tsnni_course_add_pruning(&course, 10.0, 1, 1);
    course.options.epochs = 3;
    course.options.micro_batch = given->micro_batch;
    course.options.clip_norm = given->clip_norm;
    tsnni_course_start(&course);
    TSNNI_OK(tsnn_trainer_run(course.trainer, course.train, course.validation));
    tsnni_test_bytes_add_network(&bytes, network);
    tsnn_evaluation evaluation = TSNN_EVALUATION_INIT;
    TSNNI_OK(tsnn_network_evaluate(network, course.loss, course.validation, &evaluation));
    tsnni_test_bytes_add(&bytes, &evaluation, sizeof evaluation);
    tsnni_course_free(&course);
    return bytes;
}

START_TEST(the_same_seed_gives_the_same_bits_for_any_threads)
{
    const bits_case *given = &bits_cases[_i];
    tsnni_test_bytes first = trained_bits(given, 1, 6);
    static const int32_t threads[] = {1, 2, 3, 8};
    for (int t = 0; t < 4; t++) {
        tsnni_test_bytes bytes = trained_bits(given, threads[t], 6);
        ck_assert_msg(tsnni_test_bytes_equal(&first, &bytes), "%d threads give other bits", (int)threads[t]);
        tsnni_test_bytes_free(&bytes);
    }
    tsnni_test_bytes other = trained_bits(given, 1, 7);
    ck_assert(first.size == 0 || !tsnni_test_bytes_equal(&first, &other));
    tsnni_test_bytes_free(&other);
    tsnni_test_bytes_free(&first);
}
END_TEST

/* ---- threads ---- */

static _Thread_local int here;

static void on_this_thread(void *user, const float *z, float *a, int64_t count)
{
    ck_assert_ptr_eq(user, &here);
    memcpy(a, z, (size_t)count * sizeof *a);
}

static void on_this_thread_too(void *user, const float *z, const float *a, float *derivative, int64_t count)
{
    (void)z;
    (void)a;
    ck_assert_ptr_eq(user, &here);
    for (int64_t k = 0; k < count; k++)
        derivative[k] = 1.0f;
}

START_TEST(custom_activations_are_called_on_the_caller_s_thread)
{
    tsnn_context *context = tsnni_test_context(TSNN_ISA_AUTO, 4, 1);
    tsnn_activation_options options = TSNN_ACTIVATION_OPTIONS_INIT;
    options.kind = TSNN_ACTIVATION_CUSTOM;
    options.function = on_this_thread;
    options.derivative = on_this_thread_too;
    options.user = &here;
    tsnn_activation *activation = NULL;
    TSNNI_OK(tsnn_activation_create(context, &options, &activation));
    tsnn_network *network = NULL;
    TSNNI_OK(tsnn_network_create(context, &network));
    tsnn_layer *layer = tsnni_test_layer(context, 100, 400, 0.5);
    TSNNI_OK(tsnn_network_append(network, &layer, activation, 0.2));
    layer = tsnni_test_layer(context, 400, 10, 1.0);
    TSNNI_OK(tsnn_network_append(network, &layer, activation, 0.0));
    tsnn_activation_destroy(&activation);
    tsnni_course course = tsnni_course_create(context, network, tsnni_test_labelled(context, 256, 100, 10, 1),
                                              TSNN_LOSS_MEAN_SQUARED_ERROR, 0.001);
    course.options.epochs = 2;
    tsnni_course_start(&course);
    TSNNI_OK(tsnn_trainer_run(course.trainer, course.train, course.train));
    tsnni_course_free(&course);
}
END_TEST

Suite *tsnni_suite_bits(void)
{
    Suite *suite = suite_create("bits");
    TCase *tcase = tcase_create("bits");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, the_same_seed_gives_the_same_bits_for_any_threads, 0,
                        (int)(sizeof bits_cases / sizeof *bits_cases));
    tcase_add_test(tcase, custom_activations_are_called_on_the_caller_s_thread);
    suite_add_tcase(suite, tcase);
    return suite;
}
