/* A data set: the checks on entry, copied or borrowed. */
#include "dataset.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "context.h"

tsnn_status tsnn_dataset_options_init(tsnn_dataset_options *options)
{
    if (options == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    *options = (tsnn_dataset_options)TSNN_DATASET_OPTIONS_INIT;
    return TSNN_OK;
}

static tsnn_status check_sizes(tsnni_runtime *runtime, const tsnn_dataset_options *options)
{
    tsnn_status status;
    int64_t numbers;
    if (options->ownership != TSNN_COPY && options->ownership != TSNN_BORROW)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "ownership %d is unknown", (int)options->ownership);
    if (options->samples < 1 || options->features < 1)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "%lld samples of %lld features; both must be at least 1",
                   (long long)options->samples, (long long)options->features);
    if (tsnni_multiply(options->samples, options->features, &numbers) < 0 ||
        tsnni_multiply(numbers, (int64_t)sizeof(float), &numbers) < 0)
        TSNNI_FAIL(runtime, TSNN_ERROR_OVERFLOW, "%lld samples of %lld features", (long long)options->samples,
                   (long long)options->features);
    if (options->feature_data == NULL)
        TSNNI_FAIL(runtime, TSNN_ERROR_NULL_ARGUMENT, "feature_data is NULL");
    if ((options->labels == NULL) == (options->targets == NULL))
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "%s are given; it must be one of them",
                   options->labels == NULL ? "neither labels nor targets" : "both labels and targets");
    if (options->classes < 0 || options->classes > INT32_MAX || (options->targets != NULL && options->classes > 0))
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "classes is %lld; with labels it is 0..%d, else 0",
                   (long long)options->classes, INT32_MAX);
    if (options->targets == NULL ? options->target_size != 0 : options->target_size < 1)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "target_size is %lld; with targets it is at least 1, else 0",
                   (long long)options->target_size);
    if (options->targets != NULL && (tsnni_multiply(options->samples, options->target_size, &numbers) < 0 ||
                                     tsnni_multiply(numbers, (int64_t)sizeof(float), &numbers) < 0))
        TSNNI_FAIL(runtime, TSNN_ERROR_OVERFLOW, "%lld samples of %lld targets", (long long)options->samples,
                   (long long)options->target_size);
    return TSNN_OK;
fail:
    return status;
}

static tsnn_status check_rows(tsnni_runtime *runtime, const float *rows, int64_t samples, int64_t size,
                              const char *name)
{
    for (int64_t n = 0; n < samples; n++) {
        const float *row = rows + n * size;
        /* Sums of a row are finite when all its numbers are, or nearly: the loop that names the culprit runs only then.
         */
        float sum = 0.0f;
        for (int64_t k = 0; k < size; k++)
            sum += row[k] * 0.0f;
        if (sum == 0.0f)
            continue;
        for (int64_t k = 0; k < size; k++)
            if (!isfinite(row[k]))
                return tsnni_fail(runtime, TSNN_ERROR_NOT_FINITE, "sample %lld: %s %lld is %g", (long long)n, name,
                                  (long long)k, (double)row[k]);
    }
    return TSNN_OK;
}

/* Also finds the number of classes where the caller left it open. */
static tsnn_status check_labels(tsnni_runtime *runtime, const int32_t *labels, int64_t samples, int64_t *classes)
{
    int64_t largest = -1;
    for (int64_t n = 0; n < samples; n++) {
        if (labels[n] < 0 || (*classes > 0 && labels[n] >= *classes))
            return tsnni_fail(runtime, TSNN_ERROR_LABEL, "sample %lld: label %d is outside 0..%lld", (long long)n,
                              (int)labels[n], (long long)(*classes > 0 ? *classes - 1 : INT32_MAX));
        if (labels[n] > largest)
            largest = labels[n];
    }
    if (*classes == 0)
        *classes = largest + 1;
    return TSNN_OK;
}

static tsnn_status copy_array(tsnni_runtime *runtime, const void *from, int64_t count, size_t size, const void **out)
{
    void *copy = NULL;
    tsnn_status status = tsnni_allocate(runtime, count, size, &copy);
    if (status >= 0)
        memcpy(copy, from, (size_t)count * size);
    *out = copy;
    return status;
}

static tsnn_status copy_arrays(tsnni_runtime *runtime, tsnn_dataset *dataset, const tsnn_dataset_options *options)
{
    int64_t samples = dataset->samples;
    tsnn_status status;
    TSNNI_TRY(copy_array(runtime, options->feature_data, samples * dataset->features, sizeof(float),
                         (const void **)&dataset->feature_data));
    if (options->labels != NULL)
        TSNNI_TRY(copy_array(runtime, options->labels, samples, sizeof(int32_t), (const void **)&dataset->labels));
    if (options->targets != NULL)
        TSNNI_TRY(copy_array(runtime, options->targets, samples * dataset->target_size, sizeof(float),
                             (const void **)&dataset->targets));
    return TSNN_OK;
fail:
    return status;
}

/* Losses of probabilities take targets of a certain range: found once, so that no step has to look. */
static void find_target_range(tsnn_dataset *dataset, const float *targets)
{
    int64_t count = targets != NULL ? dataset->samples * dataset->target_size : 0;
    for (int64_t k = 0; k < count; k++) {
        if (k == 0 || targets[k] < dataset->least_target)
            dataset->least_target = targets[k];
        if (k == 0 || targets[k] > dataset->largest_target)
            dataset->largest_target = targets[k];
    }
}

tsnn_status tsnn_dataset_create(tsnn_context *context, const tsnn_dataset_options *options, tsnn_dataset **out)
{
    if (out == NULL)
        return tsnni_null_argument(context, "out");
    *out = NULL;
    if (context == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *runtime = &context->runtime;
    tsnn_dataset *dataset = NULL;
    tsnn_dataset_options given;
    tsnn_status status;
    if (options == NULL)
        TSNNI_FAIL(runtime, TSNN_ERROR_NULL_ARGUMENT, "options is NULL; a data set needs sizes and arrays");
    TSNNI_TRY(tsnni_options_read(runtime, options, &given, sizeof given, "tsnn_dataset_options"));
    TSNNI_TRY(check_sizes(runtime, &given));
    TSNNI_TRY(check_rows(runtime, given.feature_data, given.samples, given.features, "feature"));
    if (given.labels != NULL)
        TSNNI_TRY(check_labels(runtime, given.labels, given.samples, &given.classes));
    else
        TSNNI_TRY(check_rows(runtime, given.targets, given.samples, given.target_size, "target"));

    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, 1, &dataset));
    dataset->context = context;
    dataset->samples = given.samples;
    dataset->features = given.features;
    dataset->classes = given.classes;
    dataset->target_size = given.target_size;
    dataset->ownership = given.ownership;
    find_target_range(dataset, given.targets);
    if (given.ownership == TSNN_BORROW) {
        dataset->feature_data = given.feature_data;
        dataset->labels = given.labels;
        dataset->targets = given.targets;
    } else {
        TSNNI_TRY(copy_arrays(runtime, dataset, &given));
    }
    *out = dataset;
    return TSNN_OK;
fail:
    tsnn_dataset_destroy(&dataset);
    return status;
}

void tsnn_dataset_destroy(tsnn_dataset **dataset)
{
    if (dataset == NULL || *dataset == NULL)
        return;
    tsnni_runtime *runtime = &(*dataset)->context->runtime;
    if ((*dataset)->ownership == TSNN_COPY) {
        /* The data set's own arrays: the const of the view ends here. */
        tsnni_release(runtime, (void *)(uintptr_t)(*dataset)->feature_data);
        tsnni_release(runtime, (void *)(uintptr_t)(*dataset)->labels);
        tsnni_release(runtime, (void *)(uintptr_t)(*dataset)->targets);
    }
    tsnni_release(runtime, *dataset);
    *dataset = NULL;
}

tsnn_status tsnn_dataset_get_info(const tsnn_dataset *dataset, tsnn_dataset_info *info)
{
    if (dataset == NULL || info == NULL)
        return tsnni_null_argument(dataset != NULL ? dataset->context : NULL, "info");
    tsnn_dataset_info known = TSNN_DATASET_INFO_INIT;
    known.ownership = dataset->ownership;
    known.samples = dataset->samples;
    known.features = dataset->features;
    known.classes = dataset->classes;
    known.target_size = dataset->target_size;
    known.feature_data = dataset->feature_data;
    known.labels = dataset->labels;
    known.targets = dataset->targets;
    return tsnni_info_write(&dataset->context->runtime, info, &known, sizeof known, "tsnn_dataset_info");
}
