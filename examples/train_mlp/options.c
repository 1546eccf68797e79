/* The command line: one table gives the options, their ranges and the help text. */
#include "options.h"

#include <errno.h>
#include <float.h>
#include <getopt.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tsnn.h>

#include "data.h"
#include "text.h"

/* A word on the command line and its value. */
struct choice {
    const char *word;
    int32_t value;
};

static const struct choice activations[] = {{"all-relu", TSNN_ACTIVATION_ALL_RELU},
                                            {"relu", TSNN_ACTIVATION_RELU},
                                            {"leaky-relu", TSNN_ACTIVATION_LEAKY_RELU},
                                            {"sigmoid", TSNN_ACTIVATION_SIGMOID},
                                            {"tanh", TSNN_ACTIVATION_TANH},
                                            {"identity", TSNN_ACTIVATION_IDENTITY},
                                            {NULL, 0}};
static const struct choice samplings[] = {
    {"bernoulli", TSNN_SAMPLING_BERNOULLI}, {"exact", TSNN_SAMPLING_EXACT}, {NULL, 0}};
static const struct choice inits[] = {
    {"he", TSNN_INIT_HE_UNIFORM}, {"xavier", TSNN_INIT_XAVIER_UNIFORM}, {"normal", TSNN_INIT_NORMAL}, {NULL, 0}};
static const struct choice fans[] = {{"dense", TSNN_FAN_DENSE}, {"sparse", TSNN_FAN_SPARSE}, {NULL, 0}};
static const struct choice losses[] = {
    {"cross-entropy", TSNN_LOSS_CROSS_ENTROPY}, {"mse", TSNN_LOSS_MEAN_SQUARED_ERROR}, {NULL, 0}};
static const struct choice optimizers[] = {{"sgd", TSNN_OPTIMIZER_SGD},
                                           {"momentum", TSNN_OPTIMIZER_MOMENTUM},
                                           {"nesterov", TSNN_OPTIMIZER_NESTEROV},
                                           {NULL, 0}};
static const struct choice decays[] = {{"decoupled", TSNN_DECAY_DECOUPLED}, {"l2", TSNN_DECAY_L2}, {NULL, 0}};
static const struct choice schedules[] = {
    {"constant", TSNN_SCHEDULE_CONSTANT}, {"step", TSNN_SCHEDULE_STEP}, {"cosine", TSNN_SCHEDULE_COSINE}, {NULL, 0}};
static const struct choice isas[] = {{"auto", TSNN_ISA_AUTO},     {"ref", TSNN_ISA_REF},   {"avx2", TSNN_ISA_AVX2},
                                     {"avx512", TSNN_ISA_AVX512}, {"neon", TSNN_ISA_NEON}, {NULL, 0}};

/* What an option's argument is, and so the type of its field. */
enum kind { HEADING, TEXT, WHOLE, REAL, CHOICE, SWITCH, SIZES, SEED, HELP, VERSION };

/* One option. A range is [low, high]; `open` tells which ends are left out: ' ', '(', ')' or 'o' for both. */
struct flag {
    const char *name;
    enum kind kind;
    size_t field;
    double low;
    double high;
    char open;
    const struct choice *choices;
    const char *argument;
    const char *help;
};

#define FIELD(name) offsetof(struct options, name)
#define MOST 2147483647.0 /* neurons, samples: what the library counts */
#define DEFAULT_STEP_EPOCHS 10
#define DEFAULT_STEP_FACTOR .1

static const struct flag flags[] = {
    {"Data", HEADING, 0, 0, 0, ' ', NULL, "", ""},
    {"data", TEXT, FIELD(data), 0, 0, ' ', NULL, "DIR", "IDX files, train/test.csv or .tsv, or NAME_train.data;"},
    {"label-column", WHOLE, FIELD(label_column), 1, MOST, ' ', NULL, "N",
     "column of the label, from 1 (CSV; the last)"},
    {"no-standardize", SWITCH, FIELD(no_standardize), 0, 0, ' ', NULL, "", "take features as they are"},

    {"Network", HEADING, 0, 0, 0, ' ', NULL, "", ""},
    {"hidden", SIZES, FIELD(hidden), 1, MOST, ' ', NULL, "N,N,...", "neurons of the hidden layers (1000,1000,1000)"},
    {"epsilon", REAL, FIELD(epsilon), 0, 1e9, '(', NULL, "X", "density = X (in + out) / (in out) (20)"},
    {"sampling", CHOICE, FIELD(sampling), 0, 0, ' ', samplings, "KIND", "bernoulli (default), exact"},
    {"activation", CHOICE, FIELD(activation), 0, 0, ' ', activations, "KIND",
     "all-relu (default), relu, leaky-relu, sigmoid, tanh, identity"},
    {"alpha", REAL, FIELD(alpha), -1000, 1000, ' ', NULL, "X", "slope of all-relu (.6) or leaky-relu (.01)"},
    {"dropout", REAL, FIELD(dropout), 0, 1, ')', NULL, "X", "share of hidden outputs dropped in training (.3)"},
    {"init", CHOICE, FIELD(init), 0, 0, ' ', inits, "KIND", "xavier (default), he, normal"},
    {"fan", CHOICE, FIELD(fan), 0, 0, ' ', fans, "KIND", "fan-in of the init rule: dense (default), sparse"},
    {"init-scale", REAL, FIELD(init_scale), 0, 1e6, '(', NULL, "X", "factor on the first weights (1.75)"},
    {"bf16", SWITCH, FIELD(bf16), 0, 0, ' ', NULL, "", "keep inputs and hidden activations as bf16: faster, rounded"},

    {"Training", HEADING, 0, 0, 0, ' ', NULL, "", ""},
    {"epochs", WHOLE, FIELD(epochs), 1, 1e6, ' ', NULL, "N", "passes over the training set (40)"},
    {"batch", WHOLE, FIELD(batch), 1, MOST, ' ', NULL, "N", "samples a step (128)"},
    {"micro-batch", WHOLE, FIELD(micro_batch), 1, MOST, ' ', NULL, "N", "samples at once (the batch)"},
    {"loss", CHOICE, FIELD(loss), 0, 0, ' ', losses, "KIND", "cross-entropy (default), mse"},
    {"label-smoothing", REAL, FIELD(label_smoothing), 0, 1, ')', NULL, "X", "of cross-entropy (0)"},
    {"optimizer", CHOICE, FIELD(optimizer), 0, 0, ' ', optimizers, "KIND", "sgd, momentum (default), nesterov"},
    {"lr", REAL, FIELD(rate), 0, 1e6, '(', NULL, "X", "learning rate (.01)"},
    {"momentum", REAL, FIELD(momentum), 0, 1, ')', NULL, "X", "momentum (.9)"},
    {"weight-decay", REAL, FIELD(weight_decay), 0, 1, ')', NULL, "X", "weight decay a step (.0002)"},
    {"decay", CHOICE, FIELD(decay), 0, 0, ' ', decays, "KIND", "decoupled (default), l2"},
    {"clip-norm", REAL, FIELD(clip_norm), 0, 1e9, '(', NULL, "X", "largest norm of the gradient (off)"},
    {"schedule", CHOICE, FIELD(schedule), 0, 0, ' ', schedules, "KIND", "constant (default), step, cosine"},
    {"warmup", REAL, FIELD(warmup), 0, 1e9, ' ', NULL, "X", "epochs until the rate is at its full value (0)"},
    {"step-epochs", REAL, FIELD(step_epochs), 0, 1e9, '(', NULL, "X", "step: epochs between two steps (10)"},
    {"step-factor", REAL, FIELD(step_factor), 0, 1, '(', NULL, "X", "step: factor at each (.1)"},
    {"final-factor", REAL, FIELD(final_factor), 0, 1, ' ', NULL, "X", "cosine: factor at the end (0)"},

    {"Topology", HEADING, 0, 0, 0, ' ', NULL, "", ""},
    {"zeta", REAL, FIELD(zeta), 0, 1, ' ', NULL, "X", "share of connections replaced after an epoch; 0: none (.3)"},
    {"prune-percentile", REAL, FIELD(prune_percentile), 0, 100, 'o', NULL, "P",
     "prune while training: neurons up to percentile P (20)"},
    {"prune-threshold", REAL, FIELD(prune_threshold), 0, 1e30, '(', NULL, "X", "... or up to importance X"},
    {"prune-first", WHOLE, FIELD(prune_first), 1, 1e9, ' ', NULL, "E", "... after epoch E the first time (200)"},
    {"prune-every", WHOLE, FIELD(prune_every), 1, 1e9, ' ', NULL, "E", "... and every E epochs from then on (10)"},
    {"prune-after", REAL, FIELD(prune_after), 0, 100, 'o', NULL, "P", "prune once, after training, at percentile P"},
    {"fold", SWITCH, FIELD(fold), 0, 0, ' ', NULL, "", "fold pruned neurons' constant outputs into the biases"},

    {"Machine and output", HEADING, 0, 0, 0, ' ', NULL, "", ""},
    {"threads", WHOLE, FIELD(threads), 1, 1024, ' ', NULL, "N", "threads (all processors); the result stays the same"},
    {"isa", CHOICE, FIELD(isa), 0, 0, ' ', isas, "KIND", "auto (default), ref, avx2, avx512, neon"},
    {"seed", SEED, FIELD(seed), 0, 0, ' ', NULL, "N", "of all random numbers (1)"},
    {"save", TEXT, FIELD(save), 0, 0, ' ', NULL, "FILE",
     "write network and training state after each epoch and Ctrl-C"},
    {"resume", TEXT, FIELD(resume), 0, 0, ' ', NULL, "FILE", "go on from such a file; the other options as they were"},
    {"metrics", TEXT, FIELD(metrics), 0, 0, ' ', NULL, "FILE", "write one JSON object an epoch (--resume: append)"},
    {"plot", TEXT, FIELD(plot), 0, 0, ' ', NULL, "DIR", "draw learning curves and connections per input (gnuplot)"},
    {"quiet", SWITCH, FIELD(quiet), 0, 0, ' ', NULL, "", "print the result line only"},
    {"help", HELP, 0, 0, 0, ' ', NULL, "", "this text"},
    {"version", VERSION, 0, 0, 0, ' ', NULL, "", "the library's version"},
};

enum { FLAGS = (int)(sizeof flags / sizeof flags[0]) };
enum { FIRST_FLAG = 256 }; /* what getopt_long returns for flags[0]: out of the way of ':' and '?' */

static void set_defaults(struct options *options)
{
    static const struct options defaults = {
        .hidden = {3, {1000, 1000, 1000}},
        .epsilon = 20,
        .activation = TSNN_ACTIVATION_ALL_RELU,
        .alpha = NAN,
        .dropout = .3,
        .init = TSNN_INIT_XAVIER_UNIFORM,
        .init_scale = 1.75,
        .epochs = 40,
        .batch = 128,
        .optimizer = TSNN_OPTIMIZER_MOMENTUM,
        .rate = .01,
        .momentum = NAN,
        .weight_decay = .0002,
        .step_epochs = DEFAULT_STEP_EPOCHS,
        .step_factor = DEFAULT_STEP_FACTOR,
        .zeta = .3,
        .seed = 1,
    };
    *options = defaults;
}

static void print_help(void)
{
    printf("Usage: %s [options]\n"
           "Trains a truly sparse multi-layer perceptron and prints its test accuracy.\n",
           text_program);
    for (int i = 0; i < FLAGS; i++) {
        const struct flag *flag = &flags[i];
        if (flag->kind == HEADING) {
            printf("\n%s:\n", flag->name);
            continue;
        }
        char left[40];
        snprintf(left, sizeof left, "--%s %s", flag->name, flag->argument);
        printf("  %-24s %s\n", left, flag->help);
        if (flag->field == FIELD(data) && flag->kind == TEXT)
            printf("  %-24s default: %s,\n  %-24s else the sample that comes with the program\n", "",
                   DATA_DEFAULT_DIRECTORY, "");
    }
    puts(
        "\nThe last line of standard output is the result:\n"
        "  result test_accuracy=... epochs=... connections=... neurons=... train_seconds=... peak_rss_mb=... seed=...\n"
        "Ctrl-C stops after the current step and still prints it; a second Ctrl-C ends the program at once.");
}

/* Only what people write as decimal numbers: strtod alone would take "nan", "0x1p3" and " 1". */
static bool read_real(const char *text, double *value)
{
    char *end = NULL;
    if (text[0] == '\0' || text[strspn(text, "0123456789+-.eE")] != '\0')
        return false;
    *value = strtod(text, &end);
    return *end == '\0' && isfinite(*value);
}

static bool read_whole(const char *text, size_t length, int64_t *value)
{
    int64_t number = 0;
    size_t i = length > 0 && text[0] == '-' ? 1 : 0;
    if (i == length)
        return false;
    for (; i < length; i++) {
        if (text[i] < '0' || text[i] > '9' || number > INT64_MAX / 10 - 1)
            return false;
        number = 10 * number + (text[i] - '0');
    }
    *value = text[0] == '-' ? -number : number;
    return true;
}

static bool inside(const struct flag *flag, double value)
{
    bool above = flag->open == '(' || flag->open == 'o' ? value > flag->low : value >= flag->low;
    bool below = flag->open == ')' || flag->open == 'o' ? value < flag->high : value <= flag->high;
    return above && below;
}

static bool wrong_range(const struct flag *flag, const char *text)
{
    bool above = flag->open == '(' || flag->open == 'o';
    bool below = flag->open == ')' || flag->open == 'o';
    return complain("--%s %s: must be %s, %s %.10g and %s %.10g", flag->name, text,
                    flag->kind == REAL ? "a number" : "a whole number", above ? "above" : "at least", flag->low,
                    below ? "below" : "at most", flag->high);
}

static bool set_choice(const struct flag *flag, const char *text, int32_t *value)
{
    char words[160] = "";
    for (const struct choice *choice = flag->choices; choice->word != NULL; choice++) {
        if (strcmp(choice->word, text) == 0) {
            *value = choice->value;
            return true;
        }
        size_t used = strlen(words);
        snprintf(words + used, sizeof words - used, "%s%s", used > 0 ? ", " : "", choice->word);
    }
    return complain("--%s %s: must be one of %s", flag->name, text, words);
}

static bool set_sizes(const struct flag *flag, const char *text, struct sizes *sizes)
{
    sizes->count = 0;
    for (const char *at = text;; at++) {
        size_t length = strcspn(at, ",");
        int64_t neurons = 0;
        if (!read_whole(at, length, &neurons) || !inside(flag, (double)neurons))
            return complain("--%s %s: must be whole numbers from 1 to %.0f with commas between", flag->name, text,
                            flag->high);
        if (sizes->count == OPTIONS_HIDDEN)
            return complain("--%s: more than %d layers", flag->name, OPTIONS_HIDDEN);
        sizes->neurons[sizes->count++] = neurons;
        at += length;
        if (*at == '\0')
            return true;
    }
}

static bool set_seed(const char *text, uint64_t *seed)
{
    char *end = NULL;
    errno = 0;
    *seed = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0)
        return complain("--seed %s: must be a whole number from 0 to 18446744073709551615", text);
    return true;
}

static bool set_option(struct options *options, const struct flag *flag, const char *text)
{
    void *field = (char *)options + flag->field;
    switch (flag->kind) {
    case TEXT:
        if (text[0] == '\0')
            return complain("--%s: the name is empty", flag->name);
        memcpy(field, &text, sizeof text);
        return true;
    case WHOLE: {
        int64_t number = 0;
        if (!read_whole(text, strlen(text), &number) || !inside(flag, (double)number))
            return wrong_range(flag, text);
        memcpy(field, &number, sizeof number);
        return true;
    }
    case REAL: {
        double number = 0;
        if (!read_real(text, &number) || !inside(flag, number))
            return wrong_range(flag, text);
        memcpy(field, &number, sizeof number);
        return true;
    }
    case CHOICE:
        return set_choice(flag, text, field);
    case SWITCH: {
        bool on = true;
        memcpy(field, &on, sizeof on);
        return true;
    }
    case SIZES:
        return set_sizes(flag, text, field);
    case SEED:
        return set_seed(text, field);
    default:
        return true;
    }
}

/* What no single option can tell: pairs that contradict each other. Settles the defaults that depend on others. */
static bool settle(struct options *options)
{
    if (options->optimizer == TSNN_OPTIMIZER_SGD && options->momentum > 0)
        return complain("--momentum %g: --optimizer sgd has no momentum", options->momentum);
    if (isnan(options->momentum))
        options->momentum = options->optimizer == TSNN_OPTIMIZER_SGD ? 0 : .9;
    if (options->momentum == 0)
        options->optimizer = TSNN_OPTIMIZER_SGD;
    if (options->prune_percentile > 0 && options->prune_threshold > 0)
        return complain("--prune-percentile and --prune-threshold: only one of them can rule");
    if (options->micro_batch > options->batch)
        return complain("--micro-batch %s: must be at most the batch, %s", grouped(options->micro_batch).text,
                        grouped(options->batch).text);
    if (options->alpha != 0 && !isnan(options->alpha) && options->activation != TSNN_ACTIVATION_ALL_RELU &&
        options->activation != TSNN_ACTIVATION_LEAKY_RELU)
        return complain("--alpha %g: belongs to --activation all-relu and leaky-relu", options->alpha);
    if (options->schedule != TSNN_SCHEDULE_STEP &&
        (options->step_epochs != DEFAULT_STEP_EPOCHS || options->step_factor != DEFAULT_STEP_FACTOR))
        return complain("--step-epochs %g, --step-factor %g: belong to --schedule step", options->step_epochs,
                        options->step_factor);
    if (options->schedule != TSNN_SCHEDULE_COSINE && options->final_factor != 0)
        return complain("--final-factor %g: belongs to --schedule cosine", options->final_factor);
    if (options->loss != TSNN_LOSS_CROSS_ENTROPY && options->label_smoothing > 0)
        return complain("--label-smoothing %g: belongs to --loss cross-entropy", options->label_smoothing);
    return true;
}

bool options_prune_in_training(const struct options *options)
{
    return options->prune_percentile > 0 || options->prune_threshold > 0 || options->prune_first > 0 ||
           options->prune_every > 0;
}

enum options_result options_parse(struct options *options, int argc, char **argv)
{
    struct option table[FLAGS + 1] = {{NULL, 0, NULL, 0}};
    int count = 0;
    for (int i = 0; i < FLAGS; i++) {
        int takes = flags[i].argument[0] != '\0' ? required_argument : no_argument;
        if (flags[i].kind != HEADING)
            table[count++] = (struct option){flags[i].name, takes, NULL, FIRST_FLAG + i};
    }
    set_defaults(options);
    opterr = 0; /* the messages are ours */
    for (;;) {
        int found = getopt_long(argc, argv, ":", table, NULL);
        if (found == -1)
            break;
        if (found < FIRST_FLAG) {
            complain("%s: %s; --help lists them", argv[optind - 1],
                     found == ':' ? "this option needs an argument" : "no such option");
            return OPTIONS_WRONG;
        }
        const struct flag *flag = &flags[found - FIRST_FLAG];
        if (flag->kind == HELP) {
            print_help();
            return OPTIONS_DONE;
        }
        if (flag->kind == VERSION) {
            printf("%s, libtsnn %s\n", text_program, tsnn_version_string());
            return OPTIONS_DONE;
        }
        if (!set_option(options, flag, optarg))
            return OPTIONS_WRONG;
    }
    if (optind < argc) {
        complain("%s: not an option; --help lists them", argv[optind]);
        return OPTIONS_WRONG;
    }
    return settle(options) ? OPTIONS_RUN : OPTIONS_WRONG;
}
