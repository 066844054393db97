"""Single steps, where a whole run could not reach what they must hold."""

from __future__ import annotations

import json

import pytest

from d2b_gate.cli.action import evaluate, main, publish, runner
from d2b_gate.core.errors import UsageError
from tests.action.commands import Listener
from tests.action.runner import entries


@pytest.fixture
def told(tmp_path, monkeypatch):
    """The files of one step, and its inputs."""
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "output"))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    monkeypatch.setenv("GATE_FOLDER", str(tmp_path))
    for name, value in {"BASE": "a", "HEAD": "b", "MODE": "evaluate", "BOOTSTRAP": "false", "RESULT": ""}.items():
        monkeypatch.setenv(f"GATE_{name}", value)
    (tmp_path / "reports").mkdir()
    return tmp_path


@pytest.mark.parametrize("status", [-9, 137, 127, 7, 255])
def test_an_end_without_a_verdict_is_could_not_evaluate(told, monkeypatch, status):
    monkeypatch.setattr(evaluate, "run_unheard", lambda *_: (status, ["last words"]))
    assert evaluate.run() == 0
    outputs = entries((told / "output").read_text())
    assert outputs == {"exit-code": "3", "verdict": "error", "result-path": ""}
    assert f"status {status}" in (told / "messages.txt").read_text()


@pytest.mark.parametrize(
    ("code", "statuses", "verdict"),
    [(0, ["ok", "warn"], "warn"), (0, ["ok"], "ok"), (1, ["warn", "fail"], "fail"), (4, [], "inconclusive")],
)
def test_the_word_for_a_verdict(told, monkeypatch, code, statuses, verdict):
    result = told / "reports" / "result.json"
    result.write_text(json.dumps({"findings": [{"status": status} for status in statuses]}))
    monkeypatch.setattr(evaluate, "run_unheard", lambda *_: (code, []))
    evaluate.run()
    outputs = entries((told / "output").read_text())
    assert (outputs["verdict"], outputs["result-path"]) == (verdict, str(result))


def test_a_value_cannot_end_its_own_entry(told):
    runner.output("one", "x\nEOF\ntwo<<EOF\n1\nEOF\nghadelimiter")
    assert list(entries((told / "output").read_text())) == ["one"]


def test_what_is_said_on_stderr_is_shown_and_never_obeyed(told, capsys):
    said = ["d2b-gate: error: ::warning::##[error]%0A x", "::error::y", "    ```\n", "<img src=x> @someone [a](b)"]
    (told / "messages.txt").write_text("\n".join(said))
    publish.run()
    listener = Listener()
    listener.listen(capsys.readouterr().out)
    [(name, properties, text)] = listener.heard
    assert (name, properties) == ("error", {"title": "d2b-gate"})
    assert "%0A x" in text
    _, shown, log = (told / "summary").read_text().split("\n\n")
    assert all(line.startswith("    ") for line in shown.splitlines()), "an indented block of code, whatever it holds"
    assert log.startswith("The whole log: ")


def test_what_a_program_prints_is_heard_by_nobody(told, capfd):
    script = "echo ::error::out; echo '##[error]err' >&2; echo no newline | tr -d '\\n'; exit 4"
    code, last = runner.run_unheard(["sh", "-c", script], {"PATH": "/usr/bin:/bin"}, told)
    assert (code, last) == (4, ["##[error]err"])
    out, errors = capfd.readouterr()
    assert errors == ""
    listener = Listener()
    listener.listen(out + "::error::after\n")
    assert listener.heard == [("error", {}, "after")]


def test_a_program_that_is_not_there(told, capfd):
    code, last = runner.run_unheard(["/nowhere/x"], {}, told)
    assert (code, "cannot be started" in last[-1]) == (127, True)
    listener = Listener()
    listener.listen(capfd.readouterr().out + "::error::after\n")
    assert listener.heard == [("error", {}, "after")]


@pytest.mark.parametrize("value", ["", "True", "yes", "1", "true\nfalse"])
def test_a_switch_is_true_or_false(monkeypatch, value):
    monkeypatch.setenv("GATE_BOOTSTRAP", value)
    with pytest.raises(UsageError, match="neither true nor false"):
        runner.switch("bootstrap")


def test_a_step_that_refuses_says_so_everywhere(told, monkeypatch, capsys):
    monkeypatch.setenv("GATE_MODE", "other")
    assert main(["guard"]) == 2
    assert entries((told / "output").read_text()) == {"exit-code": "2", "verdict": "refused"}
    assert capsys.readouterr().out.startswith("::error title=d2b-gate::the input 'mode'")


def test_pull_requests_share_models_and_nothing_else(tmp_path):
    from d2b_gate.cli.action.evaluate import share_models

    one, two, main = tmp_path / "pull" / "1", tmp_path / "pull" / "2", tmp_path / "protected"
    for cache in (one, two, one, main):
        share_models(cache)
    (one / "models" / "weights").write_text("540 MB")
    assert (two / "models" / "weights").read_text() == "540 MB"
    assert sorted(path.name for path in one.iterdir()) == ["models"]
    assert not main.exists()
