"""NumPy in and out. Arrays that already have the library's type and order are used as they are, others are copied."""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float32]
Labels = NDArray[np.int32]


def as_floats(values: ArrayLike, name: str, dimensions: int) -> Floats:
    """Numbers of any kind as float32 in C order."""
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"{name}: numbers are wanted, not {array.dtype}")
    if array.ndim != dimensions:
        raise ValueError(f"{name}: an array of {dimensions} dimensions is wanted, not {array.ndim}")
    with np.errstate(over="ignore"):  # an infinity is refused by the library, with its place
        return np.require(array, np.float32, ("C", "A"))


def as_integers(values: ArrayLike, name: str, dtype: type[np.int32] | type[np.int64]) -> NDArray[Any]:
    """Whole numbers in one dimension, as the wanted type; none is cut."""
    array = np.asarray(values)
    if array.dtype.kind not in "iub" and array.size > 0:
        raise TypeError(f"{name}: integers are wanted, not {array.dtype}")
    if array.ndim != 1:
        raise ValueError(f"{name}: an array of 1 dimension is wanted, not {array.ndim}")
    if array.size > 0 and not np.can_cast(array.dtype, dtype):
        limits = np.iinfo(dtype)
        if array.min() < limits.min or array.max() > limits.max:
            raise ValueError(f"{name}: {array.min()} to {array.max()} does not fit {limits.dtype}")
    return np.require(array, dtype, ("C", "A"))


def as_output(out: NDArray[Any] | None, shape: tuple[int, ...], dtype: type) -> NDArray[Any]:
    """The caller's array when it can take the answer in place, or a new one."""
    if out is None:
        return np.empty(shape, dtype)
    if not isinstance(out, np.ndarray) or out.dtype != dtype:
        raise TypeError(f"out: an array of {np.dtype(dtype)} is wanted, not {getattr(out, 'dtype', type(out))}")
    if out.shape != shape:
        raise ValueError(f"out: shape {shape} is wanted, not {out.shape}")
    if not (out.flags.c_contiguous and out.flags.writeable and out.flags.aligned):
        raise ValueError("out: must be writeable and in C order")
    return out


def view(start: int, count: int, writeable: bool) -> Floats:
    """The library's own numbers, while it lends them."""
    array: Floats = np.ndarray(count, np.float32, memoryview((ctypes.c_float * count).from_address(start)))
    array.flags.writeable = writeable
    return array


def address(array: NDArray[Any] | None) -> int | None:
    return None if array is None else int(array.ctypes.data)
