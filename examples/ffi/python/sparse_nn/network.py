"""Layers, activations, and the networks made of them."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arrays import Floats, Labels, address, as_floats, as_integers, as_output
from .callbacks import Derivative, Function, activation_derivative, activation_function
from .context import Context, Object
from .data import Dataset, Standardizer
from .errors import ShapeError
from .files import saved_bytes
from .kinds import ActivationKind, Fan, Init, Sampling, Status, choose
from .structs import (ActivationOptions, Evaluation, LayerInfo, LayerOptions, LoadOptions, MlpOptions, NetworkInfo,
                      SaveOptions)
from .training import Loss

Csr = tuple[NDArray[np.int64], NDArray[np.int32], Floats]


class Activation(Object):
    """An activation of a layer: by name, or your own `function(z)` with `derivative(z, a)`, both of whole arrays."""

    destroy = "tsnn_activation_destroy"

    def __init__(self, context: Context, kind: ActivationKind | str = ActivationKind.IDENTITY, alpha: float = 0.0, *,
                 function: Function | None = None, derivative: Derivative | None = None) -> None:
        custom = function is not None and derivative is not None
        options = ActivationOptions(kind=ActivationKind.CUSTOM if custom else choose(ActivationKind, kind), alpha=alpha)
        if function is not None:
            options.function = activation_function(function, context.raised)
        if derivative is not None:
            options.derivative = activation_derivative(derivative, context.raised)
        self.options = options  # its functions must live as long as a network calls them
        super().__init__(context, "tsnn_activation_create", context.handle, ctypes.byref(options))

    @property
    def custom(self) -> bool:
        return bool(self.options.kind == ActivationKind.CUSTOM)

    def __call__(self, z: ArrayLike, hidden_index: int = 0) -> Floats:
        """The activation of plain numbers."""
        numbers = as_floats(z, "z", 1)
        a = np.empty_like(numbers)
        self.context.call("tsnn_activation_evaluate", self.handle, hidden_index, address(numbers), address(a), None,
                          len(numbers))
        return a


class LayerCalls:
    """What can be asked of a layer, whoever owns it."""

    context: Context

    @property
    def handle(self) -> ctypes.c_void_p:
        raise NotImplementedError

    def info(self) -> LayerInfo:
        info = LayerInfo()
        with self.context.held():
            self.context.call("tsnn_layer_get_info", self.handle, ctypes.byref(info))
        return info

    def csr(self) -> Csr:
        """Row pointers, columns and weights: scipy.sparse.csr_array((weights, columns, row_pointers), shape)."""
        with self.context.held():
            info = self.info()
            row_ptr = np.empty(info.inputs + 1, np.int64)
            column, values = np.empty(info.connections, np.int32), np.empty(info.connections, np.float32)
            self.context.call("tsnn_layer_get_csr", self.handle, address(row_ptr), len(row_ptr), address(column),
                              address(values), len(values))
        return row_ptr, column, values

    def bias(self) -> Floats:
        with self.context.held():
            bias = np.empty(self.info().outputs, np.float32)
            self.context.call("tsnn_layer_get_bias", self.handle, address(bias), len(bias))
        return bias

    def importance(self) -> NDArray[np.float64]:
        """The sum of |weight| into each neuron, by which pruning decides."""
        with self.context.held():
            importance = np.empty(self.info().outputs, np.float64)
            self.context.call("tsnn_layer_get_importance", self.handle, address(importance), len(importance))
        return importance

    def set_weights(self, values: ArrayLike | None = None, bias: ArrayLike | None = None) -> None:
        """Replaces weights, in the order of csr(), biases, or both; the topology stays."""
        weights = None if values is None else as_floats(values, "values", 1)
        biases = None if bias is None else as_floats(bias, "bias", 1)
        with self.context.held():
            self.context.call("tsnn_layer_set_weights", self.handle, address(weights),
                              0 if weights is None else len(weights), address(biases),
                              0 if biases is None else len(biases))

    def freeze(self, frozen: bool = True) -> None:
        with self.context.held():
            self.context.call("tsnn_layer_freeze", self.handle, int(frozen))


class Layer(Object, LayerCalls):
    """A layer of your own. Once it is appended to a network it is closed; the network lends it as network[k]."""

    destroy = "tsnn_layer_destroy"
    handle = Object.handle

    def __init__(self, context: Context, inputs: int, outputs: int, *, epsilon: float = 0.0, density: float = 0.0,
                 sampling: Sampling | str = Sampling.BERNOULLI, init: Init | str = Init.HE_UNIFORM,
                 fan: Fan | str = Fan.DENSE, init_scale: float = 0.0) -> None:
        options = LayerOptions(inputs=inputs, outputs=outputs, epsilon=epsilon, density=density, init_scale=init_scale,
                               sampling=choose(Sampling, sampling), init=choose(Init, init), fan=choose(Fan, fan))
        super().__init__(context, "tsnn_layer_create", context.handle, ctypes.byref(options))

    @classmethod
    def from_csr(cls, context: Context, outputs: int, row_ptr: ArrayLike, column: ArrayLike, values: ArrayLike,
                 bias: ArrayLike | None = None) -> Layer:
        """A layer with your connections: a CSR matrix of inputs x outputs, whose columns rise within a row."""
        rows, columns = as_integers(row_ptr, "row_ptr", np.int64), as_integers(column, "column", np.int32)
        weights = as_floats(values, "values", 1)
        biases = None if bias is None else as_floats(bias, "bias", 1)
        if len(columns) != len(weights) or (biases is not None and len(biases) != outputs):
            raise ShapeError(Status.SHAPE, f"{len(columns)} columns, {len(weights)} values, {outputs} outputs and "
                                           f"{outputs if biases is None else len(biases)} biases do not fit together")
        layer = cls.__new__(cls)
        Object.__init__(layer, context, "tsnn_layer_create_from_csr", context.handle, len(rows) - 1, outputs,
                        len(weights), address(rows), address(columns), address(weights), address(biases), 0)
        return layer


class NetworkLayer(LayerCalls):
    """A layer that its network lends, as it is at the time of each call."""

    def __init__(self, network: Network, index: int) -> None:
        self.context = network.context
        self._network = network
        self._index = index

    @property
    def handle(self) -> ctypes.c_void_p:
        pointer = ctypes.c_void_p()
        self.context.call("tsnn_network_get_layer", self._network.handle, self._index, ctypes.byref(pointer))
        return pointer


class Network(Object):
    """A feed-forward network of sparse layers; network[k] is layer k."""

    destroy = "tsnn_network_destroy"

    def __init__(self, context: Context) -> None:
        super().__init__(context, "tsnn_network_create", context.handle)
        self._custom: list[Activation] = []

    @classmethod
    def _from(cls, context: Context, custom: Sequence[Activation | None], create: str, *arguments: object) -> Network:
        network = cls.__new__(cls)
        Object.__init__(network, context, create, *arguments)
        network._custom = [activation for activation in custom if activation is not None and activation.custom]
        return network

    @classmethod
    def mlp(cls, context: Context, sizes: Sequence[int], *, epsilon: float = 0.0, hidden: Activation | None = None,
            output: Activation | None = None, dropout: float = 0.0, sampling: Sampling | str = Sampling.BERNOULLI,
            init: Init | str = Init.HE_UNIFORM, fan: Fan | str = Fan.DENSE, init_scale: float = 0.0) -> Network:
        """A multi-layer perceptron with random sparse layers, All-ReLU inside and softmax at the end by default."""
        counts = as_integers(sizes, "sizes", np.int64)
        options = MlpOptions(sizes=address(counts), size_count=len(counts), epsilon=epsilon, init_scale=init_scale,
                             sampling=choose(Sampling, sampling), init=choose(Init, init), fan=choose(Fan, fan),
                             hidden=None if hidden is None else hidden.handle,
                             output=None if output is None else output.handle, dropout=dropout)
        return cls._from(context, (hidden, output), "tsnn_network_create_mlp", context.handle, ctypes.byref(options))

    @classmethod
    def load(cls, context: Context, source: bytes | os.PathLike[str] | str,
             custom: Activation | None = None) -> Network:
        """A network from a model file or from the bytes of one. `custom` stands for a function of your own that the
        network was saved with."""
        options = LoadOptions(custom=None if custom is None else custom.handle)
        where = (source, len(source)) if isinstance(source, bytes) else (os.fsencode(source),)
        name = "tsnn_network_load_memory" if isinstance(source, bytes) else "tsnn_network_load"
        return cls._from(context, (custom,), name, context.handle, *where, ctypes.byref(options))

    def save(self, path: os.PathLike[str] | str, *, momentum: bool = False) -> None:
        """Writes a model file (safetensors)."""
        options = SaveOptions(momentum=int(momentum))
        self.context.call("tsnn_network_save", self.handle, ctypes.byref(options), os.fsencode(path))

    def to_bytes(self, *, momentum: bool = False) -> bytes:
        """The bytes that save() writes."""
        return saved_bytes(self, "tsnn_network_save_memory", SaveOptions(momentum=int(momentum)))

    def copy(self) -> Network:
        return self._from(self.context, self._custom, "tsnn_network_copy", self.handle)

    def append(self, layer: Layer, activation: Activation | None = None, dropout: float = 0.0) -> None:
        """Takes the layer over. On failure it stays yours."""
        self.context.call("tsnn_network_append", self.handle, ctypes.byref(layer.handle),
                          None if activation is None else activation.handle, dropout)
        layer.close()
        if activation is not None and activation.custom:
            self._custom.append(activation)

    @property
    def custom_activations(self) -> tuple[Activation, ...]:
        return tuple(self._custom)

    def info(self) -> NetworkInfo:
        info = NetworkInfo()
        self.context.call("tsnn_network_get_info", self.handle, ctypes.byref(info))
        return info

    def __len__(self) -> int:
        return int(self.info().layers)

    def __getitem__(self, index: int) -> NetworkLayer:
        if not 0 <= index < len(self):
            raise IndexError(f"layer {index} of a network of {len(self)}")
        return NetworkLayer(self, index)

    def __iter__(self) -> Iterator[NetworkLayer]:
        return (NetworkLayer(self, index) for index in range(len(self)))

    def set_standardizer(self, standardizer: Standardizer | None) -> None:
        """Makes the network take raw features."""
        self.context.call("tsnn_network_set_standardizer", self.handle,
                          None if standardizer is None else standardizer.handle)

    def rows(self, features: ArrayLike) -> Floats:
        """Features as this network takes them."""
        array = as_floats(features, "features", 2)
        inputs = self.info().inputs
        if array.shape[1] != inputs:
            raise ShapeError(Status.SHAPE, f"features: {array.shape[1]} a row, but the network takes {inputs}")
        return array

    def predict(self, features: ArrayLike, out: Floats | None = None) -> Floats:
        """The outputs for rows of features, written into `out` where it is given."""
        rows = self.rows(features)
        outputs = as_output(out, (len(rows), int(self.info().outputs)), np.float32)
        self.context.call("tsnn_network_predict", self.handle, address(rows), len(rows), address(outputs), outputs.size)
        return outputs

    def classify(self, features: ArrayLike, out: Labels | None = None) -> Labels:
        """The class of each row."""
        rows = self.rows(features)
        labels = as_output(out, (len(rows),), np.int32)
        self.context.call("tsnn_network_classify", self.handle, address(rows), len(rows), address(labels), labels.size)
        return labels

    def evaluate(self, dataset: Dataset, loss: Loss | None = None) -> Evaluation:
        """Accuracy, and loss where one is given, over a data set."""
        evaluation = Evaluation()
        self.context.call("tsnn_network_evaluate", self.handle, None if loss is None else loss.handle, dataset.handle,
                          ctypes.byref(evaluation))
        return evaluation
