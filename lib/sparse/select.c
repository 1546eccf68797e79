/* Radix selection: a histogram over the leading bits tells which bin holds the wanted place; only what lies in that bin
 * is looked at again. */
#include "sparse/select.h"

#include "core/memory.h"
#include "core/parallel.h"
#include "sparse/partition.h"

#define SIGN_BIT ((uint32_t)1 << 31)
#define EXPONENT_BITS 0x7F800000u

/* The 31 bits of a magnitude: the exponent and three bits more lead, two digits follow. */
#define LEAD_SHIFT 20
#define LEAD_BINS 2048
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
    uint32_t (*bins)[2][LEAD_BINS]; /* of each chunk and sign */
    uint32_t bin[2];                /* where the cut of the sign lies, or NO_BIN */
    uint32_t *candidates[2];        /* magnitudes of that bin */
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

static void histogram_chunk(void *argument, int64_t chunk, int32_t worker)
{
    const select_task *task = argument;
    const float *values = task->values;
    uint32_t(*bins)[LEAD_BINS] = task->bins[chunk];
    int64_t end = tsnni_partition_even(task->count, chunk + 1, task->chunks);
    (void)worker;
    memset(bins, 0, sizeof *task->bins);
    for (int64_t k = tsnni_partition_even(task->count, chunk, task->chunks); k < end; k++) {
        uint32_t bits = value_bits(values[k]);
        bins[sign_of(bits)][(bits & ~SIGN_BIT) >> LEAD_SHIFT]++;
    }
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
        next[sign] += bin[sign] == NO_BIN ? 0 : task->bins[chunk][sign][bin[sign]];
    while (k < end) {
        int64_t block_end = end - k < GATHER_BLOCK ? end : k + GATHER_BLOCK, count = 0;
        for (; k < block_end; k++) {
            uint32_t bits = value_bits(values[k]);
            picked[count] = bits;
            count += (bits & ~SIGN_BIT) >> LEAD_SHIFT == bin[sign_of(bits)];
        }
        for (int64_t i = 0; i < count; i++)
            *next[sign_of(picked[i])]++ = picked[i] & ~SIGN_BIT;
    }
}

/* The bin in which place *rank lies; *rank becomes the place within the bin. */
static uint32_t find_bin(const uint32_t *bins, int64_t *rank)
{
    uint32_t bin = 0;
    while (*rank >= bins[bin])
        *rank -= bins[bin++];
    return bin;
}

/* Chooses the bin of place *rank of a sign, makes room for what lies in it, and turns the counts of the chunks into
 * where each begins. Returns how many lie in it. */
static int64_t choose_bin(select_task *task, int sign, int64_t *rank)
{
    uint32_t totals[LEAD_BINS] = {0}, begin = 0;
    for (int64_t chunk = 0; chunk < task->chunks; chunk++)
        for (int bin = 0; bin < LEAD_BINS; bin++)
            totals[bin] += task->bins[chunk][sign][bin];
    uint32_t bin = task->bin[sign] = find_bin(totals, rank);
    for (int64_t chunk = 0; chunk < task->chunks; chunk++) {
        uint32_t length = task->bins[chunk][sign][bin];
        task->bins[chunk][sign][bin] = begin;
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

tsnn_status tsnni_select_smallest(tsnni_runtime *runtime, const float *values, int64_t count, const int64_t take[2],
                                  tsnni_cut cuts[2])
{
    int64_t useful = count / VALUES_PER_CHUNK + 1, chunks = tsnni_parallel_chunks(runtime->threads);
    select_task task = {.values = values, .count = count, .chunks = chunks < useful ? chunks : useful};
    int64_t rank[2] = {take[0] - 1, take[1] - 1}; /* of the last value to take */
    int64_t candidate_count[2] = {0, 0};
    tsnn_status status;
    memset(cuts, 0, 2 * sizeof *cuts);
    if (take[0] == 0 && take[1] == 0)
        return TSNN_OK;
    TSNNI_TRY(TSNNI_NEW(runtime, task.chunks, &task.bins));
    tsnni_parallel_for(runtime->threads, PASS_COST * count, task.chunks, histogram_chunk, &task);
    for (int sign = 0; sign < 2; sign++) {
        task.bin[sign] = NO_BIN;
        if (take[sign] > 0)
            candidate_count[sign] = choose_bin(&task, sign, &rank[sign]);
        TSNNI_TRY(TSNNI_NEW(runtime, candidate_count[sign], &task.candidates[sign]));
    }
    tsnni_parallel_for(runtime->threads, PASS_COST * count, task.chunks, gather_chunk, &task);
    for (int sign = 0; sign < 2; sign++) {
        uint32_t equals;
        if (take[sign] == 0)
            continue;
        cuts[sign].magnitude =
            select_candidate(task.candidates[sign], candidate_count[sign], task.bin[sign], &rank[sign], &equals);
        cuts[sign].end =
            rank[sign] + 1 == equals ? count : end_of_equals(&task, sign, cuts[sign].magnitude, rank[sign] + 1);
    }
    status = TSNN_OK;
fail:
    tsnni_release(runtime, task.candidates[0]);
    tsnni_release(runtime, task.candidates[1]);
    tsnni_release(runtime, task.bins);
    return status;
}

tsnn_status tsnni_sign_counts(tsnni_runtime *runtime, const float *values, int64_t count, int64_t counts[2])
{
    int64_t negative = 0, not_finite = 0;
    for (int64_t k = 0; k < count; k++) {
        uint32_t bits = value_bits(values[k]);
        negative += bits > SIGN_BIT;
        not_finite += (bits & EXPONENT_BITS) == EXPONENT_BITS;
    }
    if (not_finite > 0) {
        int64_t k = 0;
        while ((value_bits(values[k]) & EXPONENT_BITS) != EXPONENT_BITS)
            k++;
        return tsnni_fail(runtime, TSNN_ERROR_NOT_FINITE, "value %lld of %lld is %g", (long long)k, (long long)count,
                          (double)values[k]);
    }
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
