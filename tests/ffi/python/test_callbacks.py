"""Python functions that the library calls."""

from __future__ import annotations

import os
import signal
import threading
import traceback
import unittest
from typing import Any

import numpy as np
from sparse_nn import (Activation, Context, EpochReport, Error, Network, NotFiniteError, Predictor, StateError,
                       StepReport)
from support import Course, moons


class Mishap(BaseException):
    """Not even an Exception."""


def fail(*_: Any) -> Any:
    raise Mishap


def softplus(z: Any) -> Any:
    return np.logaddexp(0, z)


def softplus_derivative(z: Any, a: Any) -> Any:
    return 1 - np.exp(-a)


class TestCallbacks(unittest.TestCase):
    def test_a_report_tells_of_each_step_and_epoch(self) -> None:
        steps: list[StepReport] = []
        epochs: list[EpochReport] = []
        course = Course(on_step=steps.append, on_epoch=epochs.append)
        self.assertTrue(course.trainer.run(course.data, course.data))
        self.assertEqual([report.epoch for report in epochs], [1, 2, 3, 4, 5])
        self.assertEqual([(report.epoch, report.step) for report in steps][9:11], [(1, 10), (2, 1)])
        self.assertEqual((epochs[0].samples, epochs[0].has_validation), (200, 1))
        self.assertEqual(epochs[-1].connections, course.network.info().connections)
        self.assertIn("train_loss=", repr(epochs[0]))

    def test_a_true_answer_stops_and_a_further_run_goes_on_to_the_same_bits(self) -> None:
        seen: list[int] = []

        def stop(report: EpochReport) -> bool:
            seen.append(report.epoch)
            return bool(report.epoch == 2)

        course, whole = Course(on_epoch=stop), Course()
        self.assertFalse(course.trainer.run(course.data))
        self.assertEqual(seen, [1, 2])
        self.assertTrue(course.trainer.run(course.data))
        whole.trainer.run(whole.data)
        self.assertEqual((seen, course.weights()), ([1, 2, 3, 4, 5], whole.weights()))

    def test_an_exception_in_a_callback_leaves_run_as_it_was_raised_and_all_is_usable(self) -> None:
        for where in ("on_step", "on_epoch"):
            raised = Mishap("here")
            answers = iter([raised])

            def mishap(report: Any) -> None:
                for exception in answers:
                    raise exception

            options: dict[str, Any] = {where: mishap}
            course = Course(**options)
            try:
                course.trainer.run(course.data)
            except Mishap as exception:
                self.assertIs(exception, raised)
                self.assertIn("mishap", {frame.name for frame in traceback.extract_tb(exception.__traceback__)})
            else:
                self.fail("nothing was raised")
            self.assertTrue(course.trainer.run(course.data))

    def test_an_answer_without_truth_is_an_exception_too(self) -> None:
        course = Course(on_epoch=lambda report: np.zeros(2))
        with self.assertRaisesRegex(ValueError, "truth value"):
            course.trainer.run(course.data)

    def test_ctrl_c_ends_a_run_after_the_epoch(self) -> None:
        seen: list[int] = []

        def interrupt(report: EpochReport) -> None:
            seen.append(report.epoch)
            if report.epoch == 2:
                os.kill(os.getpid(), signal.SIGINT)

        # A shell starts what runs in its background with the signal ignored, and Python leaves that as it is.
        self.addCleanup(signal.signal, signal.SIGINT, signal.signal(signal.SIGINT, signal.default_int_handler))
        course = Course(on_epoch=interrupt)
        with self.assertRaises(KeyboardInterrupt):
            course.trainer.run(course.data)
        self.assertEqual(seen, [1, 2])
        self.assertIs(signal.getsignal(signal.SIGINT), signal.default_int_handler)
        silent = Course(epochs=20000)
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
        with self.assertRaises(KeyboardInterrupt):
            silent.trainer.run(silent.data)
        self.assertTrue(course.trainer.run(course.data))

    def test_a_callback_may_call_the_library(self) -> None:
        X, _ = moons()
        accuracies: list[float] = []

        def look(report: EpochReport) -> None:
            accuracies.append(course.network.evaluate(course.data).accuracy)
            course.network.predict(X)
            Predictor(course.network).classify(X)
            with self.assertRaises(NotFiniteError):
                course.network.predict(np.full((1, 6), np.nan))
            course.trainer.step(course.data, [0, 1, 2])

        course = Course(on_epoch=look)
        self.assertTrue(course.trainer.run(course.data))
        self.assertEqual(len(accuracies), 5)

    def test_another_thread_waits_until_the_run_has_returned(self) -> None:
        answered = threading.Event()

        def ask() -> None:
            course.context.info()
            answered.set()

        def look(report: EpochReport) -> None:
            if report.epoch == 1:
                threading.Thread(target=ask).start()
            early.append(answered.wait(0.02))

        early: list[bool] = []
        course = Course(on_epoch=look)
        course.trainer.run(course.data)
        self.assertEqual((any(early), answered.wait(60)), (False, True))

    def test_what_a_callback_closes_goes_after_the_run(self) -> None:
        def close(report: EpochReport) -> None:
            course.context.close()

        course = Course(on_epoch=close, epochs=2)
        self.assertTrue(course.trainer.run(course.data))
        with self.assertRaises(StateError):
            course.trainer.run(course.data)

    def test_an_activation_of_ones_own_learns_as_the_librarys_does(self) -> None:
        ours, theirs = Context(seed=3), Context(seed=3)
        relu = Activation(ours, function=lambda z: np.maximum(z, 0), derivative=lambda z, a: z >= 0)
        results = []
        for context, hidden in ((ours, relu), (theirs, Activation(theirs, "relu"))):
            course = Course(network=Network.mlp(context, (6, 20, 2), hidden=hidden))
            hidden.close()
            course.trainer.run(course.data)
            results.append(Predictor(course.network).predict(moons()[0]))
        del relu, hidden
        self.assertTrue((results[0] == results[1]).all())

    def test_an_exception_in_an_activation_leaves_each_call_that_meets_it(self) -> None:
        X, _ = moons()
        functions = {"function": softplus, "derivative": softplus_derivative}
        for broken in functions:
            context = Context(seed=1)
            switch = {"broken": False}

            def maybe(*arguments: Any) -> Any:
                return (fail if switch["broken"] else functions[broken])(*arguments)

            hidden = Activation(context, **{**functions, broken: maybe})  # type: ignore[arg-type]
            course = Course(network=Network.mlp(context, (6, 20, 2), hidden=hidden))
            predictor, expected = Predictor(course.network), course.network.predict(X)
            switch["broken"] = True
            with self.assertRaises(Mishap):
                course.trainer.run(course.data)
            if broken == "function":
                for use in (course.network.predict, course.network.classify, predictor.predict, hidden):
                    with self.assertRaises(Mishap):
                        use(X[:, 0] if use is hidden else X)
            switch["broken"] = False
            self.assertTrue((predictor.predict(X) == expected).all())
            self.assertTrue(np.isfinite(course.network.predict(X)).all())
            self.assertTrue(course.trainer.run(course.data))

    def test_an_activation_gets_views_that_it_cannot_write_to_and_must_fill_its_own(self) -> None:
        context = Context()

        def scribble(z: Any) -> Any:
            z[:] = 0
            return z

        for function, error in ((scribble, ValueError), (lambda z: z[:1], None), (lambda z: np.zeros(3), ValueError),
                                (lambda z: "text", ValueError)):
            activation = Activation(context, function=function, derivative=lambda z, a: 1)
            if error is None:
                self.assertEqual(activation([1, 2]).tolist(), [1, 1])
            else:
                with self.assertRaises(error):
                    activation([1, 2])

    def test_an_activation_wants_function_and_derivative(self) -> None:
        with self.assertRaises(Error):
            Activation(Context(), "custom", function=softplus)
