"""Facts of the matches that several families ask for, found once for all of them."""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, TypeVar

import numpy as np
import pandas as pd

T = TypeVar("T")
# The matches that are shared at this moment, and what was found about them.
_shared: ContextVar[tuple[pd.DataFrame, dict[Hashable, Any]] | None] = ContextVar("shared", default=None)


@contextmanager
def sharing(matches: pd.DataFrame) -> Iterator[None]:
    """Within it a fact of these very matches, which nobody may change, is found when it is first asked for."""
    before = _shared.set((matches, {}))
    try:
        yield
    finally:
        _shared.reset(before)


def once(find: Callable[..., T]) -> Callable[..., T]:
    """Share what this function finds about matches; arrays become read-only, as they are everybody's."""

    @wraps(find)
    def found(matches: pd.DataFrame, *asked: Hashable) -> T:
        shared, known = _shared.get() or (None, {})
        if shared is not matches:
            return find(matches, *asked)
        if (find, asked) not in known:
            known[find, asked] = fact = find(matches, *asked)
            if isinstance(fact, np.ndarray):
                fact.flags.writeable = False
        return known[find, asked]  # type: ignore[no-any-return]

    return found
