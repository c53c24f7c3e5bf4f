import fcntl
import os
import subprocess
import sys
from contextlib import suppress

import numpy as np
import pandas as pd
import pytest

from matchclf.errors import DataError
from matchclf.files import (
    digest,
    digest_once,
    discard_parts,
    locked,
    read_json,
    read_parquet,
    replacing,
    write_json,
    write_parquet,
)


def some_table(rows: int = 300) -> pd.DataFrame:
    """A column of each type that our tables have."""
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "date": (pd.Timestamp("2020-01-01") + pd.to_timedelta(np.arange(rows), unit="D")).as_unit("ms"),
            "home_team": pd.Series(rng.choice(["Köln", "St. Mirren", ""], rows), dtype="str"),
            "tier": rng.integers(1, 5, rows).astype(np.int8),
            "neutral": rng.random(rows) < 0.5,
            "odds_home": np.where(rng.random(rows) < 0.3, np.nan, rng.normal(3, 1, rows)).astype(np.float32),
            "prob_home": rng.random(rows),
        }
    )


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_table_is_read_as_it_was_written(tmp_path):
    table = some_table()
    write_parquet(table, tmp_path / "made" / "on the way" / "table.parquet")
    read = read_parquet(tmp_path / "made" / "on the way" / "table.parquet")
    pd.testing.assert_frame_equal(read, table, check_exact=True)


def test_the_index_is_left_out_and_the_table_untouched(tmp_path):
    table = some_table(6).set_index(pd.Index(list("fedcba")))
    before = table.copy()
    write_parquet(table, tmp_path / "table.parquet")
    pd.testing.assert_frame_equal(read_parquet(tmp_path / "table.parquet"), some_table(6))
    pd.testing.assert_frame_equal(table, before)


def test_columns_are_read_by_name_in_the_order_asked(tmp_path):
    write_parquet(some_table(), tmp_path / "table.parquet")
    read = read_parquet(tmp_path / "table.parquet", ["tier", "date"])
    pd.testing.assert_frame_equal(read, some_table()[["tier", "date"]])


def test_a_column_that_is_not_there_is_an_error_that_names_file_and_column(tmp_path):
    write_parquet(some_table(), tmp_path / "table.parquet")
    with pytest.raises(DataError, match=r"table\.parquet cannot be read as Parquet: .*elo_diff"):
        read_parquet(tmp_path / "table.parquet", ["tier", "elo_diff"])


def test_the_same_table_gives_the_same_bytes(tmp_path):
    write_parquet(some_table(), tmp_path / "one.parquet")
    write_parquet(some_table(), tmp_path / "other.parquet")
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "other.parquet").read_bytes()


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("written") / "table.parquet"
    write_parquet(some_table(), path)
    return path.read_bytes()


def footer_start(content: bytes) -> int:
    return len(content) - 8 - int.from_bytes(content[-8:-4], "little")


def flipped(content: bytes, place: int) -> bytes:
    return content[:place] + bytes([content[place] ^ 1 << place % 8]) + content[place + 1 :]


def test_a_flipped_bit_in_the_data_is_an_error_or_harmless(tmp_path, written):
    whole, path = some_table(), tmp_path / "table.parquet"
    places = range(0, footer_start(written), 9)
    harmless = 0
    for place in places:
        path.write_bytes(flipped(written, place))
        with suppress(DataError):
            pd.testing.assert_frame_equal(read_parquet(path), whole, check_exact=True)
            harmless += 1
    assert len(places) > 300
    assert harmless / len(places) < 0.1


def test_a_flipped_bit_anywhere_changes_the_digest(tmp_path, written):
    path = tmp_path / "table.parquet"
    digests = set()
    for place in range(0, len(written), 23):
        path.write_bytes(flipped(written, place))
        digests.add(digest(path))
    path.write_bytes(written)
    assert len(digests | {digest(path)}) == len(range(0, len(written), 23)) + 1


@pytest.mark.parametrize("kept", [0, 4, 100, 0.5, -9, -8, -1])
def test_a_file_cut_short_is_an_error_that_names_it(tmp_path, written, kept):
    path = tmp_path / "table.parquet"
    path.write_bytes(written[: int(kept * len(written)) if isinstance(kept, float) else kept])
    with pytest.raises(DataError, match=r"table\.parquet cannot be read as Parquet: "):
        read_parquet(path)


def test_a_file_that_is_not_there_is_an_error_that_names_it(tmp_path):
    with pytest.raises(DataError, match=r"nothing\.parquet cannot be read as Parquet: "):
        read_parquet(tmp_path / "nothing.parquet")
    with pytest.raises(DataError, match=r"nothing\.json is not readable as JSON: "):
        read_json(tmp_path / "nothing.json")


WRITE_ON_A_FULL_DISK = """
import resource, sys
from pathlib import Path
import pandas as pd
from matchclf.errors import DataError
from matchclf.files import write_json, write_parquet

folder, kind = Path(sys.argv[1]), sys.argv[2]
table = pd.DataFrame({"date": range(20_000)})
write = {
    "parquet": lambda: write_parquet(table, folder / "out"),
    "json": lambda: write_json({"a": "x" * 9000}, folder / "out"),
}
write[kind]()
whole = (folder / "out").read_bytes()
if sys.argv[3] == "fresh":
    (folder / "out").unlink()
left = set()
for limit in (0, 1, 4, 100, 4096, len(whole) // 2, len(whole) - 1):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        write[kind]()
    except DataError as problem:
        assert str(problem).startswith(f"{folder / 'out'} cannot be written: "), problem
        left |= {(path.name, path.read_bytes() == whole) for path in folder.iterdir()}
    else:
        print("written in spite of", limit)
print(left)
"""


@pytest.mark.parametrize("kind", ["parquet", "json"])
@pytest.mark.parametrize(("before", "after"), [("fresh", "set()\n"), ("there", "{('out', True)}\n")])
def test_a_full_disk_leaves_no_half_file_and_keeps_the_one_that_was_there(tmp_path, kind, before, after):
    command = [sys.executable, "-c", WRITE_ON_A_FULL_DISK, str(tmp_path), kind, before]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == (after, "")


@pytest.mark.parametrize("problem", [ValueError, KeyboardInterrupt])
def test_an_interrupted_block_leaves_what_was_there(tmp_path, problem):
    target = tmp_path / "run_id.json"
    target.write_text("old")

    def write_half() -> None:
        with replacing(target) as part:
            part.write_text("ne")
            raise problem

    with pytest.raises(problem):
        write_half()
    assert names(tmp_path) == ["run_id.json"]
    assert target.read_text() == "old"


def test_the_old_file_stays_in_sight_until_the_new_one_is_whole(tmp_path):
    target = tmp_path / "run_id.json"
    target.write_text("old")
    with replacing(target) as part:
        part.write_text("new")
        assert target.read_text() == "old"
        assert part.parent == tmp_path
    assert names(tmp_path) == ["run_id.json"]
    assert target.read_text() == "new"


def test_what_is_half_written_can_be_discarded_from_outside(tmp_path):
    def write_two() -> None:
        with replacing(tmp_path / "one") as one, replacing(tmp_path / "other") as other:
            one.write_text("ha")
            other.write_text("lf")
            assert len(names(tmp_path)) == 2
            discard_parts()
            assert names(tmp_path) == []

    with pytest.raises(DataError, match="cannot be written"):
        write_two()
    assert names(tmp_path) == []
    discard_parts()


def test_a_part_left_by_a_killed_process_goes_when_the_file_is_written_again(tmp_path):
    old, young = tmp_path / ".x.json.1.part", tmp_path / ".x.json.2.part"
    for part in (old, young):
        part.touch()
    os.utime(old, (0, 0))
    write_json({}, tmp_path / "x.json")
    assert sorted(path.name for path in tmp_path.iterdir()) == [young.name, "x.json"]


def test_json_is_sorted_indented_and_ends_its_last_line(tmp_path):
    write_json({"b": 1, "a": {"d": None, "c": "ü"}}, tmp_path / "out.json")
    expected = '{\n  "a": {\n    "c": "\\u00fc",\n    "d": null\n  },\n  "b": 1\n}\n'
    assert (tmp_path / "out.json").read_text() == expected
    assert read_json(tmp_path / "out.json") == {"a": {"c": "ü", "d": None}, "b": 1}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"a": 1', r"out\.json is not readable as JSON: Expecting ',' delimiter"),
        (b"", r"out\.json is not readable as JSON: Expecting value"),
        (b"\xff\xfe", r"out\.json is not readable as JSON: 'utf-8' codec can't decode"),
        (b"[1]", r"out\.json holds a JSON list; expected an object\.$"),
        (b"null", r"out\.json holds a JSON NoneType; expected an object\.$"),
    ],
)
def test_what_is_no_json_object_is_an_error_that_names_the_file(tmp_path, content, message):
    (tmp_path / "out.json").write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_json(tmp_path / "out.json")


def test_a_digest_taken_once_follows_a_file_that_is_replaced_or_written_again(tmp_path):
    path = tmp_path / "abc"
    for text in ("one", "two", "three"):
        with replacing(path) as part:
            part.write_text(text)
        assert digest_once(path) == digest_once(path) == digest(path)
    os.utime(path, ns=(1, 1))
    assert digest_once(path) == digest(path)
    path.write_text("seven")  # as long as before, in the same place
    assert digest_once(path) == digest(path)


def test_a_digest_is_that_of_the_bytes(tmp_path):
    (tmp_path / "abc").write_bytes(b"abc")
    assert digest(tmp_path / "abc") == "900150983cd24fb0d6963f7d28e17f72"
    sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert digest(tmp_path / "abc", "sha256") == sha256


def test_a_lock_is_held_to_the_end_of_the_block_even_when_it_fails(tmp_path):
    path = tmp_path / "made on the way" / "manifest.json"

    def is_free() -> bool:
        with path.with_name(".manifest.json.lock").open("w") as other:
            try:
                fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

    def fail_under_lock() -> None:
        with locked(path):
            assert not is_free()
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fail_under_lock()
    assert is_free()
