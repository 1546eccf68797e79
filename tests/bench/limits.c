/* The limits of this machine: multiply-adds, random rows from each cache and from memory, streams. */
#include "bench.h"
#include "probe.h"

#include <stdio.h>

/* Bytes that no cache holds. */
#define MEMORY_BYTES ((int64_t)128 << 20)

static void show(bench *b, const char *name, const bench_probe *probe, const char *unit, double seconds)
{
    double time = bench_probe_measure(probe, bench_repetitions(b, 1.0 * (double)probe->count, seconds));
    double rate =
        probe->kind == BENCH_PROBE_MULTIPLY ? 2.0 / time : (double)(probe->row_bytes ? probe->row_bytes : 1) / time;
    const char *way = probe->kind == BENCH_PROBE_ROWS ? bench_prefetch_name(probe->prefetch) : "";
    printf("  %-34s %8.3f ns a %-13s %7.1f %s  %s\n", name, time, unit, rate,
           probe->kind == BENCH_PROBE_MULTIPLY ? "GF/s" : "GB/s", way);
    fflush(stdout);
    bench_add(b, "limits",
              json_pack("{s:s, s:f, s:s, s:f, s:s, s:I}", "limit", name, "ns", time, "unit", unit, "rate", rate,
                        "prefetch", way, "bytes", (json_int_t)probe->bytes));
}

void bench_limits(bench *b)
{
    static const int64_t row_bytes[] = {512, 128};
    tsnni_isa isa = bench_widest();
    const struct {
        const char *name;
        int64_t bytes;
    } places[] = {{"second-level cache", b->caches.level2 / 2},
                  {"third-level cache", b->caches.level3 / 8},
                  {"memory", MEMORY_BYTES}};
    bench_begin(b, "limits", "limits, one thread; caches of %lld, %lld and %lld KiB",
                (long long)b->caches.level1 / 1024, (long long)b->caches.level2 / 1024,
                (long long)b->caches.level3 / 1024);
    for (int kind = TSNNI_ISA_NEON; kind > TSNNI_ISA_REF; kind--) {
        const tsnni_kernels *kernels = tsnni_kernels_for((tsnni_isa)kind);
        char name[64];
        if (kernels == NULL)
            continue;
        bench_probe probe = bench_probe_multiply(b, kernels->isa);
        snprintf(name, sizeof name, "multiply-adds, %s", kernels->name);
        show(b, name, &probe, "multiply-add", 0.1);
        bench_probe_free(b, &probe);
    }
    for (size_t p = 0; p < sizeof places / sizeof places[0]; p++) {
        for (size_t r = 0; r < sizeof row_bytes / sizeof row_bytes[0]; r++) {
            char name[64];
            bench_probe probe = bench_probe_rows(b, isa, places[p].bytes, row_bytes[r]);
            snprintf(name, sizeof name, "%d-byte rows, %s", (int)row_bytes[r], places[p].name);
            show(b, name, &probe, "row", 0.3);
            bench_probe_free(b, &probe);
        }
    }
    bench_probe read = bench_probe_read(b, isa, MEMORY_BYTES), copy = bench_probe_copy(b, isa, MEMORY_BYTES);
    show(b, "read a stream from memory", &read, "byte", 0.5);
    show(b, "copy a stream in memory", &copy, "byte", 0.5);
    bench_probe_free(b, &read);
    bench_probe_free(b, &copy);
    bench_end(b, "limits");
}
