//! Memory of a context by Rust's global allocator, counted and limited.

use std::alloc::{alloc, dealloc, Layout};
use std::os::raw::c_void;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

/// Where a context gets its memory from when [`crate::ContextOptions::memory`] is set: Rust's global allocator, up to a
/// limit. Contexts may share one.
#[derive(Debug)]
pub struct Memory {
    limit: usize,
    blocks: AtomicUsize,
    bytes: AtomicUsize,
}

/// Before each block its size lies, in as much room as keeps the block aligned.
const HEAD: usize = 16;

impl Memory {
    /// Memory of at most `limit` bytes at any time: what needs more fails with `OutOfMemory`.
    pub fn new(limit: usize) -> Arc<Self> {
        Arc::new(Memory { limit, blocks: AtomicUsize::new(0), bytes: AtomicUsize::new(0) })
    }

    /// Blocks that are in use now.
    pub fn blocks(&self) -> usize {
        self.blocks.load(Ordering::Relaxed)
    }

    /// Bytes that are in use now.
    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    fn take(&self, size: usize) -> *mut c_void {
        let layout = match size.checked_add(HEAD).map(|whole| Layout::from_size_align(whole, HEAD)) {
            Some(Ok(layout)) => layout,
            _ => return ptr::null_mut(),
        };
        let room = |used: usize| used.checked_add(size).filter(|&sum| sum <= self.limit);
        if self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, room).is_err() {
            return ptr::null_mut();
        }
        // SAFETY: the layout is not empty, and its first HEAD bytes are aligned for a usize.
        unsafe {
            let block = alloc(layout);
            if block.is_null() {
                self.bytes.fetch_sub(size, Ordering::Relaxed);
                return ptr::null_mut();
            }
            block.cast::<usize>().write(size);
            self.blocks.fetch_add(1, Ordering::Relaxed);
            block.add(HEAD).cast()
        }
    }

    /// # Safety
    /// `pointer` came from `take()` and was not given back yet.
    unsafe fn give_back(&self, pointer: *mut c_void) {
        unsafe {
            let block = pointer.cast::<u8>().sub(HEAD);
            let size = block.cast::<usize>().read();
            dealloc(block, Layout::from_size_align_unchecked(size + HEAD, HEAD));
            self.bytes.fetch_sub(size, Ordering::Relaxed);
            self.blocks.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// # Safety
/// `user` is a `Memory`.
pub(crate) unsafe extern "C" fn allocate(user: *mut c_void, size: usize) -> *mut c_void {
    unsafe { &*user.cast::<Memory>() }.take(size)
}

/// # Safety
/// `user` is a `Memory`, and `pointer` came from `allocate()`.
pub(crate) unsafe extern "C" fn release(user: *mut c_void, pointer: *mut c_void) {
    unsafe { (*user.cast::<Memory>()).give_back(pointer) }
}
