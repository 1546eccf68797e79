//! `<tsnn/evolution.h>`.

use super::*;

declare! {
    opaque tsnn_evolution;
    struct tsnn_evolution_options {
        struct_size: u32,
        reserved: i32,
        zeta: f64,
    }
    fn tsnn_evolution_options_init(options: *mut tsnn_evolution_options) -> tsnn_status;
    fn tsnn_evolution_create(
        context: *mut tsnn_context,
        options: *const tsnn_evolution_options,
        out: *mut *mut tsnn_evolution,
    ) -> tsnn_status;
    fn tsnn_evolution_destroy(evolution: *mut *mut tsnn_evolution);
    fn tsnn_evolution_apply_layer(
        evolution: *const tsnn_evolution,
        layer: *mut tsnn_layer,
        round: i64,
        replaced: *mut i64,
    ) -> tsnn_status;
    fn tsnn_evolution_apply(
        evolution: *const tsnn_evolution,
        network: *mut tsnn_network,
        round: i64,
        replaced: *mut i64,
    ) -> tsnn_status;
}
