"""What workers of a test run share."""

import multiprocessing
import time

import pytest

from shared import once


class Place:
    """A folder of one test's own in place of the run's."""

    def __init__(self, folder):
        self.getbasetemp = lambda: folder


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    return Place(tmp_path)


def make(folder):
    with (folder.parent / "calls").open("a") as calls:
        print("called", file=calls)
    time.sleep(0.3)
    (folder / "one").write_text("whole")
    return {"told": [1, "two"]}


def test_it_is_made_by_the_first_of_several_processes(place, tmp_path):
    workers = [multiprocessing.get_context("fork").Process(target=once, args=(place, "this", make)) for _ in range(4)]
    for one in workers:
        one.start()
    for one in workers:
        one.join(60)
    assert [one.exitcode for one in workers] == [0] * 4
    folder, told = once(place, "this", make)
    assert (folder, told) == (tmp_path / "this", {"told": [1, "two"]})
    assert (folder / "one").read_text() == "whole"
    assert (tmp_path / "calls").read_text() == "called\n"


def test_all_workers_of_a_run_take_it_from_the_same_folder(place, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw1")
    for worker in ("popen-gw0", "popen-gw1"):
        (tmp_path / worker).mkdir()
        assert once(Place(tmp_path / worker), "this", make)[0] == tmp_path / "this"
    assert (tmp_path / "calls").read_text() == "called\n"


def test_what_could_not_be_made_is_made_anew_from_nothing(place):
    def fail(folder):
        (folder / "half").write_text("a half")
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        once(place, "this", fail)
    folder, _ = once(place, "this", make)
    assert [path.name for path in folder.iterdir()] == ["one"]
