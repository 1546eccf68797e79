/* The benchmark: what this machine allows, and how near the library gets. Options, and the list of sections. */
#include "bench.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/cpu.h"

#include <tsnn.h>

enum { EXIT_USAGE = 2 };

/* Those that run unless --choice asks for that alone. */
static void (*const sections[])(bench *b) = {bench_limits,   bench_kernels,   bench_steps,
                                             bench_topology, bench_inference, bench_choice};

static void print_help(void)
{
    printf("usage: bench [OPTIONS]\n"
           "Measures what this machine allows, then the kernels, training steps, evolution, creation and inference.\n"
           "  --threads N    threads of the runs on several; default: the processors of this process\n"
           "  --shape NAME   only this shape or network:");
    for (size_t s = 0; s < sizeof bench_shapes / sizeof bench_shapes[0]; s++)
        printf(" %s", bench_shapes[s].name);
    for (size_t n = 0; n < sizeof bench_networks / sizeof bench_networks[0]; n++)
        printf(" %s", bench_networks[n].name);
    printf("\n                 and of the choice grid:");
    for (size_t s = 0; s < sizeof bench_variants / sizeof bench_variants[0]; s++)
        printf(" %s", bench_variants[s].name);
    printf("\n  --isa NAME     ref, avx2, avx512 or neon; default: the fastest, and avx2 beside it\n"
           "  --choice       only the choice of kernels against every fixed one\n"
           "  --quick        fewer repetitions, for a look\n"
           "  --json FILE    the results as JSON as well\n"
           "  --help\n");
}

static int usage(const char *text, const char *argument)
{
    fprintf(stderr, "bench: %s%s; --help lists the options\n", text, argument);
    return EXIT_USAGE;
}

static int32_t isa_of(const char *name)
{
    for (int32_t isa = TSNN_ISA_REF; isa <= TSNN_ISA_NEON; isa++)
        if (strcmp(name, tsnn_isa_string(isa)) == 0)
            return isa;
    return 0;
}

static int32_t shape_known(const char *name)
{
    int32_t found = 0;
    for (size_t s = 0; s < sizeof bench_shapes / sizeof bench_shapes[0]; s++)
        found |= strcmp(name, bench_shapes[s].name) == 0;
    for (size_t s = 0; s < sizeof bench_variants / sizeof bench_variants[0]; s++)
        found |= strcmp(name, bench_variants[s].name) == 0;
    for (size_t n = 0; n < sizeof bench_networks / sizeof bench_networks[0]; n++)
        found |= strcmp(name, bench_networks[n].name) == 0;
    return found;
}

/* What only main.c needs of the options. */
typedef struct request {
    const char *json;
    int32_t choice, help;
} request;

/* 0, or the exit status of a wrong option. */
static int read_options(int argc, char **argv, bench *b, request *asked)
{
    static const struct option options[] = {
        {"threads", required_argument, NULL, 't'}, {"shape", required_argument, NULL, 's'},
        {"isa", required_argument, NULL, 'i'},     {"choice", no_argument, NULL, 'c'},
        {"quick", no_argument, NULL, 'q'},         {"json", required_argument, NULL, 'j'},
        {"help", no_argument, NULL, 'h'},          {NULL, 0, NULL, 0}};
    char *end;
    long threads;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 't':
            threads = strtol(optarg, &end, 10);
            if (*optarg == '\0' || *end != '\0' || threads < 1 || threads > 1024)
                return usage("--threads wants a number from 1 to 1024, not ", optarg);
            b->threads = (int32_t)threads;
            break;
        case 's':
            if (!shape_known(optarg))
                return usage("--shape does not know ", optarg);
            b->shape = optarg;
            break;
        case 'i':
            b->isa = (tsnni_isa)isa_of(optarg);
            b->isa_given = 1;
            if (b->isa == 0)
                return usage("--isa wants ref, avx2, avx512 or neon, not ", optarg);
            if (tsnni_kernels_for(b->isa) == NULL)
                return usage("this machine or build lacks ", optarg);
            break;
        case 'c':
            asked->choice = 1;
            break;
        case 'q':
            b->quick = 1;
            break;
        case 'j':
            asked->json = optarg;
            break;
        case 'h':
            asked->help = 1;
            break;
        default:
            return EXIT_USAGE; /* getopt has said why */
        }
    }
    return optind < argc ? usage("unexpected argument ", argv[optind]) : 0;
}

static void describe(bench *b)
{
    const char *isa = tsnni_kernels_for(b->isa)->name;
    printf("libtsnn %s, %s kernels, %d processor%s, several threads: %d%s\n\n", tsnn_version_string(), isa,
           (int)bench_processors(), bench_processors() == 1 ? "" : "s", (int)b->threads, b->quick ? ", quick" : "");
    json_object_set_new(b->results, "machine",
                        json_pack("{s:s, s:s, s:i, s:i, s:I, s:I, s:I, s:b}", "version", tsnn_version_string(), "isa",
                                  isa, "processors", (int)bench_processors(), "threads", (int)b->threads,
                                  "level1_bytes", (json_int_t)b->caches.level1, "level2_bytes",
                                  (json_int_t)b->caches.level2, "level3_bytes", (json_int_t)b->caches.level3, "quick",
                                  (int)b->quick));
}

static int measure(bench *b, const request *asked)
{
    b->results = json_object();
    b->caches = tsnni_caches_of_this_machine();
    tsnni_runtime_init(&b->runtime);
    bench_pin();
    describe(b);
    tsnni_cpu_flush_denormals(); /* as the library does around its kernels */
    if (asked->choice) {
        bench_choice(b);
    } else {
        for (size_t s = 0; s < sizeof sections / sizeof sections[0]; s++)
            sections[s](b);
    }
    int failed = asked->json != NULL && json_dump_file(b->results, asked->json, JSON_INDENT(2)) != 0;
    if (failed)
        fprintf(stderr, "bench: cannot write %s\n", asked->json);
    json_decref(b->results);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    bench b = {.threads = bench_processors(), .isa = tsnni_kernels_best()->isa};
    request asked = {NULL, 0, 0};
    int wrong = read_options(argc, argv, &b, &asked);
    if (wrong != 0)
        return wrong;
    if (asked.help) {
        print_help();
        return EXIT_SUCCESS;
    }
    return measure(&b, &asked);
}
