"""The secrets that the environment of this process holds, wherever and however they are spelled in a text."""

import base64
import html
import os
import re
from functools import lru_cache
from urllib.parse import unquote

from matchclf.redaction.names import secret_key

# What could stand in any text by chance.
ORDINARY = re.compile(r".{0,7}|[A-Za-z]?[a-z]{0,10}|[A-Z]{0,11}|[\d.,:-]{0,11}", re.DOTALL)
ADDRESS = re.compile(r"://[^\s/?#:@]*:([^\s@]+)@")
# A line break inside a value: closing quote, continuation, the break; the mark of a diff or a comment, indentation.
BREAK = (
    r"""(?=["' \t+\\\r\n%])["']?[ \t]{0,4}[+\\]{0,2}(?:\r?\n|(?:\\{1,8}r)?\\{1,8}n|(?:%0[dD])?%0[aA])"""
    r"""[-+>#|]?[ \t]{0,80}["']?"""
)
SPACE = r"""(?:\s|[-+>#|"']|\\{1,8}[nrt]?|%(?:25){0,2}(?:20|0[9adAD])){1,99}"""
# Base64 for addresses has - and _; YAML doubles a single quote.
SPELLINGS = {"+": "[- ]", "/": "_", "'": "''"}
UNIT = re.compile(r"\\+|[ \t\r\n]+|.")
PREFIX = 6


def known_secrets() -> tuple[str, ...]:
    """The values of variables with a secret's name, and the passwords of addresses; the longest first."""
    return _secrets(tuple(os.environ.items()))


def mask_known(text: str, secrets: tuple[str, ...], mask: str) -> str:
    """The text without the secrets.

    Found as they are, encoded for addresses, in JSON, in Python, in HTML or in base64, and across line breaks.
    """
    for value in secrets:
        for form in _forms(value):
            # Long patterns are slow to compile and are seldom needed.
            if _pattern(form[:PREFIX]).search(text):
                text = _pattern(form).sub(mask, text)
    return text


@lru_cache(maxsize=1)
def _secrets(variables: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    # Longest first: a secret may begin with another one.
    values = {value.strip() for name, value in variables if secret_key(name)}
    for _, address in variables:
        values |= set(map(unquote, ADDRESS.findall(address)))
    return tuple(sorted((value for value in values if not ORDINARY.fullmatch(value)), key=len, reverse=True))


@lru_cache(maxsize=256)
def _forms(value: str) -> tuple[str, ...]:
    # In base64 a value looks in three ways, by where in its groups of three bytes it begins; letters at both ends may
    # depend on what stands around it and are left out.
    octets = value.encode(errors="surrogateescape")
    encoded = [base64.b64encode(b"\0" * shift + octets).decode() for shift in range(3)]
    return value, *(e[-(-8 * shift // 6) : 8 * (shift + len(octets)) // 6] for shift, e in enumerate(encoded))


@lru_cache(maxsize=1024)
def _pattern(form: str) -> re.Pattern[str]:
    return re.compile(f"(?:{BREAK})?".join(map(_spelled, UNIT.findall(form))))


@lru_cache(maxsize=1024)
def _spelled(unit: str) -> str:
    letter = unit[0]
    if letter.isascii() and (letter.isalnum() or letter in "_.-~"):
        return re.escape(letter)
    if letter in " \t\r\n":
        return SPACE
    if letter == "\\":
        return rf"(?:(?:%(?:25){{0,2}}5[cC]){{1,{len(unit)}}}|\\{{1,{8 * len(unit)}}})"
    octets = letter.encode(errors="surrogateescape")
    halves = letter.encode("utf-16-be", "surrogatepass").hex(" ", 2).split()
    ways = [
        "".join(rf"%(?:25){{0,2}}{octet:02x}" for octet in octets),
        "".join(rf"\\{{1,8}}x{octet:02x}" for octet in octets),
        "".join(rf"\\{{1,8}}u{half}" for half in halves),
        rf"\\{{1,8}}(?:x{ord(letter):02x}|U{ord(letter):08x})",
    ]
    if letter != html.escape(letter):
        ways.append(html.escape(letter))
    plain = rf"\\{{0,8}}{re.escape(letter)}"
    return rf"(?:(?=[%\\&])(?i:{'|'.join(ways)})|{SPELLINGS.get(letter, plain)}|{plain})"
