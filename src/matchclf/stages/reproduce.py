"""Make a run again from its id alone: its code, its data, its config; and say whether it came out the same."""

from __future__ import annotations

import json
import logging
import math
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from matchclf import paths, threads
from matchclf.config import Config
from matchclf.console import table
from matchclf.errors import ConfigError, ModelError, SourceError
from matchclf.files import read_json, write_json
from matchclf.lineage import git
from matchclf.lineage.environment import differences, environment
from matchclf.stages.found_data import find_data
from matchclf.stages.original import Original, find_original
from matchclf.stages.verdict import IDENTICAL, Step, compare_runs, first_divergence, together
from matchclf.tracking.search import StoredRun, find_runs
from matchclf.tracking.store import Store, open_store

log = logging.getLogger(__name__)
PACKAGE = Path(__file__).parents[1]


def run(config: Config) -> dict[str, Any]:
    """Reproduce ``config.run_id``; raises ModelError, exit code 1, when it diverges."""
    if config.run_id is None:
        raise ConfigError("run_id is missing; say which run to make again: stage=reproduce run_id=RUN.")
    store = open_store(config.tracking, config.experiment_name, Path.cwd())
    original = find_original(store, config.run_id)
    repository = _repository(original)
    log.info("%s", _plan(original, repository))
    if config.reproduce.dry_run:
        return {"verdict": None}
    with tempfile.TemporaryDirectory(prefix="matchclf-") as name:
        folder = Path(name)
        with git.worktree(repository, original.sha, folder / "code") as code:
            if original.diff:
                git.apply_diff(code, original.diff)
            settings = find_data(original, code, folder / "found")
            new_id = _replay(config, store, replace(original, settings=settings), folder)
    return _conclude(config, store, original, new_id)


def _repository(original: Original) -> Path:
    run_id = original.run.info.run_id
    if original.sha == git.NONE:
        raise SourceError(f"Run {run_id} was made by code in no git repository; which code it was is not known.")
    if original.diff_state == "cut":
        raise SourceError(
            f"Run {run_id} was made with uncommitted changes that are not all stored; its code cannot be had again."
        )
    if original.diff_state == "redacted":
        log.warning("code       a secret in the uncommitted changes was masked when they were stored")
    found = git.repository(PACKAGE, Path.cwd())
    if found is None:
        raise SourceError(
            f"Run {run_id} was made by the commit {original.sha}, but here is no git repository of "
            "the code; clone it and run stage=reproduce there."
        )
    return found


def _plan(original: Original, repository: Path) -> str:
    changed = differences(environment(), original.environment)
    lines = [
        f"reproduce  {original.run.info.run_name} ({original.run.info.run_id})",
        f"code       {original.sha} of {repository}" + (", with its uncommitted changes" if original.diff else ""),
        f"data       {original.data.get('data.source_bucket')}: {original.data.get('data.source_key')}, "
        f"MD5 {original.data.get('data.source_etag')}",
        f"packages   {len(changed)} differ" + "".join(f"; {name} {was} -> {now}" for name, was, now in changed),
    ]
    return "\n".join(lines)


def _replay(config: Config, store: Store, original: Original, folder: Path) -> str:
    """Run the stage in the old code, in an empty folder; returns the id of the new parent run."""
    work, answer = folder / "work", folder / "answer.json"
    work.mkdir()
    request = {
        "settings": original.settings,
        "trial": original.trial,
        "tracking_uri": store.uri,
        "experiment_name": f"{config.classification.experiment_name}_reproduction",
        "project": str(Path.cwd()),
        "of": original.run.info.run_id,
        "name": original.run.info.run_name,
    }
    # In its own order, which is that of the columns of the dataset.
    (folder / "request.json").write_text(json.dumps(request), encoding="utf-8")
    known = {name: value for name, value in original.environment.items() if name in threads.NAMES}
    variables = {**os.environ, **known, "PYTHONPATH": str(folder / "code/src")}
    variables.pop("MLFLOW_RUN_ID", None)
    command = [sys.executable, "-m", "matchclf.replay", str(folder / "request.json"), str(answer)]
    shown = {"json": sys.stderr, "quiet": subprocess.DEVNULL}.get(config.output)
    done = subprocess.run(command, cwd=work, env=variables, stdout=shown, check=False)  # noqa: S603
    if done.returncode:
        raise ModelError(f"The run could not be made again: it stopped with exit code {done.returncode}, see above.")
    return str(read_json(answer)["run_id"])


def _conclude(config: Config, store: Store, original: Original, new_id: str) -> dict[str, Any]:
    steps = [
        step
        for pair in _pairs(store, original.run, store.client.get_run(new_id))
        for step in compare_runs(store, pair.before, pair.after, config.reproduce.tolerance, pair.label)
    ]
    verdict = together(steps)
    store.client.set_tag(new_id, "reproduction.verdict", verdict)
    target = paths.REPRODUCTIONS / f"{original.run.info.run_id}.json"
    found = {"run_id": original.run.info.run_id, "reproduction": new_id, "verdict": verdict}
    write_json({**found, "steps": [_plain(step) for step in steps]}, target)
    store.client.log_artifact(new_id, str(target), "reproduction")
    log.info("\n%s\n\nverdict    %s; written to %s", _show(steps), verdict, target)
    diverged = first_divergence(steps)
    if diverged:
        raise ModelError(
            f"The reproduction of run {original.run.info.run_id} diverged first at {diverged.name}: "
            f"{diverged.before} before, {diverged.after} now."
        )
    return {**found, "written": str(target)}


@dataclass(frozen=True)
class _Pair:
    before: StoredRun
    after: StoredRun
    label: str


def _pairs(store: Store, before: StoredRun, after: StoredRun) -> list[_Pair]:
    """The runs to hold against each other: a child with the new child, a parent with the new one, and all children."""
    theirs = {child.info.run_name: child for child in _children(store, after)}
    if "mlflow.parentRunId" in before.data.tags:
        return [_Pair(before, theirs[before.info.run_name], "")]
    ours = {child.info.run_name: child for child in _children(store, before)}
    pairs = [_Pair(ours[name], theirs[name], f"{name}: ") for name in ours if name in theirs]
    return [_Pair(before, after, ""), *pairs]


def _children(store: Store, parent: StoredRun) -> list[StoredRun]:
    of = replace(store, experiment_id=parent.info.experiment_id)
    return find_runs(of, mlflow__parentRunId=parent.info.run_id)


def _show(steps: list[Step]) -> str:
    """One row a kind of step; every step with its values is in the JSON file."""
    kinds: dict[str, list[Step]] = {}
    for step in steps:
        kinds.setdefault(step.kind, []).append(step)
    rows = [
        [kind, str(len(some)), str(sum(step.verdict == IDENTICAL for step in some)), _gap(some), together(some)]
        for kind, some in kinds.items()
    ]
    return table(["step", "compared", "identical", "largest gap", "verdict"], rows)


def _plain(step: Step) -> dict[str, Any]:
    return asdict(step) | {"gap": None if math.isnan(step.gap) else step.gap}


def _gap(steps: list[Step]) -> str:
    gaps = [step.gap for step in steps]
    if any(math.isnan(gap) for gap in gaps):
        return "unknown"
    return f"{max(gaps):.2g}" if max(gaps) else ""
