import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matchclf.metrics import brier, log_loss
from matchclf.paired import RESAMPLES, Difference, loss_difference, paired_difference

unhurried = settings(deadline=None, max_examples=20)


def days(numbers: np.ndarray) -> pd.Series:
    return pd.Series(pd.Timestamp("2024-01-01") + pd.to_timedelta(numbers, "D"))


def losses(seed: int, rows: int) -> tuple[np.ndarray, np.ndarray, pd.Series]:
    rng = np.random.default_rng(seed)
    return rng.exponential(size=rows), rng.exponential(size=rows), days(np.sort(rng.integers(0, 400, rows)))


def slow(ours: np.ndarray, theirs: np.ndarray, dates: pd.Series, draws: int, seed: int) -> tuple[float, float]:
    """Weeks drawn one by one with replacement, every match of a drawn week counted; the middle 95 % of the means."""
    weeks: dict[int, list[float]] = {}
    for ours_here, theirs_here, date in zip(ours, theirs, dates, strict=True):
        # 1970-01-01 was a Thursday, and the weeks of NumPy begin there.
        weeks.setdefault((date - pd.Timestamp("1970-01-01")).days // 7, []).append(ours_here - theirs_here)
    rng, blocks = np.random.default_rng(seed), list(weeks.values())
    means = []
    for _ in range(draws):
        drawn = [value for number in rng.integers(0, len(blocks), len(blocks)) for value in blocks[number]]
        means.append(sum(drawn) / len(drawn))
    return tuple(np.quantile(means, [0.025, 0.975]))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_interval_is_that_of_weeks_drawn_one_by_one(seed):
    ours, theirs, dates = losses(seed, 300)
    found = paired_difference(ours, theirs, dates)
    low, high = slow(ours, theirs, dates, 3000, seed + 100)
    assert found.mean == pytest.approx(np.mean(ours) - np.mean(theirs), abs=1e-12)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.05 * (high - low))
    assert found.low < found.mean < found.high
    assert found.matches == 300


def test_matches_of_one_week_count_as_one_surprise():
    # Four weeks, each of which all goes one way: 100 matches tell no more than four.
    weeks = np.repeat([0, 7, 14, 21], 25)
    ours = np.where(weeks < 14, 1.0, 0.0)
    together = paired_difference(ours, np.zeros(100), days(weeks))
    apart = paired_difference(ours, np.zeros(100), days(np.arange(100) * 7))
    assert together.mean == apart.mean == 0.5
    assert (together.low, together.high) == (0.0, 1.0)
    assert 0.38 <= apart.low <= 0.42
    assert 0.58 <= apart.high <= 0.62


def test_a_week_begins_on_thursday_so_that_a_round_stays_together():
    # Friday to Monday of two rounds, 2024-01-05 to 08 and 2024-01-12 to 15.
    rounds = np.repeat([4, 5, 6, 7, 11, 12, 13, 14], 5)
    ours = np.where(rounds < 10, 1.0, 0.0)
    found = paired_difference(ours, np.zeros(40), days(rounds))
    assert (found.mean, found.low, found.high) == (0.5, 0.0, 1.0)


def test_one_week_alone_gives_no_interval_beyond_its_mean():
    found = paired_difference(np.array([0.5, 1.0]), np.array([0.25, 0.25]), days(np.array([3, 4])))
    assert found == Difference(0.5, 0.5, 0.5, 2)


def test_equal_losses_differ_by_nothing():
    ours, _, dates = losses(3, 50)
    assert paired_difference(ours, ours, dates) == Difference(0.0, 0.0, 0.0, 50)


@given(st.integers(0, 1000), st.integers(1, 60))
@unhurried
def test_the_other_way_round_gives_the_opposite(seed, rows):
    ours, theirs, dates = losses(seed, rows)
    one, other = paired_difference(ours, theirs, dates), paired_difference(theirs, ours, dates)
    assert (one.mean, one.low, one.high) == pytest.approx((-other.mean, -other.high, -other.low), abs=1e-12)


@given(st.integers(0, 1000), st.integers(1, 60), st.randoms())
@unhurried
def test_the_order_of_matches_their_index_and_the_unit_of_time_mean_nothing(seed, rows, random):
    ours, theirs, dates = losses(seed, rows)
    order = list(range(rows))
    random.shuffle(order)
    found = paired_difference(ours, theirs, dates)
    shuffled = paired_difference(ours[order], theirs[order], dates.iloc[order].astype("datetime64[ns]"))
    assert vars(shuffled) == pytest.approx(vars(found), abs=1e-12)


def test_the_same_matches_give_the_same_interval_each_time():
    assert paired_difference(*losses(5, 80)) == paired_difference(*losses(5, 80))
    assert RESAMPLES >= 1000


@pytest.mark.parametrize(("loss", "score"), [("logloss", log_loss), ("brier", brier)])
def test_the_difference_of_two_forecasts_is_that_of_their_scores(loss, score):
    rng = np.random.default_rng(0)
    target = rng.integers(0, 3, 200).astype(np.int8)
    ours, theirs = rng.dirichlet([2, 1, 2], 200), rng.dirichlet([1, 1, 1], 200)
    dates = days(np.arange(200))
    found = loss_difference(loss, dates, target, ours, theirs)
    assert found.mean == pytest.approx(score(target, ours) - score(target, theirs), abs=1e-12)
    assert found.low < found.mean < found.high


def test_an_unknown_loss_makes_the_difference_unknown():
    found = paired_difference(np.array([0.5, math.nan]), np.array([0.5, 0.5]), days(np.array([0, 10])))
    assert math.isnan(found.mean)


def test_a_difference_is_told_with_its_sign_its_interval_and_its_matches():
    told = str(Difference(-0.00214, -0.00312, 0.00004, 12345))
    assert told == "-0.0021 (95 % interval -0.0031 to +0.0000, 12,345 matches)"
