"""The walk of ratings over the days: what is done at once, and in which order."""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pandas as pd

from matchclf.features.facts import Ints, codes, days, once


@once
def rounds(matches: pd.DataFrame) -> Ints:
    """Number of each match's day among the days of its country.

    Teams of two countries never meet, so that ratings may move country by country: the n-th days of all of them at
    once are half as many steps as days.
    """
    country, day = codes(matches, "country"), days(matches)
    day = day - day.min(initial=0)
    span = day.max(initial=0) + 1
    known, found = np.unique(country * span + day, return_inverse=True)
    first = np.searchsorted(known, np.arange(country.max(initial=-1) + 1) * span)
    number: Ints = found - first[country]
    return number


def slices(number: Ints) -> Iterator[slice]:
    """Runs of equal numbers."""
    cuts = (np.flatnonzero(np.diff(number)) + 1).tolist()
    return (slice(first, stop) for first, stop in pairwise([0, *cuts, number.size]))
