/* The command line, as far as it is about workers: taken out before train_mlp's options are read. */
#include "parallel_options.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tsnn.h>

#include "../train_mlp/text.h"

enum kind { MODE, WHOLE, REAL, SWITCH, TEXT };

struct flag {
    const char *name;
    enum kind kind;
    size_t field;
    double low, high; /* of numbers, both allowed */
    const char *argument, *help;
};

#define FIELD(name) offsetof(struct parallel_options, name)

static const struct flag flags[] = {
    {"mode", MODE, FIELD(mode), 0, 0, "KIND", "wasap (default), wassp, replicas"},
    {"workers", WHOLE, FIELD(workers), 1, 1024, "K", "workers, each a thread (2)"},
    {"phase-split", REAL, FIELD(phase_split), 0, 1, "X", "part of the epochs that workers train one model (.7)"},
    {"local-steps", WHOLE, FIELD(local_steps), 1, 1e6, "N", "mini-batches between exchanges (1)"},
    {"stale-limit", WHOLE, FIELD(stale_limit), 1, 1e9, "N", "drop gradients that missed more updates (off)"},
    {"discard-stale", SWITCH, FIELD(discard_stale), 0, 0, "", "drop gradients from before an evolution"},
    {"rate-multiple", REAL, FIELD(rate_multiple), 0, 1e6, "X", "of the learning rate (1; wassp: the workers)"},
    {"local-multiple", REAL, FIELD(local_multiple), 0, 1e6, "X",
     "the same while workers train apart (twice the workers)"},
    {"rate-warmup", REAL, FIELD(rate_warmup), 0, 1e6, "X", "epochs until the multiples are reached (5)"},
    {"compare", TEXT, FIELD(compare), 0, 0, "DIR", "train in sequence, wassp and wasap; draw them over time"},
};

enum { FLAGS = (int)(sizeof flags / sizeof flags[0]) };

static const char *const modes[] = {"wasap", "wassp", "replicas"};

const char *parallel_mode_word(int32_t mode)
{
    return modes[mode];
}

static bool set_number(const struct flag *flag, const char *text, void *field)
{
    char *end = NULL;
    double number = strtod(text, &end);
    bool plain = text[0] != '\0' && text[strspn(text, "0123456789.eE-+")] == '\0' && *end == '\0' && isfinite(number);
    int32_t whole = plain && number == floor(number);
    if (!plain || (flag->kind == WHOLE && !whole) || number < flag->low || number > flag->high ||
        (flag->kind == REAL && number == 0))
        return complain("--%s %s: must be a %s %s %g and at most %g", flag->name, text,
                        flag->kind == WHOLE ? "whole number, at least" : "number above", "", flag->low, flag->high);
    if (flag->kind == WHOLE) {
        int64_t value = (int64_t)number;
        memcpy(field, &value, sizeof value);
    } else {
        memcpy(field, &number, sizeof number);
    }
    return true;
}

static bool set_mode(const char *text, int32_t *mode)
{
    for (int32_t m = 0; m < (int32_t)(sizeof modes / sizeof modes[0]); m++)
        if (strcmp(modes[m], text) == 0) {
            *mode = m;
            return true;
        }
    return complain("--mode %s: must be one of wasap, wassp, replicas", text);
}

static bool set(struct parallel_options *options, const struct flag *flag, const char *text)
{
    void *field = (char *)options + flag->field;
    bool on = true;
    switch (flag->kind) {
    case MODE:
        return set_mode(text, field);
    case SWITCH:
        memcpy(field, &on, sizeof on);
        return true;
    case TEXT:
        if (text[0] == '\0')
            return complain("--%s: the name is empty", flag->name);
        memcpy(field, &text, sizeof text);
        return true;
    default:
        return set_number(flag, text, field);
    }
}

/* The flag that a word names, "--name" or "--name=value"; *value is NULL without "=". */
static const struct flag *find(const char *word, const char **value)
{
    *value = NULL;
    for (int i = 0; i < FLAGS; i++) {
        size_t length = strlen(flags[i].name);
        if (strncmp(word, "--", 2) != 0 || strncmp(word + 2, flags[i].name, length) != 0)
            continue;
        if (word[2 + length] == '=')
            *value = word + 2 + length + 1;
        if (word[2 + length] == '\0' || *value != NULL)
            return &flags[i];
    }
    return NULL;
}

static void print_help(void)
{
    puts("train_parallel trains with several workers at once. Its own options, then those of train_mlp:\n\nWorkers:");
    for (int i = 0; i < FLAGS; i++) {
        char left[40];
        snprintf(left, sizeof left, "--%s %s", flags[i].name, flags[i].argument);
        printf("  %-24s %s\n", left, flags[i].help);
    }
    putchar('\n');
}

enum parallel_options_result parallel_options_parse(struct parallel_options *options, int *argc, char **argv)
{
    int kept = 1;
    *options = (struct parallel_options){.mode = TSNN_PARALLEL_WASAP, .workers = 2};
    for (int i = 1; i < *argc; i++) {
        const char *value;
        const struct flag *flag = find(argv[i], &value);
        if (strcmp(argv[i], "--help") == 0) {
            print_help();
            return PARALLEL_OPTIONS_HELP;
        }
        if (flag == NULL) {
            argv[kept++] = argv[i];
            continue;
        }
        if (flag->kind != SWITCH && value == NULL && ++i == *argc) {
            complain("--%s: this option needs an argument; --help lists them", flag->name);
            return PARALLEL_OPTIONS_WRONG;
        }
        if (!set(options, flag, value != NULL ? value : argv[i]))
            return PARALLEL_OPTIONS_WRONG;
    }
    argv[kept] = NULL;
    *argc = kept;
    return PARALLEL_OPTIONS_RUN;
}
