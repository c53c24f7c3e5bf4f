"""Signals at random moments of a run, from its start on."""

import os
import signal
import time

import pytest

import program
from faults.commands import Moment, generator, phase
from faults.looks import all_runs, check_files, side_by_side

SECONDS = 5
COMMANDS = (
    ("stage=ablation", "variant=full", "model=[dummy,logreg]"),
    ("stage=tuning", "model=logreg", "tuning.n_trials=6", "tuning.racing=false"),
)
# Changes of a file or of a database in the life of each, at least.
EVENTS = (110, 230)
# The signals, one right after the other, and whether the process was started deaf to them.
WAYS = {
    "SIGTERM": ((signal.SIGTERM,), False),
    "SIGINT": ((signal.SIGINT,), False),
    "SIGINT, ignored at the start": ((signal.SIGINT,), True),
    "SIGTERM twice": ((signal.SIGTERM, signal.SIGTERM), False),
    "SIGINT and SIGTERM": ((signal.SIGINT, signal.SIGTERM), False),
}
# A run that says FINISHED has one of these.
DONE = {"cv.logloss_mean", "best.logloss", "best.cv.logloss_mean"}


def check_stopped(folder, command, signals, told):
    """Nothing runs on, and what was stopped says by what."""
    names = {f"Stopped by {number.name}." for number in signals}
    for run in all_runs(folder):
        assert run.status in ("FINISHED", "KILLED", "FAILED"), told
        done, why = run.metrics.keys() & DONE, run.tags.get("status.reason")
        assert done and why is None if run.status == "FINISHED" else why in names, f"{run} {told}"
    parents = [run.status for run in all_runs(folder) if not run.parent]
    if command.code == 0:  # the signal came when the work was done
        assert parents == ["FINISHED"], told
    else:
        assert command.code in {128 + number for number in signals}, told
        assert "Traceback" not in command.err(), told
    check_files(folder)
    assert not list(folder.rglob("*.part")), told


@pytest.mark.parametrize("count", [1, pytest.param(4, marks=pytest.mark.slow)])
def test_a_stopped_command_leaves_no_run_running_without_anybody_to_find_it(forks, place, count):
    ways = [(way, number) for number in range(count) for way in (WAYS if count > 1 else ("SIGINT and SIGTERM",))]

    def story(told_apart):
        way, number = told_apart
        (signals, deaf), events = WAYS[way], EVENTS[number % 2]
        drawn = Moment.draw(generator("signal", way, number), events)
        folder, moment = place(f"{way} {number}"), drawn if count > 1 else Moment(events // 2)
        arguments = (*program.TINY, *COMMANDS[number % 2])
        exact = {"at": ("", moment.event), "number": signals[0]} if moment.seconds is None else {}
        command = forks.start(folder, *arguments, deaf=deaf, **exact)
        lives = command.wait_until(moment)
        began, events = time.monotonic(), command.events()
        for one in signals[bool(exact) :] if lives else ():
            command.send(one)
        assert command.wait() is not None
        seconds = time.monotonic() - began
        told = f"{way} {number} at {moment} in {folder}, after {seconds:.1f} s: {command.told()}"
        check_stopped(folder, command, signals, told)
        return way, command.code, round(seconds, 2), phase(events)

    ended = side_by_side(story, ways)
    print(*ended, sep="\n")
    slack = max(1, os.getloadavg()[0] / len(os.sched_getaffinity(0)))
    assert max(seconds for _, code, seconds, _ in ended if code) < SECONDS * slack
    assert sum(code != 0 for _, code, *_ in ended) >= 0.8 * len(ended)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_python_itself_starts_is_an_end_too(place, number):
    folder = place("cold")
    process = program.start(*program.TINY, *COMMANDS[0], cwd=folder)
    time.sleep(generator("cold", number).uniform(0.1, 2))
    process.send_signal(number)
    assert process.wait(60) in (-number, 128 + number, 0)
    check_files(folder)
    assert all(run.status != "RUNNING" for run in all_runs(folder))


# As when the disk is slow.
SLOW_END = "import time\nfrom matchclf import files\nfiles.discard_parts = lambda: time.sleep(2)"


def test_no_run_starts_once_a_stop_has_closed_those_that_were_open(forks, place):
    folder = place("slow")
    at = ("sql UPDATE runs", 1)  # the end of the first of two models
    command = forks.run(folder, *program.TINY, *COMMANDS[0], at=at, number=signal.SIGTERM, code=SLOW_END)
    assert command.code == 143
    check_stopped(folder, command, (signal.SIGTERM,), command.told())
