//! `<tsnn/model_file.h>`.

use std::os::raw::{c_char, c_void};

use super::*;

declare! {
    struct tsnn_save_options {
        struct_size: u32,
        momentum: i32,
        metadata: *const *const c_char,
        metadata_count: i64,
    }
    struct tsnn_load_options {
        struct_size: u32,
        reserved: i32,
        max_bytes: i64,
        custom: *const tsnn_activation,
    }
    fn tsnn_save_options_init(options: *mut tsnn_save_options) -> tsnn_status;
    fn tsnn_load_options_init(options: *mut tsnn_load_options) -> tsnn_status;
    fn tsnn_network_save(
        network: *const tsnn_network,
        options: *const tsnn_save_options,
        path: *const c_char,
    ) -> tsnn_status;
    fn tsnn_network_save_memory(
        network: *const tsnn_network,
        options: *const tsnn_save_options,
        buffer: *mut c_void,
        capacity: i64,
        size: *mut i64,
    ) -> tsnn_status;
    fn tsnn_network_load(
        context: *mut tsnn_context,
        path: *const c_char,
        options: *const tsnn_load_options,
        out: *mut *mut tsnn_network,
    ) -> tsnn_status;
    fn tsnn_network_load_memory(
        context: *mut tsnn_context,
        data: *const c_void,
        size: i64,
        options: *const tsnn_load_options,
        out: *mut *mut tsnn_network,
    ) -> tsnn_status;
    fn tsnn_trainer_save(
        trainer: *const tsnn_trainer,
        options: *const tsnn_save_options,
        path: *const c_char,
    ) -> tsnn_status;
    fn tsnn_trainer_save_memory(
        trainer: *const tsnn_trainer,
        options: *const tsnn_save_options,
        buffer: *mut c_void,
        capacity: i64,
        size: *mut i64,
    ) -> tsnn_status;
    fn tsnn_trainer_resume(
        trainer: *mut tsnn_trainer,
        path: *const c_char,
        options: *const tsnn_load_options,
    ) -> tsnn_status;
    fn tsnn_trainer_resume_memory(
        trainer: *mut tsnn_trainer,
        data: *const c_void,
        size: i64,
        options: *const tsnn_load_options,
    ) -> tsnn_status;
    fn tsnn_model_get_metadata(
        context: *mut tsnn_context,
        path: *const c_char,
        key: *const c_char,
        buffer: *mut c_char,
        capacity: i64,
        size: *mut i64,
    ) -> tsnn_status;
}
