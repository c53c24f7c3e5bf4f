"""The program as its users run it, a process of its own in a folder, and a look at what it left in MLflow."""

import atexit
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import forks
import loopback
import matchclf
from matchclf.compose import CONF
from matchclf.usage import options

ROOT = Path(__file__).parents[1]
# One country, one division of eight teams, some 500 matches before the holdout: a run takes a few seconds.
TINY = ("data.countries=1", "data.tiers=1", "data.teams_per_division=8", "data.first_season=2014", "rounds=5")
TWO = "model=[dummy,logreg]"
EVERY_MODEL = f"model=[{','.join(options(CONF / 'model'))}]"
EXPERIMENTS = ("matches_clf", "matches_clf_smoke")
STEERING = ("MLFLOW_", "HYDRA_", "DVC_")
# With one of these MLflow reports nothing; our users do not have them.
SILENCING = ("DO_NOT_TRACK", "PYTEST_", "CI", "GITHUB_", "GITLAB_", "JENKINS_", "TRAVIS", "TF_BUILD", "BUILDKITE")
# What a process reads when it starts or imports: with one of these, it starts cold.
AT_START = ("PYTHON", "OMP_", "OPENBLAS_", "MLFLOW_DISABLE", "DO_NOT_TRACK")
VERIFY_BY_FORK = (
    "from types import SimpleNamespace\nfrom matchclf.tracking import models\n"
    "models.sys = SimpleNamespace(executable='{}')"
)
SOURCE = str(Path(matchclf.__file__).parents[1])


@dataclass(frozen=True)
class Done:
    """How a process ended, and the files below ``data`` right after it."""

    code: int
    out: str
    err: str
    files: frozenset[str]

    def to_json(self):
        return asdict(self) | {"files": sorted(self.files)}

    @staticmethod
    def of_json(told):
        return Done(**told | {"files": frozenset(told["files"])})


def environment(**more):
    """The environment of a user: this process's, without what would steer MLflow, Hydra or DVC."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(STEERING + SILENCING)}
    return kept | {"PYTHONPATH": os.pathsep.join(filter(None, [SOURCE, kept.get("PYTHONPATH")]))} | more


def hooked(folder, code, **more):
    """The environment in which every Python process first runs ``code``."""
    folder.mkdir()
    # Python runs the first of these files only: the guard's is called from it.
    (folder / "sitecustomize.py").write_text(f"import {loopback.MODULE}\n{code}")
    return {"PYTHONPATH": os.pathsep.join([str(folder), environment()["PYTHONPATH"]]), **more}


def run(*arguments, cwd, python=sys.executable, **more):
    """``python -m matchclf`` with these arguments to its end; ``more`` is set in its environment.

    It is forked from a process that has imported everything, unless ``more`` has what acts on imports; so is the
    process in which it tries a stored model.
    """
    if python != sys.executable or any(name.startswith(AT_START) for name in more):
        return _run_cold([python, "-m", "matchclf", *arguments], cwd, environment(**more))
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        request = {"module": "matchclf", "arguments": arguments, "cwd": str(cwd), "env": environment(**more)}
        request |= {"python": python, "deaf": False, "trace": None, "code": VERIFY_BY_FORK.format(verifier())}
        _, connection = forks.start(server(), request, out, err)
        with connection:
            connection.settimeout(500)
            code = int(connection.recv(20))
        told = [(file.seek(0), file.read())[1] for file in (out, err)]
    return Done(code, *told, files(cwd / "data"))


def _run_cold(command, cwd, env):
    done = subprocess.run(
        command, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=500, check=False
    )
    return Done(done.returncode, done.stdout, done.stderr, files(cwd / "data"))


@cache
def server():
    """The server of this process, which ends with it."""
    until_exit = ExitStack()
    atexit.register(until_exit.close)
    folder = until_exit.enter_context(tempfile.TemporaryDirectory(prefix="forks"))
    return until_exit.enter_context(forks.served(Path(folder), environment))


@cache
def verifier():
    """What is called in place of Python to try a stored model."""
    return forks.interpreter(server().parent)


def start(*arguments, cwd, name="", env=None, **options):
    """The same in the background, with its output in the files ``out`` and ``err`` (and ``name``)."""
    command = [sys.executable, "-m", "matchclf", *arguments]
    with (cwd / f"out{name}").open("w") as out, (cwd / f"err{name}").open("w") as err:
        return subprocess.Popen(command, cwd=cwd, env=environment(**(env or {})), stdout=out, stderr=err, **options)


def files(folder):
    """All files in a folder and below, relative to it."""
    return frozenset(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def client(store):
    """A client of the store in a folder, or of the one at an address."""
    from mlflow import MlflowClient

    return MlflowClient(f"sqlite:///{store}/mlflow.db" if isinstance(store, Path) else store)


def search(store, query=""):
    """All runs of our experiments that a query finds, in the order of starting."""
    mlflow = client(store)
    ids = [one.experiment_id for one in mlflow.search_experiments() if one.name in EXPERIMENTS]
    return sorted(mlflow.search_runs(ids, query), key=lambda one: one.info.start_time)


def parents(store, name="%"):
    """Parent runs whose name is like this."""
    return search(store, f"tags.`pipeline.scope` = 'parent' and attributes.run_name LIKE '{name}'")


def children(store, parent):
    """Child runs by the name of their model."""
    found = search(store, f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'")
    return {one.info.run_name.removeprefix("model | "): one for one in found}


def tree(store):
    """Name and status of each parent run and of its children, in the order of starting."""
    return [(*_told(one), [_told(child) for child in children(store, one).values()]) for one in parents(store)]


def artifact(store, run, path):
    """Local path of an artifact of a run."""
    return Path(client(store).download_artifacts(run.info.run_id, path))


def _told(run):
    return run.info.run_name, run.info.status
