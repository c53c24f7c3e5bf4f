"""The families made of attack and defence ratings: which columns, from which numbers."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import skellam

from features.leagues import match, random_league, table
from matchclf.data.schema import ODDS
from matchclf.features.chances import chances
from matchclf.features.market import market
from matchclf.features.poisson import poisson

SETTINGS = {
    "noise": 1.0,
    "drift": 0.001,
    "season_drift": 0.01,
    "start_variance": 0.1,
    "season_regression": 0.1,
    "tier_gap": 0.15,
    "newcomer_gap": 0.05,
}


def last(family, *rows: dict[str, object]) -> pd.Series:
    return family(table(*rows), **SETTINGS).iloc[-1]


def prices(home: float, draw: float, away: float) -> dict[str, float]:
    return dict(zip(ODDS, (home, draw, away), strict=True))


def shots(home: float, away: float) -> dict[str, float]:
    return {"home_shots": home, "away_shots": away}


def test_the_chance_of_a_draw_is_that_of_two_poisson_counts():
    found = poisson(random_league(1), **SETTINGS).dropna()
    counts = np.exp(found[["goals_expected_home", "goals_expected_away"]].to_numpy(float))
    np.testing.assert_allclose(found["goals_draw"], skellam.pmf(0, *counts.T), rtol=1e-5)


def test_goals_raise_the_scorer_and_lower_the_other():
    found = last(poisson, match(1, "a", "b", (4, 0)), match(2, "a", "b", None))
    assert found["goals_attack_home"] > 0 > found["goals_attack_away"]
    assert found["goals_defence_home"] > 0 > found["goals_defence_away"]


@pytest.mark.parametrize("family", [chances, market])
def test_matches_that_were_not_counted_move_nothing(family):
    known = {**shots(20, 5), **prices(1.5, 4.0, 6.0)}
    rows = [match(1, "a", "b", (1, 0), **known), match(2, "a", "b", (9, 0)), match(2, "c", "d", None)]
    later = match(3, "a", "b", None)
    pd.testing.assert_series_equal(last(family, *rows, later), last(family, rows[0], rows[2], later), check_names=False)


@pytest.mark.parametrize("family", [chances, market])
def test_where_nothing_was_counted_there_are_no_columns(family):
    assert family(table(match(1, "a", "b", (1, 0)), match(2, "a", "b", None)), **SETTINGS).shape == (2, 0)


def test_only_the_statistics_that_matches_have_give_columns():
    found = last(chances, match(1, "a", "b", (1, 0), **shots(20, 5)), match(2, "a", "b", None))
    assert {name.split("_")[0] for name in found.index} == {"shots"}
    assert found["shots_expected_home"] > np.log(12)
    assert found["shots_expected_away"] < np.log(12)


def test_a_division_where_nothing_was_counted_has_no_ratings():
    rows = [match(1, "a", "b", (1, 0), **shots(20, 5)), match(2, "c", "d", (1, 0), division="D2")]
    found = chances(table(*rows, match(3, "c", "d", None, division="D2")), **SETTINGS)
    assert found.isna().all(axis=None)


def test_the_favourite_of_past_prices_is_the_stronger_team():
    rows = [match(day, "a", "b", (0, 3), **prices(1.5, 4.0, 6.0)) for day in range(1, 9)]
    found = last(market, *rows, match(9, "b", "a", None))
    assert found["market_attack_home"] < 0 < found["market_attack_away"]
    assert found["market_expected_home"] < found["market_expected_away"]


def test_prices_of_the_match_itself_are_not_looked_at():
    past = match(1, "a", "b", (0, 3), **prices(1.5, 4.0, 6.0))
    found = [last(market, past, match(2, "a", "b", (2, 0), **prices(*odds))) for odds in ((2, 3, 4), (9, 5, 1.2))]
    pd.testing.assert_series_equal(*found)


def test_margins_cancel():
    later = match(2, "a", "b", None)
    rows = [[match(1, "a", "b", (1, 0), **prices(*odds)), later] for odds in ((2, 3, 6), (1.8, 2.7, 5.4))]
    pd.testing.assert_series_equal(last(market, *rows[0]), last(market, *rows[1]), rtol=1e-5)
