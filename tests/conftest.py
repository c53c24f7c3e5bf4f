"""Fixtures shared by all tests: finished runs that many tests look at, and composed configs."""

import gc
import os
import shutil
import tempfile
from collections import Counter
from contextlib import closing
from copy import deepcopy
from functools import cache
from pathlib import Path

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
# Before numpy is loaded: several threads a fit on busy cores take many times as long.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pandas as pd
import pytest
import yaml
from hydra import compose as hydra_compose
from hydra import initialize_config_dir
from hydra._internal.hydra import Hydra
from hydra.core.config_store import ConfigStore

import loopback
import program
import s3_server
from matchclf import shortcuts
from matchclf.compose import CONF, params_file, register_schema, to_plain
from matchclf.config import Tracking, World
from matchclf.data.schema import OUTCOMES, outcome
from matchclf.data.synthetic import make_world
from matchclf.tracking import models
from shared import once

GUARD = pytest.StashKey[Path]()
COMMANDS = {
    "ablations": "stage=ablation --multirun variant=elo_only,stats_only,full_no_h2h,full",
    "smoke ablation": "experiment=smoke stage=ablation variant=elo_only",
    "smoke train_eval": "experiment=smoke stage=train_eval",
    "train_eval": "stage=train_eval",
}


def pytest_xdist_auto_num_workers(config):
    """Two, each with a file at a time; one file is run by this process alone."""
    named = {argument.partition("::")[0] for argument in config.args}
    return 0 if len(named) == 1 and Path(*named).is_file() else 2


def pytest_addoption(parser):
    parser.addoption("--examples", type=int, help="examples that each property is shown, instead of its own number")


def pytest_configure(config):
    if config.getoption("--examples"):
        os.environ["MATCHCLF_EXAMPLES"] = str(config.getoption("--examples"))
    # MLflow 3.17 on SQLAlchemy 2.1.
    config.addinivalue_line("filterwarnings", "ignore:The ``noload`` loader strategy:DeprecationWarning")
    # With workers, in these only.
    if hasattr(config, "workerinput") or config.getoption("dist", "no") == "no":
        config.stash[GUARD] = Path(tempfile.mkdtemp(prefix="guard")) / "guard"
        loopback.guard(config.stash[GUARD])


def pytest_collection_modifyitems(items):
    """Files with the most work first, so that no worker is left alone with it at the end."""
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    starting = {item.path for item in items if hasattr(getattr(item, "module", None), "program")}
    items.sort(key=lambda item: (-slow[item.path], item.path not in starting))


def pytest_collection_finish():
    # What was imported stays: garbage is not looked for in it again and again.
    gc.freeze()


def pytest_unconfigure(config):
    if GUARD in config.stash:
        shutil.rmtree(config.stash[GUARD].parent)


@pytest.fixture(scope="session", autouse=True)
def guard(pytestconfig):
    """The folder in which it is written down who turned to another address than loopback."""
    yield pytestconfig.stash[GUARD]
    # By a process that outlived its test.
    assert loopback.refused(pytestconfig.stash[GUARD]) == []


@pytest.fixture(autouse=True)
def nothing_leaves_this_machine(guard):
    """Neither this test nor a Python process that it started turned to another address than loopback."""
    yield
    assert loopback.refused(guard) == []


@pytest.fixture(scope="session", autouse=True)
def models_are_tried_by_a_fork():
    """As in processes that the tests start: an interpreter takes seconds to import what it needs for that."""

    class Forking:
        @property
        def executable(self):
            return program.verifier()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "sys", Forking())
        yield


@pytest.fixture
def matchclf(tmp_path):
    """Run the program in a folder of this test's own."""
    program.server()  # started before the test looks at a clock
    return lambda *arguments, cwd=tmp_path, **more: program.run(*arguments, cwd=cwd, **more)


def take_shortcuts(patch):
    """Those of the program, until the patch is undone."""
    patch.setattr(ConfigStore, "__deepcopy__", None, raising=False)
    patch.setattr(yaml, "SafeLoader", yaml.SafeLoader)
    patch.setattr(Hydra, "get_mode", Hydra.get_mode)
    shortcuts.take()


@pytest.fixture(scope="session")
def compose():
    """The config of a command line, as the stages receive it; made once for the same settings and environment."""

    @cache
    def made(overrides, params, environment):
        register_schema()
        with pytest.MonkeyPatch.context() as patch, initialize_config_dir(str(CONF), version_base="1.3"):
            take_shortcuts(patch)
            return to_plain(hydra_compose("config", list(overrides)))

    def composed(*overrides):
        environment = tuple((name, value) for name, value in os.environ.items() if not name.startswith("PYTEST_"))
        return deepcopy(made(overrides, params_file().read_bytes(), environment))

    return composed


@pytest.fixture(scope="session")
def league(tmp_path_factory):
    """A folder in which ``COMMANDS`` were run one after the other on one small league, and how each ended."""

    def run_all(folder):
        small = [*program.TINY, program.TWO]
        done = {name: program.run(*small, *command.split(), cwd=folder) for name, command in COMMANDS.items()}
        assert {name: one.code for name, one in done.items()} == dict.fromkeys(COMMANDS, 0), done
        return {name: one.to_json() for name, one in done.items()}

    folder, told = once(tmp_path_factory, "league", run_all)
    return folder, {name: program.Done.of_json(one) for name, one in told.items()}


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """A folder with match files of one division and a params.yaml of its own, a train_eval on them, and its end."""

    def run(folder):
        (folder / "raw").mkdir()
        write_football_data(folder / "raw/E0.csv")
        os.utime(folder / "raw/E0.csv", (1751371200, 1751371200))
        params = (program.ROOT / "params.yaml").read_text().split("  cv_years:")[0]
        (folder / "params.yaml").write_text(f"{params}  cv_years: [2019, 2020]\n")
        command = [program.TWO, "variant=full", "data=football_data", "data.path=raw/E0.csv"]
        done = program.run(*command, cwd=folder, DVC_EXP_NAME="exp-1f2a")
        assert done.code == 0, done
        return done.to_json()

    folder, told = once(tmp_path_factory, "files", run)
    return folder, program.Done.of_json(told)


def write_football_data(path):
    """The built-in league in the layout of football-data.co.uk, with fair prices from 2018 on."""
    matches, truth = make_world(World(countries=1, tiers=1, teams_per_division=8, first_season=2014))
    pd.testing.assert_series_equal(matches["home_team"], truth["home_team"])
    goals = matches[["home_goals", "away_goals"]].astype(int)
    prices = {f"PSC{letter}": 1 / truth[f"prob_{name}"] for letter, name in zip("HDA", OUTCOMES, strict=True)}
    table = pd.DataFrame(
        {
            "Div": "E0",
            "Date": matches["date"].dt.strftime("%d/%m/%Y"),
            "HomeTeam": matches["home_team"],
            "AwayTeam": matches["away_team"],
            "FTHG": goals["home_goals"],
            "FTAG": goals["away_goals"],
            "FTR": [OUTCOMES[number][0].upper() for number in outcome(goals.home_goals, goals.away_goals)],
            **{name: price.where(matches["date"] >= "2018-01-01").round(3) for name, price in prices.items()},
        }
    )
    table.to_csv(path, index=False)


@pytest.fixture(scope="session")
def server():
    """Address of a running S3 server."""
    with s3_server.seaweed() as url:
        yield url


@pytest.fixture(scope="session")
def owner(server):
    """A client of the bucket's owner, which sends checksums only where a test names one."""
    with closing(s3_server.client(server, request_checksum_calculation="when_required")) as client:
        for bucket in ("matches", "versions", "open"):
            client.create_bucket(Bucket=bucket)
        client.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled"})
        yield client


@pytest.fixture(scope="session")
def uri(tmp_path_factory):
    """The address of an empty store; each test that uses it takes an experiment of its own."""
    return f"sqlite:///{tmp_path_factory.mktemp('store')}/mlflow.db"


@pytest.fixture
def store(uri, request, tmp_path):
    """An experiment of this test's own in an opened store."""
    from matchclf.tracking.store import open_store

    return open_store(Tracking("local", uri), request.node.nodeid, tmp_path)
