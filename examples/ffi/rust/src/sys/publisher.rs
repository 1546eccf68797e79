//! `<tsnn/publisher.h>`.

use std::os::raw::c_char;

use super::*;

declare! {
    opaque tsnn_publisher;
    opaque tsnn_subscriber;
    struct tsnn_publisher_options {
        struct_size: u32,
        subscribers: i32,
        widest: i64,
    }
    struct tsnn_publisher_info {
        struct_size: u32,
        subscribers: i32,
        version: i64,
        alive: i64,
    }
    fn tsnn_publisher_options_init(options: *mut tsnn_publisher_options) -> tsnn_status;
    fn tsnn_publisher_create(
        context: *mut tsnn_context,
        predictor: *mut *mut tsnn_predictor,
        options: *const tsnn_publisher_options,
        out: *mut *mut tsnn_publisher,
    ) -> tsnn_status;
    fn tsnn_publisher_destroy(publisher: *mut *mut tsnn_publisher);
    fn tsnn_publisher_publish(
        publisher: *mut tsnn_publisher,
        predictor: *mut *mut tsnn_predictor,
    ) -> tsnn_status;
    fn tsnn_publisher_publish_network(
        publisher: *mut tsnn_publisher,
        network: *const tsnn_network,
    ) -> tsnn_status;
    fn tsnn_publisher_get_info(
        publisher: *const tsnn_publisher,
        info: *mut tsnn_publisher_info,
    ) -> tsnn_status;
    fn tsnn_subscriber_create(
        publisher: *mut tsnn_publisher,
        batch: i64,
        out: *mut *mut tsnn_subscriber,
    ) -> tsnn_status;
    fn tsnn_subscriber_destroy(subscriber: *mut *mut tsnn_subscriber);
    fn tsnn_subscriber_hold(subscriber: *mut tsnn_subscriber, version: *mut i64) -> tsnn_status;
    fn tsnn_subscriber_release(subscriber: *mut tsnn_subscriber) -> tsnn_status;
    fn tsnn_subscriber_run(
        subscriber: *mut tsnn_subscriber,
        samples: *const tsnn_samples,
        answers: *const tsnn_answers,
        version: *mut i64,
    ) -> tsnn_status;
    fn tsnn_subscriber_predict(
        subscriber: *mut tsnn_subscriber,
        features: *const f32,
        samples: i64,
        outputs: *mut f32,
        capacity: i64,
        version: *mut i64,
    ) -> tsnn_status;
    fn tsnn_subscriber_classify(
        subscriber: *mut tsnn_subscriber,
        features: *const f32,
        samples: i64,
        labels: *mut i32,
        capacity: i64,
        version: *mut i64,
    ) -> tsnn_status;
    fn tsnn_subscriber_error(
        subscriber: *const tsnn_subscriber,
        buffer: *mut c_char,
        capacity: i64,
        code: *mut tsnn_status,
    ) -> tsnn_status;
}
