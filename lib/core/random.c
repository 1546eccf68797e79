/* Philox4x32-10 and the draws made from it. */
#include "core/random.h"

#include <math.h>

#define ROUNDS 10
#define MULTIPLIER_0 0xD2511F53u
#define MULTIPLIER_1 0xCD9E8D57u
#define WEYL_0 0x9E3779B9u /* golden ratio */
#define WEYL_1 0xBB67AE85u /* sqrt(3) - 1 */

#define WORDS 4 /* of a block */

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
    uint64_t a0 = (uint32_t)a, a1 = a >> 32, b0 = (uint32_t)b, b1 = b >> 32;
    uint64_t low_product = a0 * b0;
    uint64_t middle = a1 * b0 + (low_product >> 32);
    uint64_t cross = a0 * b1 + (uint32_t)middle;
    *low = cross << 32 | (uint32_t)low_product;
    return a1 * b1 + (middle >> 32) + (cross >> 32);
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

/* Box and Muller, one of the pair: nothing is kept between draws. */
double tsnni_stream_normal(tsnni_stream *stream)
{
    const double two_pi = 6.28318530717958647692;
    double radius = sqrt(-2.0 * log(1.0 - tsnni_stream_uniform(stream)));
    return radius * cos(two_pi * tsnni_stream_uniform(stream));
}
