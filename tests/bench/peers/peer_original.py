"""The way of the paper's own Python code (Curci, Mocanu, Pechenizkiy, arXiv 2102.01732), written anew: SciPy products
of batch-major activations in double precision, and a compiled loop over the connections for the gradient."""

from __future__ import annotations

import numba
import numpy as np
import scipy
import scipy.sparse

from cases import Matrix, StepCase


@numba.njit(cache=True, fastmath=True)
def weight_gradient(a: np.ndarray, delta: np.ndarray, rows: np.ndarray, columns: np.ndarray, out: np.ndarray) -> None:
    """out_k = mean over the samples of a[:, rows_k] delta[:, columns_k]."""
    for k in range(len(rows)):
        total = 0.0
        for sample in range(a.shape[0]):
            total += a[sample, rows[k]] * delta[sample, columns[k]]
        out[k] = total / a.shape[0]


def csr_of(matrix: Matrix) -> scipy.sparse.csr_matrix:
    arrays = (matrix.values.astype(np.float64), matrix.column.copy(), matrix.row_ptr.astype(np.int32))
    return scipy.sparse.csr_matrix(arrays, shape=(matrix.inputs, matrix.outputs))


class OriginalStep:
    """Forward, softmax and cross-entropy, backward, momentum, decay."""

    def __init__(self, case: StepCase) -> None:
        self.case = case
        self.samples = case.samples.astype(np.float64)
        self.w = [csr_of(matrix) for matrix in case.layers]
        self.b = [np.zeros(matrix.outputs) for matrix in case.layers]
        self.w_velocity = [0.0 * w for w in self.w]
        self.b_velocity = [np.zeros_like(b) for b in self.b]
        self.rng = np.random.default_rng(1)
        self.taken = 0

    def run(self) -> float:
        case = self.case
        first = self.taken * case.batch % len(case.labels)
        self.taken += 1
        labels = case.labels[first:first + case.batch]
        a, factor = self.forward(self.samples[first:first + case.batch])
        delta = a[-1].copy()
        delta[np.arange(case.batch), labels] -= 1.0
        loss = float(-np.mean(np.log(a[-1][np.arange(case.batch), labels])))
        updates = []
        for layer in reversed(range(len(self.w))):
            updates.append((layer, self.gradient(layer, a[layer], delta), delta.mean(axis=0)))
            if layer > 0:
                delta = (delta @ self.w[layer].T) * factor[layer - 1]
        for layer, w_gradient, b_gradient in updates:
            self.update(layer, w_gradient, b_gradient)
        return loss

    def forward(self, samples: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Activations of every layer, the samples first; derivative times dropout of every hidden one."""
        a, factor = [samples], []
        rate = self.case.dropout
        for layer, (w, b) in enumerate(zip(self.w, self.b)):
            z = a[-1] @ w + b
            if layer == len(self.w) - 1:
                p = np.exp(z - z.max(axis=1, keepdims=True))
                a.append(p / p.sum(axis=1, keepdims=True))
                break
            slope = np.where(z < 0, self.case.slope(layer), 1.0)
            if rate > 0:
                slope *= (self.rng.random(z.shape) >= rate) / (1.0 - rate)
            factor.append(slope)
            a.append(z * slope)
        return a, factor

    def gradient(self, layer: int, a: np.ndarray, delta: np.ndarray) -> scipy.sparse.csr_matrix:
        places = self.w[layer].tocoo()
        values = np.empty(places.nnz)
        weight_gradient(a, delta, places.row, places.col, values)
        return scipy.sparse.coo_matrix((values, (places.row, places.col)), shape=places.shape).tocsr()

    def update(self, layer: int, w_gradient: scipy.sparse.csr_matrix, b_gradient: np.ndarray) -> None:
        case = self.case
        self.w_velocity[layer] = case.momentum * self.w_velocity[layer] - case.learning_rate * w_gradient
        self.b_velocity[layer] = case.momentum * self.b_velocity[layer] - case.learning_rate * b_gradient
        self.w[layer] += self.w_velocity[layer] - case.weight_decay * self.w[layer]
        self.b[layer] += self.b_velocity[layer] - case.weight_decay * self.b[layer]

    def weights(self, layer: int) -> tuple[np.ndarray, np.ndarray]:
        w = self.w[layer]
        w.sort_indices()
        return w.data.astype(np.float32), self.b[layer].astype(np.float32)


class OriginalPeer:
    """The paper's Python."""

    def version(self) -> str:
        return f"original's way (SciPy {scipy.__version__}, Numba {numba.__version__})"

    def step(self, case: StepCase) -> OriginalStep:
        return OriginalStep(case)
