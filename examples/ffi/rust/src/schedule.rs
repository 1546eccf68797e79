//! How the learning rate changes over the epochs.

use crate::sys;

/// Kinds of schedule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[repr(i32)]
pub enum ScheduleKind {
    /// The rate stays.
    #[default]
    Constant = sys::TSNN_SCHEDULE_CONSTANT,
    /// Multiplied by `step_factor` every `step_epochs`.
    Step = sys::TSNN_SCHEDULE_STEP,
    /// From 1 to `final_factor` along half a cosine.
    Cosine = sys::TSNN_SCHEDULE_COSINE,
}

/// A schedule; changes the rate per step.
#[derive(Clone, Copy, Debug, Default)]
pub struct Schedule {
    /// Which schedule.
    pub kind: ScheduleKind,
    /// The rate rises linearly to its full value over these epochs.
    pub warmup_epochs: f64,
    /// Step: default 10.
    pub step_epochs: f64,
    /// Step: in (0, 1]; default .1.
    pub step_factor: f64,
    /// Cosine: in [0, 1].
    pub final_factor: f64,
}

impl From<&Schedule> for sys::tsnn_schedule_options {
    fn from(schedule: &Schedule) -> Self {
        sys::tsnn_schedule_options {
            kind: schedule.kind as i32,
            warmup_epochs: schedule.warmup_epochs,
            step_epochs: schedule.step_epochs,
            step_factor: schedule.step_factor,
            final_factor: schedule.final_factor,
            ..Default::default()
        }
    }
}
