"""The only place where runs start and end. Every run of this process ends with a status that tells the truth."""

from __future__ import annotations

import getpass
import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from matchclf.errors import TrackingError
from matchclf.redaction import redact
from matchclf.tracking.search import StoredRun, find_runs
from matchclf.tracking.store import Store

log = logging.getLogger(__name__)
T = TypeVar("T")
MAX_TAG_LENGTH = 5000
# Tag of a run whose process ended before it, found by a later process.
ORPHANED = "status.orphaned"
FINISHED, FAILED, KILLED = "FINISHED", "FAILED", "KILLED"


@dataclass(frozen=True)
class Run:
    """A run that was started by this process."""

    store: Store
    id: str
    name: str
    tags: Mapping[str, str] = field(repr=False)


_open: dict[str, Run] = {}
# Held while a run starts or ends, so that a stop from another thread misses none and ends none twice.
_lock = threading.RLock()
LOCK_SECONDS = 3


def start(store: Store, name: str, tags: Mapping[str, str], parent: Run | None = None) -> Run:
    """Start a run with all its tags at once, so that none is ever without them."""
    nested = {"mlflow.parentRunId": parent.id} if parent else {}
    with _lock:
        made = store.client.create_run(
            store.experiment_id,
            start_time=int(time.time() * 1000),
            tags={**_cut(tags), **_mlflow_tags(), **nested},
            run_name=name,
        )
        run = Run(store, made.info.run_id, name, dict(tags))
        _open[run.id] = run
    return run


def reopen(store: Store, stored: StoredRun, tags: Mapping[str, str]) -> Run:
    """Go on with a run that an earlier process left, as its new owner; its children that still run are ended."""
    client = store.client
    for orphan in find_runs(store, mlflow__parentRunId=stored.info.run_id):
        if orphan.info.status == "RUNNING":
            client.set_tag(orphan.info.run_id, "status.reason", "Its process ended before the run did.")
            client.set_tag(orphan.info.run_id, ORPHANED, "true")
            client.set_terminated(orphan.info.run_id, FAILED)
    run = Run(store, stored.info.run_id, stored.info.run_name, dict(tags))
    with _lock:
        for key, value in _cut(tags).items():
            client.set_tag(run.id, key, value)
        client.update_run(run.id, status="RUNNING")
        _open[run.id] = run
    return run


def attach(store: Store, run_id: str) -> Run:
    """A run that another process has open, to start children under it; this process does not end it."""
    stored = store.client.get_run(run_id)
    return Run(store, run_id, stored.info.run_name, own_tags(stored.data.tags))


def own_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags of a run that its children carry too: not its names, its owner, its status, its best child."""
    dropped = ("mlflow.runName", "mlflow.parentRunId", "best.", "owner.", "status.", "search.")
    return {key: value for key, value in tags.items() if not key.startswith(dropped)}


def finish(run: Run, status: str = FINISHED, why: str = "") -> None:
    """End a run once; the reason of a failure stays on it as the tag ``status.reason``."""
    with _lock:
        if run.id not in _open:
            return
        if why:
            run.store.client.set_tag(run.id, "status.reason", redact(why)[:MAX_TAG_LENGTH])
        run.store.client.set_terminated(run.id, status)
        del _open[run.id]


@contextmanager
def child(parent: Run, name: str, tags: Mapping[str, str]) -> Iterator[Run]:
    """A child run around a block; an exception in it ends this run as FAILED and is raised again."""
    run = start(parent.store, name, tags, parent)
    try:
        yield run
    except Exception as problem:
        log.debug("%s stopped.", name, exc_info=True)
        if is_store_problem(problem):
            raise TrackingError(f"The tracking store {parent.store.uri} stopped answering: {problem}.") from problem
        log.error("%s failed: %s", name, problem)
        finish(run, FAILED, reason(problem))
        raise
    else:
        finish(run)


def attempt(work: Callable[..., T], *arguments: Any) -> T | None:
    """The result of the work, or None when it failed and its child run says why; a store that is gone is raised."""
    try:
        return work(*arguments)
    except TrackingError:
        raise
    except Exception:
        return None


def finish_all(status: str, why: str) -> None:
    """End what is still open, children before their parents; another thread's call in flight is waited for."""
    held = _lock.acquire(timeout=LOCK_SECONDS)
    try:
        for run in reversed(list(_open.values())):
            _finish_if_possible(run, status, why)
    finally:
        if held:
            _lock.release()


def open_runs() -> list[str]:
    """Names of the runs of this process that are not ended."""
    return [run.name for run in _open.values()]


def is_store_problem(problem: BaseException) -> bool:
    """Whether an exception comes from the tracking store rather than from the work."""
    from mlflow.exceptions import MlflowException

    return isinstance(problem, MlflowException)


def _finish_if_possible(run: Run, status: str, why: str) -> None:
    try:
        finish(run, status, why)
    except Exception as problem:
        log.error("The run %s (%s) cannot be ended in the tracking store: %s", run.name, run.id, problem)


def reason(problem: BaseException) -> str:
    """What a failed run says of its cause."""
    return f"{type(problem).__name__}: {problem}"


def _cut(tags: Mapping[str, str]) -> dict[str, str]:
    return {key: redact(value)[:MAX_TAG_LENGTH] for key, value in tags.items()}


def _mlflow_tags() -> dict[str, str]:
    return {
        "mlflow.user": getpass.getuser(),
        "mlflow.source.name": "matchclf",
        "mlflow.source.type": "LOCAL",
    }
