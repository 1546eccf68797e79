/* Conversion of elements, little-endian, read through memcpy because foreign arrays have any alignment. */
#include "formats/element.h"

#include <math.h>
#include <string.h>

/* The 16-bit float of IEEE 754: 5 bits of exponent, 10 of fraction. */
static float half_float(uint16_t bits)
{
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    float size = exponent == 0    ? ldexpf((float)fraction, -24)
                 : exponent == 31 ? (fraction == 0 ? INFINITY : NAN)
                                  : ldexpf((float)(fraction | 1024), exponent - 25);
    return bits & 0x8000 ? -size : size;
}

/* The upper half of a float. */
static float brain_float(uint16_t bits)
{
    uint32_t wide = (uint32_t)bits << 16;
    float number;
    memcpy(&number, &wide, sizeof number);
    return number;
}

int32_t tsnni_element_is_number(tsnni_element element)
{
    return element != TSNNI_F8_E5M2 && element != TSNNI_F8_E4M3;
}

#define READ(type, name)                                                                                               \
    type name;                                                                                                         \
    memcpy(&name, array + k * (int64_t)sizeof name, sizeof name)

float tsnni_element_float(tsnni_element element, const unsigned char *array, int64_t k)
{
    int64_t whole;
    if (element == TSNNI_F32) {
        READ(float, number);
        return number;
    }
    if (element == TSNNI_F64) {
        READ(double, number);
        return fabs(number) > 3.4028235677973366e38 ? (number > 0 ? INFINITY : -INFINITY) : (float)number;
    }
    if (element == TSNNI_F16 || element == TSNNI_BF16) {
        READ(uint16_t, bits);
        return element == TSNNI_F16 ? half_float(bits) : brain_float(bits);
    }
    if (element == TSNNI_U64) {
        READ(uint64_t, number);
        return (float)number;
    }
    return tsnni_element_whole(element, array, k, &whole) ? (float)whole : NAN;
}

int32_t tsnni_element_whole(tsnni_element element, const unsigned char *array, int64_t k, int64_t *out)
{
    switch (element) {
    case TSNNI_BOOL:
    case TSNNI_U8:
        *out = array[k];
        return 1;
    case TSNNI_I8: {
        READ(int8_t, number);
        *out = number;
        return 1;
    }
    case TSNNI_I16: {
        READ(int16_t, number);
        *out = number;
        return 1;
    }
    case TSNNI_U16: {
        READ(uint16_t, number);
        *out = number;
        return 1;
    }
    case TSNNI_I32: {
        READ(int32_t, number);
        *out = number;
        return 1;
    }
    case TSNNI_U32: {
        READ(uint32_t, number);
        *out = number;
        return 1;
    }
    case TSNNI_I64: {
        READ(int64_t, number);
        *out = number;
        return 1;
    }
    case TSNNI_U64: {
        READ(uint64_t, number);
        *out = (int64_t)number;
        return number <= INT64_MAX;
    }
    default:
        return 0;
    }
}
