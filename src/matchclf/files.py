"""Files that are either whole or absent: written beside the target, synced, renamed."""

from __future__ import annotations

import base64
import fcntl
import glob
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matchclf.errors import DataError

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

# A file of matches or of ours is far below; what says it is larger would only fill the memory.
MAX_ROWS, MAX_COLUMNS, MAX_BYTES, MAX_JSON_BYTES = 2_000_000, 2_000, 4 << 30, 64 << 20
LONGEST_WRITE_SECONDS = 3600
_parts: set[Path] = set()


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give a temporary path beside ``target``; it takes the target's name when the block ends well."""
    target.parent.mkdir(parents=True, exist_ok=True)
    _discard_old_parts(target)
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


def _discard_old_parts(target: Path) -> None:
    # Who is killed hard leaves a part; one that is written at this moment is young.
    for part in target.parent.glob(f".{glob.escape(target.name)}.*.part"):
        with suppress(FileNotFoundError):
            if part not in _parts and time.time() - part.stat().st_mtime > LONGEST_WRITE_SECONDS:
                part.unlink()


def write_json(value: dict[str, Any], target: Path) -> None:
    """Write readable JSON with sorted keys."""
    with replacing(target) as part:
        part.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def read_json(source: Path) -> dict[str, Any]:
    """Read a JSON object; a DataError names the file when it is not one."""
    try:
        check_bound(source.stat().st_size, MAX_JSON_BYTES, "bytes")
        value = json.loads(source.read_text(encoding="utf-8"))
    except DataError as problem:
        raise DataError(f"{source} {problem}") from problem
    except (OSError, ValueError, RecursionError) as problem:
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
    return to_frame(read_arrow(source, columns), source)


def read_arrow(source: Path, columns: list[str] | None = None) -> pa.Table:
    """The same as Arrow's table, which takes columns of another one without a copy."""
    import pyarrow.parquet as pq

    with readable(source):
        with pq.ParquetFile(source, page_checksum_verification=True) as file:
            check_footer(file)
            table = file.read(columns=columns)
        table.validate(full=True)
        return table.select(columns or table.column_names)


def to_frame(table: pa.Table, source: Path) -> pd.DataFrame:
    """Arrow's table, read from that file, as a frame."""
    with readable(source):
        # What pandas noted in the footer is under no checksum, and the types say it all.
        frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
        return frame


@contextmanager
def readable(source: Path) -> Iterator[None]:
    """Tell what keeps a file from being read as Parquet as a DataError that names it."""
    import pyarrow as pa

    try:
        yield
    except DataError as problem:
        raise DataError(f"{source} {problem}") from problem
    except (OSError, pa.ArrowException, ValueError, KeyError, TypeError) as problem:
        raise DataError(f"{source} cannot be read as Parquet: {problem}.") from problem


def check_footer(file: pq.ParquetFile) -> None:
    """Raise DataError, without the name of the file, when its footer tells of too much, or contradicts itself.

    Page checksums do not cover the footer, but Arrow writes the names of the columns into it twice.
    """
    import pyarrow as pa

    groups = [file.metadata.row_group(number) for number in range(file.metadata.num_row_groups)]
    check_bound(file.metadata.num_rows, MAX_ROWS, "rows")
    check_bound(file.metadata.num_columns, MAX_COLUMNS, "columns")
    check_bound(sum(group.total_byte_size for group in groups), MAX_BYTES, "uncompressed bytes")
    twice = (file.metadata.metadata or {}).get(b"ARROW:schema")
    if twice is not None:
        names = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(twice, validate=True))).names
        differing = [
            f"{one} and {other}" for one, other in zip(file.schema_arrow.names, names, strict=True) if one != other
        ]
        if differing:
            raise DataError(f"is damaged: the same columns are named {', '.join(differing[:3])}.")


def check_bound(found: int, bound: int, unit: str) -> None:
    """Raise DataError, without the name of the file, when it has more than is plausible."""
    if found > bound:
        raise DataError(f"has {found:,} {unit}; expected at most {bound:,}.")


def version(source: Path) -> tuple[str, int, int, int]:
    """What tells a file from the one that was there before: whoever replaces it writes another and renames that."""
    found = source.stat()
    return str(source.resolve()), found.st_ino, found.st_mtime_ns, found.st_size


def digest(source: Path, algorithm: str = "md5") -> str:
    """Hex digest of a file's bytes. MD5 is what DVC records; it identifies, it does not protect."""
    with source.open("rb") as stream:
        return hashlib.file_digest(stream, _hasher(algorithm)).hexdigest()


def digest_once(source: Path) -> str:
    """The MD5 of a file, taken once a process of each version: jobs of a sweep look at the same files."""
    return _digest_of(version(source))


@lru_cache(maxsize=1024)
def _digest_of(found: tuple[str, int, int, int]) -> str:
    return digest(Path(found[0]))


def _hasher(algorithm: str) -> Callable[[], Any]:
    return lambda: hashlib.new(algorithm, usedforsecurity=False)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on a file beside ``path``, so that one process at a time does the work."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.with_name(f".{path.name}.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
