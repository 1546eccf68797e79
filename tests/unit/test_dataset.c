/* Data sets and the standardisation of their features. */
#include "suites.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support.h"

static tsnn_context *context;

static void setup(void)
{
    context = tsnni_test_context(TSNN_ISA_AUTO, 1, 0);
}

static void teardown(void)
{
    tsnn_context_destroy(&context);
}

/* 4 samples of 3 features: the second never varies. */
static const float features[] = {1, 5, -2, 3, 5, 0, 5, 5, 2, 7, 5, 8};
static const int32_t labels[] = {0, 2, 1, 2};
static const float targets[] = {0.5f, 1.5f, -2.5f, 3.5f};

static tsnn_dataset_options labelled_options(void)
{
    tsnn_dataset_options options = TSNN_DATASET_OPTIONS_INIT;
    options.samples = 4;
    options.features = 3;
    options.feature_data = features;
    options.labels = labels;
    return options;
}

static tsnn_dataset_info info_of(const tsnn_dataset *dataset)
{
    tsnn_dataset_info info = TSNN_DATASET_INFO_INIT;
    TSNNI_OK(tsnn_dataset_get_info(dataset, &info));
    return info;
}

START_TEST(a_copy_does_not_need_the_arrays)
{
    float own[12];
    int32_t own_labels[4];
    memcpy(own, features, sizeof own);
    memcpy(own_labels, labels, sizeof own_labels);
    tsnn_dataset_options options = labelled_options();
    options.feature_data = own;
    options.labels = own_labels;
    tsnn_dataset *dataset = NULL;
    TSNNI_OK(tsnn_dataset_create(context, &options, &dataset));
    memset(own, 0xFF, sizeof own);
    memset(own_labels, 0xFF, sizeof own_labels);
    tsnn_dataset_info info = info_of(dataset);
    ck_assert_int_eq(info.ownership, TSNN_COPY);
    ck_assert_int_eq(info.samples, 4);
    ck_assert_int_eq(info.features, 3);
    ck_assert_int_eq(info.classes, 3);
    ck_assert_int_eq(info.target_size, 0);
    ck_assert_ptr_null(info.targets);
    ck_assert_mem_eq(info.feature_data, features, sizeof features);
    ck_assert_mem_eq(info.labels, labels, sizeof labels);
    tsnn_dataset_destroy(&dataset);
}
END_TEST

START_TEST(borrowed_arrays_are_read_in_place)
{
    tsnn_dataset_options options = labelled_options();
    options.ownership = TSNN_BORROW;
    options.classes = 10;
    tsnn_dataset *dataset = NULL;
    TSNNI_OK(tsnn_dataset_create(context, &options, &dataset));
    tsnn_dataset_info info = info_of(dataset);
    ck_assert_int_eq(info.ownership, TSNN_BORROW);
    ck_assert_int_eq(info.classes, 10);
    ck_assert_ptr_eq(info.feature_data, features);
    ck_assert_ptr_eq(info.labels, labels);
    tsnn_dataset_destroy(&dataset);
}
END_TEST

START_TEST(targets_take_the_place_of_labels)
{
    tsnn_dataset_options options = labelled_options();
    options.labels = NULL;
    options.targets = targets;
    options.target_size = 1;
    tsnn_dataset *dataset = NULL;
    TSNNI_OK(tsnn_dataset_create(context, &options, &dataset));
    tsnn_dataset_info info = info_of(dataset);
    ck_assert_int_eq(info.classes, 0);
    ck_assert_int_eq(info.target_size, 1);
    ck_assert_ptr_null(info.labels);
    ck_assert_mem_eq(info.targets, targets, sizeof targets);
    tsnn_dataset_destroy(&dataset);
}
END_TEST

START_TEST(numbers_that_are_none_are_refused_with_their_place)
{
    static const float wrong[] = {NAN, INFINITY, -INFINITY};
    for (int w = 0; w < 3; w++)
        for (int64_t place = 0; place < 12; place++) {
            float own[12];
            memcpy(own, features, sizeof own);
            own[place] = wrong[w];
            tsnn_dataset_options options = labelled_options();
            options.feature_data = own;
            tsnn_dataset *dataset = (tsnn_dataset *)&options;
            TSNNI_REFUSED(context, TSNN_ERROR_NOT_FINITE, tsnn_dataset_create(context, &options, &dataset));
            ck_assert_ptr_null(dataset);
            char expected[64];
            snprintf(expected, sizeof expected, "sample %d", (int)(place / 3));
            tsnni_test_expect_text(context, expected);
            snprintf(expected, sizeof expected, "feature %d", (int)(place % 3));
            tsnni_test_expect_text(context, expected);
        }
}
END_TEST

START_TEST(targets_that_are_no_numbers_are_refused)
{
    float own[4];
    memcpy(own, targets, sizeof own);
    own[2] = NAN;
    tsnn_dataset_options options = labelled_options();
    options.labels = NULL;
    options.targets = own;
    options.target_size = 1;
    tsnn_dataset *dataset = NULL;
    TSNNI_REFUSED(context, TSNN_ERROR_NOT_FINITE, tsnn_dataset_create(context, &options, &dataset));
    tsnni_test_expect_text(context, "sample 2");
}
END_TEST

START_TEST(labels_outside_the_classes_are_refused)
{
    tsnn_dataset_options options = labelled_options();
    tsnn_dataset *dataset = NULL;
    options.classes = 2;
    TSNNI_REFUSED(context, TSNN_ERROR_LABEL, tsnn_dataset_create(context, &options, &dataset));
    tsnni_test_expect_text(context, "sample 1");
    options.classes = 3;
    TSNNI_OK(tsnn_dataset_create(context, &options, &dataset));
    tsnn_dataset_destroy(&dataset);
    static const int32_t negative[] = {0, 1, -1, 0};
    options.labels = negative;
    TSNNI_REFUSED(context, TSNN_ERROR_LABEL, tsnn_dataset_create(context, &options, &dataset));
    options.classes = 0;
    TSNNI_REFUSED(context, TSNN_ERROR_LABEL, tsnn_dataset_create(context, &options, &dataset));
    tsnni_test_expect_text(context, "sample 2");
}
END_TEST

START_TEST(sizes_that_overflow_are_refused)
{
    tsnn_dataset_options options = labelled_options();
    tsnn_dataset *dataset = NULL;
    options.samples = INT64_MAX / 2;
    TSNNI_REFUSED(context, TSNN_ERROR_OVERFLOW, tsnn_dataset_create(context, &options, &dataset));
    options = labelled_options();
    options.features = INT64_MAX;
    TSNNI_REFUSED(context, TSNN_ERROR_OVERFLOW, tsnn_dataset_create(context, &options, &dataset));
    options = labelled_options();
    options.labels = NULL;
    options.targets = targets;
    options.target_size = INT64_MAX / 4;
    TSNNI_REFUSED(context, TSNN_ERROR_OVERFLOW, tsnn_dataset_create(context, &options, &dataset));
}
END_TEST

/* ---- standardizer ---- */

static tsnn_dataset *make_dataset(void)
{
    tsnn_dataset_options options = labelled_options();
    tsnn_dataset *dataset = NULL;
    TSNNI_OK(tsnn_dataset_create(context, &options, &dataset));
    return dataset;
}

START_TEST(mean_and_population_deviation_are_fitted)
{
    tsnn_dataset *dataset = make_dataset();
    tsnn_standardizer *standardizer = NULL;
    float mean[3], deviation[3];
    int64_t count = 0;
    TSNNI_OK(tsnn_standardizer_fit(context, dataset, &standardizer));
    TSNNI_OK(tsnn_standardizer_get(standardizer, mean, deviation, 3, &count));
    ck_assert_int_eq(count, 3);
    ck_assert_float_eq_tol(mean[0], 4.0f, 1e-6f);
    ck_assert_float_eq_tol(mean[1], 5.0f, 1e-6f);
    ck_assert_float_eq_tol(mean[2], 2.0f, 1e-6f);
    ck_assert_double_eq_tol(deviation[0], sqrt(5.0), 1e-6);
    ck_assert_float_eq(deviation[1], 1.0f); /* never varies */
    ck_assert_double_eq_tol(deviation[2], sqrt(14.0), 1e-6);
    tsnn_standardizer_destroy(&standardizer);
    tsnn_dataset_destroy(&dataset);
}
END_TEST

START_TEST(standardised_data_has_mean_0_and_deviation_1)
{
    tsnni_test_random random = {5};
    float *data = tsnni_test_array(1000 * 3, sizeof *data);
    for (int64_t n = 0; n < 1000; n++) {
        data[3 * n] = (float)(1e6 + tsnni_test_uniform(&random, -1.0, 1.0) * 10.0); /* a large offset */
        data[3 * n + 1] = (float)tsnni_test_uniform(&random, 0.0, 1e-20);
        data[3 * n + 2] = n == 0 ? 1e9f : (float)tsnni_test_uniform(&random, 0.0, 1.0); /* an outlier comes first */
    }
    int32_t *ones = tsnni_test_array(1000, sizeof *ones);
    tsnn_dataset_options options = labelled_options();
    options.samples = 1000;
    options.feature_data = data;
    options.labels = ones;
    tsnn_dataset *dataset = NULL;
    tsnn_standardizer *standardizer = NULL;
    TSNNI_OK(tsnn_dataset_create(context, &options, &dataset));
    TSNNI_OK(tsnn_standardizer_fit(context, dataset, &standardizer));
    TSNNI_OK(tsnn_dataset_standardize(dataset, standardizer));
    const float *result = info_of(dataset).feature_data;
    for (int64_t f = 0; f < 3; f++) {
        double sum = 0.0, squares = 0.0;
        for (int64_t n = 0; n < 1000; n++) {
            sum += result[3 * n + f];
            squares += (double)result[3 * n + f] * result[3 * n + f];
        }
        ck_assert_double_eq_tol(sum / 1000.0, 0.0, f == 0 ? 5e-3 : 1e-4); /* 1e6 in float has steps of 1/16 */
        ck_assert_double_eq_tol(squares / 1000.0, 1.0, 1e-3);
    }
    tsnn_standardizer_destroy(&standardizer);
    tsnn_dataset_destroy(&dataset);
    free(data);
    free(ones);
}
END_TEST

START_TEST(given_numbers_come_back_and_are_applied)
{
    static const float mean[] = {1.0f, -2.0f, 0.5f}, deviation[] = {2.0f, 0.25f, 1.0f};
    static const float in[] = {3.0f, -2.0f, 0.5f, 1.0f, -1.0f, 2.5f};
    static const float expected[] = {1.0f, 0.0f, 0.0f, 0.0f, 4.0f, 2.0f};
    tsnn_standardizer *standardizer = NULL;
    float mean_out[3], deviation_out[3], out[6];
    TSNNI_OK(tsnn_standardizer_create(context, 3, mean, deviation, &standardizer));
    TSNNI_OK(tsnn_standardizer_get(standardizer, mean_out, NULL, 3, NULL));
    TSNNI_OK(tsnn_standardizer_get(standardizer, NULL, deviation_out, 3, NULL));
    ck_assert_mem_eq(mean_out, mean, sizeof mean);
    ck_assert_mem_eq(deviation_out, deviation, sizeof deviation);
    TSNNI_OK(tsnn_standardizer_apply(standardizer, in, 2, out));
    for (int k = 0; k < 6; k++)
        ck_assert_float_eq_tol(out[k], expected[k], 1e-6f);
    float in_place[6];
    memcpy(in_place, in, sizeof in);
    TSNNI_OK(tsnn_standardizer_apply(standardizer, in_place, 2, in_place));
    ck_assert_mem_eq(in_place, out, sizeof out);
    tsnn_standardizer_destroy(&standardizer);
}
END_TEST

START_TEST(a_data_set_is_standardised_in_place_once_and_its_labels_stay)
{
    tsnn_dataset *dataset = make_dataset();
    tsnn_standardizer *standardizer = NULL;
    float expected[12];
    TSNNI_OK(tsnn_standardizer_fit(context, dataset, &standardizer));
    TSNNI_OK(tsnn_standardizer_apply(standardizer, features, 4, expected));
    TSNNI_OK(tsnn_dataset_standardize(dataset, standardizer));
    ck_assert_mem_eq(info_of(dataset).feature_data, expected, sizeof expected);
    ck_assert_mem_eq(info_of(dataset).labels, labels, sizeof labels);
    ck_assert_float_eq(expected[1], 0.0f); /* the constant feature is only shifted */
    tsnn_standardizer_destroy(&standardizer);
    tsnn_dataset_destroy(&dataset);
}
END_TEST

START_TEST(a_borrowed_data_set_is_not_standardised)
{
    float own[12];
    memcpy(own, features, sizeof own);
    tsnn_dataset_options options = labelled_options();
    options.ownership = TSNN_BORROW;
    options.feature_data = own;
    tsnn_dataset *dataset = NULL;
    tsnn_standardizer *standardizer = NULL;
    TSNNI_OK(tsnn_dataset_create(context, &options, &dataset));
    TSNNI_OK(tsnn_standardizer_fit(context, dataset, &standardizer)); /* fitting only reads */
    TSNNI_REFUSED(context, TSNN_ERROR_STATE, tsnn_dataset_standardize(dataset, standardizer));
    ck_assert_mem_eq(own, features, sizeof own);
    tsnn_standardizer_destroy(&standardizer);
    tsnn_dataset_destroy(&dataset);
}
END_TEST

START_TEST(a_result_that_overflows_changes_nothing)
{
    static const float mean[] = {0, 0, 0}, deviation[] = {1.0f, 1.0f, 1e-38f};
    tsnn_dataset *dataset = make_dataset();
    tsnn_standardizer *standardizer = NULL;
    tsnn_dataset_options options = labelled_options();
    float own[12];
    memcpy(own, features, sizeof own);
    own[11] = 1e10f;
    options.feature_data = own;
    tsnn_dataset_destroy(&dataset);
    TSNNI_OK(tsnn_dataset_create(context, &options, &dataset));
    TSNNI_OK(tsnn_standardizer_create(context, 3, mean, deviation, &standardizer));
    TSNNI_REFUSED(context, TSNN_ERROR_NOT_FINITE, tsnn_dataset_standardize(dataset, standardizer));
    ck_assert_mem_eq(info_of(dataset).feature_data, own, sizeof own);
    tsnn_standardizer_destroy(&standardizer);
    tsnn_dataset_destroy(&dataset);
}
END_TEST

START_TEST(other_numbers_of_features_are_refused)
{
    static const float mean[] = {0, 0}, deviation[] = {1, 1};
    tsnn_dataset *dataset = make_dataset();
    tsnn_standardizer *standardizer = NULL;
    TSNNI_OK(tsnn_standardizer_create(context, 2, mean, deviation, &standardizer));
    TSNNI_REFUSED(context, TSNN_ERROR_SHAPE, tsnn_dataset_standardize(dataset, standardizer));
    ck_assert_mem_eq(info_of(dataset).feature_data, features, sizeof features);
    tsnn_standardizer_destroy(&standardizer);
    tsnn_dataset_destroy(&dataset);
}
END_TEST

START_TEST(wrong_means_and_deviations_are_refused)
{
    static const float good[] = {1, 2}, wrong[] = {1, NAN}, endless[] = {INFINITY, 1}, zero[] = {1, 0},
                       negative[] = {-1, 1};
    tsnn_standardizer *out = NULL;
    TSNNI_REFUSED(context, TSNN_ERROR_NOT_FINITE, tsnn_standardizer_create(context, 2, wrong, good, &out));
    TSNNI_REFUSED(context, TSNN_ERROR_NOT_FINITE, tsnn_standardizer_create(context, 2, endless, good, &out));
    TSNNI_REFUSED(context, TSNN_ERROR_NOT_FINITE, tsnn_standardizer_create(context, 2, good, wrong, &out));
    TSNNI_REFUSED(context, TSNN_ERROR_NOT_FINITE, tsnn_standardizer_create(context, 2, good, endless, &out));
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_standardizer_create(context, 2, good, zero, &out));
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_standardizer_create(context, 2, good, negative, &out));
    TSNNI_REFUSED(context, TSNN_ERROR_INVALID_ARGUMENT, tsnn_standardizer_create(context, 0, good, good, &out));
    ck_assert_ptr_null(out);
}
END_TEST

Suite *tsnni_suite_dataset(void)
{
    Suite *suite = suite_create("dataset");
    TCase *dataset = tcase_create("dataset");
    tcase_add_checked_fixture(dataset, setup, teardown);
    tcase_add_test(dataset, a_copy_does_not_need_the_arrays);
    tcase_add_test(dataset, borrowed_arrays_are_read_in_place);
    tcase_add_test(dataset, targets_take_the_place_of_labels);
    tcase_add_test(dataset, numbers_that_are_none_are_refused_with_their_place);
    tcase_add_test(dataset, targets_that_are_no_numbers_are_refused);
    tcase_add_test(dataset, labels_outside_the_classes_are_refused);
    tcase_add_test(dataset, sizes_that_overflow_are_refused);
    suite_add_tcase(suite, dataset);
    TCase *standardizer = tcase_create("standardizer");
    tcase_add_checked_fixture(standardizer, setup, teardown);
    tcase_add_test(standardizer, mean_and_population_deviation_are_fitted);
    tcase_add_test(standardizer, standardised_data_has_mean_0_and_deviation_1);
    tcase_add_test(standardizer, given_numbers_come_back_and_are_applied);
    tcase_add_test(standardizer, a_data_set_is_standardised_in_place_once_and_its_labels_stay);
    tcase_add_test(standardizer, a_borrowed_data_set_is_not_standardised);
    tcase_add_test(standardizer, a_result_that_overflows_changes_nothing);
    tcase_add_test(standardizer, other_numbers_of_features_are_refused);
    tcase_add_test(standardizer, wrong_means_and_deviations_are_refused);
    suite_add_tcase(suite, standardizer);
    return suite;
}
