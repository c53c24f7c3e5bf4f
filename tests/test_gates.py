import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matchclf.config import Registry
from matchclf.gates import Gate, candidate_gates, champion_gates
from matchclf.metrics import brier, ece, log_loss

unhurried = settings(deadline=None, max_examples=10)
# All numbers are sums of powers of two, so that a difference is exactly what it looks like.
SURE, HALF, EVEN = (1.0, 0.0, 0.0), (0.5, 0.25, 0.25), (0.25, 0.5, 0.25)
RULES = Registry("soccer-match-outcome", 0.0, 0.125, 0.05)


def forecasts(ours: np.ndarray, reference: np.ndarray | None = None, target: np.ndarray | None = None) -> pd.DataFrame:
    """A stored table of forecasts: matches on days of their own, home wins unless told."""
    ours = np.asarray(ours, dtype=float)
    rows = len(ours)
    reference = ours if reference is None else np.asarray(reference, dtype=float)
    proba = {
        f"{name}_{outcome}": values[:, label]
        for name, values in (("final", ours), ("reference", reference), ("uniform", np.full((rows, 3), 1 / 3)))
        for label, outcome in enumerate(("home", "draw", "away"))
    }
    return pd.DataFrame(
        {
            "date": pd.date_range("2024-01-01", periods=rows, unit="s"),
            "country": "England",
            "division": "E0",
            "season": "2023/24",
            "home_team": [f"home {row}" for row in range(rows)],
            "away_team": [f"away {row}" for row in range(rows)],
            "outcome_1x2": np.zeros(rows, dtype=np.int8) if target is None else target,
            **proba,
        }
    )


def random_forecasts(seed: int, rows: int = 60) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    target = rng.integers(0, 3, rows).astype(np.int8)
    ours, reference, theirs = (rng.dirichlet([3, 2, 3], rows) for _ in range(3))
    return forecasts(ours, reference, target), forecasts(theirs, reference, target)


def proba(table: pd.DataFrame, name: str = "final") -> np.ndarray:
    return table[[f"{name}_{outcome}" for outcome in ("home", "draw", "away")]].to_numpy()


def by_name(gates: list[Gate]) -> dict[str, Gate]:
    return {gate.name: gate for gate in gates}


@pytest.mark.parametrize(
    ("found", "limit", "passed"),
    [
        (0.05, 0.05, True),
        (math.nextafter(0.05, 1), 0.05, False),
        (-0.002, -0.002, True),
        (math.nextafter(-0.002, 1), -0.002, False),
        (math.nan, 0.05, False),
        (math.inf, 0.05, False),
        (0.0, math.nan, False),
    ],
)
def test_a_gate_passes_at_its_limit_and_fails_beyond_it_and_where_it_is_unknown(found, limit, passed):
    assert Gate("any", found, limit).passed is passed


def test_the_first_model_needs_no_comparison_to_become_candidate():
    assert candidate_gates(forecasts([HALF] * 4), None, RULES) == []


@pytest.mark.parametrize(
    ("tolerance", "passed"), [(math.log(2), True), (math.nextafter(math.log(2), 0), False), (0.0, False)]
)
def test_a_challenger_may_be_worse_than_the_candidate_by_the_tolerance_and_no_more(tolerance, passed):
    # Home wins, said with 1/2 by the candidate and with 1/4 by the challenger: ln 2 apart.
    challenger, candidate = forecasts([EVEN] * 8), forecasts([HALF] * 8)
    (gate,) = candidate_gates(challenger, candidate, Registry("any", tolerance, 0.0, 0.05))
    assert (gate.found, gate.limit, gate.passed) == (math.log(2), tolerance, passed)
    assert gate.difference.matches == 8


def test_a_challenger_as_good_as_the_candidate_passes_without_any_tolerance():
    table, _ = random_forecasts(1)
    (gate,) = candidate_gates(table, table, RULES)
    assert (gate.found, gate.passed) == (0.0, True)


@pytest.mark.parametrize(("gain", "passed"), [(0.375, True), (math.nextafter(0.375, 1), False), (0.5, False)])
def test_a_champion_needs_a_brier_score_below_the_present_one_by_the_gain_at_least(gain, passed):
    # A home win said with 1/2 has a Brier score of 3/8, one said for sure 0.
    challenger, champion = forecasts([SURE] * 8), forecasts([HALF] * 8)
    gate = by_name(champion_gates(challenger, champion, Registry("any", 0.0, gain, 0.05)))["Brier less the champion's"]
    assert (gate.found, gate.limit, gate.passed) == (-0.375, -gain, passed)


@pytest.mark.parametrize(
    ("ours", "reference", "passed"),
    [([HALF] * 8, [HALF] * 8, True), ([HALF] * 8, [EVEN] * 8, True), ([HALF] * 7 + [EVEN], [HALF] * 8, False)],
)
def test_a_champion_is_not_worse_than_the_reference_model(ours, reference, passed):
    gate = by_name(champion_gates(forecasts(ours, reference), None, RULES))["log-loss less the reference model's"]
    assert (gate.limit, gate.passed) == (0.0, passed)
    expected = log_loss(np.zeros(8, np.int8), np.array(ours)) - log_loss(np.zeros(8, np.int8), np.array(reference))
    assert gate.found == pytest.approx(expected, abs=1e-15)


def test_a_champion_is_well_calibrated_up_to_the_limit():
    table, _ = random_forecasts(2)
    error = ece(table["outcome_1x2"].to_numpy(), proba(table))
    for limit, passed in ((error, True), (math.nextafter(error, 0), False)):
        gate = by_name(champion_gates(table, None, Registry("any", 0.0, 0.0, limit)))["calibration error (ECE)"]
        assert (gate.found, gate.limit, gate.passed, gate.difference) == (error, limit, passed, None)


def test_the_first_champion_is_held_against_the_reference_and_its_calibration_alone():
    table, other = random_forecasts(3)
    first = ["log-loss less the reference model's", "calibration error (ECE)"]
    assert list(by_name(champion_gates(table, None, RULES))) == first
    assert list(by_name(champion_gates(table, other, RULES))) == [*first, "Brier less the champion's"]


def test_where_a_forecast_is_unknown_every_gate_of_it_fails():
    table, other = random_forecasts(3)
    table.loc[3, ["final_home", "final_draw", "final_away"]] = math.nan
    assert [gate.passed for gate in champion_gates(table, other, RULES)] == [False] * 3


def against(challenger: pd.DataFrame, incumbent: pd.DataFrame) -> tuple[Gate, Gate]:
    (candidate,) = candidate_gates(challenger, incumbent, RULES)
    return candidate, champion_gates(challenger, incumbent, RULES)[-1]


def test_only_matches_that_both_forecast_are_compared():
    challenger, incumbent = random_forecasts(4)
    ours, theirs = challenger.iloc[10:], incumbent.iloc[:40]
    target = challenger["outcome_1x2"].to_numpy()[10:40]
    one, other = proba(challenger)[10:40], proba(incumbent)[10:40]
    logloss, squared = against(ours, theirs)
    assert logloss.found == pytest.approx(log_loss(target, one) - log_loss(target, other), abs=1e-12)
    assert squared.found == pytest.approx(brier(target, one) - brier(target, other), abs=1e-12)
    assert logloss.difference.matches == squared.difference.matches == 30


def test_a_match_whose_result_was_corrected_since_is_not_compared():
    challenger, incumbent = random_forecasts(5)
    corrected = incumbent.copy()
    corrected.loc[:4, "outcome_1x2"] = (corrected.loc[:4, "outcome_1x2"] + 1) % 3
    assert against(challenger, corrected) == against(challenger, incumbent.iloc[5:])


@pytest.mark.parametrize(("common", "judged"), [(30, True), (29, False), (0, False)])
def test_with_less_than_half_of_the_matches_in_common_the_gate_fails_and_says_why(common, judged):
    challenger, incumbent = random_forecasts(6)
    for gate in against(challenger, incumbent.iloc[:common]):
        assert (gate.difference is not None) == judged
        if not judged:
            assert math.isnan(gate.found)
            assert not gate.passed
            assert gate.name.endswith(f"(only {common} of 60 matches in common)")
            assert str(gate).endswith("failed")


def test_an_unknown_forecast_of_either_side_fails_the_gate():
    challenger, incumbent = random_forecasts(7)
    unknown = challenger.copy()
    unknown.loc[3, ["final_home", "final_draw", "final_away"]] = math.nan
    for one, other in ((unknown, incumbent), (challenger, unknown)):
        assert [gate.passed for gate in against(one, other)] == [False, False]


@given(st.integers(0, 1000), st.randoms())
@unhurried
def test_the_order_of_the_matches_of_either_side_changes_no_verdict(seed, random):
    challenger, incumbent = random_forecasts(seed)
    orders = [list(range(60)), list(range(60))]
    for order in orders:
        random.shuffle(order)
    shuffled = champion_gates(challenger.iloc[orders[0]], incumbent.iloc[orders[1]], RULES)
    for found, expected in zip(shuffled, champion_gates(challenger, incumbent, RULES), strict=True):
        assert (found.name, found.limit, found.passed) == (expected.name, expected.limit, expected.passed)
        assert found.found == pytest.approx(expected.found, abs=1e-12)
        if expected.difference is not None:
            assert vars(found.difference) == pytest.approx(vars(expected.difference), abs=1e-12)


def test_a_stronger_model_passes_every_gate_and_the_weaker_one_none():
    rng = np.random.default_rng(8)
    truth = rng.dirichlet([3, 2, 3], 5000)
    target = (rng.uniform(size=(5000, 1)) > truth.cumsum(axis=1)[:, :2]).sum(axis=1).astype(np.int8)
    blurred = truth[rng.permutation(5000)]
    strong, weak = forecasts(truth, blurred, target), forecasts(blurred, truth, target)
    rules = Registry("any", 0.0, 0.002, 0.05)
    assert [gate.passed for gate in champion_gates(strong, weak, rules)] == [True] * 3
    assert [gate.passed for gate in candidate_gates(strong, weak, rules)] == [True]
    by_gate = {name: gate.passed for name, gate in by_name(champion_gates(weak, strong, rules)).items()}
    assert not by_gate["log-loss less the reference model's"]
    assert not by_gate["Brier less the champion's"]
    assert [gate.passed for gate in candidate_gates(weak, strong, rules)] == [False]


def test_the_tables_are_untouched():
    tables = random_forecasts(9)
    before = [table.copy() for table in tables]
    against(*tables)
    for table, copy in zip(tables, before, strict=True):
        pd.testing.assert_frame_equal(table, copy)


def test_a_gate_is_told_in_one_line():
    assert str(Gate("calibration error (ECE)", 0.0412, 0.05)) == (
        "calibration error (ECE) 0.0412, needs at most +0.0500: passed"
    )
    challenger, champion = forecasts([SURE] * 8), forecasts([HALF] * 8)
    assert str(champion_gates(challenger, champion, RULES)[-1]) == (
        "Brier less the champion's -0.3750 (95 % interval -0.3750 to -0.3750, 8 matches), needs at most -0.1250: passed"
    )
