import logging

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.tree import DecisionTreeClassifier
from threadpoolctl import threadpool_limits

import program
from matchclf.calibration import INSTEAD, MINIMUM, choose_method, fit_calibrated
from matchclf.compose import CONF
from matchclf.errors import DataError
from matchclf.models import build_model
from matchclf.usage import options

unhurried = settings(deadline=None, max_examples=20)
METHODS = ["isotonic", "sigmoid", "temperature"]
each_method = pytest.mark.parametrize("method", METHODS)
each_model = pytest.mark.parametrize("name", options(CONF / "model"))
Matches = tuple[pd.DataFrame, np.ndarray, pd.Series]


def matches(rows: int = 4000, seed: int = 0, per_day: int = 4) -> Matches:
    """Matches whose outcome depends on one of two features, some unknown, ``per_day`` on a day."""
    rng = np.random.default_rng(seed)
    features = pd.DataFrame(rng.normal(size=(rows, 2)), columns=["elo_diff", "noise"], dtype=np.float32)
    strength = np.exp(np.outer(features["elo_diff"], [1, 0, -1]))
    share = (strength / strength.sum(axis=1, keepdims=True)).cumsum(axis=1)
    target = (rng.uniform(size=(rows, 1)) > share[:, :2]).sum(axis=1).astype(np.int8)
    features.loc[::7, "noise"] = np.nan
    days = pd.date_range("2001-01-01", periods=-(-rows // per_day), unit="s").repeat(per_day)[:rows]
    return features, target, pd.Series(days)


def tree(**limits: int) -> Pipeline:
    return make_pipeline(SimpleImputer(), DecisionTreeClassifier(**limits, random_state=1))


class Witness(ClassifierMixin, BaseEstimator):
    """Forecasts the shares of its training labels, and tells which rows (of the column ``row``) it was shown."""

    def __init__(self, shown: list | None = None) -> None:
        self.shown = shown

    def __sklearn_clone__(self) -> "Witness":
        return Witness(self.shown)

    def fit(self, features: pd.DataFrame, target: np.ndarray) -> "Witness":
        self.classes_ = np.unique(target)
        self.shares_ = np.bincount(target, minlength=3) / len(target)
        self.rows_ = features["row"].tolist()
        self.shown.append(("fit", self.rows_))
        return self

    def predict_proba(self, features: pd.DataFrame) -> np.ndarray:
        self.shown.append(("forecast", self.rows_, features["row"].tolist()))
        return np.tile(self.shares_, (len(features), 1))


def witnessed(target: np.ndarray, dates: pd.Series, method: str, share: float) -> list:
    shown: list = []
    features = pd.DataFrame({"row": np.arange(len(target))})
    fit_calibrated(make_pipeline(Witness(shown)), features, target, dates, method, share)
    return shown


@each_method
def test_the_calibrator_sees_only_forecasts_of_a_model_that_has_not_seen_the_slice(method):
    _, target, dates = matches(2000)
    everything, before, during = list(range(2000)), list(range(800)), list(range(800, 2000))
    shown = witnessed(target, dates, method, 0.6)
    assert [rows for kind, rows, *_ in shown if kind == "fit"] == [everything, before]
    forecasts = [(by, of) for kind, by, *of in shown if kind == "forecast"]
    assert set(map(str, forecasts)) == {str((before, [during]))}


@given(
    days=st.lists(st.integers(0, 12), min_size=300, max_size=320),
    share=st.floats(0.01, 0.9),
)
@unhurried
def test_no_day_is_on_both_sides_and_the_slice_is_the_latest_share(days, share):
    days = sorted(days)
    target = (np.arange(len(days)) % 3).astype(np.int8)
    dates = pd.Series(pd.to_datetime("2020-01-01") + pd.to_timedelta(days, "D"))
    first = days[min(len(days) - 1, round(len(days) * (1 - share)))]
    before = [row for row, day in enumerate(days) if day < first]
    if len(before) < 3:
        return
    fits = [rows for kind, rows, *_ in witnessed(target, dates, "sigmoid", share) if kind == "fit"]
    assert fits == ([list(range(len(days)))] if len(days) - len(before) < 100 else [list(range(len(days))), before])


@each_method
def test_the_model_behind_the_calibrator_is_the_one_fitted_on_all_matches(method):
    features, target, dates = matches()
    pipeline = tree(min_samples_leaf=50)
    found = fit_calibrated(pipeline, features, target, dates, method, 0.3)
    (behind,) = found.model.calibrated_classifiers_
    everything = clone(pipeline).fit(features, target).predict_proba(features)
    np.testing.assert_array_equal(behind.estimator.predict_proba(features), everything)
    np.testing.assert_array_equal(found.raw.predict_proba(features), everything)
    assert (found.method, found.rows) == (method, 1200)
    assert not np.allclose(found.model.predict_proba(features), everything, atol=1e-3)


def frozen(pipeline: Pipeline, method: str, data: Matches, begin: int, new: pd.DataFrame) -> np.ndarray:
    """Forecasts calibrated the long way: the calibrator of a frozen model, given the forecasts of another one."""
    features, target, _ = data
    before = clone(pipeline).fit(features.iloc[:begin], target[:begin])
    learned = CalibratedClassifierCV(FrozenEstimator(before), method=method).fit(features.iloc[begin:], target[begin:])
    (one,) = learned.calibrated_classifiers_
    one.estimator = clone(pipeline).fit(features, target)
    return learned.predict_proba(new)


@pytest.mark.parametrize("method", ["sigmoid", "temperature"])
def test_calibrated_forecasts_are_those_of_a_frozen_model_and_one_fitted_on_all(method):
    data = features, target, dates = matches()
    pipeline = tree(min_samples_leaf=40)
    found = fit_calibrated(pipeline, features, target, dates, method, 0.25).model.predict_proba(features)
    np.testing.assert_allclose(found, frozen(pipeline, method, data, 3000, features), rtol=0, atol=1e-12)


def test_the_temperature_is_the_one_that_fits_the_slice_best():
    features, target, dates = matches()
    twins = pd.concat([features["elo_diff"].rename(name) for name in "abcd"], axis=1)
    sure = make_pipeline(GaussianNB())  # takes four names of one column for four columns
    before = clone(sure).fit(twins[:2000], target[:2000]).predict_proba(twins[2000:])

    def sharpened(proba: np.ndarray, power: float) -> np.ndarray:
        return proba**power / (proba**power).sum(axis=1, keepdims=True)

    def loss(power: float) -> float:
        return float(-np.log(sharpened(before, power)[np.arange(2000), target[2000:]]).mean())

    power = minimize_scalar(loss, bounds=(0.01, 5), method="bounded").x
    found = fit_calibrated(sure, twins, target, dates, "temperature", 0.5)
    expected = sharpened(clone(sure).fit(twins, target).predict_proba(twins), power)
    assert power < 0.5
    # scikit-learn adds a little to each probability before it takes the logarithm.
    np.testing.assert_allclose(found.model.predict_proba(twins), expected, rtol=0, atol=1e-3)


def isotonic(said: np.ndarray, happened: np.ndarray) -> tuple[list[float], list[float]]:
    """Slow pool adjacent violators: the different forecasts, and the share that happened which each stands for."""
    pools = [([value], list(happened[said == value])) for value in sorted(set(said))]
    while violators := [n for n in range(len(pools) - 1) if np.mean(pools[n][1]) > np.mean(pools[n + 1][1])]:
        n = violators[0]
        pools[n : n + 2] = [(pools[n][0] + pools[n + 1][0], pools[n][1] + pools[n + 1][1])]
    return [value for values, _ in pools for value in values], [np.mean(won) for ones, won in pools for _ in ones]


def test_isotonic_steps_are_those_of_the_slice_kept_within_its_forecasts():
    features, target, dates = matches(3000, per_day=3)
    coarse = tree(max_leaf_nodes=12)
    before = clone(coarse).fit(features.iloc[:1500], target[:1500]).predict_proba(features.iloc[1500:])
    found = fit_calibrated(coarse, features, target, dates, "isotonic", 0.5)
    raw = clone(coarse).fit(features, target).predict_proba(features)
    expected = np.empty_like(raw)
    for label in range(3):
        said, shares = isotonic(before[:, label], target[1500:] == label)
        limited = np.clip(shares, min(said), max(said))
        expected[:, label] = np.interp(raw[:, label], said, limited)
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found.model.predict_proba(features), expected, rtol=0, atol=1e-6)


@given(st.integers(0, 10_000))
@settings(deadline=None, max_examples=5)
def test_isotonic_never_goes_beyond_the_forecasts_it_learned_from(seed):
    features, target, dates = matches(2200, seed)
    found = fit_calibrated(make_pipeline(LogisticRegression()), features[["elo_diff"]], target, dates, "isotonic", 0.46)
    before = LogisticRegression().fit(features[["elo_diff"]].iloc[:1188], target[:1188])
    said = before.predict_proba(features[["elo_diff"]].iloc[1188:])
    far = pd.DataFrame({"elo_diff": np.float32([-50, -5, -1, 0, 1, 5, 50])})
    (behind,) = found.model.calibrated_classifiers_
    for label, steps in enumerate(behind.calibrators):
        mended = steps.predict(np.linspace(0, 1, 101))
        assert said[:, label].min() - 1e-9 <= mended.min() <= mended.max() <= said[:, label].max() + 1e-9
    assert found.model.predict_proba(far).min() > said.min() / 3


def test_isotonic_of_scikit_learn_says_never_where_ours_does_not():
    features, target, dates = matches(2200)
    one = features[["elo_diff"]]
    far = pd.DataFrame({"elo_diff": np.float32([-8, 8])})
    logistic = make_pipeline(LogisticRegression())
    stock = frozen(logistic, "isotonic", (one, target, dates), 1100, far)
    ours = fit_calibrated(logistic, one, target, dates, "isotonic", 0.5).model.predict_proba(far)
    assert stock.min() == 0
    assert ours.min() > 0.001


@pytest.mark.parametrize(
    ("method", "rows", "taken"),
    [
        ("isotonic", 1000, "isotonic"),
        ("isotonic", 999, "sigmoid"),
        ("isotonic", 100, "sigmoid"),
        ("isotonic", 99, "none"),
        ("sigmoid", 100, "sigmoid"),
        ("sigmoid", 99, "none"),
        ("temperature", 100, "temperature"),
        ("temperature", 99, "none"),
        ("none", 10_000, "none"),
        ("none", 0, "none"),
    ],
)
def test_a_method_needs_its_minimum_of_matches(caplog, method, rows, taken):
    with caplog.at_level(logging.WARNING):
        assert choose_method(method, rows) == taken
    steps = {"isotonic": ["isotonic", "sigmoid"], "sigmoid": ["sigmoid"], "temperature": ["temperature"]}
    expected = [
        f"calibrate  {one} needs {MINIMUM[one]} matches, the slice has {rows}: {INSTEAD[one]} instead"
        for one in steps.get(method, [])
        if rows < MINIMUM[one]
    ]
    assert [record.getMessage() for record in caplog.records] == expected


@pytest.mark.parametrize(
    ("method", "share", "taken", "rows"),
    [
        ("isotonic", 0.25, "isotonic", 1000),
        ("isotonic", 0.249, "sigmoid", 996),
        ("sigmoid", 0.025, "sigmoid", 100),
        ("sigmoid", 0.024, "none", 0),
        ("temperature", 0.024, "none", 0),
        ("none", 0.5, "none", 0),
    ],
)
def test_the_slice_is_what_is_counted(method, share, taken, rows):
    found = fit_calibrated(tree(max_depth=2), *matches(), method, share)
    assert (found.method, found.rows) == (taken, rows)
    assert (found.model is found.raw) == (taken == "none")


@each_method
def test_rows_of_the_last_day_are_enough_when_all_else_is_before_it(method):
    features, target, _ = matches(4000)
    dates = pd.Series(pd.to_datetime(["2020-01-01"] * 2000 + ["2020-01-02"] * 2000))
    found = fit_calibrated(tree(max_depth=2), features, target, dates, method, 0.001)
    assert (found.method, found.rows) == (method, 2000)


def test_an_outcome_that_is_missing_before_the_slice_is_refused():
    features, _, dates = matches(2000)
    target = np.array([0, 2] * 500 + [0, 1, 2, 1] * 250, dtype=np.int8)
    with pytest.raises(DataError, match=r"^The part before the calibration slice has 1,000 training matches without "):
        fit_calibrated(tree(), features, target, dates, "sigmoid", 0.5)


def test_matches_that_are_all_of_one_day_are_refused():
    features, target, _ = matches(2000)
    dates = pd.Series(pd.to_datetime(["2020-01-01"] * 2000))
    with pytest.raises(DataError, match=r"^The part before the calibration slice has 0 training matches without "):
        fit_calibrated(tree(), features, target, dates, "sigmoid", 0.5)


@each_model
@each_method
def test_every_model_can_be_calibrated_by_every_method(compose, name, method):
    features, target, dates = matches()
    target[3000:][target[3000:] == 1] = 0  # no draw at all in the slice
    pipeline = build_model(name, compose("rounds=5", program.EVERY_MODEL).models[name], 1)
    before = features.copy(), target.copy()
    with threadpool_limits(1):
        found = fit_calibrated(pipeline, features, target, dates, method, 0.25)
        again = fit_calibrated(pipeline, features, target, dates, method, 0.25).model.predict_proba(features)
    proba = found.model.predict_proba(features)
    assert (found.method, found.model.classes_.tolist(), proba.shape) == (method, [0, 1, 2], (4000, 3))
    assert np.isfinite(proba).all()
    assert proba.min() > 0
    np.testing.assert_allclose(proba.sum(axis=1), 1, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(proba, again)
    pd.testing.assert_frame_equal(features, before[0])
    np.testing.assert_array_equal(target, before[1])


@each_method
def test_a_model_that_is_too_sure_forecasts_later_matches_better_when_calibrated(method):
    features, target, dates = matches(8000)
    found = fit_calibrated(tree(min_samples_leaf=8), features[:6000], target[:6000], dates[:6000], method, 0.3)
    later, happened = features[6000:], target[6000:]

    def loss(model: Pipeline) -> float:
        proba = np.clip(model.predict_proba(later), 1e-15, 1)
        return float(-np.log(proba[np.arange(2000), happened]).mean())

    assert loss(found.model) < loss(found.raw) - 0.5


def test_row_numbers_of_the_slice_are_not_kept_with_the_model():
    found = fit_calibrated(tree(min_samples_leaf=8), *matches(), "sigmoid", 0.3)
    assert found.model.get_params()["cv"] is None
