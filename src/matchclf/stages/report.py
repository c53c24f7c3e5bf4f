"""Show what is recorded: an ablation, a sweep, a model, the registry, or what is different between two runs."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from typing import Any

from matchclf import paths
from matchclf.config import Config
from matchclf.config.rules import one_of
from matchclf.console import table
from matchclf.errors import ConfigError
from matchclf.files import read_json
from matchclf.reports.files import write_report
from matchclf.reports.final_runs import Final, read_final
from matchclf.reports.model import model_page
from matchclf.reports.page import Page
from matchclf.reports.registry import VERSIONS, registry_page, version_row
from matchclf.reports.search import sweep_page
from matchclf.reports.sweep_runs import read_sweep
from matchclf.stages.ablation_report import show_ablation
from matchclf.stages.difference import show_difference
from matchclf.tracking.decisions import history
from matchclf.tracking.registry import Registered
from matchclf.tracking.store import open_store

log = logging.getLogger(__name__)


def run(config: Config) -> dict[str, Any]:
    """Show the report that ``config.what`` names, and write it as HTML, Markdown and CSV."""
    one_of("what", config.what, tuple(REPORTS))
    told, page = REPORTS[config.what](config)
    log.info("%s", told)
    return {"written": str(write_report(page))}


def show_registry(config: Config) -> tuple[str, Page]:
    """Versions with their scores on the holdout, then the decisions, oldest first."""
    store = open_store(config.tracking, config.experiment_name, Path.cwd())
    registered = Registered(store, config.registry.model_name)
    rows = [version_row(registered, one) for one in registered.versions()]
    known = history(registered)
    page = registry_page(registered, rows, known)
    if not rows:
        return f"{registered.name} has no version yet; stage=register makes one from a final run.", page
    decisions = "\n".join(line for one in known for line in _decision(one))
    versions = table([column.name for column in VERSIONS], map(_version, rows))
    return f"{registered.name}\n{versions}\n\nDecisions, the first one first\n{decisions}", page


def show_sweep(config: Config) -> tuple[str, Page]:
    """The trials of a search, or the scores of the jobs of a sweep: of ``config.sweep``, else of the latest."""
    store = open_store(config.tracking, config.experiment_name, Path.cwd())
    page = sweep_page(read_sweep(store, config.sweep))
    return _first_tables(page, ("best", "trials", "scores")), page


def show_model(config: Config) -> tuple[str, Page]:
    """The model card of ``config.run_id``, else of the last final run."""
    store = open_store(config.tracking, config.experiment_name, Path.cwd())
    run_id = config.run_id or (read_json(paths.FINAL_RUN_ID)["run_id"] if paths.FINAL_RUN_ID.is_file() else None)
    if run_id is None:
        raise ConfigError(f"There is no {paths.FINAL_RUN_ID}; give run_id=RUN, or run stage=final_train first.")
    page = card(config, read_final(store, run_id))
    return _first_tables(page, ("scores", "against")), page


def card(config: Config, final: Final) -> Page:
    """The model card of a final run, with the versions that were made from it."""
    versions = Registered(final.store, config.registry.model_name).versions()
    made = {one.version: ", ".join(sorted(one.aliases)) for one in versions if one.run_id == final.run.info.run_id}
    return model_page(final, made)


def _first_tables(page: Page, names: tuple[str, ...]) -> str:
    found = [one for one in page.tables() if one.name in names]
    told = [
        f"{one.title}\n{table([c.name for c in one.columns], [_cells(one.columns, row) for row in one.rows])}"
        for one in found
    ]
    return "\n\n".join([page.title, *told])


def _cells(columns: tuple[Any, ...], row: tuple[Any, ...]) -> list[str]:
    return [column.told(value) for column, value in zip(columns, row, strict=True)]


def _version(row: tuple[Any, ...]) -> list[str]:
    number, aliases, model, *scores, data, params, run_id = row
    if run_id is None:  # made by hand
        return [str(number), aliases, *[""] * 6, "none"]
    told = [f"{math.nan if score is None else score:.4f}" for score in scores]
    return [str(number), aliases, model, *told, data, params, run_id]


def _decision(one: dict[str, Any]) -> list[str]:
    instead = "" if one["before"] is None else f", before it version {one['before']}"
    what = f"{one['alias']}: version {one['version']} {one['verdict']}{instead}"
    return [f"{one['number']:4d}  {one['when']}  {one['who']}  {what}", *(f"      {why}" for why in one["grounds"])]


REPORTS = {
    "ablation": show_ablation,
    "sweep": show_sweep,
    "model": show_model,
    "registry": show_registry,
    "diff": show_difference,
}
