"""What an ablation over variants says: each variant against ``full`` on the same out-of-fold matches."""

from __future__ import annotations

from pathlib import Path

from matchclf.config import Config
from matchclf.console import table
from matchclf.errors import ConfigError
from matchclf.reports.ablation import LOSSES, ablation_page
from matchclf.reports.ablation_runs import REFERENCE, Ablation, latest_sweep, named, read_ablation
from matchclf.reports.files import keep_report
from matchclf.reports.page import Page
from matchclf.stages.results import show_sweep
from matchclf.tracking import runs
from matchclf.tracking.search import find_runs, sweep_scores
from matchclf.tracking.store import Store, open_store

HEADER = ["variant", "model", "mean", "less full", "interval from", "to", "smallest effect", "verdict"]
NOTE = (
    "Intervals by a bootstrap over weeks, right for all rows of a table together in 95 of 100 cases. "
    "Smallest effect: what these data would show in 80 of 100."
)


def show_ablation(config: Config) -> tuple[str, Page]:
    """The verdicts of the sweep ``config.sweep``, else of the latest sweep of ablations."""
    store = open_store(config.tracking, config.experiment_name, Path.cwd())
    sweep = config.sweep or latest_sweep(store)
    ablation = read_ablation(store, sweep)
    if ablation is None:
        raise ConfigError(
            f"The sweep {sweep} has no finished ablation of another variant beside variant={REFERENCE}; run "
            "stage=ablation --multirun variant=elo_only,stats_only,full_no_h2h,full."
        )
    return _told(ablation), ablation_page(store, ablation)


def tell_sweep(store: Store, sweep: str) -> str:
    """The scores of all jobs of a sweep side by side, and the verdicts if they are an ablation; else empty.

    The parents of an ablation get the whole report as an artifact.
    """
    scores = sweep_scores(store, sweep)
    told = [show_sweep(scores)] if any(scores.values()) else []  # final runs have no walk-forward scores
    ablation = read_ablation(store, sweep)
    if ablation is None:
        return "\n\n".join(told)
    parents = find_runs(store, pipeline__sweep_id=sweep, pipeline__scope="parent")
    keep_report(ablation_page(store, ablation), [runs.attach(store, parent.info.run_id) for parent in parents])
    return "\n\n".join([*told, _told(ablation)])


def _told(ablation: Ablation) -> str:
    matches = f"{len(ablation.matches):,} out-of-fold matches"
    title = f"Sweep {ablation.sweep}: {matches}, each variant less {REFERENCE}, match by match"
    return "\n\n".join([title, *(_table(ablation, loss) for loss in LOSSES), NOTE])


def _table(ablation: Ablation, loss: str) -> str:
    rows = [
        [
            named(key),
            key[1],
            f"{ablation.forecasts[key].losses[loss].mean():.4f}",
            *(f"{value:+.4f}" for value in (one.mean, one.low, one.high)),
            f"{one.smallest:.4f}",
            one.told,
        ]
        for key, one in ablation.verdicts(loss).items()
    ]
    return f"{LOSSES[loss]}\n{table(HEADER, rows, left=2)}"
