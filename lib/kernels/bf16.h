/* bf16, the upper half of a float: one number, and where the kernels keep it in a row. */
#ifndef TSNNI_KERNELS_BF16_H
#define TSNNI_KERNELS_BF16_H

#include <stdint.h>
#include <string.h>

/* Columns of one block: two groups, whose halves share 32-bit words. */
#define TSNNI_BF16_BLOCK 32

/* To the nearest, ties to even; a NaN stays one. */
static inline uint16_t tsnni_bf16_round(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (value != value)
        return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7FFF + (bits >> 16 & 1)) >> 16);
}

static inline float tsnni_bf16_value(uint16_t half)
{
    uint32_t bits = (uint32_t)half << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Where in its row column c is: halves 2 k and 2 k + 1 of a block hold its columns k and k + 16. */
static inline int64_t tsnni_bf16_place(int64_t c)
{
    return c / TSNNI_BF16_BLOCK * TSNNI_BF16_BLOCK + 2 * (c % 16) + c / 16 % 2;
}

#endif
