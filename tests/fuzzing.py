"""Damaged bytes and odd values, and what may come of them: equal data or one sentence, within ten seconds."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis import strategies as st

from matchclf.errors import MatchclfError

LONGEST_SECONDS = 10


def apply(content: bytes, edits: list[tuple[int, str, bytes]]) -> bytes:
    """The content after some of its bytes were flipped, replaced, put in, left out, repeated or cut off."""
    for at, kind, piece in edits:
        place = at % (len(content) + 1)
        before, after = content[:place], content[place:]
        content = {
            "flip": before + bytes([after[0] ^ 1 << len(piece) % 8]) + after[1:] if after else content,
            "replace": before + piece + after[len(piece) :],
            "put in": before + piece + after,
            "leave out": before + after[len(piece) :],
            "repeat": before + after[:50] + after,
            "cut": before if at % 7 == 0 else content,
        }[kind]
    return content


KINDS = st.sampled_from(["flip", "flip", "replace", "put in", "leave out", "repeat", "cut"])
EDITS = st.lists(st.tuples(st.integers(0, 10**6), KINDS, st.binary(max_size=8)), min_size=1, max_size=4)
SIGNS = [b"{", b"[", b"- ", b": ", b"'", b'"', b"\n", b"\n  ", b"&a ", b"*a", b"!!int ", b"#", b"null", b"1e999"]
PIECES = st.sampled_from(SIGNS) | st.binary(max_size=4)
TEXT_EDITS = st.lists(st.tuples(st.integers(0, 10**6), KINDS, PIECES), min_size=1, max_size=4)
ODD = ["", "auto", "2024-13-45", "${oc.env:HOME}", "${a}", "a" * 300, "/", "\0", "1e999", -1, 0, 10**30]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(ODD)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@contextmanager
def in_time() -> Iterator[None]:
    began = time.perf_counter()
    yield
    assert time.perf_counter() - began < LONGEST_SECONDS


def check_told(problem: MatchclfError) -> None:
    """An error is one text that names something, with an exit code of its own."""
    assert len(str(problem)) > 20
    assert problem.exit_code in (1, 2, 3, 4, 5)


def put(tree: object, steps: list[int], value: object) -> object:
    """The tree with another value in the place that the steps lead to."""
    if not steps or not isinstance(tree, dict) or not tree:
        return value
    key = sorted(tree)[steps[0] % len(tree)]
    return {**tree, key: put(tree[key], steps[1:], value)}


STEPS = st.lists(st.integers(0, 40), min_size=1, max_size=3)
