"""The note beside each downloaded file: which version of which object it is. Trusted only where the bytes match."""

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from matchclf.data.s3.content import chunks_of, hashes
from matchclf.data.s3.location import SIDECAR
from matchclf.errors import DataError, SourceError
from matchclf.files import read_json
from matchclf.identity import short_hash

# Of the note itself: a damaged ETag would name another object.
CHECKSUM = "checksum"
AGAIN = "Run with data=s3 again to download it anew"


@dataclass(frozen=True)
class Sidecar:
    """Where a file came from and what it holds.

    ``size`` in bytes; ``last_modified`` and ``ingested_at`` as ISO 8601 in UTC; ``version_id`` empty without versions;
    ``sha256`` and ``md5`` of the bytes as they arrived; ``compared`` tells what the content was compared with.
    """

    bucket: str
    key: str
    etag: str
    size: int
    last_modified: str
    version_id: str
    sha256: str
    md5: str
    ingested_at: str
    compared: str


def sidecar_path(path: Path) -> Path:
    """Where the sidecar of a data file lies."""
    return path.with_name(path.name + SIDECAR)


def write_sidecar(sidecar: Sidecar, note: Path) -> None:
    """Write a sidecar as readable JSON."""
    values = asdict(sidecar)
    text = json.dumps(values | {CHECKSUM: short_hash(values)}, indent=2, sort_keys=True)
    note.write_text(text + "\n", encoding="utf-8")


def read_sidecar(path: Path) -> Sidecar:
    """The sidecar of a data file, as it stands; raises SourceError when there is none that can be read."""
    note = sidecar_path(path)
    if not note.is_file():
        raise SourceError(f"{path} has no {note.name} beside it, so its origin is not known. {AGAIN}.")
    expected = {field.name: field.type for field in fields(Sidecar)}
    try:
        found = read_json(note)
    except (DataError, RecursionError):
        found = {}
    values = {name: value for name, value in found.items() if name != CHECKSUM}
    if {name: type(value) for name, value in values.items()} != expected or found.get(CHECKSUM) != short_hash(values):
        names = ", ".join([*expected, CHECKSUM])
        raise SourceError(f"{note} is damaged or was edited; expected an object with {names}. {AGAIN}.")
    return Sidecar(**values)


def verify(path: Path) -> Sidecar:
    """The sidecar of a data file whose bytes are those it tells of; raises SourceError when they are not."""
    known = read_sidecar(path)
    if not path.is_file():
        raise SourceError(f"{path} is missing, though {sidecar_path(path).name} tells of it. {AGAIN}.")
    if path.stat().st_size != known.size or hashes(chunks_of(path)) != (known.sha256, known.md5, known.size):
        raise SourceError(f"{path} is not the file that {sidecar_path(path).name} tells of. {AGAIN}.")
    return known
