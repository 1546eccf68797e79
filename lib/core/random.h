/* Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2,
 * 3", SC11). A stream is a pure function of (seed, purpose, layer, epoch, row), so a result depends neither on the
 * number of threads nor on what was drawn before. */
#ifndef TSNNI_CORE_RANDOM_H
#define TSNNI_CORE_RANDOM_H

#include <stdint.h>

/* What a stream is for. Values are part of "same seed, same bits": append, never renumber. */
typedef enum tsnni_purpose {
    TSNNI_PURPOSE_TOPOLOGY = 1, /* initial positions */
    TSNNI_PURPOSE_WEIGHTS = 2,  /* initial values */
    TSNNI_PURPOSE_DROPOUT = 3,
    TSNNI_PURPOSE_SHUFFLE = 4,
    TSNNI_PURPOSE_REGROWTH = 5, /* positions that evolution grows */
    TSNNI_PURPOSE_REGROWN = 6,  /* their values */
    TSNNI_PURPOSE_USER = 7,     /* tests and examples */
    TSNNI_PURPOSE_WORKER = 8    /* seeds of the workers of parallel training */
} tsnni_purpose;

/* One block: four words from a 128-bit counter and a 64-bit key. */
void tsnni_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* Where a stream begins. Counter words: 0 = block, 1 = row, 2 = epoch (or step), 3 = purpose << 24 | layer. */
typedef struct tsnni_random_key {
    uint32_t key[2];
    uint32_t counter[4];
} tsnni_random_key;

/* layer is taken modulo 2^24, epoch and row modulo 2^32. */
tsnni_random_key tsnni_random_key_make(uint64_t seed, tsnni_purpose purpose, int64_t layer, int64_t epoch, int64_t row);

/* Many blocks at once, the counter words 0 and 1 of the key holding the 64-bit number of the block: words of blocks
 * first, first + 1, ..., four each. */
void tsnni_random_words(tsnni_random_key key, uint64_t first, int64_t blocks, uint32_t *words);

/* Integers that one block makes: four for bounds up to 2^26, else two. */
int64_t tsnni_random_integers_per_block(uint64_t bound);

/* The integers of the same blocks, uniform in [0, bound), 1 <= bound < 2^63. A draw that would be biased gives bound.
 */
void tsnni_random_integers(tsnni_random_key key, uint64_t first, int64_t blocks, uint64_t bound, int64_t *out);

/* Numbers of [0, 1) with 24 bits, one for each word of the same blocks. */
void tsnni_random_floats(tsnni_random_key key, uint64_t first, int64_t blocks, float *out);

/* One attempt to bring a random word into [0, bound) without bias, bound >= 1: 1 and *out, or 0 when another word is
 * needed. */
int32_t tsnni_random_bounded(uint64_t word, uint64_t bound, uint64_t *out);

typedef struct tsnni_stream {
    tsnni_random_key key;
    uint32_t words[4];
    uint32_t used; /* words already handed out */
} tsnni_stream;

void tsnni_stream_init(tsnni_stream *stream, tsnni_random_key key);
uint32_t tsnni_stream_u32(tsnni_stream *stream);
uint64_t tsnni_stream_u64(tsnni_stream *stream);
double tsnni_stream_uniform(tsnni_stream *stream);                 /* [0, 1), 53 bits */
float tsnni_stream_uniform_float(tsnni_stream *stream);            /* [0, 1), 24 bits */
uint64_t tsnni_stream_below(tsnni_stream *stream, uint64_t bound); /* [0, bound), unbiased; bound >= 1 */
double tsnni_stream_normal(tsnni_stream *stream);                  /* N(0, 1) */

#endif
