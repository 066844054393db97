"""What the cost page says of single choices is what was measured."""

from __future__ import annotations

import json

from benchmarks.kernels import DOCUMENT, RESULT, Choice, block


def test_the_page_quotes_the_result():
    choices = [Choice(**one) for one in json.loads(RESULT.read_text(encoding="utf-8"))]
    assert block(choices) in DOCUMENT.read_text(encoding="utf-8")
