"""The estimators, with scikit-learn and without it."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
import tempfile
import unittest
import warnings
from typing import Any

import numpy as np
from sparse_nn import Context, Network, SparseClassifier, SparseRegressor
from support import ROOT, moons, needs_model_files, needs_sklearn, sklearn

X, Y = moons()


def leaky(z: Any) -> Any:
    return np.where(z < 0, 0.1 * z, z)


def leaky_derivative(z: Any, a: Any) -> Any:
    return np.where(z < 0, 0.1, 1.0)


class TestEstimator(unittest.TestCase):
    def test_a_classifier_learns_classes_of_any_kind(self) -> None:
        for classes in (np.array([3, 7]), np.array(["left", "right"]), np.array([False, True])):
            classifier = SparseClassifier((30, 20), epochs=30, random_state=0).fit(X, classes[Y])
            self.assertGreater(classifier.score(X, classes[Y]), 0.85)
            self.assertEqual(set(classifier.predict(X)), set(classes))
            self.assertEqual(classifier.predict_proba(X).shape, (200, 2))
            served = classifier.predictor().predict(X)
            np.testing.assert_allclose(served, classifier.predict_proba(X), rtol=1e-4, atol=1e-6)
        self.assertEqual(len(classifier.loss_curve_), 30)

    def test_a_regressor_learns_targets_of_any_size(self) -> None:
        for targets in (np.sin(2 * X[:, 1]), 1e6 + 1e5 * X[:, 4], np.c_[X[:, 1], 1e-6 * X[:, 0] * X[:, 4]]):
            regressor = SparseRegressor((60, 60), random_state=0).fit(X, targets)
            self.assertEqual(regressor.predict(X).shape, targets.shape)
            self.assertGreater(regressor.score(X, targets), 0.8)

    def test_equal_seeds_give_equal_bits_for_any_number_of_threads(self) -> None:
        one, two = (SparseClassifier((30,), epochs=5, random_state=4, n_jobs=jobs).fit(X, Y) for jobs in (None, -1))
        self.assertTrue((one.predict_proba(X) == two.predict_proba(X)).all())

    def test_an_epoch_callback_stops_fit_and_its_exception_leaves_fit_and_the_old_model(self) -> None:
        classifier = SparseClassifier((30,), epochs=50, random_state=0, on_epoch=lambda report: report.epoch == 7)
        classifier.fit(X, Y)
        self.assertEqual(classifier.n_iter_, 7)
        before = classifier.predict_proba(X)
        classifier.on_epoch = lambda report: 1 / 0
        with self.assertRaises(ZeroDivisionError):
            classifier.fit(X[:, :3], Y + 5)
        self.assertTrue((classifier.predict_proba(X) == before).all())
        self.assertEqual(classifier.classes_.tolist(), [0, 1])

    def test_wrong_data_and_parameters_are_refused_and_leave_the_old_model(self) -> None:
        classifier = SparseClassifier((30,), epochs=5, random_state=0).fit(X, Y)
        before = classifier.predict_proba(X)
        hole = X.copy()
        hole[5, 5] = np.nan
        for rows, labels in ((hole, Y), (X[:10], Y), (X[0], Y), (X, Y + 0.5), (X, np.zeros(200))):
            with self.assertRaises(ValueError):
                classifier.fit(rows, labels)
        with self.assertRaises(ValueError):
            classifier.predict(X[:, 1:])
        for name, value in (("optimizer", "adam"), ("dropout", 2.0), ("hidden_layer_sizes", (0,)), ("epochs", -1),
                            ("activation", "swish"), ("learning_rate", 1e30), ("zeta", -1.0), ("momentum", 5.0),
                            ("batch_size", 0), ("alpha", 0.0)):
            with self.assertRaises(ValueError, msg=name):
                SparseClassifier(**{"random_state": 0, name: value}).fit(X, Y)  # type: ignore[arg-type]
        self.assertTrue((classifier.predict_proba(X) == before).all())

    def test_zeta_of_zero_keeps_the_topology(self) -> None:
        none, zero = (SparseClassifier((30,), epochs=5, random_state=0, zeta=zeta).fit(X, Y) for zeta in (None, 0))
        self.assertTrue((none.predict_proba(X) == zero.predict_proba(X)).all())
        with self.assertRaisesRegex(ValueError, "zeta is 0"):
            zero.evolve()

    def test_partial_fit_learns_in_chunks_of_any_size(self) -> None:
        classifier = SparseClassifier((30, 20), random_state=0)
        with self.assertRaisesRegex(ValueError, "classes must be passed"):
            classifier.partial_fit(X, Y)
        for _ in range(40):
            for start in range(0, 200, 70):
                classifier.partial_fit(X[start:start + 70], Y[start:start + 70], classes=[0, 1])
            classifier.evolve()
        self.assertGreater(classifier.partial_fit(X, Y).score(X, Y), 0.85)
        with self.assertRaisesRegex(ValueError, "not in"):
            classifier.partial_fit(X, Y + 1)
        with self.assertRaisesRegex(ValueError, "not the same"):
            classifier.partial_fit(X, Y, classes=[0, 1, 2])
        with self.assertRaises(ValueError):
            SparseRegressor((5,)).partial_fit(X, Y).partial_fit(X, np.c_[Y, Y])

    def test_parameters_may_change_between_calls_of_partial_fit_and_wrong_ones_change_nothing(self) -> None:
        needs_model_files(Network.mlp(Context(), (1, 1)))
        plain, changed = (SparseClassifier((30,), dropout=0.2, random_state=0).partial_fit(X, Y, [0, 1]) for _ in "ab")
        with self.assertRaises(ValueError):
            changed.set_params(optimizer="adam").partial_fit(X, Y)
        changed.set_params(optimizer="momentum", learning_rate=0.1).partial_fit(X, Y)
        changed.set_params(learning_rate=0.01)
        self.assertFalse((plain.partial_fit(X, Y).predict_proba(X) == changed.predict_proba(X)).all())
        again = pickle.loads(pickle.dumps(changed))
        self.assertTrue((again.partial_fit(X, Y).predict(X) == changed.partial_fit(X, Y).predict(X)).all())

    def test_a_pickle_and_a_copy_predict_and_learn_on_to_the_same_bits(self) -> None:
        needs_model_files(Network.mlp(Context(), (1, 1)))
        for estimator in (SparseClassifier((30,), epochs=5, dropout=0.2, random_state=0),
                          SparseClassifier((30,), epochs=5, activation=(leaky, leaky_derivative), random_state=0),
                          SparseRegressor((30,), epochs=5, dropout=0.2, random_state=0)):
            estimator.fit(X, Y)
            for _ in range(2):  # after fit, and after partial_fit
                others = [pickle.loads(pickle.dumps(estimator)), copy.deepcopy(estimator)]
                for each in (estimator, *others):
                    each.partial_fit(X, Y).evolve().partial_fit(X[:50], Y[:50])
                for other in others:
                    self.assertTrue((other.predict(X) == estimator.predict(X)).all())

    def test_a_saved_model_is_one_for_every_program(self) -> None:
        needs_model_files(Network.mlp(Context(), (1, 1)))
        classifier = SparseClassifier((30,), epochs=5, random_state=0).fit(X, Y)
        with tempfile.TemporaryDirectory() as folder:
            classifier.save(f"{folder}/model.safetensors")
            network = Network.load(Context(), f"{folder}/model.safetensors")
        np.testing.assert_allclose(network.predict(X), classifier.predict_proba(X), rtol=1e-5, atol=1e-6)

    def test_the_programs_of_the_readme_run(self) -> None:
        needs_model_files(Network.mlp(Context(), (1, 1)))
        text = (ROOT / "examples" / "ffi" / "python" / "README.md").read_text(encoding="utf-8")
        programs = [block.split("```")[0] for block in text.split("```python\n")[1:]]
        self.assertGreaterEqual(len(programs), 2)
        for program in programs:
            if "sklearn" in program and sklearn is None:
                continue
            with tempfile.TemporaryDirectory() as folder:
                done = subprocess.run([sys.executable, "-W", "error::DeprecationWarning", "-c", program], cwd=folder,
                                      env=_environment(), capture_output=True, text=True, timeout=120, check=False)
            self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_the_estimators_work_without_scikit_learn(self) -> None:
        program = """if True:
            import sys
            sys.modules["sklearn"] = None
            sys.path.insert(0, "tests/ffi/python")
            import test_estimator as tests
            assert tests.sklearn is None and tests.SparseClassifier().set_params(epochs=3).get_params()["epochs"] == 3
            import unittest
            names = [name for name in dir(tests.TestEstimator) if name.startswith("test_") and "scikit" not in name
                     and "readme" not in name]
            result = unittest.TestSuite(map(tests.TestEstimator, names)).run(unittest.TestResult())
            assert result.testsRun > 5 and not result.failures and not result.errors, (result.failures, result.errors)
        """
        done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=_environment(), capture_output=True,
                              text=True, timeout=120, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))


@needs_sklearn
class TestScikitLearn(unittest.TestCase):
    claim = ""

    def test_a_pipeline_and_a_grid_search_take_the_classifier(self) -> None:
        from sklearn.model_selection import GridSearchCV
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import PolynomialFeatures

        pipeline = make_pipeline(PolynomialFeatures(2, include_bias=False),
                                 SparseClassifier((30,), epochs=30, random_state=0))
        grid = {"sparseclassifier__epsilon": [2, 10], "sparseclassifier__zeta": [None, 0.3]}
        for jobs in (1, 2):
            search = GridSearchCV(pipeline, grid, cv=3, n_jobs=jobs, error_score="raise").fit(X, Y)
            self.assertGreater(search.best_score_, 0.75)
            self.assertEqual(len(search.cv_results_["params"]), 4)

    def test_float32_rows_are_not_copied_on_their_way(self) -> None:
        self.assertTrue(np.shares_memory(SparseClassifier()._checked(X, reset=True), X))

    def test_scikit_learns_own_checks_pass(self) -> None:
        needs_model_files(Network.mlp(Context(), (1, 1)))
        count, skipped = 0, []
        for estimator in (SparseClassifier(), SparseRegressor()):
            for subject, check in _checks(estimator):
                count += 1
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    with self.subTest(estimator=estimator, check=check):
                        try:
                            check(subject)
                        except unittest.SkipTest as reason:
                            skipped.append(str(reason))
        said = "".join(f"; it skips some itself: {reason.rstrip('.')}" for reason in sorted(set(skipped)))
        self.claim = f"both estimators pass the {count} checks of scikit-learn {sklearn.__version__}, none waived{said}"


def _checks(estimator: Any) -> Any:
    from sklearn.utils import estimator_checks

    if hasattr(estimator_checks, "estimator_checks_generator"):  # from 1.6 on
        return estimator_checks.estimator_checks_generator(estimator)
    return estimator_checks.check_estimator(estimator, generate_only=True)


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "examples" / "ffi" / "python")}
