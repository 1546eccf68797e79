//! Standardisation of features, `(x - mean) / deviation`.

use crate::handle::{expect, long, rows, size, Handle};
use crate::{sys, Context, Dataset, Result};

/// Per-feature standardisation. Apply it in one of two places: to a network, which then takes raw features, or to data
/// sets.
pub struct Standardizer<'c> {
    handle: Handle<'c, sys::tsnn_standardizer>,
    context: &'c Context,
}

impl<'c> Standardizer<'c> {
    /// Fits mean and deviation of each feature of a training set.
    pub fn fit(context: &'c Context, dataset: &Dataset<'_>) -> Result<Self> {
        let handle = context.own(sys::tsnn_standardizer_destroy, |out| {
            // SAFETY: both live.
            unsafe { sys::tsnn_standardizer_fit(context.raw(), dataset.raw(), out) }
        })?;
        Ok(Standardizer { handle, context })
    }

    /// Takes known numbers, one of each a feature.
    pub fn new(context: &'c Context, mean: &[f32], deviation: &[f32]) -> Result<Self> {
        expect(deviation.len(), Some(mean.len()), "deviations")?;
        let handle = context.own(sys::tsnn_standardizer_destroy, |out| {
            let features = long(mean.len());
            // SAFETY: two arrays of that many numbers, which are copied.
            unsafe { sys::tsnn_standardizer_create(context.raw(), features, mean.as_ptr(), deviation.as_ptr(), out) }
        })?;
        Ok(Standardizer { handle, context })
    }

    /// Mean and deviation of each feature.
    pub fn numbers(&self) -> (Vec<f32>, Vec<f32>) {
        let features = self.features();
        let (mut mean, mut deviation) = (vec![0.0; features], vec![0.0; features]);
        // SAFETY: two arrays of as many numbers as there are.
        unsafe {
            let (mean, deviation) = (mean.as_mut_ptr(), deviation.as_mut_ptr());
            sys::tsnn_standardizer_get(self.raw(), mean, deviation, long(features), std::ptr::null_mut())
        };
        (mean, deviation)
    }

    /// Standardises rows of features in place.
    pub fn apply(&self, features: &mut [f32]) -> Result<()> {
        let samples = long(rows(features.len(), self.features(), "features")?);
        let array = features.as_mut_ptr();
        // SAFETY: that many rows; the result may be the input.
        self.context.done(unsafe { sys::tsnn_standardizer_apply(self.raw(), array, samples, array) })
    }

    pub(crate) fn raw(&self) -> *const sys::tsnn_standardizer {
        self.handle.raw()
    }

    fn features(&self) -> usize {
        let mut features = 0;
        let none = std::ptr::null_mut();
        // SAFETY: only the number is wanted.
        unsafe { sys::tsnn_standardizer_get(self.raw(), none, none, 0, &mut features) };
        size(features)
    }
}
