import numpy as np
import pandas as pd
import pytest

from matchclf.paired import RESAMPLES
from matchclf.verdicts import LEVEL, Verdict, judge

WEEKS, PER_WEEK = 120, 10


def season(rng):
    """Days of matches, and noise of which half is shared by the matches of a week; shape (n_matches, 3)."""
    dates = pd.Series(pd.Timestamp("2023-01-05") + pd.to_timedelta(np.repeat(np.arange(WEEKS) * 7, PER_WEEK), "D"))
    shared = np.repeat(rng.normal(size=(WEEKS, 3)), PER_WEEK, axis=0)
    return dates, 0.02 * (shared + rng.normal(size=(len(dates), 3)))


def slow(differences, dates, seed):
    """Weeks drawn one by one, the largest deviation of each draw in units of each column's spread."""
    week = (dates - pd.Timestamp("1970-01-01")).dt.days // 7
    blocks = [np.flatnonzero(week == one) for one in sorted(set(week))]
    rng = np.random.default_rng(seed)
    draws = []
    for _ in range(RESAMPLES):
        rows = np.concatenate([blocks[one] for one in rng.integers(0, len(blocks), len(blocks))])
        draws.append([column[rows].mean() for column in differences.values()])
    means = np.array([column.mean() for column in differences.values()])
    spread = np.std(draws, axis=0, ddof=1)
    largest = [max(abs(draw - means) / spread) for draw in np.array(draws)]
    return means, spread, np.quantile(largest, LEVEL)


def test_the_intervals_are_those_of_weeks_drawn_one_by_one():
    dates, noise = season(np.random.default_rng(1))
    differences = {"a": noise[:, 0] + 0.001, "b": noise[:, 1], "c": 3 * noise[:, 2]}
    means, spread, half_width = slow(differences, dates, 7)
    for number, one in enumerate(judge(differences, dates).values()):
        assert one.mean == pytest.approx(means[number])
        assert (one.high - one.low) / 2 == pytest.approx(half_width * spread[number], rel=0.06)
        assert one.smallest == pytest.approx((half_width + 0.8416) * spread[number], rel=0.06)
        assert one.matches == len(dates)


@pytest.mark.slow
def test_the_intervals_hold_for_all_together_as_often_as_they_say():
    rng, right, seasons = np.random.default_rng(2), 0, 400
    for _ in range(seasons):
        dates, noise = season(rng)
        found = judge({str(number): noise[:, number] for number in range(3)}, dates)
        right += all(one.low <= 0 <= one.high for one in found.values())
    # 95 % of 400 is 380; three standard deviations are 13.
    assert 367 <= right <= 393


@pytest.mark.slow
def test_the_smallest_effect_is_found_in_eighty_of_a_hundred_seasons():
    rng, found, seasons = np.random.default_rng(3), 0, 400
    dates, noise = season(rng)
    effect = judge({"a": noise[:, 0], "b": noise[:, 1]}, dates)["a"].smallest
    for _ in range(seasons):
        dates, noise = season(rng)
        found += judge({"a": noise[:, 0] + effect, "b": noise[:, 1]}, dates)["a"].told == "worse"
    assert 0.72 <= found / seasons <= 0.88


@pytest.mark.parametrize(
    ("low", "high", "told"),
    [
        (0.001, 0.003, "worse"),
        (-0.003, -0.001, "better"),
        (-0.001, 0.003, "no difference larger than 0.0030"),
        (-0.004, 0.003, "no difference larger than 0.0040"),
        (0.0, 0.0, "no difference larger than 0.0000"),
    ],
)
def test_the_verdict_is_told_by_the_interval(low, high, told):
    assert Verdict(0.0, low, high, 0.1, 100).told == told


def test_equal_forecasts_are_no_difference():
    dates, noise = season(np.random.default_rng(4))
    found = judge({"same": np.zeros(len(dates)), "other": noise[:, 0]}, dates)
    assert found["same"].told == "no difference larger than 0.0000"


def test_a_very_small_bound_is_told_with_more_digits():
    assert Verdict(0.0, -0.00002, 0.00004, 0.00005, 100).told == "no difference larger than 0.000040"
    assert Verdict(0.0, -0.0012, 0.0004, 0.0005, 100).told == "no difference larger than 0.0012"
