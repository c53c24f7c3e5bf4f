import json
import logging
import os
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import program
from matchclf.data.dataset import FACTS
from matchclf.files import digest
from matchclf.stages.prepare import prepare

TABLES = [
    "data/processed/dataset.parquet",
    "data/splits/truth.parquet",
    "data/processed/upcoming.parquet",
    "data/splits/folds.parquet",
    "data/splits/test.parquet",
    "data/splits/train.parquet",
]
WRITTEN = {*TABLES, *(f"data/processed/{name}" for name in ("findings.csv", "manifest.json", "summary.md"))}
LOCK = "data/processed/.manifest.json.lock"
# Ends the process the hard way right before a file takes its final name.
KILL = """
import os, signal, sys

def kill(event, arguments):
    if event == "os.rename" and str(arguments[1]).endswith(os.environ["KILL_AT"]):
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(kill)
"""
# Waits in the middle of its work until it is told to go on.
PAUSE = """
import os, pathlib, sys, time

def pause(event, arguments):
    marks = pathlib.Path(os.environ["MARKS"])
    if event == "os.rename" and str(arguments[1]).endswith(os.environ["PAUSE_AT"]):
        (marks / "paused").touch()
        while not (marks / "go").exists():
            time.sleep(0.05)

sys.addaudithook(pause)
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with the prepared small league."""
    folder = tmp_path_factory.mktemp("made")
    done = program.run(*program.TINY, "stage=prepare", cwd=folder)
    assert done.code == 0, done
    return folder, done


@pytest.fixture
def here(made, tmp_path, monkeypatch):
    """The working folder: this test's own copy of the prepared small league."""
    shutil.copytree(made[0] / "data", tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def again(compose, caplog):
    """Prepare with more overrides in the working folder; tells whether the data was made anew."""
    caplog.set_level(logging.INFO, "matchclf")

    def prepared(*overrides, base=program.TINY):
        caplog.clear()
        prepare(compose(*base, *overrides))
        kept = any(message.startswith("prepare    kept") for message in caplog.messages)
        assert kept != any(message.startswith("dataset ") for message in caplog.messages)
        return not kept

    return prepared


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.parquet")}


def test_prepare_writes_these_files_shows_the_summary_and_is_no_run(made):
    folder, done = made
    assert {str(Path("data") / path) for path in done.files} == {*WRITTEN, LOCK}
    assert not (folder / "mlflow.db").exists()
    assert done.out.endswith((folder / "data/processed/summary.md").read_text())
    assert done.err == ""


def test_the_splits_are_the_dataset_cut_at_test_start_and_no_match_is_lost(made):
    folder, _ = made
    dataset, train, test = (
        pd.read_parquet(folder / "data" / path)
        for path in ("processed/dataset.parquet", "splits/train.parquet", "splits/test.parquet")
    )
    pd.testing.assert_frame_equal(pd.concat([train, test], ignore_index=True), dataset)
    assert train["date"].max() < pd.Timestamp("2024-01-01") <= test["date"].min()
    assert dataset["date"].is_monotonic_increasing
    assert list(dataset.columns[: len(FACTS) + 1]) == [*FACTS, "outcome_1x2"]
    assert set(map(str, dataset.dtypes.iloc[len(FACTS) + 1 :])) == {"float32"}


def test_the_folds_table_counts_and_dates_what_lies_before_and_in_each_year(made):
    folder, _ = made
    dates = pd.read_parquet(folder / "data/splits/train.parquet")["date"]
    folds = pd.read_parquet(folder / "data/splits/folds.parquet")
    expected = []
    for year in range(2016, 2024):
        before, within = dates[dates.dt.year < year], dates[dates.dt.year == year]
        train, valid = ((part.min(), part.max(), len(part)) for part in (before, within))
        expected.append((year, *train, *valid))
    assert list(folds.itertuples(index=False, name=None)) == expected


def test_the_same_inputs_give_the_same_bytes_in_another_folder(made, again, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert again()
    assert contents(tmp_path) == contents(made[0])


def test_nothing_is_written_when_the_inputs_are_unchanged(here, again):
    before = {path: path.stat().st_mtime_ns for path in here.rglob("data/**/*") if path.name != ".manifest.json.lock"}
    assert not again()
    assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.parametrize(
    "overrides",
    [
        ["stage=ablation", "variant=elo_only"],
        ["variant=full_no_h2h"],
        ["experiment=smoke", "model=[xgb]", "rounds=3"],
        ["frac=tenth", "seed=7", "workers=2"],
        ["tracking=server", "tracking.uri=http://127.0.0.1:9"],
    ],
)
def test_what_does_not_change_the_data_does_not_make_it_anew(here, again, overrides):
    assert not again(*overrides)


@pytest.mark.parametrize(
    "override",
    [
        "data.seed=2",
        "data.form_effect=0",
        "features.families.elo.k=20",
        "features.families.form.windows=[3]",
        "temporal.test_start=2024-02-01",
        "temporal.cv_years=[2020]",
    ],
)
def test_a_changed_setting_makes_the_data_anew_as_in_an_empty_folder(here, again, override, monkeypatch):
    assert again(override)
    (here / "empty").mkdir()
    fresh = contents(here / "data")
    monkeypatch.chdir(here / "empty")
    assert again(override)
    assert contents(here / "empty/data") == fresh
    monkeypatch.chdir(here)
    assert again()


@pytest.mark.parametrize("path", TABLES)
def test_a_changed_byte_is_found_though_size_and_time_are_kept(here, again, path, made):
    file = here / path
    times = file.stat().st_atime_ns, file.stat().st_mtime_ns
    damaged = bytearray(file.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    file.write_bytes(damaged)
    os.utime(file, ns=times)
    assert again()
    assert contents(here) == contents(made[0])
    assert not again()


def test_a_lost_file_is_made_anew(here, again, made):
    (here / "data/splits/folds.parquet").unlink()
    assert again()
    assert contents(here) == contents(made[0])


def test_the_truth_of_another_league_does_not_stay_behind(files, here, again):
    assert (here / "data/splits/truth.parquet").exists()
    shutil.copytree(files[0] / "raw", here / "raw")
    assert again(base=["data=football_data", "data.path=raw"])
    assert not (here / "data/splits/truth.parquet").exists()


def test_the_time_of_a_source_file_does_not_count_but_its_bytes_do(files, tmp_path, again, monkeypatch):
    shutil.copytree(files[0] / "raw", tmp_path / "raw")
    monkeypatch.chdir(tmp_path)
    source = ["data=football_data", "data.path=raw"]
    assert again(base=source)
    first = json.loads(Path("data/processed/manifest.json").read_text())["source"]
    os.utime("raw/E0.csv")
    assert not again(base=source)
    assert json.loads(Path("data/processed/manifest.json").read_text())["source"] == first
    text = Path("raw/E0.csv").read_text()
    home, away = text.splitlines()[1].split(",")[2:4]
    Path("raw/E0.csv").write_text(text.replace(f"{home},{away}", f"{away},{home}", 1))
    assert again(base=source)


def test_lineage_keeps_the_moment_at_which_the_data_was_read(files, tmp_path, compose, monkeypatch):
    shutil.copytree(files[0] / "raw", tmp_path / "raw")
    monkeypatch.chdir(tmp_path)
    config = compose("data=football_data", "data.path=raw/E0.csv")
    first = prepare(config)
    os.utime("raw/E0.csv", (0, 0))
    assert prepare(config) == first
    assert first.version == digest(Path("data/processed/dataset.parquet"))


@pytest.mark.parametrize("at", ["train.parquet", "findings.csv", "manifest.json"])
def test_a_kill_between_two_steps_leaves_nothing_that_looks_whole(here, again, tmp_path, at):
    env = program.hooked(tmp_path / "hook", KILL, KILL_AT=at)
    killed = program.run(*program.TINY, "data.seed=2", "stage=prepare", cwd=here, **env)
    assert killed.code == -9
    assert not (here / "data/processed/manifest.json").exists()
    for path in contents(here):
        pd.read_parquet(here / path)
    assert again("data.seed=2")
    assert json.loads((here / "data/processed/manifest.json").read_text())["files"] == {
        path: digest(here / path) for path in sorted(TABLES)
    }


def test_two_processes_at_once_do_not_disturb_each_other(tmp_path, again, monkeypatch):
    (tmp_path / "here").mkdir()
    env = program.hooked(tmp_path / "hook", PAUSE, PAUSE_AT="train.parquet", MARKS=str(tmp_path))
    first = program.start(*program.TINY, "data.seed=1", "stage=prepare", cwd=tmp_path / "here", name=1, env=env)
    while not (tmp_path / "paused").exists():
        assert first.poll() is None
        time.sleep(0.05)
    second = program.start(*program.TINY, "data.seed=2", "stage=prepare", cwd=tmp_path / "here", name=2)
    time.sleep(3)
    assert second.poll() is None
    (tmp_path / "go").touch()
    assert (first.wait(timeout=100), second.wait(timeout=100)) == (0, 0)
    monkeypatch.chdir(tmp_path)
    assert again("data.seed=2")
    assert contents(tmp_path / "here/data") == contents(tmp_path / "data")


@pytest.fixture
def bad(files, tmp_path):
    """A file of which two rows cannot be used; returns its path."""
    header, first, second, *rest = (files[0] / "raw/E0.csv").read_text().splitlines()
    cells = first.split(",")
    itself = ",".join([*cells[:3], cells[2], *cells[4:]])
    cells = second.split(",")
    negative = ",".join([*cells[:4], "-1", cells[5], "A", *cells[7:]])
    (tmp_path / "bad.csv").write_text("\n".join([header, itself, negative, *rest]) + "\n")
    return "bad.csv"


def test_bad_rows_stop_the_run_with_a_report_of_all_of_them(bad, matchclf, tmp_path):
    done = matchclf("model=dummy", "data=football_data", f"data.path={bad}")
    assert done.code == 3
    report = done.err[done.err.index("Error: 2 of ") :]
    first, second = sorted(report.splitlines()[1:])
    assert first.startswith("bad.csv, AwayTeam: ")
    assert "line 2 " in first
    assert second.startswith("bad.csv, FTHG: ")
    assert "line 3 '-1'" in second
    assert program.tree(tmp_path) == [("train_eval | frac=1.0 | feat=full", "FAILED", [])]
    (parent,) = program.parents(tmp_path)
    assert parent.data.tags["status.reason"] == "DataError: " + report.removeprefix("Error: ").rstrip("\n")
    assert done.files == {"processed/.manifest.json.lock"}


def test_bad_rows_are_left_out_when_asked_to_and_listed(bad, compose, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = ["data=football_data", f"data.path={bad}", "data.on_bad_rows=drop"]
    rows = len(Path(bad).read_text().splitlines()) - 1
    prepare(compose(*source))
    assert len(pd.read_parquet("data/processed/dataset.parquet", columns=["date"])) == rows - 2
    findings = pd.read_csv("data/processed/findings.csv")
    assert findings.query("severity == 'bad'")["row"].tolist() == [2, 3]


SLOW_LOAD = """
import os, pathlib, time
import matchclf.stages.experiment as experiment
load = experiment.load_dataset

def slow(*arguments):
    marks = pathlib.Path(os.environ["MARKS"])
    (marks / "paused").touch()
    while not (marks / "go").exists():
        time.sleep(0.05)
    return load(*arguments)

experiment.load_dataset = slow
"""


def test_data_replaced_by_another_process_is_never_scored_under_the_old_hash(matchclf, tmp_path):
    env = program.hooked(tmp_path / "hook", SLOW_LOAD, MARKS=str(tmp_path), MLFLOW_DISABLE_TELEMETRY="true")
    first = program.start(*program.TINY, "model=dummy", "stage=ablation", "data.seed=1", cwd=tmp_path, env=env)
    while not (tmp_path / "paused").exists():
        assert first.poll() is None
        time.sleep(0.05)
    assert matchclf(*program.TINY, "stage=prepare", "data.seed=2").code == 0
    (tmp_path / "go").touch()
    assert first.wait(timeout=60) == 3
    sentence = "data/processed/dataset.parquet was replaced by another process while it was read; "
    assert f"Error: {sentence}" in (tmp_path / "err").read_text()
    assert [(name, status) for name, status, _ in program.tree(tmp_path)] == [
        ("ablation | variant=full | frac=1.0", "FAILED")
    ]


def test_a_damaged_manifest_is_made_anew(matchclf, tmp_path):
    assert matchclf(*program.TINY, "stage=prepare").code == 0
    whole = (tmp_path / "data/processed/manifest.json").read_text()
    (tmp_path / "data/processed/manifest.json").write_text("{")
    assert matchclf(*program.TINY, "stage=prepare").code == 0
    assert json.loads((tmp_path / "data/processed/manifest.json").read_text())["files"] == json.loads(whole)["files"]


def test_the_order_of_the_families_changes_neither_columns_nor_their_order(compose, tmp_path, monkeypatch):
    # It changes no hash: the same experiment must have the same result.
    config = compose(*program.TINY[:-1])
    turned = replace(
        config, features=replace(config.features, families=dict(reversed(config.features.families.items())))
    )
    found = []
    for number, one in enumerate((config, turned)):
        (tmp_path / str(number)).mkdir()
        monkeypatch.chdir(tmp_path / str(number))
        found += [prepare(one), prepare(one)]  # made, then kept
    columns = [one.columns(config.features.use) for one in found]
    assert columns == [columns[0]] * 4
    assert {one.version for one in found} == {found[0].version}
