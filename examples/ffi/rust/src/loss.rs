//! Loss functions. A loss is the mean over the samples.

use crate::handle::Handle;
use crate::{sys, Context, Result};

/// Kinds of loss.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[repr(i32)]
pub enum LossKind {
    /// For a last layer of softmax.
    #[default]
    CrossEntropy = sys::TSNN_LOSS_CROSS_ENTROPY,
    /// For any last layer.
    MeanSquaredError = sys::TSNN_LOSS_MEAN_SQUARED_ERROR,
    /// For a last layer of sigmoid.
    BinaryCrossEntropy = sys::TSNN_LOSS_BINARY_CROSS_ENTROPY,
}

/// Options of [`Loss::new`].
#[derive(Clone, Copy, Debug, Default)]
pub struct LossOptions {
    /// Which loss.
    pub kind: LossKind,
    /// Cross-entropy: in [0, 1), while training.
    pub label_smoothing: f64,
}

/// A loss function. Immutable.
pub struct Loss<'c> {
    handle: Handle<'c, sys::tsnn_loss>,
}

impl<'c> Loss<'c> {
    /// Creates a loss.
    pub fn new(context: &'c Context, options: &LossOptions) -> Result<Self> {
        let given = sys::tsnn_loss_options {
            kind: options.kind as i32,
            label_smoothing: options.label_smoothing,
            ..Default::default()
        };
        let handle = context.own(sys::tsnn_loss_destroy, |out| {
            // SAFETY: the context lives.
            unsafe { sys::tsnn_loss_create(context.raw(), &given, out) }
        })?;
        Ok(Loss { handle })
    }

    pub(crate) fn raw(&self) -> *const sys::tsnn_loss {
        self.handle.raw()
    }
}
