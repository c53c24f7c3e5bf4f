"""What a person sees: one line a step with its time, a progress bar on long work, tables at the end."""

import logging
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

log = logging.getLogger(__name__)


@contextmanager
def step(name: str) -> Iterator[list[str]]:
    """Time a step and log one line when it ends; the block may add what it found to the list it is given."""
    found: list[str] = []
    began = time.perf_counter()
    yield found
    log.info("%-10s %6.1f s  %s", name, time.perf_counter() - began, ", ".join(found))


@contextmanager
def progress(name: str, total: int) -> Iterator[Progress]:
    """A bar that shows what is left, on a terminal only; advance it with ``bar.advance(bar.task_ids[0])``."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    hidden = not (sys.stdout.isatty() and _talks())
    with Progress(*columns, console=Console(), transient=True, disable=hidden) as bar:
        bar.add_task(name, total=total)
        yield bar


def _talks() -> bool:
    """Whether a person is told each step on standard output: not with ``output=quiet`` or ``output=json``."""
    handlers = [one for one in logging.getLogger().handlers if isinstance(one, logging.StreamHandler)]
    return any(one.stream is sys.stdout and one.level <= logging.INFO for one in handlers)


def table(header: Iterable[str], rows: Iterable[Iterable[str]], left: int = 1) -> str:
    """A text table, the first ``left`` columns to the left and the others to the right."""
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for number, name in enumerate(header):
        grid.add_column(name, justify="right" if number >= left else "left", no_wrap=True)
    for row in rows:
        grid.add_row(*row)
    console = Console(width=250, no_color=True, highlight=False, markup=False, emoji=False)
    with console.capture() as captured:
        console.print(grid)
    return "\n".join(line.rstrip() for line in captured.get().splitlines())
