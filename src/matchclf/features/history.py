"""Past matches of a subject (a team, a team at a ground, a pair), looked up by day.

Only days before the asked one can be seen. The order of rows never matters, also within a day: a day is in
a window as a whole or not at all, and sums are exact.

Arrays of shape (2, n) hold the home teams' view of n matches, then the away teams'.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from matchclf.features.facts import Bools, Floats, Ints, days, once, played, teams

Columns = dict[str, npt.NDArray[np.float32]]
Window = tuple[Ints, Ints]

_DAYS_PER_SUBJECT = 2**22
_DAY_ZERO = 2**20
_GRID = 2.0**20


@dataclass(frozen=True)
class History:
    """Views of matches, and the entries: those that count, sorted by subject, then day.

    ``keys`` joins subject and day of each entry, rising; ``order`` picks and sorts the entries from values of shape
    (2, n); ``day_start`` is the position where the day of an entry begins, and has one more item: the end. ``first``
    and ``stop``, shape (2, n), are for each view the position of the first entry of its subject, and that after the
    last entry of the days before.
    """

    keys: Ints
    order: Ints
    day_start: Ints
    first: Ints
    stop: Ints

    @classmethod
    def of(cls, subject: Ints, day: Ints, counts: Bools) -> "History":
        """Views of shape (2, n), and which of them count: subject codes and days, whole numbers."""
        keys = _key(subject, day).ravel()
        order = np.argsort(keys)
        keys, counting = keys.take(order), np.broadcast_to(counts, subject.shape).ravel().take(order)
        in_front: Ints = np.cumsum(counting) - counting
        first: Ints = in_front.take(_run_starts(keys // _DAYS_PER_SUBJECT))
        stop: Ints = in_front.take(_run_starts(keys))
        entries = np.flatnonzero(counting)
        day_start = np.append(stop[entries], entries.size)
        back = inverse(order).reshape(subject.shape)
        return cls(keys[entries], order[entries], day_start, first.take(back), stop.take(back))

    def before(self, subject: Ints, day: Ints) -> Ints:
        """Position after the subject's last entry of the days before, for any subjects and days."""
        return _search(self.keys, _key(subject, day))

    def last(self, size: int, stop: Ints | None = None) -> Window:
        """Positions (first, stop) of the last ``size`` entries of each view's subject, before its day or ``stop``.

        Several entries of one day stay together: where the window would cut through them, all are in.
        """
        stop = self.stop if stop is None else stop
        return self.day_start.take(np.maximum(stop - size, self.first)), stop

    def last_day(self) -> Floats:
        """Day of the last entry of each view's subject before its day; NaN where there is none."""
        first, stop = self.last(1)
        return np.where(stop > first, self._days().take(stop - 1, mode="wrap"), np.nan)

    def first_day(self, window: Window, otherwise: Ints) -> Ints:
        """Day of the first entry of each window; another day where the window is empty."""
        first, stop = window
        return np.where(stop > first, self._days()[first], otherwise)

    def _days(self) -> Ints:
        return np.append(self.keys, 0) % _DAYS_PER_SUBJECT - _DAY_ZERO

    def mean(self, values: Floats, window: Window) -> Floats:
        """Mean of the known values, shape (2, n), in each window; NaN where there are none."""
        return next(self.means(values, [window]))

    def means(self, values: Floats, windows: Sequence[Window]) -> Iterator[Floats]:
        """The means for several windows, one after the other."""
        entries = values.ravel().take(self.order)
        unknown = np.isnan(entries)
        missing = _running(unknown) if unknown.any() else None
        total = _running(exact(np.where(unknown, 0.0, entries)))
        for first, stop in windows:
            count = (stop - first).astype(np.float64)
            if missing is not None:
                count -= _within((first, stop), missing)
            yield ratio(_within((first, stop), total), count)


def inverse(order: Ints) -> Ints:
    """Where each position went: ``values[order][inverse(order)]`` are the values."""
    back = np.empty_like(order)
    back[order] = np.arange(order.size)
    return back


def exact(values: Floats) -> Floats:
    """Round to a multiple of 2**-20, so that sums are the same in any order and from any starting point."""
    rounded: Floats = np.rint(values * _GRID) * (1 / _GRID)
    return rounded


def ratio(total: npt.NDArray[Any], count: npt.NDArray[Any]) -> Floats:
    """``total / count``; NaN where the count is 0."""
    nothing = np.full(count.shape, np.nan)
    quotient: Floats = np.divide(total, count, out=nothing, where=count > 0)
    return quotient


@once
def team_history(matches: pd.DataFrame) -> History:
    """All matches of each team that have a result."""
    return History.of(teams(matches), days(matches), played(matches))


def sided(name: str, values: Floats) -> Columns:
    """Columns ``<name>_home``, ``<name>_away`` and ``<name>_diff``, home minus away, from shape (2, n)."""
    columns = {"home": values[0], "away": values[1], "diff": values[0] - values[1]}
    return {f"{name}_{side}": column.astype(np.float32) for side, column in columns.items()}


def table(columns: Mapping[str, npt.NDArray[Any]], index: pd.Index) -> pd.DataFrame:
    """Columns as one float32 table."""
    return pd.DataFrame(
        {name: column.astype(np.float32, copy=False) for name, column in columns.items()},
        index=index,
        copy=False,
    )


def _key(subject: Ints, day: Ints) -> Ints:
    return subject * _DAYS_PER_SUBJECT + (day + _DAY_ZERO)


def _run_starts(values: Ints) -> Ints:
    """Where the run of equal values begins that a position is in."""
    begins = np.flatnonzero(np.diff(values, prepend=values[:1] - 1))
    return np.repeat(begins, np.diff(np.append(begins, values.size)))


def _search(keys: Ints, wanted: Ints) -> Ints:
    # In rising order the memory that is looked at is near: several times as fast as here and there, sorting included.
    flat = wanted.ravel()
    order = np.argsort(flat)
    found = np.empty_like(flat)
    found[order] = np.searchsorted(keys, flat[order])
    return found.reshape(wanted.shape)


def _running(values: Floats | Bools) -> Floats:
    """Sums of the values in front of each position, and of all."""
    sums = np.zeros(values.size + 1)
    np.cumsum(values, out=sums[1:])
    return sums


def _within(window: Window, running: Floats) -> Floats:
    """Sums of the values from first to stop."""
    first, stop = window
    total: Floats = running.take(stop) - running.take(first)
    return total
