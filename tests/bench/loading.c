/* From a model file to a first answer: by a network, packed straight from the file, and read in place. */
#if !defined(_GNU_SOURCE)
#define _GNU_SOURCE /* mkstemp, P_tmpdir */
#endif

#include "bench.h"
#include "trainee.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Counts the bytes that are alive, and the most of them. */
typedef struct meter {
    int64_t bytes, peak;
} meter;

static void *metered_allocate(void *user, size_t size)
{
    meter *m = user;
    size_t *block = malloc(size + 16);
    if (block == NULL)
        return NULL;
    *block = size;
    m->bytes += (int64_t)size;
    m->peak = m->bytes > m->peak ? m->bytes : m->peak;
    return (char *)block + 16;
}

static void metered_release(void *user, void *pointer)
{
    meter *m = user;
    size_t *block = (size_t *)(void *)((char *)pointer - 16);
    m->bytes -= (int64_t)*block;
    free(block);
}

typedef enum loading_way { BY_NETWORK, PACKED, IN_PLACE, WAYS } loading_way;

static const char *const way_names[WAYS] = {"network, then predictor", "predictor, packed", "predictor, in place"};

static tsnn_predictor *load(tsnn_context *context, const char *path, loading_way way)
{
    tsnn_predictor *predictor = NULL;
    tsnn_network *network = NULL;
    tsnn_predictor_load_options options = TSNN_PREDICTOR_LOAD_OPTIONS_INIT;
    options.ownership = way == IN_PLACE ? TSNN_BORROW : TSNN_COPY;
    if (way == BY_NETWORK) {
        bench_require(tsnn_network_load(context, path, NULL, &network), "loading a network");
        bench_require(tsnn_predictor_create(context, network, NULL, &predictor), "predictor");
        tsnn_network_destroy(&network);
    } else {
        bench_require(tsnn_predictor_load(context, path, &options, &predictor), "loading a predictor");
    }
    return predictor;
}

static tsnn_context *context_of(const bench *b, meter *m)
{
    tsnn_context_options options = TSNN_CONTEXT_OPTIONS_INIT;
    tsnn_context *context = NULL;
    options.threads = 1;
    options.isa = (int32_t)b->isa;
    if (m != NULL) {
        options.allocate = metered_allocate;
        options.release = metered_release;
        options.allocator_user = m;
    }
    bench_require(tsnn_context_create(&options, &context), "context");
    return context;
}

static double time_one_sample(bench *b, const tsnn_predictor *predictor, double work)
{
    tsnn_predictor_info info = TSNN_PREDICTOR_INFO_INIT;
    tsnn_predictor_workspace *workspace;
    int64_t repetitions = bench_repetitions(b, work, 0.3);
    bench_require(tsnn_predictor_get_info(predictor, &info), "predictor");
    bench_require(tsnn_predictor_workspace_create(predictor, 1, &workspace), "workspace");
    float *features = bench_array(b, info.inputs, sizeof *features);
    float *outputs = bench_array(b, info.outputs, sizeof *outputs);
    double *times = bench_array(b, repetitions, sizeof *times);
    uint32_t state = 1;
    for (int64_t f = 0; f < info.inputs; f++) {
        state = state * 1664525u + 1013904223u;
        features[f] = (float)(state >> 8) * 0x1p-23f - 1.0f;
    }
    for (int64_t r = 0; r < repetitions; r++) {
        double start = bench_now();
        bench_require(tsnn_predictor_predict(predictor, workspace, features, 1, outputs, info.outputs), "predictor");
        times[r] = bench_now() - start;
    }
    double median = bench_median(times, repetitions);
    tsnn_predictor_workspace_destroy(&workspace);
    bench_release(b, features);
    bench_release(b, outputs);
    bench_release(b, times);
    return median;
}

static void measure_way(bench *b, const char *name, const char *path, int64_t size, int64_t connections,
                        loading_way way)
{
    meter m = {0, 0};
    tsnn_context *metered = context_of(b, &m), *plain = context_of(b, NULL);
    int64_t before = m.bytes;
    tsnn_predictor *predictor = load(metered, path, way);
    int64_t peak = m.peak - before, kept = m.bytes - before;
    double single = time_one_sample(b, predictor, (double)connections + 1000.0);
    tsnn_predictor_destroy(&predictor);
    int64_t repetitions = bench_repetitions(b, 30.0 * (double)connections, 0.5);
    double *times = bench_array(b, repetitions, sizeof *times);
    for (int64_t r = 0; r < repetitions; r++) {
        double start = bench_now();
        predictor = load(plain, path, way);
        times[r] = bench_now() - start;
        tsnn_predictor_destroy(&predictor);
    }
    double median = bench_median(times, repetitions);
    printf("  %-9s %-24s %9.1f us; memory: %8.1f KiB at most, %8.1f KiB kept, of a file of %.1f KiB; one sample %9.1f "
           "us\n",
           name, way_names[way], median * 1e-3, (double)peak / 1024, (double)kept / 1024, (double)size / 1024,
           single * 1e-3);
    fflush(stdout);
    bench_add(b, "loading",
              json_pack("{s:s, s:s, s:I, s:I, s:I, s:f, s:f}", "case", name, "way", way_names[way], "file_bytes",
                        (json_int_t)size, "peak_bytes", (json_int_t)peak, "kept_bytes", (json_int_t)kept, "load_ns",
                        median, "single_ns", single));
    bench_release(b, times);
    tsnn_context_destroy(&metered);
    tsnn_context_destroy(&plain);
}

static void measure_network(bench *b, const bench_network *shape)
{
    bench_trainee trainee;
    int64_t size = 0;
    char path[4096];
    const char *folder = getenv("TMPDIR");
    snprintf(path, sizeof path, "%s/tsnn-bench-XXXXXX", folder != NULL ? folder : P_tmpdir);
    int file = mkstemp(path);
    bench_require(file >= 0 ? TSNN_OK : TSNN_ERROR_IO, path);
    close(file);
    bench_trainee_init(b, shape, shape->epsilon, NULL, &trainee);
    tsnn_status status = tsnn_network_save_memory(trainee.network, NULL, NULL, 0, &size);
    if (status == TSNN_OK)
        status = tsnn_network_save(trainee.network, NULL, path);
    if (status == TSNN_ERROR_UNSUPPORTED) {
        printf("  %-9s left out: built without model files\n", shape->name);
    } else {
        bench_require(status, "saving");
        for (loading_way way = BY_NETWORK; way < WAYS; way++)
            measure_way(b, shape->name, path, size, trainee.connections, way);
    }
    unlink(path);
    bench_trainee_free(b, &trainee);
}

void bench_loading(bench *b)
{
    for (size_t n = 0; n < sizeof bench_networks / sizeof bench_networks[0]; n++)
        if (bench_wants(b, bench_networks[n].name)) {
            bench_begin(b, "loading", "from a model file to a predictor, one thread");
            measure_network(b, &bench_networks[n]);
        }
    bench_end(b, "loading");
}
