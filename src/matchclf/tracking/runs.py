"""The only place where runs start and end. Every run of this process ends with a status that tells the truth."""

from __future__ import annotations

import getpass
import logging
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from matchclf.errors import TrackingError
from matchclf.tracking.store import Store

log = logging.getLogger(__name__)
MAX_TAG_LENGTH = 5000
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


def finish(run: Run, status: str = FINISHED, why: str = "") -> None:
    """End a run once; the reason of a failure stays on it as the tag ``status.reason``."""
    with _lock:
        if _open.pop(run.id, None) is None:
            return
        if why:
            run.store.client.set_tag(run.id, "status.reason", why[:MAX_TAG_LENGTH])
        run.store.client.set_terminated(run.id, status)


@contextmanager
def child(parent: Run, name: str, tags: Mapping[str, str]) -> Iterator[Run]:
    """A child run around a block. An exception in it ends this run as FAILED and goes no further."""
    run = start(parent.store, name, tags, parent)
    try:
        yield run
    except Exception as problem:
        log.debug("%s stopped.", name, exc_info=True)
        log.error("%s failed: %s", name, problem)
        finish(run, FAILED, reason(problem))
    else:
        finish(run)


def finish_all(status: str, why: str) -> None:
    """End what is still open, children before their parents; another thread's call in flight is waited for."""
    held = _lock.acquire(timeout=LOCK_SECONDS)
    try:
        for run in reversed(list(_open.values())):
            finish(run, status, why)
    finally:
        if held:
            _lock.release()


def require_open(run: Run | None) -> Run:
    """The run, if this process has it open; raises TrackingError rather than let work go untracked."""
    if run is None or run.id not in _open:
        raise TrackingError("No parent run is open; an experiment is not run untracked.")
    return run


def reason(problem: BaseException) -> str:
    """What a failed run says of its cause."""
    return f"{type(problem).__name__}: {problem}"


def _cut(tags: Mapping[str, str]) -> dict[str, str]:
    return {key: value[:MAX_TAG_LENGTH] for key, value in tags.items()}


def _mlflow_tags() -> dict[str, str]:
    return {
        "mlflow.user": getpass.getuser(),
        "mlflow.source.name": "matchclf",
        "mlflow.source.type": "LOCAL",
    }
