"""Cells of a file turned into names, days, numbers and flags; each distinct cell is read once."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

Array = np.ndarray[Any, np.dtype[Any]]
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_FLAGS = {"true": 1.0, "yes": 1.0, "1": 1.0, "false": 0.0, "no": 0.0, "0": 0.0}

LONGEST = 200
_WINDOWS = {code: bytes([code]).decode("cp1252", "ignore") for code in range(0x80, 0xA0)}


def clean(text: str) -> str:
    r"""One spelling for what looks the same: NFC, no invisible characters, single plain spaces, none at the ends.

    Windows-1252 punctuation that was once read as Latin-1 gets its sign back.

    >>> clean(" Bayern\u00a0 Mu\u0308nchen\u200b")
    'Bayern München'
    """
    if not text.isascii():
        signs = text.translate(_WINDOWS)
        text = unicodedata.normalize("NFC", "".join(sign for sign in signs if unicodedata.category(sign) != "Cf"))
    return " ".join(text.split())


def texts(column: Any, missing: Sequence[str]) -> tuple[Any, Array]:
    """Clean texts, empty where the cell is empty, null or one of ``missing``; and where a text is too long."""
    values = _each(column, missing, lambda text: text if len(text) <= LONGEST else None, "")
    wrong: Array = pd.isna(values)
    return pd.Series(np.where(wrong, "", values), dtype="str"), wrong


def numbers(column: Any, missing: Sequence[str]) -> tuple[Array, Array]:
    """Numbers as float64, NaN where missing; and where a cell holds something else than a finite number."""
    kind = column.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        values = column.cast(pa.float64(), safe=False).to_numpy()
    else:
        values = _each(column, missing, _number, np.nan).astype("float64")
    wrong = np.isinf(values)
    return np.where(wrong, np.nan, values), wrong


def days(column: Any, missing: Sequence[str], formats: Sequence[str]) -> tuple[Array, Array]:
    """Days as datetime64[s]; and where a cell is not a day, or is another day in another of the formats.

    Columns of dates or timestamps are taken as they are, without the time of day. Nothing is guessed:
    texts and whole numbers must match a format entirely.
    """
    kind = column.type
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        local = pc.local_timestamp(column) if getattr(kind, "tz", None) else column
        values = local.to_numpy().astype("datetime64[D]")
    else:
        values = _each(column, missing, lambda text: _day(text, formats), np.datetime64("NaT", "D"))
        values = values.astype("datetime64[D]")
    return values.astype("datetime64[s]"), np.isnat(values)


def flags(column: Any, missing: Sequence[str]) -> tuple[Array, Array]:
    """Booleans, false where unknown; and where a cell is neither true, yes, 1 nor false, no, 0."""
    values = _each(column, missing, lambda text: _FLAGS.get(text.casefold(), np.nan), np.nan).astype("float64")
    return values == 1.0, np.isnan(values)


def shown(column: Any, mask: Array) -> list[str]:
    """The cells where ``mask`` holds, as a person sees them in the file, long ones cut."""
    codes, words = _distinct(column)
    short = [*((word or "")[:LONGEST] for word in words), ""]
    return [short[code] for code in codes[mask]]


def _each(column: Any, missing: Sequence[str], parse: Callable[[str], Any], empty: Any) -> Array:
    codes, words = _distinct(column)
    none = {"", *missing}
    cleaned = [clean(word) if word is not None else "" for word in words]
    parsed = np.empty(len(words) + 1, dtype=object)
    parsed[:] = [empty if word in none else parse(word) for word in cleaned] + [empty]
    return parsed[codes]


def _distinct(column: Any) -> tuple[Array, list[str | None]]:
    """Codes of the cells, -1 for null, and the distinct cells they stand for."""
    if pa.types.is_dictionary(column.type):
        encoded = column.unify_dictionaries().combine_chunks()
    else:
        encoded = column.cast(pa.large_string()).dictionary_encode().combine_chunks()
    words = encoded.dictionary.cast(pa.large_string()).to_pylist()
    return encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False), words


def _number(text: str) -> float:
    return float(text) if _NUMBER.fullmatch(text) else np.inf


def _day(text: str, formats: Sequence[str]) -> np.datetime64:
    found = {day for form in formats if (day := _parsed(text, form)) is not None}
    return np.datetime64(found.pop() if len(found) == 1 else "NaT", "D")


def _parsed(text: str, form: str) -> Any:
    try:
        return datetime.strptime(text, form).date() if text.isascii() else None
    except ValueError:
        return None
