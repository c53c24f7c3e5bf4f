"""Dataclasses that mirror conf/: the schema Hydra checks against, and the plain objects the stages receive.

A field whose metadata says ``identity=False`` cannot change a result and is left out of the config's hash.
"""

from matchclf.config.data import Table, World
from matchclf.config.experiment import Config, Features, Model, Temporal, Tracking
from matchclf.config.final import Registry
from matchclf.config.rules import check_keys

__all__ = ["Config", "Features", "Model", "Registry", "Table", "Temporal", "Tracking", "World", "check_keys"]
