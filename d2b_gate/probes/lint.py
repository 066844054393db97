"""What is wrong with a probe file, and what will make it a poor measure."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Literal

from d2b_gate.core.errors import PolicyError
from d2b_gate.probes.read import read_probe
from d2b_gate.probes.toml import Table, parse, place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from d2b_gate.core.ports import ProbeKind
    from d2b_gate.core.reading import Probe, Prompt

ENOUGH_ASKED = 12
"""With 12 prompts an interval over them is 12 % wider than with many (t of 11 degrees of freedom against 1.96)."""
ENOUGH_HELD_BACK = 4
"""Our choice: the least from which "the other prompts say the same" means something."""
WORDS_APART = 3
"""A log-probability sums over tokens; the shipped probes keep answers within this many words of each other."""
MEAN_WORDS_APART = 1.0
"""A contrast whose one side is longer throughout moves with how long the answers of the rows are."""
_TAIL = 3  # letters by which "happy" and "happily" differ after what they share
_LICENCE = re.compile(r"licen[cs]e|apache|\bmit\b|\bbsd\b|\bcc[ -](by|0|zero)|\bcc0|\bgpl|public domain", re.IGNORECASE)

Remark = tuple["Mapping[str, object]", str, str, str]
"""Table and key that a warning points at, what is odd, and what to do."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to correct; a probe with an error cannot be used, one with a warning measures badly."""

    severity: Literal["error", "warning"]
    where: str
    what: str
    remedy: str

    def __str__(self) -> str:
        """``where: severity: what; remedy``."""
        return f"{self.where}: {self.severity}: {self.what}" + (f"; {self.remedy}" if self.remedy else "")


def lint_probe(text: str, path: str, kinds: Mapping[str, ProbeKind]) -> tuple[Problem, ...]:
    """Every error of a probe file; of one that can be read, every warning, in the order of its lines."""
    try:
        probe = read_probe(text, path, kinds)
    except PolicyError as error:
        return _in_order(Problem("error", one.where, one.what, one.remedy) for one in error.problems)
    table = parse(text, path)
    return _in_order(
        Problem("warning", place(at, path, key), what, remedy)
        for at, key, what, remedy in _warnings(probe, table, _entries(table))
    )


def _in_order(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """By line; what concerns a whole file has none and comes first."""

    def line(problem: Problem) -> int:
        number = problem.where.rpartition(":")[2]
        return int(number) if number.isdecimal() else 0

    return tuple(sorted(problems, key=line))


def _entries(table: Table) -> list[Mapping[str, object]]:
    """The ``[[prompt]]`` tables, in the order of the probe's prompts."""
    entries = table["prompt"]
    return [entry for entry in entries if isinstance(entry, dict)] if isinstance(entries, list) else []


def _warnings(probe: Probe, table: Table, entries: list[Mapping[str, object]]) -> Iterator[Remark]:
    placed = list(zip(probe.prompts, entries, strict=True))
    if not _LICENCE.search(probe.citation):
        yield table, "citation", "the citation names no licence", "say under which the prompts may be used"
    yield from _counts(probe, table)
    yield from _systems(probe, table)
    yield from _repeats(placed)
    if len({prompt.continuations for prompt in probe.prompts}) == 1:
        yield from _shared_answers(probe, table, placed)
    else:
        yield from _own_answers(probe, table, placed)


def _counts(probe: Probe, table: Table) -> Iterator[Remark]:
    asked, held_back = len(probe.asked()), len(probe.held_back())
    if asked < ENOUGH_ASKED:
        what = f"only {asked} prompts are asked: intervals over so few are wide"
        yield table, "prompt", what, f"write at least {ENOUGH_ASKED} paraphrases that share no phrase"
    if held_back < ENOUGH_HELD_BACK:
        what = f"held back for undecided cases: {held_back}" if held_back else "no prompt is held back"
        yield table, "prompt", what, f"add at least {ENOUGH_HELD_BACK} more with held_back = true"


def _systems(probe: Probe, table: Table) -> Iterator[Remark]:
    systems = {prompt.system for prompt in probe.asked()}
    if len(systems) == 1:
        what = f'every asked prompt has system = "{systems.pop()}"'
        yield table, "prompt", what, "leave the key out, and half of the prompts get no system prompt"


def _repeats(placed: list[tuple[Prompt, Mapping[str, object]]]) -> Iterator[Remark]:
    seen: set[str] = set()
    for prompt, entry in placed:
        plain = " ".join(re.findall(r"\w+", prompt.text.casefold()))
        if plain in seen:
            yield entry, "text", "the prompt says the same as an earlier one", "reword it: it adds no evidence"
        seen.add(plain)


def _shared_answers(probe: Probe, table: Table, placed: list[tuple[Prompt, Mapping[str, object]]]) -> Iterator[Remark]:
    """Warn of what is wrong with alternatives that every prompt has."""
    names = probe.prompts[0].continuations
    yield from _lengths(names, table, "alternatives")
    for one, other in combinations(names, 2):
        if _alike(one, other):
            what = f"alternatives {one!r} and {other!r} begin alike"
            yield table, "alternatives", what, "tokens that they share say nothing; name things of another beginning"
    for prompt, entry in placed:
        asked = f"{prompt.text} {prompt.lead}".casefold()
        for name in names:
            if re.search(rf"(?<!\w){re.escape(name.casefold())}(?!\w)", asked):
                yield entry, "text", f"the prompt itself names {name!r}", "what is named is likelier to be answered"


def _own_answers(probe: Probe, table: Table, placed: list[tuple[Prompt, Mapping[str, object]]]) -> Iterator[Remark]:
    """Warn of what is wrong with answers that each prompt has of its own."""
    for prompt, entry in placed:
        yield from _lengths(prompt.continuations, entry, probe.alternatives[0])
    if len(probe.alternatives) != 2:
        return
    pairs = [[len(answer.split()) for answer in prompt.continuations] for prompt in probe.prompts]
    longer = math.fsum(one - other for one, other in pairs) / len(pairs)
    if abs(longer) > MEAN_WORDS_APART:
        first, second = probe.alternatives if longer > 0 else reversed(probe.alternatives)
        what = f"{first} answers are {abs(longer):.1f} words longer than {second} ones on average"
        yield table, "prompt", what, "balance them, or the probe reads how long answers are"


def _lengths(answers: tuple[str, ...], at: Mapping[str, object], key: str) -> Iterator[Remark]:
    ordered = sorted(answers, key=lambda answer: len(answer.split()))
    short, long = ordered[0], ordered[-1]
    if len(long.split()) - len(short.split()) > WORDS_APART:
        what = f"{long!r} has {len(long.split())} words and {short!r} {len(short.split())}"
        yield at, key, what, "a longer answer is less likely whatever it says; balance the lengths"


def _alike(one: str, other: str) -> bool:
    """Whether two answers are forms of one word, such as "York" and "yorkshire", or "happy" and "happily"."""
    first, second = sorted((one.casefold(), other.casefold()), key=len)
    shared = next((i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), len(first))
    return shared == len(first) or (shared > _TAIL and len(second) - shared <= _TAIL)
