import subprocess
import sys
from pathlib import Path

import pytest

from matchclf.data.s3 import Location
from matchclf.errors import ConfigError
from program import environment

URL = "expected one like https://host:9000; credentials come from the environment, a profile or a role."
NAME = "expected 3 to 63 letters, digits, '.', '-' or '_'."
KEY = "expected a key or a folder that ends with '/'."


@pytest.mark.parametrize("url", [None, "http://127.0.0.1:9000", "https://minio.example.org", "https://[::1]:9000/s3/"])
@pytest.mark.parametrize("key", ["E0.csv", "raw/2024/E0 (Köln).parquet", "raw/", "a...b/..c/d.csv"])
def test_usual_names_are_taken(url, key):
    location = Location("my-bucket.v1", key, url, "eu-central-1")
    assert str(location) == f"s3://my-bucket.v1/{key}"
    assert location.is_prefix == key.endswith("/")


def test_a_file_lies_below_its_bucket():
    location = Location("matches", "raw/")
    assert location.path_of("raw/2024/E0.csv", Path("data")) == Path("data/matches/raw/2024/E0.csv")


@pytest.mark.parametrize("bucket", ["", "ab", "..", ".hidden", "a/b", "-ab", "a b", "x" * 64, "ab\n", "bücher"])
def test_a_bucket_with_another_name_is_refused(bucket):
    with pytest.raises(ConfigError) as problem:
        Location(bucket, "E0.csv")
    assert str(problem.value) == f"data.bucket is {bucket!r}; {NAME}"


@pytest.mark.parametrize(
    ("key", "fault"),
    [
        ("", "has a part that is empty, '.' or '..'"),
        ("/", "has a part that is empty, '.' or '..'"),
        ("/E0.csv", "has a part that is empty, '.' or '..'"),
        ("raw//", "has a part that is empty, '.' or '..'"),
        ("../E0.csv", "has a part that is empty, '.' or '..'"),
        ("raw/./E0.csv", "has a part that is empty, '.' or '..'"),
        ("raw/../", "has a part that is empty, '.' or '..'"),
        ("raw/E0\n.csv", "has characters that cannot be printed"),
        ("raw/E0\x00.csv", "has characters that cannot be printed"),
        ("E0.csv.s3.json", "ends with .s3.json as our own notes do"),
    ],
)
def test_a_key_that_is_no_name_of_a_file_is_refused(key, fault):
    with pytest.raises(ConfigError) as problem:
        Location("matches", key)
    assert str(problem.value) == f"data.key is {key!r}, which {fault}; {KEY}"


@pytest.mark.parametrize("region", ["", "eu central", "EU", "x" * 64, "a\n"])
def test_a_region_with_another_name_is_refused(region):
    with pytest.raises(ConfigError) as problem:
        Location("matches", "E0.csv", region=region)
    assert str(problem.value) == "data.region is no name of a region; expected one like eu-central-1."


@pytest.mark.parametrize(
    "url",
    [
        "",
        "host:9000",
        "ftp://host",
        "http://",
        "http://:9000",
        "http://host:0",
        "http://host:x",
        "http://ho st",
        "http://[::1",
        "http://host\n",
    ],
)
def test_what_is_no_address_of_a_server_is_refused(url):
    with pytest.raises(ConfigError) as problem:
        Location("matches", "E0.csv", url)
    assert str(problem.value) == f"data.endpoint_url is no address of a server; {URL}"


@pytest.mark.parametrize(
    "url",
    [
        "http://planted:planted@host:9000",
        "http://planted@host",
        "https://:planted@host",
        "https://@host",
        "https://host/?X-Amz-Signature=planted",
        "https://host?planted",
        "https://host/#planted",
    ],
)
def test_an_address_with_a_secret_is_refused_without_repeating_it(url):
    with pytest.raises(ConfigError) as problem:
        Location("matches", "E0.csv", url)
    assert str(problem.value) == f"data.endpoint_url holds a user name, a password or a query; {URL}"


@pytest.mark.parametrize(
    "value",
    [
        "s3://planted:planted@matches/E0.csv",
        "https://matches.s3.amazonaws.com/E0.csv",
        "E0.csv?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=planted",
        "E0.csv?x-amz-signature=planted",
        "E0.csv?AWSAccessKeyId=planted&Expires=1&Signature=planted",
    ],
)
def test_a_url_in_place_of_a_name_is_refused_without_repeating_it(value):
    for name, names in (("data.bucket", (value, "E0.csv")), ("data.key", ("matches", value))):
        with pytest.raises(ConfigError) as problem:
            Location(*names)
        assert str(problem.value) == f"{name} is a URL or carries a signature; expected the name alone."


def test_boto3_is_not_loaded_before_it_is_needed():
    code = "import sys, matchclf.data.s3; print([name for name in sys.modules if name.startswith(('boto', 'pandas'))])"
    done = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")
