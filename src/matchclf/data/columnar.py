"""Parquet files that others wrote: bounded before anything is read, damage told in a sentence."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from matchclf.data.delimited import Cells
from matchclf.errors import DataError
from matchclf.files import check_footer

CELLS = (
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_decimal,
    pa.types.is_boolean,
    pa.types.is_date,
    pa.types.is_timestamp,
    pa.types.is_null,
)


def read_columnar(path: Path, choose: Callable[[list[str]], list[str]]) -> Cells:
    """Read the columns that ``choose`` takes from the schema; texts stay dictionaries, so repeats cost nothing.

    Raises DataError, without the name of the file, when it is too large, empty or damaged.
    """
    try:
        with pq.ParquetFile(path) as file:
            check_footer(file)
            schema = file.schema_arrow
            if not file.metadata.num_rows:
                raise DataError("has no rows.")
        names = choose(schema.names)
        _check_types(schema, names)
        words = [name for name in names if _is_text(schema.field(name).type)]
        with pq.ParquetFile(path, read_dictionary=words, page_checksum_verification=True) as file:
            table = file.read(columns=names)
        table.validate(full=True)
    except (OSError, ValueError, pa.ArrowException) as problem:
        raise DataError(f"is not readable as Parquet, or is damaged: {problem}.") from problem
    return Cells(schema.names, table, np.arange(1, table.num_rows + 1), [])


def _check_types(schema: pa.Schema, names: list[str]) -> None:
    for name in names:
        kind = schema.field(name).type
        cell = kind.value_type if pa.types.is_dictionary(kind) else kind
        if not (_is_text(cell) or any(allowed(cell) for allowed in CELLS)):
            raise DataError(f"has a column {name} of type {kind}; expected text, numbers, dates or flags.")


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
