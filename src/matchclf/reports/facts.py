"""What every report says of its runs: which they are, on which data and code they were made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from matchclf.reports.page import SHORT_ID, Column, Section, Table
from matchclf.tracking.search import StoredRun
from matchclf.tracking.store import Store

METRIC_NAMES = {
    "logloss": "log-loss",
    "brier": "Brier",
    "rps": "RPS",
    "accuracy": "accuracy",
    "ece": "ECE",
    "roc_auc_ovr": "ROC AUC",
}
METRIC_COLUMNS = tuple(Column(name, ".4f") for name in METRIC_NAMES.values())
MEANINGS = (
    "Log-loss is in nats, the mean of minus the logarithm of the probability given to what happened; log-loss, Brier, "
    "RPS and ECE are better when lower, accuracy and ROC AUC when higher."
)
_RUN_COLUMNS = ("run id", "name", "status", "began (UTC)", "variant", "code", "params hash", "data hash")


def made(store: Store) -> tuple[tuple[str, str], ...]:
    """Where the report was read from, and when."""
    return ("Experiment", f"{store.experiment_name} in {store.uri}"), ("Written (UTC)", _time(datetime.now(UTC)))


def common(runs: Sequence[StoredRun]) -> tuple[tuple[str, str], ...]:
    """Code and data of runs, each value that occurs."""
    tags = [run.data.tags for run in runs]
    code = _all(f"{one.get('pipeline.git_sha', '?')}{_dirty(one)}" for one in tags)
    data = _all(f"{one['data.version']} ({one.get('data.source_key', '?')})" for one in tags if "data.version" in one)
    dates = _all(f"{one['data.train_start']} to {one['data.train_end']}" for one in tags if "data.train_start" in one)
    facts = {"Code": code, "Data": data, "Development matches": dates}
    return tuple((name, told) for name, told in facts.items() if told)


def runs_section(runs: Sequence[StoredRun]) -> Section:
    """All runs that a report took a number from, with their full ids."""
    columns = tuple(Column(name) for name in _RUN_COLUMNS)
    rows = tuple(_run_row(run) for run in runs)
    text = (
        "A number shows the id of its run when the pointer rests on it; tables name it in their last column. Code "
        "that is called changed had uncommitted changes."
    )
    return Section("Runs", (text,), (Table("runs", "Every run behind this report", columns, rows),))


def _run_row(run: StoredRun) -> tuple[str, ...]:
    tags = run.data.tags
    began = _time(datetime.fromtimestamp(run.info.start_time / 1000, UTC))
    code = f"{tags.get('pipeline.git_sha', '')}{_dirty(tags)}"
    hashes = tags.get("pipeline.params_hash", ""), tags.get("data.hash", "")[:SHORT_ID]
    info = run.info
    return (info.run_id, info.run_name, info.status, began, tags.get("pipeline.variant", ""), code, *hashes)


def _all(values: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(values))


def _dirty(tags: dict[str, str]) -> str:
    return ", changed" if tags.get("pipeline.git_dirty") == "true" else ""


def _time(when: datetime) -> str:
    return when.strftime("%Y-%m-%d %H:%M")
