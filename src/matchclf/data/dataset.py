"""The prepared dataset: matches, their outcome and their features in Parquet, and the part of it a model reads."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matchclf.data.schema import ODDS, TARGET, outcome
from matchclf.errors import DataError
from matchclf.files import read_parquet

KEY = ["date", "country", "division", "season", "home_team", "away_team"]
FACTS = [*KEY, "tier", "neutral", "home_goals", "away_goals", *ODDS]


@dataclass(frozen=True)
class Dataset:
    """Played matches sorted by date, row for row: facts about the match, float32 features, outcome as int8."""

    matches: pd.DataFrame
    features: pd.DataFrame
    target: NDArray[np.int8]


def assemble(matches: pd.DataFrame, features: pd.DataFrame) -> pd.DataFrame:
    """One table of facts, outcome and features. Odds are facts to evaluate against; no feature is made of them."""
    check_finite(features)
    target = outcome(matches["home_goals"], matches["away_goals"])
    return pd.concat([matches[FACTS], target, features], axis=1)


def load_dataset(source: Path, features: list[str]) -> Dataset:
    """Read the facts, the outcome and the named feature columns of one part, and nothing else."""
    table = read_parquet(source, [*FACTS, TARGET, *features])
    check_finite(table[features])
    return Dataset(table[FACTS], table[features], table[TARGET].to_numpy(np.int8))


def check_finite(features: pd.DataFrame) -> None:
    """Raise DataError for an infinite value; NaN is allowed and means unknown."""
    for name, column in features.items():
        infinite = np.isinf(column.to_numpy())
        if infinite.any():
            raise DataError(
                f"Feature {name} has {int(infinite.sum()):,} infinite values, the first in row "
                f"{int(infinite.argmax())}; expected numbers, or NaN where unknown."
            )
