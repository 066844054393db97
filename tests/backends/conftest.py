"""Fixtures for the backend tests: every architecture in turn, rows and prompts of mixed lengths."""

from __future__ import annotations

import pytest

from d2b_gate.backends.hf.encode import encode_rows
from tests.models import ARCHITECTURES, MAX_LENGTH, sample_prompts, sample_rows, tiny_backend, tiny_engine


@pytest.fixture(params=ARCHITECTURES)
def arch(request):
    return request.param


@pytest.fixture
def engine(arch):
    return tiny_engine(arch)


@pytest.fixture
def backend(arch):
    return tiny_backend(arch)


@pytest.fixture
def rows():
    return sample_rows()


@pytest.fixture
def prompts():
    return sample_prompts()


@pytest.fixture
def examples(engine, rows):
    """The rows as the reference takes them: (token ids, positions of the loss tokens)."""
    return [(row.ids, row.targets) for row in encode_rows(engine.tokenizer, rows, MAX_LENGTH)]
