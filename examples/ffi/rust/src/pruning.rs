//! Importance pruning: removes hidden neurons that hardly anything flows into.

use std::ptr;

use crate::handle::{long, size, Handle};
use crate::{sys, Context, Network, Result};

/// Options of [`Pruning::new`].
#[derive(Clone, Copy, Debug, Default)]
pub struct PruningOptions {
    /// Add what a removed neuron outputs by its bias alone to the next layer's biases.
    pub fold_biases: bool,
    /// In (0, 100); default 20, unless `threshold` is set.
    pub percentile: f64,
    /// An importance instead of a percentile.
    pub threshold: f64,
    /// In training: after this many epochs the first time; default 200.
    pub first_epoch: usize,
    /// In training: and then after every so many more; default 10.
    pub every_epochs: usize,
}

/// What [`Pruning::apply`] did: neurons without the inputs, connections of all layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct PruningReport {
    pub neurons_before: usize,
    pub neurons_after: usize,
    pub connections_before: usize,
    pub connections_after: usize,
}

/// A pruning rule, and the maps of its last application.
pub struct Pruning<'c> {
    handle: Handle<'c, sys::tsnn_pruning>,
    context: &'c Context,
}

impl<'c> Pruning<'c> {
    /// Creates a pruning rule.
    pub fn new(context: &'c Context, options: &PruningOptions) -> Result<Self> {
        let given = sys::tsnn_pruning_options {
            fold: if options.fold_biases { sys::TSNN_FOLD_BIASES } else { sys::TSNN_FOLD_NONE },
            percentile: options.percentile,
            threshold: options.threshold,
            first_epoch: long(options.first_epoch),
            every_epochs: long(options.every_epochs),
            ..Default::default()
        };
        let handle = context.own(sys::tsnn_pruning_destroy, |out| {
            // SAFETY: the context lives.
            unsafe { sys::tsnn_pruning_create(context.raw(), &given, out) }
        })?;
        Ok(Pruning { handle, context })
    }

    /// Prunes every hidden layer of a network.
    pub fn apply(&mut self, network: &mut Network<'_>) -> Result<PruningReport> {
        let mut report = sys::tsnn_pruning_report::default();
        // SAFETY: both live, and nobody else uses them.
        self.context.done(unsafe { sys::tsnn_pruning_apply(self.raw(), network.raw(), &mut report) })?;
        Ok(PruningReport {
            neurons_before: size(report.neurons_before),
            neurons_after: size(report.neurons_after),
            connections_before: size(report.connections_before),
            connections_after: size(report.connections_after),
        })
    }

    /// Where each neuron of a layer went in the last application; `None`: it was removed. Layer 0 is the first hidden
    /// one.
    pub fn map(&self, layer: usize) -> Result<Vec<Option<usize>>> {
        let mut count = 0;
        // SAFETY: only the number is wanted.
        self.context
            .done(unsafe { sys::tsnn_pruning_get_map(self.raw(), long(layer), ptr::null_mut(), 0, &mut count) })?;
        let mut map = vec![0i32; size(count)];
        // SAFETY: an array of that many numbers.
        self.context
            .done(unsafe { sys::tsnn_pruning_get_map(self.raw(), long(layer), map.as_mut_ptr(), count, &mut count) })?;
        Ok(map.into_iter().map(|place| usize::try_from(place).ok()).collect())
    }

    pub(crate) fn raw(&self) -> *mut sys::tsnn_pruning {
        self.handle.raw()
    }
}
