"""Finding runs again by their tags."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matchclf.errors import ModelError
from matchclf.tracking.store import Store

if TYPE_CHECKING:
    from mlflow.entities import Run as StoredRun
else:
    StoredRun = Any

__all__ = ["KEPT_AS", "StoredRun", "all_runs", "find_run", "find_runs", "holdout_readings", "running", "sweep_scores"]
PAGE = 1000
# The id a run had in the spool that it was sent from.
KEPT_AS = "spool.run_id"


def find_run(store: Store, run_id: str) -> StoredRun:
    """The run of this id in any experiment, its id in a spool included; raises ModelError when there is none."""
    from mlflow.exceptions import MlflowException

    try:
        return store.client.get_run(run_id)
    except MlflowException as problem:
        if problem.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            raise
        sent = _search(store, _experiments(store), f"tags.`{KEPT_AS}` = '{run_id}'") if run_id.isalnum() else []
        if not sent:
            raise ModelError(f"There is no run {run_id} in {store.uri}.") from problem
        return sent[0]


def find_runs(store: Store, **tags: str) -> list[StoredRun]:
    """All runs of the experiment with these tags, oldest first; ``__`` in a name stands for a dot."""
    query = " and ".join(f"tags.`{name.replace('__', '.')}` = '{value}'" for name, value in tags.items())
    return _search(store, [store.experiment_id], query)


def all_runs(store: Store) -> list[StoredRun]:
    """All runs of the experiment, oldest first."""
    return _search(store, [store.experiment_id], "")


def running(store: Store) -> list[StoredRun]:
    """All runs of the experiment that have not ended, oldest first."""
    return _search(store, [store.experiment_id], "attributes.status = 'RUNNING'")


def holdout_readings(store: Store, data_hash: str) -> list[StoredRun]:
    """Parent runs of any experiment that read the holdout of this data, oldest first, deleted ones among them."""
    query = f"tags.`holdout.touched` = 'true' and tags.`pipeline.scope` = 'parent' and tags.`data.hash` = '{data_hash}'"
    return _search(store, _experiments(store), query, deleted=True)


def sweep_scores(store: Store, sweep_id: str) -> dict[str, dict[str, float]]:
    """Mean walk-forward log-loss of each model (inner key) of each parent run (outer key: its name) of one sweep."""
    parents = find_runs(store, pipeline__sweep_id=sweep_id, pipeline__scope="parent")
    scores: dict[str, dict[str, float]] = {parent.info.run_id: {} for parent in parents}
    for child in find_runs(store, pipeline__sweep_id=sweep_id, pipeline__scope="child"):
        if "cv.logloss_mean" in child.data.metrics:
            model = child.info.run_name.removeprefix("model | ")
            scores[child.data.tags["mlflow.parentRunId"]][model] = child.data.metrics["cv.logloss_mean"]
    return {f"{parent.info.run_name} ({parent.info.run_id[:8]})": scores[parent.info.run_id] for parent in parents}


def _experiments(store: Store) -> list[str]:
    return [str(one.experiment_id) for one in store.client.search_experiments()]


def _search(store: Store, experiments: list[str], query: str, deleted: bool = False) -> list[StoredRun]:
    from mlflow.entities import ViewType

    view = ViewType.ALL if deleted else ViewType.ACTIVE_ONLY
    found: list[StoredRun] = []
    token = None
    while True:
        page = store.client.search_runs(experiments, query, view, PAGE, page_token=token)
        found += page
        token = page.token
        if not token:
            return sorted(found, key=lambda run: run.info.start_time)
