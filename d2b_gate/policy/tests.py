"""Unit tests of a policy: readings as if a model had given them, and the status that each rule must end with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pydantic import Field, ValidationError

from d2b_gate.core.errors import PolicyError, UsageError
from d2b_gate.core.judge import Evidence, judge
from d2b_gate.core.noise import Null
from d2b_gate.core.suggest import did_you_mean
from d2b_gate.core.toml import parse
from d2b_gate.policy.locate import locate
from d2b_gate.policy.models import Sentence, Strict, Word
from d2b_gate.policy.sentences import sentence

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from d2b_gate.core.errors import GateError
    from d2b_gate.core.reading import Probe
    from d2b_gate.core.rules import Policy
    from d2b_gate.core.verdict import Finding

Readings = float | list[float]


class ReadingTable(Strict):
    """What one rule reads before and after, in the probe's unit; a list has one value per prompt."""

    rule: Word
    before: Readings
    after: Readings
    clean: list[float] = Field(default=[0.0, 0.0, 0.0], min_length=2)
    expect: Literal["ok", "warn", "fail", "inconclusive"]


class TestTable(Strict):
    """Readings that are judged together, so that the adjustment over rules is that of a real run."""

    name: Sentence = Field(min_length=1)
    context: Literal["hook", "ci"] = "ci"
    reading: list[ReadingTable] = Field(min_length=1)


class TestsFile(Strict):
    """A file of tests."""

    version: Literal[1] = Field(alias="schema")
    test: list[TestTable] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One test: where it stands, and what went wrong; passed where nothing did."""

    where: str
    name: str
    failures: tuple[str, ...]


def run_tests(text: str, path: str, policy: Policy, probes: Callable[[str], Probe]) -> tuple[Outcome, ...]:
    """Judge the readings of every test by the policy, with the formula that judges changes.

    Raises:
        PolicyError: every problem of the file; nothing is judged then.
    """
    tests = _tests(text, path)
    lines = locate(text)
    rules = {rule.id: rule for rule in policy.rules}
    problems: list[GateError] = [
        UsageError(
            f"the policy has no rule {reading.rule!r}",
            where=f"{path}:{lines['test', index, 'reading', place, 'rule']}",
            remedy=did_you_mean(reading.rule, rules),
        )
        for index, test in enumerate(tests)
        for place, reading in enumerate(test.reading)
        if reading.rule not in rules
    ]
    if problems:
        raise PolicyError(problems)
    return tuple(
        Outcome(f"{path}:{lines['test', index]}", test.name, _failures(test, policy, probes))
        for index, test in enumerate(tests)
    )


def _tests(text: str, path: str) -> list[TestTable]:
    table = parse(text, path)
    try:
        return TestsFile.model_validate(table).test
    except ValidationError as error:
        lines = locate(text)
        details = error.errors(include_url=False)
        raise PolicyError(
            [UsageError(sentence(one), where=f"{path}:{_line(one['loc'], lines)}") for one in details]
        ) from error


def _line(at: tuple[int | str, ...], lines: Mapping[tuple[int | str, ...], int]) -> int:
    """The line of a key, or of the nearest table around it."""
    return next((lines[at[:size]] for size in range(len(at), 0, -1) if at[:size] in lines), 1)


def _failures(test: TestTable, policy: Policy, probes: Callable[[str], Probe]) -> tuple[str, ...]:
    evidence = [_evidence(reading, policy, probes) for reading in test.reading]
    outcome = policy.on_inconclusive.hook if test.context == "hook" else policy.on_inconclusive.ci
    findings = judge(evidence, confidence=policy.method.confidence, seed=policy.method.seed, on_inconclusive=outcome)
    by_rule: dict[str, Finding] = {finding.rule.id: finding for finding in findings}
    told = ((reading, by_rule[reading.rule]) for reading in test.reading)
    return tuple(
        f"{reading.rule} is {finding.status.value}, not {reading.expect}: {finding.reason}"
        for reading, finding in told
        if finding.status.value != reading.expect
    )


def _evidence(reading: ReadingTable, policy: Policy, probes: Callable[[str], Probe]) -> Evidence:
    rule = next(rule for rule in policy.rules if rule.id == reading.rule)
    probe = probes(rule.probe)
    before, after = _values(reading.before), _values(reading.after)
    prompts = max(len(before), len(after))
    wide = [values * prompts if len(values) == 1 else values for values in (before, after)]
    return Evidence(rule, probe.title, probe.unit, (wide[0],), (wide[1],), Null(tuple(reading.clean)))


def _values(readings: Readings) -> tuple[float, ...]:
    return tuple(readings) if isinstance(readings, list) else (readings,)
