"""Values that follow the name of a secret, as in YAML, JSON, Python, XML, key=value, flags and pairs of texts."""

import re

from matchclf.redaction.known import ORDINARY
from matchclf.redaction.names import secret_key

# Quantifiers are bounded or possessive, so that no text takes long.
TYPE = (
    r"(?:str|bytes|int|float|bool|object|Any|Path|SecretStr|dict|list|tuple|set|frozenset|type|Callable|Iterator"
    r"|Iterable|Sequence|Mapping|Optional)(?:\[[^]\n]{0,99}\])?(?:[ ]?\|[ ]?\w{1,99}){0,9}"
)
NAMED = re.compile(
    r"(?:(?P<indent>^(?:[ \t+>]|-(?!-))*+(?:export[ \t]+)?)|(?<![\w.-]))"
    r"(?P<open>\\{0,15}[\"'][+~]{0,2})?(?P<flag>--)?(?P<tag><)?(?P<name>[\w.-]++)(?P<close>\\{0,15}[\"']\]?)?"
    rf"(?:[ \t]*(?::[ \t]*{TYPE}[ \t]*)?(?P<sign>:=|=>|={{1,3}}|:(?!:|//)|(?<=[\"']),(?=[ \t]*\\{{0,15}}[\"']))[ \t]*"
    r"|(?(tag)>|(?!))|(?(flag)[ \t]++(?!--)|(?!)))",
    re.MULTILINE,
)
# Nothing, masked already, or a reference to a secret.
REFERENCE = (
    r"(?:(?i:null|none|nil|true|false|~)|\*{3,}|\.{3}|\[\]|\{\}|\(\)|\$\{[^},]{0,200}\}|\$?\{\{[^}]{0,200}\}\}"
    r"|\$[A-Z_]{1,99}|\{[\w.]{0,99}\}|<[\w -]{0,99}>|%\(?\w{0,99}\)?[srd])"
)
ATTRIBUTE = r"(?:self|cls|args|config|settings|options)(?:\.[a-z_]{1,99}){1,9}"
VALUE_ENDS = r"(?=[ \t]*(?:[)\]}&\"'`<\\#=]|[,;:](?=\s|$|[\w.-]{1,99}[=:])|[+~\w.-]{1,99}=|\r?$))"
# A call or a look-up, without texts but the names of constants.
CALL = (
    r"(?:[A-Za-z]{4,99}|_?[A-Za-z]{1,99}(?:[._]{1,2}[A-Za-z]{1,99}){1,9})"
    r"[(\[](?:(?:[^\n\"')\]]|[\"'][A-Z_]{0,80}[\"']){0,200}+[)\]](?=[\s.,;:)\]}(\[]|$)|$)"
)
HARMLESS = re.compile(rf"(?:{REFERENCE}|{TYPE}|{ATTRIBUTE}){VALUE_ENDS}|{CALL}", re.MULTILINE)
HARMLESS_QUOTED = re.compile(rf"{REFERENCE}?")
NAME = re.compile(r"[a-z]*(?:[A-Z][a-z]+)+|[a-z]+(?:[_.][a-z]+)+|[A-Z\d]+(?:_[A-Z\d]+)+")
VARIABLE = re.compile(r"(?:[A-Za-z_]+\.)*([A-Za-z_]+)")
QUOTE = re.compile(r"[rbuf]{0,2}(?P<level>\\{0,15})(?P<quote>\"{3}|'{3}|[\"'])")
BELOW = r"[ \t]{0,9}\r?\n[-+ \t]{0,80}"
QUOTE_BELOW = re.compile(f"(?:{BELOW})?{QUOTE.pattern}")
NEXT_QUOTE = re.compile(rf"(?:[ \t]{{1,9}}|[ \t]{{0,9}}[+\\]?{BELOW}){QUOTE.pattern}")
BRACKET = re.compile(r"\"(?:[^\"\\]|\\.)*+\"|'(?:[^'\\]|\\.)*+'|[\[({]|[\])}]")
# How far a value without quotes goes.
TAG, WHOLE_LINE = re.compile(r"[^<]*"), re.compile(r"[^\r\n]*")
YAML_LINE = r"(?:[^ \t\r\n]++|[ \t]++(?![#\r\n]))*+"
LINE = re.compile(r"(?:[^ \t\r\n]++|[ \t]++(?![#\r\n]|[+~\w.-]{1,99}=))*+")
IN_BRACES = re.compile(r"[^,}\]\r\n]*")
WORD = re.compile(r"(?:[^\s,;&\"')\]}]|[,;](?!\s|$|[\w.-]{1,99}[=:])|[\"')\]}](?![\s,;:.)\]}>\"'&]|$))*+")
FARTHEST = 8000


def mask_named(text: str, mask: str) -> str:
    """The text without the values after names of secrets; the names stay."""
    parts, done = [], 0
    for found in NAMED.finditer(text):
        if found.start() >= done and secret_key(found["name"]):
            begin, end = _value(text, found)
            if begin < end:
                parts += [text[done:begin], mask]
                done = end
    return "".join([*parts, text[done:]])


def _value(text: str, found: re.Match[str]) -> tuple[int, int]:
    """Where the value begins and ends, twice the same place where nothing is secret."""
    begin = found.end()
    if found["open"] and not found["close"]:  # the quotes stand around name and value
        quote = found["open"].rstrip("+~")
        end = _closing(text, begin, quote[:-1], quote[-1])
        return begin, begin if HARMLESS_QUOTED.fullmatch(text[begin:end]) else end
    if HARMLESS.match(text, begin):
        return begin, begin
    on_own_line = found["indent"] is not None or found["close"]
    if quoted := (QUOTE_BELOW if on_own_line else QUOTE).match(text, begin):
        return _quoted(text, quoted, found["sign"] == ",")
    if text[begin : begin + 1] in ("[", "(", "{"):
        return begin, _closing_bracket(text, begin)
    return begin, _bare(text, found)


def _quoted(text: str, quoted: re.Match[str], in_pair: bool) -> tuple[int, int]:
    begin = end = quoted.end()
    more: re.Match[str] | None = quoted
    while more:
        end = _closing(text, more.end(), more["level"], more["quote"])
        more = NEXT_QUOTE.match(text, end + len(more["level"] + more["quote"]))
    content = text[begin:end]
    harmless = HARMLESS_QUOTED.fullmatch(content)
    if in_pair:  # rather a list of words
        harmless = harmless or ORDINARY.fullmatch(content) or NAME.fullmatch(content)
    return begin, begin if harmless else end


def _closing(text: str, begin: int, level: str, quote: str) -> int:
    # A quote inside has more backslashes before it, or is doubled.
    depth = len(level)
    pattern = re.compile(rf"(?<!\\)(?:\\{{{2 * (depth + 1)}}})*+(?=\\{{{depth}}}{quote}(?!{quote}))")
    found = pattern.search(text, begin, begin + FARTHEST)
    return found.end() if found else _end(LINE, text, begin)


def _closing_bracket(text: str, begin: int) -> int:
    depth, end = 0, begin
    for found in BRACKET.finditer(text, begin, begin + FARTHEST // 4):
        depth += (found[0] in "[({") - (found[0] in "])}")
        end = found.end()
        if not depth:
            return end
    return max(end, _end(LINE, text, begin))


def _bare(text: str, found: re.Match[str]) -> int:
    begin = found.end()
    if found["tag"]:
        return _end(TAG, text, begin)
    if found["name"].lower().endswith("authorization"):
        return _end(WHOLE_LINE, text, begin)
    end = _end(_extent(text, found), text, begin)
    variable = VARIABLE.fullmatch(text[begin:end].rstrip(",);"))
    own = variable is not None and f".{found['name']}".endswith((f".{variable[1]}", f"_{variable[1]}"))
    return begin if own else end


def _extent(text: str, found: re.Match[str]) -> re.Pattern[str]:
    on_own_line = found["indent"] is not None and not found["close"]
    if found["sign"] != ":":
        return LINE if on_own_line else WORD
    if on_own_line:
        return _yaml(len(found["indent"]))
    before = text[max(0, found.start() - 9) : found.start()].rstrip()
    return IN_BRACES if before.endswith(("{", ",")) else WORD


def _yaml(indent: int) -> re.Pattern[str]:
    # A value of YAML goes on in the lines below: deeper ones, or items of a list when its own line has none.
    line_break = r"\r?\n(?:[ \t+]*\r?\n)*+"
    item = rf"{line_break}[ \t+-]{{{indent + 1},}}\S[^\r\n]*"
    mark = "+-" if indent else ""
    deeper = rf"{line_break}[ \t{mark}][ \t]{{{indent},}}\S[^\r\n]*"
    return re.compile(rf"(?:[|>][-+\d]{{0,3}})?[ \t]*+(?:#[^\r\n]*)?(?:{item})+|{YAML_LINE}(?:{deeper})*")


def _end(pattern: re.Pattern[str], text: str, begin: int) -> int:
    found = pattern.match(text, begin)
    return found.end() if found else begin
