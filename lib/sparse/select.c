/* Radix selection: a histogram over the leading bits tells which bin holds the wanted place; only what lies in that bin
 * is looked at again. */
#include "sparse/select.h"

#include <math.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "sparse/partition.h"

#define SIGN_BIT ((uint32_t)1 << 31)
#define EXPONENT_BITS 0x7F800000u

/* Of the 31 bits of a magnitude the exponent and three bits more lead, two digits follow. A bin is the sign bit and the
 * lead, so the negative numbers have the upper half of the bins. */
#define LEAD_SHIFT 20
#define LEAD_BINS 2048
#define BINS (2 * LEAD_BINS)
#define NOT_FINITE_LEAD (EXPONENT_BITS >> LEAD_SHIFT)
#define DIGIT_WIDTH 10
#define DIGIT_BINS 1024
#define NO_BIN UINT32_MAX
#define GATHER_BLOCK 1024

#define DOUBLE_DIGITS 6
#define DOUBLE_DIGIT_WIDTH 11

/* Values for which a further chunk and its histogram pay. */
#define VALUES_PER_CHUNK 16384

#define PASS_COST 1 /* ns a value */

typedef struct select_task {
    const float *values;
    int64_t count, chunks;
    uint32_t (*bins)[BINS];  /* of each chunk */
    uint32_t bin[2];         /* where the cut of the sign lies, or NO_BIN */
    uint32_t *candidates[2]; /* magnitudes of that bin */
} select_task;

static uint32_t value_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* A zero is positive, whatever its sign bit says. */
static int sign_of(uint32_t bits)
{
    return bits > SIGN_BIT ? TSNNI_NEGATIVE : TSNNI_POSITIVE;
}

static uint32_t bin_of(uint32_t bits)
{
    return (bits & (0u - (uint32_t)(bits != SIGN_BIT))) >> LEAD_SHIFT;
}

static uint32_t first_bin(int sign)
{
    return sign == TSNNI_NEGATIVE ? LEAD_BINS : 0;
}

static void histogram_chunk(void *argument, int64_t chunk, int32_t worker)
{
    const select_task *task = argument;
    const float *values = task->values;
    uint32_t *bins = task->bins[chunk];
    int64_t end = tsnni_partition_even(task->count, chunk + 1, task->chunks);
    (void)worker;
    memset(bins, 0, sizeof *task->bins);
    for (int64_t k = tsnni_partition_even(task->count, chunk, task->chunks); k < end; k++)
        bins[bin_of(value_bits(values[k]))]++;
}

/* By now the chosen bins hold where the chunk's candidates begin. Candidates are few and come at random: they are
 * picked without a branch, a block at a time, and then parted by sign. */
static void gather_chunk(void *argument, int64_t chunk, int32_t worker)
{
    const select_task *task = argument;
    const float *values = task->values;
    const uint32_t bin[2] = {task->bin[0], task->bin[1]};
    uint32_t *next[2] = {task->candidates[0], task->candidates[1]};
    uint32_t picked[GATHER_BLOCK];
    int64_t k = tsnni_partition_even(task->count, chunk, task->chunks);
    int64_t end = tsnni_partition_even(task->count, chunk + 1, task->chunks);
    (void)worker;
    for (int sign = 0; sign < 2; sign++)
        next[sign] += bin[sign] == NO_BIN ? 0 : task->bins[chunk][bin[sign]];
    while (k < end) {
        int64_t block_end = end - k < GATHER_BLOCK ? end : k + GATHER_BLOCK, count = 0;
        for (; k < block_end; k++) {
            uint32_t bits = value_bits(values[k]), at = bin_of(bits);
            picked[count] = bits;
            count += (at == bin[0]) | (at == bin[1]);
        }
        for (int64_t i = 0; i < count; i++)
            *next[sign_of(picked[i])]++ = picked[i] & ~SIGN_BIT;
    }
}

static tsnn_status fail_not_finite(tsnni_runtime *runtime, const float *values, int64_t count)
{
    int64_t k = 0;
    while ((value_bits(values[k]) & EXPONENT_BITS) != EXPONENT_BITS)
        k++;
    return tsnni_fail(runtime, TSNN_ERROR_NOT_FINITE, "value %lld of %lld is %g", (long long)k, (long long)count,
                      (double)values[k]);
}

/* The bin in which place *rank lies; *rank becomes the place within the bin. */
static uint32_t find_bin(const uint32_t *bins, int64_t *rank)
{
    uint32_t bin = 0;
    while (*rank >= bins[bin])
        *rank -= bins[bin++];
    return bin;
}

/* Chooses the bin of place *rank of a sign and turns the counts of the chunks into where each begins in it. Returns how
 * many values lie in it. */
static int64_t choose_bin(select_task *task, const uint32_t totals[BINS], int sign, int64_t *rank)
{
    uint32_t bin = task->bin[sign] = first_bin(sign) + find_bin(totals + first_bin(sign), rank), begin = 0;
    for (int64_t chunk = 0; chunk < task->chunks; chunk++) {
        uint32_t length = task->bins[chunk][bin];
        task->bins[chunk][bin] = begin;
        begin += length;
    }
    return begin;
}

/* The candidate at place *rank, which becomes its place among its equals; *equals: how many there are. */
static uint32_t select_candidate(const uint32_t *candidates, int64_t count, uint32_t lead, int64_t *rank,
                                 uint32_t *equals)
{
    const uint32_t mask = DIGIT_BINS - 1;
    uint32_t prefix = lead;
    for (int shift = LEAD_SHIFT - DIGIT_WIDTH; shift >= 0; shift -= DIGIT_WIDTH) {
        uint32_t bins[DIGIT_BINS] = {0};
        for (int64_t k = 0; k < count; k++)
            if (candidates[k] >> (shift + DIGIT_WIDTH) == prefix)
                bins[candidates[k] >> shift & mask]++;
        uint32_t bin = find_bin(bins, rank);
        prefix = prefix << DIGIT_WIDTH | bin;
        *equals = bins[bin];
    }
    return prefix;
}

/* The position behind the first `wanted` values of exactly this sign and magnitude. */
static int64_t end_of_equals(const select_task *task, int sign, uint32_t magnitude, int64_t wanted)
{
    int64_t k = 0;
    for (; wanted > 0; k++) {
        uint32_t bits = value_bits(task->values[k]);
        wanted -= sign_of(bits) == sign && (bits & ~SIGN_BIT) == magnitude;
    }
    return k;
}

/* Counts the bins of all chunks, and their sums into totals. The caller releases task->bins. */
static tsnn_status count_bins(tsnni_runtime *runtime, select_task *task, uint32_t totals[BINS])
{
    int64_t useful = task->count / VALUES_PER_CHUNK + 1, chunks = tsnni_parallel_chunks(runtime->threads);
    task->chunks = chunks < useful ? chunks : useful;
    tsnn_status status = TSNNI_NEW(runtime, task->chunks, &task->bins);
    if (status < 0)
        return status;
    tsnni_parallel_for(runtime->threads, PASS_COST * task->count, task->chunks, histogram_chunk, task);
    memcpy(totals, task->bins[0], sizeof *task->bins);
    for (int64_t chunk = 1; chunk < task->chunks; chunk++)
        for (int bin = 0; bin < BINS; bin++)
            totals[bin] += task->bins[chunk][bin];
    return TSNN_OK;
}

/* The cuts that take the first take[sign] values of each sign. Releases all that the task has. */
static tsnn_status find_cuts(tsnni_runtime *runtime, select_task *task, const uint32_t totals[BINS],
                             const int64_t take[2], tsnni_cut cuts[2])
{
    int64_t rank[2] = {take[0] - 1, take[1] - 1}; /* of the last value to take */
    int64_t candidate_count[2] = {0, 0};
    tsnn_status status;
    for (int sign = 0; sign < 2; sign++) {
        task->bin[sign] = NO_BIN;
        if (take[sign] > 0)
            candidate_count[sign] = choose_bin(task, totals, sign, &rank[sign]);
        TSNNI_TRY(TSNNI_NEW(runtime, candidate_count[sign], &task->candidates[sign]));
    }
    tsnni_parallel_for(runtime->threads, PASS_COST * task->count, task->chunks, gather_chunk, task);
    for (int sign = 0; sign < 2; sign++) {
        uint32_t equals;
        if (take[sign] == 0)
            continue;
        cuts[sign].magnitude = select_candidate(task->candidates[sign], candidate_count[sign],
                                                task->bin[sign] - first_bin(sign), &rank[sign], &equals);
        cuts[sign].end =
            rank[sign] + 1 == equals ? task->count : end_of_equals(task, sign, cuts[sign].magnitude, rank[sign] + 1);
    }
    status = TSNN_OK;
fail:
    tsnni_release(runtime, task->candidates[0]);
    tsnni_release(runtime, task->candidates[1]);
    tsnni_release(runtime, task->bins);
    return status;
}

tsnn_status tsnni_select_smallest(tsnni_runtime *runtime, const float *values, int64_t count, const int64_t take[2],
                                  tsnni_cut cuts[2])
{
    select_task task = {.values = values, .count = count};
    uint32_t totals[BINS];
    memset(cuts, 0, 2 * sizeof *cuts);
    if (take[0] == 0 && take[1] == 0)
        return TSNN_OK;
    tsnn_status status = count_bins(runtime, &task, totals);
    return status < 0 ? status : find_cuts(runtime, &task, totals, take, cuts);
}

tsnn_status tsnni_select_share(tsnni_runtime *runtime, const float *values, int64_t count, double share,
                               int64_t take[2], tsnni_cut cuts[2])
{
    select_task task = {.values = values, .count = count};
    uint32_t totals[BINS];
    int64_t not_finite = 0;
    memset(cuts, 0, 2 * sizeof *cuts);
    tsnn_status status = count_bins(runtime, &task, totals);
    if (status < 0)
        return status;
    for (int sign = 0; sign < 2; sign++) {
        int64_t signed_count = 0;
        for (uint32_t lead = 0; lead < LEAD_BINS; lead++) {
            signed_count += totals[first_bin(sign) + lead];
            not_finite += lead >= NOT_FINITE_LEAD ? totals[first_bin(sign) + lead] : 0;
        }
        take[sign] = (int64_t)floor(share * (double)signed_count);
    }
    if (not_finite > 0)
        status = fail_not_finite(runtime, values, count);
    if (not_finite > 0 || take[0] + take[1] == 0) {
        tsnni_release(runtime, task.bins);
        return status;
    }
    return find_cuts(runtime, &task, totals, take, cuts);
}

tsnn_status tsnni_sign_counts(tsnni_runtime *runtime, const float *values, int64_t count, int64_t counts[2])
{
    int64_t negative = 0, not_finite = 0;
    for (int64_t k = 0; k < count; k++) {
        uint32_t bits = value_bits(values[k]);
        negative += bits > SIGN_BIT;
        not_finite += (bits & EXPONENT_BITS) == EXPONENT_BITS;
    }
    if (not_finite > 0)
        return fail_not_finite(runtime, values, count);
    counts[TSNNI_NEGATIVE] = negative;
    counts[TSNNI_POSITIVE] = count - negative;
    return TSNN_OK;
}

tsnni_cut_range tsnni_cut_range_at(const tsnni_cut cuts[2], int64_t position)
{
    tsnni_cut_range range = {INT32_MAX, 0, INT64_MAX}; /* takes no number */
    int64_t most[2];
    for (int sign = 0; sign < 2; sign++) {
        most[sign] = (int64_t)cuts[sign].magnitude - (position >= cuts[sign].end);
        if (cuts[sign].end > position && cuts[sign].end < range.end)
            range.end = cuts[sign].end;
    }
    if (most[TSNNI_NEGATIVE] < 0)
        most[TSNNI_NEGATIVE] = 0; /* no negative number has the magnitude 0 */
    if (most[TSNNI_POSITIVE] + most[TSNNI_NEGATIVE] >= 0) {
        range.lowest = 0u - (uint32_t)most[TSNNI_NEGATIVE];
        range.span = (uint32_t)(most[TSNNI_POSITIVE] + most[TSNNI_NEGATIVE]);
    }
    return range;
}

/* The bits of non-negative numbers are in the order of the numbers. */
double tsnni_order_statistic(const double *values, int64_t count, int64_t k)
{
    const uint64_t mask = ((uint64_t)1 << DOUBLE_DIGIT_WIDTH) - 1;
    uint64_t prefix = 0; /* the digits found so far */
    for (int digit = DOUBLE_DIGITS - 1; digit >= 0; digit--) {
        int shift = digit * DOUBLE_DIGIT_WIDTH;
        uint32_t bins[1 << DOUBLE_DIGIT_WIDTH] = {0};
        for (int64_t i = 0; i < count; i++) {
            uint64_t bits;
            memcpy(&bits, &values[i], sizeof bits);
            if (digit == DOUBLE_DIGITS - 1 || bits >> (shift + DOUBLE_DIGIT_WIDTH) == prefix)
                bins[bits >> shift & mask]++;
        }
        prefix = prefix << DOUBLE_DIGIT_WIDTH | find_bin(bins, &k);
    }
    double found;
    memcpy(&found, &prefix, sizeof found);
    return found;
}
