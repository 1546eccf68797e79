//! `<tsnn/optimizer.h>`.

use super::*;

declare! {
    opaque tsnn_optimizer;
    const TSNN_OPTIMIZER_SGD: i32 = 0;
    const TSNN_OPTIMIZER_MOMENTUM: i32 = 1;
    const TSNN_OPTIMIZER_NESTEROV: i32 = 2;
    const TSNN_DECAY_DECOUPLED: i32 = 0;
    const TSNN_DECAY_L2: i32 = 1;
    struct tsnn_optimizer_options {
        struct_size: u32,
        kind: i32,
        learning_rate: f64,
        momentum: f64,
        weight_decay: f64,
        decay: i32,
        reserved: i32,
    }
    fn tsnn_optimizer_options_init(options: *mut tsnn_optimizer_options) -> tsnn_status;
    fn tsnn_optimizer_create(
        context: *mut tsnn_context,
        options: *const tsnn_optimizer_options,
        out: *mut *mut tsnn_optimizer,
    ) -> tsnn_status;
    fn tsnn_optimizer_destroy(optimizer: *mut *mut tsnn_optimizer);
    fn tsnn_optimizer_apply(
        optimizer: *const tsnn_optimizer,
        network: *mut tsnn_network,
        gradient: *const tsnn_gradient,
        rate_factor: f64,
    ) -> tsnn_status;
}
