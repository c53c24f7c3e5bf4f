"""How far a value reaches in a text: to its closing quote or bracket, through a block of YAML, to the end of a word."""

import re
from functools import lru_cache

BRACKET = re.compile(r"\"(?:[^\"\\]|\\.)*+\"|'(?:[^'\\]|\\.)*+'|[\[({]|[\])}]")
TAG, WHOLE_LINE = re.compile(r"[^<]*"), re.compile(r"[^\r\n]*")
# To a comment; to the next key=value.
YAML_LINE = r"(?:[^ \t\r\n]++|[ \t]++(?![#\r\n]))*+"
LINE = re.compile(r"(?:[^ \t\r\n]++|[ \t]++(?![\r\n]|[+~\w.-]{1,99}=))*+")
IN_BRACES = re.compile(r"(?:[^,}\]\r\n]|,(?!\s|$|[\w.-]{1,99}[=:])|[\]}](?![\s,}\]]|$))*+")
WORD = re.compile(r"(?:[^\s,;&\"')\]}]|[,;](?!\s|$|[\w.-]{1,99}[=:])|[\"')\]}](?![\s,;:.)\]}>\"'&]|$))*+")
FARTHEST = 8000


def closing(text: str, begin: int, level: str, quote: str, doubled: bool = False) -> int:
    """Where a quoted text ends: before its closing quote, else with the line.

    ``level``: the backslashes before its quotes. A quote inside has more of them, or is ``doubled``, as in YAML.
    """
    found = _closing(len(level), quote, doubled).match(text, begin, begin + FARTHEST)
    return found.end() if found else _end(WHOLE_LINE, text, begin)


def closing_bracket(text: str, begin: int) -> int:
    """Where the bracket that opens at ``begin`` is closed, else the end of the last one near."""
    depth, end = 0, begin
    for found in BRACKET.finditer(text, begin, begin + FARTHEST // 4):
        depth += (found[0] in "[({") - (found[0] in "])}")
        end = found.end()
        if not depth:
            return end
    return max(end, _end(LINE, text, begin))


def yaml_block(text: str, found: re.Match[str]) -> int | None:
    """Where the lines below a name end that belong to it, None where its value begins in its own line."""
    if found["sign"] != ":" or found["indent"] is None:
        return None
    block = _block(len(found["indent"])).match(text, found.end())
    return block.end() if block else None


def end_of_bare(text: str, found: re.Match[str]) -> int:
    """Where a value without quotes ends."""
    begin = found.end()
    if found["tag"]:
        return _end(TAG, text, begin)
    if found["name"].lower().endswith("authorization"):
        return _end(WHOLE_LINE, text, begin)
    on_own_line = found["indent"] is not None and not found["close"]
    if found["sign"] != ":":
        alone = text[begin - 1] in " \t" or "- " in (found["indent"] or "")
        return _end((WHOLE_LINE if alone else LINE) if on_own_line else WORD, text, begin)
    if on_own_line:
        return _end(_with_lines_below(len(found["indent"])), text, begin)
    before = text[max(0, found.start() - 9) : found.start()].rstrip()
    return _end(IN_BRACES if found["close"] or before.endswith(("{", ",")) else WORD, text, begin)


@lru_cache
def _closing(depth: int, quote: str, doubled: bool) -> re.Pattern[str]:
    if depth:
        escaped = rf"(?:\\{{{2 * (depth + 1)}}})*+"
        return re.compile(rf"(?s:(?!(?<!\\){escaped}\\{{{depth}}}{quote}).)*+{escaped}(?=\\{{{depth}}}{quote})")
    if len(quote) == 3:
        return re.compile(rf"(?s:\\.|(?!{quote}).)*+(?={quote})")
    inside = rf"\\*+{quote}{quote}|\\." if doubled else rf"\\.|{quote}{quote}"
    return re.compile(rf"(?s:[^\\{quote}]++|{inside})*+(?={quote})")


@lru_cache
def _block(indent: int) -> re.Pattern[str]:
    # Lines that are indented deeper, or items of a list.
    line = rf"\r?\n(?:[ \t+]*\r?\n)*+[ \t+-]{{{indent + 1},}}\S[^\r\n]*"
    return re.compile(rf"(?:[|>][-+\d]{{0,3}})?[ \t]*+(?:#[^\r\n]*)?(?:{line})+")


@lru_cache
def _with_lines_below(indent: int) -> re.Pattern[str]:
    mark = "+-" if indent else ""
    return re.compile(rf"{YAML_LINE}(?:\r?\n(?:[ \t+]*\r?\n)*+[ \t{mark}][ \t]{{{indent},}}\S[^\r\n]*)*")


def _end(pattern: re.Pattern[str], text: str, begin: int) -> int:
    found = pattern.match(text, begin)
    return found.end() if found else begin
