"""Work inside child runs: a failure ends its child with the reason and leaves the others alone."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from matchclf.errors import TrackingError
from matchclf.tracking import runs
from matchclf.tracking.runs import Run

log = logging.getLogger(__name__)
T = TypeVar("T")


@contextmanager
def child_run(parent: Run, name: str, tags: Mapping[str, str]) -> Iterator[Run]:
    """A child run around a block; an exception in it ends this run as FAILED and is raised again."""
    run = runs.start(parent.store, name, tags, parent)
    try:
        yield run
    except (Exception, SystemExit) as problem:
        log.debug("%s stopped.", name, exc_info=True)
        if runs.is_store_problem(problem):
            raise TrackingError(f"The tracking store {parent.store.uri} stopped answering: {problem}.") from problem
        log.error("%s failed: %s", name, problem)
        runs.finish(run, runs.FAILED, runs.reason(problem))
        raise
    else:
        runs.finish(run)


def attempt(work: Callable[..., T], *arguments: Any) -> T | None:
    """The result of the work, or None when it failed and its child run says why; a store that is gone is raised."""
    try:
        return work(*arguments)
    except TrackingError:
        raise
    except Exception:
        return None
