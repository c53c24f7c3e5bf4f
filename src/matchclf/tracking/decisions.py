"""Who gave which alias to which version, when and on what grounds: JSON artifacts, each naming the one before."""

from __future__ import annotations

import getpass
import hashlib
import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from matchclf.errors import ModelError
from matchclf.tracking.registry import Registered

LAST = "decisions.last"
PASSED, FAILED, ROLLED_BACK = "passed", "gate failed", "rolled back"


def keep_decision(registered: Registered, version: Any, decision: dict[str, Any]) -> dict[str, Any]:
    """Store a decision with the version's run, chain it to the last one, and tag the version with it.

    The same decision again, on the same grounds, is not stored twice.
    """
    last = _last(registered)
    before = history(registered)
    if before and decision.items() <= before[-1].items():
        return before[-1]
    whole = {
        "number": len(before) + 1,
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "who": getpass.getuser(),
        **decision,
        "previous": last,
    }
    client, text = registered.store.client, json.dumps(whole, indent=2, sort_keys=True)
    path = f"registry/decision-{whole['number']:04d}.json"
    client.log_text(version.run_id, text, path)
    alias = decision["alias"]
    told = {f"decision.{alias}": decision["verdict"], f"decision.{alias}.by": whole["who"]}
    told |= {f"decision.{alias}.at": whole["when"], f"decision.{alias}.grounds": "; ".join(decision["grounds"])}
    for key, value in told.items():
        client.set_model_version_tag(registered.name, version.version, key, value)
    pointer = {"run_id": version.run_id, "path": path, "sha256": _sha256(text)}
    client.set_registered_model_tag(registered.name, LAST, json.dumps(pointer))
    return whole


def history(registered: Registered) -> list[dict[str, Any]]:
    """All decisions, oldest first; raises ModelError when one is missing or was altered."""
    found: list[dict[str, Any]] = []
    pointer = _last(registered)
    while pointer:
        text = _read(registered, pointer)
        if _sha256(text) != pointer["sha256"]:
            raise ModelError(
                f"The decision {pointer['path']} of run {pointer['run_id']} was altered since it was made."
            )
        found.append(json.loads(text))
        pointer = found[-1]["previous"]
    return found[::-1]


def holder_before(decisions: list[dict[str, Any]], alias: str, version: int) -> int | None:
    """The version that had the alias before this one got it by promotion; None when no decision tells."""
    told = [one for one in decisions if (one["alias"], one["version"], one["verdict"]) == (alias, version, PASSED)]
    before = told[-1]["before"] if told else None
    return None if before is None else int(before)


def _last(registered: Registered) -> dict[str, str] | None:
    models = registered.store.client.search_registered_models(f"name = '{registered.name}'")
    text = models[0].tags.get(LAST) if models else None
    return json.loads(text) if text else None


def _read(registered: Registered, pointer: dict[str, str]) -> str:
    from mlflow.exceptions import MlflowException

    with tempfile.TemporaryDirectory() as folder:
        try:
            path = registered.store.client.download_artifacts(pointer["run_id"], pointer["path"], folder)
        except (MlflowException, OSError) as problem:
            raise ModelError(
                f"The decision {pointer['path']} of run {pointer['run_id']} cannot be read: {problem}."
            ) from problem
        return Path(path).read_text(encoding="utf-8")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
