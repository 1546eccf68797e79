"""Runs the tests beside this file and prints one line a test, as tests/run.sh wants them: ok, not ok, skip."""

from __future__ import annotations

import sys
import unittest
from pathlib import Path


class Lines(unittest.TestResult):
    """The name of a test method is what it claims; a test may say it better with `claim`."""

    def name(self, test: unittest.TestCase) -> str:
        claim = getattr(test, "claim", "") or test.id().rsplit(".", 1)[-1].removeprefix("test_").replace("_", " ")
        return f"ffi/python: {claim}"

    def addSuccess(self, test: unittest.TestCase) -> None:
        print(f"ok {self.name(test)}", flush=True)

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        print(f"skip {self.name(test)}: {reason}", flush=True)

    def addFailure(self, test: unittest.TestCase, err: object) -> None:
        super().addFailure(test, err)  # type: ignore[arg-type]
        self.tell(test, self.failures)

    def addError(self, test: unittest.TestCase, err: object) -> None:
        super().addError(test, err)  # type: ignore[arg-type]
        self.tell(test, self.errors)

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: object) -> None:
        if err is not None:
            super().addFailure(subtest, err)  # type: ignore[arg-type]
            self.tell(test, self.failures)

    def tell(self, test: unittest.TestCase, found: list[tuple[unittest.TestCase, str]]) -> None:
        print(f"not ok {self.name(test)}")
        print("\n".join(f"    {line}" for line in found[-1][1].splitlines()), flush=True)


if __name__ == "__main__":
    tests = unittest.defaultTestLoader.discover(str(Path(__file__).parent))
    sys.exit(0 if tests.run(Lines()).wasSuccessful() else 1)
