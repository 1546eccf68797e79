/* The loops of the limits. Rows and blocks are taken in lines of 64 bytes with the compiler's vectors, so that one body
 * serves every instruction set; multiply-adds need intrinsics, because the compiler may not contract. */
#include "probe.h"

#include <string.h>

#include "core/random.h"
#include "kernels/tpl/compiler.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define WITH_AVX512 __attribute__((target("avx512f")))
#define WITH_AVX2 __attribute__((target("avx2")))
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

#define LINE 64 /* bytes */
#define NEAR_AHEAD 8
#define LESS_FAR_AHEAD 16
#define FAR_AHEAD 64
#define FEWEST_ROWS 16384
#define MOST_ROWS (1 << 20)
#define TRIALS 3

typedef uint32_t line __attribute__((vector_size(LINE), may_alias));

#define ALWAYS_INLINE static inline __attribute__((always_inline))

/* Keeps the loops alive. */
static volatile uint32_t sink;

/* ---- rows and blocks ---- */

/* Exclusive or takes one cycle, so that no chain of sums stands in the way. */
ALWAYS_INLINE void read_rows_so(const bench_probe *probe, bench_prefetch prefetch, int64_t lines)
{
    const line *block = (const line *)(const void *)probe->block;
    const uint32_t *row = probe->row;
    line sum[2] = {{0}, {0}};
    for (int64_t k = 0; k < probe->count; k++) {
        const line *here = block + row[k] * lines, *near = block + row[k + NEAR_AHEAD] * lines,
                   *far = block + row[k + (prefetch == BENCH_PREFETCH_TWO_STEPS ? FAR_AHEAD : LESS_FAR_AHEAD)] * lines;
        if (prefetch == BENCH_PREFETCH_LINE)
            __builtin_prefetch(near, 0, 3);
        UNROLL
        for (int64_t l = 0; l < lines; l++) {
            if (prefetch >= BENCH_PREFETCH_TWO_SHORT_STEPS)
                __builtin_prefetch(far + l, 0, 2);
            if (prefetch >= BENCH_PREFETCH_ROW)
                __builtin_prefetch(near + l, 0, 3);
            sum[l % 2] ^= here[l];
        }
    }
    sum[0] ^= sum[1];
    sink = sum[0][0];
}

ALWAYS_INLINE void read_rows_of(const bench_probe *probe, int64_t lines)
{
    switch (probe->prefetch) {
    case BENCH_PREFETCH_NONE:
        read_rows_so(probe, BENCH_PREFETCH_NONE, lines);
        break;
    case BENCH_PREFETCH_LINE:
        read_rows_so(probe, BENCH_PREFETCH_LINE, lines);
        break;
    case BENCH_PREFETCH_ROW:
        read_rows_so(probe, BENCH_PREFETCH_ROW, lines);
        break;
    case BENCH_PREFETCH_TWO_SHORT_STEPS:
        read_rows_so(probe, BENCH_PREFETCH_TWO_SHORT_STEPS, lines);
        break;
    default:
        read_rows_so(probe, BENCH_PREFETCH_TWO_STEPS, lines);
    }
}

/* The sizes that occur get loops of their own. */
ALWAYS_INLINE void read_rows(const bench_probe *probe)
{
    int64_t lines = probe->row_bytes / LINE;
    switch (lines) {
    case 1:
        read_rows_of(probe, 1);
        break;
    case 2:
        read_rows_of(probe, 2);
        break;
    case 8:
        read_rows_of(probe, 8);
        break;
    case 16:
        read_rows_of(probe, 16);
        break;
    default:
        read_rows_of(probe, lines);
    }
}

ALWAYS_INLINE void read_block(const bench_probe *probe)
{
    const line *block = (const line *)(const void *)probe->block;
    line sum[4] = {{0}, {0}, {0}, {0}};
    for (int64_t l = 0; l < probe->bytes / LINE; l += 4) {
        sum[0] ^= block[l];
        sum[1] ^= block[l + 1];
        sum[2] ^= block[l + 2];
        sum[3] ^= block[l + 3];
    }
    sum[0] ^= sum[1] ^ sum[2] ^ sum[3];
    sink = sum[0][0];
}

/* Plain stores, as the kernels have them: a line is fetched before it is written. */
ALWAYS_INLINE void copy_block(const bench_probe *probe)
{
    const line *block = (const line *)(const void *)probe->block;
    line *target = (line *)(void *)probe->target, one = {1};
    for (int64_t l = 0; l < probe->bytes / LINE; l++)
        target[l] = block[l] ^ one; /* changed, or the compiler would call memcpy, which may store past the caches */
}

ALWAYS_INLINE void move(const bench_probe *probe)
{
    switch (probe->kind) {
    case BENCH_PROBE_ROWS:
        read_rows(probe);
        break;
    case BENCH_PROBE_READ:
        read_block(probe);
        break;
    default:
        copy_block(probe);
    }
}

static void move_plain(const bench_probe *probe)
{
    move(probe);
}

#if defined(__x86_64__)

WITH_AVX512 static void move_avx512(const bench_probe *probe)
{
    move(probe);
}

WITH_AVX2 static void move_avx2(const bench_probe *probe)
{
    move(probe);
}

/* ---- multiply-adds ---- */

#define TILE_512 384 /* multiply-adds in one turn */
#define TILE_256 96

__attribute__((target("avx512f"))) static void multiply_avx512(const float *x, int64_t count)
{
    __m512 sum[24];
    const float *at = x;
    UNROLL
    for (int i = 0; i < 24; i++)
        sum[i] = _mm512_setzero_ps();
    for (int64_t n = count / TILE_512; n > 0; n--, at += n % 8 ? 64 : -448) {
        UNROLL
        for (int i = 0; i < 24; i++)
            sum[i] = _mm512_fmadd_ps(_mm512_set1_ps(at[i / 4]), _mm512_loadu_ps(at + 16 * (i % 4)), sum[i]);
    }
    UNROLL
    for (int i = 1; i < 24; i++)
        sum[0] = _mm512_add_ps(sum[0], sum[i]);
    sink = _mm512_reduce_add_ps(sum[0]) > 0.5f;
}

__attribute__((target("avx2,fma"))) static void multiply_avx2(const float *x, int64_t count)
{
    __m256 sum[12];
    const float *at = x;
    UNROLL
    for (int i = 0; i < 12; i++)
        sum[i] = _mm256_setzero_ps();
    for (int64_t n = count / TILE_256; n > 0; n--, at += n % 8 ? 16 : -112) {
        UNROLL
        for (int i = 0; i < 12; i++)
            sum[i] = _mm256_fmadd_ps(_mm256_set1_ps(at[i / 2]), _mm256_loadu_ps(at + 8 * (i % 2)), sum[i]);
    }
    UNROLL
    for (int i = 1; i < 12; i++)
        sum[0] = _mm256_add_ps(sum[0], sum[i]);
    sink = _mm_cvtss_f32(_mm_add_ps(_mm256_castps256_ps128(sum[0]), _mm256_extractf128_ps(sum[0], 1))) > 0.5f;
}

#endif

#define TILE_PLAIN 64

/* Without intrinsics a product and a sum. */
static void multiply_plain(const float *x, int64_t count)
{
#if defined(__aarch64__)
    float32x4_t sum[16];
    UNROLL
    for (int i = 0; i < 16; i++)
        sum[i] = vdupq_n_f32(0.0f);
    for (int64_t n = count / TILE_PLAIN; n > 0; n--) {
        const float *at = x + n % 8 * 16;
        UNROLL
        for (int i = 0; i < 16; i++)
            sum[i] = vfmaq_n_f32(sum[i], vld1q_f32(at + 4 * (i % 4)), at[i / 4]);
    }
    UNROLL
    for (int i = 1; i < 16; i++)
        sum[0] = vaddq_f32(sum[0], sum[i]);
    sink = vgetq_lane_f32(sum[0], 0) > 0.5f;
#else
    float sum[TILE_PLAIN] = {0.0f};
    for (int64_t n = count / TILE_PLAIN; n > 0; n--) {
        const float *at = x + n % 8 * TILE_PLAIN;
        for (int i = 0; i < TILE_PLAIN; i++)
            sum[i] += at[0] * at[i];
    }
    for (int i = 1; i < TILE_PLAIN; i++)
        sum[0] += sum[i];
    sink = sum[0] > 0.5f;
#endif
}

static void multiply(const bench_probe *probe)
{
    const float *x = (const float *)(const void *)probe->block;
#if defined(__x86_64__)
    if (probe->isa == TSNNI_ISA_AVX512) {
        multiply_avx512(x, probe->count);
        return;
    }
    if (probe->isa == TSNNI_ISA_AVX2) {
        multiply_avx2(x, probe->count);
        return;
    }
#endif
    multiply_plain(x, probe->count);
}

/* ---- probes ---- */

double bench_probe_run(const bench_probe *probe)
{
    double start = bench_now();
    if (probe->kind == BENCH_PROBE_MULTIPLY)
        multiply(probe);
#if defined(__x86_64__)
    else if (probe->isa == TSNNI_ISA_AVX512)
        move_avx512(probe);
    else if (probe->isa == TSNNI_ISA_AVX2)
        move_avx2(probe);
#endif
    else
        move_plain(probe);
    return (bench_now() - start) / (double)probe->count;
}

double bench_probe_measure(const bench_probe *probe, int64_t repetitions)
{
    double times[301];
    repetitions = repetitions < 301 ? repetitions : 301;
    bench_probe_run(probe);
    for (int64_t r = 0; r < repetitions; r++)
        times[r] = bench_probe_run(probe);
    return bench_median(times, repetitions);
}

static bench_probe make(bench *b, bench_probe_kind kind, tsnni_isa isa, int64_t bytes)
{
    bench_probe probe = {.kind = kind, .isa = isa, .bytes = (bytes + 4 * LINE - 1) / (4 * LINE) * (4 * LINE)};
    probe.count = probe.bytes;
    probe.block = bench_array(b, probe.bytes, 1);
    return probe;
}

bench_probe bench_probe_rows(bench *b, tsnni_isa isa, int64_t bytes, int64_t row_bytes)
{
    bench_probe probe = make(b, BENCH_PROBE_ROWS, isa, bytes);
    int64_t rows = bytes / row_bytes;
    probe.row_bytes = row_bytes;
    probe.count = rows < FEWEST_ROWS ? FEWEST_ROWS : rows > MOST_ROWS ? MOST_ROWS : rows;
    probe.row = bench_array(b, probe.count + FAR_AHEAD, sizeof *probe.row);
    tsnni_stream stream;
    tsnni_stream_init(&stream, tsnni_random_key_make(1, TSNNI_PURPOSE_USER, 0, 0, 0));
    for (int64_t k = 0; k < probe.count + FAR_AHEAD; k++)
        probe.row[k] = (uint32_t)tsnni_stream_below(&stream, (uint64_t)rows);

    bench_prefetch best = BENCH_PREFETCH_NONE;
    double least = 0.0;
    for (int way = BENCH_PREFETCH_NONE; way <= BENCH_PREFETCH_TWO_STEPS; way++) {
        probe.prefetch = (bench_prefetch)way;
        double time = bench_probe_measure(&probe, TRIALS);
        if (way == BENCH_PREFETCH_NONE || time < least) {
            least = time;
            best = probe.prefetch;
        }
    }
    probe.prefetch = best;
    return probe;
}

bench_probe bench_probe_read(bench *b, tsnni_isa isa, int64_t bytes)
{
    return make(b, BENCH_PROBE_READ, isa, bytes);
}

bench_probe bench_probe_copy(bench *b, tsnni_isa isa, int64_t bytes)
{
    bench_probe probe = make(b, BENCH_PROBE_COPY, isa, bytes);
    probe.target = bench_array(b, probe.bytes, 1);
    return probe;
}

bench_probe bench_probe_multiply(bench *b, tsnni_isa isa)
{
    bench_probe probe = make(b, BENCH_PROBE_MULTIPLY, isa, 4096);
    probe.count = (int64_t)384 << 10;
    return probe;
}

void bench_probe_free(bench *b, bench_probe *probe)
{
    bench_release(b, probe->block);
    bench_release(b, probe->target);
    bench_release(b, probe->row);
    memset(probe, 0, sizeof *probe);
}

const char *bench_prefetch_name(bench_prefetch prefetch)
{
    static const char *const names[] = {"none", "one line", "row", "row, two short steps", "row, two steps"};
    return names[prefetch];
}

tsnni_isa bench_widest(void)
{
    return tsnni_kernels_best()->isa;
}
