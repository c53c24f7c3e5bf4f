"""Two forecasts of the same matches, compared match by match."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matchclf.metrics import Labels, Proba, match_losses

RESAMPLES = 2000


@dataclass(frozen=True)
class Difference:
    """Mean of ours less theirs over ``matches``, with a 95 % interval; below 0 where ours is the better loss."""

    mean: float
    low: float
    high: float
    matches: int

    def __str__(self) -> str:
        return f"{self.mean:+.4f} (95 % interval {self.low:+.4f} to {self.high:+.4f}, {self.matches:,} matches)"


def loss_difference(loss: str, dates: pd.Series, target: Labels, ours: Proba, theirs: Proba) -> Difference:
    """Mean difference of ``logloss`` or ``brier`` of two forecasts, both of shape (n_matches, 3)."""
    return paired_difference(match_losses(target, ours)[loss], match_losses(target, theirs)[loss], dates)


def paired_difference(
    ours: NDArray[np.float64], theirs: NDArray[np.float64], dates: pd.Series, seed: int = 1
) -> Difference:
    """Mean difference of two losses, match by match, with an interval by a bootstrap over weeks.

    Whole weeks are drawn, because matches of one week share their surprises (block bootstrap: Kuensch 1989). All three
    have shape (n_matches,).
    """
    difference = ours - theirs
    low, high = np.quantile(resampled_means(difference[:, None], dates, seed)[:, 0], [0.025, 0.975])
    return Difference(float(difference.mean()), float(low), float(high), len(difference))


def resampled_means(differences: NDArray[np.float64], dates: pd.Series, seed: int = 1) -> NDArray[np.float64]:
    """Means of each column over weeks drawn anew; shape (n_matches, n_columns) gives (RESAMPLES, n_columns)."""
    number = week_numbers(dates)
    sums = np.column_stack([np.bincount(number, weights=column).astype(np.float64) for column in differences.T])
    return resampled_ratios(sums, np.bincount(number)[:, None], seed)


def week_numbers(dates: pd.Series) -> NDArray[np.intp]:
    """Number of each match's week among the weeks with matches."""
    return np.unique(dates.to_numpy().astype("datetime64[W]"), return_inverse=True)[1]


def resampled_ratios(sums: NDArray[np.float64], counts: NDArray[Any], seed: int = 1) -> NDArray[np.float64]:
    """Sum over count of each column over weeks drawn anew; shape (n_weeks, n_columns) gives (RESAMPLES, n_columns)."""
    drawn = _drawn(len(sums), seed)
    return np.asarray((drawn @ sums) / (drawn @ counts))


@lru_cache(maxsize=4)
def _drawn(weeks: int, seed: int) -> NDArray[np.float64]:
    """How often each week is drawn in each of the samples."""
    drawn = np.random.default_rng(seed).multinomial(weeks, np.full(weeks, 1 / weeks), RESAMPLES)
    return drawn.astype(np.float64)
