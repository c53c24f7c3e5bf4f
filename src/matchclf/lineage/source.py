"""The source of the matches as lineage tags tell it: bucket, key, ETag, times. Local files and the built-in league."""

import hashlib
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from matchclf.files import digest
from matchclf.identity import canonical_json


@dataclass(frozen=True)
class Source:
    """Where the matches came from; times are ISO 8601 in UTC."""

    bucket: str
    key: str
    etag: str
    last_modified: str
    ingested_at: str


def local_source(path: Path, files: list[Path], project: Path) -> Source:
    """A file or a folder: the ETag is the MD5 of the content, for a folder the MD5 of its files' names and MD5s."""
    digests = {str(file.relative_to(path) if file != path else file.name): digest(file) for file in files}
    etag = next(iter(digests.values())) if len(files) == 1 else _md5(canonical_json(digests))
    changed = max(file.stat().st_mtime for file in files)
    return Source("file", os.path.relpath(path, project), etag, _utc(changed), now())


def synthetic_source(settings: dict[str, object]) -> Source:
    """The built-in league: its settings are the key; it has existed since it was asked for."""
    key = ",".join(f"{name}={value}" for name, value in sorted(settings.items()))
    made = now()
    return Source("synthetic", key, _md5(canonical_json(settings)), made, made)


def now() -> str:
    """The present moment as ISO 8601 in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _utc(timestamp: float) -> str:
    return datetime.fromtimestamp(timestamp, UTC).isoformat(timespec="seconds")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
