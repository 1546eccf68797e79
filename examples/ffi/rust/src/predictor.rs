//! Inference: a frozen, packed copy of a network that any number of threads share.

use std::mem::MaybeUninit;
use std::path::Path;
use std::ptr;

use crate::activation::Custom;
use crate::context::{error_of, Users};
use crate::handle::{c_path, expect, long, rows, size, Handle};
use crate::{callback, sys, Activation, Context, Error, LoadOptions, Network, Result, Status};

/// What a predictor is packed for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[repr(i32)]
pub enum Pack {
    /// Fast on single samples and on batches.
    #[default]
    All = sys::TSNN_PACK_ALL,
    /// Fast on single samples.
    Single = sys::TSNN_PACK_SINGLE,
    /// Fast on batches.
    Batch = sys::TSNN_PACK_BATCH,
}

/// Options of [`Predictor::new`].
#[derive(Clone, Copy, Debug, Default)]
pub struct PredictorOptions {
    /// What it is packed for.
    pub pack: Pack,
    /// Samples are mostly zero.
    pub skip_zeros: bool,
}

/// What a predictor is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct PredictorInfo {
    pub layers: usize,
    pub inputs: usize,
    pub outputs: usize,
    pub connections: usize,
    /// Memory of the packed layers.
    pub bytes: usize,
}

/// A frozen copy of a network, packed for inference. It needs neither network nor context any more.
///
/// ```
/// use sparse_nn::{Context, MlpOptions, Network, Predictor};
/// # fn main() -> sparse_nn::Result<()> {
/// let predictor = {
///     let context = Context::new(&Default::default())?;
///     let network = Network::mlp(&context, &MlpOptions { sizes: &[4, 10, 3], ..Default::default() })?;
///     Predictor::new(&network, &Default::default())?
/// };
/// std::thread::scope(|scope| {
///     for _ in 0..4 {
///         scope.spawn(|| -> sparse_nn::Result<()> {
///             let mut probabilities = [0.0; 3];
///             predictor.workspace(1)?.predict(&[0.5; 4], &mut probabilities)
///         });
///     }
/// });
/// # Ok(())
/// # }
/// ```
pub struct Predictor {
    handle: Handle<'static, sys::tsnn_predictor>,
    info: PredictorInfo,
    // After the handle, which calls them.
    customs: Vec<Custom>,
    users: Users,
}

// SAFETY: the header's rule: a predictor never changes, and any number of threads may use it at once, each with a
// workspace of its own. It does not touch the context; closures and memory are Send and Sync.
unsafe impl Send for Predictor {}
unsafe impl Sync for Predictor {}

impl Predictor {
    /// Packs a network as it is now.
    pub fn new(network: &Network<'_>, options: &PredictorOptions) -> Result<Self> {
        let given = sys::tsnn_predictor_options {
            pack: options.pack as i32,
            skip_zeros: i32::from(options.skip_zeros),
            ..Default::default()
        };
        let context = network.context();
        Self::create(context, network.customs().to_vec(), |out| {
            // SAFETY: context and network live during the call. What is needed after it is kept.
            unsafe { sys::tsnn_predictor_create(context.raw(), network.raw(), &given, out) }
        })
    }

    /// Packs the network of a model file, which is not trusted, without making the network.
    pub fn load(
        context: &Context,
        path: impl AsRef<Path>,
        load: &LoadOptions<'_, '_>,
        options: &PredictorOptions,
    ) -> Result<Self> {
        let path = c_path(path.as_ref())?;
        let (given, customs) = load_options(load, options)?;
        Self::create(context, customs, |out| {
            // SAFETY: all live; copied, so that the file may change afterwards.
            unsafe { sys::tsnn_predictor_load(context.raw(), path.as_ptr(), &given, out) }
        })
    }

    /// The same from memory.
    pub fn from_bytes(
        context: &Context,
        block: &[u8],
        load: &LoadOptions<'_, '_>,
        options: &PredictorOptions,
    ) -> Result<Self> {
        let (given, customs) = load_options(load, options)?;
        let (data, length) = (block.as_ptr().cast(), long(block.len()));
        Self::create(context, customs, |out| {
            // SAFETY: a block of that length, which is copied.
            unsafe { sys::tsnn_predictor_load_memory(context.raw(), data, length, &given, out) }
        })
    }

    fn create(
        context: &Context,
        customs: Vec<Custom>,
        make: impl FnOnce(*mut *mut sys::tsnn_predictor) -> i32,
    ) -> Result<Self> {
        let mut raw = ptr::null_mut();
        let status = make(&mut raw);
        let handle = Handle::new(raw, sys::tsnn_predictor_destroy);
        context.done(status)?;
        let handle = handle.ok_or_else(|| Error::new(Status::NullArgument, "the library made nothing"))?;
        let info = info_of(handle.raw());
        Ok(Predictor { handle, info, customs, users: context.users() })
    }

    /// For an object that takes the predictor over: the predictor, and all that it calls.
    pub(crate) fn into_parts(mut self) -> (Handle<'static, sys::tsnn_predictor>, Vec<Custom>) {
        self.customs.extend(self.users.into_customs());
        (self.handle, self.customs)
    }

    /// What the predictor is.
    pub fn info(&self) -> &PredictorInfo {
        &self.info
    }

    /// Bytes that a workspace takes.
    pub fn workspace_bytes(&self, batch: usize) -> Result<usize> {
        let mut bytes = 0;
        // SAFETY: safe from any thread.
        plain(unsafe { sys::tsnn_predictor_workspace_size(self.raw(), long(batch), &mut bytes) })?;
        Ok(size(bytes))
    }

    /// The memory of one thread that predicts `batch` samples at once; calls with more samples are cut into parts.
    pub fn workspace(&self, batch: usize) -> Result<Workspace<'_>> {
        let mut raw = ptr::null_mut();
        // SAFETY: safe from any thread; the predictor is borrowed by the workspace.
        plain(unsafe { sys::tsnn_predictor_workspace_create(self.raw(), long(batch), &mut raw) })?;
        self.own(raw)
    }

    /// The same in memory of your own, of [`Predictor::workspace_bytes`] or more.
    pub fn workspace_in<'p>(&'p self, batch: usize, memory: &'p mut [MaybeUninit<u8>]) -> Result<Workspace<'p>> {
        let mut raw = ptr::null_mut();
        let (block, bytes) = (memory.as_mut_ptr().cast(), long(memory.len()));
        // SAFETY: the workspace borrows predictor and memory.
        plain(unsafe { sys::tsnn_predictor_workspace_init(self.raw(), long(batch), block, bytes, &mut raw) })?;
        self.own(raw)
    }

    fn own(&self, raw: *mut sys::tsnn_predictor_workspace) -> Result<Workspace<'_>> {
        let handle = Handle::new(raw, sys::tsnn_predictor_workspace_destroy)
            .ok_or_else(|| Error::new(Status::NullArgument, "the library made nothing"))?;
        Ok(Workspace { handle, predictor: self })
    }

    fn raw(&self) -> *const sys::tsnn_predictor {
        self.handle.raw()
    }
}

fn info_of(predictor: *const sys::tsnn_predictor) -> PredictorInfo {
    let mut info = sys::tsnn_predictor_info::default();
    // SAFETY: the predictor lives; the call cannot fail.
    unsafe { sys::tsnn_predictor_get_info(predictor, &mut info) };
    PredictorInfo {
        layers: size(info.layers),
        inputs: size(info.inputs),
        outputs: size(info.outputs),
        connections: size(info.connections),
        bytes: size(info.bytes),
    }
}

fn load_options(
    load: &LoadOptions<'_, '_>,
    options: &PredictorOptions,
) -> Result<(sys::tsnn_predictor_load_options, Vec<Custom>)> {
    let mut customs = Vec::new();
    if let Some(custom) = load.custom {
        custom.keep_in(&mut customs)?;
    }
    let given = sys::tsnn_predictor_load_options {
        ownership: sys::TSNN_COPY,
        pack: options.pack as i32,
        skip_zeros: i32::from(options.skip_zeros),
        max_bytes: long(load.max_bytes),
        custom: load.custom.map_or(ptr::null(), Activation::raw),
        ..Default::default()
    };
    Ok((given, customs))
}

/// The result of a call that leaves no text anywhere.
pub(crate) fn plain(status: i32) -> Result<()> {
    if status < 0 {
        return Err(Error::new(status.into(), Status::from(status).to_string()));
    }
    Ok(())
}

/// Samples to predict.
#[derive(Clone, Copy, Debug)]
pub enum Samples<'s> {
    /// Rows of features.
    Dense(&'s [f32]),
    /// Only the numbers other than 0.
    Sparse {
        /// Samples + 1 offsets into the other two.
        sample_ptr: &'s [i64],
        /// Features, rising strictly within a sample.
        index: &'s [i32],
        /// Their values.
        value: &'s [f32],
    },
}

impl Samples<'_> {
    /// As C has them.
    pub(crate) fn given(&self, inputs: usize) -> Result<sys::tsnn_samples> {
        let mut given = sys::tsnn_samples::default();
        match *self {
            Samples::Dense(features) => {
                given.count = rows(features.len(), inputs, "features").map(long)?;
                given.features = features.as_ptr();
            }
            Samples::Sparse { sample_ptr, index, value } => {
                expect(value.len(), Some(index.len()), "values")?;
                given.count = long(sample_ptr.len()) - 1;
                given.sample_ptr = sample_ptr.as_ptr();
                given.index = index.as_ptr();
                given.value = value.as_ptr();
                given.capacity = long(index.len());
            }
        }
        Ok(given)
    }
}

/// Form of outputs and scores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[repr(i32)]
pub enum OutputForm {
    /// Through the last activation: probabilities, where that is softmax.
    #[default]
    Activated = sys::TSNN_OUTPUT_ACTIVATED,
    /// The sums of the last layer.
    Raw = sys::TSNN_OUTPUT_RAW,
}

/// Which answers are wanted.
#[derive(Debug, Default)]
pub struct Answers<'s> {
    /// Of outputs and scores.
    pub form: OutputForm,
    /// A row for each sample.
    pub outputs: Option<&'s mut [f32]>,
    /// max(top, 1) classes for each sample, best first.
    pub labels: Option<&'s mut [i32]>,
    /// The outputs of these classes.
    pub scores: Option<&'s mut [f32]>,
    /// How many classes; 0: the one.
    pub top: usize,
}

impl Answers<'_> {
    /// As C has them: where each goes, while this is borrowed.
    pub(crate) fn wanted(self) -> sys::tsnn_answers {
        let mut wanted = sys::tsnn_answers { form: self.form as i32, top: long(self.top), ..Default::default() };
        (wanted.outputs, wanted.outputs_capacity) = room(self.outputs);
        (wanted.labels, wanted.labels_capacity) = room(self.labels);
        (wanted.scores, wanted.scores_capacity) = room(self.scores);
        wanted
    }
}

/// The memory of one thread that predicts. Nothing is allocated while it does.
///
/// It may move to another thread, but only one uses it; it does not outlive its predictor:
///
/// ```compile_fail
/// # use sparse_nn::{Context, MlpOptions, Network, Predictor};
/// # let context = Context::new(&Default::default()).unwrap();
/// # let network = Network::mlp(&context, &MlpOptions { sizes: &[4, 3], ..Default::default() }).unwrap();
/// let predictor = Predictor::new(&network, &Default::default()).unwrap();
/// let workspace = predictor.workspace(1).unwrap();
/// drop(predictor);
/// drop(workspace);
/// ```
pub struct Workspace<'p> {
    handle: Handle<'p, sys::tsnn_predictor_workspace>,
    predictor: &'p Predictor,
}

// SAFETY: the header's rule: used by no other thread at the same time, which &mut self sees to. Its memory comes from
// where any thread may give it back, and the predictor is Sync.
unsafe impl Send for Workspace<'_> {}

impl Workspace<'_> {
    /// The outputs for rows of features.
    pub fn predict(&mut self, features: &[f32], outputs: &mut [f32]) -> Result<()> {
        let samples = self.samples_of(features)?;
        let (array, capacity) = (outputs.as_mut_ptr(), long(outputs.len()));
        let (predictor, workspace) = (self.predictor.raw(), self.handle.raw());
        // SAFETY: arrays of these sizes, and the workspace is ours alone.
        self.check(unsafe {
            sys::tsnn_predictor_predict(predictor, workspace, features.as_ptr(), samples, array, capacity)
        })
    }

    /// The class of each row of features.
    pub fn classify(&mut self, features: &[f32], labels: &mut [i32]) -> Result<()> {
        let samples = self.samples_of(features)?;
        let (array, capacity) = (labels.as_mut_ptr(), long(labels.len()));
        let (predictor, workspace) = (self.predictor.raw(), self.handle.raw());
        // SAFETY: the same.
        self.check(unsafe {
            sys::tsnn_predictor_classify(predictor, workspace, features.as_ptr(), samples, array, capacity)
        })
    }

    /// Predicts samples of any form, and answers in any form.
    pub fn run(&mut self, samples: Samples<'_>, answers: Answers<'_>) -> Result<()> {
        let given = samples.given(self.predictor.info.inputs)?;
        let wanted = answers.wanted();
        let (predictor, workspace) = (self.predictor.raw(), self.handle.raw());
        // SAFETY: arrays of these sizes, which being borrowed alone do not overlap; offsets are checked there.
        self.check(unsafe { sys::tsnn_predictor_run(predictor, workspace, &given, &wanted) })
    }

    fn samples_of(&self, features: &[f32]) -> Result<i64> {
        rows(features.len(), self.predictor.info.inputs, "features").map(long)
    }

    fn check(&self, status: i32) -> Result<()> {
        callback::go_on();
        if status >= 0 {
            return Ok(());
        }
        // SAFETY: the text is cut to the buffer.
        Err(error_of(status, |buffer, capacity, code| unsafe {
            sys::tsnn_predictor_workspace_error(self.handle.raw(), buffer, capacity, code)
        }))
    }
}

/// Where an answer goes, and how much fits.
fn room<T>(array: Option<&mut [T]>) -> (*mut T, i64) {
    array.map_or((ptr::null_mut(), 0), |array| (array.as_mut_ptr(), long(array.len())))
}
