//! `<tsnn/trainer.h>`.

use std::os::raw::c_void;

use super::*;

pub type tsnn_step_callback =
    Option<unsafe extern "C" fn(user: *mut c_void, report: *const tsnn_step_report) -> i32>;
pub type tsnn_epoch_callback =
    Option<unsafe extern "C" fn(user: *mut c_void, report: *const tsnn_epoch_report) -> i32>;

declare! {
    opaque tsnn_trainer;
    const TSNN_SHUFFLE: i32 = 0;
    const TSNN_IN_ORDER: i32 = 1;
    struct tsnn_step_report {
        struct_size: u32,
        reserved: i32,
        epoch: i64,
        step: i64,
        steps: i64,
        samples: i64,
        loss: f64,
        learning_rate: f64,
        gradient_norm: f64,
    }
    struct tsnn_epoch_report {
        struct_size: u32,
        has_validation: i32,
        epoch: i64,
        epochs: i64,
        samples: i64,
        train_loss: f64,
        train_accuracy: f64,
        validation_loss: f64,
        validation_accuracy: f64,
        learning_rate: f64,
        train_seconds: f64,
        evolution_seconds: f64,
        validation_seconds: f64,
        replaced: i64,
        pruned: i64,
        connections: i64,
        neurons: i64,
    }
    struct tsnn_trainer_options {
        struct_size: u32,
        order: i32,
        network: *mut tsnn_network,
        loss: *const tsnn_loss,
        optimizer: *const tsnn_optimizer,
        evolution: *const tsnn_evolution,
        pruning: *mut tsnn_pruning,
        schedule: *const tsnn_schedule_options,
        epochs: i64,
        batch: i64,
        micro_batch: i64,
        clip_norm: f64,
        on_step: tsnn_step_callback,
        on_epoch: tsnn_epoch_callback,
        user: *mut c_void,
    }
    fn tsnn_trainer_options_init(options: *mut tsnn_trainer_options) -> tsnn_status;
    fn tsnn_trainer_create(
        context: *mut tsnn_context,
        options: *const tsnn_trainer_options,
        out: *mut *mut tsnn_trainer,
    ) -> tsnn_status;
    fn tsnn_trainer_destroy(trainer: *mut *mut tsnn_trainer);
    fn tsnn_trainer_run(
        trainer: *mut tsnn_trainer,
        train: *const tsnn_dataset,
        validation: *const tsnn_dataset,
    ) -> tsnn_status;
    fn tsnn_trainer_step(
        trainer: *mut tsnn_trainer,
        dataset: *const tsnn_dataset,
        samples: *const i64,
        count: i64,
        rate_factor: f64,
        loss: *mut f64,
    ) -> tsnn_status;
}
