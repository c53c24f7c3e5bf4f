"""The tags of the contract as pure functions: people's saved searches and dashboards read these names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from matchclf.config import Config
from matchclf.lineage.git import CodeState
from matchclf.lineage.source import Source

if TYPE_CHECKING:
    import pandas as pd

NONE = "none"


def pipeline_tags(config: Config, code: CodeState, hashes: Mapping[str, str], sweep_id: str) -> dict[str, str]:
    """Tags of a parent run; children carry the same with another scope. ``hashes``: params_hash, params_file_hash."""
    return {
        "pipeline.run_kind": config.run_kind,
        "pipeline.stage": config.stage.name,
        "pipeline.scope": "parent",
        "pipeline.variant": config.variant.name,
        "features.profile": config.features.profile,
        "pipeline.git_sha": code.short_sha,
        "pipeline.git_dirty": str(code.dirty).lower(),
        "pipeline.sweep_id": sweep_id,
        "mlflow.source.git.commit": code.sha,
        **{f"pipeline.{name}": value for name, value in hashes.items()},
    }


def data_tags(version: str, source: Source, train: pd.Series, test: pd.Series) -> dict[str, str]:
    """Lineage of the data; ``version`` is the MD5 of dataset.parquet, the two series are the dates of each part."""
    return {
        "data.version": version,
        "data.hash": version,
        "data.source_bucket": source.bucket,
        "data.source_key": source.key,
        "data.source_etag": source.etag.strip('"'),
        "data.source_md5": source.md5,
        "data.source_version_id": source.version_id or NONE,
        "data.source_last_modified": source.last_modified,
        "data.ingested_at": source.ingested_at,
        **_window("train", train),
        **_window("test", test),
    }


def child_tags(parent: Mapping[str, str], data: Mapping[str, str], family: str) -> dict[str, str]:
    """Tags of a child run: its parent's, its data's and its model's."""
    return {**parent, **data, "pipeline.scope": "child", "model.family": family}


def run_name(config: Config) -> str:
    """Name of a parent run.

    For instance ``ablation | variant=elo_only | frac=1.0``; smoke runs begin with ``smoke | ``.
    """
    parts = {
        "train_eval": f"train_eval | frac={config.frac.value} | feat={config.features.profile}",
        "tuning": f"tuning | frac={config.frac.value}",
        "ablation": f"ablation | variant={config.variant.name} | frac={config.frac.value}",
        "final_train": f"final_train | model={next(iter(config.models))}",
    }
    return ("smoke | " if config.smoke else "") + parts[config.stage.name]


def _window(part: str, dates: pd.Series) -> dict[str, str]:
    return {
        f"data.{part}_start": f"{dates.min():%Y-%m-%d}",
        f"data.{part}_end": f"{dates.max():%Y-%m-%d}",
        f"data.{part}_rows": str(len(dates)),
    }
