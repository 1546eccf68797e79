"""scikit-learn estimators over the library: a classifier and a regressor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .arrays import Floats, Labels
from .callbacks import Derivative, Function
from .model import Learned, Recipe
from .predictor import Predictor
from .scikit import (BaseEstimator, ClassifierMixin, NotFittedError, RegressorMixin, check_classification_targets,
                     seed_of, validate_data)
from .structs import EpochReport


NEVER_ZERO = ("epsilon", "alpha", "learning_rate", "momentum", "clip_norm", "epochs", "batch_size")


class SparseNetwork(BaseEstimator):  # type: ignore[misc]
    """What classifier and regressor share. Arguments are named as in the library's headers; None is its default.

    hidden_layer_sizes   neurons of each hidden layer
    epsilon              connections = epsilon (inputs + outputs) for each layer, at most all
    activation           "all_relu", "relu", "leaky_relu", "tanh", "sigmoid", or (function(z), derivative(z, a))
    alpha                slope of all_relu and leaky_relu
    dropout              share of hidden neurons that are dropped while training
    optimizer            "sgd", "momentum" or "nesterov", with momentum and weight_decay
    learning_rate        None: .01 for classes, .002 for targets
    schedule             "constant", "step" or "cosine", after warmup_epochs
    clip_norm            largest norm of the gradient; None: any
    zeta                 share of the connections that evolution replaces after each epoch; None or 0: none
    standardize          whether features are standardised as they enter the network
    on_epoch             called with a report after each epoch of fit(); a true answer ends the training
    n_jobs               threads; None: one, -1: all. Results do not depend on it
    random_state         seed: equal seeds give equal bits
    """

    _loss: str
    _learning_rate: float
    _learned: Learned | None = None

    def __init__(self, hidden_layer_sizes: Sequence[int] = (100, 100), *, epsilon: float = 20.0,
                 activation: str | tuple[Function, Derivative] = "all_relu", alpha: float | None = None,
                 dropout: float = 0.0, optimizer: str = "momentum", learning_rate: float | None = None,
                 momentum: float | None = None, weight_decay: float = 0.0, schedule: str = "constant",
                 warmup_epochs: float = 0.0, clip_norm: float | None = None, epochs: int = 100, batch_size: int = 32,
                 zeta: float | None = 0.3, standardize: bool = True,
                 on_epoch: Callable[[EpochReport], Any] | None = None, n_jobs: int | None = None,
                 random_state: Any = None) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.epsilon = epsilon
        self.activation = activation
        self.alpha = alpha
        self.dropout = dropout
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.weight_decay = weight_decay
        self.schedule = schedule
        self.warmup_epochs = warmup_epochs
        self.clip_norm = clip_norm
        self.epochs = epochs
        self.batch_size = batch_size
        self.zeta = zeta
        self.standardize = standardize
        self.on_epoch = on_epoch
        self.n_jobs = n_jobs
        self.random_state = random_state

    def __sklearn_is_fitted__(self) -> bool:
        return self._learned is not None

    def evolve(self) -> Any:
        """Replaces the share zeta of the connections, as fit() does after each epoch. For partial_fit(), which cannot
        know where an epoch of yours ends."""
        if not self.zeta:
            raise ValueError(f"zeta is {self.zeta}; it must tell what share to replace")
        self._fitted().evolve(self.zeta)
        return self

    def save(self, path: str) -> None:
        """Writes the network as a model file (safetensors), for programs without Python."""
        self._fitted().network.save(path)

    def predictor(self) -> Predictor:
        """A frozen copy of the network, for threads that serve: it takes no lock and is faster on single rows. Its last
        bits depend on the number of rows, which those of predict() do not."""
        return Predictor(self._fitted().network)

    def _recipe(self, seed: int) -> Recipe:
        for name in NEVER_ZERO:
            if getattr(self, name) == 0:  # which is the default, to the library
                raise ValueError(f"{name} is 0; it must be another number")
        rate = self._learning_rate if self.learning_rate is None else self.learning_rate
        threads = 1 if self.n_jobs is None else 0 if self.n_jobs == -1 else self.n_jobs
        return Recipe(loss=self._loss, hidden=tuple(self.hidden_layer_sizes), epsilon=self.epsilon,
                      activation=self.activation, alpha=self.alpha or 0.0, dropout=self.dropout,
                      optimizer=self.optimizer, learning_rate=rate, momentum=self.momentum or 0.0,
                      weight_decay=self.weight_decay, schedule=self.schedule, warmup_epochs=self.warmup_epochs,
                      clip_norm=self.clip_norm or 0.0, epochs=self.epochs, batch=self.batch_size,
                      zeta=self.zeta or None, standardize=self.standardize, threads=threads, seed=seed)

    def _fitted(self) -> Learned:
        if self._learned is None:
            raise NotFittedError(f"This {type(self).__name__} instance is not fitted yet; call 'fit' first")
        return self._learned

    @contextmanager
    def _as_before_on_failure(self) -> Iterator[None]:
        before = dict(self.__dict__)
        try:
            yield
        except BaseException:
            self.__dict__ = before
            raise

    def _checked(self, X: ArrayLike, *y: Any, reset: bool, **checks: Any) -> Any:
        """float32 in C order, which is not copied where it is that already."""
        return validate_data(self, X, *y, reset=reset, dtype=np.float32, order="C", **checks)

    def _learn(self, X: Floats, truth: Labels | Floats, outputs: int) -> None:
        """All epochs of a fresh network."""
        learned = Learned.begin(self._recipe(seed_of(self.random_state)), X, truth, outputs)
        losses: list[float] = []

        def on_epoch(report: EpochReport) -> Any:
            losses.append(report.train_loss)
            return self.on_epoch is not None and self.on_epoch(report)

        learned.run(X, truth, on_epoch)
        self._learned = learned
        self.loss_curve_ = losses
        self.n_iter_ = len(losses)

    def _learn_more(self, X: Floats, truth: Labels | Floats, outputs: int) -> None:
        """One pass over the rows. Where training diverges in it, the network is as the diverged steps left it."""
        learned = self._learned
        if learned is None:
            learned = Learned.begin(self._recipe(seed_of(self.random_state)), X, truth, outputs)
        learned.run_once(self._recipe(learned.recipe.seed), X, truth)
        self._learned = learned


class SparseClassifier(ClassifierMixin, SparseNetwork):  # type: ignore[misc]
    """Classes of any kind, through a softmax."""

    _loss = "cross_entropy"
    _learning_rate = 0.01

    def fit(self, X: ArrayLike, y: ArrayLike) -> SparseClassifier:
        """Learns anew, for `epochs` epochs."""
        with self._as_before_on_failure():
            rows, truth = self._checked(X, y, reset=True)
            check_classification_targets(truth)
            self.classes_, labels = np.unique(truth, return_inverse=True)
            if len(self.classes_) < 2:
                raise ValueError(f"the labels hold {len(self.classes_)} class; at least 2 are needed")
            self._learn(rows, labels.astype(np.int32), len(self.classes_))
        return self

    def partial_fit(self, X: ArrayLike, y: ArrayLike, classes: ArrayLike | None = None) -> SparseClassifier:
        """Learns on, in one pass over these rows. The first call must tell all classes."""
        first = self._learned is None
        with self._as_before_on_failure():
            if first:
                if classes is None:
                    raise ValueError("classes must be passed on the first call to partial_fit.")
                self.classes_ = np.unique(np.asarray(classes))
            elif classes is not None and not np.array_equal(np.unique(np.asarray(classes)), self.classes_):
                raise ValueError(f"classes={classes} is not the same as on the last call, {self.classes_}")
            rows, truth = self._checked(X, y, reset=first)
            check_classification_targets(truth)
            if not np.isin(truth, self.classes_).all():
                raise ValueError(f"y holds classes that are not in {self.classes_}")
            labels = np.searchsorted(self.classes_, np.atleast_1d(truth))
            self._learn_more(rows, labels.astype(np.int32), len(self.classes_))
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        network = self._fitted().network
        labels: NDArray[Any] = self.classes_[network.classify(self._checked(X, reset=False))]
        return labels

    def predict_proba(self, X: ArrayLike) -> Floats:
        """A probability for each of classes_."""
        network = self._fitted().network
        return network.predict(self._checked(X, reset=False))


class SparseRegressor(RegressorMixin, SparseNetwork):  # type: ignore[misc]
    """One or more targets, by their squared error. Targets are standardised inside."""

    _loss = "mean_squared_error"
    _learning_rate = 0.002  # where softmax would level off, a squared error runs away

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def _more_tags(self) -> dict[str, Any]:  # before scikit-learn 1.6
        return {"multioutput": True}

    def fit(self, X: ArrayLike, y: ArrayLike) -> SparseRegressor:
        """Learns anew, for `epochs` epochs."""
        with self._as_before_on_failure():
            rows, truth = self._checked(X, y, reset=True, multi_output=True, y_numeric=True)
            self._spread = Spread.of(truth)
            self._learn(rows, self._spread.narrow(truth), self._spread.count)
        return self

    def partial_fit(self, X: ArrayLike, y: ArrayLike) -> SparseRegressor:
        """Learns on, in one pass over these rows. The first call's targets set the scale of all."""
        first = self._learned is None
        with self._as_before_on_failure():
            rows, truth = self._checked(X, y, reset=first, multi_output=True, y_numeric=True)
            if first:
                self._spread = Spread.of(truth)
            self._learn_more(rows, self._spread.narrow(truth), self._spread.count)
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:
        network = self._fitted().network
        return self._spread.widen(network.predict(self._checked(X, reset=False)))


@dataclass(frozen=True)
class Spread:
    """Mean and deviation of targets; of one target, numbers without a dimension."""

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    @classmethod
    def of(cls, y: NDArray[Any]) -> Spread:
        deviation = np.std(y, axis=0, dtype=np.float64)
        return cls(np.mean(y, axis=0, dtype=np.float64), np.where(deviation > 0.0, deviation, 1.0))

    @property
    def count(self) -> int:
        return int(np.size(self.mean))

    def narrow(self, y: NDArray[Any]) -> Floats:
        """Targets as the network learns them: rows of float32."""
        if y.shape[1:] != np.shape(self.mean):
            raise ValueError(f"y has the shape {y.shape}; a row of the first call had {np.shape(self.mean)}")
        return ((y - self.mean) / self.deviation).astype(np.float32).reshape(len(y), -1)

    def widen(self, outputs: Floats) -> NDArray[np.float64]:
        """The network's outputs as targets."""
        return outputs.reshape(len(outputs), *np.shape(self.mean)) * self.deviation + self.mean
