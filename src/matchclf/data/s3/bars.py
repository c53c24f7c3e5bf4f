"""A progress bar over bytes."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

LARGE = 8 << 20


@contextmanager
def transfer(name: str, total: int) -> Iterator[Callable[[int], None]]:
    """Give a function to be told of each part in bytes; a bar shows on a terminal when the total is ``LARGE``."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    hidden = total < LARGE or not sys.stdout.isatty()
    with Progress(*columns, TimeRemainingColumn(), console=Console(), transient=True, disable=hidden) as bar:
        task = bar.add_task(name, total=total)
        yield lambda size: bar.advance(task, size)
