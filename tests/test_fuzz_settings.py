"""Damaged and random settings: a config or one sentence, never another error, never long."""

import shutil
from pathlib import Path

import pytest
import yaml
from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from fuzzing import STEPS, TEXT_EDITS, TREES, apply, check_told, in_time, put
from matchclf import usage
from matchclf.compose import CONF, register_schema, to_plain
from matchclf.config import Config
from matchclf.errors import MatchclfError
from matchclf.redaction import refuse_secrets

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.slow


def composed(arguments: list[str], conf: Path = CONF) -> Config | None:
    """The config of a command line as the program gets it, None where it would tell a sentence instead."""
    with in_time():
        try:
            refuse_secrets(arguments)
            register_schema()
            with initialize_config_dir(str(conf), version_base="1.3"):
                return to_plain(hydra_compose("config", arguments))
        except MatchclfError as problem:
            check_told(problem)
        except Exception as problem:  # as the program does: what Hydra stumbles over has many types
            sentence = usage.explain(problem, arguments, conf)
            assert len(sentence) > 20
            assert "Traceback" not in sentence
    return None


@pytest.fixture
def elsewhere(tmp_path, monkeypatch):
    """A folder of this test's own, in which a params.yaml counts."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@given(TEXT_EDITS, st.booleans(), STEPS, TREES)
@examples(300)
def test_a_damaged_params_file_is_a_config_or_one_sentence(elsewhere, changes, by_bytes, steps, value):
    known = (ROOT / "params.yaml").read_bytes()
    if by_bytes:
        other = apply(known, changes)
    else:
        other = yaml.safe_dump(put(yaml.safe_load(known), steps, value)).encode(errors="ignore")
    (elsewhere / "params.yaml").write_bytes(other)
    composed([])


GROUP_FILES = {
    "data/football_data.yaml": ["data=football_data", "data.path=x"],
    "features/full.yaml": ["features=full"],
    "model/xgb.yaml": ["model=xgb"],
    "stage/tuning.yaml": ["stage=train_eval"],
    "frac/tenth.yaml": ["frac=tenth"],
}


@pytest.fixture(scope="module")
def conf(tmp_path_factory):
    return Path(shutil.copytree(CONF, tmp_path_factory.mktemp("conf") / "conf"))


@given(st.sampled_from(sorted(GROUP_FILES)), TEXT_EDITS)
@examples(300)
def test_a_damaged_file_of_a_group_is_a_config_or_one_sentence(conf, name, changes):
    (conf / name).write_bytes(apply((CONF / name).read_bytes(), changes))
    try:
        composed(GROUP_FILES[name], conf)
    finally:
        shutil.copy(CONF / name, conf / name)


NAMES = (
    "seed rounds workers frac.frac tuning.n_trials final.calibration final.calibration_share lineage.on_duplicate "
    "reproduce.tolerance run_id version alias confirm output temporal.test_start temporal.cv_years features.use "
    "features.families.elo.k features.families models models.xgb.estimator models.xgb.estimator.max_depth data.seed "
    "data.first_season data.strength_spread data tracking.uri stage.name stage variant model frac registry.model_name "
    "registry.champion_max_ece hydra.sweeper hydra.run.dir classification experiment nothing"
)
MORE = "null [] {} [1,2] {a:1} [2016,2016] [9999] -1 0 1e999 nan '' ??? ${seed} ${nothing} smoke xgb \\"
VALUES = st.text(max_size=12) | st.integers().map(str) | st.floats().map(str) | st.sampled_from(MORE.split(" "))
OVERRIDES = st.builds(
    "{}{}={}".format,
    st.sampled_from(["", "", "", "+", "++", "~"]),
    st.sampled_from(NAMES.split()) | st.text(max_size=8),
    VALUES,
)


@given(st.lists(OVERRIDES, min_size=1, max_size=3))
@examples(300)
def test_any_overrides_are_a_config_or_one_sentence(elsewhere, overrides):
    composed(overrides)
