//! `<tsnn/version.h>`.

use std::os::raw::c_char;

declare! {
    const TSNN_VERSION_MAJOR: i32 = 0;
    const TSNN_VERSION_MINOR: i32 = 1;
    const TSNN_VERSION_PATCH: i32 = 0;
    fn tsnn_version_string() -> *const c_char;
    fn tsnn_version_number() -> i32;
}
