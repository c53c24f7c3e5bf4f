"""Sweeps and searches in processes of their own: who is whose parent, how many run at once, what a failure leaves."""

import importlib.util
import os
import re
import signal
import subprocess
import sys
import time

import pytest
from hydra import compose as hydra_compose
from hydra import initialize_config_dir

import loopback
import program
from matchclf import launchers, threads
from matchclf.compose import CONF, register_schema

JOBLIB, LOCAL, RAY = "joblib", "submitit_local", "ray"
PLUGINS = {JOBLIB: "hydra_joblib_launcher", LOCAL: "hydra_submitit_launcher", RAY: "hydra_ray_launcher"}
BAD = "The 'C' parameter"
# What becomes of the run of a worker when another one is lost.
OTHER_WORKER = {JOBLIB: "FAILED", LOCAL: "KILLED"}


def here(name):
    missing = importlib.util.find_spec(f"hydra_plugins.{PLUGINS[name]}") is None
    return pytest.param(name, marks=pytest.mark.skipif(missing, reason=f"no {PLUGINS[name]}"))


ALL = [here(name) for name in PLUGINS]


@pytest.fixture(scope="module")
def worked(tmp_path_factory):
    """A folder in which a launcher ran a sweep of two ablations and a search of two trials; one of each fails."""
    folders = {}

    def run(name):
        if name not in folders:
            folder = tmp_path_factory.mktemp(name)
            common = (*program.TINY, f"hydra/launcher={name}", "workers=1")
            sweep = ("stage=ablation", program.TWO, "--multirun", "models.logreg.estimator.C=1.0,-1.0")
            search = ("stage=tuning", "model=logreg", "frac=tenth", "tuning.n_trials=2", "tuning.n_jobs=2")
            space = "models.logreg.estimator.C=interval(-0.5,0.5)"
            done = [program.run(*common, *sweep, cwd=folder), program.run(*common, *search, space, cwd=folder)]
            folders[name] = (folder, *done)
        return folders[name]

    return run


@pytest.fixture(autouse=True)
def cloud(guard):
    """Ray asks on which cloud it runs, and cannot be told not to; nothing else is asked by it."""
    yield
    refused = loopback.refused(guard)
    asked = re.compile(r"socket\.getaddrinfo (169\.254\.169\.254|metadata\.google\.internal) by .*/ray/dashbo")
    assert [line for line in refused if not asked.match(line)] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_each_job_of_a_sweep_is_a_parent_and_one_that_fails_is_recorded(worked, name):
    folder, swept, _ = worked(name)
    parents = sorted(program.parents(folder, "ablation%"), key=lambda run: run.info.status)
    ended = [[run.info.status, *(one.info.status for one in program.children(folder, run).values())] for run in parents]
    assert ended == [["FAILED", "FINISHED", "FAILED"], ["FINISHED"] * 3]
    assert BAD in program.children(folder, parents[0])["logreg"].data.tags["status.reason"]
    assert len({run.data.tags["pipeline.sweep_id"] for run in parents}) == 1
    assert swept.code == 1
    assert "\nError: 1 of 2 models failed: logreg; the tag status.reason of each child run" in swept.err


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL[:2])
def test_as_many_jobs_work_at_once_as_there_are_workers(worked, name):
    first, second = sorted(
        (run.info for run in program.parents(worked(name)[0], "ablation%")), key=lambda r: r.start_time
    )
    assert first.end_time <= second.start_time


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_each_trial_of_a_search_is_a_child_of_the_one_parent_and_one_that_fails_is_recorded(worked, name):
    folder, _, searched = worked(name)
    assert searched.code == 0, searched
    (parent,) = program.parents(folder, "tuning%")
    trials = program.children(folder, parent)
    ended = {trial: run.info.status for trial, run in trials.items()}
    assert (parent.info.status, ended) == ("FINISHED", {"trial | 000": "FINISHED", "trial | 001": "FAILED"})
    assert BAD in trials["trial | 001"].data.tags["status.reason"]
    counts = {key: value for key, value in parent.data.tags.items() if key.startswith("children.")}
    assert counts == {"children.finished": "1", "children.failed": "1"}


def running(folder, process):
    """Trials that run, once there are two of them."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        assert process.poll() is None, (folder / "err").read_text()
        if (folder / "data/processed/dataset.parquet").exists():
            found = program.search(folder, "tags.`pipeline.stage` = 'optuna_trial' and attributes.status = 'RUNNING'")
            if len(found) == 2:
                return found
        time.sleep(0.2)
    raise TimeoutError((folder / "out").read_text())


def searching(folder, name):
    """A search of two long trials, its process, and the trials once both run."""
    slow = ("model=hgb", "models.hgb.estimator.max_iter=1000000", "models.hgb.estimator.early_stopping=false")
    command = (*program.TINY, "stage=tuning", *slow, "tuning.n_trials=2", "tuning.n_jobs=2", f"hydra/launcher={name}")
    process = program.start(*command, cwd=folder)
    return process, running(folder, process)


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL[:2])
def test_a_worker_that_is_killed_ends_the_search_and_every_run_of_it(tmp_path, name):
    process, found = searching(tmp_path, name)
    # submitit waits for its jobs in their order, joblib kills the other one too.
    lost, other = sorted(found, key=lambda run: run.info.run_name)
    os.kill(int(lost.data.tags["owner.pid"]), signal.SIGKILL)
    assert process.wait(timeout=60) == 1
    assert re.search(
        r"^Error: A worker process ended before its job did \(\w+\): ", (tmp_path / "err").read_text(), re.M
    )
    ((_, status, trials),) = program.tree(tmp_path)
    expected = [(lost.info.run_name, "FAILED"), (other.info.run_name, OTHER_WORKER[name])]
    assert (status, sorted(trials)) == ("FAILED", expected)
    reason = program.client(tmp_path).get_run(lost.info.run_id).data.tags["status.reason"]
    assert reason == "Its process ended before the run did."


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL[2:])
def test_ray_does_the_work_of_a_worker_that_is_killed_again(tmp_path, name):
    process, (lost, _) = searching(tmp_path, name)
    os.kill(int(lost.data.tags["owner.pid"]), signal.SIGKILL)
    end = time.monotonic() + 60
    again = []
    while not again and time.monotonic() < end:
        time.sleep(0.2)
        found = program.search(tmp_path, f"attributes.run_name = '{lost.info.run_name}'")
        again = [run for run in found if run.info.run_id != lost.info.run_id]
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=60) == 143
    assert [run.info.run_name for run in again] == [lost.info.run_name]
    ended = program.client(tmp_path).get_run(lost.info.run_id)
    assert (ended.info.status, ended.data.tags["status.orphaned"]) == ("FAILED", "true")


@pytest.fixture
def share():
    """What a job of a command line gets when so many jobs are launched at a time: fits in it, jobs side by side."""
    register_schema()

    def shared(jobs, *overrides):
        with initialize_config_dir(str(CONF), version_base="1.3"):
            config = hydra_compose("config", [*overrides, "hydra.sweep.dir=/nowhere"], return_hydra_config=True)
        at_once = launchers.at_once(config, jobs)
        return threads.fits_of(config.workers, at_once), at_once

    return shared


@pytest.mark.parametrize(
    ("jobs", "overrides", "expected"),
    [
        (1, [], (8, 1)),
        (4, [], (8, 1)),
        (4, ["hydra/launcher=joblib"], (2, 4)),
        (4, ["hydra/launcher=joblib", "hydra.launcher.n_jobs=3"], (2, 3)),
        (20, ["hydra/launcher=joblib"], (1, 8)),
        (20, ["hydra/launcher=joblib", "hydra.launcher.n_jobs=-3"], (1, 6)),
        (20, ["hydra/launcher=joblib", "hydra.launcher.n_jobs=100"], (1, 8)),
        (3, ["hydra/launcher=submitit_local"], (2, 3)),
        (20, ["hydra/launcher=submitit_local"], (1, 8)),
        (20, ["hydra/launcher=submitit_slurm"], (8, 1)),
        (20, ["hydra/launcher=ray"], (1, 8)),
        (20, ["hydra/launcher=ray", "+hydra.launcher.ray.remote.num_cpus=4"], (4, 2)),
        (2, ["hydra/launcher=ray", "+hydra.launcher.ray.remote.num_cpus=0.5"], (1, 8)),
    ],
)
def test_fits_times_jobs_are_never_more_than_the_workers(share, jobs, overrides, expected):
    name = next((one.partition("=")[2] for one in overrides if one.startswith("hydra/launcher")), JOBLIB)
    pytest.importorskip(f"hydra_plugins.{PLUGINS.get(name, PLUGINS[LOCAL])}", exc_type=ImportError)
    assert share(jobs, "workers=8", *overrides) == expected
    assert expected[0] * expected[1] <= 8


HOLD = """
import sys, time
from pathlib import Path
from matchclf import threads
threads.take_place(Path(sys.argv[1]), 2)
print(time.monotonic(), end=" ", flush=True)
time.sleep(float(sys.argv[2]))
print(time.monotonic(), flush=True)
"""


def hold(folder, seconds):
    command = [sys.executable, "-c", HOLD, str(folder), str(seconds)]
    return subprocess.Popen(command, env=program.environment(), stdout=subprocess.PIPE, text=True)


def test_no_more_processes_work_at_once_than_there_are_places(tmp_path):
    spans = [tuple(map(float, one.communicate()[0].split())) for one in [hold(tmp_path, 0.3) for _ in range(5)]]
    assert max(sum(start <= moment < end for start, end in spans) for moment, _ in spans) == 2


def test_the_place_of_a_process_that_was_killed_is_free(tmp_path):
    waiting = [hold(tmp_path, 60) for _ in range(2)]
    try:
        for one in waiting:
            assert one.stdout.read(1)
        waiting[0].kill()
        assert len(hold(tmp_path, 0).communicate(timeout=20)[0].split()) == 2
    finally:
        for one in waiting:
            one.kill()
            one.communicate()


def test_a_launcher_that_is_not_installed_is_told_with_the_extra_that_brings_it(matchclf, tmp_path):
    hidden = (
        "import sys\nfor name in ('ray', 'submitit'):\n    sys.modules[f'hydra_plugins.hydra_{name}_launcher'] = None\n"
    )
    env = program.hooked(tmp_path / "hook", hidden)
    done = matchclf("stage=ablation", "hydra/launcher=submitit_slurm", "--multirun", "variant=full", **env)
    assert (done.code, done.err.splitlines()[-1]) == (
        2,
        "Error: hydra/launcher=submitit_slurm is not installed; get it with pip install 'matchclf[submitit]'.",
    )


@pytest.mark.parametrize(
    ("environment", "expected"),
    [({"SLURM_CPUS_PER_TASK": "1", "SLURM_CPUS_ON_NODE": "64"}, 1), ({"SLURM_CPUS_ON_NODE": "1"}, 1), ({}, None)],
)
def test_a_job_of_slurm_uses_the_cores_it_was_given(monkeypatch, environment, expected):
    for name in threads.SLURM:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert threads.cores() == (expected or len(os.sched_getaffinity(0)))
    assert threads.fits(0) == threads.cores()
    assert threads.fits(3) == 3
