"""Measures one peer on one case against libtsnn, in a process of its own: `worker.py BUILD PEER WORK CASE SECONDS`.
Checks first, then times; prints one line of JSON. bench.py starts it, and survives whatever happens here."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
from pathlib import Path
from typing import Any

from cases import DROPOUT, Cases
from checks import check_layer, check_step
from errors import PeerError
from native import NativePeer
from peers import STEP, WORKS, load
from timing import Times, side_by_side


def measure_layer(ours: NativePeer, peer: Any, cases: Cases, work: str, name: str, seconds: float) -> Times:
    case = cases.layer(work, name)
    sides = getattr(ours, work)(case), getattr(peer, work)(case)
    check_layer(case, *sides)
    return side_by_side(sides[0].run, sides[1].run, seconds)


def measure_step(ours: NativePeer, peer: Any, cases: Cases, name: str, seconds: float) -> Times:
    """Checked without dropout, whose random numbers are each side's own; timed with it."""
    case = cases.step(name, dropout=0.0)
    ours_plain, peer_plain = ours.step(case), peer.step(case)
    check_step(case, ours_plain, peer_plain)
    ours_plain.close()
    del peer_plain
    case = cases.step(name, dropout=DROPOUT)
    return side_by_side(ours.step(case).run, peer.step(case).run, seconds)


def measure(build: Path, peer_name: str, work: str, case: str, seconds: float) -> dict[str, Any]:
    """The JSON: a status, and times or the reason why there are none."""
    found: dict[str, Any] = {"version": peer_name}
    try:
        ours = NativePeer(build, "ours")
        peer = load(peer_name, build)
        found["version"] = peer.version()
        cases = Cases(ours.library)
        if work == STEP:
            times = measure_step(ours, peer, cases, case, seconds)
        else:
            times = measure_layer(ours, peer, cases, work, case, seconds)
        return found | {"status": "ok"} | dataclasses.asdict(times)
    except PeerError as error:
        return found | {"status": error.status, "reason": str(error)}
    except Exception as error:  # a peer may fail in any way it likes
        return found | {"status": "failed", "reason": f"{type(error).__name__}: {error}"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=Path)
    parser.add_argument("peer")
    parser.add_argument("work", choices=WORKS)
    parser.add_argument("case")
    parser.add_argument("seconds", type=float)
    arguments = parser.parse_args()
    # What a peer prints must not get between the driver and the result.
    channel = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    result = measure(arguments.build, arguments.peer, arguments.work, arguments.case, arguments.seconds)
    channel.write(json.dumps(result) + "\n")
    channel.flush()
    os._exit(0)  # some peers crash while their libraries unload


if __name__ == "__main__":
    main()
