/* Every public function as the tests of memory call it: lists of calls, with what each may leave behind when memory
 * ends in the middle. test_memory.c makes them; a function of tests/abi/libtsnn.symbols that is in no list fails it. */
#ifndef TSNN_TESTS_MEMORY_CALLS_H
#define TSNN_TESTS_MEMORY_CALLS_H

#include "model_support.h"
#include "world.h"

/* What a call made, to be looked at and given back. */
typedef struct tsnni_product {
    tsnn_context *context;
    tsnn_activation *activation;
    tsnn_layer *layer;
    tsnn_network *network;
    tsnn_loss *loss;
    tsnn_dataset *dataset;
    tsnn_standardizer *standardizer;
    tsnn_optimizer *optimizer;
    tsnn_gradient *gradient;
    tsnn_evolution *evolution;
    tsnn_pruning *pruning;
    tsnn_trainer *trainer;
    tsnn_parallel *parallel;
    tsnn_predictor *predictor;
    tsnn_predictor_workspace *workspace;
    tsnni_test_bytes told; /* numbers, texts and files that the call gave */
} tsnni_product;

/* What a refused request may leave behind. */
enum {
    TSNNI_UNCHANGED, /* every object is as it was, to the bit */
    TSNNI_KEEPS,     /* the same, but memory for later calls may have been taken and kept */
    TSNNI_PARTLY, /* the part that was done, as the header says: a network that works, and the call can be repeated */
    TSNNI_UNORDERED, /* the same, and threads make the results differ from run to run */
    TSNNI_NOTHING    /* no memory is asked for at all: the call measures itself with TSNNI_TAKES_NOTHING */
};

typedef struct tsnni_memory_call {
    const char *function; /* NULL: the end of a list */
    const char *variant;  /* NULL: there is only one */
    /* NULL: not in this build, but in the list of functions. */
    tsnn_status (*call)(tsnni_test_world *world, tsnni_product *made);
    int32_t rule;
    int64_t requests; /* at least so many are expected, so that the test shows something */
} tsnni_memory_call;

extern const tsnni_memory_call tsnni_memory_objects[], tsnni_memory_training[], tsnni_memory_predictors[],
    tsnni_memory_publishers[], tsnni_memory_files[], tsnni_memory_nothing[];

/* The requests that `call` makes; `counter` is the allocator of the world. */
extern tsnni_test_allocator tsnni_memory_counter;
extern int64_t tsnni_memory_measured;
#define TSNNI_TAKES_NOTHING(call)                                                                                      \
    do {                                                                                                               \
        int64_t requests_before = tsnni_memory_counter.calls;                                                          \
        call;                                                                                                          \
        ck_assert_msg(tsnni_memory_counter.calls == requests_before, "%s asks for memory", #call);                     \
        tsnni_memory_measured++;                                                                                       \
    } while (0)

#if TSNN_MODEL_FILES
#define TSNNI_FILES(call) call
#else
#define TSNNI_FILES(call) NULL
#endif

#endif
