"""What a run keeps: parameters and scores in one batch, tables and texts as artifacts, the dataset it read."""

from __future__ import annotations

import json
import math
import tempfile
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import yaml

from matchclf.config import Config
from matchclf.files import write_parquet
from matchclf.redaction import redact, redact_tree
from matchclf.tracking.runs import Run
from matchclf.tracking.store import Store

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from mlflow.entities import Metric

CONFIG = "config/resolved.yaml"
MAX_PARAM_LENGTH = 6000
# Most parameters that a server takes in one request.
BATCH = 100


def record(
    run: Run,
    params: Mapping[str, object] | None = None,
    metrics: Mapping[str, float] | None = None,
    by_year: pd.DataFrame | None = None,
    tags: Mapping[str, str] | None = None,
) -> None:
    """Log everything in one call, or in few where there are more parameters than a server takes at once.

    ``by_year`` has one row a year and one column a metric; its step is the year. A score that is NaN is unknown
    and is not stored, since MLflow would show it as a number.
    """
    from mlflow.entities import Param, RunTag

    entries = [Param(key, _clear(value)[:MAX_PARAM_LENGTH]) for key, value in (params or {}).items()]
    for begin in range(BATCH, len(entries), BATCH):
        run.store.client.log_batch(run.id, params=entries[begin : begin + BATCH])
    points = [*_points(metrics or {}, 0), *(p for year, row in _rows(by_year) for p in _points(row, year))]
    run.store.client.log_batch(
        run.id,
        metrics=points,
        params=entries[:BATCH],
        tags=[RunTag(key, redact(value)) for key, value in (tags or {}).items()],
    )


def keep_table(run: Run, table: pd.DataFrame, name: str) -> None:
    """Store a table as the Parquet artifact ``name``."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / Path(name).name
        write_parquet(table, path)
        run.store.client.log_artifact(run.id, str(path), str(Path(name).parent))


def keep_text(runs: Run | Iterable[Run], text: str, name: str) -> None:
    """Store a text as the artifact ``name`` of a run, or of several."""
    clear = redact(text)
    for run in [runs] if isinstance(runs, Run) else runs:
        run.store.client.log_text(run.id, clear, name)


def keep_figure(run: Run, figure: Figure, name: str) -> None:
    """Store a figure as the PNG artifact ``name``."""
    run.store.client.log_figure(run.id, figure, name)


def keep_config(run: Run, config: Config) -> None:
    """Store the resolved config as YAML, without the address of the store."""
    settings = redact_tree(asdict(config))
    settings["tracking"] = {"name": config.tracking.name}
    keep_text(run, yaml.safe_dump(settings, sort_keys=False), CONFIG)


def read_config(store: Store, run_id: str) -> dict[str, Any]:
    """The resolved config that a run stored."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(store.client.download_artifacts(run_id, CONFIG, folder))
        found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def record_input(run: Run, path: Path, digest: str, rows: int) -> None:
    """Tell MLflow which dataset the run was trained on: its path and the MD5 of the prepared dataset."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    source = json.dumps({"uri": str(path)})
    profile = json.dumps({"num_rows": rows})
    dataset = Dataset(name=path.stem, digest=digest, source_type="local", source=source, profile=profile)
    context = InputTag("mlflow.data.context", "training")
    run.store.client.log_inputs(run.id, datasets=[DatasetInput(dataset, [context])])


def _clear(value: object) -> str:
    return str(value) if isinstance(value, int | float | None) else redact(str(value))


def _points(values: Mapping[str, float], step: int) -> list[Metric]:
    from mlflow.entities import Metric

    now = int(time.time() * 1000)
    return [Metric(key, float(value), now, step) for key, value in values.items() if not math.isnan(value)]


def _rows(by_year: pd.DataFrame | None) -> list[tuple[int, dict[str, float]]]:
    if by_year is None:
        return []
    return [(int(str(year)), dict(row)) for year, row in by_year.iterrows()]
