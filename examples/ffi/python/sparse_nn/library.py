"""Finding libtsnn, and its functions with their types."""

from __future__ import annotations

import ctypes
import ctypes.util
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .prototypes import PROTOTYPES, RESULTS

ENVIRONMENT = "TSNN_LIBRARY"
SONAME = "libtsnn.so.0"


class LibraryError(ImportError):
    """No libtsnn, or one that lacks a function."""


def candidates() -> Iterator[str]:
    """Where the library may be, best first: what TSNN_LIBRARY says and nothing else, or the build folder of the source
    tree that this package lies in, or wherever the system's loader finds it."""
    if os.environ.get(ENVIRONMENT):
        yield os.environ[ENVIRONMENT]
        return
    for folder in Path(__file__).resolve().parents:
        built = folder / "build" / SONAME
        if built.exists():
            yield str(built)
    yield SONAME
    found = ctypes.util.find_library("tsnn")
    if found is not None:
        yield found


class Library:
    """A loaded libtsnn: library.tsnn_version_string() and so on. Functions get their types when they are first used,
    so that a smaller library (an older one, one for inference only) serves as far as it goes."""

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        tried: list[str] = []
        for name in candidates() if path is None else [os.fspath(path)]:
            try:
                self._loaded = ctypes.CDLL(name)
                self.path = name
                return
            except OSError as error:
                tried.append(f"{name}: {error}")
        raise LibraryError(f"no libtsnn; build it, or set {ENVIRONMENT} to the file ({'; '.join(tried)})")

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name not in PROTOTYPES:
            raise AttributeError(name)
        try:
            function = getattr(self._loaded, name)
        except AttributeError:
            raise LibraryError(f"{self.path} has no {name}") from None
        function.argtypes = PROTOTYPES[name]
        function.restype = RESULTS.get(name, ctypes.c_int32)
        setattr(self, name, function)
        return function  # type: ignore[no-any-return]

    @property
    def version(self) -> str:
        return self.tsnn_version_string().decode()  # type: ignore[no-any-return]
