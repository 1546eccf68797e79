"""Whether the checks find a wrong peer out: libtsnn stands in for the peer, first as it is, then with one number
changed. `bench.py --selftest`; needs no peers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from cases import Cases
from checks import Layer, Step, check_layer, check_step
from errors import Differs
from native import NativePeer
from peers import FORWARD, PREDICT


class WrongLayer:
    """Ours, but for `change`."""

    def __init__(self, layer: Layer, change: Callable[[np.ndarray], None]) -> None:
        self._layer = layer
        self._change = change

    def run(self) -> None:
        self._layer.run()

    def result(self) -> np.ndarray:
        result = self._layer.result().copy()
        self._change(result)
        return result


class WrongStep:
    """Ours, but with another loss, or with a part of what it changed left out: in one weight, in all of them, or in
    all biases of the first layer."""

    def __init__(self, step: Step, loss: float = 0.0, one: float = 0.0, every: float = 0.0, bias: float = 0.0) -> None:
        self._step, self._loss, self._one, self._every, self._bias = step, loss, one, every, bias
        self._first = step.weights(0)

    def run(self) -> float:
        return self._step.run() * (1.0 + self._loss)

    def weights(self, layer: int) -> tuple[np.ndarray, np.ndarray]:
        values, bias = self._step.weights(layer)
        if layer == 0:
            change = values - self._first[0]
            most = np.argmax(np.abs(change))
            values[most] -= self._one * change[most]
            values -= self._every * change
            bias -= self._bias * (bias - self._first[1])
        return values, bias


def add_to_one(result: np.ndarray) -> None:
    result.flat[result.size // 2] += 1e-3 * np.abs(result).max()


def make_nan(result: np.ndarray) -> None:
    result.flat[-1] = np.nan


def run_selftest(ours: NativePeer, cases: Cases) -> int:
    """Prints "ok" or "not ok" for each claim; 0 when all hold."""
    wrong = 0

    def expect(claim: str, refused: bool, check: Callable[[], None]) -> None:
        nonlocal wrong
        try:
            check()
            found = False
        except Differs:
            found = True
        wrong += found != refused
        print(f"{'ok' if found == refused else 'not ok'} peers: {claim}")

    changes = (("agrees", False, lambda result: None), ("with one number off is refused", True, add_to_one),
               ("with a NaN is refused", True, make_nan))
    for work in (FORWARD, PREDICT):
        layer = cases.layer(work, "S7")
        for claim, refused, change in changes:
            sides = getattr(ours, work)(layer), WrongLayer(getattr(ours, work)(layer), change)
            expect(f"a {work} that {claim}", refused, partial(check_layer, layer, *sides))
    case = cases.step("madelon", dropout=0.0)
    for claim, refused, parts in (("that agrees", False, {}), ("with another loss is refused", True, {"loss": 1e-3}),
                                  ("that leaves one weight as it was is refused", True, {"one": 1.0}),
                                  ("that changes every weight by too little is refused", True, {"every": 0.05}),
                                  ("that changes biases by too little is refused", True, {"bias": 0.05})):
        peer = WrongStep(ours.step(case), **parts)
        expect(f"a step {claim}", refused, partial(check_step, case, ours.step(case), peer))
    return 1 if wrong else 0
