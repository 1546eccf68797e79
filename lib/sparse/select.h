/* Exact order statistics in linear time, without sorting: which values of each sign are nearest to zero, and the k-th
 * smallest of non-negative numbers. They are decided on the bits of the numbers, so neither rounding nor a processor
 * that flushes denormals plays a part. */
#ifndef TSNNI_SPARSE_SELECT_H
#define TSNNI_SPARSE_SELECT_H

#include <string.h>

#include "core/runtime.h"

/* Signs as indices. A zero is positive, whatever its sign bit says. */
enum { TSNNI_NEGATIVE = 0, TSNNI_POSITIVE = 1 };

/* Takes the values of one sign that are nearest to zero: those of a magnitude below `magnitude`, and of the magnitude
 * itself those at positions below `end`. All zero: takes none. */
typedef struct tsnni_cut {
    uint32_t magnitude; /* bits of |value| */
    int64_t end;
} tsnni_cut;

/* What both cuts take of the positions from one up to `end`, where ties are decided otherwise: the values with an order
 * key in [lowest, lowest + span]. One comparison, for the loops that ask of every value. */
typedef struct tsnni_cut_range {
    uint32_t lowest, span;
    int64_t end;
} tsnni_cut_range;

tsnni_cut_range tsnni_cut_range_at(const tsnni_cut cuts[2], int64_t position);

static inline int32_t tsnni_cut_range_takes(const tsnni_cut_range *range, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t negative = 0u - (bits >> 31);
    uint32_t key = ((bits & 0x7FFFFFFFu) ^ negative) - negative; /* the magnitude with its sign, zeros alike */
    return key - range->lowest <= range->span;
}

/* Values of each sign. NOT_FINITE with the first offending position in the text; counts are unset then. */
tsnn_status tsnni_sign_counts(tsnni_runtime *runtime, const float *values, int64_t count, int64_t counts[2]);

/* The cuts that take exactly take[sign] values of each sign, those nearest to zero, of equals the first. count is at
 * most 2^32 - 1, take[sign] at most what tsnni_sign_counts gave. OUT_OF_MEMORY. */
tsnn_status tsnni_select_smallest(tsnni_runtime *runtime, const float *values, int64_t count, const int64_t take[2],
                                  tsnni_cut cuts[2]);

/* The cuts that take floor(share * n) of the n values of each sign, those nearest to zero, of equals the first; *take
 * is how many that are. One pass less than counting first. share in [0, 1], count at most 2^32 - 1. NOT_FINITE with the
 * first offending position in the text, OUT_OF_MEMORY. */
tsnn_status tsnni_select_share(tsnni_runtime *runtime, const float *values, int64_t count, double share,
                               int64_t take[2], tsnni_cut cuts[2]);

/* The number at place k of [0, count) if the values, which are finite and not negative, were sorted. count < 2^32. */
double tsnni_order_statistic(const double *values, int64_t count, int64_t k);

#endif
