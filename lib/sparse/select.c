/* Radix selection: a histogram over the leading bits tells which bin holds the wanted place; the next passes look only
 * inside that bin. */
#include "sparse/select.h"

#include "core/memory.h"
#include "core/parallel.h"
#include "sparse/partition.h"

#define SIGN_BIT ((uint32_t)1 << 31)
#define EXPONENT_BITS 0x7F800000u

/* The 31 bits of a magnitude are told apart in three digits. */
#define DIGITS 3
#define BINS 2048 /* of one sign */
static const int digit_shift[DIGITS] = {20, 10, 0};
static const int digit_width[DIGITS] = {11, 10, 10};

#define DOUBLE_DIGITS 6
#define DOUBLE_DIGIT_WIDTH 11

/* Values for which another worker and its histogram pay. */
#define VALUES_PER_WORKER 16384

/* One pass over the values; every worker adds up what it sees, and sums of integers do not depend on who saw what. */
typedef struct pass_task {
    const float *values;
    int64_t count, chunks;
    int digit;
    uint32_t prefix[2];        /* of each sign: the digits found so far */
    uint32_t (*bins)[2][BINS]; /* of each worker */
} pass_task;

static uint32_t value_bits(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static void histogram_chunk(void *argument, int64_t chunk, int32_t worker)
{
    const pass_task *task = argument;
    uint32_t(*bins)[BINS] = task->bins[worker];
    int shift = digit_shift[task->digit];
    int above = shift + digit_width[task->digit];
    uint32_t mask = ((uint32_t)1 << digit_width[task->digit]) - 1;
    int64_t end = tsnni_partition_even(task->count, chunk + 1, task->chunks);
    for (int64_t k = tsnni_partition_even(task->count, chunk, task->chunks); k < end; k++) {
        uint32_t bits = value_bits(task->values[k]), magnitude = bits & ~SIGN_BIT;
        int sign = bits > SIGN_BIT ? TSNNI_NEGATIVE : TSNNI_POSITIVE;
        if (magnitude >> above == task->prefix[sign])
            bins[sign][magnitude >> shift & mask]++;
    }
}

static int32_t worker_count(int32_t threads, int64_t count)
{
    int64_t useful = count / VALUES_PER_WORKER + 1;
    return useful < threads ? (int32_t)useful : threads;
}

/* Fills the histogram of a digit and sums it into that of worker 0. */
static void histogram_pass(int32_t workers, pass_task *task)
{
    memset(task->bins, 0, (size_t)workers * sizeof *task->bins);
    tsnni_parallel_for(workers, task->count, task->chunks, histogram_chunk, task);
    for (int32_t worker = 1; worker < workers; worker++) {
        for (int bin = 0; bin < BINS; bin++) {
            task->bins[0][TSNNI_NEGATIVE][bin] += task->bins[worker][TSNNI_NEGATIVE][bin];
            task->bins[0][TSNNI_POSITIVE][bin] += task->bins[worker][TSNNI_POSITIVE][bin];
        }
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

/* The position behind the first `wanted` values of exactly these bits; a zero of either sign is a zero. */
static int64_t end_of_equals(const pass_task *task, int sign, uint32_t magnitude, int64_t wanted)
{
    int64_t k = 0;
    for (; wanted > 0; k++) {
        uint32_t bits = value_bits(task->values[k]);
        int value_sign = bits > SIGN_BIT ? TSNNI_NEGATIVE : TSNNI_POSITIVE;
        wanted -= value_sign == sign && (bits & ~SIGN_BIT) == magnitude;
    }
    return k;
}

tsnn_status tsnni_select_smallest(tsnni_runtime *runtime, const float *values, int64_t count, const int64_t take[2],
                                  tsnni_cut cuts[2])
{
    int32_t workers = worker_count(runtime->threads, count);
    pass_task task = {values, count, tsnni_parallel_chunks(workers), 0, {0, 0}, NULL};
    int64_t rank[2] = {take[0] - 1, take[1] - 1}; /* of the last value to take, narrowed down digit by digit */
    uint32_t equals[2] = {0, 0};
    memset(cuts, 0, 2 * sizeof *cuts);
    if (take[0] == 0 && take[1] == 0)
        return TSNN_OK;
    tsnn_status status = TSNNI_NEW(runtime, workers, &task.bins);
    if (status < 0)
        return status;
    for (task.digit = 0; task.digit < DIGITS; task.digit++) {
        histogram_pass(workers, &task);
        for (int sign = 0; sign < 2; sign++) {
            if (take[sign] == 0)
                continue;
            uint32_t bin = find_bin(task.bins[0][sign], &rank[sign]);
            equals[sign] = task.bins[0][sign][bin];
            task.prefix[sign] = task.prefix[sign] << digit_width[task.digit] | bin;
        }
    }
    tsnni_release(runtime, task.bins);
    for (int sign = 0; sign < 2; sign++) {
        if (take[sign] == 0)
            continue;
        cuts[sign].magnitude = task.prefix[sign];
        cuts[sign].end = rank[sign] + 1 == equals[sign]
                             ? count
                             : end_of_equals(&task, sign, task.prefix[sign], rank[sign] + 1);
    }
    return TSNN_OK;
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
