"""What libraries take without a word, row by row: refused here with file, column, number and first rows."""

import ast
import os
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sklearn.base import clone

import program
from data.formats import HEADER, check, read, save
from matchclf import metrics
from matchclf.compose import CONF
from matchclf.data.dataset import Dataset, assemble, load_dataset
from matchclf.data.schema import conform, outcome
from matchclf.errors import DataError, ModelError
from matchclf.evaluate import evaluate_holdout, evaluate_model, proba_in_order
from matchclf.files import MAX_COLUMNS, MAX_ROWS, digest, read_parquet, write_parquet
from matchclf.folds import walk_forward
from matchclf.models import build_model
from matchclf.tracking import record, runs
from matchclf.usage import options

HERE = Path(__file__).parent
GOOD = "E0,12/08/2023,Good,Fine,2,1,H"
GOALS = "goals must be whole numbers from 0 to 40, of both teams or of none"
DATE = "the date must be one day, written as %d/%m/%Y or %d/%m/%y"
AGE = "the date must lie between 1850-01-01 and 2026-01-01, or soon after for matches without a score"
TWICE = "the same date, country, home_team, away_team must not stand twice"
each_model = pytest.mark.parametrize("name", options(CONF / "model"))

# Row of the table: lines of a file besides a good one, and the lines of the report.
REFUSED = {
    "duplicate match ids": (
        [GOOD, "E0,13/08/2023,A,B,0,0,D", GOOD],
        [
            f"m.csv, HomeTeam: {TWICE} (2 rows): line 4 'Good - Fine on 2023-08-12, also m.csv 2', "
            "line 5 'Good - Fine on 2023-08-12, also m.csv 2'."
        ],
    ),
    "NaN goals": (
        ["E0,13/08/2023,A,B,nan,1,", "E0,14/08/2023,A,B,,1,"],
        [f"m.csv, FTHG: {GOALS} (2 rows): line 2 'nan', line 3 ''."],
    ),
    "negative or 99 goals, and what overflows int8": (
        [f"E0,1{day}/08/2023,A,B,{goals},1," for day, goals in enumerate(("-1", "99", "200", "300", "1e39", "1.5"))],
        [f"m.csv, FTHG: {GOALS} (6 rows): line 2 '-1', line 3 '99', line 4 '200', line 5 '300', "
         "line 6 '1e+39' and 1 more."],
    ),
    "numeric strings that are no plain numbers": (
        ["E0,13/08/2023,A,B,0x1,1,", "E0,14/08/2023,A,B,1_0,\u0662,"],
        [
            f"m.csv, FTHG: {GOALS} (2 rows): line 2 '0x1', line 3 '1_0'.",
            f"m.csv, FTAG: {GOALS} (1 row): line 3 '\u0662'.",
        ],
    ),
    "dates in mixed formats, as whole numbers, and the years 0001 and 9999": (
        [f"E0,{date},A,B,0,0,D" for date in ("03/25/2024", "2024-03-25", "20240101", "01/01/0001", "31/12/9999")],
        [
            f"m.csv, Date: {DATE} (3 rows): line 2 '03/25/2024', line 3 '2024-03-25', line 4 '20240101'.",
            f"m.csv, Date: {AGE} (2 rows): line 5 '0001-01-01', line 6 '9999-12-31'.",
        ],
    ),
    "NFC and NFD spellings and zero-width characters": (
        ["E0,13/08/2023,Köln,Ko\u0308ln,0,0,D", "E0,14/08/2023,Kö\u200bln,A,0,0,D", "E0,14/08/2023,Ko\u0308ln,A,1,0,H"],
        [
            "m.csv, AwayTeam: a team cannot play itself (1 row): line 2 'Köln'.",
            f"m.csv, HomeTeam: {TWICE} (2 rows): line 3 'Köln - A on 2023-08-14, also m.csv 4', "
            "line 4 'Köln - A on 2023-08-14, also m.csv 3'.",
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", REFUSED)
def test_a_file_is_refused_with_its_name_the_column_the_number_and_the_first_rows(tmp_path, row):
    lines, report = REFUSED[row]
    with pytest.raises(DataError) as caught:
        check(save(tmp_path, *lines, GOOD))
    assert caught.value.exit_code == 3
    assert str(caught.value).splitlines()[1:] == report


def test_one_report_has_the_findings_of_all_rows_of_the_table_and_is_capped(tmp_path):
    for number, (lines, _) in enumerate(REFUSED.values()):
        save(tmp_path, *lines, name=f"{number}.csv")
    with pytest.raises(DataError) as caught:
        check(tmp_path)
    files = {Path(line.split(",")[0]).name for line in str(caught.value).splitlines()[1:]}
    assert files == {f"{number}.csv" for number in range(len(REFUSED))}
    for number in range(30):
        save(tmp_path, f"E0,12/08/2023,A{number},B,x,1,", name=f"more{number}.csv")
    with pytest.raises(DataError) as caught:
        check(tmp_path)
    assert len(str(caught.value).splitlines()) == 22


@pytest.mark.parametrize("kind", [pa.int8(), pa.int64(), pa.float64(), pa.string()], ids=str)
def test_goals_of_parquet_are_checked_whatever_their_type(tmp_path, kind):
    goals = pa.array([-56, 1], pa.int64()).cast(kind)
    columns = {"Div": ["E0"] * 2, "Date": ["12/08/2023", "13/08/2023"], "HomeTeam": ["A", "B"], "AwayTeam": ["C", "D"]}
    pq.write_table(pa.table(columns | {"FTHG": goals, "FTAG": [1, 1], "FTR": ["", ""]}), tmp_path / "m.parquet")
    with pytest.raises(DataError) as caught:
        check(tmp_path / "m.parquet")
    assert str(caught.value).splitlines()[1:] == [f"m.parquet, FTHG: {GOALS} (1 row): row 1 '-56'."]


def test_no_outcome_is_made_of_unknown_goals():
    with pytest.raises(ValueError, match="found matches that are not played yet"):
        outcome(pd.Series([1.0, np.nan]), pd.Series([0.0, 0.0]))


def league(rows: int = 400) -> Dataset:
    """Two years of matches with two features, one of them unknown now and then."""
    rng = np.random.default_rng(3)
    features = pd.DataFrame({"elo_diff": rng.normal(size=rows), "gap_days": rng.integers(-5, 5, rows)}, dtype="float32")
    target = np.digitize(-features["elo_diff"] + rng.normal(size=rows), [-0.4, 0.4]).astype(np.int8)
    matches = pd.DataFrame({"date": pd.date_range("2019-01-01", "2020-12-31", rows).floor("D").as_unit("s")})
    return Dataset(matches, features, target)


def stored(folder: Path, **changes) -> Path:
    """A prepared dataset whose columns are changed."""
    known = league(5)
    table = conform(
        known.matches.assign(
            **dict.fromkeys(("country", "division", "season"), "X"), tier=1, neutral=False, home_goals=1, away_goals=1,
            home_team=[f"h{row}" for row in range(5)], away_team="a",
        )
    )  # fmt: skip
    write_parquet(assemble(table, known.features).assign(**changes), folder / "train.parquet")
    return folder / "train.parquet"


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (pd.Series(list("12345"), dtype="str"), "holds str; expected float32."),
        (np.array([1e39, 0, 0, 0, 0]), "holds float64; expected float32."),
        (np.array([1, 2, 3, 4, 5]), "holds int64; expected float32."),
        (np.float32([0, np.inf, -np.inf, 0, 0]), "has 2 infinite values, first in rows 1, 2; expected numbers, or NaN.")
    ],
    ids=["numeric strings", "1e39", "whole numbers", "inf"],
)  # fmt: skip
def test_a_feature_of_another_type_or_without_bounds_reaches_no_model(tmp_path, values, problem):
    path = stored(tmp_path, elo_diff=values, gap_days=values)
    with pytest.raises(DataError) as caught:
        load_dataset(path, ["elo_diff", "gap_days"])
    assert str(caught.value).splitlines() == [f"{path}: Feature {name} {problem}" for name in ("elo_diff", "gap_days")]


@pytest.mark.parametrize("target", [np.int16([0, 1, 2, 257, 0]), np.int8([0, 1, 2, 3, 0]), np.float32([0, 1, 2, 0, 0])])
def test_a_label_that_would_wrap_around_reaches_no_model(tmp_path, target):
    path = stored(tmp_path, outcome_1x2=target)
    with pytest.raises(DataError, match=rf"^{path}: outcome_1x2 is not 0, 1 or 2 as int8 in every row\.$"):
        load_dataset(path, ["elo_diff"])


@each_model
def test_a_single_class_in_a_training_part_is_refused_before_a_model_sees_it(compose, name):
    data = league()
    data = Dataset(data.matches, data.features, np.zeros(400, np.int8))
    with pytest.raises(DataError, match=r"^Fold 2020 has \d+ training matches without outcome 1, 2 "):
        evaluate_model(
            name, build_model(name, compose("rounds=5", program.EVERY_MODEL).models[name], 1), data, folds(data), 1
        )


def folds(data: Dataset):
    return walk_forward(data.matches["date"], [2020])


@each_model
def test_permuted_and_extra_columns_are_taken_by_name_and_bare_arrays_not_at_all(compose, name):
    data, pipeline = league(), build_model(name, compose("rounds=5", program.EVERY_MODEL).models[name], 1)
    later = Dataset(data.matches[300:], data.features[300:], data.target[300:])
    other = later.features.assign(more=np.float32(9))[["more", "gap_days", "elo_diff"]]
    early = Dataset(data.matches[:300], data.features[:300], data.target[:300])
    expected = evaluate_holdout(name, pipeline, early, later, 1.0)
    assert evaluate_holdout(name, pipeline, early, Dataset(later.matches, other, later.target), 1.0) == expected
    model = clone(pipeline).fit(early.features, early.target)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        known = proba_in_order(model, later.features, "It")
        for wrong in (other, later.features[["gap_days", "elo_diff"]], later.features.to_numpy()):
            try:
                found = proba_in_order(model, wrong, "It")
            except (ValueError, UserWarning):
                continue
            np.testing.assert_array_equal(found, known)  # of a model that looks at no column


def test_labels_in_another_order_cannot_change_a_score():
    # Sorted by the library as it pleases, these would give 2.36.
    target, proba = np.array([2, 2, 1], np.int8), np.array([[0.02, 0.03, 0.95], [0.02, 0.03, 0.95], [0.02, 0.93, 0.05]])
    assert metrics.log_loss(target, proba) == pytest.approx(-np.log([0.95, 0.95, 0.93]).mean(), abs=1e-12)


@pytest.mark.parametrize("rows", [[0.2, 0.2, 0.2], [0.5, 0.5, 0.5], [1.2, -0.1, -0.1], [np.nan] * 3])
def test_probabilities_that_do_not_sum_to_one_are_refused_with_number_and_first_row(rows):
    proba = np.array([[0.2, 0.3, 0.5], rows, rows])
    with pytest.raises(ModelError) as caught:
        metrics.check_proba(proba, 3, "xgb in fold 2020")
    assert str(caught.value) == (
        f"xgb in fold 2020 gave 2 of 3 rows that are not probabilities summing to 1; the first is row 1: {rows}."
    )


def test_a_parquet_file_of_ours_that_says_it_is_enormous_is_refused_before_it_is_read(tmp_path):
    many = pa.DictionaryArray.from_arrays(np.zeros(MAX_ROWS + 1, "int8"), ["x"])
    pq.write_table(pa.table({"Div": many}), tmp_path / "rows.parquet")
    pq.write_table(pa.table({f"c{i}": [1] for i in range(MAX_COLUMNS + 1)}), tmp_path / "wide.parquet")
    told = {"rows": "2,000,001 rows; expected at most 2,000,000.", "wide": "2,001 columns; expected at most 2,000."}
    for name, words in told.items():
        with pytest.raises(DataError) as caught:
            read_parquet(tmp_path / f"{name}.parquet")
        assert str(caught.value) == f"{tmp_path}/{name}.parquet has {words}"


def test_csv_and_json_that_are_enormous_are_refused_before_they_are_read(tmp_path):
    from matchclf.files import read_json

    for name, size in (("m.csv", (1 << 30) + 1), ("m.json", (64 << 20) + 1)):
        with (tmp_path / name).open("wb") as hole:
            hole.truncate(size)
    with pytest.raises(DataError, match=r"^m\.csv has 1,073,741,825 bytes; expected at most 1,073,741,824\.$"):
        read(tmp_path / "m.csv")
    with pytest.raises(DataError, match=r"m\.json has 67,108,865 bytes; expected at most 67,108,864\.$"):
        read_json(tmp_path / "m.json")


def test_a_csv_file_with_too_many_columns_or_rows_is_refused(tmp_path, monkeypatch):
    wide = save(tmp_path, "", header=",".join([HEADER, *(f"c{i}" for i in range(MAX_COLUMNS))]), name="wide.csv")
    with pytest.raises(DataError, match=r"^wide\.csv has 2,007 columns; expected at most 2,000\.$"):
        read(wide)
    monkeypatch.setattr("matchclf.data.delimited.MAX_ROWS", 30)
    with pytest.raises(DataError, match=r"^m\.csv has 31 rows; expected at most 30\.$"):
        read(save(tmp_path, *[GOOD] * 31))


def test_a_column_whose_name_was_damaged_in_the_footer_is_not_taken_for_a_missing_one(tmp_path):
    path = tmp_path / "m.parquet"
    table = conform(stored_matches()).assign(home_shots=np.float32(9))
    write_parquet(table, path)
    for reader in (lambda: read_parquet(path), lambda: check(path, "parquet")):
        content = bytearray(path.read_bytes())
        place = content.index(b"home_shots", len(content) - int.from_bytes(content[-8:-4], "little") - 8)
        content[place + 5] ^= 1
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"is damaged: the same columns are named home_\whots and home_shots"):
            reader()
        write_parquet(table, path)


def test_a_flipped_bit_anywhere_in_the_footer_is_found_or_harmless(tmp_path):
    path = tmp_path / "m.parquet"
    table = pd.DataFrame({"elo_diff": np.float32([1, 2, 3]), "home_team": ["a", "b", "c"]})
    write_parquet(table, path)
    content = path.read_bytes()
    refused = 0
    for place in range(len(content) - 8 - int.from_bytes(content[-8:-4], "little"), len(content), 3):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1 << place % 7]) + content[place + 1 :])
        try:
            pd.testing.assert_frame_equal(read_parquet(path), table)
        except DataError:
            refused += 1
    assert refused > 100


def test_parquet_that_others_wrote_without_page_checksums_or_the_schema_of_arrow_is_read(tmp_path):
    matches = conform(stored_matches())
    for name, more in (("plain", {}), ("bare", {"store_schema": False})):
        pq.write_table(pa.Table.from_pandas(matches, preserve_index=False), tmp_path / f"{name}.parquet", **more)
        pd.testing.assert_frame_equal(check(tmp_path / f"{name}.parquet", "parquet").matches, matches)


def stored_matches() -> pd.DataFrame:
    rows = pd.DataFrame({"date": pd.date_range("2020-01-01", periods=4), "home_team": list("abcd"), "away_team": "e"})
    return rows.assign(country="X", division="X1", tier=1, season="2020", neutral=False, home_goals=1, away_goals=0)


def test_no_score_that_is_no_number_reaches_the_store(store):
    run = runs.start(store, "model | any", {})
    try:
        record.record(run, metrics={"unknown": float("nan"), "good": 1.0})
        assert store.client.get_run(run.id).data.metrics == {"good": 1.0}
    finally:
        runs.finish(run)


def test_a_byte_changed_with_size_and_time_kept_changes_the_digest(tmp_path):
    path = tmp_path / "raw.csv"
    path.write_bytes(b"E0,2,1")
    before, known = path.stat(), digest(path)
    path.write_bytes(b"E0,2,2")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = path.stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)
    assert digest(path) != known


# Rows that are proven where the code is.
PROVEN = {
    "a class missing in a training fold": ("test_evaluate.py", "test_a_training_part_without_an_outcome_is_refused"),
    "empty fold": ("test_folds.py", "test_a_fold_with_an_empty_part_is_refused"),
    "classes of a model in another order": (
        "test_evaluate.py", "test_an_estimator_that_gives_no_forecast_in_the_order_home_draw_away_is_refused",
    ),
    "dates": ("data/test_table.py", "test_dates_are_never_guessed"),
    "NFC and NFD": ("data/test_table.py", "test_spellings_that_look_the_same_are_one_team"),
    "Parquet, flipped bit, theirs": ("data/test_table.py", "test_a_flipped_bit_in_parquet_never_gives_other_matches"),
    "Parquet, flipped bit, ours": ("test_fuzz.py", "test_damaged_parquet_of_ours_is_equal_data_or_one_sentence"),
    "Parquet bomb, theirs": ("data/test_table.py", "test_a_parquet_bomb_is_refused_before_it_is_read"),
    "full disk": ("test_files.py", "test_a_full_disk_leaves_no_half_file_and_keeps_the_one_that_was_there"),
    "MLflow cuts long params": ("tracking/test_record.py", "test_a_long_param_is_cut_at_the_length_mlflow_keeps"),
    "a version without a source": (
        "stages/test_register.py", "test_versions_made_by_hand_are_listed_and_cannot_be_promoted",
    ),
    "any version may get any alias": ("stages/test_register.py", "test_what_cannot_be_promoted_is_told_in_a_sentence"),
    "damaged UBJ model": ("tracking/test_models.py", "test_a_bare_file_of_xgboost_is_no_model_of_ours"),
    "pickle in the registry": (
        "tracking/test_models.py",
        "test_a_malicious_model_is_refused_unexecuted_with_its_old_digests_and_with_forged_ones",
    ),
    "targets of Hydra": ("test_models.py", "test_a_target_that_is_no_estimator_class_of_an_allowed_package_is_refused"),
    "DVC, size and time kept": (
        "lineage/test_dvc.py", "test_an_object_that_changed_in_the_cache_is_not_found_even_with_size_and_time_kept",
    ),
    "S3, flipped bit": ("data/s3/test_faults.py", "test_a_flipped_bit_in_the_content_is_found"),
    "S3, short Content-Length": ("data/s3/test_faults.py", "test_a_body_and_its_length_both_shorter_are_found"),
    "S3, ETags of parts": (
        "data/s3/test_content.py",
        "test_the_etag_of_an_upload_in_parts_is_no_hash_and_the_sidecar_says_what_was_compared",
    ),
    "S3, replaced between HEAD and GET": (
        "data/s3/test_faults.py", "test_an_object_replaced_between_head_and_get_is_told",
    ),
}  # fmt: skip


@pytest.mark.parametrize("row", PROVEN)
def test_the_row_is_proven_by_this_test(row):
    file, name = PROVEN[row]
    tree = ast.parse((HERE / file).read_text(encoding="utf-8"))
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
