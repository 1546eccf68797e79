"""Truly sparse neural networks from Python: libtsnn through ctypes and NumPy.

SparseClassifier and SparseRegressor are scikit-learn estimators (and work without scikit-learn). Below them are the
library's own objects: Context, Network, Dataset, Trainer and the rest."""

from .callbacks import OnEpoch, OnStep
from .context import Context
from .data import Dataset, Standardizer
from .errors import (ArgumentError, Error, FileError, FormatError, NotFiniteError, OutOfMemoryError, ShapeError,
                     SizeError, StateError, UnsupportedError)
from .estimator import SparseClassifier, SparseRegressor
from .kinds import (ActivationKind, Decay, Fan, Fold, Init, Isa, LossKind, OptimizerKind, Sampling, ScheduleKind,
                    Status)
from .library import Library, LibraryError
from .network import Activation, Layer, Network
from .predictor import Predictor
from .structs import EpochReport, StepReport
from .training import Evolution, Loss, Optimizer, Pruning, Trainer, schedule

__all__ = [
    "Activation", "ActivationKind", "ArgumentError", "Context", "Dataset", "Decay", "EpochReport", "Error", "Evolution",
    "Fan", "FileError", "Fold", "FormatError", "Init", "Isa", "Layer", "Library", "LibraryError", "Loss", "LossKind",
    "Network", "NotFiniteError", "OnEpoch", "OnStep", "Optimizer", "OptimizerKind", "OutOfMemoryError", "Predictor",
    "Pruning", "Sampling", "ScheduleKind", "ShapeError", "SizeError", "SparseClassifier", "SparseRegressor",
    "Standardizer", "StateError", "Status", "StepReport", "Trainer", "UnsupportedError", "schedule",
]
