//! `<tsnn/pruning.h>`.

use super::*;

declare! {
    opaque tsnn_pruning;
    const TSNN_FOLD_NONE: i32 = 0;
    const TSNN_FOLD_BIASES: i32 = 1;
    struct tsnn_pruning_options {
        struct_size: u32,
        fold: i32,
        percentile: f64,
        threshold: f64,
        first_epoch: i64,
        every_epochs: i64,
    }
    struct tsnn_pruning_report {
        struct_size: u32,
        reserved: i32,
        neurons_before: i64,
        neurons_after: i64,
        connections_before: i64,
        connections_after: i64,
    }
    fn tsnn_pruning_options_init(options: *mut tsnn_pruning_options) -> tsnn_status;
    fn tsnn_pruning_create(
        context: *mut tsnn_context,
        options: *const tsnn_pruning_options,
        out: *mut *mut tsnn_pruning,
    ) -> tsnn_status;
    fn tsnn_pruning_destroy(pruning: *mut *mut tsnn_pruning);
    fn tsnn_pruning_apply(
        pruning: *mut tsnn_pruning,
        network: *mut tsnn_network,
        report: *mut tsnn_pruning_report,
    ) -> tsnn_status;
    fn tsnn_pruning_get_map(
        pruning: *const tsnn_pruning,
        layer: i64,
        map: *mut i32,
        capacity: i64,
        old_count: *mut i64,
    ) -> tsnn_status;
    fn tsnn_layer_get_importance(
        layer: *const tsnn_layer,
        importance: *mut f64,
        capacity: i64,
    ) -> tsnn_status;
}
