"""Forecast upcoming matches with a model of the registry."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pandas as pd

from matchclf.config import Config, World
from matchclf.console import table
from matchclf.data.fixtures import read_fixtures
from matchclf.data.schema import OUTCOMES
from matchclf.data.sources import load_matches
from matchclf.errors import ConfigError, DataError, ModelError
from matchclf.evaluate import proba_in_order
from matchclf.features.build import build_features
from matchclf.files import replacing, write_parquet
from matchclf.tracking import models, record, registry
from matchclf.tracking.registry import Registered
from matchclf.tracking.store import Store, open_store

log = logging.getLogger(__name__)
SHOWN = 30
CI_SMOKE = "ci-smoke"
FACTS = ["date", "country", "division", "home_team", "away_team"]


def run(config: Config) -> dict[str, Any]:
    """Write probabilities and fair odds of the fixtures to ``config.forecasts``, and show the first of them."""
    output = Path(config.forecasts)
    if output.suffix not in (".csv", ".parquet"):
        raise ConfigError(f"forecasts={output} must end in .csv or .parquet.")
    store = open_store(config.tracking, config.experiment_name, Path.cwd())
    version, run_id = _model(config, store)
    final = registry.find_final_run(store, run_id, config)
    by_alias = config.run_id is None and config.version is None
    if by_alias and config.alias != CI_SMOKE and registry.is_smoke(final):
        raise ModelError(
            f"Version {version} is {config.alias} but was made by a smoke run, which is never used as such."
        )
    fixtures, features = _upcoming(config, record.read_config(store, run_id))
    model = models.load_model(store, run_id)
    proba = proba_in_order(model, _columns(features, model), "The model")
    found = _forecast(fixtures, proba).assign(
        model_version=version, run_id=run_id, data_version=final.data.tags["data.version"]
    )
    _write(found, output)
    log.info("%s\n\nwritten    %s", _show(found), output)
    return {"written": str(output), "matches": len(found), "model_version": version, "run_id": run_id}


def _model(config: Config, store: Store) -> tuple[str, str]:
    """Version (empty for a run that is none) and run id of the model that the config names."""
    registered = Registered(store, config.registry.model_name)
    if config.run_id is not None and config.version is not None:
        raise ConfigError("Both run_id and version are set; a model is one of a run, a version or an alias.")
    if config.run_id is not None:
        return "", config.run_id
    if config.version is not None:
        return str(config.version), str(registered.version(config.version).run_id or "")
    holder = registered.holder(config.alias)
    if holder is None:
        raise ConfigError(f"No version of {registered.name} is {config.alias}; see stage=report what=registry.")
    log.info("model      %s version %s, which is %s", registered.name, holder.version, config.alias)
    return str(holder.version), str(holder.run_id or "")


def _upcoming(config: Config, trained: dict[str, Any]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Fixtures, and the features they have by the settings that the model was trained with."""
    if ("path" in trained["data"]) == isinstance(config.data, World):
        raise ConfigError(f"The model was trained on data={trained['data']['name']}; found data={config.data.name}.")
    loaded = load_matches(config.data, Path.cwd())
    log.info(
        "matches    %s known, the last of %s", f"{len(loaded.matches):,}", f"{loaded.matches['date'].max():%Y-%m-%d}"
    )
    fixtures = read_fixtures(Path(config.fixtures), loaded.matches, config.data) if config.fixtures else loaded.upcoming
    if fixtures.empty:
        raise DataError("The data have no match without a score; give upcoming ones by fixtures=FILE.csv.")
    known = trained["features"]
    families = {name: known["families"][name] for name in known["use"]}
    both = pd.concat([loaded.matches, fixtures], ignore_index=True)
    features = pd.concat(build_features(both, families).values(), axis=1)
    return fixtures, features.tail(len(fixtures)).reset_index(drop=True)


def _columns(features: pd.DataFrame, model: Any) -> pd.DataFrame:
    names = list(model.feature_names_in_)
    missing = [name for name in names if name not in features]
    if missing:
        raise DataError(
            f"The matches give no {missing[0]}, one of {len(missing)} columns that the model reads and these data lack."
        )
    return features[names]


def _forecast(fixtures: pd.DataFrame, proba: Any) -> pd.DataFrame:
    columns = {f"prob_{name}": proba[:, label] for label, name in enumerate(OUTCOMES)}
    fair = {f"fair_odds_{name}": 1 / proba[:, label] for label, name in enumerate(OUTCOMES)}
    return fixtures[FACTS].assign(**columns, **fair)


def _write(found: pd.DataFrame, output: Path) -> None:
    if output.suffix == ".parquet":
        write_parquet(found, output)
        return
    with replacing(output) as part:
        part.write_text(found.to_csv(index=False, float_format="%.6g"), encoding="utf-8")


def _show(found: pd.DataFrame) -> str:
    header = ["date", "home", "away", "P home", "P draw", "P away", "fair odds"]
    rows = [
        [
            f"{row['date']:%Y-%m-%d}",
            row["home_team"],
            row["away_team"],
            *(f"{row[f'prob_{name}']:.3f}" for name in OUTCOMES),
            "  ".join(f"{row[f'fair_odds_{name}']:.2f}" for name in OUTCOMES),
        ]
        for row in found.head(SHOWN).to_dict("records")
    ]
    more = f"\n... and {len(found) - SHOWN:,} more" if len(found) > SHOWN else ""
    return table(header, rows) + more
