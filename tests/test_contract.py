"""The table of names and tags that people's saved searches and dashboards read, as one literal."""

import hashlib
import json
import re

import pandas as pd

import program
from matchclf.identity import params_hash

MD5, HASH, DAY = "[0-9a-f]{32}", "[0-9a-f]{16}", r"\d{4}-\d\d-\d\d"
TIME = rf"{DAY}T\d\d:\d\d:\d\d\+00:00"
# A value that matches entirely is replaced by its pattern; all others are compared as they are.
PATTERNS = {
    "pipeline.git_sha": "[0-9a-f]{7,40}|none",
    "pipeline.git_dirty": "true|false",
    "pipeline.git_diff": "none|complete|redacted|cut",
    "pipeline.params_hash": HASH,
    **{f"pipeline.params_hash_{part}": HASH for part in ("data", "features", "split", "model", "search")},
    "pipeline.params_file_hash": HASH,
    "pipeline.sweep_id": rf"{DAY}-\d\d-\d\d-\d\d-\d+",
    "data.version": MD5,
    "data.hash": MD5,
    "data.source_key": "[a-z0-9_]+=.*",
    "data.source_etag": MD5,
    "data.source_md5": MD5,
    "data.source_last_modified": TIME,
    "data.ingested_at": TIME,
    "data.train_start": DAY,
    "data.train_end": DAY,
    "data.test_start": DAY,
    "data.test_end": DAY,
    "data.train_rows": r"\d+",
    "data.test_rows": r"\d+",
    "best.run_id": MD5,
    "best.model": "dummy|logreg",
}
DATA = {name: pattern for name, pattern in PATTERNS.items() if name.startswith("data.")} | {
    "data.source_bucket": "synthetic",
    "data.source_version_id": "none",
    "data.dvc": "none",
}
OURS = ("pipeline.", "features.", "model.", "data.", "holdout.", "best.", "status.")


def tags(scope, run_kind, stage, variant, profile, *, sweep="none", **more):
    return {
        "pipeline.run_kind": run_kind,
        "pipeline.stage": stage,
        "pipeline.scope": scope,
        "pipeline.variant": variant,
        "features.profile": profile,
        "pipeline.git_sha": PATTERNS["pipeline.git_sha"],
        "pipeline.git_dirty": "true|false",
        "pipeline.dvc_exp_name": "none",
        **{name: pattern for name, pattern in PATTERNS.items() if pattern == HASH},
        "pipeline.sweep_id": sweep,
        **DATA,
        **more,
    }


def rows(experiment, name, *words, sweep="none"):
    """A parent run and its two children: experiment, name, status, tags."""
    child = tags("child", *words, sweep=sweep)
    on_the_parent = {name: PATTERNS[name] for name in ("pipeline.git_diff", "best.run_id", "best.model")}
    return [
        (experiment, name, "FINISHED", tags("parent", *words, sweep=sweep, **on_the_parent)),
        (experiment, "model | dummy", "FINISHED", child | {"model.family": "dummy"}),
        (experiment, "model | logreg", "FINISHED", child | {"model.family": "linear"}),
    ]


REAL, SMOKE = "matches_clf", "matches_clf_smoke"
TIED = {"sweep": PATTERNS["pipeline.sweep_id"]}
CONTRACT = [
    *rows(REAL, "ablation | variant=elo_only | frac=1.0", "ablation", "ablation", "elo_only", "elo_only", **TIED),
    *rows(REAL, "ablation | variant=stats_only | frac=1.0", "ablation", "ablation", "stats_only", "stats_only", **TIED),
    *rows(REAL, "ablation | variant=full_no_h2h | frac=1.0", "ablation", "ablation", "full_no_h2h", "no_h2h", **TIED),
    *rows(REAL, "ablation | variant=full | frac=1.0", "ablation", "ablation", "full", "full", **TIED),
    *rows(SMOKE, "smoke | ablation | variant=elo_only | frac=0.001", "smoke", "ablation", "elo_only", "elo_only"),
    *rows(SMOKE, "smoke | train_eval | frac=0.001 | feat=full", "smoke", "train_eval", "baseline", "full"),
    *rows(REAL, "train_eval | frac=1.0 | feat=full", "train_eval", "train_eval", "baseline", "full"),
]


def shown(folder, run):
    experiment = program.client(folder).get_experiment(run.info.experiment_id).name
    ours = {name: value for name, value in run.data.tags.items() if name.startswith(OURS)}
    patterns = {name: PATTERNS[name] for name in ours if re.fullmatch(PATTERNS.get(name, "-"), ours[name])}
    return experiment, run.info.run_name, run.info.status, ours | patterns


def test_experiments_names_and_tags_are_those_of_the_contract(league):
    folder, _ = league
    found = [
        shown(folder, run)
        for parent in program.parents(folder)
        for run in (parent, *program.children(folder, parent).values())
    ]
    assert found == CONTRACT


def test_lineage_tags_tell_what_is_on_disk(league):
    folder, _ = league
    md5 = hashlib.md5((folder / "data/processed/dataset.parquet").read_bytes(), usedforsecurity=False).hexdigest()
    dates = {part: pd.read_parquet(folder / f"data/splits/{part}.parquet")["date"] for part in ("train", "test")}
    expected = {"data.version": md5, "data.hash": md5}
    for part, days in dates.items():
        expected[f"data.{part}_start"] = f"{min(days):%Y-%m-%d}"
        expected[f"data.{part}_end"] = f"{max(days):%Y-%m-%d}"
        expected[f"data.{part}_rows"] = str(len(days))
    found = program.search(folder, "tags.`pipeline.scope` = 'child'")
    assert [{name: one.data.tags[name] for name in expected} for one in found] == [expected] * 14
    assert dates["train"].max() < pd.Timestamp("2024-01-01") <= dates["test"].min()


def test_the_key_of_the_built_in_league_is_its_settings(league, compose):
    folder, _ = league
    settings = vars(compose(*program.TINY).data)
    keys = {one.data.tags["data.source_key"] for one in program.search(folder)}
    assert keys == {",".join(f"{name}={settings[name]}" for name in sorted(settings))}


def test_hashes_are_those_of_the_config_and_of_the_file_params_yaml(league, compose):
    folder, _ = league
    file = hashlib.sha256((program.ROOT / "params.yaml").read_bytes()).hexdigest()[:16]
    commands = {
        "train_eval | frac=1.0 | feat=full": [],
        "ablation | variant=full | frac=1.0": ["stage=ablation"],
        "ablation | variant=elo_only | frac=1.0": ["stage=ablation", "variant=elo_only"],
        "smoke | train_eval | frac=0.001 | feat=full": ["experiment=smoke"],
    }
    for name, command in commands.items():
        config = compose(*program.TINY, program.TWO, *command)
        (parent,) = program.parents(folder, name)
        for run in (parent, *program.children(folder, parent).values()):
            assert run.data.tags["pipeline.params_hash"] == params_hash(config), name
            assert run.data.tags["pipeline.params_file_hash"] == file


def test_the_runs_of_a_folder_of_files_tell_where_the_matches_came_from(files):
    folder, _ = files
    (parent,) = program.parents(folder)
    file = folder / "raw/E0.csv"
    expected = {
        "data.source_bucket": "file",
        "data.source_key": "raw/E0.csv",
        "data.source_etag": hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest(),
        "data.source_last_modified": "2025-07-01T12:00:00+00:00",
        "data.ingested_at": json.loads((folder / "data/processed/manifest.json").read_text())["source"]["ingested_at"],
        "pipeline.dvc_exp_name": "exp-1f2a",
        "pipeline.params_file_hash": hashlib.sha256((folder / "params.yaml").read_bytes()).hexdigest()[:16],
    }
    for run in program.children(folder, parent).values():
        assert {name: run.data.tags[name] for name in expected} == expected


def test_mlflow_shows_children_below_their_parent_and_who_started_them(league):
    folder, _ = league
    for parent in program.parents(folder):
        assert "mlflow.parentRunId" not in parent.data.tags
        for child in program.children(folder, parent).values():
            kept = ("mlflow.user", "mlflow.source.name", "mlflow.source.type")
            assert [child.data.tags[name] for name in kept] == [parent.data.tags["mlflow.user"], "matchclf", "LOCAL"]
