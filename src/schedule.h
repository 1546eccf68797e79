/* Inside of a schedule: options with their defaults filled in. */
#ifndef TSNNI_SCHEDULE_H
#define TSNNI_SCHEDULE_H

#include <tsnn/schedule.h>

#include "core/runtime.h"

/* Reads and checks a caller's options; NULL reads as constant. */
tsnn_status tsnni_schedule_read(tsnni_runtime *runtime, const tsnn_schedule_options *options,
                                tsnn_schedule_options *out);

/* tsnn_schedule_factor() on options that were read. */
double tsnni_schedule_factor(const tsnn_schedule_options *schedule, double progress, double epochs);

#endif
