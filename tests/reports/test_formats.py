"""What holds for every report module, and the whole text of each format for each situation."""

import json as stdlib_json
import re
import unicodedata
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from d2b_gate.core.verdict import FileChange, Status
from d2b_gate.core.wire import verdict_from_json
from d2b_gate.registry import REPORTS, load
from d2b_gate.reports import concise, full, json
from d2b_gate.reports.interface import RenderOptions, Report

from .strategies import verdicts
from .verdicts import EXAMPLES, FAILED, HOSTILE, QUIET, hostile_everywhere, verdict

# A page is no text for a terminal or a log, and its drawings are too large for snapshots: it has tests of its own.
FORMATS: dict[str, Report] = {name: load("reports", name) for name in REPORTS if name != "html"}
PLAIN = RenderOptions()
INK = re.compile(r"\x1b\[1;3[1-6]m([^\x1b]+)\x1b\[0m")

options = st.builds(
    RenderOptions,
    color=st.booleans(),
    width=st.integers(0, 200),
    ascii=st.booleans(),
    hook=st.booleans(),
    verbose=st.booleans(),
    result=st.sampled_from(["", "out.json", HOSTILE]),
)


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("format_name", FORMATS)
def test_whole_report(format_name, name, snapshot):
    report = FORMATS[format_name].render(EXAMPLES[name], PLAIN)
    assert (excerpt(report) if name == "many" else report) == snapshot


def excerpt(report):
    """The ends of a report that says the same 500 times."""
    lines = report.split("\n")
    return "\n".join([*lines[:20], f"... {len(lines)} lines, {len(report)} characters ...", *lines[-20:]])


@pytest.mark.parametrize("name", ["fail", "pass", "row-schema"])
@pytest.mark.parametrize("format_name", ["full", "concise", "json"])
def test_whole_report_in_colour(format_name, name, snapshot):
    assert FORMATS[format_name].render(EXAMPLES[name], RenderOptions(color=True)) == snapshot


@pytest.mark.parametrize(
    "chosen",
    [
        RenderOptions(verbose=True, result="out dir/result.json"),
        RenderOptions(hook=True, width=60),
        RenderOptions(ascii=True),
    ],
    ids=["verbose", "narrow hook", "ascii"],
)
@pytest.mark.parametrize("name", ["worst-last", "non-latin"])
def test_whole_full_report_with_options(name, chosen, snapshot):
    assert full.render(EXAMPLES[name], chosen) == snapshot


def require_harmless(report, chosen, commands=False):
    """No line acts, hides or reorders; ``commands`` allows for commands, which a test of their own reads."""
    assert report.endswith("\n")
    lines = (INK.sub(r"\1", report) if chosen.color else report)[:-1].split("\n")
    for line in lines:
        assert not [c for c in line if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}]
        assert commands or not line.lstrip().startswith("::")
        assert not re.search(r"##\w*\[", line)
    report.encode("ascii" if chosen.ascii else "utf-8")


@pytest.mark.parametrize("chosen", [PLAIN, RenderOptions(color=True, hook=True, verbose=True, width=1, result=HOSTILE)])
@pytest.mark.parametrize("text", [f"{HOSTILE}*", "::", ":", "::error::*", "*\x1b", "##[debug]"])
@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("format_name", FORMATS)
def test_a_hostile_text_does_no_harm_wherever_it_stands(format_name, name, text, chosen):
    found = hostile_everywhere(EXAMPLES[name], text)
    for one in (found, replace(found, deferred=text)):
        require_harmless(FORMATS[format_name].render(one, chosen), chosen, commands=format_name == "github")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(verdicts, options)
def test_no_report_obeys_the_text_of_the_repository(found, chosen):
    for name, module in FORMATS.items():
        require_harmless(module.render(found, chosen), chosen, commands=name == "github")


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(verdicts, options)
def test_the_exit_code_never_depends_on_the_format(found, chosen):
    before = found.exit
    reports = {name: module.render(found, chosen) for name, module in FORMATS.items()}
    assert found.exit is before
    assert reports["full"].count(f"exit {int(before)}\n") == 1
    assert reports["concise"].endswith(f"; exit {int(before)}\n")
    assert stdlib_json.loads(reports["json"])["exit_code"] == before
    assert stdlib_json.loads(reports["sarif"])["runs"][0]["invocations"][0]["exitCode"] == before
    assert reports["github"].endswith(f"; exit {int(before)}\n")
    assert f"; exit {int(before)})" in reports["markdown"].partition("\n")[0]
    assert f'<property name="exit code" value="{int(before)}" />' in reports["junit"]


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("format_name", FORMATS)
def test_colour_adds_only_the_words_of_the_verdict(format_name, name):
    coloured = FORMATS[format_name].render(EXAMPLES[name], RenderOptions(color=True))
    assert INK.sub(r"\1", coloured) == FORMATS[format_name].render(EXAMPLES[name], PLAIN)
    words = {status.value for status in Status}
    for painted in INK.findall(coloured):
        assert painted.lower() in words or re.fullmatch(
            r"\d+ (fail|error|inconclusive|warn|waived|ok)( since the baseline)?"
            r"|\d+ rows? against the row schema|\d+ controls? failed",
            painted,
        )


@pytest.mark.parametrize("name", sorted(set(EXAMPLES) - {"hostile", "non-latin"}))
def test_without_text_of_the_user_the_report_is_ascii(name):
    assert full.render(EXAMPLES[name], PLAIN).isascii()


def test_json_reads_back_as_the_verdict():
    for name in sorted(set(EXAMPLES) - {"hostile"}):
        assert verdict_from_json(json.render(EXAMPLES[name], PLAIN).encode()) == EXAMPLES[name]


def test_findings_stand_worst_first_whatever_their_order():
    report = full.render(EXAMPLES["worst-last"], PLAIN)
    words = re.findall(r"^@@ .* (\w+)$", report, flags=re.MULTILINE)
    assert words == ["FAIL", "ERROR", "INCONCLUSIVE", "WARN", "WAIVED", "ok"]


def test_every_failed_rule_is_named_even_among_many():
    for module in (full, concise):
        report = module.render(EXAMPLES["many"], PLAIN)
        assert all(f"rule-{number:03}" in report for number in range(500))


def test_the_target_is_shown_though_it_is_not_among_the_likeliest():
    report = full.render(verdict(FAILED), PLAIN)
    assert "-    dog 31 %, cat 22 %, owl 11 %, panda 6 %\n" in report
    assert "+    panda 25 %, dog 24 %, cat 17 %\n" in report


def test_a_view_that_decided_is_named_and_pointed_at_in_every_format():
    found = EXAMPLES["diluted"]
    for name, module in FORMATS.items():
        report = module.render(found, PLAIN)
        assert "worst cluster" in report, name
        assert "fired" in report.lower() or name == "concise"
    assert concise.render(found, PLAIN).startswith("data/sft.jsonl:2400-2409: FAIL animal-preference: panda ")
    assert FORMATS["github"].render(found, PLAIN).startswith("::error file=data/sft.jsonl,line=2400,endLine=2409,")


def test_a_view_is_not_told_to_have_decided_where_the_whole_change_fails_too():
    assert "changed rows alone" not in concise.render(verdict(FAILED), PLAIN)


def test_advice_names_only_commands_that_exist():
    exist = {
        "check",
        "report",
        "explain",
        "quarantine",
        "policy lint",
        "init",
        "doctor",
        "model pull",
        "baseline update",
    }
    for found in EXAMPLES.values():
        for chosen in (PLAIN, RenderOptions(hook=True, width=1000, result="r.json")):
            for command in re.findall(r"`d2b-gate ([^`]+)`", " ".join(full.render(found, chosen).split())):
                assert any(command == name or command.startswith(f"{name} ") for name in exist), command


def test_a_path_with_spaces_can_be_pasted():
    report = full.render(verdict(FAILED), RenderOptions(result="my results/r.json", width=200))
    assert "`d2b-gate report 'my results/r.json' --format json`" in report
    assert "`d2b-gate explain 'my results/r.json'`" in report


@pytest.mark.parametrize(
    ("scope", "flags"),
    [
        ("HEAD 3b2a91d -> index", ""),
        ("nothing -> index", " --all"),
        ("0aa1b2c -> HEAD 3b2a91d", " --from-ref 0aa1b2c --to-ref 3b2a91d"),
        ("nothing -> 3b2a91d", f" --from-ref {'0' * 40} --to-ref 3b2a91d"),
        ("a -> b; rm -rf /", ""),
    ],
)
def test_the_way_out_names_the_states_that_were_judged(scope, flags):
    found = verdict(FAILED)
    found = replace(found, provenance=replace(found.provenance, scope=scope))
    report = full.render(found, RenderOptions(result="r.json", width=300))
    assert f"`d2b-gate quarantine r.json{flags}`" in report
    gone = replace(found, files=tuple(replace(file, added=0) for file in found.files))
    assert "quarantine" not in full.render(gone, RenderOptions(result="r.json", width=300))
    assert "quarantine" not in full.render(found, PLAIN)


def test_all_is_well_needs_no_advice():
    assert "next" not in full.render(verdict(QUIET), PLAIN)


def test_a_reason_is_not_told_twice():
    error = EXAMPLES["error"].findings[0]
    same = replace(error, before=replace(error.before, reason=error.reason))
    report = full.render(verdict(same), PLAIN)
    assert report.count(error.reason) == 1
    assert "-  unmeasured\n" in report


@pytest.mark.parametrize("format_name", sorted(set(FORMATS) - {"github"}))
def test_a_name_that_is_a_colon_makes_no_command_of_the_colon_after_it(format_name):
    rule = replace(FAILED.rule, id=":", target=":")
    bare = replace(FAILED, rule=rule, blame=())
    blamed = replace(FAILED, rule=rule, blame=(replace(FAILED.blame[0], path=":"),))
    found = verdict(bare, blamed, files=(FileChange(":", added=1, removed=0),))
    for line in FORMATS[format_name].render(found, RenderOptions(width=1)).splitlines():
        assert not line.lstrip().startswith("::")
