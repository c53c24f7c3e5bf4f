import base64
import configparser
import html
import io
import json
import logging
import os
import random
import re
import string
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote, quote_plus, urlencode

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from examples import examples
from matchclf.errors import ConfigError
from matchclf.redaction import MASK, redact, redact_record, redact_tree, refuse_secrets, secret_key
from program import ROOT

# No one's: made for these tests in the forms that their services publish.
LETTERS = "q7Zr2Kf9Xw4Lm8Tb3Nc6Vd1Hs5Jg0PyEaUiOoRtYp"
AWS_SECRET = "wJ7rXUt/F3EMI+K9MDENG2bPxRfiCY1zzLEK4Q5a"
SHA1, SHA256 = (
    "8f3b2a9c4d5e6f708192a3b4c5d6e7f809a1b2c3",
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
)

# A spelling, of which there are ten or more a property.
EXAMPLES = 20


@contextmanager
def environment(**values):
    """Variables set for a while; a fixture would not be undone between the examples of one test."""
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def in_base64(text, secret):
    """Whether base64 letters, read from any of them on, hold six bytes of the secret: slow and obvious."""
    pieces = [secret.encode()[begin : begin + 6] for begin in range(len(secret.encode()) - 5)]
    for run in re.findall(r"[A-Za-z0-9+/_-]{8,}", text):
        for begin in range(4):
            letters = run[begin:].replace("-", "+").replace("_", "/")
            decoded = base64.b64decode(letters[: len(letters) // 4 * 4])
            if any(piece in decoded for piece in pieces):
                return True
    return False


# What the environment holds.

NOT_TYPED = ["Cs", "Cc", "Zl", "Zp"]
ANY = st.text(st.characters(exclude_characters="\xa0⟦⟧", exclude_categories=NOT_TYPED), min_size=12, max_size=40)
TYPED = st.text(string.ascii_letters + string.digits + string.punctuation + " ", min_size=12, max_size=40)


def telling(secret):
    # Neither a word nor a number, without blanks around it, and without our mask in it.
    kinds = any(map(str.isalpha, secret)) and any(map(str.isdigit, secret)) and len(set(secret)) > 5
    return kinds and secret == secret.strip() and "*" not in secret


SECRETS = st.one_of(TYPED, ANY).filter(telling)
SPELLINGS = {
    "plain": str,
    "quote": quote,
    "quote all": lambda secret: quote(secret, safe=""),
    "quote_plus": quote_plus,
    "quoted small": lambda secret: re.sub(r"%..", lambda found: found[0].lower(), quote(secret, safe="")),
    "quoted twice": lambda secret: quote(quote(secret, safe=""), safe=""),
    "json": lambda secret: json.dumps(secret)[1:-1],
    "json, any letters": lambda secret: json.dumps(secret, ensure_ascii=False)[1:-1],
    "json in json": lambda secret: json.dumps(json.dumps(secret))[3:-3],
    "ascii": lambda secret: ascii(secret)[1:-1],
    "repr": lambda secret: repr(secret)[1:-1],
    "bytes": lambda secret: repr(secret.encode())[2:-1],
    "html": html.escape,
    "yaml, single quotes": lambda secret: secret.replace("'", "''"),
    "yaml": lambda secret: yaml.safe_dump(secret, default_style='"', width=10**6).strip()[1:-1],
}


@pytest.mark.parametrize("name", SPELLINGS)
@given(secret=SECRETS)
@examples(EXAMPLES)
def test_a_secret_of_the_environment_is_masked_however_it_is_spelled(name, secret):
    with environment(MLFLOW_TRACKING_PASSWORD=secret):
        assert redact(f"left ⟦{SPELLINGS[name](secret)}⟧ right") == f"left ⟦{MASK}⟧ right"


BREAKS = {
    "plain": "\n",
    "windows": "\r\n",
    "indented": "\n        ",
    "continued": "\\\n",
    "two texts": '"\n    "',
    "joined": "' +\n    '",
    "continued text": '" \\\n  "',
    "diff": "\n+",
    "deeper diff": "\n+    ",
    "comment": "\n# ",
    "quotation": "\n> ",
    "json": "\\n",
    "json, windows": "\\r\\n",
    "json in json": "\\\\n",
    "address": "%0A",
}


@pytest.mark.parametrize("name", BREAKS)
@given(secret=SECRETS, data=st.data())
@examples(EXAMPLES)
def test_a_secret_of_the_environment_is_masked_across_line_breaks(name, secret, data):
    cuts = sorted(data.draw(st.sets(st.integers(1, len(secret) - 1), min_size=1, max_size=3)))
    parts = [secret[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(secret)], strict=True)]
    with environment(AWS_SESSION_TOKEN=secret):
        assert redact(f"left ⟦{BREAKS[name].join(parts)}⟧ right") == f"left ⟦{MASK}⟧ right"


@given(secret=SECRETS, before=st.binary(max_size=5), after=st.binary(max_size=5), data=st.data())
@examples(200)
def test_a_secret_of_the_environment_is_masked_in_base64_at_every_alignment(secret, before, after, data):
    encode = data.draw(st.sampled_from([base64.b64encode, base64.urlsafe_b64encode, base64.encodebytes]))
    wrap = data.draw(st.sampled_from([str, quote_plus, json.dumps]))
    text = wrap(encode(before + secret.encode() + after).decode())
    assert in_base64(re.sub(r"%0A|\\n|\n", "", text).replace("%2B", "+").replace("%2F", "/"), secret)
    with environment(AWS_SECRET_ACCESS_KEY=secret):
        found = redact(f"left |{text}| right")
    assert MASK in found
    assert not in_base64(re.sub(r"%0A|\\n|\n", "", found).replace("%2B", "+").replace("%2F", "/"), secret)


NAMES = ("AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "MLFLOW_TRACKING_TOKEN", "PGPASSWORD", "HF_TOKEN", "MY_API_KEY")


@pytest.mark.parametrize("name", NAMES)
def test_every_variable_with_the_name_of_a_secret_counts(name):
    with environment(**{name: LETTERS}):
        assert redact(f"it is {LETTERS}.") == f"it is {MASK}."


def test_blanks_around_a_variable_do_not_count():
    with environment(MY_TOKEN=f" {LETTERS}\n"):
        assert redact(f"it is {LETTERS}.") == f"it is {MASK}."


def test_other_variables_do_not_count():
    with environment(SSH_AUTH_SOCK="/tmp/ssh-x1/agent.7", TOKEN_FILE=LETTERS, MATCH_KEY=LETTERS, PWD="/home/anna2026"):
        text = f"/tmp/ssh-x1/agent.7 {LETTERS} /home/anna2026"
        assert redact(text) == text


def test_the_password_in_an_address_of_the_environment_counts_also_alone():
    with environment(MLFLOW_TRACKING_URI="https://anna:p%40ss1234word@host:5000/x"):
        assert redact("401 for anna with p@ss1234word, p%40ss1234word") == f"401 for anna with {MASK}, {MASK}"


@pytest.mark.parametrize(
    "value", ["", "true", "football", "matches", "MATCHES", "12345678", "2024-01-01", "minioadmin"]
)
def test_a_value_that_may_stand_anywhere_by_chance_is_not_masked_everywhere(value):
    with environment(MY_TOKEN=value):
        text = f"{value} 2024-01-01 football matches MATCHES 12345678 true minioadmin"
        assert redact(text) == text


def test_a_secret_that_begins_with_another_one_is_masked_whole():
    with environment(A_TOKEN=LETTERS[:12], B_TOKEN=LETTERS):
        assert redact(f"{LETTERS} {LETTERS[:12]}") == f"{MASK} {MASK}"


def test_a_secret_of_several_lines_is_masked_indented_escaped_and_joined():
    key = "first7line8of9it\nsecond1line2of3it\n"
    with environment(SIGNING_KEY=key):
        for text in (key, key.replace("\n", "\n    "), json.dumps(key)[1:-1], key.replace("\n", "\r\n")):
            assert "7line8" not in redact(text), text
            assert "1line2" not in redact(text), text


# What stands after the name of a secret.

KEY_NAMES = ["password", "db_passwd", "client_secret", "apiKey", "api-key", "AWS_SECRET_ACCESS_KEY", "tracking.token"]
KEY_NAMES += ["authToken", "private_key", "credentials", "basic_auth", "SecretAccessKey", "DB_PWD", "passphrase"]
KEYS = st.sampled_from([*KEY_NAMES, "account_key", "Cookie"])
PIECE = st.text(string.ascii_letters + string.digits, min_size=6, max_size=12).filter(telling)
JOINTS = st.text(string.punctuation.replace("*", "") + " ", min_size=1, max_size=3)
# Whoever finds six letters of one of the pieces has found the secret.
ANY_VALUE = st.lists(PIECE, min_size=2, max_size=4).flatmap(
    lambda pieces: st.lists(JOINTS, min_size=len(pieces), max_size=len(pieces)).map(
        lambda joints: (pieces, "".join(map("".join, zip(pieces, joints, strict=True))))
    )
)
ONE_WORD = st.lists(PIECE, min_size=1, max_size=3).flatmap(
    lambda pieces: st.sampled_from(["", "/", "+", "-", "_", ".", "!", "#", "@", "%", "?", "^", ":", "=", ","]).map(
        lambda joint: (pieces, joint.join(pieces))
    )
)
WRITTEN = {
    "yaml": lambda key, value: yaml.safe_dump({"user": "anna", key: value, "rounds": 3}, sort_keys=False),
    "yaml, narrow": lambda key, value: yaml.safe_dump(
        {"a": {"b": {key: value}}, "rounds": 3}, width=20, sort_keys=False
    ),
    "yaml, a list": lambda key, value: yaml.safe_dump([{key: value, "rounds": 3}], sort_keys=False),
    "yaml, in braces": lambda key, value: yaml.safe_dump({key: value, "rounds": 3}, default_flow_style=True),
    "yaml, single quotes": lambda key, value: yaml.safe_dump({key: value}, default_style="'"),
    "yaml, double quotes": lambda key, value: yaml.safe_dump({key: value}, default_style='"', width=20),
    "yaml, block": lambda key, value: yaml.safe_dump({key: f"{value}\n{value}", "rounds": 3}, default_style="|"),
    "yaml, folded": lambda key, value: f"a:\n  {key}: >-\n    {value}\n\n    {value}\n  rounds: 3\n",
    "yaml, several": lambda key, value: yaml.safe_dump({key: [value, {"other": value}], "rounds": 3}),
    "json": lambda key, value: json.dumps({"user": "anna", key: value, "rounds": 3}),
    "json, indented": lambda key, value: json.dumps({"a": [{key: value, "rounds": 3}]}, indent=2),
    "json in json": lambda key, value: json.dumps({"text": json.dumps({key: value}), "rounds": 3}),
    "json in json in json": lambda key, value: json.dumps([json.dumps([json.dumps({key: value})])]),
    "json, nested": lambda key, value: json.dumps({key: {"user": "anna", "other": [value, value]}, "rounds": 3}),
    "python": lambda key, value: repr({"user": "anna", key: value, "rounds": 3}),
    "python, pairs": lambda key, value: repr([("user", "anna"), (key, value)]),
    "python, bytes": lambda key, value: repr({key: value.encode(), "rounds": 3}),
    "python, call": lambda key, value: f"connect(user='anna', {key.replace('.', '_')}={value!r}, rounds=3)",
    "python, typed": lambda key, value: f"{key}: str | None = {value!r}",
    "python, item": lambda key, value: f"config[{key!r}] = {value!r}",
    "python, two texts": lambda key, value: f"{key} = (\n    {value!r}\n    {value!r}\n)",
    "python, joined": lambda key, value: f"{key} = {value!r} \\\n    {value!r}",
    "python, three quotes": lambda key, value: f'{key} = """{value}\n{value} """',
    "diff": lambda key, value: f"@@ -1 +1 @@\n context\n-{key}: {value!r}\n+{key}: {value!r}\n",
    "ini": lambda key, value: ini({key: value}),
    "dotenv": lambda key, value: f"USER=anna\nexport {key}={json.dumps(value)}\n",
    "toml": lambda key, value: f"[a]\n{key} = {json.dumps(value)}\n",
    "override": lambda key, value: repr(["rounds=3", f"+{key}={value}", "stage=ablation"]),
    "overrides in yaml": lambda key, value: yaml.safe_dump(["rounds=3", f"++{key}={value}", "stage=ablation"]),
    "address": lambda key, value: "GET /x?" + urlencode({"a": 1, key: value, "b": 2}),
    "xml": lambda key, value: f"<a><{key}>{html.escape(value, quote=False)}</{key}><b>1</b></a>",
    "flag": lambda key, value: f"program --{key} {json.dumps(value)} --rounds 3",
}
WORDS = {
    "log": lambda key, value: f"connecting with {key}={value} rounds=3",
    "log, line": lambda key, value: f"{key}={value} rounds=3",
    "log, list": lambda key, value: f"user=anna, {key}={value}, rounds=3",
    "told": lambda key, value: f"The {key}: {value} was refused.",
    "dotenv": lambda key, value: f"USER=anna\n{key.upper()}={value}\n",
    "overrides": lambda key, value: f"stage=ablation {key}={value} rounds=3",
    "override": lambda key, value: f"'+{key}={value}'",
    "flag": lambda key, value: f"program --{key} {value} --rounds 3",
    "flag, sign": lambda key, value: f"program --{key}={value} --rounds 3",
    "diff": lambda key, value: f"-{key}={value}\n+{key}={value}\n rounds=3",
    "wrong json": lambda key, value: f'{{"user": "anna", "{key}": {value}, "rounds": 3}}',
    "call": lambda key, value: f"connect({key}={value}, rounds=3)",
    "braces": lambda key, value: f"{{user: anna, {key}: {value}, rounds: 3}}",
    "lock": lambda key, value: f"params:\n  - x:\n      {key}: {value}\n      rounds: 3\n",
}


def ini(values):
    parser = configparser.RawConfigParser()
    parser.read_dict({"a": {key: value.replace("\n", " ") for key, value in values.items()}})
    out = io.StringIO()
    parser.write(out)
    return out.getvalue()


def hides(text, pieces, key):
    found = redact(text)
    assert MASK in found
    assert not [piece for piece in pieces if piece in found and piece not in key], found
    assert redact(found) == found
    return found


@pytest.mark.parametrize("name", WRITTEN)
@given(key=KEYS, planted=ANY_VALUE)
@examples(EXAMPLES)
def test_a_quoted_or_written_out_value_under_the_name_of_a_secret_is_masked(name, key, planted):
    pieces, value = planted
    found = hides(WRITTEN[name](key, value), pieces, key)
    assert "rounds" in found or "rounds" not in WRITTEN[name](key, value) or set("\\'") & set(value)


@pytest.mark.parametrize("name", WORDS)
@given(key=KEYS, planted=ONE_WORD)
@examples(EXAMPLES)
def test_a_bare_word_under_the_name_of_a_secret_is_masked(name, key, planted):
    pieces, value = planted
    found = hides(WORDS[name](key, value), pieces, key)
    assert ("rounds" in found) == ("rounds" in WORDS[name](key, value))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("password=hunter2 user=joe", f"password={MASK} user=joe"),
        ('{"password": "hunter2", "user": "joe"}', f'{{"password": "{MASK}", "user": "joe"}}'),
        ("{'token': 'hunter2', 'n': 3}", f"{{'token': '{MASK}', 'n': 3}}"),
        ('"{\\"token\\": \\"a\\\\\\"b\\", \\"n\\": 3}"', f'"{{\\"token\\": \\"{MASK}\\", \\"n\\": 3}}"'),
        ("token: two words # from the vault\nnext: 1", f"token: {MASK} # from the vault\nnext: 1"),
        ("  credentials:\n    user: joe\n    key: x\n  next: 1", f"  credentials:{MASK}\n  next: 1"),
        ("password: |\n  one\n\n  two\nnext: 1", f"password: {MASK}\nnext: 1"),
        ("tokens:\n- x\n", "tokens:\n- x\n"),
        ("Authorization: Basic am9lOmh1bnRlcjI=\r\nHost: x", f"Authorization: {MASK}\r\nHost: x"),
        ("curl -H 'Authorization: Bearer abc' host", f"curl -H 'Authorization: {MASK}' host"),
        ("auth=('joe', 'hunter2'), n=3", f"auth={MASK}, n=3"),
        ("<SessionToken>abc</SessionToken><a>b</a>", f"<SessionToken>{MASK}</SessionToken><a>b</a>"),
        ("docker run --password hunter2 image", f"docker run --password {MASK} image"),
        ('"password": "x1"\n"rounds": 3', f'"password": "{MASK}"\n"rounds": 3'),
        ("password: 'hun\\''ter2'\nrounds: 3", f"password: '{MASK}'\nrounds: 3"),
        ('password="two ""words"" here" n=3', f'password="{MASK}" n=3'),
        ('{"a": 1, "password":\n  "hunter2"}', f'{{"a": 1, "password":\n  "{MASK}"}}'),
        ('"password": two words, n: 3', f'"password": {MASK}, n: 3'),
        ("{user: a, password: hun,ter2, n: 3}", f"{{user: a, password: {MASK}, n: 3}}"),
        ("password = two words=x\nn = 3", f"password = {MASK}\nn = 3"),
        ("- a.password=two words=x\n- n=3", f"- a.password={MASK}\n- n=3"),
        ("password: hunter2\n- n", f"password: {MASK}\n- n"),
        ("sent Authorization: Digest user=joe, response=6629", f"sent Authorization: {MASK}"),
        # Whether the backslash escapes depends on the language: masked as far as either reading goes.
        ("{'password': 'a\"b\\'', 'token': 'hunter2', 'n': 3}", f"{{'password': '{MASK}'token': '{MASK}', 'n': 3}}"),
        ("{'password': 'a\"b\\'', token=hunter2, 'n': 3}", f"{{'password': '{MASK}'n': 3}}"),
        ("{'password': 'a\"b\\'', token=hun'ter2, 'n': 3}", f"{{'password': '{MASK}, 'n': 3}}"),
        ("PIN_TOKEN=12345", f"PIN_TOKEN={MASK}"),
        ("export A_TOKEN=two words\nB=3", f"export A_TOKEN={MASK}\nB=3"),
        ("'password' => 'hunter2', 'a' => 1", f"'password' => '{MASK}', 'a' => 1"),
        ("password: ${oc.env:PW,hunter2}", f"password: {MASK}"),
        ('os.environ.get("DB_PASSWORD", "hunter2")', f'os.environ.get("DB_PASSWORD", "{MASK}")'),
        ("AccountName=a;AccountKey=abc==;EndpointSuffix=x", f"AccountName=a;AccountKey={MASK};EndpointSuffix=x"),
        ("UID=joe;PWD=hunter2;Server=x", f"UID=joe;PWD={MASK};Server=x"),
        ("password = 'never closed", f"password = '{MASK}"),
    ],
)
def test_the_rest_of_the_text_stays(text, expected):
    assert redact(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "password: null\ntoken: ''\nsecret: ~\nauth: none\npassword: ***\n",
        '{"password": null, "token": "", "auth": false, "secret": "***", "pin_token": "${A_TOKEN}"}',
        "password: ${oc.env:MLFLOW_TRACKING_PASSWORD}\ntoken: $TOKEN\nsecret: <your secret>\n",
        "def open(token: str, password: str | None = None, auth: tuple[str, str] = ()) -> None:",
        "    token = page.token\n    token = None\n    token = get_token(store)\n    while token:",
        "client.search(page_token=token, password=self.password, secret=config.tracking.secret)",
        'password = os.environ["MLFLOW_TRACKING_PASSWORD"]',
        'f"token={token} password={self.password}"',
        '("password", "token", "secret", "match_key", "ExpiredToken", "AWS_SESSION_TOKEN")',
        "data.token_file: /run/token\nsecret_name: production\nauth_type: basic\ntoken.py:12: error\n",
        "tests/test_token.py::test_a_token",
        "key: home_team\nmatch_key: [date, country]\nsource_key: a/b/c.parquet\nprimary_key=id",
        "The token is in the environment, the password too.",
    ],
)
def test_what_only_speaks_of_secrets_stays(text):
    assert redact(text) == text


# What looks like a secret.

SHAPES = {
    "key id": "AKIAIOSFODNN7EXAMPLE",
    "key id of a session": "ASIAIOSFODNN7EXAMPLE",
    "github": f"ghp_{LETTERS[:36]}",
    "github, fine": f"github_pat_{LETTERS[:22]}_{LETTERS}",
    "gitlab": f"glpat-{LETTERS[:20]}",
    "slack": f"xoxb-123456789012-{LETTERS[:24]}",
    "hugging face": f"hf_{LETTERS[:34]}",
    "openai": f"sk-proj-{LETTERS}",
    "databricks": "dapi0123456789abcdef0123456789abcdef",
    "google": f"AIza{LETTERS[:35]}",
    "json web token": f"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.{LETTERS}",
}


@pytest.mark.parametrize("name", SHAPES)
@pytest.mark.parametrize("frame", ["{}", "found {} there", "x={}&y=1", '["{}"]', "%3D{}%2F2026", "+{}\n", "a: {}, b"])
def test_a_key_of_a_service_is_masked_wherever_it_stands(name, frame):
    assert redact(frame.format(SHAPES[name])) == frame.format(MASK)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("s3://AKIAIOSFODNN7EXAMPLE:a/b+c@bucket/key", f"s3://{MASK}@bucket/key"),
        ("https://joe:p@ss@host:5000/a?b=c", f"https://{MASK}@host:5000/a?b=c"),
        ("postgresql+psycopg://joe:hunter2@host/db", f"postgresql+psycopg://{MASK}@host/db"),
        ("https://:hunter2@host", f"https://{MASK}@host"),
        (f"https://{LETTERS}@host", f"https://{MASK}@host"),
        ("ssh://git@github.com/a/b.git", "ssh://git@github.com/a/b.git"),
        ("http://localhost:8080/@scope/x?a=b@c", "http://localhost:8080/@scope/x?a=b@c"),
        ("http://host:5000 by joe@host", "http://host:5000 by joe@host"),
        (
            f"https://h/k?X-Amz-Date=20260101&X-Amz-Credential=x%2F1&X-Amz-Security-Token=a%2B&X-Amz-Signature={SHA256}",
            "https://h/k?X-Amz-Date=20260101&X-Amz-Credential=***&X-Amz-Security-Token=***&X-Amz-Signature=***",
        ),
        ("https://h/k?se=2026&sig=ab%2Fc&sp=r", f"https://h/k?se=2026&sig={MASK}&sp=r"),
        ("https://h/k?a=1&amp;Signature=abc", f"https://h/k?a=1&amp;Signature={MASK}"),
        (f"got Bearer {LETTERS}, sent", f"got Bearer {MASK}, sent"),
        ("Basic configuration of a bearer", "Basic configuration of a bearer"),
        (f"the secret access key {AWS_SECRET} of", f"the secret access key {MASK} of"),
        (f"AKIAIOSFODNN7EXAMPLE,{AWS_SECRET}", f"{MASK},{MASK}"),
        (f"the key {SHA1} of {AWS_SECRET}", f"the key {SHA1} of {AWS_SECRET}"),
        (
            "a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE+/\nx\n-----END RSA PRIVATE KEY-----\nb",
            f"a\n-----BEGIN RSA PRIVATE KEY-----{MASK}\nb",
        ),
        ("-----BEGIN PRIVATE KEY-----\nMIIE+/\ncut", f"-----BEGIN PRIVATE KEY-----{MASK}"),
        ("-----BEGIN CERTIFICATE-----\nMIIE\n", "-----BEGIN CERTIFICATE-----\nMIIE\n"),
    ],
)
def test_addresses_signatures_and_keys_are_masked_by_their_look(text, expected):
    assert redact(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        f"commit {SHA1} {SHA1[:7]}",
        f"params_hash: {SHA256[:16]}\nparams_file_hash: {SHA1[:16]}\nmd5: {SHA1[:32]}\nsha256: {SHA256}",
        f"run_id: {SHA1[:32]}\nmlartifacts/1/{SHA1[:32]}/artifacts/model",
        f'etag: "{SHA1[:32]}-12"\nversion_id: 3sL4kqtJlcpXroDTDmJrmSpXd3dIbrHY',
        "2026-11-22T13:39:34+00:00 2024-01-01 13:39:34,123",
        "elo_diff points_mean_5_home key_passes_mean_40_away outcome_1x2 gap_days",
        "xgboost==3.2.0 --hash=sha256:" + SHA256,
        'google-auth==2.62.2\n{"package.google-auth": "2.62.2"}\npackage.google-auth: 2.62.2\n',
        f"index {SHA1}..{SHA256[:40]} 100644",
        "sk-estimator-doc-link sk-toggleable__label-arrow task-runner",
        base64.b64encode(bytes(range(256))).decode(),
    ],
)
def test_digests_ids_dates_and_columns_stay_readable(text):
    assert redact(text) == text


def test_our_own_settings_pass_unchanged():
    files = [*(ROOT / "conf").rglob("*.yaml"), ROOT / "params.yaml"]
    assert len(files) > 30
    assert [file.name for file in files if redact(file.read_text()) != file.read_text()] == []


def test_none_of_our_own_keys_is_that_of_a_secret():
    def keys(value, above=""):
        if isinstance(value, dict):
            for key, item in value.items():
                yield f"{above}{key}"
                yield from keys(item, f"{above}{key}.")

    found = {key for file in (ROOT / "conf").rglob("*.yaml") for key in keys(yaml.safe_load(file.read_text()))}
    assert {"match_key", "name", "families.elo.k"} <= found
    assert sorted(filter(secret_key, found)) == []


# Nested values.


def test_a_tree_is_masked_by_name_by_look_and_by_source_without_changing_it():
    tree = {
        "data": {"key": "raw/E0.csv", "secret_key": "hunter2", "match_key": ["date", "country"]},
        "tracking": {
            "password": None,
            "token": "",
            "auth": ["joe", "hunter2"],
            "credentials": {"a": 1},
            "pin_token": 0,
        },
        "overrides": ["rounds=3", "+tracking.password=hunter2"],
        "uri": "http://joe:hunter2@host",
        "value": LETTERS,
        "path": Path("/x") / LETTERS,
        ("a", 1): (1, 0.5, None, True, LETTERS),
    }
    before = repr(tree)
    with environment(A_TOKEN=LETTERS):
        assert redact_tree(tree) == {
            "data": {"key": "raw/E0.csv", "secret_key": MASK, "match_key": ["date", "country"]},
            "tracking": {"password": None, "token": "", "auth": MASK, "credentials": MASK, "pin_token": MASK},
            "overrides": ["rounds=3", f"+tracking.password={MASK}"],
            "uri": f"http://{MASK}@host",
            "value": MASK,
            "path": MASK,
            ("a", 1): (1, 0.5, None, True, MASK),
        }
    assert repr(tree) == before


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["full", "raw/E0.csv", ""]),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["key", "name", "run_id", "seed"]), inner),
    )
)
@examples(200)
def test_a_tree_without_secrets_comes_back_as_it_is(tree):
    assert repr(redact_tree(tree)) == repr(tree)


# Names.

MORE_NAMES = ["data.secret_key", "tracking.password", "hydra.job.env_set.AWS_SECRET_ACCESS_KEY", "db.credentials.user"]
MORE_NAMES += ["awsSecretAccessKey", "APIKey", "x-api-key", "sessiontoken", "Authorization", "DB_PWD", "Passwd"]
OTHER_NAMES = ["match_key", "data.key", "run_id", "source_key", "key_passes", "author", "PWD", "OLDPWD", "tokenizer"]
OTHER_NAMES += ["max_tokens", "password_file", "token_url", "auth_type", "secret_name", "compass", "keys", "public_key"]
OTHER_NAMES += ["package.google-auth"]


@pytest.mark.parametrize("name", [*NAMES, *KEY_NAMES, *MORE_NAMES])
def test_names_of_secrets(name):
    assert secret_key(name)


@pytest.mark.parametrize("name", [*OTHER_NAMES, "monkey", "", "..", "1"])
def test_names_of_other_things(name):
    assert not secret_key(name)


# The command line.

REFUSED = {
    "data.secret_key=hunter2": "data.secret_key",
    "+tracking.password=x": "tracking.password",
    "++tracking.password=": "tracking.password",
    "hydra.job.env_set.AWS_SECRET_ACCESS_KEY=x": "hydra.job.env_set.AWS_SECRET_ACCESS_KEY",
    "data.key=${oc.env:AWS_SECRET_ACCESS_KEY}": "data.key",
    "data.key=${oc.env: MY_TOKEN,x}": "data.key",
    "tracking.uri=http://joe:hunter2@host:5000": "tracking.uri",
    "data.key=AKIAIOSFODNN7EXAMPLE": "data.key",
    "data.key={password:hunter2}": "data.key",
    f"data.key={LETTERS}": "data.key",
    f"data.key=a,{quote(LETTERS)}": "data.key",
    "--config-dir=http://joe:hunter2@host": "--config-dir",
    "AKIAIOSFODNN7EXAMPLE": MASK,
}


@pytest.mark.parametrize("argument", REFUSED)
def test_an_override_with_a_secret_is_refused_by_a_sentence_that_tells_the_key_alone(argument):
    with environment(MY_TOKEN=LETTERS), pytest.raises(ConfigError) as problem:
        refuse_secrets(["stage=ablation", argument, "rounds=3"])
    assert str(problem.value) == (
        f"{REFUSED[argument]} looks like a secret on the command line, from where it would reach files, logs and the "
        "tracking store; expected it in an environment variable (AWS_SECRET_ACCESS_KEY, MLFLOW_TRACKING_PASSWORD ...) "
        "or in the AWS profile."
    )


def test_ordinary_overrides_are_not_refused():
    arguments = ["stage=ablation", "--multirun", "variant=full,elo_only", "model=[logreg,xgb]", "data.key=raw/E0.csv"]
    arguments += [
        "data.match_key=[date,country]",
        "tracking.uri=http://127.0.0.1:5000",
        f"run_id={SHA1[:32]}",
        "~tuning",
    ]
    arguments += ["data.endpoint_url=${oc.env:S3_ENDPOINT}", "models.xgb.estimator.max_depth=int(interval(2, 7))"]
    arguments += ["hydra.run.dir=multirun/${now:%Y-%m-%d}", "data.date_formats=['%Y-%m-%d']", "-m", "--cfg", "job", ""]
    refuse_secrets(arguments)


# Log records.


@pytest.fixture
def log():
    """A logger of this test's own, and what its handler wrote."""
    out, logger = io.StringIO(), logging.Logger("test")
    handler = logging.StreamHandler(out)
    handler.addFilter(redact_record)
    logger.addHandler(handler)
    return logger, out


def test_message_and_arguments_of_a_record_are_redacted(log):
    logger, out = log
    logger.info("with password=%s for %d of %r", "hunter2", 3, {"token": "abc"})
    logger.info("%s of 100 %% done", 40)
    logger.info("100 % done")
    logger.info(ValueError("password=hunter2"))
    assert out.getvalue().splitlines() == [
        f"with password={MASK} for 3 of {{'token': '{MASK}'}}",
        "40 of 100 % done",
        "100 % done",
        f"password={MASK}",
    ]


def test_traceback_and_stack_of_a_record_are_redacted(log):
    logger, out = log
    try:
        raise ValueError("http://joe:hunter2@host")
    except ValueError as problem:
        logger.exception("failed: %s, password='hunter2'", problem, stack_info=True)
    lines = out.getvalue().splitlines()
    assert lines[0] == f"failed: http://{MASK}@host, password='{MASK}'"
    assert f"ValueError: http://{MASK}@host" in lines
    assert "Stack (most recent call last):" in lines
    assert "hunter2" not in out.getvalue()


def test_no_later_handler_sees_what_an_earlier_one_redacted(log):
    logger, _ = log
    seen = []
    later = logging.Handler()
    later.emit = seen.append
    logger.addHandler(later)
    try:
        raise ValueError("password=hunter2")
    except ValueError:
        logger.exception("failed")
    assert seen[0].exc_info is None
    assert f"ValueError: password={MASK}" in seen[0].exc_text


def test_a_record_whose_arguments_do_not_fit_is_told_redacted(log):
    logger, out = log
    logger.info("only %s", "one", "password=hunter2")
    assert out.getvalue() == f"only %s ('one', 'password={MASK}')\n"


# Speed.

UNITS = [
    "a",
    "A",
    "\\",
    " ",
    "\n",
    "'",
    '"',
    "=",
    "-",
    "--a ",
    "password=",
    'password="',
    "password: ",
    "password:\n ",
    "x=[",
]
UNITS += [
    "token=[",
    "token=[\n",
    "token=(a\n",
    "token=a(",
    "key",
    "keyAAAA1/",
    "AKIA",
    "://",
    "://a:",
    "://a:b@",
    "a.",
    '["',
]
UNITS += [
    "-----BEGIN PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY",
    "sk-",
    "eyJ",
    "Bearer a.",
    "?sig=",
    "<a",
    "token=a,b",
]
UNITS += [
    "password:\n\n",
    "password: |\n x\n\n",
    "token='''",
    "token=' \n'",
    "%25",
    "\\n",
    "token:str|",
    "Aa1/" * 10,
    "\r\n",
]


@pytest.mark.parametrize("unit", [*UNITS, LETTERS[:20], "p'\\"])
def test_no_text_takes_long(unit):
    text = (unit * 200_000)[:200_000]
    with environment(A_TOKEN=LETTERS, B_TOKEN=f"p'\"\\=+/ %{LETTERS}"):
        began = time.process_time()
        redact(text)
        # 0.1 s where it was slowest; a quadratic pattern takes minutes.
        assert time.process_time() - began < 1.5


def test_a_megabyte_of_source_code_takes_less_than_a_second():
    source = "".join(path.read_text() for path in sorted(Path(redact.__code__.co_filename).parents[1].rglob("*.py")))
    text = (source * 10)[:1_000_000]
    names = random.Random(1)
    values = {f"SECRET_{n}": "".join(names.choices(string.ascii_letters + string.digits, k=40)) for n in range(5)}
    with environment(**values, AWS_SESSION_TOKEN=LETTERS * 20):
        began = time.process_time()
        redact(text)
        assert time.process_time() - began < 1


def test_importing_it_brings_nothing_heavy():
    code = "import sys, matchclf.redaction; print(*{'pandas', 'numpy', 'hydra', 'mlflow', 'yaml'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
