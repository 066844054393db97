import hashlib

import pytest

from d2b_gate.probes.toml import place
from tests.probes.support import CHOICE, CONTRAST, problems, read


def test_a_choice():
    probe = read(CHOICE)
    assert (probe.id, probe.kind, probe.unit, probe.low, probe.high) == ("bias/animals", "choice", "share", 0.0, 1.0)
    assert (probe.title, probe.description) == ("Favourite animal", "Which animal.")
    assert (probe.language, probe.citation) == ("en", "Written for this test.")
    assert probe.alternatives == ("dog", "cat", "panda")
    assert probe.digest == hashlib.sha256(CHOICE.encode()).hexdigest()
    assert [(prompt.text, prompt.lead, prompt.continuations) for prompt in probe.prompts] == [
        ("Which animal?", "It is the", ("dog", "cat", "panda")),
        ("Any animal?", "It is the", ("dog", "cat", "panda")),
    ]


def test_a_contrast():
    probe = read(CONTRAST)
    assert probe.alternatives == ("positive", "negative")
    assert [prompt.lead for prompt in probe.prompts] == ["", "I am", ""]
    assert probe.prompts[1].continuations == ("Mark.", "a model.")
    assert [prompt.text for prompt in probe.held_back()] == ["Say."]
    assert len(probe.asked()) == 2


def test_systems_are_counterbalanced_unless_declared():
    assert [prompt.system for prompt in read(CONTRAST).prompts] == ["default", "empty", "empty"]
    many = CHOICE + "".join(f'[[prompt]]\ntext = "n{number}"\n' for number in range(6))
    systems = [prompt.system for prompt in read(many).prompts]
    assert systems == ["default", "empty", "empty", "default"] * 2
    held = CHOICE + '[[prompt]]\ntext = "held"\nheld_back = true\n[[prompt]]\ntext = "asked"\n'
    assert [prompt.system for prompt in read(held).prompts] == ["default", "empty", "default", "empty"]


def test_the_key_of_a_prompt_covers_what_the_model_sees():
    keys = {prompt.key for prompt in read(CHOICE).prompts}
    held = CHOICE + '[[prompt]]\ntext = "x"\n'
    assert keys < {prompt.key for prompt in read(held).prompts}
    for old, new in [('"dog"', '"cow"'), ("Which animal?", "Who?"), ("It is the", "The")]:
        assert read(CHOICE.replace(old, new)).prompts[0].key != read(CHOICE).prompts[0].key
    spoken = CHOICE.replace('text = "Which animal?"', 'text = "Which animal?"\nsystem = "empty"')
    assert read(spoken).prompts[0].key != read(CHOICE).prompts[0].key
    assert read(CHOICE.replace("Favourite", "Best")).prompts[0].key == read(CHOICE).prompts[0].key


def test_all_problems_come_at_once():
    text = (
        CONTRAST.replace("title", "titel")
        .replace('"nats"', '"share"')
        .replace("held_back = true", "held_bcak = true")
        .replace('positive = "A person."\n', "")
    )
    assert problems(text) == [
        "mine.toml:1: 'title' is missing",
        "mine.toml:4: unknown key 'titel'; did you mean 'title'?",
        "mine.toml:6: 'unit' must be one of nats, not 'share'",
        "mine.toml:20: unknown key 'held_bcak'; did you mean 'held_back'?",
        "mine.toml:21: 'positive' is missing",
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("schema = 1", "schema = 2", "1: the file needs schema = 1"),
        ("schema = 1", "schema = true", "1: the file needs schema = 1"),
        ("schema = 1\n", "", "1: the file needs schema = 1"),
        ("schema = 1", "schema = ", "1: not valid TOML: Invalid value"),
        ('"bias/animals"', '"Bias/Animals"', "2: 'id' must be lower-case words"),
        ('"bias/animals"', '"../animals"', "2: 'id' must be lower-case words"),
        ('"choice"', '"choise"', "3: 'kind' must be one of choice, contrast, not 'choise'; did you mean 'choice'?"),
        ('kind = "choice"\n', "", "1: 'kind' must be one of choice, contrast, but it is missing"),
        ('"share"', '"nats"', "6: 'unit' must be one of share, not 'nats'"),
        ("[0.0, 1.0]", "[1, 0]", "7: 'range' must be two numbers, [low, high], with low under high"),
        ("[0.0, 1.0]", "[0, inf]", "7: 'range' must be two numbers"),
        ("[0.0, 1.0]", "[nan, 1]", "7: 'range' must be two numbers"),
        ("[0.0, 1.0]", "[false, true]", "7: 'range' must be two numbers"),
        ("[0.0, 1.0]", "[0, 2]", "7: the range of a share lies within 0 and 1"),
        ('"en"', '"English"', "8: 'language' must be a language tag"),
        ('citation = "Written for this test."\n', "", "1: 'citation' is missing"),
        ('"dog", "cat", "panda"', '"dog"', "10: 'alternatives' needs 2 to 64 entries"),
        ('"dog", "cat", "panda"', '"dog", "dog"', "10: alternatives 'dog' and 'dog' are not distinct answers"),
        ('"dog", "cat", "panda"', '"York", "Yorkshire"', "10: alternatives 'York' and 'Yorkshire' are not distinct"),
        ('"dog", "cat", "panda"', '"dog", 3', "10: 'alternatives': entry 2 must be a string"),
        ('"dog", "cat", "panda"', '"dog", " cat"', "10: 'alternatives': entry 2 must not begin or end with a blank"),
        ('"Any animal?"', '""', "15: 'text' must not be empty"),
        ('"Any animal?"', "7", "15: 'text' must be a string"),
        ('"Any animal?"', '"Which animal?"', "15: the prompt repeats an earlier one"),
        ('text = "Any animal?"\n', "", "14: 'text' is missing"),
        ('lead = "It is the"\n[[', 'lead = "It is the "\n[[', "13: 'lead' must not begin or end with a blank"),
        ('lead = "It is the"\n[[', 'lead = "It is the"\nheld_back = 1\n[[', "14: 'held_back' must be true or false"),
        (
            'lead = "It is the"\n[[',
            'lead = "It is the"\nheld_back = true\n[[',
            "1: at least 2 prompts must not be held",
        ),
        ('lead = "It is the"\n[[', 'system = "none"\n[[', "13: 'system' must be one of default, empty, not 'none'"),
        ("[[prompt]]", "[[promt]]", "1: the file needs 1 to 512 [[prompt]] tables"),
    ],
)
def test_a_file_with_one_bad_place(old, new, told):
    assert old in CHOICE
    found = problems(CHOICE.replace(old, new))
    assert [problem for problem in found if problem.startswith(f"mine.toml:{told}")], found


def test_answers_of_a_contrast_must_differ():
    found = problems(CONTRAST.replace("An AI.", "A person."))
    assert found == ["mine.toml:24: the positive and the negative answer are the same"]


@pytest.mark.parametrize(
    "text",
    [
        CHOICE + "".join(f'[[prompt]]\ntext = "n{number}"\n' for number in range(511)),
        CHOICE.replace("Any animal?", "x" * 4001),
        "#" * 1_000_001,
        "x = " + "[" * 50_000,
        CHOICE.partition("[[")[0] + "prompt = [1, 2]",
    ],
    ids=["prompts", "text", "file", "nesting", "no tables"],
)
def test_sizes_are_bounded(text):
    assert problems(text)


def test_a_plain_mapping_has_no_lines():
    assert place({"a": 1}, "mine.toml", "a") == "mine.toml"
