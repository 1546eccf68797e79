//! `<tsnn/exchange.h>`.

use std::os::raw::c_char;

use super::*;

declare! {
    const TSNN_FORMAT_AUTO: i32 = 0;
    const TSNN_FORMAT_NPZ: i32 = 1;
    const TSNN_FORMAT_NPY: i32 = 2;
    const TSNN_FORMAT_MATRIX_MARKET: i32 = 3;
    const TSNN_FORMAT_SAFETENSORS: i32 = 4;
    const TSNN_ROWS_ARE_INPUTS: i32 = 0;
    const TSNN_ROWS_ARE_OUTPUTS: i32 = 1;
    struct tsnn_import_options {
        struct_size: u32,
        format: i32,
        path: *const c_char,
        weights: *const c_char,
        bias: *const c_char,
        mask: *const c_char,
        threshold: f64,
        rows: i32,
        reserved: i32,
        max_bytes: i64,
        features: *const f32,
        samples: i64,
    }
    struct tsnn_import_report {
        struct_size: u32,
        format: i32,
        inputs: i64,
        outputs: i64,
        entries: i64,
        connections: i64,
        dropped: i64,
        largest_difference: f64,
    }
    struct tsnn_export_options {
        struct_size: u32,
        format: i32,
        path: *const c_char,
        weights: *const c_char,
        bias: *const c_char,
        mask: *const c_char,
        rows: i32,
        reserved: i32,
    }
    fn tsnn_import_options_init(options: *mut tsnn_import_options) -> tsnn_status;
    fn tsnn_layer_import(
        context: *mut tsnn_context,
        options: *const tsnn_import_options,
        report: *mut tsnn_import_report,
        out: *mut *mut tsnn_layer,
    ) -> tsnn_status;
    fn tsnn_export_options_init(options: *mut tsnn_export_options) -> tsnn_status;
    fn tsnn_layer_export(
        layer: *const tsnn_layer,
        options: *const tsnn_export_options,
    ) -> tsnn_status;
}
