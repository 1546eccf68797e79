//! The tests of examples/ffi/rust. A test's name is what it claims.

mod bits;
mod callbacks;
mod course;
mod errors;
mod files;
mod headers;
mod memory;
mod objects;
mod predictors;
