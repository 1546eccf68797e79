/* The clock, statistics, memory, results and processors of the benchmark. */
#if defined(__linux__)
#define _GNU_SOURCE /* sched_setaffinity, CPU_COUNT */
#endif
#define _POSIX_C_SOURCE 200809L /* clock_gettime, sysconf */

#include "bench.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/memory.h"

#if defined(__linux__)
#include <sched.h>
#endif

#define MOST_REPETITIONS 301
#define LEAST_REPETITIONS 5
#define LEAST_REPETITIONS_QUICK 3
#define QUICK_SHARE 0.15

void bench_require(tsnn_status status, const char *what)
{
    if (status >= 0)
        return;
    fprintf(stderr, "bench: %s: status %d\n", what, (int)status);
    exit(EXIT_FAILURE);
}

double bench_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

void *bench_array(bench *b, int64_t count, size_t size)
{
    void *array;
    if (tsnni_allocate_zero(&b->runtime, count, size, &array) < 0) {
        fprintf(stderr, "bench: %s\n", b->runtime.error_text);
        exit(EXIT_FAILURE);
    }
    return array;
}

void bench_release(bench *b, const void *array)
{
    tsnni_release(&b->runtime, (void *)(uintptr_t)array);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double bench_median(double *numbers, int64_t count)
{
    qsort(numbers, (size_t)count, sizeof *numbers, compare_doubles);
    return numbers[count / 2];
}

int32_t bench_shape_is_full(const bench_shape *shape)
{
    return shape->epsilon * (double)(shape->inputs + shape->outputs) >= (double)shape->inputs * (double)shape->outputs;
}

int32_t bench_wants(const bench *b, const char *name)
{
    return b->shape == NULL || strcmp(b->shape, name) == 0;
}

void bench_begin(bench *b, const char *section, const char *format, ...)
{
    va_list arguments;
    if (json_object_get(b->results, section) != NULL)
        return;
    json_object_set_new(b->results, section, json_array());
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
}

void bench_end(bench *b, const char *section)
{
    if (json_object_get(b->results, section) != NULL)
        printf("\n");
}

int64_t bench_repetitions(const bench *b, double nanoseconds, double seconds)
{
    double budget = 1e9 * seconds * (b->quick ? QUICK_SHARE : 1.0);
    double least = b->quick ? LEAST_REPETITIONS_QUICK : LEAST_REPETITIONS;
    double repetitions = fmin(fmax(budget / nanoseconds, least), MOST_REPETITIONS);
    return (int64_t)repetitions / 2 * 2 + 1;
}

void bench_add(bench *b, const char *section, json_t *row)
{
    if (row == NULL || json_array_append_new(json_object_get(b->results, section), row) < 0) {
        fprintf(stderr, "bench: a row of %s cannot be written as JSON\n", section);
        exit(EXIT_FAILURE);
    }
}

#if defined(__linux__)

/* What the process was started with. */
static cpu_set_t allowed;
static int32_t allowed_known;

static void learn_allowed(void)
{
    if (!allowed_known)
        allowed_known = sched_getaffinity(0, sizeof allowed, &allowed) == 0;
}

void bench_pin(void)
{
    learn_allowed();
    for (int cpu = 0; allowed_known && cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &allowed))
            continue;
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        (void)sched_setaffinity(0, sizeof one, &one); /* unpinned, times are only noisier */
        return;
    }
}

void bench_unpin(void)
{
    learn_allowed();
    if (allowed_known)
        (void)sched_setaffinity(0, sizeof allowed, &allowed);
}

int32_t bench_processors(void)
{
    learn_allowed();
    return allowed_known ? (int32_t)CPU_COUNT(&allowed) : 1;
}

#else

void bench_pin(void)
{
}

void bench_unpin(void)
{
}

int32_t bench_processors(void)
{
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    return processors > 0 ? (int32_t)processors : 1;
}

#endif
