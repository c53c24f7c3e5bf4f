"""Attack and defence of every team from what both sides of a match count: goals, shots, or a bookmaker's opinion.

The log of the count that a team can expect is its attack, less the other's defence, plus the mean of the division,
plus the edge of the home side (Maher, 1982; Dixon and Coles, 1997). How these four terms follow the counts: ``kalman``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from matchclf.features.history import Columns, Floats, Ints, codes, days, played, rounds, sided, slices, teams
from matchclf.features.kalman import Matches, Rules, before, learn, nothing_seen

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


def forecast(matches: pd.DataFrame, counts: Floats, typical: Sequence[float], pace: Pace) -> Forecast:
    """Expected counts of both sides of each match, from matches of earlier days.

    Parameters
    ----------
    matches : pd.DataFrame
        The matches table, rows in any order; not changed.
    counts : np.ndarray
        Counts of the home and of the away team, shape (2, n, s), 0 or more; NaN moves nothing.
    typical : sequence of float
        What a team counts in a match, for each statistic: where a division starts.
    pace : Pace
        How fast ratings follow.
    """
    order, sorted_matches = _sorted(matches, counts)
    rules = _rules(typical, pace)
    seen = nothing_seen(sorted_matches)
    found = np.empty((4, *sorted_matches.count.shape))
    for rows in slices(sorted_matches.round):
        expected = before(seen, sorted_matches, rows, rules)
        attack, defence = expected.mean[:, :, 0], expected.mean[:, ::-1, 1]
        found_now = np.stack([expected.log_count, expected.spread.sum(axis=2), attack, defence])
        found[:, rows] = np.where(expected.known, found_now, np.nan)
        learn(seen, sorted_matches, rows, expected, rules)
    back = np.argsort(order)
    return Forecast(*found[:, back].swapaxes(1, 2))


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


def _rules(typical: Sequence[float], pace: Pace) -> Rules:
    nothing, edge = np.zeros(len(typical)), np.full(len(typical), _HOME_EDGE)
    return Rules(
        noise=pace.noise,
        start=np.stack([nothing, nothing, np.log(typical), edge]),
        tier_step=np.array([pace.tier_gap, pace.tier_gap, 0, 0])[:, None],
        newcomer_gap=pace.newcomer_gap,
        season_regression=pace.season_regression,
        start_variance=np.array([pace.start_variance, pace.start_variance, *_DIVISION_VARIANCE])[:, None],
        drift=np.array([pace.drift, pace.drift, *_DIVISION_DRIFT])[:, None],
        season_drift=np.array([pace.season_drift, pace.season_drift, 0, 0])[:, None],
    )


def _sorted(matches: pd.DataFrame, counts: Floats) -> tuple[Ints, Matches]:
    """Sort the matches by round, season and division; give the order, too, as positions in ``matches``."""
    number, team = rounds(matches), teams(matches).T
    season, division = codes(matches, ["season"]), codes(matches, ["country", "division"])
    order = np.lexsort((division, season, number))
    known = np.where(played(matches)[:, None], counts, np.nan).swapaxes(0, 1)
    home_edge = ~matches["neutral"].to_numpy(bool)
    signs = [np.tile([1.0, -1.0, 1.0, edge], (len(matches), 1)) for edge in (1.0, 0.0)]
    signs[0][:, 3] = home_edge
    first = int(team.max(initial=-1)) + 1
    of_divisions = 2 * first + np.stack([division, division + int(division.max(initial=-1)) + 1], axis=1)
    of_teams = np.stack([team, first + team[:, ::-1]], axis=2)
    term = np.concatenate([of_teams, np.repeat(of_divisions[:, None], 2, axis=1)], axis=2)
    place = np.repeat((4 * division[:, None] + np.arange(4))[:, None], 2, axis=1)
    a_row = (len(matches), 1, 1, 1)
    return order, Matches(
        round=number[order],
        day=days(matches)[order].reshape(a_row),
        season=season[order].reshape(a_row),
        tier=matches["tier"].to_numpy(np.float64)[order].reshape(a_row),
        term=term[order, :, :, None],
        place=place[order, :, :, None],
        places=int(place.max(initial=-1)) + 1,
        sign=np.stack(signs, axis=1)[order, :, :, None],
        count=known[order],
    )
