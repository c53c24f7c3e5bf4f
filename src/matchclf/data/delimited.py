"""CSV files as they come: any of the usual encodings and line ends, empty, short and long rows."""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from matchclf.data.cells import Array, clean
from matchclf.errors import DataError
from matchclf.files import MAX_COLUMNS, MAX_ROWS, check_bound

MAX_TEXT_BYTES = 1 << 30
CHUNK = 20_000
Oddities = list[tuple[int, str, str]]


@dataclass(frozen=True)
class Cells:
    """Columns of one file, named as in its header, with the row of each match as a person counts it.

    ``oddities`` are rows that do not fit the header: position of the match, kind and cells of each.
    """

    header: list[str]
    table: pa.Table
    rows: Array
    oddities: Oddities


def read_delimited(path: Path, choose: Callable[[list[str]], list[str]]) -> Cells:
    """Read the columns that ``choose`` takes from the header, as texts; rows without any text are left out.

    Raises DataError, without the name of the file, when it is too large, empty or not a CSV file.
    """
    check_bound(path.stat().st_size, MAX_TEXT_BYTES, "bytes")
    content = path.read_bytes()
    stream = io.TextIOWrapper(io.BytesIO(content), encoding=_encoding(content), newline="")
    reader = csv.reader(stream, strict=True)
    try:
        header = [clean(cell) for cell in next(reader, [])]
        if not any(header):
            raise DataError("has no header in its first line; expected the names of the columns.")
        check_bound(len(header), MAX_COLUMNS, "columns")
        names = choose(header)
        table, lines, oddities = _collected(_rows(reader, header, names), names)
        return Cells(header, table, lines, oddities)
    except csv.Error as problem:
        raise DataError(f"is not readable as CSV in line {reader.line_num}: {problem}.") from problem


def _rows(reader: Any, header: list[str], names: list[str]) -> Iterator[tuple[Any, ...]]:
    """First line, oddity (or None) and the cells of ``names``, for each row that holds any text."""
    pick = itemgetter(*(header.index(name) for name in names), 0)
    line = reader.line_num
    for cells in reader:
        first, line = line + 1, reader.line_num
        if not "".join(cells).strip():
            continue
        if len(cells) == len(header) and line == first:
            yield (first, None, *pick(cells)[:-1])
        else:
            padded = cells + [""] * (len(header) - len(cells))
            yield (first, _oddity(cells, header, line - first), *pick(padded)[:-1])


def _oddity(cells: list[str], header: list[str], breaks: int) -> tuple[str, str] | None:
    extra = [cell for cell in cells[len(header) :] if cell.strip()]
    lacking = [name for name in header[len(cells) :] if name]
    if extra:
        return "extra_cells", ",".join(extra)
    if lacking:
        return "missing_cells", ",".join(lacking)
    return ("line_break", next(cell for cell in cells if set(cell) & set("\r\n"))) if breaks else None


def _collected(rows: Iterator[tuple[Any, ...]], names: list[str]) -> tuple[pa.Table, Array, Oddities]:
    lines: list[int] = []
    oddities: Oddities = []
    tables = []
    while chunk := list(islice(rows, CHUNK)):
        first, odd, *columns = zip(*chunk, strict=True)
        oddities += [(len(lines) + at, *found) for at, found in enumerate(odd) if found]
        lines += first
        check_bound(len(lines), MAX_ROWS, "rows")
        tables.append(pa.table([pa.array(column) for column in columns], names=names))
    if not tables:
        raise DataError("has a header but no rows.")
    return pa.concat_tables(tables), np.array(lines), oddities


def _encoding(content: bytes) -> str:
    if not content.strip():
        raise DataError("is empty.")
    if b"\0" in content:
        raise DataError("holds zero bytes; expected text in UTF-8, Windows-1252 or Latin-1.")
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        # Windows-1252 leaves five bytes undefined; what it has beyond Latin-1, clean() gives back.
        return "latin-1"
    return "utf-8-sig"
