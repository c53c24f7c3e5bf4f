"""The only place where runs start and end. Every run of this process ends with a status that tells the truth."""

from __future__ import annotations

import getpass
import logging
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import uuid4

from matchclf.redaction import redact
from matchclf.tracking import heartbeat, owner
from matchclf.tracking.creation import create
from matchclf.tracking.search import StoredRun, find_runs
from matchclf.tracking.store import Store

log = logging.getLogger(__name__)
MAX_TAG_LENGTH = 5000
# Tag of a run whose process ended before it, found by a later process.
ORPHANED = "status.orphaned"
# Tag with a value of its own for each run.
UID = "owner.uid"
ORPHAN = "Its process ended before the run did."
RUNNING, FINISHED, FAILED, KILLED = "RUNNING", "FINISHED", "FAILED", "KILLED"


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
    mark = {UID: uuid4().hex}
    with _lock:
        every = {**_cut(tags), **_mlflow_tags(), **owner.owner_tags(), **nested, **mark}
        run = Run(store, create(store, name, int(time.time() * 1000), every, UID), name, dict(tags))
        _open[run.id] = run
    heartbeat.start(_beat)
    return run


def reopen(store: Store, stored: StoredRun, tags: Mapping[str, str]) -> Run:
    """Go on with a run that an earlier process left, as its new owner; its children that still run are ended.

    The one case in which a run that has ended runs again: the parent of a search that was interrupted.
    """
    run = Run(store, stored.info.run_id, stored.info.run_name, dict(tags))
    with owner.deciding(), _lock:
        for child in _children(run):
            if child.info.status == RUNNING:
                end_orphan(store, child)
        for key, value in (_cut(tags) | owner.owner_tags()).items():
            store.client.set_tag(run.id, key, value)
        store.client.update_run(run.id, status=RUNNING)
        _open[run.id] = run
        # Only now: a run that failed is never without its reason.
        for key in {"status.reason", ORPHANED, "spool.sent"} & stored.data.tags.keys():
            store.client.delete_tag(run.id, key)
    return run


def attach(store: Store, run_id: str) -> Run:
    """A run that another process has open, to start children under it; this process does not end it."""
    stored = store.client.get_run(run_id)
    return Run(store, run_id, stored.info.run_name, own_tags(stored.data.tags))


def own_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """The tags of a run that its children carry too: not its names, its owner, its status, its best child."""
    dropped = ("mlflow.runName", "mlflow.parentRunId", "best.", "owner.", "status.", "search.", "children.", "spool.")
    return {key: value for key, value in tags.items() if not key.startswith(dropped)}


def finish(run: Run, status: str = FINISHED, why: str = "") -> None:
    """End a run once; the reason of a failure stays on it as the tag ``status.reason``.

    A parent keeps how many of its children ended how, and is not FINISHED while one of them runs.
    """
    with _lock:
        if run.id not in _open:
            return
        if run.tags.get("pipeline.scope") == "parent":
            status, why = _with_children(run, status, why)
        if not _end(run.store, run.id, status, why):
            log.error("The run %s (%s) was ended by another process and stays as it is.", run.name, run.id)
        del _open[run.id]


def end_orphan(store: Store, stored: StoredRun) -> bool:
    """End a run that an earlier process left, as FAILED, unless its owner lives at this moment; whether it did.

    To be called under ``owner.deciding()``, so that nobody goes on with the run meanwhile.
    """
    found = store.client.get_run(stored.info.run_id)
    if found.info.status != RUNNING or owner.is_alive(found.data.tags):
        return False
    store.client.set_tag(stored.info.run_id, ORPHANED, "true")
    return _end(store, stored.info.run_id, FAILED, ORPHAN)


def finish_all(status: str, why: str, for_good: bool = False) -> None:
    """End what is still open, children before their parents; another thread's call in flight is waited for.

    ``for_good``: the process is about to end, and no other thread starts or ends a run any more.
    """
    held = _lock.acquire(timeout=LOCK_SECONDS)
    try:
        for run in reversed(list(_open.values())):
            _finish_if_possible(run, status, why)
    finally:
        if held and not for_good:
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


def _end(store: Store, run_id: str, status: str, why: str) -> bool:
    # A status that is final stays.
    if store.client.get_run(run_id).info.status != RUNNING:
        return False
    if why:
        store.client.set_tag(run_id, "status.reason", redact(why)[:MAX_TAG_LENGTH])
    store.client.set_terminated(run_id, status)
    return True


def _with_children(run: Run, status: str, why: str) -> tuple[str, str]:
    with owner.deciding():
        for child in _children(run):
            if child.info.status == RUNNING:
                end_orphan(run.store, child)
    ended = Counter(child.info.status for child in _children(run))
    for state in sorted(ended.keys() - {RUNNING}):
        run.store.client.set_tag(run.id, f"children.{state.lower()}", str(ended[state]))
    if status == FINISHED and ended[RUNNING]:
        return FAILED, f"{ended[RUNNING]} of its child runs were still running."
    return status, why


def _children(run: Run) -> list[StoredRun]:
    return find_runs(run.store, mlflow__parentRunId=run.id)


def _beat() -> None:
    for run in list(_open.values()):
        run.store.client.set_tag(run.id, owner.SEEN, owner.now())


def _cut(tags: Mapping[str, str]) -> dict[str, str]:
    return {key: redact(value)[:MAX_TAG_LENGTH] for key, value in tags.items()}


def _mlflow_tags() -> dict[str, str]:
    return {
        "mlflow.user": getpass.getuser(),
        "mlflow.source.name": "matchclf",
        "mlflow.source.type": "LOCAL",
    }
