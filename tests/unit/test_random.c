/* The random generator: known answers, keys that part the streams, and the shape of each distribution. */
#include "suites.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/random.h"

/* Published with Random123 for philox4x32, 10 rounds. */
START_TEST(philox_gives_the_published_answers)
{
    const struct {
        uint32_t counter[4], key[2], answer[4];
    } known[] = {
        {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
        {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
         {0xffffffff, 0xffffffff},
         {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
        {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
         {0xa4093822, 0x299f31d0},
         {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
    };
    for (int i = 0; i < 3; i++) {
        uint32_t out[4];
        tsnni_philox4x32(known[i].counter, known[i].key, out);
        for (int word = 0; word < 4; word++)
            ck_assert_uint_eq(out[word], known[i].answer[word]);
    }
}
END_TEST

START_TEST(a_key_holds_each_part_in_its_place)
{
    tsnni_random_key key =
        tsnni_random_key_make(0x0123456789abcdefu, TSNNI_PURPOSE_REGROWTH, ((int64_t)1 << 24) + 3, 5, 0x1fffffffe);
    ck_assert_uint_eq(key.key[0], 0x89abcdefu);
    ck_assert_uint_eq(key.key[1], 0x01234567u);
    ck_assert_uint_eq(key.counter[0], 0);
    ck_assert_uint_eq(key.counter[1], 0xfffffffeu);
    ck_assert_uint_eq(key.counter[2], 5);
    ck_assert_uint_eq(key.counter[3], (uint32_t)TSNNI_PURPOSE_REGROWTH << 24 | 3);
}
END_TEST

START_TEST(a_stream_does_not_depend_on_what_others_drew)
{
    enum { STREAMS = 6, DRAWS = 23 };
    const tsnni_random_key keys[STREAMS] = {
        tsnni_random_key_make(1, TSNNI_PURPOSE_USER, 2, 3, 4),    tsnni_random_key_make(2, TSNNI_PURPOSE_USER, 2, 3, 4),
        tsnni_random_key_make(1, TSNNI_PURPOSE_DROPOUT, 2, 3, 4), tsnni_random_key_make(1, TSNNI_PURPOSE_USER, 3, 3, 4),
        tsnni_random_key_make(1, TSNNI_PURPOSE_USER, 2, 4, 4),    tsnni_random_key_make(1, TSNNI_PURPOSE_USER, 2, 3, 5),
    };
    uint32_t alone[STREAMS][DRAWS];
    tsnni_stream streams[STREAMS];
    for (int s = 0; s < STREAMS; s++) {
        tsnni_stream_init(&streams[s], keys[s]);
        for (int draw = 0; draw < DRAWS; draw++)
            alone[s][draw] = tsnni_stream_u32(&streams[s]);
        tsnni_stream_init(&streams[s], keys[s]);
        for (int other = 0; other < s; other++)
            ck_assert_int_ne(memcmp(alone[s], alone[other], sizeof alone[s]), 0);
    }
    for (int draw = 0; draw < DRAWS; draw++) {
        for (int s = STREAMS - 1; s >= 0; s--)
            ck_assert_uint_eq(tsnni_stream_u32(&streams[s]), alone[s][draw]);
    }
}
END_TEST

START_TEST(a_stream_is_the_blocks_in_order)
{
    tsnni_random_key key = tsnni_random_key_make(9, TSNNI_PURPOSE_USER, 0, 0, 0);
    tsnni_stream stream;
    tsnni_stream_init(&stream, key);
    for (uint32_t block = 0; block < 3; block++) {
        uint32_t words[4];
        key.counter[0] = block;
        tsnni_philox4x32(key.counter, key.key, words);
        ck_assert_uint_eq(tsnni_stream_u32(&stream), words[0]);
        ck_assert_uint_eq(tsnni_stream_u32(&stream), words[1]);
        ck_assert_uint_eq(tsnni_stream_u64(&stream), (uint64_t)words[3] << 32 | words[2]);
    }
}
END_TEST

static tsnni_stream user_stream(uint64_t seed)
{
    tsnni_stream stream;
    tsnni_stream_init(&stream, tsnni_random_key_make(seed, TSNNI_PURPOSE_USER, 0, 0, 0));
    return stream;
}

/* Five standard deviations of a chi-square variable above its mean. */
static void assert_even(const int64_t *counts, int cells, int64_t draws)
{
    double expected = (double)draws / cells, statistic = 0;
    for (int cell = 0; cell < cells; cell++)
        statistic += ((double)counts[cell] - expected) * ((double)counts[cell] - expected) / expected;
    ck_assert_double_lt(statistic, cells - 1 + 5 * sqrt(2.0 * (cells - 1)));
}

START_TEST(uniform_numbers_fill_their_interval_evenly)
{
    enum { CELLS = 100, DRAWS = 200000 };
    int64_t doubles[CELLS] = {0}, floats[CELLS] = {0};
    tsnni_stream stream = user_stream(1);
    for (int draw = 0; draw < DRAWS; draw++) {
        double wide = tsnni_stream_uniform(&stream);
        float narrow = tsnni_stream_uniform_float(&stream);
        if (!(wide >= 0 && wide < 1 && narrow >= 0 && narrow < 1))
            ck_abort_msg("%g or %g is out of bounds", wide, (double)narrow);
        doubles[(int)(wide * CELLS)]++;
        floats[(int)(narrow * CELLS)]++;
    }
    assert_even(doubles, CELLS, DRAWS);
    assert_even(floats, CELLS, DRAWS);
}
END_TEST

START_TEST(bounded_integers_are_even)
{
    enum { CELLS = 97, DRAWS = 200000 };
    int64_t counts[CELLS] = {0};
    tsnni_stream stream = user_stream(2);
    for (int draw = 0; draw < DRAWS; draw++) {
        uint64_t value = tsnni_stream_below(&stream, CELLS);
        if (value >= CELLS)
            ck_abort_msg("%llu is out of bounds", (unsigned long long)value);
        counts[value]++;
    }
    assert_even(counts, CELLS, DRAWS);
    for (int draw = 0; draw < 10; draw++)
        ck_assert_uint_eq(tsnni_stream_below(&stream, 1), 0);
}
END_TEST

/* Without rejection the residues modulo 3 of the first three would be drawn 2 : 1 : 1. */
START_TEST(bounds_near_the_word_size_are_unbiased)
{
    enum { DRAWS = 60000 };
    const uint64_t bounds[] = {3u << 30, (uint64_t)3 << 62, ((uint64_t)3 << 62) + 3, ((uint64_t)1 << 32) + 2};
    for (int b = 0; b < 4; b++) {
        int64_t counts[3] = {0}, residues[3] = {0};
        tsnni_stream stream = user_stream(3);
        for (int draw = 0; draw < DRAWS; draw++) {
            uint64_t value = tsnni_stream_below(&stream, bounds[b]);
            if (value >= bounds[b])
                ck_abort_msg("%llu is out of bounds", (unsigned long long)value);
            counts[value / (bounds[b] / 3 + 1)]++;
            residues[value % 3]++;
        }
        assert_even(counts, 3, DRAWS);
        assert_even(residues, 3, DRAWS);
    }
}
END_TEST

START_TEST(one_attempt_scales_the_word_and_refuses_the_leftover)
{
    uint64_t out = 0;
    ck_assert_int_eq(tsnni_random_bounded(UINT64_MAX, 10, &out), 1);
    ck_assert_uint_eq(out, 9);
    ck_assert_int_eq(tsnni_random_bounded(0, 3, &out), 0); /* 2^64 mod 3 = 1 word has to go */
    ck_assert_int_eq(tsnni_random_bounded(0, 4, &out), 1);
    ck_assert_uint_eq(out, 0);
    ck_assert_int_eq(tsnni_random_bounded(((uint64_t)1 << 63) + 1, ((uint64_t)1 << 40) + 6, &out), 1);
    ck_assert_uint_eq(out, ((uint64_t)1 << 39) + 3);
    /* 0xfedcba9876543210 * 0x123456789abcdef1 >> 64 */
    tsnni_random_bounded(0xfedcba9876543210u, 0x123456789abcdef1u, &out);
    ck_assert_uint_eq(out, 0x121fa00ad77d7423u);
}
END_TEST

/* Blocks around the carry into the second counter word, in every number that a batch may leave over. */
START_TEST(many_blocks_at_once_are_the_blocks_one_by_one)
{
    enum { BLOCKS = 200 };
    const uint64_t firsts[] = {0, 1, ((uint64_t)1 << 32) - 7, UINT64_MAX - BLOCKS};
    tsnni_random_key key = tsnni_random_key_make(0x123456789ABCDEFu, TSNNI_PURPOSE_USER, 5, 6, 7);
    for (int f = 0; f < 4; f++) {
        for (int64_t blocks = 0; blocks <= BLOCKS; blocks += blocks < 20 ? 1 : 59) {
            uint32_t words[4 * BLOCKS + 1], expected[4 * BLOCKS];
            float floats[4 * BLOCKS];
            words[4 * blocks] = 77;
            tsnni_random_words(key, firsts[f], blocks, words);
            tsnni_random_floats(key, firsts[f], blocks, floats);
            ck_assert_uint_eq(words[4 * blocks], 77);
            for (int64_t b = 0; b < blocks; b++) {
                key.counter[0] = (uint32_t)(firsts[f] + (uint64_t)b);
                key.counter[1] = (uint32_t)((firsts[f] + (uint64_t)b) >> 32);
                tsnni_philox4x32(key.counter, key.key, expected + 4 * b);
            }
            ck_assert(memcmp(words, expected, (size_t)blocks * 16) == 0);
            for (int64_t k = 0; k < 4 * blocks; k++)
                ck_assert(floats[k] == (float)(expected[k] >> 8) * 0x1p-24f);
        }
    }
}
END_TEST

START_TEST(many_integers_at_once_are_even_and_name_what_is_refused)
{
    enum { BLOCKS = 25000 };
    const uint64_t bounds[] = {1, 3, 1000, (uint64_t)1 << 26, ((uint64_t)1 << 26) + 1, ((uint64_t)1 << 62) + 12345};
    int64_t *integers = malloc(4 * BLOCKS * sizeof *integers);
    for (int i = 0; i < 6; i++) {
        int64_t counts[8] = {0}, refused = 0, each = tsnni_random_integers_per_block(bounds[i]);
        tsnni_random_key key = tsnni_random_key_make(3, TSNNI_PURPOSE_USER, 0, 0, i);
        ck_assert_int_eq(each, bounds[i] <= (uint64_t)1 << 26 ? 4 : 2);
        tsnni_random_integers(key, 0, BLOCKS, bounds[i], integers);
        int64_t cells = bounds[i] < 8 ? (int64_t)bounds[i] : 8;
        int32_t inside = 1;
        for (int64_t k = 0; k < each * BLOCKS; k++) {
            inside &= integers[k] >= 0 && integers[k] <= (int64_t)bounds[i];
            if (integers[k] == (int64_t)bounds[i])
                refused++;
            else
                counts[(int64_t)((double)integers[k] / (double)bounds[i] * (double)cells)]++;
        }
        ck_assert_int_eq(inside, 1);
        if (bounds[i] <= ((uint64_t)1 << 26) + 1)
            ck_assert_int_le(refused, each * BLOCKS / 50);
        if (cells > 1)
            assert_even(counts, (int)cells, each * BLOCKS - refused);
    }
    free(integers);
}
END_TEST

START_TEST(normal_numbers_have_the_moments_and_the_tails)
{
    enum { DRAWS = 200000 };
    double sums[4] = {0};
    int beyond_two = 0;
    tsnni_stream stream = user_stream(4);
    for (int draw = 0; draw < DRAWS; draw++) {
        double value = tsnni_stream_normal(&stream), power = 1;
        if (!isfinite(value))
            ck_abort_msg("draw %d is not finite", draw);
        for (int moment = 0; moment < 4; moment++)
            sums[moment] += power *= value;
        beyond_two += fabs(value) > 2;
    }
    /* Five standard errors: the k-th moment's variance is E[x^2k] - E[x^k]^2. */
    const double mean[4] = {0, 1, 0, 3}, variance[4] = {1, 2, 15, 96};
    for (int moment = 0; moment < 4; moment++)
        ck_assert_double_lt(fabs(sums[moment] / DRAWS - mean[moment]), 5 * sqrt(variance[moment] / DRAWS));
    ck_assert_double_lt(fabs((double)beyond_two / DRAWS - 0.0455003), 5 * sqrt(0.0455 * 0.9545 / DRAWS));
}
END_TEST

Suite *tsnni_suite_random(void)
{
    Suite *suite = suite_create("random");
    TCase *bits = tcase_create("bits");
    tcase_add_test(bits, philox_gives_the_published_answers);
    tcase_add_test(bits, a_key_holds_each_part_in_its_place);
    tcase_add_test(bits, a_stream_does_not_depend_on_what_others_drew);
    tcase_add_test(bits, a_stream_is_the_blocks_in_order);
    tcase_add_test(bits, many_blocks_at_once_are_the_blocks_one_by_one);
    tcase_add_test(bits, one_attempt_scales_the_word_and_refuses_the_leftover);
    suite_add_tcase(suite, bits);
    TCase *distributions = tcase_create("distributions");
    tcase_add_test(distributions, uniform_numbers_fill_their_interval_evenly);
    tcase_add_test(distributions, bounded_integers_are_even);
    tcase_add_test(distributions, bounds_near_the_word_size_are_unbiased);
    tcase_add_test(distributions, many_integers_at_once_are_even_and_name_what_is_refused);
    tcase_add_test(distributions, normal_numbers_have_the_moments_and_the_tails);
    suite_add_tcase(suite, distributions);
    return suite;
}
