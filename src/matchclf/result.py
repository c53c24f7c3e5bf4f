"""What a command came to, as one line of JSON for scripts: ``output=json``."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from matchclf.redaction import redact

if TYPE_CHECKING:
    from matchclf.tracking.search import StoredRun
    from matchclf.tracking.store import Store

_facts: dict[str, Any] = {}


def keep(facts: Mapping[str, Any]) -> None:
    """Remember what the command will tell."""
    _facts.update(facts)


def keep_runs(store: Store, run_ids: Iterable[str] = (), sweep_id: str = "") -> None:
    """Remember parent runs, by their ids or all of a sweep, with their children: id, name, status, metrics."""
    from matchclf.tracking.search import find_runs

    if not wanted():
        return
    parents = [store.client.get_run(one) for one in run_ids]
    parents += find_runs(store, pipeline__sweep_id=sweep_id, pipeline__scope="parent") if sweep_id else []
    told = [
        {**_run(one), "children": [_run(child) for child in find_runs(store, mlflow__parentRunId=one.info.run_id)]}
        for one in parents
    ]
    keep({"tracking_uri": redact(store.uri), "experiment": store.experiment_name, "runs": told})


def wanted() -> bool:
    """Whether the command line asks for the line; a command that cannot be composed tells its error so, too."""
    return "output=json" in sys.argv[1:]


def tell(exit_code: int, error: str | None = None) -> None:
    """Print the line, if the command line asks for it: exit code, error or null, and what was remembered."""
    if wanted():
        print(json.dumps(_plain({"exit_code": exit_code, "error": error, **_facts}), allow_nan=False, default=str))


def _run(run: StoredRun) -> dict[str, Any]:
    return {
        "run_id": run.info.run_id,
        "name": run.info.run_name,
        "status": run.info.status,
        "metrics": dict(sorted(run.data.metrics.items())),
    }


def _plain(value: Any) -> Any:
    """The same without what JSON cannot tell: a number that is not finite becomes null."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
