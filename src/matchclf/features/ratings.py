"""Families of ratings: what each is made of, and the columns of all of them from one walk over the days."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from matchclf.features.facts import Floats
from matchclf.features.history import Columns, sided, table
from matchclf.features.strengths import Forecast, Pace, forecast


@dataclass(frozen=True)
class Plan:
    """What a family of ratings is made of.

    ``counts`` of both sides, shape (2, n), and what is ``typical``, as in ``forecast``, by the statistic's name. The
    columns are those of ``rating_columns`` for each statistic, and ``more``.
    """

    counts: dict[str, Floats]
    typical: dict[str, float]
    pace: Pace
    more: Callable[[Forecast], Columns] = lambda _: {}

    def table(self, found: Forecast, index: pd.Index) -> pd.DataFrame:
        """The columns, from the forecast of its own statistics."""
        of_each = [rating_columns(name, found, number) for number, name in enumerate(self.counts)]
        return table({name: values for own in [*of_each, self.more(found)] for name, values in own.items()}, index)


Planner = Callable[..., Plan]
_planners: dict[Callable[..., pd.DataFrame], Planner] = {}


def rated(planner: Planner) -> Callable[..., pd.DataFrame]:
    """Make a family out of a function that gives its plan: plans of several families can be carried out at once."""

    @wraps(planner)
    def family(matches: pd.DataFrame, **settings: Any) -> pd.DataFrame:
        return carry_out(matches, [planner(matches, **settings)])[0]

    _planners[family] = planner
    return family


def planner_of(family: Callable[..., pd.DataFrame]) -> Planner | None:
    """The function that gives the plan of a family; None for a family that is not made of ratings."""
    return _planners.get(family)


def carry_out(matches: pd.DataFrame, plans: Sequence[Plan]) -> list[pd.DataFrame]:
    """The table of each plan, from one walk over the days: for four counts a day takes little longer than for one."""
    if not plans:
        return []
    each = [(plan, name) for plan in plans for name in plan.counts]
    counts = np.empty((2, len(matches), len(each)))
    for number, (plan, name) in enumerate(each):
        counts[:, :, number] = plan.counts[name]
    found = forecast(matches, counts, [plan.typical[name] for plan, name in each], [plan.pace for plan, _ in each])
    cuts = np.cumsum([0, *(len(plan.counts) for plan in plans)]).tolist()
    own = [found.of(slice(first, stop)) for first, stop in pairwise(cuts)]
    return [plan.table(one, matches.index) for plan, one in zip(plans, own, strict=True)]


def rating_columns(name: str, found: Forecast, number: int) -> Columns:
    """Columns of one statistic, all of them named ``<name>_...``, in logs; shape (n,).

    ``expected_home``, ``_away``, ``_diff`` are the expected counts; ``attack_...`` and ``defence_...`` what a team
    adds to its own and takes from the other's; ``variance_home``, ``_away`` how uncertain the expected counts are.
    """
    terms = {"expected": found.log_count, "attack": found.attack, "defence": found.defence}
    columns: Columns = {}
    for term, values in terms.items():
        columns |= sided(f"{name}_{term}", values[:, :, number])
    both = {f"{name}_variance_{side}": found.variance[i, :, number] for i, side in enumerate(("home", "away"))}
    return columns | {key: values.astype(np.float32) for key, values in both.items()}
