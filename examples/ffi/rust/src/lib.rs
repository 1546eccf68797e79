//! libtsnn, truly sparse neural networks, from Rust: a safe wrapper over the C interface, which [`sys`] declares.
//!
//! Objects, options and their defaults are those of the C headers: a zero in an options struct means the default.
//! Dropping an object frees it.
//!
//! **Threads.** The headers' rule is that a context and the objects made with it are used by one thread at a time, and
//! that different contexts are independent. So [`Context`] is `Send`, not `Sync`, and what borrows it stays on its thread:
//!
//! ```compile_fail
//! let context = sparse_nn::Context::new(&Default::default()).unwrap();
//! let loss = sparse_nn::Loss::new(&context, &Default::default()).unwrap();
//! std::thread::scope(|scope| { scope.spawn(|| drop(loss)); });
//! ```
//!
//! A [`Predictor`] never changes, as its header says: it is `Send` and `Sync`, and each thread predicts with a
//! [`Workspace`] of its own.
//!
//! **Closures.** A panic in a closure that the library calls is caught there, makes a running training stop, and goes on
//! in the call that the closure was called in.

#![warn(missing_docs)]
#![deny(unsafe_op_in_unsafe_fn)]

mod activation;
mod callback;
mod context;
mod dataset;
mod error;
mod evolution;
mod handle;
mod layer;
mod loss;
mod memory;
mod model_file;
mod network;
mod optimizer;
mod predictor;
mod pruning;
mod publisher;
mod schedule;
mod standardizer;
pub mod sys;
mod trainer;

pub use activation::{Activation, ActivationKind};
pub use context::{Context, ContextInfo, ContextOptions, Isa, LogLevel};
pub use dataset::Dataset;
pub use error::{Error, Result, Status};
pub use evolution::Evolution;
pub use layer::{Csr, Fan, Init, Layer, LayerInfo, LayerMut, LayerOptions, LayerRef, Sampling};
pub use loss::{Loss, LossKind, LossOptions};
pub use memory::Memory;
pub use model_file::{metadata, LoadOptions, SaveOptions};
pub use network::{ActivationFormat, Evaluation, MlpOptions, Network, NetworkInfo};
pub use optimizer::{Decay, Optimizer, OptimizerKind, OptimizerOptions};
pub use predictor::{Answers, OutputForm, Pack, Predictor, PredictorInfo, PredictorOptions, Samples, Workspace};
pub use pruning::{Pruning, PruningOptions, PruningReport};
pub use publisher::{Publisher, PublisherInfo, PublisherOptions, Subscriber, Subscribers};
pub use schedule::{Schedule, ScheduleKind};
pub use standardizer::Standardizer;
pub use trainer::{
    Epoch, EpochReport, Flow, Order, Outcome, Progress, Score, Step, StepReport, Trainer, TrainerOptions,
};

/// The version of the library that is linked, as "major.minor.patch".
pub fn version() -> &'static str {
    // SAFETY: a static text.
    unsafe { handle::text(sys::tsnn_version_string()) }
}

/// The program in the README, which has to compile and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
