/* Philox4x32-10 and the draws made from it. */
#include "core/random.h"

#include <math.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define ROUNDS 10
#define MULTIPLIER_0 0xD2511F53u
#define MULTIPLIER_1 0xCD9E8D57u
#define WEYL_0 0x9E3779B9u /* golden ratio */
#define WEYL_1 0xBB67AE85u /* sqrt(3) - 1 */

#define WORDS 4 /* of a block */

/* Below it an integer costs one word instead of two, and at most one draw in 64 is refused. */
#define SMALL_BOUND ((uint64_t)1 << 26)

#define BATCH 64 /* blocks whose words are made before they are used: they stay in the first-level cache */

void tsnni_philox4x32(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t product0 = (uint64_t)MULTIPLIER_0 * c0;
        uint64_t product1 = (uint64_t)MULTIPLIER_1 * c2;
        c0 = (uint32_t)(product1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)product1;
        c2 = (uint32_t)(product0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)product0;
        k0 += WEYL_0;
        k1 += WEYL_1;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

tsnni_random_key tsnni_random_key_make(uint64_t seed, tsnni_purpose purpose, int64_t layer, int64_t epoch, int64_t row)
{
    tsnni_random_key key = {
        {(uint32_t)seed, (uint32_t)(seed >> 32)},
        {0, (uint32_t)row, (uint32_t)epoch, (uint32_t)purpose << 24 | ((uint32_t)layer & 0xFFFFFFu)},
    };
    return key;
}

void tsnni_stream_init(tsnni_stream *stream, tsnni_random_key key)
{
    stream->key = key;
    for (int i = 0; i < WORDS; i++)
        stream->words[i] = 0;
    stream->used = WORDS;
}

uint32_t tsnni_stream_u32(tsnni_stream *stream)
{
    if (stream->used >= WORDS) {
        tsnni_philox4x32(stream->key.counter, stream->key.key, stream->words);
        stream->key.counter[0]++;
        stream->used = 0;
    }
    return stream->words[stream->used++];
}

uint64_t tsnni_stream_u64(tsnni_stream *stream)
{
    uint64_t low = tsnni_stream_u32(stream);
    uint64_t high = tsnni_stream_u32(stream);
    return high << 32 | low;
}

double tsnni_stream_uniform(tsnni_stream *stream)
{
    return (double)(tsnni_stream_u64(stream) >> 11) * 0x1p-53;
}

float tsnni_stream_uniform_float(tsnni_stream *stream)
{
    return (float)(tsnni_stream_u32(stream) >> 8) * 0x1p-24f;
}

/* High and low half of a * b. */
static uint64_t multiply_wide(uint64_t a, uint64_t b, uint64_t *low)
{
#if defined(__SIZEOF_INT128__)
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)a * b;
    *low = (uint64_t)product;
    return (uint64_t)(product >> 64);
#else
    uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
    uint64_t low_product = a0 * b0;
    uint64_t middle = a1 * b0 + (low_product >> 32);
    uint64_t cross = a0 * b1 + (uint32_t)middle;
    *low = cross << 32 | (uint32_t)low_product;
    return a1 * b1 + (middle >> 32) + (cross >> 32);
#endif
}

/* Lemire, "Fast random integer generation in an interval" (2019): the high half of word * bound, where words whose low
 * half falls into the 2^64 mod bound leftover values are refused. */
int32_t tsnni_random_bounded(uint64_t word, uint64_t bound, uint64_t *out)
{
    uint64_t low;
    *out = multiply_wide(word, bound, &low);
    return low >= bound || low >= (0u - bound) % bound;
}

uint64_t tsnni_stream_below(tsnni_stream *stream, uint64_t bound)
{
    uint64_t result;
    if (bound <= UINT32_MAX) { /* the same with half the bits */
        uint32_t small = (uint32_t)bound;
        uint64_t product = (uint64_t)tsnni_stream_u32(stream) * small;
        if ((uint32_t)product < small) {
            uint32_t leftover = (0u - small) % small;
            while ((uint32_t)product < leftover)
                product = (uint64_t)tsnni_stream_u32(stream) * small;
        }
        return product >> 32;
    }
    while (!tsnni_random_bounded(tsnni_stream_u64(stream), bound, &result))
        continue;
    return result;
}

/* ---- many at once ---- */

static void set_block(tsnni_random_key *key, uint64_t block)
{
    key->counter[0] = (uint32_t)block;
    key->counter[1] = (uint32_t)(block >> 32);
}

#if defined(__SSE2__)

/* Two blocks: each 64-bit lane holds one word of one block in its lower half; the upper half is never looked at. */
typedef struct lanes {
    __m128i c[WORDS];
} lanes;

static inline void lanes_load(lanes *l, const uint32_t counter[WORDS], uint64_t block)
{
    uint64_t next = block + 1;
    l->c[0] = _mm_set_epi32(0, (int)(uint32_t)next, 0, (int)(uint32_t)block);
    l->c[1] = _mm_set_epi32(0, (int)(uint32_t)(next >> 32), 0, (int)(uint32_t)(block >> 32));
    l->c[2] = _mm_set1_epi64x((long long)counter[2]);
    l->c[3] = _mm_set1_epi64x((long long)counter[3]);
}

static inline void lanes_round(lanes *l, __m128i key0, __m128i key1)
{
    __m128i product0 = _mm_mul_epu32(l->c[0], _mm_set1_epi64x(MULTIPLIER_0));
    __m128i product1 = _mm_mul_epu32(l->c[2], _mm_set1_epi64x(MULTIPLIER_1));
    l->c[0] = _mm_xor_si128(_mm_srli_epi64(product1, 32), _mm_xor_si128(l->c[1], key0));
    l->c[1] = product1;
    l->c[2] = _mm_xor_si128(_mm_srli_epi64(product0, 32), _mm_xor_si128(l->c[3], key1));
    l->c[3] = product0;
}

static inline void lanes_store(const lanes *l, uint32_t *words)
{
    const __m128i lower = _mm_set1_epi64x(0xFFFFFFFFll);
    __m128i first = _mm_or_si128(_mm_and_si128(l->c[0], lower), _mm_slli_epi64(l->c[1], 32));
    __m128i second = _mm_or_si128(_mm_and_si128(l->c[2], lower), _mm_slli_epi64(l->c[3], 32));
    _mm_storeu_si128((__m128i *)(void *)words, _mm_unpacklo_epi64(first, second));
    _mm_storeu_si128((__m128i *)(void *)(words + WORDS), _mm_unpackhi_epi64(first, second));
}

/* Six blocks hide the latency of the multiplications. Returns how many blocks were made. */
static int64_t fill_lanes(const tsnni_random_key *key, uint64_t first, int64_t blocks, uint32_t *words)
{
    int64_t b = 0;
    for (; b + 6 <= blocks; b += 6) {
        lanes l[3];
        uint32_t k0 = key->key[0], k1 = key->key[1];
        for (int i = 0; i < 3; i++)
            lanes_load(&l[i], key->counter, first + (uint64_t)b + 2 * (uint64_t)i);
        for (int round = 0; round < ROUNDS; round++) {
            __m128i key0 = _mm_set1_epi64x((long long)k0), key1 = _mm_set1_epi64x((long long)k1);
            lanes_round(&l[0], key0, key1);
            lanes_round(&l[1], key0, key1);
            lanes_round(&l[2], key0, key1);
            k0 += WEYL_0;
            k1 += WEYL_1;
        }
        for (int i = 0; i < 3; i++)
            lanes_store(&l[i], words + WORDS * (b + 2 * i));
    }
    return b;
}

#else

static int64_t fill_lanes(const tsnni_random_key *key, uint64_t first, int64_t blocks, uint32_t *words)
{
    (void)key;
    (void)first;
    (void)blocks;
    (void)words;
    return 0;
}

#endif

void tsnni_random_words(tsnni_random_key key, uint64_t first, int64_t blocks, uint32_t *words)
{
    for (int64_t b = fill_lanes(&key, first, blocks, words); b < blocks; b++) {
        set_block(&key, first + (uint64_t)b);
        tsnni_philox4x32(key.counter, key.key, words + WORDS * b);
    }
}

int64_t tsnni_random_integers_per_block(uint64_t bound)
{
    return bound <= SMALL_BOUND ? WORDS : WORDS / 2;
}

void tsnni_random_integers(tsnni_random_key key, uint64_t first, int64_t blocks, uint64_t bound, int64_t *out)
{
    uint32_t words[BATCH * WORDS];
    const int32_t small = bound <= SMALL_BOUND;
    const uint64_t leftover = small ? (0u - (uint32_t)bound) % (uint32_t)bound : (0u - bound) % bound;
    for (int64_t b = 0; b < blocks; b += BATCH) {
        int64_t batch = blocks - b < BATCH ? blocks - b : BATCH;
        tsnni_random_words(key, first + (uint64_t)b, batch, words);
        if (small) {
            for (int64_t i = 0; i < batch * WORDS; i++) {
                uint64_t product = words[i] * bound;
                *out++ = (int64_t)((uint32_t)product >= leftover ? product >> 32 : bound);
            }
        } else {
            for (int64_t i = 0; i < batch * WORDS; i += 2) {
                uint64_t low, high = multiply_wide((uint64_t)words[i + 1] << 32 | words[i], bound, &low);
                *out++ = (int64_t)(low >= leftover ? high : bound);
            }
        }
    }
}

void tsnni_random_floats(tsnni_random_key key, uint64_t first, int64_t blocks, float *out)
{
    uint32_t words[BATCH * WORDS];
    for (int64_t b = 0; b < blocks; b += BATCH) {
        int64_t batch = blocks - b < BATCH ? blocks - b : BATCH;
        tsnni_random_words(key, first + (uint64_t)b, batch, words);
        for (int64_t i = 0; i < batch * WORDS; i++)
            *out++ = (float)(int32_t)(words[i] >> 8) * 0x1p-24f;
    }
}

/* ---- other distributions ---- */

/* Box and Muller, one of the pair: nothing is kept between draws. */
double tsnni_stream_normal(tsnni_stream *stream)
{
    const double two_pi = 6.28318530717958647692;
    double radius = sqrt(-2.0 * log(1.0 - tsnni_stream_uniform(stream)));
    return radius * cos(two_pi * tsnni_stream_uniform(stream));
}
