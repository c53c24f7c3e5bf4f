"""The environment that results may depend on: Python, platform, and the packages that matchclf needs."""

import os
import platform
import re
from collections.abc import Mapping

from matchclf import threads

NONE = "none"
HEADER = re.compile(r"^(Version|Requires-Dist): *(.*?) *$", re.MULTILINE)
NAME = re.compile(r"[A-Za-z0-9._-]+")
OF_AN_EXTRA = re.compile(r";.*\bextra\b")


def environment(distribution: str = "matchclf") -> dict[str, str]:
    """Names and versions in sorted order, for instance ``python`` and ``package.numpy``.

    The packages are those that a distribution requires, and those that they require, as far as they are installed;
    extras are left out.
    """
    machine = {
        "cpus": str(os.cpu_count()),
        "implementation": platform.python_implementation(),
        "machine": platform.machine(),
        "platform": platform.platform(),
        "python": platform.python_version(),
    }
    packages = {f"package.{name}": version for name, version in _packages(distribution).items()}
    return dict(sorted({**machine, **threads.settings(), **packages}.items()))


def differences(ours: Mapping[str, str], theirs: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Name, then (theirs) and now (ours) of whatever differs, sorted; ``none`` where one of them lacks it."""
    names = sorted({*ours, *theirs})
    rows = [(name, theirs.get(name, NONE), ours.get(name, NONE)) for name in names]
    return [row for row in rows if row[1] != row[2]]


def _packages(distribution: str) -> dict[str, str]:
    found: dict[str, str] = {}
    waiting, seen = [_normalised(distribution)], {""}
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            version, required = _headers(name)
            found |= {name: version} if version else {}
            waiting += required
    return found


def _headers(name: str) -> tuple[str, list[str]]:
    """Version and required packages of a distribution; an empty version where it is not installed."""
    from importlib import metadata  # brings a reader of mails, which --help does without

    try:
        text = metadata.distribution(name).read_text("METADATA") or ""
    except metadata.PackageNotFoundError:  # not needed on this platform
        return "", []
    # Parsing all of it, with the description, would take ten times as long.
    headers = HEADER.findall(text.partition("\n\n")[0])
    required = [value for key, value in headers if key == "Requires-Dist" and not OF_AN_EXTRA.search(value)]
    return dict(headers).get("Version", ""), [_required(value) for value in required]


def _required(requirement: str) -> str:
    found = NAME.match(requirement)
    return _normalised(found[0]) if found else ""


def _normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
