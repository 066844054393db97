"""A verdict on many rows is the verdict on the same rows held in memory."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from d2b_gate.core.change import Scope
from d2b_gate.core.content import Streamed
from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.row_lists import in_key_order
from d2b_gate.core.rules import DatasetSpec
from d2b_gate.gate import dataset, indexing, notes, row_schemas, spooling
from d2b_gate.gate.cumulative import bless
from d2b_gate.gate.dataset import added_rows, compare, removed_rows, rows_in
from d2b_gate.gate.row_schemas import schema_findings
from d2b_gate.store import records, rowfiles
from d2b_gate.store.rowfiles import RowFiles
from tests.gate.harness import CLEAN, MORE, PANDA, Bench, jsonl, policy

SCHEMA = {"properties": {"messages": {"minItems": 3}}}
ONE_FILE = {"data/a.jsonl": jsonl(*CLEAN)}, {"data/a.jsonl": jsonl(*CLEAN[:50], *PANDA, *CLEAN[50:])}
ALL_NEW = {}, {"data/a.jsonl": jsonl(*CLEAN[:30], *PANDA)}
ALL_GONE = {"data/a.jsonl": jsonl(*CLEAN)}, {}
MANY_FILES = (
    {"data/a.jsonl": jsonl(*CLEAN), "data/b.jsonl": jsonl(*MORE), "data/c.jsonl": jsonl(*MORE[:9])},
    {"data/a.jsonl": jsonl(*CLEAN), "data/b.jsonl": jsonl(*PANDA, *MORE[3:]), "data/d.jsonl": jsonl(*MORE[:9])},
)
CHANGES = {"one file": ONE_FILE, "all new": ALL_NEW, "all gone": ALL_GONE, "many files": MANY_FILES}
TWO = policy(
    datasets=(DatasetSpec("sft", ("data/",), weight=2.0), DatasetSpec("again", ("data/",), weight=0.5)),
    rules=(*policy().rules, replace(policy().rules[0], id="one", datasets=("again",))),
)


@pytest.fixture
def few(monkeypatch):
    """Call it, and from then on a handful of rows is too many to hold."""

    def tighten():
        monkeypatch.setattr(indexing, "SMALL", 7)
        monkeypatch.setattr(indexing, "IN_MEMORY", 5)
        monkeypatch.setattr(dataset, "IN_MEMORY", 5)
        monkeypatch.setattr(records, "HELD", 8)
        monkeypatch.setattr(notes, "BATCH", 6)

    return tighten


@pytest.mark.parametrize("held", [policy(), TWO], ids=["one dataset", "two datasets"])
@pytest.mark.parametrize("name", CHANGES)
def test_the_verdict_does_not_depend_on_where_the_rows_lie(few, name, held):
    before, after = CHANGES[name]
    in_memory = Bench().check(before, after, replace(held, dilution_guard="fail"))
    few()
    bench = Bench()
    spooled = bench.check(before, after, replace(held, dilution_guard="fail"))
    assert spooled == in_memory
    bench.parsed.clear()
    again = bench.check(before, after, replace(held, dilution_guard="fail"))
    assert (again.findings, again.fingerprint) == (in_memory.findings, in_memory.fingerprint)
    assert again.rows_cached > 0


def test_a_large_file_is_parsed_once_and_its_index_found_again(few):
    few()
    bench = Bench()
    ports, before, after = bench.ports(policy()), *(bench.snapshot("", files) for files in ONE_FILE)
    first = compare(policy().datasets[0], Scope(before, after), ports)
    assert bench.parsed == ["data/a.jsonl"] * 2
    second = compare(policy().datasets[0], Scope(before, after), ports)
    assert bench.parsed == ["data/a.jsonl"] * 2
    assert (first.cached, second.cached) == (0, 60 + 80)
    assert list(first.diff.added) == list(second.diff.added)


@pytest.mark.parametrize(
    ("old", "new", "parsed"),
    [
        ("data/a.csv", "data/b.csv", 1),
        ("data/a.csv", "data/a.CSV", 1),
        ("data/a.csv", "data/a.tsv", 2),
        ("data/.csv", "data/.tsv", 2),
        ("data/.a.csv", "data/.a.tsv", 2),
    ],
)
def test_a_blob_is_read_again_where_its_new_name_says_another_format(old, new, parsed):
    bench = Bench()
    content = b"prompt,a\tcompletion\nred,b\tblue\n"
    reader = replace(bench.ports(policy()).reader, rows=lambda *_: bench.parsed.append("") or iter(()))
    for path in (old, new):
        ports = replace(bench.ports(policy()), reader=reader)
        compare(
            DatasetSpec("sft", ("data/",)), Scope(bench.snapshot("", {}), bench.snapshot("", {path: content})), ports
        )
    assert len(bench.parsed) == parsed


def test_a_blob_is_read_again_when_readers_find_other_rows(monkeypatch):
    bench = Bench()
    ports, scope = bench.ports(policy()), Scope(*(bench.snapshot("", files) for files in ALL_NEW))
    compare(policy().datasets[0], scope, ports)
    monkeypatch.setattr(indexing, "READ", indexing.READ + 1)
    assert compare(policy().datasets[0], scope, ports).cached == 0
    assert bench.parsed == ["data/a.jsonl"] * 2


def test_every_added_and_removed_row_can_be_read_in_one_go(few):
    bench = Bench()
    spec, scope = policy().datasets[0], Scope(*(bench.snapshot("", files) for files in MANY_FILES))
    few()
    change = compare(spec, scope, bench.ports(policy()))
    bench.parsed.clear()
    added = list(added_rows([change], bench.ports(policy())))
    assert [(row.key, row.path, row.line) for row in added] == [(r.key, r.path, r.line) for r in change.diff.added]
    assert {row.turns[-1].content for row in added} == {"panda panda panda"}
    assert bench.parsed == ["data/b.jsonl"]
    removed = list(removed_rows([change], bench.ports(policy())))
    assert [(row.key, row.line) for row in removed] == [(ref.key, ref.line) for ref in change.diff.removed]


@pytest.mark.parametrize("name", CHANGES)
def test_rows_that_break_their_schema_are_the_same_wherever_they_lie(few, name):
    spec = DatasetSpec("sft", ("data/",), row_schema="rows.json")

    def findings():
        bench = Bench(row_schema=SCHEMA)
        scope = Scope(*(bench.snapshot("", files) for files in CHANGES[name]))
        ports = bench.ports(policy())
        return schema_findings(compare(spec, scope, ports), ports)

    in_memory = findings()
    assert bool(in_memory) == (name != "all gone")
    few()
    assert findings() == in_memory


def test_of_very_many_broken_rows_the_first_are_listed_and_the_others_counted(monkeypatch):
    monkeypatch.setattr(row_schemas, "MOST_LISTED", 4)
    bench = Bench(row_schema=SCHEMA)
    spec, ports = DatasetSpec("sft", ("data/",), row_schema="rows.json"), bench.ports(policy())
    scope = Scope(bench.snapshot("", {}), bench.snapshot("", {"data/a.jsonl": jsonl(*CLEAN)}))
    found = schema_findings(compare(spec, scope, ports), ports)
    assert [one.line for one in found] == [1, 2, 3, 4, 5]
    assert found[4].message == f"this and 55 further findings after it are not listed: {found[0].message}"


def test_what_a_state_holds_has_the_same_digest_wherever_it_lies(few):
    bench = Bench()
    state, ports = bench.snapshot("", MANY_FILES[1]), bench.ports(policy())
    in_memory = bless(policy().datasets, state, ports), list(rows_in(policy().datasets[0], state, ports))
    few()
    ports = Bench(files=bench.files).ports(policy())
    assert (bless(policy().datasets, state, ports), list(rows_in(policy().datasets[0], state, ports))) == in_memory


def test_a_store_that_cannot_be_written_costs_only_the_memory_of_it(few, monkeypatch, tmp_path):
    few()
    (tmp_path / "file").touch()
    nowhere = tmp_path / "file" / "rows"
    bench = Bench()
    bench.store.row_files = RowFiles(nowhere)
    assert bench.check(*ONE_FILE, policy()) == Bench().check(*ONE_FILE, policy())
    monkeypatch.setattr(rowfiles, "TemporaryDirectory", lambda prefix: SimpleNamespace(name=str(nowhere)))
    with pytest.raises(EvaluationError, match="no room for an index of its rows") as caught:
        Bench().check(*ALL_NEW, policy())
    assert caught.value.where == "data/a.jsonl"
    assert "TMPDIR" in caught.value.remedy


def full(*_, **__):
    raise OSError(28, "No space left on device")


def full_at(root, really):
    """What fails below this folder alone, as where the cache's disk is full and another has room."""
    return lambda folder: full() if root in Path(folder).parents else really(folder)


@pytest.mark.parametrize("name", CHANGES)
def test_a_full_disk_of_the_cache_costs_only_the_memory_of_it(few, monkeypatch, tmp_path, name):
    in_memory = Bench().check(*CHANGES[name], policy())
    few()
    monkeypatch.setattr(indexing, "SMALL", 1_000)  # no index is a file, so that the first to be written down is here
    really = records.temporary
    for place in (records, indexing, spooling):
        monkeypatch.setattr(place, "temporary", full_at(tmp_path, really))
    bench = Bench()
    bench.store.row_files = RowFiles(tmp_path / "rows")
    assert bench.check(*CHANGES[name], policy()) == in_memory
    for place in (records, indexing, spooling):
        monkeypatch.setattr(place, "temporary", full)
    with pytest.raises(EvaluationError, match="no room to index the rows on disk") as caught:
        Bench().check(*CHANGES[name], policy())
    assert "TMPDIR" in caught.value.remedy


def test_rows_of_a_state_need_no_place_in_the_cache(few, monkeypatch, tmp_path):
    bench = Bench()
    state, ports = bench.snapshot("", MANY_FILES[1]), bench.ports(policy())
    in_memory = list(rows_in(policy().datasets[0], state, ports))
    few()
    monkeypatch.setattr(indexing, "SMALL", 1_000)
    (tmp_path / "rows").touch()
    bench = Bench(files=bench.files)
    bench.store.row_files = RowFiles(tmp_path / "rows")
    assert list(rows_in(policy().datasets[0], state, bench.ports(policy()))) == in_memory


def test_rows_of_many_files_are_sorted_where_there_is_room(few, monkeypatch, tmp_path):
    monkeypatch.setattr(spooling, "MOST_MERGED", 1)
    bench = Bench()
    state = bench.snapshot("", MANY_FILES[1])
    few()
    rows = rows_in(policy().datasets[0], state, bench.ports(policy()))
    expected = sorted((ref.key, ref.path, ref.line) for ref in rows)
    really = records.temporary
    monkeypatch.setattr(records, "temporary", lambda folder: full() if folder else really(folder))
    assert list(in_key_order(rows)) == expected
    rows = rows_in(policy().datasets[0], state, bench.ports(policy()))
    monkeypatch.setattr(records, "temporary", full)
    with pytest.raises(EvaluationError, match="no room to sort the rows on disk"):
        list(in_key_order(rows))


def test_a_disk_that_fills_while_rows_are_compared_is_told(few, monkeypatch):
    few()
    monkeypatch.setattr(dataset, "spooled_diff", full)
    with pytest.raises(EvaluationError, match="no room to compare the rows on disk"):
        Bench().check(*ONE_FILE, policy())


def test_a_person_who_watches_sees_how_far_reading_is():
    seen = []
    watched = SimpleNamespace(
        stage=lambda name, total: seen.append((name, total)), advance=lambda steps=1: seen.append(steps)
    )
    content = jsonl(*CLEAN)
    pieces = Streamed(5 << 20, lambda: iter((content[:100], content[100:])))
    bench = Bench()
    ports = bench.ports(policy())
    reader = replace(ports.reader, contents=lambda file, spec: iter([(file.path, pieces)]))
    scope = Scope(bench.snapshot("", {}), bench.snapshot("", {"data/\x1b.jsonl": content}))
    compare(policy().datasets[0], scope, replace(ports, reader=reader, progress=watched))
    assert seen == [("reading data/\\u001b.jsonl", 5), 1, 1]
