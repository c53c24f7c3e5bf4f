"""Hydra: the schema under the config groups, params.yaml, and a composed config turned into plain objects."""

from pathlib import Path

from hydra.core.config_store import ConfigStore
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


def _load_params(path: Path) -> DictConfig:
    try:
        params = OmegaConf.load(path)
    except Exception as problem:
        raise ConfigError(f"{path} cannot be read as YAML: {problem}") from problem
    if not isinstance(params, DictConfig):
        raise ConfigError(f"{path} is not a mapping; expected keys such as classification and temporal.")
    return params
