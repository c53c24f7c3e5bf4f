"""Runs whose process is gone, kill -9 or a power cut, found by a later process and ended."""

from __future__ import annotations

import logging

from matchclf.tracking import owner, runs
from matchclf.tracking.search import StoredRun, running
from matchclf.tracking.store import Store

log = logging.getLogger(__name__)


def reap(store: Store) -> list[StoredRun]:
    """End every run of the experiment that says RUNNING and whose process is gone, children first; returns them."""
    found = sorted(running(store), key=lambda run: "mlflow.parentRunId" not in run.data.tags)
    gone = [run for run in found if owner.PID in run.data.tags and not owner.is_alive(run.data.tags)]
    if not gone:
        return []
    with owner.deciding():
        ended = [run for run in gone if runs.end_orphan(store, run)]
    for run in ended:
        log.warning("orphan     %s (%s) ended as FAILED: its process is gone", run.info.run_name, run.info.run_id)
    return ended
