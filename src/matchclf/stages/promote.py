"""Give an alias to a version that passes its gates, or take it back; every decision is kept."""

from __future__ import annotations

import logging
import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

from matchclf import paths
from matchclf.config import Config
from matchclf.errors import ConfigError, DataError, ModelError
from matchclf.files import locked, read_json, write_json
from matchclf.gates import Gate, candidate_gates, champion_gates
from matchclf.tracking import decisions, registry
from matchclf.tracking.registry import Registered
from matchclf.tracking.store import open_store

log = logging.getLogger(__name__)
CANDIDATE, CHAMPION = "candidate", "champion"
GATES = {CANDIDATE: candidate_gates, CHAMPION: champion_gates}
UNCHANGED, UNCONFIRMED = "unchanged", "not confirmed"


def run(config: Config) -> dict[str, Any]:
    """Promote a version to ``config.alias``, or give the alias back to the version that had it before."""
    if config.alias not in GATES:
        raise ConfigError(f"alias={config.alias} cannot be given by promotion; choose one of {', '.join(GATES)}.")
    store = open_store(config.tracking, config.experiment_name, Path.cwd())
    registered = Registered(store, config.registry.model_name)
    with locked(registry.lock_file(store)):
        if config.rollback:
            decision = _roll_back(registered, config.alias)
        else:
            decision = decide(config, registered, registered.version(_version(config)), config.alias)
        log.info("%s", told_of(decision))
        written = {"model_name": registered.name, **decision}
        write_json(written, paths.PROMOTED)
    log.info("written    %s", paths.PROMOTED)
    return written


def decide(config: Config, registered: Registered, version: Any, alias: str, loads: bool = False) -> dict[str, Any]:
    """Judge a version by the gates of an alias, keep the decision, and move the alias when it passed.

    A champion also needs ``config.confirm``; without it nothing is kept. ``loads`` says that the model was seen to load
    just now. Raises ModelError for a smoke run and for a model that does not load.
    """
    store = registered.store
    run = registry.find_final_run(store, version.run_id, config)
    if registry.is_smoke(run):
        raise ModelError(f"Version {version.version} was made by a smoke run, which is never given the alias {alias}.")
    holder = registered.holder(alias)
    before = int(holder.version) if holder else None
    decision = {"alias": alias, "version": int(version.version), "run_id": version.run_id, "before": before}
    if before == int(version.version):
        return {**decision, "verdict": UNCHANGED, "grounds": []}
    incumbent = registry.forecasts(store, str(holder.run_id)) if holder else None
    gates = GATES[alias](registry.forecasts(store, version.run_id), incumbent, config.registry)
    decision |= {"gates": [_plain(gate) for gate in gates], "grounds": [str(gate) for gate in gates]}
    decision["verdict"] = decisions.PASSED if all(gate.passed for gate in gates) else decisions.FAILED
    if decision["verdict"] == decisions.PASSED and alias == CHAMPION and not config.confirm:
        return {**decision, "verdict": UNCONFIRMED}
    if decision["verdict"] == decisions.PASSED and not loads:
        registry.check_loads(store, version.run_id)
    kept = decisions.keep_decision(registered, version, decision)
    if decision["verdict"] == decisions.PASSED:
        registered.set_alias(alias, version)
    return kept


def told_of(decision: dict[str, Any]) -> str:
    """A decision as lines for a person."""
    alias, version, before = (decision[key] for key in ("alias", "version", "before"))
    instead = f" instead of version {before}" if before is not None else ""
    verdicts = {
        decisions.PASSED: f"is {alias} now{instead}",
        decisions.FAILED: f"is not {alias}: a gate failed" + (f"; version {before} stays" if before else ""),
        decisions.ROLLED_BACK: f"is {alias} again{instead}",
        UNCHANGED: f"is {alias} already",
        UNCONFIRMED: f"passes all gates; say confirm=true to make it {alias}{instead}",
    }
    return "\n".join([f"{alias:10s} version {version} {verdicts[decision['verdict']]}", *_indented(decision)])


def _roll_back(registered: Registered, alias: str) -> dict[str, Any]:
    holder = registered.holder(alias)
    if holder is None:
        raise ModelError(f"No version of {registered.name} is {alias}; there is nothing to take back.")
    number = decisions.holder_before(decisions.history(registered), alias, int(holder.version))
    if number is None:
        raise ModelError(f"No decision tells which version was {alias} before version {holder.version}.")
    version = registered.version(number)
    registry.check_loads(registered.store, str(version.run_id))
    decision = {"alias": alias, "version": number, "run_id": version.run_id, "before": int(holder.version)}
    grounds = [f"rolled back from version {holder.version}"]
    kept = decisions.keep_decision(
        registered, version, {**decision, "verdict": decisions.ROLLED_BACK, "grounds": grounds, "gates": []}
    )
    registered.set_alias(alias, version)
    return kept


def _version(config: Config) -> int:
    if config.version is not None:
        return config.version
    if not paths.REGISTERED.is_file():
        raise ConfigError(f"{paths.REGISTERED} does not exist; run stage=register first, or set version=NUMBER.")
    kept = read_json(paths.REGISTERED)
    if kept.get("model_name") != config.registry.model_name:
        raise ConfigError(
            f"{paths.REGISTERED} is of the model {kept.get('model_name')}; set version=NUMBER to choose a version of "
            f"{config.registry.model_name}."
        )
    if type(kept.get("version")) is not int:
        raise DataError(f"{paths.REGISTERED} names no version; run stage=register again, or set version=NUMBER.")
    return int(kept["version"])


def _plain(gate: Gate) -> dict[str, Any]:
    found = None if math.isnan(gate.found) else gate.found  # JSON has no NaN
    return {**asdict(gate), "found": found, "passed": gate.passed}


def _indented(decision: dict[str, Any]) -> list[str]:
    return [f"           {ground}" for ground in decision["grounds"]]
