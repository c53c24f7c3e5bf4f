"""The registered model: its versions, each made from a run, and its aliases."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from matchclf import paths
from matchclf.config import Config
from matchclf.errors import ConfigError, ModelError
from matchclf.files import read_parquet
from matchclf.tracking import models
from matchclf.tracking.runs import FINISHED
from matchclf.tracking.search import StoredRun, find_run
from matchclf.tracking.store import SQLITE, Store

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion

COPIED_TAGS = ("data.version", "data.hash", "pipeline.params_hash", "pipeline.git_sha", "pipeline.run_kind")
FORECASTS = "predictions/holdout.parquet"


@dataclass(frozen=True)
class Registered:
    """The registered model of this name in a store; it need not exist yet."""

    store: Store
    name: str

    def versions(self) -> list[ModelVersion]:
        """All versions with their aliases, oldest first."""
        found = self.store.client.search_model_versions(f"name = '{self.name}'")
        numbers = sorted(int(version.version) for version in found)
        return [self.store.client.get_model_version(self.name, str(number)) for number in numbers]

    def version(self, number: int) -> ModelVersion:
        """The version of this number; raises ConfigError with those there are."""
        known = {int(version.version): version for version in self.versions()}
        if number not in known:
            there = ", ".join(map(str, known)) or "none"
            raise ConfigError(f"{self.name} has no version {number}; the versions are: {there}.")
        return known[number]

    def holder(self, alias: str) -> ModelVersion | None:
        """The version that has an alias."""
        return next((version for version in self.versions() if alias in version.aliases), None)

    def make_version(self, run: StoredRun) -> ModelVersion:
        """The version made from this run, which is made when there is none yet."""
        client = self.store.client
        earlier = [version for version in self.versions() if version.run_id == run.info.run_id]
        if earlier:
            return earlier[0]
        if not client.search_registered_models(f"name = '{self.name}'"):
            client.create_registered_model(self.name)
        return client.create_model_version(
            self.name, f"runs:/{run.info.run_id}/{models.FOLDER}", run.info.run_id, tags=dict(_version_tags(run))
        )

    def set_alias(self, alias: str, version: ModelVersion) -> None:
        """Give an alias to a version."""
        self.store.client.set_registered_model_alias(self.name, alias, version.version)


def lock_file(store: Store) -> Path:
    """What to lock while a registry is read and changed: beside the database; on a server, of this folder only."""
    if store.uri.startswith(SQLITE):
        return Path(store.uri.removeprefix(SQLITE)).with_suffix(".registry")
    return paths.REGISTERED


def find_final_run(store: Store, run_id: str, config: Config) -> StoredRun:
    """The run of a final_train that ended well; raises ModelError when it is none, or is not of our experiments."""
    if not run_id:
        raise ModelError("The version was made by hand and names no run, so nothing is known of its model.")
    run = find_run(store, run_id)
    if run.info.lifecycle_stage != "active":
        raise ModelError(f"Run {run_id} is deleted; restore it with `mlflow runs restore --run-id {run_id}`.")
    tags, names = run.data.tags, config.classification
    if tags.get("pipeline.stage") != "final_train":
        raise ModelError(f"Run {run_id} is of stage {tags.get('pipeline.stage')}; expected one of stage final_train.")
    if run.info.status != FINISHED:
        raise ModelError(f"Run {run_id} is {run.info.status}; expected one that is {FINISHED}.")
    expected = names.smoke_experiment_name if is_smoke(run) else names.experiment_name
    found = store.client.get_experiment(run.info.experiment_id).name
    if found != expected:
        raise ModelError(f"Run {run_id} is in the experiment {found}; expected {expected}.")
    return run


def is_smoke(run: StoredRun) -> bool:
    """Whether a run was made to check the wiring only."""
    return bool(run.data.tags.get("pipeline.run_kind") == "smoke")


def forecasts(store: Store, run_id: str) -> pd.DataFrame:
    """The forecasts of the holdout that a final run stored."""
    with tempfile.TemporaryDirectory() as folder:
        return read_parquet(models.fetch(store, run_id, FORECASTS, folder))


def check_loads(store: Store, run_id: str) -> None:
    """Raise ModelError unless the model of a run is unaltered and forecasts in a fresh process what it should."""
    models.load_model(store, run_id)
    with tempfile.TemporaryDirectory() as folder:
        models.verify(store, run_id, models.fetch(store, run_id, models.SAMPLE, folder))


def _version_tags(run: StoredRun) -> Mapping[str, str]:
    kept = {key: run.data.tags[key] for key in (*COPIED_TAGS, models.DIGEST_TAG) if key in run.data.tags}
    return {"run_id": run.info.run_id, **kept, "final.logloss": f"{run.data.metrics['final.logloss']:.6f}"}
