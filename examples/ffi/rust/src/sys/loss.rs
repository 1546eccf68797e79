//! `<tsnn/loss.h>`.

use super::*;

declare! {
    opaque tsnn_loss;
    const TSNN_LOSS_CROSS_ENTROPY: i32 = 0;
    const TSNN_LOSS_MEAN_SQUARED_ERROR: i32 = 1;
    const TSNN_LOSS_BINARY_CROSS_ENTROPY: i32 = 2;
    struct tsnn_loss_options {
        struct_size: u32,
        kind: i32,
        label_smoothing: f64,
    }
    fn tsnn_loss_options_init(options: *mut tsnn_loss_options) -> tsnn_status;
    fn tsnn_loss_create(
        context: *mut tsnn_context,
        options: *const tsnn_loss_options,
        out: *mut *mut tsnn_loss,
    ) -> tsnn_status;
    fn tsnn_loss_destroy(loss: *mut *mut tsnn_loss);
    fn tsnn_loss_evaluate(
        loss: *const tsnn_loss,
        outputs: *const f32,
        samples: i64,
        count: i64,
        labels: *const i32,
        targets: *const f32,
        value: *mut f64,
    ) -> tsnn_status;
}
