"""Parts of the matches and the verdicts on them, held against a slow way to the same."""

import numpy as np
import pandas as pd
import pytest

from matchclf.paired import RESAMPLES
from matchclf.reports.slices import judge_slices, slicings
from reports_runs import facts


@pytest.fixture(scope="module")
def matches():
    return facts(600)


def test_matches_are_divided_by_division_season_and_elo_gap(matches):
    found = {way.name: way for way in slicings(matches)}
    assert {name: way.slices for name, way in found.items()} == {
        "division": ["E0", "E1"],
        "season": ["2019/20", "2020/21"],
        "elo_gap": ["-200 to -100", "-100 to 0", "0 to 100", "100 to 200", "above 200"],
    }
    assert found["elo_gap"].left_out == 1  # a few below -200
    edges = pd.DataFrame({"elo_diff": np.float32([-200.5, -200, -100, 0, 0.5, 100, 200, 201, np.nan])})
    way = slicings(matches.head(9).assign(elo_diff=edges["elo_diff"]))[-1]
    assert [str(one) for one in way.groups] == [
        "below -200", "below -200", "-200 to -100", "-100 to 0", "0 to 100", "0 to 100", "100 to 200", "above 200",
        "nan",
    ]  # fmt: skip


def test_without_the_elo_gap_it_is_left_out_and_small_slices_are_counted(matches):
    few = matches.drop(columns="elo_diff").assign(season="", division=["rare"] * 49 + ["common"] * 551)
    assert [(way.name, way.slices, way.left_out) for way in slicings(few)] == [
        ("division", ["common"], 1),
        ("season", [], 0),
    ]


def test_intervals_of_slices_are_those_of_weeks_drawn_one_by_one(matches):
    rng = np.random.default_rng(3)
    difference = rng.normal(0.01, 0.3, len(matches))
    way = slicings(matches)[0]
    week = matches["date"].to_numpy().astype("datetime64[W]")
    weeks = np.unique(week)
    counts = np.random.default_rng(1).multinomial(len(weeks), np.full(len(weeks), 1 / len(weeks)), RESAMPLES)
    means = {}
    for name in way.slices:
        inside = (matches["division"] == name).to_numpy()
        parts = [difference[inside & (week == one)] for one in weeks]
        sums, sizes = np.array([part.sum() for part in parts]), np.array([len(part) for part in parts])
        means[name] = np.array([(row * sums).sum() / (row * sizes).sum() for row in counts])
    centre = {name: difference[(matches["division"] == name).to_numpy()].mean() for name in way.slices}
    spread = {name: one.std(ddof=1) for name, one in means.items()}
    worst = np.max([abs(means[name] - centre[name]) / spread[name] for name in way.slices], axis=0)
    half = np.quantile(worst, 0.95)
    found = judge_slices({"one": difference, "other": -difference}, way, matches["date"])
    assert [one.mean for one in found["other"].values()] == [-one.mean for one in found["one"].values()]
    for name, one in found["one"].items():
        assert one.matches == (matches["division"] == name).sum()
        expected = (centre[name], centre[name] - half * spread[name], centre[name] + half * spread[name])
        np.testing.assert_allclose((one.mean, one.low, one.high), expected)
