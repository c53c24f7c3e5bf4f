"""The state of the code: commit and uncommitted changes, asked of git."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

NONE = "none"


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
    return CodeState(sha, short, dirty=bool(_git(folder, "status", "--porcelain")))


def _git(folder: Path, *arguments: str) -> str | None:
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)  # noqa: S603
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
