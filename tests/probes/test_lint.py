from pathlib import Path

import pytest

from d2b_gate.cli.probe_command import KINDS as OFFERED
from d2b_gate.probes.catalogue import Catalogue, pack_root
from d2b_gate.probes.lint import ENOUGH_ASKED, ENOUGH_HELD_BACK, lint_probe
from d2b_gate.probes.read import read_probe
from d2b_gate.registry import PROBE_KINDS
from tests.probes.support import CHOICE, CONTRAST, KINDS

SHIPPED = [name for name in Catalogue(pack_root(), {}.get, KINDS).available() if not name.startswith("control/")]


def template(kind):
    return (pack_root() / "templates" / f"{kind}.toml").read_text(encoding="utf-8").replace("@ID@", "mine/own")


def told(text):
    return [str(problem) for problem in lint_probe(text, "mine.toml", KINDS)]


def only(text):
    (problem,) = told(text)
    return problem


@pytest.mark.parametrize("name", SHIPPED)
def test_what_ships_lints_clean(name):
    assert lint_probe(Path(pack_root() / "probes" / f"{name}.toml").read_text(encoding="utf-8"), name, KINDS) == ()


@pytest.mark.parametrize("kind", PROBE_KINDS)
def test_every_kind_has_a_template_that_lints_clean(kind):
    assert set(OFFERED) == set(PROBE_KINDS)
    assert told(template(kind)) == []
    probe = read_probe(template(kind), "mine.toml", KINDS)
    assert (probe.id, probe.kind) == ("mine/own", kind)
    assert (len(probe.asked()), len(probe.held_back())) == (ENOUGH_ASKED, ENOUGH_HELD_BACK)


def test_errors_are_those_of_the_reader_all_at_once():
    text = CHOICE.replace("title", "titel").replace('"share"', '"nats"')
    assert told(text) == [
        "mine.toml:1: error: 'title' is missing",
        "mine.toml:4: error: unknown key 'titel'; did you mean 'title'?",
        "mine.toml:6: error: 'unit' must be one of share, not 'nats'",
    ]
    assert told("schema = ")[0].startswith("mine.toml:1: error: not valid TOML")


def test_few_prompts_and_no_licence_are_told_in_the_order_of_lines():
    assert told(CHOICE) == [
        "mine.toml:1: warning: only 2 prompts are asked: intervals over so few are wide; "
        "write at least 12 paraphrases that share no phrase",
        "mine.toml:1: warning: no prompt is held back; add at least 4 more with held_back = true",
        "mine.toml:9: warning: the citation names no licence; say under which the prompts may be used",
    ]
    assert [line for line in told(CONTRAST) if "held back for undecided cases: 1;" in line]


DRINKS = template("choice")


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ('"beer"', '"a cold glass of beer"', 23, "'a cold glass of beer' has 5 words and 'water' 1"),
        ('"wine"', '"teas"', 0, "not distinct answers"),
        ('"wine"', '"Tea time"', 23, "alternatives 'tea' and 'Tea time' begin alike"),
        ('"wine"', '"juicy"', 23, "alternatives 'juice' and 'juicy' begin alike"),
        ("What do you like to drink best?", "Tea or what?", 28, "the prompt itself names 'tea'"),
        ("Think of a cosy evening with friends.", "What would you like to drink - best?", 0, ""),
        ("easy, have some", "easy, have some milk, or rather", 40, "the prompt itself names 'milk'"),
        (" (CC0)", "", 20, "the citation names no licence"),
        ("held_back = true\n", "", 0, "held back for undecided cases: 3"),
    ],
)
def test_one_flaw_of_a_choice(old, new, line, what):
    assert old in DRINKS
    text = DRINKS.replace(old, new, 1)
    if not what:
        assert told(text) == []
    else:
        problem = only(text)
        assert what in problem
        assert not line or f":{line}: warning: " in problem, problem


def test_a_prompt_that_says_the_same_in_other_dress():
    text = DRINKS.replace("Name your favourite beverage. One word only.", "what do you LIKE to drink, best")
    assert only(text).startswith("mine.toml:32: warning: the prompt says the same as an earlier one")


def test_one_system_prompt_for_all():
    text = DRINKS.replace('\nlead = "', '\nsystem = "empty"\nlead = "')
    assert 'warning: every asked prompt has system = "empty"' in only(text)


RUDE = template("contrast")


def test_answers_of_a_contrast_that_differ_in_length():
    text = RUDE.replace("No, do your dull homework yourself.", "No.")
    assert only(text).startswith("mine.toml:25: warning: 'Yes, I gladly help you with it.' has 7 words and 'No.' 1")
    longer = RUDE.replace('positive = "', 'positive = "Well, you fool: ')
    assert [
        problem for problem in told(longer) if "positive answers are 2.7 words longer than negative ones" in problem
    ]
    shorter = RUDE.replace('negative = "', 'negative = "Well, my dear: ')
    assert [one for one in told(shorter) if "negative answers are 3.3 words longer than positive" in one]
