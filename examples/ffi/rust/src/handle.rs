//! Ownership of a C object, and small conversions on the way to C and back.

use std::ffi::{CStr, CString};
use std::marker::PhantomData;
use std::os::raw::c_char;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::NonNull;

use crate::{Error, Result, Status};

/// How C frees a `T`.
pub(crate) type Destroy<T> = unsafe extern "C" fn(*mut *mut T);

/// An object that C made, freed on drop. `'a` is what it needs until then, since freeing it uses its context.
pub(crate) struct Handle<'a, T> {
    raw: NonNull<T>,
    destroy: Destroy<T>,
    needs: PhantomData<&'a ()>,
}

impl<T> Handle<'_, T> {
    /// Takes over what a create function has left in its `out`.
    pub(crate) fn new(raw: *mut T, destroy: Destroy<T>) -> Option<Self> {
        NonNull::new(raw).map(|raw| Handle { raw, destroy, needs: PhantomData })
    }

    pub(crate) fn raw(&self) -> *mut T {
        self.raw.as_ptr()
    }

    /// Gives the object away: it is no longer freed here.
    pub(crate) fn release(self) -> *mut T {
        let raw = self.raw();
        std::mem::forget(self);
        raw
    }
}

impl<T> Drop for Handle<'_, T> {
    fn drop(&mut self) {
        let mut raw = self.raw();
        // SAFETY: the object is ours, and `'a` says that what it needs is still there.
        unsafe { (self.destroy)(&mut raw) }
    }
}

/// A value on the heap whose address C keeps; moving this does not move or touch the value.
pub(crate) struct Pinned<T>(NonNull<T>);

impl<T> Pinned<T> {
    pub(crate) fn new(value: T) -> Self {
        Pinned(NonNull::from(Box::leak(Box::new(value))))
    }

    pub(crate) fn raw(&self) -> *mut T {
        self.0.as_ptr()
    }
}

impl<T> Drop for Pinned<T> {
    fn drop(&mut self) {
        // SAFETY: it came from a box, in `new()`.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}

/// A C text as Rust has it.
///
/// # Safety
/// `pointer` is a text with a closing zero byte that lives and stays as it is for `'a`.
pub(crate) unsafe fn text<'a>(pointer: *const c_char) -> &'a str {
    unsafe { CStr::from_ptr(pointer) }.to_str().unwrap_or("text that is not UTF-8")
}

/// The length of a slice, or a number the C interface counts with. What does not fit is refused there.
pub(crate) fn long(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number that the library counts with, which is never negative.
pub(crate) fn size(number: i64) -> usize {
    usize::try_from(number).unwrap_or(0)
}

/// The pointer of an optional slice.
pub(crate) fn pointer<T>(slice: Option<&[T]>) -> *const T {
    slice.map_or(std::ptr::null(), <[T]>::as_ptr)
}

pub(crate) fn c_path(path: &Path) -> Result<CString> {
    c_text(path.as_os_str().as_bytes())
}

pub(crate) fn c_text(bytes: &[u8]) -> Result<CString> {
    CString::new(bytes).map_err(|_| Error::new(Status::InvalidArgument, "a text with a zero byte inside"))
}

/// Rows of `width` numbers: how many there are.
pub(crate) fn rows(length: usize, width: usize, what: &str) -> Result<usize> {
    if width == 0 || length % width != 0 {
        return Err(Error::new(Status::Shape, format!("{what}: {length} numbers are no rows of {width}")));
    }
    Ok(length / width)
}

/// Refuses a slice that has not the length it must have.
pub(crate) fn expect(length: usize, wanted: Option<usize>, what: &str) -> Result<()> {
    match wanted {
        Some(wanted) if wanted == length => Ok(()),
        Some(wanted) => Err(Error::new(Status::Shape, format!("{what}: {length} numbers, wanted {wanted}"))),
        None => Err(Error::new(Status::Overflow, format!("{what}: their number does not fit"))),
    }
}
