import hashlib
import json
import sys
from dataclasses import asdict, replace
from datetime import datetime
from threading import Thread

import pytest

import s3_server
from matchclf.data.s3 import Location, Sidecar, bars, download, fetch, listing, read_sidecar, verify
from matchclf.data.s3.sidecar import sidecar_path, write_sidecar
from matchclf.errors import ConfigError, DataError, SourceError
from program import files

MATCHES = b"Div,Date,HomeTeam,AwayTeam\nE0,10/08/2024,Ipswich,Liverpool\n" * 2000
CORRECTED = MATCHES.replace(b"Ipswich", b"Everton")


@pytest.fixture
def way(server):
    with s3_server.proxy(server, s3_server.through) as opened:
        yield opened


def told(folder, key, body, sidecar, compared="length, md5") -> Sidecar:
    """What the sidecar of an object must say, from what another client is told; the time of download is its own."""
    head = folder.client.head_object(Bucket=folder.bucket, Key=folder.name + key)
    return Sidecar(
        bucket=folder.bucket,
        key=folder.name + key,
        etag=head["ETag"].replace('"', ""),
        size=len(body),
        last_modified=head["LastModified"].strftime("%Y-%m-%dT%H:%M:%S+00:00"),
        version_id=head.get("VersionId", ""),
        sha256=hashlib.sha256(body).hexdigest(),
        md5=hashlib.md5(body).hexdigest(),
        ingested_at=sidecar.ingested_at,
        compared=compared,
    )


def test_an_object_lies_under_bucket_and_key_with_a_sidecar_that_tells_of_it(folder, tmp_path):
    folder.put("raw/E0.csv", MATCHES)
    (sidecar,) = fetch(folder.at("raw/E0.csv"), tmp_path / "data")
    assert sidecar == told(folder, "raw/E0.csv", MATCHES, sidecar)
    path = folder.path(tmp_path / "data", "raw/E0.csv")
    assert path.read_bytes() == MATCHES
    assert json.loads(path.with_name("E0.csv.s3.json").read_text()).items() > asdict(sidecar).items()
    assert read_sidecar(path) == verify(path) == sidecar
    assert files(tmp_path / "data" / "matches") == {f"{folder.name}raw/E0.csv", f"{folder.name}raw/E0.csv.s3.json"}
    age = datetime.fromisoformat(sidecar.ingested_at) - datetime.fromisoformat(sidecar.last_modified)
    assert -2 < age.total_seconds() < 60
    assert sidecar.ingested_at.endswith("+00:00")


def test_an_object_takes_one_head_and_one_get_and_an_unchanged_one_only_the_head(folder, way, tmp_path):
    folder.put("E0.csv", MATCHES)
    first = fetch(folder.at("E0.csv", way.url), tmp_path)
    path = folder.path(tmp_path, "E0.csv")
    before = times(path)
    address = f"/matches/{folder.name}E0.csv".replace(" ", "%20")
    assert way.requests == [f"HEAD {address}", f"GET {address}"]
    assert fetch(folder.at("E0.csv", way.url), tmp_path) == first
    assert way.requests == [f"HEAD {address}", f"GET {address}", f"HEAD {address}"]
    assert times(path) == before


def times(path) -> list[int]:
    return [one.stat().st_mtime_ns for one in (path, sidecar_path(path))]


def test_a_replaced_object_is_downloaded_anew(folder, tmp_path):
    folder.put("E0.csv", MATCHES)
    fetch(folder.at("E0.csv"), tmp_path)
    folder.put("E0.csv", CORRECTED)
    (sidecar,) = fetch(folder.at("E0.csv"), tmp_path)
    assert sidecar == told(folder, "E0.csv", CORRECTED, sidecar)
    assert folder.path(tmp_path, "E0.csv").read_bytes() == CORRECTED
    assert verify(folder.path(tmp_path, "E0.csv")) == sidecar


def test_the_same_content_uploaded_again_is_not_downloaded_and_the_sidecar_tells_of_the_later_upload(
    folder, way, tmp_path
):
    folder.put("E0.csv", MATCHES)
    (first,) = fetch(folder.at("E0.csv"), tmp_path)
    path = folder.path(tmp_path, "E0.csv")
    write_sidecar(replace(first, last_modified="2024-08-10T00:00:00+00:00"), sidecar_path(path))
    assert fetch(folder.at("E0.csv", way.url), tmp_path) == [first]
    assert [request.split()[0] for request in way.requests] == ["HEAD"]
    assert read_sidecar(path) == first


def test_an_exact_old_version_can_be_had(versions, tmp_path):
    old = versions.put("E0.csv", MATCHES)["VersionId"]
    new = versions.put("E0.csv", CORRECTED)["VersionId"]
    (latest,) = fetch(versions.at("E0.csv"), tmp_path)
    assert latest == told(versions, "E0.csv", CORRECTED, latest)
    assert latest.version_id == new
    (earlier,) = fetch(versions.at("E0.csv", version_id=old), tmp_path)
    assert (earlier.version_id, earlier.etag) == (old, hashlib.md5(MATCHES).hexdigest())
    assert versions.path(tmp_path, "E0.csv").read_bytes() == MATCHES
    assert fetch(versions.at("E0.csv", version_id=old), tmp_path) == [earlier]


def test_a_version_that_does_not_exist_is_named(versions, tmp_path):
    versions.put("E0.csv", MATCHES)
    with pytest.raises(
        SourceError, match=rf"^s3://versions/{versions.name}E0.csv has no version 0123; it may have been"
    ):
        fetch(versions.at("E0.csv", version_id="0123"), tmp_path)


def test_a_server_without_versions_does_not_pass_for_one_that_has_the_version(folder, tmp_path):
    folder.put("E0.csv", MATCHES)
    with pytest.raises(
        SourceError, match=r"E0.csv(: the server gave version without a name; expected| has no version)"
    ):
        fetch(folder.at("E0.csv", version_id="67155040f8ad100afb8eccf3a3480d21"), tmp_path)
    assert files(tmp_path / "matches") == set()


def test_an_expected_etag_is_found_or_both_are_named(folder, tmp_path):
    folder.put("E0.csv", MATCHES)
    old, new = hashlib.md5(MATCHES).hexdigest(), hashlib.md5(CORRECTED).hexdigest()
    first = fetch(folder.at("E0.csv"), tmp_path, expected_etag=old)
    assert fetch(folder.at("E0.csv"), tmp_path, expected_etag=f'"{old}"') == first
    folder.put("E0.csv", CORRECTED)
    with pytest.raises(SourceError) as problem:
        fetch(folder.at("E0.csv"), tmp_path, expected_etag=old)
    assert str(problem.value) == (
        f"s3://matches/{folder.name}E0.csv is another object by now: its ETag is {new}, expected {old}. "
        "Name the version that is meant, if the bucket keeps versions."
    )
    assert verify(folder.path(tmp_path, "E0.csv")) == first[0]


def test_an_object_without_bytes_is_an_empty_file(folder, tmp_path):
    folder.put("E0.csv", b"")
    (sidecar,) = fetch(folder.at("E0.csv"), tmp_path)
    assert sidecar == told(folder, "E0.csv", b"", sidecar)
    assert folder.path(tmp_path, "E0.csv").read_bytes() == b""


def test_what_the_server_keeps_of_an_upload_is_compared(folder, tmp_path):
    for algorithm in ("CRC32", "SHA1", "SHA256"):
        folder.put("E0.csv", algorithm.encode() + MATCHES, ChecksumAlgorithm=algorithm)
        (sidecar,) = fetch(folder.at("E0.csv"), tmp_path)
        assert sidecar.compared == f"length, {algorithm.lower()}, md5"


def test_of_a_folder_come_all_match_files_page_by_page_in_the_order_of_keys(folder, way, tmp_path):
    wanted = ("2023/E0.csv", "2024/deep/er/E1.PARQUET", "2024/E0.csv", "E0 (köln).pq", "z.CSV")
    for key in (*wanted, "notes.txt", ".hidden.csv", "2024/.git/x.csv", "2024/marker.csv/"):
        folder.put(key, key.encode())
    found = fetch(folder.at("", way.url), tmp_path, page_size=2)
    assert [one.key for one in found] == sorted(folder.name + key for key in wanted)
    assert [one.sha256 for one in found] == [
        hashlib.sha256(one.key.removeprefix(folder.name).encode()).hexdigest() for one in found
    ]
    assert files(tmp_path / "matches") == {one.key + end for one in found for end in ("", ".s3.json")}
    assert sum(request.startswith("GET /matches?") for request in way.requests) == 2 * 5
    assert all(verify(tmp_path / "matches" / one.key) == one for one in found)


def test_a_folder_is_not_one_with_a_longer_name(folder, tmp_path):
    folder.put("2024/E0.csv", b"here")
    folder.put("2024 old/E0.csv", b"there")
    assert [one.key for one in fetch(folder.at("2024/"), tmp_path)] == [f"{folder.name}2024/E0.csv"]


def test_of_a_folder_only_changed_objects_are_downloaded_and_deleted_ones_go(folder, way, tmp_path):
    for key in ("kept.csv", "changed.csv", "deleted.csv"):
        folder.put(key, b"before")
    before = {one.key: one for one in fetch(folder.at(""), tmp_path)}
    folder.put("changed.csv", b"after")
    folder.delete("deleted.csv")
    after = {one.key: one for one in fetch(folder.at("", way.url), tmp_path)}
    names = [f"{folder.name}{key}" for key in ("changed.csv", "kept.csv")]
    assert list(after) == names
    assert after[names[1]] == before[names[1]]
    gets = [request.split("/")[-1] for request in way.requests if request.startswith("GET /matches/")]
    assert gets == ["changed.csv"]
    assert files(tmp_path / "matches") == {name + end for name in names for end in ("", ".s3.json")}
    assert (tmp_path / "matches" / names[0]).read_bytes() == b"after"


def test_deleted_objects_keep_their_copies_until_all_others_have_come(folder, impatient, tmp_path):
    folder.put("a.csv", MATCHES)
    folder.put("b.csv", MATCHES)
    fetch(folder.at(""), tmp_path)
    folder.delete("a.csv")
    folder.put("b.csv", CORRECTED)
    broken = s3_server.on("GET /matches/", s3_server.cut(5000))
    with s3_server.proxy(folder.url, broken) as way, pytest.raises(SourceError, match=r"b\.csv"):
        fetch(folder.at("", way.url), tmp_path)
    assert files(tmp_path / "matches") == {
        folder.name + one + end for one in ("a.csv", "b.csv") for end in ("", ".s3.json")
    }
    assert [verify(folder.path(tmp_path, name)).size for name in ("a.csv", "b.csv")] == [len(MATCHES)] * 2


def test_a_list_that_leaves_out_an_object_once_does_not_delete_its_copy(folder, way, tmp_path):
    for key in ("a.csv", "b.csv"):
        folder.put(key, b"x")
    before = fetch(folder.at(""), tmp_path)
    damage = s3_server.changed(lambda head, body: (head, body.replace(b"/b.csv", b"/b.csw")))
    way.fault = lambda *request: (damage if len(way.requests) == 1 else s3_server.through)(*request)
    with pytest.raises(
        SourceError, match=r"/ changed while its objects were listed, or an answer was damaged\. Run again"
    ):
        fetch(folder.at("", way.url), tmp_path)
    assert [verify(folder.path(tmp_path, key)) for key in ("a.csv", "b.csv")] == before


def test_a_folder_with_too_many_objects_is_told(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(listing, "MAX_OBJECTS", 2)
    for key in ("a.csv", "b.csv", "c.txt"):
        folder.put(key, b"x")
    with pytest.raises(
        SourceError, match=rf"^s3://matches/{folder.name} holds more than 2 objects\. Name a folder with"
    ):
        fetch(folder.at(""), tmp_path)


def test_a_match_file_that_was_never_downloaded_is_told_and_left_alone(folder, tmp_path):
    folder.put("E0.csv", MATCHES)
    own = folder.path(tmp_path, "mine/E9.csv")
    own.parent.mkdir(parents=True)
    own.write_text("my own")
    with pytest.raises(SourceError, match=rf"^{own} does not come from s3://matches/{folder.name}\. Move it away"):
        fetch(folder.at(""), tmp_path)
    assert own.read_text() == "my own"


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ([], "holds 0 objects, none that ends in .csv, .parquet, .pq."),
        (["readme.txt", "E0.csv.gz"], "holds 2 objects, none that ends in .csv, .parquet, .pq."),
        (["E0.csv", "E0.csv/E1.csv"], "E0.csv' is also the folder of another object"),
        (["E0\u200b.csv"], r"E0\u200b.csv' has characters that cannot be printed"),
    ],
)
def test_a_folder_that_cannot_become_one_here_is_told(folder, tmp_path, keys, sentence):
    for key in keys:
        folder.put(key, b"x")
    with pytest.raises(SourceError) as problem:
        fetch(folder.at(""), tmp_path)
    assert f"s3://matches/{folder.name}" in str(problem.value)
    assert sentence in str(problem.value)
    assert files(tmp_path / "matches") == set()


def test_a_folder_has_neither_version_nor_etag(tmp_path):
    with pytest.raises(ConfigError, match=r"^s3://matches/raw/ is a folder, which has no versions; expected a key"):
        Location("matches", "raw/", version_id="0123")
    with pytest.raises(ConfigError, match=r"^s3://matches/raw/ is a folder, which has no ETag; expected a key"):
        fetch(Location("matches", "raw/"), tmp_path, expected_etag="0123")


def test_an_upload_that_is_too_large_is_refused_before_it_is_read(folder, way, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "MAX_BYTES", 9)
    folder.put("E0.csv", b"0123456789")
    with pytest.raises(SourceError, match=r"/E0\.csv has 10 bytes; expected at most 9\. Name a smaller part of it"):
        fetch(folder.at("E0.csv", way.url), tmp_path)
    assert [request.split()[0] for request in way.requests] == ["HEAD"]


def test_the_limit_counts_all_objects_of_a_folder(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(download, "MAX_BYTES", 9)
    folder.put("a.csv", b"01234")
    fetch(folder.at(""), tmp_path)
    folder.put("b.csv", b"56789")
    with pytest.raises(SourceError, match=r"/ has 10 bytes; expected at most 9\."):
        fetch(folder.at(""), tmp_path)


def test_what_does_not_fit_on_the_disk_is_refused_before_it_is_read(folder, way, tmp_path, monkeypatch):
    size = 1 << 60
    monkeypatch.setattr(download, "MAX_BYTES", size)
    head = (b"Content-Length: 10", b"Content-Length: %d" % size)
    way.fault = s3_server.on("HEAD", s3_server.changed(lambda h, body: (h.replace(*head), body)))
    folder.put("E0.csv", b"0123456789")
    with pytest.raises(
        DataError, match=rf"E0\.csv: {size:,} bytes are to be written to {tmp_path}, where only [\d,]+ are"
    ):
        fetch(folder.at("E0.csv", way.url), tmp_path)
    assert [request.split()[0] for request in way.requests] == ["HEAD"]


def test_two_downloads_at_once_are_one(folder, way, tmp_path):
    folder.put("E0.csv", MATCHES)
    found = []
    threads = [Thread(target=lambda: found.append(fetch(folder.at("E0.csv", way.url), tmp_path))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [found[0]] * 4
    assert sorted(request.split()[0] for request in way.requests) == ["GET", *["HEAD"] * 4]


def test_the_log_has_one_line_that_tells_what_was_downloaded(folder, tmp_path, caplog):
    for key in ("a.csv", "b.csv"):
        folder.put(key, b"x")
    fetch(folder.at("a.csv"), tmp_path)
    caplog.clear()
    caplog.set_level("INFO")
    fetch(folder.at(""), tmp_path)
    (line,) = caplog.messages
    assert line.startswith("download ")
    assert line.endswith(f"1 of 2 objects from s3://matches/{folder.name}, the others unchanged")


@pytest.mark.parametrize(
    "key", ["../../../E0.csv", "a/../../E0.csv", "a//b/c/E0.csv", "./a/bc/E0.csv", "///////E0.csv"]
)
def test_a_key_that_would_leave_its_folder_is_refused(folder, way, tmp_path, key):
    harmless = "0123456789"[: len(key) - len("/E0.csv")] + "/E0.csv"
    folder.put(harmless, b"x")
    listed = s3_server.changed(lambda head, body: (head, body.replace(harmless.encode(), key.encode())))
    way.fault = s3_server.on("GET /matches?", listed)
    with pytest.raises(SourceError, match=r"E0\.csv' has a part that is empty, '\.' or '\.\.', so it cannot be stored"):
        fetch(folder.at("", way.url), tmp_path / "deep" / "er")
    assert [name for name in files(tmp_path) if not name.endswith(".lock")] == []


def test_the_bar_of_a_large_download_shows_name_and_bytes_on_a_terminal(capsys, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    for terminal, total in ((False, bars.LARGE), (True, bars.LARGE - 1), (True, bars.LARGE)):
        monkeypatch.setattr(sys.stdout, "isatty", lambda shown=terminal: shown)
        with bars.transfer("s3://matches/[bold]raw/", total) as advance:
            advance(total // 2)
    shown = capsys.readouterr().out
    assert shown.count("s3://matches/[bold]raw/") >= 1
    assert "/8.4 MB" in shown


@pytest.mark.slow
def test_a_folder_with_more_objects_than_a_page_comes_whole(folder, tmp_path):
    for number in range(1100):
        folder.put(f"{number:04}.csv", b"%d" % number)
    found = fetch(folder.at(""), tmp_path)
    assert [one.key for one in found] == [f"{folder.name}{number:04}.csv" for number in range(1100)]
    assert [folder.path(tmp_path, f"{number:04}.csv").read_bytes() for number in range(1100)] == [
        b"%d" % number for number in range(1100)
    ]
    assert fetch(folder.at(""), tmp_path) == found
