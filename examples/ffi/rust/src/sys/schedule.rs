//! `<tsnn/schedule.h>`.

use super::*;

declare! {
    const TSNN_SCHEDULE_CONSTANT: i32 = 0;
    const TSNN_SCHEDULE_STEP: i32 = 1;
    const TSNN_SCHEDULE_COSINE: i32 = 2;
    struct tsnn_schedule_options {
        struct_size: u32,
        kind: i32,
        warmup_epochs: f64,
        step_epochs: f64,
        step_factor: f64,
        final_factor: f64,
    }
    fn tsnn_schedule_options_init(options: *mut tsnn_schedule_options) -> tsnn_status;
    fn tsnn_schedule_factor(
        options: *const tsnn_schedule_options,
        progress: f64,
        epochs: i64,
        factor: *mut f64,
    ) -> tsnn_status;
}
