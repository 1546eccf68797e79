/* Shorthands of the tests of bad arguments. They need a `static tsnni_test_world world`. */
#ifndef TSNN_TESTS_ABUSE_H
#define TSNN_TESTS_ABUSE_H

#include "world.h"

#define NULL_ARGUMENT TSNN_ERROR_NULL_ARGUMENT
#define INVALID TSNN_ERROR_INVALID_ARGUMENT
#define SMALL TSNN_ERROR_BUFFER_TOO_SMALL

#define REFUSED(expected, call) TSNNI_REFUSED(world.context, expected, call)
/* Without an object there is no context to hold a text. */
#define NOBODY(call) ck_assert_int_eq((call), NULL_ARGUMENT)

/* A creating call that fails must null its output, a variable `out` of this type. */
#define CREATE_REFUSED(type, expected, call)                                                                           \
    do {                                                                                                               \
        type *out = (type *)(void *)&world;                                                                            \
        TSNNI_REFUSED(world.context, expected, call);                                                                  \
        ck_assert_ptr_null(out);                                                                                       \
    } while (0)
#define CREATE_NOBODY(type, call)                                                                                      \
    do {                                                                                                               \
        type *out = (type *)(void *)&world;                                                                            \
        NOBODY(call);                                                                                                  \
        ck_assert_ptr_null(out);                                                                                       \
    } while (0)

#endif
