//! `<tsnn/export_c.h>`.

use std::os::raw::c_char;

use super::*;

declare! {
    const TSNN_EXPORT_FLOAT: i32 = 0;
    const TSNN_EXPORT_INT8: i32 = 1;
    struct tsnn_export_c_options {
        struct_size: u32,
        weights: i32,
        name: *const c_char,
        samples: *const f32,
        sample_count: i64,
        tolerance: f64,
    }
    struct tsnn_export_c_report {
        struct_size: u32,
        reserved: i32,
        text_bytes: i64,
        constant_bytes: i64,
        workspace_floats: i64,
        largest_difference: f64,
    }
    fn tsnn_export_c_options_init(options: *mut tsnn_export_c_options) -> tsnn_status;
    fn tsnn_export_c(
        network: *const tsnn_network,
        options: *const tsnn_export_c_options,
        path: *const c_char,
        report: *mut tsnn_export_c_report,
    ) -> tsnn_status;
}
