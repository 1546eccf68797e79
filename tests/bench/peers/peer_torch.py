"""PyTorch on the CPU: sparse CSR tensors, and the masked dense layer that stands in for a sparse one."""

from __future__ import annotations

import numpy as np
import torch

from cases import LayerCase, Matrix, StepCase
from errors import Refused

MOST_BYTES = 12e9


def csr_of(matrix: Matrix) -> torch.Tensor:
    """Inputs x outputs, with 32-bit indices: those go to MKL as they are. Copied, since steps change them in place."""
    arrays = (matrix.row_ptr.astype(np.int32), matrix.column.copy(), matrix.values.copy())
    pointers, columns, values = (torch.from_numpy(array) for array in arrays)
    return torch.sparse_csr_tensor(pointers, columns, values, size=(matrix.inputs, matrix.outputs))


def transposed(matrix: Matrix) -> tuple[Matrix, np.ndarray]:
    """The CSR of W^T, and where in W each of its values comes from."""
    order = np.argsort(matrix.column, kind="stable")
    row_ptr = np.zeros(matrix.outputs + 1, dtype=np.int64)
    np.cumsum(np.bincount(matrix.column, minlength=matrix.outputs), out=row_ptr[1:])
    return Matrix(matrix.outputs, matrix.inputs, row_ptr, matrix.rows()[order], matrix.values[order]), order


class TorchLayer:
    """csr (outputs x inputs) @ x, feature-major."""

    def __init__(self, case: LayerCase) -> None:
        self.weights = csr_of(transposed(case.matrix)[0])
        self.x = torch.from_numpy(case.x)
        self.y = torch.zeros(0)

    def run(self) -> None:
        self.y = self.weights @ self.x

    def result(self) -> np.ndarray:
        return self.y.numpy()


class TorchStep:
    """What both kinds of step share: All-ReLU, dropout, loss, momentum, decay. Subclasses hold the weights.

    Arrays are feature-major for sparse weights and batch-major for dense ones: `feature_axis` is where neurons are."""

    feature_axis = 1

    def __init__(self, case: StepCase) -> None:
        self.case = case
        self.samples = torch.from_numpy(case.samples)
        self.labels = torch.from_numpy(case.labels.astype(np.int64))
        self.biases = [torch.zeros(matrix.outputs, requires_grad=True) for matrix in case.layers]
        self.bias_velocities = [torch.zeros_like(bias) for bias in self.biases]
        self.taken = 0

    def batch(self) -> tuple[torch.Tensor, torch.Tensor]:
        first = self.taken * self.case.batch % len(self.labels)
        self.taken += 1
        return self.samples[first:first + self.case.batch], self.labels[first:first + self.case.batch]

    def activate(self, z: torch.Tensor, layer: int) -> torch.Tensor:
        a = torch.nn.functional.leaky_relu(z, self.case.slope(layer))
        return torch.nn.functional.dropout(a, self.case.dropout) if self.case.dropout > 0 else a

    def descend(self, weight: torch.Tensor, velocity: torch.Tensor, gradient: torch.Tensor) -> None:
        """In place; plain arrays of one layer."""
        velocity.mul_(self.case.momentum).sub_(gradient, alpha=self.case.learning_rate)
        weight.mul_(1.0 - self.case.weight_decay).add_(velocity)


class MaskedDenseStep(TorchStep):
    """Full matrices times a mask, and autograd."""

    def __init__(self, case: StepCase) -> None:
        needed = sum(20 * matrix.inputs * matrix.outputs for matrix in case.layers)
        if needed > MOST_BYTES:
            raise Refused(f"dense matrices of {needed / 1e9:.0f} GB")
        super().__init__(case)
        dense = [csr_of(matrix).to_dense().T.contiguous() for matrix in case.layers]
        self.masks = [(weight != 0).float() for weight in dense]
        self.dense = [weight.requires_grad_() for weight in dense]
        self.velocities = [torch.zeros_like(weight) for weight in dense]

    def run(self) -> float:
        a, labels = self.batch()
        for layer, (weight, mask, bias) in enumerate(zip(self.dense, self.masks, self.biases)):
            z = torch.nn.functional.linear(a, weight * mask, bias)
            a = self.activate(z, layer) if layer < len(self.dense) - 1 else z
        loss = torch.nn.functional.cross_entropy(a, labels)
        gradients = torch.autograd.grad(loss, self.dense + self.biases)
        with torch.no_grad():
            for weight, velocity, gradient in zip(self.dense + self.biases, self.velocities + self.bias_velocities,
                                                  gradients):
                self.descend(weight, velocity, gradient)
        return loss.item()

    def weights(self, layer: int) -> tuple[np.ndarray, np.ndarray]:
        matrix = self.case.layers[layer]
        weight = self.dense[layer].detach().numpy()
        return weight[matrix.column, matrix.rows()], self.biases[layer].detach().numpy()


class SparseCsrStep(TorchStep):
    """CSR products both ways; the gradient at the connections by torch.sparse.sampled_addmm. Autograd cannot do this
    without dense gradients, so the chain is written out; a second copy of each layer, transposed, is kept in step."""

    def __init__(self, case: StepCase) -> None:
        super().__init__(case)
        pairs = [transposed(matrix) for matrix in case.layers]
        self.backward_weights = [csr_of(matrix) for matrix in case.layers]
        self.forward_weights = [csr_of(pair[0]) for pair in pairs]
        self.orders = [torch.from_numpy(pair[1]) for pair in pairs]
        self.velocities = [torch.zeros(matrix.connections) for matrix in case.layers]

    @torch.no_grad()
    def run(self) -> float:
        samples, labels = self.batch()
        a, factors = [samples.T.contiguous()], []
        for layer, weights in enumerate(self.forward_weights):
            z = weights @ a[-1] + self.biases[layer][:, None]
            if layer == len(self.forward_weights) - 1:
                break
            factor = torch.where(z < 0, self.case.slope(layer), 1.0)
            if self.case.dropout > 0:
                factor = torch.nn.functional.dropout(factor, self.case.dropout)
            factors.append(factor)
            a.append(z * factor)
        loss = torch.nn.functional.cross_entropy(z.T, labels)
        delta = torch.softmax(z, dim=0)
        delta[labels, torch.arange(self.case.batch)] -= 1.0
        delta /= self.case.batch
        for layer in reversed(range(len(a))):
            weights = self.backward_weights[layer]
            gradient = torch.sparse.sampled_addmm(weights, a[layer], delta.T, beta=0.0).values()
            bias_gradient = delta.sum(dim=1)
            if layer > 0:
                delta = (weights @ delta) * factors[layer - 1]
            self.descend(weights.values(), self.velocities[layer], gradient)
            self.descend(self.biases[layer], self.bias_velocities[layer], bias_gradient)
            torch.index_select(weights.values(), 0, self.orders[layer], out=self.forward_weights[layer].values())
        return loss.item()

    def weights(self, layer: int) -> tuple[np.ndarray, np.ndarray]:
        return self.backward_weights[layer].values().numpy(), self.biases[layer].detach().numpy()


def version_of(kind: str) -> str:
    return f"PyTorch {torch.__version__.split('+')[0]} {kind}"


class TorchCsrPeer:
    """torch.sparse_csr_tensor."""

    def __init__(self) -> None:
        torch.set_num_threads(1)

    def version(self) -> str:
        return version_of("sparse CSR")

    def forward(self, case: LayerCase) -> TorchLayer:
        return TorchLayer(case)

    def predict(self, case: LayerCase) -> TorchLayer:
        return TorchLayer(case)

    def step(self, case: StepCase) -> SparseCsrStep:
        return SparseCsrStep(case)


class TorchMaskedPeer:
    """weight * mask."""

    def __init__(self) -> None:
        torch.set_num_threads(1)

    def version(self) -> str:
        return version_of("masked dense")

    def step(self, case: StepCase) -> MaskedDenseStep:
        return MaskedDenseStep(case)
