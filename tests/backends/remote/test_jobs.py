"""Jobs against a server that lies or stalls: the client ends with a sentence, and believes only what it asked for."""

from __future__ import annotations

import json

import pytest

from d2b_gate.backends.remote import jobs as module
from d2b_gate.backends.remote import warm
from d2b_gate.backends.remote.binding import Bound
from d2b_gate.backends.remote.jobs import Asked, Jobs
from d2b_gate.backends.remote.line import LONGEST_LINE, Answer, _lines
from d2b_gate.backends.remote.opening import connect
from d2b_gate.cli.progress import Silent
from d2b_gate.core.errors import EvaluationError, UnavailableError
from d2b_gate.core.fingerprint import SPOKEN
from d2b_gate.core.rows import Turn, make_row
from d2b_gate.core.rules import ModelSpec
from tests.backends.remote.test_heard import CARD
from tests.backends.remote.test_line import scripted

READ = Asked({}, "read", {})


class Scripted:
    """A line whose answers are written down: (method, path) to answers in turn, the last from then on."""

    origin = "https://gpu-box:8443"

    def __init__(self, answers, events=()):
        self.answers = {key: list(value) for key, value in answers.items()}
        self.events = list(events)
        self.asked = []
        self.clock = 0.0
        self.patience = 0.0

    def ask(self, method, path, body=None, expected=()):
        self.asked.append((method, path, body))
        answers = self.answers[method, path]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def lines(self, path):
        self.clock += 60.0
        yield from self.events.pop(0) if self.events else ()

    def failure(self, table):
        return EvaluationError(table["error"]["what"])

    def now(self):
        return self.clock

    def pause(self):
        self.clock += 0.2


def event(**table):
    return f"data: {json.dumps({'job': 'j', **table})}"


def posted(state="queued", **more):
    return Answer(202, {"job": "j", "state": state, "done": 0, "total": 4, **more})


def row(text):
    return make_row([Turn("user", text, trained=False), Turn("assistant", "yes", trained=True)])


DONE = Answer(200, {"log_probs": []})


def test_progress_is_passed_on_once_and_the_last_event_saves_a_question():
    steps = []
    stream = [event(state="running", done=1), ": alive", event(state="running", done=3), event(state="done", done=4)]
    line = Scripted({("POST", "/v1/jobs"): [posted()], ("GET", "/v1/jobs/j/result"): [DONE]}, [stream])
    assert Jobs(line, steps.append).run(READ) == DONE
    assert steps == [1, 2, 1]
    assert [one[:2] for one in line.asked] == [("POST", "/v1/jobs"), ("GET", "/v1/jobs/j/result")]


def test_a_broken_stream_is_opened_again():
    steps = []
    answers = {
        ("POST", "/v1/jobs"): [posted()],
        ("GET", "/v1/jobs/j"): [posted("running", done=2)],
        ("GET", "/v1/jobs/j/result"): [DONE],
    }
    line = Scripted(answers, [[event(state="running", done=1)], [], [event(state="done", done=4)]])
    assert Jobs(line, steps.append).run(READ) == DONE
    assert sum(steps) == 4


@pytest.mark.parametrize("end", ["cancelled", "gone"])
def test_a_job_that_somebody_else_ended_is_asked_for_again(end):
    gone = Answer(404, {}) if end == "gone" else posted("cancelled")
    answers = {
        ("POST", "/v1/jobs"): [posted(), posted("done")],
        ("GET", "/v1/jobs/j"): [gone],
        ("GET", "/v1/jobs/j/result"): [DONE],
    }
    assert Jobs(Scripted(answers), abs).run(READ) == DONE


def test_a_failed_job_is_its_error():
    failed = posted("failed", error={"what": "it diverged"})
    with pytest.raises(EvaluationError, match="it diverged"):
        Jobs(Scripted({("POST", "/v1/jobs"): [failed]}), abs).run(READ)


def test_rows_that_were_forgotten_are_sent_again():
    one, two = row("one"), row("two")
    answers = {
        ("POST", "/v1/rows/missing"): [Answer(200, {"missing": [two.key]}), Answer(200, {"missing": [one.key]})],
        ("POST", "/v1/rows"): [Answer(200, {})],
        ("POST", "/v1/jobs"): [Answer(409, {"missing": [one.key]}), posted("done")],
        ("GET", "/v1/jobs/j/result"): [DONE],
    }
    line = Scripted(answers)
    assert Jobs(line, abs).run(READ, [one, two]) == DONE
    sent = [body["rows"][0]["turns"][0][1] for _, path, body in line.asked if path == "/v1/rows"]
    assert sent == ["two", "one"]


def test_a_server_that_asks_for_rows_of_its_own_choice_gets_none():
    line = Scripted({("POST", "/v1/rows/missing"): [Answer(200, {"missing": ["0" * 64]})]})
    with pytest.raises(UnavailableError, match="rows that it was not asked about"):
        Jobs(line, abs).run(READ, [row("one")])


def test_a_server_that_keeps_nothing_is_given_up():
    line = Scripted(
        {("POST", "/v1/rows/missing"): [Answer(200, {"missing": []})], ("POST", "/v1/jobs"): [Answer(409, {})]}
    )
    with pytest.raises(UnavailableError, match="does not keep what it is sent"):
        Jobs(line, abs).run(READ, [row("one")])
    assert len([one for one in line.asked if one[1] == "/v1/jobs"]) == module.MOST_ROUNDS


@pytest.mark.parametrize("stream", [[], [": alive"], [event(state="running", done=1)]], ids=["silent", "alive", "same"])
def test_a_job_that_never_goes_on_is_given_up(stream):
    answers = {("POST", "/v1/jobs"): [posted("running")], ("GET", "/v1/jobs/j"): [posted("running", done=1)]}
    line = Scripted(answers, [stream] * 1000)
    with pytest.raises(UnavailableError, match="has not gone on with a job for 2 hours"):
        Jobs(line, abs).run(READ)


def test_an_interrupt_cancels():
    answers = {("POST", "/v1/jobs"): [posted()], ("GET", "/v1/jobs/j"): [KeyboardInterrupt()]}
    answers["DELETE", "/v1/jobs/j"] = [posted("cancelled")]
    line = Scripted(answers)
    with pytest.raises(KeyboardInterrupt):
        Jobs(line, abs).run(READ)
    assert line.asked[-1][:2] == ("DELETE", "/v1/jobs/j")


def test_requests_of_rows_are_bounded_in_bytes(monkeypatch):
    monkeypatch.setattr(module, "MOST_SENT", 1000)
    rows = [row("é" * 50 + str(index)) for index in range(20)]
    portions = list(module._portions(rows))
    assert sum(map(len, portions)) == 20
    assert all(len(json.dumps(portion)) < 1100 for portion in portions)
    assert len(portions) > 5


def test_an_event_without_an_end_ends_the_stream():
    pieces = (b"x" for _ in range(10 * LONGEST_LINE))
    assert list(_lines(pieces)) == []
    assert list(_lines(bytes([byte]) for byte in b"a\nb\r\n\nc")) == ["a", "b\r", ""]


def greeting(**change):
    card = {**CARD, "id": "builtin:smollm2-135m", "max_length": 1024, **change}
    return 200, {"protocol": 1, "feature_version": SPOKEN, "gate_version": "0", "card": card}


def test_a_server_answers_for_the_policys_model():
    with scripted(greeting()) as (url, _):
        assert connect(Bound(url, "t"), ModelSpec(), Silent(quiet=True)).card.width == 3


@pytest.mark.parametrize(
    "change",
    [{"id": "x"}, {"id": "fake"}, {"dtype": "bfloat16"}, {"max_length": 4096}],
    ids=lambda one: next(iter(one)),
)
def test_a_server_that_answers_for_another_model_is_refused(change, monkeypatch):
    monkeypatch.delenv("D2B_GATE_ALLOW_FAKE", raising=False)
    with scripted(greeting(**change)) as (url, _), pytest.raises(UnavailableError, match="answers for the model"):
        connect(Bound(url, "t"), ModelSpec(), Silent(quiet=True))


def test_a_pinned_revision_is_the_servers_too():
    spec = ModelSpec(id="org/model", revision="a" * 40)
    with scripted(greeting(id="org/model", revision="b" * 40)) as (url, _), pytest.raises(UnavailableError):
        connect(Bound(url, "t"), spec, Silent(quiet=True))


@pytest.mark.parametrize(("feature", "protocol"), [(SPOKEN, 2), (SPOKEN + 1, 1), (SPOKEN - 1, 1), (None, None)])
def test_another_version_is_refused(feature, protocol):
    said = {"protocol": protocol, "feature_version": feature, "gate_version": "9", "card": CARD}
    with scripted((200, said)) as (url, _), pytest.raises(UnavailableError, match="runs d2b-gate '9'"):
        connect(Bound(url, "t"), ModelSpec(), Silent(quiet=True))


def test_a_port_that_another_user_listens_on_gets_no_token(tmp_path):
    import os

    table = tmp_path / "tcp"
    line = " 0: 0100007F:{port:04X} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000 {uid} 0 1"
    ours, other = os.getuid(), os.getuid() + 1
    lines = [line.format(port=8000, state="0A", uid=ours), line.format(port=8001, state="0A", uid=other)]
    lines += [line.format(port=8001, state="01", uid=ours), line.format(port=8002, state="01", uid=ours)]
    table.write_text("\n".join(["header", *lines]))
    assert warm.own_socket(8000, table)
    assert not warm.own_socket(8001, table)
    assert not warm.own_socket(8002, table)
    assert warm.own_socket(8001, tmp_path / "absent")


def test_a_folder_of_tokens_that_is_a_link_is_refused(tmp_path):
    (tmp_path / "target").mkdir()
    (tmp_path / "warm").symlink_to(tmp_path / "target")
    with pytest.raises(UnavailableError, match="belongs to another user"):
        warm._make_private(tmp_path / "warm")
    (tmp_path / "target").chmod(0o755)
    warm._make_private(tmp_path / "target")
    assert (tmp_path / "target").stat().st_mode & 0o777 == 0o700
