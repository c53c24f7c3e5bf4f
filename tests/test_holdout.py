import math

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

from matchclf import holdout as module
from matchclf.data.dataset import FACTS, Dataset
from matchclf.errors import DataError, ModelError
from matchclf.holdout import IMPORTANCE_ROWS, FinalModel, Forecasts, feature_importance, fit_final, forecast
from matchclf.metrics import score

METRICS = ["logloss", "brier", "rps", "accuracy", "ece", "roc_auc_ovr"]
KEY = ["date", "country", "division", "season", "home_team", "away_team"]
PRICES = ["odds_home", "odds_draw", "odds_away"]


def dataset(rows: int, first_day: str, seed: int = 0, priced: str = "none") -> Dataset:
    """Matches whose outcome depends on ``elo_diff`` alone; ``empty`` is known for none of them."""
    rng = np.random.default_rng(seed)
    features = pd.DataFrame(rng.normal(size=(rows, 3)), columns=["elo_diff", "noise", "empty"], dtype=np.float32)
    features["empty"] = np.float32(np.nan)
    strength = np.exp(np.outer(features["elo_diff"], [1, 0, -1]))
    share = strength / strength.sum(axis=1, keepdims=True)
    target = (rng.uniform(size=(rows, 1)) > share.cumsum(axis=1)[:, :2]).sum(axis=1).astype(np.int8)
    matches = pd.DataFrame(
        {
            **{"date": pd.Series(pd.date_range(first_day, periods=rows, unit="s")), "country": "England"},
            **{"division": "E0", "season": "2023/24", "home_team": [f"h{row}" for row in range(rows)]},
            **{"away_team": [f"a{row}" for row in range(rows)], "tier": 1, "neutral": False},
            **{"home_goals": np.float32(0), "away_goals": np.float32(0)},
            **{name: np.float32(1 / share[:, label]) for label, name in enumerate(PRICES)},
        }
    )[FACTS]
    if priced == "none":
        matches[PRICES] = np.float32(np.nan)
    elif priced == "some":
        matches.loc[::3, "odds_draw"] = np.float32(np.nan)
    return Dataset(matches, features, target)


def logistic() -> Pipeline:
    return make_pipeline(SimpleImputer(), LogisticRegression())


class Broken(ClassifierMixin, BaseEstimator):
    """Learns well and forecasts what it is told to."""

    def __init__(self, classes: tuple = (0, 1, 2), proba: tuple = (0.5, 0.25, 0.25), missing: int = 0) -> None:
        self.classes = classes
        self.proba = proba
        self.missing = missing

    def fit(self, *_: object) -> "Broken":
        self.classes_ = np.array(self.classes)
        return self

    def predict_proba(self, features: pd.DataFrame) -> np.ndarray:
        return np.tile(self.proba, (len(features) - self.missing, 1))


@pytest.fixture(scope="module")
def training():
    return dataset(2000, "2015-01-01")


@pytest.fixture(scope="module")
def final(training):
    return fit_final(logistic(), training, "sigmoid", 0.2)


def test_the_final_model_learns_from_every_training_match_and_every_feature_that_is_known(training, final):
    known = training.features[["elo_diff", "noise"]]
    expected = logistic().fit(known, training.target).predict_proba(known)
    assert (final.columns, final.rows, final.fitted.rows) == (["elo_diff", "noise"], 2000, 400)
    np.testing.assert_array_equal(final.fitted.raw.predict_proba(known), expected)
    assert final.seconds > 0


def test_forecasts_are_by_name_of_the_column_and_ignore_any_other(training, final):
    later = dataset(50, "2024-01-01", 1)
    mixed = later.features[["empty", "noise", "elo_diff"]].assign(luck=1.0)
    np.testing.assert_array_equal(final.proba(mixed), final.proba(later.features))
    assert final.proba(mixed).dtype == np.float64
    np.testing.assert_allclose(final.proba(mixed).sum(axis=1), 1, rtol=0, atol=1e-15)


def test_training_matches_without_an_outcome_are_refused(training):
    some = training.target != 1
    two = Dataset(training.matches[some], training.features[some], training.target[some])
    with pytest.raises(DataError, match=r"^The development part has .* training matches without outcome 1 "):
        fit_final(logistic(), two, "none", 0.2)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (Broken(classes=(2, 1, 0)), r"^The final model knows the classes \[2, 1, 0\]; expected 0, 1 and 2\.$"),
        (Broken(proba=(0.5, 0.5)), r"^The final model gave probabilities of shape \(9, 2\); expected \(9, 3\)\.$"),
        (Broken(missing=1), r"^The final model gave probabilities of shape \(8, 3\); expected \(9, 3\)\.$"),
        (Broken(proba=(math.nan, 0.5, 0.5)), r"^The final model gave 9 of 9 rows that are not probabilities "),
        (Broken(proba=(0.5, 0.5, 0.5)), r"^The final model gave 9 of 9 rows that are not probabilities summing to 1"),
    ],
)
def test_what_is_no_forecast_is_refused(training, broken, message):
    model = fit_final(make_pipeline(broken), training, "none", 0.2)
    with pytest.raises(ModelError, match=message):
        model.proba(training.features.head(9))


def found(training: Dataset, final: FinalModel, later: Dataset, truth: pd.DataFrame | None = None) -> Forecasts:
    return forecast(final, fit_final(logistic(), training, "none", 0), training, later, truth)


def test_the_holdout_is_forecast_by_the_model_its_raw_form_the_reference_and_the_baselines(training, final):
    later = dataset(300, "2024-01-01", 1, priced="all")
    truth = later.matches[["date", "country", "home_team", "away_team"]].assign(
        **{f"prob_{name}": 1 / later.matches[f"odds_{name}"] for name in ("home", "draw", "away")}
    )
    proba = found(training, final, later, truth).proba
    assert list(proba) == ["final", "raw", "reference", "uniform", "prior", "bookmaker", "truth"]
    assert {one.shape for one in proba.values()} == {(300, 3)}
    np.testing.assert_array_equal(proba["raw"], proba["reference"])
    np.testing.assert_allclose(proba["prior"], np.tile(np.bincount(training.target) / 2000, (300, 1)), atol=1e-15)
    np.testing.assert_array_equal(proba["uniform"], np.full((300, 3), 1 / 3))
    np.testing.assert_allclose(proba["bookmaker"], proba["truth"], atol=1e-6)
    assert not np.allclose(proba["final"], proba["raw"], atol=1e-3)


def test_without_calibration_odds_or_known_truth_there_is_no_forecast_of_that_name(training):
    uncalibrated = fit_final(logistic(), training, "none", 0.2)
    proba = found(training, uncalibrated, dataset(50, "2024-01-01", 1)).proba
    assert list(proba) == ["final", "reference", "uniform", "prior"]


def test_a_reference_may_see_other_features_than_the_model(training):
    narrow = Dataset(training.matches, training.features[["noise"]], training.target)
    later = dataset(500, "2024-01-01", 1)
    reference = fit_final(logistic(), training, "none", 0)
    both = forecast(fit_final(logistic(), narrow, "none", 0.2), reference, narrow, later, None).scores()
    assert both["reference"]["logloss"] < both["final"]["logloss"] - 0.05


def test_outcomes_goals_and_odds_of_the_holdout_change_no_forecast_of_ours(training, final):
    later = dataset(100, "2024-01-01", 1, priced="all")
    other = Dataset(later.matches.assign(home_goals=9, odds_home=1.5), later.features, (later.target + 1) % 3)
    one, two = (found(training, final, each).proba for each in (later, other))
    for name in ("final", "raw", "reference", "prior"):
        np.testing.assert_array_equal(one[name], two[name])


def test_scores_are_those_of_each_forecast_on_all_matches(training, final):
    later = dataset(300, "2024-01-01", 1)
    forecasts = found(training, final, later)
    assert forecasts.scores() == {name: score(later.target, proba) for name, proba in forecasts.proba.items()}
    assert {tuple(scores) for scores in forecasts.scores().values()} == {tuple(METRICS)}
    assert not forecasts.with_odds().any()


def test_where_only_some_matches_have_a_price_the_bookmaker_is_scored_on_those_alone(training, final):
    later = dataset(300, "2024-01-01", 1, priced="some")
    forecasts = found(training, final, later)
    priced = forecasts.with_odds()
    assert priced.tolist() == [row % 3 > 0 for row in range(300)]
    assert "bookmaker" not in forecasts.scores()
    assert set(forecasts.scores(priced)) == {"final", "raw", "reference", "uniform", "prior", "bookmaker"}
    for name, scores in forecasts.scores(priced).items():
        assert scores == score(later.target[priced], forecasts.proba[name][priced])


def test_where_every_match_has_a_price_the_bookmaker_is_scored_like_any_other(training, final):
    forecasts = found(training, final, dataset(300, "2024-01-01", 1, priced="all"))
    assert forecasts.with_odds().all()
    assert forecasts.scores() == forecasts.scores(forecasts.with_odds())
    assert "bookmaker" in forecasts.scores()


def test_the_table_has_a_row_a_match_with_what_happened_and_each_forecast(training, final):
    later = dataset(30, "2024-01-01", 1, priced="some")
    forecasts = found(training, final, later)
    table = forecasts.table()
    names = ["final", "raw", "reference", "uniform", "prior", "bookmaker"]
    columns = [f"{name}_{outcome}" for name in names for outcome in ("home", "draw", "away")]
    assert list(table.columns) == [*KEY, "outcome_1x2", *columns, "elo_diff"]
    pd.testing.assert_series_equal(table["elo_diff"], later.features["elo_diff"])
    pd.testing.assert_frame_equal(table[KEY], later.matches[KEY])
    assert table["outcome_1x2"].tolist() == later.target.tolist()
    assert table["outcome_1x2"].dtype == np.int8
    for name in names:
        proba = table[[f"{name}_{outcome}" for outcome in ("home", "draw", "away")]].to_numpy()
        np.testing.assert_array_equal(proba, forecasts.proba[name])
    assert table["bookmaker_home"].isna().tolist() == [row % 3 == 0 for row in range(30)]


def test_neither_the_training_matches_nor_the_holdout_are_touched(training):
    later = dataset(30, "2024-01-01", 1, priced="some")
    before = [(data.matches.copy(), data.features.copy(), data.target.copy()) for data in (training, later)]
    made = fit_final(logistic(), training, "sigmoid", 0.2)
    found(training, made, later).table()
    feature_importance(made, later, 1)
    for data, (matches, features, target) in zip((training, later), before, strict=True):
        pd.testing.assert_frame_equal(data.matches, matches)
        pd.testing.assert_frame_equal(data.features, features)
        np.testing.assert_array_equal(data.target, target)


def test_the_importance_of_a_feature_is_the_rise_of_the_log_loss_when_it_is_shuffled(training, final):
    later = dataset(1500, "2024-01-01", 1)
    importance = feature_importance(final, later, 1)
    assert list(importance.columns) == ["feature", "mean", "std"]
    whole = score(later.target, final.proba(later.features))["logloss"]
    rng = np.random.default_rng(5)
    for name, mean, _ in importance.itertuples(index=False):
        rises = []
        for _ in range(20):
            shuffled = later.features.assign(**{name: rng.permutation(later.features[name])})
            rises.append(score(later.target, final.proba(shuffled))["logloss"] - whole)
        assert mean == pytest.approx(np.mean(rises), abs=4 * np.std(rises) + 1e-9), name
    by_name = importance.set_index("feature")["mean"]
    assert by_name["elo_diff"] > 0.2
    assert abs(by_name["noise"]) < 0.02
    pd.testing.assert_frame_equal(feature_importance(final, later, 1), importance)


def test_importance_is_measured_on_the_latest_matches(final, monkeypatch):
    monkeypatch.setattr(module, "IMPORTANCE_ROWS", 300)
    later = dataset(1000, "2024-01-01", 1)
    scrambled = Dataset(later.matches, later.features, np.r_[(later.target[:700] + 1) % 3, later.target[700:]])
    pd.testing.assert_frame_equal(feature_importance(final, scrambled, 1), feature_importance(final, later, 1))
    assert IMPORTANCE_ROWS == 4000


def test_the_pipeline_that_was_given_stays_unfitted(training):
    pipeline = logistic()
    fit_final(pipeline, training, "sigmoid", 0.2)
    assert vars(pipeline[-1]) == vars(clone(pipeline)[-1])
