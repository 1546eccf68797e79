/* What the tests of the library share: contexts, small objects, a counting allocator, random numbers of their own. */
#ifndef TSNN_TESTS_SUPPORT_H
#define TSNN_TESTS_SUPPORT_H

#include <check.h>
#include <stddef.h>
#include <stdint.h>

#include <tsnn.h>

#define TSNNI_OK(expression) ck_assert_int_eq((expression), TSNN_OK)

/* Instruction sets are tried in this order: TSNN_ISA_REF .. TSNN_ISA_NEON. */
#define TSNNI_ISA_COUNT 4

/* 1 when TSNN_CHECK_ALL=1 asks for the long variants. */
int tsnni_test_all(void);

/* ---- random numbers ---- */

typedef struct tsnni_test_random {
    uint64_t state;
} tsnni_test_random;

double tsnni_test_uniform(tsnni_test_random *random, double low, double high);
int64_t tsnni_test_below(tsnni_test_random *random, int64_t bound);

/* ---- memory ---- */

/* Counts what the library takes and gives back; can refuse requests. Hands out odd addresses, as it may. */
typedef struct tsnni_test_allocator {
    int64_t calls;    /* requests so far */
    int64_t live;     /* blocks not given back */
    int64_t fail_at;  /* the request of this number, from 1, is refused; 0: none */
    int32_t for_good; /* 1: and all that follow it */
    int64_t refused;  /* requests refused */
    int64_t bytes;    /* asked for and not given back */
    int64_t peak;     /* the most of these at once */
} tsnni_test_allocator;

/* The allocator's own functions; user is the tsnni_test_allocator. Releasing takes no NULL. */
void *tsnni_test_allocate(void *user, size_t size);
void tsnni_test_release(void *user, void *pointer);

/* Makes a call with its first, second, ... request refused until it succeeds: each time it must say so, keep no block,
 * and leave `unchanged` true. */
#define TSNNI_REFUSE_EACH(allocator, call, unchanged)                                                                  \
    for (int64_t refusal = 1, done = 0; !done; refusal++) {                                                            \
        int64_t live = (allocator)->live, refused = (allocator)->refused;                                              \
        (allocator)->fail_at = (allocator)->calls + refusal;                                                           \
        tsnn_status status = (call);                                                                                   \
        (allocator)->fail_at = 0;                                                                                      \
        done = (allocator)->refused == refused;                                                                        \
        ck_assert_int_eq(status, done ? TSNN_OK : TSNN_ERROR_OUT_OF_MEMORY);                                           \
        ck_assert(done ? refusal > 1 : (unchanged) && (allocator)->live == live);                                      \
    }

/* Zeroed; never NULL. */
void *tsnni_test_array(int64_t count, size_t size);

/* ---- objects ---- */

/* NULL when this machine lacks the instruction set. */
tsnn_context *tsnni_test_context(int32_t isa, int32_t threads, uint64_t seed);
tsnn_context *tsnni_test_counted_context(tsnni_test_allocator *allocator);

/* The code and the text of the context's last failure are what a failed call must leave. */
void tsnni_test_expect_error(const tsnn_context *context, tsnn_status expected, tsnn_status actual, const char *call);
#define TSNNI_REFUSED(context, expected, call) tsnni_test_expect_error((context), (expected), (call), #call)

/* The text of the last failure holds `part`. */
void tsnni_test_expect_text(const tsnn_context *context, const char *part);

typedef struct tsnni_test_function {
    int32_t kind; /* TSNN_ACTIVATION_*; CUSTOM is z / (1 + |z|) */
    double alpha; /* for kinds that have one */
} tsnni_test_function;

tsnn_activation *tsnni_test_activation(tsnn_context *context, tsnni_test_function function);
tsnn_layer *tsnni_test_layer(tsnn_context *context, int64_t inputs, int64_t outputs, double density);

/* sizes: layers + 1 numbers; functions: layers. Biases are random too, so that they are no special case. */
tsnn_network *tsnni_test_network(tsnn_context *context, int64_t layers, const int64_t *sizes,
                                 const tsnni_test_function *functions, double density, double dropout);

/* 2-2-2, identity: the first output is the first feature, the second 1e60 times the second, which is infinite unless
 * that is 0. */
tsnn_network *tsnni_test_overflowing_network(tsnn_context *context);

tsnn_loss *tsnni_test_loss(tsnn_context *context, int32_t kind, double label_smoothing);
tsnn_optimizer *tsnni_test_optimizer(tsnn_context *context, int32_t kind, double rate, double decay,
                                     int32_t decay_kind);

/* Classes are clusters that a small network can learn; sample n has label n % classes. */
tsnn_dataset *tsnni_test_labelled(tsnn_context *context, int64_t samples, int64_t features, int64_t classes,
                                  uint64_t seed);
/* Targets in [0, 1]; with `simplex` every row of them sums to 1. */
tsnn_dataset *tsnni_test_targeted(tsnn_context *context, int64_t samples, int64_t features, int64_t size, int simplex,
                                  uint64_t seed);

/* ---- state as bytes ---- */

/* Everything the getters of a network or layer tell, for memcmp. The array is the caller's to free. */
typedef struct tsnni_test_bytes {
    unsigned char *data;
    size_t size, capacity;
} tsnni_test_bytes;

void tsnni_test_bytes_add(tsnni_test_bytes *bytes, const void *data, size_t size);
void tsnni_test_bytes_add_layer(tsnni_test_bytes *bytes, const tsnn_layer *layer);
void tsnni_test_bytes_add_network(tsnni_test_bytes *bytes, tsnn_network *network);
void tsnni_test_bytes_add_dataset(tsnni_test_bytes *bytes, const tsnn_dataset *dataset);
int tsnni_test_bytes_equal(const tsnni_test_bytes *a, const tsnni_test_bytes *b);
void tsnni_test_bytes_free(tsnni_test_bytes *bytes);

tsnn_network_info tsnni_test_network_size(const tsnn_network *network);
tsnn_layer_info tsnni_test_layer_size(const tsnn_layer *layer);
tsnn_layer *tsnni_test_layer_of(tsnn_network *network, int64_t index);

#endif
