"""Walk-forward folds: train on everything before a calendar year, validate on that year."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from matchclf.errors import DataError

# Fewer rows than this are not enough to see all three outcomes, whatever the fraction.
MIN_TRAIN_ROWS = 100
CLASSES = np.array([0, 1, 2], dtype=np.int8)


@dataclass(frozen=True)
class Fold:
    """Positions of one fold in the development matches, which are sorted by date."""

    year: int
    train: slice
    valid: slice


def walk_forward(dates: pd.Series, years: list[int], frac: float = 1.0) -> list[Fold]:
    """One fold a validation year, with an expanding training part that ends before the year begins.

    ``dates`` must be sorted. ``frac`` keeps the latest rows of each training part, never fewer validation rows.
    Raises DataError when a fold has no row to train or to validate on.
    """
    if not dates.is_monotonic_increasing:
        raise DataError("Folds need matches sorted by date; found a match that is earlier than the one before it.")
    return [_fold(dates, year, frac) for year in years]


def _fold(dates: pd.Series, year: int, frac: float) -> Fold:
    begin, end = (int(dates.searchsorted(pd.Timestamp(y, 1, 1))) for y in (year, year + 1))
    if begin in (0, end):
        raise DataError(
            f"Fold {year} has {begin:,} matches to train on and {end - begin:,} to validate on; the development "
            f"matches are from {dates.min():%Y-%m-%d} to {dates.max():%Y-%m-%d}. Choose other temporal.cv_years."
        )
    return Fold(year, latest(begin, frac), slice(begin, end))


def latest(rows: int, frac: float) -> slice:
    """The latest ``frac`` of the first ``rows`` rows, at least ``MIN_TRAIN_ROWS`` where there are as many.

    >>> latest(5000, 0.1)
    slice(4500, 5000, None)
    """
    kept = max(math.ceil(frac * rows), min(MIN_TRAIN_ROWS, rows))
    return slice(rows - kept, rows)


def check_classes(target: np.ndarray, part: str) -> None:
    """Raise DataError unless all three outcomes are among the labels of a training part."""
    missing = np.setdiff1d(CLASSES, target)
    if missing.size:
        raise DataError(
            f"{part} has {target.size:,} training matches without outcome {', '.join(map(str, missing))} "
            "(0 home win, 1 draw, 2 away win); expected all three. Use a larger frac or more matches."
        )


def describe(dates: pd.Series, folds: list[Fold]) -> pd.DataFrame:
    """One row a fold: year, first and last day and number of rows of its training and validation part."""
    return pd.DataFrame(
        [
            {"year": fold.year, **_extent(dates, "train", fold.train), **_extent(dates, "valid", fold.valid)}
            for fold in folds
        ]
    )


def _extent(dates: pd.Series, part: str, rows: slice) -> dict[str, object]:
    days = dates.iloc[rows]
    return {f"{part}_start": days.iloc[0], f"{part}_end": days.iloc[-1], f"{part}_rows": len(days)}
