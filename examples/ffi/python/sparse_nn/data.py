"""Data sets over NumPy arrays, and the standardisation of their features."""

from __future__ import annotations

import ctypes

import numpy as np
from numpy.typing import ArrayLike

from .arrays import Floats, Labels, address, as_floats, as_integers
from .context import Context, Object
from .errors import ShapeError
from .kinds import Ownership, Status
from .structs import DatasetOptions


class Dataset(Object):
    """Rows of features with class numbers or rows of targets.

    float32 features in C order, int32 labels and float32 targets are read where they are: the arrays must not change
    while the data set is used. Others are converted first."""

    destroy = "tsnn_dataset_destroy"

    def __init__(self, context: Context, features: ArrayLike, labels: ArrayLike | None = None,
                 targets: ArrayLike | None = None, *, classes: int = 0) -> None:
        self.features: Floats = as_floats(features, "features", 2)
        self.labels: Labels | None = None if labels is None else as_integers(labels, "labels", np.int32)
        self.targets: Floats | None = None if targets is None else as_floats(targets, "targets", 2)
        for name, array in (("labels", self.labels), ("targets", self.targets)):
            if array is not None and len(array) != len(self.features):
                raise ShapeError(Status.SHAPE, f"{len(self.features)} rows of features, but {len(array)} {name}")
        options = DatasetOptions(ownership=Ownership.BORROW, samples=self.features.shape[0],
                                 features=self.features.shape[1], classes=classes,
                                 target_size=0 if self.targets is None else self.targets.shape[1],
                                 feature_data=address(self.features), labels=address(self.labels),
                                 targets=address(self.targets))
        super().__init__(context, "tsnn_dataset_create", context.handle, ctypes.byref(options))


class Standardizer(Object):
    """Mean and deviation of each feature."""

    destroy = "tsnn_standardizer_destroy"

    def __init__(self, context: Context, mean: ArrayLike, deviation: ArrayLike) -> None:
        means, deviations = as_floats(mean, "mean", 1), as_floats(deviation, "deviation", 1)
        if len(means) != len(deviations):
            raise ShapeError(Status.SHAPE, f"{len(means)} means, but {len(deviations)} deviations")
        super().__init__(context, "tsnn_standardizer_create", context.handle, len(means), address(means),
                         address(deviations))

    @classmethod
    def fit(cls, dataset: Dataset) -> Standardizer:
        standardizer = cls.__new__(cls)
        Object.__init__(standardizer, dataset.context, "tsnn_standardizer_fit", dataset.context.handle, dataset.handle)
        return standardizer

    def numbers(self) -> tuple[Floats, Floats]:
        """Mean and deviation of each feature."""
        count = ctypes.c_int64()
        self.context.call("tsnn_standardizer_get", self.handle, None, None, 0, ctypes.byref(count))
        mean, deviation = np.empty(count.value, np.float32), np.empty(count.value, np.float32)
        self.context.call("tsnn_standardizer_get", self.handle, address(mean), address(deviation), count.value, None)
        return mean, deviation
