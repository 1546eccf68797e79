"""Models as bytes."""

from __future__ import annotations

import ctypes

import numpy as np

from .arrays import address
from .context import Object
from .structs import SaveOptions


def saved_bytes(saved: Object, function: str, options: SaveOptions) -> bytes:
    """What a save function writes into memory: asked for its size first."""
    size = ctypes.c_int64()
    with saved.context.held():
        saved.context.call(function, saved.handle, ctypes.byref(options), None, 0, ctypes.byref(size))
        buffer = np.empty(size.value, np.uint8)
        saved.context.call(function, saved.handle, ctypes.byref(options), address(buffer), size.value, None)
    return buffer.tobytes()
