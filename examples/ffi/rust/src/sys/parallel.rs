//! `<tsnn/parallel.h>`.

use std::os::raw::c_void;

use super::*;

declare! {
    opaque tsnn_parallel;
    const TSNN_PARALLEL_WASAP: i32 = 0;
    const TSNN_PARALLEL_WASSP: i32 = 1;
    const TSNN_PARALLEL_REPLICAS: i32 = 2;
    const TSNN_RETAIN_VALID: i32 = 0;
    const TSNN_DISCARD_STALE: i32 = 1;
    const TSNN_STALENESS_BINS: i32 = 64;
    struct tsnn_parallel_commit {
        worker: i64,
        exchange: i64,
        snapshot: i64,
    }
    struct tsnn_parallel_options {
        struct_size: u32,
        mode: i32,
        workers: i32,
        retain: i32,
        network: *mut tsnn_network,
        loss: *const tsnn_loss,
        optimizer: *const tsnn_optimizer,
        evolution: *const tsnn_evolution,
        pruning: *mut tsnn_pruning,
        schedule: *const tsnn_schedule_options,
        epochs: i64,
        batch: i64,
        micro_batch: i64,
        local_steps: i64,
        stale_limit: i64,
        phase_split: f64,
        rate_multiple: f64,
        local_multiple: f64,
        rate_warmup: f64,
        clip_norm: f64,
        keep_log: i32,
        reserved: i32,
        replay: *const tsnn_parallel_commit,
        replay_count: i64,
        on_step: tsnn_step_callback,
        on_epoch: tsnn_epoch_callback,
        user: *mut c_void,
    }
    struct tsnn_parallel_info {
        struct_size: u32,
        workers: i32,
        concurrent: i32,
        reserved: i32,
        epochs_done: i64,
        phase_one_epochs: i64,
        exchanges: i64,
        dropped: i64,
        entries_retained: i64,
        entries_lost: i64,
        phase_seconds: [f64; 2],
        compute_seconds: f64,
        exchange_seconds: f64,
        wait_seconds: f64,
        staleness_most: i64,
        staleness_mean: f64,
        staleness: [i64; 64],
    }
    struct tsnn_parallel_worker_info {
        struct_size: u32,
        has_validation: i32,
        steps: i64,
        samples: i64,
        compute_seconds: f64,
        exchange_seconds: f64,
        wait_seconds: f64,
        validation_loss: f64,
        validation_accuracy: f64,
    }
    fn tsnn_parallel_options_init(options: *mut tsnn_parallel_options) -> tsnn_status;
    fn tsnn_parallel_create(
        context: *mut tsnn_context,
        options: *const tsnn_parallel_options,
        out: *mut *mut tsnn_parallel,
    ) -> tsnn_status;
    fn tsnn_parallel_destroy(parallel: *mut *mut tsnn_parallel);
    fn tsnn_parallel_run(
        parallel: *mut tsnn_parallel,
        train: *const tsnn_dataset,
        validation: *const tsnn_dataset,
    ) -> tsnn_status;
    fn tsnn_parallel_get_info(
        parallel: *const tsnn_parallel,
        info: *mut tsnn_parallel_info,
    ) -> tsnn_status;
    fn tsnn_parallel_get_worker(
        parallel: *const tsnn_parallel,
        worker: i32,
        info: *mut tsnn_parallel_worker_info,
    ) -> tsnn_status;
    fn tsnn_parallel_get_log(
        parallel: *const tsnn_parallel,
        commits: *mut tsnn_parallel_commit,
        capacity: i64,
        count: *mut i64,
    ) -> tsnn_status;
}
