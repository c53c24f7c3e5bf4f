"""Logging one run, beside fluent calls; and how it grows with the runs in the store."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from rows.measure import Options, Row, at_most, times_as_fast

BLOCK = 20


def child_run(options: Options) -> Iterator[Row]:
    """One child run with 20 tags, 12 params and 12 metrics."""
    ours = our_child(options.folder / "ours.db")
    same, theirs = options.folder / "same.db", options.folder / "theirs.db"
    opened(same)
    for where, database in (("a database as MLflow makes it", theirs), ("a database as ours", same)):
        fluent = fluent_child(database)
        found = [(timed(ours, BLOCK), timed(fluent, BLOCK)) for _ in range(options.pairs)]
        yield times_as_fast(f"one child run logged; fluent calls one by one, in {where}", found, ">= 5")


def store(options: Options) -> Iterator[Row]:
    """The tracking of the next run with one child, in a store with 1,000 finished runs and in one with 10."""
    large, small = (filled(options.folder / f"store{size}.db", size) for size in (1000, 10))
    found = [(timed(large, 5), timed(small, 5)) for _ in range(options.pairs)]
    yield at_most("tracking of the next run after 1,000 runs; after 10", found, "< 1.5")


def timed(work: Callable[[], None], times: int) -> float:
    """Seconds of one turn, the mean of a few."""
    began = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - began) / times


def content() -> tuple[dict, dict, dict]:
    tags = {f"tag.{number}": f"value {number}" for number in range(20)}
    params = {f"param.{number}": number for number in range(12)}
    metrics = {f"metric.{number}": number / 7 for number in range(12)}
    return tags, params, metrics


def opened(database: Path):
    from matchclf.config import Tracking
    from matchclf.tracking.store import open_store

    return open_store(Tracking("local", f"sqlite:///{database}"), "speed", database.parent)


def our_child(database: Path) -> Callable[[], None]:
    from matchclf.tracking import children, record, runs

    parent = runs.start(opened(database), "parent", {"pipeline.scope": "parent"})
    tags, params, metrics = content()

    def log() -> None:
        with children.child_run(parent, "child", tags) as run:
            record.record(run, params=params, metrics=metrics)

    return log


def fluent_child(database: Path) -> Callable[[], None]:
    import mlflow

    mlflow.end_run()
    mlflow.set_tracking_uri(f"sqlite:///{database}")
    mlflow.set_experiment("fluent")
    mlflow.start_run(run_name="parent")
    tags, params, metrics = content()

    def log() -> None:
        with mlflow.start_run(run_name="child", nested=True):
            for name, value in tags.items():
                mlflow.set_tag(name, value)
            for name, value in params.items():
                mlflow.log_param(name, value)
            for name, value in metrics.items():
                mlflow.log_metric(name, value)

    return log


def filled(database: Path, size: int) -> Callable[[], None]:
    """A store with this many finished runs, four children a parent; then: everything that the next run does there."""
    from matchclf.tracking import children, orphans, record, runs

    store = opened(database)
    tags, params, metrics = content()
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

    def one_run(names: list[str]) -> None:
        orphans.reap(store)
        parent = runs.start(store, "parent", {"pipeline.scope": "parent"})
        for name in names:
            with children.child_run(parent, name, tags) as run:
                record.record(run, params=params, metrics=metrics)
        runs.finish(parent)

    for _ in range(size // 5):
        one_run(["a", "b", "c", "d"])
    return lambda: one_run(["a"])
