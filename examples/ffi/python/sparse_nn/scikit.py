"""scikit-learn's base classes and checks, or the little of them that the estimators need where it is not installed."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arrays import as_floats

__all__ = ["BaseEstimator", "ClassifierMixin", "NotFittedError", "RegressorMixin", "check_classification_targets",
           "seed_of", "validate_data"]

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.multiclass import check_classification_targets

    try:
        from sklearn.utils.validation import validate_data
    except ImportError:  # before 1.6

        def validate_data(estimator: Any, *data: Any, **checks: Any) -> Any:
            return estimator._validate_data(*data, **checks)

except ImportError:

    class NotFittedError(ValueError, AttributeError):  # type: ignore[no-redef]
        """The estimator has not learned yet."""

    class BaseEstimator:  # type: ignore[no-redef]
        """The parameters of an estimator are the arguments of its constructor."""

        def get_params(self, deep: bool = True) -> dict[str, Any]:
            return {name: getattr(self, name) for name in inspect.signature(type(self)).parameters}

        def set_params(self, **params: Any) -> Any:
            for name, value in params.items():
                if name not in self.get_params():
                    raise ValueError(f"Invalid parameter {name!r} for estimator {type(self).__name__}")
                setattr(self, name, value)
            return self

    class ClassifierMixin:  # type: ignore[no-redef]
        def score(self, X: ArrayLike, y: ArrayLike) -> float:
            """Accuracy."""
            return float(np.mean(self.predict(X) == np.asarray(y)))  # type: ignore[attr-defined]

    class RegressorMixin:  # type: ignore[no-redef]
        def score(self, X: ArrayLike, y: ArrayLike) -> float:
            """R squared, the mean over the targets."""
            truth = np.asarray(y, np.float64)
            rest = np.sum((truth - self.predict(X)) ** 2, axis=0)  # type: ignore[attr-defined]
            return float(np.mean(1.0 - rest / np.sum((truth - truth.mean(axis=0)) ** 2, axis=0)))

    def check_classification_targets(y: Any) -> None:
        kind = np.asarray(y).dtype.kind
        if kind == "c" or (kind == "f" and not np.all(np.equal(np.mod(y, 1), 0))):
            raise ValueError("Unknown label type: these are no classes")

    def validate_data(estimator: Any, X: ArrayLike, y: Any = None, *, reset: bool = True, multi_output: bool = False,
                      y_numeric: bool = False, **_: Any) -> Any:
        rows = as_floats(X, "X", 2)
        if not np.isfinite(rows).all():
            raise ValueError("Input X contains NaN or infinity")
        if reset:
            estimator.n_features_in_ = rows.shape[1]
        elif rows.shape[1] != estimator.n_features_in_:
            raise ValueError(f"X has {rows.shape[1]} features, but {type(estimator).__name__} is expecting "
                             f"{estimator.n_features_in_} features as input")
        if y is None:
            return rows
        truth = np.asarray(y)
        if len(truth) != len(rows) or truth.ndim not in ((1, 2) if multi_output else (1,)):
            raise ValueError(f"y has the shape {truth.shape}; X has {len(rows)} rows")
        if truth.dtype.kind == "f" and not np.isfinite(truth).all():
            raise ValueError("Input y contains NaN or infinity")
        return rows, truth.astype(np.float64) if y_numeric else truth


def seed_of(random_state: Any) -> int:
    """scikit-learn's notion of random_state: None for another seed each time, a seed, or a generator to draw one."""
    if random_state is None:
        return int(np.random.randint(2**31 - 1))
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31 - 1))
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**31 - 1))
    return int(random_state)
