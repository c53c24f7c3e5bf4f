import math
from collections import defaultdict
from itertools import groupby
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.leagues import match, random_league, table
from matchclf.features.elo import MARGINS, elo

PLAIN = {
    "k": 20,
    "margin": "none",
    "home_advantage": 100,
    "scale": 400,
    "season_regression": 0.0,
    "start": 1500,
    "tier_gap": 0,
    "newcomer_gap": 0,
}


def ratings(*rows: dict[str, object], **settings: object) -> list[list[float]]:
    """Ratings (home, away) of each match, rounded to two decimals."""
    found = elo(table(*rows), **(PLAIN | settings))[["elo_home", "elo_away"]]
    return [[round(value, 2) for value in row] for row in found.to_numpy(float).tolist()]


class Seen(NamedTuple):
    rating: float
    season: str
    place: tuple[str, str]


def slow_elo(matches: pd.DataFrame, **p: object) -> pd.DataFrame:
    """One day after the other, one team after the other."""
    seen: dict[tuple[str, str], Seen] = {}
    first_season: dict[tuple[str, str], str] = {}
    out = {}
    ordered = matches.sort_values(["date", "season", "division"]).itertuples()
    for _, day in groupby(ordered, key=lambda row: row.date):
        evening_before, seen = seen, dict(seen)
        gained = defaultdict(float)
        for row in day:
            place = (row.country, row.division)
            teams = [(row.country, row.home_team), (row.country, row.away_team)]
            home, away = (slow_rating(row, team, evening_before, first_season, p) for team in teams)
            lead = home - away + (0 if row.neutral else p["home_advantage"])
            expected = 1 / (1 + 10 ** (-lead / p["scale"]))
            out[row.Index] = [home, away, lead, expected]
            if math.isnan(row.home_goals):
                continue
            first_season.setdefault(place, row.season)
            score = 0.5 * (1 + np.sign(row.home_goals - row.away_goals))
            factor = slow_margin(p["margin"], abs(row.home_goals - row.away_goals))
            for team, before, sign in zip(teams, (home, away), (1, -1), strict=True):
                gained[team] += sign * p["k"] * factor * (score - expected)
                seen[team] = Seen(before + gained[team], row.season, place)
    names = ["elo_home", "elo_away", "elo_diff", "elo_expected_home"]
    return pd.DataFrame.from_dict(out, orient="index", columns=names).sort_index()


def slow_rating(row, team, seen, first_season, p):
    def mean(place):
        ratings = [other.rating for other in seen.values() if other.place == place]
        return sum(ratings) / len(ratings) if ratings else None

    place = (row.country, row.division)
    if team not in seen:
        level = mean(place)
        if level is None:
            return p["start"] - p["tier_gap"] * (row.tier - 1)
        return level - (0 if first_season[place] == row.season else p["newcomer_gap"])
    last = seen[team]
    share = 0 if last.season == row.season else p["season_regression"]
    return last.rating + share * (mean(last.place) - last.rating)


def slow_margin(name, gap):
    if name == "none":
        return 1
    if name == "log":
        return 1 + (math.log(gap) if gap > 1 else 0)
    return {0: 1, 1: 1, 2: 1.5}.get(gap, (11 + gap) / 8)


@pytest.mark.parametrize("margin", MARGINS)
@given(seed=st.integers(0, 10_000))
@settings(max_examples=10, deadline=None)
def test_ratings_are_those_of_the_slow_way(margin, seed):
    p = {"k": 24, "margin": margin, "home_advantage": 70, "scale": 350}
    p |= {"season_regression": 0.3, "start": 1400, "tier_gap": 90, "newcomer_gap": 40}
    matches = random_league(seed)
    found, expected = elo(matches, **p), slow_elo(matches, **p)
    pd.testing.assert_frame_equal(found.astype(float), expected, check_exact=False, rtol=1e-6, atol=1e-4)


def test_the_first_match_is_even_but_for_home_advantage():
    found = elo(table(match(1, "a", "b", (1, 0))), **PLAIN)
    expected_score = 1 / (1 + 10 ** (-100 / 400))
    assert found.columns.tolist() == ["elo_home", "elo_away", "elo_diff", "elo_expected_home"]
    np.testing.assert_array_equal(found.to_numpy(), np.float32([[1500, 1500, 100, expected_score]]))


def test_a_neutral_venue_has_no_home_advantage_before_or_after_the_match():
    rows = [match(1, "a", "b", (1, 0), neutral=True), match(2, "a", "b", None, neutral=True)]
    found = elo(table(*rows), **PLAIN)
    np.testing.assert_array_equal(found["elo_diff"], np.float32([0, 20]))
    assert found["elo_expected_home"].iloc[0] == 0.5


def test_the_winner_takes_from_the_loser_what_was_not_expected():
    rows = [match(1, "a", "b", (1, 0)), match(2, "a", "b", None)]
    assert ratings(*rows, home_advantage=0) == [[1500, 1500], [1510, 1490]]


def test_all_points_of_a_day_count_from_the_evening_before():
    rows = [
        match(1, "a", "b", (1, 0)),
        match(1, "b", "a", (0, 1)),
        match(1, "c", "a", (0, 2)),
        match(2, "a", "b", None),
    ]
    assert ratings(*rows, home_advantage=0)[-1] == [1530, 1480]


@pytest.mark.parametrize(
    ("margin", "gained"), [("none", 10), ("log", round(10 * (1 + math.log(3)), 2)), ("world_football", 17.5)]
)
def test_a_win_by_three_goals_gains_by_its_margin(margin, gained):
    rows = [match(1, "a", "b", (4, 1)), match(2, "a", "b", None)]
    assert ratings(*rows, home_advantage=0, margin=margin)[1] == [1500 + gained, 1500 - gained]


def test_margins_rise_with_the_goal_difference():
    gaps = np.arange(5.0)
    assert MARGINS["none"](gaps).tolist() == [1, 1, 1, 1, 1]
    assert MARGINS["world_football"](gaps).tolist() == [1, 1, 1.5, 1.75, 1.875]
    np.testing.assert_allclose(MARGINS["log"](gaps), [1, 1, 1.693147, 2.098612, 2.386294], atol=1e-6)


def test_a_new_season_brings_teams_back_towards_the_mean_of_their_last_division():
    first = [match(1, "a", "b", (1, 0)), match(1, "c", "d", (1, 0), division="D2")]
    promoted = match(2, "a", "c", None, season="2")
    assert ratings(*first, promoted, home_advantage=0, season_regression=0.25)[-1] == [1507.5, 1507.5]
    started_lower = [row | {"tier": 2} if row["division"] == "D2" else row for row in first]
    found = ratings(*started_lower, promoted, home_advantage=0, season_regression=0.25, tier_gap=100)
    assert found[-1] == [1507.5, 1407.5]


def test_the_same_season_brings_nobody_back():
    rows = [match(1, "a", "b", (1, 0)), match(300, "a", "b", None)]
    assert ratings(*rows, home_advantage=0, season_regression=1.0)[-1] == [1510, 1490]


def test_an_unplayed_match_of_a_new_season_does_not_start_it():
    rows = [match(1, "a", "b", (1, 0)), match(2, "a", "b", None, season="2"), match(3, "a", "b", None, season="1")]
    assert ratings(*rows, home_advantage=0, season_regression=0.5) == [[1500, 1500], [1505, 1495], [1510, 1490]]


def test_lower_tiers_start_lower():
    rows = [match(1, "a", "b", None), match(1, "c", "d", None, division="D3", tier=3)]
    assert ratings(*rows, tier_gap=100) == [[1500, 1500], [1300, 1300]]


def test_a_newcomer_starts_below_the_mean_of_its_division_once_the_first_season_is_over():
    first = [match(1, "a", "b", (1, 0), tier=2), match(2, "a", "new", None, tier=2)]
    later = [match(3, "a", "new", None, tier=2, season="2")]
    found = ratings(*first, *later, home_advantage=0, tier_gap=100, newcomer_gap=60)
    assert found == [[1400, 1400], [1410, 1400], [1410, 1340]]


def test_the_first_season_of_a_division_is_that_of_its_first_result():
    rows = [match(1, "a", "b", None, season="1"), match(2, "a", "b", (0, 0), season="2")]
    newcomer = match(3, "a", "new", None, season="2")
    assert ratings(*rows, newcomer, home_advantage=0, newcomer_gap=60)[-1] == [1500, 1500]


def test_who_left_the_division_no_longer_counts_in_its_mean():
    first = [match(1, "a", "b", (1, 0)), match(2, "b", "c", (0, 0), division="D2")]
    newcomers = [match(3, "x", "y", None, season="2"), match(3, "z", "w", None, season="2", division="D2")]
    found = ratings(*first, *newcomers, home_advantage=0)
    # c came first to its division and started at 1500; b, with 1490, drew with it and gained.
    gained = 20 * (0.5 - 1 / (1 + 10 ** (10 / 400)))
    assert found[1] == [1490, 1500]
    assert found[2] == [1510, 1510]
    assert found[3] == [round((1490 + gained + 1500 - gained) / 2, 2)] * 2


def test_clubs_of_one_name_in_two_countries_have_two_ratings():
    rows = [match(1, "a", "b", (1, 0)), match(2, "a", "b", None, country="Y")]
    assert ratings(*rows)[-1] == [1500, 1500]
