"""Two runs held against each other, step by step in the order in which data travels."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from matchclf.errors import ModelError
from matchclf.evaluate import OUT_OF_FOLD
from matchclf.files import read_parquet
from matchclf.stages.final_scores import PREDICTIONS
from matchclf.tracking.provenance import DIGESTS, read_json_kept
from matchclf.tracking.search import StoredRun
from matchclf.tracking.store import Store

IDENTICAL, WITHIN, DIVERGED = "identical", "within tolerance", "diverged"
ORDER = ("matches", "features", "split", "fold", "model", "metrics")
# What may differ between two runs of the same experiment.
TIMES = ("duration_seconds",)


@dataclass(frozen=True)
class Step:
    """One step of both runs; ``gap`` is the largest difference of a value, NaN where only digests are known.

    ``kind`` is what it shares with the steps like it: the model, and matches, features, split, fold, model or metrics.
    """

    kind: str
    name: str
    before: str
    after: str
    gap: float
    verdict: str


def compare_runs(store: Store, before: StoredRun, after: StoredRun, tolerance: float, label: str = "") -> list[Step]:
    """Every step of two runs of the same stage, of a trial that was stopped early those it went through.

    Raises ModelError when one has no digests.
    """
    told = [_digests(store, run) for run in (before, after)]
    stopped = before.data.tags.get("trial.state") == "pruned"
    names = told[0] if stopped else told[0] | told[1]
    steps = []
    for name in sorted(names, key=lambda step: (ORDER.index(step.partition(".")[0]), step)):
        first, second = (digests.get(name, "absent") for digests in told)
        gap = 0.0 if first == second else _gap(store, name, before, after)
        kind = label + name.partition(".")[0]
        steps.append(Step(kind, label + name, first, second, gap, _verdict(gap, tolerance)))
    return steps if stopped else [*steps, *_metrics(before, after, tolerance, label)]


def first_divergence(steps: list[Step]) -> Step | None:
    """The first step that is neither identical nor within the tolerance."""
    return next((step for step in steps if step.verdict == DIVERGED), None)


def together(steps: list[Step]) -> str:
    """The verdict on all steps: identical, within tolerance, or diverged first at one of them."""
    diverged = first_divergence(steps)
    if diverged:
        return f"{DIVERGED} first at {diverged.name}"
    return IDENTICAL if all(step.verdict == IDENTICAL for step in steps) else WITHIN


def _digests(store: Store, run: StoredRun) -> dict[str, str]:
    found = read_json_kept(store, run.info.run_id, DIGESTS)
    if found is None:
        raise ModelError(f"Run {run.info.run_id} ({run.info.run_name}) has no digests; it ended early or is too old.")
    return found


def _metrics(before: StoredRun, after: StoredRun, tolerance: float, label: str) -> Iterator[Step]:
    first, second = before.data.metrics, after.data.metrics
    for name in sorted((first.keys() | second.keys()) - set(TIMES)):
        one, other = first.get(name, float("nan")), second.get(name, float("nan"))
        gap = abs(one - other)
        told = f"{one:.10g}", f"{other:.10g}"
        yield Step(f"{label}metrics", f"{label}metrics.{name}", *told, gap, _verdict(gap, tolerance))


def _verdict(gap: float, tolerance: float) -> str:
    if gap == 0:
        return IDENTICAL
    return WITHIN if gap <= tolerance else DIVERGED


def _gap(store: Store, name: str, before: StoredRun, after: StoredRun) -> float:
    """Largest difference of a probability, where both runs stored them; NaN where the step is known by digest only."""
    kind, _, part = name.partition(".")
    if kind not in ("fold", "model"):
        return float("nan")
    tables = [_forecasts(store, run, kind) for run in (before, after)]
    if any(table is None for table in tables):
        return float("nan")
    values = [_probabilities(table, kind, part) for table in tables]
    return float(np.abs(values[0] - values[1]).max()) if values[0].shape == values[1].shape else float("nan")


def _forecasts(store: Store, run: StoredRun, kind: str) -> pd.DataFrame | None:
    path = OUT_OF_FOLD if kind == "fold" else PREDICTIONS
    if path not in {file.path for file in store.client.list_artifacts(run.info.run_id, Path(path).parent.name)}:
        return None
    with tempfile.TemporaryDirectory() as folder:
        return read_parquet(Path(store.client.download_artifacts(run.info.run_id, path, folder)))


def _probabilities(table: pd.DataFrame | None, kind: str, part: str) -> np.ndarray:
    if table is None:
        return np.empty(0)
    if kind == "fold":
        return table.loc[table["fold"] == int(part)].filter(like="prob_").to_numpy()
    return table.filter(regex=f"^{part}_(home|draw|away)$").to_numpy()
