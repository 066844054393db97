"""The html report: its whole text for each situation, and what holds whatever a verdict says."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from d2b_gate.reports import html
from d2b_gate.reports.html.figures import PLOTTED

from .html_structure import Page, require_own_elements
from .html_verdicts import EVERYTHING, HISTORY, MARKUP, PAGES, PLAIN, SEVERAL
from .strategies import verdicts
from .verdicts import EXAMPLES, FAILED, HOSTILE, hostile_everywhere, verdict

STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
PICTURE = re.compile(r"<svg .*?<title [^>]*>(.*?)</title>.*?</svg>", re.DOTALL)
DIGEST = re.compile(r"'sha256-[^']+'")


def rendered(name):
    found, options = PAGES[name]
    return html.render(found, options)


def skeleton(text):
    """The page without its style sheet and without what matplotlib drew."""
    text = STYLE.sub("<style>(style.css)</style>", DIGEST.sub("'sha256-(of it)'", text))
    return PICTURE.sub(r"<svg>(\1)</svg>", text)


@pytest.mark.parametrize("name", sorted(set(PAGES) - {"many"}))
def test_whole_page(name, snapshot):
    assert skeleton(rendered(name)) == snapshot


def test_five_hundred_findings(snapshot):
    before = time.monotonic()
    text = rendered("many")
    assert time.monotonic() - before < 30  # seconds on a busy machine; 1.5 on a quiet one
    assert len(text) < 3_000_000
    assert text.count("<svg ") == 1 + 3 * PLOTTED
    assert all(f'id="f{number}"' in text and f"rule-{number - 1:03}" in text for number in range(1, 501))
    whole = skeleton(text)
    excerpt = whole[: whole.index('id="f2"')] + "\n...\n" + whole[whole.index('id="f500"') :]
    assert excerpt == snapshot


def test_five_hundred_findings_with_all_that_explains_them():
    """What a result may hold of each is more than a page shows of it."""
    rich = replace(
        FAILED,
        examples=FAILED.examples * 16,
        sayings=FAILED.sayings * 16,
        tokens=FAILED.tokens * 16,
        blame=FAILED.blame * 50,
        views=FAILED.views * 20,
        doses=FAILED.doses * 20,
    )
    found = verdict(*(replace(rich, rule=replace(FAILED.rule, id=f"rule-{number:03}")) for number in range(500)))
    before = time.monotonic()
    text = html.render(found, PLAIN)
    assert time.monotonic() - before < 60  # seconds on a busy machine; 5 on a quiet one
    assert len(text) < 12_000_000
    page = Page(text)
    shown = [tag for tag, _ in page.tags]
    assert shown.count("del") == len(FAILED.sayings) * 3 * 25 + 475 + 500, "6 sayings where it stands open, else one"
    assert "and 80 more runs of rows; the json report has all" in page.texts
    assert "and 26 more sayings, 36 more tokens; `d2b-gate explain` shows them" in page.texts


def test_a_view_that_fired_is_told_from_one_that_did_not():
    (row,) = re.findall(r'<tr class="fail"><th scope="row">.*</tr>', rendered("diluted"))
    assert '<span class="badge">FIRED</span> worst cluster</th>' in row
    (row,) = re.findall(r'<tr class="quiet"><th scope="row">.*</tr>', rendered("diluted"))
    assert '<span class="badge">did not fire</span> changed rows alone</th>' in row


def test_what_differs_in_an_answer_is_marked_as_such():
    assert "the <del>dog. Dogs</del> <ins>panda. Pandas</ins> are <ins>calm and</ins> loyal." in rendered("fail")


def test_an_edit_of_the_policy_names_its_effect_once():
    rows = re.findall(r'<td class="long">loosens</td>.*', rendered("policy-edited"))
    assert len(rows) == 3
    assert all(row.count("loosens") == 1 for row in rows)


@pytest.mark.parametrize("name", PAGES)
def test_every_element_is_the_templates_own(name):
    require_own_elements(Page(rendered(name)))


@pytest.mark.parametrize("text", [MARKUP, f"{HOSTILE}*", '"*', "'*", "*-->", "*]]>", "*</title></style>", "{{7+7}}*"])
def test_a_hostile_text_adds_no_element_and_takes_none(text):
    plain = Page(html.render(hostile_everywhere(EVERYTHING, "q*"), PLAIN))
    hostile = Page(html.render(hostile_everywhere(EVERYTHING, text), PLAIN))
    require_own_elements(hostile)
    assert hostile.shape == plain.shape


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(verdicts)
def test_whatever_a_verdict_says_the_page_is_the_templates_own(found):
    text = html.render(found, replace(PLAIN, history=HISTORY))
    require_own_elements(Page(text))
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202e\u2028]", text)
    assert not re.search(r"^\s*::", text, flags=re.MULTILINE)
    assert not re.search(r"##\w*\[", text)


def test_a_hostile_text_is_shown_as_it_is():
    found = verdict(replace(FAILED, reason="<script>alert(1)</script> \u202e \x1b[31m"))
    assert "<script>alert(1)</script> \\u202e \\x1b[31m" in Page(html.render(found, PLAIN)).texts


@pytest.mark.parametrize("name", ["several", "pass", "hostile"])
def test_ids_are_unique_and_every_reference_has_its_target(name):
    page = Page(rendered(name))
    ids = Counter(page.values("id"))
    assert set(ids.values()) == {1}
    assert {value.removeprefix("#") for value in page.values("href", "aria-labelledby")} <= set(ids)


def test_the_policy_of_the_page_allows_its_own_style_and_nothing_else():
    text = rendered("fail")
    (style,) = STYLE.findall(text)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'" in text
    assert not re.search(r"url\(|@import|https?:|//", style)
    assert not Page(text).values("style", "src", "srcset", "onload", "onclick")


@pytest.mark.parametrize("name", ["several", "non-latin"])
def test_every_picture_has_words_and_a_table_beside_it(name):
    text = rendered(name)
    pictures = [part.partition("</figure>") for part in text.split("<figure>")[1:]]
    assert pictures
    for picture, _, after in pictures:
        assert len(re.search(r"<title [^>]*>(.+?)</title>", picture)[1]) > 20
        assert "<figcaption>" in picture
        assert after.lstrip().removeprefix("<div>").lstrip().startswith("<table")


def test_the_same_verdict_gives_the_same_page():
    assert rendered("several") == rendered("several")


@pytest.mark.parametrize(
    "settings", [b"\xff\xfe", b"font.size: 40\nsvg.fonttype: path\nno such line\ntext.usetex: True\n"]
)
def test_settings_of_a_checkout_change_nothing(tmp_path, settings):
    """Matplotlib obeys, or fails on, a file of the working directory; a training set's repository could hold one."""
    (tmp_path / "matplotlibrc").write_bytes(settings)
    child = "import sys; sys.path.insert(0, sys.argv[1])\nfrom tests.reports.test_html import rendered\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{child}sys.stdout.buffer.write(rendered('fail').encode())", os.getcwd()],  # noqa: PTH109
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert (done.stdout.decode(), done.stderr) == (rendered("fail"), b"")


def test_in_ascii_the_page_reads_the_same():
    found = EXAMPLES["non-latin"]
    ascii_page = html.render(found, replace(PLAIN, ascii=True))
    assert ascii_page.isascii()
    assert "".join(Page(ascii_page).texts) == "".join(Page(html.render(found, PLAIN)).texts)


def test_verbose_opens_what_is_folded():
    folded = html.render(SEVERAL, PLAIN).count('<details class="rule ok"')
    opened = html.render(SEVERAL, replace(PLAIN, verbose=True))
    assert len(re.findall(r'<details class="rule ok" id="[^"]*" open>', opened)) == folded > 0


def _luminance(color):
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one, other):
    high, low = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1, 2], ids=["light", "dark", "print"])
def test_every_colour_of_text_stands_out_as_wcag_aa_asks(scheme):
    style = STYLE.findall(rendered("pass"))[0]
    colors = dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6});", style.split(":root")[scheme + 1].partition("}")[0]))
    for ground in ("paper", "soft"):
        for ink in set(colors) - {"paper", "soft", "line"}:
            assert _contrast(colors[ink], colors[ground]) >= 4.5, (ink, ground)
