from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from d2b_gate.backends.hf.memory import CPU_TOKENS, GPU_TOKENS, MOST_PADDING, WORTH_A_PASS, BatchRunner
from d2b_gate.core.errors import EvaluationError

LENGTHS = [3, 9, 1, 4, 4, 7]


def run(items, tokens, fits=lambda _group: True, error=torch.OutOfMemoryError):
    runner = BatchRunner("cpu")
    runner.tokens = tokens
    done, tried = [], []

    def step(group):
        tried.append(list(group))
        if not fits(group):
            raise error("CUDA out of memory. Tried to allocate 20.00 GiB")
        done.append(list(group))

    runner.run(items, lambda length: length, step)
    return runner, done, tried


@given(st.lists(st.integers(0, 50)), st.integers(1, 200))
def test_every_item_once_longest_first_and_within_the_budget(lengths, tokens):
    _, done, _ = run(lengths, tokens)
    flat = [i for group in done for i in group]
    assert sorted(flat) == list(range(len(lengths)))
    assert [lengths[i] for i in flat] == sorted(lengths, reverse=True)
    assert all(len(group) == 1 or lengths[group[0]] * len(group) <= tokens for group in done)


@given(st.lists(st.integers(1, 50)), st.integers(1, 200))
def test_a_group_ends_where_the_budget_does_or_where_the_next_row_would_be_mostly_padding(lengths, tokens):
    _, done, _ = run(lengths, tokens)
    for group, after in pairwise(done):
        longest = lengths[group[0]]
        full = longest * (len(group) + 1) > tokens
        padded = lengths[after[0]] < (1 - MOST_PADDING) * longest
        worth = longest * len(group) >= WORTH_A_PASS * tokens
        assert full or (padded and worth)


def test_short_rows_do_not_ride_with_long_ones():
    _, done, _ = run([100, 100, 100, 10, 10, 10], 4096)
    assert done == [[0, 1, 2], [3, 4, 5]]


def test_a_pass_that_is_too_small_to_be_worth_it_takes_short_rows_along():
    _, done, _ = run([20, 5, 5], 4096)
    assert done == [[0, 1, 2]]


def test_equal_lengths_keep_their_order():
    assert run([4, 4, 4, 4], 8)[1] == [[0, 1], [2, 3]]


def test_nothing_to_do_is_no_step():
    assert run([], 100)[2] == []


def test_out_of_memory_halves_until_it_fits_and_goes_on():
    runner, done, tried = run(LENGTHS, 1000, fits=lambda group: len(group) <= 2)
    assert tried[0] == [1, 5, 3, 4, 0, 2]
    assert len(tried[1]) <= len(tried[0]) // 2
    assert sorted(i for group in done for i in group) == list(range(len(LENGTHS)))
    assert all(len(group) <= 2 for group in done)
    assert runner.tokens < sum(LENGTHS)


def test_the_smaller_budget_is_remembered():
    runner, _, _ = run(LENGTHS, 1000, fits=lambda group: len(group) <= 2)
    tried = []
    runner.run(LENGTHS, lambda length: length, tried.append)
    assert all(len(group) <= 2 for group in tried[:3])


def test_a_single_row_that_does_not_fit_is_an_error():
    with pytest.raises(EvaluationError, match="out of memory on a single row of 9 tokens") as caught:
        run(LENGTHS, 1000, fits=lambda group: 1 not in group)
    assert "max_length" in caught.value.remedy


def test_the_cpu_s_own_message_is_understood():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 55, dtype=torch.uint8)
    message = str(caught.value)

    def step(group):
        if len(group) > 1:
            raise RuntimeError(message)
        done.extend(group)

    done = []
    BatchRunner("cpu").run(LENGTHS, lambda length: length, step)
    assert sorted(done) == list(range(len(LENGTHS)))


@pytest.mark.parametrize("error", [RuntimeError("shapes do not match"), ValueError("out of memory")])
def test_other_errors_are_not_swallowed(error):
    def step(_group):
        raise error

    with pytest.raises(type(error), match=str(error)):
        BatchRunner("cpu").run(LENGTHS, lambda length: length, step)


def test_the_first_budget_depends_on_the_device():
    assert BatchRunner("cpu").tokens == CPU_TOKENS
    assert BatchRunner("cuda").tokens == GPU_TOKENS
