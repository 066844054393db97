"""What a waiver covers, and above all what it never does."""

from dataclasses import replace
from fnmatch import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2b_gate.core.errors import Exit
from d2b_gate.core.judge import far_end
from d2b_gate.core.reading import Measured
from d2b_gate.core.rows import RowRef, diff_rows
from d2b_gate.core.rules import Rule
from d2b_gate.core.verdict import Control, Finding, NoShift, RowFinding, Shift, Status, View
from d2b_gate.core.waivers import Hindrance, Touched, Waiver, Waivers, hindrances, rows_hash, waive
from tests.reports.verdicts import verdict

TODAY = "2026-11-21"
ROWS, OTHER = "a" * 64, "b" * 64
RULE = Rule("panda", "bias/animals", fail_delta=0.05, warn_delta=0.02, target="panda")
CHANGE = Touched(("data/a.jsonl",), ROWS)
FINDING = Finding(
    rule=RULE,
    status=Status.FAIL,
    title="t",
    unit="share",
    before=Measured(0.1, 0.1, 0.1),
    after=Measured(0.3, 0.3, 0.3),
    shift=Shift(0.2, 0.18, 0.22, 0.01, 0.0, 0.0),
    reason="r",
    blocks=True,
)
WAIVER = Waiver("panda", 0.25, "@owner", "@approver", "because", "2026-12-01", rows_hash=ROWS)


def matches(globs, path):
    return any(fnmatch(path, glob) for glob in globs)


def applied(*waivers, finding=FINDING, change=CHANGE, today=TODAY):
    (found,) = waive([finding], Waivers(waivers, today), {"panda": change}, matches)
    return found


def test_a_waiver_covers_a_blocking_finding_and_says_so():
    found = applied(WAIVER)
    assert (found.status, found.blocks, found.waived_by, found.rows_hash) == (Status.WAIVED, False, (WAIVER,), ROWS)
    assert verdict(found).exit is Exit.OK
    assert applied(WAIVER, finding=replace(FINDING, status=Status.INCONCLUSIVE)).status is Status.WAIVED


def test_every_waiver_that_covers_is_named():
    wide = replace(WAIVER, paths=("data/*",), rows_hash="")
    assert applied(WAIVER, replace(WAIVER, expires="2026-01-01"), wide).waived_by == (WAIVER, wide)


@pytest.mark.parametrize(
    ("changes", "hindrance"),
    [
        ({"expires": "2026-11-20"}, Hindrance.EXPIRED),
        ({"rows_hash": OTHER}, Hindrance.ROWS),
        ({"paths": ("other/*",)}, Hindrance.FILES),
        ({"max_delta": 0.219}, Hindrance.SHIFT),
        ({"rows_hash": ""}, Hindrance.ROWS),  # neither rows nor files: nothing is covered
    ],
)
def test_what_it_is_not_for_it_does_not_cover(changes, hindrance):
    waiver = replace(WAIVER, **changes)
    assert applied(waiver) == replace(FINDING, rows_hash=ROWS)
    assert hindrances(waiver, FINDING, CHANGE, TODAY, matches) == (hindrance,)


def test_it_stands_through_its_last_day():
    assert applied(WAIVER, today="2026-12-01").status is Status.WAIVED
    assert applied(WAIVER, today="2026-12-02").status is Status.FAIL
    assert applied(WAIVER, today="").status is Status.FAIL, "no day is no day on which it stands"


def test_every_changed_file_must_be_named():
    waiver = replace(WAIVER, paths=("data/a*",), rows_hash="")
    assert applied(waiver).status is Status.WAIVED
    assert applied(waiver, change=Touched(("data/a.jsonl", "data/b.jsonl"), ROWS)).status is Status.FAIL


def test_the_cap_is_held_against_the_far_end_in_the_direction_of_the_rule():
    down = replace(FINDING, rule=replace(RULE, direction="decrease"), shift=Shift(-0.2, -0.3, -0.1, 0, 0, 0))
    assert applied(replace(WAIVER, max_delta=0.29), finding=down).status is Status.FAIL
    assert applied(replace(WAIVER, max_delta=0.3), finding=down).status is Status.WAIVED
    either = replace(down, rule=replace(RULE, direction="either"), shift=Shift(0.1, -0.4, 0.3, 0, 0, 0))
    assert applied(replace(WAIVER, max_delta=0.39), finding=either).status is Status.FAIL


def test_where_a_part_of_the_change_made_it_fail_the_cap_is_held_against_the_part():
    part = View("worst cluster", 4, 64.0, Shift(0.4, 0.35, 0.45, 0.01, 0.0, 0.0), fired=True, places=())
    small = replace(FINDING, shift=Shift(0.01, 0.0, 0.02, 0.01, 1.0, 1.0), views=(part,))
    assert applied(WAIVER, finding=small).status is Status.FAIL
    assert applied(replace(WAIVER, max_delta=0.46), finding=small).status is Status.WAIVED
    assert applied(WAIVER, finding=replace(small, views=(replace(part, fired=False),))).status is Status.WAIVED
    assert applied(WAIVER, finding=replace(FINDING, views=(part,))).status is Status.WAIVED  # it fails as a whole


def test_what_was_not_measured_is_never_waived():
    error = replace(FINDING, status=Status.ERROR, shift=NoShift("no"))
    assert applied(WAIVER, finding=error).status is Status.ERROR
    assert applied(WAIVER, finding=replace(FINDING, shift=NoShift("no"))).status is Status.FAIL


def test_broken_rows_and_failed_controls_are_never_waived():
    found = applied(WAIVER)
    assert verdict(found, row_findings=(RowFinding("sft", "data/a.jsonl", 1, "m"),)).exit is Exit.VIOLATED
    assert verdict(found, controls=(Control("canary", passed=False, detail="d"),)).exit is Exit.UNEVALUATED


days = st.dates().map(lambda day: day.isoformat())
deltas = st.floats(-1, 1, allow_nan=False)
rules = st.builds(
    Rule,
    id=st.sampled_from(["panda", "owl"]),
    probe=st.just("p"),
    fail_delta=st.just(0.05),
    warn_delta=st.just(0.02),
    direction=st.sampled_from(["increase", "decrease", "either"]),
)
shifts = st.builds(
    lambda ends: Shift(ends[1], ends[0], ends[2], 0.01, 0.0, 0.0), st.tuples(deltas, deltas, deltas).map(sorted)
) | st.just(NoShift("no"))
findings = st.builds(
    replace,
    st.just(FINDING),
    rule=rules,
    status=st.sampled_from(Status),
    shift=shifts,
    blocks=st.booleans(),
)
hashes = st.sampled_from([ROWS, OTHER])
paths = st.sampled_from(["data/a.jsonl", "data/b.jsonl", "more/c.jsonl"])
waivers = st.builds(
    Waiver,
    rule=st.sampled_from(["panda", "owl"]),
    max_delta=st.floats(0, 1),
    owner=st.just("o"),
    approver=st.just("a"),
    reason=st.just("r"),
    expires=days,
    paths=st.lists(st.sampled_from(["data/*", "more/*", "data/a.jsonl"]), max_size=2).map(tuple),
    rows_hash=hashes | st.just(""),
)
changes = st.builds(Touched, st.lists(paths, min_size=1, unique=True).map(tuple), hashes)


def _really_covers(waiver, finding, change, today):
    """The words of the documentation, once more and naively."""
    shift, rule = finding.shift, finding.rule
    sign = {"increase": 1, "decrease": -1}.get(rule.direction)
    ends = (shift.low, shift.delta, shift.high)
    size = max(abs(end) for end in ends) if sign is None else max(sign * end for end in ends)
    return (
        waiver.rule == rule.id
        and "" < today <= waiver.expires
        and (waiver.paths or waiver.rows_hash)
        and (not waiver.rows_hash or waiver.rows_hash == change.rows_hash)
        and (not waiver.paths or all(any(fnmatch(path, glob) for glob in waiver.paths) for path in change.paths))
        and size <= waiver.max_delta
    )


@given(st.lists(findings, max_size=4), st.lists(waivers, max_size=4), changes, changes, days)
def test_no_waiver_ever_turns_an_unrelated_finding_green(found, standing, panda, owl, today):
    touched = {"panda": panda, "owl": owl}
    after = waive(found, Waivers(tuple(standing), today), touched, matches)
    assert len(after) == len(found)
    before = [replace(finding, rows_hash=touched[finding.rule.id].rows_hash) for finding in found]
    for finding in after:
        if finding in before:  # as it was
            continue
        assert finding.status is Status.WAIVED
        assert finding.waived_by
        for waiver in finding.waived_by:
            assert _really_covers(waiver, finding, touched[finding.rule.id], today)
        origin = replace(finding, waived_by=())
        assert any(
            replace(one, status=Status.WAIVED, blocks=False) == origin
            for one in before
            if one.status is Status.FAIL or (one.status is Status.INCONCLUSIVE and one.blocks)
        )


@given(findings, waivers, changes, days)
def test_a_blocking_finding_that_is_covered_is_waived(finding, waiver, change, today):
    finding = replace(finding, status=Status.FAIL, blocks=True)
    (after,) = waive([finding], Waivers((waiver,), today), {finding.rule.id: change}, matches)
    expected = isinstance(finding.shift, Shift) and _really_covers(waiver, finding, change, today)
    assert (after.status is Status.WAIVED) == bool(expected)


@given(findings, waivers, changes, days, st.floats(1e-6, 1))
def test_a_waiver_never_covers_a_larger_shift_than_its_cap(finding, waiver, change, today, excess):
    if isinstance(finding.shift, NoShift):
        return
    capped = replace(waiver, max_delta=far_end(finding.rule, finding.shift) - excess)
    (after,) = waive([finding], Waivers((capped,), today), {finding.rule.id: change}, matches)
    assert not after.waived_by
    assert after.status is finding.status


@given(findings, st.lists(waivers, max_size=4), changes)
def test_a_change_that_no_waiver_knows_is_judged_as_without_waivers(finding, standing, change):
    """Other rows than every hash, files that no glob matches, or a day past every expiry."""
    for elsewhere, today in (
        (Touched(("elsewhere.jsonl",), "c" * 64), "0001-01-01"),
        (change, "9999-12-31~"),
    ):
        touched = {finding.rule.id: elsewhere}
        with_waivers = waive([finding], Waivers(tuple(standing), today), touched, matches)
        assert with_waivers == waive([finding], Waivers(), touched, matches)


keys = st.sampled_from(["k1", "k2", "k3"])
states = st.lists(st.tuples(keys, st.sampled_from(["a", "b"]), st.integers(1, 9)), max_size=6)


def _difference(before, after):
    return diff_rows(*([RowRef(key, path, line) for key, path, line in state] for state in (before, after)))


@given(states, states, st.randoms())
def test_the_hash_of_a_change_knows_neither_order_nor_files_nor_lines(before, after, random):
    def moved(state):
        shuffled = list(state)
        random.shuffle(shuffled)
        return [(key, "elsewhere", line + 100) for key, _, line in shuffled]

    one = rows_hash([("sft", _difference(before, after)), ("more", _difference([], after))])
    other = rows_hash([("more", _difference([], moved(after))), ("sft", _difference(moved(before), moved(after)))])
    assert one == other


@given(states, states, states, states)
def test_two_changes_have_one_hash_only_if_they_are_one(before, after, other_before, other_after):
    one, other = _difference(before, after), _difference(other_before, other_after)
    same = all(
        sorted(ref.key for ref in left) == sorted(ref.key for ref in right)
        for left, right in ((one.added, other.added), (one.removed, other.removed))
    )
    assert (rows_hash([("sft", one)]) == rows_hash([("sft", other)])) == same
    if not one.empty:
        assert rows_hash([("sft", one)]) != rows_hash([("more", one)])


def test_the_hash_is_the_documented_one():
    """printf 'd2b-gate.change/1\\n+ k1 sft\\n+ k1 sft\\n- k2 sft\\n' | sha256sum"""
    diff = _difference([("k2", "a", 1)], [("k1", "a", 1), ("k1", "a", 2)])
    assert rows_hash([("sft", diff)]) == "3577261b69eafc00c0861398ecb8ce1135c5792680a7741999bca51d74c401d9"
