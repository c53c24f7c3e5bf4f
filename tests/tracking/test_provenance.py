"""What a run keeps so that it can be made again, in a real store."""

import json
from pathlib import Path

import pytest

import program
from matchclf.tracking import runs
from matchclf.tracking.provenance import (
    DIFF,
    DIGESTS,
    ENVIRONMENT,
    OVERRIDES,
    keep_code,
    keep_digests,
    read_json_kept,
    read_kept,
)

SECRET = "q7Zr2Kf9Xw4Lm8Tb3Nc6"
VERSIONS = {"python": "3.11.7", "package.google-auth": "2.41.1", "package.numpy": "2.4.0"}
# A change of a file with line ends of another system, and one without an end of its last line.
PATCH = "diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-one\r\n+zwölf\r\n\\ No newline at end of file\n"


@pytest.fixture
def run(store):
    return runs.start(store, "a run", {})


def kept(run):
    return {file.path for file in run.store.client.list_artifacts(run.id, "lineage")}


def test_changes_environment_and_command_line_come_back_as_they_were_kept(run):
    keep_code(run, PATCH, VERSIONS, ["stage=ablation", "model=[dummy]"])
    assert kept(run) == {"lineage/uncommitted.diff", "lineage/environment.json", "lineage/overrides.json"}
    assert read_kept(run.store, run.id, DIFF) == PATCH
    assert read_json_kept(run.store, run.id, ENVIRONMENT) == VERSIONS
    assert json.loads(read_kept(run.store, run.id, OVERRIDES)) == ["stage=ablation", "model=[dummy]"]


def test_clean_code_leaves_no_file_of_changes(run):
    keep_code(run, "", VERSIONS, [])
    assert kept(run) == {"lineage/environment.json", "lineage/overrides.json"}
    assert read_kept(run.store, run.id, DIFF) is None


def test_digests_keep_the_order_in_which_data_travels(run):
    digests = {"matches": "0a" * 8, "features.elo": "0b" * 8, "split.holdout": "0c" * 8, "fold.2019": "0d" * 8}
    keep_digests(run, digests)
    assert list(read_json_kept(run.store, run.id, DIGESTS).items()) == list(digests.items())


def test_a_run_that_kept_nothing_has_nothing(run):
    assert (read_kept(run.store, run.id, DIFF), read_json_kept(run.store, run.id, DIGESTS)) == (None, None)


def test_no_secret_is_kept(run, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", SECRET)
    keep_code(run, f"+token = '{SECRET}'\n", VERSIONS, [f"data.path={SECRET}"])
    folder = program.client(run.store.uri).download_artifacts(run.id, "lineage")
    texts = {path.name: path.read_text() for path in Path(folder).iterdir()}
    assert [name for name, text in texts.items() if SECRET in text] == []
    assert texts["uncommitted.diff"] == "+token = '***'\n"
