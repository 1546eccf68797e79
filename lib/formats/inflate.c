/* DEFLATE: bits from the least significant on, three kinds of blocks, short codes looked up in a table of
 * all 9-bit words, longer ones found by their order. So a block's tables cost little, and who sends nothing but empty
 * blocks pays for each of them with about as much data as time. */
#include "formats/inflate.h"

#include <string.h>

#include "core/memory.h"

#define LONGEST_CODE 15
#define QUICK_CODE 9
#define QUICK_WORDS (1 << QUICK_CODE)
#define LITERALS 288
#define DISTANCES 32
#define LENGTH_CODES 19
#define END_OF_BLOCK 256

typedef struct code_table {
    /* For every word of 9 bits: the symbol whose code it begins with, times 16, plus the code's length; 0: none, or a
     * longer one. */
    uint16_t quick[QUICK_WORDS];
    uint16_t count[LONGEST_CODE + 1]; /* codes of each length */
    uint16_t symbol[LITERALS];        /* in the order of their codes */
} code_table;

typedef struct inflater {
    const unsigned char *data;
    int64_t bytes, at;
    uint64_t word; /* bits read ahead, the next one lowest */
    int bits;
    unsigned char *out;
    int64_t size, done;
    code_table *literals, *distances; /* and of code lengths, before */
    int32_t fixed;                    /* they are those of fixed blocks */
} inflater;

/* Beyond the end come zeros: the check that the data sufficed is at the end of each block. */
static void fill(inflater *state, int wanted)
{
    while (state->bits < wanted) {
        uint64_t next = state->at < state->bytes ? state->data[state->at] : 0;
        state->word |= next << state->bits;
        state->at++;
        state->bits += 8;
    }
}

static uint32_t take(inflater *state, int count)
{
    fill(state, count);
    uint32_t value = (uint32_t)(state->word & ((1u << count) - 1));
    state->word >>= count;
    state->bits -= count;
    return value;
}

/* Whole bytes that were read ahead have not been used. */
static int32_t ran_out(const inflater *state)
{
    return state->at - state->bits / 8 > state->bytes;
}

/* The codes of each length are consecutive numbers, and follow those of the length before. */
static int decode_long(inflater *state, const code_table *table)
{
    int code = 0, first = 0, index = 0;
    for (int length = 1; length <= LONGEST_CODE; length++) {
        code = code << 1 | (int)(state->word >> (length - 1) & 1);
        first <<= 1;
        int count = table->count[length];
        if (code < first + count) {
            state->word >>= length;
            state->bits -= length;
            return table->symbol[index + code - first];
        }
        index += count;
        first += count;
    }
    return -1;
}

/* -1: no code begins with these bits. */
static int decode(inflater *state, const code_table *table)
{
    fill(state, LONGEST_CODE);
    uint16_t entry = table->quick[state->word & (QUICK_WORDS - 1)];
    int length = entry & 15;
    if (length == 0)
        return decode_long(state, table);
    state->word >>= length;
    state->bits -= length;
    return entry >> 4;
}

static uint32_t reversed(uint32_t code, int length)
{
    uint32_t out = 0;
    for (int k = 0; k < length; k++)
        out |= (code >> k & 1) << (length - 1 - k);
    return out;
}

/* Canonical codes of these lengths (0: unused). 0 when they want more words than there are. */
static int32_t build_table(code_table *table, const unsigned char *lengths, int count)
{
    uint32_t next[LONGEST_CODE + 2] = {0}, used = 0;
    int place[LONGEST_CODE + 2] = {0};
    memset(table, 0, sizeof *table);
    for (int k = 0; k < count; k++)
        table->count[lengths[k]]++;
    table->count[0] = 0;
    for (int length = 1; length <= LONGEST_CODE; length++) {
        next[length + 1] = (next[length] + table->count[length]) << 1;
        place[length + 1] = place[length] + table->count[length];
        used += (uint32_t)table->count[length] << (LONGEST_CODE - length);
    }
    if (used > 1u << LONGEST_CODE)
        return 0;
    for (int k = 0; k < count; k++) {
        int length = lengths[k];
        if (length == 0)
            continue;
        table->symbol[place[length]++] = (uint16_t)k;
        if (length > QUICK_CODE)
            continue;
        for (uint32_t word = reversed(next[length]++, length); word < QUICK_WORDS; word += 1u << length)
            table->quick[word] = (uint16_t)(k << 4 | length);
    }
    return 1;
}

/* ---- blocks: each returns 0 when the data are damaged ---- */

static int32_t stored_block(inflater *state)
{
    take(state, state->bits % 8);
    uint32_t length = take(state, 16), complement = take(state, 16);
    if (length != (~complement & 0xFFFF) || length > state->size - state->done)
        return 0;
    for (; length > 0; length--)
        state->out[state->done++] = (unsigned char)take(state, 8);
    return !ran_out(state);
}

static int32_t fixed_tables(inflater *state)
{
    unsigned char lengths[LITERALS];
    if (state->fixed)
        return 1;
    state->fixed = 1;
    for (int k = 0; k < LITERALS; k++)
        lengths[k] = k < 144 ? 8 : k < 256 ? 9 : k < 280 ? 7 : 8;
    if (!build_table(state->literals, lengths, LITERALS))
        return 0;
    memset(lengths, 5, DISTANCES);
    return build_table(state->distances, lengths, DISTANCES);
}

static int32_t dynamic_tables(inflater *state)
{
    static const unsigned char order[LENGTH_CODES] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
    unsigned char lengths[LITERALS + DISTANCES] = {0}, code_lengths[LENGTH_CODES] = {0};
    int literals = 257 + (int)take(state, 5), distances = 1 + (int)take(state, 5), codes = 4 + (int)take(state, 4);
    int total = literals + distances;
    state->fixed = 0;
    for (int k = 0; k < codes; k++)
        code_lengths[order[k]] = (unsigned char)take(state, 3);
    if (literals > 286 || distances > 30 || !build_table(state->literals, code_lengths, LENGTH_CODES))
        return 0;
    for (int k = 0; k < total;) {
        int symbol = decode(state, state->literals);
        if (symbol < 0 || ran_out(state))
            return 0;
        if (symbol < 16) {
            lengths[k++] = (unsigned char)symbol;
            continue;
        }
        if (symbol == 16 && k == 0)
            return 0;
        unsigned char repeated = symbol == 16 ? lengths[k - 1] : 0;
        int times = symbol == 16   ? 3 + (int)take(state, 2)
                    : symbol == 17 ? 3 + (int)take(state, 3)
                                   : 11 + (int)take(state, 7);
        if (times > total - k)
            return 0;
        for (; times > 0; times--)
            lengths[k++] = repeated;
    }
    return lengths[END_OF_BLOCK] != 0 && build_table(state->literals, lengths, literals) &&
           build_table(state->distances, lengths + literals, distances);
}

/* A copy of what came before. Symbol 257 is the first length. */
static int32_t copy_match(inflater *state, int symbol)
{
    static const uint16_t length_base[] = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                           31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
    static const unsigned char length_bits[] = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                                2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
    if (symbol - 257 >= (int)(sizeof length_bits))
        return 0;
    int64_t length = length_base[symbol - 257] + (int64_t)take(state, length_bits[symbol - 257]);
    int code = decode(state, state->distances);
    if (code < 0 || code > 29)
        return 0;
    /* Codes come in pairs of the same number of further bits. */
    int further = code < 2 ? 0 : code / 2 - 1;
    int64_t distance = (code < 2 ? code : (2 + code % 2) << further) + 1 + (int64_t)take(state, further);
    if (distance > state->done || length > state->size - state->done)
        return 0;
    for (; length > 0; length--, state->done++)
        state->out[state->done] = state->out[state->done - distance];
    return 1;
}

static int32_t coded_block(inflater *state)
{
    for (;;) {
        int symbol = decode(state, state->literals);
        if (symbol < 0 || ran_out(state))
            return 0;
        if (symbol == END_OF_BLOCK)
            return 1;
        if (symbol > END_OF_BLOCK) {
            if (!copy_match(state, symbol))
                return 0;
        } else {
            if (state->done == state->size)
                return 0;
            state->out[state->done++] = (unsigned char)symbol;
        }
    }
}

static int32_t run(inflater *state)
{
    uint32_t last = 0;
    while (!last) {
        last = take(state, 1);
        uint32_t kind = take(state, 2);
        int32_t good = kind == 0   ? stored_block(state)
                       : kind == 1 ? fixed_tables(state) && coded_block(state)
                       : kind == 2 ? dynamic_tables(state) && coded_block(state)
                                   : 0;
        if (!good)
            return 0;
    }
    return state->done == state->size;
}

tsnn_status tsnni_inflate(tsnni_runtime *runtime, const unsigned char *data, int64_t bytes, unsigned char *out,
                          int64_t size)
{
    inflater state = {.data = data, .bytes = bytes, .out = out, .size = size};
    tsnn_status status;
    TSNNI_TRY(TSNNI_NEW(runtime, 1, &state.literals));
    TSNNI_TRY(TSNNI_NEW(runtime, 1, &state.distances));
    if (!run(&state))
        TSNNI_FAIL(runtime, TSNN_ERROR_FORMAT, "damaged compressed data after %lld of %lld bytes",
                   (long long)state.done, (long long)size);
fail:
    tsnni_release(runtime, state.literals);
    tsnni_release(runtime, state.distances);
    return status;
}
