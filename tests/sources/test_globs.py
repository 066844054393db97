from __future__ import annotations

import sys
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2b_gate.sources.globs import Globs, compiled


def matches(pattern, path):
    return compiled(pattern).fullmatch(path) is not None


CASES = [
    # The cases of the documentation of `pathlib.PurePath.full_match` and of gitignore's "**".
    ("data/**/*.jsonl", "data/a.jsonl", True),
    ("data/**/*.jsonl", "data/x/a.jsonl", True),
    ("data/**/*.jsonl", "data/x/y/a.jsonl", True),
    ("data/**/*.jsonl", "a.jsonl", False),
    ("data/**/*.jsonl", "other/data/a.jsonl", False),
    ("data/**/*.jsonl", "data/a.json", False),
    ("data/**/*.jsonl", "data.jsonl", False),
    ("**/*.jsonl", "a.jsonl", True),
    ("**/*.jsonl", "x/y/a.jsonl", True),
    ("*.jsonl", "a.jsonl", True),
    ("*.jsonl", "x/a.jsonl", False),
    ("*", ".hidden", True),
    ("*", "a/b", False),
    ("**", "a", True),
    ("**", "a/b/c", True),
    ("data/**", "data/a", True),
    ("data/**", "data/x/a", True),
    ("data/**", "database/a", False),
    ("data/", "data/x/a", True),
    ("data/", "data", False),
    ("data", "data/a", False),
    ("/data/*", "data/a", True),
    ("./data/*", "data/a", True),
    ("data//a", "data/a", True),
    ("**/x/**/a", "x/a", True),
    ("**/x/**/a", "p/x/q/r/a", True),
    ("**/x/**/a", "p/a", False),
    ("**/**/a", "a", True),
    ("a/**/**/b", "a/b", True),
    ("a**b", "axxb", True),
    ("a**b", "a/b", False),
    ("a?c", "abc", True),
    ("a?c", "a/c", False),
    ("a?c", "ac", False),
    ("a*", "a", True),
    ("x/*", "x/", False),
    ("[ab].txt", "a.txt", True),
    ("[ab].txt", "c.txt", False),
    ("[!ab].txt", "c.txt", True),
    ("[!ab].txt", "a.txt", False),
    ("x[!a]y", "x/y", False),
    ("x[.-0]y", "x/y", False),
    ("[a-c]", "b", True),
    ("[a-c]", "d", False),
    ("[c-a]", "b", False),
    ("[!c-a]", "b", True),
    ("[a-]", "-", True),
    ("[]]", "]", True),
    ("[!]]", "]", False),
    ("[!]]", "a", True),
    ("[^a]", "^", True),
    ("[^a]", "b", False),
    ("[a", "[a", True),
    ("[]", "[]", True),
    ("a.c", "abc", False),
    ("A", "a", False),
    ("{a,b}", "a", False),
    ("a+(b)|$", "a+(b)|$", True),
    ("*", "new\nline", True),
    ("a\n", "a", False),
    ("a", "a\n", False),
    ("\\*", "\\x", True),
    ("", "a", False),
]


@pytest.mark.parametrize(("pattern", "path", "expected"), CASES)
def test_cases(pattern, path, expected):
    assert matches(pattern, path) is expected


pieces = st.sampled_from(["a", "b", "*", "?", "**", "[ab]", "[!a]", ".", "*a", "a*b"])
patterns = st.lists(st.lists(pieces, min_size=1, max_size=2).map("".join), min_size=1, max_size=4).map("/".join)
paths = st.lists(st.text("ab.", min_size=1, max_size=3), min_size=1, max_size=4).map("/".join)


def naive(pattern: list[str], path: list[str]) -> bool:
    """Match segment by segment, trying every length of ``**``."""
    if not pattern:
        return not path
    if pattern[0] == "**":
        return any(naive(pattern[1:], path[count:]) for count in range(len(path) + 1))
    return bool(path) and fnmatchcase(path[0], pattern[0]) and naive(pattern[1:], path[1:])


def _reference(pattern: str, path: str) -> bool:
    return naive(pattern.removeprefix("./").split("/"), path.split("/"))


@given(patterns.filter(lambda pattern: not pattern.endswith("**")), paths)
def test_equals_a_naive_matcher(pattern, path):
    assert matches(pattern, path) == _reference(pattern, path)


@pytest.mark.skipif(sys.version_info < (3, 13), reason="full_match is of Python 3.13")
@given(patterns.filter(lambda pattern: not pattern.endswith("**")), paths)
def test_equals_full_match(pattern, path):
    if "." not in path.split("/") and "." not in pattern.split("/"):
        assert matches(pattern, path) == PurePosixPath(path).full_match(pattern)


@given(st.text(), st.text())
def test_any_pattern_compiles(pattern, path):
    matches(pattern, path)


@given(st.text().filter(lambda path: not set("*?[") & set(path)))
def test_a_pattern_without_wildcards_matches_itself(path):
    plain = "/".join(part for part in path.split("/") if part)
    if plain and not plain.startswith("./"):
        assert matches(plain, plain)


def test_globs_include_then_exclude():
    globs = Globs(("data/**/*.jsonl", "extra.jsonl"), ("**/test/**",))
    assert globs.matches("data/a.jsonl")
    assert globs.matches("extra.jsonl")
    assert not globs.matches("data/test/a.jsonl")
    assert not Globs(()).matches("a")


def test_dvc_files_concern_every_dataset():
    globs = Globs(("data/*.jsonl",))
    assert globs.concerns("data/a.jsonl")
    assert globs.concerns("elsewhere/data.dvc")
    assert not globs.matches("elsewhere/data.dvc")
    assert not globs.concerns("elsewhere/data")
