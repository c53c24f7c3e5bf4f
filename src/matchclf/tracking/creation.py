"""Runs that are made exactly once, also when a server's reply is lost and the request is made again."""

from __future__ import annotations

from collections.abc import Mapping

from matchclf.tracking.search import find_runs
from matchclf.tracking.store import Store, is_server


def create_once(store: Store, name: str, start_time: int, tags: Mapping[str, str], mark: str) -> str:
    """Id of the run whose tag ``mark`` has this value, made if there is none; ``mark`` is one of ``tags``.

    MLflow's client repeats a request that got no reply. What was made more than once on the way is deleted.
    """
    known = {mark.replace(".", "__"): tags[mark]}
    found = find_runs(store, **known)
    if not found:
        store.client.create_run(store.experiment_id, start_time, dict(tags), run_name=name)
        found = find_runs(store, **known)
    for twin in found[1:]:
        store.client.delete_run(twin.info.run_id)
    return str(found[0].info.run_id)


def create(store: Store, name: str, start_time: int, tags: Mapping[str, str], mark: str) -> str:
    """Id of a new run; nothing is looked up in a local store, which loses no reply."""
    if is_server(store.uri):
        return create_once(store, name, start_time, tags, mark)
    return str(store.client.create_run(store.experiment_id, start_time, dict(tags), run_name=name).info.run_id)
