import math
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline

import program
from matchclf.baselines import bookmaker
from matchclf.compose import CONF
from matchclf.data.dataset import Dataset
from matchclf.errors import DataError, ModelError
from matchclf.evaluate import (
    Evaluation,
    evaluate_baselines,
    evaluate_holdout,
    evaluate_model,
    out_of_fold,
    scores_with_odds,
)
from matchclf.folds import walk_forward
from matchclf.metrics import METRICS, log_loss, score
from matchclf.models import build_model
from matchclf.usage import options

YEARS = [2019, 2020, 2021]
ODDS = ["odds_home", "odds_draw", "odds_away"]
each_model = pytest.mark.parametrize("name", options(CONF / "model"))


@pytest.fixture(scope="module")
def data() -> Dataset:
    """Four years of 300 matches: of two features one tells something and is often unknown; a third has no odds."""
    rng = np.random.default_rng(1)
    rows = 1200
    strength = rng.normal(0.3, 1, rows)
    target = np.digitize(-(strength + rng.normal(0, 1, rows)), [-0.5, 0.3]).astype(np.int8)
    known = np.where(rng.random(rows) < 0.2, np.nan, strength)
    features = pd.DataFrame({"elo_diff": known, "rest_days_diff": rng.integers(-7, 7, rows)}, dtype=np.float32)
    matches = pd.DataFrame(
        {
            "date": pd.date_range("2018-01-01", "2021-12-31", rows).floor("D").as_unit("s"),
            **dict.fromkeys(("country", "division", "season"), "X"),
            "home_team": [f"home {row}" for row in range(rows)],
            "away_team": [f"away {row}" for row in range(rows)],
            **dict(zip(ODDS, np.float32([2.1, 3.6, 3.3]), strict=True)),
        }
    )
    matches.loc[rng.random(rows) < 0.3, "odds_home"] = np.nan
    return Dataset(matches, features, target)


@pytest.fixture(scope="module")
def folds(data):
    return walk_forward(data.matches["date"], YEARS)


@pytest.fixture(scope="module")
def build(compose):
    """Build the model of this name with few rounds."""
    models = compose("rounds=10", program.EVERY_MODEL).models
    return lambda name: build_model(name, models[name], 1)


def logreg() -> Pipeline:
    return make_pipeline(LogisticRegression())


def of_known_features(data: Dataset) -> Dataset:
    return replace(data, features=data.features[["rest_days_diff"]])


def test_a_model_is_fitted_on_each_training_part_and_scored_on_the_year_after(data, folds):
    data = of_known_features(data)
    found = evaluate_model("logreg", logreg(), data, folds, workers=1)
    years = data.matches["date"].dt.year.to_numpy()
    expected = {}
    for year in YEARS:
        model = logreg().fit(data.features[years < year], data.target[years < year])
        expected[year] = model.predict_proba(data.features[years == year])
    np.testing.assert_array_equal(found.rows, np.flatnonzero(years >= 2019))
    np.testing.assert_allclose(found.proba, np.concatenate(list(expected.values())), rtol=0, atol=1e-6)
    assert found.by_year.index.tolist() == YEARS
    assert found.by_year.columns.tolist() == list(METRICS)
    for year in YEARS:
        assert found.by_year.loc[year].to_dict() == pytest.approx(
            score(data.target[years == year], expected[year]), abs=1e-6
        )


def test_a_fraction_trains_on_the_latest_rows_alone(data):
    found = evaluate_model(
        "prior", make_pipeline(DummyClassifier()), data, walk_forward(data.matches["date"], [2021], 0.5), 1
    )
    before = int((data.matches["date"].dt.year < 2021).sum())
    latest = data.target[before - math.ceil(before / 2) : before]
    np.testing.assert_allclose(found.proba[0], np.bincount(latest) / len(latest), rtol=0, atol=1e-12)


@pytest.mark.parametrize("workers", [1, 2])
def test_an_evaluation_that_is_stopped_has_the_folds_until_then(data, folds, workers):
    data, asked = of_known_features(data), []

    def after_two(losses: list[float]) -> bool:
        asked.append(list(losses))
        return len(losses) == 2

    whole = evaluate_model("logreg", logreg(), data, folds, 1)
    found = evaluate_model("logreg", logreg(), data, folds, workers, after_two)
    losses = whole.by_year["logloss"].tolist()
    assert asked == [losses[:1], losses[:2]]
    pd.testing.assert_frame_equal(found.by_year, whole.by_year[:2])
    np.testing.assert_array_equal(found.rows, whole.rows[: len(found.rows)])
    assert found.rows[-1] == folds[1].valid.stop - 1


class Counted(LogisticRegression):
    fitted: ClassVar[list[int]] = []

    def fit(self, features, target):
        self.fitted.append(len(target))
        return super().fit(features, target)


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_no_more_folds_begin_than_fit_side_by_side_until_the_first_ones_are_judged(data, folds, workers):
    Counted.fitted.clear()
    evaluate_model("logreg", make_pipeline(Counted()), of_known_features(data), folds, workers, lambda _: True)
    # The first is judged while the others of its wave may not have begun; then they do not.
    assert folds[0].train.stop in Counted.fitted
    assert set(Counted.fitted) <= {fold.train.stop for fold in folds[:workers]}


def test_the_mean_gives_each_year_the_same_weight():
    by_year = pd.DataFrame({"logloss": [1.0, 1.2], "roc_auc_ovr": [0.6, math.nan]}, index=[2019, 2020])
    evaluation = Evaluation("logreg", by_year, np.arange(2), np.full((2, 3), 1 / 3), [1, 1], 0.0)
    assert evaluation.mean == {"logloss": 1.1, "roc_auc_ovr": 0.6}


@each_model
def test_one_worker_or_two_and_again_give_the_same_bits(build, data, folds, name):
    one, two, again = (evaluate_model(name, build(name), data, folds, workers) for workers in (1, 2, 2))
    for other in (two, again):
        np.testing.assert_array_equal(one.proba, other.proba)
        pd.testing.assert_frame_equal(one.by_year, other.by_year, check_exact=True)


@each_model
def test_validation_rows_change_no_fitted_parameter(build, data, folds, name):
    # All but one match of the last year get other features and outcomes: the forecast of the one must stay.
    last = folds[-1:]
    changed = np.arange(last[0].valid.start + 1, last[0].valid.stop)
    features, target = data.features.copy(), data.target.copy()
    features.iloc[changed] = features.iloc[changed].fillna(0) * 1000 + 99
    target[changed] = 2 - target[changed]
    one, other = (
        evaluate_model(name, build(name), version, last, 1)
        for version in (data, replace(data, features=features, target=target))
    )
    np.testing.assert_array_equal(one.proba[0], other.proba[0])
    assert one.by_year["logloss"].item() != other.by_year["logloss"].item()


@each_model
def test_outcomes_of_a_year_change_no_forecast_of_that_year_or_an_earlier_one(build, data, folds, name):
    later = data.matches["date"].dt.year.to_numpy() >= 2020
    other = replace(data, target=np.where(later, 2 - data.target, data.target).astype(np.int8))
    one, changed = (evaluate_model(name, build(name), version, folds, 1) for version in (data, other))
    until = data.matches["date"].dt.year.to_numpy()[one.rows] <= 2020
    np.testing.assert_array_equal(one.proba[until], changed.proba[until])
    assert not np.array_equal(one.proba[~until], changed.proba[~until])


@each_model
def test_a_training_part_without_an_outcome_is_refused(build, data, folds, name):
    drawless = np.where(data.matches["date"].dt.year == 2018, 0, data.target).astype(np.int8)
    drawless[0] = 2
    with pytest.raises(DataError) as caught:
        evaluate_model(name, build(name), replace(data, target=drawless), folds, 1)
    assert str(caught.value) == (
        "Fold 2019 has 300 training matches without outcome 1 (0 home win, 1 draw, 2 away win); "
        "expected all three. Use a larger frac or more matches."
    )


def test_neither_the_pipeline_nor_the_data_is_touched(data, folds):
    pipeline, before = logreg(), data.features.copy()
    evaluate_model("logreg", pipeline, of_known_features(data), folds, 2)
    assert not hasattr(pipeline[-1], "coef_")
    pd.testing.assert_frame_equal(data.features, before)


class Halved(DummyClassifier):
    def predict_proba(self, X):
        return super().predict_proba(X) / 2


class Silent(DummyClassifier):
    def predict_proba(self, X):
        return super().predict_proba(X) * math.nan


class TwoColumns(DummyClassifier):
    def predict_proba(self, X):
        return super().predict_proba(X)[:, :2]


class Backwards(DummyClassifier):
    def fit(self, X, y):
        super().fit(X, y)
        self.classes_ = self.classes_[::-1]
        return self


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (
            Halved,
            r"^odd in fold 2019 gave 300 of 300 rows that are not probabilities summing to 1; the first is row 0: ",
        ),
        (Silent, r"^odd in fold 2019 gave 300 of 300 rows .* row 0: \[nan, nan, nan\]\.$"),
        (TwoColumns, r"^odd in fold 2019 gave probabilities of shape \(300, 2\); expected \(300, 3\)\.$"),
        (Backwards, r"^odd in fold 2019 knows the classes \[2, 1, 0\]; expected 0, 1 and 2\.$"),
    ],
)
def test_an_estimator_that_gives_no_forecast_in_the_order_home_draw_away_is_refused(data, folds, estimator, message):
    with pytest.raises(ModelError, match=message):
        evaluate_model("odd", make_pipeline(estimator(strategy="prior")), data, folds, 1)
    with pytest.raises(ModelError, match=message.replace("in fold 2019", "on the holdout")):
        evaluate_holdout("odd", make_pipeline(estimator(strategy="prior")), data, first(data, 300), 1.0)


def first(data: Dataset, rows: int) -> Dataset:
    return Dataset(data.matches[:rows], data.features[:rows], data.target[:rows])


def test_the_holdout_is_forecast_by_a_fit_on_the_latest_development_matches(data):
    data = of_known_features(data)
    found = evaluate_holdout("logreg", logreg(), data, first(data, 50), 0.25)
    model = clone(logreg()).fit(data.features[-300:], data.target[-300:])
    assert found == pytest.approx(score(data.target[:50], model.predict_proba(data.features[:50])), abs=1e-6)


def test_baselines_are_uniform_prior_and_the_bookmaker_on_its_own_rows(data, folds):
    found = {one.name: one for one in evaluate_baselines(data, folds, None)}
    assert list(found) == ["uniform", "prior", "bookmaker"]
    assert found["uniform"].by_year["logloss"].tolist() == pytest.approx([math.log(3)] * 3, abs=1e-15)
    shares = np.bincount(data.target[folds[0].train]) / folds[0].train.stop
    np.testing.assert_allclose(found["prior"].proba[0], shares, rtol=0, atol=1e-15)
    priced = data.matches["odds_home"].notna().to_numpy()
    rows = np.flatnonzero(priced & (data.matches["date"].dt.year >= 2019).to_numpy())
    np.testing.assert_array_equal(found["bookmaker"].rows, rows)
    np.testing.assert_allclose(found["bookmaker"].proba, bookmaker(data.matches[ODDS].iloc[rows]), rtol=0, atol=1e-12)


def test_a_year_without_odds_has_no_scores_of_the_bookmaker_and_does_not_weigh_in_its_mean(data, folds):
    unpriced = data.matches["odds_home"].mask(data.matches["date"].dt.year == 2020)
    found = evaluate_baselines(replace(data, matches=data.matches.assign(odds_home=unpriced)), folds, None)[-1]
    assert found.by_year.isna().all(axis=1).tolist() == [False, True, False]
    assert found.mean["logloss"] == pytest.approx(found.by_year.loc[[2019, 2021], "logloss"].mean(), abs=1e-15)
    assert set(data.matches["date"].dt.year.to_numpy()[found.rows]) == {2019, 2021}


def test_without_odds_there_is_no_bookmaker(data, folds):
    unpriced = replace(data, matches=data.matches.assign(odds_draw=np.float32("nan")))
    assert [one.name for one in evaluate_baselines(unpriced, folds, None)] == ["uniform", "prior"]


def test_the_truth_is_a_baseline_where_it_is_known(data, folds):
    key = ["date", "country", "home_team", "away_team"]
    told = data.matches[key].assign(prob_home=0.5, prob_draw=0.2, prob_away=0.3)[::-1]
    known = evaluate_baselines(data, folds, told)[-1]
    assert known.name == "truth"
    assert known.proba.tolist() == [[0.5, 0.2, 0.3]] * 900


def test_scores_with_odds_are_those_of_the_rows_that_have_all_three(data, folds):
    evaluation = evaluate_model("logreg", logreg(), of_known_features(data), folds, 1)
    priced = data.matches["odds_home"].notna().to_numpy()[evaluation.rows]
    expected = log_loss(data.target[evaluation.rows][priced], evaluation.proba[priced])
    assert scores_with_odds(evaluation, data)["logloss"] == pytest.approx(expected, abs=1e-15)
    unpriced = replace(data, matches=data.matches.assign(odds_away=np.float32("nan")))
    assert scores_with_odds(evaluation, unpriced) == {}


def test_out_of_fold_tells_the_match_the_year_the_outcome_and_the_forecast():
    matches = pd.DataFrame(
        {
            "date": pd.to_datetime([f"{year}-05-01" for year in (2018, 2018, 2018, 2019, 2019, 2020)]).as_unit("s"),
            **dict.fromkeys(("country", "division", "season"), "X"),
            "home_team": list("abcdef"),
            "away_team": list("ghijkl"),
            **dict.fromkeys(ODDS, np.float32("nan")),
        }
    )
    target = np.array([0, 1, 2, 0, 2, 1], dtype=np.int8)
    data = Dataset(matches, pd.DataFrame({"rest_days_diff": np.zeros(6, dtype=np.float32)}), target)
    folds = walk_forward(matches["date"], [2019, 2020])
    evaluation = evaluate_model("prior", make_pipeline(DummyClassifier()), data, folds, 1)
    expected = pd.DataFrame(
        {
            **matches.iloc[3:].reset_index(drop=True)[
                ["date", "country", "division", "season", "home_team", "away_team"]
            ],
            "fold": [2019, 2019, 2020],
            "outcome_1x2": np.array([0, 2, 1], dtype=np.int8),
            "prob_home": [1 / 3, 1 / 3, 2 / 5],
            "prob_draw": [1 / 3, 1 / 3, 1 / 5],
            "prob_away": [1 / 3, 1 / 3, 2 / 5],
        }
    )
    pd.testing.assert_frame_equal(out_of_fold(evaluation, data), expected)


def test_out_of_fold_tells_odds_and_elo_gap_where_there_are_any(data):
    evaluation = evaluate_model(
        "prior", make_pipeline(DummyClassifier()), data, walk_forward(data.matches["date"], YEARS), 1
    )
    priced = data.matches.assign(**dict.fromkeys(ODDS, np.arange(len(data.matches), dtype=np.float32)))
    known = out_of_fold(evaluation, Dataset(priced, data.features, data.target))
    for name, column in {**priced[ODDS], "elo_diff": data.features["elo_diff"]}.items():
        np.testing.assert_array_equal(known[name], column.iloc[evaluation.rows])
    unpriced = out_of_fold(
        evaluation, Dataset(priced.assign(**dict.fromkeys(ODDS, np.nan)), data.features, data.target)
    )
    assert list(unpriced.columns) == [*list(known.columns)[:-4], "elo_diff"]
