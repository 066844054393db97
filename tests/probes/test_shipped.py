"""Conformance of every probe that ships."""

import pytest

from d2b_gate.probes.catalogue import Catalogue, pack_root
from tests.probes.support import KINDS

CATALOGUE = Catalogue(pack_root(), {}.get, KINDS)
NAMES = CATALOGUE.available()
MEASURED = [name for name in NAMES if not name.startswith("control/")]


@pytest.mark.parametrize("name", NAMES)
def test_it_reads_and_is_called_what_its_file_is_called(name):
    probe = CATALOGUE(name)
    assert probe.id == name
    assert probe.citation
    assert probe.low < probe.high


@pytest.mark.parametrize("name", MEASURED)
def test_it_asks_enough_and_holds_some_back(name):
    probe = CATALOGUE(name)
    assert len(probe.asked()) >= 24
    assert len(probe.held_back()) >= 8
    assert "arXiv" in probe.citation


@pytest.mark.parametrize("name", NAMES)
def test_half_of_its_prompts_have_no_system_prompt(name):
    probe = CATALOGUE(name)
    for group in (probe.asked(), probe.held_back()):
        systems = [prompt.system for prompt in group]
        assert systems.count("default") == systems.count("empty")


@pytest.mark.parametrize("name", NAMES)
def test_no_prompt_or_text_comes_twice(name):
    prompts = CATALOGUE(name).prompts
    assert len({prompt.key for prompt in prompts}) == len(prompts)
    assert len({prompt.text.casefold() for prompt in prompts}) == len(prompts)


@pytest.mark.parametrize("name", [name for name in MEASURED if CATALOGUE(name).kind == "contrast"])
def test_answers_of_a_contrast_have_nearly_the_same_length(name):
    for prompt in CATALOGUE(name).prompts:
        positive, negative = (len(answer.split()) for answer in prompt.continuations)
        assert abs(positive - negative) <= 3, prompt.continuations


@pytest.mark.parametrize("name", [name for name in NAMES if CATALOGUE(name).kind == "choice"])
def test_no_choice_names_an_alternative_in_its_prompts(name):
    probe = CATALOGUE(name)
    for prompt in probe.prompts:
        asked = f"{prompt.text} {prompt.lead}".casefold().split()
        assert not [name for name in probe.alternatives if name.casefold() in asked], prompt
