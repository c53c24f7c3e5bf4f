"""Several forecasts against one, match by match: intervals that hold for all of them together, and plain verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matchclf.paired import resampled_means

LEVEL = 0.95
# Standard deviations beyond the interval's half-width at which an effect is found in 80 of 100 data sets.
POWER_80 = 0.8416


@dataclass(frozen=True)
class Verdict:
    """Mean of a loss less the reference's, with an interval that is right for all compared at once in 95 of 100 cases.

    ``smallest``: the smallest effect that these data would have shown in 80 of 100 cases. Below 0 is better than the
    reference.
    """

    mean: float
    low: float
    high: float
    smallest: float
    matches: int

    @property
    def told(self) -> str:
        """The verdict in words."""
        if self.low > 0:
            return "worse"
        if self.high < 0:
            return "better"
        largest = max(abs(self.low), abs(self.high))
        return f"no difference larger than {largest:.{6 if 0 < largest < 0.0001 else 4}f}"


def judge(differences: Mapping[str, NDArray[np.float64]], dates: pd.Series, seed: int = 1) -> dict[str, Verdict]:
    """A verdict for each difference of losses, all of shape (n_matches,) in the order of ``dates``.

    Whole weeks are drawn (block bootstrap: Kuensch 1989), the same for all differences; the half-width of the
    intervals is the quantile of the largest of their deviations, each in units of its own spread (Romano, Wolf 2005).
    """
    columns = np.column_stack(list(differences.values()))
    resampled = resampled_means(columns, dates, seed)
    found = judge_means(columns.mean(axis=0), resampled, [len(dates)] * len(differences))
    return dict(zip(differences, found, strict=True))


def judge_means(means: NDArray[np.float64], resampled: NDArray[np.float64], matches: Sequence[int]) -> list[Verdict]:
    """The same for ``means`` of shape (n,) whose resampled values, shape (resamples, n), are known already."""
    spread = resampled.std(axis=0, ddof=1)
    deviation = np.divide(abs(resampled - means), spread, out=np.zeros_like(resampled), where=spread > 0)
    half_width = float(np.quantile(deviation.max(axis=1), LEVEL))
    return [
        Verdict(
            float(mean),
            float(mean - half_width * one),
            float(mean + half_width * one),
            float((half_width + POWER_80) * one),
            rows,
        )
        for mean, one, rows in zip(means, spread, matches, strict=True)
    ]
