"""Attack and defence of every team from what both sides of a match count: goals, shots, or a bookmaker's opinion.

The log of the count that a team can expect is its attack, less the other's defence, plus the mean of the division,
plus the edge of the home side (Maher, 1982; Dixon and Coles, 1997). How these four terms follow the counts: ``kalman``.
"""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from matchclf.features.facts import Floats, Ints, codes, days, played, teams
from matchclf.features.history import inverse
from matchclf.features.kalman import Matches, Rules, before, learn, nothing_seen
from matchclf.features.walk import rounds, slices

# Home edge of a division before its first match; variances of its mean and its edge, at first and those gained a day.
_HOME_EDGE = 0.3
_DIVISION_VARIANCE = (0.05, 0.02)
_DIVISION_DRIFT = (1e-5, 1e-6)


@dataclass(frozen=True)
class Pace:
    """How fast ratings follow counts; variances are those of the log of an expected count.

    ``noise`` is the variance of a count over that of a Poisson count; ``drift`` the variance gained a day,
    ``season_drift`` that of the summer; ``start_variance`` that of a new team; ``season_regression`` the share of the
    way to the mean of its last division that a team goes in summer; ``tier_gap`` how much lower each lower tier
    starts, ``newcomer_gap`` how far below the mean of its division a new team starts.
    """

    noise: float
    drift: float
    season_drift: float
    start_variance: float
    season_regression: float
    tier_gap: float
    newcomer_gap: float


@dataclass(frozen=True)
class Forecast:
    """What was known of each match before its day, for s statistics; NaN where the division was never counted.

    ``log_count`` and its ``variance``, and ``attack`` and ``defence`` of the side's own team; shape (2, n, s).
    """

    log_count: Floats
    variance: Floats
    attack: Floats
    defence: Floats

    def of(self, statistics: slice) -> "Forecast":
        """The same of some of the statistics."""
        parts = (self.log_count, self.variance, self.attack, self.defence)
        return Forecast(*(part[:, :, statistics] for part in parts))


def forecast(matches: pd.DataFrame, counts: Floats, typical: Sequence[float], paces: Sequence[Pace]) -> Forecast:
    """Expected counts of both sides of each match, from matches of earlier days.

    Parameters
    ----------
    matches : pd.DataFrame
        The matches table, rows in any order; not changed.
    counts : np.ndarray
        Counts of the home and of the away team, shape (2, n, s), 0 or more; NaN moves nothing.
    typical : sequence of float
        What a team counts in a match, for each statistic: where a division starts.
    paces : sequence of Pace
        How fast ratings follow, for each statistic.
    """
    order, sorted_matches = _sorted(matches, counts)
    rules = _rules(typical, paces)
    seen = nothing_seen(sorted_matches)
    found = [np.empty(sorted_matches.count.shape) for _ in range(4)]
    known = np.empty(sorted_matches.count.shape, bool)
    for rows in slices(sorted_matches.round):
        expected = before(seen, sorted_matches, rows, rules)
        parts = expected.log_count, expected.log_variance, expected.mean[0], expected.mean[1, ..., ::-1]
        for one, part in zip(found, parts, strict=True):
            one[:, rows] = part
        known[:, rows] = expected.known
        learn(seen, sorted_matches, rows, expected, rules)
    for one in found:
        one[~known] = np.nan
    back = inverse(order)
    return Forecast(*(found.pop(0).take(back, axis=1).transpose(2, 1, 0) for _ in range(4)))


def _rules(typical: Sequence[float], paces: Sequence[Pace]) -> Rules:
    of_each = np.reshape([astuple(pace) for pace in paces], (len(paces), len(fields(Pace)))).T[..., None, None]
    noise, drift, season_drift, start_variance, season_regression, tier_gap, newcomer_gap = of_each
    return Rules(
        noise=noise,
        start=_of_terms(0, 0, np.log(typical)[:, None, None], _HOME_EDGE),
        tier_step=_of_terms(tier_gap, tier_gap, 0, 0),
        newcomer_gap=newcomer_gap,
        season_regression=season_regression,
        start_variance=_of_terms(start_variance, start_variance, *_DIVISION_VARIANCE),
        drift=_of_terms(drift, drift, *_DIVISION_DRIFT),
        season_drift=_of_terms(season_drift, season_drift, 0, 0),
    )


def _of_terms(*values: Floats | float) -> Floats:
    return np.stack(np.broadcast_arrays(*values))


def _sorted(matches: pd.DataFrame, counts: Floats) -> tuple[Ints, Matches]:
    """Sort the matches by round, season and division; give the order, too, as positions in ``matches``."""
    number, season = rounds(matches), codes(matches, "season")
    division = codes(matches, "country", "division")
    order = np.lexsort((division, season, number))
    place = _of_both(division[order])
    known = np.where(played(matches)[:, None], counts, np.nan)[:, order].transpose(2, 1, 0)
    term, kind = _terms(teams(matches).T[order], place, len(known))
    sign = np.ones((4, 1, len(matches), 2))
    sign[1] = -1
    sign[3, 0] = np.stack([~matches["neutral"].to_numpy(bool)[order], np.zeros(len(matches))], axis=1)
    return order, Matches(
        round=number[order],
        day=_of_both(days(matches)[order]),
        season=_of_both(season[order]),
        division=place,
        tier=_of_both(matches["tier"].to_numpy(np.float64)[order]),
        term=term,
        kind=kind,
        sign=sign,
        count=known,
        divisions=int(division.max(initial=-1)) + 1,
    )


def _terms(team: Ints, division: Ints, size: int) -> tuple[Ints, Ints]:
    """Numbers of the four terms of each side's first count, shape (4, n, 2), and the kind of each term among all."""
    sizes = [int(of_each.max(initial=-1)) + 1 for of_each in (team, team, division, division)]
    first = np.cumsum([0, *sizes[:-1]])[:, None, None]
    own, against = team, team[:, ::-1]
    kind = np.repeat(np.arange(4), sizes)[:, None] * size + np.arange(size)
    return (first + np.stack([own, against, division, division])) * size, kind.ravel()


def _of_both(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return np.stack([values, values], axis=1)
