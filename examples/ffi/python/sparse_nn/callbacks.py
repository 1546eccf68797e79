"""Python functions that the library calls. An exception cannot cross C code: it is kept, the library is told to stop,
and the call during which it was raised raises it again."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

from .arrays import Floats, view
from .structs import ActivationDerivative, ActivationFunction, EpochCallback, EpochReport, StepCallback, StepReport

OnStep = Callable[[StepReport], Any]
OnEpoch = Callable[[EpochReport], Any]
Function = Callable[[Floats], Any]
Derivative = Callable[[Floats, Floats], Any]


class Raised(threading.local):
    """What callbacks raised on this thread; the library calls them on the thread that calls it."""

    def __init__(self) -> None:
        self.exception: BaseException | None = None
        self.interrupted = False

    def keep(self, exception: BaseException) -> None:
        if self.exception is None:
            self.exception = exception

    def raise_again(self) -> None:
        exception = KeyboardInterrupt() if self.interrupted and self.exception is None else self.exception
        self.exception, self.interrupted = None, False
        if exception is not None:
            raise exception


@contextlib.contextmanager
def interruptible(raised: Raised) -> Iterator[None]:
    """Turns Ctrl-C into an answer of the next callback. Raised by itself, it would be lost on the way into one."""
    if (threading.current_thread() is not threading.main_thread()
            or signal.getsignal(signal.SIGINT) is not signal.default_int_handler):
        yield
        return

    def note(*_: Any) -> None:
        raised.interrupted = True

    signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    raised.raise_again()


def _relay(function: Callable[[Any], Any] | None, report_type: Any, raised: Raised) -> Callable[[Any, Any], int]:
    def relay(_user: Any, report: Any) -> int:
        if raised.exception is not None or raised.interrupted:
            return -1
        try:
            return int(bool(function is not None and function(report_type.copy_of(report))))
        except BaseException as exception:  # noqa: B902 - all of them are raised again
            raised.keep(exception)
            return -1

    return relay


def step_callback(function: OnStep | None, raised: Raised) -> Any:
    return StepCallback(_relay(function, StepReport, raised))


def epoch_callback(function: OnEpoch | None, raised: Raised) -> Any:
    return EpochCallback(_relay(function, EpochReport, raised))


def _fill(target: int, count: int, raised: Raised, compute: Callable[[], Any]) -> None:
    """The function's numbers; zeros once it has failed, since the library asks for some until the call ends."""
    numbers = view(target, count, writeable=True)
    if raised.exception is None:
        try:
            numbers[:] = compute()
            return
        except BaseException as exception:  # noqa: B902 - all of them are raised again
            raised.keep(exception)
    numbers[:] = 0.0


def activation_function(function: Function, raised: Raised) -> Any:
    def relay(_user: Any, z: int, a: int, count: int) -> None:
        _fill(a, count, raised, lambda: function(view(z, count, writeable=False)))

    return ActivationFunction(relay)


def activation_derivative(function: Derivative, raised: Raised) -> Any:
    def relay(_user: Any, z: int, a: int, derivative: int, count: int) -> None:
        _fill(derivative, count, raised,
              lambda: function(view(z, count, writeable=False), view(a, count, writeable=False)))

    return ActivationDerivative(relay)
