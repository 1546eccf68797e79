"""Losses, optimizers, evolution, pruning, and the trainer that brings them together."""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from .arrays import address, as_integers
from .callbacks import OnEpoch, OnStep, epoch_callback, interruptible, step_callback
from .context import Context, Object
from .data import Dataset
from .files import saved_bytes
from .kinds import Decay, Fold, LossKind, OptimizerKind, ScheduleKind, Status, choose
from .structs import (EvolutionOptions, LoadOptions, LossOptions, OptimizerOptions, PruningOptions, PruningReport,
                      SaveOptions, ScheduleOptions, TrainerOptions)

if TYPE_CHECKING:
    from .network import Network


class Loss(Object):
    destroy = "tsnn_loss_destroy"

    def __init__(self, context: Context, kind: LossKind | str = LossKind.CROSS_ENTROPY,
                 label_smoothing: float = 0.0) -> None:
        options = LossOptions(kind=choose(LossKind, kind), label_smoothing=label_smoothing)
        super().__init__(context, "tsnn_loss_create", context.handle, ctypes.byref(options))


class Optimizer(Object):
    destroy = "tsnn_optimizer_destroy"

    def __init__(self, context: Context, kind: OptimizerKind | str = OptimizerKind.SGD, learning_rate: float = 0.0,
                 momentum: float = 0.0, weight_decay: float = 0.0, decay: Decay | str = Decay.DECOUPLED) -> None:
        options = OptimizerOptions(kind=choose(OptimizerKind, kind), learning_rate=learning_rate, momentum=momentum,
                                   weight_decay=weight_decay, decay=choose(Decay, decay))
        super().__init__(context, "tsnn_optimizer_create", context.handle, ctypes.byref(options))


class Evolution(Object):
    """SET: gives up the share `zeta` of the connections, those nearest zero, and grows as many elsewhere."""

    destroy = "tsnn_evolution_destroy"

    def __init__(self, context: Context, zeta: float = 0.0) -> None:
        super().__init__(context, "tsnn_evolution_create", context.handle, ctypes.byref(EvolutionOptions(zeta=zeta)))

    def apply(self, network: Network, round: int) -> int:
        """Evolves all layers but the last; `round` keys the random numbers. Returns the connections replaced."""
        replaced = ctypes.c_int64()
        self.context.call("tsnn_evolution_apply", self.handle, network.handle, round, ctypes.byref(replaced))
        return replaced.value


class Pruning(Object):
    """Removes the hidden neurons that hardly anything flows into."""

    destroy = "tsnn_pruning_destroy"

    def __init__(self, context: Context, percentile: float = 0.0, threshold: float = 0.0, *,
                 fold: Fold | str = Fold.NONE, first_epoch: int = 0, every_epochs: int = 0) -> None:
        options = PruningOptions(fold=choose(Fold, fold), percentile=percentile, threshold=threshold,
                                 first_epoch=first_epoch, every_epochs=every_epochs)
        super().__init__(context, "tsnn_pruning_create", context.handle, ctypes.byref(options))

    def apply(self, network: Network) -> PruningReport:
        report = PruningReport()
        self.context.call("tsnn_pruning_apply", self.handle, network.handle, ctypes.byref(report))
        return report


def schedule(kind: ScheduleKind | str = ScheduleKind.CONSTANT, *, warmup_epochs: float = 0.0, step_epochs: float = 0.0,
             step_factor: float = 0.0, final_factor: float = 0.0) -> ScheduleOptions:
    """How the learning rate changes over the epochs."""
    return ScheduleOptions(kind=choose(ScheduleKind, kind), warmup_epochs=warmup_epochs, step_epochs=step_epochs,
                           step_factor=step_factor, final_factor=final_factor)


class Trainer(Object):
    """Epochs of shuffled mini-batches. A callback gets a report; a true answer stops the training, and an exception
    leaves run() as it was raised. Ctrl-C does after the epoch."""

    destroy = "tsnn_trainer_destroy"

    def __init__(self, network: Network, loss: Loss, optimizer: Optimizer, *, evolution: Evolution | None = None,
                 pruning: Pruning | None = None, schedule: ScheduleOptions | None = None, epochs: int = 0,
                 batch: int = 0, micro_batch: int = 0, clip_norm: float = 0.0, shuffle: bool = True,
                 on_step: OnStep | None = None, on_epoch: OnEpoch | None = None) -> None:
        context = network.context
        options = TrainerOptions(order=0 if shuffle else 1, network=network.handle, loss=loss.handle,
                                 optimizer=optimizer.handle, epochs=epochs, batch=batch, micro_batch=micro_batch,
                                 clip_norm=clip_norm, on_epoch=epoch_callback(on_epoch, context.raised))
        if evolution is not None:
            options.evolution = evolution.handle
        if pruning is not None:
            options.pruning = pruning.handle
        if schedule is not None:
            options.schedule = ctypes.pointer(schedule)
        # A custom activation that has failed is told to the library after the step.
        if on_step is not None or network.custom_activations:
            options.on_step = step_callback(on_step, context.raised)
        self._options = options  # its functions must live as long as the trainer
        self.network = network
        parts = tuple(part for part in (network, loss, optimizer, evolution, pruning) if part is not None)
        super().__init__(context, "tsnn_trainer_create", context.handle, ctypes.byref(options), parents=parts)

    def run(self, train: Dataset, validation: Dataset | None = None) -> bool:
        """Trains for the epochs that are left. False when a callback stopped it: a further run goes on."""
        with interruptible(self.context.raised):
            status = self.context.call("tsnn_trainer_run", self.handle, train.handle,
                                       None if validation is None else validation.handle)
        return status != Status.STOPPED

    def to_bytes(self) -> bytes:
        """The network with its momentum and the place in the training."""
        return saved_bytes(self, "tsnn_trainer_save_memory", SaveOptions())

    def resume(self, saved: bytes) -> None:
        """Goes back to what to_bytes() saved, and goes on from there to the same bits."""
        self.context.call("tsnn_trainer_resume_memory", self.handle, saved, len(saved), ctypes.byref(LoadOptions()))

    def step(self, dataset: Dataset, samples: ArrayLike, rate_factor: float = 1.0) -> float:
        """One step on samples of your choice; returns their mean loss before it."""
        numbers = as_integers(samples, "samples", np.int64)
        loss = ctypes.c_double()
        self.context.call("tsnn_trainer_step", self.handle, dataset.handle, address(numbers), len(numbers), rate_factor,
                          ctypes.byref(loss))
        return loss.value
