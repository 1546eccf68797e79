/* How the learning rate changes over the epochs. */
#include "schedule.h"

#include <math.h>

#include "context.h"

#define TSNNI_DEFAULT_STEP_EPOCHS 10.0
#define TSNNI_DEFAULT_STEP_FACTOR 0.1
#define TSNNI_PI 3.14159265358979323846

tsnn_status tsnn_schedule_options_init(tsnn_schedule_options *options)
{
    if (options == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    *options = (tsnn_schedule_options)TSNN_SCHEDULE_OPTIONS_INIT;
    return TSNN_OK;
}

/* What a kind would ignore is a mistake, unless it is the default. */
static tsnn_status check_kind(tsnni_runtime *runtime, const tsnn_schedule_options *options)
{
    tsnn_status status;
    if (options->kind != TSNN_SCHEDULE_STEP &&
        ((options->step_epochs != 0.0 && options->step_epochs != TSNNI_DEFAULT_STEP_EPOCHS) ||
         (options->step_factor != 0.0 && options->step_factor != TSNNI_DEFAULT_STEP_FACTOR)))
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT,
                   "step_epochs is %g, step_factor %g; only a schedule by steps has them", options->step_epochs,
                   options->step_factor);
    if (options->kind != TSNN_SCHEDULE_COSINE && options->final_factor != 0.0)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "final_factor is %g; only the cosine has one",
                   options->final_factor);
    return TSNN_OK;
fail:
    return status;
}

tsnn_status tsnni_schedule_read(tsnni_runtime *runtime, const tsnn_schedule_options *options,
                                tsnn_schedule_options *out)
{
    tsnn_status status;
    TSNNI_TRY(tsnni_options_read(runtime, options, out, sizeof *out, "tsnn_schedule_options"));
    if (out->kind < TSNN_SCHEDULE_CONSTANT || out->kind > TSNN_SCHEDULE_COSINE)
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "schedule kind %d is unknown", (int)out->kind);
    if (!(out->warmup_epochs >= 0.0) || !isfinite(out->warmup_epochs))
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "warmup_epochs is %g; it must not be below 0",
                   out->warmup_epochs);
    if (!(out->step_epochs >= 0.0) || !isfinite(out->step_epochs))
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "step_epochs is %g; it must be above 0", out->step_epochs);
    if (!(out->step_factor >= 0.0 && out->step_factor <= 1.0))
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "step_factor is %g; it must be in (0, 1]", out->step_factor);
    if (!(out->final_factor >= 0.0 && out->final_factor <= 1.0))
        TSNNI_FAIL(runtime, TSNN_ERROR_INVALID_ARGUMENT, "final_factor is %g; it must be in [0, 1]", out->final_factor);
    TSNNI_TRY(check_kind(runtime, out));
    if (out->step_epochs == 0.0)
        out->step_epochs = TSNNI_DEFAULT_STEP_EPOCHS;
    if (out->step_factor == 0.0)
        out->step_factor = TSNNI_DEFAULT_STEP_FACTOR;
    return TSNN_OK;
fail:
    return status;
}

double tsnni_schedule_factor(const tsnn_schedule_options *schedule, double progress, double epochs)
{
    double warmup = schedule->warmup_epochs;
    if (progress < warmup)
        return progress / warmup;
    if (schedule->kind == TSNN_SCHEDULE_STEP)
        return pow(schedule->step_factor, floor(progress / schedule->step_epochs));
    if (schedule->kind == TSNN_SCHEDULE_COSINE) {
        double done = epochs > warmup ? fmin((progress - warmup) / (epochs - warmup), 1.0) : 1.0;
        return schedule->final_factor + (1.0 - schedule->final_factor) * 0.5 * (1.0 + cos(TSNNI_PI * done));
    }
    return 1.0;
}

tsnn_status tsnn_schedule_factor(const tsnn_schedule_options *options, double progress, int64_t epochs, double *factor)
{
    if (factor == NULL)
        return TSNN_ERROR_NULL_ARGUMENT;
    tsnn_schedule_options schedule;
    tsnn_status status = tsnni_schedule_read(NULL, options, &schedule);
    if (status < 0)
        return status;
    if (!(progress >= 0.0) || !isfinite(progress) || epochs < 1)
        return TSNN_ERROR_INVALID_ARGUMENT;
    *factor = tsnni_schedule_factor(&schedule, progress, (double)epochs);
    return TSNN_OK;
}
