"""An interrupt that is swallowed where it lands is raised again at the next look."""

from __future__ import annotations

import signal

import pytest

from d2b_gate.backends.ray.interrupt import remembering


@pytest.fixture(autouse=True)
def as_in_a_terminal():
    held = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, held)


def test_a_swallowed_interrupt_comes_again():
    with remembering() as again:
        again()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            again()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_another_s_handler_is_left_alone():
    seen = []
    signal.signal(signal.SIGINT, lambda number, frame: seen.append(number))
    with remembering() as again:
        signal.raise_signal(signal.SIGINT)
        again()
    assert seen == [signal.SIGINT]
