/* Training and test samples from the files of a directory, whatever their format. */
#ifndef TRAIN_MLP_DATA_H
#define TRAIN_MLP_DATA_H

#include <stdbool.h>
#include <stdint.h>

/* Where Debian's package dataset-fashion-mnist puts its files. */
#ifndef DATA_DEFAULT_DIRECTORY
#define DATA_DEFAULT_DIRECTORY "/usr/share/datasets/fashion-mnist"
#endif

/* The samples of one file, or of a pair of files. */
struct samples {
    char *path;          /* of the file with the labels, for messages */
    int64_t count;       /* samples */
    int64_t features;    /* numbers a sample */
    int64_t first_line;  /* of the first label, in a text file; 0: the file is binary */
    float *feature_data; /* count x features, row-major, finite */
    int32_t *labels;     /* as in the file; data_load() makes them class numbers */
};

/* A training and a test set that fit together. */
struct data {
    char name[64]; /* for titles */
    bool sample;   /* the embedded sample stands in for the whole data set */
    int64_t classes;
    struct samples train;
    struct samples test;
};

/*
 * Reads the data set in a directory.
 * directory: NULL for Fashion-MNIST where Debian's package puts it, or else the embedded sample
 * label_column: of CSV and TSV files, from 1; 0 for the last
 * False: a message has been written, and *data holds nothing.
 */
bool data_load(struct data *data, const char *directory, int64_t label_column);

/* Frees the samples. */
void data_free(struct data *data);

/* The readers: each fills *samples, which the caller frees with samples_free(), also after a failure. */

/* IDX: big-endian sizes, then bytes; these become numbers from 0 to 1. */
bool samples_read_idx(struct samples *samples, const char *image_path, const char *label_path);

/* CSV or TSV, by the separator: one sample a line, with or without a line of column names. */
bool samples_read_table(struct samples *samples, const char *path, char separator, int64_t label_column);

/* Rows of numbers with blanks between, and a second file with the label of each. */
bool samples_read_pair(struct samples *samples, const char *row_path, const char *label_path);

void samples_free(struct samples *samples);

#endif
