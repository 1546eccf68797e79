/**
 * @file dataset.h
 * @brief Samples with labels or targets, and the standardisation of their features.
 */
#ifndef TSNN_DATASET_H
#define TSNN_DATASET_H

#include <stddef.h>
#include <stdint.h>

#include <tsnn/context.h>

TSNN_BEGIN_DECLS

/** Whether a data set copies the caller's arrays. */
enum {
    TSNN_COPY = 0,  /**< Copied: the caller's arrays may go. */
    TSNN_BORROW = 1 /**< Read in place: they must stay and not change while the data set exists. */
};

/** A data set: dense row-major features with integer labels or float targets. */
typedef struct tsnn_dataset tsnn_dataset;

/** Options of tsnn_dataset_create(). Zero means the default. */
typedef struct tsnn_dataset_options {
    uint32_t struct_size;      /**< sizeof this struct. */
    int32_t ownership;         /**< TSNN_COPY or TSNN_BORROW. */
    int64_t samples;           /**< At least 1. Required. */
    int64_t features;          /**< Numbers a sample, at least 1. Required. */
    int64_t classes;           /**< With labels: labels are in [0, classes); default: the largest label + 1. */
    int64_t target_size;       /**< With targets: numbers a sample. */
    const float *feature_data; /**< samples x features, row-major, finite. Required. */
    const int32_t *labels;     /**< samples class numbers; or */
    const float *targets;      /**< samples x target_size, row-major, finite. Exactly one of the two. */
} tsnn_dataset_options;

/** Initialises a tsnn_dataset_options to its defaults (sizes and arrays remain to be set). */
#define TSNN_DATASET_OPTIONS_INIT                                                                                      \
    {                                                                                                                  \
        (uint32_t)sizeof(tsnn_dataset_options), 0, 0, 0, 0, 0, NULL, NULL, NULL                                        \
    }

/** @brief The same as TSNN_DATASET_OPTIONS_INIT. @return OK, NULL_ARGUMENT */
TSNN_API tsnn_status tsnn_dataset_options_init(tsnn_dataset_options *options);

/**
 * @brief Creates a data set; every number is checked once.
 * @param[out] out NULL on failure
 * @return OK, NULL_ARGUMENT, STRUCT_SIZE, INVALID_ARGUMENT, LABEL (outside [0, classes)), NOT_FINITE (which sample and
 *         feature is in the context's text), OVERFLOW, OUT_OF_MEMORY
 */
TSNN_API tsnn_status tsnn_dataset_create(tsnn_context *context, const tsnn_dataset_options *options,
                                         tsnn_dataset **out);

/** @brief Frees a data set and sets *dataset to NULL. Takes NULL and a pointer to NULL. */
TSNN_API void tsnn_dataset_destroy(tsnn_dataset **dataset);

/** The size of a data set and read-only views of its arrays, valid until it is destroyed. */
typedef struct tsnn_dataset_info {
    uint32_t struct_size;      /**< Set by the caller. */
    int32_t ownership;         /**< TSNN_COPY or TSNN_BORROW. */
    int64_t samples;           /**< Samples. */
    int64_t features;          /**< Numbers a sample. */
    int64_t classes;           /**< 0 without labels. */
    int64_t target_size;       /**< 0 without targets. */
    const float *feature_data; /**< samples x features. */
    const int32_t *labels;     /**< samples, or NULL. */
    const float *targets;      /**< samples x target_size, or NULL. */
} tsnn_dataset_info;

/** Initialises a tsnn_dataset_info. */
#define TSNN_DATASET_INFO_INIT                                                                                         \
    {                                                                                                                  \
        (uint32_t)sizeof(tsnn_dataset_info), 0, 0, 0, 0, 0, NULL, NULL, NULL                                           \
    }

/** @brief Tells the size of a data set. @return OK, NULL_ARGUMENT, STRUCT_SIZE */
TSNN_API tsnn_status tsnn_dataset_get_info(const tsnn_dataset *dataset, tsnn_dataset_info *info);

/**
 * Per-feature standardisation x <- (x - mean) / deviation. A feature that never varies has deviation 1. Immutable.
 *
 * Apply it in one of two places, not in both: to a network (tsnn_network_set_standardizer()), which then takes raw
 * features everywhere, or to data sets (tsnn_dataset_standardize()).
 */
typedef struct tsnn_standardizer tsnn_standardizer;

/**
 * @brief Fits mean and (population) deviation of each feature of a training set.
 * @param[out] out NULL on failure
 * @return OK, NULL_ARGUMENT, OUT_OF_MEMORY
 */
TSNN_API tsnn_status tsnn_standardizer_fit(tsnn_context *context, const tsnn_dataset *dataset, tsnn_standardizer **out);

/**
 * @brief Creates a standardizer from known numbers, which are copied.
 * @param mean features finite numbers
 * @param deviation features finite positive numbers
 * @return OK, NULL_ARGUMENT, INVALID_ARGUMENT (features < 1, a deviation not above 0), NOT_FINITE, OUT_OF_MEMORY
 */
TSNN_API tsnn_status tsnn_standardizer_create(tsnn_context *context, int64_t features, const float *mean,
                                              const float *deviation, tsnn_standardizer **out);

/** @brief Frees a standardizer and sets *standardizer to NULL. Takes NULL and a pointer to NULL. */
TSNN_API void tsnn_standardizer_destroy(tsnn_standardizer **standardizer);

/**
 * @brief Copies out the numbers.
 * @param[out] mean NULL: not wanted
 * @param[out] deviation NULL: not wanted
 * @param capacity numbers that each can hold
 * @param[out] features how many there are; NULL: not wanted
 * @return OK, NULL_ARGUMENT, BUFFER_TOO_SMALL
 */
TSNN_API tsnn_status tsnn_standardizer_get(const tsnn_standardizer *standardizer, float *mean, float *deviation,
                                           int64_t capacity, int64_t *features);

/**
 * @brief Standardises rows of features.
 * @param in samples x features, row-major
 * @param[out] out the same size; may be `in`
 * @return OK, NULL_ARGUMENT, INVALID_ARGUMENT (negative samples)
 */
TSNN_API tsnn_status tsnn_standardizer_apply(const tsnn_standardizer *standardizer, const float *in, int64_t samples,
                                             float *out);

/**
 * @brief Standardises a data set in place.
 * @return OK, NULL_ARGUMENT, SHAPE (numbers of features that differ), STATE (a borrowed data set is read-only),
 *         NOT_FINITE (a result overflows; nothing is changed)
 */
TSNN_API tsnn_status tsnn_dataset_standardize(tsnn_dataset *dataset, const tsnn_standardizer *standardizer);

TSNN_END_DECLS

#endif
