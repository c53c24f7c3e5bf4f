import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from features.leagues import match, random_league, table
from features.looking_back import NAN, OTHER, last, mean, of, past_of, points, sided
from matchclf.features.form import form

STATISTICS = {
    "win": lambda match, side: float(points(match, side) == 3),
    "draw": lambda match, side: float(points(match, side) == 1),
    "loss": lambda match, side: float(points(match, side) == 0),
    "points": points,
    "goals_for": lambda match, side: of(match, side, "goals"),
    "goals_against": lambda match, side: of(match, OTHER[side], "goals"),
    "shots_for": lambda match, side: of(match, side, "shots"),
    "shots_against": lambda match, side: of(match, OTHER[side], "shots"),
    "shots_on_target_for": lambda match, side: of(match, side, "shots_on_target"),
    "shots_on_target_against": lambda match, side: of(match, OTHER[side], "shots_on_target"),
}


def slow_form(matches: pd.DataFrame, windows: list[int]) -> pd.DataFrame:
    rows, all_matches = [], list(matches.itertuples())
    for row in all_matches:
        columns = {}
        for ending in ("", "_venue"):
            past = {}
            for side in ("home", "away"):
                entries = list(past_of(row, getattr(row, f"{side}_team"), all_matches))
                if ending:
                    entries = [(old, on) for old, on in entries if on == side and not old.neutral and not row.neutral]
                past[side] = entries
            for window in windows:
                seen = {side: last(entries, window) for side, entries in past.items()}
                for name, value in STATISTICS.items():
                    means = [mean([value(*entry) for entry in seen[side]]) for side in ("home", "away")]
                    columns |= sided(f"{name}_mean_{window}{ending}", *means)
        rows.append(columns)
    return pd.DataFrame(rows).astype("float32")


@given(seed=st.integers(0, 10_000))
@settings(max_examples=15, deadline=None)
def test_form_is_that_of_the_slow_way(seed):
    matches = random_league(seed, size=80)
    found = form(matches, windows=[2, 5], scopes=["all", "venue"])
    pd.testing.assert_frame_equal(found, slow_form(matches, [2, 5]), check_exact=True)


def test_form_is_the_mean_of_the_last_matches_at_any_ground():
    rows = [
        match(1, "a", "b", (4, 0)),
        match(2, "c", "a", (1, 1)),
        match(3, "a", "d", (0, 1)),
        match(4, "a", "c", None),
    ]
    found = form(table(*rows), windows=[2, 3], scopes=["all"]).iloc[-1]
    assert found.filter(like="_mean_2_home").to_dict() == {
        "win_mean_2_home": 0,
        "draw_mean_2_home": 0.5,
        "loss_mean_2_home": 0.5,
        "points_mean_2_home": 0.5,
        "goals_for_mean_2_home": 0.5,
        "goals_against_mean_2_home": 1,
    }
    assert found["points_mean_3_home"] == np.float32(4 / 3)
    assert (found["points_mean_3_away"], found["points_mean_2_diff"]) == (1, -0.5)


def test_the_venue_scope_knows_home_matches_of_the_home_team_and_away_matches_of_the_away_team():
    rows = [
        match(1, "a", "b", (4, 0)),
        match(2, "b", "a", (3, 0)),
        match(3, "a", "b", (0, 9), neutral=True),
        match(4, "a", "b", None),
        match(4, "a", "b", None, neutral=True),
    ]
    found = form(table(*rows), windows=[5], scopes=["venue"])
    columns = ["goals_for_mean_5_venue_home", "goals_for_mean_5_venue_away"]
    np.testing.assert_array_equal(found[columns].iloc[3:], [[4, 0], [NAN, NAN]])


def test_a_team_without_a_match_has_no_form():
    found = form(table(match(1, "a", "b", (1, 0)), match(2, "a", "c", None)), windows=[5], scopes=["all"]).iloc[1]
    np.testing.assert_array_equal(found[["win_mean_5_home", "win_mean_5_away", "win_mean_5_diff"]], [1, NAN, NAN])


def test_unknown_shots_are_left_out_of_the_window_not_looked_for_before_it():
    rows = [
        match(1, "a", "b", (1, 0), home_shots=20, away_shots=3),
        match(2, "a", "b", (1, 0), home_shots=8, away_shots=5),
        match(3, "a", "b", (1, 0)),
        match(4, "a", "b", None),
    ]
    found = form(table(*rows), windows=[1, 2, 3], scopes=["all"])
    columns = [f"shots_{name}_mean_{window}_home" for window in (1, 2, 3) for name in ("for", "against")]
    np.testing.assert_array_equal(found[columns].iloc[3], [NAN, NAN, 8, 5, 14, 4])


def test_statistics_that_no_match_has_give_no_columns():
    rows = [match(1, "a", "b", (1, 0), home_shots=3, away_shots=2), match(2, "a", "b", None, home_shots_on_target=9)]
    names = {name.split("_mean_")[0] for name in form(table(*rows), windows=[5], scopes=["all"])}
    assert names == {
        "win",
        "draw",
        "loss",
        "points",
        "goals_for",
        "goals_against",
        "shots_for",
        "shots_against",
    }


def test_columns_name_scope_window_and_side():
    found = form(random_league(1), windows=[5, 20], scopes=["all", "venue"])
    sides = ["home", "away", "diff"]
    spans = ["5", "20", "5_venue", "20_venue"]
    assert list(found) == [f"{name}_mean_{span}_{side}" for span in spans for name in STATISTICS for side in sides]
