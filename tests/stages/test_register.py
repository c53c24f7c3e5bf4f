"""A model's way through the registry: register, promote, take back, report."""

import getpass
import json
import logging
import re
import signal
from contextlib import chdir
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import pytest

import finals
import program
from matchclf.config import Tracking
from matchclf.errors import ConfigError, DataError, ModelError
from matchclf.metrics import ece, match_losses
from matchclf.tracking.decisions import history
from matchclf.tracking.registry import Registered
from matchclf.tracking.store import open_store

LENIENT = ("registry.champion_max_ece=1",)


@dataclass(frozen=True)
class Place:
    """A registered model of its own in the store of the final runs, and a folder to work in."""

    registered: Registered
    folder: Path
    options: tuple[str, ...]
    compose: object = field(repr=False)

    def run(self, stage, *overrides):
        with chdir(self.folder):
            finals.stage(self.compose, stage, *self.options, *overrides)

    def process(self, *overrides, **more):
        return program.run(*self.options, *overrides, cwd=self.folder, **more)

    def refused(self, error, stage, *overrides):
        """The sentence that refuses a command, which leaves everything as it was."""
        before = self.state()
        with pytest.raises(error) as problem:
            self.run(stage, *overrides)
        assert self.state() == before
        return str(problem.value)

    def version_of(self, *run_ids):
        for run_id in run_ids:
            self.registered.make_version(self.client.get_run(run_id))

    def state(self):
        return self.aliases(), len(self.registered.versions()), self.decisions(), program.files(self.folder / "data")

    def decisions(self):
        """Alias, version, verdict and the version before it, of every decision."""
        return [(one["alias"], one["version"], one["verdict"], one["before"]) for one in history(self.registered)]

    def aliases(self):
        return finals.aliases(self.registered.store.uri, self.registered.name)

    def written(self, name):
        def refuse(constant):
            raise AssertionError(f"{constant} is no JSON.")

        return json.loads((self.folder / f"data/models/{name}.json").read_text(), parse_constant=refuse)

    @property
    def client(self):
        return self.registered.store.client


def make_place(final_runs, compose, folder, name):
    """A place for one story; its model is named after it."""
    store = open_store(Tracking("local", f"sqlite:///{final_runs[0]}/mlflow.db"), "matches_clf", final_runs[0])
    options = (f"registry.model_name={name}", f"tracking.uri={store.uri}")
    return Place(Registered(store, name), folder, options, compose)


@pytest.fixture
def place(final_runs, compose, tmp_path, request):
    return make_place(final_runs, compose, tmp_path, re.sub(r"\W+", "-", request.node.name))


@pytest.fixture(scope="module")
def copies(final_runs):
    """Final runs with the same model: a smoke run, one with better forecasts, and one with better ones still."""
    folder, ids = final_runs
    store = open_store(Tracking("local", f"sqlite:///{folder}/mlflow.db"), "matches_clf_smoke", folder)
    copy = finals.copy_run
    return {
        "smoke": copy(store.client, ids["logreg"], experiment="matches_clf_smoke", pipeline__run_kind="smoke"),
        "good": copy(store.client, ids["logreg"], finals.better(0.1)),
        "best": copy(store.client, ids["logreg"], finals.better(0.3)),
    }


@pytest.fixture(scope="module")
def candidates(final_runs, copies, compose, tmp_path_factory):
    """A good run registered by a process and once more, a worse one, a tolerant promotion, a smoke run; after each."""
    place = make_place(final_runs, compose, tmp_path_factory.mktemp("candidates"), "candidates")
    ids, seen = final_runs[1], {}
    seen["done"] = place.process("stage=register", f"run_id={ids['logreg']}")
    seen["first"] = place.state(), place.written("registered_model")
    place.run("register", f"run_id={ids['logreg']}")
    seen["again"] = place.state(), place.written("registered_model")
    place.run("register", f"run_id={ids['hgb']}")
    seen["worse"] = place.state(), place.written("registered_model")
    place.run("promote", "alias=candidate", "registry.candidate_tolerance=1")
    seen["tolerated"] = place.state(), place.written("promoted_model")
    place.run("register", f"run_id={copies['smoke']}")
    seen["smoke"] = place.state(), place.written("registered_model")
    return place, seen


def test_the_first_real_model_becomes_smoke_and_candidate(candidates, final_runs):
    place, seen = candidates
    assert seen["done"].code == 0, seen["done"]
    (aliases, versions, decisions, _), written = seen["first"]
    assert (aliases, versions) == ({"smoke": 1, "candidate": 1}, 1)
    assert decisions == [("candidate", 1, "passed", None)]
    tags = place.client.get_run(final_runs[1]["logreg"]).data.tags
    metrics = place.client.get_run(final_runs[1]["logreg"]).data.metrics
    assert written == {
        "model_name": "candidates",
        "version": 1,
        "aliases": ["candidate", "smoke"],
        "run_id": final_runs[1]["logreg"],
        "model_uri": "models:/candidates/1",
        "data_version": tags["data.version"],
        "pipeline_params_hash": tags["pipeline.params_hash"],
        "pipeline_run_kind": "final_train",
        "final_logloss": f"{metrics['final.logloss']:.6f}",
        "model_sha256": tags["model.sha256"],
    }
    assert f"registered candidates version 1, from run {final_runs[1]['logreg']}" in seen["done"].out
    assert "candidate  version 1 is candidate now\n" in seen["done"].out


def test_registering_a_run_again_changes_nothing(candidates):
    _, seen = candidates
    assert seen["again"] == seen["first"]


def test_a_worse_model_is_kept_but_is_no_candidate(candidates):
    _, seen = candidates
    (aliases, versions, decisions, _), written = seen["worse"]
    assert (aliases, versions) == ({"smoke": 2, "candidate": 1}, 2)
    assert decisions[1:] == [("candidate", 2, "gate failed", 1)]
    assert written["aliases"] == ["smoke"]


def test_a_model_within_the_tolerance_becomes_candidate(candidates):
    _, seen = candidates
    (aliases, _, decisions, _), written = seen["tolerated"]
    assert aliases == {"smoke": 2, "candidate": 2}
    assert decisions[2:] == [("candidate", 2, "passed", 1)]
    (gate,) = written["gates"]
    assert (gate["limit"], gate["passed"]) == (1.0, True)


def test_a_smoke_run_gets_ci_smoke_and_nothing_else(candidates):
    place, seen = candidates
    (aliases, versions, decisions, _), written = seen["smoke"]
    assert (aliases, versions) == ({"smoke": 2, "candidate": 2, "ci-smoke": 3}, 3)
    assert decisions == seen["tolerated"][0][2]
    assert (written["version"], written["aliases"]) == (3, ["ci-smoke"])
    # registered_model.json names it now, so a promotion without a version means it.
    for alias in ("candidate", "champion"):
        assert place.refused(
            ModelError, "promote", f"alias={alias}", "confirm=true", "registry.candidate_tolerance=9"
        ) == (f"Version 3 was made by a smoke run, which is never given the alias {alias}.")


@pytest.mark.slow
def test_the_run_of_a_real_smoke_final_train_gets_ci_smoke_only(final_runs, compose, tmp_path):
    finals.write_matches(tmp_path / "raw/E.csv", finals.CUT)
    made = program.run(*finals.DATA, "experiment=smoke", "stage=final_train", "model=logreg", cwd=tmp_path)
    assert made.code == 0, made
    done = program.run("stage=register", cwd=tmp_path)
    assert done.code == 0, done
    assert finals.aliases(tmp_path, "soccer-match-outcome") == {"ci-smoke": 1}
    refused = program.run("stage=predict", *finals.DATA, cwd=tmp_path)
    assert refused.code == 2
    assert "No version of soccer-match-outcome is champion; see stage=report what=registry" in refused.err


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"pipeline__stage": "train_eval"}, "is of stage train_eval; expected one of stage final_train."),
        ({"experiment": "Default"}, "is in the experiment Default; expected matches_clf."),
        ({"change": lambda folder: (folder / "model/model.skops").unlink()}, "cannot be read: "),
        ({"change": lambda folder: (folder / "model/model.skops").write_bytes(b"PK")}, "was altered: "),
    ],
    ids=["no final_train", "foreign experiment", "no model", "altered model"],
)
def test_a_run_that_cannot_be_trusted_is_not_registered(place, final_runs, change, sentence):
    made = finals.copy_run(place.client, final_runs[1]["logreg"], **change)
    assert sentence in place.refused(ModelError, "register", f"run_id={made}")
    assert place.state()[:3] == ({}, 0, [])


def test_a_run_that_did_not_finish_is_not_registered(place, final_runs):
    made = finals.copy_run(place.client, final_runs[1]["logreg"])
    place.client.update_run(made, status="FAILED")
    assert place.refused(ModelError, "register", f"run_id={made}") == (
        f"Run {made} is FAILED; expected one that is FINISHED."
    )


def test_a_run_that_does_not_exist_is_told_in_a_sentence_and_by_the_exit_code(place):
    done = place.process("stage=register", "run_id=nothere")
    assert (done.code, done.files) == (1, frozenset())
    assert done.err.splitlines()[-1] == f"Error: There is no run nothere in {place.registered.store.uri}."
    assert place.aliases() == {}


def write(place, name, value):
    path = place.folder / f"data/models/{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def test_without_a_run_or_a_version_the_files_of_the_stages_before_are_read(place, final_runs):
    names = ("data/models/final_run_id.json", "data/models/registered_model.json")
    assert place.refused(ConfigError, "register") == (
        f"{names[0]} does not exist; run stage=final_train first, or set run_id=RUN."
    )
    assert place.refused(ConfigError, "promote") == (
        f"{names[1]} does not exist; run stage=register first, or set version=NUMBER."
    )
    write(place, "final_run_id", {})
    assert place.refused(DataError, "register") == (
        f"{names[0]} names no run_id; run stage=final_train again, or set run_id=RUN."
    )
    place.version_of(final_runs[1]["logreg"])
    write(place, "registered_model", {"model_name": "other", "version": 1})
    assert place.refused(ConfigError, "promote") == (
        f"{names[1]} is of the model other; set version=NUMBER to choose a version of {place.registered.name}."
    )


@pytest.fixture(scope="module")
def champions(final_runs, copies, compose, tmp_path_factory):
    """Three versions on their way to champion and back; the state and what was written after each command."""
    place = make_place(final_runs, compose, tmp_path_factory.mktemp("champions"), "champions")
    place.version_of(copies["good"], copies["best"], final_runs[1]["hgb"])
    seen = {}

    def promote(name, *overrides):
        place.run("promote", *overrides, *LENIENT)
        seen[name] = place.state(), place.written("promoted_model")

    promote("unconfirmed", "version=1")
    seen["done"] = place.process("stage=promote", "version=1", "alias=champion", "confirm=true", *LENIENT)
    seen["confirmed"] = place.state(), place.written("promoted_model")
    promote("again", "version=1", "confirm=true")
    promote("worse", "version=3", "confirm=true")
    promote("worse again", "version=3", "confirm=true")
    promote("not better enough", "version=2", "confirm=true", "registry.champion_brier_gain=0.9")
    promote("better", "version=2", "confirm=true")
    promote("taken back", "rollback=true")
    seen["nothing left"] = place.refused(ModelError, "promote", "rollback=true")
    return place, seen


def test_a_champion_is_not_made_without_a_confirmation_and_nothing_is_kept(champions):
    _, seen = champions
    (aliases, _, decisions, _), written = seen["unconfirmed"]
    assert (aliases, decisions) == ({}, [])
    assert (written["verdict"], written["version"]) == ("not confirmed", 1)
    assert [gate["passed"] for gate in written["gates"]] == [True, True]


def test_a_confirmed_champion_is_told_in_the_file_and_by_the_alias(champions, copies):
    _, seen = champions
    (aliases, _, decisions, _), written = seen["confirmed"]
    assert seen["done"].code == 0, seen["done"]
    assert "champion   version 1 is champion now\n" in seen["done"].out
    assert aliases == {"champion": 1}
    assert decisions == [("champion", 1, "passed", None)]
    expected = {"model_name": "champions", "alias": "champion", "version": 1, "before": None, "verdict": "passed"}
    expected |= {"run_id": copies["good"], "number": 1, "who": getpass.getuser(), "previous": None}
    assert {key: written[key] for key in expected} == expected


def test_promoting_again_makes_no_second_decision(champions):
    _, seen = champions
    assert seen["again"][0] == seen["confirmed"][0]
    assert seen["again"][1]["verdict"] == "unchanged"


def gates(written):
    return {gate["name"].partition(" ")[0]: (gate["limit"], gate["passed"]) for gate in written["gates"]}


def test_a_failed_gate_is_an_answer_that_is_kept_once(champions):
    _, seen = champions
    (aliases, _, decisions, _), written = seen["worse"]
    assert aliases == {"champion": 1}
    assert decisions[1:] == [("champion", 3, "gate failed", 1)]
    assert written["verdict"] == "gate failed"
    assert gates(written) == {"log-loss": (0.0, False), "calibration": (1.0, True), "Brier": (-0.002, False)}
    assert seen["worse again"] == seen["worse"]


def test_a_champion_must_be_better_than_the_one_before_by_the_gain(champions):
    _, seen = champions
    (aliases, _, decisions, _), written = seen["not better enough"]
    assert aliases == {"champion": 1}
    assert gates(written) == {"log-loss": (0.0, True), "calibration": (1.0, True), "Brier": (-0.9, False)}
    (aliases, _, decisions, _), written = seen["better"]
    assert aliases == {"champion": 2}
    assert decisions[3:] == [("champion", 2, "passed", 1)]
    assert gates(written) == {"log-loss": (0.0, True), "calibration": (1.0, True), "Brier": (-0.002, True)}


def test_taking_back_gives_the_alias_to_the_version_before_and_then_there_is_none(champions):
    place, seen = champions
    (aliases, _, decisions, _), written = seen["taken back"]
    assert aliases == {"champion": 1}
    assert decisions[4:] == [("champion", 1, "rolled back", 2)]
    assert (written["verdict"], written["grounds"]) == ("rolled back", ["rolled back from version 2"])
    assert seen["nothing left"] == "No decision tells which version was champion before version 1."
    assert place.aliases() == {"champion": 1}


def reported(place, caplog):
    caplog.clear()
    with caplog.at_level(logging.INFO):
        place.run("report")
    told, written = caplog.messages[-2:]
    assert written.startswith("written    data/reports/registry/report.html")
    return told


def test_the_report_lists_versions_and_decisions(champions, copies, final_runs, caplog):
    place, _ = champions
    report = reported(place, caplog)
    lines = [line.split() for line in report.splitlines()]
    runs = [place.client.get_run(one).data for one in (copies["good"], copies["best"], final_runs[1]["hgb"])]
    scores = [[f"{run.metrics[f'final.{name}']:.4f}" for name in ("logloss", "brier", "ece")] for run in runs]
    hashes = [[run.tags[name][:8] for name in ("data.hash", "pipeline.params_hash")] for run in runs]
    assert lines[2:5] == [
        ["1", "champion", "logreg", *scores[0], *hashes[0], copies["good"]],
        ["2", "logreg", *scores[1], *hashes[1], copies["best"]],
        ["3", "hgb", *scores[2], *hashes[2], final_runs[1]["hgb"]],
    ]
    told = re.findall(r"^ +(\d)  (\S+)  (\S+)  champion: version (.*)$", report, re.MULTILINE)
    assert [(number, who, what) for number, _, who, what in told] == [
        (str(number), getpass.getuser(), what)
        for number, what in enumerate(
            [
                "1 passed",
                "3 gate failed, before it version 1",
                "2 gate failed, before it version 1",
                "2 passed, before it version 1",
                "1 rolled back, before it version 2",
            ],
            start=1,
        )
    ]
    assert report.endswith("      rolled back from version 2")
    assert "Brier less the champion's -0." in report


def test_the_report_of_a_registry_without_versions_is_a_sentence(place, caplog):
    sentence = f"{place.registered.name} has no version yet; stage=register makes one from a final run."
    assert reported(place, caplog) == sentence
    place.client.create_registered_model(place.registered.name)
    assert reported(place, caplog) == sentence


def test_the_report_of_a_folder_without_a_store_is_a_sentence(compose, tmp_path, monkeypatch, caplog):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with caplog.at_level(logging.INFO, "matchclf"):
        finals.stage(compose, "report")
    sentence = "soccer-match-outcome has no version yet; stage=register makes one from a final run."
    assert caplog.messages[0] == sentence


def test_versions_made_by_hand_are_listed_and_cannot_be_promoted(place, caplog):
    run = place.client.create_run(place.registered.store.experiment_id)
    place.client.create_registered_model(place.registered.name)
    place.client.create_model_version(place.registered.name, f"runs:/{run.info.run_id}/model", run.info.run_id)
    place.client.create_model_version(place.registered.name, "/nowhere")
    lines = [line.split() for line in reported(place, caplog).splitlines()]
    assert lines[2:4] == [["1", "nan", "nan", "nan", run.info.run_id], ["2", "none"]]
    assert place.refused(ModelError, "promote", "version=1").startswith(f"Run {run.info.run_id} is of stage None;")
    assert place.refused(ModelError, "promote", "version=2").startswith("The version was made by hand")


def test_gates_are_judged_by_the_stored_forecasts_match_by_match(place, copies):
    place.version_of(copies["good"], copies["best"])
    place.client.set_registered_model_alias(place.registered.name, "champion", "1")
    place.run("promote", "version=2")
    good, best = (
        pd.read_parquet(place.client.download_artifacts(copies[name], "predictions/holdout.parquet"))
        for name in ("good", "best")
    )
    target = best["outcome_1x2"].to_numpy()

    def losses(table, name, loss):
        return match_losses(target, table[[f"{name}_{outcome}" for outcome in ("home", "draw", "away")]].to_numpy())[
            loss
        ]

    reference = np.mean(losses(best, "final", "logloss") - losses(best, "reference", "logloss"))
    brier = np.mean(losses(best, "final", "brier") - losses(good, "final", "brier"))
    error = ece(target, best[["final_home", "final_draw", "final_away"]].to_numpy())
    found = {gate["name"]: gate for gate in place.written("promoted_model")["gates"]}
    told = {name: (gate["found"], gate["limit"], gate["passed"]) for name, gate in found.items()}
    assert told == {
        "log-loss less the reference model's": (pytest.approx(reference, rel=1e-12), 0.0, True),
        "calibration error (ECE)": (pytest.approx(error, rel=1e-12), 0.05, bool(error <= 0.05)),
        "Brier less the champion's": (pytest.approx(brier, rel=1e-12), -0.002, True),
    }
    for name in ("log-loss less the reference model's", "Brier less the champion's"):
        difference = found[name]["difference"]
        assert difference["low"] <= found[name]["found"] <= difference["high"]
        assert difference["matches"] == len(best)


def test_models_without_common_matches_are_not_compared_and_that_is_kept_once(place, copies, final_runs):
    def next_year(folder):
        path = folder / "predictions/holdout.parquet"
        table = pd.read_parquet(path)
        table.assign(date=table["date"] + pd.Timedelta(days=800)).to_parquet(path)

    place.version_of(final_runs[1]["logreg"], finals.copy_run(place.client, copies["best"], next_year))
    place.client.set_registered_model_alias(place.registered.name, "candidate", "1")
    for _ in range(2):
        place.run("promote", "alias=candidate", "version=2")
        assert place.decisions() == [("candidate", 2, "gate failed", 1)]
        (gate,) = place.written("promoted_model")["gates"]
        assert gate["found"] is None
        assert "(only 0 of 84 matches in common)" in gate["name"]


def test_an_alias_that_was_moved_by_hand_is_the_one_to_beat_but_cannot_be_taken_back(place, copies, final_runs):
    place.version_of(final_runs[1]["hgb"], copies["best"])
    place.run("promote", "version=1", "confirm=true")
    assert place.decisions() == [("champion", 1, "gate failed", None)]
    place.client.set_registered_model_alias(place.registered.name, "champion", "2")
    assert place.refused(ModelError, "promote", "rollback=true") == (
        "No decision tells which version was champion before version 2."
    )
    place.run("promote", "version=1", "confirm=true")
    assert place.decisions()[1:] == [("champion", 1, "gate failed", 2)]
    assert place.aliases() == {"champion": 2}


def test_what_cannot_be_promoted_is_told_in_a_sentence(place, final_runs):
    place.version_of(final_runs[1]["logreg"])
    name = place.registered.name
    assert place.refused(ConfigError, "promote", "version=9") == (f"{name} has no version 9; the versions are: 1.")
    assert place.refused(ConfigError, "promote", "version=1", "alias=smoke") == (
        "alias=smoke cannot be given by promotion; choose one of candidate, champion."
    )
    assert place.refused(ModelError, "promote", "rollback=true") == (
        f"No version of {name} is champion; there is nothing to take back."
    )
    assert place.refused(ConfigError, "report", "what=weather").startswith("what=weather is unknown; choose one of abl")


def test_a_model_that_was_altered_after_it_was_registered_is_not_promoted(place, copies):
    altered = finals.copy_run(place.client, copies["good"])
    place.version_of(altered)
    stored = Path(urlsplit(place.client.get_run(altered).info.artifact_uri).path)
    model = stored / "model/model.skops"
    model.write_bytes(model.read_bytes() + b" ")
    sentence = place.refused(ModelError, "promote", "version=1", "confirm=true", *LENIENT)
    assert sentence.startswith(f"The model of run {altered} was altered: ")


def test_an_altered_decision_stops_promotion_and_report(place, final_runs):
    place.version_of(final_runs[1]["hgb"], final_runs[1]["logreg"])
    place.run("promote", "version=1", "confirm=true")
    (kept,) = history(place.registered)
    stored = Path(urlsplit(place.client.get_run(final_runs[1]["hgb"]).info.artifact_uri).path)
    (path,) = [one for one in (stored / "registry").iterdir() if json.loads(one.read_text()) == kept]
    path.write_text(path.read_text().replace('"gate failed"', '"passed"'))
    for command in (("promote", "version=2", "confirm=true"), ("report",)):
        with pytest.raises(ModelError, match="was altered since it was made"):
            place.run(*command)
    assert place.aliases() == {}


DIES = """
import os, signal
from matchclf.tracking.registry import Registered

def die(self, alias, version):
    os.kill(os.getpid(), signal.SIGKILL)

Registered.set_alias = die
"""


@pytest.mark.slow
def test_a_rollback_killed_between_decision_and_alias_is_healed_by_the_same_command(place, copies, tmp_path):
    place.version_of(copies["good"], copies["best"])
    for version in (1, 2):
        place.run("promote", f"version={version}", "confirm=true", *LENIENT)
    killed = place.process("stage=promote", "rollback=true", **program.hooked(tmp_path / "hook", DIES))
    assert killed.code == -signal.SIGKILL
    assert (place.aliases(), len(place.decisions())) == ({"champion": 2}, 3)
    healed = place.process("stage=promote", "rollback=true")
    assert healed.code == 0, healed
    assert (place.aliases(), len(place.decisions())) == ({"champion": 1}, 3)


SLOW = """
import time
from matchclf.tracking import decisions
history = decisions.history

def slow(registered):
    found = history(registered)
    time.sleep(2)
    return found

decisions.history = slow
"""


@pytest.mark.slow
def test_two_promotions_at_once_from_two_folders_leave_one_chain(place, copies, tmp_path):
    place.version_of(copies["good"], copies["best"])
    env = program.hooked(tmp_path / "hook", SLOW)
    started = []
    for number in (1, 2):
        (tmp_path / str(number)).mkdir()
        command = ("stage=promote", f"version={number}", "confirm=true", *LENIENT)
        started.append(program.start(*place.options, *command, cwd=tmp_path / str(number), env=env))
    assert [process.wait(200) for process in started] == [0, 0]
    assert place.aliases() == {"champion": 2}
    assert place.decisions() in (
        [("champion", 1, "passed", None), ("champion", 2, "passed", 1)],
        [("champion", 2, "passed", None), ("champion", 1, "gate failed", 2)],
    )


@pytest.mark.slow
def test_taking_back_twice_goes_back_two(place, copies, final_runs):
    store = place.client
    third = finals.copy_run(store, copies["best"], finals.better(0.3))
    place.version_of(copies["good"], copies["best"], third)
    for version in (1, 2, 3):
        place.run("promote", f"version={version}", "confirm=true", *LENIENT)
    for version in (2, 1):
        place.run("promote", "rollback=true")
        assert place.aliases() == {"champion": version}
    assert "before version 1" in place.refused(ModelError, "promote", "rollback=true")
    place.run("promote", "version=3", "confirm=true", *LENIENT)
    place.run("promote", "rollback=true")
    assert place.aliases() == {"champion": 1}
