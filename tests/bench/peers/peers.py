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
    """`module` and `kind` name a class in Python; without them the peer is a shared object, `library` or the name.

    `core` is the kind of processor that OpenBLAS is told to write its kernels for; it cannot be had without `flag`."""

    name: str
    works: tuple[str, ...]
    module: str = ""
    kind: str = ""
    library: str = ""
    core: str = ""
    flag: str = ""


ENTRIES = (
    Entry("scipy", (FORWARD, PREDICT), "peer_scipy", "ScipyPeer"),
    Entry("scipy-loop", (PREDICT,), "peer_scipy", "ScipyLoopPeer"),
    Entry("original", (STEP,), "peer_original", "OriginalPeer"),
    Entry("eigen", (FORWARD,)),
    Entry("graphblas", (FORWARD,)),
    Entry("librsb", (FORWARD,)),
    Entry("openblas", (FORWARD, STEP)),
    Entry("openblas-avx512", (FORWARD, STEP), library="openblas", core="SKYLAKEX", flag="avx512f"),
    Entry("openblas-avx2", (FORWARD, STEP), library="openblas", core="HASWELL", flag="avx2"),
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
        return NativePeer(build, entry.library or name)
    try:
        module = importlib.import_module(entry.module)
    except ImportError as error:
        raise Missing(str(error)) from error
    return getattr(module, entry.kind)()
