"""The report on two runs: everything in which they differ."""

from __future__ import annotations

from collections.abc import Sequence

from matchclf.reports.facts import made, runs_section
from matchclf.reports.page import SHORT_ID, Column, Page, Section, Table
from matchclf.tracking.search import StoredRun
from matchclf.tracking.store import Store


def difference_page(store: Store, runs: Sequence[StoredRun], rows: Sequence[Sequence[str]]) -> Page:
    """The whole report; ``rows`` have the part, what differs in it, and its value in both runs."""
    names = [f"{run.info.run_name} ({run.info.run_id[:SHORT_ID]})" for run in runs]
    columns = tuple(Column(name) for name in ("part", "what", *names))
    table = Table("differences", "All that differs, part by part", columns, tuple(map(tuple, rows)))
    same = "They are the same in settings, data, code, environment, steps and scores."
    text = f"{len(rows)} values differ." if rows else same
    facts = (("First run", f"{names[0]}, {runs[0].info.run_id}"), ("Second run", f"{names[1]}, {runs[1].info.run_id}"))
    return Page(
        f"diff-{'-'.join(run.info.run_id[:SHORT_ID] for run in runs)}",
        "What differs between two runs",
        (*facts, *made(store)),
        (Section("Differences", (text,), (table,) if rows else ()), runs_section(runs)),
    )
