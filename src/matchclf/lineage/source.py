"""The source of the matches as lineage tags tell it: bucket, key, ETag, times. Local files and the built-in league."""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from matchclf.files import digest_once
from matchclf.identity import canonical_json


@dataclass(frozen=True)
class Source:
    """Where the matches came from; times are ISO 8601 in UTC, ``md5`` is of the content wherever it lies."""

    bucket: str
    key: str
    etag: str
    last_modified: str
    ingested_at: str
    md5: str
    version_id: str = ""


def local_source(path: Path, files: list[Path], project: Path) -> Source:
    """A file or a folder: the ETag is the MD5 of the content, for a folder the MD5 of its files' names and MD5s."""
    md5 = _together({str(file.relative_to(path) if file != path else file.name): digest_once(file) for file in files})
    changed = max(file.stat().st_mtime for file in files)
    return Source("file", os.path.relpath(path, project), md5, _utc(changed), now(), md5)


def s3_source(bucket: str, key: str, objects: Sequence[Any]) -> Source:
    """Objects of a bucket by their sidecars; the ETag of several is the MD5 of their names and ETags."""
    names = [one.key.removeprefix(key) or one.key for one in objects]
    etag, md5 = (
        _together({name: getattr(one, part) for name, one in zip(names, objects, strict=True)})
        for part in ("etag", "md5")
    )
    modified, ingested = (max(getattr(one, part) for one in objects) for part in ("last_modified", "ingested_at"))
    version = objects[0].version_id if len(objects) == 1 else ""
    return Source(bucket, key, etag, modified, ingested, md5, version)


def synthetic_source(settings: dict[str, object]) -> Source:
    """The built-in league: its settings are the key; it has existed since it was asked for."""
    key = ",".join(f"{name}={value}" for name, value in sorted(settings.items()))
    made = now()
    md5 = _md5(canonical_json(settings))
    return Source("synthetic", key, md5, made, made, md5)


def now() -> str:
    """The present moment as ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _utc(timestamp: float) -> str:
    return datetime.fromtimestamp(timestamp, UTC).isoformat(timespec="seconds")


def _together(digests: dict[str, str]) -> str:
    return next(iter(digests.values())) if len(digests) == 1 else _md5(canonical_json(digests))


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
