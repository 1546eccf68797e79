"""What an estimator has learned: a network, and how to go on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from .arrays import Floats, Labels
from .callbacks import Derivative, Function, OnEpoch
from .context import Context
from .data import Dataset, Standardizer
from .network import Activation, Network
from .training import Evolution, Loss, Optimizer, Trainer, schedule

ENDLESS = 2**62


@dataclass(frozen=True)
class Recipe:
    """An estimator's parameters, in the library's terms."""

    loss: str
    hidden: tuple[int, ...]
    epsilon: float
    activation: str | tuple[Function, Derivative]
    alpha: float
    dropout: float
    optimizer: str
    learning_rate: float
    momentum: float
    weight_decay: float
    schedule: str
    warmup_epochs: float
    clip_norm: float
    epochs: int
    batch: int
    zeta: float | None
    standardize: bool
    threads: int
    seed: int


class Learned:
    """Can be pickled and copied: it goes through the library's model format, and learning on gives the same bits."""

    def __init__(self, recipe: Recipe, context: Context, network: Network) -> None:
        self.recipe = recipe
        self.context = context
        self.network = network
        self._rounds = 0  # of evolution
        self._trainer: Trainer | None = None  # of run_once()

    @classmethod
    def begin(cls, recipe: Recipe, X: Floats, truth: Labels | Floats, outputs: int) -> Learned:
        """A fresh network for these features."""
        context = Context(seed=recipe.seed, threads=recipe.threads)
        last = Activation(context, "softmax" if recipe.loss == "cross_entropy" else "identity")
        network = Network.mlp(context, (X.shape[1], *recipe.hidden, outputs), epsilon=recipe.epsilon,
                              hidden=hidden_activation(context, recipe), output=last, dropout=recipe.dropout)
        if recipe.standardize:
            network.set_standardizer(Standardizer.fit(dataset_of(context, X, truth, outputs)))
        return cls(recipe, context, network)

    def __reduce__(self) -> Any:
        streaming = self._trainer is not None
        saved = self._trainer.to_bytes() if self._trainer is not None else self.network.to_bytes(momentum=True)
        return Learned._restore, (self.recipe, self._rounds, streaming, saved)

    @classmethod
    def _restore(cls, recipe: Recipe, rounds: int, streaming: bool, saved: bytes) -> Learned:
        context = Context(seed=recipe.seed, threads=recipe.threads)
        custom = None if isinstance(recipe.activation, str) else hidden_activation(context, recipe)
        learned = cls(recipe, context, Network.load(context, saved, custom))
        learned._rounds = rounds
        if streaming:
            learned._trainer = learned._streaming_trainer(recipe, saved)
        return learned

    def run(self, X: Floats, truth: Labels | Floats, on_epoch: OnEpoch) -> None:
        """All epochs, with evolution between them."""
        recipe = self.recipe
        evolution = None if recipe.zeta is None else Evolution(self.context, recipe.zeta)
        plan = schedule(recipe.schedule, warmup_epochs=recipe.warmup_epochs)
        trainer = self._make_trainer(recipe, evolution=evolution, schedule=plan, epochs=recipe.epochs,
                                     on_epoch=on_epoch)
        trainer.run(self._dataset(X, truth))
        self._rounds = recipe.epochs

    def run_once(self, recipe: Recipe, X: Floats, truth: Labels | Floats) -> None:
        """One epoch of a training without end, by the parameters as they are now; the network's own stay."""
        recipe = replace(recipe, hidden=self.recipe.hidden, activation=self.recipe.activation, alpha=self.recipe.alpha)
        if self._trainer is None or recipe != self.recipe:
            saved = None if self._trainer is None else self._trainer.to_bytes()
            self._trainer = self._streaming_trainer(recipe, saved)
            self.recipe = recipe
        self._trainer.run(self._dataset(X, truth))

    def evolve(self, zeta: float) -> None:
        self._rounds += 1
        Evolution(self.context, zeta).apply(self.network, self._rounds)

    def _streaming_trainer(self, recipe: Recipe, saved: bytes | None) -> Trainer:
        trainer = self._make_trainer(recipe, epochs=ENDLESS, on_epoch=lambda report: True)
        if saved is not None:
            trainer.resume(saved)
        return trainer

    def _make_trainer(self, recipe: Recipe, **more: Any) -> Trainer:
        optimizer = Optimizer(self.context, recipe.optimizer, recipe.learning_rate, recipe.momentum,
                              recipe.weight_decay)
        return Trainer(self.network, Loss(self.context, recipe.loss), optimizer, batch=recipe.batch,
                       clip_norm=recipe.clip_norm, **more)

    def _dataset(self, X: Floats, truth: Labels | Floats) -> Dataset:
        return dataset_of(self.context, X, truth, int(self.network.info().outputs))


def dataset_of(context: Context, X: Floats, truth: Labels | Floats, outputs: int) -> Dataset:
    if truth.ndim == 1:
        return Dataset(context, X, labels=truth, classes=outputs)
    return Dataset(context, X, targets=truth)


def hidden_activation(context: Context, recipe: Recipe) -> Activation:
    if isinstance(recipe.activation, str):
        return Activation(context, recipe.activation, recipe.alpha)
    function, derivative = recipe.activation
    return Activation(context, function=function, derivative=derivative)
