"""What every model of one experiment shares: data, folds, tags; and what comes out of scoring one."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from matchclf import paths
from matchclf.config import Config
from matchclf.data.dataset import Dataset, load_dataset
from matchclf.data.sources import check_source
from matchclf.errors import ConfigError, DataError
from matchclf.evaluate import Evaluation
from matchclf.files import read_parquet
from matchclf.folds import Fold, walk_forward
from matchclf.lineage import dvc
from matchclf.models import build_model
from matchclf.stages.duplicates import check_duplicate
from matchclf.stages.prepare import Prepared, check_kept, prepare
from matchclf.stages.readings import read_holdout
from matchclf.tracking import record, tags
from matchclf.tracking.provenance import keep_digests
from matchclf.tracking.runs import Run

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Experiment:
    """One parent run with its data; ``holdout`` is None unless the config asks for it to be read."""

    config: Config
    parent: Run
    prepared: Prepared
    data: Dataset
    holdout: Dataset | None
    folds: list[Fold]
    tags: dict[str, str]

    @property
    def steps(self) -> dict[str, str]:
        """Digests of the matches, the features in use and the split."""
        return self.prepared.steps(self.config.features.use)


@dataclass(frozen=True)
class Scored:
    """A model, the child run that holds its scores, and the log-loss it is picked by."""

    name: str
    run: Run
    evaluation: Evaluation
    picked_by: float


def check_ingredients(config: Config) -> None:
    """Raise, before a run is opened, what would keep this config from being run: no such file, no such parameter."""
    check_source(config.data)
    for name, model in config.models.items():
        build_model(name, model, config.seed)
    if config.stage.name != "final_train":
        return
    if len(config.models) != 1:
        raise ConfigError(f"stage=final_train trains one model; found model={','.join(config.models)}.")
    if config.reference is None:
        raise ConfigError("reference is missing; stage=final_train holds its model against one, by default logreg.")
    build_model("reference", config.reference, config.seed)


def data_lineage(config: Config, prepared: Prepared) -> dict[str, str]:
    """Tags of the prepared data; of the holdout only the dates are read.

    Raises DataError when DVC recorded another dataset, unless ``lineage.allow_dirty`` is set.
    """
    recorded = _recorded_by_dvc(config, prepared.version)
    train, test = (read_parquet(path, ["date"])["date"] for path in (paths.TRAIN, paths.TEST))
    return {**tags.data_tags(prepared.version, prepared.source, train, test), **recorded}


def _recorded_by_dvc(config: Config, version: str) -> dict[str, str]:
    recorded = dvc.recorded_md5(paths.DATASET, Path.cwd())
    if recorded is None:
        return {"data.dvc": tags.NONE}
    if recorded.md5 == version:
        return {"data.dvc": str(recorded.where)}
    if not config.lineage.allow_dirty:
        raise DataError(
            f"{paths.DATASET} has the MD5 {version}, {recorded.where} records {recorded.md5}: record it with "
            "`dvc repro prepare`, get the recorded one by `dvc checkout`, or go on with lineage.allow_dirty=true."
        )
    return {"data.dvc": str(recorded.where), "data.dvc_recorded": recorded.md5, "data.dirty": "true"}


def open_experiment(config: Config, parent: Run) -> Experiment:
    """Prepare the data, read the development part, lay out the folds, and tag the parent with the data's lineage."""
    prepared = prepare(config)
    columns = prepared.columns(config.features.use)
    data = load_dataset(paths.TRAIN, columns)
    folds = walk_forward(data.matches["date"], config.temporal.cv_years, config.frac.value)
    lineage = data_lineage(config, prepared)
    record.record(parent, tags=lineage)
    keep_digests(parent, prepared.steps(config.features.use))
    check_duplicate(config, parent, prepared.version)
    holdout = None
    if config.stage.select_by == "holdout":
        log.warning("holdout    read to pick a model: it is no longer blind, and final scores on it will flatter")
        holdout = read_holdout(parent, prepared, columns)
        lineage["holdout.touched"] = "true"
    check_kept(prepared)
    return Experiment(config, parent, prepared, data, holdout, folds, lineage)
