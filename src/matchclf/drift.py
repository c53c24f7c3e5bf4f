"""Drift: how differently a feature is distributed in two sets of matches."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

BINS = 10
# A share of nothing would be infinitely far from any other.
LEAST_SHARE = 1e-4


def stability_index(before: pd.Series, after: pd.Series) -> float:
    """Population stability index over tenths of ``before``, unknown values a bin of their own (Siddiqi 2006).

    0 for equal shares; below 0.1 is usually taken for stable, above 0.25 for changed.
    """
    cuts = np.unique(np.nanquantile(before, np.linspace(0, 1, BINS + 1)[1:-1])) if before.notna().any() else np.empty(0)
    expected, found = _shares(before, cuts), _shares(after, cuts)
    return float(((found - expected) * np.log(found / expected)).sum())


def _shares(values: pd.Series, cuts: NDArray[np.float64]) -> NDArray[np.float64]:
    array = values.to_numpy(np.float64)
    bins = np.where(np.isnan(array), len(cuts) + 1, np.searchsorted(cuts, array, side="right"))
    return np.maximum(np.bincount(bins, minlength=len(cuts) + 2) / max(len(array), 1), LEAST_SHARE)
