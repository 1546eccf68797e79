"""Shared objects behind peer.h: libtsnn and the compiled peers."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import numpy as np

from cases import LayerCase, Matrix, StepCase
from errors import Failed, Missing, Refused

POINTER = ctypes.c_void_p


class MatrixStruct(ctypes.Structure):
    """peer_matrix."""

    _fields_ = [("inputs", ctypes.c_int64), ("outputs", ctypes.c_int64), ("connections", ctypes.c_int64),
                ("row_ptr", POINTER), ("column", POINTER), ("values", POINTER)]


class NetworkStruct(ctypes.Structure):
    """peer_network."""

    _fields_ = [("layers", ctypes.c_int64), ("layer", ctypes.POINTER(MatrixStruct)), ("batch", ctypes.c_int64),
                ("batches", ctypes.c_int64), ("samples", POINTER), ("labels", POINTER), ("alpha", ctypes.c_double),
                ("dropout", ctypes.c_double), ("learning_rate", ctypes.c_double), ("momentum", ctypes.c_double),
                ("weight_decay", ctypes.c_double)]


def matrix_struct(matrix: Matrix) -> MatrixStruct:
    return MatrixStruct(matrix.inputs, matrix.outputs, matrix.connections, matrix.row_ptr.ctypes.data,
                        matrix.column.ctypes.data, matrix.values.ctypes.data)


class NativeObject:
    """What a create function of peer.h made, with its run function ready to be called."""

    def __init__(self, library: ctypes.CDLL, work: str, case: LayerCase | StepCase, *arguments: object) -> None:
        def function(verb: str, result: type | None, *types: type) -> Any:
            found = getattr(library, f"peer_{work}_{verb}")
            found.restype, found.argtypes = result, list(types)
            return found

        create = getattr(library, f"peer_{work}_create")
        create.restype = POINTER
        self._error = library.peer_error
        self._error.restype = ctypes.c_char_p
        self._case = case  # keeps the arrays alive
        self._destroy = function("destroy", None, POINTER)
        self._run = function("run", ctypes.c_int32, *([POINTER] if work != "step" else [POINTER, POINTER]))
        self._object = POINTER(create(*arguments))
        if not self._object:
            raise Refused(self._error().decode())

    def close(self) -> None:
        self._destroy(self._object)
        self._object = POINTER()

    def _require(self, status: int) -> None:
        if status != 0:
            raise Failed(self._error().decode())


class NativeLayer(NativeObject):
    """Forward or predict: y = W^T x."""

    def __init__(self, library: ctypes.CDLL, work: str, case: LayerCase) -> None:
        self._matrix = matrix_struct(case.matrix)
        self._y = np.empty((case.matrix.outputs, *case.x.shape[1:]), dtype=np.float32)
        self._result = getattr(library, f"peer_{work}_result")
        self._result.restype, self._result.argtypes = ctypes.c_int32, [POINTER, POINTER]
        batch = [ctypes.c_int64(case.batch)] if work == "forward" else []
        super().__init__(library, work, case, ctypes.byref(self._matrix), *batch, POINTER(case.x.ctypes.data))

    def run(self) -> None:
        self._require(self._run(self._object))

    def result(self) -> np.ndarray:
        self._require(self._result(self._object, self._y.ctypes.data))
        return self._y


class NativeStep(NativeObject):
    """A whole training step."""

    def __init__(self, library: ctypes.CDLL, case: StepCase) -> None:
        self._matrices = case.layers
        self._layers = (MatrixStruct * len(case.layers))(*map(matrix_struct, case.layers))
        self._network = NetworkStruct(len(case.layers), self._layers, case.batch, len(case.labels) // case.batch,
                                      case.samples.ctypes.data, case.labels.ctypes.data, case.alpha, case.dropout,
                                      case.learning_rate, case.momentum, case.weight_decay)
        self._loss = ctypes.c_double()
        self._loss_pointer = ctypes.addressof(self._loss)
        self._weights = library.peer_step_weights
        self._weights.restype, self._weights.argtypes = ctypes.c_int32, [POINTER, ctypes.c_int64, POINTER, POINTER]
        super().__init__(library, "step", case, ctypes.byref(self._network))

    def run(self) -> float:
        self._require(self._run(self._object, self._loss_pointer))
        return self._loss.value

    def weights(self, layer: int) -> tuple[np.ndarray, np.ndarray]:
        matrix = self._matrices[layer]
        values = np.empty(matrix.connections, dtype=np.float32)
        bias = np.empty(matrix.outputs, dtype=np.float32)
        self._require(self._weights(self._object, layer, values.ctypes.data, bias.ctypes.data))
        return values, bias


class NativePeer:
    """One shared object of peer.h."""

    def __init__(self, build: Path, name: str) -> None:
        path = build / f"{name}.so"
        if not path.exists():
            raise Missing(first_error(build / f"{name}.log"))
        try:
            self.library = ctypes.CDLL(str(path))
        except OSError as error:
            raise Missing(str(error)) from error

    def version(self) -> str:
        self.library.peer_version.restype = ctypes.c_char_p
        return str(self.library.peer_version().decode())

    def forward(self, case: LayerCase) -> NativeLayer:
        return NativeLayer(self.library, "forward", case)

    def predict(self, case: LayerCase) -> NativeLayer:
        return NativeLayer(self.library, "predict", case)

    def step(self, case: StepCase) -> NativeStep:
        return NativeStep(self.library, case)


def first_error(log: Path) -> str:
    """Why a peer was not compiled."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    reasons = [line.split("error: ")[1] for line in lines if "error: " in line]
    return reasons[0] if reasons else "not compiled"
