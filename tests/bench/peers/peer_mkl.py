"""Intel MKL's sparse BLAS (inspector-executor): csr (outputs x inputs), told what it will be used for and optimised,
times a row-major dense matrix or one sample."""

from __future__ import annotations

import ctypes
import sys
from pathlib import Path
from typing import Any

import numpy as np

from cases import LayerCase
from errors import Failed, Missing
from peer_scipy import ScipyLayer

NON_TRANSPOSE = 10
ROW_MAJOR = 101
EXPECTED_CALLS = 1000


class Description(ctypes.Structure):
    """matrix_descr: a general matrix."""

    _fields_ = [("type", ctypes.c_int), ("mode", ctypes.c_int), ("diag", ctypes.c_int)]


GENERAL = Description(20, 0, 0)


class MklLayer:
    """y = W^T x."""

    def __init__(self, library: ctypes.CDLL, case: LayerCase) -> None:
        self.library = library
        self.weights = ScipyLayer(case).weights  # holds the arrays that the handle points to
        self.x = case.x
        self.y = np.zeros((case.matrix.outputs, *case.x.shape[1:]), dtype=np.float32)
        self.handle = ctypes.c_void_p()
        w = self.weights
        starts, ends = w.indptr.ctypes.data, w.indptr.ctypes.data + w.indptr.itemsize
        self.require("create", library.mkl_sparse_s_create_csr(
            ctypes.byref(self.handle), 0, *w.shape, *map(ctypes.c_void_p, (starts, ends, w.indices.ctypes.data,
                                                                           w.data.ctypes.data))))
        x, y = ctypes.c_void_p(self.x.ctypes.data), ctypes.c_void_p(self.y.ctypes.data)
        one, zero = ctypes.c_float(1), ctypes.c_float(0)
        self.arguments: tuple[Any, ...]
        if case.x.ndim == 2:
            batch = case.batch
            library.mkl_sparse_set_mm_hint(self.handle, NON_TRANSPOSE, GENERAL, ROW_MAJOR, batch, EXPECTED_CALLS)
            self.multiply = library.mkl_sparse_s_mm
            self.arguments = (NON_TRANSPOSE, one, self.handle, GENERAL, ROW_MAJOR, x, batch, batch, zero, y, batch)
        else:
            library.mkl_sparse_set_mv_hint(self.handle, NON_TRANSPOSE, GENERAL, EXPECTED_CALLS)
            self.multiply = library.mkl_sparse_s_mv
            self.arguments = (NON_TRANSPOSE, one, self.handle, GENERAL, x, zero, y)
        self.require("optimize", library.mkl_sparse_optimize(self.handle))

    def require(self, what: str, status: int) -> None:
        if status != 0:
            raise Failed(f"mkl_sparse {what}: status {status}")

    def run(self) -> None:
        self.require("multiply", self.multiply(*self.arguments))

    def result(self) -> np.ndarray:
        return self.y


class MklPeer:
    """libmkl_rt of the same environment as this Python."""

    def __init__(self) -> None:
        found = sorted(Path(sys.prefix, "lib").glob("libmkl_rt.so*"))
        if not found:
            raise Missing("no libmkl_rt.so in this Python's environment")
        try:
            self.library = ctypes.CDLL(str(found[-1]))
        except OSError as error:
            raise Missing(str(error)) from error
        self.library.MKL_Set_Num_Threads(1)

    def version(self) -> str:
        text = ctypes.create_string_buffer(198)
        self.library.mkl_get_version_string(text, len(text))
        words = text.value.decode().split()
        number = words[words.index("Version") + 1] if "Version" in words else ""
        return f"MKL {number} sparse"

    def forward(self, case: LayerCase) -> MklLayer:
        return MklLayer(self.library, case)

    def predict(self, case: LayerCase) -> MklLayer:
        return MklLayer(self.library, case)
