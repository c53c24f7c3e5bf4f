"""Values that follow the name of a secret, as in YAML, JSON, Python, XML, key=value, flags and pairs of texts."""

import re

from matchclf.redaction.extent import closing, closing_bracket, end_of_bare, yaml_block
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
PINNED_VERSION = r"(?<===)\d{1,9}(?:\.\w{1,9}){1,9}"
ATTRIBUTE = r"(?:self|cls|args|config|settings|options)(?:\.[a-z_]{1,99}){1,9}"
VALUE_ENDS = r"(?=[ \t]*(?:[)\]}&\"'`<\\#=]|[,;:](?=\s|$|[\w.-]{1,99}[=:])|[+~\w.-]{1,99}=|\r?$))"
# A call or a look-up, without texts but the names of constants.
CALL = (
    r"(?:[A-Za-z]{4,99}|_?[A-Za-z]{1,99}(?:[._]{1,2}[A-Za-z]{1,99}){1,9})"
    r"[(\[](?:(?:[^\n\"')\]]|[\"'][A-Z_]{0,80}[\"']){0,200}+[)\]](?=[\s.,;:)\]}(\[]|$)|$)"
)
HARMLESS = re.compile(rf"(?:{REFERENCE}|{TYPE}|{ATTRIBUTE}|{PINNED_VERSION}){VALUE_ENDS}|{CALL}", re.MULTILINE)
HARMLESS_QUOTED = re.compile(rf"{REFERENCE}?")
# A pair of words is rather part of a list.
HARMLESS_IN_PAIR = re.compile(
    r"[A-Za-z]?[a-z]{0,11}|[A-Z]{0,11}|\d{0,4}|[a-z]*(?:[A-Z]+[a-z]{2,99})+|[a-z]+(?:[_.][a-z]+)+|[A-Z\d]+(?:_[A-Z\d]+)+"
)
VARIABLE = re.compile(r"(?:[A-Za-z_]+\.)*([A-Za-z_]+)")
QUOTE = re.compile(r"[rbuf]{0,2}(?P<level>\\{0,15})(?P<quote>\"{3}|'{3}|[\"'])")
BELOW = r"[ \t]{0,9}\r?\n[-+ \t]{0,80}"
QUOTE_BELOW = re.compile(f"(?:{BELOW})?{QUOTE.pattern}")
NEXT_QUOTE = re.compile(rf"(?:[ \t]{{1,9}}|[ \t]{{0,9}}[+\\]?{BELOW}){QUOTE.pattern}")
A_KEY = re.compile(r"\\{0,15}[\"']{1,3}[ \t]{0,9}:")


def mask_named(text: str, mask: str) -> str:
    """The text without the values after names of secrets; the names stay."""
    parts, masked, seen = [], 0, 0
    for found in NAMED.finditer(text):
        if found.start() >= seen and secret_key(found["name"]):
            begin, seen, end = _value(text, found)
            if max(begin, masked) < end:
                parts += [text[masked:begin], mask] if begin >= masked else []
                masked = end
    return "".join([*parts, text[masked:]])


def _value(text: str, found: re.Match[str]) -> tuple[int, int, int]:
    """Where a value begins, where it ends at the earliest and at the latest; all the same where it is no secret."""
    begin = found.end()
    if found["open"] and not found["close"]:  # the quotes stand around name and value
        quote = found["open"].rstrip("+~")
        return _quoted(text, begin, quote[:-1], quote[-1])
    if HARMLESS.match(text, begin):
        return begin, begin, begin
    if below := yaml_block(text, found):
        return begin, below, below
    if quoted := (QUOTE_BELOW if found["close"] else QUOTE).match(text, begin):
        begin, first, last = _quoted(text, quoted.end(), quoted["level"], quoted["quote"])
        in_list = found["sign"] == "," and HARMLESS_IN_PAIR.fullmatch(text[begin:first])
        return begin, first, begin if in_list else last
    in_brackets = text[begin : begin + 1] in ("[", "(", "{")
    end = closing_bracket(text, begin) if in_brackets else end_of_bare(text, found)
    return begin, end, begin if _same_name(text[begin:end], found["name"]) else end


def _quoted(text: str, begin: int, level: str, quote: str) -> tuple[int, int, int]:
    end = closing(text, begin, level, quote)
    if HARMLESS_QUOTED.fullmatch(text[begin:end]):
        return begin, end, begin
    last = max(end, closing(text, begin, level, quote, doubled=quote == "'"))
    while more := NEXT_QUOTE.match(text, end + len(level + quote)):
        level, quote = more["level"], more["quote"]
        next_end = closing(text, more.end(), level, quote)
        if A_KEY.match(text, next_end):
            break
        end = next_end
    return begin, end, max(end, last)


def _same_name(value: str, name: str) -> bool:
    # Code that hands a secret on: token=token, page_token=page.token.
    variable = VARIABLE.fullmatch(value.rstrip(",.);"))
    return variable is not None and f".{name}".endswith((f".{variable[1]}", f"_{variable[1]}"))
