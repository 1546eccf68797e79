"""Finding the library, and living with one that lacks something."""

from __future__ import annotations

import os
import unittest
from pathlib import Path
from unittest import mock

from sparse_nn import Library, LibraryError
from sparse_nn.library import candidates


class TestLibrary(unittest.TestCase):
    def test_the_library_is_where_the_environment_says(self) -> None:
        self.assertEqual(Library().path, os.environ["TSNN_LIBRARY"])
        self.assertRegex(Library().version, r"^\d+\.\d+\.\d+$")

    def test_a_wrong_path_in_the_environment_is_an_error_that_names_it(self) -> None:
        with mock.patch.dict(os.environ, TSNN_LIBRARY="/nowhere/libtsnn.so"):
            with self.assertRaisesRegex(LibraryError, "/nowhere/libtsnn.so"):
                Library()

    def test_without_the_environment_the_build_folder_comes_before_the_system(self) -> None:
        with mock.patch.dict(os.environ), mock.patch.object(Path, "exists", lambda path: path.parent.name == "build"):
            del os.environ["TSNN_LIBRARY"]
            names = list(candidates())
        self.assertTrue(names[0].endswith("/build/libtsnn.so.0"), names)
        self.assertIn("libtsnn.so.0", names)

    def test_a_function_that_the_library_lacks_is_named(self) -> None:
        with mock.patch.dict("sparse_nn.library.PROTOTYPES", tsnn_from_the_future=()):
            with self.assertRaisesRegex(LibraryError, "has no tsnn_from_the_future"):
                Library().tsnn_from_the_future()
        with self.assertRaises(AttributeError):
            Library().tsnn_no_prototype
