/* Per-feature standardisation: fitted on a data set, applied to rows of features. */
#include "standardizer.h"

#include <math.h>
#include <string.h>

#include "core/memory.h"
#include "context.h"
#include "dataset.h"

tsnn_status tsnni_standardizer_arrays_copy(tsnni_runtime *runtime, int64_t features, const float *mean,
                                           const float *inverse, float **mean_out, float **inverse_out)
{
    tsnn_status status;
    *mean_out = NULL;
    *inverse_out = NULL;
    TSNNI_TRY(TSNNI_NEW(runtime, features, mean_out));
    TSNNI_TRY(TSNNI_NEW(runtime, features, inverse_out));
    memcpy(*mean_out, mean, (size_t)features * sizeof *mean);
    memcpy(*inverse_out, inverse, (size_t)features * sizeof *inverse);
    return TSNN_OK;
fail:
    tsnni_release(runtime, *mean_out);
    *mean_out = NULL;
    return status;
}

/* A standardizer whose numbers are still to be set. */
static tsnn_status standardizer_allocate(tsnn_context *context, int64_t features, tsnn_standardizer **out)
{
    tsnni_runtime *runtime = &context->runtime;
    tsnn_standardizer *standardizer = NULL;
    tsnn_status status;
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, 1, &standardizer));
    standardizer->context = context;
    standardizer->features = features;
    TSNNI_TRY(TSNNI_NEW(runtime, features, &standardizer->mean));
    TSNNI_TRY(TSNNI_NEW(runtime, features, &standardizer->deviation));
    TSNNI_TRY(TSNNI_NEW(runtime, features, &standardizer->inverse));
    *out = standardizer;
    return TSNN_OK;
fail:
    tsnn_standardizer_destroy(&standardizer);
    return status;
}

void tsnn_standardizer_destroy(tsnn_standardizer **standardizer)
{
    if (standardizer == NULL || *standardizer == NULL)
        return;
    tsnni_runtime *runtime = &(*standardizer)->context->runtime;
    tsnni_release(runtime, (*standardizer)->mean);
    tsnni_release(runtime, (*standardizer)->deviation);
    tsnni_release(runtime, (*standardizer)->inverse);
    tsnni_release(runtime, *standardizer);
    *standardizer = NULL;
}

/* Sums in double over deviations from the first sample, so that a large common offset costs no precision. */
static void accumulate_moments(const tsnn_dataset *dataset, double *sum, double *square_sum)
{
    const float *first = dataset->feature_data;
    for (int64_t n = 0; n < dataset->samples; n++) {
        const float *row = dataset->feature_data + n * dataset->features;
        for (int64_t f = 0; f < dataset->features; f++) {
            double difference = (double)row[f] - (double)first[f];
            sum[f] += difference;
            square_sum[f] += difference * difference;
        }
    }
}

tsnn_status tsnn_standardizer_fit(tsnn_context *context, const tsnn_dataset *dataset, tsnn_standardizer **out)
{
    if (out == NULL)
        return tsnni_null_argument(context, "out");
    *out = NULL;
    if (context == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *runtime = &context->runtime;
    tsnn_standardizer *standardizer = NULL;
    double *sum = NULL, *square_sum = NULL;
    tsnn_status status;
    if (dataset == NULL)
        TSNNI_FAIL(runtime, TSNN_ERROR_NULL_ARGUMENT, "dataset is NULL");
    TSNNI_TRY(standardizer_allocate(context, dataset->features, &standardizer));
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, dataset->features, &sum));
    TSNNI_TRY(TSNNI_NEW_ZERO(runtime, dataset->features, &square_sum));
    accumulate_moments(dataset, sum, square_sum);
    for (int64_t f = 0; f < dataset->features; f++) {
        double mean = sum[f] / (double)dataset->samples;
        double variance = square_sum[f] / (double)dataset->samples - mean * mean;
        float deviation = variance > 0.0 ? (float)sqrt(variance) : 0.0f;
        /* A feature that never varies, or too little for float, is only shifted. */
        if (!(isnormal(deviation) && isfinite(1.0f / deviation)))
            deviation = 1.0f;
        standardizer->mean[f] = (float)((double)dataset->feature_data[f] + mean);
        standardizer->deviation[f] = deviation;
        standardizer->inverse[f] = 1.0f / deviation;
    }
    tsnni_release(runtime, sum);
    tsnni_release(runtime, square_sum);
    *out = standardizer;
    return TSNN_OK;
fail:
    tsnni_release(runtime, sum);
    tsnn_standardizer_destroy(&standardizer);
    return status;
}

tsnn_status tsnn_standardizer_create(tsnn_context *context, int64_t features, const float *mean, const float *deviation,
                                     tsnn_standardizer **out)
{
    if (out == NULL)
        return tsnni_null_argument(context, "out");
    *out = NULL;
    if (context == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *runtime = &context->runtime;
    tsnn_status status;
    if (features < 1)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "features is %lld; it must be at least 1",
                   (long long)features);
    if (mean == NULL || deviation == NULL)
        TSNNI_FAIL(runtime, TSNN_ERROR_NULL_ARGUMENT, "%s is NULL", mean == NULL ? "mean" : "deviation");
    for (int64_t f = 0; f < features; f++) {
        if (!isfinite(mean[f]) || !isfinite(deviation[f]))
            TSNNI_FAIL(runtime, TSNN_ERROR_NOT_FINITE, "feature %lld: mean %g, deviation %g", (long long)f,
                       (double)mean[f], (double)deviation[f]);
        if (!(deviation[f] > 0.0f) || !isfinite(1.0f / deviation[f]))
            TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "feature %lld: deviation %g; it must be above 0",
                       (long long)f, (double)deviation[f]);
    }
    TSNNI_TRY(standardizer_allocate(context, features, out));
    for (int64_t f = 0; f < features; f++) {
        (*out)->mean[f] = mean[f];
        (*out)->deviation[f] = deviation[f];
        (*out)->inverse[f] = 1.0f / deviation[f];
    }
    return TSNN_OK;
fail:
    return status;
}

tsnn_status tsnn_standardizer_get(const tsnn_standardizer *standardizer, float *mean, float *deviation,
                                  int64_t capacity, int64_t *features)
{
    if (standardizer == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    if ((mean != NULL || deviation != NULL) && capacity < standardizer->features)
        return tsnni_fail(&standardizer->context->runtime, TSNN_ERROR_BUFFER_TOO_SMALL,
                          "room for %lld numbers; %lld are needed", (long long)capacity,
                          (long long)standardizer->features);
    size_t bytes = (size_t)standardizer->features * sizeof(float);
    if (mean != NULL)
        memcpy(mean, standardizer->mean, bytes);
    if (deviation != NULL)
        memcpy(deviation, standardizer->deviation, bytes);
    if (features != NULL)
        *features = standardizer->features;
    return TSNN_OK;
}

tsnn_status tsnn_standardizer_apply(const tsnn_standardizer *standardizer, const float *in, int64_t samples, float *out)
{
    if (standardizer == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *runtime = &standardizer->context->runtime;
    if (samples < 0)
        return tsnni_fail(runtime, TSNN_ERROR_INVALID_ARGUMENT, "samples is %lld; it must not be below 0",
                          (long long)samples);
    if (samples > 0 && (in == NULL || out == NULL))
        return tsnni_fail(runtime, TSNN_ERROR_NULL_ARGUMENT, "%s is NULL", in == NULL ? "in" : "out");
    int64_t features = standardizer->features;
    for (int64_t n = 0; n < samples; n++)
        for (int64_t f = 0; f < features; f++)
            out[n * features + f] = (in[n * features + f] - standardizer->mean[f]) * standardizer->inverse[f];
    return TSNN_OK;
}

tsnn_status tsnn_dataset_standardize(tsnn_dataset *dataset, const tsnn_standardizer *standardizer)
{
    if (dataset == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnni_runtime *runtime = &dataset->context->runtime;
    tsnn_status status;
    if (standardizer == NULL)
        TSNNI_FAIL(runtime, TSNN_ERROR_NULL_ARGUMENT, "standardizer is NULL");
    if (standardizer->features != dataset->features)
        TSNNI_FAIL(runtime, TSNN_ERROR_SHAPE, "a standardizer of %lld features for a data set of %lld",
                   (long long)standardizer->features, (long long)dataset->features);
    if (dataset->ownership == TSNN_BORROW)
        TSNNI_FAIL(runtime, TSNN_ERROR_STATE, "the data set is borrowed: it cannot be changed");
    for (int64_t n = 0; n < dataset->samples; n++)
        for (int64_t f = 0; f < dataset->features; f++) {
            float x = dataset->feature_data[n * dataset->features + f];
            float result = (x - standardizer->mean[f]) * standardizer->inverse[f];
            if (!isfinite(result))
                TSNNI_FAIL(runtime, TSNN_ERROR_NOT_FINITE, "sample %lld: feature %lld, %g, becomes %g", (long long)n,
                           (long long)f, (double)x, (double)result);
        }
    /* Its own array, so the const of the view may go. */
    return tsnn_standardizer_apply(standardizer, dataset->feature_data, dataset->samples,
                                   (float *)(uintptr_t)dataset->feature_data);
fail:
    return status;
}
