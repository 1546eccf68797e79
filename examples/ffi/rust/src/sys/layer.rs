//! `<tsnn/layer.h>`.

use super::*;

declare! {
    opaque tsnn_layer;
    const TSNN_SAMPLING_BERNOULLI: i32 = 0;
    const TSNN_SAMPLING_EXACT: i32 = 1;
    const TSNN_INIT_HE_UNIFORM: i32 = 0;
    const TSNN_INIT_XAVIER_UNIFORM: i32 = 1;
    const TSNN_INIT_NORMAL: i32 = 2;
    const TSNN_FAN_DENSE: i32 = 0;
    const TSNN_FAN_SPARSE: i32 = 1;
    const TSNN_CHECKED: i32 = 0;
    const TSNN_TRUSTED: i32 = 1;
    struct tsnn_layer_options {
        struct_size: u32,
        sampling: i32,
        inputs: i64,
        outputs: i64,
        epsilon: f64,
        density: f64,
        init_scale: f64,
        init: i32,
        fan: i32,
        stream: i64,
    }
    struct tsnn_layer_info {
        struct_size: u32,
        frozen: i32,
        inputs: i64,
        outputs: i64,
        connections: i64,
        density: f64,
        bytes: i64,
        index_bytes: i32,
        reserved: i32,
    }
    fn tsnn_layer_options_init(options: *mut tsnn_layer_options) -> tsnn_status;
    fn tsnn_layer_create(
        context: *mut tsnn_context,
        options: *const tsnn_layer_options,
        out: *mut *mut tsnn_layer,
    ) -> tsnn_status;
    fn tsnn_layer_create_from_csr(
        context: *mut tsnn_context,
        inputs: i64,
        outputs: i64,
        connections: i64,
        row_ptr: *const i64,
        column: *const i32,
        values: *const f32,
        bias: *const f32,
        trust: i32,
        out: *mut *mut tsnn_layer,
    ) -> tsnn_status;
    fn tsnn_layer_create_from_coo(
        context: *mut tsnn_context,
        inputs: i64,
        outputs: i64,
        connections: i64,
        row: *const i32,
        column: *const i32,
        values: *const f32,
        bias: *const f32,
        out: *mut *mut tsnn_layer,
    ) -> tsnn_status;
    fn tsnn_layer_destroy(layer: *mut *mut tsnn_layer);
    fn tsnn_layer_get_info(layer: *const tsnn_layer, info: *mut tsnn_layer_info) -> tsnn_status;
    fn tsnn_layer_get_csr(
        layer: *const tsnn_layer,
        row_ptr: *mut i64,
        row_ptr_capacity: i64,
        column: *mut i32,
        values: *mut f32,
        capacity: i64,
    ) -> tsnn_status;
    fn tsnn_layer_get_coo(
        layer: *const tsnn_layer,
        row: *mut i32,
        column: *mut i32,
        values: *mut f32,
        capacity: i64,
    ) -> tsnn_status;
    fn tsnn_layer_get_bias(layer: *const tsnn_layer, bias: *mut f32, capacity: i64) -> tsnn_status;
    fn tsnn_layer_get_velocity(
        layer: *const tsnn_layer,
        weights: *mut f32,
        capacity: i64,
        bias: *mut f32,
        bias_capacity: i64,
    ) -> tsnn_status;
    fn tsnn_layer_set_weights(
        layer: *mut tsnn_layer,
        values: *const f32,
        count: i64,
        bias: *const f32,
        bias_count: i64,
    ) -> tsnn_status;
    fn tsnn_layer_set_velocity(
        layer: *mut tsnn_layer,
        weights: *const f32,
        count: i64,
        bias: *const f32,
        bias_count: i64,
    ) -> tsnn_status;
    fn tsnn_layer_freeze(layer: *mut tsnn_layer, frozen: i32) -> tsnn_status;
}
