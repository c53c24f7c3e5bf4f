import threading
import time

import pytest

from matchclf.tracking import runs
from matchclf.tracking.children import child_run


def stored(run):
    return run.store.client.get_run(run.id)


def test_a_run_has_all_its_tags_from_its_first_moment(store):
    run = runs.start(store, "ablation | variant=full | frac=1.0", {"pipeline.stage": "ablation"})
    found = stored(run)
    assert (found.info.run_name, found.info.status) == ("ablation | variant=full | frac=1.0", "RUNNING")
    assert found.data.tags["pipeline.stage"] == "ablation"
    runs.finish(run)
    assert stored(run).info.status == "FINISHED"
    assert stored(run).info.end_time >= stored(run).info.start_time
    assert "status.reason" not in stored(run).data.tags


def test_an_exception_ends_its_child_run_as_failed_and_is_raised_again(store):
    parent = runs.start(store, "parent", {})
    child = child_run(parent, "model | one", {"model.family": "linear"})
    with pytest.raises(ValueError, match=r"^no such penalty$"), child as failed:
        raise ValueError("no such penalty")
    with child_run(parent, "model | two", {}) as finished:
        pass
    assert stored(failed).info.status == "FAILED"
    assert stored(failed).data.tags["status.reason"] == "ValueError: no such penalty"
    assert stored(failed).data.tags["mlflow.parentRunId"] == parent.id
    assert stored(finished).info.status == "FINISHED"
    assert stored(parent).info.status == "RUNNING"
    runs.finish(parent)


def test_an_interrupt_inside_a_child_is_not_taken_for_a_failure_of_the_model(store):
    parent = runs.start(store, "parent", {})
    with pytest.raises(KeyboardInterrupt), child_run(parent, "model | one", {}) as run:
        raise KeyboardInterrupt
    assert stored(run).info.status == "RUNNING"
    runs.finish_all(runs.KILLED, "Stopped.")
    assert (stored(run).info.status, stored(parent).info.status) == ("KILLED", "KILLED")


def test_a_run_ends_once_and_keeps_its_first_status(store):
    run = runs.start(store, "one", {})
    runs.finish(run, runs.FAILED, "first")
    runs.finish(run, runs.FINISHED)
    runs.finish_all(runs.KILLED, "second")
    assert (stored(run).info.status, stored(run).data.tags["status.reason"]) == ("FAILED", "first")


def test_children_end_before_their_parents_with_the_same_reason(store):
    parent = runs.start(store, "parent", {})
    child = runs.start(store, "child", {}, parent)
    runs.finish_all(runs.KILLED, "Stopped by SIGTERM.")
    for run in (parent, child):
        assert stored(run).info.status == "KILLED"
        assert stored(run).data.tags["status.reason"] == "Stopped by SIGTERM."
    assert stored(child).info.end_time <= stored(parent).info.end_time


def test_a_reason_or_a_tag_of_any_length_is_kept_as_far_as_mlflow_keeps_tags(store):
    run = runs.start(store, "one", {"data.source_key": "k" * 9000})
    runs.finish(run, runs.FAILED, "r" * 9000)
    tags = stored(run).data.tags
    assert (tags["data.source_key"], tags["status.reason"]) == ("k" * 5000, "r" * 5000)


def test_a_stop_waits_for_a_run_that_is_just_being_started_by_another_thread(store):
    slow = threading.Thread(target=lambda: [runs.start(store, f"run {number}", {}) for number in range(5)])
    slow.start()
    while slow.is_alive():
        runs.finish_all(runs.KILLED, "Stopped.")
        time.sleep(0.001)
    runs.finish_all(runs.KILLED, "Stopped.")
    found = store.client.search_runs([store.experiment_id])
    assert [run.info.status for run in found] == ["KILLED"] * 5
