"""Which names are those of secrets."""

import re
from functools import lru_cache

WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
WORDS = frozenset(("authorization", "auth", "oauth", "pwd", "jwt", "cookie"))
PARTS = re.compile(
    r"passw|passphrase|passcode|secret|credential|connectionstring|amzsignature"
    r"|(?:api|access|private|account|shared|signing|encryption)key"
)
# What a secret is called, where it lies, how long it lasts: no secret.
HARMLESS_END = re.compile(
    r"file|path|dir|folder|sock|url|uri|name|type|kind|mode|method|policy|pattern|count|limit|length|size|ttl|timeout"
    r"|expires|expiry|expiration|py|md|json|yaml|yml|toml|txt|csv|html|log"
)
WORKING_FOLDERS = ("PWD", "OLDPWD")
# How lineage names the version of a package, for instance of google-auth.
PACKAGE = "package."
LONGEST = 200


def secret_key(name: str) -> bool:
    """Whether a value under this name, dotted or not, is a secret.

    >>> [secret_key(name) for name in ("tracking.password", "awsSecretAccessKey", "data.match_key", "run_id")]
    [True, True, False, False]
    """
    return _secret_key(name[-LONGEST:])


@lru_cache(maxsize=4096)
def _secret_key(name: str) -> bool:
    words = [word.lower() for word in WORD.findall(name)]
    if not words or HARMLESS_END.fullmatch(words[-1]) or name in WORKING_FOLDERS or name.startswith(PACKAGE):
        return False
    return (
        not WORDS.isdisjoint(words)
        or any(word.endswith("token") for word in words)
        or PARTS.search("".join(words)) is not None
    )
