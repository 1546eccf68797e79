//! Errors: the status of the call that failed, and the library's text about it.

use std::fmt;

use crate::{handle, sys};

/// What a call that can fail gives.
pub type Result<T> = std::result::Result<T, Error>;

/// A call that failed. Every other object is as it was before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What kind of failure it is.
    pub status: Status,
    /// Which object, which argument, which numbers.
    pub message: String,
}

impl Error {
    pub(crate) fn new(status: Status, message: impl Into<String>) -> Self {
        Error { status, message: message.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

macro_rules! statuses {
    ($($(#[$about:meta])* $name:ident = $number:ident,)*) => {
        /// Kinds of failure. A library newer than this crate may know others.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Status {
            $($(#[$about])* $name,)*
            /// One that this crate does not know.
            Other(i32),
        }

        impl From<i32> for Status {
            fn from(number: i32) -> Self {
                match number {
                    $(sys::$number => Status::$name,)*
                    other => Status::Other(other),
                }
            }
        }

        impl From<Status> for i32 {
            fn from(status: Status) -> i32 {
                match status {
                    $(Status::$name => sys::$number,)*
                    Status::Other(number) => number,
                }
            }
        }
    };
}

statuses! {
    /// The allocator returned NULL.
    OutOfMemory = TSNN_ERROR_OUT_OF_MEMORY,
    /// A size does not fit the type that counts it.
    Overflow = TSNN_ERROR_OVERFLOW,
    /// A pointer that must not be NULL is.
    NullArgument = TSNN_ERROR_NULL_ARGUMENT,
    /// A value outside its range, or an unknown choice.
    InvalidArgument = TSNN_ERROR_INVALID_ARGUMENT,
    /// An options struct of a size that the library cannot read.
    StructSize = TSNN_ERROR_STRUCT_SIZE,
    /// A buffer that cannot hold the answer.
    BufferTooSmall = TSNN_ERROR_BUFFER_TOO_SMALL,
    /// Two sizes that do not fit together.
    Shape = TSNN_ERROR_SHAPE,
    /// Row pointers or indices that are no valid sparse matrix.
    Structure = TSNN_ERROR_STRUCTURE,
    /// A NaN or an infinity where a number is needed.
    NotFinite = TSNN_ERROR_NOT_FINITE,
    /// A class label outside its range.
    Label = TSNN_ERROR_LABEL,
    /// An object that is not in a state in which the call makes sense.
    State = TSNN_ERROR_STATE,
    /// Valid, but not on this machine or in this build.
    Unsupported = TSNN_ERROR_UNSUPPORTED,
    /// A closure reported a failure.
    Callback = TSNN_ERROR_CALLBACK,
    /// The system refuses to open, read, write or rename a file.
    Io = TSNN_ERROR_IO,
    /// A file or memory block that is not what its format says.
    Format = TSNN_ERROR_FORMAT,
    /// Another process does not answer.
    Communication = TSNN_ERROR_COMMUNICATION,
}

impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // SAFETY: total, and a static text.
        formatter.write_str(unsafe { handle::text(sys::tsnn_status_string((*self).into())) })
    }
}
