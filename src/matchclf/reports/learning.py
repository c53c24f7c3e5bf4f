"""How the score of a variant goes down with more training matches: runs that differ in ``frac`` alone."""

from __future__ import annotations

from matchclf.reports.ablation_runs import Ablation
from matchclf.reports.page import RUN, Column, Plot, Section, Table
from matchclf.tracking.record import read_config
from matchclf.tracking.runs import FINISHED
from matchclf.tracking.search import StoredRun, find_runs
from matchclf.tracking.store import Store

SAME_TAGS = ("data.hash", "pipeline.params_hash_features", "pipeline.variant", "data.train_end")
COLUMNS = (
    Column("variant"),
    Column("model"),
    Column("frac", "g"),
    Column("log-loss", ".4f"),
    Column("code"),
    Column("run", RUN),
)
# Variant and model, then runs by fraction.
Curves = dict[tuple[str, str], dict[float, StoredRun]]


def learning_section(store: Store, ablation: Ablation, model: str) -> Section:
    """Mean walk-forward log-loss over the share of training matches, where a variant was run with several.

    The plot shows one model, the table all.
    """
    curves = _curves(store, [one.run for one in ablation.forecasts.values()])
    if not curves:
        why = "Every variant was run with one share of the training matches; "
        how = "run the same command with frac=tenth, frac=quarter and frac=half for a curve."
        return Section("Learning curve", (f"{why}{how}",))
    return Section("Learning curve", (_TEXT,), (*_plot(curves, model), _table(curves)))


_TEXT = (
    "Mean walk-forward log-loss by share of the latest training matches; validation matches are the same throughout. "
    "A curve that still falls at its end says that more matches would help. All finished ablations of this experiment "
    "with the same data, features, model settings and folds take part, of each share the latest."
)


def _curves(store: Store, ours: list[StoredRun]) -> Curves:
    known: dict[str, object] = {}
    found: Curves = {}
    children = find_runs(store, pipeline__stage="ablation", pipeline__scope="child")
    for run in ours:
        who = run.data.tags["pipeline.variant"], run.data.params["model.name"]
        alike = [one for one in children if _alike(one, run)]
        found.setdefault(who, {}).update(_latest(store, run, alike, known))
    return {who: dict(sorted(runs.items())) for who, runs in found.items() if len(runs) > 1}


def _latest(store: Store, run: StoredRun, alike: list[StoredRun], known: dict[str, object]) -> dict[float, StoredRun]:
    """Of each share of the training matches the latest run with the same folds, where there are several shares."""
    shares = [float(one.data.params["data.frac"]) for one in alike]
    found: dict[float, StoredRun] = {}
    if len(set(shares)) == 1:  # to read every run's folds for no curve would take longer with each run
        return found
    for share, one in reversed(list(zip(shares, alike, strict=True))):
        if share not in found and _folds(store, one, known) == _folds(store, run, known):
            found[share] = one
    return found


def _alike(one: StoredRun, other: StoredRun) -> bool:
    """Whether two child runs may differ in the share of training matches alone, as far as tags and parameters tell."""
    tags = all(one.data.tags.get(name) == other.data.tags.get(name) for name in SAME_TAGS)
    return one.info.status == FINISHED and tags and _settings(one) == _settings(other)


def _settings(run: StoredRun) -> dict[str, str]:
    return {key: value for key, value in run.data.params.items() if key != "data.frac"}


def _folds(store: Store, run: StoredRun, known: dict[str, object]) -> object:
    if run.info.run_id not in known:
        known[run.info.run_id] = read_config(store, run.info.run_id)["temporal"]
    return known[run.info.run_id]


def _plot(curves: Curves, model: str) -> tuple[Plot, ...]:
    from matchclf.reports.drawings import lines

    points = {
        who[0]: [(frac, run.data.metrics["cv.logloss_mean"]) for frac, run in runs.items()]
        for who, runs in curves.items()
        if who[1] == model
    }
    across, up = "share of the training matches, the latest", f"walk-forward log-loss of {model}, nats"
    shows = f"Log-loss of {model} with each variant by share of the training matches."
    return (Plot(lines(points, across, up), shows),) if points else ()


def _table(curves: Curves) -> Table:
    rows = tuple(
        (*who, frac, run.data.metrics["cv.logloss_mean"], run.data.tags.get("pipeline.git_sha", ""), run.info.run_id)
        for who, runs in curves.items()
        for frac, run in runs.items()
    )
    return Table("learning_curve", "The same in numbers", COLUMNS, rows)
