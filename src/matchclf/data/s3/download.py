"""Bucket -> files: exactly the versions that the server told of, each whole and with its sidecar."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from matchclf.console import step
from matchclf.data.s3 import tidy
from matchclf.data.s3.bars import transfer
from matchclf.data.s3.connect import WORKERS, Store, connect
from matchclf.data.s3.copies import keep, save
from matchclf.data.s3.listing import list_keys
from matchclf.data.s3.location import Location
from matchclf.data.s3.objects import Head, head
from matchclf.data.s3.sidecar import Sidecar
from matchclf.errors import ConfigError, DataError, SourceError
from matchclf.files import locked

MAX_BYTES = 20 * 10**9


def fetch(
    location: Location, target: Path, *, expected_etag: str | None = None, page_size: int = 1000
) -> list[Sidecar]:
    """Bring the objects of a location to ``target/BUCKET/KEY`` and tell of them in the order of their keys.

    What is there already and unchanged stays. Of a folder, files whose objects are gone are removed at the end.
    Raises ConfigError for names that cannot be right, SourceError for what goes wrong with the server or with what it
    sends, DataError when files cannot be written. Every file is then whole: the one from before or the new one.
    """
    if expected_etag and location.is_prefix:
        raise ConfigError(f"{location} is a folder, which has no ETag; expected a key that names one object.")
    folder = target / location.bucket
    with _told(folder), locked(folder), connect(location) as store, step("download") as found:
        tidy.remove_parts(folder)
        keys = list_keys(store, page_size) if location.is_prefix else [location.key]
        outdated = tidy.outdated(location, target, keys) if location.is_prefix else []
        sidecars, fresh = _bring(store, target, keys, expected_etag)
        tidy.remove(outdated)
        found.append(f"{fresh:,} of {len(keys):,} objects from {location}, the others unchanged")
    return sidecars


def _bring(store: Store, target: Path, keys: list[str], expected_etag: str | None) -> tuple[list[Sidecar], int]:
    """Sidecars of all keys, and how many objects were downloaded."""
    location = store.location
    with ThreadPoolExecutor(WORKERS) as pool:
        heads = list(pool.map(partial(head, store), keys))
        _check_expected(location, heads[0], expected_etag)
        kept = list(pool.map(partial(keep, location, target), heads))
        missing = [one for one, known in zip(heads, kept, strict=True) if known is None]
        _check_size(location, heads, missing, target)
        with transfer(str(location), sum(one.size for one in missing)) as advance:
            saved = pool.map(partial(save, store, target, advance), missing)
            return [known or next(saved) for known in kept], len(missing)


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        raise DataError(f"The files in {folder} cannot be read or written: {problem}.") from problem


def _check_expected(location: Location, found: Head, expected: str | None) -> None:
    if expected and found.etag != expected.strip('"'):
        raise SourceError(
            f"{location} is another object by now: its ETag is {found.etag}, expected {expected}. "
            "Name the version that is meant, if the bucket keeps versions."
        )


def _check_size(location: Location, heads: list[Head], missing: list[Head], target: Path) -> None:
    total, wanted = sum(one.size for one in heads), sum(one.size for one in missing)
    if total > MAX_BYTES:
        raise SourceError(f"{location} has {total:,} bytes; expected at most {MAX_BYTES:,}. Name a smaller part of it.")
    free = shutil.disk_usage(target).free
    if wanted > free:
        raise DataError(f"{location}: {wanted:,} bytes are to be written to {target}, where only {free:,} are free.")
