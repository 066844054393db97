"""Markdown as a forge reads it: what was meant is markup, and nothing else is."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from d2b_gate.core.verdict import FileChange, RowFinding, Saying, Status, TokenMove
from d2b_gate.reports import markdown
from d2b_gate.reports.escape_markdown import code, fenced, prose
from d2b_gate.reports.interface import RenderOptions
from d2b_gate.reports.word_diff import Side, word_diff

from .strategies import verdicts
from .verdicts import EDITS, EXAMPLES, FAILED, HOSTILE, QUIET, WAIVED, hostile_everywhere, verdict

PLAIN = RenderOptions()
READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
LIMIT = 65_536  # characters of a comment on GitHub
OWN_HTML = (
    r"<details><summary>(?:[\d ]+ rules? predicted to stay within limits|How this was predicted"
    r"|Answers before and after, tokens, rows)</summary>|</details>|</?(?:del|ins)>"
)
# Each does something on a forge: mentions, references, links, images, emphasis, lists, tables, HTML, emoji, entities.
MARKUP = [
    *(
        "@user @org/team",
        "#1 org/repo#1 GH-1 KEY-12 !2 $3 ~4 &5 %6",
        "http://evil.example www.evil.example a@b.example",
    ),
    *("[a](http://x)", "![a](http://x)", "[a]: http://x", "<img src=x onerror=alert(1)>", "<!-- x", "</details>"),
    *("**a** _b_ ~~c~~", "| a | b |", "|---|", "`", "```", "~~~", "``x`", "# Title", "> quote", "- item", "1. one"),
    *("---", "===", "    code", ":tada:", "\\", "\\`", "a\\|b", "[x] [^1]", "$$x$$", "<https://x>", "mailto:a@b.c"),
    *("@", "#", "w`ord `@user`", "(", ")", "](", "a:", ":", "::", "<", "&#64;user", "x`|`y", "1) one", "&lt;b&gt;"),
    *("\t\n\n# x", "a@b.example", "https://github.com/a/b/issues/1"),
]
pieces = st.sampled_from([*MARKUP, " ", "word", "(1.5)", "\n"]) | st.text(max_size=3)
markup = st.lists(pieces, max_size=8)
hostile = markup.map("".join) | markup.map(" ".join)


def tokens(text):
    """Every block and inline token, in order."""
    for token in READER.parse(text):
        yield token
        yield from token.children or ()


def require_inert(text):
    """Nothing but words and code: what a forge looks for in the text between code spans is not there."""
    inside = [token for token in tokens(text) if token.type not in ("paragraph_open", "paragraph_close", "inline")]
    assert {token.type for token in inside} <= {"text", "code_inline"}
    for token in inside:
        if token.type == "text":
            require_plain(token.content)


def require_plain(text):
    """No mention, reference, link, emoji or markup in a text outside of code."""
    assert not re.search(r"[@#<>&*_~`!$^{}|\\]|\w-\d|://|www\.|\]\(|%\w|:\w+:", text.replace("->", "")), text


@given(hostile)
def test_prose_is_words_and_code(text):
    require_inert(f"start {prose(text, 1000)} end")


@given(hostile)
def test_code_is_one_code_span_and_shows_the_text(text):
    shown = code(text, 1000)
    require_inert(f"start {shown} end")
    spans = [token for token in tokens(f"start {shown} end") if token.type == "code_inline"]
    assert len(spans) == (1 if shown else 0)
    assert "|" not in shown


@given(hostile, hostile)
def test_a_fence_is_left_by_no_line(one, other):
    lines = fenced([one, other], 1000, "diff")
    (fence,) = [token for token in READER.parse("\n".join(lines)) if token.type != "inline"]
    assert (fence.type, fence.info) == ("fence", "diff")
    assert len(fence.content.splitlines()) <= 2


def test_sentences_stay_readable():
    text = "a rule's limit (of 0.05) is passed: data/sft.jsonl:3, by @user; run `d2b-gate check`, then look."
    assert prose(text, 1000) == (
        "a rule's limit (of 0.05) is passed: `data/sft.jsonl:3`, by `@user`; run `d2b-gate check`, then look."
    )
    assert prose("この文は普通です。 Почему бы и нет?", 100) == "`この文は普通です。` Почему бы и нет?"


def test_a_backtick_that_nothing_closes_begins_no_code():
    assert prose("waits for `; then exit 0", 100) == r"waits for `\x60`; then exit 0"
    assert prose("run `a b` or `c", 100) == r"run `a b` or `\x60c`"


ALONE_NOTHING = {"[a]: http://x", "===", "(", ")", "a:", ":", "::", "x`|`y"}


@pytest.mark.parametrize("text", sorted(set(MARKUP) - ALONE_NOTHING))
def test_the_check_of_these_tests_sees_markup(text):
    with pytest.raises(AssertionError):
        require_inert(f"\n\n{text}")


def require_a_sound_report(found, chosen=PLAIN):
    report = markdown.render(found, chosen)
    assert len(report) <= LIMIT
    assert len(report.encode()) <= LIMIT  # however a forge counts characters
    table_rows = 0
    for token in tokens(report):
        if token.type in ("html_block", "html_inline"):
            assert re.fullmatch(OWN_HTML, token.content.strip()), token.content
        if token.type == "text":
            require_plain(re.sub(r"< 0\.0001" + (r"|\\(?:x..|u.{4}|U.{8})" if chosen.ascii else ""), "", token.content))
        if token.type in ("fence", "code_block"):
            assert token.info == "diff"
        assert not token.type.startswith(("link", "image", "heading", "blockquote", "ordered_list", "em_", "s_", "hr"))
        table_rows += token.type == "tr_open"
    return report, table_rows


sayings = st.builds(Saying, hostile, st.just("greedy"), hostile, hostile)
explained = st.builds(
    replace,
    st.just(FAILED),
    sayings=st.lists(sayings, min_size=1, max_size=3).map(tuple),
    tokens=st.lists(st.builds(TokenMove, hostile, st.just(0.0), st.just(0.5), st.just(0.1), st.booleans())).map(tuple),
    blame=hostile.map(lambda text: (replace(FAILED.blame[0], samples=(text,)),)),
    views=hostile.map(lambda text: (replace(FAILED.views[0], name=text),)),
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(explained)
def test_what_explains_a_finding_is_inert_and_its_differences_are_marked(finding):
    report, _ = require_a_sound_report(verdict(finding))
    tags = [token.content for token in tokens(report) if token.type == "html_inline"]
    assert tags == [tag for opening in tags[::2] for tag in (opening, opening.replace("<", "</"))], "each is closed"
    runs = [run for saying in finding.sayings[:2] for run in word_diff(saying.before[:300], saying.after[:300]).runs]
    assert len(tags) == 2 * sum(run.side is not Side.BOTH for run in runs)


def test_sayings_are_word_differences():
    assert "my animal is <del>the dog.</del> <ins>a panda.</ins> `@user`" in markdown.render(
        verdict(
            replace(
                FAILED, sayings=(Saying("Q?", "greedy", "my animal is the dog. @user", "my animal is a panda. @user"),)
            )
        ),
        PLAIN,
    )


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_sound(name):
    require_a_sound_report(EXAMPLES[name])


@pytest.mark.parametrize("text", [*MARKUP, HOSTILE])
@pytest.mark.parametrize("name", ["worst-last", "row-schema", "policy-edited", "since", "deferred"])
def test_markup_is_inert_wherever_it_stands(name, text):
    found = hostile_everywhere(EXAMPLES[name], text)
    report, _ = require_a_sound_report(found)
    own = "" if name == "deferred" else markdown.render(EXAMPLES[name], PLAIN)
    if own:
        assert report.count("<details>") == own.count("<details>")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(verdicts, st.builds(RenderOptions, ascii=st.booleans(), hook=st.booleans(), result=hostile))
def test_every_verdict_is_sound(found, chosen):
    _, rows = require_a_sound_report(found, chosen)
    loud = [one for one in found.findings if one.status is not Status.OK]
    since = [one for one in found.since for one in one.findings if one.status is not Status.OK]
    assert rows == len(loud) + len(since) + bool(loud) + bool(since)


def crowd(count, text):
    rule = replace(FAILED.rule, why=text, owner=text, target=text)
    one = replace(FAILED, reason=text, title=text, rule=rule, blame=FAILED.blame * 20)
    one = replace(one, sayings=(Saying(text, text, text, text[::-1]),) * 9, examples=FAILED.examples * 20)
    waived = replace(WAIVED, waived_by=tuple(replace(w, reason=text, owner=text) for w in WAIVED.waived_by) * 3)
    return verdict(
        *(replace(one, rule=replace(rule, id=f"rule-{number}")) for number in range(count)),
        *(replace(waived, rule=replace(rule, id=f"waived-{number}")) for number in range(count)),
        *(replace(QUIET, rule=replace(rule, id=f"quiet-{number}")) for number in range(count)),
        files=tuple(FileChange(text, 1, 1) for _ in range(count)),
        row_findings=tuple(RowFinding(text, text, number, text) for number in range(count)),
        notes=(text,) * count,
        policy_changes=EDITS * count,
        since=tuple(replace(since, findings=since.findings * count) for since in EXAMPLES["since"].since),
    )


@pytest.mark.parametrize("text", ["plain words " * 200, "`" * 3000, "字" * 3000, "\U0001f43c" * 3000, "\x1b" * 3000])
@pytest.mark.parametrize("count", [1, 40, 500])
def test_the_bound_holds_whatever_there_is_to_say(count, text):
    report, rows = require_a_sound_report(crowd(count, text))
    assert rows > 2
    if count == 500:
        assert re.search(r"and [\d ]+ more rules; every one: `d2b-gate report RESULT --format json`", report)


def test_500_findings_say_how_many_are_left_out():
    report, rows = require_a_sound_report(EXAMPLES["many"])
    assert rows == 1 + 100
    assert "and 400 more rules; every one: `d2b-gate report RESULT --format json`" in report
    assert "and 480 more rules; every one" in report


def test_the_verdict_stands_first_and_the_worst_rule_above_the_others():
    report = markdown.render(EXAMPLES["worst-last"], PLAIN)
    assert report.startswith("**d2b-gate: FAIL** (")
    assert re.findall(r"\| \*\*(\w+)\*\* \|$", report, re.MULTILINE) == [
        *("FAIL", "ERROR", "INCONCLUSIVE", "WARN", "WAIVED"),
    ]


def test_waivers_are_shown_outside_of_what_is_collapsed():
    report = markdown.render(EXAMPLES["waived"], PLAIN)
    shown = report.partition("<details>")[0]
    assert "**Waivers**" in shown
    assert "The zoo's assistant is meant to like pandas." in shown
