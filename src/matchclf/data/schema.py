"""The one table that every reader returns and every other part expects, written down once.

A row is a match, played or still to come. Rows are sorted by ``ORDER``, the index is 0..n-1.
"""

from dataclasses import dataclass
from typing import Any

import pandas as pd

TARGET = "outcome_1x2"
HOME, DRAW, AWAY = 0, 1, 2
OUTCOMES = ("home", "draw", "away")
ODDS = ("odds_home", "odds_draw", "odds_away")
ORDER = ["date", "country", "division", "home_team", "away_team"]
STATISTICS = ("shots", "shots_on_target", "corners", "fouls", "yellow_cards", "red_cards", "half_time_goals")


@dataclass(frozen=True)
class Column:
    """One column of the matches table."""

    name: str
    dtype: Any
    required: bool
    meaning: str


def _statistics() -> tuple[Column, ...]:
    return tuple(
        Column(f"{side}_{name}", "float32", False, f"{name.replace('_', ' ')} of the {side} team; NaN unknown")
        for name in STATISTICS
        for side in ("home", "away")
    )


COLUMNS: tuple[Column, ...] = (
    Column("date", "datetime64[s]", True, "day of the match, no time of day"),
    Column("country", "str", True, "a team is identified by country and name"),
    Column("division", "str", True, "competition, for instance E0"),
    Column("tier", "int8", True, "level of the division in its country, 1 the highest"),
    Column("season", "str", True, "for instance 2023/24 or 2023; empty where there are no seasons"),
    Column("home_team", "str", True, "name, unique within the country"),
    Column("away_team", "str", True, "name, unique within the country"),
    Column("neutral", "bool", True, "played where neither team is at home"),
    Column("home_goals", "float32", True, "goals after full time, whole numbers; NaN not played yet"),
    Column("away_goals", "float32", True, "goals after full time, whole numbers; NaN not played yet"),
    *_statistics(),
    Column("odds_home", "float32", False, "decimal price of a home win: for evaluation, never a feature"),
    Column("odds_draw", "float32", False, "decimal price of a draw"),
    Column("odds_away", "float32", False, "decimal price of an away win"),
    Column("odds_source", "str", False, "which price was taken, for instance PSC; empty without odds"),
)
NAMES = [column.name for column in COLUMNS]


def outcome(home_goals: pd.Series, away_goals: pd.Series) -> pd.Series:
    """Outcome of played matches: 0 home win, 1 draw, 2 away win, as int8.

    >>> outcome(pd.Series([2.0, 1.0, 0.0]), pd.Series([0.0, 1.0, 3.0])).tolist()
    [0, 1, 2]
    """
    if home_goals.isna().any() or away_goals.isna().any():
        raise ValueError("An outcome needs goals: found matches that are not played yet.")
    sign = (away_goals > home_goals).astype("int8") - (home_goals > away_goals).astype("int8")
    return (sign + 1).astype("int8").rename(TARGET)


def conform(table: pd.DataFrame) -> pd.DataFrame:
    """All columns of the schema in their order and type, missing optional ones empty, rows sorted by ``ORDER``."""
    columns = {column.name: _typed(table, column) for column in COLUMNS}
    return pd.DataFrame(columns).sort_values(ORDER, kind="stable", ignore_index=True)


def _typed(table: pd.DataFrame, column: Column) -> pd.Series:
    if column.name not in table:
        if column.required:
            raise KeyError(f"The matches have no column {column.name}; it is required.")
        empty = "" if column.dtype == "str" else float("nan")
        return pd.Series(empty, index=table.index, dtype=column.dtype)
    return table[column.name].astype(column.dtype)
