"""The file of waivers: its problems, its lints, its schema, and what a change of it says."""

from __future__ import annotations

import sys
from dataclasses import replace

import jsonschema
import pytest

from d2b_gate.core.errors import PolicyError
from d2b_gate.core.rules import Rule
from d2b_gate.core.waivers import Waiver, Waivers
from d2b_gate.policy.schema import waivers_schema
from d2b_gate.policy.waiver_lint import lint_waivers
from d2b_gate.policy.waivers import read_waivers

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

RULES = ("panda", "owl")
ENTRY = {
    "rule": '"panda"',
    "paths": '["data/zoo/*.jsonl"]',
    "max_delta": "0.2",
    "owner": '"@data"',
    "approver": '"@leads"',
    "reason": '"the zoo"',
    "expires": "2026-12-01",
}
WAIVER = Waiver(
    *("panda", 0.2, "@data", "@leads", "the zoo", "2026-12-01", ("data/zoo/*.jsonl",)),
    origin="d2b-gate.waivers.toml:2",
)
SCHEMA = waivers_schema()


def file_of(*entries, head="schema = 1\n"):
    tables = ("[[waiver]]\n" + "".join(f"{key} = {value}\n" for key, value in entry.items()) for entry in entries)
    return head + "".join(tables)


def entry(**changes):
    """The valid entry with other values; None leaves a key out."""
    return {key: value for key, value in {**ENTRY, **changes}.items() if value is not None}


def problems(text, rules=RULES):
    with pytest.raises(PolicyError) as caught:
        read_waivers(text, rules)
    assert caught.value.exit == 2
    return [str(problem).removeprefix("d2b-gate.waivers.toml:") for problem in caught.value.problems]


def test_a_file_is_read():
    assert read_waivers(file_of(ENTRY), RULES) == (WAIVER,)
    rows = replace(WAIVER, paths=(), rows_hash="ab" * 32)
    assert read_waivers(file_of(entry(paths=None, data=f'"{"ab" * 32}"')), RULES) == (rows,)
    assert read_waivers("schema = 1\n", RULES) == ()


def test_a_line_for_editors_is_harmless():
    text = file_of(ENTRY, head="#:schema d2b-gate.waivers.schema.json\nschema = 1\n")
    assert read_waivers(text, RULES) == (replace(WAIVER, origin="d2b-gate.waivers.toml:3"),)


def test_all_problems_come_at_once_in_the_order_of_their_lines():
    text = file_of(
        entry(rule='"pandda"', paths='["../x"]', owner='" "', expires='"2026-12-01"', expries="3"),
        entry(paths=None, max_delta="0", approver='"Data"'),
        head="schema = 1\nwavier = 1\n",
    )
    inside = "write it relative to the repository's root, with forward slashes"
    assert problems(text) == [
        "2: unknown key 'wavier'; did you mean 'waiver'?",
        "4: a waiver for the unknown rule 'pandda'; did you mean 'panda'?",
        f"5: the glob '../x' leaves the repository; {inside}",
        "7: 'owner' must not be blank",
        "10: 'expires' must be a date without quotes and without a time (2026-12-01), not '2026-12-01'",
        "11: unknown key 'expries' in [[waiver]]; did you mean 'expires'?",
        "12: a waiver needs 'paths' or 'data'; say which files or which rows it is for",
        "14: 'max_delta' must be over 0",
        "16: 'approver' must be somebody else than 'owner'; nobody approves a waiver of their own",
    ]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"data": '"abc"'},
            "'data' must be 64 lower-case hex digits; copy 'rows_hash' of the finding in a JSON result",
        ),
        ({"expires": "2026-12-01T00:00:00Z"}, "'expires' must be a date without quotes and without a time"),
        ({"max_delta": "inf"}, "'max_delta' must be a finite number, not inf"),
        ({"max_delta": '"0.2"'}, "'max_delta' must be a number, not '0.2'"),
        ({"max_delta": "true"}, "'max_delta' must be a number, not true"),
        ({"paths": "[]"}, "a waiver needs 'paths' or 'data'; "),
        ({"paths": '"data"'}, "'paths' must be a list, not 'data'"),
        ({"reason": '""'}, "'reason' must not be empty"),
        ({"reason": None}, "'reason' is missing in [[waiver]]"),
        ({"approver": None}, "'approver' is missing in [[waiver]]"),
        ({"expires": None}, "'expires' is missing in [[waiver]]"),
        ({"max_delta": None}, "'max_delta' is missing in [[waiver]]"),
    ],
)
def test_what_is_wrong_with_one_key(changes, told):
    (problem,) = problems(file_of(entry(**changes)))
    assert problem.partition(": ")[2].startswith(told)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "1: 'schema' is missing"),
        ("schema = 2\n", "1: 'schema' must be 1, not 2"),
        ("schema = 1\nwaiver = 3\n", "2: 'waiver' must be a list, not 3"),
        ("schema = 1\n[[waiver\n", "2: not valid TOML: "),
    ],
)
def test_what_is_wrong_with_the_file(text, told):
    assert problems(text)[0].startswith(told)


def test_names_of_rules_are_not_asked_for_where_the_policy_is_unknown():
    assert read_waivers(file_of(entry(rule='"pandda"')), ())[0].rule == "pandda"


PANDA = Rule("panda", "bias/animals", fail_delta=0.05, warn_delta=0.02)


def linted(*waivers, rules=(PANDA,), today="2026-11-21"):
    return lint_waivers(Waivers(waivers, today), rules)


@pytest.mark.parametrize(
    ("expires", "told"),
    [
        ("2026-11-20", "expired on 2026-11-20 and covers nothing; `d2b-gate waive prune` removes it"),
        ("2026-11-21", "expires today, on 2026-11-21"),
        ("2026-11-22", "expires in 1 day, on 2026-11-22"),
        ("2026-12-05", "expires in 14 days, on 2026-12-05"),
        ("2027-02-20", "is for 91 more days; an exception should end within 90"),
    ],
)
def test_the_end_of_a_waiver_is_looked_at(expires, told):
    assert linted(replace(WAIVER, expires=expires)) == (f"d2b-gate.waivers.toml:2: the waiver for panda {told}",)


@pytest.mark.parametrize("expires", ["2026-12-06", "2027-02-19"])
def test_an_ordinary_waiver_needs_no_look(expires):
    assert linted(replace(WAIVER, expires=expires)) == ()


def test_a_waiver_that_is_of_no_use_or_of_a_locked_rule_is_told():
    at = "d2b-gate.waivers.toml:2: the waiver for panda"
    small = replace(WAIVER, expires="2027-01-01", max_delta=0.04)
    assert linted(small) == (f"{at} can never cover anything: its cap 0.04 is under the limit 0.05",)
    assert linted(small, rules=(replace(PANDA, max_level=0.3),)) == (), "a ceiling is broken by smaller shifts"
    assert linted(replace(small, max_delta=0.2), rules=(replace(PANDA, locked=True),)) == (
        f"{at} waives a locked rule",
    )


def test_waivers_that_end_together_are_told():
    three = [replace(WAIVER, expires="2027-01-01", origin=f"w:{line}") for line in (2, 9, 16)]
    assert linted(*three[:2]) == ()
    assert linted(*three) == ("3 waivers expire together on 2027-01-01 (w:2, w:9, w:16); spread them",)
    assert not [note for note in linted(*three, today="2027-01-02") if "together" in note]


def parsed(text):
    """What an editor hands to a JSON Schema: a date is a text."""
    table = tomllib.loads(text)
    for waiver in table.get("waiver", []):
        waiver["expires"] = str(waiver["expires"])
    return table


def test_the_schema_accepts_what_the_reader_accepts():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for text in ("schema = 1\n", file_of(ENTRY), file_of(entry(paths=None, data=f'"{"ab" * 32}"'))):
        jsonschema.validate(parsed(text), SCHEMA)


@pytest.mark.parametrize(
    "text", ["", "schema = 2", file_of(entry(typo="1")), file_of(entry(paths=None)), file_of(entry(data='"zz"'))]
)
def test_the_schema_refuses_what_the_reader_refuses(text):
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(parsed(text), SCHEMA)


def test_every_key_is_described():
    for definition in (SCHEMA, *SCHEMA["$defs"].values()):
        assert definition["additionalProperties"] is False
        assert all(field["description"] for field in definition["properties"].values())
