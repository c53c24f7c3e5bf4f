import hashlib
import os
import re
import time
from datetime import UTC, datetime, timedelta

import pytest

from matchclf.data.s3 import Sidecar
from matchclf.lineage.source import Source, local_source, now, s3_source, synthetic_source

MD5_OF_ABC = "900150983cd24fb0d6963f7d28e17f72"


def write(path, content: bytes = b"abc", changed: int = 1_751_371_200):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (changed, changed))
    return path


def test_a_file_is_told_by_its_path_its_md5_and_when_it_was_changed(tmp_path):
    path = write(tmp_path / "raw/E0.csv")
    found = local_source(path, [path], tmp_path)
    expected = Source("file", "raw/E0.csv", MD5_OF_ABC, "2025-07-01T12:00:00+00:00", found.ingested_at, MD5_OF_ABC)
    assert found == expected
    age = datetime.now(UTC) - datetime.fromisoformat(found.ingested_at)
    assert timedelta(0) <= age < timedelta(minutes=1)


def test_a_file_outside_the_project_is_told_relative_to_it(tmp_path):
    path = write(tmp_path / "elsewhere/E0.csv")
    assert local_source(path, [path], tmp_path / "project").key == "../elsewhere/E0.csv"


def test_a_relative_path_is_told_relative_to_the_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = write(tmp_path / "raw/E0.csv").relative_to(tmp_path)
    assert local_source(path, [path], tmp_path).key == "raw/E0.csv"


def folder_source(folder, project):
    return local_source(folder, sorted(path for path in folder.rglob("*") if path.is_file()), project)


def test_a_folder_is_told_by_all_its_files_and_its_latest_change(tmp_path):
    write(tmp_path / "raw/E0.csv", b"abc", 1_751_371_200)
    write(tmp_path / "raw/old/D1.csv", b"def", 1_751_371_261)
    found = folder_source(tmp_path / "raw", tmp_path)
    digests = f'{{"E0.csv":"{MD5_OF_ABC}","old/D1.csv":"{hashlib.md5(b"def").hexdigest()}"}}'
    etag = hashlib.md5(digests.encode()).hexdigest()
    assert found == Source("file", "raw", etag, "2025-07-01T12:01:01+00:00", found.ingested_at, etag)


def test_the_etag_of_a_folder_follows_names_and_content_and_nothing_else(tmp_path):
    def etag(name: str, changed: int = 0, **files: bytes) -> str:
        for file, content in files.items():
            write(tmp_path / name / f"{file}.csv", content, changed)
        return folder_source(tmp_path / name, tmp_path).etag

    one = etag("one", E0=b"abc", D1=b"def")
    assert etag("moved and touched", 99, D1=b"def", E0=b"abc") == one
    others = [
        etag("other content", E0=b"abc", D1=b"deg"),
        etag("other name", E0=b"abc", D2=b"def"),
        etag("exchanged", E0=b"def", D1=b"abc"),
        etag("one more", E0=b"abc", D1=b"def", I1=b""),
        etag("one less", E0=b"abc"),
    ]
    assert len({one, *others}) == 6


def test_a_folder_of_one_file_has_the_etag_of_the_file(tmp_path):
    write(tmp_path / "raw/E0.csv")
    assert folder_source(tmp_path / "raw", tmp_path).etag == MD5_OF_ABC


def test_the_built_in_league_is_told_by_its_settings_in_order():
    found = synthetic_source({"seed": 1, "drift": 0.025, "name": "synthetic"})
    etag = hashlib.md5(b'{"drift":0.025,"name":"synthetic","seed":1}').hexdigest()
    made = found.ingested_at
    assert found == Source("synthetic", "drift=0.025,name=synthetic,seed=1", etag, made, made, etag)


def test_another_setting_gives_another_league_and_another_order_does_not():
    one = synthetic_source({"seed": 1, "tiers": 2})
    assert synthetic_source({"tiers": 2, "seed": 1}).etag == one.etag
    assert synthetic_source({"seed": 2, "tiers": 2}).etag != one.etag


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/New_York"])
def test_times_are_in_utc_to_the_second_wherever_we_are(tmp_path, monkeypatch, zone):
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        path = write(tmp_path / "E0.csv")
        assert local_source(path, [path], tmp_path).last_modified == "2025-07-01T12:00:00+00:00"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", now())
    finally:
        monkeypatch.undo()
        time.tzset()


def note(key, md5=MD5_OF_ABC, etag="e1", **changed):
    """The sidecar of an object whose ETag is no MD5."""
    values = {
        "bucket": "matches",
        "key": key,
        "etag": etag,
        "size": 3,
        "last_modified": "2025-07-01T12:00:00+00:00",
        "version_id": "v1",
        "sha256": "0" * 64,
        "md5": md5,
        "ingested_at": "2025-08-01T12:00:00+00:00",
        "compared": "length",
    }
    return Sidecar(**(values | changed))


def test_an_object_is_told_by_its_sidecar():
    times = ("2025-07-01T12:00:00+00:00", "2025-08-01T12:00:00+00:00")
    found = s3_source("matches", "raw/E0.csv", [note("raw/E0.csv")])
    assert found == Source("matches", "raw/E0.csv", "e1", *times, MD5_OF_ABC, "v1")


def test_objects_of_a_folder_are_told_together_without_a_version():
    times = {"last_modified": "2025-07-03T12:00:00+00:00", "ingested_at": "2025-08-03T12:00:00+00:00"}
    found = s3_source("matches", "raw/", [note("raw/E0.csv"), note("raw/old/D1.csv", "f" * 32, "e2", **times)])
    etag = hashlib.md5(b'{"E0.csv":"e1","old/D1.csv":"e2"}').hexdigest()
    md5 = hashlib.md5(f'{{"E0.csv":"{MD5_OF_ABC}","old/D1.csv":"{"f" * 32}"}}'.encode()).hexdigest()
    assert found == Source("matches", "raw/", etag, *times.values(), md5, "")


def test_the_md5_of_files_is_the_same_in_a_bucket_and_on_disk(tmp_path):
    contents = {"E0.csv": b"abc", "old/D1.csv": b"def"}
    for name, content in contents.items():
        write(tmp_path / "raw" / name, content)
    notes = [note(f"some/where/{name}", hashlib.md5(content).hexdigest()) for name, content in contents.items()]
    local = folder_source(tmp_path / "raw", tmp_path)
    assert s3_source("matches", "some/where/", notes).md5 == local.md5
    assert s3_source("matches", "some/where/E0.csv", notes[:1]).md5 == MD5_OF_ABC
