//! Networks and the state of their training as files or memory blocks.

use std::ffi::CString;
use std::os::raw::{c_char, c_void};
use std::path::Path;
use std::ptr;

use crate::activation::Custom;
use crate::handle::{c_path, c_text, long, size};
use crate::{sys, Activation, Context, Error, Network, Result, Status, Trainer};

/// Options of saving.
#[derive(Clone, Copy, Debug, Default)]
pub struct SaveOptions<'o> {
    /// The momentum of connections and biases too. A trainer's files have it always.
    pub momentum: bool,
    /// Texts of your own, key and value. No key may begin with "tsnn.".
    pub metadata: &'o [(&'o str, &'o str)],
}

/// Options of loading.
#[derive(Clone, Copy, Default)]
pub struct LoadOptions<'o, 'c> {
    /// Larger files and blocks are refused; 0: none is.
    pub max_bytes: usize,
    /// The activation of layers that were saved with a custom one, since closures cannot be saved.
    pub custom: Option<&'o Activation<'c>>,
}

impl<'c> Network<'c> {
    /// Saves the network. A crash leaves the old file or the new one.
    pub fn save(&self, path: impl AsRef<Path>, options: &SaveOptions<'_>) -> Result<()> {
        let path = c_path(path.as_ref())?;
        // SAFETY: the network and the texts live.
        let status = with(options, |options| unsafe { sys::tsnn_network_save(self.raw(), options, path.as_ptr()) })?;
        self.context().done(status)
    }

    /// The bytes that [`Network::save`] writes.
    pub fn to_bytes(&self, options: &SaveOptions<'_>) -> Result<Vec<u8>> {
        let save = |options, buffer, capacity, size| unsafe {
            // SAFETY: the buffer has that capacity.
            sys::tsnn_network_save_memory(self.raw(), options, buffer, capacity, size)
        };
        bytes(self.context(), options, save)
    }

    /// Loads a network from a file of a network or of a trainer, which is not trusted.
    pub fn load(context: &'c Context, path: impl AsRef<Path>, options: &LoadOptions<'_, '_>) -> Result<Self> {
        let path = c_path(path.as_ref())?;
        let (given, customs) = options.given()?;
        // SAFETY: all live; the network keeps the closures.
        Self::create(context, customs, |out| unsafe {
            sys::tsnn_network_load(context.raw(), path.as_ptr(), &given, out)
        })
    }

    /// Loads a network from memory, which is not trusted.
    pub fn from_bytes(context: &'c Context, block: &[u8], options: &LoadOptions<'_, '_>) -> Result<Self> {
        let (given, customs) = options.given()?;
        let (data, length) = (block.as_ptr().cast::<c_void>(), long(block.len()));
        // SAFETY: a block of that length; the network keeps the closures.
        Self::create(context, customs, |out| unsafe {
            sys::tsnn_network_load_memory(context.raw(), data, length, &given, out)
        })
    }
}

impl Trainer<'_, '_> {
    /// Saves the network with its momentum and the place in the training. In callbacks, see [`crate::Progress::save`].
    pub fn save(&self, path: impl AsRef<Path>, options: &SaveOptions<'_>) -> Result<()> {
        // SAFETY: the trainer lives.
        unsafe { save_trainer(self.network().context(), self.raw(), path.as_ref(), options) }
    }

    /// The bytes that [`Trainer::save`] writes.
    pub fn to_bytes(&self, options: &SaveOptions<'_>) -> Result<Vec<u8>> {
        let save = |options, buffer, capacity, size| unsafe {
            // SAFETY: the buffer has that capacity.
            sys::tsnn_trainer_save_memory(self.raw(), options, buffer, capacity, size)
        };
        bytes(self.network().context(), options, save)
    }

    /// Goes back to what was saved: with the same seed, options and data, the run ends with the bits of one that was
    /// never interrupted. Files are not trusted; larger ones than `max_bytes` are refused, with 0 none is.
    pub fn resume(&mut self, path: impl AsRef<Path>, max_bytes: usize) -> Result<()> {
        let path = c_path(path.as_ref())?;
        let given = sys::tsnn_load_options { max_bytes: long(max_bytes), ..Default::default() };
        // SAFETY: nothing borrows the network's layers, since the trainer is exclusively borrowed.
        let status = unsafe { sys::tsnn_trainer_resume(self.raw(), path.as_ptr(), &given) };
        self.network().context().done(status)
    }

    /// The same from memory.
    pub fn resume_from_bytes(&mut self, block: &[u8], max_bytes: usize) -> Result<()> {
        let given = sys::tsnn_load_options { max_bytes: long(max_bytes), ..Default::default() };
        let (data, length) = (block.as_ptr().cast::<c_void>(), long(block.len()));
        // SAFETY: as above; a block of that length.
        let status = unsafe { sys::tsnn_trainer_resume_memory(self.raw(), data, length, &given) };
        self.network().context().done(status)
    }
}

/// A text out of the metadata of a model file, or of any safetensors file: "tsnn.library", or one of your own.
pub fn metadata(context: &Context, path: impl AsRef<Path>, key: &str) -> Result<String> {
    let (path, key) = (c_path(path.as_ref())?, c_text(key.as_bytes())?);
    let read = |buffer: *mut c_char, capacity: i64, size: &mut i64| {
        // SAFETY: the buffer has that capacity.
        context.done(unsafe {
            sys::tsnn_model_get_metadata(context.raw(), path.as_ptr(), key.as_ptr(), buffer, capacity, size)
        })
    };
    let mut needed = 0;
    read(ptr::null_mut(), 0, &mut needed)?;
    let mut buffer = vec![0u8; size(needed)];
    read(buffer.as_mut_ptr().cast(), needed, &mut needed)?;
    buffer.truncate(buffer.iter().position(|&byte| byte == 0).unwrap_or(0));
    String::from_utf8(buffer).map_err(|_| Error::new(Status::Format, "metadata that is not UTF-8"))
}

/// # Safety
/// The trainer lives, and belongs to the context.
pub(crate) unsafe fn save_trainer(
    context: &Context,
    trainer: *const sys::tsnn_trainer,
    path: &Path,
    options: &SaveOptions<'_>,
) -> Result<()> {
    let path = c_path(path)?;
    let status = with(options, |options| unsafe { sys::tsnn_trainer_save(trainer, options, path.as_ptr()) })?;
    context.done(status)
}

impl LoadOptions<'_, '_> {
    fn given(&self) -> Result<(sys::tsnn_load_options, Vec<Custom>)> {
        let mut customs = Vec::new();
        if let Some(custom) = self.custom {
            custom.keep_in(&mut customs)?;
        }
        let custom = self.custom.map_or(ptr::null(), Activation::raw);
        Ok((sys::tsnn_load_options { max_bytes: long(self.max_bytes), custom, ..Default::default() }, customs))
    }
}

/// Runs a call with the options as C has them.
fn with<R>(options: &SaveOptions<'_>, call: impl FnOnce(*const sys::tsnn_save_options) -> R) -> Result<R> {
    let texts = options.metadata.iter().flat_map(|&(key, value)| [key, value]).map(|text| c_text(text.as_bytes()));
    let texts: Vec<CString> = texts.collect::<Result<_>>()?;
    let pointers: Vec<*const c_char> = texts.iter().map(|text| text.as_ptr()).collect();
    Ok(call(&sys::tsnn_save_options {
        momentum: i32::from(options.momentum),
        metadata: if pointers.is_empty() { ptr::null() } else { pointers.as_ptr() },
        metadata_count: long(options.metadata.len()),
        ..Default::default()
    }))
}

/// Asks for the size, then for the bytes.
fn bytes(
    context: &Context,
    options: &SaveOptions<'_>,
    save: impl Fn(*const sys::tsnn_save_options, *mut c_void, i64, *mut i64) -> i32,
) -> Result<Vec<u8>> {
    let mut needed = 0;
    context.done(with(options, |options| save(options, ptr::null_mut(), 0, &mut needed))?)?;
    let mut block: Vec<u8> = vec![0; size(needed)];
    context.done(with(options, |options| save(options, block.as_mut_ptr().cast(), needed, &mut needed))?)?;
    Ok(block)
}
