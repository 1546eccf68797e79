/* The kernels for AVX2 with FMA: eight floats in a vector, sixteen registers. */
#include "kernels/tables.h"

#if TSNNI_KERNELS_X86

#include <immintrin.h>

#include "kernels/tpl/compiler.h"

#define TARGET __attribute__((target("avx2,fma")))
#define INLINE static inline __attribute__((always_inline)) TARGET
#define LANES 8
#define GATHER_LANES 8
#define FORWARD_GROUPS 4
#define FORWARD_TILES(M) M(1) M(2) M(3) M(4)
#define FORWARD_BF16_TILES(M) M(1) M(2) M(4)
#define BACKWARD_GROUPS 4
#define BACKWARD_TILES(M) M(1) M(2) M(3) M(4)
#define X_IN_REGISTERS 0
#define DENSE_ROWS 6
#define DENSE_GROUPS 1
#define DENSE_GRADIENT_ROWS 2
#define KEEP_WORDS 8
#define KEEP_VECTORS 2

typedef __m256 vec;
typedef __m256 gvec;
typedef __m256i vcounter;
typedef __m256 vmask; /* all bits of an element set or clear */

#define HOLD(v) __asm__("" : "+x"(v))

INLINE vec vload(const float *from)
{
    return _mm256_loadu_ps(from);
}

INLINE void vstore(float *to, vec v)
{
    _mm256_storeu_ps(to, v);
}

INLINE __m256i first_lanes(int64_t count)
{
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

INLINE vec vload_partial(const float *from, int64_t count)
{
    return _mm256_maskload_ps(from, first_lanes(count));
}

INLINE void vstore_partial(float *to, vec v, int64_t count)
{
    _mm256_maskstore_ps(to, first_lanes(count), v);
}

INLINE vec vzero(void)
{
    return _mm256_setzero_ps();
}

INLINE vec vset1(float value)
{
    return _mm256_set1_ps(value);
}

INLINE vec vadd(vec a, vec b)
{
    return _mm256_add_ps(a, b);
}

INLINE vec vsub(vec a, vec b)
{
    return _mm256_sub_ps(a, b);
}

INLINE vec vmul(vec a, vec b)
{
    return _mm256_mul_ps(a, b);
}

INLINE vec vfma(vec a, vec b, vec c)
{
    return _mm256_fmadd_ps(a, b, c);
}

INLINE vec vfnma(vec a, vec b, vec c)
{
    return _mm256_fnmadd_ps(a, b, c);
}

INLINE vec vdiv(vec a, vec b)
{
    return _mm256_div_ps(a, b);
}

INLINE vec vnearest(vec v)
{
    return _mm256_round_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

INLINE vec vscale(vec v, vec n)
{
    __m256i exponent = _mm256_slli_epi32(_mm256_cvtps_epi32(n), 23);
    return _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(v), exponent));
}

INLINE float vsum(vec v)
{
    __m128 half = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    half = _mm_add_ps(half, _mm_movehl_ps(half, half));
    return _mm_cvtss_f32(_mm_add_ss(half, _mm_movehdup_ps(half)));
}

/* A butterfly: each 128-bit lane holds a, b, c, d summed over that lane, then the lanes are added. */
INLINE void vdots4(float *to, vec a, vec b, vec c, vec d, const int adds)
{
    vec ab = vadd(_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
    vec cd = vadd(_mm256_unpacklo_ps(c, d), _mm256_unpackhi_ps(c, d));
    vec abcd = vadd(_mm256_shuffle_ps(ab, cd, 0x44), _mm256_shuffle_ps(ab, cd, 0xEE));
    __m128 sums = _mm_add_ps(_mm256_castps256_ps128(abcd), _mm256_extractf128_ps(abcd, 1));
    _mm_storeu_ps(to, adds ? _mm_add_ps(_mm_loadu_ps(to), sums) : sums);
}

INLINE vmask vnegative(vec v)
{
    return _mm256_cmp_ps(v, _mm256_setzero_ps(), _CMP_LT_OQ);
}

INLINE uint32_t vbits(vmask mask)
{
    return (uint32_t)_mm256_movemask_ps(mask);
}

INLINE vmask vmask_of(uint32_t bits)
{
    const __m256i bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    return _mm256_castsi256_ps(_mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32((int)bits), bit), bit));
}

INLINE vec vselect(vmask mask, vec yes, vec no)
{
    return _mm256_blendv_ps(no, yes, mask);
}

INLINE vec vzero_unless(vmask mask, vec v)
{
    return _mm256_and_ps(mask, v);
}

INLINE void vtranspose(vec rows[LANES])
{
    vec quad[LANES]; /* quad[4 a + b]: 128-bit lane l holds rows 4 a .. 4 a + 3 of column 4 l + b */
    UNROLL
    for (int a = 0; a < LANES; a += 4) {
        vec low0 = _mm256_unpacklo_ps(rows[a], rows[a + 1]), high0 = _mm256_unpackhi_ps(rows[a], rows[a + 1]);
        vec low1 = _mm256_unpacklo_ps(rows[a + 2], rows[a + 3]), high1 = _mm256_unpackhi_ps(rows[a + 2], rows[a + 3]);
        quad[a] = _mm256_shuffle_ps(low0, low1, 0x44);
        quad[a + 1] = _mm256_shuffle_ps(low0, low1, 0xEE);
        quad[a + 2] = _mm256_shuffle_ps(high0, high1, 0x44);
        quad[a + 3] = _mm256_shuffle_ps(high0, high1, 0xEE);
    }
    UNROLL
    for (int b = 0; b < 4; b++) {
        rows[b] = _mm256_permute2f128_ps(quad[b], quad[4 + b], 0x20);
        rows[4 + b] = _mm256_permute2f128_ps(quad[b], quad[4 + b], 0x31);
    }
}

INLINE vec vload_words(const uint16_t *from)
{
    return _mm256_castsi256_ps(_mm256_loadu_si256((const __m256i *)(const void *)from));
}

INLINE void vstore_words(uint16_t *to, vec words)
{
    _mm256_storeu_si256((__m256i *)(void *)to, _mm256_castps_si256(words));
}

INLINE vec vbf16_low(vec words)
{
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(words), 16));
}

INLINE vec vbf16_high(vec words)
{
    return _mm256_castsi256_ps(_mm256_and_si256(_mm256_castps_si256(words), _mm256_set1_epi32(-0x10000)));
}

/* The upper half becomes the nearest bf16; the lower one is left over. */
INLINE __m256i round_bf16(vec v)
{
    __m256i bits = _mm256_castps_si256(v);
    __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    return _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7FFF)));
}

INLINE vec vbf16_pack(vec low, vec high)
{
    return _mm256_castsi256_ps(_mm256_blend_epi16(_mm256_srli_epi32(round_bf16(low), 16), round_bf16(high), 0xAA));
}

INLINE vcounter vcounter_set(int64_t value)
{
    return _mm256_set1_epi64x(value);
}

INLINE vcounter vcounter_ramp(void)
{
    return _mm256_set_epi64x(3, 2, 1, 0);
}

/* Philox4x32-10, each word in the low half of a 64-bit lane: a product is at once the new low word, and shifted the
 * high word. What is left in the upper halves does no harm. */
INLINE void keep_words(const tsnni_random_key *key, const vcounter *row, const vcounter *group, uint32_t first_group,
                       uint32_t keep_below, uint16_t *out)
{
    const vcounter multiplier0 = vcounter_set(PHILOX_MULTIPLIER_0), multiplier1 = vcounter_set(PHILOX_MULTIPLIER_1);
    const uint32_t *origin = key->counter;
    uint32_t key0 = key->key[0], key1 = key->key[1];
    vcounter word0[KEEP_VECTORS], word1[KEEP_VECTORS], word2[KEEP_VECTORS], word3[KEEP_VECTORS];
    UNROLL
    for (int v = 0; v < KEEP_VECTORS; v++) {
        word0[v] = _mm256_add_epi64(vcounter_set(origin[0] + (int64_t)first_group), group[v]);
        word1[v] = _mm256_add_epi64(vcounter_set(origin[1]), row[v]);
        word2[v] = vcounter_set(origin[2]);
        word3[v] = vcounter_set(origin[3]);
    }
    UNROLL
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        UNROLL
        for (int v = 0; v < KEEP_VECTORS; v++) {
            vcounter product0 = _mm256_mul_epu32(word0[v], multiplier0),
                     product1 = _mm256_mul_epu32(word2[v], multiplier1);
            word0[v] =
                _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(product1, 32), word1[v]), vcounter_set(key0));
            word2[v] =
                _mm256_xor_si256(_mm256_xor_si256(_mm256_srli_epi64(product0, 32), word3[v]), vcounter_set(key1));
            word1[v] = product1;
            word3[v] = product0;
        }
        key0 += PHILOX_KEY_STEP_0;
        key1 += PHILOX_KEY_STEP_1;
    }
    const vcounter most = _mm256_set1_epi8((char)(keep_below - 1));
    UNROLL
    for (int v = 0; v < KEEP_VECTORS; v++) {
        vcounter front = _mm256_blend_epi32(word0[v], _mm256_slli_epi64(word1[v], 32), 0xAA);
        vcounter back = _mm256_blend_epi32(word2[v], _mm256_slli_epi64(word3[v], 32), 0xAA);
        int front_bits = _mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_min_epu8(front, most), front));
        int back_bits = _mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_min_epu8(back, most), back));
        __m128i words = _mm_unpacklo_epi8(_mm_cvtsi32_si128(front_bits), _mm_cvtsi32_si128(back_bits));
        _mm_storel_epi64((__m128i *)(void *)(out + 4 * v), words);
    }
}

INLINE gvec gload(const float *from)
{
    return _mm256_loadu_ps(from);
}

INLINE void gstore(float *to, gvec v)
{
    _mm256_storeu_ps(to, v);
}

INLINE gvec gfma(gvec a, gvec b, gvec c)
{
    return _mm256_fmadd_ps(a, b, c);
}

/* The gather instruction has more loads under way than scalar code, which pays where each of them is slow. */
INLINE gvec gather_far_16(const float *x, const uint16_t *i)
{
    return _mm256_i32gather_ps(x, _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(const void *)i)), 4);
}

INLINE gvec gather_far_32(const float *x, const uint32_t *i)
{
    return _mm256_i32gather_ps(x, _mm256_loadu_si256((const __m256i *)(const void *)i), 4);
}

#include "kernels/tpl/kernels.inc.h"

const tsnni_kernels tsnni_kernels_avx2 = {.name = "avx2", .isa = TSNNI_ISA_AVX2, KERNEL_FUNCTIONS};

#endif
