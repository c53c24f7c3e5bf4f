"""The report on the registered model: its versions with their scores on the holdout, and the decisions on them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matchclf.reports.facts import made, runs_section
from matchclf.reports.page import RUN, Column, Page, Section, Table
from matchclf.tracking.registry import Registered
from matchclf.tracking.search import StoredRun

VERSIONS = (
    Column("version", "d"),
    Column("aliases"),
    Column("model"),
    Column("log-loss", ".4f"),
    Column("Brier", ".4f"),
    Column("ECE", ".4f"),
    Column("data"),
    Column("params"),
    Column("run", RUN),
)
DECISIONS = ("number", "when", "who", "alias", "version", "verdict", "before", "grounds")


def version_row(registered: Registered, version: Any) -> tuple[Any, ...]:
    """Number, aliases, model, scores on the holdout, hashes and run of a version; None where it was made by hand."""
    aliases = ", ".join(sorted(version.aliases))
    if not version.run_id:
        return (int(version.version), aliases, *[None] * 6, None)
    run = registered.store.client.get_run(version.run_id).data
    scores = [run.metrics.get(f"final.{name}") for name in ("logloss", "brier", "ece")]
    hashes = [run.tags.get(name, "")[:8] for name in ("data.hash", "pipeline.params_hash")]
    return (int(version.version), aliases, run.params.get("model.name", ""), *scores, *hashes, version.run_id)


def registry_page(registered: Registered, rows: list[tuple[Any, ...]], decisions: Sequence[Mapping[str, Any]]) -> Page:
    """The whole report; ``rows`` are those of the versions, oldest first."""
    text = "Scores are those of the holdout. A version made by hand names no run, so nothing is known of its model."
    versions = Table("versions", "Every version, the first one first", VERSIONS, tuple(rows))
    told = Table(
        "decisions",
        "Who gave which alias to which version, and why; the first one first",
        tuple(Column(name, "d" if name in ("number", "version", "before") else "") for name in DECISIONS),
        tuple(_decision(one) for one in decisions),
    )
    none = () if rows else ("There is no version yet; stage=register makes one from a final run.",)
    sections = (Section("Versions", (*none, text), (versions,)), Section("Decisions", (), (told,)))
    facts = (("Registered model", registered.name), *made(registered.store))
    return Page("registry", f"Registry of {registered.name}", facts, (*sections, runs_section(_runs(registered, rows))))


def _decision(one: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple("; ".join(one[name]) if name == "grounds" else one[name] for name in DECISIONS)


def _runs(registered: Registered, rows: list[tuple[Any, ...]]) -> list[StoredRun]:
    return [registered.store.client.get_run(row[-1]) for row in rows if row[-1]]
