//! A feed-forward network of sparse layers.

use std::os::raw::c_char;
use std::ptr;

use crate::activation::Custom;
use crate::handle::{long, rows, size, Handle};
use crate::{sys, Activation, Context, Dataset, Error, Fan, Init, Layer, LayerMut, LayerRef, Loss, Result, Sampling};
use crate::{Standardizer, Status};

/// Options of [`Network::mlp`].
#[derive(Default)]
pub struct MlpOptions<'o, 'c> {
    /// How topologies are drawn.
    pub sampling: Sampling,
    /// Neurons of the input, of each hidden layer and of the output. Required.
    pub sizes: &'o [usize],
    /// Connections of a layer = epsilon (inputs + outputs); default 20.
    pub epsilon: f64,
    /// Factor on the first weights; default 1.
    pub init_scale: f64,
    /// Where weights come from.
    pub init: Init,
    /// What fan-in means there.
    pub fan: Fan,
    /// Of hidden layers; default All-ReLU with alpha .6.
    pub hidden: Option<&'o Activation<'c>>,
    /// Of the last layer; default softmax.
    pub output: Option<&'o Activation<'c>>,
    /// Of hidden layers, in [0, 1).
    pub dropout: f64,
}

/// The size of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct NetworkInfo {
    pub layers: usize,
    pub inputs: usize,
    pub outputs: usize,
    /// Of all layers, without the inputs.
    pub neurons: usize,
    pub connections: usize,
    /// Memory of all layers.
    pub bytes: usize,
}

/// What [`Network::evaluate`] found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evaluation {
    /// Samples scored: all of them.
    pub samples: usize,
    /// Of these, classified right.
    pub correct: usize,
    /// Mean over the samples; 0 without a loss.
    pub loss: f64,
    /// correct / samples.
    pub accuracy: f64,
}

/// How inputs and hidden activations are kept while they are computed with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[repr(i32)]
pub enum ActivationFormat {
    /// As float.
    #[default]
    Float32 = sys::TSNN_ACTIVATIONS_FLOAT32,
    /// Rounded to the upper half of a float.
    Bf16 = sys::TSNN_ACTIVATIONS_BF16,
}

/// A network. It owns its layers.
pub struct Network<'c> {
    handle: Handle<'c, sys::tsnn_network>,
    context: &'c Context,
    // After the handle: freed once nothing calls them any more.
    customs: Vec<Custom>,
}

impl<'c> Network<'c> {
    /// Creates a network without layers.
    pub fn new(context: &'c Context) -> Result<Self> {
        // SAFETY: the context lives.
        Self::create(context, Vec::new(), |out| unsafe { sys::tsnn_network_create(context.raw(), out) })
    }

    /// Creates a multi-layer perceptron with random sparse layers.
    pub fn mlp(context: &'c Context, options: &MlpOptions<'_, '_>) -> Result<Self> {
        let sizes: Vec<i64> = options.sizes.iter().map(|&size| long(size)).collect();
        let mut customs = Vec::new();
        for activation in [options.hidden, options.output].into_iter().flatten() {
            activation.keep_in(&mut customs)?;
        }
        let given = sys::tsnn_mlp_options {
            sampling: options.sampling as i32,
            sizes: sizes.as_ptr(),
            size_count: long(sizes.len()),
            epsilon: options.epsilon,
            init_scale: options.init_scale,
            init: options.init as i32,
            fan: options.fan as i32,
            hidden: options.hidden.map_or(ptr::null(), Activation::raw),
            output: options.output.map_or(ptr::null(), Activation::raw),
            dropout: options.dropout,
            ..Default::default()
        };
        // SAFETY: the arrays and activations live as long as the call; closures are kept.
        Self::create(context, customs, |out| unsafe { sys::tsnn_network_create_mlp(context.raw(), &given, out) })
    }

    pub(crate) fn create(
        context: &'c Context,
        customs: Vec<Custom>,
        make: impl FnOnce(*mut *mut sys::tsnn_network) -> i32,
    ) -> Result<Self> {
        Ok(Network { handle: context.own(sys::tsnn_network_destroy, make)?, context, customs })
    }

    /// Appends a layer, whose inputs must be the outputs of the layer before. Without an activation: identity. `dropout`
    /// is the share of its outputs that are dropped while training.
    pub fn append(&mut self, layer: Layer<'c>, activation: Option<&Activation<'_>>, dropout: f64) -> Result<()> {
        let before = self.customs.len();
        if let Some(activation) = activation {
            activation.keep_in(&mut self.customs)?;
        }
        let handle = layer.into_handle();
        let mut raw = handle.raw();
        let rule = activation.map_or(ptr::null(), Activation::raw);
        // SAFETY: all live; on success the layer is the network's.
        let status = unsafe { sys::tsnn_network_append(self.raw(), &mut raw, rule, dropout) };
        if raw.is_null() {
            handle.release();
        } else {
            self.customs.truncate(before);
        }
        self.context.done(status)
    }

    /// An independent copy, with momentum and random streams.
    pub fn try_clone(&self) -> Result<Self> {
        // SAFETY: the network lives; the copy's closures are kept.
        Self::create(self.context, self.customs.clone(), |out| unsafe { sys::tsnn_network_copy(self.raw(), out) })
    }

    /// The size of the network.
    pub fn info(&self) -> NetworkInfo {
        let mut info = sys::tsnn_network_info::default();
        // SAFETY: the network lives; the call cannot fail.
        unsafe { sys::tsnn_network_get_info(self.raw(), &mut info) };
        NetworkInfo {
            layers: size(info.layers),
            inputs: size(info.inputs),
            outputs: size(info.outputs),
            neurons: size(info.neurons),
            connections: size(info.connections),
            bytes: size(info.bytes),
        }
    }

    /// Lends a layer for reading; 0 is the layer after the inputs.
    pub fn layer(&self, index: usize) -> Result<LayerRef<'_>> {
        let raw = self.raw_layer(index)?;
        // SAFETY: borrowed with the network.
        Ok(unsafe { LayerRef::new(raw) })
    }

    /// Lends a layer for changing.
    pub fn layer_mut(&mut self, index: usize) -> Result<LayerMut<'_>> {
        let raw = self.raw_layer(index)?;
        // SAFETY: exclusively borrowed with the network.
        Ok(unsafe { LayerMut::new(raw, self.context) })
    }

    /// Makes the network take raw features: they are standardised as they enter. `None`: they are taken as they are.
    pub fn set_standardizer(&mut self, standardizer: Option<&Standardizer<'_>>) -> Result<()> {
        let raw = standardizer.map_or(ptr::null(), Standardizer::raw);
        // SAFETY: both live; copied.
        self.context.done(unsafe { sys::tsnn_network_set_standardizer(self.raw(), raw) })
    }

    /// Chooses how inputs and hidden activations are kept in every later pass.
    pub fn set_activation_format(&mut self, format: ActivationFormat) -> Result<()> {
        // SAFETY: the network lives.
        self.context.done(unsafe { sys::tsnn_network_set_activation_format(self.raw(), format as i32) })
    }

    /// Computes the outputs for rows of features; `outputs` has room for a row each.
    pub fn predict(&self, features: &[f32], outputs: &mut [f32]) -> Result<()> {
        let samples = self.samples_of(features)?;
        let (array, capacity) = (outputs.as_mut_ptr(), long(outputs.len()));
        // SAFETY: arrays of these sizes.
        self.context.done(unsafe { sys::tsnn_network_predict(self.raw(), features.as_ptr(), samples, array, capacity) })
    }

    /// Computes the class of each row of features; `labels` has room for one each.
    pub fn classify(&self, features: &[f32], labels: &mut [i32]) -> Result<()> {
        let samples = self.samples_of(features)?;
        let (array, capacity) = (labels.as_mut_ptr(), long(labels.len()));
        // SAFETY: arrays of these sizes.
        self.context
            .done(unsafe { sys::tsnn_network_classify(self.raw(), features.as_ptr(), samples, array, capacity) })
    }

    /// Scores the network on a data set; without a loss, accuracy only.
    pub fn evaluate(&self, loss: Option<&Loss<'_>>, dataset: &Dataset<'_>) -> Result<Evaluation> {
        let mut found = sys::tsnn_evaluation::default();
        let loss = loss.map_or(ptr::null(), Loss::raw);
        // SAFETY: all live.
        self.context.done(unsafe { sys::tsnn_network_evaluate(self.raw(), loss, dataset.raw(), &mut found) })?;
        Ok(Evaluation {
            samples: size(found.samples),
            correct: size(found.correct),
            loss: found.loss,
            accuracy: found.accuracy,
        })
    }

    /// Which kernels run a layer on mini-batches of `samples`, and why: two lines.
    pub fn explain(&self, layer: usize, samples: usize) -> Result<String> {
        let mut buffer = vec![0u8; 1024];
        let (text, capacity) = (buffer.as_mut_ptr().cast::<c_char>(), long(buffer.len()));
        // SAFETY: the text is cut to the buffer.
        self.context.done(unsafe {
            sys::tsnn_network_explain(self.raw(), long(layer), long(samples), ptr::null_mut(), text, capacity)
        })?;
        buffer.truncate(buffer.iter().position(|&byte| byte == 0).unwrap_or(0));
        Ok(String::from_utf8_lossy(&buffer).into_owned())
    }

    pub(crate) fn raw(&self) -> *mut sys::tsnn_network {
        self.handle.raw()
    }

    pub(crate) fn context(&self) -> &'c Context {
        self.context
    }

    pub(crate) fn customs(&self) -> &[Custom] {
        &self.customs
    }

    fn raw_layer(&self, index: usize) -> Result<*mut sys::tsnn_layer> {
        let mut raw = ptr::null_mut();
        // SAFETY: the network lives.
        self.context.done(unsafe { sys::tsnn_network_get_layer(self.raw(), long(index), &mut raw) })?;
        Ok(raw)
    }

    fn samples_of(&self, features: &[f32]) -> Result<i64> {
        match self.info() {
            info if info.layers == 0 => Err(Error::new(Status::State, "a network without layers")),
            info => rows(features.len(), info.inputs, "features").map(long),
        }
    }
}
