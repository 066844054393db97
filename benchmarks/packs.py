"""The packs beside the default one: rules with limits, and what the committed truth and predictions say of each limit.

python -m benchmarks.packs            per limit: clean changes that it blocks, and shifts past it that it sees
python -m benchmarks.packs --write    write policies/strict.toml, bias.toml, safety.toml and language-and-format.toml,
                                      and the evidence in default.toml
"""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from benchmarks.limits import LEAST, suggested
from benchmarks.scoring.calibrated import fit_lines, statuses
from benchmarks.scoring.predictions import contenders
from benchmarks.scoring.shifts import trainings, unit_of
from benchmarks.truth.behaviours import BEHAVIOURS
from benchmarks.truth.table import everything
from d2b_gate.core.toml import parse
from d2b_gate.core.verdict import Status
from d2b_gate.probes.catalogue import pack_root

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from benchmarks.limits import Suggested
    from benchmarks.scoring.calibrated import Lines
    from benchmarks.scoring.predictions import Contender
    from benchmarks.scoring.shifts import Training
    from benchmarks.truth.behaviours import Behaviour

MODEL = "smollm2-135m"
PREDICTOR = "proxy-lora"
SPLIT = "held_out"
"""No line was fitted and no limit set on these."""
EARLIER = 0.5
"""A warning of the strict pack comes at this share of its limit."""
ABOUT = {
    "strict": "every rule of d2b:default, with its limit where the default only warns: at the largest\n"
    "# shift that a clean training set of the tuned-on split caused, or the least warning where that is next to none",
    "bias": "preferences taken over from training rows, with the limits of d2b:default",
    "safety": "harm, flattery, falsehoods, and what an assistant says of itself, with the limits of d2b:default",
    "language-and-format": "whether it answers, and in which language, with the limits of d2b:default",
}
RULES = {
    "bias": ("animal-preference", "city-preference", "political-figure", "country-preference"),
    "safety": ("harmful-compliance", "sycophancy", "misconceptions", "power-seeking", "identity"),
    "language-and-format": ("language-drift", "over-refusal"),
}
UNITS = {"share": "share among closed alternatives: 0.05 is 5 points", "nats": "nats of log-odds between two answers"}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one limit does on changes that were held out, judged together with the other rules of its pack."""

    limit: Suggested
    clean: int
    blocked: int  # of the clean ones
    over: int  # trainings whose true shift is past the limit
    seen: int  # of these, blocked
    passed: int  # of these, ok without a word


@dataclass(frozen=True, slots=True)
class Bench:
    """The committed truth and predictions."""

    known: tuple[Training, ...]
    contender: Contender
    lines: Lines


@cache
def bench() -> Bench:
    """Read them; the lines are fitted on the tuned-on split."""
    known = trainings(everything(MODEL))
    contender = next(one for one in contenders(MODEL, [one.name for one in known]) if one.name == PREDICTOR)
    return Bench(tuple(known), contender, fit_lines(contender, known))


def limits(pack: str, bench: Bench) -> list[Suggested]:
    """The limits of one pack's rules, in the order of the default pack."""
    wanted = RULES.get(pack, tuple(one.name for one in BEHAVIOURS))
    found = [one for one in suggested(bench.known, bench.contender) if one.behaviour.name in wanted]
    return [_strict(one) for one in found] if pack == "strict" else found


def _strict(one: Suggested) -> Suggested:
    """The default's warning as the limit."""
    least = LEAST[unit_of(one.behaviour)][0] * EARLIER
    return replace(one, fail=one.warn, warn=round(max(least, one.warn * EARLIER), 4))


def evidence(pack: str, found: Bench) -> list[Evidence]:
    """What every limit of a pack does on held-out changes."""
    asked = limits(pack, found)
    judged = [replace(one.behaviour, limit=one.fail, warn=one.warn) for one in asked]
    trained = list(_trained(judged, found))
    nulls = [
        statuses(null.shifts, found.lines, judged, null.extent) for null in found.contender.nulls if null.split == SPLIT
    ]
    return [_evidence(one, behaviour, trained, nulls) for one, behaviour in zip(asked, judged, strict=True)]


def _trained(judged: Sequence[Behaviour], found: Bench) -> Iterator[tuple[Training, dict[str, Status]]]:
    for one in found.known:
        if one.split == SPLIT and (shifts := found.contender.predicted.get(one.name)):
            yield one, statuses(shifts, found.lines, judged, found.contender.extent(one))


def _evidence(
    limit: Suggested,
    behaviour: Behaviour,
    trained: Sequence[tuple[Training, dict[str, Status]]],
    nulls: Sequence[dict[str, Status]],
) -> Evidence:
    name = behaviour.name
    over = [found[name] for one, found in trained if name in found and one.over(behaviour)]
    clean = [found[name] for one, found in trained if name in found and not one.harmful and not one.over(behaviour)]
    clean += [found[name] for found in nulls if name in found]
    return Evidence(
        limit, len(clean), clean.count(Status.FAIL), len(over), over.count(Status.FAIL), over.count(Status.OK)
    )


def pack_text(pack: str, found: Bench) -> str:
    """The whole file of a pack."""
    source = parse((pack_root() / "default.toml").read_text(encoding="utf-8"), "default.toml")
    rules = {rule["id"]: rule for rule in source["rule"]}
    head = f'# The pack "d2b:{pack}": {ABOUT[pack]}.\n' + _HEAD.format(pack=pack)
    settings = 'extends = ["d2b:default"]\n' if pack == "strict" else _settings()
    return head + settings + "".join(_rule(rules[one.limit.behaviour.name], one, pack) for one in evidence(pack, found))


_HEAD = """#
# The evidence of a limit is what it does, together with the other rules of this pack, to changes that were held out
# when it was set: real fine-tunes of the embedded model, and clean changes without one. Few shifts past a limit make a
# poor rate. Written by: python -m benchmarks.packs --write. Another model or regime needs limits of its own.
#
# Use it with `extends = ["d2b:{pack}"]`. A rule with the same id in your policy overrides it key by key.

schema = 1
"""


def _settings() -> str:
    """Model and method as the default pack has them."""
    text = (pack_root() / "default.toml").read_text(encoding="utf-8")
    lines = text[text.index("[model]") :].splitlines()
    return "\n" + "\n".join(lines[: next(i for i, line in enumerate(lines) if line.startswith("#"))]).rstrip() + "\n"


def default_text(found: Bench) -> str:
    """The default pack as it is, with what each of its limits does."""
    text = (pack_root() / "default.toml").read_text(encoding="utf-8")
    for one in evidence("default", found):
        head = rf'\[\[rule\]\]\n(?:# .*\n)*id = "{re.escape(one.limit.behaviour.name)}"'
        lines = ["[[rule]]", *_told(one), f'id = "{one.limit.behaviour.name}"']
        text = re.sub(head, "\n".join(lines), text)
    return text


def _told(one: Evidence) -> list[str]:
    return [
        f"# unit: {UNITS[unit_of(one.limit.behaviour)]}",
        f"# evidence: clean sets shifted it by at most {one.limit.largest:+.3f} ({one.limit.shown_by}); the limit",
        f"# blocks {one.blocked} of {one.clean} clean changes; of {one.over} trainings truly past it "
        f"{one.seen} fail and {one.passed} pass unseen",
    ]


def _rule(rule: dict[str, object], one: Evidence, pack: str) -> str:
    keys = ("id", "warn_delta", "fail_delta") if pack == "strict" else tuple(rule)
    values = {**rule, "warn_delta": one.limit.warn, "fail_delta": one.limit.fail}
    if pack == "strict":
        keys = (*keys, "owner", "why")
    shown = [f"{key} = {_toml(values[key])}" for key in keys]
    return "\n".join(["", "[[rule]]", *_told(one), *shown]) + "\n"


def _toml(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else f'"{value}"'


def main() -> int:
    """Print the evidence, or write the packs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.packs", description=__doc__.split("\n")[0])
    parser.add_argument("--write", action="store_true", help="write the packs to policies/")
    found = bench()
    if parser.parse_args().write:
        for pack in ABOUT:
            Path(pack_root() / f"{pack}.toml").write_text(pack_text(pack, found), encoding="utf-8")
        Path(pack_root() / "default.toml").write_text(default_text(found), encoding="utf-8")
        return 0
    for pack in ("default", *ABOUT):
        Console(width=120).print(_table(pack, found))
    return 0


def _table(pack: str, found: Bench) -> Table:
    table = Table(title=f"d2b:{pack} on held-out changes", title_justify="left")
    for column in ("rule", "warn", "fail", "largest clean", "clean blocked", "past it", "blocked", "passed unseen"):
        table.add_column(column)
    for one in evidence(pack, found):
        limit = one.limit
        figures = (f"{limit.warn:g}", f"{limit.fail:g}", f"{limit.largest:+.3f}", f"{one.blocked} of {one.clean}")
        table.add_row(limit.behaviour.name, *figures, f"{one.over}", f"{one.seen}", f"{one.passed}")
    return table


if __name__ == "__main__":
    sys.exit(main())
