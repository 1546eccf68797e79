/* Every kernel of one instruction set. The including file first defines
 *
 *   TARGET                the function attribute that allows the instructions (may be empty)
 *   INLINE                static inline, always inlined, with TARGET
 *   UNROLL                pragma before a loop of constant length that must vanish
 *   LANES                 floats in a vector
 *   FORWARD_TILES(M), BACKWARD_TILES(M)  M(1) M(2) ... up to FORWARD_GROUPS, BACKWARD_GROUPS
 *   FORWARD_BF16_TILES(M) M(1) M(2) M(4) ... the even ones, for rows of bf16
 *   FORWARD_GROUPS        column groups whose sums fit the registers; even
 *   BACKWARD_GROUPS       column groups whose dx (and x, with X_IN_REGISTERS) fit the registers
 *   DENSE_ROWS, DENSE_GROUPS, DENSE_GRADIENT_ROWS   the register tiles of the dense kernels
 *   KEEP_WORDS, KEEP_VECTORS   words of the dropout plane that keep_words makes at once, and vectors of counters for
 * them
 *
 * and the types and functions
 *
 *   gvec                  GATHER_LANES floats (8 or 4), for the gathers of packed layers: gload gstore gfma as below;
 *                         gather_far_16, gather_far_32(x, i): x[i[0]], x[i[1]], ... where x is far away
 *   vec, vmask            LANES floats; one truth value for each
 *   vload vstore          any alignment
 *   vload_partial vstore_partial   the first `count` lanes, 0 < count < LANES; the others read as 0
 *   HOLD(v)               keeps a loaded vector in its register: compilers like to load it again for each use
 *   vzero vset1 vadd vsub vmul
 *   vfma(a, b, c)         a * b + c, rounded once;  vfnma(a, b, c): c - a * b
 *   vdiv vnearest         nearest: to whole numbers, halves to even ones
 *   vscale(v, n)          v 2^n for whole n, where v and the result are normal numbers
 *   vsum                  of all lanes
 *   vdots4(to, a, b, c, d, adds)   stores the sums of the lanes of four vectors, or adds them to what is there
 *   vnegative(v)          v < 0
 *   vbits, vmask_of       mask to the low LANES bits of an integer, and back (higher bits are ignored)
 *   vselect(m, yes, no), vzero_unless(m, v)
 *   vtranspose(rows)      LANES x LANES in place
 *   vload_words vstore_words   LANES pairs of bf16, any alignment
 *   vbf16_low vbf16_high  the floats in the lower and upper halves of such words;  vbf16_pack(low, high): rounds two
 *                         vectors into one of words, to the nearest, ties to even
 *   vcounter              KEEP_WORDS / KEEP_VECTORS integers of at least 32 bits, with the operators of the vector
 * extension vcounter_set vcounter_ramp     all equal; 0, 1, 2, ... keep_words(key, row, group, first_group, keep_below,
 * out)   KEEP_WORDS words of the dropout plane, see kernels.h; row and group: KEEP_VECTORS vectors of counters; the
 * words of several vectors are made at once because each alone would wait for its own multiplications */

#include <string.h>

#define GROUP_VECTORS (TSNNI_COLUMN_GROUP / LANES)
#define CHUNK_VECTORS (TSNNI_CHUNK_ROWS / GATHER_LANES)
#define FLOATS_PER_LINE 16
#define PREFETCH(address) __builtin_prefetch(address)
#define PREFETCH_FAR(address) __builtin_prefetch(address, 0, 2) /* into the second-level cache */

/* Connections between two requests for rows that are far away. */
#define FAR_BLOCK 32

/* Dot products that one pass over the tiles of columns makes. */
#define DOT_BLOCK 64

/* Cuts what remains of a row into tiles of nearly equal size, none above `most`. */
static inline int64_t tile_size(int64_t remaining, int64_t most)
{
    int64_t tiles = (remaining + most - 1) / most;
    return (remaining + tiles - 1) / tiles;
}

INLINE void prefetch_columns(const float *row, const int groups)
{
    UNROLL
    for (int g = 0; g < groups; g += 4)
        PREFETCH(row + g * FLOATS_PER_LINE);
}

INLINE void prefetch_columns_far(const float *row, const int groups)
{
    UNROLL
    for (int g = 0; g < groups; g++)
        PREFETCH_FAR(row + g * FLOATS_PER_LINE);
}

#include "kernels/tpl/epilogue.inc.h"
#include "kernels/tpl/bf16.inc.h"
#include "kernels/tpl/update.inc.h"
#include "kernels/tpl/dense.inc.h"
#include "kernels/tpl/function.inc.h"
#include "kernels/tpl/batch.inc.h"
#include "kernels/tpl/packed_dense.inc.h"

#define INDEX uint16_t
#define PAIR uint32_t
#define INDEXED(name) name##_16
#include "kernels/tpl/forward.inc.h"
#include "kernels/tpl/backward.inc.h"
#include "kernels/tpl/packed.inc.h"
#undef INDEX
#undef PAIR
#undef INDEXED

#define INDEX uint32_t
#define PAIR uint64_t
#define INDEXED(name) name##_32
#include "kernels/tpl/forward.inc.h"
#include "kernels/tpl/backward.inc.h"
#include "kernels/tpl/packed.inc.h"
#undef INDEX
#undef PAIR
#undef INDEXED

/* The designated members of the table that the including file defines. A library for inference only has no others, and
 * the compiler drops what nothing points to. */
#define INFERENCE_FUNCTIONS                                                                                            \
    .lanes = LANES, .dense_forward = dense_forward, .batch_load = batch_load, .batch_store = batch_store,              \
    .packed_single = {packed_single_16, packed_single_32}, .packed_batch = {packed_batch_16, packed_batch_32},         \
    .packed_dense = packed_dense, .packed_inputs = {packed_inputs_16, packed_inputs_32}, .slope = slope,               \
    .all_finite = all_finite, .standardise = standardise, .sigmoid = sigmoid,                                          \
    .hyperbolic_tangent = hyperbolic_tangent, .softmax = softmax
#if defined(TSNNI_INFERENCE_ONLY)
#define KERNEL_FUNCTIONS INFERENCE_FUNCTIONS
#else
#define KERNEL_FUNCTIONS                                                                                               \
    .forward_columns = FORWARD_GROUPS * TSNNI_COLUMN_GROUP, .backward_columns = BACKWARD_GROUPS * TSNNI_COLUMN_GROUP,  \
    .forward = {forward_16, forward_32}, .backward = {backward_16, backward_32}, .dense_backward = dense_backward,     \
    .update = update, .dropout = dropout, .derivative = derivative, .pack = pack, INFERENCE_FUNCTIONS
#endif
