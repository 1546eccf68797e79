"""A failed call as an exception: its status, the library's words, and a class that fits Python's habits."""

from __future__ import annotations

from .kinds import Status


class Error(Exception):
    """A call of the library failed. `status` is its number; objects are as they were before the call."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(status, text)
        self.status = status
        self.text = text

    def __str__(self) -> str:
        return self.text


class ArgumentError(Error, ValueError):
    """A value outside its range."""


class ShapeError(Error, ValueError):
    """Sizes that do not fit together, or arrays that are no sparse matrix."""


class NotFiniteError(Error, ValueError):
    """A NaN or an infinity, in data or because training diverged."""


class StateError(Error, RuntimeError):
    """The object is not in a state in which the call makes sense; it may be closed."""


class UnsupportedError(Error, NotImplementedError):
    """Not on this machine, or not in this build of the library."""


class OutOfMemoryError(Error, MemoryError):
    """The system has no memory left."""


class FileError(Error, OSError):
    """The system refuses to read or write a file."""


class FormatError(Error, ValueError):
    """A file or a block of bytes that holds no model."""


class SizeError(Error, OverflowError):
    """A size that does not fit the type that counts it."""


CLASSES: dict[int, type[Error]] = {
    Status.OUT_OF_MEMORY: OutOfMemoryError,
    Status.OVERFLOW: SizeError,
    Status.NULL_ARGUMENT: ArgumentError,
    Status.INVALID_ARGUMENT: ArgumentError,
    Status.STRUCT_SIZE: ArgumentError,
    Status.BUFFER_TOO_SMALL: ArgumentError,
    Status.SHAPE: ShapeError,
    Status.STRUCTURE: ShapeError,
    Status.NOT_FINITE: NotFiniteError,
    Status.LABEL: ArgumentError,
    Status.STATE: StateError,
    Status.UNSUPPORTED: UnsupportedError,
    Status.IO: FileError,
    Status.FORMAT: FormatError,
}


def error_of(status: int, text: str) -> Error:
    return CLASSES.get(status, Error)(status, text)
