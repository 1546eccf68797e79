/* Times the kernels of every table this machine has, and what the memory and the arithmetic units allow.
 * Usage: kernels_bench [ISA [REPETITIONS [SHAPE]]]. Medians; "limit" is the time to read the activation row of each
 * connection from the second-level cache (sparse), or to do the multiplications on data in the
 * first-level cache (dense); it is known on x86-64 only. */
#define _POSIX_C_SOURCE 200809L /* clock_gettime */

#include "kernel_cases.h"
#include "kernels/tpl/compiler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static void *array_new(int64_t count, size_t size)
{
    size_t bytes = ((size_t)count * size + 4095) / 4096 * 4096 + 4096;
    void *array = aligned_alloc(4096, bytes);
    if (!array)
        exit(EXIT_FAILURE);
    memset(array, 0, bytes);
    return array;
}

/* ---- one layer ---- */

typedef struct layer {
    int64_t count;
    tsnni_forward forward;
    tsnni_backward backward;
    const tsnni_kernels *kernels;
    int dense;
    int wide; /* this machine has AVX-512; asked once, because a virtual machine may take microseconds to answer */
    volatile float sink; /* keeps the limits' loops alive */
} layer;

static float *random_floats(tsnni_stream *stream, int64_t count, float scale)
{
    float *array = array_new(count, sizeof *array);
    for (int64_t i = 0; i < count; i++)
        array[i] = scale * (float)tsnni_stream_normal(stream);
    return array;
}

static void build_indices(layer *l, const tsnni_kernel_timing *timing, tsnni_stream *stream)
{
    int64_t rows = timing->rows, columns = timing->columns, cells = rows * columns;
    int64_t *row_ptr = array_new(rows + 1, sizeof *row_ptr), *column_ptr = array_new(columns + 1, sizeof *column_ptr);
    int64_t *next = array_new(columns + 1, sizeof *next);
    uint16_t *column = array_new(cells + TSNNI_INDEX_PADDING, 2), *row = array_new(cells + TSNNI_INDEX_PADDING, 2);
    uint32_t *position = array_new(cells + TSNNI_INDEX_PADDING, 4);
    for (int64_t cell = 0; cell < cells; cell++) {
        if (tsnni_stream_uniform(stream) >= timing->density)
            continue;
        column[l->count++] = (uint16_t)(cell % columns);
        row_ptr[cell / columns + 1] = l->count;
        column_ptr[cell % columns + 1]++;
    }
    for (int64_t i = 0; i < rows; i++)
        row_ptr[i + 1] = row_ptr[i + 1] > row_ptr[i] ? row_ptr[i + 1] : row_ptr[i];
    for (int64_t j = 0; j < columns; j++)
        next[j + 1] = column_ptr[j + 1] += column_ptr[j];
    for (int64_t i = 0; i < rows; i++) {
        for (int64_t k = row_ptr[i]; k < row_ptr[i + 1]; k++) {
            int64_t to = next[column[k]]++;
            row[to] = (uint16_t)i;
            position[to] = (uint32_t)k;
        }
    }
    free(next);
    l->forward.column_ptr = column_ptr;
    l->forward.row = row;
    l->forward.position = position;
    l->backward.row_ptr = row_ptr;
    l->backward.column = column;
}

static void layer_init(layer *l, const tsnni_kernel_timing *timing)
{
    int64_t rows = timing->rows, columns = timing->columns, width = timing->batch;
    tsnni_stream stream;
    tsnni_stream_init(&stream, tsnni_random_key_make(1, TSNNI_PURPOSE_USER, 0, 0, 0));
    memset(l, 0, sizeof *l);
    build_indices(l, timing, &stream);
    l->dense = timing->density >= 1;
    l->forward.rows = l->backward.rows = rows;
    l->forward.columns = l->backward.columns = columns;
    l->forward.stride = l->backward.stride = l->forward.width = l->backward.width = width;
    l->forward.values = l->backward.values = random_floats(&stream, l->count, 0.1f);
    l->forward.x = l->backward.x = random_floats(&stream, rows * width, 1);
    l->forward.y = array_new(columns * width, 4);
    l->forward.bias = random_floats(&stream, columns, 0.1f);
    l->forward.negative_slope = l->backward.negative_slope = -0.6f;
    l->forward.negative = array_new(columns * width / 16, 2);
    l->forward.keep = array_new(columns * width / 16, 2);
    l->forward.keep_below = 179;
    l->forward.keep_scale = l->backward.keep_scale = 256.0f / 179;
    l->backward.dy = random_floats(&stream, columns * width, 0.01f);
    l->backward.dx = array_new(rows * width, 4);
    l->backward.dx_sum = array_new(rows, 4);
    l->backward.velocity = array_new(l->count, 4);
    l->backward.negative = array_new(rows * width / 16, 2);
    l->backward.keep = array_new(rows * width / 16, 2);
    l->backward.update = (tsnni_update){1.0f / 128, 1e-6f, 0.9f, 0.0f, 0.0f, 0};
    const char *ahead = getenv("PREFETCH");
    l->forward.prefetch = l->backward.prefetch = ahead ? atoi(ahead) : 8;
}

static void layer_free(layer *l)
{
    free((void *)l->forward.column_ptr);
    free((void *)l->forward.row);
    free((void *)l->forward.position);
    free((void *)l->backward.row_ptr);
    free((void *)l->backward.column);
    free(l->backward.values);
    free((void *)l->forward.x);
    free(l->forward.y);
    free((void *)l->forward.bias);
    free(l->forward.negative);
    free(l->forward.keep);
    free((void *)l->backward.dy);
    free(l->backward.dx);
    free(l->backward.dx_sum);
    free(l->backward.velocity);
    free((void *)l->backward.negative);
    free((void *)l->backward.keep);
}

/* ---- limits ---- */

#if defined(__x86_64__)

__attribute__((target("avx512f"))) static void read_rows_512(layer *l)
{
    const uint16_t *row = l->forward.row;
    const int64_t width = l->forward.width;
    __m512 sum[4] = {_mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps(), _mm512_setzero_ps()};
    for (int64_t k = 0; k < l->count; k++) {
        const float *x = l->forward.x + row[k] * width, *ahead = l->forward.x + row[k + 8] * width;
        for (int64_t c = 0; c < width; c += 32) {
            __builtin_prefetch(ahead + c);
            __builtin_prefetch(ahead + c + 16);
            sum[0] = _mm512_max_ps(sum[0], _mm512_loadu_ps(x + c));
            sum[1] = _mm512_max_ps(sum[1], _mm512_loadu_ps(x + c + 16));
        }
    }
    l->sink = _mm512_reduce_add_ps(_mm512_max_ps(sum[0], sum[1]));
}

__attribute__((target("avx2"))) static void read_rows_256(layer *l)
{
    const uint16_t *row = l->forward.row;
    const int64_t width = l->forward.width;
    __m256 sum[2] = {_mm256_setzero_ps(), _mm256_setzero_ps()};
    for (int64_t k = 0; k < l->count; k++) {
        const float *x = l->forward.x + row[k] * width, *ahead = l->forward.x + row[k + 8] * width;
        for (int64_t c = 0; c < width; c += 16) {
            __builtin_prefetch(ahead + c);
            sum[0] = _mm256_max_ps(sum[0], _mm256_loadu_ps(x + c));
            sum[1] = _mm256_max_ps(sum[1], _mm256_loadu_ps(x + c + 8));
        }
    }
    sum[0] = _mm256_max_ps(sum[0], sum[1]);
    l->sink = _mm_cvtss_f32(_mm_max_ps(_mm256_castps256_ps128(sum[0]), _mm256_extractf128_ps(sum[0], 1)));
}

/* As many multiplications as one dense pass has, in a register tile, from the first-level cache. */
__attribute__((target("avx512f"))) static void multiply_512(layer *l)
{
    const float *x = l->forward.x;
    __m512 sum[24];
    UNROLL
    for (int i = 0; i < 24; i++)
        sum[i] = _mm512_setzero_ps();
    for (int64_t n = l->count * l->forward.width / 384; n > 0; n--, x += n % 8 ? 64 : -448) {
        UNROLL
        for (int i = 0; i < 24; i++)
            sum[i] = _mm512_fmadd_ps(_mm512_set1_ps(x[i / 4]), _mm512_loadu_ps(x + 16 * (i % 4)), sum[i]);
    }
    UNROLL
    for (int i = 1; i < 24; i++)
        sum[0] = _mm512_add_ps(sum[0], sum[i]);
    l->sink = _mm512_reduce_add_ps(sum[0]);
}

__attribute__((target("avx2,fma"))) static void multiply_256(layer *l)
{
    const float *x = l->forward.x;
    __m256 sum[12];
    UNROLL
    for (int i = 0; i < 12; i++)
        sum[i] = _mm256_setzero_ps();
    for (int64_t n = l->count * l->forward.width / 96; n > 0; n--, x += n % 8 ? 16 : -112) {
        UNROLL
        for (int i = 0; i < 12; i++)
            sum[i] = _mm256_fmadd_ps(_mm256_set1_ps(x[i / 2]), _mm256_loadu_ps(x + 8 * (i % 2)), sum[i]);
    }
    UNROLL
    for (int i = 1; i < 12; i++)
        sum[0] = _mm256_add_ps(sum[0], sum[i]);
    l->sink = _mm_cvtss_f32(_mm_add_ps(_mm256_castps256_ps128(sum[0]), _mm256_extractf128_ps(sum[0], 1)));
}

static void limit(layer *l)
{
    if (l->kernels->isa == TSNNI_ISA_REF)
        return;
    if (l->dense)
        (l->kernels->isa == TSNNI_ISA_AVX512 ? multiply_512 : multiply_256)(l);
    else
        (l->wide ? read_rows_512 : read_rows_256)(l);
}

#else

static void limit(layer *l)
{
    (void)l; /* not known: shares are against an empty loop */
}

#endif

/* ---- what is timed ---- */

static void forward(layer *l)
{
    tsnni_forward task = l->forward;
    task.keep = NULL;
    if (l->dense)
        l->kernels->dense_forward(&task, 0, task.width / TSNNI_COLUMN_GROUP);
    else
        l->kernels->forward[0](&task, 0, task.columns);
}

static void forward_dropout(layer *l)
{
    if (l->dense)
        l->kernels->dense_forward(&l->forward, 0, l->forward.width / TSNNI_COLUMN_GROUP);
    else
        l->kernels->forward[0](&l->forward, 0, l->forward.columns);
}

static void backward_task(layer *l, const tsnni_backward *task)
{
    if (l->dense)
        l->kernels->dense_backward(task, 0, task->rows);
    else
        l->kernels->backward[0](task, 0, task->rows);
}

static void backward(layer *l)
{
    backward_task(l, &l->backward);
}

static void weights_only(layer *l)
{
    tsnni_backward task = l->backward;
    task.dx = NULL;
    backward_task(l, &task);
}

static void input_only(layer *l)
{
    tsnni_backward task = l->backward;
    task.mode = TSNNI_BACKWARD_INPUT;
    backward_task(l, &task);
}

static const struct {
    const char *name;
    void (*run)(layer *);
    int passes; /* over the multiplications, for dense layers */
} measures[] = {{"limit", limit, 1},       {"forward", forward, 1},           {"forward, dropout", forward_dropout, 1},
                {"backward", backward, 2}, {"weights only", weights_only, 1}, {"input only", input_only, 1}};

enum { MEASURES = sizeof measures / sizeof measures[0] };

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* All kinds take turns, so that a change of the clock touches all alike. */
static void time_layer(layer *l, const char *name, int64_t repetitions)
{
    double *times = array_new(MEASURES * repetitions, sizeof *times), medians[MEASURES];
    for (int64_t r = 0; r < repetitions; r++) {
        for (int m = 0; m < MEASURES; m++) {
            measures[m].run(l); /* brings its data into the cache */
            double start = now();
            measures[m].run(l);
            times[m * repetitions + r] = (now() - start) / (double)l->count;
        }
    }
    for (int m = 0; m < MEASURES; m++) {
        qsort(times + m * repetitions, (size_t)repetitions, sizeof *times, compare_doubles);
        medians[m] = times[m * repetitions + repetitions / 2];
    }
    for (int m = 0; m < MEASURES; m++)
        printf("%-14s %-7s %-17s %8.3f ns/connection %6.1f %% of the limit\n", name, l->kernels->name, measures[m].name,
               medians[m], 100 * medians[0] / medians[m] * (l->dense ? measures[m].passes : 1));
    free(times);
}

int main(int argc, char **argv)
{
    int64_t repetitions = argc > 2 ? atoi(argv[2]) : 301;
    for (size_t t = 0; t < TSNNI_COUNT(tsnni_kernel_timings); t++) {
        if (argc > 3 && !strstr(tsnni_kernel_timings[t].name, argv[3]))
            continue;
        for (int isa = TSNNI_ISA_NEON; isa >= TSNNI_ISA_REF; isa--) {
            layer l;
            const tsnni_kernels *kernels = tsnni_kernels_for((tsnni_isa)isa);
            if (!kernels || (argc > 1 ? strcmp(argv[1], kernels->name) != 0 : isa == TSNNI_ISA_REF))
                continue;
            layer_init(&l, tsnni_kernel_timings + t);
            l.kernels = kernels;
            l.wide = tsnni_kernels_for(TSNNI_ISA_AVX512) != NULL;
            time_layer(&l, tsnni_kernel_timings[t].name, repetitions);
            layer_free(&l);
        }
    }
    return EXIT_SUCCESS;
}
