"""Every verdict that a result can hold, with text that tries to do harm."""

from __future__ import annotations

import math
from dataclasses import fields

from hypothesis import strategies as st

from d2b_gate.core.policy_change import PolicyChange
from d2b_gate.core.policy_effect import Effect
from d2b_gate.core.reading import Answer, Measured, Unmeasured
from d2b_gate.core.rules import Rule
from d2b_gate.core.untrusted import LARGEST_INTEGER
from d2b_gate.core.verdict import (
    Blame,
    Control,
    Dose,
    Example,
    FileChange,
    Finding,
    NoShift,
    Provenance,
    RowFinding,
    Saying,
    Shift,
    Since,
    Status,
    TokenMove,
    Verdict,
    View,
)
from d2b_gate.core.waivers import Waiver

_PIECES = (
    "::", ":", "#", "##[debug]", "##vso[x]", "\n", "\r\n", "\t", "\x1b[2J", "\x9b", "\u202e", "\u200b", "\u2028",
    "\ud800", "\x00", "\x7f", "\ufe0f", "\u3164", " ", "\u3000", "\xa0", "@@", "panda", "字", "é", "\U000e0041", "\\",
)  # fmt: skip

texts = st.lists(st.sampled_from(_PIECES) | st.text(max_size=4), max_size=8).map("".join)
numbers = st.floats(-1e6, 1e6, allow_nan=False)
counts = st.integers(0, LARGEST_INTEGER)
readings = st.builds(Measured, numbers, numbers, numbers) | st.builds(Unmeasured, texts)
predicted = st.builds(Shift, numbers, numbers, numbers, numbers, numbers, numbers)
shifts = predicted | st.builds(NoShift, texts)
answers = st.lists(st.builds(Answer, texts, numbers), max_size=3).map(tuple)
rules = st.builds(
    Rule,
    id=texts,
    probe=texts,
    fail_delta=numbers,
    warn_delta=numbers,
    target=texts,
    direction=st.sampled_from(["increase", "decrease", "either"]),
    max_level=numbers | st.just(math.inf),
    datasets=st.lists(texts, max_size=2).map(tuple),
    owner=texts,
    why=texts,
    locked=st.booleans(),
    origin=texts,
    budget_delta=numbers | st.just(math.inf),
)
blames = st.builds(
    Blame,
    path=texts,
    first_line=counts,
    last_line=counts,
    rows=counts,
    share=numbers,
    side=st.sampled_from(["added", "removed"]),
    basis=st.sampled_from(["estimated", "checked"]),
    samples=st.lists(texts, max_size=2).map(tuple),
)
views = st.builds(View, texts, counts, numbers, predicted, st.booleans(), st.lists(blames, max_size=2).map(tuple))
waivers = st.builds(
    Waiver,
    rule=texts,
    max_delta=numbers,
    owner=texts,
    approver=texts,
    reason=texts,
    expires=texts,
    paths=st.lists(texts, max_size=2).map(tuple),
    rows_hash=texts,
    origin=texts,
)
findings = st.builds(
    Finding,
    rule=rules,
    status=st.sampled_from(Status),
    title=texts,
    unit=st.sampled_from(["share", "nats"]),
    before=readings,
    after=readings,
    shift=shifts,
    reason=texts,
    examples=st.lists(st.builds(Example, texts, answers, answers), max_size=2).map(tuple),
    blame=st.lists(blames, max_size=2).map(tuple),
    blocks=st.booleans(),
    rows_hash=texts | st.just(""),
    waived_by=st.lists(waivers, max_size=2).map(tuple),
    sayings=st.lists(st.builds(Saying, texts, texts, texts, texts), max_size=2).map(tuple),
    tokens=st.lists(st.builds(TokenMove, texts, numbers, numbers, numbers, st.booleans()), max_size=2).map(tuple),
    doses=st.lists(st.builds(Dose, numbers, numbers), max_size=2).map(tuple),
    views=st.lists(views, max_size=2).map(tuple),
    raw_delta=numbers,
)
sinces = st.builds(Since, texts, counts, counts, st.lists(findings, max_size=2).map(tuple))
versions = st.dictionaries(texts, texts, max_size=2).map(lambda found: tuple(found.items()))
provenances = st.builds(
    Provenance,
    **dict.fromkeys(
        {field.name for field in fields(Provenance)} - {"seed", "versions"},
        texts,
    ),
    seed=st.integers(-LARGEST_INTEGER, LARGEST_INTEGER),
    versions=versions,
)
verdicts = st.builds(
    Verdict,
    provenance=provenances,
    files=st.lists(st.builds(FileChange, texts, counts, counts), max_size=3).map(tuple),
    rows_before=counts,
    rows_after=counts,
    rows_cached=counts,
    findings=st.lists(findings, max_size=3).map(tuple),
    row_findings=st.lists(st.builds(RowFinding, texts, texts, counts, texts), max_size=2).map(tuple),
    controls=st.lists(st.builds(Control, texts, st.booleans(), texts), max_size=2).map(tuple),
    notes=st.lists(texts, max_size=2).map(tuple),
    seconds=numbers,
    fingerprint=texts,
    deferred=texts | st.just(""),
    since=st.lists(sinces, max_size=1).map(tuple),
    policy_changes=st.lists(
        st.builds(PolicyChange, texts, texts, texts, texts, st.sampled_from(Effect), texts), max_size=2
    ).map(tuple),
)
