//! The context: what every object shares, and the way a call goes.

use std::os::raw::{c_char, c_void};
use std::ptr;
use std::sync::Arc;

use crate::activation::Custom;
use crate::handle::{self, Destroy, Handle};
use crate::{callback, memory, sys, Error, Memory, Result, Status};

/// Instruction sets of the kernels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[repr(i32)]
pub enum Isa {
    /// The fastest that this machine has.
    #[default]
    Auto = sys::TSNN_ISA_AUTO,
    /// Plain C, everywhere.
    Ref = sys::TSNN_ISA_REF,
    /// x86-64 with AVX2 and FMA.
    Avx2 = sys::TSNN_ISA_AVX2,
    /// x86-64 with AVX-512 F, BW, DQ and VL.
    Avx512 = sys::TSNN_ISA_AVX512,
    /// aarch64.
    Neon = sys::TSNN_ISA_NEON,
}

/// Levels of log lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum LogLevel {
    Warning,
    Info,
    Debug,
}

/// A closure that receives log lines. Being Send, it can hold no object of a context.
type Log = Box<dyn Fn(LogLevel, &str) + Send + Sync>;

/// Options of [`Context::new`].
#[derive(Clone, Debug, Default)]
pub struct ContextOptions {
    /// Threads that a call may use; 0: the processors of this process.
    pub threads: i32,
    /// One that the machine lacks is refused.
    pub isa: Isa,
    /// Of all random numbers: same seed, same bits, for any thread count.
    pub seed: u64,
    /// Where memory comes from; `None`: malloc.
    pub memory: Option<Arc<Memory>>,
}

/// What a context settled on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContextInfo {
    /// Threads that a call may use.
    pub threads: i32,
    /// Name of the instruction set in use.
    pub isa: &'static str,
    /// As given.
    pub seed: u64,
}

/// Owner of what objects share: memory, threads, instruction set, seed, log and the last error.
///
/// It may move to another thread while nothing borrows it, and is never shared: one thread at a time uses a context and
/// the objects made with it.
pub struct Context {
    handle: Handle<'static, sys::tsnn_context>,
    // After the handle, which calls them.
    users: Users,
}

/// What the C functions of a context call: its memory and its log. Whatever may outlive the context keeps them too.
#[derive(Clone)]
pub(crate) struct Users {
    memory: Option<Arc<Memory>>,
    log: Option<Arc<Log>>,
}

impl Users {
    /// For an object that keeps them among closures.
    pub(crate) fn into_customs(self) -> impl Iterator<Item = Custom> {
        let memory = self.memory.map(|memory| memory as Custom);
        memory.into_iter().chain(self.log.map(|log| log as Custom))
    }
}

// SAFETY: the header's rule is one thread at a time, not always the same one. What was made with a context borrows it,
// so that it moves alone; the closure and the memory are Send and Sync.
unsafe impl Send for Context {}

impl Context {
    /// Creates a context.
    pub fn new(options: &ContextOptions) -> Result<Self> {
        Self::create(options, None)
    }

    /// Creates a context whose log lines go to a closure, which must not call the library.
    pub fn with_log(options: &ContextOptions, log: impl Fn(LogLevel, &str) + Send + Sync + 'static) -> Result<Self> {
        Self::create(options, Some(Arc::new(Box::new(log))))
    }

    fn create(options: &ContextOptions, log: Option<Arc<Log>>) -> Result<Self> {
        let users = Users { memory: options.memory.clone(), log };
        let mut given = sys::tsnn_context_options {
            threads: options.threads,
            isa: options.isa as i32,
            seed: options.seed,
            ..Default::default()
        };
        if let Some(memory) = &users.memory {
            given.allocate = Some(memory::allocate);
            given.release = Some(memory::release);
            given.allocator_user = Arc::as_ptr(memory) as *mut c_void;
        }
        if let Some(log) = &users.log {
            given.log = Some(relay_log);
            given.log_user = Arc::as_ptr(log) as *mut c_void;
        }
        let mut raw = ptr::null_mut();
        // SAFETY: both users are kept beside the handle, and dropped after it.
        let status = unsafe { sys::tsnn_context_create(&given, &mut raw) };
        let handle = Handle::new(raw, sys::tsnn_context_destroy);
        callback::go_on(); // what the log has raised
        match handle {
            Some(handle) => Ok(Context { handle, users }),
            None => Err(Error::new(status.into(), Status::from(status).to_string())),
        }
    }

    /// What the context settled on.
    pub fn info(&self) -> ContextInfo {
        let mut info = sys::tsnn_context_info::default();
        // SAFETY: the context lives; the only failures are arguments that are right here.
        unsafe { sys::tsnn_context_get_info(self.raw(), &mut info) };
        // SAFETY: a static text.
        let isa = unsafe { handle::text(sys::tsnn_isa_string(info.isa)) };
        ContextInfo { threads: info.threads, isa, seed: info.seed }
    }

    /// Changes the thread count for later calls; 0: the processors of this process. Results do not depend on it.
    pub fn set_threads(&self, threads: i32) -> Result<()> {
        // SAFETY: the context lives.
        self.done(unsafe { sys::tsnn_context_set_threads(self.raw(), threads) })
    }

    pub(crate) fn raw(&self) -> *mut sys::tsnn_context {
        self.handle.raw()
    }

    pub(crate) fn users(&self) -> Users {
        self.users.clone()
    }

    /// What a call that was made with this context's objects gives: its status, its error, or a closure's panic.
    pub(crate) fn check(&self, status: i32) -> Result<i32> {
        callback::go_on();
        if status >= 0 {
            return Ok(status);
        }
        // SAFETY: the context lives; the text is cut to the buffer.
        Err(error_of(status, |buffer, capacity, code| unsafe {
            sys::tsnn_context_error(self.raw(), buffer, capacity, code)
        }))
    }

    pub(crate) fn done(&self, status: i32) -> Result<()> {
        self.check(status).map(|_| ())
    }

    /// Calls a create function and takes over what it made.
    pub(crate) fn own<T>(&self, destroy: Destroy<T>, make: impl FnOnce(*mut *mut T) -> i32) -> Result<Handle<'_, T>> {
        let mut raw = ptr::null_mut();
        let status = make(&mut raw);
        let handle = Handle::new(raw, destroy);
        self.check(status)?;
        handle.ok_or_else(|| Error::new(Status::NullArgument, "the library made nothing"))
    }
}

/// The error of a status, with the text that `read` copies out where it belongs to that status.
pub(crate) fn error_of(status: i32, read: impl FnOnce(*mut c_char, i64, *mut i32) -> i32) -> Error {
    let mut buffer = [0u8; 512];
    let mut code = sys::TSNN_OK;
    let read = read(buffer.as_mut_ptr().cast(), handle::long(buffer.len()), &mut code);
    let end = buffer.iter().position(|&byte| byte == 0).unwrap_or(0);
    if read == sys::TSNN_OK && code == status && end > 0 {
        return Error::new(status.into(), String::from_utf8_lossy(&buffer[..end]));
    }
    Error::new(status.into(), Status::from(status).to_string())
}

unsafe extern "C" fn relay_log(user: *mut c_void, level: i32, text: *const c_char) {
    callback::guard((), || {
        let level = match level {
            sys::TSNN_LOG_WARNING => LogLevel::Warning,
            sys::TSNN_LOG_INFO => LogLevel::Info,
            _ => LogLevel::Debug,
        };
        // SAFETY: the user is the context's closure; the text lives until this returns.
        unsafe { (*user.cast::<Log>())(level, handle::text(text)) }
    });
}
