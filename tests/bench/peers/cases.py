"""The data of every case: random layers and batches for the shapes and networks of cases.h, the same on each run."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

# Above this many cells positions are drawn with repetition and made unique; below it, from all cells.
MOST_CELLS_LISTED = 50_000_000
BATCHES = 8
LEARNING_RATE = 0.01
MOMENTUM = 0.9
WEIGHT_DECAY = 0.0002
DROPOUT = 0.3


class ShapeRow(ctypes.Structure):
    """bench_shape of cases.h."""

    _fields_ = [("name", ctypes.c_char_p), ("inputs", ctypes.c_int64), ("outputs", ctypes.c_int64),
                ("batch", ctypes.c_int64), ("epsilon", ctypes.c_double)]


class NetworkRow(ctypes.Structure):
    """bench_network of cases.h."""

    _fields_ = [("name", ctypes.c_char_p), ("batch", ctypes.c_int64), ("epsilon", ctypes.c_double),
                ("alpha", ctypes.c_double), ("size_count", ctypes.c_int64), ("sizes", ctypes.c_int64 * 5)]


@dataclass(frozen=True)
class Matrix:
    """The weights of a layer: CSR, rows = inputs, columns = outputs."""

    inputs: int
    outputs: int
    row_ptr: np.ndarray  # int64
    column: np.ndarray  # int32, rising in a row
    values: np.ndarray  # float32

    @property
    def connections(self) -> int:
        return len(self.column)

    def rows(self) -> np.ndarray:
        """The input of each connection, int32."""
        return np.repeat(np.arange(self.inputs, dtype=np.int32), np.diff(self.row_ptr))


@dataclass(frozen=True)
class LayerCase:
    """One layer and what enters it: a feature-major batch (inputs x batch), or one sample (inputs)."""

    name: str
    matrix: Matrix
    x: np.ndarray  # float32

    @property
    def batch(self) -> int:
        return self.x.shape[1] if self.x.ndim == 2 else 1


@dataclass(frozen=True)
class StepCase:
    """A network, samples of BATCHES batches, and the rule of a training step."""

    name: str
    layers: list[Matrix]
    batch: int
    samples: np.ndarray  # (BATCHES batch) x inputs, float32
    labels: np.ndarray  # BATCHES batch, int32
    alpha: float
    dropout: float
    learning_rate: float = LEARNING_RATE
    momentum: float = MOMENTUM
    weight_decay: float = WEIGHT_DECAY

    def slope(self, layer: int) -> float:
        """Of All-ReLU for negative z in a hidden layer."""
        return -self.alpha if layer % 2 == 0 else self.alpha


def random_positions(rng: np.random.Generator, cells: int, count: int) -> np.ndarray:
    """`count` different cells, sorted."""
    if count >= cells:
        return np.arange(cells, dtype=np.int64)
    if cells <= MOST_CELLS_LISTED:
        return np.sort(rng.choice(cells, count, replace=False))
    found = np.unique(rng.integers(cells, size=count + count // 8, dtype=np.int64))
    if len(found) < count:
        return random_positions(rng, cells, count)
    return np.sort(rng.choice(found, count, replace=False))


def random_matrix(rng: np.random.Generator, inputs: int, outputs: int, epsilon: float) -> Matrix:
    """Erdos-Renyi positions, weights uniform with the variance that keeps signals at their size."""
    cells = inputs * outputs
    position = random_positions(rng, cells, min(cells, round(epsilon * (inputs + outputs))))
    row, column = np.divmod(position, outputs)
    row_ptr = np.zeros(inputs + 1, dtype=np.int64)
    np.cumsum(np.bincount(row, minlength=inputs), out=row_ptr[1:])
    width = np.sqrt(6.0 * outputs / len(position))
    values = rng.uniform(-width, width, len(position)).astype(np.float32)
    return Matrix(inputs, outputs, row_ptr, column.astype(np.int32), values)


def rows_of(library: ctypes.CDLL, function: str, row_type: type[ctypes.Structure]) -> dict[str, ctypes.Structure]:
    at = getattr(library, function)
    at.argtypes, at.restype = [ctypes.c_int64], ctypes.POINTER(row_type)
    rows: dict[str, ctypes.Structure] = {}
    while row := at(len(rows)):
        rows[row.contents.name.decode()] = row.contents
    return rows


class Cases:
    """The table of cases.h, read from libtsnn's shared object, and the data for each."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self.shapes = rows_of(library, "bench_shape_at", ShapeRow)
        self.networks = rows_of(library, "bench_network_at", NetworkRow)

    def names(self, work: str) -> list[str]:
        return list(self.networks if work == "step" else self.shapes)

    def describe(self, work: str, name: str) -> str:
        if work == "step":
            row = self.networks[name]
            return "-".join(str(size) for size in row.sizes[:row.size_count])
        return f"{self.shapes[name].inputs}x{self.shapes[name].outputs}"

    def layer(self, work: str, name: str) -> LayerCase:
        row, rng = self.shapes[name], np.random.default_rng(1)
        matrix = random_matrix(rng, row.inputs, row.outputs, row.epsilon)
        shape = (row.inputs, row.batch) if work == "forward" else (row.inputs,)
        return LayerCase(name, matrix, rng.standard_normal(shape, dtype=np.float32))

    def step(self, name: str, dropout: float) -> StepCase:
        row, rng = self.networks[name], np.random.default_rng(1)
        sizes = row.sizes[:row.size_count]
        layers = [random_matrix(rng, n, m, row.epsilon) for n, m in pairwise(sizes)]
        samples = rng.standard_normal((BATCHES * row.batch, sizes[0]), dtype=np.float32)
        labels = rng.integers(sizes[-1], size=BATCHES * row.batch, dtype=np.int32)
        return StepCase(name, layers, row.batch, samples, labels, row.alpha, dropout)
