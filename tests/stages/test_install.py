"""The program as the wheel installs it: a fresh virtual environment, an empty folder, no source tree."""

import os
import subprocess
import sys
import sysconfig
import zipfile

import pytest

import program

pytestmark = pytest.mark.slow


def call(*command, **options):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=False, timeout=300, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    alone = ("--no-deps", "--no-index", "--no-build-isolation")
    call(sys.executable, "-m", "pip", "wheel", "--quiet", *alone, "--wheel-dir", folder, program.ROOT)
    (built,) = folder.glob("matchclf-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The ``bin`` folder of a virtual environment with the wheel, and everything else from this environment."""
    folder = tmp_path_factory.mktemp("venv")
    call(sys.executable, "-m", "venv", "--without-pip", folder)
    call(sys.executable, "-m", "pip", "--python", folder / "bin/python", "install", "--quiet", "--no-deps", wheel)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "outer.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin"


@pytest.fixture(scope="module")
def clean():
    return {name: value for name, value in program.environment().items() if name != "PYTHONPATH"}


def test_the_wheel_ships_every_config_file_and_params_yaml(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    shipped = {name.removeprefix("matchclf/conf/") for name in names if name.startswith("matchclf/conf/")}
    assert shipped == program.files(program.ROOT / "conf")
    assert "matchclf/params.yaml" in names
    sources = {path for path in program.files(program.ROOT / "src") if path.endswith(".py")}
    assert {name for name in names if name.endswith(".py")} == sources
    tops = {name.split("/")[0] for name in names}
    assert tops == {"matchclf", "hydra_plugins", next(name.split("/")[0] for name in names if ".dist-info/" in name)}


def test_an_installed_program_runs_in_an_empty_folder_and_leaves_everything_there(installed, clean, tmp_path):
    show = "import matchclf.compose as c; print(c.CONF, c.params_file())"
    for path in call(installed / "python", "-c", show, cwd=tmp_path, env=clean).split():
        assert path.startswith(str(installed.parent)), path
    out = call(installed / "python", "-m", "matchclf", "experiment=smoke", *program.TINY, cwd=tmp_path, env=clean)
    models = [(f"model | {name}", "FINISHED") for name in ("dummy", "logreg", "hgb", "xgb")]
    assert program.tree(tmp_path) == [("smoke | train_eval | frac=0.001 | feat=full", "FINISHED", models)]
    expected = {"data", "mlartifacts", "mlflow.db", "multirun"}
    assert {path.name for path in tmp_path.iterdir() if not path.name.startswith(".")} >= expected
    assert {path.split("/")[0] for path in program.files(installed.parent)} <= {"bin", "lib", "pyvenv.cfg", "include"}
    assert "best " in out


def test_the_console_script_is_the_same_program(installed, clean, tmp_path):
    shown = call(installed / "matchclf", "--help", cwd=tmp_path, env=clean)
    assert shown == call(installed / "python", "-m", "matchclf", "--help", cwd=tmp_path, env=clean)
    job = call(installed / "matchclf", "--cfg", "job", "variant=elo_only", cwd=tmp_path, env=clean)
    assert "profile: elo_only" in job


def test_bash_completes_the_console_script(installed, clean, tmp_path):
    script = """
        eval "$(matchclf -sc install=bash)"
        COMP_LINE="matchclf variant=elo" COMP_POINT=20 COMP_CWORD=1
        hydra_bash_completion
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    path = {"PATH": os.pathsep.join([str(installed), clean["PATH"]])}
    assert call("bash", "-c", script, cwd=tmp_path, env=clean | path) == "variant=elo_only\n"
