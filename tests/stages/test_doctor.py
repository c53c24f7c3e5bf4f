"""What stage=doctor finds, and what it says to do."""

import re

import pytest

from matchclf.config import Tracking
from matchclf.errors import MatchclfError
from matchclf.stages import doctor, prepare
from matchclf.tracking import runs
from matchclf.tracking.store import open_store

SMALL = ("data.countries=1", "data.tiers=1", "data.teams_per_division=8", "data.first_season=2014")


@pytest.fixture
def examine(compose, tmp_path, monkeypatch, caplog):
    """Run the doctor in a folder of this test's own; what it found, by check, and what to mend."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    caplog.set_level("INFO")

    def of(*overrides):
        caplog.clear()
        problem = ""
        try:
            doctor.run(compose("stage=doctor", *SMALL, *overrides))
        except MatchclfError as found:
            problem = str(found)
        table, *mend = [message for message in caplog.messages if message.startswith(("check", "mend"))]
        rows = {re.split(" {2,}", line)[0]: re.split(" {2,}", line)[1:] for line in table.splitlines()[1:]}
        return rows, mend, problem

    return of


def test_in_a_new_folder_all_is_well(examine, tmp_path):
    rows, mend, problem = examine()
    assert {name: state for name, (state, _) in rows.items()} == dict.fromkeys(doctor.CHECKS, "ok")
    assert (mend, problem) == ([], "")
    assert rows["data"][1] == "nothing is prepared yet"
    store = open_store(Tracking("local"), "matches_clf", tmp_path)
    assert store.client.search_runs([store.experiment_id]) == []


def test_a_changed_file_is_wrong_until_the_data_are_prepared_again(examine, compose, tmp_path):
    prepare.run(compose(*SMALL))
    assert examine()[0]["data"] == ["ok", "6 prepared files are whole"]
    path = tmp_path / "data/splits/train.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    rows, mend, problem = examine()
    assert rows["data"] == ["wrong", "data/splits/train.parquet missing or changed"]
    assert mend == ["mend       data: prepare the data again with stage=prepare"]
    assert problem == f"1 of {len(doctor.CHECKS)} checks found something wrong: data."
    prepare.run(compose(*SMALL))
    assert examine()[2] == ""


def test_runs_without_a_process_are_ended(examine, tmp_path):
    store = open_store(Tracking("local"), "matches_clf", tmp_path)
    run = runs.start(store, "gone", {})
    store.client.set_tag(run.id, "owner.boot", "another")
    del runs._open[run.id]
    rows, _, problem = examine()
    assert (rows["orphans"], problem) == (["ok", f"ended as FAILED: {run.id}"], "")
    assert store.client.get_run(run.id).info.status == "FAILED"


def test_a_server_that_is_gone_is_told_with_what_to_do(examine):
    rows, mend, problem = examine("tracking.uri=http://127.0.0.1:9")
    assert [name for name, (state, _) in rows.items() if state == "wrong"] == ["tracking", "orphans"]
    assert "does not answer" in mend[0]
    assert problem.endswith("checks found something wrong: tracking, orphans.")


def test_a_package_of_another_version_is_named(monkeypatch):
    monkeypatch.setattr(doctor, "requires", lambda _: ["numpy>=99", "nonesuch>=1", "dvc>=99; extra == 'dvc'"])
    found = doctor.check_packages(None)
    assert re.search(r"numpy [\d.]+, expected >=99; nonesuch is missing", found.told)
    assert found.mend
