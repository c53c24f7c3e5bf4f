"""A server that starts commands in a moment, and folders in which data is prepared and an empty store is made."""

import shutil

import pytest

import program
from faults import commands

# Two folds are enough to be killed in.
YEARS = "  cv_years: [2022, 2023]\n"
MAKE = (
    "from pathlib import Path\nfrom matchclf.tracking.database import make_database\nmake_database(Path('mlflow.db'))"
)


@pytest.fixture(scope="session")
def forks(tmp_path_factory):
    """A server that forks for each command."""
    with commands.served(tmp_path_factory.mktemp("forks")) as server:
        yield server


@pytest.fixture(scope="session")
def prepared(forks, tmp_path_factory):
    """A folder with prepared data and a store without experiments, to be copied."""
    folder = tmp_path_factory.mktemp("prepared")
    params = (program.ROOT / "params.yaml").read_text().split("  cv_years:")[0]
    (folder / "params.yaml").write_text(params + YEARS)
    done = forks.run(folder, *program.TINY, "stage=prepare", code=MAKE)
    assert done.code == 0, done.told()
    return folder


@pytest.fixture
def place(prepared, tmp_path):
    """Makes folders like it, each under a name of its own."""
    return lambda name: shutil.copytree(prepared, tmp_path / str(name), ignore=shutil.ignore_patterns("trace-*"))
