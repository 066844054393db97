"""Help texts of every command, as users read them."""

from __future__ import annotations

import argparse
import sys

import pytest

from d2b_gate.cli.arguments import COMMANDS, make_parser


def parsers(parser):
    """The parser and all below it, by what is typed to reach them."""
    yield parser.prog, parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from parsers(inner)


ALL = dict(parsers(make_parser()))


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="argparse lays its help out differently since 3.13")
@pytest.mark.parametrize("command", ALL)
def test_help(command, snapshot, monkeypatch):
    monkeypatch.setenv("COLUMNS", "88")
    assert ALL[command].format_help() == snapshot


@pytest.mark.parametrize("command", ALL)
def test_every_flag_and_command_is_explained(command):
    for action in ALL[command]._actions:
        if isinstance(action, argparse._SubParsersAction):
            explained = {choice.dest for choice in action._choices_actions if choice.help}
            assert explained == set(action.choices)
        else:
            assert action.help, action.dest


def test_no_flag_may_be_abbreviated():
    assert not [command for command, parser in ALL.items() if parser.allow_abbrev]


def test_a_command_alone_is_the_command_among_all():
    for name in COMMANDS:
        alone = dict(parsers(make_parser([name])))
        among = {command: parser for command, parser in ALL.items() if command.split()[1:2] == [name]}
        assert {command: parser.format_help() for command, parser in among.items()}.items() <= {
            command: parser.format_help() for command, parser in alone.items()
        }.items()
