//! `<tsnn/status.h>`.

use std::os::raw::c_char;

pub type tsnn_status = i32;

declare! {
    const TSNN_OK: i32 = 0;
    const TSNN_STOPPED: i32 = 1;
    const TSNN_ERROR_OUT_OF_MEMORY: i32 = -10;
    const TSNN_ERROR_OVERFLOW: i32 = -11;
    const TSNN_ERROR_NULL_ARGUMENT: i32 = -20;
    const TSNN_ERROR_INVALID_ARGUMENT: i32 = -21;
    const TSNN_ERROR_STRUCT_SIZE: i32 = -22;
    const TSNN_ERROR_BUFFER_TOO_SMALL: i32 = -23;
    const TSNN_ERROR_SHAPE: i32 = -40;
    const TSNN_ERROR_STRUCTURE: i32 = -41;
    const TSNN_ERROR_NOT_FINITE: i32 = -60;
    const TSNN_ERROR_LABEL: i32 = -61;
    const TSNN_ERROR_STATE: i32 = -80;
    const TSNN_ERROR_UNSUPPORTED: i32 = -81;
    const TSNN_ERROR_CALLBACK: i32 = -90;
    const TSNN_ERROR_IO: i32 = -100;
    const TSNN_ERROR_FORMAT: i32 = -101;
    const TSNN_ERROR_COMMUNICATION: i32 = -120;
    fn tsnn_status_string(status: tsnn_status) -> *const c_char;
}
