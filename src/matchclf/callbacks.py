"""Hydra's callback: opens the parent run of a job and closes it with the status the job ended with."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from hydra.core.utils import JobReturn, JobStatus
from hydra.experimental.callback import Callback
from hydra.types import RunMode
from omegaconf import DictConfig

from matchclf.compose import PACKAGE, params_file, to_plain
from matchclf.config import Config
from matchclf.identity import file_hash, params_hash
from matchclf.lineage import dvc
from matchclf.lineage.git import code_state
from matchclf.stages import STAGES
from matchclf.tracking import runs, tags
from matchclf.tracking.runs import Run
from matchclf.tracking.search import sweep_scores
from matchclf.tracking.store import open_store, where_to_look

log = logging.getLogger(__name__)
# The job and its callback run in the same process, one job at a time.
_job: dict[str, Run | Exception] = {}


class ParentRun(Callback):
    """Opens a parent run before each tracked job and closes it after. Holds nothing: it is pickled to workers."""

    def on_job_start(self, config: DictConfig, **_: Any) -> None:
        """Open the parent. Hydra swallows what is raised here, so it is kept and raised by ``open_parent``."""
        _job.clear()
        try:
            plain = to_plain(config)
            if STAGES[plain.stage.name].tracked:
                _job["parent"] = _start(plain, config)
        except Exception as problem:
            _job["parent"] = problem

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **_: Any) -> None:
        """Close the parent with the status of the job, and what is still open below it."""
        parent = _job.pop("parent", None)
        if isinstance(parent, Run):
            failed = job_return.status is not JobStatus.COMPLETED
            why = runs.reason(job_return._return_value) if failed else ""
            runs.finish_all(runs.FAILED if failed else runs.FINISHED, why)
            log.info("%s\n", where_to_look(parent.store))

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        """Show the scores of all jobs of the sweep side by side."""
        plain = to_plain(config)
        if STAGES[plain.stage.name].tracked:
            from matchclf.stages.results import show_sweep

            store = open_store(plain.tracking, plain.experiment_name, Path.cwd())
            log.info("%s", show_sweep(sweep_scores(store, _sweep_id(config))))


def open_parent() -> Run:
    """The parent run of the job that is running; raises what kept it from being opened, or TrackingError."""
    parent = _job.get("parent")
    if isinstance(parent, Exception):
        raise parent
    return runs.require_open(parent)


def _start(plain: Config, config: DictConfig) -> Run:
    from matchclf.stages.experiment import check_ingredients  # brings sklearn, which --help does without

    check_ingredients(plain)
    project = Path.cwd()
    hashes = {
        "params_hash": params_hash(plain),
        "params_file_hash": file_hash(params_file().read_bytes()),
        "dvc_exp_name": dvc.experiment_name(),
    }
    code = code_state(PACKAGE, project)
    store = open_store(plain.tracking, plain.experiment_name, project)
    return runs.start(store, tags.run_name(plain), tags.pipeline_tags(plain, code, hashes, _sweep_id(config)))


def _sweep_id(config: DictConfig) -> str:
    if config.hydra.mode is not RunMode.MULTIRUN:
        return tags.NONE
    return "-".join(Path(config.hydra.sweep.dir).parts[-2:])
