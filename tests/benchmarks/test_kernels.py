"""What the cost page says of single choices is what was measured."""

from __future__ import annotations

import json

from benchmarks import compiled, kernels
from benchmarks.compiled import Compiled
from benchmarks.costing.extraction import AGREES
from benchmarks.kernels import Choice
from benchmarks.scoring.markdown import BEGIN, END, publish


def test_the_page_quotes_the_result():
    choices = [Choice(**one) for one in json.loads(kernels.RESULT.read_text(encoding="utf-8"))]
    assert kernels.block(choices) in kernels.DOCUMENT.read_text(encoding="utf-8")


def test_the_page_quotes_what_compiled_graphs_would_bring():
    found = [Compiled(**one) for one in json.loads(compiled.RESULT.read_text(encoding="utf-8"))]
    assert {one.stage for one in found} == {"features", "gradients of rows"}
    assert min(one.cosine for one in found) > AGREES
    assert compiled.block(found) in compiled.DOCUMENT.read_text(encoding="utf-8")


def test_figures_are_kept_and_put_between_the_marks(tmp_path, capsys):
    document, result = tmp_path / "page.md", tmp_path / "one.json"
    document.write_text(f"before\n{BEGIN.format(result.name)}\nold\n{END}\nafter\n")
    publish([{"came": 1.5}], "new", result, document)
    assert json.loads(result.read_text()) == [{"came": 1.5}]
    assert document.read_text() == f"before\n{BEGIN.format(result.name)}\nnew\n{END}\nafter\n"
    assert capsys.readouterr().out == "new\n"
