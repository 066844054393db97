"""The action without a model: for everyone, forks included."""

from __future__ import annotations

import pytest

from tests.cli.support import HARMFUL

ROWS = HARMFUL + "{broken\n"


@pytest.mark.parametrize("repository", ["acme/data", "mallory/data"])
def test_rows_are_read_and_not_judged(forge, repository):
    forge.commit("topic", {"data/new.jsonl": HARMFUL}, after="main")
    outcome = forge.act(forge.pull("topic", repository=repository), mode="structure")
    assert (outcome.code, outcome.outputs["verdict"], outcome.outputs["result-path"]) == (0, "ok", "")
    assert "+40 rows" in outcome.log
    assert not outcome.used, "there is no result to upload"


def test_a_row_that_cannot_be_read_is_annotated(forge):
    forge.commit("topic", {"data/new.jsonl": ROWS}, after="main")
    outcome = forge.act(forge.pull("topic", repository="mallory/data"), mode="structure")
    assert (outcome.code, outcome.outputs["verdict"]) == (3, "error")
    [(place, _)] = outcome.annotations()
    assert (place["file"], place["line"]) == ("data/new.jsonl", "41")
    assert "data/new.jsonl:41" in outcome.summary


def test_an_unknown_mode_is_refused(forge):
    forge.commit("topic", {"data/new.jsonl": HARMFUL}, after="main")
    outcome = forge.act(forge.pull("topic"), mode="Structure")
    assert (outcome.code, outcome.outputs["verdict"]) == (2, "refused")
