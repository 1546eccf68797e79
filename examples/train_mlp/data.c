/* Finds out what a directory holds, has it read, and makes labels class numbers. */
#define _GNU_SOURCE /* readlink, strdup */

#include "data.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "input.h"
#include "text.h"

/* Where the embedded sample is, relative to the working directory or absolute. */
#ifndef TSNN_EXAMPLES_DATA
#define TSNN_EXAMPLES_DATA "examples/data"
#endif

enum { MOST_CLASSES = 65536 };

void samples_free(struct samples *samples)
{
    free(samples->path);
    free(samples->feature_data);
    free(samples->labels);
    memset(samples, 0, sizeof *samples);
}

void data_free(struct data *data)
{
    samples_free(&data->train);
    samples_free(&data->test);
}

/* --- labels --------------------------------------------------------------------------------------------------- */

static int compare_labels(const void *left, const void *right)
{
    int32_t a = *(const int32_t *)left;
    int32_t b = *(const int32_t *)right;
    return (a > b) - (a < b);
}

/* The different labels of the training set, rising. */
static bool collect_classes(const struct samples *train, int32_t *classes, int64_t *count)
{
    *count = 0;
    for (int64_t i = 0; i < train->count; i++) {
        int32_t label = train->labels[i];
        if (*count > 0 && bsearch(&label, classes, (size_t)*count, sizeof label, compare_labels) != NULL)
            continue;
        if (*count == MOST_CLASSES)
            return complain("%s: more than %d different labels: are these classes?", train->path, MOST_CLASSES);
        int64_t at = (*count)++;
        for (; at > 0 && classes[at - 1] > label; at--)
            classes[at] = classes[at - 1];
        classes[at] = label;
    }
    if (*count < 2)
        return complain("%s: every label is %d: there is nothing to tell apart", train->path, (int)classes[0]);
    return true;
}

/* Labels as the files have them (-1 and 1, 1 to 10) become 0, 1, ... in rising order. */
static bool number_classes(struct samples *samples, const int32_t *classes, int64_t count)
{
    for (int64_t i = 0; i < samples->count; i++) {
        const int32_t *found = bsearch(&samples->labels[i], classes, (size_t)count, sizeof classes[0], compare_labels);
        if (found == NULL)
            return complain("%s: %s %lld: label %d is not one of the training set's %lld classes (%d to %d)",
                            samples->path, samples->first_line > 0 ? "line" : "sample",
                            (long long)(samples->first_line > 0 ? samples->first_line + i : i + 1),
                            (int)samples->labels[i], (long long)count, (int)classes[0], (int)classes[count - 1]);
        samples->labels[i] = (int32_t)(found - classes);
    }
    return true;
}

static bool fit_together(struct data *data)
{
    struct samples *train = &data->train;
    struct samples *test = &data->test;
    if (train->features != test->features)
        return complain("%s goes with %lld features a sample, but %s with %lld", train->path,
                        (long long)train->features, test->path, (long long)test->features);
    int32_t *classes = malloc(MOST_CLASSES * sizeof *classes);
    if (classes == NULL)
        return complain("out of memory");
    bool good = collect_classes(train, classes, &data->classes) && number_classes(train, classes, data->classes) &&
                number_classes(test, classes, data->classes);
    free(classes);
    return good;
}

/* --- what a directory holds ----------------------------------------------------------------------------------- */

/* directory/name, with .gz where only that exists. NULL: neither does; it has been said if `needed`. */
static char *find_file(const char *directory, const char *name, bool needed)
{
    char *path = path_join(directory, name, "");
    if (path == NULL || path_exists(path))
        return path;
    char *packed = path_join(directory, name, ".gz");
    if (packed != NULL && !path_exists(packed)) {
        if (needed)
            complain("%s: is missing (with and without .gz)", path);
        free(packed);
        packed = NULL;
    }
    free(path);
    return packed;
}

static bool holds(const char *directory, const char *name)
{
    char *path = find_file(directory, name, false);
    free(path);
    return path != NULL;
}

/* The pairs of files share one reader's signature: features first, labels second. */
typedef bool (*pair_reader)(struct samples *samples, const char *first, const char *second);

static bool read_pair(struct samples *samples, const char *directory, const char *first, const char *second,
                      pair_reader reader)
{
    char *first_path = find_file(directory, first, true);
    char *second_path = first_path != NULL ? find_file(directory, second, true) : NULL;
    bool good = second_path != NULL && reader(samples, first_path, second_path);
    free(first_path);
    free(second_path);
    return good;
}

static bool load_idx(struct data *data, const char *directory)
{
    return read_pair(&data->train, directory, "train-images-idx3-ubyte", "train-labels-idx1-ubyte", samples_read_idx) &&
           read_pair(&data->test, directory, "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", samples_read_idx);
}

static bool load_table(struct data *data, const char *directory, char separator, int64_t label_column)
{
    char *train = find_file(directory, separator == ',' ? "train.csv" : "train.tsv", true);
    char *test = train != NULL ? find_file(directory, separator == ',' ? "test.csv" : "test.tsv", true) : NULL;
    bool good = test != NULL && samples_read_table(&data->train, train, separator, label_column) &&
                samples_read_table(&data->test, test, separator, label_column);
    free(train);
    free(test);
    return good;
}

static bool load_rows(struct data *data, const char *directory, const char *stem)
{
    char names[4][300];
    static const char *const ends[4] = {"_train.data", "_train.labels", "_valid.data", "_valid.labels"};
    for (int i = 0; i < 4; i++)
        snprintf(names[i], sizeof names[i], "%s%s", stem, ends[i]);
    return read_pair(&data->train, directory, names[0], names[1], samples_read_pair) &&
           read_pair(&data->test, directory, names[2], names[3], samples_read_pair);
}

/* The NAME of a NAME_train.data in a directory, the first in the alphabet. False: there is none. */
static bool find_stem(const char *directory, char *stem, size_t capacity)
{
    DIR *list = opendir(directory);
    if (list == NULL)
        return false;
    stem[0] = '\0';
    for (const struct dirent *entry; (entry = readdir(list)) != NULL;) {
        const char *end = strstr(entry->d_name, "_train.data");
        if (end == NULL || end == entry->d_name || (end[11] != '\0' && strcmp(end + 11, ".gz") != 0))
            continue;
        char name[256];
        snprintf(name, sizeof name, "%.*s", (int)(end - entry->d_name), entry->d_name);
        if (stem[0] == '\0' || strcmp(name, stem) < 0)
            snprintf(stem, capacity, "%s", name);
    }
    closedir(list);
    return stem[0] != '\0';
}

static bool check_directory(const char *directory)
{
    DIR *list = opendir(directory);
    if (list == NULL)
        return complain("%s: cannot be opened as a directory: %s", directory, strerror(errno));
    closedir(list);
    return true;
}

static bool load_directory(struct data *data, const char *directory, int64_t label_column)
{
    char stem[256];
    if (!check_directory(directory))
        return false;
    bool csv = holds(directory, "train.csv");
    bool tsv = !csv && holds(directory, "train.tsv");
    if (label_column > 0 && !csv && !tsv)
        return complain("--label-column: %s holds no train.csv or train.tsv", directory);
    if (csv || tsv)
        return load_table(data, directory, csv ? ',' : '\t', label_column);
    if (holds(directory, "train-images-idx3-ubyte") || holds(directory, "train-labels-idx1-ubyte"))
        return load_idx(data, directory);
    if (find_stem(directory, stem, sizeof stem))
        return load_rows(data, directory, stem);
    return complain("%s: holds none of train-images-idx3-ubyte, train.csv, train.tsv, NAME_train.data (or these with "
                    ".gz)",
                    directory);
}

/* --- the default ---------------------------------------------------------------------------------------------- */

/* Where the embedded sample is: as compiled in, or seen from the program's own file (build/examples/train_mlp). */
static char *sample_directory(void)
{
    char program[4096];
    if (path_exists(TSNN_EXAMPLES_DATA "/train-images-idx3-ubyte.gz"))
        return path_copy(TSNN_EXAMPLES_DATA);
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length > 0) {
        program[length] = '\0';
        char *slash = strrchr(program, '/');
        if (slash != NULL)
            *slash = '\0';
        for (int up = 0; up < 4 && (slash = strrchr(program, '/')) != NULL; up++) {
            *slash = '\0';
            if (holds(program, "examples/data/train-images-idx3-ubyte"))
                return path_join(program, "examples/data", "");
        }
    }
    complain("%s: is not there, and neither is the sample in %s; --data names a data set", DATA_DEFAULT_DIRECTORY,
             TSNN_EXAMPLES_DATA);
    return NULL;
}

static bool load_default(struct data *data)
{
    snprintf(data->name, sizeof data->name, "Fashion-MNIST");
    if (holds(DATA_DEFAULT_DIRECTORY, "train-images-idx3-ubyte"))
        return load_directory(data, DATA_DEFAULT_DIRECTORY, 0);
    char *directory = sample_directory();
    bool good = directory != NULL && load_directory(data, directory, 0);
    free(directory);
    data->sample = true;
    return good;
}

/* The last part of a path, for titles. */
static void name_after(char *name, size_t capacity, const char *directory)
{
    size_t end = strlen(directory);
    while (end > 1 && directory[end - 1] == '/')
        end--;
    size_t start = end;
    while (start > 0 && directory[start - 1] != '/')
        start--;
    snprintf(name, capacity, "%.*s", (int)(end - start), directory + start);
}

bool data_load(struct data *data, const char *directory, int64_t label_column)
{
    memset(data, 0, sizeof *data);
    if (directory == NULL && label_column > 0)
        return complain("--label-column: belongs to CSV and TSV files, which --data names");
    if (directory != NULL)
        name_after(data->name, sizeof data->name, directory);
    bool good = directory == NULL ? load_default(data) : load_directory(data, directory, label_column);
    if (good && fit_together(data))
        return true;
    data_free(data);
    return false;
}
