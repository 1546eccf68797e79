//! Samples with labels or targets.

use crate::handle::{long, size, Handle};
use crate::{sys, Context, Error, Result, Standardizer, Status};

/// A data set: dense row-major features with integer labels or float targets. `'a` is its context's life, and that of
/// the arrays where it borrows them.
pub struct Dataset<'a> {
    handle: Handle<'a, sys::tsnn_dataset>,
    context: &'a Context,
}

impl<'a> Dataset<'a> {
    /// Copies samples with labels in `[0, classes)`; `classes` 0: the largest label + 1. There are as many samples as
    /// labels, and `features` has a row for each.
    pub fn with_labels(context: &'a Context, features: &[f32], labels: &[i32], classes: usize) -> Result<Self> {
        // SAFETY: copied.
        unsafe { Self::of_labels(context, features, labels, classes, sys::TSNN_COPY) }
    }

    /// The same without a copy: the arrays are read in place.
    pub fn borrow_labels(context: &'a Context, features: &'a [f32], labels: &'a [i32], classes: usize) -> Result<Self> {
        // SAFETY: shared borrows for the life of the data set.
        unsafe { Self::of_labels(context, features, labels, classes, sys::TSNN_BORROW) }
    }

    /// Copies samples with targets: `samples` rows in both arrays.
    pub fn with_targets(context: &'a Context, samples: usize, features: &[f32], targets: &[f32]) -> Result<Self> {
        // SAFETY: copied.
        unsafe { Self::of_targets(context, samples, features, targets, sys::TSNN_COPY) }
    }

    /// The same without a copy: the arrays are read in place.
    pub fn borrow_targets(
        context: &'a Context,
        samples: usize,
        features: &'a [f32],
        targets: &'a [f32],
    ) -> Result<Self> {
        // SAFETY: shared borrows for the life of the data set.
        unsafe { Self::of_targets(context, samples, features, targets, sys::TSNN_BORROW) }
    }

    /// # Safety
    /// Where they are borrowed, the arrays outlive `'a`.
    unsafe fn of_labels(
        context: &'a Context,
        features: &[f32],
        labels: &[i32],
        classes: usize,
        ownership: i32,
    ) -> Result<Self> {
        let options = sys::tsnn_dataset_options {
            ownership,
            samples: long(labels.len()),
            features: columns(features, labels.len())?,
            classes: long(classes),
            feature_data: features.as_ptr(),
            labels: labels.as_ptr(),
            ..Default::default()
        };
        unsafe { Self::create(context, &options) }
    }

    /// # Safety
    /// As `of_labels()`.
    unsafe fn of_targets(
        context: &'a Context,
        samples: usize,
        features: &[f32],
        targets: &[f32],
        ownership: i32,
    ) -> Result<Self> {
        let options = sys::tsnn_dataset_options {
            ownership,
            samples: long(samples),
            features: columns(features, samples)?,
            target_size: columns(targets, samples)?,
            feature_data: features.as_ptr(),
            targets: targets.as_ptr(),
            ..Default::default()
        };
        unsafe { Self::create(context, &options) }
    }

    /// # Safety
    /// The arrays have the sizes that the options tell.
    unsafe fn create(context: &'a Context, options: &sys::tsnn_dataset_options) -> Result<Self> {
        let handle = context
            .own(sys::tsnn_dataset_destroy, |out| unsafe { sys::tsnn_dataset_create(context.raw(), options, out) })?;
        Ok(Dataset { handle, context })
    }

    /// How many samples there are.
    pub fn samples(&self) -> usize {
        size(self.info().samples)
    }

    /// Numbers a sample.
    pub fn features(&self) -> usize {
        size(self.info().features)
    }

    /// Classes of the labels; 0 without labels.
    pub fn classes(&self) -> usize {
        size(self.info().classes)
    }

    /// All features, sample by sample.
    pub fn feature_data(&self) -> &[f32] {
        // SAFETY: a view of that size, which stays while the data set is borrowed.
        unsafe { std::slice::from_raw_parts(self.info().feature_data, self.samples() * self.features()) }
    }

    /// Standardises the features in place. A data set that borrows its arrays refuses.
    pub fn standardize(&mut self, standardizer: &Standardizer<'_>) -> Result<()> {
        // SAFETY: both live.
        self.context.done(unsafe { sys::tsnn_dataset_standardize(self.handle.raw(), standardizer.raw()) })
    }

    pub(crate) fn raw(&self) -> *const sys::tsnn_dataset {
        self.handle.raw()
    }

    fn info(&self) -> sys::tsnn_dataset_info {
        let mut info = sys::tsnn_dataset_info::default();
        // SAFETY: the data set lives.
        unsafe { sys::tsnn_dataset_get_info(self.handle.raw(), &mut info) };
        info
    }
}

/// Numbers a sample of `samples` rows.
fn columns(array: &[f32], samples: usize) -> Result<i64> {
    if samples == 0 {
        return Err(Error::new(Status::InvalidArgument, "a data set without samples"));
    }
    if array.is_empty() || array.len() % samples != 0 {
        let text = format!("a data set of {samples} samples cannot have {} numbers", array.len());
        return Err(Error::new(Status::Shape, text));
    }
    Ok(long(array.len() / samples))
}
