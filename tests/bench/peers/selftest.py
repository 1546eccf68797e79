"""Whether the checks find a wrong peer out: libtsnn stands in for the peer, first as it is, then with one number
changed. `bench.py --selftest`; needs no peers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from cases import Cases
from checks import check_layer, check_step
from errors import Differs
from native import NativePeer
from peers import FORWARD, PREDICT


class WrongLayer:
    """Ours, but for `change`."""

    def __init__(self, layer: object, change: Callable[[np.ndarray], None]) -> None:
        self._layer = layer
        self._change = change

    def run(self) -> None:
        self._layer.run()

    def result(self) -> np.ndarray:
        result = self._layer.result().copy()
        self._change(result)
        return result


class WrongStep:
    """Ours, but with another loss, or with a part of one weight's or bias's change left out."""

    def __init__(self, step: object, loss: float = 0.0, weight: float = 0.0, bias: float = 0.0) -> None:
        self._step, self._loss, self._weight, self._bias = step, loss, weight, bias
        self._first = [step.weights(layer) for layer in range(2)]

    def run(self) -> float:
        return self._step.run() * (1.0 + self._loss)

    def weights(self, layer: int) -> tuple[np.ndarray, np.ndarray]:
        changed = self._step.weights(layer)
        if layer < len(self._first):
            for array, before, part in zip(changed, self._first[layer], (self._weight, self._bias)):
                most = np.argmax(np.abs(array - before))
                array[most] -= part * (array[most] - before[most])
        return changed


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
        case = cases.layer(work, "S7")
        for claim, refused, change in changes:
            sides = getattr(ours, work)(case), WrongLayer(getattr(ours, work)(case), change)
            expect(f"a {work} that {claim}", refused, lambda: check_layer(case, *sides))
    case = cases.step("madelon", dropout=0.0)
    for claim, refused, parts in (("agrees", False, {}), ("with another loss is refused", True, {"loss": 1e-3}),
                                  ("that leaves out part of a weight's change is refused", True, {"weight": 0.05}),
                                  ("that leaves out part of a bias's change is refused", True, {"bias": 0.05})):
        peer = WrongStep(ours.step(case), **parts)
        expect(f"a step {claim}", refused, lambda: check_step(case, ours.step(case), peer))
    return 1 if wrong else 0
