"""Folders on the S3 server for the tests of this folder, and the settings of a user who may read them."""

import itertools
from functools import cache

import pytest
from botocore import loaders

import s3_server
from matchclf.data.s3 import connect
from s3_server import Folder

SETTINGS = ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_REGION")
NUMBERS = itertools.count()


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
    """One attempt, so that faults are told at once."""
    monkeypatch.setattr(connect, "ATTEMPTS", 1)
