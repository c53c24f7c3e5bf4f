import hashlib
import json
import random
import signal
import subprocess
import sys
import time
from dataclasses import asdict, replace

import pytest

import s3_server
from matchclf.data.s3 import Sidecar, fetch, read_sidecar, verify
from matchclf.data.s3.sidecar import sidecar_path, write_sidecar
from matchclf.errors import DataError, SourceError
from matchclf.identity import canonical_json, short_hash
from program import environment, files

OLD, NEW = b"Div,Date\nE0,10/08/2024\n" * 3000, b"Div,Date\nE0,11/08/2024\n" * 3000
SIDECAR = Sidecar(
    bucket="matches",
    key="raw/E0.csv",
    etag="0123",
    size=5,
    last_modified="2024-08-10T12:00:00+00:00",
    version_id="",
    sha256="2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
    md5="5d41402abc4b2a76b9719d911017c592",
    ingested_at="2024-08-11T12:00:00+00:00",
    compared="length, md5",
)
NAMES = (
    "expected an object with bucket, key, etag, size, last_modified, version_id, sha256, md5, ingested_at, compared, "
    "checksum"
)
AGAIN = "Run with data=s3 again to download it anew"
DOWNLOAD = """
import resource, os, signal, sys
from pathlib import Path
from matchclf.data.s3 import Location, fetch

def stop(event, arguments):
    if event == "os.rename" and str(arguments[1]).endswith(sys.argv[5]):
        os.kill(os.getpid(), signal.SIGKILL)

if sys.argv[4] == "stop before renaming":
    sys.addaudithook(stop)
if sys.argv[4] == "no file larger than":
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[5]), int(sys.argv[5])))
try:
    fetch(Location("matches", sys.argv[2], sys.argv[1], "us-east-1"), Path(sys.argv[3]))
except Exception as problem:
    sys.exit(f"{type(problem).__name__}: {problem}")
"""


@pytest.fixture
def copy(tmp_path):
    """A file and its sidecar."""
    path = tmp_path / "E0.csv"
    path.write_bytes(b"hello")
    write_sidecar(SIDECAR, sidecar_path(path))
    return path


def test_a_sidecar_is_readable_json_with_a_checksum_of_its_own(copy):
    expected = asdict(SIDECAR) | {"checksum": hashlib.sha256(canonical_json(asdict(SIDECAR)).encode()).hexdigest()[:16]}
    assert json.loads(sidecar_path(copy).read_text()) == expected
    assert sidecar_path(copy).read_text().count("\n") == len(expected) + 2


def told(path) -> str:
    with pytest.raises(SourceError) as problem:
        verify(path)
    return str(problem.value)


def test_a_sidecar_is_read_and_its_bytes_verified(copy):
    assert read_sidecar(copy) == verify(copy) == SIDECAR


def test_a_file_with_other_bytes_is_not_trusted(copy):
    for content in (b"hellp", b"hell", b"hello ", b""):
        copy.write_bytes(content)
        assert told(copy) == (f"{copy} is not the file that E0.csv.s3.json tells of. {AGAIN}.")
        assert read_sidecar(copy) == SIDECAR


def test_a_file_without_sidecar_and_a_sidecar_without_file_are_told(copy):
    copy.unlink()
    assert told(copy) == (f"{copy} is missing, though E0.csv.s3.json tells of it. {AGAIN}.")
    sidecar_path(copy).unlink()
    assert told(copy) == (f"{copy} has no E0.csv.s3.json beside it, so its origin is not known. {AGAIN}.")


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '{"a":' * 100_000, "\ud800"], ids=lambda text: text[:30])
def test_a_sidecar_that_is_none_is_told(copy, text):
    sidecar_path(copy).write_bytes(text.encode("utf-8", "surrogatepass"))
    assert told(copy) == f"{sidecar_path(copy)} is damaged or was edited; {NAMES}. {AGAIN}."


@pytest.mark.parametrize(
    "change", [{"more": 1}, {"size": "5"}, {"size": 5.0}, {"etag": None}, {"etag": "0124"}], ids=str
)
def test_a_sidecar_that_was_edited_is_told(copy, change):
    values = asdict(SIDECAR)
    sidecar_path(copy).write_text(json.dumps(values | change | {"checksum": short_hash(values)}))
    assert told(copy) == f"{sidecar_path(copy)} is damaged or was edited; {NAMES}. {AGAIN}."


@pytest.mark.parametrize("change", [{"sha256": "0" * 64}, {"md5": "0" * 32}, {"size": 6}], ids=str)
def test_a_sidecar_that_tells_of_other_bytes_is_not_trusted(copy, change):
    write_sidecar(replace(SIDECAR, **change), sidecar_path(copy))
    assert "is not the file that" in told(copy)


def test_three_hundred_damaged_sidecars_are_read_as_sentences_or_as_sidecars(copy):
    text, rng, sentences = sidecar_path(copy).read_bytes(), random.Random(3), []
    for _ in range(300):
        place = rng.randrange(len(text))
        sidecar_path(copy).write_bytes(text[:place] + bytes([text[place] ^ 1 << rng.randrange(8)]) + text[place + 1 :])
        try:
            found = verify(copy)
        except SourceError as problem:
            found, sentences = SIDECAR, [*sentences, str(problem)]
        assert found == SIDECAR
    assert len(sentences) > 150
    assert all(sentence.endswith(f". {AGAIN}.") for sentence in sentences)


def damage_file(path):
    path.write_bytes(path.read_bytes().replace(b"10/08", b"10/09", 1))


def cut_file(path):
    path.write_bytes(path.read_bytes()[:-1])


def lose_file(path):
    path.unlink()


def damage_sidecar(path):
    sidecar_path(path).write_text("{")


def lose_sidecar(path):
    sidecar_path(path).unlink()


def take_another_sidecar(path):
    sidecar_path(path).write_text(sidecar_path(path).read_text().replace("/E0.csv", "/E1.csv"))


DAMAGES = [damage_file, cut_file, lose_file, damage_sidecar, lose_sidecar, take_another_sidecar]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_what_does_not_match_is_downloaded_again(folder, tmp_path, damage):
    folder.put("E0.csv", OLD)
    fetch(folder.at("E0.csv"), tmp_path)
    path = folder.path(tmp_path, "E0.csv")
    damage(path)
    (found,) = fetch(folder.at("E0.csv"), tmp_path)
    assert path.read_bytes() == OLD
    assert verify(path) == found


def start(url, folder, target, *more):
    command = [sys.executable, "-c", DOWNLOAD, url, f"{folder.name}E0.csv", str(target), *(more or ["", ""])]
    return subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def updated(folder, target):
    """A downloaded object that was replaced since."""
    folder.put("E0.csv", OLD)
    fetch(folder.at("E0.csv"), target)
    folder.put("E0.csv", NEW)
    return folder.path(target, "E0.csv")


def check_recovers(folder, target, path):
    (found,) = fetch(folder.at("E0.csv"), target)
    assert path.read_bytes() == NEW
    assert verify(path) == found
    assert files(path.parent) == {"E0.csv", "E0.csv.s3.json"}


@pytest.mark.parametrize("first", [True, False], ids=["first download", "update"])
def test_a_crash_between_file_and_sidecar_is_found(folder, tmp_path, first):
    path = folder.path(tmp_path, "E0.csv")
    if first:
        folder.put("E0.csv", NEW)
    else:
        updated(folder, tmp_path)
    process = start(folder.url, folder, tmp_path, "stop before renaming", ".s3.json")
    assert process.communicate(timeout=60) == ("", "")
    assert process.returncode == -signal.SIGKILL
    assert path.read_bytes() == NEW
    with pytest.raises(SourceError):
        verify(path)
    check_recovers(folder, tmp_path, path)


def test_a_killed_download_leaves_the_copy_from_before_and_its_remains_go_with_the_next(folder, tmp_path):
    path, rng, arrived = updated(folder, tmp_path), random.Random(2), []

    def slow(_request, forward):
        answer = forward()
        for place in range(0, len(answer), 4000):
            arrived.append(place)
            yield answer[place : place + 4000]
            time.sleep(0.02)

    with s3_server.proxy(folder.url, s3_server.on("GET", slow)) as way:
        for _ in range(2):
            arrived.clear()
            process = start(way.url, folder, tmp_path)
            while not arrived:
                assert process.poll() is None, process.communicate()
                time.sleep(0.01)
            time.sleep(rng.random() * 0.3)
            process.kill()
            process.communicate(timeout=60)
            assert path.read_bytes() == OLD
            assert verify(path).size == len(OLD)
    check_recovers(folder, tmp_path, path)


@pytest.mark.parametrize("limit", [30_000, 100])
def test_a_full_disk_leaves_the_copy_from_before(folder, tmp_path, limit):
    path = updated(folder, tmp_path)
    before = verify(path)
    process = start(folder.url, folder, tmp_path, "no file larger than", str(limit))
    _, err = process.communicate(timeout=60)
    assert err.startswith(f"DataError: {path} cannot be written: [Errno 27] File too large")
    assert path.read_bytes() == OLD
    assert verify(path) == before
    assert files(path.parent) == {"E0.csv", "E0.csv.s3.json"}


def test_a_disk_that_is_full_after_the_file_and_before_its_sidecar_leaves_the_copy_from_before(folder, tmp_path):
    folder.put("E0.csv", b"old")
    (before,) = fetch(folder.at("E0.csv"), tmp_path)
    folder.put("E0.csv", b"new")
    process = start(folder.url, folder, tmp_path, "no file larger than", "100")
    assert "E0.csv cannot be written: [Errno 27] File too large" in process.communicate(timeout=60)[1]
    assert verify(folder.path(tmp_path, "E0.csv")) == before


def test_a_place_where_nothing_can_be_written_is_told(folder, tmp_path):
    folder.put("E0.csv", OLD)
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match=rf"^The files in {tmp_path}/file/matches cannot be read or written: "):
        fetch(folder.at("E0.csv"), tmp_path / "file")
    folder.path(tmp_path, "").mkdir(parents=True)
    folder.path(tmp_path, "E0.csv").mkdir()
    with pytest.raises(DataError, match=rf"{folder.name}E0\.csv cannot be written: .*Is a directory"):
        fetch(folder.at("E0.csv"), tmp_path)
