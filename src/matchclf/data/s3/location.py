"""Names of bucket, key and server: refused before any request when they cannot be right or would tell a secret."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from matchclf.errors import ConfigError

BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]")
REGION = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
URL = re.compile(r"://|[?&](X-Amz-|AWSAccessKeyId=|Signature=)", re.IGNORECASE)
SIDECAR = ".s3.json"


@dataclass(frozen=True)
class Location:
    """One object, or with a key that ends in a slash all match files below it.

    Credentials have no place here: they come from the environment, a profile or a role. Raises ConfigError when a
    name cannot be right, without repeating one that may hold a secret.
    """

    bucket: str
    key: str
    endpoint_url: str | None = None
    region: str | None = None
    version_id: str | None = None

    def __post_init__(self) -> None:
        _check_no_url("data.bucket", self.bucket)
        _check_no_url("data.key", self.key)
        if not BUCKET.fullmatch(self.bucket):
            raise ConfigError(f"data.bucket is {self.bucket!r}; expected 3 to 63 letters, digits, '.', '-' or '_'.")
        fault = key_fault(self.key.removesuffix("/"))
        if fault:
            raise ConfigError(
                f"data.key is {self.key!r}, which {fault}; expected a key or a folder that ends with '/'."
            )
        if self.endpoint_url is not None:
            check_endpoint(self.endpoint_url, "data.endpoint_url")
        if self.region is not None and not REGION.fullmatch(self.region):
            raise ConfigError("data.region is no name of a region; expected one like eu-central-1.")
        if self.version_id is not None and self.is_prefix:
            raise ConfigError(f"{self} is a folder, which has no versions; expected a key that names one object.")

    def __str__(self) -> str:
        return self.name_of(self.key)

    @property
    def is_prefix(self) -> bool:
        """Whether all match files below the key are meant."""
        return self.key.endswith("/")

    @property
    def server(self) -> str:
        """Name of the server for people; it holds no secret."""
        return self.endpoint_url or "the server of the AWS settings"

    def name_of(self, key: str) -> str:
        """Address of an object in this bucket."""
        return f"s3://{self.bucket}/{key}"

    def path_of(self, key: str, target: Path) -> Path:
        """Where an object of this bucket lies below ``target``."""
        return target.joinpath(self.bucket, *key.split("/"))


def key_fault(key: str) -> str:
    """What keeps a key from being the name of a file below a folder, empty when nothing does.

    >>> key_fault("raw/E0.csv"), key_fault("raw/../E0.csv")
    ('', "has a part that is empty, '.' or '..'")
    """
    if {"", ".", ".."} & set(key.split("/")):
        return "has a part that is empty, '.' or '..'"
    if not key.isprintable():
        return "has characters that cannot be printed"
    return f"ends with {SIDECAR} as our own notes do" if key.endswith(SIDECAR) else ""


def check_endpoint(url: str, name: str) -> None:
    """Raise ConfigError, without repeating the address, when it is none or holds a user, a password or a signature."""
    expected = "expected one like https://host:9000; credentials come from the environment, a profile or a role"
    parts = _split(url)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigError(f"{name} is no address of a server; {expected}.")
    if "@" in parts.netloc or "?" in url or "#" in url:
        raise ConfigError(f"{name} holds a user name, a password or a query; {expected}.")


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        known = parts.port != 0 and url.isprintable() and " " not in url
    except ValueError:
        return None
    return parts if known else None


def _check_no_url(name: str, value: str) -> None:
    if URL.search(value):
        raise ConfigError(f"{name} is a URL or carries a signature; expected the name alone.")
