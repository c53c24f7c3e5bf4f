"""compose.yaml says what docs/team-server.md, .env.example and the lock say; no container is started here."""

import configparser
import re
import shutil
import subprocess

import pytest
import yaml

import program

TEXT = (program.ROOT / "compose.yaml").read_text()
SERVICES = yaml.safe_load(TEXT)["services"]
DOCS = (program.ROOT / "docs/team-server.md").read_text()
EXAMPLE = (program.ROOT / ".env.example").read_text()
DOCKERFILE = (program.ROOT / "docker/mlflow/Dockerfile").read_text()
LOCK = (program.ROOT / "requirements.lock").read_text()
# A dollar that Compose leaves to the shell is written twice.
USED = re.findall(r"(?<!\$)\$\{?(\w+)([^}\s]*)\}?", TEXT)
NAMES = sorted({name for name, _ in USED})


def table(heading):
    """The first column of the table with this heading, all names that stand in it."""
    rows = DOCS.split(f"| {heading} |")[1].split("\n\n")[0].splitlines()[2:]
    return sorted(name for row in rows for name in re.findall("`([^`]+)`", row.split("|")[1]))


def test_a_variable_that_is_missing_is_refused_and_none_has_a_default():
    assert len(NAMES) == 8
    assert {rule for _, rule in USED} == {":?"}


def test_every_variable_is_in_the_docs_and_in_the_example_which_holds_no_password():
    assert table("variable") == NAMES
    lines = dict(line.split("=", 1) for line in EXAMPLE.splitlines() if not line.startswith("#"))
    assert sorted(lines) == NAMES
    assert {name for name, value in lines.items() if value} == {"MLFLOW_ALLOWED_HOSTS"}


def test_every_image_is_in_the_docs_with_its_version():
    images = [service["image"] for service in SERVICES.values()]
    assert table("image") == sorted(images)
    assert [image for image in images if not re.search(r":\w*\.?\d+\.\d|:RELEASE\.\d{4}-", image)] == []
    (base,) = re.findall("^FROM (.*)$", DOCKERFILE, re.MULTILINE)
    assert f"`{base}`" in DOCS


def test_the_server_has_the_versions_that_the_tests_run_with():
    installed = dict(re.findall(r"([\w-]+)(?:\[binary\])?==([\d.]+)", DOCKERFILE))
    assert sorted(installed) == ["boto3", "flask-wtf", "mlflow", "psycopg", "sqlalchemy"]
    assert {name: re.findall(rf"^{name}==(\S+)", LOCK, re.MULTILINE) for name in installed} == {
        name: [version] for name, version in installed.items()
    }
    assert SERVICES["mlflow"]["image"] == f"matchclf-mlflow:{installed['mlflow']}"


def test_database_and_bucket_of_the_server_are_those_of_the_other_services():
    command = dict(one.split("=", 1) for one in SERVICES["mlflow"]["command"] if "=" in one)
    database = SERVICES["postgres"]["environment"]
    uri = f"postgresql+psycopg://{database['POSTGRES_USER']}@postgres:5432/{database['POSTGRES_DB']}"
    settings = configparser.ConfigParser()
    settings.read(program.ROOT / "docker/mlflow/basic_auth.ini")
    assert (command["--backend-store-uri"], settings["mlflow"]["database_uri"]) == (uri, uri)
    bucket = command["--artifacts-destination"].removeprefix("s3://").split("/")[0]
    assert f"mc mb --ignore-existing store/{bucket}\n" in SERVICES["bucket"]["command"][0]
    assert f"mlflow db upgrade {uri}\n" in DOCS


def test_every_service_that_stays_is_watched_and_its_data_are_in_named_volumes():
    stays = {name: service for name, service in SERVICES.items() if "restart" in service}
    assert sorted(stays) == ["minio", "mlflow", "postgres"]
    assert [name for name, service in stays.items() if "healthcheck" not in service] == []
    named = [one.split(":")[0] for service in SERVICES.values() for one in service.get("volumes", [])]
    assert sorted(named) == sorted(yaml.safe_load(TEXT)["volumes"])
    assert [port for service in SERVICES.values() for port in service.get("ports", [])] == ["127.0.0.1:5000:5000"]


def compose(*arguments, **variables):
    docker = shutil.which("docker")
    if not docker or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("There is no docker compose on this machine.")
    command = [docker, "compose", "--file", program.ROOT / "compose.yaml", "--env-file", "/dev/null", *arguments]
    return subprocess.run(command, env=program.environment(**variables), capture_output=True, text=True, check=False)


def test_docker_compose_takes_the_file_and_refuses_it_without_a_variable():
    values = dict.fromkeys(NAMES, "long-enough-for-a-test")
    assert compose("config", "--quiet", **values).returncode == 0
    missing = compose("config", "--quiet", **(values | {"MLFLOW_SECRET_KEY": ""}))
    assert missing.returncode != 0
    assert "MLFLOW_SECRET_KEY" in missing.stderr
