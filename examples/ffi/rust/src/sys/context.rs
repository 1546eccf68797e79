//! `<tsnn/context.h>`.

use std::os::raw::{c_char, c_void};

use super::*;

pub type tsnn_allocate_function =
    Option<unsafe extern "C" fn(user: *mut c_void, size: usize) -> *mut c_void>;
pub type tsnn_release_function =
    Option<unsafe extern "C" fn(user: *mut c_void, pointer: *mut c_void)>;
pub type tsnn_log_function =
    Option<unsafe extern "C" fn(user: *mut c_void, level: i32, text: *const c_char)>;

declare! {
    opaque tsnn_context;
    const TSNN_ISA_AUTO: i32 = 0;
    const TSNN_ISA_REF: i32 = 1;
    const TSNN_ISA_AVX2: i32 = 2;
    const TSNN_ISA_AVX512: i32 = 3;
    const TSNN_ISA_NEON: i32 = 4;
    const TSNN_LOG_WARNING: i32 = 1;
    const TSNN_LOG_INFO: i32 = 2;
    const TSNN_LOG_DEBUG: i32 = 3;
    struct tsnn_context_options {
        struct_size: u32,
        threads: i32,
        isa: i32,
        reserved: i32,
        seed: u64,
        allocate: tsnn_allocate_function,
        release: tsnn_release_function,
        allocator_user: *mut c_void,
        log: tsnn_log_function,
        log_user: *mut c_void,
    }
    struct tsnn_context_info {
        struct_size: u32,
        threads: i32,
        isa: i32,
        reserved: i32,
        seed: u64,
    }
    fn tsnn_context_options_init(options: *mut tsnn_context_options) -> tsnn_status;
    fn tsnn_context_create(
        options: *const tsnn_context_options,
        out: *mut *mut tsnn_context,
    ) -> tsnn_status;
    fn tsnn_context_destroy(context: *mut *mut tsnn_context);
    fn tsnn_context_error(
        context: *const tsnn_context,
        buffer: *mut c_char,
        capacity: i64,
        code: *mut tsnn_status,
    ) -> tsnn_status;
    fn tsnn_context_get_info(
        context: *const tsnn_context,
        info: *mut tsnn_context_info,
    ) -> tsnn_status;
    fn tsnn_isa_string(isa: i32) -> *const c_char;
    fn tsnn_context_set_threads(context: *mut tsnn_context, threads: i32) -> tsnn_status;
}
