"""No file may grow beyond a size, as on a full disk: each stage says which file, and the next try succeeds."""

import json

import pandas as pd
import pyarrow.parquet as pq
import pytest

import mlflow_server
import program

LIMIT = """
import os, resource
resource.setrlimit(resource.RLIMIT_FSIZE, (int(os.environ["LARGEST"]),) * 2)
"""
ONE = (*program.TINY, "model=logreg", "tuning.n_trials=2", "registry.champion_max_ece=1")
# Largest file in bytes that still can be written: what the stage writes last, or all at once, is larger.
STAGES = [
    ("prepare", 20_000),
    ("train_eval", 8_000),
    ("ablation", 8_000),
    ("tuning", 8_000),
    ("final_train", 8_000),
    ("register", 300),
    ("predict", 300),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder to work in, and a server on a disk that is not full."""
    behind = tmp_path_factory.mktemp("server")
    with mlflow_server.mlflow_server(behind) as address:
        yield tmp_path_factory.mktemp("work"), address


@pytest.mark.slow
@pytest.mark.parametrize(("stage", "largest"), STAGES)
def test_a_full_disk_is_told_with_the_path_and_the_next_try_succeeds(place, tmp_path, stage, largest):
    folder, address = place
    command = [*ONE, f"stage={stage}", f"tracking.uri={address}"]
    if stage == "predict":
        command += ["alias=candidate", f"fixtures={write_fixture(folder)}"]
    hook = program.hooked(tmp_path / "hook", LIMIT, LARGEST=str(largest))
    before = {one.info.run_id for one in program.search(address)}
    failed = program.run(*command, cwd=folder, **hook)
    assert failed.code != 0, failed
    *_, sentence = failed.err.splitlines()
    assert sentence.startswith("Error: ")
    assert "File too large" in sentence or "status.reason" in sentence, failed.err
    made = [one for one in program.search(address) if one.info.run_id not in before]
    assert {one.info.status for one in made} <= {"FAILED", "FINISHED"}
    told = [sentence, *(one.data.tags.get("status.reason", "") for one in made)]
    assert any("/" in one and "File too large" in one for one in told), told
    check_files(folder)
    done = program.run(*command, cwd=folder)
    assert done.code == 0, done
    check_files(folder)


def write_fixture(folder):
    last = pd.read_parquet(folder / "data/processed/dataset.parquet").iloc[-1]
    path = folder / "fixtures.csv"
    path.write_text(
        f"date,home,away\n{last['date'] + pd.Timedelta(days=30):%Y-%m-%d},{last.home_team},{last.away_team}\n"
    )
    return path


def check_files(folder):
    """Every file below data is whole, and no part of one is left."""
    assert list(folder.rglob("*.part")) == []
    for path in (folder / "data").rglob("*.parquet"):
        pq.read_table(path, page_checksum_verification=True)
    for path in (folder / "data").rglob("*.json"):
        json.loads(path.read_text())
