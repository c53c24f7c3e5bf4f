"""Stages that are killed at random moments: what is left can be read, and the same command again does its work."""

import json
import shutil
import signal
import time
from collections import Counter

import pytest

import finals
import program
import s3_server
from conftest import write_football_data
from faults.commands import Moment, generator, phase
from faults.looks import all_runs, check_ended, check_files, query, side_by_side
from matchclf.config import Tracking
from matchclf.tracking.decisions import history
from matchclf.tracking.registry import Registered
from matchclf.tracking.store import open_store

SMALL = (*program.TINY, "variant=full")
# How many changes a stage makes, before one of which a kill comes, and how many child runs it has.
STAGES = {
    "train_eval": (("stage=train_eval", "model=[dummy,logreg]"), 145, 2),
    "ablation": (("stage=ablation", "model=[logreg,dummy]"), 140, 2),
    "final_train": (("stage=final_train", "model=logreg"), 150, 0),
}
EVENTS = {"register": 90, "promote": 60}
ALIASED = ("registry.champion_max_ece=1", "registry.champion_brier_gain=0")


HOLDER = """
SELECT runs.status FROM model_versions JOIN runs ON run_id = run_uuid WHERE model_versions.name = ? AND version = ?
"""


def kill(forks, folder, moment, command, check, **more):
    """Kill a command at a moment and look; what it was doing, nothing when it ended before."""
    killed = forks.killed(folder, moment, *command, **more)
    told = f"{command} at {moment} in {folder}: {killed.told()}"
    assert killed.code in (0, -signal.SIGKILL), told
    check(told)
    return Counter([phase(killed.events())] if killed.code else [])


def finish(forks, folder, command, check, **more):
    """The same command to its end."""
    done = forks.run(folder, *command, **more)
    assert done.code == 0, done.told()
    check(done.told())


def kill_often(forks, folder, times, rng, command, check):
    """Kill a command so often, each before one of so many changes; then let it end."""
    (kills, events), phases = times, Counter()
    while phases.total() < kills:
        # The only one comes when a child run is open.
        moment = Moment(events // 2) if kills == 1 else Moment.draw(rng, events)
        phases += kill(forks, folder, moment, command, check)
    finish(forks, folder, command, check)
    return phases


def shown(stage, phases):
    print(stage, phases.total(), dict(phases))


def contents(folder):
    return {path.name: path.read_bytes() for path in (folder / "data").rglob("*.parquet")}


@pytest.mark.parametrize(("stories", "kills"), [(1, 1), pytest.param(2, 10, marks=pytest.mark.slow)])
def test_prepared_data_is_whole_or_absent_after_a_kill(forks, prepared, place, stories, kills):
    def story(number):
        folder, rng, phases, seed = place(number), generator("prepare", number), Counter(), 1
        while phases.total() < kills:
            seed = 3 - seed  # else there would be nothing to do
            command = (*program.TINY, f"data.seed={seed}", "stage=prepare")
            phases += kill(forks, folder, Moment.draw(rng, 55), command, lambda _: check_files(folder))
            finish(forks, folder, command, lambda _: check_files(folder))
            assert (contents(folder) == contents(prepared)) == (seed == 1)
        return phases

    phases = sum(side_by_side(story, range(stories)), Counter())
    shown("prepare", phases)
    assert phases.total() == stories * kills


@pytest.mark.parametrize(
    ("stage", "stories", "kills"),
    [("train_eval", 1, 1), *(pytest.param(stage, 2, 10, marks=pytest.mark.slow) for stage in STAGES)],
)
def test_the_next_start_ends_what_a_kill_left_and_does_the_work(forks, place, stage, stories, kills):
    command, events, children = STAGES[stage]

    def story(number):
        folder, rng = place(number), generator(stage, number)

        def check(told):
            check_files(folder)
            for path in (folder / "data/models").glob("*.json"):
                check_pointer(folder, json.loads(path.read_text()), told)

        phases = kill_often(forks, folder, (kills, events), rng, (*SMALL, *command), check)
        runs = check_ended(folder)
        parents = [run for run in runs if not run.parent]
        assert parents[-1].status == "FINISHED"
        assert [run.status for run in runs if run.parent == parents[-1].id] == ["FINISHED"] * children
        return phases

    phases = sum(side_by_side(story, range(stories)), Counter())
    shown(stage, phases)
    assert phases.total() == stories * kills


def check_pointer(folder, pointer, told):
    """What a file points to is complete."""
    (run,) = [run for run in all_runs(folder) if run.id == pointer["run_id"]]
    if "model_uri" in pointer:
        assert run.metrics["final.logloss"] == pointer["logloss"], told
        assert {"MLmodel", "model.skops"} <= {
            path.name for path in (folder / "mlartifacts").rglob(f"{run.id}/**/model/*")
        }
    else:
        assert (run.status, run.metrics["cv.logloss_mean"]) == ("FINISHED", pointer["logloss"]), told


@pytest.fixture(scope="module")
def final(forks, prepared, tmp_path_factory):
    """A folder with a final run, and copies of it with better and better forecasts; their ids."""
    folder = shutil.copytree(prepared, tmp_path_factory.mktemp("final") / "here")
    done = forks.run(folder, *SMALL, "stage=final_train", "model=logreg")
    assert done.code == 0, done.told()
    store = open_store(Tracking("local", f"sqlite:///{folder}/mlflow.db"), "matches_clf", folder)
    (run,) = all_runs(folder)
    return folder, [run.id, *(finals.copy_run(store.client, run.id, finals.better(share)) for share in (0.1, 0.3))]


def aliases(folder, name):
    found = "SELECT alias, version FROM registered_model_aliases WHERE name = ?"
    return dict(query(folder, found, name))


def check_aliases(store, folder, name, told):
    """No alias without a finished run; candidate and champion only by a decision that says so."""
    decisions = history(Registered(store, name))
    for alias, version in aliases(folder, name).items():
        assert query(folder, HOLDER, name, version) == [("FINISHED",)], told
        if alias != "smoke":
            assert version in [one["version"] for one in decisions if one["alias"] == alias], told


@pytest.mark.slow
@pytest.mark.parametrize(("stories", "kills"), [(2, {"register": 4, "promote": 5})])
def test_aliases_are_moved_whole_or_not_at_all_and_the_same_command_heals(forks, final, tmp_path, stories, kills):
    folder, (first, second, third) = final
    store = open_store(Tracking("local", f"sqlite:///{folder}/mlflow.db"), "matches_clf", folder)

    def story(number):
        name, place, rng = f"killed-{number}", tmp_path / str(number), generator("registry", number)
        place.mkdir()
        base = (f"registry.model_name={name}", f"tracking.uri={store.uri}")
        steps = [
            (("stage=register", f"run_id={first}"), {"smoke": 1, "candidate": 1}),
            (("stage=promote", "confirm=true", "version=1"), {"champion": 1}),
            (("stage=register", f"run_id={second}"), {"smoke": 2, "candidate": 2}),
            (("stage=promote", "confirm=true", "version=2"), {"champion": 2}),
            (("stage=register", f"run_id={third}"), {"smoke": 3, "candidate": 3}),
        ]
        phases, expected = {"register": Counter(), "promote": Counter()}, {}
        for command, moved in steps:
            stage, before = command[0].removeprefix("stage="), expected
            expected = {**before, **moved}

            def check(told, before=before, expected=expected):
                found = aliases(folder, name)
                assert all(found.get(alias) in (before.get(alias), expected[alias]) for alias in expected), told
                check_aliases(store, folder, name, told)

            times = kills[stage], EVENTS[stage]
            phases[stage] += kill_often(forks, place, times, rng, (*base, *command, *ALIASED), check)
            assert aliases(folder, name) == expected
        assert len(query(folder, "SELECT version FROM model_versions WHERE name = ?", name)) == 3
        told = [
            (one["alias"], one["version"], one["verdict"], one["before"]) for one in history(Registered(store, name))
        ]
        return phases, told

    for phases, decisions in side_by_side(story, range(stories)):
        for stage, counted in phases.items():
            shown(stage, counted)
        assert decisions == [
            ("candidate", 1, "passed", None),
            ("champion", 1, "passed", None),
            ("candidate", 2, "passed", 1),
            ("champion", 2, "passed", 1),
            ("candidate", 3, "passed", 2),
        ]


@pytest.mark.slow
def test_a_downloaded_file_is_whole_after_a_kill(forks, place, server, owner, tmp_path):
    bucket, rng = s3_server.Folder(server, owner, "matches", "killed/"), generator("download")
    folder = place("download")
    write_football_data(tmp_path / "new.csv")
    new = (tmp_path / "new.csv").read_bytes()
    old = b"".join(new.splitlines(keepends=True)[:-100])
    copy = folder / "data/raw/matches/killed/E0.csv"

    def slow(_request, forward):
        answer = forward()
        for begin in range(0, len(answer), 4000):
            yield answer[begin : begin + 4000]
            time.sleep(0.01)

    with s3_server.proxy(server, s3_server.on("GET", slow)) as way:
        command = ("data=s3", "data.bucket=matches", "data.key=killed/E0.csv", f"data.endpoint_url={way.url}")
        command, more = (*command, "stage=prepare"), s3_server.settings(folder)
        bucket.put("E0.csv", old)
        assert forks.run(folder, *command, **more).code == 0
        phases, bodies = Counter(), (new, old)

        def check(told):
            assert copy.read_bytes() in bodies, told
            check_files(folder)

        while phases.total() < 20:
            bucket.put("E0.csv", bodies[0])
            phases += kill(forks, folder, Moment.draw(rng, 60), command, check, **more)
            finish(forks, folder, command, check, **more)
            assert copy.read_bytes() == bodies[0]
            assert {path.name for path in copy.parent.iterdir()} == {"E0.csv", "E0.csv.s3.json"}
            bodies = bodies[::-1]
    shown("download", phases)
    assert phases.total() == 20
