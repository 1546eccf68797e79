//! `<tsnn/predictor.h>`.

use std::os::raw::{c_char, c_void};

use super::*;

declare! {
    opaque tsnn_predictor;
    opaque tsnn_predictor_workspace;
    const TSNN_PACK_ALL: i32 = 0;
    const TSNN_PACK_SINGLE: i32 = 1;
    const TSNN_PACK_BATCH: i32 = 2;
    const TSNN_OUTPUT_ACTIVATED: i32 = 0;
    const TSNN_OUTPUT_RAW: i32 = 1;
    struct tsnn_predictor_options {
        struct_size: u32,
        pack: i32,
        skip_zeros: i32,
        reserved: i32,
    }
    struct tsnn_predictor_layer {
        struct_size: u32,
        reserved: i32,
        inputs: i64,
        outputs: i64,
        connections: i64,
        row_ptr: *const i64,
        column: *const i32,
        values: *const f32,
        bias: *const f32,
        activation: *const tsnn_activation,
    }
    struct tsnn_predictor_load_options {
        struct_size: u32,
        ownership: i32,
        pack: i32,
        skip_zeros: i32,
        max_bytes: i64,
        custom: *const tsnn_activation,
    }
    struct tsnn_predictor_info {
        struct_size: u32,
        isa: i32,
        layers: i64,
        inputs: i64,
        outputs: i64,
        connections: i64,
        bytes: i64,
        borrowed: i64,
    }
    struct tsnn_samples {
        struct_size: u32,
        reserved: i32,
        count: i64,
        features: *const f32,
        sample_ptr: *const i64,
        index: *const i32,
        value: *const f32,
        capacity: i64,
    }
    struct tsnn_answers {
        struct_size: u32,
        form: i32,
        outputs: *mut f32,
        outputs_capacity: i64,
        labels: *mut i32,
        labels_capacity: i64,
        scores: *mut f32,
        scores_capacity: i64,
        top: i64,
    }
    fn tsnn_predictor_options_init(options: *mut tsnn_predictor_options) -> tsnn_status;
    fn tsnn_predictor_create_from_layers(
        context: *mut tsnn_context,
        layers: *const tsnn_predictor_layer,
        count: i64,
        shift: *const f32,
        scale: *const f32,
        options: *const tsnn_predictor_options,
        out: *mut *mut tsnn_predictor,
    ) -> tsnn_status;
    fn tsnn_predictor_create(
        context: *mut tsnn_context,
        network: *const tsnn_network,
        options: *const tsnn_predictor_options,
        out: *mut *mut tsnn_predictor,
    ) -> tsnn_status;
    fn tsnn_predictor_load_options_init(options: *mut tsnn_predictor_load_options) -> tsnn_status;
    fn tsnn_predictor_load(
        context: *mut tsnn_context,
        path: *const c_char,
        options: *const tsnn_predictor_load_options,
        out: *mut *mut tsnn_predictor,
    ) -> tsnn_status;
    fn tsnn_predictor_load_memory(
        context: *mut tsnn_context,
        data: *const c_void,
        size: i64,
        options: *const tsnn_predictor_load_options,
        out: *mut *mut tsnn_predictor,
    ) -> tsnn_status;
    fn tsnn_predictor_destroy(predictor: *mut *mut tsnn_predictor);
    fn tsnn_predictor_get_info(
        predictor: *const tsnn_predictor,
        info: *mut tsnn_predictor_info,
    ) -> tsnn_status;
    fn tsnn_predictor_workspace_size(
        predictor: *const tsnn_predictor,
        batch: i64,
        bytes: *mut i64,
    ) -> tsnn_status;
    fn tsnn_predictor_workspace_init(
        predictor: *const tsnn_predictor,
        batch: i64,
        memory: *mut c_void,
        bytes: i64,
        out: *mut *mut tsnn_predictor_workspace,
    ) -> tsnn_status;
    fn tsnn_predictor_workspace_create(
        predictor: *const tsnn_predictor,
        batch: i64,
        out: *mut *mut tsnn_predictor_workspace,
    ) -> tsnn_status;
    fn tsnn_predictor_workspace_destroy(workspace: *mut *mut tsnn_predictor_workspace);
    fn tsnn_predictor_workspace_error(
        workspace: *const tsnn_predictor_workspace,
        buffer: *mut c_char,
        capacity: i64,
        code: *mut tsnn_status,
    ) -> tsnn_status;
    fn tsnn_predictor_run(
        predictor: *const tsnn_predictor,
        workspace: *mut tsnn_predictor_workspace,
        samples: *const tsnn_samples,
        answers: *const tsnn_answers,
    ) -> tsnn_status;
    fn tsnn_predictor_predict(
        predictor: *const tsnn_predictor,
        workspace: *mut tsnn_predictor_workspace,
        features: *const f32,
        samples: i64,
        outputs: *mut f32,
        capacity: i64,
    ) -> tsnn_status;
    fn tsnn_predictor_classify(
        predictor: *const tsnn_predictor,
        workspace: *mut tsnn_predictor_workspace,
        features: *const f32,
        samples: i64,
        labels: *mut i32,
        capacity: i64,
    ) -> tsnn_status;
}
