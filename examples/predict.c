/*
 * predict: a model file and a table of numbers in, predictions out. One sample a line, numbers with commas, semicolons,
 * blanks or tabs between; standard input when no table is named.
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <tsnn.h>

enum { LONGEST_LINE = 1 << 20 };

struct predictor {
    tsnn_context *context;
    tsnn_predictor *model;
    tsnn_predictor_workspace *workspace;
    int64_t inputs, outputs;
    float *features, *values;
    bool want_outputs; /* --outputs: all numbers, not only the class */
    bool labelled;     /* --labelled: the last column is the class, to be compared */
    int64_t samples, correct;
};

static bool complain(const char *what, const char *detail)
{
    fprintf(stderr, "predict: %s%s%s\n", what, detail[0] != '\0' ? ": " : "", detail);
    return false;
}

/* Every call returns a status; the words that go with a failure are in the context. */
static bool succeeded(const struct predictor *predictor, const char *what, tsnn_status status)
{
    char detail[512] = "";
    if (status >= 0)
        return true;
    if (predictor->context != NULL)
        tsnn_context_error(predictor->context, detail, sizeof detail, NULL);
    return complain(what, detail[0] != '\0' ? detail : tsnn_status_string(status));
}

static bool load(struct predictor *predictor, const char *path)
{
    tsnn_predictor_info info = TSNN_PREDICTOR_INFO_INIT;
    if (!succeeded(predictor, "no context", tsnn_context_create(NULL, &predictor->context)) ||
        !succeeded(predictor, path, tsnn_predictor_load(predictor->context, path, NULL, &predictor->model)) ||
        !succeeded(predictor, path, tsnn_predictor_workspace_create(predictor->model, 1, &predictor->workspace)) ||
        !succeeded(predictor, path, tsnn_predictor_get_info(predictor->model, &info)))
        return false;
    predictor->inputs = info.inputs;
    predictor->outputs = info.outputs;
    predictor->features = calloc((size_t)info.inputs + 1, sizeof *predictor->features);
    predictor->values = calloc((size_t)info.outputs, sizeof *predictor->values);
    return (predictor->features != NULL && predictor->values != NULL) || complain("out of memory", "");
}

/* The numbers of a line; false when there are too few, too many, or something else. */
static bool read_numbers(const char *line, float *numbers, int64_t wanted)
{
    int64_t count = 0;
    for (const char *at = line + strspn(line, ",; \t\r\n"); *at != '\0'; at += strspn(at, ",; \t\r\n")) {
        char *end = NULL;
        float number = strtof(at, &end);
        if (end == at || !isfinite(number) || count == wanted)
            return false;
        numbers[count++] = number;
        at = end;
    }
    return count == wanted;
}

static void print_outputs(const struct predictor *predictor)
{
    for (int64_t k = 0; k < predictor->outputs; k++)
        printf("%s%.9g", k > 0 ? "," : "", (double)predictor->values[k]);
    putchar('\n');
}

static bool predict_line(struct predictor *predictor, const char *line, int64_t number)
{
    char place[120];
    int32_t found = 0;
    if (!read_numbers(line, predictor->features, predictor->inputs + (predictor->labelled ? 1 : 0))) {
        snprintf(place, sizeof place, "line %lld: not %lld finite numbers", (long long)number,
                 (long long)(predictor->inputs + (predictor->labelled ? 1 : 0)));
        return complain(place, "");
    }
    tsnn_samples samples = TSNN_SAMPLES_INIT;
    tsnn_answers answers = TSNN_ANSWERS_INIT;
    samples.count = 1;
    samples.features = predictor->features;
    answers.outputs = predictor->values;
    answers.outputs_capacity = predictor->outputs;
    answers.labels = &found;
    answers.labels_capacity = 1;
    tsnn_status status = tsnn_predictor_run(predictor->model, predictor->workspace, &samples, &answers);
    if (status < 0)
        return complain("prediction", tsnn_status_string(status));
    predictor->samples++;
    predictor->correct += predictor->labelled && predictor->features[predictor->inputs] == (float)found;
    if (predictor->want_outputs)
        print_outputs(predictor);
    else
        printf("%d\n", (int)found);
    return true;
}

static bool predict_all(struct predictor *predictor, FILE *table)
{
    bool good = true;
    char *line = malloc(LONGEST_LINE);
    if (line == NULL)
        return complain("out of memory", "");
    for (int64_t number = 1; good && fgets(line, LONGEST_LINE, table) != NULL; number++)
        if (line[strspn(line, " \t\r\n")] != '\0') /* blank lines are no samples */
            good = predict_line(predictor, line, number);
    if (good && ferror(table))
        good = complain("the table cannot be read", "");
    if (good && predictor->labelled)
        fprintf(stderr, "accuracy=%.4f samples=%lld\n",
                predictor->samples > 0 ? (double)predictor->correct / (double)predictor->samples : 0.0,
                (long long)predictor->samples);
    free(line);
    return good && (fflush(stdout) == 0 || complain("standard output cannot be written", ""));
}

int main(int argc, char **argv)
{
    struct predictor predictor = {0};
    const char *names[2] = {NULL, NULL}; /* model, table */
    int count = 0;
    bool good = true;
    for (int i = 1; i < argc && good; i++) {
        if (strcmp(argv[i], "--outputs") == 0)
            predictor.want_outputs = true;
        else if (strcmp(argv[i], "--labelled") == 0)
            predictor.labelled = true;
        else if (argv[i][0] == '-' || count == 2)
            good = complain(argv[i], "no such option");
        else
            names[count++] = argv[i];
    }
    if (!good || count == 0) {
        fputs("Usage: predict [--outputs] [--labelled] MODEL [TABLE]\n", stderr);
        return EXIT_FAILURE;
    }
    FILE *table = names[1] != NULL ? fopen(names[1], "r") : stdin;
    if (table == NULL)
        good = complain(names[1], "cannot be opened");
    good = good && load(&predictor, names[0]) && predict_all(&predictor, table);
    if (table != NULL && table != stdin)
        fclose(table);
    free(predictor.features);
    free(predictor.values);
    tsnn_predictor_workspace_destroy(&predictor.workspace);
    tsnn_predictor_destroy(&predictor.model);
    tsnn_context_destroy(&predictor.context);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
