/* Runs code where the kernel ends whoever calls it. */
#ifndef TSNN_TESTS_STRICT_H
#define TSNN_TESTS_STRICT_H

#include <stdint.h>

/* Fails the test when body makes a system call, or returns less than 0. Runs it here first, for what a first call may
 * need (a page of code, an address of a library), then in a child of fork(). Where no such child can be had (not Linux;
 * valgrind) only the first run counts. */
void tsnni_test_expect_no_system_call(int32_t (*body)(void *argument), void *argument);

#endif
