"""The public structs, field by field as in the headers. tests/ffi/python compares size and offsets with those of the C
compiler."""

from __future__ import annotations

import ctypes
import operator
from ctypes import c_double, c_int32, c_int64, c_uint32, c_uint64, c_void_p
from typing import Any, TypeVar

Self = TypeVar("Self", bound="Struct")


class Struct(ctypes.Structure):
    """A struct that begins with its size. Fields that are not named are 0, which means their default."""

    def __init__(self, **fields: Any) -> None:
        whole = {name: operator.index(value) for name, value in fields.items() if hasattr(value, "__index__")}
        super().__init__(ctypes.sizeof(self), **{**fields, **whole})
        for name, value in whole.items():  # ctypes would cut it in silence
            if getattr(self, name) != value:
                raise ValueError(f"{name}: {value} is out of range")

    def __repr__(self) -> str:
        names = [name for name, *_ in self._fields_ if name not in ("struct_size", "reserved")]
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)}' for name in names)})"

    @classmethod
    def copy_of(cls: type[Self], pointer: Any) -> Self:
        """A copy of what the library lends to a callback; a field that an older library lacks stays 0."""
        copy = cls()
        size = min(pointer.contents.struct_size, ctypes.sizeof(cls))
        ctypes.memmove(ctypes.byref(copy), pointer, size)
        copy.struct_size = ctypes.sizeof(cls)
        return copy


class ContextOptions(Struct):
    _fields_ = [("struct_size", c_uint32), ("threads", c_int32), ("isa", c_int32), ("reserved", c_int32),
                ("seed", c_uint64), ("allocate", c_void_p), ("release", c_void_p), ("allocator_user", c_void_p),
                ("log", c_void_p), ("log_user", c_void_p)]


class ContextInfo(Struct):
    _fields_ = [("struct_size", c_uint32), ("threads", c_int32), ("isa", c_int32), ("reserved", c_int32),
                ("seed", c_uint64)]


ActivationFunction = ctypes.CFUNCTYPE(None, c_void_p, c_void_p, c_void_p, c_int64)
ActivationDerivative = ctypes.CFUNCTYPE(None, c_void_p, c_void_p, c_void_p, c_void_p, c_int64)


class ActivationOptions(Struct):
    _fields_ = [("struct_size", c_uint32), ("kind", c_int32), ("alpha", c_double), ("function", ActivationFunction),
                ("derivative", ActivationDerivative), ("user", c_void_p)]


class DatasetOptions(Struct):
    _fields_ = [("struct_size", c_uint32), ("ownership", c_int32), ("samples", c_int64), ("features", c_int64),
                ("classes", c_int64), ("target_size", c_int64), ("feature_data", c_void_p), ("labels", c_void_p),
                ("targets", c_void_p)]


class DatasetInfo(Struct):
    _fields_ = DatasetOptions._fields_


class LayerOptions(Struct):
    _fields_ = [("struct_size", c_uint32), ("sampling", c_int32), ("inputs", c_int64), ("outputs", c_int64),
                ("epsilon", c_double), ("density", c_double), ("init_scale", c_double), ("init", c_int32),
                ("fan", c_int32), ("stream", c_int64)]


class LayerInfo(Struct):
    _fields_ = [("struct_size", c_uint32), ("frozen", c_int32), ("inputs", c_int64), ("outputs", c_int64),
                ("connections", c_int64), ("density", c_double), ("bytes", c_int64), ("index_bytes", c_int32),
                ("reserved", c_int32)]


class MlpOptions(Struct):
    _fields_ = [("struct_size", c_uint32), ("sampling", c_int32), ("sizes", c_void_p), ("size_count", c_int64),
                ("epsilon", c_double), ("init_scale", c_double), ("init", c_int32), ("fan", c_int32),
                ("hidden", c_void_p), ("output", c_void_p), ("dropout", c_double)]


class NetworkInfo(Struct):
    _fields_ = [("struct_size", c_uint32), ("activation_format", c_int32), ("layers", c_int64), ("inputs", c_int64),
                ("outputs", c_int64), ("neurons", c_int64), ("connections", c_int64), ("bytes", c_int64)]


class Evaluation(Struct):
    _fields_ = [("struct_size", c_uint32), ("reserved", c_int32), ("samples", c_int64), ("correct", c_int64),
                ("loss", c_double), ("accuracy", c_double)]


class LossOptions(Struct):
    _fields_ = [("struct_size", c_uint32), ("kind", c_int32), ("label_smoothing", c_double)]


class OptimizerOptions(Struct):
    _fields_ = [("struct_size", c_uint32), ("kind", c_int32), ("learning_rate", c_double), ("momentum", c_double),
                ("weight_decay", c_double), ("decay", c_int32), ("reserved", c_int32)]


class ScheduleOptions(Struct):
    _fields_ = [("struct_size", c_uint32), ("kind", c_int32), ("warmup_epochs", c_double), ("step_epochs", c_double),
                ("step_factor", c_double), ("final_factor", c_double)]


class EvolutionOptions(Struct):
    _fields_ = [("struct_size", c_uint32), ("reserved", c_int32), ("zeta", c_double)]


class PruningOptions(Struct):
    _fields_ = [("struct_size", c_uint32), ("fold", c_int32), ("percentile", c_double), ("threshold", c_double),
                ("first_epoch", c_int64), ("every_epochs", c_int64)]


class PruningReport(Struct):
    _fields_ = [("struct_size", c_uint32), ("reserved", c_int32), ("neurons_before", c_int64),
                ("neurons_after", c_int64), ("connections_before", c_int64), ("connections_after", c_int64)]


class StepReport(Struct):
    _fields_ = [("struct_size", c_uint32), ("reserved", c_int32), ("epoch", c_int64), ("step", c_int64),
                ("steps", c_int64), ("samples", c_int64), ("loss", c_double), ("learning_rate", c_double),
                ("gradient_norm", c_double)]


class EpochReport(Struct):
    _fields_ = [("struct_size", c_uint32), ("has_validation", c_int32), ("epoch", c_int64), ("epochs", c_int64),
                ("samples", c_int64), ("train_loss", c_double), ("train_accuracy", c_double),
                ("validation_loss", c_double), ("validation_accuracy", c_double), ("learning_rate", c_double),
                ("train_seconds", c_double), ("evolution_seconds", c_double), ("validation_seconds", c_double),
                ("replaced", c_int64), ("pruned", c_int64), ("connections", c_int64), ("neurons", c_int64)]


StepCallback = ctypes.CFUNCTYPE(c_int32, c_void_p, ctypes.POINTER(StepReport))
EpochCallback = ctypes.CFUNCTYPE(c_int32, c_void_p, ctypes.POINTER(EpochReport))


class TrainerOptions(Struct):
    _fields_ = [("struct_size", c_uint32), ("order", c_int32), ("network", c_void_p), ("loss", c_void_p),
                ("optimizer", c_void_p), ("evolution", c_void_p), ("pruning", c_void_p),
                ("schedule", ctypes.POINTER(ScheduleOptions)), ("epochs", c_int64), ("batch", c_int64),
                ("micro_batch", c_int64), ("clip_norm", c_double), ("on_step", StepCallback),
                ("on_epoch", EpochCallback), ("user", c_void_p)]


class PredictorOptions(Struct):
    _fields_ = [("struct_size", c_uint32), ("pack", c_int32), ("skip_zeros", c_int32), ("reserved", c_int32)]


class PredictorLoadOptions(Struct):
    _fields_ = [("struct_size", c_uint32), ("ownership", c_int32), ("pack", c_int32), ("skip_zeros", c_int32),
                ("max_bytes", c_int64), ("custom", c_void_p)]


class PredictorInfo(Struct):
    _fields_ = [("struct_size", c_uint32), ("isa", c_int32), ("layers", c_int64), ("inputs", c_int64),
                ("outputs", c_int64), ("connections", c_int64), ("bytes", c_int64), ("borrowed", c_int64)]


class SaveOptions(Struct):
    _fields_ = [("struct_size", c_uint32), ("momentum", c_int32), ("metadata", c_void_p), ("metadata_count", c_int64)]


class LoadOptions(Struct):
    _fields_ = [("struct_size", c_uint32), ("reserved", c_int32), ("max_bytes", c_int64), ("custom", c_void_p)]
