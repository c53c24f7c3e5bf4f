import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from features.leagues import match, random_league, table
from features.looking_back import NAN, OTHER, last, mean, of, past_of, points, sided
from matchclf.features.h2h import h2h


def slow_h2h(matches: pd.DataFrame, window: int) -> pd.DataFrame:
    rows, all_matches = [], list(matches.itertuples())
    for row in all_matches:
        home = last(past_of(row, row.home_team, all_matches, opponent=row.away_team), window)
        away = last(past_of(row, row.away_team, all_matches, opponent=row.home_team), window)
        means = [mean([points(*entry) for entry in entries]) for entries in (home, away)]
        gaps = [of(match, side, "goals") - of(match, OTHER[side], "goals") for match, side in home]
        rows.append(
            {
                "h2h_matches": len(home),
                **sided("h2h_points_mean", *means),
                "h2h_goal_diff_mean": mean(gaps),
            }
        )
    return pd.DataFrame(rows).astype("float32")


@given(seed=st.integers(0, 10_000), window=st.integers(1, 6))
@settings(max_examples=15, deadline=None)
def test_meetings_are_those_of_the_slow_way(seed, window):
    matches = random_league(seed)
    pd.testing.assert_frame_equal(h2h(matches, window=window), slow_h2h(matches, window), check_exact=True)


def test_meetings_count_at_either_ground_in_the_view_of_the_team_at_home_now():
    rows = [
        match(1, "a", "b", (9, 0)),
        match(2, "a", "b", (2, 0)),
        match(3, "b", "a", (1, 1)),
        match(4, "a", "c", (0, 5)),
        match(5, "b", "a", None),
    ]
    found = h2h(table(*rows), window=2).iloc[-1]
    assert found.to_dict() == {
        "h2h_matches": 2,
        "h2h_points_mean_home": 0.5,
        "h2h_points_mean_away": 2,
        "h2h_points_mean_diff": -1.5,
        "h2h_goal_diff_mean": -1,
    }


def test_teams_that_never_met_have_no_means():
    rows = [match(1, "a", "b", (1, 0)), match(2, "b", "c", (1, 0)), match(3, "a", "c", None)]
    np.testing.assert_array_equal(h2h(table(*rows), window=5).iloc[2], [0, NAN, NAN, NAN, NAN])


def test_clubs_of_the_same_names_in_another_country_never_met():
    rows = [match(1, "a", "b", (1, 0)), match(2, "a", "b", None, country="Y")]
    assert h2h(table(*rows), window=5)["h2h_matches"].tolist() == [0, 0]
