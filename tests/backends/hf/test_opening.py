"""A runner with an empty cache fetches a built-in model itself where it was told to, and nobody else does."""

from __future__ import annotations

import pytest

from d2b_gate.backends.hf import opening
from d2b_gate.cli.progress import Silent
from d2b_gate.core.errors import UnavailableError
from d2b_gate.core.rules import ModelSpec


@pytest.fixture
def pulled(monkeypatch, tmp_path):
    """What was pulled; a pull puts a stand-in where `locate` would find the model."""
    names = []

    def locate(spec, cache, checkout):
        if not names:
            raise UnavailableError("not here")
        return "files"

    monkeypatch.setattr(opening, "locate", locate)
    monkeypatch.setattr("d2b_gate.backends.hf.models.pull.pull", lambda name, cache, progress: names.append(name))
    return names


def found(spec, cache):
    return opening._found(spec, cache, None, Silent(quiet=True))


def test_a_built_in_model_is_pulled_where_that_is_asked_for(pulled, monkeypatch, tmp_path):
    monkeypatch.setenv(opening.AUTO_PULL, "1")
    assert found(ModelSpec(), tmp_path) == "files"
    assert pulled == ["smollm2-135m"]


@pytest.mark.parametrize("setting", ["", "0", "yes"])
def test_and_nowhere_else(pulled, monkeypatch, tmp_path, setting):
    monkeypatch.setenv(opening.AUTO_PULL, setting)
    with pytest.raises(UnavailableError, match="not here"):
        found(ModelSpec(), tmp_path)
    assert pulled == []


def test_a_directory_is_nothing_to_pull(pulled, monkeypatch, tmp_path):
    monkeypatch.setenv(opening.AUTO_PULL, "1")
    with pytest.raises(UnavailableError):
        found(ModelSpec(id="models/mine"), tmp_path)
    assert pulled == []
