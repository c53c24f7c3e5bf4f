"""Hydra: the schema under the config groups, params.yaml, and a composed config turned into plain objects."""

from pathlib import Path
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict

from matchclf.config import Config, Table, World, check_keys
from matchclf.errors import ConfigError
from matchclf.models import check_models

PACKAGE = Path(__file__).parent
SOURCE_TREE = PACKAGE.parents[1]
CONF = next(folder / "conf" for folder in (PACKAGE, SOURCE_TREE) if (folder / "conf").is_dir())


def register_schema() -> None:
    """Put the dataclasses and params.yaml under the config groups, so that Hydra checks and composes them."""
    store = ConfigStore.instance()
    store.store(group="schema", name="config", node=Config)
    store.store(group="schema/data", name="world", node=World)
    store.store(group="schema/data", name="table", node=Table)
    store.store(name="params", node=_load_params(params_file()))


def params_file() -> Path:
    """The params.yaml of the working folder, else the one that comes with matchclf."""
    choices = [folder / "params.yaml" for folder in (Path.cwd(), PACKAGE, SOURCE_TREE)]
    return next(path for path in choices if path.is_file())


def to_plain(config: DictConfig) -> Config:
    """The config as dataclasses; raises ConfigError or an OmegaConf error that names the key."""
    from matchclf.features.build import check_families  # brings pandas, which --help does without

    ours = config.copy()
    with open_dict(ours):
        ours.pop("hydra", None)
    plain: Config = OmegaConf.to_object(ours)  # type: ignore[assignment]
    check_keys(plain)
    check_models(plain.models)
    check_families(plain.features.families)
    return plain


def restore(settings: dict[str, Any]) -> Config:
    """The config that a run stored, as dataclasses; raises ConfigError or an OmegaConf error that names the key."""
    schema = OmegaConf.structured(Config)
    data = dict(settings["data"])
    schema.data = OmegaConf.structured(World if data["name"] == World.name else Table)
    if "season_start_exceptions" in data:  # JSON made texts of the years
        data["season_start_exceptions"] = {int(year): day for year, day in data["season_start_exceptions"].items()}
    return to_plain(OmegaConf.merge(schema, settings | {"data": data}))  # type: ignore[arg-type]


def search_space(config: Config, overrides: list[str]) -> dict[str, str]:
    """The intervals that a search goes through, by key: conf/search/MODEL.yaml, changed by those of the command line.

    Raises ConfigError unless one model is chosen that has a search space.
    """
    loader = GlobalHydra.instance().config_loader()
    names = loader.get_group_options("search")
    if len(config.models) != 1 or next(iter(config.models)) not in names:
        raise ConfigError(
            f"stage=tuning tunes one model that has a search space; found model={','.join(config.models)}, "
            f"choose one of {', '.join(names)}."
        )
    name = next(iter(config.models))
    space = loader.load_configuration(f"search/{name}", [], RunMode.RUN).search
    given = OverridesParser.create().parse_overrides(overrides)
    fixed = {override.get_key_element() for override in given if not override.is_sweep_override()}
    swept = {o.get_key_element(): str(o.input_line).partition("=")[2] for o in given if o.is_sweep_override()}
    return {key: str(value) for key, value in ({**space} | swept).items() if key not in fixed}


def _load_params(path: Path) -> DictConfig:
    try:
        params = OmegaConf.load(path)
    except Exception as problem:
        raise ConfigError(f"{path} cannot be read as YAML: {problem}") from problem
    if not isinstance(params, DictConfig):
        raise ConfigError(f"{path} is not a mapping; expected keys such as classification and temporal.")
    return params
