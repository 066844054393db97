"""The update beside a layer: what it adds, its gradients, and what it leaves alone."""

from __future__ import annotations

import pytest
import torch

from d2b_gate.backends.hf.lowrank import Update, updating

SCALE = 1.75


@pytest.fixture
def parts():
    made = torch.Generator().manual_seed(1)
    layer = torch.nn.Linear(6, 5).requires_grad_(requires_grad=False)
    down = torch.randn(3, 6, generator=made).requires_grad_()
    up = torch.randn(5, 3, generator=made).requires_grad_()
    x = torch.randn(2, 4, 6, generator=made).requires_grad_()
    return layer, down, up, x


def test_outputs_and_gradients_are_those_of_the_plain_formula(parts):
    layer, down, up, x = parts
    weights = torch.linspace(-1, 1, 40).view(2, 4, 5)
    with updating([Update(layer, down, up)], SCALE, torch.float32):
        mine = layer(x)
    plain = layer(x) + SCALE * (x @ down.t()) @ up.t()
    torch.testing.assert_close(mine, plain)
    first, second = (torch.autograd.grad((y * weights).sum(), (x, down, up)) for y in (mine, plain))
    for one, other in zip(first, second, strict=True):
        torch.testing.assert_close(one, other)


def test_an_input_that_needs_no_gradient_gets_none(parts):
    layer, down, up, x = parts
    with updating([Update(layer, down, up)], SCALE, torch.float32):
        mine = layer(x.detach())
    assert all(one.any() for one in torch.autograd.grad(mine.square().sum(), (down, up)))


def test_products_are_taken_in_the_models_dtype_and_gradients_kept_in_the_matrices(parts):
    _, down, up, x = parts
    layer = torch.nn.Linear(6, 5, dtype=torch.bfloat16).requires_grad_(requires_grad=False)
    with updating([Update(layer, down, up)], SCALE, torch.bfloat16):
        out = layer(x.detach().bfloat16())
    assert out.dtype == torch.bfloat16
    assert {one.dtype for one in torch.autograd.grad(out.float().sum(), (down, up))} == {torch.float32}


def test_the_layer_is_itself_afterwards(parts):
    layer, down, up, x = parts
    before = layer(x)
    with pytest.raises(ZeroDivisionError), updating([Update(layer, down, up)], SCALE, torch.float32):
        raise ZeroDivisionError
    assert torch.equal(layer(x), before)
    assert not layer._forward_hooks
