"""The report on an ablation: variants side by side, each held against all features."""

from __future__ import annotations

from collections.abc import Sequence

from matchclf import baselines
from matchclf.data.schema import ODDS, TARGET
from matchclf.metrics import match_losses
from matchclf.reports.ablation_runs import REFERENCE, Ablation, Forecast, Key, named
from matchclf.reports.ablation_slices import slice_section
from matchclf.reports.facts import MEANINGS, METRIC_COLUMNS, METRIC_NAMES, common, made, runs_section
from matchclf.reports.learning import learning_section
from matchclf.reports.page import RUN, Column, Page, Plot, Section, Table
from matchclf.tracking.search import StoredRun, find_runs
from matchclf.tracking.store import Store
from matchclf.verdicts import Verdict, judge

LOSSES = {"logloss": "log-loss", "rps": "RPS"}
# A second table of more rows is folded.
OPEN_ROWS = 12
WHO = (Column("variant"), Column("model"))
JUDGED = (
    Column("difference", "+.4f"),
    Column("from", "+.4f"),
    Column("to", "+.4f"),
    Column("smallest effect", ".4f"),
    Column("verdict"),
    Column("run", RUN),
)
UNIT = "log-loss less that of full, nats (left of the line: better than full)"


def ablation_page(store: Store, ablation: Ablation) -> Page:
    """The whole report on the finished runs of a sweep."""
    runs = [one.run for one in ablation.forecasts.values()]
    parents = find_runs(store, pipeline__sweep_id=ablation.sweep, pipeline__scope="parent")
    dates = ablation.matches["date"]
    facts = (
        ("Sweep", ablation.sweep),
        ("Forecast matches", f"{len(dates):,}, {dates.min():%Y-%m-%d} to {dates.max():%Y-%m-%d}"),
        *common(runs),
        *made(store),
    )
    sections = (
        _verdicts(ablation),
        _scores(ablation, parents),
        *_bookmaker(ablation),
        slice_section(ablation, best_model(ablation)),
        _calibration(ablation),
        learning_section(store, ablation, best_model(ablation)[0]),
        runs_section([*parents, *runs]),
    )
    return Page(f"ablation-{ablation.sweep}", "Ablation: what the features are worth", facts, sections)


def best_model(ablation: Ablation) -> tuple[str, str]:
    """Model and fraction with the lowest log-loss on all features."""
    full = {key: one.losses["logloss"].mean() for key, one in ablation.forecasts.items() if key[0] == REFERENCE}
    return min(full, key=lambda key: float(full[key]))[1:]


def of_model(keys: Sequence[Key], model: tuple[str, str]) -> list[Key]:
    """Those of one model and fraction."""
    return [key for key in keys if key[1:] == model]


def _verdicts(ablation: Ablation) -> Section:
    found = {loss: ablation.verdicts(loss) for loss in LOSSES}
    tables = tuple(
        Table(
            f"differences_{loss}",
            f"{name[0].upper()}{name[1:]}: each variant less {REFERENCE}, match by match",
            (*WHO, Column("mean", ".4f"), *JUDGED),
            tuple(_row(ablation.forecasts[key], loss, one) for key, one in found[loss].items()),
            folded=loss != "logloss" and len(found[loss]) > OPEN_ROWS,
        )
        for loss, name in LOSSES.items()
    )
    text = (
        *(_sentence(key, one) for key, one in found["logloss"].items() if key[1:] == best_model(ablation)),
        "Intervals come from a bootstrap over weeks of matches and are right for all rows of a table together in 95 of "
        "100 cases. Smallest effect: what these data would have shown in 80 of 100 cases.",
    )
    return Section(f"Against {REFERENCE}", text, (_interval_plot(found["logloss"]), *tables))


def _sentence(key: Key, one: Verdict) -> str:
    """The verdict on a variant in words."""
    how = f"{one.mean:+.4f} nats, {one.low:+.4f} to {one.high:+.4f}"
    told = f"{one.told} than {REFERENCE}" if one.told in ("worse", "better") else f"{one.told} from {REFERENCE} is seen"
    return f"{named(key)} with {key[1]}: {told} ({how})."


def _interval_plot(verdicts: dict[Key, Verdict]) -> Plot:
    from matchclf.reports.drawings import intervals

    panels: dict[str, dict[str, tuple[float, float, float]]] = {}
    for key, one in verdicts.items():
        panels.setdefault(key[1], {})[named(key)] = (one.mean, one.low, one.high)
    shows = f"Difference in log-loss from {REFERENCE} with its interval, one panel a model, one row a variant."
    return Plot(intervals(panels, UNIT), shows)


def _row(one: Forecast, loss: str, verdict: Verdict) -> tuple[object, ...]:
    return (named(one.key), one.key[1], float(one.losses[loss].mean()), *_judged(verdict), one.run.info.run_id)


def _judged(one: Verdict) -> tuple[object, ...]:
    return one.mean, one.low, one.high, one.smallest, one.told


def _scores(ablation: Ablation, parents: Sequence[StoredRun]) -> Section:
    rows = [
        (
            named(key),
            key[1],
            *(one.run.data.metrics.get(f"cv.{name}_mean") for name in METRIC_NAMES),
            one.run.info.run_id,
        )
        for key, one in sorted(ablation.forecasts.items(), key=lambda item: item[1].run.data.metrics["cv.logloss_mean"])
    ]
    columns = (*WHO, *METRIC_COLUMNS, Column("run", RUN))
    title = "Means over the walk-forward folds, every year with the same weight"
    return Section("Scores", (MEANINGS,), (Table("scores", title, columns, (*rows, *_baseline_rows(parents))),))


def _baseline_rows(parents: Sequence[StoredRun]) -> list[tuple[object, ...]]:
    """The baselines as the latest parent logged them; they are the same for all with the same data and fraction."""
    parent = parents[-1]
    metrics = parent.data.metrics
    names = sorted({name.split(".")[1] for name in metrics if name.startswith("baseline.")})
    return [
        ("baseline", name, *(metrics.get(f"baseline.{name}.{one}_mean") for one in METRIC_NAMES), parent.info.run_id)
        for name in names
    ]


def _bookmaker(ablation: Ablation) -> list[Section]:
    """Each forecast less the bookmaker's, on the matches that have a price; no section where none has."""
    matches = ablation.matches
    if not set(ODDS) <= set(matches.columns):
        return []
    priced = matches[list(ODDS)].notna().all(axis=1).to_numpy()
    market = match_losses(matches[TARGET].to_numpy()[priced], baselines.bookmaker(matches.loc[priced, list(ODDS)]))
    differences = {key: one.losses["logloss"][priced] - market["logloss"] for key, one in ablation.forecasts.items()}
    judged = judge({"/".join(key): values for key, values in differences.items()}, matches.loc[priced, "date"])
    rows = tuple(
        (
            named(key),
            key[1],
            float(ablation.forecasts[key].losses["logloss"][priced].mean()),
            *_judged(one),
            _id(ablation, key),
        )
        for key, one in zip(differences, judged.values(), strict=True)
    )
    text = f"{int(priced.sum()):,} of {len(matches):,} matches have a price; its margin is removed by Shin's method."
    title = f"Log-loss less the bookmaker's, which is {float(market['logloss'].mean()):.4f}"
    return [
        Section(
            "Against the bookmaker", (text,), (Table("bookmaker", title, (*WHO, Column("mean", ".4f"), *JUDGED), rows),)
        )
    ]


def _id(ablation: Ablation, key: Key) -> str:
    return str(ablation.forecasts[key].run.info.run_id)


def _calibration(ablation: Ablation) -> Section:
    from matchclf.reports.drawings import calibration_gaps

    model = best_model(ablation)
    keys = of_model(list(ablation.forecasts), model)
    proba = {named(key): ablation.forecasts[key].proba for key in sorted(keys, key=lambda key: key[0] != REFERENCE)}
    target = ablation.matches[TARGET].to_numpy()
    text = (
        f"Forecasts of {model[0]}, each outcome in ten groups of equal size by its probability: above the line it "
        "happened more often than was said. Bars are 95 % intervals of the share."
    )
    shows = "How much more often each outcome happened than forecast, by forecast probability and variant."
    return Section("Calibration", (text,), (Plot(calibration_gaps(target, proba), shows),))
