from dataclasses import replace

import pandas as pd
import pytest

from matchclf.lineage.git import CodeState
from matchclf.lineage.source import Source
from matchclf.tracking.tags import child_tags, data_tags, pipeline_tags, run_name

SHA = "5898c11d3a2f0b9f0c4f5f3f7a1b2c3d4e5f6a7b"
HASHES = {"params_hash": "0123456789abcdef", "params_file_hash": "fedcba9876543210", "dvc_exp_name": "exp-1f2a"}
MD5 = "0cc175b9c0f1b6a831c399e269772661"
SOURCE = Source("bucket", "raw/E0.csv", '"9001"', "2025-07-01T12:00:00+00:00", "2025-07-02T12:00:00+00:00", MD5, "v1")
TRAIN = pd.Series(pd.to_datetime(["2016-08-13", "2023-12-31", "2012-01-05"]).as_unit("s"))
TEST = pd.Series(pd.to_datetime(["2024-01-01"]).as_unit("s"))
PARENT = {
    "pipeline.run_kind": "ablation",
    "pipeline.stage": "ablation",
    "pipeline.scope": "parent",
    "pipeline.variant": "full_no_h2h",
    "features.profile": "no_h2h",
    "pipeline.git_sha": "5898c11",
    "pipeline.git_dirty": "true",
    "pipeline.dvc_exp_name": "exp-1f2a",
    "pipeline.params_hash": "0123456789abcdef",
    "pipeline.params_file_hash": "fedcba9876543210",
    "pipeline.sweep_id": "2026-11-22-10-00-00-123456",
    "mlflow.source.git.commit": SHA,
}
DATA = {
    "data.version": "d41d8cd98f00b204e9800998ecf8427e",
    "data.hash": "d41d8cd98f00b204e9800998ecf8427e",
    "data.source_bucket": "bucket",
    "data.source_key": "raw/E0.csv",
    "data.source_etag": "9001",
    "data.source_md5": MD5,
    "data.source_version_id": "v1",
    "data.source_last_modified": "2025-07-01T12:00:00+00:00",
    "data.ingested_at": "2025-07-02T12:00:00+00:00",
    "data.train_start": "2012-01-05",
    "data.train_end": "2023-12-31",
    "data.train_rows": "3",
    "data.test_start": "2024-01-01",
    "data.test_end": "2024-01-01",
    "data.test_rows": "1",
}


def test_a_parent_has_these_tags(compose):
    config = compose("stage=ablation", "variant=full_no_h2h")
    found = pipeline_tags(config, CodeState(SHA, "5898c11", dirty=True), HASHES, "2026-11-22-10-00-00-123456")
    assert found == PARENT


def test_the_data_have_these_tags_and_the_etag_loses_its_quotes():
    assert data_tags("d41d8cd98f00b204e9800998ecf8427e", SOURCE, TRAIN, TEST) == DATA


def test_a_source_without_versions_says_so():
    found = data_tags("version", replace(SOURCE, version_id=""), TRAIN, TEST)
    assert found["data.source_version_id"] == "none"


def test_a_child_has_the_tags_of_its_parent_and_its_data_and_its_own():
    parent, data = dict(PARENT), dict(DATA)
    expected = {**PARENT, **DATA, "pipeline.scope": "child", "model.family": "gradient_boosting"}
    assert child_tags(parent, data, "gradient_boosting") == expected
    assert (parent, data) == (PARENT, DATA)


@pytest.mark.parametrize(
    ("overrides", "name", "changed"),
    [
        (
            ["stage=ablation", "variant=elo_only"],
            "ablation | variant=elo_only | frac=1.0",
            ("ablation", "ablation", "elo_only", "elo_only"),
        ),
        (["stage=ablation"], "ablation | variant=full | frac=1.0", ("ablation", "ablation", "full", "full")),
        (
            ["stage=ablation", "variant=stats_only", "frac=tenth"],
            "ablation | variant=stats_only | frac=0.1",
            ("ablation", "ablation", "stats_only", "stats_only"),
        ),
        (
            ["stage=ablation", "variant=full_no_h2h", "experiment=smoke"],
            "smoke | ablation | variant=full_no_h2h | frac=0.001",
            ("smoke", "ablation", "full_no_h2h", "no_h2h"),
        ),
        (
            ["stage=train_eval"],
            "train_eval | frac=1.0 | feat=full",
            ("train_eval", "train_eval", "baseline", "full"),
        ),
        (
            ["stage=train_eval", "variant=full_no_h2h", "frac=half", "frac.value=1"],
            "train_eval | frac=1.0 | feat=no_h2h",
            ("train_eval", "train_eval", "full_no_h2h", "no_h2h"),
        ),
        (
            ["stage=tuning", "frac=tenth"],
            "tuning | frac=0.1",
            ("tuning", "tuning", "baseline", "full"),
        ),
        (
            ["stage=tuning", "experiment=smoke"],
            "smoke | tuning | frac=0.001",
            ("smoke", "tuning", "baseline", "full"),
        ),
        (
            ["stage=final_train"],
            "final_train | model=xgb",
            ("final_train", "final_train", "baseline", "full"),
        ),
        (
            ["stage=final_train", "experiment=smoke", "model=logreg", "frac=tenth"],
            "smoke | final_train | model=logreg",
            ("smoke", "final_train", "baseline", "full"),
        ),
        (
            ["experiment=smoke"],
            "smoke | train_eval | frac=0.001 | feat=full",
            ("smoke", "train_eval", "baseline", "full"),
        ),
    ],
)
def test_names_and_tags_of_each_kind_of_run_are_those_that_people_search_for(compose, overrides, name, changed):
    config = compose(*overrides)
    kind, stage, variant, profile = changed
    expected = {
        "pipeline.run_kind": kind,
        "pipeline.stage": stage,
        "pipeline.scope": "parent",
        "pipeline.variant": variant,
        "features.profile": profile,
        "pipeline.git_sha": "none",
        "pipeline.git_dirty": "false",
        "pipeline.sweep_id": "none",
        "mlflow.source.git.commit": "none",
    }
    assert run_name(config) == name
    assert pipeline_tags(config, CodeState("none", "none", dirty=False), {}, "none") == expected


def test_every_tag_is_a_text():
    for tags in (PARENT, data_tags("version", SOURCE, TRAIN, TEST), child_tags({}, {}, "linear")):
        assert all(type(name) is type(value) is str for name, value in tags.items())
