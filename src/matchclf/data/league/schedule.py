"""Who meets whom on which day of a season that runs from August to May."""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Days = NDArray[np.datetime64]

# From the first Saturday on or after 10 August to the middle of May.
_WEEKS = 40
_MIDWEEK_SHARE = 0.1
_SATURDAY_TO_WEDNESDAY = 4
# Friday to Monday, seen from Saturday, and how often each is played on.
_WEEKEND_SHIFTS = (-1, 0, 1, 2)
_WEEKEND_SHARES = (0.05, 0.46, 0.44, 0.05)


def double_round_robin(teams: int) -> Ints:
    """Positions that meet in each round when all play all at home and away, by the circle method.

    ``teams`` is even. Returns shape (2, 2 * (teams - 1), teams // 2): side (home, away), round, match. The
    second half of the season mirrors the first.

    >>> double_round_robin(4)[:, 0].tolist()
    [[0, 1], [3, 2]]
    """
    circle = teams - 1
    rounds, step = np.arange(circle)[:, None], np.arange(teams // 2)
    first, second = (rounds + step) % circle, (rounds - step) % circle
    second[:, 0] = circle
    at_home = np.where(step == 0, rounds % 2 == 0, step % 2 == 1)
    half = np.where(at_home, [first, second], [second, first])
    return np.concatenate([half, half[::-1]], axis=1)


def round_days(year: int, rounds: int) -> tuple[Days, NDArray[np.bool_]]:
    """Saturday or Wednesday of each round of the season that starts in ``year``, and which are midweek.

    Rounds are evenly spread, one in ten midweek, or more where the weekends do not suffice; at most 79 fit.
    """
    midweek = max(rounds - _WEEKS, round(_MIDWEEK_SHARE * rounds))
    saturdays = 7 * _spread(rounds - midweek, _WEEKS)
    wednesdays = 7 * _spread(midweek, _WEEKS - 1) + _SATURDAY_TO_WEDNESDAY
    days = np.sort(np.concatenate([saturdays, wednesdays]))
    start = np.busday_offset(f"{year:04d}-08-10", 0, roll="forward", weekmask="Sat")
    return start + days, days % 7 == _SATURDAY_TO_WEDNESDAY


def match_days(rng: np.random.Generator, year: int, rounds: int, matches: int) -> Days:
    """Day of every match, shape (rounds, matches): a weekend's matches fall on Friday to Monday."""
    days, midweek = round_days(year, rounds)
    shifts = rng.choice(_WEEKEND_SHIFTS, size=(rounds, matches), p=_WEEKEND_SHARES)
    return days[:, None] + np.where(midweek[:, None], 0, shifts)


def _spread(count: int, weeks: int) -> Ints:
    return ((np.arange(count) + 0.5) * weeks / max(count, 1)).astype(np.int64)
