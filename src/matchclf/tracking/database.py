"""SQLITE: the database of a local store, made whole or not at all; calls that wait while others hold it."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matchclf.errors import TrackingError
from matchclf.files import locked, replacing

if TYPE_CHECKING:
    from mlflow import MlflowClient

log = logging.getLogger(__name__)
LOCKED = "database is locked"
# Two processes told of the same new dataset at once: the second time it is known.
TOLD_TWICE = re.compile("unique constraint.*datasets", re.IGNORECASE | re.DOTALL)
# MLflow itself waits 20 seconds before it gives up; so often a call is made again.
ATTEMPTS = 30


def make_database(database: Path) -> None:
    """Make MLflow's database where there is none, one process at a time, beside its place and renamed when whole."""
    import sqlite3

    with locked(database):
        if not database.exists():
            with replacing(database) as part:
                _make(part)
        # Readers and a writer side by side; the setting stays in the file.
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("PRAGMA journal_mode=WAL")


@dataclass(frozen=True)
class PatientClient:
    """An MlflowClient whose calls are made again while another process holds the database.

    Raises TrackingError for a file that cannot be written or read.
    """

    client: MlflowClient

    def __getattr__(self, name: str) -> Any:
        """The same method or attribute of the client, made patient."""
        found = getattr(self.client, name)
        return _patient(found) if callable(found) else found


def _make(database: Path) -> None:
    from mlflow.store.db import utils

    tools: Any = utils  # has no types
    engine = tools.create_sqlalchemy_engine(f"sqlite:///{database}")
    try:
        tools._initialize_tables(engine)
    finally:
        engine.dispose()


def _patient(call: Callable[..., Any]) -> Callable[..., Any]:
    def called(*arguments: Any, **more: Any) -> Any:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return call(*arguments, **more)
            except OSError as problem:
                what = f"{arguments[-1]} of the run {arguments[0]}" if arguments else call.__name__
                raise TrackingError(f"{what} cannot be written to or read from its artifacts: {problem}.") from problem
            except Exception as problem:
                locked, told_twice = LOCKED in str(problem), TOLD_TWICE.search(str(problem))
                if attempt == ATTEMPTS or not (locked or told_twice):
                    raise
                if locked:
                    log.warning("Another process holds the database of the tracking store; waiting.")
                time.sleep(attempt / 10)
        raise AssertionError  # the last attempt returns or raises

    return called
