"""The state of the code: commit and uncommitted changes, asked of git."""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

NONE = "none"
# What matchclf itself writes into the working folder.
NOT_CODE = [f":(top,exclude){name}" for name in ("data", "multirun", "mlartifacts", "mlflow.db*", ".mlflow.db.lock")]


@dataclass(frozen=True)
class CodeState:
    """Commit of the code that runs; ``sha`` is ``none`` outside a repository or before the first commit."""

    sha: str
    short_sha: str
    dirty: bool


def code_state(package: Path, project: Path) -> CodeState:
    """State of the repository that tracks the package, else of the one the working folder is in."""
    folder = package if _git(package, "ls-files", "--error-unmatch", "__init__.py") else project
    sha = _git(folder, "rev-parse", "--verify", "HEAD")
    if not sha:
        return CodeState(NONE, NONE, dirty=False)
    short = _git(folder, "rev-parse", "--short", "HEAD") or sha[:7]
    return CodeState(sha, short, dirty=bool(_git(folder, "status", "--porcelain", "--", ":/", *NOT_CODE)))


def _git(folder: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(folder), *arguments]
    # Inside a git hook these name the hook's repository, not the one of this folder.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, check=False, timeout=30, env=environment
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
