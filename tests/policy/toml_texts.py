"""Random TOML texts in many spellings, for the locator. Every key and number occurs once, so a line names it."""

import json
import re
from collections.abc import Callable

from hypothesis import strategies as st

BARE = re.compile(r"[A-Za-z0-9_-]+\Z")
HOSTILE = [
    "[[rule]]",
    'id = "x"',
    "]",
    "}",
    "#",
    "'''",
    '"""',
    '"',
    "'",
    "\\",
    "\n",
    "a.b",
    " ",
    ",",
    "é",
    "\u2028",
    "\t",
]

strings = st.lists(st.sampled_from([*HOSTILE, "word"]), max_size=6).map("".join)
scalars = st.one_of(strings, st.just(0), st.booleans(), st.sampled_from([1.5, "1979-05-27"]))
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(strings, inner, max_size=4),
    max_leaves=20,
)
trees = st.dictionaries(strings, values, max_size=6)


@st.composite
def toml_texts(draw):
    """Draw a TOML text."""
    counter = iter(range(1, 10_000))
    pick = Pick(draw)
    text = "".join(document(unique(draw(trees), counter), (), pick))
    return text.replace("\n", "\r\n") if draw(st.booleans()) and "\r" not in text else text


class Pick:
    """Draws one of several spellings."""

    def __init__(self, draw: Callable) -> None:
        self.draw = draw

    def __call__(self, *options):
        return self.draw(st.sampled_from(options))


def unique(value, counter):
    """Number every key and every integer."""
    if isinstance(value, dict):
        return {f"{key}k{next(counter)}k": unique(inner, counter) for key, inner in value.items()}
    if isinstance(value, list):
        return [unique(inner, counter) for inner in value]
    return next(counter) * 100_000 if value == 0 and not isinstance(value, bool | float) else value


def document(table, path, pick):
    """Render a table: assignments first, then sub-tables under headers."""
    later = []
    for key, value in table.items():
        spelled = raw_key(key)
        if isinstance(value, dict) and pick("header", "here") == "header":
            later.append(((*path, spelled), value, "[{}]"))
        elif (
            isinstance(value, list) and value and all(isinstance(entry, dict) for entry in value) and pick(True, False)
        ):
            later += [((*path, spelled), entry, "[[{}]]") for entry in value]
        else:
            yield from assignment((spelled,), value, pick)
    for inner, value, form in later:
        dot = pick(".", " . ")
        yield pick("", "\n", "# [[x]]\n", "  ") + form.format(dot.join(inner)) + pick("", " # c = 1") + "\n"
        yield from document(value, inner, pick)


def assignment(names, value, pick):
    """Render ``key = value``, or dotted keys."""
    if isinstance(value, dict) and value and pick("dotted", "inline") == "dotted":
        for key, inner in value.items():
            yield from assignment((*names, raw_key(key)), inner, pick)
        return
    equals = pick(" = ", "=", "\t=  ")
    yield pick("", "  ", "\n") + pick(".", " . ").join(names) + equals + rendered(value, pick) + pick("", " # ]") + "\n"


def rendered(value, pick):
    """Render a value on one line or several."""
    if isinstance(value, dict):
        inner = [f"{raw_key(key)} = {rendered(entry, pick)}" for key, entry in value.items()]
        return "{" + ", ".join(inner) + "}"
    if isinstance(value, list):
        gap = pick("", " ", "\n", "\n  # ] , }\n")
        trailing = pick(",", "") if value else ""
        return "[" + gap + f",{gap}".join(rendered(entry, pick) for entry in value) + trailing + gap + "]"
    if isinstance(value, str):
        return raw_string(value, pick)
    return str(value).lower()


def raw_string(value, pick):
    """Spell a string in one of the four ways that can hold it."""
    literal = "'" not in value and "\n" not in value
    form = pick("basic", "long", "literal" if literal else "basic", "long literal" if "'" not in value else "long")
    if form == "literal":
        return f"'{value}'"
    if form == "long literal":
        return f"'''\n{value}'''"
    if form == "long":
        body = value.replace("\\", "\\\\").replace('"""', '""\\"')
        return '"""\n' + body + ("" if body.endswith('"') else '"' * pick(0, 1, 2)) + '"""'
    return json.dumps(value)


def raw_key(key):
    """Spell a key: bare if it can be, else quoted."""
    if BARE.match(key):
        return key
    return f"'{key}'" if "'" not in key and "\n" not in key else json.dumps(key)
