"""Many first starts at once where there is no store yet, and first starts that are killed while they make it."""

import signal
import sqlite3
from collections import Counter
from contextlib import closing

import pytest

import program
from faults.commands import Moment, generator
from faults.looks import all_runs, check_ended, query, side_by_side

ONE = (*program.TINY, "stage=ablation", "variant=elo_only", "model=dummy")
# Changes until the database is whole.
EVENTS = 520


def without_store(folder):
    """The same folder without a store."""
    for path in folder.glob("mlflow.db*"):
        path.unlink()
    return folder


def start_all(forks, place, count, name):
    """Start so many at once on no store, wait for all, and look."""
    folder = without_store(place(name))
    views = [folder / f"view-{number}" for number in range(count)]
    for view in views:
        view.mkdir()
        for path in ("data", "params.yaml"):
            (view / path).symlink_to(folder / path)
    uri = f"tracking.uri=sqlite:///{folder}/mlflow.db"
    commands = [forks.start(view, *ONE, uri) for view in views]
    assert [command.wait(300) for command in commands] == [0] * count, [command.told() for command in commands]
    runs = check_ended(folder)
    assert Counter((run.name, run.status) for run in runs) == {
        ("ablation | variant=elo_only | frac=1.0", "FINISHED"): count,
        ("model | dummy", "FINISHED"): count,
    }
    assert query(folder, "PRAGMA journal_mode") == [("wal",)]
    assert sorted(query(folder, "SELECT name FROM experiments")) == [("Default",), ("matches_clf",)]


@pytest.mark.parametrize("count", [3, pytest.param(8, marks=pytest.mark.slow)])
def test_processes_that_start_at_once_on_no_store_all_succeed(forks, place, count):
    for number in range(1 if count < 8 else 5):
        start_all(forks, place, count, number)


@pytest.mark.parametrize(("stories", "kills"), [(1, 1), pytest.param(5, 2, marks=pytest.mark.slow)])
def test_a_store_is_whole_or_absent_after_a_kill_while_it_is_made(forks, place, stories, kills):
    def story(number):
        folder, rng, found = without_store(place(number)), generator("creation", number), Counter()
        while found.total() < kills:
            moment = Moment.draw(rng, EVENTS, 0.02)
            killed = forks.killed(folder, moment, *ONE)
            told = f"story {number}, at {moment} in {folder}: {killed.told()}"
            assert killed.code == -signal.SIGKILL, told
            whole = (folder / "mlflow.db").exists()
            if whole:
                with closing(sqlite3.connect(folder / "mlflow.db")) as connection:
                    assert connection.execute("SELECT version_num FROM alembic_version").fetchall(), told
            found["store there" if whole else "store not there yet"] += 1
        done = forks.run(folder, *ONE)
        assert done.code == 0, done.told()
        check_ended(folder)
        assert [run.status for run in all_runs(folder) if not run.parent][-1] == "FINISHED"
        return found

    found = sum(side_by_side(story, range(stories)), Counter())
    print(dict(found))
    assert found.total() == stories * kills
