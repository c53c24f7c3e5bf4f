"""Where a report is written, and how it gets into a run."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from pathlib import Path

from matchclf import paths
from matchclf.files import replacing
from matchclf.reports.page import Page
from matchclf.reports.render import to_csv, to_html, to_markdown
from matchclf.tracking.record import keep_text
from matchclf.tracking.runs import Run

log = logging.getLogger(__name__)
ARTIFACT = "report/report.html"


def write_report(page: Page) -> Path:
    """Write a page to its folder below data/reports: report.html, report.md and one CSV a table."""
    folder = paths.REPORTS / re.sub(r"[^\w.=-]+", "-", page.name).strip(".")
    texts = {"report.md": to_markdown(page), **{f"{table.name}.csv": to_csv(table) for table in page.tables()}}
    for name, text in {**texts, "report.html": to_html(page)}.items():
        with replacing(folder / name) as part:
            part.write_text(text, encoding="utf-8")
    log.info("written    %s, and the same as Markdown and CSV beside it", folder / "report.html")
    return folder / "report.html"


def keep_report(page: Page, runs: Iterable[Run]) -> None:
    """Store a page as an artifact of runs, where the MLflow UI shows it."""
    keep_text(runs, to_html(page), ARTIFACT)
