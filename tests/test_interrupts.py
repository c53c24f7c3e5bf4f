import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

import program

LONG = (*program.TINY, "model=[dummy,hgb]", "rounds=100000", "stage=ablation", "variant=elo_only")


def wait_for(condition, process, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, "the process ended too early"
        assert time.monotonic() < end
        time.sleep(0.05)


def training(folder, options):
    """A run that is in the middle of fitting its second model."""
    process = program.start(*LONG, cwd=folder, **options)
    wait_for(lambda: "\ndummy " in (folder / "out").read_text(), process)
    wait_for(lambda: "RUNNING" in [run.info.status for run in children(folder)], process)
    return process


def children(folder):
    return program.search(folder, "tags.`pipeline.scope` = 'child' and attributes.run_name = 'model | hgb'")


def ignore_interrupts():
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@pytest.mark.parametrize(
    ("number", "code", "options"),
    [
        pytest.param(signal.SIGTERM, 143, {}, id="SIGTERM"),
        pytest.param(signal.SIGINT, 130, {}, id="SIGINT", marks=pytest.mark.slow),
        # What a shell without job control does to a command in the background.
        pytest.param(signal.SIGINT, 130, {"preexec_fn": ignore_interrupts}, id="SIGINT ignored at the start"),
    ],
)
def test_a_stopped_run_ends_in_five_seconds_and_says_so_on_parent_and_child(tmp_path, number, code, options):
    process = training(tmp_path, options)
    began = time.monotonic()
    process.send_signal(number)
    assert process.wait(timeout=60) == code
    assert time.monotonic() - began < 5
    name = signal.Signals(number).name
    models = [("model | dummy", "FINISHED"), ("model | hgb", "KILLED")]
    assert program.tree(tmp_path) == [("ablation | variant=elo_only | frac=1.0", "KILLED", models)]
    stopped = program.search(tmp_path, "attributes.status = 'KILLED'")
    assert [run.data.tags["status.reason"] for run in stopped] == [f"Stopped by {name}."] * 2
    assert (tmp_path / "err").read_text() == f"\nStopped by {name}: closing the open runs.\n"
    assert list(tmp_path.rglob("*.part")) == []


@pytest.mark.slow
def test_a_stopped_sweep_starts_no_further_job(tmp_path):
    process = program.start(*LONG[:-1], "variant=full,elo_only", "--multirun", cwd=tmp_path)
    wait_for(lambda: "\ndummy " in (tmp_path / "out").read_text(), process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=5) == 143
    ((name, status, _),) = program.tree(tmp_path)
    assert (name, status) == ("ablation | variant=full | frac=1.0", "KILLED")


@pytest.mark.slow
def test_a_stop_while_files_are_written_leaves_no_part_of_a_file(tmp_path):
    # The default league: its tables take long enough to be seen while they are written.
    process = program.start("stage=prepare", cwd=tmp_path)
    wait_for(lambda: list((tmp_path / "data").rglob("*.part")), process)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=5) == 143
    assert list(tmp_path.rglob("*.part")) == []
    assert not (tmp_path / "data/processed/manifest.json").exists()


def test_a_stop_before_any_run_is_open_is_just_an_end():
    code = (
        "from matchclf import interrupts; interrupts.watch(); print('ready', flush=True); import time; time.sleep(60)"
    )
    command = [sys.executable, "-c", code]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=program.environment(), **pipes) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=5) == 143
        assert process.stderr.read() == "\nStopped by SIGTERM: closing the open runs.\n"


def test_other_signals_that_wake_the_watch_do_not_end_the_process():
    code = (
        "import os, signal, time; from matchclf import interrupts; interrupts.watch()\n"
        "signal.signal(signal.SIGUSR1, lambda *_: None); os.kill(os.getpid(), signal.SIGUSR1)\n"
        "time.sleep(0.5); print('alive')"
    )
    done = subprocess.run([sys.executable, "-c", code], env=program.environment(), capture_output=True, check=True)
    assert done.stdout == b"alive\n"


def working_in(folder):
    """Ids of the processes whose working folder this is."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (process / "cwd").readlink() == folder:
                found.append(process.name)
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_the_jobs_of_the_joblib_launcher_end_with_the_process_that_started_them(tmp_path, number, code):
    command = [*program.TINY, "model=[dummy,hgb]", "rounds=100000", "stage=ablation", "--multirun"]
    command += ["variant=elo_only,full", "hydra/launcher=joblib", "hydra.launcher.n_jobs=2"]
    process = program.start(*command, cwd=tmp_path, start_new_session=True)
    try:
        while (tmp_path / "out").read_text().count("\ndummy ") < 2:
            assert process.poll() is None
            time.sleep(0.1)
        process.send_signal(number)
        assert process.wait(timeout=5) == code
        time.sleep(3)
        statuses = {run.info.status for run in program.search(tmp_path)}
        left = working_in(tmp_path)
        assert (statuses, left) == ({"FINISHED", "KILLED"}, [])
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
