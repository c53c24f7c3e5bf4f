"""The prepared dataset: matches, their outcome and their features in Parquet, and the part of it a model reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matchclf.data.schema import AWAY, DRAW, HOME, ODDS, TARGET, outcome
from matchclf.errors import DataError
from matchclf.files import read_arrow, readable, to_frame, version

if TYPE_CHECKING:
    import pyarrow as pa

KEY = ["date", "country", "division", "season", "home_team", "away_team"]
MAX_PROBLEMS, MAX_SHOWN = 20, 5
FACTS = [*KEY, "tier", "neutral", "home_goals", "away_goals", *ODDS]
# What this process has read of one version of one file.
_read: dict[tuple[str, int, int, int], pa.Table] = {}


@dataclass(frozen=True)
class Dataset:
    """Played matches sorted by date, row for row: facts about the match, float32 features, outcome as int8."""

    matches: pd.DataFrame
    features: pd.DataFrame
    target: NDArray[np.int8]


def assemble(matches: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
    """One table of facts, outcome and features. Odds are facts to evaluate against; no feature is made of them."""
    check_features(features)
    target = outcome(matches["home_goals"], matches["away_goals"])
    return pd.concat([matches[FACTS], target, features], axis=1)


def load_dataset(source: Path, features: list[str]) -> Dataset:
    """Read the facts, the outcome and the named feature columns of one part, and nothing else.

    Columns that this process has read before are not read again: jobs of a sweep see parts of the same.
    """
    table = to_frame(_columns(source, [*FACTS, TARGET, *features]), source)
    check_features(table[features], f"{source}: ")
    # Of another type a larger number would wrap around: 257 is 1 as int8.
    if table[TARGET].dtype != np.int8 or not table[TARGET].isin((HOME, DRAW, AWAY)).all():
        raise DataError(f"{source}: {TARGET} is not 0, 1 or 2 as int8 in every row.")
    return Dataset(table[FACTS], table[features], table[TARGET].to_numpy())


def check_features(features: pd.DataFrame, place: str = "") -> None:
    """Raise DataError for a feature that is no float32 or that is infinite; NaN is allowed and means unknown."""
    problems = [problem for name, column in features.items() for problem in _problems(str(name), column)]
    if problems:
        more = [f"... and {len(problems) - MAX_PROBLEMS} more."] if len(problems) > MAX_PROBLEMS else []
        raise DataError("\n".join([*(f"{place}{problem}" for problem in problems[:MAX_PROBLEMS]), *more]))


def _columns(source: Path, names: list[str]) -> pa.Table:
    with readable(source):
        found = version(source)
    known = _read.get(found)
    if known is None:
        known = read_arrow(source, names)
    missing = [name for name in names if name not in known.column_names]
    if missing:
        new = read_arrow(source, missing)
        for name in missing:
            known = known.append_column(new.field(name), new[name])
    _read.clear()
    _read[found] = known
    return known.select(names)


def _problems(name: str, column: pd.Series) -> list[str]:
    # Texts of digits are taken for numbers by some models, and a larger float overflows where it is narrowed.
    if column.dtype != np.float32:
        return [f"Feature {name} holds {column.dtype}; expected float32."]
    infinite = np.flatnonzero(np.isinf(column.to_numpy()))
    if not infinite.size:
        return []
    rows = ", ".join(map(str, infinite[:MAX_SHOWN]))
    return [f"Feature {name} has {infinite.size:,} infinite values, first in rows {rows}; expected numbers, or NaN."]
