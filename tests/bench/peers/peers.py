"""Who is compared with, at what, and how each is brought in. A peer's module is imported only where it runs."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from errors import Missing
from native import NativePeer

FORWARD, STEP, PREDICT = "forward", "step", "predict"
WORKS = (FORWARD, STEP, PREDICT)


@dataclass(frozen=True)
class Entry:
    """`module` and `kind` name a class in Python; without them the peer is the shared object of this name."""

    name: str
    works: tuple[str, ...]
    module: str = ""
    kind: str = ""


ENTRIES = (
    Entry("scipy", (FORWARD, PREDICT), "peer_scipy", "ScipyPeer"),
    Entry("scipy-loop", (PREDICT,), "peer_scipy", "ScipyLoopPeer"),
    Entry("original", (STEP,), "peer_original", "OriginalPeer"),
    Entry("eigen", (FORWARD,)),
    Entry("graphblas", (FORWARD,)),
    Entry("librsb", (FORWARD,)),
    Entry("openblas", (FORWARD, STEP)),
    Entry("mkl", (FORWARD, PREDICT), "peer_mkl", "MklPeer"),
    Entry("torch-csr", (FORWARD, STEP, PREDICT), "peer_torch", "TorchCsrPeer"),
    Entry("torch-masked", (STEP,), "peer_torch", "TorchMaskedPeer"),
)


def entry_of(name: str) -> Entry:
    return next(entry for entry in ENTRIES if entry.name == name)


def load(name: str, build: Path) -> Any:
    """An object with version() and, for each of its works, a function that makes it from a case."""
    entry = entry_of(name)
    if not entry.module:
        return NativePeer(build, name)
    try:
        module = importlib.import_module(entry.module)
    except ImportError as error:
        raise Missing(str(error)) from error
    return getattr(module, entry.kind)()
