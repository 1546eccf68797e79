/* Runs a fuzz target on files, or on all files of folders, without a fuzzer: replay FILE_OR_FOLDER... */
#define _POSIX_C_SOURCE 200809L

#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static long replayed;

/* The target gets a block of exactly the file's size. */
static int run_file(const char *path, size_t size)
{
    FILE *file = fopen(path, "rb");
    uint8_t *data = malloc(size > 0 ? size : 1);
    int good = file != NULL && data != NULL && fread(data, 1, size, file) == size;
    if (file != NULL)
        fclose(file);
    if (good) {
        if (getenv("TSNN_FUZZ_VERBOSE") != NULL)
            fprintf(stderr, "%s\n", path);
        LLVMFuzzerTestOneInput(data, size);
        replayed++;
    } else {
        fprintf(stderr, "%s: cannot be read\n", path);
    }
    free(data);
    return good;
}

static int run_path(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        fprintf(stderr, "%s: is not there\n", path);
        return 0;
    }
    if (!S_ISDIR(status.st_mode))
        return run_file(path, (size_t)status.st_size);
    struct dirent **entries;
    int count = scandir(path, &entries, NULL, alphasort), good = count >= 0;
    for (int k = 0; k < count; k++) {
        char inner[4096];
        snprintf(inner, sizeof inner, "%s/%s", path, entries[k]->d_name);
        if (entries[k]->d_name[0] != '.')
            good = run_path(inner) && good;
        free(entries[k]);
    }
    if (count >= 0)
        free(entries);
    return good;
}

int main(int argc, char **argv)
{
    int good = 1;
    for (int k = 1; k < argc; k++)
        good = run_path(argv[k]) && good;
    printf("%ld inputs\n", replayed);
    return good && replayed > 0 ? 0 : 1;
}
