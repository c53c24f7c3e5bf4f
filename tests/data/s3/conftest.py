"""One S3 server for all tests of this folder, and the settings of a user who may read it."""

import itertools
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from botocore import loaders

import s3_server
from matchclf.data.s3 import Location, connect

SETTINGS = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_REGION")
NUMBERS = itertools.count()


@dataclass(frozen=True)
class Folder:
    """A folder of one test's own in a bucket of the server."""

    url: str
    client: Any
    bucket: str
    name: str

    def put(self, key: str, body: bytes, **more: Any) -> dict[str, Any]:
        return self.client.put_object(Bucket=self.bucket, Key=self.name + key, Body=body, **more)

    def put_parts(self, key: str, parts: list[bytes], kind: str = "COMPOSITE", algorithm: str | None = "CRC32") -> None:
        where = {"Bucket": self.bucket, "Key": self.name + key}
        checked = {"ChecksumAlgorithm": algorithm} if algorithm else {}
        how = {"ChecksumType": kind} if algorithm else {}
        upload = self.client.create_multipart_upload(**where, **checked, **how)["UploadId"]
        done = []
        for number, part in enumerate(parts, 1):
            told = self.client.upload_part(**where, **checked, UploadId=upload, PartNumber=number, Body=part)
            sums = {name: told[name] for name in told if name.startswith("Checksum")}
            done.append({"PartNumber": number, "ETag": told["ETag"], **sums})
        self.client.complete_multipart_upload(**where, **how, UploadId=upload, MultipartUpload={"Parts": done})

    def delete(self, key: str) -> None:
        self.client.delete_object(Bucket=self.bucket, Key=self.name + key)

    def at(self, key: str, url: str | None = None, **more: Any) -> Location:
        return Location(self.bucket, self.name + key, url or self.url, "us-east-1", **more)

    def path(self, target: Path, key: str) -> Path:
        return target / self.bucket / self.name / key


@pytest.fixture(scope="session")
def server():
    """Address of a running server."""
    with s3_server.seaweed() as url:
        yield url


@pytest.fixture(scope="session")
def owner(server):
    """A client of the bucket's owner, which sends checksums only where a test names one."""
    with closing(s3_server.client(server, request_checksum_calculation="when_required")) as client:
        for bucket in ("matches", "versions", "open"):
            client.create_bucket(Bucket=bucket)
        client.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
        yield client


@pytest.fixture(scope="session", autouse=True)
def read_once():
    """Most of the time of a short download goes into boto3's descriptions of S3: all clients share one copy."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loaders, "create_loader", cache(loaders.create_loader))
        yield


@pytest.fixture(autouse=True)
def user(monkeypatch, tmp_path):
    """A user with the owner's credentials in the environment, and no other settings."""
    for name in SETTINGS:
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", s3_server.OWNER[0])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", s3_server.OWNER[1])


@pytest.fixture
def folder(server, owner):
    """A folder of this test's own in the bucket ``matches``."""
    return Folder(server, owner, "matches", f"test {next(NUMBERS)}/")


@pytest.fixture
def versions(server, owner):
    """The same in the bucket that keeps versions."""
    return Folder(server, owner, "versions", f"test {next(NUMBERS)}/")


@pytest.fixture
def impatient(monkeypatch):
    """One attempt and short waits, so that faults are told at once."""
    monkeypatch.setattr(connect, "ATTEMPTS", 1)
    monkeypatch.setattr(connect, "READ_SECONDS", 0.3)
