"""The environment that a result may depend on: interpreter, platform, versions of all packages matchclf requires."""

import os
import platform
import re
from importlib.metadata import PackageNotFoundError, distribution

DISTRIBUTION = "matchclf"
ABSENT = "absent"


def environment() -> dict[str, str]:
    """Python, platform, cores, and ``package.NAME`` of every installed package that matchclf requires, sorted."""
    found = {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        "machine": platform.machine(),
        "cores": str(os.cpu_count()),
    }
    packages = {f"package.{name}": version for name, version in sorted(_required().items())}
    return found | packages


def differences(before: dict[str, str], now: dict[str, str]) -> list[tuple[str, str, str]]:
    """Name, value before and value now of what is not the same."""
    names = sorted(before.keys() | now.keys())
    pairs = [(name, before.get(name, ABSENT), now.get(name, ABSENT)) for name in names]
    return [pair for pair in pairs if pair[1] != pair[2]]


def _required() -> dict[str, str]:
    """Versions of the packages that matchclf requires, and of those that they require; extras left out."""
    found: dict[str, str] = {}
    waiting = [DISTRIBUTION]
    while waiting:
        name = _normal(waiting.pop())
        if name in found:
            continue
        try:
            package = distribution(name)
        except PackageNotFoundError:
            continue
        found[name] = package.version
        waiting += [_name(line) for line in package.requires or [] if "extra ==" not in line]
    return found


def _name(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0]


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
