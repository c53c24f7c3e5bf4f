"""Parts of the matches: by division, by season and by Elo gap, with a verdict on each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from matchclf.evaluate import ELO_GAP
from matchclf.paired import resampled_ratios, week_numbers
from matchclf.verdicts import Verdict, judge_means

K = TypeVar("K")
# A slice of less says nothing, and weeks drawn anew might miss it as a whole.
MIN_MATCHES, MIN_WEEKS = 50, 15
# Points of Elo, home less away; another scale of ratings would want other edges.
EDGES = (-np.inf, -200, -100, 0, 100, 200, np.inf)
GAPS = ("below -200", "-200 to -100", "-100 to 0", "0 to 100", "100 to 200", "above 200")


@dataclass(frozen=True)
class Slicing:
    """A way to divide matches: the slice of each, those large enough to judge in order, and how many are not."""

    name: str
    title: str
    groups: NDArray[np.object_]
    slices: list[str]
    left_out: int


def slicings(matches: pd.DataFrame) -> list[Slicing]:
    """The ways that these matches can be divided."""
    found = [("division", "By division", matches["division"]), ("season", "By season", matches["season"])]
    if ELO_GAP in matches:
        gaps = pd.cut(matches[ELO_GAP], list(EDGES), labels=list(GAPS))
        found.append(("elo_gap", "By Elo gap (points, home less away, home advantage included)", gaps))
    return [_slicing(name, title, groups, matches["date"]) for name, title, groups in found]


def judge_slices(
    differences: Mapping[K, NDArray[np.float64]], slicing: Slicing, dates: pd.Series
) -> dict[K, dict[str, Verdict]]:
    """For each difference a verdict on its mean in each slice, with intervals that are right for all slices together.

    The same weeks are drawn for all.
    """
    week, size = week_numbers(dates), len(slicing.slices)
    slice_of = pd.Index(slicing.slices).get_indexer(pd.Index(slicing.groups))
    inside = slice_of >= 0
    cell, shape = (week * size + slice_of)[inside], (week.max() + 1, size)
    counts = np.bincount(cell, minlength=np.prod(shape)).reshape(shape)
    matches = counts.sum(axis=0)

    def judged(difference: NDArray[np.float64]) -> dict[str, Verdict]:
        sums = np.bincount(cell, difference[inside], minlength=np.prod(shape)).reshape(shape)
        found = judge_means(sums.sum(axis=0) / matches, resampled_ratios(sums, counts), matches.tolist())
        return dict(zip(slicing.slices, found, strict=True))

    return {key: judged(difference) for key, difference in differences.items()}


def _slicing(name: str, title: str, groups: pd.Series, dates: pd.Series) -> Slicing:
    weeks = dates.to_numpy().astype("datetime64[W]")
    label = groups.astype("object").to_numpy()
    known = set(groups.dropna().unique()) - {""}
    order = [one for one in GAPS if one in known] if name == "elo_gap" else sorted(known)
    weeks_of = {one: weeks[label == one] for one in order}
    large = [one for one, w in weeks_of.items() if len(w) >= MIN_MATCHES and len(np.unique(w)) >= MIN_WEEKS]
    return Slicing(name, title, label, large, len(order) - len(large))
