"""The prepared dataset: matches, their outcome and their features in Parquet, and the part of it a model reads."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matchclf.data.schema import AWAY, DRAW, HOME, ODDS, TARGET, outcome
from matchclf.errors import DataError
from matchclf.files import read_parquet

KEY = ["date", "country", "division", "season", "home_team", "away_team"]
MAX_PROBLEMS, MAX_SHOWN = 20, 5
FACTS = [*KEY, "tier", "neutral", "home_goals", "away_goals", *ODDS]


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
    """Read the facts, the outcome and the named feature columns of one part, and nothing else."""
    table = read_parquet(source, [*FACTS, TARGET, *features])
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


def _problems(name: str, column: pd.Series) -> list[str]:
    # Texts of digits are taken for numbers by some models, and a larger float overflows where it is narrowed.
    if column.dtype != np.float32:
        return [f"Feature {name} holds {column.dtype}; expected float32."]
    infinite = np.flatnonzero(np.isinf(column.to_numpy()))
    if not infinite.size:
        return []
    rows = ", ".join(map(str, infinite[:MAX_SHOWN]))
    return [f"Feature {name} has {infinite.size:,} infinite values, first in rows {rows}; expected numbers, or NaN."]
