"""The words of a hook mean the same whether argparse reads them or not."""

from __future__ import annotations

import pytest

from d2b_gate.cli.arguments import parse
from d2b_gate.cli.plain_hook import plain_hook

PLAIN = [
    *(["hook", stage, *rest] for stage in ("pre-commit", "pre-push") for rest in ([], ["a", "b c"], ["--remote"])),
    ["hook", "pre-commit", "--remote", "a", "b"],
]
OTHERS = [
    *(
        [],
        ["hook"],
        ["hook", "post-commit"],
        ["check"],
        ["hook", "pre-commit", "--quiet"],
        ["hook", "pre-commit", "-v"],
    ),
    *(["hook", "--help"], ["hook", "pre-commit", "--", "a"], ["hook", "pre-commit", "--format", "json"], ["--version"]),
]


def named(arguments):
    return {key: value for key, value in vars(arguments).items() if key != "run"}


@pytest.mark.parametrize("environment", [{}, {"COLOR": "never", "DEVICE": "cpu", "BACKEND": "warm"}])
@pytest.mark.parametrize("argv", PLAIN)
def test_a_plain_hook_is_read_as_argparse_reads_it(argv, environment, monkeypatch):
    for name, value in environment.items():
        monkeypatch.setenv(f"D2B_GATE_{name}", value)
    (arguments,) = plain_hook(argv)
    assert named(arguments) == named(parse(argv))


@pytest.mark.parametrize("argv", OTHERS)
def test_everything_else_is_left_to_argparse(argv):
    assert not list(plain_hook(argv))
