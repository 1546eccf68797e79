/* Learning-rate schedules against numbers worked out by hand. */
#include "suites.h"

#include <math.h>

#include "support.h"

static double factor(const tsnn_schedule_options *options, double progress, int64_t epochs)
{
    double value = -1.0;
    TSNNI_OK(tsnn_schedule_factor(options, progress, epochs, &value));
    return value;
}

START_TEST(constant_is_one_everywhere)
{
    tsnn_schedule_options options = TSNN_SCHEDULE_OPTIONS_INIT;
    static const double points[] = {0.0, 0.001, 1.0, 7.5, 10.0, 50.0};
    for (int k = 0; k < 6; k++) {
        ck_assert_double_eq(factor(&options, points[k], 10), 1.0);
        ck_assert_double_eq(factor(NULL, points[k], 10), 1.0);
    }
}
END_TEST

START_TEST(step_multiplies_every_so_many_epochs)
{
    tsnn_schedule_options options = TSNN_SCHEDULE_OPTIONS_INIT;
    options.kind = TSNN_SCHEDULE_STEP;
    ck_assert_double_eq_tol(factor(&options, 9.999, 40), 1.0, 1e-12);
    ck_assert_double_eq_tol(factor(&options, 10.0, 40), 0.1, 1e-12);
    ck_assert_double_eq_tol(factor(&options, 29.0, 40), 0.01, 1e-12);
    ck_assert_double_eq_tol(factor(&options, 30.0, 40), 0.001, 1e-12);
    options.step_epochs = 2.5;
    options.step_factor = 0.5;
    ck_assert_double_eq_tol(factor(&options, 0.0, 40), 1.0, 1e-12);
    ck_assert_double_eq_tol(factor(&options, 2.4, 40), 1.0, 1e-12);
    ck_assert_double_eq_tol(factor(&options, 2.5, 40), 0.5, 1e-12);
    ck_assert_double_eq_tol(factor(&options, 7.6, 40), 0.125, 1e-12);
    options.step_factor = 1.0;
    ck_assert_double_eq_tol(factor(&options, 39.0, 40), 1.0, 1e-12);
}
END_TEST

START_TEST(cosine_falls_along_half_a_wave)
{
    tsnn_schedule_options options = TSNN_SCHEDULE_OPTIONS_INIT;
    options.kind = TSNN_SCHEDULE_COSINE;
    ck_assert_double_eq_tol(factor(&options, 0.0, 40), 1.0, 1e-12);
    ck_assert_double_eq_tol(factor(&options, 10.0, 40), 0.85355339059327373, 1e-12);
    ck_assert_double_eq_tol(factor(&options, 20.0, 40), 0.5, 1e-12);
    ck_assert_double_eq_tol(factor(&options, 30.0, 40), 0.14644660940672624, 1e-12);
    ck_assert_double_eq_tol(factor(&options, 40.0, 40), 0.0, 1e-12);
    options.final_factor = 0.2;
    ck_assert_double_eq_tol(factor(&options, 0.0, 40), 1.0, 1e-12);
    ck_assert_double_eq_tol(factor(&options, 20.0, 40), 0.6, 1e-12);
    ck_assert_double_eq_tol(factor(&options, 40.0, 40), 0.2, 1e-12);
    ck_assert_double_eq_tol(factor(&options, 45.0, 40), 0.2, 1e-12); /* past the end it does not rise again */
    options.final_factor = 1.0;
    ck_assert_double_eq_tol(factor(&options, 33.0, 40), 1.0, 1e-12);
}
END_TEST

START_TEST(warm_up_rises_linearly)
{
    tsnn_schedule_options options = TSNN_SCHEDULE_OPTIONS_INIT;
    options.warmup_epochs = 5.0;
    ck_assert_double_eq_tol(factor(&options, 1.0, 40), 0.2, 1e-12);
    ck_assert_double_eq_tol(factor(&options, 2.5, 40), 0.5, 1e-12);
    ck_assert_double_eq_tol(factor(&options, 5.0, 40), 1.0, 1e-12);
    ck_assert_double_eq_tol(factor(&options, 30.0, 40), 1.0, 1e-12);
    options.warmup_epochs = 0.5;
    ck_assert_double_eq_tol(factor(&options, 0.25, 40), 0.5, 1e-12);
    ck_assert_double_eq_tol(factor(&options, 0.5, 40), 1.0, 1e-12);
}
END_TEST

START_TEST(cosine_begins_after_the_warm_up)
{
    tsnn_schedule_options options = TSNN_SCHEDULE_OPTIONS_INIT;
    options.kind = TSNN_SCHEDULE_COSINE;
    options.warmup_epochs = 4.0;
    ck_assert_double_eq_tol(factor(&options, 2.0, 24), 0.5, 1e-12);
    ck_assert_double_eq_tol(factor(&options, 4.0, 24), 1.0, 1e-12);
    ck_assert_double_eq_tol(factor(&options, 14.0, 24), 0.5, 1e-12);
    ck_assert_double_eq_tol(factor(&options, 24.0, 24), 0.0, 1e-12);
}
END_TEST

START_TEST(a_warm_up_longer_than_training_is_only_a_rise)
{
    tsnn_schedule_options options = TSNN_SCHEDULE_OPTIONS_INIT;
    options.kind = TSNN_SCHEDULE_COSINE;
    options.warmup_epochs = 10.0;
    ck_assert_double_eq_tol(factor(&options, 5.0, 8), 0.5, 1e-12);
    ck_assert_double_eq_tol(factor(&options, 8.0, 8), 0.8, 1e-12);
}
END_TEST

START_TEST(factors_stay_within_zero_and_one)
{
    for (int32_t kind = TSNN_SCHEDULE_CONSTANT; kind <= TSNN_SCHEDULE_COSINE; kind++)
        for (int warmup = 0; warmup < 3; warmup++)
            for (double progress = 0.0; progress < 30.0; progress += 0.37) {
                tsnn_schedule_options options = TSNN_SCHEDULE_OPTIONS_INIT;
                options.kind = kind;
                options.warmup_epochs = warmup * 2.0;
                double value = factor(&options, progress, 20);
                ck_assert(value >= 0.0 && value <= 1.0);
            }
}
END_TEST

Suite *tsnni_suite_schedule(void)
{
    Suite *suite = suite_create("schedule");
    TCase *tcase = tcase_create("schedule");
    tcase_add_test(tcase, constant_is_one_everywhere);
    tcase_add_test(tcase, step_multiplies_every_so_many_epochs);
    tcase_add_test(tcase, cosine_falls_along_half_a_wave);
    tcase_add_test(tcase, warm_up_rises_linearly);
    tcase_add_test(tcase, cosine_begins_after_the_warm_up);
    tcase_add_test(tcase, a_warm_up_longer_than_training_is_only_a_rise);
    tcase_add_test(tcase, factors_stay_within_zero_and_one);
    suite_add_tcase(suite, tcase);
    return suite;
}
