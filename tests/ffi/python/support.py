"""What the tests share: small data, small objects, and where the source tree is."""

from __future__ import annotations

import unittest
from pathlib import Path
from typing import Any

import numpy as np
from sparse_nn import Context, Dataset, Evolution, Loss, Network, Optimizer, Trainer, UnsupportedError

__all__ = ["ROOT", "Course", "moons", "needs_model_files", "needs_sklearn", "sklearn"]
ROOT = Path(__file__).resolve().parents[3]

try:
    import sklearn
except ImportError:
    sklearn = None

needs_sklearn = unittest.skipIf(sklearn is None, "no scikit-learn (make deps)")


def moons(samples: int = 200, seed: int = 0) -> tuple[Any, Any]:
    """Two half moons in two of six columns, a little noise in all."""
    generator = np.random.default_rng(seed)
    X = generator.uniform(-0.3, 0.3, (samples, 6)).astype(np.float32)
    y = (np.arange(samples) % 2).astype(np.int32)
    angle = generator.uniform(0, np.pi, samples)
    X[:, 1] = np.where(y, 1 - np.cos(angle), np.cos(angle)) + X[:, 1] / 3
    X[:, 4] = np.where(y, 0.5 - np.sin(angle), np.sin(angle)) + X[:, 4] / 3
    return X, y


class Course:
    """A context, a network, and a trainer of it with evolution."""

    def __init__(self, seed: int = 1, threads: int = 1, network: Network | None = None, **options: Any) -> None:
        X, y = moons()
        self.context = Context(seed=seed, threads=threads) if network is None else network.context
        self.network = Network.mlp(self.context, (6, 30, 20, 2), epsilon=6) if network is None else network
        self.data = Dataset(self.context, X, y)
        self.trainer = Trainer(self.network, Loss(self.context),
                               Optimizer(self.context, "momentum", learning_rate=0.05, momentum=0.9),
                               evolution=Evolution(self.context), **{"epochs": 5, "batch": 20, **options})

    def weights(self) -> bytes:
        return b"".join(layer.csr()[2].tobytes() + layer.bias().tobytes() for layer in self.network)


def needs_model_files(network: Network) -> None:
    try:
        network.to_bytes()
    except UnsupportedError:
        raise unittest.SkipTest("a build without model files") from None
