"""Runs that are kept here while their server may be gone, and sent to it when they have ended, each exactly once.

The spool is a local store. A run is sent in steps that can be repeated: it is looked up by its id in the spool before
it is made, what it keeps is written again with the same times, and its status comes last. So a sending that was cut
off anywhere, even after the server's reply was lost, is made good by the next one.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from matchclf import paths
from matchclf.config import Tracking
from matchclf.errors import TrackingError
from matchclf.files import locked
from matchclf.tracking import orphans, owner, runs
from matchclf.tracking.creation import create_once
from matchclf.tracking.search import KEPT_AS, StoredRun, all_runs, find_runs, holdout_readings
from matchclf.tracking.store import Store, is_server, open_store, tracking_uri

log = logging.getLogger(__name__)
SENT = "spool.sent"
T = TypeVar("T")
PARENT = "mlflow.parentRunId"


def store_of_runs(tracking: Tracking, experiment_name: str, project: Path) -> Store:
    """The store that the runs of this command are written to: the configured one, or the spool before it."""
    if tracking.on_outage == "spool" and is_server(tracking_uri(tracking, project)):
        return open_spool(experiment_name, project)
    return open_store(tracking, experiment_name, project)


def open_spool(experiment_name: str, project: Path) -> Store:
    """The spool of a project."""
    folder = project.absolute() / paths.SPOOL
    return open_store(Tracking("local", f"sqlite:///{folder / paths.STORE}"), experiment_name, folder)


def has_spool(project: Path) -> bool:
    """Whether anything was ever kept back."""
    return (project / paths.SPOOL / paths.STORE).is_file()


def send(spool: Store, server: Store) -> int:
    """Send what has ended and was not sent; returns how many runs. Raises TrackingError when the server goes away."""
    orphans.reap(spool)
    with locked(Path(spool.uri.removeprefix("sqlite:///")).with_name("sending")):
        try:
            return sum(_send_family(spool, server, parent) for parent in waiting(spool))
        except Exception as problem:
            if not runs.is_store_problem(problem):
                raise
            raise TrackingError(f"The tracking server {server.uri} stopped answering: {problem}.") from problem


def send_soon(tracking: Tracking, experiment_name: str, project: Path) -> None:
    """Send what waits if runs are spooled; when the server is still gone, say how to do it later."""
    if tracking.on_outage != "spool" or not has_spool(project):
        return
    spool = open_spool(experiment_name, project)
    try:
        send(spool, open_store(tracking, experiment_name, project))
    except TrackingError:
        log.debug("Nothing was sent.", exc_info=True)
        told = "the server does not answer; %d parent runs wait in %s, send them with stage=sync"
        log.warning(f"spool      {told}", len(waiting(spool)), paths.SPOOL)


def waiting(spool: Store) -> list[StoredRun]:
    """Parent runs that have ended and are not sent, oldest first."""
    parents = [run for run in all_runs(spool) if PARENT not in run.data.tags]
    return [run for run in parents if run.info.status != runs.RUNNING and SENT not in run.data.tags]


def _send_family(spool: Store, server: Store, parent: StoredRun) -> int:
    family = [parent, *find_runs(spool, mlflow__parentRunId=parent.info.run_id)]
    ids: dict[str, str] = {}
    for run in family:
        ids[run.info.run_id] = create_once(server, run.info.run_name, run.info.start_time, _tags(run, ids), KEPT_AS)
    for run in reversed(family):
        _fill(spool, server, run, ids)
    for run in family:
        spool.client.set_tag(run.info.run_id, SENT, ids[run.info.run_id])
    log.info("sent       %s as %s, with %d child runs", parent.info.run_name, ids[parent.info.run_id], len(family) - 1)
    return len(family)


def _fill(spool: Store, server: Store, run: StoredRun, ids: dict[str, str]) -> None:
    from mlflow.entities import Param, RunTag

    to, client = ids[run.info.run_id], server.client
    for params in _batches([Param(key, value) for key, value in run.data.params.items()]):
        client.log_batch(to, params=params)
    history = [point for key in run.data.metrics for point in spool.client.get_metric_history(run.info.run_id, key)]
    for points in _batches(history):
        client.log_batch(to, metrics=points)
    if run.inputs and run.inputs.dataset_inputs:
        client.log_inputs(to, run.inputs.dataset_inputs)
    with tempfile.TemporaryDirectory() as folder:
        for found in spool.client.list_artifacts(run.info.run_id):
            spool.client.download_artifacts(run.info.run_id, found.path, folder)
        client.log_artifacts(to, folder)
    for tags in _batches([RunTag(key, value) for key, value in (_tags(run, ids) | _reading(server, run)).items()]):
        client.log_batch(to, tags=tags)
    client.set_terminated(to, run.info.status, run.info.end_time)


def _tags(run: StoredRun, ids: dict[str, str]) -> dict[str, str]:
    # Tags that name a run of the spool name the server's; the one who sends a run owns it until it has ended there.
    kept = {key: ids.get(value, value) for key, value in run.data.tags.items() if key != SENT}
    return kept | owner.owner_tags() | {KEPT_AS: run.info.run_id}


def _reading(server: Store, run: StoredRun) -> dict[str, str]:
    # How often the holdout was read before is known to the server only.
    if run.data.tags.get("holdout.touched") != "true" or "holdout.reading" not in run.data.tags:
        return {}
    readings = holdout_readings(server, run.data.tags["data.hash"])
    earlier = [one for one in readings if one.info.start_time < run.info.start_time]
    return {"holdout.reading": str(len(earlier) + 1)}


def _batches(values: list[T]) -> Iterator[list[T]]:
    from matchclf.tracking.record import BATCH  # brings pandas, which --help does without

    return (values[begin : begin + BATCH] for begin in range(0, len(values), BATCH))
