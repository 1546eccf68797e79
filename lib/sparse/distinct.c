/* Distinct integers in order: counter-based draws, parted by their leading bits and sorted part by part, each duplicate
 * drawn again over the whole population. */
#include "sparse/sampling.h"

#include <string.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "sparse/partition.h"

#define MAX_POPULATION ((int64_t)1 << 62)

/* Below this ratio of population to count a set of bits is smaller than the draws, and few draws meet a new value. */
#define DENSE_SHARE 8

/* Draws of a bucket, twice as many at most while there are not too many buckets: they are sorted in the first-level
 * cache. */
#define BUCKET_DRAWS 512
#define MAX_BUCKETS 4096
#define MAX_BINS 32768

#define BATCH_BLOCKS 64

/* Nanoseconds a draw. */
#define DRAW_COST 2
#define PART_COST 2
#define SORT_COST 4
#define COPY_COST 1

typedef struct distinct_task {
    tsnni_random_key key;
    uint64_t first_block;
    int64_t population, count;
    int64_t chunks, buckets;
    int32_t shift;        /* bucket of a draw: draw >> shift */
    int64_t *draws;       /* in the order of drawing, later sorted within each bucket */
    int64_t *parted;      /* in the order of the buckets */
    uint32_t *chunk_bins; /* chunks x buckets: draws, then where the next of them goes */
    int64_t *bucket_ptr;  /* buckets + 1: where each begins */
    int64_t *unique;      /* buckets: distinct values at the beginning of each bucket */
    int64_t *extra_ptr;   /* buckets + 1: which extras belong to each */
    int64_t *target_ptr;  /* buckets + 1: where its values begin in the sample */
    uint32_t *bins;       /* bin_count for each worker */
    int64_t bin_count;
    int64_t *extras; /* values that took the place of duplicates, rising */
    int64_t extra_count;
} distinct_task;

static int32_t bit_width(int64_t number)
{
    int32_t width = 0;
    while (number >> width > 0)
        width++;
    return width;
}

/* ---- sorting uniform numbers ---- */

/* Sorts numbers that are uniform in [base, base + 2^width) in expected O(count): a counting sort by the leading bits,
 * about as many bins as numbers, leaves next to nothing for the insertions. bin_count: a power of two. */
static void sort_uniform(const int64_t *from, int64_t count, int64_t base, int32_t width, uint32_t *bins,
                         int64_t bin_count, int64_t *to)
{
    int32_t digits = bit_width(bin_count) - 1, shift = width > digits ? width - digits : 0;
    uint32_t begin = 0;
    memset(bins, 0, (size_t)bin_count * sizeof *bins);
    for (int64_t k = 0; k < count; k++)
        bins[(from[k] - base) >> shift]++;
    for (int64_t bin = 0; bin < bin_count; bin++) {
        uint32_t length = bins[bin];
        bins[bin] = begin;
        begin += length;
    }
    for (int64_t k = 0; k < count; k++)
        to[bins[(from[k] - base) >> shift]++] = from[k];
    for (int64_t k = 1; k < count; k++) {
        int64_t value = to[k], slot = k;
        for (; slot > 0 && to[slot - 1] > value; slot--)
            to[slot] = to[slot - 1];
        to[slot] = value;
    }
}

/* Keeps one of each sorted value, none of refused draws; returns how many. */
static int64_t drop_equals(int64_t *values, int64_t count, int64_t population)
{
    int64_t unique = 0;
    while (count > 0 && values[count - 1] >= population)
        count--;
    for (int64_t k = 0; k < count; k++) {
        values[unique] = values[k];
        unique += k + 1 == count || values[k + 1] != values[k];
    }
    return unique;
}

/* ---- the first draws ---- */

static void draw_chunk(void *argument, int64_t chunk, int32_t worker)
{
    const distinct_task *task = argument;
    int64_t each = tsnni_random_integers_per_block((uint64_t)task->population);
    int64_t blocks = (task->count + each - 1) / each;
    int64_t block = tsnni_partition_even(blocks, chunk, task->chunks);
    int64_t end = tsnni_partition_even(blocks, chunk + 1, task->chunks);
    uint32_t *bins = task->chunk_bins + chunk * task->buckets;
    (void)worker;
    memset(bins, 0, (size_t)task->buckets * sizeof *bins);
    for (; block < end; block += BATCH_BLOCKS) {
        int64_t batch = end - block < BATCH_BLOCKS ? end - block : BATCH_BLOCKS, first = block * each;
        int64_t drawn = task->count - first < batch * each ? task->count - first : batch * each;
        tsnni_random_integers(task->key, (uint64_t)block, batch, (uint64_t)task->population, task->draws + first);
        for (int64_t k = first; k < first + drawn; k++)
            bins[task->draws[k] >> task->shift]++;
    }
}

/* Turns the counts of the chunks into places. */
static void place_chunks(distinct_task *task)
{
    int64_t begin = 0;
    for (int64_t bucket = 0; bucket < task->buckets; bucket++) {
        task->bucket_ptr[bucket] = begin;
        for (int64_t chunk = 0; chunk < task->chunks; chunk++) {
            uint32_t *bin = &task->chunk_bins[chunk * task->buckets + bucket];
            uint32_t length = *bin;
            *bin = (uint32_t)begin;
            begin += length;
        }
    }
    task->bucket_ptr[task->buckets] = begin;
}

static void part_chunk(void *argument, int64_t chunk, int32_t worker)
{
    const distinct_task *task = argument;
    const int64_t *draws = task->draws;
    int64_t *parted = task->parted;
    const int32_t shift = task->shift;
    int64_t each = tsnni_random_integers_per_block((uint64_t)task->population);
    int64_t blocks = (task->count + each - 1) / each;
    int64_t end = each * tsnni_partition_even(blocks, chunk + 1, task->chunks);
    uint32_t *next = task->chunk_bins + chunk * task->buckets;
    (void)worker;
    end = end < task->count ? end : task->count;
    for (int64_t k = each * tsnni_partition_even(blocks, chunk, task->chunks); k < end; k++)
        parted[next[draws[k] >> shift]++] = draws[k];
}

static void sort_chunk(void *argument, int64_t chunk, int32_t worker)
{
    const distinct_task *task = argument;
    int64_t end = tsnni_partition_even(task->buckets, chunk + 1, task->chunks);
    for (int64_t bucket = tsnni_partition_even(task->buckets, chunk, task->chunks); bucket < end; bucket++) {
        int64_t begin = task->bucket_ptr[bucket], count = task->bucket_ptr[bucket + 1] - begin;
        sort_uniform(task->parted + begin, count, bucket << task->shift, task->shift,
                     task->bins + worker * task->bin_count, task->bin_count, task->draws + begin);
        task->unique[bucket] = drop_equals(task->draws + begin, count, task->population);
    }
}

/* ---- what takes the place of duplicates ---- */

static int32_t is_drawn(const distinct_task *task, int64_t value)
{
    int64_t bucket = value >> task->shift;
    const int64_t *values = task->draws + task->bucket_ptr[bucket];
    int64_t place = tsnni_count_below(values, task->unique[bucket], value);
    return place < task->unique[bucket] && values[place] == value;
}

/* Keeps the sorted draws that are new; returns how many. */
static int64_t drop_known(const distinct_task *task, int64_t *fresh, int64_t count)
{
    int64_t kept = 0, next = 0;
    for (int64_t k = 0; k < count; k++) {
        while (next < task->extra_count && task->extras[next] < fresh[k])
            next++;
        if ((next == task->extra_count || task->extras[next] != fresh[k]) && !is_drawn(task, fresh[k]))
            fresh[kept++] = fresh[k];
    }
    return kept;
}

/* Merges from the back into `kept`, which has the room. */
static void merge(int64_t *kept, int64_t kept_count, const int64_t *fresh, int64_t fresh_count)
{
    while (fresh_count > 0) {
        if (kept_count > 0 && kept[kept_count - 1] > fresh[fresh_count - 1]) {
            kept[kept_count + fresh_count - 1] = kept[kept_count - 1];
            kept_count--;
        } else {
            kept[kept_count + fresh_count - 1] = fresh[fresh_count - 1];
            fresh_count--;
        }
    }
}

/* Draws as often as values are missing until none is. Rounds are few: at most one draw in DENSE_SHARE meets a value. */
static tsnn_status draw_extras(tsnni_runtime *runtime, distinct_task *task, int64_t missing)
{
    int64_t each = tsnni_random_integers_per_block((uint64_t)task->population);
    uint64_t block = (uint64_t)((task->count + each - 1) / each);
    int64_t *drawn = NULL, *fresh = NULL;
    tsnn_status status;
    TSNNI_TRY(TSNNI_NEW(runtime, missing, &task->extras));
    TSNNI_TRY(TSNNI_NEW(runtime, missing + each, &drawn));
    TSNNI_TRY(TSNNI_NEW(runtime, missing, &fresh));
    while (task->extra_count < missing) {
        int64_t count = missing - task->extra_count, blocks = (count + each - 1) / each;
        tsnni_random_integers(task->key, block, blocks, (uint64_t)task->population, drawn);
        block += (uint64_t)blocks;
        sort_uniform(drawn, count, 0, bit_width(task->population), task->bins, task->bin_count, fresh);
        count = drop_known(task, fresh, drop_equals(fresh, count, task->population));
        merge(task->extras, task->extra_count, fresh, count);
        task->extra_count += count;
    }
    status = TSNN_OK;
fail:
    tsnni_release(runtime, drawn);
    tsnni_release(runtime, fresh);
    return status;
}

static void copy_chunk(void *argument, int64_t chunk, int32_t worker)
{
    const distinct_task *task = argument;
    int64_t end = tsnni_partition_even(task->buckets, chunk + 1, task->chunks);
    (void)worker;
    for (int64_t bucket = tsnni_partition_even(task->buckets, chunk, task->chunks); bucket < end; bucket++) {
        int64_t *target = task->parted + task->target_ptr[bucket];
        memcpy(target, task->draws + task->bucket_ptr[bucket], (size_t)task->unique[bucket] * sizeof *target);
        merge(target, task->unique[bucket], task->extras + task->extra_ptr[bucket],
              task->extra_ptr[bucket + 1] - task->extra_ptr[bucket]);
    }
}

/* Puts distinct draws and extras together in task->parted, of which nothing is needed any more. */
static void gather_sample(tsnni_runtime *runtime, distinct_task *task)
{
    task->extra_ptr[0] = task->target_ptr[0] = 0;
    for (int64_t bucket = 0; bucket < task->buckets; bucket++) {
        task->extra_ptr[bucket + 1] =
            bucket + 1 < task->buckets ? tsnni_count_below(task->extras, task->extra_count, (bucket + 1) << task->shift)
                                       : task->extra_count;
        task->target_ptr[bucket + 1] =
            task->target_ptr[bucket] + task->unique[bucket] + task->extra_ptr[bucket + 1] - task->extra_ptr[bucket];
    }
    tsnni_parallel_for(runtime->threads, COPY_COST * task->count, task->chunks, copy_chunk, task);
}

/* ---- the two ways ---- */

static void choose_buckets(distinct_task *task)
{
    int64_t buckets = task->count / (2 * BUCKET_DRAWS);
    buckets = buckets < 1 ? 1 : buckets > MAX_BUCKETS ? MAX_BUCKETS : buckets;
    while (task->population >> task->shift >= buckets)
        task->shift++;
    task->buckets = (task->population >> task->shift) + 1; /* a refused draw is the population itself */
}

static void choose_bins(distinct_task *task)
{
    int64_t longest = 0;
    for (int64_t bucket = 0; bucket < task->buckets; bucket++) {
        int64_t length = task->bucket_ptr[bucket + 1] - task->bucket_ptr[bucket];
        longest = length > longest ? length : longest;
    }
    task->bin_count = 64;
    while (task->bin_count < longest && task->bin_count < MAX_BINS)
        task->bin_count *= 2;
}

static tsnn_status sample_sorted(tsnni_runtime *runtime, distinct_task *task, int64_t **out)
{
    int64_t missing = task->count;
    tsnn_status status;
    choose_buckets(task);
    /* A block more than count: draws come by whole blocks. */
    TSNNI_TRY(TSNNI_NEW(runtime, task->count + 4, &task->draws));
    TSNNI_TRY(TSNNI_NEW(runtime, task->count + 1, &task->parted));
    TSNNI_TRY(TSNNI_NEW(runtime, task->chunks * task->buckets, &task->chunk_bins));
    TSNNI_TRY(TSNNI_NEW(runtime, 4 * (task->buckets + 1), &task->bucket_ptr));
    task->unique = task->bucket_ptr + task->buckets + 1;
    task->extra_ptr = task->unique + task->buckets + 1;
    task->target_ptr = task->extra_ptr + task->buckets + 1;

    tsnni_parallel_for(runtime->threads, DRAW_COST * task->count, task->chunks, draw_chunk, task);
    place_chunks(task);
    choose_bins(task);
    TSNNI_TRY(TSNNI_NEW(runtime, runtime->threads * task->bin_count, &task->bins));
    tsnni_parallel_for(runtime->threads, PART_COST * task->count, task->chunks, part_chunk, task);
    tsnni_parallel_for(runtime->threads, SORT_COST * task->count, task->chunks, sort_chunk, task);
    for (int64_t bucket = 0; bucket < task->buckets; bucket++)
        missing -= task->unique[bucket];
    if (missing > 0) {
        TSNNI_TRY(draw_extras(runtime, task, missing));
        gather_sample(runtime, task);
        *out = task->parted;
        task->parted = NULL;
    } else {
        *out = task->draws;
        task->draws = NULL;
    }
    status = TSNN_OK;
fail:
    tsnni_release(runtime, task->draws);
    tsnni_release(runtime, task->parted);
    tsnni_release(runtime, task->chunk_bins);
    tsnni_release(runtime, task->bucket_ptr);
    tsnni_release(runtime, task->bins);
    tsnni_release(runtime, task->extras);
    return status;
}

/* Marks values until `missing` are marked. */
static void mark_values(const distinct_task *task, int64_t missing, uint64_t *bits)
{
    int64_t draws[4 * BATCH_BLOCKS], each = tsnni_random_integers_per_block((uint64_t)task->population);
    for (uint64_t block = 0; missing > 0; block += BATCH_BLOCKS) {
        tsnni_random_integers(task->key, block, BATCH_BLOCKS, (uint64_t)task->population, draws);
        for (int64_t i = 0; i < each * BATCH_BLOCKS && missing > 0; i++) {
            uint64_t *word = &bits[draws[i] / 64], bit = (uint64_t)1 << draws[i] % 64;
            missing -= draws[i] < task->population && !(*word & bit);
            *word |= bit; /* a refused draw marks the population, which nobody reads */
        }
    }
}

/* The place of the lowest bit that is set; word is not 0. */
static int64_t lowest_bit(uint64_t word)
{
#if defined(__GNUC__) || defined(__clang__)
    return __builtin_ctzll(word);
#else
    int64_t place = 0;
    while (!(word >> place & 1))
        place++;
    return place;
#endif
}

/* Lists the values whose bit is 1, in order. */
static void list_marked(const uint64_t *bits, int64_t words, int64_t *sample, int64_t count)
{
    for (int64_t index = 0; index < words && count > 0; index++) {
        for (uint64_t word = bits[index]; word != 0 && count > 0; word &= word - 1, count--)
            *sample++ = 64 * index + lowest_bit(word);
    }
}

/* The same as a set of bits, for a population of the order of the count. What is drawn is the smaller of the sample and
 * its complement. */
static tsnn_status sample_bits(tsnni_runtime *runtime, distinct_task *task, int64_t **out)
{
    int64_t population = task->population, words = population / 64 + 1;
    int32_t complement = task->count > population / 2;
    uint64_t *bits = NULL;
    int64_t *sample = NULL;
    tsnn_status status;
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, words, &bits));
    TSNNI_TRY(TSNNI_NEW(runtime, task->count, &sample));
    mark_values(task, complement ? population - task->count : task->count, bits);
    if (complement)
        for (int64_t index = 0; index < words; index++)
            bits[index] = ~bits[index];
    list_marked(bits, words, sample, task->count);
    tsnni_release(runtime, bits);
    *out = sample;
    return TSNN_OK;
fail:
    tsnni_release(runtime, bits);
    tsnni_release(runtime, sample);
    return status;
}

tsnn_status tsnni_sample_distinct(tsnni_runtime *runtime, tsnni_random_key key, int64_t population, int64_t count,
                                  int64_t **out)
{
    *out = NULL;
    if (population < 0 || population > MAX_POPULATION)
        return tsnni_fail(runtime, TSNN_ERROR_OVERFLOW, "a population of %lld is outside [0, 2^62]",
                          (long long)population);
    if (count < 0 || count > population)
        return tsnni_fail(runtime, TSNN_ERROR_INVALID_ARGUMENT, "cannot draw %lld distinct values out of %lld",
                          (long long)count, (long long)population);
    distinct_task task = {
        .key = key, .population = population, .count = count, .chunks = tsnni_parallel_chunks(runtime->threads)};
    if (count > population / DENSE_SHARE || population == 0)
        return sample_bits(runtime, &task, out);
    return sample_sorted(runtime, &task, out);
}
