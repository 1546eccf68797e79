//! Activation functions, and closures as such.

use std::any::Any;
use std::os::raw::c_void;
use std::sync::Arc;

use crate::handle::{long, Handle};
use crate::{callback, sys, Context, Error, Result, Status};

/// Kinds of activation that the library has itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[repr(i32)]
pub enum ActivationKind {
    /// a = z.
    #[default]
    Identity = sys::TSNN_ACTIVATION_IDENTITY,
    /// max(0, z).
    Relu = sys::TSNN_ACTIVATION_RELU,
    /// z < 0: alpha z; default alpha .01.
    LeakyRelu = sys::TSNN_ACTIVATION_LEAKY_RELU,
    /// The slope below 0 changes its sign from hidden layer to hidden layer; default alpha .6.
    AllRelu = sys::TSNN_ACTIVATION_ALL_RELU,
    /// 1 / (1 + exp(-z)).
    Sigmoid = sys::TSNN_ACTIVATION_SIGMOID,
    /// tanh(z).
    Tanh = sys::TSNN_ACTIVATION_TANH,
    /// Over the neurons of the layer, for each sample.
    Softmax = sys::TSNN_ACTIVATION_SOFTMAX,
}

/// What keeps a custom activation's closures alive: shared by everything that may call them.
pub(crate) type Custom = Arc<dyn Any + Send + Sync>;

/// An activation function. Immutable; layers copy it.
pub struct Activation<'c> {
    handle: Handle<'c, sys::tsnn_activation>,
    context: &'c Context,
    custom: Option<Custom>,
}

struct Closures<F, D> {
    function: F,
    derivative: D,
}

impl<'c> Activation<'c> {
    /// Creates an activation; `alpha` 0: its default.
    pub fn new(context: &'c Context, kind: ActivationKind, alpha: f64) -> Result<Self> {
        let options = sys::tsnn_activation_options { kind: kind as i32, alpha, ..Default::default() };
        Self::create(context, &options, None)
    }

    /// Creates an activation of closures: `function(z)` and `derivative(z, function(z))`, which must depend on nothing
    /// but their arguments.
    ///
    /// Predictors call them on the threads that predict, and may outlive the context: hence the bounds.
    pub fn custom<F, D>(context: &'c Context, function: F, derivative: D) -> Result<Self>
    where
        F: Fn(f32) -> f32 + Send + Sync + 'static,
        D: Fn(f32, f32) -> f32 + Send + Sync + 'static,
    {
        let closures = Arc::new(Closures { function, derivative });
        let options = sys::tsnn_activation_options {
            kind: sys::TSNN_ACTIVATION_CUSTOM,
            function: Some(relay_function::<F, D>),
            derivative: Some(relay_derivative::<F, D>),
            user: Arc::as_ptr(&closures) as *mut c_void,
            ..Default::default()
        };
        Self::create(context, &options, Some(closures))
    }

    fn create(context: &'c Context, options: &sys::tsnn_activation_options, custom: Option<Custom>) -> Result<Self> {
        let handle = context.own(sys::tsnn_activation_destroy, |out| {
            // SAFETY: whatever copies the activation keeps `custom` as well.
            unsafe { sys::tsnn_activation_create(context.raw(), options, out) }
        })?;
        Ok(Activation { handle, context, custom })
    }

    /// The activation of plain numbers and its derivative, as in hidden layer `hidden_index`.
    pub fn evaluate(&self, hidden_index: usize, z: &[f32]) -> Result<(Vec<f32>, Vec<f32>)> {
        let (mut a, mut derivative) = (vec![0.0; z.len()], vec![0.0; z.len()]);
        let (hidden, count) = (long(hidden_index), long(z.len()));
        // SAFETY: three arrays of that many numbers.
        self.context.done(unsafe {
            let (a, derivative) = (a.as_mut_ptr(), derivative.as_mut_ptr());
            sys::tsnn_activation_evaluate(self.handle.raw(), hidden, z.as_ptr(), a, derivative, count)
        })?;
        Ok((a, derivative))
    }

    pub(crate) fn raw(&self) -> *const sys::tsnn_activation {
        self.handle.raw()
    }

    /// For the object that now calls the closures too.
    pub(crate) fn keep_in(&self, customs: &mut Vec<Custom>) -> Result<()> {
        if let Some(custom) = &self.custom {
            customs.try_reserve(1).map_err(|_| Error::new(Status::OutOfMemory, "no memory for an activation"))?;
            customs.push(Arc::clone(custom));
        }
        Ok(())
    }
}

/// Writes `count` numbers; zeros from where a closure panics, since the library asks for some until its call ends.
///
/// # Safety
/// `out` has room for `count` numbers. It may be uninitialised, or be an array that `compute` reads at the same place.
unsafe fn fill(out: *mut f32, count: i64, compute: impl Fn(usize) -> f32) {
    let count = usize::try_from(count).unwrap_or(0);
    let mut done = 0;
    callback::guard((), || {
        while done < count {
            let number = compute(done);
            unsafe { out.add(done).write(number) };
            done += 1;
        }
    });
    for index in done..count {
        unsafe { out.add(index).write(0.0) };
    }
}

unsafe extern "C" fn relay_function<F: Fn(f32) -> f32, D>(user: *mut c_void, z: *const f32, a: *mut f32, count: i64) {
    // SAFETY: the user is the closures of this type; the arrays have `count` numbers.
    unsafe {
        let closures = &*user.cast::<Closures<F, D>>();
        fill(a, count, |index| (closures.function)(*z.add(index)));
    }
}

unsafe extern "C" fn relay_derivative<F, D: Fn(f32, f32) -> f32>(
    user: *mut c_void,
    z: *const f32,
    a: *const f32,
    derivative: *mut f32,
    count: i64,
) {
    // SAFETY: as above.
    unsafe {
        let closures = &*user.cast::<Closures<F, D>>();
        fill(derivative, count, |index| (closures.derivative)(*z.add(index), *a.add(index)));
    }
}
