import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from features.leagues import match, random_league, table
from features.looking_back import NAN, past_of, sided
from matchclf.features.rest import rest


def slow_rest(matches: pd.DataFrame, cap_days: int) -> pd.DataFrame:
    all_matches = list(matches.itertuples())

    def rested(row, team: str) -> float:
        days = [(row.date - old.date).days for old, _ in past_of(row, team, all_matches)]
        return min([*days, cap_days]) if days else NAN

    rows = [sided("rest_days", rested(row, row.home_team), rested(row, row.away_team)) for row in all_matches]
    return pd.DataFrame(rows).astype("float32")


@given(seed=st.integers(0, 10_000), cap_days=st.integers(1, 8))
@settings(max_examples=15, deadline=None)
def test_rest_is_that_of_the_slow_way(seed, cap_days):
    matches = random_league(seed)
    pd.testing.assert_frame_equal(rest(matches, cap_days=cap_days), slow_rest(matches, cap_days), check_exact=True)


def test_rest_is_days_since_the_last_match_up_to_the_cap():
    rows = [match(1, "a", "b", (1, 0)), match(4, "c", "a", (1, 0)), match(4, "a", "d", None), match(40, "a", "b", None)]
    found = rest(table(*rows), cap_days=14)
    expected = [[NAN, NAN, NAN], [3, NAN, NAN], [NAN, 3, NAN], [14, 14, 0]]
    np.testing.assert_array_equal(found, expected)
    assert list(found) == ["rest_days_home", "rest_days_away", "rest_days_diff"]
