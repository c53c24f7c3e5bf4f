"""The project's own rules: style, types, and arrows that point down only."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
CHECKS = {
    "ruff check": ["ruff", "check", "."],
    "ruff format": ["ruff", "format", "--check", "."],
    "mypy": ["mypy"],
    "import-linter": ["lint-imports"],
    "bandit": ["bandit", "--quiet", "--recursive", "src", "--configfile", "pyproject.toml"],
}


@pytest.mark.parametrize("name", CHECKS)
def test_the_whole_project_passes(name):
    tool, *arguments = CHECKS[name]
    done = subprocess.run([BIN / tool, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_pages_of_all_docstrings_are_made_without_a_warning(tmp_path):
    modules = [path.relative_to(ROOT / "src").with_suffix("") for path in (ROOT / "src/matchclf").rglob("[!_]*.py")]
    names = [".".join(module.parts) for module in modules]
    # As in the settings of pytest: Optuna 2.10 on SQLAlchemy 2.
    quiet = ["-W", "error", "-W", "ignore:The ``declarative_base:DeprecationWarning"]
    command = [sys.executable, *quiet, "-m", "pdoc", "--docformat", "numpy", "--output-directory", tmp_path]
    done = subprocess.run([*command, *names], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert [module for module in modules if not (tmp_path / module).with_suffix(".html").is_file()] == []
