"""The locked versions are those that pyproject.toml asks for, and each file is known by its hashes."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import program

LOCKS = {"newest": "requirements.lock", "lowest": ".ci/lowest.lock"}
PYTHONS = ("3.11.0", "3.12.0", "3.13.0", "3.14.0")
HASH = re.compile("[0-9a-f]{64}")


def entries(name):
    """Each locked requirement with its hashes."""
    text = (program.ROOT / LOCKS[name]).read_text().replace(" \\\n", "")
    for line in text.splitlines():
        if not line.startswith("#"):
            requirement, *hashes = line.split("    --hash=sha256:")
            yield Requirement(requirement), hashes


def pins(name, python="3.11.0"):
    """The version of each distribution that a lock installs on Linux with this Python."""
    here = [one for one, _ in entries(name) if one.marker is None or one.marker.evaluate(on(python))]
    found = {canonicalize_name(one.name): Version(str(one.specifier).removeprefix("==")) for one in here}
    assert len(found) == len(here)
    return found


def on(python):
    short = python.rpartition(".")[0]
    return {"python_full_version": python, "python_version": short, "sys_platform": "linux", "extra": ""}


def wanted():
    project = tomllib.loads((program.ROOT / "pyproject.toml").read_text())
    own, extras = project["project"]["dependencies"], project["project"]["optional-dependencies"]
    return [Requirement(one) for one in [*own, *extras["dev"], *project["build-system"]["requires"]]]


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_version_has_hashes_and_names_no_index(name):
    found = list(entries(name))
    assert len(found) > 150
    assert [str(one) for one, hashes in found if not hashes or not all(map(HASH.fullmatch, hashes))] == []
    assert "://" not in (program.ROOT / LOCKS[name]).read_text()


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("name", LOCKS)
def test_every_requirement_is_locked_at_a_version_that_it_admits(name, python):
    locked = pins(name, python)
    assert len(wanted()) > 25
    assert [str(one) for one in wanted() if locked[canonicalize_name(one.name)] not in one.specifier] == []


def test_the_lowest_versions_are_the_lower_bounds():
    locked = pins("lowest")
    bounds = {one.name: [Version(part.version) for part in one.specifier if part.operator == ">="] for one in wanted()}
    first = {name: (lowest, locked[canonicalize_name(name)]) for name, (lowest,) in bounds.items()}
    assert {name: pair for name, pair in first.items() if len({_release(one) for one in pair}) > 1} == {}


def _release(version):
    return (*version.release, 0, 0)[:3]
