"""Fixtures shared by all tests: finished runs that many tests look at, and composed configs."""

import os
from contextlib import closing

os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
# Before numpy is loaded: several threads a fit on busy cores take many times as long.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pandas as pd
import pytest
from hydra import compose as hydra_compose
from hydra import initialize_config_dir

import program
import s3_server
from matchclf.compose import CONF, register_schema, to_plain
from matchclf.config import Tracking, World
from matchclf.data.schema import OUTCOMES, outcome
from matchclf.data.synthetic import make_world

COMMANDS = {
    "ablations": "stage=ablation --multirun variant=elo_only,stats_only,full_no_h2h,full",
    "smoke ablation": "experiment=smoke stage=ablation variant=elo_only",
    "smoke train_eval": "experiment=smoke stage=train_eval",
    "train_eval": "stage=train_eval",
}
WATCH_SOCKETS = """
import os, sys

def tell(line):
    with open(os.environ["SOCKETS"], "a") as out:
        print(line, file=out)

def watch(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        tell(arguments[1])
    if event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        tell(arguments[0])

tell("watching")
sys.addaudithook(watch)
"""


def pytest_configure(config):
    # MLflow 3.17 on SQLAlchemy 2.1.
    config.addinivalue_line("filterwarnings", "ignore:The ``noload`` loader strategy:DeprecationWarning")


@pytest.fixture
def matchclf(tmp_path):
    """Run the program in a folder of this test's own."""
    return lambda *arguments, cwd=tmp_path, **more: program.run(*arguments, cwd=cwd, **more)


@pytest.fixture(scope="session")
def compose():
    """The config of a command line, as the stages receive it."""

    def composed(*overrides):
        register_schema()
        with initialize_config_dir(str(CONF), version_base="1.3"):
            return to_plain(hydra_compose("config", list(overrides)))

    return composed


@pytest.fixture(scope="session")
def league(tmp_path_factory):
    """A folder in which ``COMMANDS`` were run one after the other on one small league, and how each ended.

    In the smoke train_eval the file ``sockets`` was told of every address that the process turned to.
    """
    folder = tmp_path_factory.mktemp("league")
    hook = program.hooked(folder / "hook", WATCH_SOCKETS, SOCKETS=str(folder / "sockets"))
    more = {"smoke train_eval": hook}
    done = {
        name: program.run(*program.TINY, program.TWO, *command.split(), cwd=folder, **more.get(name, {}))
        for name, command in COMMANDS.items()
    }
    assert {name: one.code for name, one in done.items()} == dict.fromkeys(COMMANDS, 0), done
    return folder, done


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """A folder with match files of one division and a params.yaml of its own, a train_eval on them, and its end."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "raw").mkdir()
    write_football_data(folder / "raw/E0.csv")
    os.utime(folder / "raw/E0.csv", (1751371200, 1751371200))
    params = (program.ROOT / "params.yaml").read_text().split("  cv_years:")[0]
    (folder / "params.yaml").write_text(f"{params}  cv_years: [2019, 2020]\n")
    command = [program.TWO, "variant=full", "data=football_data", "data.path=raw/E0.csv"]
    done = program.run(*command, cwd=folder, DVC_EXP_NAME="exp-1f2a")
    assert done.code == 0, done
    return folder, done


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
