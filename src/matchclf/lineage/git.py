"""The state of the code: commit and uncommitted changes, asked of git; and the way back to it."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory

from matchclf.errors import SourceError
from matchclf.redaction import redact

NONE = "none"
# What matchclf and DVC write into the working folder.
WRITTEN = ("data", "multirun", "mlartifacts", "mlflow.db*", ".mlflow.*.lock", "dvc.lock")
NOT_CODE = [f":(top,exclude){name}" for name in WRITTEN]
MAX_DIFF_BYTES = 1024 * 1024
# A patch that git can read again, whatever the settings of whoever made it.
PATCH = ["-c", "core.quotePath=true", "diff", "HEAD", "--binary", "--full-index", "--no-renames", "--no-color"]
PATCH += ["--no-ext-diff", "--no-textconv", "--src-prefix=a/", "--dst-prefix=b/", "--unified=3"]
PATCH += ["--inter-hunk-context=0", "--ignore-submodules=none", "--submodule=short"]
ENCODED = b"\nGIT binary patch\n"
INNER_REPOSITORY = re.compile(rb"^[-+]Subproject commit [0-9a-f]{40}", re.MULTILINE)  # applies without effect
Done = subprocess.CompletedProcess[bytes]


@dataclass(frozen=True)
class CodeState:
    """Commit of the code that runs; ``sha`` is ``none`` outside a repository or before the first commit."""

    sha: str
    short_sha: str
    dirty: bool


@dataclass(frozen=True)
class Diff:
    """What is not committed, as a patch for ``git apply``.

    ``complete``: nothing was left out. Left out are files that would take the patch above ``MAX_DIFF_BYTES``, changes
    inside of other repositories, and binary files that hold a secret; everything, where there is no commit.
    ``redacted``: secrets were masked, so that the patch restores the code without them, or does not apply at all.
    """

    text: str
    complete: bool
    redacted: bool


def code_state(package: Path, project: Path) -> CodeState:
    """State of the repository that tracks the package, else of the one the working folder is in."""
    folder = _folder(package, project)
    sha = _git(folder, "rev-parse", "--verify", "HEAD")
    if not sha:
        return CodeState(NONE, NONE, dirty=False)
    short = _git(folder, "rev-parse", "--short", "HEAD") or sha[:7]
    return CodeState(sha, short, dirty=bool(_git(folder, "status", "--porcelain", "--", ":/", *NOT_CODE)))


def repository(package: Path, project: Path) -> Path | None:
    """The top folder of the repository that ``code_state`` tells of; None outside a repository."""
    top = _git(_folder(package, project), "rev-parse", "--show-toplevel")
    return Path(top) if top else None


def uncommitted_diff(package: Path, project: Path) -> Diff:
    """What differs from the commit that ``code_state`` tells of: changed, deleted and new files that are not ignored.

    Nothing is written into the repository. The text keeps the line ends of the files: it must be stored byte by byte.
    """
    top = repository(package, project)
    if top is None or not _git(top, "rev-parse", "--verify", "HEAD"):
        return Diff("", complete=False, redacted=False)
    with TemporaryDirectory() as folder:
        beside = _beside(top, Path(folder))
        complete = _announce_new_files(top, beside)
        whole = _run(top, *PATCH, "--", ":/", *NOT_CODE, settings=beside)
        simple = _fits(whole) and ENCODED not in whole.stdout
        parts = [whole.stdout] if simple else list(_file_by_file(top, Path(folder), beside))
    text = b"".join(part for part in parts if part is not None).decode()
    safe = redact(text)
    return Diff(safe, complete=complete and None not in parts, redacted=safe != text)


@contextmanager
def worktree(repository: Path, sha: str, target: Path) -> Iterator[Path]:
    """Check a commit out into the folder ``target`` for the block; the folder is gone afterwards, whatever happens.

    Raises SourceError when the commit is not in the repository, or when there is something in the folder already.
    """
    if _git(repository, "rev-parse", "--verify", "--quiet", f"{sha}^{{commit}}") is None:
        raise SourceError(f"The commit {sha} is not in {repository}; if it was pushed, `git fetch` may bring it.")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise SourceError(f"{target} is not empty; the commit {sha} needs a folder of its own.")
    try:
        # Without hooks: they may do more than check out, for instance fetch data.
        add = ["-c", f"core.hooksPath={os.devnull}", "worktree", "add", "--detach", str(target.absolute()), sha]
        _demand(_run(repository, *add), f"The commit {sha} cannot be checked out into {target}")
        yield target
    finally:
        _run(repository, "worktree", "remove", "--force", "--force", str(target.absolute()))
        shutil.rmtree(target, ignore_errors=True)
        _run(repository, "worktree", "prune")


def apply_diff(worktree: Path, text: str) -> None:
    """Apply a diff's text to its commit, checked out in a folder; raises SourceError when it does not fit."""
    if text:
        done = _run(worktree, "apply", "--whitespace=nowarn", "--no-ignore-whitespace", "-", given=text.encode())
        _demand(done, f"The stored diff does not fit the code in {worktree}")


def _folder(package: Path, project: Path) -> Path:
    return package if _git(package, "ls-files", "--error-unmatch", "__init__.py") else project


def _beside(top: Path, folder: Path) -> dict[str, str]:
    # New files are announced in a copy of the index; what git stores for that, it stores outside the repository.
    objects, index = (top / (_git(top, "rev-parse", "--git-path", name) or name) for name in ("objects", "index"))
    (folder / "objects").mkdir()
    if index.exists():
        shutil.copyfile(index, folder / "index")
    stored = {"GIT_OBJECT_DIRECTORY": str(folder / "objects"), "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(objects)}
    return {"GIT_INDEX_FILE": str(folder / "index"), **stored}


def _announce_new_files(top: Path, beside: dict[str, str]) -> bool:
    # The smallest first, as long as they keep below the limit; whether that is all of them.
    names = _names(_run(top, "ls-files", "--others", "--exclude-standard", "-z", "--", ":/", *NOT_CODE))
    sizes = {name: (top / name).lstat().st_size for name in names if os.path.lexists(top / name)}
    order = sorted(sizes, key=lambda name: sizes[name])
    totals = accumulate(sizes[name] for name in order)
    chosen = [f":(top,literal){name}" for name, total in zip(order, totals, strict=True) if total <= MAX_DIFF_BYTES]
    add = ["add", "--intent-to-add", "--ignore-errors", "--pathspec-from-file=-", "--pathspec-file-nul"]
    done = _run(top, *add, given=os.fsencode("\0".join(chosen)), settings=beside) if chosen else None
    return len(chosen) == len(names) and (done is None or done.returncode == 0)


def _fits(done: Done, others: int = 0) -> bool:
    small = not done.returncode and others + len(done.stdout) <= MAX_DIFF_BYTES
    return small and _is_utf8(done.stdout) and not INNER_REPOSITORY.search(done.stdout)


def _is_utf8(patch: bytes) -> bool:
    return patch.decode(errors="replace").encode() == patch


def _file_by_file(top: Path, folder: Path, beside: dict[str, str]) -> Iterator[bytes | None]:
    """The patch of each file, None for one that is left out."""
    (folder / "attributes").write_text("* -diff\n")
    as_binary = ["-c", f"core.attributesFile={folder / 'attributes'}"]
    total = 0
    for name in _names(_run(top, *PATCH, "--name-only", "-z", "--", ":/", *NOT_CODE, settings=beside)):
        one = [*PATCH, "--", f":(top,literal){name}"]
        done = _run(top, *one, settings=beside)
        if not _is_utf8(done.stdout):  # text in another encoding
            done = _run(top, *as_binary, *one, settings=beside)
        if not _fits(done, total) or (ENCODED in done.stdout and _holds_secret(top, name)):
            yield None
        else:
            total += len(done.stdout)
            yield done.stdout


def _holds_secret(top: Path, name: str) -> bool:
    """Whether a binary file shows a secret, as it is or as it was: masking cannot see into the patch."""
    now = (top / name).read_bytes() if (top / name).is_file() else b""
    before = _run(top, "cat-file", "blob", f"HEAD:{name}").stdout
    texts = [content.replace(b"\0", b"").decode("latin-1") for content in (now, before)]
    return any(redact(text) != text for text in texts)


def _names(done: Done) -> list[str]:
    return [os.fsdecode(name) for name in done.stdout.split(b"\0") if name]


def _demand(done: Done, what: str) -> None:
    if done.returncode:
        lines = os.fsdecode(done.stderr).strip().splitlines() or [f"git ended with {done.returncode}"]
        raise SourceError(f"{what}: {lines[-1].removeprefix('fatal: ').removeprefix('error: ')}.")


def _git(folder: Path, *arguments: str) -> str | None:
    done = _run(folder, *arguments)
    return os.fsdecode(done.stdout).strip() if done.returncode == 0 else None


def _run(folder: Path, *arguments: str, given: bytes = b"", settings: dict[str, str] | None = None) -> Done:
    command = ["git", "-C", str(folder), *arguments]
    # Inside a git hook these name the hook's repository, not the one of this folder.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    # Else git status writes the index: killed in between, it leaves a lock that stops every other git command.
    environment["GIT_OPTIONAL_LOCKS"] = "0"
    try:
        return subprocess.run(  # noqa: S603
            command, input=given, capture_output=True, check=False, timeout=300, env=environment | (settings or {})
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        return subprocess.CompletedProcess(command, 1, b"", str(problem).encode())
