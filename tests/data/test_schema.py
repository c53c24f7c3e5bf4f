import numpy as np
import pandas as pd
import pytest

from matchclf.data.schema import COLUMNS, NAMES, ODDS, ORDER, OUTCOMES, TARGET, conform, outcome

TYPES = {
    "date": "datetime64[s]",
    "country": "str",
    "division": "str",
    "tier": "int8",
    "season": "str",
    "home_team": "str",
    "away_team": "str",
    "neutral": "bool",
    "home_goals": "float32",
    "away_goals": "float32",
    "home_shots": "float32",
    "away_shots": "float32",
    "home_shots_on_target": "float32",
    "away_shots_on_target": "float32",
    "home_corners": "float32",
    "away_corners": "float32",
    "home_fouls": "float32",
    "away_fouls": "float32",
    "home_yellow_cards": "float32",
    "away_yellow_cards": "float32",
    "home_red_cards": "float32",
    "away_red_cards": "float32",
    "home_half_time_goals": "float32",
    "away_half_time_goals": "float32",
    "odds_home": "float32",
    "odds_draw": "float32",
    "odds_away": "float32",
    "odds_source": "str",
}
REQUIRED = list(TYPES)[:10]


def matches(*days: str, **more: object) -> pd.DataFrame:
    """One match a day, with the required columns alone."""
    table = {"away_goals": 1, "home_goals": 2, "neutral": False, "away_team": "b", "home_team": "a", "season": "1"}
    table |= {"tier": 1, "division": "D1", "country": "X", "date": pd.to_datetime(list(days))}
    return pd.DataFrame(table | more)


def test_the_table_has_these_columns_in_this_order():
    assert {column.name: column.dtype for column in COLUMNS} == TYPES
    assert list(TYPES) == NAMES
    assert [column.name for column in COLUMNS if column.required] == REQUIRED
    assert all(column.meaning for column in COLUMNS)
    assert (TARGET, OUTCOMES) == ("outcome_1x2", ("home", "draw", "away"))
    assert {*ODDS, *ORDER} <= set(NAMES)


def test_a_table_of_the_required_columns_gets_all_of_them_the_others_empty():
    found = conform(matches("2020-01-01", "2020-01-02"))
    assert {name: str(dtype) for name, dtype in found.dtypes.items()} == TYPES
    optional = [name for name in TYPES if name not in REQUIRED and name != "odds_source"]
    assert found[optional].isna().all(axis=None)
    assert found["odds_source"].tolist() == ["", ""]


def test_columns_that_the_schema_does_not_know_are_left_out():
    assert conform(matches("2020-01-01", referee="somebody")).columns.tolist() == NAMES


def test_known_values_stay():
    found = conform(matches("2020-01-01", home_shots=[7], odds_home=[2.5], odds_source=["PSC"]))
    assert found.loc[0, ["home_goals", "away_goals", "home_shots", "odds_home"]].tolist() == [2, 1, 7, 2.5]
    assert found.loc[0, ["odds_source", "home_team", "tier", "neutral"]].tolist() == ["PSC", "a", 1, False]


def test_rows_are_sorted_by_day_country_division_and_teams_and_numbered_anew():
    rows = [
        ("2020-01-02", "X", "D1", "a", "b"),
        ("2020-01-01", "Y", "D1", "a", "b"),
        ("2020-01-01", "X", "D2", "a", "b"),
        ("2020-01-01", "X", "D1", "c", "d"),
        ("2020-01-01", "X", "D1", "a", "d"),
        ("2020-01-01", "X", "D1", "a", "b"),
    ]
    table = matches(*(row[0] for row in rows)).set_index(pd.Index(range(9, 3, -1)))
    table[["country", "division", "home_team", "away_team"]] = [row[1:] for row in rows]
    found = conform(table)
    assert [(f"{row.date:%Y-%m-%d}", *row[2:]) for row in found[ORDER].itertuples()] == sorted(rows)
    assert found.index.equals(pd.RangeIndex(6))


def test_equal_rows_keep_their_order_and_the_input_is_untouched():
    table = matches("2020-01-01", "2020-01-01", "2020-01-01", home_goals=[3, 1, 2])
    before = table.copy()
    assert conform(table)["home_goals"].tolist() == [3, 1, 2]
    pd.testing.assert_frame_equal(table, before)


def test_to_conform_twice_is_to_conform_once():
    once = conform(matches("2020-01-02", "2020-01-01"))
    pd.testing.assert_frame_equal(conform(once), once)


def test_outcomes_are_0_home_win_1_draw_2_away_win():
    home, away = pd.Series([3.0, 0, 1, 0, 2], index=list("abcde")), pd.Series([1.0, 0, 4, 1, 2], index=list("abcde"))
    expected = pd.Series([0, 1, 2, 2, 1], index=list("abcde"), dtype=np.int8, name="outcome_1x2")
    pd.testing.assert_series_equal(outcome(home, away), expected)


@pytest.mark.parametrize("side", ["home", "away"])
def test_a_match_without_goals_has_no_outcome(side):
    known, unknown = pd.Series([1.0, 2.0]), pd.Series([1.0, np.nan])
    goals = {"home_goals": known, "away_goals": known, f"{side}_goals": unknown}
    with pytest.raises(ValueError, match=r"^An outcome needs goals: found matches that are not played yet\.$"):
        outcome(**goals)
