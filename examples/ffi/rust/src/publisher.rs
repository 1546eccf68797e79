//! Snapshots: one thread publishes predictors, and others pick them up while they serve, without a lock.

use std::cell::RefCell;
use std::ptr;
use std::sync::Arc;

use crate::activation::Custom;
use crate::context::error_of;
use crate::handle::{long, rows, size, Handle};
use crate::predictor::plain;
use crate::{callback, sys, Answers, Context, Network, Predictor, Result, Samples};

/// Options of [`Publisher::new`].
#[derive(Clone, Copy, Debug, Default)]
pub struct PublisherOptions {
    /// Most subscribers at a time; default 64.
    pub subscribers: i32,
    /// Neurons of the widest layer that a predictor may have; default: those of the first predictor.
    pub widest: usize,
}

/// What a publisher has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublisherInfo {
    /// Subscribers that are there now.
    pub subscribers: usize,
    /// Of the current predictor: 1, 2, 3, ...
    pub version: i64,
    /// Predictors in memory, the current one included.
    pub alive: usize,
}

/// The current predictor and those that are still in use.
///
/// It belongs to the thread of its context, where a trainer's callback publishes what it has learned so far; other
/// threads subscribe by [`Publisher::subscribers`].
pub struct Publisher<'c> {
    handle: Handle<'c, sys::tsnn_publisher>,
    context: &'c Context,
    inputs: usize,
    // After the handle: what the predictors call. Kept to the end, as nothing tells when a predictor is freed.
    customs: RefCell<Vec<Custom>>,
}

impl<'c> Publisher<'c> {
    /// Makes a publisher, with a predictor as its version 1.
    pub fn new(context: &'c Context, predictor: Predictor, options: &PublisherOptions) -> Result<Self> {
        let given = sys::tsnn_publisher_options {
            subscribers: options.subscribers,
            widest: long(options.widest),
            ..Default::default()
        };
        let inputs = predictor.info().inputs;
        let (predictor, customs) = predictor.into_parts();
        let mut raw = predictor.raw();
        let made = context.own(sys::tsnn_publisher_destroy, |out| {
            // SAFETY: all live; nobody else has the predictor, which was moved here.
            unsafe { sys::tsnn_publisher_create(context.raw(), &mut raw, &given, out) }
        });
        if raw.is_null() {
            predictor.release();
        }
        Ok(Publisher { handle: made?, context, inputs, customs: RefCell::new(customs) })
    }

    /// Publishes a predictor as the next version.
    pub fn publish(&self, predictor: Predictor) -> Result<()> {
        let (predictor, customs) = predictor.into_parts();
        self.keep(&customs);
        let mut raw = predictor.raw();
        // SAFETY: both live; nobody else has the predictor.
        let status = unsafe { sys::tsnn_publisher_publish(self.handle.raw(), &mut raw) };
        if raw.is_null() {
            predictor.release();
        }
        self.context.done(status)
    }

    /// Packs a network as it is now, as the current predictor is packed, and publishes it.
    pub fn publish_network(&self, network: &Network<'_>) -> Result<()> {
        self.keep(network.customs());
        // SAFETY: both live, and the network is borrowed.
        self.context.done(unsafe { sys::tsnn_publisher_publish_network(self.handle.raw(), network.raw()) })
    }

    /// What the publisher has.
    pub fn info(&self) -> PublisherInfo {
        let mut info = sys::tsnn_publisher_info::default();
        // SAFETY: the publisher lives; the call cannot fail.
        unsafe { sys::tsnn_publisher_get_info(self.handle.raw(), &mut info) };
        PublisherInfo {
            subscribers: usize::try_from(info.subscribers).unwrap_or(0),
            version: info.version,
            alive: size(info.alive),
        }
    }

    /// For the threads that serve.
    pub fn subscribers(&self) -> Subscribers<'_> {
        Subscribers { raw: self.handle.raw(), inputs: self.inputs, lent: std::marker::PhantomData }
    }

    fn keep(&self, customs: &[Custom]) {
        let mut kept = self.customs.borrow_mut();
        for custom in customs {
            if !kept.iter().any(|one| ptr::eq(Arc::as_ptr(one).cast::<u8>(), Arc::as_ptr(custom).cast::<u8>())) {
                kept.push(Arc::clone(custom));
            }
        }
    }
}

/// What other threads may do with a publisher: subscribe to it.
#[derive(Clone, Copy)]
pub struct Subscribers<'p> {
    raw: *mut sys::tsnn_publisher,
    inputs: usize,
    lent: std::marker::PhantomData<&'p ()>,
}

// SAFETY: the header's rule: subscribers are made on any threads at any time while the publisher lives.
unsafe impl Send for Subscribers<'_> {}
unsafe impl Sync for Subscribers<'_> {}

impl<'p> Subscribers<'p> {
    /// One thread's way to the current predictor; `batch` as in [`Predictor::workspace`].
    pub fn subscribe(&self, batch: usize) -> Result<Subscriber<'p>> {
        let mut raw = ptr::null_mut();
        // SAFETY: safe from any thread; the publisher is borrowed.
        plain(unsafe { sys::tsnn_subscriber_create(self.raw, long(batch), &mut raw) })?;
        let handle = Handle::new(raw, sys::tsnn_subscriber_destroy)
            .ok_or_else(|| crate::Error::new(crate::Status::NullArgument, "the library made nothing"))?;
        Ok(Subscriber { handle, inputs: self.inputs })
    }
}

/// One thread's way to the current predictor. Calls allocate nothing and never wait; each tells the version that
/// answered.
pub struct Subscriber<'p> {
    handle: Handle<'p, sys::tsnn_subscriber>,
    inputs: usize,
}

// SAFETY: the header's rule: used and destroyed on any thread, by one at a time.
unsafe impl Send for Subscriber<'_> {}

impl Subscriber<'_> {
    /// The outputs for rows of features.
    pub fn predict(&mut self, features: &[f32], outputs: &mut [f32]) -> Result<i64> {
        let (subscriber, samples) = (self.handle.raw(), rows(features.len(), self.inputs, "features").map(long)?);
        let (array, capacity, mut version) = (outputs.as_mut_ptr(), long(outputs.len()), 0);
        // SAFETY: arrays of these sizes.
        self.check(unsafe {
            let features = features.as_ptr();
            sys::tsnn_subscriber_predict(subscriber, features, samples, array, capacity, &mut version)
        })?;
        Ok(version)
    }

    /// The class of each row of features.
    pub fn classify(&mut self, features: &[f32], labels: &mut [i32]) -> Result<i64> {
        let (subscriber, samples) = (self.handle.raw(), rows(features.len(), self.inputs, "features").map(long)?);
        let (array, capacity, mut version) = (labels.as_mut_ptr(), long(labels.len()), 0);
        // SAFETY: the same.
        self.check(unsafe {
            let features = features.as_ptr();
            sys::tsnn_subscriber_classify(subscriber, features, samples, array, capacity, &mut version)
        })?;
        Ok(version)
    }

    /// Predicts samples of any form, and answers in any form.
    pub fn run(&mut self, samples: Samples<'_>, answers: Answers<'_>) -> Result<i64> {
        let (given, wanted, mut version) = (samples.given(self.inputs)?, answers.wanted(), 0);
        // SAFETY: arrays of these sizes, which being borrowed alone do not overlap; offsets are checked there.
        self.check(unsafe { sys::tsnn_subscriber_run(self.handle.raw(), &given, &wanted, &mut version) })?;
        Ok(version)
    }

    /// Keeps to the predictor that is current now, until [`Subscriber::release`], and tells its version.
    pub fn hold(&mut self) -> Result<i64> {
        let mut version = 0;
        // SAFETY: the subscriber is ours alone.
        self.check(unsafe { sys::tsnn_subscriber_hold(self.handle.raw(), &mut version) })?;
        Ok(version)
    }

    /// Ends [`Subscriber::hold`].
    pub fn release(&mut self) -> Result<()> {
        // SAFETY: the subscriber is ours alone.
        self.check(unsafe { sys::tsnn_subscriber_release(self.handle.raw()) })
    }

    fn check(&self, status: i32) -> Result<()> {
        callback::go_on();
        if status >= 0 {
            return Ok(());
        }
        // SAFETY: the text is cut to the buffer.
        Err(error_of(status, |buffer, capacity, code| unsafe {
            sys::tsnn_subscriber_error(self.handle.raw(), buffer, capacity, code)
        }))
    }
}
