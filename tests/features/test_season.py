import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from features.leagues import match, random_league, table
from features.looking_back import NAN, OTHER, mean, of, past_of, points, sided
from matchclf.features.season import season


def slow_season(matches: pd.DataFrame, prior: float) -> pd.DataFrame:
    rows, all_matches = [], list(matches.itertuples())
    for row in all_matches:
        found = {side: slow_team(row, getattr(row, f"{side}_team"), all_matches, prior) for side in ("home", "away")}
        columns = {}
        for name in found["home"]:
            columns |= sided(f"season_{name}", found["home"][name], found["away"][name])
        rows.append(columns | {"season_tier": row.tier, "season_month": row.date.month})
    return pd.DataFrame(rows).astype("float32")


def slow_team(row, team: str, all_matches: list, prior: float) -> dict[str, float]:
    past = list(past_of(row, team, all_matches))
    ours = [(old, side) for old, side in past if old.season == row.season]
    goal_diff = [of(old, side, "goals") - of(old, OTHER[side], "goals") for old, side in ours]
    begin = min([row.date, *(old.date for old, _ in ours)])
    before = [old for old, _ in past if old.date < begin]
    last_day = max((old.date for old in before), default=None)
    return {
        "matches": len(ours),
        "points_mean": (sum(points(*entry) for entry in ours) + 1.37 * prior) / (len(ours) + prior),
        "goal_diff_mean": sum(goal_diff) / (len(ours) + prior),
        "tier_change": row.tier - mean([old.tier for old in before if old.date == last_day]),
    }


@given(seed=st.integers(0, 10_000), prior=st.sampled_from([0.5, 5]))
@settings(max_examples=15, deadline=None)
def test_the_season_is_that_of_the_slow_way(seed, prior):
    matches = random_league(seed)
    found = season(matches, prior_matches=prior)
    pd.testing.assert_frame_equal(found, slow_season(matches, prior), check_exact=False, rtol=1e-5, atol=1e-5)


def test_a_promoted_team_starts_its_season_at_zero_one_tier_higher():
    rows = [
        match(1, "a", "b", (3, 0), tier=2, division="D2"),
        match(2, "b", "a", (0, 1), tier=2, division="D2"),
        match(40, "a", "c", (0, 2), season="2"),
        match(50, "d", "a", None, season="2"),
    ]
    found = season(table(*rows), prior_matches=1)
    away = found.filter(regex="_away$").iloc[-1]
    np.testing.assert_allclose(away, [1, (0 + 1.37) / 2, -2 / 2, -1], rtol=1e-6)
    np.testing.assert_array_equal(found["season_tier_change_home"], [NAN, NAN, -1, NAN])
    np.testing.assert_array_equal(found[["season_tier", "season_month"]], [[2, 1], [2, 1], [1, 2], [1, 2]])
