"""Sweeps that are killed again and again, and go on with the same command until they are complete."""

import json
import shutil
import signal
from collections import Counter

import pytest

import program
from faults.commands import Moment, generator, phase
from faults.looks import all_runs, check_ended, check_files, finished, side_by_side

TRIALS = 12
SEARCH = (*program.TINY, "stage=tuning", "model=logreg", "tuning.racing=false", f"tuning.n_trials={TRIALS}")
# Changes of files and of the database, of a start and about four trials.
EVENTS = 220


def points(folder):
    """Parameters and scores of each trial that is FINISHED, by its number; more than one where it was done twice."""
    trials = [run for run in all_runs(folder) if run.parent and run.status == "FINISHED"]
    return sorted(
        (run.name, sorted(run.params.items()), sorted((k, v) for k, v in run.metrics.items() if k.startswith("cv.")))
        for run in trials
    )


@pytest.fixture(scope="module")
def uninterrupted(forks, prepared, tmp_path_factory):
    """A sweep that nothing disturbed."""
    folder = shutil.copytree(prepared, tmp_path_factory.mktemp("uninterrupted") / "here")
    done = forks.run(folder, *SEARCH)
    assert done.code == 0, done.told()
    return folder


def best_of(runs):
    """The trial with the lowest score."""
    ended = [run for run in runs if run.parent and run.status == "FINISHED"]
    return min(ended, key=lambda run: run.metrics["cv.logloss_mean"])


def parents(folder):
    """How the sweeps of a folder ended."""
    return [run.status for run in all_runs(folder) if not run.parent]


def check_complete(folder, expected):
    check_files(folder)
    runs = check_ended(folder)
    assert points(folder) == expected
    assert [name for name, *_ in expected] == [f"trial | {number:03d}" for number in range(TRIALS)]
    (parent,) = [run for run in runs if not run.parent]
    assert parent.status == "FINISHED"
    best = best_of(runs)
    assert parent.tags["best.run_id"] == best.id
    assert json.loads((folder / "data/models/logreg_best_params.json").read_text())["run_id"] == best.id


@pytest.mark.parametrize(("stories", "kills"), [(1, 2), pytest.param(10, 10, marks=pytest.mark.slow)])
def test_a_sweep_killed_at_any_moment_goes_on_to_the_same_end(forks, place, uninterrupted, stories, kills):
    expected = points(uninterrupted)

    def story(number):
        rng, phases, seen = generator("sweep", kills, number), Counter(), {}
        folder = place(f"{number}-0")
        while phases.total() < kills:
            moment = Moment.draw(rng, EVENTS)
            command = forks.killed(folder, moment, *SEARCH)
            told = f"story {number}, kill {phases.total()} at {moment} in {folder}: {command.told()}"
            assert command.code in (0, -signal.SIGKILL), told
            kept, seen = seen, finished(folder)
            assert {run_id: seen.get(run_id) for run_id in kept} == kept, told
            check_files(folder)
            if command.code:
                phases[phase(command.events())] += 1
            if parents(folder) == ["FINISHED"]:  # the same command would start another sweep
                check_complete(folder, expected)
                folder, seen = place(f"{number}-{phases.total()}"), {}
        done = forks.run(folder, *SEARCH)
        assert done.code == 0, done.told()
        kept, seen = seen, finished(folder)
        assert {run_id: seen.get(run_id) for run_id in kept} == kept
        check_complete(folder, expected)
        return phases

    phases = sum(side_by_side(story, range(stories)), Counter())
    print(dict(phases))
    assert phases.total() == stories * kills


@pytest.mark.slow
def test_a_trial_killed_right_before_its_end_is_done_again_and_is_never_the_best(forks, place, uninterrupted):
    folder, best = place("here"), best_of(all_runs(uninterrupted)).name
    ends = int(best.removeprefix("trial | ")) + 1
    assert forks.run(folder, *SEARCH, at=("sql UPDATE runs", ends)).code == -signal.SIGKILL
    assert forks.run(folder, *SEARCH).code == 0
    check_complete(folder, points(uninterrupted))
    assert [run.status for run in all_runs(folder) if run.name == best] == ["FAILED", "FINISHED"]
