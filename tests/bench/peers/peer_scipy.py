"""SciPy: csr (outputs x inputs) times a feature-major batch or one sample, single precision, 32-bit indices."""

from __future__ import annotations

import numpy as np
import scipy
import scipy.sparse

from cases import LayerCase


class ScipyLayer:
    """y = W^T x the way one writes it."""

    def __init__(self, case: LayerCase) -> None:
        matrix = case.matrix
        weights = scipy.sparse.csr_matrix((matrix.values, matrix.column, matrix.row_ptr.astype(np.int32)),
                                          shape=(matrix.inputs, matrix.outputs))
        self.weights = weights.T.tocsr()
        self.x = case.x
        self.y = np.zeros(0, dtype=np.float32)

    def run(self) -> None:
        self.y = self.weights @ self.x

    def result(self) -> np.ndarray:
        return self.y


class ScipyLoop(ScipyLayer):
    """The compiled loop under csr @ x, without what Python does around it."""

    def __init__(self, case: LayerCase) -> None:
        super().__init__(case)
        self.y = np.zeros(case.matrix.outputs, dtype=np.float32)

    def run(self) -> None:
        self.y[:] = 0  # the loop adds
        scipy.sparse._sparsetools.csr_matvec(*self.weights.shape, self.weights.indptr, self.weights.indices,
                                             self.weights.data, self.x, self.y)


class ScipyPeer:
    """csr @ x."""

    def version(self) -> str:
        return f"SciPy {scipy.__version__} csr"

    def forward(self, case: LayerCase) -> ScipyLayer:
        return ScipyLayer(case)

    def predict(self, case: LayerCase) -> ScipyLayer:
        return ScipyLayer(case)


class ScipyLoopPeer:
    """Only the loop."""

    def version(self) -> str:
        return f"SciPy {scipy.__version__} csr_matvec"

    def predict(self, case: LayerCase) -> ScipyLoop:
        return ScipyLoop(case)
