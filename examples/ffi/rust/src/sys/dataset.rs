//! `<tsnn/dataset.h>`.

use super::*;

declare! {
    opaque tsnn_dataset;
    opaque tsnn_standardizer;
    const TSNN_COPY: i32 = 0;
    const TSNN_BORROW: i32 = 1;
    struct tsnn_dataset_options {
        struct_size: u32,
        ownership: i32,
        samples: i64,
        features: i64,
        classes: i64,
        target_size: i64,
        feature_data: *const f32,
        labels: *const i32,
        targets: *const f32,
    }
    struct tsnn_dataset_info {
        struct_size: u32,
        ownership: i32,
        samples: i64,
        features: i64,
        classes: i64,
        target_size: i64,
        feature_data: *const f32,
        labels: *const i32,
        targets: *const f32,
    }
    fn tsnn_dataset_options_init(options: *mut tsnn_dataset_options) -> tsnn_status;
    fn tsnn_dataset_create(
        context: *mut tsnn_context,
        options: *const tsnn_dataset_options,
        out: *mut *mut tsnn_dataset,
    ) -> tsnn_status;
    fn tsnn_dataset_destroy(dataset: *mut *mut tsnn_dataset);
    fn tsnn_dataset_get_info(
        dataset: *const tsnn_dataset,
        info: *mut tsnn_dataset_info,
    ) -> tsnn_status;
    fn tsnn_standardizer_fit(
        context: *mut tsnn_context,
        dataset: *const tsnn_dataset,
        out: *mut *mut tsnn_standardizer,
    ) -> tsnn_status;
    fn tsnn_standardizer_create(
        context: *mut tsnn_context,
        features: i64,
        mean: *const f32,
        deviation: *const f32,
        out: *mut *mut tsnn_standardizer,
    ) -> tsnn_status;
    fn tsnn_standardizer_destroy(standardizer: *mut *mut tsnn_standardizer);
    fn tsnn_standardizer_get(
        standardizer: *const tsnn_standardizer,
        mean: *mut f32,
        deviation: *mut f32,
        capacity: i64,
        features: *mut i64,
    ) -> tsnn_status;
    fn tsnn_standardizer_apply(
        standardizer: *const tsnn_standardizer,
        input: *const f32,
        samples: i64,
        out: *mut f32,
    ) -> tsnn_status;
    fn tsnn_dataset_standardize(
        dataset: *mut tsnn_dataset,
        standardizer: *const tsnn_standardizer,
    ) -> tsnn_status;
}
