"""Masking for texts, nested settings and log records; refusal of secrets on the command line."""

import logging
import re
from typing import Any

from matchclf.errors import ConfigError
from matchclf.redaction.known import known_secrets, mask_known
from matchclf.redaction.named import mask_named
from matchclf.redaction.names import secret_key
from matchclf.redaction.shapes import mask_shapes

MASK = "***"
FROM_ENVIRONMENT = re.compile(r"oc\.env\s*:\s*(\w+)")


def redact(text: str) -> str:
    """The text with ``***`` in the place of every secret; a text without one comes back as it is.

    >>> redact("GET http://joe:hunter2@host/key?sig=abc with password='hunter 2'")
    "GET http://***@host/key?sig=*** with password='***'"
    """
    return _redact(text, known_secrets())


def redact_tree(value: Any) -> Any:
    """The same for nested dicts and lists; what stands under the name of a secret is masked whole, unless empty."""
    return _redact_tree(value, known_secrets())


def refuse_secrets(arguments: list[str]) -> None:
    """Raise ConfigError for an override that holds a secret or refers to one; the sentence tells its key alone."""
    for argument in arguments:
        key, sign, _ = argument.partition("=")
        refers = any(map(secret_key, FROM_ENVIRONMENT.findall(argument)))
        if refers or (sign and secret_key(key)) or redact(argument) != argument:
            raise ConfigError(
                f"{redact(key).lstrip('+~')} looks like a secret on the command line, from where it would reach files, "
                "logs and the tracking store; expected it in an environment variable (AWS_SECRET_ACCESS_KEY, "
                "MLFLOW_TRACKING_PASSWORD ...) or in the AWS profile."
            )


def redact_record(record: logging.LogRecord) -> bool:
    """Let every record pass, its message, traceback and stack redacted in place: for ``handler.addFilter``."""
    try:
        message = record.getMessage()
    except Exception:  # placeholders and arguments do not match
        message = f"{record.msg} {record.args}"
    record.msg, record.args = redact(message), None
    if record.exc_info and not record.exc_text:
        record.exc_text = logging.Formatter().formatException(record.exc_info)
    if record.exc_text:
        # A handler that formats the exception itself would tell it in clear.
        record.exc_text, record.exc_info = redact(record.exc_text), None
    if record.stack_info:
        record.stack_info = redact(record.stack_info)
    return True


def _redact(text: str, known: tuple[str, ...]) -> str:
    return mask_named(mask_shapes(mask_known(text, known, MASK), MASK), MASK)


def _redact_tree(value: Any, known: tuple[str, ...]) -> Any:
    if isinstance(value, dict):
        return {_redact_tree(key, known): _redact_item(str(key), item, known) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)([_redact_tree(item, known) for item in value])
    if isinstance(value, str):
        return _redact(value, known)
    return value if _redact(str(value), known) == str(value) else MASK


def _redact_item(key: str, item: Any, known: tuple[str, ...]) -> Any:
    return MASK if secret_key(key) and item not in (None, "") else _redact_tree(item, known)
