"""The table of peers: what the same work costs by other means, as a multiple of libtsnn's time.

Each peer runs each case in a process of its own, one thread on one core, side by side with libtsnn (worker.py). A peer
that is missing, fails, or computes something else is a line in the table; the exit status is 0 all the same."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
SECONDS, QUICK_SECONDS = 1.5, 0.3
QUICK_CASES = ("S1", "S2", "S7", "fashion", "madelon")
TIMEOUT = 300
UNITS = ((1e-6, "us"), (1e-3, "ms"), (1.0, "s"))


def read_processor() -> dict[str, str]:
    """Model and flags of the first processor, as far as the system tells."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n\n", maxsplit=1)[0].splitlines()
    except OSError:
        return {}
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    return {name.strip(): value.strip() for name, value in pairs}


def worker_environment(build: Path, core_type: str) -> dict[str, str]:
    """One thread for everybody; OpenBLAS with the kernels for `core_type`, or with those that it picks by itself."""
    environment = dict(os.environ)
    environment.pop("OPENBLAS_CORETYPE", None)
    environment.pop("OPENBLAS_L2_SIZE", None)
    if core_type:
        environment["OPENBLAS_CORETYPE"] = core_type
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
        environment[name] = "1"
    environment["MKL_THREADING_LAYER"] = "SEQUENTIAL"
    environment["NUMBA_CACHE_DIR"] = str(build / "numba")
    environment["PYTHONPYCACHEPREFIX"] = str(build / "pycache")
    return environment


def run_worker(arguments: argparse.Namespace, peer: str, core_type: str, work: str, case: str) -> dict[str, Any]:
    environment = worker_environment(arguments.build, core_type)
    seconds = QUICK_SECONDS if arguments.quick else SECONDS
    command = [sys.executable, str(HERE / "worker.py"), str(arguments.build), peer, work, case, str(seconds)]
    failed = {"version": peer, "status": "failed"}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        return failed | {"reason": f"no result after {TIMEOUT} s"}
    try:
        result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return result
    except (IndexError, ValueError):
        words = done.stderr.strip().splitlines()
        ended = f"signal {-done.returncode}" if done.returncode < 0 else f"status {done.returncode}"
        return failed | {"reason": f"ended with {ended}{': ' + words[-1] if words else ''}"}


def can_run(entry: Any, processor: dict[str, str]) -> bool:
    return not entry.flag or entry.flag in processor.get("flags", "").split()


def in_units(seconds: float) -> str:
    scale, unit = next((pair for pair in UNITS if seconds < 1000 * pair[0]), UNITS[-1])
    return f"{seconds / scale:.{2 if seconds < 100 * scale else 0}f} {unit}"


def row_text(row: dict[str, Any]) -> str:
    start = f"{row['work']:<8} {row['case']:<9} {row['version']:<46} "
    if row["status"] != "ok":
        return f"{start}{row['status']}: {row['reason']}"
    times = f"{in_units(row['ours']):>10} {in_units(row['peer']):>10}"
    return f"{start}{times} {row['peer'] / row['ours']:>8.2f} {row['peer_fastest'] / row['ours_fastest']:>8.2f}"


def measure_all(arguments: argparse.Namespace, table: list[tuple[str, str, Any]]) -> list[dict[str, Any]]:
    """`table`: work, case, the peer's entry. Prints each row as it comes."""
    rows = []
    for work, case, entry in table:
        row = {"work": work, "case": case, "name": entry.name}
        rows.append(row | run_worker(arguments, entry.name, entry.core, work, case))
        print(row_text(rows[-1]), flush=True)
    return rows


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, required=True, help="folder of the compiled peers")
    parser.add_argument("--quick", action="store_true", help=f"{', '.join(QUICK_CASES)} only, and shorter")
    parser.add_argument("--shape", action="append", metavar="CASE", help="this shape or network only (may be repeated)")
    parser.add_argument("--peer", action="append", metavar="PEER", help="this peer only (may be repeated)")
    parser.add_argument("--work", action="append", metavar="WORK", help="forward, step or predict only")
    parser.add_argument("--core", type=int, help="pin to this core (default: the last one allowed)")
    parser.add_argument("--selftest", action="store_true", help="show that a wrong peer is found out, and end")
    return parser.parse_args()


def main() -> int:
    arguments = read_arguments()
    try:
        from cases import Cases
        from native import NativePeer
        from peers import ENTRIES, WORKS
    except ImportError as error:
        print(f"bench-peers: nothing can be measured: {error}; make deps-peers installs what is wanted")
        return 0
    arguments.build = arguments.build.resolve()
    ours = NativePeer(arguments.build, "ours")
    cases = Cases(ours.library)
    if arguments.selftest:
        from selftest import run_selftest
        return run_selftest(ours, cases)

    known = {"--shape": {*cases.shapes, *cases.networks}, "--peer": {entry.name for entry in ENTRIES},
             "--work": set(WORKS)}
    for flag, names in known.items():
        wrong = set(getattr(arguments, flag[2:]) or ()) - names
        if wrong:
            print(f"bench-peers: {flag} {wrong.pop()}: there are {', '.join(sorted(names))}", file=sys.stderr)
            return 2
    processor = read_processor()
    shapes = arguments.shape or (QUICK_CASES if arguments.quick else known["--shape"])
    peers = arguments.peer or known["--peer"]
    table = [(work, case, entry)
             for work in WORKS if work in (arguments.work or WORKS) for case in cases.names(work) if case in shapes
             for entry in ENTRIES if work in entry.works and entry.name in peers and can_run(entry, processor)]

    core = max(os.sched_getaffinity(0)) if arguments.core is None else arguments.core
    os.sched_setaffinity(0, {core})
    print(f"{ours.version()}, {processor.get('model name', platform.machine())}, core {core}, one thread each; "
          "medians of processor time, and last the ratio of the fastest")
    print(f"{'work':<8} {'case':<9} {'peer':<46} {'ours':>10} {'peer':>10} {'ratio':>8} {'fastest':>8}")
    rows = measure_all(arguments, table)
    report = arguments.build / "peers.json"
    report.write_text(json.dumps({"processor": processor.get("model name", platform.machine()),
                                  "ours": ours.version(), "rows": rows}, indent=1) + "\n", encoding="utf-8")
    print(f"{report}: the same in seconds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
