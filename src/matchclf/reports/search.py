"""The report on a sweep: a search for hyperparameters with its trials, or jobs side by side."""

from __future__ import annotations

from collections import Counter
from typing import Any

from matchclf.reports.facts import MEANINGS, METRIC_COLUMNS, METRIC_NAMES, common, made, runs_section
from matchclf.reports.page import RUN, Column, Page, Plot, Section, Table
from matchclf.reports.sweep_runs import Sweep, point, state, value
from matchclf.tracking.search import StoredRun

MIN_TRIALS = 10


def sweep_page(sweep: Sweep) -> Page:
    """The whole report."""
    title, sections = _search(sweep) if sweep.is_search else _jobs(sweep)
    runs = [*sweep.parents, *sweep.children]
    facts = (("Sweep", sweep.id), ("Jobs", ", ".join(_names(sweep))), *common(runs), *made(sweep.store))
    return Page(f"sweep-{sweep.id}", title, facts, (*sections, runs_section(runs)))


def _names(sweep: Sweep) -> list[str]:
    return [str(one.info.run_name) for one in sweep.parents]


def _jobs(sweep: Sweep) -> tuple[str, list[Section]]:
    names = {one.info.run_id: one.info.run_name for one in sweep.parents}
    # A final run has no children: its scores are its own.
    scored = sweep.children or sweep.parents
    kind = "cv.{}_mean" if sweep.children else "final.{}"
    rows = [
        (
            names.get(run.data.tags.get("mlflow.parentRunId", ""), run.info.run_name),
            run.data.params.get("model.name", run.info.run_name.removeprefix("model | ")),
            run.info.status,
            *(run.data.metrics.get(kind.format(name)) for name in METRIC_NAMES),
            run.info.run_id,
        )
        for run in scored
    ]
    rows.sort(key=lambda row: (row[3] is None, row[3]))
    columns = (Column("job"), Column("model"), Column("status"), *METRIC_COLUMNS, Column("run", RUN))
    title = "Means over the walk-forward folds, best first" if sweep.children else "Scores on the holdout, best first"
    failed = sum(run.info.status != "FINISHED" for run in scored)
    told = f"{len(sweep.parents)} jobs, {len(scored)} scored runs, {failed} of them not finished."
    section = Section("Scores", (told, MEANINGS), (Table("scores", title, columns, tuple(rows)),))
    return "Sweep: scores side by side", [section]


def _search(sweep: Sweep) -> tuple[str, list[Section]]:
    counts = Counter(state(trial) for trial in sweep.trials)
    told = ", ".join(f"{counts[name]} {name}" for name in ("complete", "pruned", "failed"))
    sections = [
        Section("How it went", (f"{len(sweep.trials)} trials: {told}. {_PRUNED}",), _history(sweep)),
        _best(sweep),
        _trials(sweep),
    ]
    return f"Search: {_names(sweep)[-1]}", sections


_PRUNED = (
    "A pruned trial was stopped after its first folds, because it was clearly worse than the best one so far; its "
    "score is an estimate (grey). Triangles at the upper edge stand for scores above it."
)


def _history(sweep: Sweep) -> tuple[Plot, ...]:
    from matchclf.reports.drawings import history

    scored = [(int(one.data.tags["trial.number"]), value(one), state(one)) for one in sweep.trials]
    known = [(number, score, how) for number, score, how in scored if score is not None]
    if sweep.best is None:
        return ()
    return (Plot(history(*zip(*known, strict=True)), "Score of each trial by its number, and the best so far."),)


def _best(sweep: Sweep) -> Section:
    best = sweep.best
    if best is None:
        return Section("Best trial", ("No trial is complete; the table below has the reasons.",))
    run_id, space = best.info.run_id, sweep.parents[-1].data.params
    rows = tuple(
        (name, _short(one), space.get(f"search.{name}", _space(space, name)), run_id)
        for name, one in point(best).items()
    )
    columns = (Column("parameter"), Column("best value"), Column("searched"), Column("run", RUN))
    number, score = int(best.data.tags["trial.number"]), best.data.metrics["cv.logloss_mean"]
    told = f"Trial {number:03d} with a mean walk-forward log-loss of {score:.4f} nats."
    return Section("Best trial", (told,), (Table("best", "Its parameters", columns, rows), *_importance(sweep)))


def _space(space: dict[str, str], name: str) -> str:
    model, _, key = name.partition(".")
    return space.get(f"search.models.{model}.estimator.{key}", "")


def _importance(sweep: Sweep) -> list[Plot]:
    """Which parameters made the difference, where there are trials enough and more than one parameter."""
    import pandas as pd

    from matchclf.plots.search import importance
    from matchclf.reports.drawings import bars

    scored = [{**point(one), "value": value(one)} for one in sweep.trials if value(one) is not None]
    names = [name for name in scored[0] if name != "value"]
    if len(scored) < MIN_TRIALS or len(names) < 2:
        return []
    shares = importance(pd.DataFrame(scored), names).sort_values(ascending=False)
    unit = "share of the differences in log-loss explained (random forest over the trials)"
    shows = "Which parameters mattered: share of the differences between trials that each explains."
    return [Plot(bars({str(name): float(one) for name, one in shares.items()}, ".0%", unit), shows)]


def _trials(sweep: Sweep) -> Section:
    names = list(dict.fromkeys(name for trial in sweep.trials for name in point(trial)))
    columns = (
        Column("trial", "03d"),
        Column("state"),
        Column("log-loss", ".4f"),
        Column("seconds", ".1f"),
        *(Column(name) for name in names),
        Column("why it failed"),
        Column("run", RUN),
    )
    rows = tuple(
        _trial(trial, names) for trial in sorted(sweep.trials, key=lambda one: (value(one) is None, value(one)))
    )
    return Section("Trials", (), (Table("trials", "Every trial that ended, best first", columns, rows),))


def _trial(trial: StoredRun, names: list[str]) -> tuple[Any, ...]:
    tags, tried = trial.data.tags, point(trial)
    seconds = trial.data.metrics.get("duration_seconds")
    values = (_short(tried.get(name, "")) for name in names)
    number, run_id = int(tags["trial.number"]), trial.info.run_id
    return (number, state(trial), value(trial), seconds, *values, tags.get("status.reason", ""), run_id)


def _short(one: Any) -> str:
    return f"{one:.4g}" if isinstance(one, float) else str(one)
