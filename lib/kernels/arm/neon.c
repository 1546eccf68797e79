/* The kernels for Advanced SIMD on 64-bit ARM: four floats in a vector, thirty-two registers. */
#include "kernels/tables.h"

#if TSNNI_KERNELS_ARM

#include <arm_neon.h>

#include "kernels/tpl/compiler.h"

#define TARGET /* part of the base instruction set */
#define INLINE static inline __attribute__((always_inline))
#define LANES 4
#define GATHER_LANES 4
#define FORWARD_GROUPS 4
#define FORWARD_TILES(M) M(1) M(2) M(3) M(4)
#define FORWARD_BF16_TILES(M) M(1) M(2) M(4)
#define BACKWARD_GROUPS 2
#define BACKWARD_TILES(M) M(1) M(2)
#define X_IN_REGISTERS 1
#define DENSE_ROWS 6
#define DENSE_GROUPS 1
#define DENSE_GRADIENT_ROWS 6
#define KEEP_WORDS 8
#define KEEP_VECTORS 2

typedef float32x4_t vec;
typedef float32x4_t gvec;
typedef uint32x4_t vcounter;
typedef uint32x4_t vmask; /* all bits of an element set or clear */

#define HOLD(v) __asm__("" : "+w"(v))

INLINE vec vload(const float *from)
{
    return vld1q_f32(from);
}

INLINE void vstore(float *to, vec v)
{
    vst1q_f32(to, v);
}

INLINE vec vload_partial(const float *from, int64_t count)
{
    vec v = vld1q_lane_f32(from, vdupq_n_f32(0), 0);
    if (count > 1)
        v = vld1q_lane_f32(from + 1, v, 1);
    if (count > 2)
        v = vld1q_lane_f32(from + 2, v, 2);
    return v;
}

INLINE void vstore_partial(float *to, vec v, int64_t count)
{
    vst1q_lane_f32(to, v, 0);
    if (count > 1)
        vst1q_lane_f32(to + 1, v, 1);
    if (count > 2)
        vst1q_lane_f32(to + 2, v, 2);
}

INLINE vec vzero(void)
{
    return vdupq_n_f32(0);
}

INLINE vec vset1(float value)
{
    return vdupq_n_f32(value);
}

INLINE vec vadd(vec a, vec b)
{
    return vaddq_f32(a, b);
}

INLINE vec vsub(vec a, vec b)
{
    return vsubq_f32(a, b);
}

INLINE vec vmul(vec a, vec b)
{
    return vmulq_f32(a, b);
}

INLINE vec vfma(vec a, vec b, vec c)
{
    return vfmaq_f32(c, a, b);
}

INLINE vec vfnma(vec a, vec b, vec c)
{
    return vfmsq_f32(c, a, b);
}

INLINE vec vdiv(vec a, vec b)
{
    return vdivq_f32(a, b);
}

INLINE vec vnearest(vec v)
{
    return vrndnq_f32(v);
}

INLINE vec vscale(vec v, vec n)
{
    int32x4_t exponent = vshlq_n_s32(vcvtnq_s32_f32(n), 23);
    return vreinterpretq_f32_s32(vaddq_s32(vreinterpretq_s32_f32(v), exponent));
}

INLINE float vsum(vec v)
{
    return vaddvq_f32(v);
}

INLINE void vdots4(float *to, vec a, vec b, vec c, vec d, const int adds)
{
    vec sums = vpaddq_f32(vpaddq_f32(a, b), vpaddq_f32(c, d));
    vst1q_f32(to, adds ? vaddq_f32(vld1q_f32(to), sums) : sums);
}

INLINE vmask vnegative(vec v)
{
    return vcltzq_f32(v);
}

INLINE uint32x4_t lane_bits(void)
{
    static const uint32_t bits[LANES] = {1, 2, 4, 8};
    return vld1q_u32(bits);
}

INLINE uint32_t vbits(vmask mask)
{
    return vaddvq_u32(vandq_u32(mask, lane_bits()));
}

INLINE vmask vmask_of(uint32_t bits)
{
    return vtstq_u32(vdupq_n_u32(bits), lane_bits());
}

INLINE vec vselect(vmask mask, vec yes, vec no)
{
    return vbslq_f32(mask, yes, no);
}

INLINE vec vzero_unless(vmask mask, vec v)
{
    return vreinterpretq_f32_u32(vandq_u32(mask, vreinterpretq_u32_f32(v)));
}

INLINE void vtranspose(vec rows[LANES])
{
    float64x2_t even01 = vreinterpretq_f64_f32(vtrn1q_f32(rows[0], rows[1]));
    float64x2_t odd01 = vreinterpretq_f64_f32(vtrn2q_f32(rows[0], rows[1]));
    float64x2_t even23 = vreinterpretq_f64_f32(vtrn1q_f32(rows[2], rows[3]));
    float64x2_t odd23 = vreinterpretq_f64_f32(vtrn2q_f32(rows[2], rows[3]));
    rows[0] = vreinterpretq_f32_f64(vtrn1q_f64(even01, even23));
    rows[1] = vreinterpretq_f32_f64(vtrn1q_f64(odd01, odd23));
    rows[2] = vreinterpretq_f32_f64(vtrn2q_f64(even01, even23));
    rows[3] = vreinterpretq_f32_f64(vtrn2q_f64(odd01, odd23));
}

INLINE vec vload_words(const uint16_t *from)
{
    return vreinterpretq_f32_u16(vld1q_u16(from));
}

INLINE void vstore_words(uint16_t *to, vec words)
{
    vst1q_u16(to, vreinterpretq_u16_f32(words));
}

INLINE vec vbf16_low(vec words)
{
    return vreinterpretq_f32_u32(vshlq_n_u32(vreinterpretq_u32_f32(words), 16));
}

INLINE vec vbf16_high(vec words)
{
    return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(words), vdupq_n_u32(0xFFFF0000u)));
}

/* The upper half becomes the nearest bf16; the lower one is left over. */
INLINE uint32x4_t round_bf16(vec v)
{
    uint32x4_t bits = vreinterpretq_u32_f32(v);
    uint32x4_t odd = vandq_u32(vshrq_n_u32(bits, 16), vdupq_n_u32(1));
    return vaddq_u32(bits, vaddq_u32(odd, vdupq_n_u32(0x7FFF)));
}

INLINE vec vbf16_pack(vec low, vec high)
{
    return vreinterpretq_f32_u32(vsriq_n_u32(round_bf16(high), round_bf16(low), 16));
}

INLINE vcounter vcounter_set(int64_t value)
{
    return vdupq_n_u32((uint32_t)value);
}

INLINE vcounter vcounter_ramp(void)
{
    static const uint32_t ramp[LANES] = {0, 1, 2, 3};
    return vld1q_u32(ramp);
}

/* Both halves of the four 64-bit products of a word with a constant. */
INLINE void multiply_wide(uint32x4_t word, uint32_t constant, uint32x4_t *low, uint32x4_t *high)
{
    uint32x4_t first = vreinterpretq_u32_u64(vmull_u32(vget_low_u32(word), vdup_n_u32(constant)));
    uint32x4_t second = vreinterpretq_u32_u64(vmull_high_u32(word, vdupq_n_u32(constant)));
    *low = vuzp1q_u32(first, second);
    *high = vuzp2q_u32(first, second);
}

/* The bits of the bytes of one word of each of four blocks that are at most `most`, four bits a block, from bit
 * `shift`. */
INLINE uint32x4_t byte_bits(uint32x4_t word, uint8x16_t most, int shift)
{
    uint32x4_t kept =
        vandq_u32(vreinterpretq_u32_u8(vcleq_u8(vreinterpretq_u8_u32(word), most)), vdupq_n_u32(0x08040201));
    kept = vorrq_u32(kept, vshrq_n_u32(kept, 16));
    kept = vandq_u32(vorrq_u32(kept, vshrq_n_u32(kept, 8)), vdupq_n_u32(0xF));
    return vshlq_u32(kept, vdupq_n_s32(shift));
}

/* Philox4x32-10, one block in each lane. */
INLINE void keep_words(const tsnni_random_key *key, const vcounter *row, const vcounter *group, uint32_t first_group,
                       uint32_t keep_below, uint16_t *out)
{
    const uint32_t *origin = key->counter;
    uint32_t key0 = key->key[0], key1 = key->key[1];
    vcounter word0[KEEP_VECTORS], word1[KEEP_VECTORS], word2[KEEP_VECTORS], word3[KEEP_VECTORS];
    UNROLL
    for (int v = 0; v < KEEP_VECTORS; v++) {
        word0[v] = vaddq_u32(vdupq_n_u32(origin[0] + first_group), group[v]);
        word1[v] = vaddq_u32(vdupq_n_u32(origin[1]), row[v]);
        word2[v] = vdupq_n_u32(origin[2]);
        word3[v] = vdupq_n_u32(origin[3]);
    }
    UNROLL
    for (int round = 0; round < PHILOX_ROUNDS; round++) {
        UNROLL
        for (int v = 0; v < KEEP_VECTORS; v++) {
            uint32x4_t low0, high0, low1, high1;
            multiply_wide(word0[v], PHILOX_MULTIPLIER_0, &low0, &high0);
            multiply_wide(word2[v], PHILOX_MULTIPLIER_1, &low1, &high1);
            word0[v] = veorq_u32(veorq_u32(high1, word1[v]), vdupq_n_u32(key0));
            word2[v] = veorq_u32(veorq_u32(high0, word3[v]), vdupq_n_u32(key1));
            word1[v] = low1;
            word3[v] = low0;
        }
        key0 += PHILOX_KEY_STEP_0;
        key1 += PHILOX_KEY_STEP_1;
    }
    uint8x16_t most = vdupq_n_u8((uint8_t)(keep_below - 1));
    UNROLL
    for (int v = 0; v < KEEP_VECTORS; v++) {
        uint32x4_t front = vorrq_u32(byte_bits(word0[v], most, 0), byte_bits(word1[v], most, 4));
        uint32x4_t back = vorrq_u32(byte_bits(word2[v], most, 8), byte_bits(word3[v], most, 12));
        vst1_u16(out + 4 * v, vmovn_u32(vorrq_u32(front, back)));
    }
}

INLINE gvec gload(const float *from)
{
    return vld1q_f32(from);
}

INLINE void gstore(float *to, gvec v)
{
    vst1q_f32(to, v);
}

INLINE gvec gfma(gvec a, gvec b, gvec c)
{
    return vfmaq_f32(c, a, b);
}

/* There is no gather instruction. */
#define gather_far_16 gather_near_16
#define gather_far_32 gather_near_32

#include "kernels/tpl/kernels.inc.h"

const tsnni_kernels tsnni_kernels_neon = {.name = "neon", .isa = TSNNI_ISA_NEON, KERNEL_FUNCTIONS};

#endif
