/* What libFuzzer offers and takes where a format would not survive its own changes. The replaying programs have no part
 * of this. */
#ifndef TSNN_TESTS_FUZZ_MUTATE_H
#define TSNN_TESTS_FUZZ_MUTATE_H

#include <stddef.h>
#include <stdint.h>

/* libFuzzer's: changes up to max_size bytes in place, size of them given; the new size, at least 1. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);

/* Ours, which libFuzzer calls instead. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

#define MUTATE_MOST 65536 /* bytes of an input that is taken apart */

#endif
