from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

from d2b_gate.backends.hf.backend import HfBackend
from d2b_gate.backends.hf.encode import encode_rows
from d2b_gate.backends.hf.engine import make_engine
from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.features import Injection, Site
from d2b_gate.core.ports import RowLength
from d2b_gate.core.rows import Turn, make_row
from tests.models import MAX_LENGTH, WIDTH, Silence, tiny_engine, tiny_model


def test_a_backend_is_made_and_asked_its_card_without_torch():
    program = (
        "import sys\n"
        "from d2b_gate.backends.hf.backend import HfBackend\n"
        "assert HfBackend('card', None, None, None).card == 'card'\n"
        "print(sorted({'torch', 'transformers', 'accelerate', 'numpy'} & set(sys.modules)))\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


def test_the_model_is_loaded_once_and_when_first_needed(rows, tmp_path):
    opened = []

    def open_engine():
        opened.append(1)
        return tiny_engine("llama")

    backend = HfBackend(tiny_model("llama")[2], open_engine, Silence(), tmp_path)
    assert backend.card.sites == (Site(0), Site(1), Site(2))
    assert opened == []
    backend.lengths(rows)
    backend.gradients(rows[:1])
    assert opened == [1]


def test_lengths_are_the_encoding_s(backend, rows):
    encoded = encode_rows(backend.engine().tokenizer, rows, MAX_LENGTH)
    lengths = backend.lengths(rows)
    assert [(one.tokens, one.trained, one.cut) for one in lengths] == [
        (len(e.ids), len(e.targets), e.cut) for e in encoded
    ]
    assert len(set(lengths)) == len(rows)


def test_a_row_that_does_not_fit_is_cut_to_the_card_s_length(backend):
    long = make_row([Turn("text", "panda " * 500, trained=True)])
    (length,) = backend.lengths([long])
    assert length.tokens == MAX_LENGTH
    assert length.cut > 400
    assert length == RowLength(MAX_LENGTH, MAX_LENGTH - 1, length.cut)
    assert backend.gradients([long]).values_nld.any()


def test_a_model_without_a_head_is_refused():
    model, tokenizer, card = tiny_model("llama")
    with pytest.raises(EvaluationError, match="LlamaModel has no output embeddings"):
        make_engine(model.model, tokenizer, card)


def test_arrays_that_cannot_be_written_are_taken(backend, prompts, recwarn, request):
    """Stored arrays come memory-mapped and read-only."""
    request.addfinalizer(lambda: torch.set_warn_always(False))
    torch.set_warn_always(True)  # once per process otherwise
    vectors_ld = np.ones((1, WIDTH), dtype=np.float32)
    writable = backend.read(prompts, Injection((Site(1),), vectors_ld))
    frozen = np.frombuffer(vectors_ld.tobytes(), dtype=np.float32).reshape(1, WIDTH)
    assert backend.read(prompts, Injection((Site(1),), frozen)) == writable
    assert [str(one.message) for one in recwarn if "writable" in str(one.message)] == []


def test_grad_mode_is_as_it_was(backend, rows, prompts):
    with torch.no_grad():
        assert backend.gradients(rows[:1]).values_nld.any()
        assert not torch.is_grad_enabled()
    backend.states(rows, "last")
    assert torch.is_grad_enabled()
