//! `<tsnn/checkpoint.h>`.

use std::os::raw::c_char;

use super::*;

declare! {
    struct tsnn_checkpoint_import_options {
        struct_size: u32,
        reserved: i32,
        path: *const c_char,
        names: *const *const c_char,
        name_count: i64,
        threshold: f64,
        hidden: *const tsnn_activation,
        output: *const tsnn_activation,
        dropout: f64,
        max_bytes: i64,
        features: *const f32,
        samples: i64,
    }
    struct tsnn_checkpoint_export_options {
        struct_size: u32,
        masks: i32,
        path: *const c_char,
        names: *const *const c_char,
        name_count: i64,
    }
    fn tsnn_checkpoint_import_options_init(
        options: *mut tsnn_checkpoint_import_options,
    ) -> tsnn_status;
    fn tsnn_network_import(
        context: *mut tsnn_context,
        options: *const tsnn_checkpoint_import_options,
        report: *mut tsnn_import_report,
        out: *mut *mut tsnn_network,
    ) -> tsnn_status;
    fn tsnn_checkpoint_export_options_init(
        options: *mut tsnn_checkpoint_export_options,
    ) -> tsnn_status;
    fn tsnn_network_export(
        network: *const tsnn_network,
        options: *const tsnn_checkpoint_export_options,
    ) -> tsnn_status;
}
