"""Objects: what they do, who owns them, and what becomes of closed ones."""

from __future__ import annotations

import gc
import pathlib
import pickle
import tempfile
import threading
import unittest
from typing import Any

import numpy as np
from sparse_nn import (Activation, ArgumentError, Context, Dataset, Error, Evolution, FileError, FormatError, Layer,
                       Library, Loss, Network, Optimizer, Predictor, Pruning, ShapeError, Standardizer, StateError,
                       Status, Trainer, UnsupportedError)
from support import Course, moons, needs_model_files


class Ledger(Library):
    """Notes what is made and what is given back, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.made: list[str] = []
        self.given_back: list[str] = []

    def __getattr__(self, name: str) -> Any:
        function = super().__getattr__(name)
        kind = name.split("_")[1] if name.startswith("tsnn_") else ""
        if not name.endswith("_destroy") and "_create" not in name and name != "tsnn_network_copy":
            return function

        def noted(*arguments: Any) -> Any:
            (self.given_back if name.endswith("_destroy") else self.made).append(kind)
            return function(*arguments)

        setattr(self, name, noted)
        return noted


class TestObjects(unittest.TestCase):
    def test_a_course_learns_and_equal_seeds_give_equal_bits_for_any_number_of_threads(self) -> None:
        one, other, third = Course(epochs=20), Course(epochs=20, threads=2), Course(epochs=20, seed=2)
        for course in (one, other, third):
            self.assertTrue(course.trainer.run(course.data))
        self.assertGreater(one.network.evaluate(one.data, Loss(one.context)).accuracy, 0.85)
        self.assertEqual(one.weights(), other.weights())
        self.assertNotEqual(one.weights(), third.weights())

    def test_a_layer_comes_back_as_the_matrix_it_was_made_of(self) -> None:
        context = Context()
        given = (np.array([0, 2, 3, 3]), np.array([0, 3, 1]), np.array([0.5, -1, 2], np.float32))
        network = Network(context)
        layer = Layer.from_csr(context, 4, *given, bias=[1, 2, 3, 4])
        network.append(layer)
        for ours, theirs in zip(given, network[0].csr()):
            self.assertTrue((ours == theirs).all())
        self.assertEqual(network.predict([[1, 1, 1]]).tolist(), [[1.5, 4, 3, 3]])
        self.assertTrue(layer.closed)
        network[0].set_weights([1, 1, 1])
        self.assertEqual(network[0].importance().tolist(), [1, 1, 0, 1])
        with self.assertRaisesRegex(ShapeError, "4 outputs and 3 biases"):
            Layer.from_csr(context, 4, *given, bias=[1, 2, 3])
        with self.assertRaises(ShapeError):
            Layer.from_csr(context, 4, [0, 2, 1, 3], given[1], given[2])
        with self.assertRaises(IndexError):
            network[1]

    def test_a_layer_that_does_not_fit_stays_the_callers(self) -> None:
        context = Context()
        network = Network.mlp(context, (3, 5))
        layer = Layer(context, 4, 2)
        with self.assertRaises(ShapeError):
            network.append(layer)
        self.assertEqual((layer.info().inputs, len(network)), (4, 1))

    def test_pruning_and_evolution_tell_what_they_did(self) -> None:
        course = Course()
        before = course.network.info().neurons
        self.assertGreater(Evolution(course.context, 0.5).apply(course.network, 1), 0)
        report = Pruning(course.context, percentile=30).apply(course.network)
        self.assertEqual((report.neurons_before, report.neurons_after), (before, course.network.info().neurons))
        self.assertLess(report.neurons_after, before)
        self.assertTrue(course.trainer.run(course.data))

    def test_a_standardizer_makes_a_network_take_raw_features(self) -> None:
        course, (X, _) = Course(), moons()
        standardizer = Standardizer.fit(course.data)
        mean, deviation = standardizer.numbers()
        expected = course.network.predict((X - mean) / deviation)
        course.network.set_standardizer(standardizer)
        np.testing.assert_allclose(course.network.predict(X), expected, rtol=1e-4, atol=1e-5)

    def test_a_copy_is_independent(self) -> None:
        course, (X, _) = Course(), moons()
        copy = course.network.copy()
        expected = copy.predict(X)
        course.trainer.run(course.data)
        course.network.close()
        self.assertTrue((copy.predict(X) == expected).all())

    def test_saved_networks_and_trainings_go_on_to_the_same_bits(self) -> None:
        whole, first = Course(epochs=6), Course(epochs=3)
        needs_model_files(whole.network)
        for course in (whole, first):
            course.trainer.run(course.data)
        again = Course(network=Network.load(Context(seed=1, threads=1), first.network.to_bytes()), epochs=6)
        again.trainer.resume(first.trainer.to_bytes())
        third = Course(epochs=6, on_epoch=lambda report: report.epoch == 3)
        self.assertFalse(third.trainer.run(third.data))
        resumed = Course(epochs=6)
        resumed.trainer.resume(third.trainer.to_bytes())
        self.assertTrue(resumed.trainer.run(resumed.data))
        self.assertEqual(resumed.weights(), whole.weights())
        self.assertEqual(again.weights(), first.weights())

    def test_bytes_and_files_that_hold_no_model_are_refused(self) -> None:
        course = Course()
        needs_model_files(course.network)
        saved = course.network.to_bytes()
        for wrong in (b"", b"no model", saved[:-1], b"\xff" * 100):
            with self.assertRaises(FormatError):
                Network.load(course.context, wrong)
        with self.assertRaisesRegex(FileError, "nowhere"):
            Network.load(course.context, "/nowhere/model")
        self.assertIsInstance(FileError(-100, ""), OSError)

    def test_a_predictor_from_a_file_or_bytes_has_the_bits_of_one_of_the_network(self) -> None:
        course, (X, _) = Course(), moons()
        needs_model_files(course.network)
        course.trainer.run(course.data)
        expected, saved = Predictor(course.network).predict(X), course.network.to_bytes()
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "model.safetensors"
            course.network.save(path)
            loaded = [Predictor.load(path), Predictor.load(str(path)), Predictor.load(saved),
                      Predictor.load(saved, context=course.context)]
        for predictor in loaded:  # the file is gone
            self.assertEqual((predictor.inputs, predictor.outputs), (6, 2))
            self.assertTrue((predictor.predict(X) == expected).all())
        with self.assertRaisesRegex(ShapeError, "5 a row, but the network takes 6"):
            loaded[0].predict(X[:, :5])
        for wrong in (b"", b"no model", saved[:-1], b"\xff" * 100):
            with self.assertRaises(FormatError):
                Predictor.load(wrong)
        with self.assertRaisesRegex(FileError, "nowhere"):
            Predictor.load("/nowhere/model")

    def test_a_loaded_predictor_calls_an_activation_of_your_own(self) -> None:
        context, (X, _) = Context(), moons()
        calls: list[int] = []

        def function(z: Any) -> Any:
            calls.append(len(z))
            if len(calls) > 1000:
                raise KeyError("enough")
            return np.tanh(z)

        custom = Activation(context, function=function, derivative=lambda z, a: 1 - a * a)
        network = Network.mlp(context, (6, 5, 2), hidden=custom)
        needs_model_files(network)
        saved, expected = network.to_bytes(), Predictor(network).predict(X)
        with self.assertRaises(UnsupportedError):
            Predictor.load(saved)
        predictor = Predictor.load(saved, custom)
        del context, custom, network
        gc.collect()
        self.assertTrue((predictor.predict(X) == expected).all())
        calls.extend([0] * 1000)
        with self.assertRaisesRegex(KeyError, "enough"):
            predictor.predict(X)

    def test_an_error_has_status_and_words_and_fits_pythons_classes(self) -> None:
        context = Context()
        with self.assertRaises(ArgumentError) as caught:
            Optimizer(context, learning_rate=-1.0)
        self.assertIsInstance(caught.exception, ValueError)
        again = pickle.loads(pickle.dumps(caught.exception))
        self.assertEqual((type(again), str(again)), (ArgumentError, str(caught.exception)))
        self.assertEqual(caught.exception.status, Status.INVALID_ARGUMENT)
        self.assertIn("-1", str(caught.exception))
        with self.assertRaisesRegex(ValueError, "'adam' is no OptimizerKind; there are sgd, momentum, nesterov"):
            Optimizer(context, "adam")
        with self.assertRaises(UnsupportedError):
            Context(isa="neon" if context.info().isa != 4 else "avx2")
        with self.assertRaisesRegex(ArgumentError, "another context"):
            Trainer(Course().network, Loss(context), Optimizer(context), evolution=Evolution(context))

    def test_a_closed_object_says_so_and_closing_twice_does_nothing(self) -> None:
        course, (X, _) = Course(), moons()
        layer, predictor = course.network[0], Predictor(course.network)
        with course.network as network:
            self.assertFalse(network.closed)
        network.close()
        for use in (lambda: network.predict(X), layer.csr, lambda: course.trainer.run(course.data), network.copy,
                    lambda: Predictor(network)):
            with self.assertRaisesRegex(StateError, "is closed"):
                use()
        self.assertEqual(len(predictor.predict(X)), 200)
        predictor.close()
        with self.assertRaisesRegex(StateError, "this Predictor is closed"):
            predictor.predict(X)
        course.context.close()
        with self.assertRaisesRegex(StateError, "this Context is closed"):
            Loss(course.context)
        self.assertTrue(course.data.closed)

    def test_everything_is_given_back_and_the_context_last(self) -> None:
        X, y = moons()
        library = Ledger()
        for by_hand in (False, True):
            context = Context(library=library)
            network = Network.mlp(context, (6, 5, 2), hidden=Activation(context, "relu"))
            parts: list[Any] = [Dataset(context, X, y), network.copy(), Predictor(network),
                                Trainer(network, Loss(context), Optimizer(context), evolution=Evolution(context),
                                        on_epoch=lambda report: bool(parts))]
            parts[0].itself = parts  # a ring, for the garbage collector
            if by_hand:
                context.close()
            del context, network, parts
            gc.collect()
            self.assertEqual(sorted(library.made), sorted(library.given_back))
            self.assertIn("context", library.given_back[-2:])
            parts_first = "".join(library.given_back)
            self.assertLess(parts_first.index("trainer"), parts_first.rindex("network"))
            library.made.clear()
            library.given_back.clear()

    def test_threads_share_a_context_in_turn_and_a_predictor_freely(self) -> None:
        course, (X, _) = Course(epochs=30), moons()
        predictor, expected = Predictor(course.network), course.network.predict(X)
        whole = Course(epochs=30)
        whole.trainer.run(whole.data)
        wrong: list[object] = []

        def predict() -> None:
            for _ in range(200):
                if not (predictor.predict(X) == expected).all():
                    wrong.append("bits")

        def disturb() -> None:
            for _ in range(20):
                Dataset(course.context, X, np.zeros(200, np.int32))
                try:
                    Optimizer(course.context, learning_rate=-2.0)
                except Error as error:
                    if "-2" not in str(error):
                        wrong.append(error)

        threads = [threading.Thread(target=work) for work in (predict, predict, predict, disturb)]
        for thread in threads:
            thread.start()
        course.trainer.run(course.data)
        for thread in threads:
            thread.join()
        self.assertEqual(wrong, [])
        self.assertEqual(course.weights(), whole.weights())
