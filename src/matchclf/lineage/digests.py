"""Digests of what an experiment went through, step by step, so that two runs can be held against each other."""

import hashlib
from typing import Any

import numpy as np
import pandas as pd

LENGTH = 16


def table_digest(table: pd.DataFrame) -> str:
    """First 16 hex digits of a SHA-256 over the names, types and values of all columns, in their order."""
    whole = hashlib.sha256()
    for name, column in table.items():
        whole.update(f"{name}:{column.dtype}\n".encode())
        whole.update(_bytes(column))
    return whole.hexdigest()[:LENGTH]


def array_digest(values: Any) -> str:
    """First 16 hex digits of a SHA-256 over the shape, the type and the values of an array."""
    array = np.ascontiguousarray(values)
    return hashlib.sha256(f"{array.shape}{array.dtype}".encode() + array.tobytes()).hexdigest()[:LENGTH]


def _bytes(column: pd.Series) -> bytes:
    if isinstance(column.dtype, np.dtype) and column.dtype != object:
        return column.to_numpy().tobytes()
    codes, names = pd.factorize(column)
    return np.asarray(codes).tobytes() + "\0".join(map(str, names)).encode()
