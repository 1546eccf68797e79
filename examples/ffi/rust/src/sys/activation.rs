//! `<tsnn/activation.h>`.

use std::os::raw::c_void;

use super::*;

pub type tsnn_activation_function =
    Option<unsafe extern "C" fn(user: *mut c_void, z: *const f32, a: *mut f32, count: i64)>;
pub type tsnn_activation_derivative =
    Option<unsafe extern "C" fn(user: *mut c_void, z: *const f32, a: *const f32, derivative: *mut f32, count: i64)>;

declare! {
    opaque tsnn_activation;
    const TSNN_ACTIVATION_IDENTITY: i32 = 0;
    const TSNN_ACTIVATION_RELU: i32 = 1;
    const TSNN_ACTIVATION_LEAKY_RELU: i32 = 2;
    const TSNN_ACTIVATION_ALL_RELU: i32 = 3;
    const TSNN_ACTIVATION_SIGMOID: i32 = 4;
    const TSNN_ACTIVATION_TANH: i32 = 5;
    const TSNN_ACTIVATION_SOFTMAX: i32 = 6;
    const TSNN_ACTIVATION_CUSTOM: i32 = 7;
    struct tsnn_activation_options {
        struct_size: u32,
        kind: i32,
        alpha: f64,
        function: tsnn_activation_function,
        derivative: tsnn_activation_derivative,
        user: *mut c_void,
    }
    fn tsnn_activation_options_init(options: *mut tsnn_activation_options) -> tsnn_status;
    fn tsnn_activation_create(
        context: *mut tsnn_context,
        options: *const tsnn_activation_options,
        out: *mut *mut tsnn_activation,
    ) -> tsnn_status;
    fn tsnn_activation_destroy(activation: *mut *mut tsnn_activation);
    fn tsnn_activation_evaluate(
        activation: *const tsnn_activation,
        hidden_index: i64,
        z: *const f32,
        a: *mut f32,
        derivative: *mut f32,
        count: i64,
    ) -> tsnn_status;
}
