"""Requests about an object: ask for one version, read exactly that version."""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC
from typing import Any

from matchclf.data.s3.connect import Store
from matchclf.data.s3.problems import translating
from matchclf.errors import SourceError

CHUNK = 1 << 18
MD5 = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Head:
    """One version of an object as the server tells it.

    ``size`` in bytes, ``last_modified`` as ISO 8601 in UTC, ``version_id`` empty without versions, ``checksums`` as
    base64 by algorithm; ``md5`` is the ETag where it is the content's MD5 for certain, else empty.
    """

    key: str
    etag: str
    size: int
    last_modified: str
    version_id: str
    checksums: dict[str, str]
    md5: str


@dataclass(frozen=True)
class Opened:
    """The answer to a GET; ``checksum`` is the algorithm that is compared at the end of the chunks, empty if none."""

    head: Head
    chunks: Iterator[bytes]
    checksum: str


def head(store: Store, key: str) -> Head:
    """What the server tells of an object, of the version that the location names if it names one."""
    from botocore.exceptions import ClientError

    which = {"Bucket": store.location.bucket, "Key": key, **_version(store.location.version_id)}
    with translating(store.location, key):
        try:
            told = store.client.head_object(**which, ChecksumMode="ENABLED")
        except ClientError:
            # The answer to a HEAD has no body, so it does not say why: ask for a byte.
            store.client.get_object(**which, Range="bytes=0-0")["Body"].close()
            raise
        found = _head(key, told)
    if store.location.version_id and store.location.version_id != found.version_id:
        raise SourceError(
            f"{store.location.name_of(key)}: the server gave version {found.version_id or 'without a name'}; expected "
            f"{store.location.version_id}. Check whether the bucket keeps versions."
        )
    return found


@contextmanager
def opened(store: Store, wanted: Head) -> Iterator[Opened]:
    """Give the bytes of exactly this version; raises SourceError when the object is another one by now."""
    with translating(store.location, wanted.key):
        told = store.client.get_object(
            Bucket=store.location.bucket,
            Key=wanted.key,
            IfMatch=f'"{wanted.etag}"',
            ChecksumMode="ENABLED",
            **_version(wanted.version_id),
        )
    with closing(told["Body"]) as body:
        with translating(store.location, wanted.key):
            found = _head(wanted.key, told)
        _check_same(store, wanted, found)
        yield Opened(found, _chunks(store, wanted, body), _algorithm(found, body))


def part_size(store: Store, known: Head, number: int) -> int:
    """Bytes of one part of an object that was uploaded in parts, counted from 1."""
    with translating(store.location, known.key):
        told = store.client.head_object(
            Bucket=store.location.bucket,
            Key=known.key,
            IfMatch=f'"{known.etag}"',
            PartNumber=number,
            **_version(known.version_id),
        )
        return int(told["ContentLength"])


def _head(key: str, told: dict[str, Any]) -> Head:
    etag = told["ETag"].strip('"')
    # Encrypted with a key of its own, or kept in a directory bucket: the ETag is no MD5 then, whatever it looks like.
    own_key = told.get("ServerSideEncryption", "AES256") != "AES256" or "SSECustomerAlgorithm" in told
    certain = MD5.fullmatch(etag) and not own_key and told.get("StorageClass") != "EXPRESS_ONEZONE"
    return Head(
        key=key,
        etag=etag,
        size=told["ContentLength"],
        last_modified=told["LastModified"].astimezone(UTC).isoformat(timespec="seconds"),
        version_id=told.get("VersionId", ""),
        checksums=_checksums(told),
        md5=etag if certain else "",
    )


def _version(version_id: str | None) -> dict[str, str]:
    return {"VersionId": version_id} if version_id else {}


def _checksums(told: dict[str, Any]) -> dict[str, str]:
    found = {
        name.removeprefix("Checksum").lower(): value for name, value in told.items() if name.startswith("Checksum")
    }
    return {name: value for name, value in found.items() if name != "type"}


def _algorithm(found: Head, body: Any) -> str:
    from botocore.httpchecksum import StreamingChecksumBody

    whole = [name for name, value in found.checksums.items() if "-" not in value]
    return whole[0] if whole and isinstance(body, StreamingChecksumBody) else ""


def _check_same(store: Store, wanted: Head, found: Head) -> None:
    for name in ("etag", "size", "version_id", "last_modified"):
        first, second = getattr(wanted, name), getattr(found, name)
        if first != second:
            raise SourceError(
                f"{store.location.name_of(wanted.key)} was replaced while it was being read, or an answer was damaged: "
                f"{name} {first}, then {second}. Run again."
            )


def _chunks(store: Store, wanted: Head, body: Any) -> Iterator[bytes]:
    place, left = store.location.name_of(wanted.key), wanted.size
    with translating(store.location, wanted.key):
        while chunk := body.read(CHUNK):
            left -= len(chunk)
            if left < 0:
                raise SourceError(f"{place} has more than the {wanted.size:,} bytes that were announced. Run again.")
            yield chunk
    if left:
        raise SourceError(f"{place} ended {left:,} bytes short of the {wanted.size:,} that were announced. Run again.")
