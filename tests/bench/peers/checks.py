"""Whether a peer computes the same thing. Nothing is timed that has not passed here."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from cases import LayerCase, StepCase
from errors import Differs

# Of the largest number in the result; sums of a thousand products in single precision, in any order, stay well below.
LAYER_TOLERANCE = 1e-4
LOSS_TOLERANCE = 1e-4
# Of the largest change of a layer's weights; a change is a small difference of two single-precision numbers. Where z is
# 0 but for rounding, All-ReLU's derivative is one slope here, the other there: a few weights feel that sample's share.
CHANGE_TOLERANCE = 0.01
MOST_CHANGES = 0.98
FEW_CHANGES_TOLERANCE = 0.25
STEPS = 2  # the second one has momentum
SAMPLES_RECOMPUTED = 4


class Layer(Protocol):
    """Forward or predict, ours or a peer's."""

    def run(self) -> None: ...

    def result(self) -> np.ndarray: ...


class Step(Protocol):
    """A training step, ours or a peer's."""

    def run(self) -> float: ...

    def weights(self, layer: int) -> tuple[np.ndarray, np.ndarray]: ...


def require_near(name: str, got: np.ndarray, expected: np.ndarray, tolerance: float) -> None:
    if got.shape != expected.shape:
        raise Differs(f"{name}: shape {got.shape}, not {expected.shape}")
    scale = float(np.max(np.abs(expected), initial=0.0))
    error = float(np.max(np.abs(got - expected), initial=0.0))
    if not error <= tolerance * scale:  # a NaN fails
        raise Differs(f"{name}: off by {error:.3g}, largest number {scale:.3g}")


def require_near_changes(name: str, got: np.ndarray, expected: np.ndarray) -> None:
    require_near(name, got, expected, FEW_CHANGES_TOLERANCE)
    scale = float(np.max(np.abs(expected), initial=0.0))
    error = float(np.quantile(np.abs(got - expected), MOST_CHANGES))
    if not error <= CHANGE_TOLERANCE * scale:
        raise Differs(f"{name}: {1 - MOST_CHANGES:.0%} of them off by {error:.3g}, largest number {scale:.3g}")


def recomputed(case: LayerCase, x: np.ndarray) -> np.ndarray:
    """The outputs for one sample, in double precision and another order."""
    matrix = case.matrix
    products = matrix.values.astype(np.float64) * x[matrix.rows()]
    return np.bincount(matrix.column, weights=products, minlength=matrix.outputs)


def check_layer(case: LayerCase, ours: Layer, peer: Layer) -> None:
    """Both against each other, and both against double precision on a few samples."""
    ours.run()
    peer.run()
    our_result, peer_result = ours.result(), peer.result()
    require_near("all outputs", peer_result, our_result, LAYER_TOLERANCE)
    if case.x.ndim == 1:
        require_near("outputs", our_result, recomputed(case, case.x), LAYER_TOLERANCE)
        return
    for sample in np.linspace(0, case.batch - 1, SAMPLES_RECOMPUTED, dtype=int):
        expected = recomputed(case, case.x[:, sample])
        require_near(f"sample {sample} of ours", our_result[:, sample], expected, LAYER_TOLERANCE)
        require_near(f"sample {sample}", peer_result[:, sample], expected, LAYER_TOLERANCE)


def check_step(case: StepCase, ours: Step, peer: Step) -> None:
    """Losses of the first steps, then what they changed in every weight and bias. Needs a case without dropout."""
    for step in range(STEPS):
        expected, got = ours.run(), peer.run()
        require_near(f"loss of step {step + 1}", np.array([got]), np.array([expected]), LOSS_TOLERANCE)
    for index, matrix in enumerate(case.layers):
        our_values, our_bias = ours.weights(index)
        values, bias = peer.weights(index)
        require_near_changes(f"change of layer {index + 1}", values - matrix.values, our_values - matrix.values)
        require_near_changes(f"biases of layer {index + 1}", bias, our_bias)
