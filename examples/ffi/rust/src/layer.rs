//! Sparse layers: owned ones, and those that a network lends.

use std::marker::PhantomData;

use crate::handle::{expect, long, pointer, size, Handle};
use crate::{sys, Context, Result};

/// How a random topology is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[repr(i32)]
pub enum Sampling {
    /// Each cell by itself: the number of connections varies a little.
    #[default]
    Bernoulli = sys::TSNN_SAMPLING_BERNOULLI,
    /// An exact number of connections.
    Exact = sys::TSNN_SAMPLING_EXACT,
}

/// Where fresh weights come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[repr(i32)]
pub enum Init {
    /// U(-a, a), a = sqrt(6 / fan_in).
    #[default]
    HeUniform = sys::TSNN_INIT_HE_UNIFORM,
    /// U(-a, a), a = sqrt(6 / (fan_in + fan_out)).
    XavierUniform = sys::TSNN_INIT_XAVIER_UNIFORM,
    /// N(0, 1) / 10.
    Normal = sys::TSNN_INIT_NORMAL,
}

/// What fan-in and fan-out mean in the rules above.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[repr(i32)]
pub enum Fan {
    /// The layer's dimensions.
    #[default]
    Dense = sys::TSNN_FAN_DENSE,
    /// Connections that the neurons really have.
    Sparse = sys::TSNN_FAN_SPARSE,
}

/// Options of [`Layer::new`].
#[derive(Clone, Copy, Debug, Default)]
pub struct LayerOptions {
    /// How the topology is drawn.
    pub sampling: Sampling,
    /// Neurons before. Required.
    pub inputs: usize,
    /// Neurons of this layer. Required.
    pub outputs: usize,
    /// Density = min(1, epsilon (inputs + outputs) / (inputs outputs)); default 20.
    pub epsilon: f64,
    /// In (0, 1]; instead of epsilon.
    pub density: f64,
    /// Factor on the first weights; default 1.
    pub init_scale: f64,
    /// Where weights come from.
    pub init: Init,
    /// What fan-in means there.
    pub fan: Fan,
}

/// The size of a layer.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct LayerInfo {
    pub frozen: bool,
    pub inputs: usize,
    pub outputs: usize,
    pub connections: usize,
    pub density: f64,
    /// Memory of weights, velocities, indices and biases.
    pub bytes: usize,
}

/// The weights of a layer as a compressed sparse row matrix of inputs x outputs.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Csr {
    /// inputs + 1 offsets.
    pub row_ptr: Vec<i64>,
    /// Outputs, rising strictly within a row.
    pub column: Vec<i32>,
    /// Weights.
    pub values: Vec<f32>,
}

/// A layer that no network owns yet.
pub struct Layer<'c> {
    handle: Handle<'c, sys::tsnn_layer>,
    context: &'c Context,
}

impl<'c> Layer<'c> {
    /// Creates a layer with a random topology, random weights and zero biases.
    pub fn new(context: &'c Context, options: &LayerOptions) -> Result<Self> {
        let given = sys::tsnn_layer_options {
            sampling: options.sampling as i32,
            inputs: long(options.inputs),
            outputs: long(options.outputs),
            epsilon: options.epsilon,
            density: options.density,
            init_scale: options.init_scale,
            init: options.init as i32,
            fan: options.fan as i32,
            ..Default::default()
        };
        let handle = context.own(sys::tsnn_layer_destroy, |out| {
            // SAFETY: the context lives.
            unsafe { sys::tsnn_layer_create(context.raw(), &given, out) }
        })?;
        Ok(Layer { handle, context })
    }

    /// Creates a layer from CSR arrays, which are checked and copied; without `bias`, biases are 0.
    pub fn from_csr(context: &'c Context, outputs: usize, csr: &Csr, bias: Option<&[f32]>) -> Result<Self> {
        expect(csr.values.len(), Some(csr.column.len()), "weights")?;
        if let Some(bias) = bias {
            expect(bias.len(), Some(outputs), "biases")?;
        }
        let inputs = long(csr.row_ptr.len()) - 1;
        let connections = long(csr.column.len());
        let handle = context.own(sys::tsnn_layer_destroy, |out| {
            let (row_ptr, column, values) = (csr.row_ptr.as_ptr(), csr.column.as_ptr(), csr.values.as_ptr());
            let (bias, checked) = (pointer(bias), sys::TSNN_CHECKED);
            // SAFETY: arrays of these sizes; what is in them is checked there.
            unsafe {
                let (context, outputs) = (context.raw(), long(outputs));
                sys::tsnn_layer_create_from_csr(
                    context,
                    inputs,
                    outputs,
                    connections,
                    row_ptr,
                    column,
                    values,
                    bias,
                    checked,
                    out,
                )
            }
        })?;
        Ok(Layer { handle, context })
    }

    /// For reading.
    pub fn as_ref(&self) -> LayerRef<'_> {
        // SAFETY: borrowed as long as the answer.
        unsafe { LayerRef::new(self.handle.raw()) }
    }

    /// For changing.
    pub fn as_mut(&mut self) -> LayerMut<'_> {
        // SAFETY: borrowed as long as the answer.
        unsafe { LayerMut::new(self.handle.raw(), self.context) }
    }

    pub(crate) fn into_handle(self) -> Handle<'c, sys::tsnn_layer> {
        self.handle
    }
}

/// A layer that is read.
#[derive(Clone, Copy)]
pub struct LayerRef<'n> {
    raw: *const sys::tsnn_layer,
    lent: PhantomData<&'n sys::tsnn_layer>,
}

impl LayerRef<'_> {
    /// # Safety
    /// The layer is borrowed for the life of the answer.
    pub(crate) unsafe fn new(raw: *const sys::tsnn_layer) -> Self {
        LayerRef { raw, lent: PhantomData }
    }

    /// The size of the layer.
    pub fn info(&self) -> LayerInfo {
        let info = self.raw_info();
        LayerInfo {
            frozen: info.frozen != 0,
            inputs: size(info.inputs),
            outputs: size(info.outputs),
            connections: size(info.connections),
            density: info.density,
            bytes: size(info.bytes),
        }
    }

    /// A copy of topology and weights.
    pub fn csr(&self) -> Csr {
        let info = self.info();
        let mut csr = Csr {
            row_ptr: vec![0; info.inputs + 1],
            column: vec![0; info.connections],
            values: vec![0.0; info.connections],
        };
        let (rows, connections) = (long(csr.row_ptr.len()), long(info.connections));
        let (row_ptr, column, values) = (csr.row_ptr.as_mut_ptr(), csr.column.as_mut_ptr(), csr.values.as_mut_ptr());
        // SAFETY: arrays of the layer's sizes; with them the call cannot fail.
        unsafe { sys::tsnn_layer_get_csr(self.raw, row_ptr, rows, column, values, connections) };
        csr
    }

    /// A copy of the biases.
    pub fn bias(&self) -> Vec<f32> {
        let mut bias = vec![0.0; self.info().outputs];
        // SAFETY: as above.
        unsafe { sys::tsnn_layer_get_bias(self.raw, bias.as_mut_ptr(), long(bias.len())) };
        bias
    }

    /// A copy of the momentum of connections (in CSR order) and biases.
    pub fn velocity(&self) -> (Vec<f32>, Vec<f32>) {
        let info = self.info();
        let (mut weights, mut bias) = (vec![0.0; info.connections], vec![0.0; info.outputs]);
        let (connections, outputs) = (long(info.connections), long(info.outputs));
        // SAFETY: as above.
        unsafe {
            let (weights, bias) = (weights.as_mut_ptr(), bias.as_mut_ptr());
            sys::tsnn_layer_get_velocity(self.raw, weights, connections, bias, outputs)
        };
        (weights, bias)
    }

    /// The importance of each neuron: the sum of |weight| over its incoming connections.
    pub fn importance(&self) -> Vec<f64> {
        let mut importance = vec![0.0; self.info().outputs];
        // SAFETY: as above.
        unsafe { sys::tsnn_layer_get_importance(self.raw, importance.as_mut_ptr(), long(importance.len())) };
        importance
    }

    fn raw_info(&self) -> sys::tsnn_layer_info {
        let mut info = sys::tsnn_layer_info::default();
        // SAFETY: the layer lives; the call cannot fail.
        unsafe { sys::tsnn_layer_get_info(self.raw, &mut info) };
        info
    }
}

/// A layer that is changed. It refers to the layer and is not the layer: swapping two of these swaps no layers.
pub struct LayerMut<'n> {
    raw: *mut sys::tsnn_layer,
    context: &'n Context,
    alone: PhantomData<&'n mut sys::tsnn_layer>,
}

impl LayerMut<'_> {
    /// # Safety
    /// The layer is exclusively borrowed for the life of the answer.
    pub(crate) unsafe fn new(raw: *mut sys::tsnn_layer, context: &Context) -> LayerMut<'_> {
        LayerMut { raw, context, alone: PhantomData }
    }

    /// For reading.
    pub fn as_ref(&self) -> LayerRef<'_> {
        // SAFETY: borrowed as long as the answer.
        unsafe { LayerRef::new(self.raw) }
    }

    /// Replaces weights (in CSR order), biases, or both; the topology stays.
    pub fn set_weights(&mut self, values: Option<&[f32]>, bias: Option<&[f32]>) -> Result<()> {
        let (count, bias_count) = (values.map_or(0, <[f32]>::len), bias.map_or(0, <[f32]>::len));
        // SAFETY: arrays of these sizes.
        self.context.done(unsafe {
            sys::tsnn_layer_set_weights(self.raw, pointer(values), long(count), pointer(bias), long(bias_count))
        })
    }

    /// Replaces the momentum; arguments as of [`LayerMut::set_weights`].
    pub fn set_velocity(&mut self, weights: Option<&[f32]>, bias: Option<&[f32]>) -> Result<()> {
        let (count, bias_count) = (weights.map_or(0, <[f32]>::len), bias.map_or(0, <[f32]>::len));
        // SAFETY: arrays of these sizes.
        self.context.done(unsafe {
            sys::tsnn_layer_set_velocity(self.raw, pointer(weights), long(count), pointer(bias), long(bias_count))
        })
    }

    /// Freezes the layer, or thaws it: frozen, neither its weights nor its connections change.
    pub fn freeze(&mut self, frozen: bool) -> Result<()> {
        // SAFETY: the layer lives.
        self.context.done(unsafe { sys::tsnn_layer_freeze(self.raw, i32::from(frozen)) })
    }
}
