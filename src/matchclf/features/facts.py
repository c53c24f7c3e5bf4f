"""Facts of the matches that several families ask for, as arrays, found once for all of them.

Arrays of shape (2, n) hold the home teams' view of n matches, then the away teams'.
"""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
T = TypeVar("T")
_SIDES = ("home", "away")
# The matches that are shared at this moment, and what was found about them.
_shared: ContextVar[tuple[pd.DataFrame, dict[Hashable, Any]] | None] = ContextVar("shared", default=None)


@contextmanager
def sharing(matches: pd.DataFrame) -> Iterator[None]:
    """Within it a fact of these very matches, which nobody may change, is found when it is first asked for."""
    before = _shared.set((matches, {}))
    try:
        yield
    finally:
        _shared.reset(before)


def once(find: Callable[..., T]) -> Callable[..., T]:
    """Share what this function finds about matches; arrays become read-only, as they are everybody's."""

    @wraps(find)
    def found(matches: pd.DataFrame, *asked: Hashable) -> T:
        shared, known = _shared.get() or (None, {})
        if shared is not matches:
            return find(matches, *asked)
        if (find, asked) not in known:
            known[find, asked] = fact = find(matches, *asked)
            if isinstance(fact, np.ndarray):
                fact.flags.writeable = False
        return known[find, asked]  # type: ignore[no-any-return]

    return found


@once
def days(matches: pd.DataFrame) -> Ints:
    """Day number of each match, shape (n,)."""
    return matches["date"].to_numpy().astype("datetime64[D]").astype(np.int64)


@once
def teams(matches: pd.DataFrame) -> Ints:
    """Team codes from 0, shape (2, n); a team is identified by country and name."""
    names, distinct = pd.factorize(pd.concat([matches["home_team"], matches["away_team"]], ignore_index=True))
    country = np.tile(pd.factorize(matches["country"])[0], 2)
    codes, _ = pd.factorize(country * len(distinct) + names)
    return codes.reshape(2, -1)


@once
def codes(matches: pd.DataFrame, *columns: str) -> Ints:
    """Codes of the values in some columns that rise with them, so that rows of later days change no order."""
    return np.asarray(matches.groupby(list(columns)).ngroup(), dtype=np.int64)


def views(matches: pd.DataFrame, name: str) -> Floats:
    """The columns ``home_<name>`` and ``away_<name>``, shape (2, n)."""
    return np.stack([matches[f"{side}_{name}"].to_numpy(np.float64) for side in _SIDES])


@once
def played(matches: pd.DataFrame) -> Bools:
    """Which matches have a result, shape (n,)."""
    home, away = views(matches, "goals")
    known: Bools = ~(np.isnan(home) | np.isnan(away))
    return known


def known_somewhere(matches: pd.DataFrame, counts: dict[str, Floats]) -> dict[str, Floats]:
    """Those of the counts, shape (2, n), that any played match has."""
    has_result = played(matches)
    return {name: values for name, values in counts.items() if not np.isnan(values[:, has_result]).all()}


def points(goal_diff: Floats) -> Floats:
    """Points of a match: 3 for a win, 1 for a draw."""
    return np.where(goal_diff > 0, 3.0, np.where(goal_diff == 0, 1.0, 0.0))
