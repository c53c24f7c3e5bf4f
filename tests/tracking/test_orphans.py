"""Forged owners and held leases: who is ended, and who never is."""

import logging
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta

import pytest

from matchclf.tracking import heartbeat, orphans, owner, runs
from matchclf.tracking.children import child_run
from matchclf.tracking.owner import BOOT, HOST, LEASE, PID, SEEN, STARTED

GONE = {"owner_lease": "/gone.lease", "owner_started": "1"}


def run_of(store, name, parent=None, **changed):
    """A stored run that says RUNNING, with the owner tags of this process but for some."""
    run = runs.start(store, name, {"pipeline.scope": "child" if parent else "parent"}, parent)
    for key, value in changed.items():
        store.client.set_tag(run.id, key.replace("_", "."), value)
    del runs._open[run.id]
    return run


def ago(**time):
    return (datetime.now(UTC) - timedelta(**time)).isoformat()


def status(store, *those):
    return [store.client.get_run(run.id).info.status for run in those]


def test_only_runs_whose_process_is_gone_are_ended(store):
    alive = run_of(store, "alive")
    reused = run_of(store, "reused pid", **GONE)
    rebooted = run_of(store, "rebooted", owner_boot="another")
    elsewhere = run_of(store, "elsewhere", owner_host="elsewhere", owner_seen=ago(minutes=59))
    silent = run_of(store, "silent", owner_host="elsewhere", owner_seen=ago(minutes=61))
    foreign = run_of(store, "foreign")
    store.client.delete_tag(foreign.id, PID)
    ended = {run.info.run_name for run in orphans.reap(store)}
    assert ended == {"reused pid", "rebooted", "silent"}
    assert status(store, alive, elsewhere, foreign) == ["RUNNING"] * 3
    assert status(store, reused, rebooted, silent) == ["FAILED"] * 3
    tags = store.client.get_run(reused.id).data.tags
    assert (tags["status.reason"], tags[runs.ORPHANED]) == ("Its process ended before the run did.", "true")
    assert orphans.reap(store) == []


def test_children_are_ended_before_their_parent_and_told_in_the_log(store, caplog):
    parent = run_of(store, "parent", **GONE)
    child = run_of(store, "child", parent, **GONE)
    with caplog.at_level(logging.WARNING):
        assert [run.info.run_id for run in orphans.reap(store)] == [child.id, parent.id]
    assert [message.split(" (")[0] for message in caplog.messages] == ["orphan     child", "orphan     parent"]


def test_a_lease_held_by_another_process_protects_a_run_with_any_other_tag(store):
    code = "from matchclf.tracking.owner import *; print(owner_tags()[LEASE], flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=-1, stdout=-1, text=True) as process:
        lease = process.stdout.readline().strip()
        run = run_of(store, "held", owner_lease=lease, owner_started="1", owner_pid="999999999")
        assert orphans.reap(store) == []
        process.kill()
        process.wait()
        assert [one.info.run_id for one in orphans.reap(store)] == [run.id]


def test_who_was_taken_over_between_the_look_and_the_end_is_left_alone(store, monkeypatch):
    run = run_of(store, "interrupted search", **GONE)
    stored = store.client.get_run(run.id)
    monkeypatch.setattr(orphans, "running", lambda _: [stored])
    again = runs.reopen(store, stored, {"pipeline.scope": "parent"})
    assert orphans.reap(store) == []
    assert status(store, again) == ["RUNNING"]
    runs.finish(again)


def test_one_waits_while_another_decides(store):
    run = run_of(store, "gone", **GONE)
    reaping = threading.Thread(target=lambda: orphans.reap(store))
    with owner.deciding():
        reaping.start()
        reaping.join(0.5)
        assert status(store, run) == ["RUNNING"]
    reaping.join()
    assert status(store, run) == ["FAILED"]


@pytest.mark.parametrize("final", ["FINISHED", "FAILED", "KILLED"])
def test_a_final_status_stays(store, final, caplog):
    run = runs.start(store, "ended elsewhere", {})
    store.client.set_terminated(run.id, final)
    before = store.client.get_run(run.id).info
    for how in (runs.FINISHED, runs.FAILED, runs.KILLED):
        runs.finish(run, how, "again")
    assert "was ended by another process and stays as it is" in caplog.text
    store.client.set_tag(run.id, "owner.boot", "another")  # ended in order, and its process is gone since
    assert not runs.end_orphan(store, store.client.get_run(run.id))
    assert runs.ORPHANED not in store.client.get_run(run.id).data.tags
    assert dict(store.client.get_run(run.id).info) == dict(before)


def test_a_parent_is_not_finished_while_a_child_runs(store):
    parent = runs.start(store, "parent", {"pipeline.scope": "parent"})
    child = run_of(store, "child", parent)
    runs.finish(parent)
    found = store.client.get_run(parent.id)
    assert (found.info.status, found.data.tags["status.reason"]) == (
        "FAILED",
        "1 of its child runs were still running.",
    )
    store.client.set_terminated(child.id, "FINISHED")


def test_a_parent_ends_the_children_of_processes_that_are_gone_and_counts_them(store):
    parent = runs.start(store, "parent", {"pipeline.scope": "parent"})
    with child_run(parent, "one", {}):
        pass
    run_of(store, "worker that was killed", parent, **GONE)
    runs.finish(parent)
    found = store.client.get_run(parent.id)
    told = {key: value for key, value in found.data.tags.items() if key.startswith("children.")}
    assert (found.info.status, told) == ("FINISHED", {"children.failed": "1", "children.finished": "1"})


def test_open_runs_are_heard_of(store, monkeypatch):
    monkeypatch.setattr(heartbeat, "SECONDS", 0.05)
    run = runs.start(store, "long", {})
    store.client.set_tag(run.id, SEEN, ago(minutes=30))
    heard = threading.Event()

    def beat():
        if not heard.is_set():
            runs._beat()
            heard.set()

    heartbeat.start(beat)
    assert heard.wait(10)
    seen = datetime.fromisoformat(store.client.get_run(run.id).data.tags[SEEN])
    assert datetime.now(UTC) - seen < timedelta(minutes=1)
    runs.finish(run)


def test_every_tag_of_an_owner_is_there_from_the_start(store):
    run = runs.start(store, "one", {})
    tags = store.client.get_run(run.id).data.tags
    assert {HOST, BOOT, PID, STARTED, LEASE, SEEN, owner.MACHINE} <= tags.keys()
    runs.finish(run)
