"""What a report says of the difference between two runs: all of it, and nothing else."""

import pytest

import projects
from matchclf.errors import ConfigError
from matchclf.stages.report import run as show
from matchclf.tracking import record, runs
from matchclf.tracking.provenance import keep_code, keep_digests

TAGS = {
    "pipeline.stage": "ablation",
    "pipeline.git_sha": "abc1234",
    "pipeline.git_dirty": "true",
    "data.version": "d" * 32,
    "data.source_last_modified": "2025-07-01T12:00:00+00:00",
    "data.ingested_at": "2025-07-02T12:00:00+00:00",
}
VERSIONS = {"python": "3.11.7", "package.numpy": "2.4.0"}
DIGESTS = {"matches": "m", "fold.2019": "f"}
METRICS = {"best.logloss": 1.0, "duration_seconds": 1.0}
OVERRIDES = ("data=football_data", "data.path=raw", "stage=ablation", "variant=full", "model=[dummy,logreg]")


@pytest.fixture
def made(store, compose):
    """Id of a finished run with everything that a run keeps."""

    def make(*overrides, tags=None, diff="one", versions=None, digests=None, metrics=None):
        run = runs.start(store, "ablation", TAGS | (tags or {}))
        record.keep_config(run, compose(*OVERRIDES, *overrides))
        keep_code(run, diff, VERSIONS | (versions or {}), [])
        keep_digests(run, DIGESTS | (digests or {}))
        record.record(run, metrics=METRICS | (metrics or {}))
        runs.finish(run)
        return run.id

    return make


@pytest.fixture
def difference(store, compose, caplog, monkeypatch, tmp_path):
    """The rows of the report on two runs, without its head."""
    monkeypatch.chdir(tmp_path)
    caplog.set_level("INFO", "matchclf.stages.report")

    def rows(one, other):
        caplog.clear()
        show(compose("stage=report", "what=diff", f"run_a={one}", f"run_b={other}", f"tracking.uri={store.uri}"))
        (said,) = [entry.message for entry in caplog.records if entry.name == "matchclf.stages.report"]
        return said, [line.split() for line in said.splitlines()[1:]]

    return rows


def test_two_equal_runs_are_said_to_be_the_same(made, difference):
    one, other = made(), made()
    said, _ = difference(one, other)
    names = " and ".join(f"ablation ({run_id[:8]})" for run_id in (one, other))
    assert said == f"{names} are the same in settings, data, code, environment, steps and scores."


def test_times_the_store_and_how_strict_it_was_are_no_difference(made, difference):
    later = {"data.source_last_modified": "2026-07-01T12:00:00+00:00", "data.ingested_at": "2026-07-01T12:00:00+00:00"}
    other = made(
        "lineage.on_duplicate=link", "tracking.uri=http://localhost:1", tags=later, metrics={"duration_seconds": 9.0}
    )
    assert difference(made(), other)[1] == []


def test_everything_that_differs_is_told_part_by_part_with_both_values(made, difference):
    other = made(
        "seed=2",
        "models.logreg.estimator.C=1",
        "features.families.elo.k=40",
        tags={"data.version": "e" * 32, "pipeline.git_sha": "def5678"},
        versions={"package.numpy": "2.4.1", "package.scipy": "1.17.0"},
        digests={"fold.2019": "g", "fold.2020": "h"},
        metrics={"best.logloss": 1.5, "cv.rps_mean": 0.25},
    )
    said, rows = difference(made(), other)
    assert rows == [
        ["settings", "features.families.elo.k", "16", "40"],
        ["settings", "models.logreg.estimator.C", "0.01", "1"],
        ["settings", "seed", "1", "2"],
        ["data", "data.version", "d" * 32, "e" * 32],
        ["code", "pipeline.git_sha", "abc1234", "def5678"],
        ["environment", "package.numpy", "2.4.0", "2.4.1"],
        ["environment", "package.scipy", "absent", "1.17.0"],
        ["steps", "fold.2019", "f", "g"],
        ["steps", "fold.2020", "absent", "h"],
        ["scores", "best.logloss", "1", "1.5"],
        ["scores", "cv.rps_mean", "absent", "0.25"],
    ]
    assert said.splitlines()[0].split()[:2] == ["part", "what"]


def test_other_uncommitted_changes_of_the_same_length_are_told(made, difference):
    (row,) = difference(made(diff="one"), made(diff="two"))[1]
    assert row[:3] == ["code", "uncommitted", "changes"]
    assert row[3] != row[4]


def test_a_model_that_one_run_does_not_have_is_told_as_absent(made, difference):
    rows = difference(made(), made("model=[dummy]"))[1]
    assert {(part, key.rpartition(".")[0]) for part, key, *_ in rows} <= {
        ("settings", "models.logreg"),
        ("settings", "models.logreg.estimator"),
    }
    assert {row[-1] for row in rows} == {"absent"}


@pytest.mark.parametrize("given", [[], ["run_a=1"], ["run_b=1"]])
def test_two_runs_are_needed(compose, given):
    with pytest.raises(ConfigError, match="run_a and run_b are needed: stage=report what=diff run_a=RUN run_b=RUN"):
        show(compose("stage=report", "what=diff", *given))


@pytest.mark.slow
def test_the_program_tells_two_models_of_one_ablation_apart(history):
    folder, ids = history
    pair = [f"run_a={ids['model | dummy']}", f"run_b={ids['model | logreg']}"]
    done = projects.run(folder, "stage=report", "what=diff", *pair)
    assert done.code == 0, done
    lines = [
        line for line in done.out.splitlines() if line.startswith(("settings", "data", "code", "env", "steps", "sc"))
    ]
    found = [line.split()[:2] for line in lines]
    assert {part for part, _ in found} == {"settings", "steps", "scores"}
    assert [what for part, what in found if part == "steps"] == ["fold.2019", "fold.2020"]
    assert all(what.startswith("models.") for part, what in found if part == "settings")
