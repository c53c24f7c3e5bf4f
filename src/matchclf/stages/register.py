"""Make a version of the registered model from the run of a final_train."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from matchclf import paths
from matchclf.config import Config
from matchclf.errors import ConfigError, DataError
from matchclf.files import locked, read_json, write_json
from matchclf.stages.promote import CANDIDATE, decide, told_of
from matchclf.tracking import models, registry
from matchclf.tracking.store import open_store

log = logging.getLogger(__name__)


def run(config: Config) -> dict[str, Any]:
    """Register the final run, give it the alias of its kind, and let it pass the gate to candidate."""
    store = open_store(config.tracking, config.experiment_name, Path.cwd())
    final = registry.find_final_run(store, config.run_id or _final_run_id(), config)
    registered = registry.Registered(store, config.registry.model_name)
    with locked(registry.lock_file(store)):
        registry.check_loads(store, final.info.run_id)
        version = registered.make_version(final)
        alias = "ci-smoke" if registry.is_smoke(final) else "smoke"
        registered.set_alias(alias, version)
        log.info("registered %s version %s, from run %s", registered.name, version.version, final.info.run_id)
        if alias == "smoke":
            log.info("%s", told_of(decide(config, registered, version, CANDIDATE, loads=True)))
        holder = registered.version(int(version.version))
        written = {
            "model_name": registered.name,
            "version": int(version.version),
            "aliases": sorted(holder.aliases),
            "run_id": final.info.run_id,
            "model_uri": f"models:/{registered.name}/{version.version}",
            **{key.replace(".", "_"): value for key, value in holder.tags.items() if key in SHOWN},
        }
        write_json(written, paths.REGISTERED)
    log.info("written    %s", paths.REGISTERED)
    return written


SHOWN = ("data.version", "pipeline.params_hash", "pipeline.run_kind", "final.logloss", models.DIGEST_TAG)


def _final_run_id() -> str:
    if not paths.FINAL_RUN_ID.is_file():
        raise ConfigError(f"{paths.FINAL_RUN_ID} does not exist; run stage=final_train first, or set run_id=RUN.")
    kept = read_json(paths.FINAL_RUN_ID)
    if not isinstance(kept.get("run_id"), str) or not kept["run_id"]:
        raise DataError(f"{paths.FINAL_RUN_ID} names no run_id; run stage=final_train again, or set run_id=RUN.")
    run_id: str = kept["run_id"]
    return run_id
