import re
import shlex
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

import program
from matchclf.config import Tracking
from matchclf.errors import ConfigError, TrackingError
from matchclf.tracking.store import Store, open_store, tracking_uri, where_to_look
from mlflow_server import free_port, mlflow_server

ONE = (*program.TINY, "model=dummy", "variant=elo_only", "stage=ablation")
RUN = [("ablation | variant=elo_only | frac=1.0", "FINISHED", [("model | dummy", "FINISHED")])]


def refused(done, began):
    """The sentence of a process that did nothing but to find the store unusable, within 10 seconds."""
    assert (done.code, done.files) == (4, frozenset()), done
    assert time.monotonic() - began < 10
    assert "log-loss" not in done.out
    *_, sentence = done.err.splitlines()
    return sentence


def test_without_a_uri_the_store_is_a_file_in_the_working_folder(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert tracking_uri(Tracking("local"), Path("/here")) == "sqlite:////here/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:5000")
    assert tracking_uri(Tracking("local"), Path("/here")) == "http://127.0.0.1:5000"
    assert tracking_uri(Tracking("server"), Path("/here")) == "http://127.0.0.1:5000"
    assert tracking_uri(Tracking("local", "sqlite:///my.db"), Path("/here")) == "sqlite:///my.db"


@pytest.mark.parametrize(
    ("tracking", "sentence"),
    [
        (Tracking("server"), "tracking=server needs tracking.uri=http://HOST:PORT or MLFLOW_TRACKING_URI."),
        (
            Tracking("local", "mlflow.db"),
            "The tracking URI mlflow.db is no URI; expected http://HOST:PORT or sqlite:///FILE.",
        ),
        (
            Tracking("server", "http://anna:tea@127.0.0.1:5000"),
            "tracking.uri holds a password; set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD in the "
            "environment instead, so that it is not stored with the run.",
        ),
    ],
)
def test_an_address_that_cannot_be_used_is_refused_before_anything_is_opened(tracking, sentence, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(ConfigError) as problem:
        tracking_uri(tracking, Path("/here"))
    assert str(problem.value) == sentence


def test_the_way_to_the_ui_is_a_command_as_seen_from_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "executable", str(tmp_path / ".venv/bin/python"))
    assert where_to_look(Store(f"sqlite:///{tmp_path}/mlflow.db", None, "7", "matches_clf"), "5f3a") == (
        "See the run:   .venv/bin/python -m mlflow ui --backend-store-uri sqlite:///mlflow.db\n"
        "        open:  http://127.0.0.1:5000/#/experiments/7/runs/5f3a"
    )
    assert where_to_look(Store("http://127.0.0.1:8080/", None, "7", "matches_clf"), "5f3a") == (
        "See the run:   http://127.0.0.1:8080/#/experiments/7/runs/5f3a"
    )


def test_a_store_is_made_once_and_found_again(uri, tmp_path):
    made = open_store(Tracking("local", uri), "made once", tmp_path)
    found = open_store(Tracking("local", uri), "made once", tmp_path)
    assert (found.uri, found.experiment_id, found.experiment_name) == (uri, made.experiment_id, "made once")
    experiment = found.client.get_experiment(found.experiment_id)
    assert experiment.artifact_location == (tmp_path / "mlartifacts").as_uri()
    with closing(sqlite3.connect(uri.removeprefix("sqlite:///"))) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_deleted_experiment_is_refused_with_the_command_that_restores_it(store, tmp_path):
    store.client.delete_experiment(store.experiment_id)
    with pytest.raises(TrackingError) as problem:
        open_store(Tracking("local", store.uri), store.experiment_name, tmp_path)
    assert str(problem.value) == (
        f"The experiment {store.experiment_name} is deleted; restore it with "
        f"`mlflow experiments restore --experiment-id {store.experiment_id}`."
    )


def test_a_store_that_is_no_database_is_refused_and_left_as_it_is(matchclf, tmp_path):
    (tmp_path / "mlflow.db").write_text("Dear diary, nothing of this is a database.\n" * 100)
    began = time.monotonic()
    sentence = refused(matchclf(*ONE), began)
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    assert sentence == f"Error: The tracking store {uri} cannot be used: file is not a database."
    assert (tmp_path / "mlflow.db").read_text().startswith("Dear diary")


@pytest.mark.parametrize("by", ["environment", pytest.param("override", marks=pytest.mark.slow)])
def test_a_server_that_is_not_there_stops_the_run_before_any_work(matchclf, tmp_path, by):
    address = f"http://127.0.0.1:{free_port()}"
    began = time.monotonic()
    done = (
        matchclf(*ONE, MLFLOW_TRACKING_URI=address)
        if by == "environment"
        else matchclf(*ONE, f"tracking.uri={address}")
    )
    assert refused(done, began).startswith(f"Error: The tracking server {address} does not answer (")
    assert not (tmp_path / "mlflow.db").exists()


@pytest.mark.slow
def test_a_server_is_used_by_option_and_by_environment(matchclf, tmp_path):
    work, behind = tmp_path / "work", tmp_path / "server"
    work.mkdir()
    behind.mkdir()
    with mlflow_server(behind) as address:
        by_option = matchclf(*ONE, "tracking=server", f"tracking.uri={address}", cwd=work)
        by_environment = matchclf(*ONE, cwd=work, MLFLOW_TRACKING_URI=address)
        assert (by_option.code, by_environment.code) == (0, 0), (by_option, by_environment)
        assert program.tree(address) == RUN * 2
        assert f"See the run:   {address}/#/experiments/" in by_option.out
        assert "View run" not in by_option.out
        for parent in program.parents(address):
            (child,) = program.children(address, parent).values()
            assert program.artifact(address, child, "predictions/out_of_fold.parquet").is_file()
    assert sorted(path.name for path in work.iterdir()) == ["data", "multirun"]


@pytest.mark.slow
def test_the_printed_command_shows_the_runs(league):
    folder, done = league
    (line,) = re.findall("^See the run:   (.*)$", done["train_eval"].out, re.MULTILINE)
    with mlflow_server(folder, command=shlex.split(line)) as address:
        assert program.tree(address) == program.tree(folder)
