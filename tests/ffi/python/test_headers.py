"""Structs, numbers and prototypes against the headers and what tests/abi keeps of them."""

from __future__ import annotations

import ctypes
import re
import unittest
from ctypes import POINTER, c_char_p, c_double, c_int32, c_int64, c_uint32, c_void_p
from enum import IntEnum
from typing import Any

from sparse_nn import kinds, structs
from sparse_nn.prototypes import PLACE, PROTOTYPES, RESULTS
from support import ROOT

HEADERS = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "include" / "tsnn").glob("*.h")))
CODE = re.sub(r"\s+", " ", re.sub(r"^#.*?$", "", re.sub(r"/\*.*?\*/", " ", HEADERS, flags=re.S), flags=re.M))
STRUCTS = {"tsnn" + re.sub("([A-Z])", r"_\1", cls.__name__).lower(): cls for cls in structs.Struct.__subclasses__()}
PREFIXES: dict[type[IntEnum], tuple[str, ...]] = {
    kinds.Status: ("TSNN_", "TSNN_ERROR_"), kinds.Isa: ("TSNN_ISA_",), kinds.Ownership: ("TSNN_",),
    kinds.Sampling: ("TSNN_SAMPLING_",), kinds.Init: ("TSNN_INIT_",), kinds.Fan: ("TSNN_FAN_",),
    kinds.ActivationKind: ("TSNN_ACTIVATION_",), kinds.LossKind: ("TSNN_LOSS_",),
    kinds.OptimizerKind: ("TSNN_OPTIMIZER_",), kinds.Decay: ("TSNN_DECAY_",), kinds.ScheduleKind: ("TSNN_SCHEDULE_",),
    kinds.Fold: ("TSNN_FOLD_",),
}
SCALARS = {"int32_t": c_int32, "tsnn_status": c_int32, "uint32_t": c_uint32, "int64_t": c_int64, "double": c_double,
           "size_t": ctypes.c_size_t}
TEXT = "const char *"


def allowed(declaration: str) -> list[Any]:
    """The ctypes that may stand for an argument "const tsnn_layer *layer"."""
    plain = declaration.replace("const ", "").strip()
    kind, stars = plain.split(" ")[0].rstrip("*"), plain.count("*")
    if stars == 0:
        return [SCALARS[kind]]
    if stars == 2:
        return [PLACE]
    if kind == "char":
        return [c_char_p]
    if kind in STRUCTS:
        return [POINTER(STRUCTS[kind])]
    return [c_void_p] + ([POINTER(SCALARS[kind])] if kind in SCALARS else [])


def arguments(declarations: str) -> list[list[Any]]:
    return [] if declarations.strip() in ("", "void") else [allowed(one) for one in declarations.split(",")]


class TestHeaders(unittest.TestCase):
    def test_every_field_of_every_struct_lies_where_the_c_compiler_puts_it(self) -> None:
        kept: dict[str, list[str]] = {}
        for line in (ROOT / "tests" / "abi" / "libtsnn.layout").read_text(encoding="utf-8").splitlines():
            kept.setdefault(line.split(" ")[0].split(".")[0], []).append(line)
        for name, cls in STRUCTS.items():
            fields = [(field, getattr(cls, field)) for field, _ in cls._fields_]
            ours = [f"{name} {ctypes.sizeof(cls)}"] + [f"{name}.{field} {at.offset} {at.size}" for field, at in fields]
            self.assertEqual(sorted(ours), sorted(kept.get(name, [])))

    def test_every_number_of_an_enumeration_is_that_of_the_headers(self) -> None:
        numbers = {name: int(value) for name, value in re.findall(r"(TSNN_\w+) = (-?\d+)", CODE)}
        for cls, prefixes in PREFIXES.items():
            for member in cls:
                found = [numbers[prefix + member.name] for prefix in prefixes if prefix + member.name in numbers]
                self.assertIn(member.value, found, member)
        errors = {name for name in numbers if name.startswith("TSNN_ERROR_")}
        self.assertEqual(errors, {f"TSNN_ERROR_{status.name}" for status in kinds.Status if status < 0})
        self.assertEqual(set(PREFIXES), {cls for cls in vars(kinds).values()
                                         if isinstance(cls, type) and issubclass(cls, IntEnum) and cls is not IntEnum})

    def test_every_prototype_is_that_of_the_headers(self) -> None:
        declared = {name: (result.strip(), given) for result, name, given
                    in re.findall(r"TSNN_API ([\w *]+?)(tsnn_\w+) ?\(([^)]*)\);", CODE)}
        for name, types in PROTOTYPES.items():
            result, given = declared[name]
            expected = {TEXT: c_char_p, "void": None}.get(result, SCALARS.get(result))
            self.assertEqual(RESULTS.get(name, c_int32), expected, name)
            wanted = arguments(given)
            self.assertEqual(len(types), len(wanted), name)
            for number, (ours, theirs) in enumerate(zip(types, wanted)):
                self.assertIn(ours, theirs, f"{name}, argument {number}")

    def test_every_callback_has_the_arguments_of_the_headers(self) -> None:
        declared = {name: (result, given) for result, name, given
                    in re.findall(r"typedef (\w+) \(\*(tsnn_\w+)\)\(([^)]*)\);", CODE)}
        ours = {"tsnn_step_callback": structs.StepCallback, "tsnn_epoch_callback": structs.EpochCallback,
                "tsnn_activation_function": structs.ActivationFunction,
                "tsnn_activation_derivative": structs.ActivationDerivative}
        for name, prototype in ours.items():
            result, given = declared[name]
            self.assertEqual(prototype._restype_, SCALARS.get(result), name)
            self.assertEqual(len(prototype._argtypes_), len(arguments(given)), name)
            for one, theirs in zip(prototype._argtypes_, arguments(given)):
                self.assertIn(one, theirs, name)

    def test_a_number_that_does_not_fit_its_field_is_refused(self) -> None:
        for number in (-1, 2**64):
            with self.assertRaisesRegex(ValueError, "seed"):
                structs.ContextOptions(seed=number)
