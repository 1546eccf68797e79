/* The command line, as far as it is about ranks: taken out before train_parallel's options are read. */
#include "mpi_options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../train_mlp/text.h"

enum { FLAGS = 4 };

static const struct {
    const char *name;
    double low, high;
    const char *help;
} flags[FLAGS] = {
    {"in-flight", 1, 8, "wasap: gradients that a worker has under way (2)"},
    {"timeout", 0.1, 1e6, "seconds that a rank may be silent beyond four steps (8)"},
    {"pause", 0.1, 1e6, "the same while rank 0 evolves and saves (600)"},
    {"messages", 0, 1, "1: no shared memory on one machine (0)"},
};

static bool set(double *numbers, int flag, const char *text)
{
    char *end = NULL;
    double number = text != NULL ? strtod(text, &end) : 0.0;
    if (text == NULL || end == text || *end != '\0' || !(number >= flags[flag].low && number <= flags[flag].high) ||
        ((flag == 0 || flag == 3) && number != floor(number)))
        return complain("--%s %s: must be a number from %g to %g", flags[flag].name, text != NULL ? text : "",
                        flags[flag].low, flags[flag].high);
    numbers[flag] = number;
    return true;
}

/* "--name" or "--name=N". */
static int find(const char *word)
{
    for (int f = 0; f < FLAGS; f++)
        if (strncmp(word, "--", 2) == 0 && strncmp(word + 2, flags[f].name, strlen(flags[f].name)) == 0 &&
            strchr("=", word[2 + strlen(flags[f].name)]) != NULL)
            return f;
    return FLAGS;
}

static void print_help(void)
{
    puts("train_mpi is train_parallel on MPI ranks: mpiexec -n 3 train_mpi --mode wasap. Its own options "
         "first:\n\nRanks:");
    for (int f = 0; f < FLAGS; f++) {
        char left[40];
        snprintf(left, sizeof left, "--%s N", flags[f].name);
        printf("  %-24s %s\n", left, flags[f].help);
    }
    putchar('\n');
}

bool mpi_options_parse(struct mpi_options *options, int *argc, char **argv)
{
    double numbers[FLAGS] = {0};
    int kept = 1;
    *options = (struct mpi_options){0};
    for (int i = 1; i < *argc; i++) {
        int flag = find(argv[i]);
        const char *equals = strchr(argv[i], '=');
        options->workers_given |= strncmp(argv[i], "--workers", 9) == 0;
        options->help |= strcmp(argv[i], "--help") == 0;
        if (flag == FLAGS)
            argv[kept++] = argv[i];
        else if (!set(numbers, flag, equals != NULL ? equals + 1 : ++i < *argc ? argv[i] : NULL))
            return false;
    }
    argv[kept] = NULL;
    *argc = kept;
    options->in_flight = (int32_t)numbers[0];
    options->timeout = numbers[1];
    options->pause = numbers[2];
    options->transport = numbers[3] > 0 ? TSNN_MPI_MESSAGES : TSNN_MPI_AUTOMATIC;
    if (options->help)
        print_help();
    return true;
}
