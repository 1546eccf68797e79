//! How a gradient changes weights.

use crate::handle::Handle;
use crate::{sys, Context, Result};

/// Kinds of optimizer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[repr(i32)]
#[allow(missing_docs)]
pub enum OptimizerKind {
    #[default]
    Sgd = sys::TSNN_OPTIMIZER_SGD,
    Momentum = sys::TSNN_OPTIMIZER_MOMENTUM,
    Nesterov = sys::TSNN_OPTIMIZER_NESTEROV,
}

/// Kinds of weight decay.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[repr(i32)]
pub enum Decay {
    /// Per step, not scaled by the learning rate.
    #[default]
    Decoupled = sys::TSNN_DECAY_DECOUPLED,
    /// Part of the gradient.
    L2 = sys::TSNN_DECAY_L2,
}

/// Options of [`Optimizer::new`].
#[derive(Clone, Copy, Debug, Default)]
pub struct OptimizerOptions {
    /// Which optimizer.
    pub kind: OptimizerKind,
    /// Default .01.
    pub learning_rate: f64,
    /// For momentum and Nesterov; default .9.
    pub momentum: f64,
    /// In [0, 1).
    pub weight_decay: f64,
    /// Which decay.
    pub decay: Decay,
}

/// An optimizer: its rule and numbers. The momentum itself lives in the layers.
pub struct Optimizer<'c> {
    handle: Handle<'c, sys::tsnn_optimizer>,
}

impl<'c> Optimizer<'c> {
    /// Creates an optimizer.
    pub fn new(context: &'c Context, options: &OptimizerOptions) -> Result<Self> {
        let given = sys::tsnn_optimizer_options {
            kind: options.kind as i32,
            learning_rate: options.learning_rate,
            momentum: options.momentum,
            weight_decay: options.weight_decay,
            decay: options.decay as i32,
            ..Default::default()
        };
        let handle = context.own(sys::tsnn_optimizer_destroy, |out| {
            // SAFETY: the context lives.
            unsafe { sys::tsnn_optimizer_create(context.raw(), &given, out) }
        })?;
        Ok(Optimizer { handle })
    }

    pub(crate) fn raw(&self) -> *const sys::tsnn_optimizer {
        self.handle.raw()
    }
}
