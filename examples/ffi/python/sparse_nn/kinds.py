"""The numbers of the library's enumerations. Where a choice is asked for, its name serves as well: kind="nesterov"."""

from __future__ import annotations

from enum import IntEnum
from typing import TypeVar


class Status(IntEnum):
    OK = 0
    STOPPED = 1
    OUT_OF_MEMORY = -10
    OVERFLOW = -11
    NULL_ARGUMENT = -20
    INVALID_ARGUMENT = -21
    STRUCT_SIZE = -22
    BUFFER_TOO_SMALL = -23
    SHAPE = -40
    STRUCTURE = -41
    NOT_FINITE = -60
    LABEL = -61
    STATE = -80
    UNSUPPORTED = -81
    CALLBACK = -90
    IO = -100
    FORMAT = -101
    COMMUNICATION = -120


class Isa(IntEnum):
    AUTO = 0
    REF = 1
    AVX2 = 2
    AVX512 = 3
    NEON = 4


class Ownership(IntEnum):
    COPY = 0
    BORROW = 1


class Sampling(IntEnum):
    BERNOULLI = 0
    EXACT = 1


class Init(IntEnum):
    HE_UNIFORM = 0
    XAVIER_UNIFORM = 1
    NORMAL = 2


class Fan(IntEnum):
    DENSE = 0
    SPARSE = 1


class ActivationKind(IntEnum):
    IDENTITY = 0
    RELU = 1
    LEAKY_RELU = 2
    ALL_RELU = 3
    SIGMOID = 4
    TANH = 5
    SOFTMAX = 6
    CUSTOM = 7


class LossKind(IntEnum):
    CROSS_ENTROPY = 0
    MEAN_SQUARED_ERROR = 1
    BINARY_CROSS_ENTROPY = 2


class OptimizerKind(IntEnum):
    SGD = 0
    MOMENTUM = 1
    NESTEROV = 2


class Decay(IntEnum):
    DECOUPLED = 0
    L2 = 1


class ScheduleKind(IntEnum):
    CONSTANT = 0
    STEP = 1
    COSINE = 2


class Fold(IntEnum):
    NONE = 0
    BIASES = 1


Choice = TypeVar("Choice", bound=IntEnum)


def choose(kinds: type[Choice], wanted: Choice | str | int) -> Choice:
    """The member that is meant by itself, by its number, or by its name in any case."""
    if isinstance(wanted, str):
        if wanted.upper() in kinds.__members__:
            return kinds[wanted.upper()]
    elif not isinstance(wanted, bool) and isinstance(wanted, int) and wanted in {kind.value for kind in kinds}:
        return kinds(wanted)
    names = ", ".join(kind.name.lower() for kind in kinds)
    raise ValueError(f"{wanted!r} is no {kinds.__name__}; there are {names}")
