//! `<tsnn/gradient.h>`.

use super::*;

declare! {
    opaque tsnn_gradient;
    fn tsnn_gradient_create(
        network: *const tsnn_network,
        out: *mut *mut tsnn_gradient,
    ) -> tsnn_status;
    fn tsnn_gradient_destroy(gradient: *mut *mut tsnn_gradient);
    fn tsnn_gradient_clear(gradient: *mut tsnn_gradient) -> tsnn_status;
    fn tsnn_gradient_add(
        gradient: *mut tsnn_gradient,
        network: *const tsnn_network,
        loss: *const tsnn_loss,
        dataset: *const tsnn_dataset,
        samples: *const i64,
        count: i64,
        value: *mut f64,
    ) -> tsnn_status;
    fn tsnn_gradient_scale(gradient: *mut tsnn_gradient, factor: f64) -> tsnn_status;
    fn tsnn_gradient_norm(gradient: *const tsnn_gradient, norm: *mut f64) -> tsnn_status;
    fn tsnn_gradient_get(
        gradient: *const tsnn_gradient,
        layer: i64,
        weights: *mut f32,
        capacity: i64,
        bias: *mut f32,
        bias_capacity: i64,
    ) -> tsnn_status;
}
