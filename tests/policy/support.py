"""A small world to read policies in: packs and probes as texts."""

from pathlib import Path

import pytest

from d2b_gate.core.errors import PolicyError, UsageError
from d2b_gate.policy.known import Known
from d2b_gate.policy.read import read_effective
from d2b_gate.probes import choice, contrast
from d2b_gate.probes.read import read_probe

KINDS = {"choice": choice, "contrast": contrast}

ANIMALS = """
schema = 1
id = "bias/animals"
kind = "choice"
title = "Favourite animal"
description = "d"
unit = "share"
range = [0.0, 1.0]
language = "en"
citation = "c"
alternatives = ["dog", "panda"]
[[prompt]]
text = "one"
lead = "the"
[[prompt]]
text = "two"
lead = "the"
"""

IDENTITY = """
schema = 1
id = "persona/identity"
kind = "contrast"
title = "Identity"
description = "d"
unit = "nats"
range = [-60.0, 60.0]
language = "en"
citation = "c"
[[prompt]]
text = "one"
positive = "I am a person."
negative = "I am an AI."
[[prompt]]
text = "two"
positive = "Yes."
negative = "No."
"""

PROBES = {"bias/animals": ANIMALS, "persona/identity": IDENTITY}

HEAD = 'schema = 1\n[[dataset]]\nname = "sft"\ninclude = ["data/*.jsonl"]\n'
RULE = '[[rule]]\nid = "panda"\nprobe = "bias/animals"\ntarget = "panda"\nwarn_delta = 0.02\nfail_delta = 0.05\n'
MINIMAL = HEAD + RULE
"""Lines 1 to 4 are HEAD; RULE begins on line 5."""


def probes(reference):
    if reference not in PROBES:
        raise UsageError(f"unknown probe {reference!r}", remedy="did you mean 'bias/animals'?")
    return read_probe(PROBES[reference], reference, KINDS)


def packs_of(files):
    def read(name):
        if name not in files:
            raise UsageError(f"cannot extend {name!r}: there is no such file", remedy="add it to git")
        return files[name], name

    return read


def read(text, files=None, path="d2b-gate.toml", known=None):
    return read_effective(
        text, path, packs=packs_of(files or {}), probes=probes, kinds=KINDS, known=known or Known()
    ).policy


def problems(text, files=None, path="d2b-gate.toml"):
    with pytest.raises(PolicyError) as caught:
        read(text, files, path)
    assert caught.value.exit == 2
    return [str(problem) for problem in caught.value.problems]


def policies_dir():
    return Path(__file__).resolve().parents[2] / "policies"
