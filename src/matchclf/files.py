"""Files that are either whole or absent: written beside the target, synced, renamed."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matchclf.errors import DataError

if TYPE_CHECKING:
    import pandas as pd


_parts: set[Path] = set()


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give a temporary path beside ``target``; it takes the target's name when the block ends well."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    _parts.add(part)
    try:
        yield part
        with part.open("rb") as written:
            os.fsync(written.fileno())
        part.replace(target)
    except OSError as problem:
        raise DataError(f"{target} cannot be written: {problem}.") from problem
    finally:
        part.unlink(missing_ok=True)
        _parts.discard(part)


def discard_parts() -> None:
    """Remove what this process has half written, when it cannot end in the usual way."""
    for part in list(_parts):
        part.unlink(missing_ok=True)


def write_json(value: dict[str, Any], target: Path) -> None:
    """Write readable JSON with sorted keys."""
    with replacing(target) as part:
        part.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def read_json(source: Path) -> dict[str, Any]:
    """Read a JSON object; a DataError names the file when it is not one."""
    try:
        value = json.loads(source.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise DataError(f"{source} is not readable as JSON: {problem}.") from problem
    if not isinstance(value, dict):
        raise DataError(f"{source} holds a JSON {type(value).__name__}; expected an object.")
    return value


def write_parquet(table: pd.DataFrame, target: Path) -> None:
    """Write a table with page checksums: the same table gives the same bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with replacing(target) as part:
        pq.write_table(
            pa.Table.from_pandas(table, preserve_index=False),
            part,
            compression="zstd",
            write_page_checksum=True,
        )


def read_parquet(source: Path, columns: list[str] | None = None) -> pd.DataFrame:
    """Read a table written by ``write_parquet``, verifying its checksums; a DataError names a damaged file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(source, columns=columns, page_checksum_verification=True)
        frame: pd.DataFrame = table.to_pandas()
    except (OSError, pa.ArrowException, ValueError, KeyError, TypeError) as problem:
        raise DataError(f"{source} cannot be read as Parquet: {problem}.") from problem
    return frame


def digest(source: Path, algorithm: str = "md5") -> str:
    """Hex digest of a file's bytes. MD5 is what DVC records; it identifies, it does not protect."""
    with source.open("rb") as stream:
        return hashlib.file_digest(stream, _hasher(algorithm)).hexdigest()


def _hasher(algorithm: str) -> Callable[[], Any]:
    return lambda: hashlib.new(algorithm, usedforsecurity=False)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on a file beside ``path``, so that one process at a time does the work."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
