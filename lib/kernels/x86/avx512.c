/* The kernels for AVX-512 (F, BW, DQ, VL): sixteen floats in a vector, thirty-two registers, mask registers. */
#include "kernels/tables.h"

#if TSNNI_KERNELS_X86

#include <immintrin.h>

#include "kernels/tpl/compiler.h"

#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,fma,avx2")))
#define INLINE static inline __attribute__((always_inline)) TARGET
#define LANES 16
#define GATHER_LANES 8
#define FORWARD_GROUPS 8
#define FORWARD_TILES(M) M(1) M(2) M(3) M(4) M(5) M(6) M(7) M(8)
#define FORWARD_BF16_TILES(M) M(1) M(2) M(4) M(6) M(8)
#define BACKWARD_GROUPS 8
#define BACKWARD_TILES(M) M(1) M(2) M(3) M(4) M(5) M(6) M(7) M(8)
#define X_IN_REGISTERS 1
#define DENSE_ROWS 6
#define DENSE_GROUPS 4
#define DENSE_GRADIENT_ROWS 6
#define KEEP_WORDS 16
#define KEEP_VECTORS 2

typedef __m512 vec;
typedef __m256 gvec;
typedef __mmask16 vmask;
typedef __m512i vcounter;

#define HOLD(v) __asm__("" : "+v"(v))

INLINE vec vload(const float *from)
{
    return _mm512_loadu_ps(from);
}

INLINE void vstore(float *to, vec v)
{
    _mm512_storeu_ps(to, v);
}

INLINE vec vload_partial(const float *from, int64_t count)
{
    return _mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1), from);
}

INLINE void vstore_partial(float *to, vec v, int64_t count)
{
    _mm512_mask_storeu_ps(to, (__mmask16)((1u << count) - 1), v);
}

INLINE vec vzero(void)
{
    return _mm512_setzero_ps();
}

INLINE vec vset1(float value)
{
    return _mm512_set1_ps(value);
}

INLINE vec vadd(vec a, vec b)
{
    return _mm512_add_ps(a, b);
}

INLINE vec vsub(vec a, vec b)
{
    return _mm512_sub_ps(a, b);
}

INLINE vec vmul(vec a, vec b)
{
    return _mm512_mul_ps(a, b);
}

INLINE vec vfma(vec a, vec b, vec c)
{
    return _mm512_fmadd_ps(a, b, c);
}

INLINE vec vfnma(vec a, vec b, vec c)
{
    return _mm512_fnmadd_ps(a, b, c);
}

INLINE vec vdiv(vec a, vec b)
{
    return _mm512_div_ps(a, b);
}

INLINE vec vnearest(vec v)
{
    return _mm512_roundscale_ps(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

INLINE vec vscale(vec v, vec n)
{
    __m512i exponent = _mm512_slli_epi32(_mm512_cvtps_epi32(n), 23);
    return _mm512_castsi512_ps(_mm512_add_epi32(_mm512_castps_si512(v), exponent));
}

INLINE float vsum(vec v)
{
    __m256 half = _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
    __m128 quarter = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
    quarter = _mm_add_ps(quarter, _mm_movehl_ps(quarter, quarter));
    return _mm_cvtss_f32(_mm_add_ss(quarter, _mm_movehdup_ps(quarter)));
}

/* A butterfly: each 128-bit lane holds a, b, c, d summed over that lane, then the lanes are added. */
INLINE void vdots4(float *to, vec a, vec b, vec c, vec d, const int adds)
{
    vec ab = vadd(_mm512_unpacklo_ps(a, b), _mm512_unpackhi_ps(a, b));
    vec cd = vadd(_mm512_unpacklo_ps(c, d), _mm512_unpackhi_ps(c, d));
    vec abcd = vadd(_mm512_shuffle_ps(ab, cd, 0x44), _mm512_shuffle_ps(ab, cd, 0xEE));
    __m256 half = _mm256_add_ps(_mm512_castps512_ps256(abcd), _mm512_extractf32x8_ps(abcd, 1));
    __m128 sums = _mm_add_ps(_mm256_castps256_ps128(half), _mm256_extractf128_ps(half, 1));
    _mm_storeu_ps(to, adds ? _mm_add_ps(_mm_loadu_ps(to), sums) : sums);
}

INLINE vmask vnegative(vec v)
{
    return _mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_LT_OQ);
}

INLINE uint32_t vbits(vmask mask)
{
    return mask;
}

INLINE vmask vmask_of(uint32_t bits)
{
    return (vmask)bits;
}

INLINE vec vselect(vmask mask, vec yes, vec no)
{
    return _mm512_mask_mov_ps(no, mask, yes);
}

INLINE vec vzero_unless(vmask mask, vec v)
{
    return _mm512_maskz_mov_ps(mask, v);
}

INLINE void vtranspose(vec rows[LANES])
{
    vec quad[LANES]; /* quad[4 a + b]: 128-bit lane l holds rows 4 a .. 4 a + 3 of column 4 l + b */
    UNROLL
    for (int a = 0; a < LANES; a += 4) {
        __m512d low0 = _mm512_castps_pd(_mm512_unpacklo_ps(rows[a], rows[a + 1]));
        __m512d high0 = _mm512_castps_pd(_mm512_unpackhi_ps(rows[a], rows[a + 1]));
        __m512d low1 = _mm512_castps_pd(_mm512_unpacklo_ps(rows[a + 2], rows[a + 3]));
        __m512d high1 = _mm512_castps_pd(_mm512_unpackhi_ps(rows[a + 2], rows[a + 3]));
        quad[a] = _mm512_castpd_ps(_mm512_unpacklo_pd(low0, low1));
        quad[a + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low0, low1));
        quad[a + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(high0, high1));
        quad[a + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(high0, high1));
    }
    UNROLL
    for (int b = 0; b < 4; b++) {
        vec even01 = _mm512_shuffle_f32x4(quad[b], quad[4 + b], 0x88);
        vec odd01 = _mm512_shuffle_f32x4(quad[b], quad[4 + b], 0xDD);
        vec even23 = _mm512_shuffle_f32x4(quad[8 + b], quad[12 + b], 0x88);
        vec odd23 = _mm512_shuffle_f32x4(quad[8 + b], quad[12 + b], 0xDD);
        rows[b] = _mm512_shuffle_f32x4(even01, even23, 0x88);
        rows[4 + b] = _mm512_shuffle_f32x4(odd01, odd23, 0x88);
        rows[8 + b] = _mm512_shuffle_f32x4(even01, even23, 0xDD);
        rows[12 + b] = _mm512_shuffle_f32x4(odd01, odd23, 0xDD);
    }
}

INLINE vec vload_words(const uint16_t *from)
{
    return _mm512_castsi512_ps(_mm512_loadu_si512(from));
}

INLINE void vstore_words(uint16_t *to, vec words)
{
    _mm512_storeu_si512(to, _mm512_castps_si512(words));
}

INLINE vec vbf16_low(vec words)
{
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(words), 16));
}

INLINE vec vbf16_high(vec words)
{
    return _mm512_castsi512_ps(_mm512_and_si512(_mm512_castps_si512(words), _mm512_set1_epi32(-0x10000)));
}

/* The upper half becomes the nearest bf16; the lower one is left over. */
INLINE __m512i round_bf16(vec v)
{
    __m512i bits = _mm512_castps_si512(v);
    __mmask16 odd = _mm512_test_epi32_mask(bits, _mm512_set1_epi32(0x10000));
    return _mm512_add_epi32(bits, _mm512_mask_mov_epi32(_mm512_set1_epi32(0x7FFF), odd, _mm512_set1_epi32(0x8000)));
}

INLINE vec vbf16_pack(vec low, vec high)
{
    return _mm512_castsi512_ps(
        _mm512_mask_mov_epi16(round_bf16(high), 0x55555555, _mm512_srli_epi32(round_bf16(low), 16)));
}

INLINE vcounter vcounter_set(int64_t value)
{
    return _mm512_set1_epi64(value);
}

INLINE vcounter vcounter_ramp(void)
{
    return _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0);
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
        word0[v] = _mm512_add_epi64(vcounter_set(origin[0] + (int64_t)first_group), group[v]);
        word1[v] = _mm512_add_epi64(vcounter_set(origin[1]), row[v]);
        word2[v] = vcounter_set(origin[2]);
        word3[v] = vcounter_set(origin[3]);
    }
    UNROLL
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        UNROLL
        for (int v = 0; v < KEEP_VECTORS; v++) {
            vcounter product0 = _mm512_mul_epu32(word0[v], multiplier0),
                     product1 = _mm512_mul_epu32(word2[v], multiplier1);
            word0[v] =
                _mm512_xor_si512(_mm512_xor_si512(_mm512_srli_epi64(product1, 32), word1[v]), vcounter_set(key0));
            word2[v] =
                _mm512_xor_si512(_mm512_xor_si512(_mm512_srli_epi64(product0, 32), word3[v]), vcounter_set(key1));
            word1[v] = product1;
            word3[v] = product0;
        }
        key0 += PHILOX_KEY_STEP_0;
        key1 += PHILOX_KEY_STEP_1;
    }
    const vcounter most = _mm512_set1_epi8((char)(keep_below - 1));
    UNROLL
    for (int v = 0; v < KEEP_VECTORS; v++) {
        vcounter front = _mm512_mask_blend_epi32(0xAAAA, word0[v], _mm512_slli_epi64(word1[v], 32));
        vcounter back = _mm512_mask_blend_epi32(0xAAAA, word2[v], _mm512_slli_epi64(word3[v], 32));
        __m128i front_bits = _mm_cvtsi64_si128((int64_t)_mm512_cmple_epu8_mask(front, most));
        __m128i back_bits = _mm_cvtsi64_si128((int64_t)_mm512_cmple_epu8_mask(back, most));
        _mm_storeu_si128((__m128i *)(void *)(out + 8 * v), _mm_unpacklo_epi8(front_bits, back_bits));
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

const tsnni_kernels tsnni_kernels_avx512 = {.name = "avx512", .isa = TSNNI_ISA_AVX512, KERNEL_FUNCTIONS};

#endif
