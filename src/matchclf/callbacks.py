"""Hydra's callback: opens the parent run of a job and closes it with the status the job ended with."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra.core.utils import JobReturn, JobStatus
from hydra.experimental.callback import Callback
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from matchclf import interrupts, launchers, result, threads
from matchclf.compose import PACKAGE, params_file, search_space, to_plain
from matchclf.config import Config
from matchclf.errors import ConfigError, TrackingError
from matchclf.identity import file_hash, params_hash, part_hashes
from matchclf.lineage import dvc
from matchclf.lineage.environment import environment
from matchclf.lineage.git import Diff, code_state, uncommitted_diff
from matchclf.redaction import redact_record
from matchclf.stages import Scope, find_stage
from matchclf.stages.tuned import with_tuned
from matchclf.tracking import orphans, runs, tags
from matchclf.tracking.runs import Run
from matchclf.tracking.spool import send_soon, store_of_runs
from matchclf.tracking.store import where_to_look

if TYPE_CHECKING:
    from matchclf.stages.sweep import Sweep

log = logging.getLogger(__name__)
# A job and its callback run in the same process, one job at a time; so do a sweep and its callback.
_job: list[tuple[Any, ...] | Exception] = []
_sweep: list[Sweep | Exception] = []


class ParentRun(Callback):
    """Opens a parent run around each tracked job, or one around a search. Pickled to workers: plain values only."""

    def __init__(self) -> None:
        self.search_parent = ""
        self.search_keys: list[str] = []
        self.jobs = 1  # that the launcher gets at a time

    def on_multirun_start(self, config: DictConfig, **_: Any) -> None:
        """Open the parent of a search. Hydra swallows what is raised here; ``open_sweep`` raises it."""
        _sweep.clear()
        self.jobs = launchers.prepare(config)
        if find_stage(config.stage.name).scope is not Scope.SEARCH:
            return
        try:
            sweep = _start_search(to_plain(config), config)
            self.search_parent, self.search_keys = sweep.parent.id, list(sweep.space)
            _sweep.append(sweep)
        except Exception as problem:
            _sweep.append(problem)

    def on_job_start(self, config: DictConfig, **_: Any) -> None:
        """Open the parent of the job. Hydra swallows what is raised here; ``job_arguments`` raises it."""
        _job.clear()
        try:
            for handler in logging.getLogger().handlers:
                handler.addFilter(redact_record)
            interrupts.watch(worker=True)  # does nothing but in a worker of a parallel launcher
            launchers.take_share(config, self.jobs)
            plain = to_plain(config)
            scope = find_stage(plain.stage.name).scope
            if scope is Scope.SEARCH:
                _job.append(self._trial(plain, config))
            elif scope is Scope.JOB:
                plain = with_tuned(plain, [one.partition("=")[0] for one in config.hydra.overrides.task])
                _job.append((plain, _start(plain, config)))
        except Exception as problem:
            _job.append(problem)

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **_: Any) -> None:
        """Close the parent with the status of the job, and what is still open below it."""
        if find_stage(config.stage.name).scope is Scope.JOB and _job and not isinstance(_job[0], Exception):
            failed = job_return.status is not JobStatus.COMPLETED
            why = runs.reason(job_return._return_value) if failed else ""
            runs.finish_all(runs.FAILED if failed else runs.FINISHED, why)
            log.info("%s\n", where_to_look(_job[0][1].store, _job[0][1].id))
        threads.leave_place()

    def on_run_end(self, config: DictConfig, **_: Any) -> None:
        """Remember the runs of this command for its result, and send what was kept back for a server."""
        if _job and not isinstance(_job[0], Exception):
            result.keep_runs(_job[0][1].store, run_ids=[_job[0][1].id])
            send_soon(_job[0][0].tracking, _job[0][0].experiment_name, Path.cwd())

    def on_multirun_end(self, config: DictConfig, **_: Any) -> None:
        """Close the parent of a search, or show the scores of all jobs of a sweep side by side."""
        scope = find_stage(config.stage.name).scope
        if scope is Scope.UNTRACKED or (scope is Scope.SEARCH and isinstance(_sweep[0], Exception)):
            return
        plain = to_plain(config)
        if scope is Scope.SEARCH:
            parent = open_sweep().parent
            runs.finish(parent)
            log.info("%s\n", where_to_look(parent.store, parent.id))
            result.keep_runs(parent.store, run_ids=[parent.id])
        else:
            from matchclf.stages.ablation_report import tell_sweep

            store = store_of_runs(plain.tracking, plain.experiment_name, Path.cwd())
            log.info("%s", tell_sweep(store, _sweep_id(config)))
            result.keep_runs(store, sweep_id=_sweep_id(config))
        send_soon(plain.tracking, plain.experiment_name, Path.cwd())

    def _trial(self, plain: Config, config: DictConfig) -> tuple[Any, ...]:
        if _sweep:
            parent = open_sweep().parent
        else:
            parent = runs.attach(store_of_runs(plain.tracking, plain.experiment_name, Path.cwd()), self.search_parent)
        point = {key: OmegaConf.select(config, key) for key in self.search_keys}
        return plain, parent, int(config.hydra.job.num), point


def job_arguments() -> tuple[Any, ...]:
    """What the stage of this job is called with: its config, its parent run, and for a trial its number and point.

    Raises what kept the parent from being opened, or TrackingError: work never goes untracked.
    """
    if not _job:
        raise TrackingError("No parent run is open; an experiment is not run untracked.")
    if isinstance(_job[0], Exception):
        raise _job[0]
    return _job[0]


def open_sweep() -> Sweep:
    """The search that is running, with its parent; raises what kept it from being opened, or TrackingError."""
    if not _sweep:
        raise TrackingError("No parent run is open; a search is not run untracked.")
    if isinstance(_sweep[0], Exception):
        raise _sweep[0]
    return _sweep[0]


def _start(plain: Config, config: DictConfig) -> Run:
    from matchclf.stages.experiment import check_ingredients  # brings sklearn, which --help does without

    check_ingredients(plain)
    code = pipeline_tags(plain, _sweep_id(config))
    store = store_of_runs(plain.tracking, plain.experiment_name, Path.cwd())
    orphans.reap(store)
    parent = runs.start(store, tags.run_name(plain), code)
    _keep_code(parent, config)
    return parent


def _keep_code(parent: Run, config: DictConfig) -> None:
    from matchclf.tracking import record  # brings pandas, which --help does without
    from matchclf.tracking.provenance import keep_code

    diff = uncommitted_diff(PACKAGE, Path.cwd())
    record.record(parent, tags={"pipeline.git_diff": _diff_state(parent, diff)})
    keep_code(parent, diff.text, environment(), list(config.hydra.overrides.task))


def _diff_state(parent: Run, diff: Diff) -> str:
    """What a later reader must know of the stored changes: none, complete, redacted or cut."""
    if parent.tags["pipeline.git_dirty"] == "false":
        return tags.NONE
    if not diff.complete:
        return "cut"
    return "redacted" if diff.redacted else "complete"


def _start_search(plain: Config, config: DictConfig) -> Sweep:
    from matchclf.stages import sweep
    from matchclf.stages.experiment import check_ingredients, data_lineage
    from matchclf.stages.prepare import prepare
    from matchclf.tracking import record

    space = search_space(plain, list(config.hydra.overrides.task))
    check_ingredients(plain)
    store = store_of_runs(plain.tracking, plain.experiment_name, Path.cwd())
    code = pipeline_tags(plain, _sweep_id(config))
    told = {**code, **data_lineage(plain, prepare(plain))}
    opened = sweep.open_sweep(plain, store, tags.run_name(plain), told, space)
    orphans.reap(store)
    _keep_code(opened.parent, config)
    record.keep_config(opened.parent, plain)
    return opened


def pipeline_tags(plain: Config, sweep_id: str) -> dict[str, str]:
    """Tags of the parent run of a config: what it is, its code and its hashes."""
    code = code_state(PACKAGE, Path.cwd())
    if plain.lineage.require_clean and code.dirty:
        raise ConfigError(
            f"The code at {code.short_sha} has uncommitted changes; commit them, or set lineage.require_clean=false."
        )
    hashes = {
        "params_hash": params_hash(plain),
        **{f"params_hash_{name}": value for name, value in part_hashes(plain).items()},
        "params_file_hash": file_hash(params_file().read_bytes()),
        "dvc_exp_name": dvc.experiment_name(),
    }
    return tags.pipeline_tags(plain, code, hashes, sweep_id)


def _sweep_id(config: DictConfig) -> str:
    if config.hydra.mode is not RunMode.MULTIRUN:
        return tags.NONE
    return "-".join(Path(config.hydra.sweep.dir).parts[-2:])
