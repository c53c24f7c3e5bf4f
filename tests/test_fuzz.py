"""Damaged and random files of data: equal data or one sentence, never another error, never long."""

import json
import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from data.formats import check, save
from examples import examples
from fuzzing import EDITS, STEPS, TEXT_EDITS, TREES, apply, check_told, in_time, put
from matchclf.config import Config
from matchclf.data.s3 import Sidecar, verify
from matchclf.data.s3.sidecar import sidecar_path, write_sidecar
from matchclf.data.schema import NAMES, conform
from matchclf.errors import MatchclfError
from matchclf.files import read_json, read_parquet, write_json, write_parquet
from matchclf.lineage.dvc import recorded_md5
from matchclf.stages import promote, register
from matchclf.stages.tuned import with_tuned


def some_matches(rows: int = 12) -> pd.DataFrame:
    rng = np.random.default_rng(2)
    return conform(
        pd.DataFrame(
            {
                "date": pd.date_range("2020-01-01", periods=rows),
                "home_team": [f"Köln {row}" for row in range(rows)],
                "away_team": "b",
                **{"country": "X", "division": "X1", "tier": 1, "season": "2020", "neutral": False},
                **{
                    name: rng.integers(0, 5, rows)
                    for name in ("home_goals", "away_goals", "home_shots", "away_corners")
                },
            }
        )
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("fuzz")


@pytest.fixture(scope="module")
def parquet(folder):
    """A file of matches, its content and the matches."""
    write_parquet(some_matches(), folder / "m.parquet")
    return folder / "m.parquet", (folder / "m.parquet").read_bytes()


@given(EDITS)
@examples(300)
def test_damaged_parquet_of_ours_is_equal_data_or_one_sentence(parquet, changes):
    path, content = parquet
    path.write_bytes(apply(content, changes))
    with in_time():
        try:
            found = read_parquet(path)
        except MatchclfError as problem:
            check_told(problem)
            return
    pd.testing.assert_frame_equal(found, some_matches(), check_dtype=False)


@pytest.mark.slow
@given(EDITS)
@examples(300)
def test_damaged_parquet_of_theirs_is_equal_data_or_one_sentence(parquet, changes):
    path, content = parquet
    path.write_bytes(apply(content, changes))
    with in_time():
        try:
            found = check(path, "parquet").matches
        except MatchclfError as problem:
            check_told(problem)
            return
    pd.testing.assert_frame_equal(found, some_matches())


def keeps_the_schema(path: Path, kind: str) -> None:
    with in_time():
        try:
            found = check(path, kind, on_bad_rows="drop")
        except MatchclfError as problem:
            check_told(problem)
            return
    assert list(found.matches.columns) == NAMES
    goals = found.matches[["home_goals", "away_goals"]]
    assert goals.isin(range(41)).all(axis=None)
    assert found.matches["date"].between("1850-01-01", "2026-01-01").all()
    assert not found.matches.duplicated(["date", "country", "home_team", "away_team"]).any()


@pytest.mark.slow
@given(TEXT_EDITS)
@examples(300)
def test_damaged_csv_is_matches_or_one_sentence(folder, changes):
    path = save(folder, *(f'E0,{day:02}/08/2023,"Köln",Team {day},{day % 4},1,' for day in range(1, 13)))
    path.write_bytes(apply(path.read_bytes(), changes))
    keeps_the_schema(path, "football_data")


TEXTS = st.sampled_from(["A", "B", "2020-01-01", "1", "nan", "inf", "-1", "\0", "\u200b", "x" * 300])
CELLS = {
    pa.string(): st.none() | st.text(max_size=5) | TEXTS,
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.float64(): st.floats() | st.none(),
    pa.bool_(): st.booleans() | st.none(),
    pa.date32(): st.dates() | st.none(),
    pa.timestamp("us"): st.integers(-(2**62), 2**62),
}
OTHERS = [
    pa.array([1, 2, None, 300], pa.uint16()),
    pa.array(["A", None, "B", "A"]).dictionary_encode(),
    pa.array([Decimal("1.50"), Decimal("-2.00"), None, Decimal("7.00")], pa.decimal128(5, 2)),
    pa.array([datetime(2020, 1, day, 23, 59, tzinfo=UTC) for day in range(1, 5)], pa.timestamp("ms", "Asia/Tokyo")),
    pa.array([timedelta(1)] * 4, pa.duration("s")),
    pa.array([b"\xff"] * 4, pa.binary()),
    pa.array([[1]] * 4, pa.list_(pa.int8())),
    pa.array([{"a": 1}] * 4),
    pa.nulls(4),
]


def column(kind: pa.DataType) -> st.SearchStrategy[pa.Array]:
    return st.lists(CELLS[kind], min_size=4, max_size=4).map(lambda values: pa.array(values, kind))


COLUMNS = st.one_of(st.sampled_from(OTHERS), *map(column, CELLS))


@pytest.mark.slow
@given(st.dictionaries(st.sampled_from([*NAMES, "outcome"]), COLUMNS, max_size=4))
@examples(300)
def test_a_frame_of_any_types_and_values_is_matches_or_one_sentence(folder, columns):
    whole = pa.Table.from_pandas(some_matches(4), preserve_index=False)
    for name, column in columns.items():
        known = whole.column_names
        whole = (
            whole.set_column(known.index(name), name, column) if name in known else whole.append_column(name, column)
        )
    pq.write_table(whole, folder / "any.parquet")
    keeps_the_schema(folder / "any.parquet", "parquet")


SIDECAR = Sidecar(
    bucket="matches", key="raw/E0.csv", etag="0123", size=5, last_modified="2024-08-10T12:00:00+00:00", version_id="",
    sha256="2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824", md5="5d41402abc4b2a76b9719d911017c592",
    ingested_at="2024-08-11T12:00:00+00:00", compared="length, md5",
)  # fmt: skip


@given(TEXT_EDITS, st.booleans(), STEPS, TREES)
@examples(300)
def test_a_damaged_sidecar_of_s3_is_the_same_or_one_sentence(folder, changes, by_bytes, steps, value):
    path = folder / "E0.csv"
    path.write_bytes(b"hello")
    write_sidecar(SIDECAR, sidecar_path(path))
    content = sidecar_path(path).read_bytes()
    other = apply(content, changes) if by_bytes else json.dumps(put(json.loads(content), steps, value)).encode()
    sidecar_path(path).write_bytes(other)
    with in_time():
        try:
            assert verify(path) == SIDECAR
        except MatchclfError as problem:
            check_told(problem)


POINTERS = {
    "data.csv.dvc": b"outs:\n- md5: 5d41402abc4b2a76b9719d911017c592\n  size: 5\n  hash: md5\n  path: data.csv\n",
    "dvc.lock": b"schema: '2.0'\nstages:\n  prepare:\n    cmd: x\n    outs:\n    - path: data.csv\n      hash: md5\n"
    b"      md5: 5d41402abc4b2a76b9719d911017c592\n      size: 5\n",
}


@pytest.mark.parametrize("text", ["outs: !!int ''", "outs: !!float ''", "a: !!bool x", "a: !!timestamp x", "a: 0b_"])
def test_a_tag_of_yaml_that_does_not_fit_its_value_is_one_sentence(folder, text):
    (folder / ".dvc").mkdir(exist_ok=True)
    (folder / "data.csv.dvc").write_text(text)
    with pytest.raises(MatchclfError, match=r"data\.csv\.dvc cannot be read as YAML: "):
        recorded_md5(Path("data.csv"), folder)
    (folder / "data.csv.dvc").unlink()


@pytest.mark.parametrize("name", POINTERS)
@given(changes=TEXT_EDITS, by_bytes=st.booleans(), steps=STEPS, value=TREES)
@examples(300)
def test_a_damaged_record_of_dvc_is_a_digest_or_one_sentence(folder, name, changes, by_bytes, steps, value):
    content = POINTERS[name]
    if by_bytes:
        other = apply(content, changes)
    else:
        other = yaml.safe_dump(put(yaml.safe_load(content), steps, value)).encode(errors="ignore")
    (folder / name).write_bytes(other)
    (folder / ".dvc").mkdir(exist_ok=True)
    with in_time():
        try:
            found = recorded_md5(Path("data.csv"), folder)
        except MatchclfError as problem:
            check_told(problem)
        else:
            assert found is None or len(found.md5) == 32
        finally:
            (folder / name).unlink()


@pytest.fixture(scope="module")
def final(compose):
    return compose("stage=final_train")


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@given(
    name=st.sampled_from(["registered_model", "final_run_id"]),
    changes=TEXT_EDITS,
    by_bytes=st.booleans(),
    steps=STEPS,
    value=TREES,
)
@examples(300)
def test_a_damaged_file_that_names_a_version_or_a_run_is_one_or_one_sentence(
    final, elsewhere, *, name, changes, by_bytes, steps, value
):
    path = elsewhere / f"data/models/{name}.json"
    known = {"model_name": final.registry.model_name, "run_id": "ab", "version": 3}
    write_json(known, path)
    if by_bytes:
        path.write_bytes(apply(path.read_bytes(), changes))
    else:
        path.write_text(json.dumps(put(known, steps, value)))
    with in_time():
        try:
            found = promote._version(final) if name == "registered_model" else register._final_run_id()
        except MatchclfError as problem:
            check_told(problem)
            return
    assert type(found) is (int if name == "registered_model" else str)


BEST = {
    "best_value": 0.98, "data_hash": "5d41402abc4b2a76b9719d911017c592", "model": "xgb", "n_trials": 30,
    "params": {"xgb.max_depth": 3, "xgb.learning_rate": 0.05}, "run_id": "ab", "run_kind": "tuning",
}  # fmt: skip


@given(TEXT_EDITS, st.booleans(), STEPS, TREES)
@examples(300)
def test_a_damaged_file_of_best_parameters_is_a_config_or_one_sentence(
    final, elsewhere, changes, by_bytes, steps, value
):
    path = elsewhere / "data/models/xgb_best_params.json"
    write_json(BEST, path)
    if by_bytes:
        path.write_bytes(apply(path.read_bytes(), changes))
    else:
        path.write_text(json.dumps(put(BEST, steps, value)))
    with in_time():
        try:
            read_json(path)
            assert isinstance(with_tuned(final, ()), Config)
        except MatchclfError as problem:
            check_told(problem)


@pytest.mark.parametrize("content", [b"[" * 10**5, b'{"a":' * 10**5, b"1" * 10**5, b"\xff", b"", b"\xef\xbb\xbf{}"])
def test_json_that_is_no_object_of_ours_is_one_sentence(folder, content):
    (folder / "any.json").write_bytes(content)
    with in_time(), pytest.raises(MatchclfError, match=r"any\.json is not readable as JSON: "):
        read_json(folder / "any.json")


def test_more_examples_are_shown_when_asked_for(monkeypatch):
    monkeypatch.delenv("MATCHCLF_EXAMPLES", raising=False)
    assert (examples(300).max_examples, os.environ.get("MATCHCLF_EXAMPLES")) == (300, None)
    monkeypatch.setenv("MATCHCLF_EXAMPLES", "5000")
    assert examples(300).max_examples == 5000
