import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from matchclf.errors import ModelError
from matchclf.metrics import (
    METRICS,
    accuracy,
    brier,
    check_proba,
    ece,
    log_loss,
    match_losses,
    per_outcome,
    roc_auc_ovr,
    rps,
    score,
)

unhurried = examples(200)

# What happened, and the forecast of home, draw, away; all values below are worked out by hand.
TARGET = np.array([0, 1, 2, 2], dtype=np.int8)
PROBA = np.array([[0.5, 0.25, 0.25], [0.25, 0.5, 0.25], [0.5, 0.25, 0.25], [0.0, 0.0, 1.0]])


def random_forecast(seed: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 3, rows).astype(np.int8), rng.dirichlet([1.2, 0.7, 0.9], rows)


forecasts = st.builds(random_forecast, st.integers(0, 10_000), st.integers(1, 60))


def test_every_metric_of_a_small_forecast_is_as_worked_out_by_hand():
    expected = {
        # (2 ln 2 + ln 4 + 0) / 4
        "logloss": math.log(2),
        # (0.375 + 0.375 + 0.875 + 0) / 4
        "brier": 0.40625,
        # ((0.25 + 0.0625) / 2 + (0.0625 + 0.0625) / 2 + (0.25 + 0.5625) / 2 + 0) / 4
        "rps": 0.15625,
        "accuracy": 0.75,
        # home (0.0 + |1 - 1| + 0.25) / 4, draw (0 + 0.5 + 0.5) / 4, away (0.25 * 3 - 1 + 0) -> 0.25 / 4
        "ece": (0.25 / 4 + 1 / 4 + 0.25 / 4) / 3,
        # home: 1 above 0.25, tied with 0.5, above 0 -> 2.5 / 3; draw: 3 / 3; away: pairs 0.5 + 0.5 + 1 + 1 of 4
        "roc_auc_ovr": (2.5 / 3 + 1 + 3 / 4) / 3,
    }
    assert score(TARGET, PROBA) == pytest.approx(expected, abs=1e-12)
    assert list(expected) == list(METRICS)


@pytest.mark.parametrize("label", [0, 1, 2])
def test_a_uniform_forecast_scores_ln_3_whatever_happens(label):
    uniform = np.full((7, 3), 1 / 3)
    assert log_loss(np.full(7, label, dtype=np.int8), uniform) == pytest.approx(math.log(3), abs=1e-15)


@pytest.mark.parametrize(
    ("happened", "expected"),
    [
        (0, {"logloss": -math.log(0.7), "brier": 0.14, "rps": 0.05, "accuracy": 1.0}),
        (1, {"logloss": -math.log(0.2), "brier": 1.14, "rps": 0.25, "accuracy": 0.0}),
        (2, {"logloss": -math.log(0.1), "brier": 1.34, "rps": 0.65, "accuracy": 0.0}),
    ],
)
def test_columns_are_home_draw_away_even_when_one_outcome_alone_happened(happened, expected):
    target, proba = np.array([happened], dtype=np.int8), np.array([[0.7, 0.2, 0.1]])
    found = score(target, proba)
    assert {name: found[name] for name in expected} == pytest.approx(expected, abs=1e-12)
    assert math.isnan(found["roc_auc_ovr"])


def test_rps_forgives_a_near_miss_more_than_a_far_one():
    target = np.array([0], dtype=np.int8)
    assert rps(target, np.array([[0.0, 1.0, 0.0]])) == 0.5
    assert rps(target, np.array([[0.0, 0.0, 1.0]])) == 1.0


def test_a_perfect_forecast_has_the_best_score_of_each_metric():
    target = np.array([0, 1, 2, 1], dtype=np.int8)
    best = {"logloss": 0.0, "brier": 0.0, "rps": 0.0, "accuracy": 1.0, "ece": 0.0, "roc_auc_ovr": 1.0}
    assert score(target, np.eye(3)[target]) == pytest.approx(best, abs=1e-14)


def test_a_surprise_that_was_called_impossible_has_a_finite_log_loss():
    assert log_loss(np.array([2], dtype=np.int8), np.array([[0.5, 0.5, 0.0]])) == pytest.approx(36.04, abs=0.01)


@given(forecasts)
@unhurried
def test_log_loss_is_the_mean_surprise(forecast):
    target, proba = forecast
    slow = [-math.log(row[label]) for label, row in zip(target, proba, strict=True)]
    assert log_loss(target, proba) == pytest.approx(math.fsum(slow) / len(slow), rel=1e-9)


@given(forecasts)
@unhurried
def test_brier_is_the_mean_sum_of_squares(forecast):
    target, proba = forecast
    slow = [sum((row[k] - (k == label)) ** 2 for k in range(3)) for label, row in zip(target, proba, strict=True)]
    assert brier(target, proba) == pytest.approx(sum(slow) / len(slow), abs=1e-12)


@given(forecasts)
@unhurried
def test_rps_is_half_the_squared_distance_of_the_distribution_functions(forecast):
    target, proba = forecast
    slow = []
    for label, (home, draw, _) in zip(target, proba, strict=True):
        at_most_home, at_most_draw = float(label == 0), float(label <= 1)
        slow.append(((home - at_most_home) ** 2 + (home + draw - at_most_draw) ** 2) / 2)
    assert rps(target, proba) == pytest.approx(sum(slow) / len(slow), abs=1e-12)


@given(forecasts)
@unhurried
def test_accuracy_counts_matches_whose_favourite_outcome_happened(forecast):
    target, proba = forecast
    hits = [max(range(3), key=lambda k, row=row: row[k]) == label for label, row in zip(target, proba, strict=True)]
    assert accuracy(target, proba) == pytest.approx(sum(hits) / len(hits), abs=1e-12)


@given(forecasts)
@unhurried
def test_ece_is_the_mean_gap_of_ten_bins_and_three_classes(forecast):
    target, proba = forecast
    total = 0.0
    for label in range(3):
        for lowest in range(10):
            rows = [row for row in range(len(target)) if lowest <= proba[row, label] * 10 < lowest + 1]
            if rows:
                said = sum(proba[row, label] for row in rows) / len(rows)
                happened = sum(target[row] == label for row in rows) / len(rows)
                total += abs(said - happened) * len(rows) / len(target) / 3
    assert ece(target, proba) == pytest.approx(total, abs=1e-12)


def test_ece_puts_certainty_into_the_highest_bin():
    # Home: 1 and 0.92 said, the latter happened: |1.92 - 1| / 2; draw: 0 and 0.08 said, the former happened.
    found = ece(np.array([1, 0], dtype=np.int8), np.array([[1.0, 0.0, 0.0], [0.92, 0.08, 0.0]]))
    assert found == pytest.approx((0.46 + 0.46 + 0) / 3, abs=1e-12)


@given(st.builds(random_forecast, st.integers(0, 10_000), st.integers(20, 60)))
@unhurried
def test_roc_auc_is_the_share_of_pairs_put_in_order(forecast):
    target, proba = forecast
    areas = []
    for label in range(3):
        pairs = [(a, b) for a in proba[target == label, label] for b in proba[target != label, label]]
        areas.append(sum((a > b) + (a == b) / 2 for a, b in pairs) / len(pairs) if pairs else math.nan)
    assert roc_auc_ovr(target, proba) == pytest.approx(sum(areas) / 3, abs=1e-12, nan_ok=True)


@given(forecasts)
@unhurried
def test_scores_do_not_depend_on_the_order_of_matches_and_stay_in_their_range(forecast):
    target, proba = forecast
    found = score(target, proba)
    assert score(target[::-1], proba[::-1]) == pytest.approx(found, abs=1e-12, nan_ok=True)
    highest = {"logloss": math.inf, "brier": 2, "rps": 1, "accuracy": 1, "ece": 1, "roc_auc_ovr": 1}
    assert all(0 <= found[name] <= highest[name] for name in found if not math.isnan(found[name]))


def test_precision_recall_and_f1_of_a_small_forecast_are_as_worked_out_by_hand():
    # Said: home, draw, home, away; happened: home, draw, away, away.
    expected = {
        **{"precision_home": 1 / 2, "precision_draw": 1, "precision_away": 1},
        **{"recall_home": 1, "recall_draw": 1, "recall_away": 1 / 2},
        **{"f1_home": 2 / 3, "f1_draw": 1, "f1_away": 2 / 3},
    }
    found = per_outcome(TARGET, PROBA)
    assert found == pytest.approx(expected, abs=1e-15)
    assert list(found) == list(expected)


def ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


@given(forecasts)
@unhurried
def test_precision_recall_and_f1_are_counts_of_matches_and_0_where_there_is_none(forecast):
    target, proba = forecast
    said = [max(range(3), key=lambda k, row=row: row[k]) for row in proba]
    pairs = list(zip(said, target.tolist(), strict=True))
    found = per_outcome(target, proba)
    for label, outcome in enumerate(("home", "draw", "away")):
        hits, called, happened = pairs.count((label, label)), said.count(label), target.tolist().count(label)
        assert found[f"precision_{outcome}"] == pytest.approx(ratio(hits, called), abs=1e-12)
        assert found[f"recall_{outcome}"] == pytest.approx(ratio(hits, happened), abs=1e-12)
        assert found[f"f1_{outcome}"] == pytest.approx(ratio(2 * hits, called + happened), abs=1e-12)


def test_the_losses_of_each_match_are_as_worked_out_by_hand():
    found = match_losses(TARGET, PROBA)
    np.testing.assert_allclose(found["logloss"], [math.log(2), math.log(2), math.log(4), 0], rtol=0, atol=1e-15)
    np.testing.assert_allclose(found["brier"], [0.375, 0.375, 0.875, 0], rtol=0, atol=1e-15)
    np.testing.assert_allclose(found["rps"], [0.15625, 0.0625, 0.40625, 0], rtol=0, atol=1e-15)
    assert list(found) == ["logloss", "brier", "rps"]


@given(forecasts)
@unhurried
def test_the_means_of_the_losses_of_each_match_are_the_scores(forecast):
    target, proba = forecast
    found = match_losses(target, proba)
    assert {name: losses.shape for name, losses in found.items()} == dict.fromkeys(found, target.shape)
    assert found["logloss"].mean() == pytest.approx(log_loss(target, proba), abs=1e-12)
    assert found["brier"].mean() == pytest.approx(brier(target, proba), abs=1e-12)


def test_a_surprise_that_was_called_impossible_costs_one_match_what_it_costs_the_score():
    target, proba = np.array([2], dtype=np.int8), np.array([[0.5, 0.5, 0.0]])
    assert match_losses(target, proba)["logloss"][0] == log_loss(target, proba)


def test_an_unknown_forecast_has_an_unknown_loss():
    found = match_losses(np.array([0, 1], dtype=np.int8), np.array([[math.nan] * 3, [0.25, 0.5, 0.25]]))
    assert {name: np.isnan(losses).tolist() for name, losses in found.items()} == {
        "logloss": [True, False],
        "brier": [True, False],
        "rps": [True, False],
    }


@pytest.mark.parametrize(
    ("proba", "message"),
    [
        (np.zeros((2, 2)), "xgb gave probabilities of shape (2, 2); expected (2, 3)."),
        (np.zeros((3, 3)), "xgb gave probabilities of shape (3, 3); expected (2, 3)."),
        (np.full(3, 1 / 3), "xgb gave probabilities of shape (3,); expected (2, 3)."),
        (
            [[0.2, 0.3, 0.5], [0.2, 0.3, 0.4]],
            "xgb gave 1 of 2 rows that are not probabilities summing to 1; the first is row 1: [0.2, 0.3, 0.4].",
        ),
        (
            [[0.5, 0.5, math.nan], [math.inf, 0.0, 0.0]],
            "xgb gave 2 of 2 rows that are not probabilities summing to 1; the first is row 0: [0.5, 0.5, nan].",
        ),
        (
            [[0.2, 0.3, 0.5], [1.5, -0.5, 0.0]],
            "xgb gave 1 of 2 rows that are not probabilities summing to 1; the first is row 1: [1.5, -0.5, 0.0].",
        ),
        (
            [[0.3, 0.3, 0.3], [2.0, 2.0, 6.0]],
            "xgb gave 2 of 2 rows that are not probabilities summing to 1; the first is row 0: [0.3, 0.3, 0.3].",
        ),
    ],
)
def test_what_is_not_a_forecast_is_refused(proba, message):
    with pytest.raises(ModelError) as caught:
        check_proba(np.asarray(proba), 2, "xgb")
    assert str(caught.value) == message


def test_single_precision_is_mended_to_sum_to_one_in_double_precision():
    rough = np.array([[0.1, 0.2, 0.7], [1 / 3, 1 / 3, 1 / 3]], dtype=np.float32)
    before = rough.copy()
    found = check_proba(rough, 2, "xgb")
    assert found.dtype == np.float64
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=0, atol=1e-15)
    np.testing.assert_allclose(found, rough, rtol=0, atol=1e-7)
    np.testing.assert_array_equal(rough, before)
