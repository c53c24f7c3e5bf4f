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

    The same decision about an alias again, on the same grounds, is not stored twice.
    """
    last, before = _last(registered), history(registered)
    kept = _kept_already(before, decision)
    if kept:
        return kept
    whole = {
        "number": len(before) + 1,
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "who": getpass.getuser(),
        **decision,
        "previous": last,
    }
    client, text = registered.store.client, json.dumps(whole, indent=2, sort_keys=True)
    sha256 = _sha256(text.encode())
    path = f"registry/decision-{whole['number']:04d}-{sha256[:8]}.json"
    client.log_text(version.run_id, text, path)
    for key, value in _tags(whole).items():
        client.set_model_version_tag(registered.name, version.version, key, value)
    pointer = {"run_id": version.run_id, "path": path, "sha256": sha256}
    client.set_registered_model_tag(registered.name, LAST, json.dumps(pointer))
    return whole


def history(registered: Registered) -> list[dict[str, Any]]:
    """All decisions, oldest first; raises ModelError when one is missing or was altered."""
    found: list[dict[str, Any]] = []
    pointer = _last(registered)
    while pointer:
        content = _read(registered, pointer)
        if _sha256(content) != pointer["sha256"]:
            raise ModelError(
                f"The decision {pointer['path']} of run {pointer['run_id']} was altered since it was made."
            )
        found.append(json.loads(content))
        pointer = found[-1]["previous"]
    return found[::-1]


def holder_before(decisions: list[dict[str, Any]], alias: str, version: int) -> int | None:
    """The version that had the alias before this one got it by promotion; None when no decision tells.

    Going back takes the last promotion away, so that going back again goes further back and never returns.
    """
    told = [one for one in decisions if one["alias"] == alias and one["verdict"] != FAILED]
    if told and told[-1]["before"] == version:  # recorded, but stopped before the alias was moved
        del told[-1]
    held: list[int] = []
    for one in told:
        held = _up_to(held, one["before"])
        held = held[:-1] if one["verdict"] == ROLLED_BACK else [*held, one["version"]]
    held = _up_to(held, version)
    return held[-2] if len(held) > 1 else None


def _up_to(held: list[int], version: int | None) -> list[int]:
    """The versions that held an alias one after the other, up to the last time that it was this one."""
    if version not in held:
        return [] if version is None else [version]
    return held[: len(held) - held[::-1].index(version)]


def _kept_already(decisions: list[dict[str, Any]], decision: dict[str, Any]) -> dict[str, Any] | None:
    """The same decision, if it is the last one about its alias; of those that moved nothing, any will do."""
    told = [one for one in decisions if one["alias"] == decision["alias"]]
    same = [one for one in told if decision.items() <= one.items()]
    return same[-1] if same and (decision["verdict"] == FAILED or same[-1] is told[-1]) else None


def _tags(decision: dict[str, Any]) -> dict[str, str]:
    key = f"decision.{decision['alias']}"
    parts = {".by": decision["who"], ".at": decision["when"], ".grounds": "; ".join(decision["grounds"])}
    return {key: decision["verdict"], **{f"{key}{part}": value for part, value in parts.items()}}


def _last(registered: Registered) -> dict[str, str] | None:
    models = registered.store.client.search_registered_models(f"name = '{registered.name}'")
    text = models[0].tags.get(LAST) if models else None
    return json.loads(text) if text else None


def _read(registered: Registered, pointer: dict[str, str]) -> bytes:
    from mlflow.exceptions import MlflowException

    with tempfile.TemporaryDirectory() as folder:
        try:
            path = registered.store.client.download_artifacts(pointer["run_id"], pointer["path"], folder)
        except (MlflowException, OSError) as problem:
            raise ModelError(
                f"The decision {pointer['path']} of run {pointer['run_id']} cannot be read: {problem}."
            ) from problem
        return Path(path).read_bytes()


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
