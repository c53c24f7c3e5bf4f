"""Four terms of the log of an expected count, each a normal variable that a match moves by its surprise.

The variance of a term grows with time, and a count moves the uncertain terms more than the certain ones: one step of
the extended Kalman filter for counts (Fahrmeir, 1992), without covariances, as in Glicko (Glickman, 1999).

Arrays of shape (n, 2, 4, s) hold, for s statistics, the four terms of the home and of the away team's count: own
attack, the other's defence, mean of the division, home edge.
"""

from dataclasses import dataclass

import numpy as np

from matchclf.features.history import Bools, Floats, Ints, exact, ratio

_NEVER = -1
_DIVISION = 2
# Days after which more time without a match says no more.
_LONGEST_BREAK = 60


@dataclass(frozen=True)
class Matches:
    """Matches sorted by round, then season and division; what is said of a day below is done for a round at once."""

    round: Ints  # shape (n,): number of the day among those of its country
    day: Ints  # shape (n, 1, 1, 1), as are season and tier
    season: Ints
    tier: Floats
    term: Ints  # shape (n, 2, 4, 1): number of each term among all
    place: Ints  # shape (n, 2, 4, 1): number of the terms to whose mean a newcomer looks
    places: int
    sign: Floats  # shape (n, 2, 4, 1); 0 for the edge of a side that is not at home
    count: Floats  # shape (n, 2, s); NaN unknown


@dataclass(frozen=True)
class Rules:
    """What holds for the four terms: shape (4, 1), but ``start`` (4, s); for the meaning see ``strengths.Pace``."""

    noise: float
    start: Floats
    tier_step: Floats
    newcomer_gap: float
    season_regression: float
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
    place: Ints


@dataclass(frozen=True)
class Expected:
    """What was known of a day's matches before: terms (k, 2, 4, s), what they make of it (k, 2, s)."""

    term: Ints
    mean: Floats
    variance: Floats
    spread: Floats  # what each term adds to the variance of the log count
    log_count: Floats
    known: Bools  # shape (k, 2, s): whether the division was ever counted


def nothing_seen(matches: Matches) -> Seen:
    """The evening before the first match."""
    size = (int(matches.term.max(initial=-1)) + 1) * matches.count.shape[2] + 1
    nothing = np.full(size, _NEVER)
    return Seen(np.zeros(size), np.ones(size), nothing.copy(), nothing.copy(), nothing.copy())


def before(seen: Seen, matches: Matches, rows: slice, rules: Rules) -> Expected:
    """A day's matches, from what was seen before that day."""
    term, sign = _for_each_statistic(matches.term[rows], matches), matches.sign[rows]
    last = seen.season[term]
    another_season = last != matches.season[rows]
    rested = np.minimum(matches.day[rows] - seen.day[term], _LONGEST_BREAK)
    variance = seen.variance[term] + rules.drift * rested + rules.season_drift * another_season
    mean = seen.mean[term]
    if another_season.any():
        newcomer = last == _NEVER
        first, regressed = _in_a_new_season(seen, matches, rows, term, rules)
        mean = exact(np.where(newcomer, first, np.where(another_season, regressed, mean)))
        variance = np.where(newcomer, rules.start_variance, variance)
    known = last[:, :, _DIVISION] != _NEVER
    return Expected(term, mean, variance, sign**2 * variance, (sign * mean).sum(axis=2), known)


def learn(seen: Seen, matches: Matches, rows: slice, expected: Expected, rules: Rules) -> None:
    """Move the terms by a day's counts; a count moves a term the more, the surer the other terms of that count are.

    Of several rows of a term on one day, the last says its season and place.
    """
    count, sign, size = matches.count[rows], matches.sign[rows], seen.mean.size
    term = np.where(np.isnan(count)[:, :, None], size - 1, expected.term)
    surprise = np.nan_to_num(count) * np.exp(-expected.log_count) - 1
    total = rules.noise * np.exp(-expected.log_count) + expected.spread.sum(axis=2)
    weight = sign / (total[:, :, None] - expected.spread)
    precision = np.bincount(term.ravel(), exact(sign * weight).ravel(), minlength=size)[term]
    shift = np.bincount(term.ravel(), exact(weight * surprise[:, :, None]).ravel(), minlength=size)[term]
    seen.variance[term] = variance = 1 / (1 / expected.variance + precision)
    seen.mean[term] = exact(expected.mean + variance * shift)
    seen.day[term] = matches.day[rows]
    seen.season[term] = matches.season[rows]
    seen.place[term] = _for_each_statistic(matches.place[rows], matches)


def _in_a_new_season(seen: Seen, matches: Matches, rows: slice, term: Ints, rules: Rules) -> tuple[Floats, Floats]:
    """Means of the terms if they are newcomers, and if they are not."""
    place = _for_each_statistic(matches.place[rows], matches)
    level = _level(seen, matches.places * matches.count.shape[2])
    floor = rules.start - rules.tier_step * (matches.tier[rows] - 1)
    first = np.where(np.isnan(level[place]), floor, level[place] - rules.newcomer_gap)
    mean = seen.mean[term]
    return first, mean + rules.season_regression * (level[seen.place[term]] - mean)


def _level(seen: Seen, size: int) -> Floats:
    """Mean of the terms last seen in each place; NaN where there are none."""
    place, mean = seen.place[:-1], seen.mean[:-1]
    known = place != _NEVER
    count = np.bincount(place[known], minlength=size).astype(np.float64)
    total = np.bincount(place[known], mean[known], minlength=size).astype(np.float64)
    return ratio(total, count)


def _for_each_statistic(number: Ints, matches: Matches) -> Ints:
    """Numbers of terms or places, shape (k, 2, 4, 1), as those of each statistic, shape (k, 2, 4, s)."""
    size = matches.count.shape[2]
    numbers: Ints = number * size + np.arange(size)
    return numbers
