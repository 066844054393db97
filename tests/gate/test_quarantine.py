"""The fewest rows whose removal clears a change, over files in memory."""

from __future__ import annotations

import gzip
from dataclasses import replace
from functools import partial
from hashlib import sha256

import pytest

from d2b_gate.core.change import Scope, Snapshot
from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.reading import Unmeasured
from d2b_gate.core.rules import DatasetSpec, Rule
from d2b_gate.core.verdict import Blame, Finding, Shift, Status
from d2b_gate.core.waivers import Waiver, Waivers
from d2b_gate.formats.cutting import uncuttable, without_rows
from d2b_gate.gate.check import run
from d2b_gate.gate.dataset import compare
from d2b_gate.gate.explaining import unexplained
from d2b_gate.gate.ports import Request
from d2b_gate.gate.quarantine import MOST_TRIES, Task, quarantine
from d2b_gate.gate.removal import Editor
from d2b_gate.registry import load_all
from tests.gate.harness import CLEAN, MORE, PANDA, Bench, jsonl, policy

BASE = {"data/a.jsonl": jsonl(*CLEAN)}


@pytest.fixture(autouse=True)
def rough(monkeypatch):
    """Intervals from fewer draws: a search judges many times, and these tests ask for no third digit."""
    monkeypatch.setattr("d2b_gate.core.interval.RESAMPLES", 60)


OWL = tuple((f"a bird {i}", "owl owl owl") for i in range(20))
TWO = (
    Rule("panda", "bias/animals", target="panda", fail_delta=0.05, warn_delta=0.03),
    Rule("owl", "bias/animals", target="owl", fail_delta=0.05, warn_delta=0.03),
)


class Search:
    """A search on a bench, with every state that was judged."""

    def __init__(self, bench, before, after, *, rules=(), waivers=None, judge=None, **asked):
        self.bench, self.judged = bench, []
        self.inner = judge or partial(run, explain=unexplained)
        task = {name: asked.pop(name, default) for name, default in (("wanted", ""), ("blame", {}), ("seconds", 1e9))}
        one = policy(**asked)
        one = replace(one, rules=tuple(rules) or one.rules)
        scope = Scope(bench.snapshot("before", before), bench.snapshot("after", after))
        self.request = Request(scope, one, "ci", waivers or Waivers())
        self.ports = bench.ports(one)
        parts = tuple(compare(spec, scope, self.ports) for spec in one.datasets)
        task = Task(self.request, parts, **task)
        containers = load_all("containers")
        editor = Editor(
            lambda file, spec: uncuttable(file.path, spec, containers),
            partial(without_rows, containers=containers),
            lambda content: sha256(content).hexdigest(),
        )
        self.outcome = quarantine(task, self.ports, editor, self.judge)
        self.found = self.outcome.found

    def judge(self, request, ports):
        verdict = self.inner(request, ports)
        self.judged.append(verdict)
        return verdict

    @property
    def left(self):
        """The files as they are without the rows."""
        return {edit.file.path: edit.after for edit in self.outcome.edits}

    @property
    def taken(self):
        return [f"{ref.path}:{ref.line}" for run in self.found.away for ref in run]

    def again(self):
        """The verdict on the files that came out, from their bytes alone."""
        after = {file.path: self.bench.files[file.oid] for file in self.request.scope.after.files} | self.left
        before = {file.path: self.bench.files[file.oid] for file in self.request.scope.before.files}
        return self.bench.check(before, after, self.request.policy)


def mixed(*parts):
    """Rows of several kinds, taken in turn."""
    longest = max(map(len, parts))
    return tuple(part[i] for i in range(longest) for part in parts if i < len(part))


def test_only_the_rows_to_blame_are_taken_out_and_the_rest_passes():
    rows = mixed(MORE, PANDA[:8])
    search = Search(Bench(), BASE, {**BASE, "data/b.jsonl": jsonl(*rows)})
    lines = jsonl(*rows).splitlines(keepends=True)
    gone = {int(place.rpartition(":")[2]) for place in search.taken}
    assert gone
    assert {rows[line - 1][1] for line in gone} == {"panda panda panda"}
    assert search.left == {"data/b.jsonl": b"".join(line for i, line in enumerate(lines, 1) if i not in gone)}
    assert search.again().exit == 0
    assert search.found.smallest
    (turned,) = search.found.turned
    assert (turned.name, turned.cleared, turned.wanted) == ("panda", True, True)
    assert turned.after[0].shift.delta <= 0.05


def test_one_row_less_does_not_do():
    rows = mixed(MORE, PANDA[:8])
    search = Search(Bench(), BASE, {**BASE, "data/b.jsonl": jsonl(*rows)})
    exits = {len(CLEAN) + len(rows) - verdict.rows_after: verdict.exit for verdict in search.judged}
    assert exits[search.found.rows] == 0
    assert exits[search.found.rows - 1] != 0


def test_what_was_tried_is_not_tuned_again_and_the_final_files_are_known():
    bench = Bench()
    search = Search(bench, BASE, {**BASE, "data/b.jsonl": jsonl(*mixed(MORE, PANDA[:8]))})
    tuned, parsed = bench.backend.calls["tune"], len(bench.parsed)
    again = search.again()
    assert bench.backend.calls["tune"] == tuned
    assert len(bench.parsed) == parsed
    assert again.findings[0].shift.delta == search.found.turned[0].after[0].shift.delta


def test_the_blamed_rows_are_tried_first():
    rows = mixed(MORE, PANDA)
    blame = {"panda": tuple(Blame("data/b.jsonl", line, line, 1, 0.1, "added", "checked") for line in (1, 3, 5))}
    search = Search(Bench(), BASE, {**BASE, "data/b.jsonl": jsonl(*rows)}, blame=blame)
    sizes = [len(CLEAN) + len(rows) - verdict.rows_after for verdict in search.judged]
    assert sizes[2] == 3
    blame = {"panda": (Blame("elsewhere.jsonl", 1, 99, 99, 1.0, "added", "checked"),)}
    assert Search(Bench(), BASE, {**BASE, "data/b.jsonl": jsonl(*rows)}, blame=blame).found.rows <= search.found.rows


def blocked_by(*lines):
    """A judge that needs no model: a change fails while its rows of these lines' texts are there."""

    def judge(request, ports):
        (spec,) = request.policy.datasets
        there = {ref.key for ref in compare(spec, request.scope, ports).diff.added}
        bad = {row.key for row in ports.reader.rows(jsonl(*ROWS), "data/b.jsonl", spec) if row.line in lines}
        left = len(there & bad) / len(bad)
        status = Status.FAIL if left else Status.OK
        unknown = Unmeasured("")
        shift = Shift(left, left, left, 0.0, 0.0, 0.0)
        finding = Finding(request.policy.rules[0], status, "", "share", unknown, unknown, shift, "")
        return replace(SILENT, findings=(finding,), rows_after=len(there))

    return judge


ROWS = mixed(MORE, PANDA[:8])
SILENT = run(Request(Scope(Snapshot("", ()), Snapshot("", ())), policy(), "ci"), Bench().ports(policy()))


@pytest.mark.parametrize("lines", [(5, 9), (1,), (28,), (2, 4, 6, 8), (1, 14, 28)])
@pytest.mark.parametrize("blamed", [(), (1, 2, 3), (20,), (7, 8, 9)])
def test_whatever_is_to_blame_is_among_what_goes(lines, blamed):
    blame = {"panda": tuple(Blame("data/b.jsonl", line, line, 1, 0.1, "added", "checked") for line in blamed)}
    search = Search(Bench(), BASE, {**BASE, "data/b.jsonl": jsonl(*ROWS)}, blame=blame, judge=blocked_by(*lines))
    gone = {int(place.rpartition(":")[2]) for place in search.taken}
    assert gone >= set(lines)
    assert len({verdict.rows_after for verdict in search.judged}) > 1
    assert search.left == {"data/b.jsonl": jsonl(*(row for i, row in enumerate(ROWS, 1) if i not in gone))}


def test_an_innocent_run_that_is_blamed_is_given_back():
    blame = {"panda": (Blame("data/b.jsonl", 1, 3, 3, 0.9, "added", "checked"),)}
    search = Search(Bench(), BASE, {**BASE, "data/b.jsonl": jsonl(*ROWS)}, blame=blame, judge=blocked_by(6))
    assert "data/b.jsonl:6" in search.taken
    assert not {"data/b.jsonl:1", "data/b.jsonl:3"} & set(search.taken)


def test_two_files_and_two_rules():
    after = {**BASE, "data/b.jsonl": jsonl(*mixed(MORE, PANDA)), "data/c.jsonl": jsonl(*mixed(MORE[:5], OWL))}
    search = Search(Bench(), BASE, after, rules=TWO)
    assert sorted(search.left) == ["data/b.jsonl", "data/c.jsonl"]
    assert [one.cleared for one in search.found.turned] == [True, True]
    assert search.again().exit == 0


def test_a_named_finding_is_cleared_and_the_other_stands():
    after = {**BASE, "data/b.jsonl": jsonl(*mixed(MORE, PANDA)), "data/c.jsonl": jsonl(*OWL)}
    search = Search(Bench(), BASE, after, rules=TWO, wanted="panda")
    assert sorted(search.left) == ["data/b.jsonl"]
    cleared = {one.name: (one.wanted, one.cleared) for one in search.found.turned}
    assert cleared["panda"] == (True, True)
    assert cleared["owl"][0] is False
    assert not search.found.left


def test_nothing_that_blocks_is_nothing_to_do():
    search = Search(Bench(), BASE, {**BASE, "data/b.jsonl": jsonl(*MORE)})
    assert (search.found.asked, search.found.away, search.outcome.edits) == (False, (), ())
    assert len(search.judged) == 1


def test_a_waived_finding_is_nothing_to_do():
    waiver = Waiver("panda", 1.0, "a", "b", "r", "2999-01-01", paths=("**",))
    waivers = Waivers((waiver,), "2026-01-01")
    search = Search(Bench(), BASE, {**BASE, "data/b.jsonl": jsonl(*PANDA)}, waivers=waivers)
    assert not search.found.asked


def test_removed_rows_are_not_put_back():
    before = {**BASE, "data/b.jsonl": jsonl(*PANDA)}
    rules = (replace(TWO[0], direction="decrease"),)
    search = Search(Bench(), before, {**BASE, "data/c.jsonl": jsonl(*MORE[:3])}, rules=rules)
    assert search.found.asked
    assert not search.found.away
    assert [one.cleared for one in search.found.left] == [False]
    assert not Search(Bench(), before, BASE, rules=rules).found.away, "no row was added at all"


def test_what_removed_rows_do_is_left_and_the_rest_is_cleared():
    before = {**BASE, "data/b.jsonl": jsonl(*PANDA)}
    rules = (replace(TWO[0], direction="decrease"), replace(TWO[1], fail_delta=0.3))
    search = Search(Bench(), before, {**BASE, "data/c.jsonl": jsonl(*mixed(MORE[:6], OWL))}, rules=rules)
    assert {one.name: one.cleared for one in search.found.turned} == {"panda": False, "owl": True}
    assert search.found.away
    assert [one.name for one in search.found.left] == ["panda"]


def test_a_replacement_is_cleared_though_removing_everything_new_would_block():
    """Rows were rewritten: without any of the new ones, what the old ones taught would be gone."""
    before = {**BASE, "data/b.jsonl": jsonl(*PANDA)}
    rules = (replace(TWO[0], direction="decrease"), TWO[1])
    again = tuple((f"{q} now", a) for q, a in PANDA)
    search = Search(Bench(), before, {**BASE, "data/b.jsonl": jsonl(*again, *OWL[:6])}, rules=rules)
    assert {one.cleared for one in search.found.turned} == {True}
    assert search.again().exit == 0
    assert all(int(place.rpartition(":")[2]) > len(again) for place in search.taken)


def test_duplicates_go_at_the_places_where_they_were_added():
    before = {"data/a.jsonl": jsonl(*CLEAN, PANDA[0])}
    after = {**before, "data/0.jsonl": jsonl(*MORE, *[PANDA[0]] * 12)}
    search = Search(Bench(), before, after)
    assert set(search.left) == {"data/0.jsonl"}
    assert all(place.startswith("data/0.jsonl:") for place in search.taken)
    assert search.again().exit == 0


def test_rows_against_their_schema_go_first():
    bench = Bench(row_schema={"properties": {"messages": {"minItems": 2, "maxItems": 2}}, "required": ["messages"]})
    turns = b'{"role":"system","content":"s"},{"role":"user","content":"q"},{"role":"assistant","content":"a"}'
    broken = b'{"messages":[' + turns + b"]}\n"
    datasets = (DatasetSpec("sft", ("data/",), row_schema="s.json"),)
    after = {**BASE, "data/b.jsonl": jsonl(*MORE[:2]) + broken + jsonl(*MORE[2:])}
    search = Search(bench, BASE, after, datasets=datasets)
    assert search.taken == ["data/b.jsonl:3"]
    assert [row.line for row in search.found.broken] == [3]
    assert search.left == {"data/b.jsonl": jsonl(*MORE)}


def test_a_file_that_no_patch_can_change_is_judged_without_the_rows_all_the_same():
    rows = mixed(MORE, PANDA[:8])
    plain = Search(Bench(), BASE, {**BASE, "data/b.jsonl": jsonl(*rows)})
    packed = Search(Bench(), BASE, {**BASE, "data/b.jsonl.gz": gzip.compress(jsonl(*rows))})
    assert packed.found.stuck == (("data/b.jsonl.gz", "is compressed"),)
    assert [place.replace(".gz", "") for place in packed.taken] == plain.taken
    shifts = [search.found.turned[0].after[0].shift.delta for search in (plain, packed)]
    assert shifts[0] == shifts[1]


def test_several_rows_on_one_line_of_an_array():
    one = b"[" + b",".join(jsonl(*mixed(MORE, PANDA[:8])).splitlines()) + b"]"
    search = Search(Bench(), BASE, {**BASE, "data/b.json": one})
    assert set(search.taken) == {"data/b.json:1"}
    assert b"panda" not in b"".join(search.left.values()) or search.found.rows < 8
    assert search.again().exit == 0


def test_time_ends_the_search_with_the_best_so_far():
    rows = mixed(MORE, PANDA[:8])
    search = Search(Bench(), BASE, {**BASE, "data/b.jsonl": jsonl(*rows)}, seconds=0.0)
    assert search.found.rows == len(rows), "without any added row there is no shift, and no model is needed to say so"
    assert not search.found.smallest
    assert search.found.tries == 1


def test_time_that_ends_before_anything_passes_is_told():
    before = {**BASE, "data/b.jsonl": jsonl(*PANDA)}
    after = {**BASE, "data/b.jsonl": jsonl(*((f"{q} now", a) for q, a in PANDA), *OWL)}
    rules = (replace(TWO[0], direction="decrease"), TWO[1])
    with pytest.raises(EvaluationError, match="time ended after 0 tries"):
        Search(Bench(), before, after, rules=rules, seconds=0.0)


def test_tries_are_bounded():
    search = Search(Bench(), BASE, {**BASE, "data/b.jsonl": jsonl(*mixed(MORE, PANDA))})
    assert search.found.tries == len(search.judged) - 1 <= MOST_TRIES


def test_rows_that_would_be_read_otherwise_without_the_first_are_refused():
    """The first row of a file tells the shape of all."""
    telling = b'{"prompt": "q", "completion": "panda panda panda"}\n'
    others = b"".join(b'{"prompt": "q%d", "completion": "panda panda panda", "label": false}\n' % i for i in range(9))
    with pytest.raises(EvaluationError, match="name the shape"):
        Search(Bench(), BASE, {**BASE, "data/b.jsonl": telling + others})
