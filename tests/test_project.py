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
