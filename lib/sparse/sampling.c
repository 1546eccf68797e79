/* Distinct integers and patterns of an exact count: counter-based draws, each duplicate drawn again. */
#include "sparse/sampling.h"

#include <string.h>

#include "core/memory.h"
#include "core/parallel.h"
#include "sparse/partition.h"

#define MAX_POPULATION ((int64_t)1 << 62)

/* Below this ratio of population to count a set of bits is no larger than half a sorted array. */
#define DENSE_SHARE 32

#define RADIX_BITS 12
#define RADIX ((int64_t)1 << RADIX_BITS)

typedef struct draw_task {
    tsnni_random_key key;
    uint64_t first_block; /* each block of random words makes two draws */
    int64_t population, count, chunks;
    int64_t *out;
} draw_task;

/* Draws number 2 * block and 2 * block + 1, uniform in [0, population). A draw that would be biased gives population.
 */
static void draw_pair(tsnni_random_key key, uint64_t block, int64_t population, int64_t out[2])
{
    uint32_t words[4];
    key.counter[0] = (uint32_t)block;
    key.counter[1] = (uint32_t)(block >> 32);
    tsnni_philox4x32(key.counter, key.key, words);
    for (int i = 0; i < 2; i++) {
        uint64_t draw;
        uint64_t word = (uint64_t)words[2 * i + 1] << 32 | words[2 * i];
        out[i] = tsnni_random_bounded(word, (uint64_t)population, &draw) ? (int64_t)draw : population;
    }
}

static void draw_chunk(void *argument, int64_t chunk, int32_t worker)
{
    const draw_task *task = argument;
    int64_t blocks = (task->count + 1) / 2;
    int64_t end = tsnni_partition_even(blocks, chunk + 1, task->chunks);
    (void)worker;
    for (int64_t block = tsnni_partition_even(blocks, chunk, task->chunks); block < end; block++) {
        int64_t draws[2];
        draw_pair(task->key, task->first_block + (uint64_t)block, task->population, draws);
        task->out[2 * block] = draws[0];
        if (2 * block + 1 < task->count)
            task->out[2 * block + 1] = draws[1];
    }
}

/* Sorts uniform draws of [0, population] (population itself: a failed draw) in expected O(count). Radix passes order
 * them by their leading bits, about as many as tell count values apart; an insertion pass then has next to nothing left
 * to move. Returns the array that holds the result, values or scratch. */
static int64_t *sort_draws(int64_t *values, int64_t *scratch, int64_t count, int64_t population)
{
    int width = 0, leading = 0;
    while (population >> width > 0)
        width++;
    while (count >> leading > 0)
        leading++;
    int shift = count < 32 ? width : width > leading ? width - leading : 0;
    for (; shift < width; shift += RADIX_BITS) {
        int64_t start[RADIX + 1] = {0};
        for (int64_t k = 0; k < count; k++)
            start[(values[k] >> shift & (RADIX - 1)) + 1]++;
        for (int64_t digit = 0; digit < RADIX; digit++)
            start[digit + 1] += start[digit];
        for (int64_t k = 0; k < count; k++)
            scratch[start[values[k] >> shift & (RADIX - 1)]++] = values[k];
        int64_t *swap = values;
        values = scratch;
        scratch = swap;
    }
    for (int64_t k = 1; k < count; k++) {
        int64_t value = values[k], slot = k;
        for (; slot > 0 && values[slot - 1] > value; slot--)
            values[slot] = values[slot - 1];
        values[slot] = value;
    }
    return values;
}

/* Keeps of sorted draws one of each value that is neither a failed draw nor in the sorted `kept`; returns how many. */
static int64_t drop_duplicates(int64_t *draws, int64_t count, int64_t population, const int64_t *kept,
                               int64_t kept_count)
{
    int64_t unique = 0, next = 0;
    for (int64_t k = 0; k < count && draws[k] < population; k++) {
        while (next < kept_count && kept[next] < draws[k])
            next++;
        if ((next == kept_count || kept[next] != draws[k]) && (unique == 0 || draws[unique - 1] != draws[k]))
            draws[unique++] = draws[k];
    }
    return unique;
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

/* The first `count` distinct values of an endless row of draws: first `count` draws, then as many again as are missing.
 * Rounds are few because at most one draw in DENSE_SHARE meets a kept value. */
static tsnn_status sample_sorted(tsnni_runtime *runtime, draw_task *task, int64_t count, int64_t **out)
{
    const int64_t draw_cost = 8; /* ns */
    int64_t *kept = NULL, *scratch = NULL;
    tsnn_status status;
    /* One more than count: a later round needs its draws and their sort buffer, and there may be one value to draw. */
    TSNNI_TRY(TSNNI_NEW(runtime, count + 1, &kept));
    TSNNI_TRY(TSNNI_NEW(runtime, count + 1, &scratch));
    for (int64_t kept_count = 0; kept_count < count;) {
        int64_t missing = count - kept_count, half = (count + 1) / 2;
        task->count = kept_count == 0 || missing < half ? missing : half;
        task->out = kept_count == 0 ? kept : scratch;
        tsnni_parallel_for(runtime->threads, task->count * draw_cost, task->chunks, draw_chunk, task);
        task->first_block += (uint64_t)(task->count + 1) / 2;
        if (kept_count == 0) {
            if (sort_draws(kept, scratch, count, task->population) == scratch) {
                int64_t *swap = kept;
                kept = scratch;
                scratch = swap;
            }
            kept_count = drop_duplicates(kept, count, task->population, NULL, 0);
        } else {
            int64_t *fresh = sort_draws(scratch, scratch + task->count, task->count, task->population);
            int64_t fresh_count = drop_duplicates(fresh, task->count, task->population, kept, kept_count);
            merge(kept, kept_count, fresh, fresh_count);
            kept_count += fresh_count;
        }
    }
    tsnni_release(runtime, scratch);
    *out = kept;
    return TSNN_OK;
fail:
    tsnni_release(runtime, kept);
    tsnni_release(runtime, scratch);
    return status;
}

/* The same as a set of bits, for a population of the order of the count. What is drawn is the smaller of the sample and
 * its complement. */
static tsnn_status sample_bits(tsnni_runtime *runtime, draw_task *task, int64_t count, int64_t **out)
{
    int64_t population = task->population, taken = 0;
    uint64_t wanted = count <= population / 2; /* the bit of a value that belongs to the sample */
    int64_t missing = wanted ? count : population - count;
    uint64_t *bits = NULL;
    int64_t *sample = NULL;
    tsnn_status status;
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, population / 64 + 1, &bits));
    TSNNI_TRY(TSNNI_NEW(runtime, count, &sample));
    while (missing > 0) {
        int64_t draws[2];
        draw_pair(task->key, task->first_block++, population, draws);
        for (int i = 0; i < 2 && missing > 0; i++) {
            uint64_t bit = (uint64_t)1 << draws[i] % 64;
            if (draws[i] < population && !(bits[draws[i] / 64] & bit)) {
                bits[draws[i] / 64] |= bit;
                missing--;
            }
        }
    }
    for (int64_t value = 0; value < population; value++) {
        if ((bits[value / 64] >> value % 64 & 1) == wanted)
            sample[taken++] = value;
    }
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
    draw_task task = {key, 0, population, 0, tsnni_parallel_chunks(runtime->threads), NULL};
    if (count > population / DENSE_SHARE)
        return sample_bits(runtime, &task, count, out);
    return sample_sorted(runtime, &task, count, out);
}

tsnn_status tsnni_sample_exact(tsnni_runtime *runtime, int64_t rows, int64_t columns, int64_t count, uint64_t seed,
                               int64_t layer, tsnni_pattern *out)
{
    int64_t *cells = NULL;
    int64_t k = 0;
    tsnn_status status;
    TSNNI_TRY(tsnni_pattern_allocate(runtime, rows, columns, count, out));
    TSNNI_TRY(tsnni_sample_distinct(runtime, tsnni_random_key_make(seed, TSNNI_PURPOSE_TOPOLOGY, layer, 0, 0),
                                    rows * columns, count, &cells));
    for (int64_t row = 0; row < rows; row++) {
        for (; k < count && cells[k] < (row + 1) * columns; k++)
            tsnni_index_set(&out->column, k, cells[k] - row * columns);
        out->row_ptr[row + 1] = k;
    }
    tsnni_release(runtime, cells);
    return TSNN_OK;
fail:
    tsnni_pattern_free(runtime, out);
    return status;
}
