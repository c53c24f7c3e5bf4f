import hashlib
import random
import socket
import time
from contextlib import ExitStack
from dataclasses import replace

import pytest

import s3_server
from matchclf.data.s3 import Location, connect, fetch, verify
from matchclf.errors import ConfigError, MatchclfError, SourceError

OLD, NEW = b"Div,Date\nE0,10/08/2024\n" * 3000, b"Div,Date\nE0,11/08/2024\n" * 3000
SECRETS = (*s3_server.OWNER, *s3_server.GUEST, "planted")
pytestmark = pytest.mark.usefixtures("impatient")


def on_disk(folder) -> dict[str, bytes]:
    """Every file but the lock."""
    return {
        str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file() and p.suffix != ".lock"
    }


def check_told(problem: MatchclfError, location: Location) -> str:
    """A sentence of its own with bucket and key and without a secret, in a traceback too; the rest of it."""
    text = str(problem)
    assert text.startswith(f"s3://{location.bucket}/{location.key}")
    assert text.endswith(".")
    assert problem.__cause__ is None
    assert problem.__suppress_context__ or problem.__context__ is None
    assert [secret for secret in SECRETS if secret in text] == []
    return text.removeprefix(str(location)).replace(str(location.endpoint_url), "SERVER").strip(": ")


@pytest.fixture
def updated(folder, tmp_path):
    """A folder whose object was downloaded and replaced since."""
    folder.put("E0.csv", OLD)
    fetch(folder.at("E0.csv"), tmp_path)
    folder.put("E0.csv", NEW)
    return folder


def refused(folder, target, fault, name="E0.csv", **more) -> str:
    """What is told when the fault happens; what was there before is still there."""
    before = on_disk(target)
    with s3_server.proxy(folder.url, fault) as way:
        location = folder.at(name, way.url, **more)
        with pytest.raises(SourceError) as problem:
            fetch(location, target)
        assert on_disk(target) == before
        return check_told(problem.value, location)


def check_harmless(folder, target, fault, truth) -> str:
    """Either nothing changes and the reason is told, or all comes as it is; the two are fine, all else is silent."""
    before = on_disk(target)
    with s3_server.proxy(folder.url, fault) as way:
        location = folder.at("E0.csv", way.url)
        try:
            (found,) = fetch(location, target)
        except SourceError as problem:
            assert on_disk(target) == before
            return check_told(problem, location)
    assert replace(found, ingested_at="", compared="") == truth
    assert verify(folder.path(target, "E0.csv")) == found
    for name, content in before.items():
        (target / name).write_bytes(content)
    return ""


def truth_of(folder, target):
    """What comes without a fault."""
    (found,) = fetch(folder.at("E0.csv"), target)
    return replace(found, ingested_at="", compared="")


def test_a_download_cut_at_any_point_leaves_the_copy_from_before(updated, tmp_path):
    check_cuts(updated, tmp_path, 10, len(NEW) + 300)


@pytest.mark.slow
def test_a_download_cut_at_one_of_a_hundred_points_leaves_the_copy_from_before(updated, tmp_path):
    check_cuts(updated, tmp_path, 70, len(NEW) + 300)
    check_cuts(updated, tmp_path, 30, 400)


def check_cuts(folder, target, times, longest):
    rng = random.Random(longest)
    for length in (rng.randrange(longest) for _ in range(times)):
        told = refused(folder, target, s3_server.on("GET", s3_server.cut(length)))
        assert told.endswith(("Run again.", "Check data.endpoint_url.")), (length, told)


@pytest.mark.parametrize("times", [5, pytest.param(60, marks=pytest.mark.slow)])
def test_a_cut_answer_to_the_head_is_told_or_does_no_harm(versions, tmp_path, times):
    for content in (OLD, NEW):
        versions.put("E0.csv", content)
    truth = truth_of(versions, tmp_path / "whole")
    rng = random.Random(times)
    told = [
        check_harmless(versions, tmp_path, s3_server.on("HEAD", s3_server.cut(rng.randrange(460))), truth)
        for _ in range(times)
    ]
    assert sum(map(bool, told)) > times / 2


@pytest.mark.parametrize("times", [10, pytest.param(100, marks=pytest.mark.slow)])
@pytest.mark.parametrize("algorithm", [None, "CRC32"])
def test_a_flipped_bit_in_the_content_is_found(updated, tmp_path, times, algorithm):
    updated.put("E0.csv", NEW, **({"ChecksumAlgorithm": algorithm} if algorithm else {}))
    rng = random.Random(times)
    for _ in range(times):
        place, bit = rng.randrange(len(NEW)), 1 << rng.randrange(8)
        told = refused(updated, tmp_path, s3_server.on("GET", s3_server.changed(flip(place, bit))))
        kind = (
            "the content does not have the checksum" if algorithm else "came with another content than the server has"
        )
        assert told.startswith(kind)


def flip(place, bit):
    return lambda head, body: (head, flipped(body, place, bit))


def flipped(content, place, bit):
    return content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :]


@pytest.mark.parametrize("times", [5, pytest.param(150, marks=pytest.mark.slow)])
@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_a_flipped_bit_in_the_head_of_an_answer_is_told_or_does_no_harm(versions, tmp_path, method, times):
    versions.put("E0.csv", OLD)
    fetch(versions.at("E0.csv"), tmp_path)
    versions.put("E0.csv", NEW, ChecksumAlgorithm="CRC32")
    truth = truth_of(versions, tmp_path / "whole")
    rng = random.Random(times)
    for _ in range(times):
        place, bit = rng.random(), 1 << rng.randrange(8)
        damage = s3_server.changed(lambda head, body, p=place, b=bit: (flipped(head, int(p * len(head)), b), body))
        check_harmless(versions, tmp_path, s3_server.on(method, damage), truth)


@pytest.mark.parametrize("method", ["GET", ""])
def test_a_body_and_its_length_both_shorter_are_found(updated, tmp_path, method):
    length = (f"Content-Length: {len(NEW)}".encode(), b"Content-Length: 23000")
    short = s3_server.changed(lambda head, body: (head.replace(*length), body[:23000]))
    told = refused(updated, tmp_path, s3_server.on(method, short))
    wanted = {"GET": f"was replaced while it was being read, or an answer was damaged: size {len(NEW)}, then 23000."}
    assert told.startswith(wanted.get(method, "came with another content than the server has"))


def test_more_bytes_than_announced_are_not_written(updated, tmp_path):
    told = refused(updated, tmp_path, s3_server.on("GET", endless))
    assert told == f"has more than the {len(NEW):,} bytes that were announced. Run again."


def endless(_request, forward):
    head, _, body = forward().partition(s3_server.HEADS_END)
    yield head + b"\r\nTransfer-Encoding: chunked" + s3_server.HEADS_END
    while True:
        yield b"%x\r\n%b\r\n" % (len(body), body)


def test_fewer_bytes_than_announced_are_found(updated, tmp_path):
    told = refused(updated, tmp_path, s3_server.on("GET", ended_early))
    assert told.endswith("Run again.")


def ended_early(_request, forward):
    head, _, body = forward().partition(s3_server.HEADS_END)
    yield head + b"\r\nTransfer-Encoding: chunked" + s3_server.HEADS_END
    yield b"%x\r\n%b\r\n0\r\n\r\n" % (len(body) // 2, body[: len(body) // 2])


@pytest.mark.parametrize(("length", "method"), [(0, "HEAD"), (0, "GET"), (100, "GET"), (30000, "GET")])
def test_a_server_that_stops_answering_is_told_in_time(updated, tmp_path, monkeypatch, length, method):
    monkeypatch.setattr(connect, "READ_SECONDS", 0.3)
    began = time.monotonic()
    told = refused(updated, tmp_path, s3_server.on(method, s3_server.hanging(length)))
    assert told == "SERVER stopped answering. Run again."
    assert time.monotonic() - began < 3


def test_an_object_replaced_between_head_and_get_is_told(updated, tmp_path):
    happens = s3_server.after(lambda: updated.put("E0.csv", OLD + NEW))
    told = refused(updated, tmp_path, s3_server.on("GET", happens))
    assert told == "was replaced while it was being read. Run again to get the new object."


def test_an_object_deleted_between_head_and_get_is_told(updated, tmp_path):
    told = refused(updated, tmp_path, s3_server.on("GET", s3_server.after(lambda: updated.delete("E0.csv"))))
    assert told == "there is no such object. Check data.key; that of a folder ends with '/'."


def test_a_server_that_sends_another_version_than_asked_for_is_told(updated, tmp_path):
    etag = hashlib.md5(NEW).hexdigest()
    other = s3_server.changed(lambda head, body: (head.replace(etag.encode(), b"0" * 32), body))
    told = refused(updated, tmp_path, s3_server.on("GET", other))
    assert told == (
        f"was replaced while it was being read, or an answer was damaged: etag {etag}, then {'0' * 32}. Run again."
    )


def test_an_object_replaced_between_list_and_head_comes_as_it_is_then(updated, tmp_path):
    happens = s3_server.on("HEAD", s3_server.after(lambda: updated.put("E0.csv", OLD + NEW)))
    with s3_server.proxy(updated.url, happens) as way:
        (found,) = fetch(updated.at("", way.url), tmp_path)
    assert found.sha256 == hashlib.sha256(OLD + NEW).hexdigest()


REGION = "does not seem to lie in the region us-east-1 ({}). Set data.region to the bucket's{}."
ANSWERS = {
    ("400 Bad Request", "AuthorizationHeaderMalformed"): REGION.format("AuthorizationHeaderMalformed", ""),
    ("301 Moved Permanently", "PermanentRedirect"): REGION.format("PermanentRedirect", ""),
    ("301 Moved Permanently", ""): (
        "SERVER sends the request elsewhere (HTTP 301). Set data.region to the bucket's, or check http and https in "
        "data.endpoint_url."
    ),
    ("400 Bad Request", ""): REGION.format("HTTP 400", ""),
    ("400 Bad Request", "ExpiredToken"): (
        "the credentials have expired or their token is wrong (ExpiredToken). Log in again."
    ),
    ("403 Forbidden", "RequestTimeTooSkewed"): "the clock of this machine and that of SERVER differ. Set the clock.",
    ("403 Forbidden", "InvalidObjectState"): "is archived; restore it before it can be read.",
    ("405 Method Not Allowed", "MethodNotAllowed"): (
        "the version asked for says that the object was deleted. Name an earlier one."
    ),
    ("503 Slow Down", "SlowDown"): "SERVER is overloaded or in trouble (SlowDown). Try again later.",
    ("500 Oh", "planted<b>secret"): "SERVER is overloaded or in trouble (HTTP 500). Try again later.",
    ("418 Teapot", "NewKindOfError"): (
        "SERVER refused the request (NewKindOfError). Check data.bucket, data.key, data.region and data.endpoint_url."
    ),
}


@pytest.mark.parametrize(("answer", "sentence"), ANSWERS.items(), ids=[" ".join(answer) for answer in ANSWERS])
def test_what_a_server_refuses_is_told_with_what_to_do(updated, tmp_path, answer, sentence):
    assert refused(updated, tmp_path, s3_server.answering(*answer)) == sentence


def test_a_server_that_names_another_region_is_not_asked_without_end(updated, tmp_path):
    elsewhere = s3_server.answering("301 Moved Permanently", "PermanentRedirect", x_amz_bucket_region="eu-west-3")
    with (
        s3_server.proxy(updated.url, elsewhere) as way,
        pytest.raises(SourceError, match=r"the bucket's, eu-west-3\.$"),
    ):
        fetch(updated.at("E0.csv", way.url), tmp_path)
    assert len(way.requests) <= 4


def test_a_server_that_is_no_s3_server_is_told(updated, tmp_path):
    for nonsense in (
        b"\x00\x01\x02",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nETag: 1\r\n\r\n",
    ):
        told = refused(updated, tmp_path, lambda _request, _forward, n=nonsense: [n])
        assert told.endswith(
            ("the connection was cut. Run again.", "gave an answer that cannot be read. Check data.endpoint_url.")
        )
        assert refused(updated, tmp_path, lambda _request, _forward, n=nonsense: [n], name="")


def test_missing_things_are_told(updated, tmp_path):
    told = refused(updated, tmp_path, s3_server.through, name="E1.csv")
    assert told == "there is no such object. Check data.key; that of a folder ends with '/'."
    for key in ("E0.csv", "raw/"):
        location = Location("missing", key, updated.url, "us-east-1")
        with pytest.raises(SourceError) as problem:
            fetch(location, tmp_path)
        assert check_told(problem.value, location) == (
            "there is no bucket missing at SERVER. Check data.bucket and data.endpoint_url."
        )


KEYS = "Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, the profile in AWS_PROFILE, or the role."
CREDENTIALS = {
    "wrong secret": (
        {"AWS_SECRET_ACCESS_KEY": "planted"},
        f"SERVER does not accept the credentials (SignatureDoesNotMatch). {KEYS}",
    ),
    "unknown key": (
        {"AWS_ACCESS_KEY_ID": "AKIAplanted"},
        f"SERVER does not accept the credentials (InvalidAccessKeyId). {KEYS}",
    ),
    "no right": (
        dict(zip(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), s3_server.GUEST, strict=True)),
        "may not be read with the credentials in use; they need s3:GetObject, and s3:ListBucket for a folder.",
    ),
    "half of them": ({"AWS_SECRET_ACCESS_KEY": None}, f"no usable credentials were found. {KEYS}"),
    "none": (
        {"AWS_ACCESS_KEY_ID": None, "AWS_SECRET_ACCESS_KEY": None},
        f"no usable credentials were found. {KEYS}",
    ),
    "no such profile": (
        {"AWS_PROFILE": "planted"},
        "the AWS settings cannot be used. Check AWS_PROFILE and the files in ~/.aws.",
    ),
}


@pytest.mark.parametrize(("settings", "sentence"), CREDENTIALS.values(), ids=list(CREDENTIALS))
def test_credentials_that_do_not_do_are_told(updated, tmp_path, monkeypatch, settings, sentence):
    for name, value in settings.items():
        monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name)
    assert refused(updated, tmp_path, s3_server.through) == sentence
    assert refused(updated, tmp_path, s3_server.through, name="") == sentence


def test_objects_that_may_be_listed_and_not_read_are_told(owner, server, tmp_path, monkeypatch):
    owner.put_object(Bucket="open", Key="raw/E0.csv", Body=OLD)
    for name, value in zip(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), s3_server.GUEST, strict=True):
        monkeypatch.setenv(name, value)
    with pytest.raises(
        SourceError, match=r"^s3://open/raw/E0\.csv may not be read with the credentials in use; they need"
    ):
        fetch(Location("open", "raw/", server, "us-east-1"), tmp_path)


def test_a_profile_is_as_good_as_the_environment(updated, tmp_path, monkeypatch):
    key, secret = s3_server.OWNER
    (tmp_path / "credentials").write_text(f"[club]\naws_access_key_id={key}\naws_secret_access_key={secret}\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_PROFILE", "club")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    (found,) = fetch(updated.at("E0.csv"), tmp_path)
    assert found.md5 == hashlib.md5(NEW).hexdigest()


def test_a_server_that_is_not_there_is_told(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    for host in ("127.0.0.1", "localhost"):
        location = Location("matches", "E0.csv", f"http://{host}:{port}")
        with pytest.raises(SourceError) as problem:
            fetch(location, tmp_path)
        assert check_told(problem.value, location) == (
            f"the server {host}:{port} cannot be reached. Check data.endpoint_url and the network."
        )


def test_a_server_without_trusted_https_is_told(updated, tmp_path):
    location = updated.at("E0.csv", updated.url.replace("http:", "https:"))
    with pytest.raises(SourceError) as problem:
        fetch(location, tmp_path)
    assert check_told(problem.value, location) == (
        "SERVER offers no trusted https. Name the certificate's authority in AWS_CA_BUNDLE."
    )


@pytest.mark.parametrize("seconds", [0.3, pytest.param(connect.REACH_SECONDS, marks=pytest.mark.slow)])
def test_a_server_that_takes_no_connection_is_told_in_time(tmp_path, monkeypatch, seconds):
    monkeypatch.setattr(connect, "REACH_SECONDS", seconds)
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, ExitStack() as stack:
        for _ in range(3):  # the queue is full then, and the system drops what comes
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(listener.getsockname())
        began = time.monotonic()
        with pytest.raises(SourceError, match=r"^s3://matches/E0\.csv: the server 127\.0\.0\.1:\d+ cannot be reached"):
            fetch(Location("matches", "E0.csv", f"http://127.0.0.1:{listener.getsockname()[1]}"), tmp_path)
        assert time.monotonic() - began < min(seconds + 1, 10)


def test_a_proxy_of_the_environment_that_is_not_there_is_told_without_its_password(updated, tmp_path, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://planted:planted@127.0.0.1:1")
    with pytest.raises(SourceError, match=r"E0\.csv: the proxy 127\.0\.0\.1:1 cannot be reached") as problem:
        fetch(updated.at("E0.csv"), tmp_path)
    assert "planted" not in str(problem.value)


def test_an_address_with_a_password_in_the_aws_settings_is_refused(updated, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", updated.url.replace("://", "://planted:planted@"))
    location = Location("matches", f"{updated.name}E0.csv")
    with pytest.raises(
        ConfigError, match=r"^The endpoint_url in the AWS settings holds a user name, a password or"
    ) as told:
        fetch(location, tmp_path)
    assert "planted" not in str(told.value)


def test_the_address_may_come_from_the_aws_settings(updated, tmp_path, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", updated.url)
    (found,) = fetch(Location("matches", f"{updated.name}E0.csv", region="us-east-1"), tmp_path)
    assert found.md5 == hashlib.md5(NEW).hexdigest()


def test_no_secret_reaches_the_log_whatever_its_level(updated, tmp_path, monkeypatch, caplog):
    monkeypatch.setenv("AWS_SESSION_TOKEN", "plantedtoken")
    caplog.set_level("DEBUG")
    for name in ("botocore", "boto3", "urllib3"):
        caplog.set_level("DEBUG", name)
    with pytest.raises(SourceError) as problem:
        fetch(updated.at("E0.csv"), tmp_path)
    assert [secret for secret in SECRETS if secret in caplog.text + str(problem.value)] == []
