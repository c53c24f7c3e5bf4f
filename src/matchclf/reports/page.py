"""What a report is made of, before it is rendered: a page of sections with sentences, tables and plots."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RUN = "run"
SHORT_ID = 8


def is_unknown(value: Any) -> bool:
    """Whether there is no value to show."""
    return value is None or (isinstance(value, float) and math.isnan(value))


@dataclass(frozen=True)
class Column:
    """A column of a table; ``show`` is the format of its numbers, or RUN where its values are ids of runs."""

    name: str
    show: str = ""

    @property
    def is_number(self) -> bool:
        """Whether its values are numbers, to be set to the right."""
        return self.show not in ("", RUN)

    def told(self, value: Any) -> str:
        """A value as a person reads it; empty where it is not known.

        >>> Column("less full", "+.4f").told(0.00812)
        '+0.0081'
        >>> Column("run", RUN).told("0123456789abcdef")
        '01234567'
        """
        if is_unknown(value):
            return ""
        if self.show == RUN:
            return str(value)[:SHORT_ID]
        return format(value, self.show) if self.is_number and not isinstance(value, str) else str(value)


@dataclass(frozen=True)
class Table:
    """Values row by row; ``name`` is that of its CSV file, ``folded`` hides it in the page until it is opened."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    folded: bool = False

    def run_of(self, row: tuple[Any, ...]) -> str:
        """Id of the run that the numbers of a row come from; empty where the table names none."""
        return next((str(v or "") for column, v in zip(self.columns, row, strict=True) if column.show == RUN), "")


@dataclass(frozen=True)
class Plot:
    """A figure, and in words what it shows, for those who do not see it."""

    figure: Figure
    shows: str


@dataclass(frozen=True)
class Section:
    """A heading with sentences and what belongs to them."""

    title: str
    text: tuple[str, ...] = ()
    blocks: tuple[Table | Plot, ...] = ()


@dataclass(frozen=True)
class Page:
    """A report: which (``name`` is that of its folder), its title, the facts at its head, and its sections."""

    name: str
    title: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]

    def tables(self) -> list[Table]:
        """All tables, from top to bottom."""
        return [block for section in self.sections for block in section.blocks if isinstance(block, Table)]
