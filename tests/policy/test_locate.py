import sys

import pytest
from hypothesis import given, settings

from d2b_gate.policy.locate import locate
from tests.policy.toml_texts import raw_key, toml_texts

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def entries(value, path=()):
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in children:
        yield (*path, key), inner
        yield from entries(inner, (*path, key))


@settings(max_examples=200, deadline=None)
@given(toml_texts())
def test_every_key_path_is_located_on_a_line_that_shows_it(text):
    found = dict(entries(tomllib.loads(text)))
    lines = text.split("\n")
    located = locate(text)
    assert set(located) == set(found)
    for path, line in located.items():
        if isinstance(path[-1], str):
            assert raw_key(path[-1]) in lines[line - 1]
        elif isinstance(found[path], int) and not isinstance(found[path], bool):
            assert str(found[path]) in lines[line - 1]


def test_lines_of_a_policy():
    text = (
        "schema = 1\n"
        "[model]\n"
        'id = """\n'
        "[[rule]]\n"
        'x"""\n'
        "[[rule]]\n"
        'id = "a"\n'
        "\n"
        "[[rule]] # second\n"
        'id = "b"\n'
        "datasets = [\n"
        '  "x",\n'
        "  # ]\n"
        '  "y", "z" ]\n'
        "[rule.extra]\n"
        'deep."er key" = { one = 1, two.three = 2 }\n'
    )
    assert dict(locate(text)) == {
        ("schema",): 1,
        ("model",): 2,
        ("model", "id"): 3,
        ("rule",): 6,
        ("rule", 0): 6,
        ("rule", 0, "id"): 7,
        ("rule", 1): 9,
        ("rule", 1, "id"): 10,
        ("rule", 1, "datasets"): 11,
        ("rule", 1, "datasets", 0): 12,
        ("rule", 1, "datasets", 1): 14,
        ("rule", 1, "datasets", 2): 14,
        ("rule", 1, "extra"): 15,
        ("rule", 1, "extra", "deep"): 16,
        ("rule", 1, "extra", "deep", "er key"): 16,
        ("rule", 1, "extra", "deep", "er key", "one"): 16,
        ("rule", 1, "extra", "deep", "er key", "two"): 16,
        ("rule", 1, "extra", "deep", "er key", "two", "three"): 16,
    }


@pytest.mark.parametrize(
    "text",
    [
        'a = """x"""""\nb = 1',
        "a = '''x'''''\nb = 1",
        'a = """\\""""\nb = 1',
        "a = 1979-05-27 07:32:00 # ,\nb = 1",
        'a = "\\\\"\nb = 1',
    ],
)
def test_values_that_end_in_odd_ways(text):
    assert locate(text)[("b",)] == 2


def test_escaped_keys_are_decoded():
    assert dict(locate('"r\\u0075le" = 1\n\'a"b\' = 2')) == {("rule",): 1, ('a"b',): 2}


def test_the_empty_text_has_no_keys():
    assert dict(locate("# nothing\n\n")) == {}
