//! Panics in closures that C calls. They must not unwind through C: they are kept, and go on in the call during which
//! they happened, which runs on the same thread.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};

thread_local! {
    static KEPT: RefCell<Option<Box<dyn Any + Send>>> = RefCell::new(None);
}

/// Runs a closure. While a panic is kept, no closure is called any more: `otherwise` is the answer.
pub(crate) fn guard<R>(otherwise: R, closure: impl FnOnce() -> R) -> R {
    if KEPT.try_with(|kept| kept.borrow().is_some()).unwrap_or(true) {
        return otherwise;
    }
    // The panic goes on later, so nobody sees what it left half done who would not have seen it without C in between.
    match catch_unwind(AssertUnwindSafe(closure)) {
        Ok(answer) => answer,
        Err(panic) => {
            KEPT.with(|kept| *kept.borrow_mut() = Some(panic));
            otherwise
        }
    }
}

/// Lets a kept panic go on. Called after every call that may run closures.
pub(crate) fn go_on() {
    if let Ok(Some(panic)) = KEPT.try_with(|kept| kept.borrow_mut().take()) {
        resume_unwind(panic);
    }
}
