"""Two things timed side by side: A B A B in one process, so that a machine that slows down slows both. What counts is
the processor time of all the process's threads, which are pinned to one core: others that use the core are left out."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

# A turn is a burst of calls of about this length, after one call that is not timed and brings back the caches which the
# other side has used.
TURN_SECONDS = 0.002
FEWEST_TURNS = 5
# A call as long as this says all by itself, and has no warm-up.
LONG_CALL_SECONDS = 0.1


@dataclass(frozen=True)
class Times:
    """Seconds a call: medians over the turns, and the fastest turns."""

    ours: float
    peer: float
    ours_fastest: float
    peer_fastest: float
    turns: int


class Burst:
    """One side's calls."""

    def __init__(self, run: Callable[[], object]) -> None:
        self._run = run
        self._turns: list[float] = []
        once = min(self._call(1), self._call(1))
        self._long = once >= LONG_CALL_SECONDS
        self._calls = max(1, round(TURN_SECONDS / max(once, 1e-7)))

    def _call(self, count: int) -> float:
        run = self._run
        start = time.process_time_ns()
        for _ in range(count):
            run()
        return (time.process_time_ns() - start) * 1e-9 / count

    def turn(self) -> None:
        if not self._long:
            self._run()
        self._turns.append(self._call(self._calls))

    def median(self) -> float:
        return statistics.median(self._turns)

    def fastest(self) -> float:
        return min(self._turns)


def side_by_side(ours: Callable[[], object], peer: Callable[[], object], seconds: float) -> Times:
    """Alternates for about `seconds`, and at least FEWEST_TURNS turns."""
    a, b = Burst(ours), Burst(peer)
    end = time.monotonic() + seconds
    turns = 0
    while turns < FEWEST_TURNS or time.monotonic() < end:
        a.turn()
        b.turn()
        turns += 1
    return Times(a.median(), b.median(), a.fastest(), b.fastest(), turns)
