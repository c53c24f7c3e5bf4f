"""Form: means over a team's last matches."""

from collections.abc import Callable
from typing import Annotated

import numpy as np
import pandas as pd

from matchclf.features.facts import Floats, days, known_somewhere, played, points, teams, views
from matchclf.features.history import Columns, History, sided, table, team_history
from matchclf.features.parameters import Counts, some_of

_NOBODY = -1
_NOT_EVERYWHERE = ("shots", "shots_on_target")


def _venue_history(matches: pd.DataFrame) -> History:
    neutral = matches["neutral"].to_numpy(bool)
    subject = np.where(neutral, _NOBODY, 2 * teams(matches) + np.array([[0], [1]]))
    return History.of(subject, days(matches), played(matches) & ~neutral)


SCOPES: dict[str, Callable[[pd.DataFrame], History]] = {"all": team_history, "venue": _venue_history}


def form(matches: pd.DataFrame, *, windows: Counts, scopes: Annotated[list[str], some_of(*SCOPES)]) -> pd.DataFrame:
    """Mean of each statistic over each team's last matches before the day of the match.

    With fewer matches than the window, those there are; unknown values are left out; NaN where none is known.

    Parameters
    ----------
    matches : pd.DataFrame
        The matches table, rows in any order; not changed.
    windows : list of int
        Numbers of matches looked back.
    scopes : list of str
        ``all``: all matches of a team. ``venue``: home matches of the home team, away matches of the away
        team; a match at a neutral venue neither counts nor gets a value.

    Returns
    -------
    pd.DataFrame
        ``<statistic>_mean_<window>_<home|away|diff>``, for the venue ``..._<window>_venue_...``; float32, one
        row a match. Statistics: win, draw and loss (shares), points, goals for and against and, where
        any match has them, shots and shots on target for and against.
    """
    statistics = _statistics(matches)
    columns: Columns = {}
    for scope in scopes:
        past = SCOPES[scope](matches)
        ending = "" if scope == "all" else f"_{scope}"
        entries = [past.last(window) for window in windows]
        by_window: list[Columns] = [{} for _ in windows]
        for name, values in statistics.items():
            for own, window, means in zip(by_window, windows, past.means(values, entries), strict=True):
                own |= sided(f"{name}_mean_{window}{ending}", means)
        for own in by_window:
            columns |= own
    return table(columns, matches.index)


def _statistics(matches: pd.DataFrame) -> dict[str, Floats]:
    """Statistics of each match in the view of either team, shape (2, n)."""
    goals = views(matches, "goals")
    diff = goals - goals[::-1]
    statistics = {
        "win": (diff > 0).astype(np.float64),
        "draw": (diff == 0).astype(np.float64),
        "loss": (diff < 0).astype(np.float64),
        "points": points(diff),
        **_for_and_against("goals", goals),
    }
    for name, values in known_somewhere(matches, {name: views(matches, name) for name in _NOT_EVERYWHERE}).items():
        statistics |= _for_and_against(name, values)
    return statistics


def _for_and_against(name: str, values: Floats) -> dict[str, Floats]:
    return {f"{name}_for": values, f"{name}_against": values[::-1]}
