"""Log-probabilities of chosen tokens and their gradients, against the plain formula."""

from __future__ import annotations

import pytest
import torch

from d2b_gate.backends.hf import chosen
from d2b_gate.backends.hf.chosen import chosen_log_probs

AT = torch.tensor([0, 0, 0, 2, 3, 3, 6])  # a row that nothing is read from, and one token twice
TOKEN = torch.tensor([4, 4, 9, 0, 10, 1, 5])


@pytest.mark.parametrize("rows_at_once", [1, 2, 7, 1000])
@pytest.mark.parametrize(("dtype", "close"), [(torch.float32, 1e-6), (torch.bfloat16, 2e-2)])
def test_values_and_gradients_are_those_of_the_plain_formula(monkeypatch, rows_at_once, dtype, close):
    monkeypatch.setattr(chosen, "SLICE", rows_at_once * 11)
    made = torch.Generator().manual_seed(3)
    logits = (torch.randn(7, 11, generator=made) * 5).to(dtype).requires_grad_()
    weights = torch.randn(7, generator=made)
    mine = chosen_log_probs(logits, AT, TOKEN)
    plain = logits.float().log_softmax(dim=1)[AT, TOKEN]
    torch.testing.assert_close(mine, plain, atol=1e-5, rtol=1e-5)
    grads = [torch.autograd.grad((values * weights).sum(), logits)[0] for values in (mine, plain)]
    assert grads[0].dtype == dtype
    torch.testing.assert_close(*grads, atol=close, rtol=close)
    assert not grads[0][1].any()


def test_nothing_chosen():
    logits = torch.zeros(0, 5, requires_grad=True)
    none = torch.zeros(0, dtype=torch.int64)
    values = chosen_log_probs(logits, none, none)
    assert values.shape == (0,)
    assert torch.autograd.grad(values.sum(), logits)[0].shape == (0, 5)
