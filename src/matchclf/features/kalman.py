"""Four terms of the log of an expected count, each a normal variable that a match moves by its surprise.

The variance of a term grows with time, and a count moves the uncertain terms more than the certain ones: one step of
the extended Kalman filter for counts (Fahrmeir, 1992), without covariances, as in Glicko (Glickman, 1999).

Arrays of shape (4, s, n, 2) hold, for s statistics, the four terms of the home and of the away team's count: own
attack, the other's defence, mean of the division, home edge. The matches come so late because numpy runs along them.
"""

from dataclasses import dataclass

import numpy as np

from matchclf.features.facts import Bools, Floats, Ints
from matchclf.features.history import exact, ratio

_NEVER = -1
_DIVISION = 2
# Days after which more time without a match says no more.
_LONGEST_BREAK = 60


@dataclass(frozen=True)
class Matches:
    """Matches sorted by round, then season and division; what is said of a day below is done for a round at once."""

    round: Ints  # shape (n,): number of the day among those of its country
    day: Ints  # shape (n, 2), as are season, division and tier: twice the same
    season: Ints
    division: Ints
    tier: Floats
    term: Ints  # shape (4, n, 2): number of each term of the first statistic; those of the others follow it
    kind: Ints  # shape (number of all terms,): number of its kind and statistic, less than 4 s
    sign: Floats  # shape (4, 1, n, 2); 0 for the edge of a side that is not at home
    count: Floats  # shape (s, n, 2); NaN where it is not known
    divisions: int

    def terms(self, rows: slice) -> Ints:
        """Numbers of the terms of some matches, shape (4, s, k, 2)."""
        return self.term[:, None, rows] + np.arange(len(self.count))[:, None, None]

    @property
    def kinds(self) -> int:
        """Kinds of terms of all statistics."""
        return 4 * len(self.count)


@dataclass(frozen=True)
class Rules:
    """What holds for the s statistics: shape (s, 1, 1), or (4, s, 1, 1) by term; for the meaning see ``Pace``."""

    noise: Floats
    start: Floats
    tier_step: Floats
    newcomer_gap: Floats
    season_regression: Floats
    start_variance: Floats
    drift: Floats
    season_drift: Floats


@dataclass(frozen=True)
class Seen:
    """Mean and variance of each term, and when and where it was last moved; these arrays move with the days.

    The last item is where counts go that are not known.
    """

    mean: Floats
    variance: Floats
    day: Ints
    season: Ints
    division: Ints


@dataclass(frozen=True)
class Expected:
    """What was known of a day's k matches before: terms (4, s, k, 2), what they make of it (s, k, 2)."""

    learner: Ints  # number of each term that its count moves; the last item of ``Seen`` where the count is not known
    mean: Floats
    variance: Floats
    spread: Floats  # what each term adds to the variance of the log count
    log_count: Floats
    log_variance: Floats
    known: Bools  # whether the division was ever counted


def nothing_seen(matches: Matches) -> Seen:
    """The evening before the first match: all terms are in a division of their own, one past the others."""
    size = matches.kind.size + 1
    never, nowhere = np.full(size, _NEVER), np.full(size, matches.divisions)
    return Seen(np.zeros(size), np.ones(size), never.copy(), never, nowhere)


def before(seen: Seen, matches: Matches, rows: slice, rules: Rules) -> Expected:
    """A day's matches, from what was seen before that day."""
    term, sign = matches.terms(rows), matches.sign[..., rows, :]
    last, mean = seen.season.take(term), seen.mean.take(term)
    known, counted = last[_DIVISION] != _NEVER, ~np.isnan(matches.count[:, rows])
    # What is neither told nor learned of may be anything.
    another_season = (last != matches.season[rows]) & (known | counted)
    rested = np.minimum(matches.day[rows] - seen.day.take(term), _LONGEST_BREAK)
    variance = seen.variance.take(term) + rules.drift * rested
    if another_season.any():
        newcomer = last == _NEVER
        first, regressed = _in_a_new_season(seen, matches, rows, term, mean, rules)
        mean = exact(np.where(newcomer, first, np.where(another_season, regressed, mean)))
        variance = np.where(newcomer, rules.start_variance, variance + rules.season_drift * another_season)
    spread = sign**2 * variance
    learner = np.where(counted, term, seen.mean.size - 1)
    return Expected(learner, mean, variance, spread, (sign * mean).sum(axis=0), spread.sum(axis=0), known)


def learn(seen: Seen, matches: Matches, rows: slice, expected: Expected, rules: Rules) -> None:
    """Move the terms by a day's counts; a count moves a term the more, the surer the other terms of that count are.

    Of several rows of a term on one day, the last says its season and division.
    """
    count, sign, size = matches.count[:, rows], matches.sign[..., rows, :], seen.mean.size
    term = expected.learner
    one_over_expected = np.exp(-expected.log_count)
    surprise = count * one_over_expected - 1
    weight = sign / (rules.noise * one_over_expected + expected.log_variance - expected.spread)
    flat = term.ravel()
    precision = np.bincount(flat, exact(sign * weight).ravel(), minlength=size).take(term)
    shift = np.bincount(flat, exact(weight * surprise).ravel(), minlength=size).take(term)
    seen.variance[term] = variance = 1 / (1 / expected.variance + precision)
    seen.mean[term] = exact(expected.mean + variance * shift)
    seen.day[term] = matches.day[rows]
    seen.season[term] = matches.season[rows]
    seen.division[term] = matches.division[rows]


def _in_a_new_season(
    seen: Seen, matches: Matches, rows: slice, term: Ints, mean: Floats, rules: Rules
) -> tuple[Floats, Floats]:
    """Means of the terms if they are newcomers, and if they are not."""
    level, kind = _level(seen, matches), matches.kind.take(term)
    floor = rules.start - rules.tier_step * (matches.tier[rows] - 1)
    here, before = (
        level.take(division * matches.kinds + kind) for division in (matches.division[rows], seen.division.take(term))
    )
    first = np.where(np.isnan(here), floor, here - rules.newcomer_gap)
    return first, mean + rules.season_regression * (before - mean)


def _level(seen: Seen, matches: Matches) -> Floats:
    """Mean of the terms last seen in each division (and of those never seen), by kind and statistic; NaN of none."""
    place, size = seen.division[:-1] * matches.kinds + matches.kind, (matches.divisions + 1) * matches.kinds
    total, count = np.bincount(place, seen.mean[:-1], size), np.bincount(place, None, size)
    return ratio(total, count)
