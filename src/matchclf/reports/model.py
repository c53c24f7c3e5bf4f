"""The model card of a final run: what it was made of, how good it is, against whom, and where it is not."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from matchclf.data.schema import OUTCOMES
from matchclf.holdout import OURS, RAW
from matchclf.metrics import score
from matchclf.paired import Difference, resampled_means
from matchclf.reports.ablation_runs import read_artifact
from matchclf.reports.facts import MEANINGS, METRIC_NAMES, common, made, runs_section
from matchclf.reports.final_runs import TOLD, Final
from matchclf.reports.limits import limits
from matchclf.reports.model_slices import slice_section
from matchclf.reports.page import RUN, Column, Page, Plot, Section, Table
from matchclf.tracking.search import StoredRun

IMPORTANCE, SHOWN = "importance/features.parquet", 20
SHOWN_SCORES = ("logloss", "brier", "rps", "ece")
AGAINST = (
    Column("against"),
    Column("matches", ","),
    *(Column(f"its {METRIC_NAMES[name]}", ".4f") for name in SHOWN_SCORES),
    Column("model less it", "+.4f"),
    Column("from", "+.4f"),
    Column("to", "+.4f"),
    Column("run", RUN),
)
LOSSES = {"logloss": "log-loss", "brier": "Brier", "rps": "RPS"}


def model_page(final: Final, versions: Mapping[str, str]) -> Page:
    """The whole card; ``versions`` are those made from the run, with their aliases."""
    run, dates = final.run, final.table["date"]
    params = run.data.params
    facts = (
        ("Run", f"{run.info.run_name}, {run.info.run_id}"),
        ("Registered", ", ".join(f"version {n} {aliases}".strip() for n, aliases in versions.items()) or "no"),
        ("Model", f"{params['model.class']}, calibration {params['model.calibration']}"),
        ("Holdout", f"{len(dates):,} matches, {dates.min():%Y-%m-%d} to {dates.max():%Y-%m-%d}"),
        *common([run]),
        *made(final.store),
    )
    sections = (
        _scores(final),
        _against(final),
        _calibration(final),
        slice_section(final),
        *_importance(final),
        Section("Known limits", limits(final.run, final.table, final.proba[OURS])),
        *_origin(run),
        runs_section([run]),
    )
    return Page(f"model-{run.info.run_id}", f"Model card: {params['model.name']}", facts, sections)


def _scores(final: Final) -> Section:
    every = np.ones(len(final.table), dtype=bool)
    losses = np.column_stack([final.losses(OURS, every)[name] for name in LOSSES])
    low, high = np.quantile(resampled_means(losses, final.table["date"]), [0.025, 0.975], axis=0)
    rows = [(told, float(losses[:, i].mean()), float(low[i]), float(high[i])) for i, told in enumerate(LOSSES.values())]
    metrics, run_id = final.run.data.metrics, final.run.info.run_id
    others = {"accuracy": "accuracy", "ECE": "ece", "ROC AUC": "roc_auc_ovr"}
    rows += [(told, metrics.get(f"final.{name}", np.nan), np.nan, np.nan) for told, name in others.items()]
    columns = (Column("score"), Column("value", ".4f"), Column("from", ".4f"), Column("to", ".4f"), Column("run", RUN))
    text = "95 % intervals by a bootstrap over weeks of matches, each for itself."
    table = Table("scores", "On the holdout", columns, tuple((*row, run_id) for row in rows))
    outcome = _outcomes(final)
    return Section("Scores", (MEANINGS, text), (table, outcome))


def _outcomes(final: Final) -> Table:
    metrics, run_id = final.run.data.metrics, final.run.info.run_id
    kinds = ("precision", "recall", "f1")
    columns = (
        Column("outcome"),
        Column("happened", ".1%"),
        Column("mean forecast", ".1%"),
        *(Column(one, ".4f") for one in kinds),
    )
    rows = tuple(
        (
            name,
            float((final.target == label).mean()),
            float(final.proba[OURS][:, label].mean()),
            *(metrics.get(f"final.{one}_{name}") for one in kinds),
            run_id,
        )
        for label, name in enumerate(OUTCOMES)
    )
    return Table(
        "outcomes",
        "By outcome; precision, recall and F1 of the most probable one",
        (*columns, Column("run", RUN)),
        rows,
    )


def _against(final: Final) -> Section:
    from matchclf.reports.drawings import intervals

    found = {name: final.against(name) for name in final.proba if name != OURS}
    rows = tuple(_row(final, name, one) for name, one in found.items())
    unit = "log-loss of the model less theirs, nats (left of the line: the model is better)"
    panel = {TOLD[name]: (one.mean, one.low, one.high) for name, one in found.items()}
    plot = Plot(intervals({"": panel}, unit), "Log-loss of the model less that of each other forecast, with intervals.")
    text = "Differences in log-loss, match by match, with 95 % intervals by a bootstrap over weeks, each for itself."
    priced = (f"The bookmaker is compared on the {int(final.priced.sum()):,} matches that have a price.",)
    table = Table("against", "The model and what it is held against", AGAINST, rows)
    return Section("Against bookmaker and baselines", (text, *(priced if final.priced.any() else ())), (plot, table))


def _row(final: Final, name: str, one: Difference) -> tuple[object, ...]:
    rows = final.rows(name)
    theirs = score(final.target[rows], final.proba[name][rows])
    return (
        TOLD[name],
        one.matches,
        *(theirs[one_score] for one_score in SHOWN_SCORES),
        one.mean,
        one.low,
        one.high,
        final.run.info.run_id,
    )


def _calibration(final: Final) -> Section:
    from matchclf.reports.drawings import calibration_gaps

    shown = {TOLD[name]: final.proba[name] for name in (OURS, RAW) if name in final.proba}
    metrics = final.run.data.metrics
    before = f", before calibration {metrics['final.ece_raw']:.4f}" if "final.ece_raw" in metrics else ""
    text = (
        f"Expected calibration error {metrics['final.ece']:.4f}{before}. Each outcome in ten groups of equal size by "
        "its probability: above the line it happened more often than was said. Bars are 95 % intervals of the share."
    )
    shows = "How much more often each outcome happened than forecast, by forecast probability."
    return Section("Calibration", (text,), (Plot(calibration_gaps(final.target, shown), shows),))


def _importance(final: Final) -> list[Section]:
    from matchclf.reports.drawings import bars

    run_id = final.run.info.run_id
    if IMPORTANCE not in {file.path for file in final.store.client.list_artifacts(run_id, "importance")}:
        return []
    found = read_artifact(final.store, run_id, IMPORTANCE).sort_values("mean", ascending=False)
    top = found.head(SHOWN)
    unit = "rise of the log-loss when the feature is shuffled, nats"
    plot = Plot(
        bars(dict(zip(top["feature"], top["mean"], strict=True)), ".4f", unit), f"The most important features: {unit}."
    )
    columns = (Column("feature"), Column("mean", ".5f"), Column("std over repeats", ".5f"), Column("run", RUN))
    rows = tuple((*row, run_id) for row in found[["feature", "mean", "std"]].itertuples(index=False))
    text = f"The {len(top)} most important of {len(found)} features. Features that say the same share their importance."
    table = Table("importance", "All features", columns, rows, folded=True)
    return [Section("Features", (text,), (plot, table))]


def _origin(run: StoredRun) -> list[Section]:
    """What it was made of, and what it takes to make it again."""
    columns = (Column("what"), Column("value"), Column("run", RUN))
    params = tuple((name, one, run.info.run_id) for name, one in sorted(run.data.params.items()))
    shown = ("data.", "pipeline.", "holdout.", "model.", "features.", "mlflow.source.git.commit")
    tags = tuple((name, one, run.info.run_id) for name, one in sorted(run.data.tags.items()) if name.startswith(shown))
    again = f"stage=reproduce run_id={run.info.run_id} makes it again from this and says whether it is the same."
    return [
        Section("Data and settings", (), (Table("params", "Parameters of the run", columns, params),)),
        Section("Lineage", (again,), (Table("lineage", "Code, data and configuration", columns, tags),)),
    ]
