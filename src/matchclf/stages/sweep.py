"""A search for hyperparameters: opened anew or where it was interrupted, and concluded with the best trial."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from typing import Any

from matchclf import paths
from matchclf.config import Config
from matchclf.errors import ConfigError, ModelError, TrackingError
from matchclf.files import write_json
from matchclf.identity import short_hash
from matchclf.stages.metric_files import keep_search
from matchclf.stages.trials import Trial, best_trial, finished_trials, short_name, trial_table
from matchclf.tracking import owner, record, runs
from matchclf.tracking.runs import Run
from matchclf.tracking.search import StoredRun, find_runs
from matchclf.tracking.store import Store

log = logging.getLogger(__name__)
# What must be the same for an interrupted sweep to go on.
SAME = {"search.hash": "search space", "data.hash": "data", "pipeline.git_sha": "code", "pipeline.git_dirty": "code"}


@dataclass(frozen=True)
class Sweep:
    """A search with its open parent run, the space it searches and the trials that were known when it was opened."""

    config: Config
    parent: Run
    space: dict[str, str]
    trials: list[Trial] = field(default_factory=list)

    @property
    def model(self) -> str:
        """Name of the model that is tuned."""
        return next(iter(self.config.models))


def open_sweep(config: Config, store: Store, name: str, tags: dict[str, str], space: dict[str, str]) -> Sweep:
    """Go on with an interrupted sweep of the same settings, or start a new one.

    Raises ConfigError when search space, data or code have changed since, TrackingError when it is still running.
    """
    tags = {**tags, "search.hash": short_hash(space)}
    earlier = _interrupted(config, store, tags)
    if earlier is None:
        parent = runs.start(store, name, tags)
        record.record(parent, params={f"search.{key}": value for key, value in space.items()})
        return Sweep(config, parent, space)
    _check_same(config, earlier, tags)
    parent = runs.reopen(store, earlier, tags)
    trials = finished_trials(parent)
    log.info("resume     %s: %d of %d trials are done", parent.id, len(trials), config.tuning.n_trials)
    return Sweep(config, parent, space, trials)


def keep_best(sweep: Sweep) -> str:
    """Write the best trial so far to the parent and to data/models, and say which it is."""
    best = best_trial(sweep.parent)
    if best is None:
        return "no trial is complete yet"
    value, number = best.data.metrics["cv.logloss_mean"], int(best.data.tags["trial.number"])
    record.record(
        sweep.parent,
        metrics={"best.cv.logloss_mean": value},
        tags={"best.run_id": best.info.run_id, **_best_tags(best)},
    )
    write_json(_best_params(sweep, best), paths.best_params(sweep.model))
    return f"best       trial {number:03d}, log-loss {value:.4f}"


def conclude(sweep: Sweep) -> None:
    """Put the best parameters on the parent and draw how the search went; raises ModelError when none is complete."""
    from matchclf.plots.search import search_plots
    from matchclf.reports.files import keep_report
    from matchclf.reports.search import sweep_page
    from matchclf.reports.sweep_runs import read_sweep
    from matchclf.stages.results import show_trials

    best = best_trial(sweep.parent)
    if best is None:
        raise ModelError("No trial is complete; the tag status.reason of each trial's run has the cause.")
    log.info("%s", keep_best(sweep))
    known = sweep.parent.store.client.get_run(sweep.parent.id).data.params
    record.record(sweep.parent, params={key: value for key, value in _best_tags(best).items() if key not in known})
    trials = trial_table(sweep.parent)
    log.info("\n%s\n", show_trials(trials))
    keep_search(best.data.metrics["cv.logloss_mean"], len(trials))
    for name, figure in search_plots(trials).items():
        record.keep_figure(sweep.parent, figure, f"plots/{name}.png")
    keep_report(sweep_page(read_sweep(sweep.parent.store, sweep.parent.id)), [sweep.parent])


def _best_tags(best: StoredRun) -> dict[str, str]:
    params = json.loads(best.data.tags["trial.params"])
    return {f"best.{short_name(key)}": str(value) for key, value in params.items()}


def _best_params(sweep: Sweep, best: StoredRun) -> dict[str, Any]:
    return {
        "model": sweep.model,
        "params": {short_name(key): v for key, v in json.loads(best.data.tags["trial.params"]).items()},
        "cv_logloss_mean": best.data.metrics["cv.logloss_mean"],
        "trial": int(best.data.tags["trial.number"]),
        "run_id": best.info.run_id,
        "parent_run_id": sweep.parent.id,
        "run_kind": sweep.config.run_kind,
        "variant": sweep.config.variant.name,
        "data_hash": sweep.parent.tags["data.hash"],
        "params_hash": sweep.parent.tags["pipeline.params_hash"],
        "search_hash": sweep.parent.tags["search.hash"],
    }


def _interrupted(config: Config, store: Store, tags: dict[str, str]) -> StoredRun | None:
    if config.tuning.resume == "fresh":
        return None
    same = {"pipeline__stage": "tuning", "pipeline__scope": "parent"}
    earlier = find_runs(store, **same, pipeline__params_hash=tags["pipeline.params_hash"])
    if not earlier or earlier[-1].info.status == runs.FINISHED:
        return None
    return earlier[-1]


def _check_same(config: Config, earlier: StoredRun, tags: dict[str, str]) -> None:
    found = earlier.data.tags
    if earlier.info.status == "RUNNING" and owner.is_alive(found):
        raise TrackingError(
            f"The sweep {earlier.info.run_id} is still running as {owner.described(found)}; "
            "wait for it, or start another one with tuning.resume=fresh."
        )
    changed = sorted({what for key, what in SAME.items() if found.get(key) != tags.get(key)})
    if changed and config.tuning.resume == "auto":
        raise ConfigError(
            f"The interrupted sweep {earlier.info.run_id} of these settings had another "
            f"{' and another '.join(changed)}; go on with it all the same with tuning.resume=force, or start over "
            "with tuning.resume=fresh."
        )
