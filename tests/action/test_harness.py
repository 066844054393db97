"""The runner of these tests keeps to what GitHub documents of its own."""

from __future__ import annotations

import pytest

from tests.action.commands import Listener, parsed
from tests.action.expressions import condition, evaluate, interpolate
from tests.action.runner import entries

CONTEXTS = {
    "inputs": {"name": "x", "empty": "", "with-dash": "y"},
    "steps": {"one": {"outputs": {"code": "0"}}},
    "functions": {"success": lambda: False, "always": lambda: True, "failure": lambda: True},
}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("inputs.name", "x"),
        ("inputs.with-dash == 'Y'", True),
        ("inputs.absent", None),
        ("steps.none.outputs.code || 'else'", "else"),
        ("steps.one.outputs.code && 'a string of zero is true'", "a string of zero is true"),
        ("inputs.empty != ''", False),
        ("!inputs.empty && (false || 'it''s')", "it's"),
        ("'a' == 'b' || inputs.empty || null", None),
        ("contains(fromJSON('[\"a\"]'), 'a')", True),
    ],
)
def test_expressions(source, value):
    assert evaluate(source, CONTEXTS) == value


def test_text_around_expressions():
    assert interpolate("a${{ inputs.name }}${{ inputs.absent }}b", CONTEXTS) == "axb"


@pytest.mark.parametrize(
    ("source", "holds"),
    [("inputs.name == 'x'", False), ("always() && inputs.name == 'x'", True), ("${{ failure() }}", True)],
)
def test_a_condition_asks_for_success_unless_it_says_otherwise(source, holds):
    assert condition(source, CONTEXTS) is holds


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("::error file=a%2Cb,line=1::x%0Ay%25", ("error", {"file": "a,b", "line": "1"}, "x\ny%")),
        ("   ::notice::", ("notice", {}, "")),
        ("a ::error::x", None),
        ("::unknown::x", None),
        ("a ##[error]x", ("error", {}, "x")),
        ("##[unknown]x", None),
    ],
)
def test_commands(line, command):
    assert parsed(line) == command


def test_commands_are_not_heard_until_the_token_comes():
    listener = Listener()
    listener.listen("::stop-commands::abc\n::error::x\n::abcd::\n##[error]y\n::abc::\n::error::z\n")
    assert listener.heard == [("error", {}, "z")]


def test_entries_of_files():
    assert entries("a=1\nb<<END\nx=2\n\nEN\nEND\nc=\n") == {"a": "1", "b": "x=2\n\nEN", "c": ""}
    with pytest.raises(AssertionError):
        entries("a<<END\nx\n")
