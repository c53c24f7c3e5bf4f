"""Final runs that the tests of several stages look at."""

import pytest

import finals
import program


@pytest.fixture(scope="session")
def final_runs(tmp_path_factory):
    """A folder with match files, in which a final model of each of two kinds was trained; run ids by model."""
    folder = tmp_path_factory.mktemp("finals")
    finals.write_matches(folder / "raw/E.csv", finals.CUT)
    done = program.run(*finals.FINAL, "--multirun", "model=logreg,hgb", cwd=folder)
    assert done.code == 0, done
    return folder, {run.data.params["model.name"]: run.info.run_id for run in program.search(folder)}
