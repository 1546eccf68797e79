//! `<tsnn/network.h>`.

use std::os::raw::c_char;

use super::*;

declare! {
    opaque tsnn_network;
    const TSNN_ROUTE_PLAIN: i32 = 0;
    const TSNN_ROUTE_PANELS: i32 = 1;
    const TSNN_ROUTE_DENSE: i32 = 2;
    const TSNN_ACTIVATIONS_FLOAT32: i32 = 0;
    const TSNN_ACTIVATIONS_BF16: i32 = 1;
    struct tsnn_mlp_options {
        struct_size: u32,
        sampling: i32,
        sizes: *const i64,
        size_count: i64,
        epsilon: f64,
        init_scale: f64,
        init: i32,
        fan: i32,
        hidden: *const tsnn_activation,
        output: *const tsnn_activation,
        dropout: f64,
    }
    struct tsnn_network_info {
        struct_size: u32,
        activation_format: i32,
        layers: i64,
        inputs: i64,
        outputs: i64,
        neurons: i64,
        connections: i64,
        bytes: i64,
    }
    struct tsnn_layer_plan {
        struct_size: u32,
        forward_route: i32,
        backward_route: i32,
        input_index_bytes: i32,
        output_index_bytes: i32,
        reserved: i32,
        forward_panels: i64,
        backward_panels: i64,
        forward_prefetch: i64,
        backward_prefetch: i64,
        forward_prefetch_far: i64,
        backward_prefetch_far: i64,
        forward_bytes: i64,
        backward_bytes: i64,
    }
    struct tsnn_evaluation {
        struct_size: u32,
        reserved: i32,
        samples: i64,
        correct: i64,
        loss: f64,
        accuracy: f64,
    }
    fn tsnn_network_create(context: *mut tsnn_context, out: *mut *mut tsnn_network) -> tsnn_status;
    fn tsnn_network_append(
        network: *mut tsnn_network,
        layer: *mut *mut tsnn_layer,
        activation: *const tsnn_activation,
        dropout: f64,
    ) -> tsnn_status;
    fn tsnn_mlp_options_init(options: *mut tsnn_mlp_options) -> tsnn_status;
    fn tsnn_network_create_mlp(
        context: *mut tsnn_context,
        options: *const tsnn_mlp_options,
        out: *mut *mut tsnn_network,
    ) -> tsnn_status;
    fn tsnn_network_copy(network: *const tsnn_network, out: *mut *mut tsnn_network) -> tsnn_status;
    fn tsnn_network_destroy(network: *mut *mut tsnn_network);
    fn tsnn_network_get_info(
        network: *const tsnn_network,
        info: *mut tsnn_network_info,
    ) -> tsnn_status;
    fn tsnn_network_get_layer(
        network: *mut tsnn_network,
        index: i64,
        out: *mut *mut tsnn_layer,
    ) -> tsnn_status;
    fn tsnn_network_explain(
        network: *const tsnn_network,
        layer: i64,
        samples: i64,
        plan: *mut tsnn_layer_plan,
        text: *mut c_char,
        capacity: i64,
    ) -> tsnn_status;
    fn tsnn_network_set_activation_format(network: *mut tsnn_network, format: i32) -> tsnn_status;
    fn tsnn_network_set_standardizer(
        network: *mut tsnn_network,
        standardizer: *const tsnn_standardizer,
    ) -> tsnn_status;
    fn tsnn_network_predict(
        network: *const tsnn_network,
        features: *const f32,
        samples: i64,
        outputs: *mut f32,
        capacity: i64,
    ) -> tsnn_status;
    fn tsnn_network_classify(
        network: *const tsnn_network,
        features: *const f32,
        samples: i64,
        labels: *mut i32,
        capacity: i64,
    ) -> tsnn_status;
    fn tsnn_network_evaluate(
        network: *const tsnn_network,
        loss: *const tsnn_loss,
        dataset: *const tsnn_dataset,
        evaluation: *mut tsnn_evaluation,
    ) -> tsnn_status;
}
