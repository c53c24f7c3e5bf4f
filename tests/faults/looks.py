"""What is in a store and in the files of a folder, read without the program."""

import hashlib
import json
import sqlite3
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field

from matchclf.files import digest, read_parquet

TABLES = ("runs", "tags", "params", "metrics", "latest_metrics")
ORPHAN = {"status.orphaned": "true", "status.reason": "Its process ended before the run did."}


@dataclass(frozen=True)
class Seen:
    """A run as it is stored."""

    id: str
    name: str
    status: str
    tags: dict = field(repr=False)
    params: dict = field(repr=False)
    metrics: dict = field(repr=False)

    @property
    def parent(self):
        return self.tags.get("mlflow.parentRunId")


def query(folder, statement, *values):
    """All rows that a statement finds."""
    with closing(sqlite3.connect(folder / "mlflow.db", timeout=60)) as connection:
        return connection.execute(statement, values).fetchall()


def all_runs(folder):
    """Every run, oldest first."""
    return [
        Seen(
            *row,
            tags=dict(query(folder, "SELECT key, value FROM tags WHERE run_uuid = ?", row[0])),
            params=dict(query(folder, "SELECT key, value FROM params WHERE run_uuid = ?", row[0])),
            metrics=dict(query(folder, "SELECT key, value FROM latest_metrics WHERE run_uuid = ?", row[0])),
        )
        for row in query(folder, "SELECT run_uuid, name, status FROM runs ORDER BY start_time")
    ]


def finished(folder):
    """Of each child run that is FINISHED every row of the store and the digest of every artifact."""
    found = "SELECT run_uuid FROM tags WHERE key = 'pipeline.scope' AND value = 'child' AND run_uuid IN "
    ids = [row[0] for row in query(folder, f"{found} (SELECT run_uuid FROM runs WHERE status = 'FINISHED')")]
    return {one: (_rows(folder, one), _artifacts(folder, one)) for one in ids}


def _rows(folder, run_id):
    return [sorted(query(folder, f"SELECT * FROM {table} WHERE run_uuid = ?", run_id), key=str) for table in TABLES]


def _artifacts(folder, run_id):
    files = [path for path in (folder / "mlartifacts" / run_id).rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def check_ended(folder):
    """Every run has ended; what did not end by itself is FAILED and says why; parents tell how their children ended."""
    runs = all_runs(folder)
    assert {run.status for run in runs} <= {"FINISHED", "FAILED"}, runs
    for run in runs:
        if run.status == "FAILED":
            assert {key: run.tags.get(key) for key in ORPHAN} == ORPHAN, run
    for parent in runs:
        ended = Counter(run.status.lower() for run in runs if run.parent == parent.id)
        if parent.status == "FINISHED":
            assert {key: parent.tags.get(f"children.{key}") for key in ended} == {k: str(n) for k, n in ended.items()}
    return runs


def check_files(folder):
    """No file below ``data`` is half: tables and JSON can be read, and where there is a manifest, it agrees."""
    for path in (folder / "data").rglob("*"):
        if path.suffix == ".parquet":
            read_parquet(path)
        if path.suffix == ".json":
            json.loads(path.read_text())
    manifest = folder / "data/processed/manifest.json"
    if manifest.exists():
        files = json.loads(manifest.read_text())["files"]
        assert {path: digest(folder / path) for path in files} == files


def side_by_side(story, numbers):
    """The results of several stories, two at a time."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(story, numbers))
