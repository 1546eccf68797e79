"""NumPy in and out: what is not copied, what is converted, what is refused."""

from __future__ import annotations

import ctypes
import unittest

import numpy as np
from sparse_nn import Context, Dataset, NotFiniteError, ShapeError, Standardizer
from sparse_nn.structs import DatasetInfo
from support import Course, moons


class TestArrays(unittest.TestCase):
    def setUp(self) -> None:
        self.X, self.y = moons()

    def test_a_data_set_reads_the_callers_arrays_in_place(self) -> None:
        dataset = Dataset(Context(), self.X, self.y)
        info = DatasetInfo()
        dataset.context.call("tsnn_dataset_get_info", dataset.handle, ctypes.byref(info))
        self.assertEqual((info.feature_data, info.labels), (self.X.ctypes.data, self.y.ctypes.data))
        targets = self.X[:, :2].copy()
        self.assertTrue(np.shares_memory(Dataset(dataset.context, self.X, targets=targets).targets, targets))

    def test_the_arrays_of_a_data_set_live_as_long_as_it_does(self) -> None:
        course = Course()
        dataset = Dataset(course.context, self.X.copy(), self.y.copy())
        expected = course.network.evaluate(course.data).correct
        self.assertEqual(course.network.evaluate(dataset).correct, expected)

    def test_predictions_are_written_into_the_callers_array(self) -> None:
        network = Course().network
        out = np.full((400, 2), 7, np.float32)
        self.assertIs(network.predict(self.X, out[100:300]).base, out)
        self.assertTrue((out[100:300] == network.predict(self.X)).all() and (out[:100] == 7).all())
        labels = np.empty(200, np.int32)
        self.assertIs(network.classify(self.X, labels), labels)

    def test_other_kinds_and_orders_of_numbers_give_the_same_predictions(self) -> None:
        network = Course().network
        rows = np.round(self.X * 3)
        expected = network.predict(rows)
        shifted = np.frombuffer(b"x" + rows.tobytes(), np.float32, offset=1).reshape(rows.shape)
        others = [rows.astype(kind) for kind in (np.float64, np.float16, np.int8, np.int64, ">f4")]
        for other in [*others, np.asfortranarray(rows), np.repeat(rows, 2, 0)[::2], shifted, rows.tolist()]:
            self.assertTrue((network.predict(other) == expected).all())

    def test_no_rows_give_no_predictions(self) -> None:
        self.assertEqual(Course().network.predict(np.empty((0, 6))).shape, (0, 2))

    def test_what_are_no_numbers_is_refused(self) -> None:
        network = Course().network
        for wrong in (self.X.astype(complex), self.X.astype(str), self.X.astype(object), self.X.astype("M8[s]")):
            with self.assertRaisesRegex(TypeError, "features: numbers are wanted"):
                network.predict(wrong)

    def test_wrong_shapes_are_refused_with_their_numbers(self) -> None:
        network, context = Course().network, Context()
        with self.assertRaisesRegex(ShapeError, "features: 5 a row, but the network takes 6"):
            network.predict(self.X[:, :5])
        with self.assertRaisesRegex(ValueError, "2 dimensions"):
            network.predict(self.X[0])
        with self.assertRaisesRegex(ShapeError, "200 rows of features, but 199 labels"):
            Dataset(context, self.X, self.y[1:])
        with self.assertRaisesRegex(ShapeError, "2 means, but 3 deviations"):
            Standardizer(context, [0, 0], [1, 1, 1])

    def test_an_output_array_that_cannot_take_the_answer_is_refused(self) -> None:
        network = Course().network
        frozen = np.empty((200, 2), np.float32)
        frozen.flags.writeable = False
        for error, out in ((TypeError, np.empty((200, 2))), (TypeError, [0.0]), (ValueError, frozen),
                           (ValueError, np.empty((199, 2), np.float32)),
                           (ValueError, np.empty((2, 200), np.float32).T)):
            with self.assertRaisesRegex(error, "^out: "):
                network.predict(self.X, out)  # type: ignore[arg-type]

    def test_a_nan_is_refused_with_its_place_and_the_objects_stay_usable(self) -> None:
        course = Course()
        wrong = self.X.copy()
        for number in (np.nan, np.inf):
            wrong[3, 2] = number
            with self.assertRaisesRegex(NotFiniteError, "3.*2"):
                Dataset(course.context, wrong, self.y)
            with self.assertRaises(NotFiniteError):
                course.network.predict(wrong)
        with self.assertRaises(NotFiniteError):
            course.network.predict(np.full((1, 6), 1e300))
        self.assertTrue(course.trainer.run(course.data))
        self.assertEqual(len(course.network.predict(self.X)), 200)

    def test_labels_that_are_no_class_numbers_are_refused(self) -> None:
        context = Context()
        for error, labels in ((TypeError, self.y + 0.5), (TypeError, self.y.astype(str)), (ValueError, self.y - 1),
                              (ValueError, self.y.astype(np.int64) + 2**32), (ValueError, self.y[:, None])):
            with self.assertRaises(error):
                Dataset(context, self.X, labels)
        with self.assertRaises(ValueError):
            Dataset(context, self.X, self.y, classes=1)
        with self.assertRaises(ValueError):
            Dataset(context, self.X)
