"""A frozen copy of a network, which any number of threads share."""

from __future__ import annotations

import ctypes
import os
import threading

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arrays import Floats, Labels, address, as_floats, as_output
from .context import TEXT_BYTES, Context, Owner
from .errors import ShapeError, StateError, error_of
from .kinds import Status
from .network import Activation, Network
from .structs import PredictorInfo, PredictorLoadOptions, PredictorOptions

BATCH = 128


class Packed(Owner):
    """The packed network. It does not need the context once it is made."""

    def __init__(self, context: Context, create: str, *arguments: object) -> None:
        pointer = ctypes.c_void_p()
        context.call(create, context.handle, *arguments, ctypes.byref(pointer))
        self._own(context, "tsnn_predictor_destroy", pointer, ())


class Predictor:
    """Predicts on any thread, without a lock. The network may learn on meanwhile, or be closed."""

    def __init__(self, network: Network) -> None:
        self._take(Packed(network.context, "tsnn_predictor_create", network.handle, ctypes.byref(PredictorOptions())),
                   network.context, network.custom_activations)

    @classmethod
    def load(cls, source: bytes | os.PathLike[str] | str, custom: Activation | None = None,
             context: Context | None = None) -> Predictor:
        """A predictor from a model file or from the bytes of one, without a network in between. `custom` stands for a
        function of your own that the network was saved with; `context` chooses the instruction set."""
        if context is None:
            context = Context() if custom is None else custom.context
        options = PredictorLoadOptions(custom=None if custom is None else custom.handle)
        where = (source, len(source)) if isinstance(source, bytes) else (os.fsencode(source),)
        name = "tsnn_predictor_load_memory" if isinstance(source, bytes) else "tsnn_predictor_load"
        predictor = cls.__new__(cls)
        predictor._take(Packed(context, name, *where, ctypes.byref(options)),
                        context if custom is None else custom.context, () if custom is None else (custom,))
        return predictor

    def _take(self, packed: Packed, context: Context, custom: tuple[Activation, ...]) -> None:
        """The context is the one whose activations raise."""
        self._custom = custom  # its functions must live as long as they are called
        self._raised = context.raised
        self._library = context.library
        info = PredictorInfo()
        self._check(self._library.tsnn_predictor_get_info(packed.handle, ctypes.byref(info)))
        self.inputs, self.outputs = int(info.inputs), int(info.outputs)
        # Not closed but let go: the last thread that predicts gives it back.
        self._packed: Packed | None = packed
        self._own_memory = threading.local()

    def close(self) -> None:
        self._packed = None

    def predict(self, features: ArrayLike, out: Floats | None = None) -> Floats:
        """The outputs for rows of features, written into `out` where it is given."""
        rows = self._rows(features)
        outputs = as_output(out, (len(rows), self.outputs), np.float32)
        self._call("tsnn_predictor_predict", rows, outputs)
        return outputs

    def classify(self, features: ArrayLike, out: Labels | None = None) -> Labels:
        """The class of each row."""
        rows = self._rows(features)
        labels = as_output(out, (len(rows),), np.int32)
        self._call("tsnn_predictor_classify", rows, labels)
        return labels

    def _rows(self, features: ArrayLike) -> Floats:
        rows = as_floats(features, "features", 2)
        if rows.shape[1] != self.inputs:
            raise ShapeError(Status.SHAPE, f"features: {rows.shape[1]} a row, but the network takes {self.inputs}")
        return rows

    def _call(self, name: str, rows: Floats, answers: Floats | Labels) -> None:
        packed = self._packed
        if packed is None:
            raise StateError(Status.STATE, "this Predictor is closed")
        workspace, _memory = self._workspace(packed)
        status = getattr(self._library, name)(packed.handle, workspace, address(rows), len(rows), address(answers),
                                              answers.size)
        self._raised.raise_again()
        if status < 0:
            buffer = ctypes.create_string_buffer(TEXT_BYTES)
            self._library.tsnn_predictor_workspace_error(workspace, buffer, TEXT_BYTES, None)
            raise error_of(status, buffer.value.decode(errors="replace"))

    def _workspace(self, packed: Packed) -> tuple[ctypes.c_void_p, NDArray[np.uint8]]:
        """This thread's, in memory that goes with the thread."""
        if not hasattr(self._own_memory, "workspace"):
            size, workspace = ctypes.c_int64(), ctypes.c_void_p()
            self._check(self._library.tsnn_predictor_workspace_size(packed.handle, BATCH, ctypes.byref(size)))
            memory = np.empty(size.value, np.uint8)
            self._check(self._library.tsnn_predictor_workspace_init(packed.handle, BATCH, address(memory), size.value,
                                                                    ctypes.byref(workspace)))
            self._own_memory.workspace = workspace, memory
        return self._own_memory.workspace  # type: ignore[no-any-return]

    def _check(self, status: int) -> None:
        if status < 0:
            raise error_of(status, self._library.tsnn_status_string(status).decode())
