"""The context, which every call goes through, and the ownership of the library's objects."""

from __future__ import annotations

import ctypes
import threading
import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from .callbacks import Raised
from .errors import StateError, error_of
from .kinds import Isa, Status, choose
from .library import Library
from .structs import ContextInfo, ContextOptions

TEXT_BYTES = 512
Self = TypeVar("Self", bound="Owner")


class Owner:
    """One object of the library, given back when this one is closed or no longer used. Objects made with it are closed
    first; inside a callback, nothing goes before the call that runs has returned."""

    def _own(self, context: Context, destroy: str, pointer: ctypes.c_void_p, parents: tuple[Owner, ...]) -> None:
        self._pointer = pointer
        self._dependents: weakref.WeakSet[Owner] = weakref.WeakSet()
        # Holding the parents, so that even the garbage collector lets them go after this one.
        self._finalizer = weakref.finalize(self, _give_back, context._estate, destroy, pointer, parents)
        for parent in parents:
            parent._dependents.add(self)

    @property
    def handle(self) -> ctypes.c_void_p:
        if not self._finalizer.alive:
            raise StateError(Status.STATE, f"this {type(self).__name__} is closed")
        return self._pointer

    @property
    def closed(self) -> bool:
        return not self._finalizer.alive

    def close(self) -> None:
        """Gives the object back now. Closing again does nothing."""
        for dependent in list(self._dependents):
            dependent.close()
        self._finalizer()

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Estate:
    """What outlives a context: the library, the lock, and the objects that wait to be given back."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.lock = threading.RLock()
        self.calls = 0  # that run now, one inside a callback of the other
        self.waiting: deque[tuple[str, ctypes.c_void_p]] = deque()

    @contextmanager
    def held(self) -> Iterator[None]:
        """One thread at a time, as the library's rule is."""
        with self.lock:
            self.calls += 1
            try:
                yield
            finally:
                self.calls -= 1
        self.give_back()

    def give_back(self) -> None:
        """Never waits: the garbage collector comes here from any thread, with any lock held."""
        while self.waiting and self.lock.acquire(blocking=False):
            try:
                if self.calls > 0:
                    return
                destroy, pointer = self.waiting.popleft()
                getattr(self.library, destroy)(ctypes.byref(pointer))
            finally:
                self.lock.release()


def _give_back(estate: Estate, destroy: str, pointer: ctypes.c_void_p, _parents: tuple[Owner, ...]) -> None:
    estate.waiting.append((destroy, pointer))
    estate.give_back()


class Context(Owner):
    """Memory, threads, instruction set and seed of the objects made with it. Any thread may use them; one at a time
    does, the others wait."""

    def __init__(self, *, seed: int = 0, threads: int = 0, isa: Isa | str = Isa.AUTO,
                 library: Library | None = None) -> None:
        self.library = Library() if library is None else library
        self.raised = Raised()
        self._estate = Estate(self.library)
        pointer = ctypes.c_void_p()
        options = ContextOptions(seed=seed, threads=threads, isa=choose(Isa, isa))
        status = self.library.tsnn_context_create(ctypes.byref(options), ctypes.byref(pointer))
        if status < 0:
            raise error_of(status, self.status_text(status))
        self._own(self, "tsnn_context_destroy", pointer, ())

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keeps other threads out between calls that belong together."""
        with self._estate.held():
            yield

    def call(self, name: str, *arguments: Any) -> int:
        """Calls a function of the library. Raises what a callback raised, or the error; returns the status."""
        function = getattr(self.library, name)
        with self.held():
            status: int = function(*arguments)
            text = self._error_text(status) if status < 0 else ""
        self.raised.raise_again()
        if status < 0:
            raise error_of(status, text)
        return status

    def info(self) -> ContextInfo:
        info = ContextInfo()
        self.call("tsnn_context_get_info", self.handle, ctypes.byref(info))
        return info

    def set_threads(self, threads: int) -> None:
        """0: the processors of this process. Results do not depend on it."""
        self.call("tsnn_context_set_threads", self.handle, threads)

    def status_text(self, status: int) -> str:
        return self.library.tsnn_status_string(status).decode()  # type: ignore[no-any-return]

    def _error_text(self, status: int) -> str:
        buffer = ctypes.create_string_buffer(TEXT_BYTES)
        code = ctypes.c_int32()
        self.library.tsnn_context_error(self._pointer, buffer, TEXT_BYTES, ctypes.byref(code))
        return buffer.value.decode(errors="replace") if code.value == status else self.status_text(status)


class Object(Owner):
    """What a create function of the library makes."""

    destroy: str

    def __init__(self, context: Context, create: str, *arguments: Any, parents: tuple[Owner, ...] = ()) -> None:
        self.context = context
        pointer = ctypes.c_void_p()
        context.call(create, *arguments, ctypes.byref(pointer))
        self._own(context, self.destroy, pointer, (context, *parents))
