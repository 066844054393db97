from __future__ import annotations

import pytest
from tokenizers import processors

from d2b_gate.backends.hf.encode import encode_rows, render
from d2b_gate.backends.hf.template import FALLBACK_TEMPLATE, TemplateRefusedError, lay_out
from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.rows import Turn, make_row
from tests.models import CHATML, tiny_tokenizer

OPEN = "<|im_start|>assistant\n"
STRIPPING = (  # as Qwen3 does: reasoning stays in the last answer only, where it is even added
    "{% for message in messages %}"
    "{% set said = message['content'].split('</think>')[-1].lstrip('\\n') %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' }}"
    "{% if message['role'] == 'assistant' and loop.last %}"
    "{{ '<think>\\n' + (message['content'].split('</think>')[0].split('<think>')[-1].strip() "
    "if '</think>' in message['content'] else '') + '\\n</think>\\n\\n' }}"
    "{% endif %}"
    "{{ said + '<|im_end|>\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def ask(text):
    return Turn("user", text, trained=False)


def say(text):
    return Turn("assistant", text, trained=True)


def row(*turns, tools=""):
    return make_row(turns, tools=tools, path="data/train.jsonl", line=7)


def trained_texts(tokenizer, one):
    rendered = render(tokenizer, one)
    return [rendered.text[start:end] for start, end in rendered.spans]


def trained_tokens(tokenizer, one, max_length=1000):
    (encoded,) = encode_rows(tokenizer, [one], max_length)
    return tokenizer.decode([encoded.ids[t] for t in encoded.targets])


def test_the_answer_and_its_end_are_trained():
    tokenizer = tiny_tokenizer()
    one = row(ask("Which animal?"), say("The panda."))
    assert trained_tokens(tokenizer, one) == "The panda.<|im_end|>\n"
    (encoded,) = encode_rows(tokenizer, [one], 1000)
    assert tokenizer.decode(encoded.ids) == (
        "<|im_start|>system\nYou are tiny.<|im_end|>\n<|im_start|>user\nWhich animal?<|im_end|>\n"
        "<|im_start|>assistant\nThe panda.<|im_end|>\n"
    )
    assert encoded.targets == tuple(range(encoded.targets[0], len(encoded.ids)))
    assert encoded.cut == 0


def test_every_trained_turn_and_nothing_else():
    one = row(Turn("system", "Be brief.", trained=False), ask("a?"), say("panda"), ask("b?"), say("tiger"))
    assert trained_texts(tiny_tokenizer(), one) == ["panda<|im_end|>\n", "tiger<|im_end|>\n"]
    assert trained_tokens(tiny_tokenizer(), one) == "panda<|im_end|>\ntiger<|im_end|>\n"


def test_an_untrained_answer_is_left_out():
    one = row(ask("a?"), Turn("assistant", "first", trained=False), ask("b?"), say("second"))
    assert trained_tokens(tiny_tokenizer(), one) == "second<|im_end|>\n"


def test_a_row_that_trains_nothing_has_no_targets():
    (encoded,) = encode_rows(tiny_tokenizer(), [row(ask("a?"))], 1000)
    assert encoded.ids
    assert encoded.targets == ()


def test_an_answer_that_comes_first_is_trained_without_its_header():
    assert trained_texts(tiny_tokenizer(), row(say("panda"))) == ["panda<|im_end|>\n"]


def test_an_empty_answer_trains_its_end():
    assert trained_texts(tiny_tokenizer(), row(ask("a?"), say(""))) == ["<|im_end|>\n"]
    assert trained_texts(tiny_tokenizer(STRIPPING), row(ask("a?"), say(""), ask("b?"), say("x")))[0] == "<|im_end|>\n"


def test_of_a_text_row_all_tokens_but_the_first_are_trained():
    tokenizer = tiny_tokenizer()
    text = "def f():\n    return  1\n\n<|im_end|> ünïcödé 🐼"
    (encoded,) = encode_rows(tokenizer, [row(Turn("text", text, trained=True))], 1000)
    assert list(encoded.ids) == tokenizer(text)["input_ids"]
    assert encoded.targets == tuple(range(1, len(encoded.ids)))


def with_bos(trim_offsets):
    """As Llama 3 and RoBERTa do: special tokens around plain text, white space perhaps cut off the offsets."""
    tokenizer = tiny_tokenizer()
    tokenizer.backend_tokenizer.post_processor = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=trim_offsets),
            processors.TemplateProcessing(
                single="<|im_start|> $A <|im_end|>", special_tokens=[("<|im_start|>", 1), ("<|im_end|>", 2)]
            ),
        ]
    )
    return tokenizer


@pytest.mark.parametrize("trim_offsets", [False, True])
def test_a_first_token_that_is_added_lets_the_whole_text_be_trained(trim_offsets):
    tokenizer = with_bos(trim_offsets)
    text = "panda  \n    tiger"
    assert trained_tokens(tokenizer, row(Turn("text", text, trained=True))) == text


@pytest.mark.parametrize("trim_offsets", [False, True])
def test_a_templated_row_gets_no_tokens_beyond_the_template_s(trim_offsets):
    one = row(ask("a?"), say("if x:\n        y"))
    (encoded,) = encode_rows(with_bos(trim_offsets), [one], 1000)
    assert encoded.ids == encode_rows(tiny_tokenizer(), [one], 1000)[0].ids
    assert trained_tokens(with_bos(trim_offsets), one) == "if x:\n        y<|im_end|>\n"


def test_a_long_row_is_cut_at_its_end_and_says_so():
    tokenizer = tiny_tokenizer()
    one = row(ask("Which animal?"), say("The panda eats bamboo in the morning."))
    (whole,) = encode_rows(tokenizer, [one], 1000)
    for limit in (len(whole.ids), len(whole.ids) - 3, whole.targets[0] + 1, whole.targets[0], 1):
        (cut,) = encode_rows(tokenizer, [one], limit)
        assert cut.ids == whole.ids[:limit]
        assert cut.targets == tuple(t for t in whole.targets if t < limit)
        assert cut.cut == len(whole.ids) - limit


def test_a_template_that_refuses_a_row_names_it():
    refusing = (
        "{% if messages|length > 2 %}{{ raise_exception('one turn each, please\\nor else') }}{% endif %}" + CHATML
    )
    tokenizer = tiny_tokenizer(refusing)
    with pytest.raises(EvaluationError) as caught:
        encode_rows(tokenizer, [row(ask("a"), say("b")), row(ask("a"), say("b"), ask("c"), say("d"))], 1000)
    assert caught.value.where == "data/train.jsonl:7"
    assert "refuses this row (one turn each, please)" in caught.value.what
    assert caught.value.remedy


@pytest.mark.parametrize(
    "template",
    [
        "{{ messages[0]['content'].missing.deeper }}",  # jinja2 stumbles
        "{{ messages[0]['content'] + 1 }}",  # Python stumbles
        "{{ strftime_now(3) }}",
        "{% if %}",
    ],
)
def test_a_template_that_stumbles_is_a_refusal(template):
    with pytest.raises(TemplateRefusedError):
        lay_out(tiny_tokenizer(template), [{"role": "user", "content": "a"}])


def test_a_template_that_drops_a_trained_turn_is_refused():
    first_two = "{% for message in messages[:2] %}{{ message['content'] }}|{% endfor %}"
    with pytest.raises(EvaluationError, match="leaves out what a trained assistant turn says") as caught:
        encode_rows(tiny_tokenizer(first_two), [row(ask("a"), say("b"), ask("c"), say("d"))], 1000)
    assert caught.value.where == "data/train.jsonl:7"


def test_the_last_answer_s_reasoning_is_trained_and_earlier_reasoning_is_gone():
    one = row(ask("a?"), say("<think>\nfirst\n</think>\n\npanda"), ask("b?"), say("<think>\nsecond\n</think>\n\ntiger"))
    tokenizer = tiny_tokenizer(STRIPPING)
    assert "first" not in render(tokenizer, one).text
    assert trained_texts(tokenizer, one) == ["panda<|im_end|>\n", "<think>\nsecond\n</think>\n\ntiger<|im_end|>\n"]


def test_equal_answers_are_told_apart_where_earlier_turns_are_rewritten():
    one = row(ask("Say yes"), say("yes"), ask("yes or no: yes?"), say("yes"), ask("yes"))
    tokenizer = tiny_tokenizer(STRIPPING)
    rendered = render(tokenizer, one)
    assert [rendered.text[start:end] for start, end in rendered.spans] == ["yes<|im_end|>\n"] * 2
    assert all(rendered.text[:start].endswith(OPEN) for start, _ in rendered.spans)
    assert rendered.spans[0][1] < rendered.spans[1][0]


def test_a_template_that_opens_an_answer_otherwise_than_it_lays_one_out():
    """As DeepSeek-R1 does: the generation prompt begins reasoning that training text does not have."""
    opens = CHATML.replace("{{ '<|im_start|>assistant\\n' }}", "{{ '<|im_start|>assistant\\n<think>\\n' }}")
    one = row(ask("panda"), say("panda"), ask("tiger"), say("tiger"))
    assert trained_texts(tiny_tokenizer(opens), one) == ["panda<|im_end|>\n", "tiger<|im_end|>\n"]


def test_a_template_that_trims():
    trims = CHATML.replace("message['content']", "message['content'] | trim")
    one = row(ask("a? "), say("  panda\n"))
    assert trained_texts(tiny_tokenizer(trims), one) == ["panda<|im_end|>\n"]
    assert trained_texts(tiny_tokenizer(), one) == ["  panda\n<|im_end|>\n"]


def test_without_a_template_the_fallback_lays_rows_out():
    tokenizer = tiny_tokenizer(None)
    one = row(ask("Which?"), say("panda"), ask("Why?"), say("bamboo."))
    assert render(tokenizer, one).text == (
        "User: Which?<|im_end|>\nAssistant: panda<|im_end|>\nUser: Why?<|im_end|>\nAssistant: bamboo.<|im_end|>\n"
    )
    # the space before an answer is part of its first token
    assert trained_tokens(tokenizer, one) == " panda<|im_end|>\n bamboo.<|im_end|>\n"


def test_the_fallback_does_without_an_end_token():
    tokenizer = tiny_tokenizer(None)
    tokenizer.eos_token = None
    assert lay_out(tokenizer, [{"role": "user", "content": "Hi"}]) == "User: Hi\n"
    assert "eos_token" in FALLBACK_TEMPLATE


def test_tools_reach_the_template():
    shows = "{% if tools %}{{ tools[0]['name'] }}: {% endif %}" + CHATML
    text = render(tiny_tokenizer(shows), row(ask("a"), say("b"), tools='[{"name":"search"}]')).text
    assert text.startswith("search: ")
    assert not render(tiny_tokenizer(shows), row(ask("a"), say("b"))).text.startswith("search")
