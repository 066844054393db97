"""A server that answers nonsense is an error with a sentence, never a reading."""

from __future__ import annotations

import base64
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2b_gate.backends.remote.heard import answers, card, floats, numbers, shares
from d2b_gate.core.errors import UnavailableError
from d2b_gate.core.remote import heard_array, said_array

CARD = {
    "id": "m",
    "revision": "1",
    "tokenizer_hash": "t",
    "dtype": "float32",
    "device": "cpu",
    "blocks": 2,
    "width": 3,
    "max_length": 8,
    "versions": [["torch", "2"]],
}


def raw(shape, content):
    return {"shape": shape, "float32": base64.b64encode(content).decode()}


@given(st.lists(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=3, max_size=3)))
def test_an_array_arrives_as_it_was_sent(rows):
    sent = np.array(rows, dtype=np.float32).reshape(-1, 3)
    heard = heard_array(said_array(sent), (-1, 3))
    assert heard.dtype == np.float32
    assert heard.tobytes() == sent.tobytes()


def test_a_transposed_view_is_sent_in_its_own_order():
    sent = np.arange(6, dtype=np.float32).reshape(2, 3).T
    assert np.array_equal(heard_array(said_array(sent), (3, 2)), sent)


@pytest.mark.parametrize(
    "said",
    [
        None,
        [],
        {},
        {"shape": [1, 3]},
        raw([2, 3], b"\0" * 12),
        raw([3, 1], b"\0" * 12),
        raw([1, 3], b"\0" * 11),
        raw([-1, -3], b"\0" * 12),
        raw([1, 3], np.array([0, math.nan, 0], dtype="<f4").tobytes()),
        raw([1, 3], np.array([0, math.inf, 0], dtype="<f4").tobytes()),
        {"shape": [1, 3], "float32": "***"},
        {"shape": ["1", 3], "float32": ""},
    ],
)
def test_no_array(said):
    with pytest.raises(UnavailableError, match="the remote backend's answer cannot be used"):
        heard_array(said, (1, 3))


def test_a_card():
    assert card(CARD).versions == (("torch", "2"),)
    assert card(CARD).width == 3


@pytest.mark.parametrize(
    "change",
    [
        {"id": 1},
        {"blocks": 0},
        {"blocks": 2**52},
        {"width": True},
        {"max_length": 1.5},
        {"versions": {}},
        {"versions": [["torch"]]},
    ],
)
def test_no_card(change):
    with pytest.raises(UnavailableError):
        card({**CARD, **change})
    with pytest.raises(UnavailableError):
        card({key: value for key, value in CARD.items() if key not in change})
    with pytest.raises(UnavailableError):
        card(None)


@pytest.mark.parametrize("said", [None, [], [[1]], [[1, 2], [3, 4]], [[1, -2]], [[1, 2.0]], [[1, True]], "ab"])
def test_no_counts(said):
    with pytest.raises(UnavailableError):
        numbers({"x": said}, "x", (1, 2))


@pytest.mark.parametrize("said", [None, [], [1.0], [[math.nan]], [["1"]], [[None]], [[1e300]]])
def test_no_readings(said):
    with pytest.raises(UnavailableError):
        floats({"x": said}, "x", 1)


@pytest.mark.parametrize("said", [None, [], [1], ["x" * 10_001], ["a", "b"]])
def test_no_answers(said):
    with pytest.raises(UnavailableError):
        answers({"x": said}, "x", 1)


@pytest.mark.parametrize("listed", [None, [2], [-1], [0.0], "01"])
def test_no_vocabulary(listed):
    with pytest.raises(UnavailableError):
        shares({"shares": said_array(np.ones(2, dtype=np.float32)), "listed": listed})
