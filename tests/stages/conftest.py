"""Finished runs that the tests of several stages look at."""

import shutil

import pytest

import finals
import program
import projects
from shared import once


@pytest.fixture(scope="session")
def final_runs(tmp_path_factory):
    """A folder with match files, in which a final model of each of two kinds was trained; run ids by model."""

    def run(folder):
        finals.write_matches(folder / "raw/E.csv", finals.CUT)
        done = program.run(*finals.FINAL, "--multirun", "model=logreg,hgb", cwd=folder)
        assert done.code == 0, done
        return {run.data.params["model.name"]: run.info.run_id for run in program.search(folder)}

    return once(tmp_path_factory, "finals", run)


@pytest.fixture(scope="session")
def history(tmp_path_factory):
    """A repository with runs of its first commit, by name; it has moved on to other features and other data since.

    The data of the first runs is in DVC's cache; that of the final run is still where it was. Tests change its work
    tree: each worker has one of its own.
    """
    folder = projects.make(tmp_path_factory.mktemp("history"))
    shutil.copy(folder / projects.FILE, folder / "raw/kept.csv")
    commands = [
        (*projects.ON_FILES, "stage=ablation", "variant=full", program.TWO),
        (*projects.ON_FILES, "stage=tuning", "model=logreg", "tuning.n_trials=2"),
        ("data=football_data", "data.path=raw/kept.csv", "rounds=5", "stage=final_train", "model=logreg"),
    ]
    for command in commands:
        done = projects.run(folder, *command)
        assert done.code == 0, done
    projects.into_cache(folder, folder / projects.FILE)
    projects.shorten(folder / projects.FILE)
    projects.change_features(folder)
    projects.commit(folder, "two")
    return folder, {run.info.run_name.split(" | frac")[0]: run.info.run_id for run in program.search(folder)}
