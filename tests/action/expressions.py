"""Expressions of GitHub Actions, as its documentation describes them: contexts, operators, a few functions."""

from __future__ import annotations

import json
import re

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][\w-]*)|(?P<op>==|!=|&&|\|\||[!().,<>\[\]]))"
)
_EXPRESSION = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
_STATUS = ("success", "failure", "always", "cancelled")


def interpolate(text, contexts):
    """A string of the workflow with every ``${{ }}`` replaced."""
    return _EXPRESSION.sub(lambda found: as_text(evaluate(found[1], contexts)), str(text))


def condition(text, contexts):
    """An ``if:``; without a function of status it holds only after success."""
    inner = _EXPRESSION.fullmatch(text.strip())
    source = inner[1] if inner else text
    if not re.search(rf"\b({'|'.join(_STATUS)})\s*\(", source):
        source = f"success() && ({source})"
    return truth(evaluate(source, contexts))


def evaluate(source, contexts):
    tokens, at = [], 0
    while source[at:].strip():
        match = _TOKEN.match(source, at)
        assert match, f"not an expression: {source[at:]!r}"
        tokens.append((match.lastgroup, match[match.lastgroup]))
        at = match.end()
    parser = _Parser([*tokens, ("end", "")], contexts)
    value = parser.either()
    assert parser.tokens[parser.at][0] == "end", source
    return value


def truth(value):
    return value not in (None, "", 0, False)


def as_text(value):
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)


_FUNCTIONS = {"contains": lambda where, what: what in where, "fromJSON": json.loads}


class _Parser:
    def __init__(self, tokens, contexts):
        self.tokens, self.contexts, self.at = tokens, contexts, 0

    def take(self, *wanted):
        kind, value = self.tokens[self.at]
        if kind == "op" and value in wanted:
            self.at += 1
            return value
        return ""

    def either(self):
        value = self.both()
        while self.take("||"):
            other = self.both()
            value = value if truth(value) else other
        return value

    def both(self):
        value = self.compared()
        while self.take("&&"):
            other = self.compared()
            value = other if truth(value) else value
        return value

    def compared(self):
        value = self.single()
        while operator := self.take("==", "!="):
            same = as_text(value).casefold() == as_text(self.single()).casefold()
            value = same if operator == "==" else not same
        return value

    def single(self):
        if self.take("!"):
            return not truth(self.single())
        if self.take("("):
            value = self.either()
            assert self.take(")")
            return value
        kind, value = self.tokens[self.at]
        self.at += 1
        if kind == "text":
            return value[1:-1].replace("''", "'")
        if kind == "number":
            return float(value)
        assert kind == "name", value
        if value in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[value]
        return self.called(value) if self.take("(") else self.looked_up(value)

    def called(self, name):
        arguments = []
        while not self.take(")"):
            arguments.append(self.either())
            self.take(",")
        return (_FUNCTIONS.get(name) or self.contexts["functions"][name])(*arguments)

    def looked_up(self, name):
        assert name in self.contexts, f"there is no context {name}"
        value = self.contexts[name]
        while self.take("."):
            key = self.tokens[self.at][1]
            self.at += 1
            value = value.get(key) if isinstance(value, dict) else None
        return value
