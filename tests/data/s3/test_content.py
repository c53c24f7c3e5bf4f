import base64
import hashlib
import random
import zlib
from itertools import pairwise

import pytest

import s3_server
from matchclf.data.s3 import content, fetch
from matchclf.errors import SourceError

# A part that is not the last has at least 5 MiB.
PART = 5 << 20
BODY = random.Random(5).randbytes(2 * PART + 1001)
SIZES = {"uniform": [PART, 1000], "uneven": [PART, PART + 1, 1000], "single": [1000]}
pytestmark = pytest.mark.usefixtures("impatient")


def parts(sizes) -> list[bytes]:
    ends = [sum(sizes[:number]) for number in range(len(sizes) + 1)]
    return [BODY[start:end] for start, end in pairwise(ends)]


def flipped(head, body):
    return head, body[:500] + bytes([body[500] ^ 4]) + body[501:]


@pytest.mark.parametrize(("kind", "sizes"), SIZES.items(), ids=list(SIZES))
def test_the_checksum_of_an_upload_in_parts_is_compared_and_finds_a_flipped_bit(folder, tmp_path, kind, sizes):
    folder.put_parts("E0.csv", parts(sizes))
    (found,) = fetch(folder.at("E0.csv"), tmp_path / kind)
    assert found.etag.endswith(f"-{len(sizes)}")
    assert found.sha256 == hashlib.sha256(BODY[: sum(sizes)]).hexdigest()
    assert found.compared == "length, crc32 of parts"
    damage = s3_server.on("GET", s3_server.changed(flipped))
    with (
        s3_server.proxy(folder.url, damage) as way,
        pytest.raises(SourceError, match=r"E0\.csv came with another content"),
    ):
        fetch(folder.at("E0.csv", way.url), tmp_path / "damaged")


def test_the_checksum_of_a_whole_upload_in_parts_is_compared(folder, tmp_path):
    folder.put_parts("E0.csv", parts(SIZES["uniform"]), kind="FULL_OBJECT")
    (found,) = fetch(folder.at("E0.csv"), tmp_path)
    assert found.compared == "length, crc32"
    damage = s3_server.on("GET", s3_server.changed(flipped))
    with s3_server.proxy(folder.url, damage) as way, pytest.raises(SourceError, match=r"does not have the checksum"):
        fetch(folder.at("E0.csv", way.url), tmp_path / "damaged")


def test_the_etag_of_an_upload_in_parts_is_no_hash_and_the_sidecar_says_what_was_compared(folder, tmp_path):
    folder.put_parts("E0.csv", parts(SIZES["uniform"]), algorithm=None)
    (found,) = fetch(folder.at("E0.csv"), tmp_path)
    assert (found.compared, found.md5) == ("length", hashlib.md5(BODY[: PART + 1000]).hexdigest())


def test_a_server_that_does_not_tell_the_parts_leaves_their_checksum_uncompared(folder, tmp_path):
    folder.put_parts("E0.csv", parts(SIZES["uneven"]))
    size = f"\r\nContent-Length: {PART}".encode()
    whole = s3_server.changed(
        lambda head, body: (head.replace(size, b"\r\nContent-Length: %d" % (2 * PART + 1001)), body)
    )
    with s3_server.proxy(folder.url, s3_server.on("HEAD", whole)) as way:
        (found,) = fetch(folder.at("E0.csv", way.url), tmp_path)
    assert found.compared == "length"


def test_the_checksum_of_parts_is_that_of_the_checksums_of_the_parts(tmp_path):
    (tmp_path / "file").write_bytes(BODY)
    sums = b"".join(zlib.crc32(part).to_bytes(4, "big") for part in parts([PART, PART + 1]))
    expected = base64.b64encode(zlib.crc32(sums).to_bytes(4, "big")).decode()
    assert content.checksum_of_parts(tmp_path / "file", [PART, PART + 1], "crc32") == f"{expected}-2"
    for algorithm in ("sha1", "sha256"):
        sums = b"".join(hashlib.new(algorithm, part).digest() for part in parts(SIZES["uniform"]))
        expected = base64.b64encode(hashlib.new(algorithm, sums).digest()).decode()
        assert content.checksum_of_parts(tmp_path / "file", SIZES["uniform"], algorithm) == f"{expected}-2"


def served(body: bytes, **headers: str) -> s3_server.Fault:
    """A server that has one object, with these headers."""
    told = {"ETag": f'"{"0" * 32}"', "Last-Modified": "Sat, 10 Aug 2024 12:00:00 GMT", "Content-Length": str(len(body))}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in (told | headers).items()]
    head = "\r\n".join(["HTTP/1.1 200 OK", *lines, "Connection: close"]).encode() + s3_server.HEADS_END
    return lambda request, _forward: [head if request.startswith("HEAD") else head + body]


@pytest.mark.parametrize(
    "headers",
    [
        {"x-amz-server-side-encryption": "aws:kms"},
        {"x-amz-server-side-encryption": "aws:kms:dsse"},
        {"x-amz-server-side-encryption-customer-algorithm": "AES256"},
        {"x-amz-storage-class": "EXPRESS_ONEZONE"},
        {"ETag": '"' + "0" * 31 + '"'},
        {"ETag": '"' + "0" * 32 + '-1"'},
    ],
    ids=str,
)
def test_an_etag_that_is_no_md5_for_certain_is_not_compared(folder, tmp_path, headers):
    with s3_server.proxy(folder.url, served(b"x", **headers)) as way:
        (found,) = fetch(folder.at("E0.csv", way.url), tmp_path)
    assert found.compared == "length"
    assert found.last_modified == "2024-08-10T12:00:00+00:00"


@pytest.mark.parametrize("headers", [{}, {"x-amz-server-side-encryption": "AES256"}], ids=str)
def test_an_etag_that_is_an_md5_is_compared(folder, tmp_path, headers):
    with s3_server.proxy(folder.url, served(b"x", **headers)) as way:
        with pytest.raises(SourceError, match=r"E0\.csv came with another content than the server has\. Run again"):
            fetch(folder.at("E0.csv", way.url), tmp_path)
        way.fault = served(b"x", ETag=f'"{hashlib.md5(b"x").hexdigest()}"', **headers)
        (found,) = fetch(folder.at("E0.csv", way.url), tmp_path)
    assert found.compared == "length, md5"
