import getpass
import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matchclf.errors import ModelError
from matchclf.tracking import runs
from matchclf.tracking.decisions import FAILED, PASSED, ROLLED_BACK, history, holder_before, keep_decision
from matchclf.tracking.registry import Registered


@pytest.fixture
def registered(store, request):
    """A registered model of this test's own with three versions."""
    model = Registered(store, request.node.name)
    store.client.create_registered_model(model.name)
    for number in range(3):
        run = runs.start(store, f"final_train | {number}", {})
        runs.finish(run)
        store.client.create_model_version(model.name, f"runs:/{run.id}/model", run.id)
    return model


def decide(registered, version, verdict=PASSED, before=None, alias="champion", gates=()):
    """Keep a decision about a version; returns what was kept."""
    about = {"alias": alias, "version": version, "before": before, "verdict": verdict}
    made_of = registered.version(version)
    grounds = [f"{gate['name']} {gate['found']}" for gate in gates]
    return keep_decision(
        registered, made_of, {**about, "run_id": made_of.run_id, "gates": list(gates), "grounds": grounds}
    )


def pointer(registered):
    (model,) = registered.store.client.search_registered_models(f"name = '{registered.name}'")
    return json.loads(model.tags["decisions.last"])


def artifact(registered, where):
    """The file of a decision where the store keeps it."""
    run = registered.store.client.get_run(where["run_id"])
    return Path(url2pathname(urlsplit(run.info.artifact_uri).path)) / where["path"]


GATE = {"name": "log-loss", "found": 0.1 + 0.2, "limit": 0.0, "difference": {"mean": 1 / 3}, "passed": False}


def test_a_decision_tells_who_when_which_and_on_what_grounds(registered):
    began = datetime.now(UTC) - timedelta(seconds=1)
    kept = decide(registered, 2, FAILED, before=1, gates=[GATE])
    assert began <= datetime.fromisoformat(kept.pop("when")) <= datetime.now(UTC)
    assert kept == {
        "number": 1,
        "who": getpass.getuser(),
        "alias": "champion",
        "version": 2,
        "run_id": registered.version(2).run_id,
        "before": 1,
        "verdict": "gate failed",
        "gates": [GATE],
        "grounds": ["log-loss 0.30000000000000004"],
        "previous": None,
    }


def test_a_decision_is_an_artifact_of_the_run_and_tags_of_the_version(registered):
    kept = decide(registered, 2, FAILED, before=1, gates=[GATE, {**GATE, "name": "ECE"}])
    where = pointer(registered)
    assert where["run_id"] == registered.version(2).run_id
    assert json.loads(artifact(registered, where).read_text()) == kept == history(registered)[0]
    assert registered.version(2).tags == {
        "decision.champion": "gate failed",
        "decision.champion.by": getpass.getuser(),
        "decision.champion.at": kept["when"],
        "decision.champion.grounds": "log-loss 0.30000000000000004; ECE 0.30000000000000004",
    }
    assert registered.version(1).tags == {}


def test_each_decision_holds_the_sha256_of_the_one_before(registered):
    decide(registered, 1)
    decide(registered, 2, FAILED, before=1, gates=[GATE])
    decide(registered, 2, alias="candidate")
    decide(registered, 3, before=1)
    where, found = pointer(registered), []
    while where:
        content = artifact(registered, where).read_bytes()
        assert hashlib.sha256(content).hexdigest() == where["sha256"]
        found.append(json.loads(content))
        where = found[-1]["previous"]
    assert found[::-1] == history(registered)
    told = [(one["number"], one["alias"], one["version"], one["verdict"], one["before"]) for one in found[::-1]]
    assert told == [
        (1, "champion", 1, "passed", None),
        (2, "champion", 2, "gate failed", 1),
        (3, "candidate", 2, "passed", None),
        (4, "champion", 3, "passed", 1),
    ]


def test_a_model_that_was_never_decided_about_has_no_history(registered, store):
    assert history(registered) == []
    assert history(Registered(store, "nobody made this one")) == []


@pytest.mark.parametrize("verdict", [PASSED, FAILED, ROLLED_BACK])
def test_the_same_decision_again_is_not_stored_twice(registered, verdict):
    decide(registered, 1)
    first = decide(registered, 2, verdict, before=1, gates=[GATE])
    decide(registered, 1, alias="candidate")
    assert decide(registered, 2, verdict, before=1, gates=[GATE]) == first
    assert len(history(registered)) == 3


def test_a_failed_decision_is_not_stored_again_when_others_failed_in_between(registered):
    first = decide(registered, 2, FAILED, before=1, gates=[GATE])
    decide(registered, 3, FAILED, before=1, gates=[GATE])
    assert decide(registered, 2, FAILED, before=1, gates=[GATE]) == first
    assert len(history(registered)) == 2


def test_a_failed_decision_on_other_grounds_is_stored(registered):
    decide(registered, 2, FAILED, before=1, gates=[GATE])
    decide(registered, 2, FAILED, before=1, gates=[{**GATE, "limit": 0.1}])
    decide(registered, 2, FAILED, before=3, gates=[GATE])
    assert len(history(registered)) == 3


def test_a_version_that_was_taken_back_can_be_promoted_again(registered):
    decide(registered, 1)
    decide(registered, 2, before=1)
    decide(registered, 1, ROLLED_BACK, before=2)
    decide(registered, 2, before=1)
    decide(registered, 1, ROLLED_BACK, before=2)
    assert [one["version"] for one in history(registered)] == [1, 2, 1, 2, 1]


@pytest.mark.parametrize(
    "change", [lambda text: text.replace(b'"version": 1', b'"version": 3'), lambda _: b"\xff\xfe", lambda _: b""]
)
def test_an_altered_decision_is_found_and_nothing_is_added_to_it(registered, change):
    decide(registered, 1)
    where = pointer(registered)
    decide(registered, 2, before=1)
    path = artifact(registered, where)
    path.write_bytes(change(path.read_bytes()))
    sentence = f"The decision {where['path']} of run {where['run_id']} was altered since it was made."
    with pytest.raises(ModelError) as problem:
        history(registered)
    assert str(problem.value) == sentence
    last = pointer(registered)
    with pytest.raises(ModelError) as problem:
        decide(registered, 3, before=2)
    assert str(problem.value) == sentence
    assert pointer(registered) == last


def test_a_missing_decision_is_found(registered):
    decide(registered, 1)
    where = pointer(registered)
    decide(registered, 2, before=1)
    artifact(registered, where).unlink()
    with pytest.raises(ModelError) as problem:
        history(registered)
    assert f"The decision {where['path']} of run {where['run_id']} cannot be read: " in str(problem.value)


def test_two_decisions_of_one_number_about_one_version_do_not_overwrite_each_other(registered):
    decide(registered, 1, FAILED, gates=[GATE])
    first = pointer(registered)
    registered.store.client.delete_registered_model_tag(registered.name, "decisions.last")
    decide(registered, 1, FAILED, gates=[{**GATE, "limit": 1.0}])
    assert [one["number"] for one in history(registered)] == [1]
    assert hashlib.sha256(artifact(registered, first).read_bytes()).hexdigest() == first["sha256"]


def told(version, verdict, before, alias="champion"):
    return {"alias": alias, "version": version, "verdict": verdict, "before": before}


def test_two_versions_that_took_turns_are_gone_back_through_to_the_first():
    found = [told(1, PASSED, None), told(2, PASSED, 1), told(1, PASSED, 2)]
    held = [1]
    for _ in range(4):
        before = holder_before(found, "champion", held[-1])
        if before is not None:
            found.append(told(before, ROLLED_BACK, held[-1]))
            held.append(before)
    assert held == [1, 2, 1]


def test_of_a_version_put_there_by_hand_nothing_is_known():
    found = [told(1, PASSED, None), told(2, PASSED, 1)]
    assert holder_before(found, "champion", 3) is None
    assert holder_before([*found, told(2, PASSED, 3)], "champion", 2) == 3
    assert holder_before(found, "candidate", 2) is None
    assert holder_before([], "champion", 1) is None


OPERATIONS = st.sampled_from(["promote", "back", "promote", "back", "killed", "fail", "other"])


@given(st.lists(st.tuples(OPERATIONS, st.integers(1, 3)), min_size=4))
def test_going_back_is_taking_the_last_promotion_from_a_stack(operations):
    held, found = [1], [told(1, PASSED, None)]
    for operation, version in operations:
        top = held[-1]
        if operation == "promote" and version != top:
            held.append(version)
            found.append(told(version, PASSED, top))
        elif operation == "killed" and version != top:  # before the alias was moved
            found.append(told(version, PASSED, top))
        elif operation in ("fail", "other"):
            found.append(told(version, FAILED, top) if operation == "fail" else told(version, PASSED, top, "candidate"))
        elif operation == "back" and len(held) > 1:
            held.pop()
            found.append(told(held[-1], ROLLED_BACK, top))
        _goes_back(found, held)


def _goes_back(found, held):
    before, at = (None, *held)[-2], held[-1]
    assert holder_before(found, "champion", at) == before
    if before is not None:  # stopped between its decision and its alias, the same command does the same
        assert holder_before([*found, told(before, ROLLED_BACK, at)], "champion", at) == before
