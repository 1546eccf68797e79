//! Training, and the closures that watch it.

use std::fmt::Display;
use std::ops::Deref;
use std::os::raw::c_void;
use std::path::Path;
use std::ptr;

use crate::handle::{long, size, Handle, Pinned};
use crate::{callback, model_file, sys, Dataset, Evolution, Loss, Network, Optimizer, Pruning, PruningReport, Result};
use crate::{SaveOptions, Schedule, Status};

/// The order of samples.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[repr(i32)]
pub enum Order {
    /// Anew each epoch, every sample once.
    #[default]
    Shuffled = sys::TSNN_SHUFFLE,
    /// As they are.
    InOrder = sys::TSNN_IN_ORDER,
}

/// Options of [`Trainer::new`].
#[derive(Default)]
pub struct TrainerOptions<'t, 'c> {
    /// The order of samples.
    pub order: Order,
    /// After every epoch but the last; `None`: the topology stays.
    pub evolution: Option<&'t Evolution<'t>>,
    /// On its own schedule; `None`: no pruning.
    pub pruning: Option<&'t mut Pruning<'c>>,
    /// Of the learning rate.
    pub schedule: Schedule,
    /// Default 10.
    pub epochs: usize,
    /// Samples a step; default 128.
    pub batch: usize,
    /// Samples at once; default: the batch.
    pub micro_batch: usize,
    /// Largest norm of the whole gradient; 0: no clipping.
    pub clip_norm: f64,
}

/// Loss and accuracy.
#[derive(Clone, Copy, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Score {
    pub loss: f64,
    pub accuracy: f64,
}

/// What a step callback is told.
#[derive(Clone, Debug, PartialEq)]
pub struct StepReport {
    /// From 1.
    pub epoch: usize,
    /// Of this epoch, from 1.
    pub step: usize,
    /// Of an epoch.
    pub steps: usize,
    /// Of this step.
    pub samples: usize,
    /// Mean loss of the step's samples, before its update.
    pub loss: f64,
    /// Of this step.
    pub learning_rate: f64,
    /// Before clipping; 0 when clipping is off.
    pub gradient_norm: f64,
}

/// What an epoch callback is told.
#[derive(Clone, Debug, PartialEq)]
pub struct EpochReport {
    /// From 1.
    pub epoch: usize,
    /// In all.
    pub epochs: usize,
    /// Trained on in this epoch.
    pub samples: usize,
    /// Means over the epoch, as it went.
    pub train: Score,
    /// After the epoch's last step, before evolution and pruning; `None` without a validation set.
    pub validation: Option<Score>,
    /// Of the last step.
    pub learning_rate: f64,
    /// Steps, evolution and pruning; not validation.
    pub train_seconds: f64,
    /// Of these, evolution and pruning.
    pub evolution_seconds: f64,
    /// Validation.
    pub validation_seconds: f64,
    /// Connections that evolution replaced after this epoch.
    pub replaced: usize,
    /// Neurons that pruning removed after this epoch.
    pub pruned: usize,
    /// Connections after all that.
    pub connections: usize,
    /// Neurons after all that, without the inputs.
    pub neurons: usize,
}

/// What a callback answers. `()` is `Continue`, and an error is `Fail`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// Stop after this step or epoch; what was learned is kept.
    Stop,
    /// Stop with an error of this text and the status `Callback`.
    Fail(String),
}

impl From<()> for Flow {
    fn from(_: ()) -> Self {
        Flow::Continue
    }
}

impl<R: Into<Flow>, E: Display> From<std::result::Result<R, E>> for Flow {
    fn from(result: std::result::Result<R, E>) -> Self {
        result.map_or_else(|error| Flow::Fail(error.to_string()), Into::into)
    }
}

/// What a callback sees: the report, which it reads like fields of this, and the training as it stands.
pub struct Progress<'a, R> {
    report: R,
    network: &'a Network<'a>,
    trainer: *const sys::tsnn_trainer,
}

/// What an epoch callback sees.
pub type Epoch<'a> = Progress<'a, EpochReport>;
/// What a step callback sees.
pub type Step<'a> = Progress<'a, StepReport>;

impl<R> Deref for Progress<'_, R> {
    type Target = R;

    fn deref(&self) -> &R {
        &self.report
    }
}

impl<'a, R> Progress<'a, R> {
    /// The network, which may be read, copied and saved.
    pub fn network(&self) -> &'a Network<'a> {
        self.network
    }

    /// Saves a file from which [`Trainer::resume`] goes on at this place.
    pub fn save(&self, path: impl AsRef<Path>, options: &SaveOptions<'_>) -> Result<()> {
        // SAFETY: the trainer is the one that runs.
        unsafe { model_file::save_trainer(self.network.context(), self.trainer, path.as_ref(), options) }
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All epochs are done.
    Finished,
    /// A callback asked to stop; a further run goes on where it was left.
    Stopped,
}

type OnStep<'t> = Box<dyn FnMut(&Step<'_>) -> Flow + 't>;
type OnEpoch<'t> = Box<dyn FnMut(&Epoch<'_>) -> Flow + 't>;

/// What the C callbacks find behind their `user`.
#[derive(Default)]
struct Watch<'t> {
    on_step: Option<OnStep<'t>>,
    on_epoch: Option<OnEpoch<'t>>,
    failure: Option<String>,
    /// The trainer and its network, set while it runs.
    running: Option<(*const sys::tsnn_trainer, *const Network<'t>)>,
}

/// A trainer of one network, which it borrows alone: [`Trainer::network`] lends it for reading.
pub struct Trainer<'t, 'c> {
    handle: Handle<'t, sys::tsnn_trainer>,
    network: &'t mut Network<'c>,
    // After the handle, which knows its address.
    watch: Pinned<Watch<'t>>,
}

impl<'t, 'c> Trainer<'t, 'c> {
    /// Creates a trainer.
    pub fn new(
        network: &'t mut Network<'c>,
        loss: &'t Loss<'_>,
        optimizer: &'t Optimizer<'_>,
        options: TrainerOptions<'t, '_>,
    ) -> Result<Self> {
        let watch = Pinned::new(Watch::default());
        let schedule = sys::tsnn_schedule_options::from(&options.schedule);
        let given = sys::tsnn_trainer_options {
            order: options.order as i32,
            network: network.raw(),
            loss: loss.raw(),
            optimizer: optimizer.raw(),
            evolution: options.evolution.map_or(ptr::null(), Evolution::raw),
            pruning: options.pruning.map_or(ptr::null_mut(), |pruning| pruning.raw()),
            schedule: &schedule,
            epochs: long(options.epochs),
            batch: long(options.batch),
            micro_batch: long(options.micro_batch),
            clip_norm: options.clip_norm,
            on_step: Some(relay_step),
            on_epoch: Some(relay_epoch),
            user: watch.raw().cast::<c_void>(),
            ..Default::default()
        };
        let context = network.context();
        let handle = context.own(sys::tsnn_trainer_destroy, |out| {
            // SAFETY: everything is borrowed for 't, which outlives the trainer.
            unsafe { sys::tsnn_trainer_create(context.raw(), &given, out) }
        })?;
        Ok(Trainer { handle, network, watch })
    }

    /// Calls a closure after each step. It may answer nothing, a [`Flow`], or a `Result`.
    pub fn on_step<R: Into<Flow>>(&mut self, mut closure: impl FnMut(&Step<'_>) -> R + 't) {
        self.watch().on_step = Some(Box::new(move |step| closure(step).into()));
    }

    /// Calls a closure after each epoch, as [`Trainer::on_step`].
    pub fn on_epoch<R: Into<Flow>>(&mut self, mut closure: impl FnMut(&Epoch<'_>) -> R + 't) {
        self.watch().on_epoch = Some(Box::new(move |epoch| closure(epoch).into()));
    }

    /// Trains for the epochs that are left; the validation set is scored after each.
    pub fn run(&mut self, train: &Dataset<'_>, validation: Option<&Dataset<'_>>) -> Result<Outcome> {
        let (trainer, network) = (self.raw(), ptr::addr_of!(*self.network).cast::<Network<'t>>());
        self.watch().running = Some((trainer, network));
        let validation = validation.map_or(ptr::null(), Dataset::raw);
        // SAFETY: all live, and nobody else uses the trainer or its network, but for what callbacks read.
        let status = unsafe { sys::tsnn_trainer_run(trainer, train.raw(), validation) };
        let watch = self.watch();
        watch.running = None;
        let failure = watch.failure.take();
        match self.network.context().check(status) {
            Ok(sys::TSNN_STOPPED) => Ok(Outcome::Stopped),
            Ok(_) => Ok(Outcome::Finished),
            Err(mut error) => {
                if let (Status::Callback, Some(text)) = (error.status, failure) {
                    error.message = text;
                }
                Err(error)
            }
        }
    }

    /// One step on some samples of a data set, for a loop of your own: no evolution, no pruning, no callbacks. Gives the
    /// mean loss before the update.
    pub fn step(&mut self, dataset: &Dataset<'_>, samples: &[usize], rate_factor: f64) -> Result<f64> {
        let samples: Vec<i64> = samples.iter().map(|&sample| long(sample)).collect();
        let (array, count) = (samples.as_ptr(), long(samples.len()));
        let mut loss = 0.0;
        // SAFETY: all live; an array of that size.
        let status = unsafe { sys::tsnn_trainer_step(self.raw(), dataset.raw(), array, count, rate_factor, &mut loss) };
        self.network.context().done(status)?;
        Ok(loss)
    }

    /// [`Evolution::apply`] on the trainer's network, between steps.
    pub fn evolve(&mut self, evolution: &Evolution<'_>, round: usize) -> Result<usize> {
        evolution.apply(self.network, round)
    }

    /// [`Pruning::apply`] on the trainer's network, between steps.
    pub fn prune(&mut self, pruning: &mut Pruning<'_>) -> Result<PruningReport> {
        pruning.apply(self.network)
    }

    /// The network, for reading.
    pub fn network(&self) -> &Network<'c> {
        self.network
    }

    pub(crate) fn raw(&self) -> *mut sys::tsnn_trainer {
        self.handle.raw()
    }

    fn watch(&mut self) -> &mut Watch<'t> {
        // SAFETY: it is ours, and no callback runs while the trainer is borrowed here.
        unsafe { &mut *self.watch.raw() }
    }
}

/// Asks a closure and turns its answer into what C wants.
///
/// # Safety
/// `user` is the watch of the trainer that runs.
unsafe fn relay<'t, R>(
    user: *mut c_void,
    report: R,
    ask: impl FnOnce(&mut Watch<'t>, &Progress<'_, R>) -> Option<Flow>,
) -> i32 {
    callback::guard(-1, || {
        // SAFETY: the run has lent its watch to the callbacks, and its network for reading.
        let (watch, trainer, network) = unsafe {
            let watch = &mut *user.cast::<Watch<'t>>();
            match watch.running {
                Some((trainer, network)) => (watch, trainer, &*network),
                None => return -1,
            }
        };
        match ask(watch, &Progress { report, network, trainer }) {
            None | Some(Flow::Continue) => 0,
            Some(Flow::Stop) => 1,
            Some(Flow::Fail(text)) => {
                watch.failure = Some(text);
                -1
            }
        }
    })
}

unsafe extern "C" fn relay_step(user: *mut c_void, report: *const sys::tsnn_step_report) -> i32 {
    // SAFETY: as C says: our user, and a report that lives until this returns.
    unsafe {
        let report = StepReport::from(&report_of(report));
        relay(user, report, |watch, step| watch.on_step.as_mut().map(|closure| closure(step)))
    }
}

unsafe extern "C" fn relay_epoch(user: *mut c_void, report: *const sys::tsnn_epoch_report) -> i32 {
    // SAFETY: the same.
    unsafe {
        let report = EpochReport::from(&report_of(report));
        relay(user, report, |watch, epoch| watch.on_epoch.as_mut().map(|closure| closure(epoch)))
    }
}

/// A copy of a report; what an older library lacks is 0.
///
/// # Safety
/// `T` is a struct of the headers that begins with its size in the library.
unsafe fn report_of<T: Copy + Default>(report: *const T) -> T {
    let mut copy = T::default();
    unsafe {
        let bytes = (report.cast::<u32>().read() as usize).min(std::mem::size_of::<T>());
        ptr::copy_nonoverlapping(report.cast::<u8>(), ptr::addr_of_mut!(copy).cast::<u8>(), bytes);
    }
    copy
}

impl From<&sys::tsnn_step_report> for StepReport {
    fn from(report: &sys::tsnn_step_report) -> Self {
        StepReport {
            epoch: size(report.epoch),
            step: size(report.step),
            steps: size(report.steps),
            samples: size(report.samples),
            loss: report.loss,
            learning_rate: report.learning_rate,
            gradient_norm: report.gradient_norm,
        }
    }
}

impl From<&sys::tsnn_epoch_report> for EpochReport {
    fn from(report: &sys::tsnn_epoch_report) -> Self {
        let validation = Score { loss: report.validation_loss, accuracy: report.validation_accuracy };
        EpochReport {
            epoch: size(report.epoch),
            epochs: size(report.epochs),
            samples: size(report.samples),
            train: Score { loss: report.train_loss, accuracy: report.train_accuracy },
            validation: (report.has_validation != 0).then_some(validation),
            learning_rate: report.learning_rate,
            train_seconds: report.train_seconds,
            evolution_seconds: report.evolution_seconds,
            validation_seconds: report.validation_seconds,
            replaced: size(report.replaced),
            pruned: size(report.pruned),
            connections: size(report.connections),
            neurons: size(report.neurons),
        }
    }
}
