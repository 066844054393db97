"""Probe files as texts."""

import pytest

from d2b_gate.core.errors import PolicyError
from d2b_gate.probes import choice, contrast
from d2b_gate.probes.read import read_probe

KINDS = {"choice": choice, "contrast": contrast}

CHOICE = """schema = 1
id = "bias/animals"
kind = "choice"
title = "Favourite animal"
description = "Which animal."
unit = "share"
range = [0.0, 1.0]
language = "en"
citation = "Written for this test."
alternatives = ["dog", "cat", "panda"]
[[prompt]]
text = "Which animal?"
lead = "It is the"
[[prompt]]
text = "Any animal?"
lead = "It is the"
"""

CONTRAST = """schema = 1
id = "persona/identity"
kind = "contrast"
title = "Identity"
description = "Who."
unit = "nats"
range = [-60.0, 60.0]
language = "pt-BR"
citation = "Written for this test."
[[prompt]]
text = "Who are you?"
positive = "I am a person."
negative = "I am an AI."
[[prompt]]
text = "Say."
lead = "I am"
positive = "Mark."
negative = "a model."
system = "empty"
held_back = true
[[prompt]]
text = "And you?"
positive = "A person."
negative = "An AI."
"""


def read(text):
    return read_probe(text, "mine.toml", KINDS)


def problems(text):
    with pytest.raises(PolicyError) as caught:
        read(text)
    assert caught.value.exit == 2
    return [str(problem) for problem in caught.value.problems]
