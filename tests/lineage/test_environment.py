import os
import platform
import subprocess
import sys
import time
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from matchclf.lineage.environment import differences, environment


def needed(name, seen):
    """What a distribution needs, told by the parsers of importlib and packaging: slow, obvious."""
    if canonicalize_name(name) not in seen:
        try:
            found = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            return
        seen[canonicalize_name(name)] = found.version
        for line in found.requires or []:
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                needed(requirement.name, seen)


def install(folder, name, version, *lines, text=""):
    """Describe a distribution in a folder as installers do."""
    described = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    described.mkdir()
    headers = ["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}", *lines]
    (described / "METADATA").write_text("\n".join(headers) + "\n\n" + text)


@pytest.fixture
def packages(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_the_packages_are_those_that_matchclf_needs_with_the_versions_that_are_installed():
    seen = {}
    needed("matchclf", seen)
    assert {"numpy", "scikit-learn", "xgboost", "pandas", "mlflow", "scipy"} < set(seen)
    found = environment()
    assert {name: found[f"package.{name}"] for name in seen} == seen


def test_nothing_but_packages_that_are_installed_is_named():
    names = [name.removeprefix("package.") for name in environment() if name.startswith("package.")]
    assert {name: metadata.version(name) for name in names} == {
        name: environment()[f"package.{name}"] for name in names
    }
    assert "ruff" not in names
    assert "hypothesis" not in names


def test_python_platform_processors_and_the_bounds_on_threads_are_told(monkeypatch):
    for name in ("MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    found = {name: value for name, value in environment().items() if not name.startswith("package.")}
    assert found == {
        "OMP_NUM_THREADS": "2",
        "cpus": str(os.cpu_count()),
        "implementation": platform.python_implementation(),
        "machine": platform.machine(),
        "platform": platform.platform(),
        "python": platform.python_version(),
    }


def test_requirements_are_followed_by_any_spelling_of_a_name_without_extras(packages):
    install(
        packages, "a_one", "1.0", "Requires-Dist: B.two[fast]<3,>=2 ; python_version > '3'", "Requires-Dist:c-three"
    )
    install(packages, "b-two", "2.1", "Requires-Dist: a-one", 'Requires-Dist: d-four; extra == "fast"')
    install(packages, "c-three", "3.0rc1", "Provides-Extra: x", "Requires-Dist: not-installed (>=1)")
    install(packages, "d-four", "4.0")
    found = {name: version for name, version in environment("A.One").items() if name.startswith("package.")}
    assert found == {"package.a-one": "1.0", "package.b-two": "2.1", "package.c-three": "3.0rc1"}


def test_what_a_description_says_is_no_header(packages):
    install(packages, "a-one", "1.0", text="Version: 9.9\nRequires-Dist: b-two\n")
    install(packages, "b-two", "2.0")
    assert environment("a-one")["package.a-one"] == "1.0"
    assert "package.b-two" not in environment("a-one")


def test_a_copy_that_is_not_installed_has_no_packages():
    assert [name for name in environment("matchclf-nowhere") if name.startswith("package.")] == []


def test_names_and_values_are_texts_in_sorted_order():
    found = environment()
    assert list(found) == sorted(found)
    assert {type(value) for value in found.values()} == {str}
    assert "" not in found.values()


def test_two_processes_tell_the_same():
    code = "import json; from matchclf.lineage.environment import environment; print(json.dumps(environment()))"
    told = [subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout for _ in range(2)]
    assert told[0] == told[1]


def test_it_starts_no_process_and_takes_a_moment():
    started = []
    sys.addaudithook(lambda event, _: started.append(event) if event == "subprocess.Popen" else None)
    environment()
    began = time.process_time()
    environment()
    # 0.03 s where it was measured.
    assert time.process_time() - began < 0.3
    assert started == []


def test_differences_name_what_was_and_what_is():
    theirs = {"python": "3.11.7", "package.numpy": "2.3.0", "package.old": "1.0", "machine": "x86_64"}
    ours = {"python": "3.12.1", "package.numpy": "2.3.0", "package.new": "2.0", "machine": "x86_64"}
    assert differences(ours, theirs) == [
        ("package.new", "none", "2.0"),
        ("package.old", "1.0", "none"),
        ("python", "3.11.7", "3.12.1"),
    ]


def test_an_environment_does_not_differ_from_itself():
    assert differences(environment(), environment()) == []
