"""The same experiment again: told, pointed to or refused; and code that must be clean."""

import logging

import pytest

import program
import projects
from matchclf.errors import ConfigError, DataError, DuplicateError
from matchclf.stages.duplicates import check_duplicate
from matchclf.stages.experiment import _recorded_by_dvc
from matchclf.tracking import record, runs

TAGS = {
    "pipeline.stage": "ablation",
    "pipeline.scope": "parent",
    "pipeline.params_hash": "0123456789abcdef",
    "pipeline.git_sha": "abc1234",
    "pipeline.git_dirty": "false",
}
DATA = "d" * 32


@pytest.fixture
def started(store):
    return lambda **changed: runs.start(store, "ablation", TAGS | {k.replace("__", "."): v for k, v in changed.items()})


@pytest.fixture
def earlier(started):
    """A finished run of these tags."""

    def finished(status=runs.FINISHED, data=DATA, **changed):
        run = started(**changed)
        record.record(run, tags={"data.hash": data}, metrics={"best.logloss": 1.0123})
        runs.finish(run, status)
        return run

    return finished


@pytest.fixture
def check(compose):
    return lambda run, mode="run", data=DATA: check_duplicate(compose(f"lineage.on_duplicate={mode}"), run, data)


def tag(run):
    return run.store.client.get_run(run.id).data.tags.get("duplicate.of")


def test_the_latest_run_of_the_same_settings_code_and_data_is_named(earlier, started, check, caplog):
    caplog.set_level(logging.INFO)
    earlier()
    latest, now = earlier(), started()
    check(now)
    assert tag(now) == latest.id
    assert caplog.messages == [f"duplicate  The run {latest.id} had the same settings, code and data"]


def test_a_link_ends_with_the_score_that_the_run_had(earlier, started, check):
    first, now = earlier(), started()
    with pytest.raises(DuplicateError) as told:
        check(now, "link")
    expected = f"duplicate  The run {first.id} had the same settings, code and data: log-loss 1.0123; nothing was run"
    assert (str(told.value), told.value.value, tag(now)) == (expected, 1.0123, first.id)


def test_a_refusal_names_the_run_and_the_way_out(earlier, started, check):
    first, now = earlier(), started()
    with pytest.raises(ConfigError) as told:
        check(now, "refuse")
    said = f"The run {first.id} had the same settings, code and data; run it again with lineage.on_duplicate=run."
    assert (str(told.value), told.value.exit_code, tag(now)) == (said, 2, None)


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ({"pipeline__git_sha": "def5678"}, {}),
        ({"pipeline__params_hash": "f" * 16}, {}),
        ({"pipeline__stage": "train_eval"}, {}),
        ({"pipeline__scope": "child"}, {}),
        ({"data": "e" * 32}, {}),
        ({"status": "FAILED"}, {}),
        ({"status": "KILLED"}, {}),
        ({}, {"pipeline__git_dirty": "true"}),
        ({"pipeline__git_dirty": "true"}, {}),
        ({"pipeline__git_sha": "none"}, {"pipeline__git_sha": "none"}),
        ({"duplicate__of": "1" * 32}, {}),
    ],
)
def test_anything_else_is_no_duplicate(earlier, started, check, before, now):
    earlier(**before)
    run = started(**now)
    check(run, "refuse")
    assert tag(run) is None


def test_a_running_one_is_no_duplicate(started, check):
    record.record(started(), tags={"data.hash": DATA})
    check(started(), "refuse")


@pytest.mark.parametrize(
    "command", ["stage=ablation", pytest.param("stage=tuning model=logreg", marks=pytest.mark.slow)]
)
def test_code_with_uncommitted_changes_is_refused_before_a_run_is_opened(tmp_path, command):
    folder = projects.make(tmp_path / "project")
    path = folder / "src/matchclf/paths.py"
    path.write_text(path.read_text() + "# Changed.\n")
    done = projects.run(folder, *projects.ON_FILES, *command.split(), "lineage.require_clean=true")
    said = f"Error: The code at {projects.sha(folder)[:7]} has uncommitted changes; commit them, or set lineage."
    assert (done.code, said in done.err) == (2, True), done
    assert program.search(folder) == []


@pytest.mark.slow
def test_the_same_command_again_is_linked_refused_or_run_and_with_other_code_it_is_new(tmp_path):
    folder = projects.make(tmp_path / "project")
    command = (*projects.ON_FILES, "stage=ablation", "variant=elo_only", "model=[dummy]", "lineage.require_clean=true")
    linking, refusing = ("lineage.on_duplicate=link", "lineage.on_duplicate=refuse")
    assert projects.run(folder, *command).code == 0
    (first,) = program.parents(folder)

    linked = projects.run(folder, *command, linking)
    assert (linked.code, "nothing was run" in linked.out, "dummy  " in linked.out) == (0, True, False), linked
    second = program.parents(folder)[-1]
    assert (second.info.status, second.data.tags["duplicate.of"]) == ("FINISHED", first.info.run_id)
    assert (program.children(folder, second), second.data.metrics) == ({}, {})

    refused = projects.run(folder, *command, refusing)
    assert (refused.code, f"The run {first.info.run_id} had the same settings" in refused.err) == (2, True), refused
    assert program.parents(folder)[-1].info.status == "FAILED"

    projects.change_features(folder)
    projects.commit(folder, "two")
    assert projects.run(folder, *command, refusing).code == 0
    last = program.parents(folder)[-1]
    assert ("duplicate.of" in last.data.tags, len(program.children(folder, last))) == (False, 1)


def test_data_that_dvc_recorded_otherwise_is_refused_or_tagged(compose, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pointer = tmp_path / "data/processed/dataset.parquet.dvc"
    pointer.parent.mkdir(parents=True)
    (tmp_path / ".dvc").mkdir()
    assert _recorded_by_dvc(compose(), DATA) == {"data.dvc": "none"}
    pointer.write_text(f"outs:\n- md5: {DATA}\n  path: dataset.parquet\n")
    where = str(pointer.relative_to(tmp_path))
    assert _recorded_by_dvc(compose(), DATA) == {"data.dvc": where}
    with pytest.raises(DataError, match=f"has the MD5 {'e' * 32}, {where} records {DATA}: .*lineage.allow_dirty=true"):
        _recorded_by_dvc(compose(), "e" * 32)
    dirty = {"data.dvc": where, "data.dvc_recorded": DATA, "data.dirty": "true"}
    assert _recorded_by_dvc(compose("lineage.allow_dirty=true"), "e" * 32) == dirty
