"""A repository of somebody who runs our code from its own copy, commits it, and goes on to other code and data."""

import hashlib
import shutil

import program
from conftest import write_football_data
from dvc_repo import commit, git

FILE = "raw/E0.csv"
ON_FILES = ("data=football_data", f"data.path={FILE}", "rounds=5")
IGNORED = "__pycache__/\n/raw/\n/.dvc/\n/data/\n/multirun/\n/mlartifacts/\n/mlflow.db*\n/.mlflow.*\n"
# Another value of every column of one family.
CHANGE = """

_as_committed = elo


@functools.wraps(_as_committed)
def elo(*arguments, **settings):
    return _as_committed(*arguments, **settings) + 1
"""


def make(folder):
    """Our code, config and two folds, committed; match files of one division that git does not track."""
    for name in ("src", "conf"):
        shutil.copytree(program.ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(program.ROOT / "pyproject.toml", folder)
    params = (program.ROOT / "params.yaml").read_text().split("  cv_years:")[0]
    (folder / "params.yaml").write_text(f"{params}  cv_years: [2019, 2020]\n")
    (folder / ".gitignore").write_text(IGNORED)
    (folder / "raw").mkdir()
    write_football_data(folder / FILE)
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, "one")
    return folder


def run(folder, *arguments, **more):
    """The program in the folder, with the code that is there."""
    return program.run(*arguments, cwd=folder, PYTHONPATH=str(folder / "src"), **more)


def change_features(folder):
    """Other features, not committed."""
    path = folder / "src/matchclf/features/elo.py"
    lines = path.read_text().splitlines(keepends=True)
    first = next(number for number, line in enumerate(lines) if line.startswith(("import ", "from ")))
    first += lines[first].startswith("from __future__")
    path.write_text("".join([*lines[:first], "import functools\n", *lines[first:], CHANGE]))


def into_cache(folder, path):
    """Lay a file into DVC's cache, as `dvc add` would."""
    content = path.read_bytes()
    md5 = hashlib.md5(content).hexdigest()
    target = folder / ".dvc/cache/files/md5" / md5[:2] / md5[2:]
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return target


def shorten(path):
    """Other matches: without the last ones."""
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-20]))


def sha(folder, revision="HEAD"):
    """The commit in full."""
    return git(folder, "rev-parse", revision).strip()


def contents(folder):
    """Bytes of every file of the folder but the store, logs, compiled code and git's own."""
    own = ("mlflow.db", "mlartifacts", "multirun", ".git/", "data/reproductions", ".mlflow", "raw/.")
    return {
        name: (folder / name).read_bytes()
        for name in program.files(folder)
        if not name.startswith(own) and "__pycache__" not in name
    }


def md5(path):
    """MD5 of a file's bytes."""
    return hashlib.md5(path.read_bytes()).hexdigest()
