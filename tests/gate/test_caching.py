"""What a backend said once is not asked again, and nothing else is taken for it."""

from __future__ import annotations

import numpy as np
import pytest

from d2b_gate.backends.fake import BLOCKS, CARD, WIDTH, FakeBackend
from d2b_gate.core.drawing import Greedy, Seeded
from d2b_gate.core.features import Adapter, Injection
from d2b_gate.gate.caching import CachingBackend
from d2b_gate.store.memory import MemoryStore
from tests.gate.harness import Counting, Quiet
from tests.models import sample_prompts

NOTHING = Injection((), np.zeros((0, WIDTH), dtype=np.float32))
PROMPTS = sample_prompts()
GREEDILY = (Greedy(),) * 3


def pushed(scale):
    return Injection(CARD.sites, np.ones((BLOCKS, WIDTH), dtype=np.float32), scale)


def adapted(scale):
    return Adapter(("words",), (np.eye(BLOCKS, dtype=np.float32),), (np.ones((WIDTH, BLOCKS), np.float32),), scale)


def made():
    counting = Counting(FakeBackend())
    return CachingBackend(counting, MemoryStore(), Quiet()), counting


def test_an_answer_is_remembered_by_prompts_injection_drawings_and_length():
    backend, counting = made()
    asked = [
        (PROMPTS, NOTHING, GREEDILY, 5),
        (PROMPTS, NOTHING, GREEDILY, 6),
        (PROMPTS, NOTHING, (Seeded(0), *GREEDILY[1:]), 5),
        (PROMPTS, NOTHING, (Seeded(1), *GREEDILY[1:]), 5),
        (PROMPTS, NOTHING, (*GREEDILY[1:], Seeded(1)), 5),
        (PROMPTS, pushed(1.0), GREEDILY, 5),
        (PROMPTS, pushed(2.0), GREEDILY, 5),
        (PROMPTS, adapted(1.0), GREEDILY, 5),
        (PROMPTS[:2], NOTHING, GREEDILY[:2], 5),
    ]
    for number, arguments in enumerate(asked, start=1):
        said = backend.complete(*arguments)
        assert counting.calls["complete"] == number
        assert backend.complete(*arguments) == said == FakeBackend().complete(*arguments)
        assert counting.calls["complete"] == number


def test_shares_of_all_tokens_are_remembered_by_prompts_and_injection():
    backend, counting = made()
    asked = [(PROMPTS, NOTHING), (PROMPTS[:2], NOTHING), (PROMPTS, pushed(1.0)), (PROMPTS, adapted(1.0))]
    for number, arguments in enumerate(asked, start=1):
        backend.vocabulary(*arguments)
        again, fresh = backend.vocabulary(*arguments), FakeBackend().vocabulary(*arguments)
        assert np.array_equal(again.shares_v, fresh.shares_v)
        assert again.listed == fresh.listed
        assert counting.calls["vocabulary"] == number


@pytest.mark.parametrize("count", [1, 3])
def test_at_rest_shares_take_four_bytes_a_token_however_many_prompts_there_are(count):
    store = MemoryStore()
    shares_v = CachingBackend(FakeBackend(), store, Quiet()).vocabulary(PROMPTS[:count], NOTHING).shares_v
    assert store.size().bytes < 4 * len(shares_v) + 100


def test_texts_of_tokens_are_remembered():
    backend, counting = made()
    for _ in range(2):
        assert backend.token_texts([0, 3]) == FakeBackend().token_texts([0, 3])
        assert backend.token_texts([3, 0]) == FakeBackend().token_texts([3, 0])
    assert counting.calls["token_texts"] == 2
