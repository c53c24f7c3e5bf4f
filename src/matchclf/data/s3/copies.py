"""Copies of objects on disk: kept when they are this very version and whole, else downloaded beside and renamed."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from matchclf.data.s3.connect import Store
from matchclf.data.s3.content import check_content, hashes
from matchclf.data.s3.location import Location
from matchclf.data.s3.objects import Head, opened
from matchclf.data.s3.sidecar import Sidecar, read_sidecar, sidecar_path, verify, write_sidecar
from matchclf.errors import SourceError
from matchclf.files import replacing
from matchclf.lineage.source import now

Advance = Callable[[int], None]


def keep(location: Location, target: Path, wanted: Head) -> Sidecar | None:
    """The sidecar of the copy on disk, None where that is missing, damaged or of another version."""
    path = location.path_of(wanted.key, target)
    try:
        found = read_sidecar(path)
        same = (found.bucket, found.key, found.etag, found.size, found.version_id)
        if same != (location.bucket, wanted.key, wanted.etag, wanted.size, wanted.version_id):
            return None
        verify(path)
    except SourceError:
        return None
    # The same content may have been uploaded again.
    current = replace(found, last_modified=wanted.last_modified)
    if current != found:
        with replacing(sidecar_path(path)) as note:
            write_sidecar(current, note)
    return current


def save(store: Store, target: Path, advance: Advance, wanted: Head) -> Sidecar:
    """Download one object; raises SourceError when it does not come whole, and leaves what was there before."""
    path = store.location.path_of(wanted.key, target)
    # The sidecar is on disk before the file gets its name, and gets its own right after: no full disk comes between.
    with replacing(sidecar_path(path)) as note, replacing(path) as part:
        with opened(store, wanted) as answer, part.open("wb") as out:
            sha256, md5, size = hashes(_written(answer.chunks, out, advance))
        compared = ["length", *filter(None, [answer.checksum]), *check_content(store, answer.head, part, md5)]
        sidecar = Sidecar(
            bucket=store.location.bucket,
            key=wanted.key,
            etag=wanted.etag,
            size=size,
            last_modified=wanted.last_modified,
            version_id=wanted.version_id,
            sha256=sha256,
            md5=md5,
            ingested_at=now(),
            compared=", ".join(compared),
        )
        write_sidecar(sidecar, note)
    return sidecar


def _written(chunks: Iterable[bytes], out: BinaryIO, advance: Advance) -> Iterator[bytes]:
    for chunk in chunks:
        out.write(chunk)
        advance(len(chunk))
        yield chunk
