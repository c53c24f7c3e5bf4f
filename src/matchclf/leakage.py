"""Probes for leaks: whether a feature knows what happened on its own day, or later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from matchclf.data.schema import COLUMNS

# What is known before a match; everything else is known only after it, or is a price of the match itself.
FACTS = ("date", "country", "division", "tier", "season", "home_team", "away_team", "neutral")
AFTERWARDS = [column.name for column in COLUMNS if column.name not in FACTS]
NUMBERS = [column.name for column in COLUMNS if column.name in AFTERWARDS and column.dtype != "str"]
GROUP = ["date", "country", "division"]

Build = Callable[[pd.DataFrame], pd.DataFrame]


@dataclass(frozen=True)
class Leak:
    """A feature column that changed although nothing changed that was known before its day."""

    probe: str
    day: pd.Timestamp
    column: str
    matches: int


def scrambled_future(matches: pd.DataFrame, day: pd.Timestamp, seed: int) -> pd.DataFrame:
    """The matches with everything that became known on ``day`` or later dealt out anew among those matches."""
    later = np.flatnonzero((matches["date"] >= day).to_numpy())
    dealt = matches[AFTERWARDS].iloc[np.random.default_rng(seed).permutation(later)]
    return _with(matches, later, dealt)


def as_of(matches: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    """What was known on the morning of ``day``: the matches before it, and those of the day without a result."""
    known = matches[matches["date"] <= day].copy()
    known.loc[known["date"] == day, NUMBERS] = np.nan
    return known


def shuffled_results(matches: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Each result given to another match of its day and division; a match that is alone there keeps its own."""
    rng = np.random.default_rng(seed)
    rows = [np.asarray(group) for group in matches.reset_index(drop=True).groupby(GROUP).indices.values()]
    given = [np.roll(group, rng.integers(1, len(group))) for group in rows if len(group) > 1]
    taken = [group for group in rows if len(group) > 1]
    return _with(matches, np.concatenate(taken), matches[AFTERWARDS].iloc[np.concatenate(given)]) if taken else matches


def future_leaks(matches: pd.DataFrame, build: Build, features: pd.DataFrame, days: list[pd.Timestamp]) -> list[Leak]:
    """Columns in which a match of one of these days, or before it, depends on results from that day on."""
    return [
        leak
        for number, day in enumerate(days)
        for leak in _differing(
            "future", day, matches["date"] <= day, build(scrambled_future(matches, day, number)), features
        )
    ]


def history_leaks(matches: pd.DataFrame, build: Build, features: pd.DataFrame, days: list[pd.Timestamp]) -> list[Leak]:
    """Columns in which a match of one of these days is another when only what was known that morning is there."""
    return [
        leak
        for day in days
        for leak in _differing("as of the day", day, matches["date"] == day, build(as_of(matches, day)), features)
    ]


def _differing(
    probe: str, day: pd.Timestamp, rows: pd.Series, again: pd.DataFrame, features: pd.DataFrame
) -> list[Leak]:
    index = features.index[rows]
    then, now = features.loc[index], again.reindex(columns=features.columns).loc[index]
    differs = ~((then == now) | (then.isna() & now.isna()))
    return [Leak(probe, day, str(column), int(count)) for column, count in differs.sum().items() if count]


def _with(matches: pd.DataFrame, rows: np.ndarray, values: pd.DataFrame) -> pd.DataFrame:
    changed = {}
    for name in AFTERWARDS:
        column = matches[name].to_numpy(copy=True)
        column[rows] = values[name].to_numpy()
        changed[name] = pd.Series(column, index=matches.index, dtype=matches[name].dtype)
    return matches.assign(**changed)
