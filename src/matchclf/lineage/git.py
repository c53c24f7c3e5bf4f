"""The code as git knows it: commit, uncommitted changes, and the same code again in a work tree of its own."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from matchclf.errors import SourceError
from matchclf.redaction import redact

NONE = "none"
MAX_DIFF_BYTES = 1 << 20
# What matchclf and DVC write into the working folder.
WRITTEN = ("data", "multirun", "mlartifacts", "mlflow.db*", ".mlflow.db.lock", "dvc.lock")
NOT_CODE = [f":(top,exclude){name}" for name in WRITTEN]


@dataclass(frozen=True)
class CodeState:
    """Commit of the code that runs; ``sha`` is ``none`` outside a repository or before the first commit."""

    sha: str
    short_sha: str
    dirty: bool


@dataclass(frozen=True)
class Diff:
    """Uncommitted changes; ``complete`` unless they were cut for their size, ``redacted`` when a secret was masked."""

    text: str
    complete: bool
    redacted: bool

    @property
    def state(self) -> str:
        """What a later reader must know of it: none, complete, redacted or cut."""
        if not self.text:
            return NONE
        if not self.complete:
            return "cut"
        return "redacted" if self.redacted else "complete"


def repository(package: Path, project: Path) -> Path | None:
    """Root of the repository that tracks the package, else of the one the working folder is in; None outside any."""
    folder = package if _git(package, "ls-files", "--error-unmatch", "__init__.py") else project
    root = _git(folder, "rev-parse", "--show-toplevel")
    return Path(root) if root else None


def code_state(package: Path, project: Path) -> CodeState:
    """Commit of that repository, and whether it has uncommitted changes."""
    folder = repository(package, project) or project
    sha = _git(folder, "rev-parse", "--verify", "HEAD")
    if not sha:
        return CodeState(NONE, NONE, dirty=False)
    short = _git(folder, "rev-parse", "--short", "HEAD") or sha[:7]
    return CodeState(sha, short, dirty=bool(_git(folder, "status", "--porcelain", "--", ":/", *NOT_CODE)))


def uncommitted_diff(package: Path, project: Path) -> Diff:
    """Changes against HEAD that ``git apply`` can make again, files that git does not track yet among them."""
    folder = repository(package, project)
    if folder is None or not _git(folder, "rev-parse", "--verify", "HEAD"):
        return Diff("", complete=True, redacted=False)
    changed = _raw(folder, "diff", "--binary", "HEAD", "--", ":/", *NOT_CODE)
    names = _raw(folder, "ls-files", "--others", "--exclude-standard", "-z", "--", ":/", *NOT_CODE).split("\0")
    added = [_raw(folder, "diff", "--binary", "--no-index", "--", os.devnull, name) for name in names if name]
    whole = "".join([changed, *added])
    clear = redact(whole)
    kept = clear.encode()[:MAX_DIFF_BYTES].decode(errors="ignore")
    return Diff(kept, complete=kept == clear, redacted=clear != whole)


@contextmanager
def worktree(repository: Path, sha: str, target: Path) -> Iterator[Path]:
    """The code of a commit in a folder that is gone afterwards; raises SourceError when there is no such commit."""
    told = _run(repository, "worktree", "add", "--detach", str(target), sha)
    if told.returncode:
        raise SourceError(
            f"The commit {sha} cannot be checked out of {repository}: {_last_line(told.stderr)}. "
            "`git fetch` may get it."
        )
    try:
        yield target
    finally:
        _run(repository, "worktree", "remove", "--force", str(target))
        _run(repository, "worktree", "prune")


def apply_diff(worktree: Path, text: str) -> None:
    """Make uncommitted changes again in a work tree; raises SourceError when they do not fit."""
    told = _run(worktree, "apply", "--binary", "--whitespace=nowarn", "-", text=text)
    if told.returncode:
        raise SourceError(f"The stored changes cannot be applied to {worktree}: {_last_line(told.stderr)}.")


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        told = _run(folder, *arguments)
    except SourceError:
        return None
    return told.stdout.strip() if told.returncode == 0 else None


def _raw(folder: Path, *arguments: str) -> str:
    return _run(folder, *arguments).stdout


def _run(folder: Path, *arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
    # Inside a git hook these variables name the hook's repository, not the one of this folder.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-C", str(folder), *arguments]
    try:
        return subprocess.run(  # noqa: S603
            command,
            input=text,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            check=False,
            timeout=60,
            env=environment,
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise SourceError(f"git cannot be run in {folder}: {problem}.") from problem


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[-1]
