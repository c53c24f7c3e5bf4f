"""Matches -> features -> dataset, splits and folds on disk; done again only when the inputs changed."""

import logging
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from matchclf import folds, paths
from matchclf.config import Config, Temporal
from matchclf.console import step
from matchclf.data.dataset import KEY, assemble
from matchclf.data.sources import Loaded, find_source, load_matches
from matchclf.data.summary import summarise
from matchclf.errors import DataError
from matchclf.features.build import build_features, check_families
from matchclf.files import digest, digest_once, locked, read_json, replacing, write_json, write_parquet
from matchclf.identity import file_hash, identity, short_hash
from matchclf.lineage.digests import table_digest
from matchclf.lineage.source import Source
from matchclf.split import split

log = logging.getLogger(__name__)
PACKAGE = Path(__file__).parents[1]
# Changed code in these places may give other data.
CODE_PARTS = ("data/**/*.py", "features/*.py", "split.py", "folds.py", "files.py", "stages/prepare.py")


@dataclass(frozen=True)
class Prepared:
    """What is on disk: the MD5 of dataset.parquet, where it came from, the feature columns of each family.

    ``digests`` has one entry a step: matches, features of each family, and both parts of the split.
    """

    version: str
    source: Source
    families: dict[str, list[str]]
    digests: dict[str, str]

    def columns(self, use: list[str]) -> list[str]:
        """The feature columns of the named families, in the order of the dataset whatever the order of the names."""
        return [column for family, columns in self.families.items() if family in use for column in columns]

    def steps(self, use: list[str]) -> dict[str, str]:
        """The digests of the matches, the named families and the split, in this order."""
        unused = {f"features.{name}" for name in self.families if name not in use}
        return {name: value for name, value in self.digests.items() if name not in unused}


def run(config: Config) -> dict[str, Any]:
    """Prepare the data and show the summary."""
    prepared = prepare(config)
    log.info("\n%s", paths.SUMMARY.read_text(encoding="utf-8").rstrip())
    return {"data_version": prepared.version, "written": [str(one) for one in (paths.DATASET, paths.TRAIN, paths.TEST)]}


def prepare(config: Config) -> Prepared:
    """The prepared data of this config: what is on disk where its inputs are the same and its bytes whole, else new."""
    check_families(config.features.families)
    with locked(paths.MANIFEST):
        source = find_source(config.data, Path.cwd())
        inputs = _inputs(config, source)
        manifest = _kept(inputs)
        if manifest is None:
            manifest = _make(config, source, inputs)
        else:
            log.info("prepare    kept: data, features, split and code are those of %s", paths.DATASET)
    read = manifest["source"]
    # An object of a bucket has its own note of when it was changed and downloaded.
    if not getattr(config.data, "bucket", None) and (source.bucket, source.key) == (read["bucket"], read["key"]):
        source = replace(source, ingested_at=read["ingested_at"], last_modified=read["last_modified"])
    return Prepared(manifest["files"][str(paths.DATASET)], source, manifest["families"], manifest["digests"])


def check_kept(prepared: Prepared) -> None:
    """Raise DataError when the prepared data was replaced since: what was read in between may be a mixture.

    To be called after reading: whoever replaces the data takes the manifest away first and writes a new one last.
    """
    manifest = read_json(paths.MANIFEST) if paths.MANIFEST.is_file() else {}
    if manifest.get("files", {}).get(str(paths.DATASET)) != prepared.version:
        raise DataError(
            f"{paths.DATASET} was replaced by another process while it was read; run experiments on different data "
            "in different folders, or one after the other."
        )


def _inputs(config: Config, source: Source) -> str:
    code = {str(path.relative_to(PACKAGE)): file_hash(path.read_bytes()) for path in _code_files()}
    return short_hash(
        {
            "source": source.md5,
            "data": identity(config.data),
            "features": config.features.families,
            "temporal": identity(config.temporal),
            "code": code,
        }
    )


def _code_files() -> list[Path]:
    return sorted(path for pattern in CODE_PARTS for path in PACKAGE.glob(pattern))


def _kept(inputs: str) -> dict[str, Any] | None:
    if not paths.MANIFEST.is_file():
        return None
    try:
        manifest = read_json(paths.MANIFEST)
    except DataError:
        return None
    if manifest.get("inputs") != inputs or not manifest.keys() >= {"files", "source", "families", "digests"}:
        return None
    whole = all(Path(path).is_file() and digest_once(Path(path)) == md5 for path, md5 in manifest["files"].items())
    return manifest if whole else None


def _make(config: Config, source: Source, inputs: str) -> dict[str, Any]:
    paths.MANIFEST.unlink(missing_ok=True)
    with step("matches") as found:
        loaded = load_matches(config.data, Path.cwd())
        found.append(f"{len(loaded.matches):,} played, {len(loaded.upcoming):,} upcoming")
        found.append(f"{len(loaded.findings):,} findings in {paths.FINDINGS}")
    with step("features") as found:
        # By name: the order in which the config has them changes no hash, so it must change no result.
        families = build_features(loaded.matches, dict(sorted(config.features.families.items())))
        columns = {name: list(frame.columns) for name, frame in families.items()}
        found.append(f"{sum(map(len, columns.values()))} columns")
    with step("dataset") as found:
        dataset = assemble(loaded.matches, pd.concat(families.values(), axis=1))
        train, test = split(dataset, config.temporal.test_start)
        files = _write(config.temporal, loaded, (dataset, train, test), columns)
        digests = {"matches": table_digest(loaded.matches)}
        digests |= {f"features.{name}": table_digest(frame) for name, frame in families.items()}
        digests |= {"split.development": table_digest(train[KEY]), "split.holdout": table_digest(test[KEY])}
        found.append(f"{paths.DATASET} and {paths.SPLITS}")
    manifest = {
        "inputs": inputs,
        "files": files,
        "source": asdict(source),
        "families": columns,
        "digests": digests,
    }
    write_json(manifest, paths.MANIFEST)
    return manifest


def _write(
    temporal: Temporal,
    loaded: Loaded,
    parts: tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame],
    columns: dict[str, list[str]],
) -> dict[str, str]:
    dataset, train, test = parts
    walk = folds.describe(train["date"], folds.walk_forward(train["date"], temporal.cv_years))
    tables = {paths.DATASET: dataset, paths.TRAIN: train, paths.TEST: test, paths.FOLDS: walk}
    tables[paths.UPCOMING] = loaded.upcoming
    if loaded.truth is not None:
        tables[paths.TRUTH] = loaded.truth
    paths.TRUTH.unlink(missing_ok=True)
    for path, table in tables.items():
        write_parquet(table, path)
    counts = {name: len(names) for name, names in columns.items()}
    _write_text(summarise(train, test, walk, loaded.findings, counts), paths.SUMMARY)
    _write_text(loaded.findings.to_csv(index=False), paths.FINDINGS)
    return {str(path): digest(path) for path in tables}


def _write_text(text: str, target: Path) -> None:
    with replacing(target) as part:
        part.write_text(text, encoding="utf-8")
