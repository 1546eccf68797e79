/* The benchmark: what this machine allows, and how near the library gets. Options, and the list of sections. */
#include "bench.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpu/cpu.h"

#include <tsnn.h>

enum { EXIT_USAGE = 2 };

static const struct {
    const char *name;
    void (*run)(bench *b);
} sections[] = {{"limits", bench_limits},     {"kernels", bench_kernels},     {"steps", bench_steps},
                {"topology", bench_topology}, {"inference", bench_inference}, {"loading", bench_loading},
                {"choice", bench_choice}};

enum { SECTIONS = (int)(sizeof sections / sizeof sections[0]) };

static void print_help(void)
{
    printf("usage: bench [OPTIONS]\n"
           "Measures what this machine allows, then the kernels, training steps, evolution, creation, inference and "
           "loading.\n"
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
           "  --section NAME only this section: limits kernels steps topology inference loading choice\n"
           "  --choice       the same as --section choice: the choice of kernels against every fixed one\n"
           "  --quick        fewer repetitions, for a look; evolution on several threads only with --threads\n"
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

static int32_t section_known(const char *name)
{
    int32_t found = 0;
    for (int s = 0; s < SECTIONS; s++)
        found |= strcmp(name, sections[s].name) == 0;
    return found;
}

/* Kernels and their choice are measured on layers, variants on nothing else; a full layer cannot evolve. */
static int32_t section_has(const char *section, const char *shape)
{
    int32_t network = 0, layer = 0, full = 0;
    for (size_t n = 0; n < sizeof bench_networks / sizeof bench_networks[0]; n++)
        network |= strcmp(shape, bench_networks[n].name) == 0;
    for (size_t s = 0; s < sizeof bench_shapes / sizeof bench_shapes[0]; s++) {
        int32_t found = strcmp(shape, bench_shapes[s].name) == 0;
        layer |= found;
        full |= found && bench_shape_is_full(&bench_shapes[s]);
    }
    if (strcmp(section, "steps") == 0 || strcmp(section, "loading") == 0)
        return network;
    if (strcmp(section, "inference") == 0)
        return network || layer;
    if (strcmp(section, "topology") == 0)
        return layer && !full;
    return strcmp(section, "limits") == 0 || !network;
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
    const char *json, *section; /* section: NULL for all */
    int32_t help;
} request;

/* 0, or the exit status of a wrong option. */
static int read_options(int argc, char **argv, bench *b, request *asked)
{
    static const struct option options[] = {{"threads", required_argument, NULL, 't'},
                                            {"shape", required_argument, NULL, 's'},
                                            {"isa", required_argument, NULL, 'i'},
                                            {"choice", no_argument, NULL, 'c'},
                                            {"quick", no_argument, NULL, 'q'},
                                            {"json", required_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {"section", required_argument, NULL, 'p'},
                                            {NULL, 0, NULL, 0}};
    char *end;
    long threads;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        switch (option) {
        case 't':
            threads = strtol(optarg, &end, 10);
            if (*optarg == '\0' || *end != '\0' || threads < 1 || threads > 1024)
                return usage("--threads wants a number from 1 to 1024, not ", optarg);
            b->threads = (int32_t)threads;
            b->threads_given = 1;
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
            asked->section = "choice";
            break;
        case 'p':
            if (!section_known(optarg))
                return usage("--section does not know ", optarg);
            asked->section = optarg;
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
    if (asked->section != NULL && b->shape != NULL && !section_has(asked->section, b->shape))
        return usage("this section does not measure ", b->shape);
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

static void measure(bench *b, const request *asked)
{
    b->caches = tsnni_caches_of_this_machine();
    tsnni_runtime_init(&b->runtime);
    bench_pin();
    describe(b);
    tsnni_cpu_flush_denormals(); /* as the library does around its kernels */
    for (int s = 0; s < SECTIONS; s++)
        if (asked->section == NULL || strcmp(asked->section, sections[s].name) == 0)
            sections[s].run(b);
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
    /* Opened first: minutes of measuring are not to be lost for a wrong path. */
    FILE *json = asked.json != NULL ? fopen(asked.json, "w") : NULL;
    if (asked.json != NULL && json == NULL)
        return usage("cannot write ", asked.json);
    b.results = json_object();
    measure(&b, &asked);
    int written = json == NULL || (json_dumpf(b.results, json, JSON_INDENT(2)) == 0 && fclose(json) == 0);
    if (!written)
        fprintf(stderr, "bench: cannot write %s\n", asked.json);
    json_decref(b.results);
    return written ? EXIT_SUCCESS : EXIT_FAILURE;
}
