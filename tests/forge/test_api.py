"""The client with a clock of its own: waiting costs the tests no time."""

from __future__ import annotations

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from d2b_gate.core.errors import EvaluationError
from d2b_gate.forge.api import MOST_PAGES, Api
from d2b_gate.forge.limits import pause_asked
from d2b_gate.forge.origin import api_root, origin_of
from d2b_gate.forge.refusals import StatusError
from d2b_gate.forge.timing import Budget, Timing
from d2b_gate.forge.transport import make_session
from tests.forge.server import TOKEN, Trouble, serving


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def timing(self) -> Timing:
        return Timing(monotonic=lambda: self.now, wall=lambda: self.now + 5000.0, sleep=self.sleep)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def github():
    with serving() as server:
        yield server


def api(github, clock, seconds=10_000.0):
    return Api(github.url, TOKEN, Budget(seconds, clock.timing()))


SECONDARY = {"message": "You have exceeded a secondary rate limit."}


def test_a_secondary_limit_without_a_time_is_waited_for_ever_longer(github, clock):
    github.pull(7, "a" * 40)
    github.troubles.append(Trouble("GET", ".*", 403, body=SECONDARY, times=3))
    api(github, clock).get("/repos/acme/data/pulls/7")
    assert clock.slept == [60.0, 120.0, 240.0]


def test_a_limit_without_end_is_given_up(github, clock):
    github.troubles.append(Trouble("GET", ".*", 429, body=SECONDARY, times=99))
    with pytest.raises(StatusError) as raised:
        api(github, clock).get("/user")
    assert raised.value.status == 429
    assert len(clock.slept) == 5


def test_a_403_without_a_sign_of_a_limit_is_no_limit(github, clock):
    github.troubles.append(Trouble("GET", ".*", 403, body={"message": "Resource not accessible by integration"}))
    with pytest.raises(StatusError):
        api(github, clock).get("/user")
    assert clock.slept == []


def test_the_reset_is_held_against_the_wall_clock(github, clock):
    github.pull(7, "a" * 40)
    headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "6030"}
    github.troubles.append(Trouble("GET", ".*", 403, headers, {"message": "API rate limit exceeded"}))
    api(github, clock).get("/repos/acme/data/pulls/7")
    assert clock.slept == [31.0]


def test_repeated_failures_pause_longer_and_end(github, clock):
    github.troubles.append(Trouble("GET", ".*", 502, times=99))
    with pytest.raises(StatusError, match="502"):
        api(github, clock).get("/user")
    assert clock.slept == [1.0, 2.0, 4.0]
    assert len(github.asked) == 5


def test_pauses_come_out_of_the_budget(github, clock):
    github.troubles.append(Trouble("GET", ".*", 502, times=99))
    with pytest.raises(EvaluationError, match=r"^the API fails: 2 s to wait are more than the 1 s that are left"):
        api(github, clock, seconds=2.0).get("/user")
    assert clock.slept == [1.0]


def test_nothing_is_asked_when_the_time_is_up(github, clock):
    late = api(github, clock, seconds=5.0)
    clock.now += 5.0
    with pytest.raises(EvaluationError, match="the time is up"):
        late.get("/user")
    assert github.asked == []


def test_pages_without_end_are_given_up(github, clock):
    again = {"Link": f'<{github.url}/user?page=2>; rel="next"'}
    github.troubles.append(Trouble("GET", "/user", 200, again, b"[]", times=999))
    with pytest.raises(EvaluationError, match="more than the 50 pages"):
        list(api(github, clock).pages("/user"))
    assert len(github.asked) == MOST_PAGES + 1


@given(st.integers(), st.dictionaries(st.sampled_from(["retry-after", "x-ratelimit-remaining"]), st.text()), st.text())
def test_a_pause_is_never_negative_and_of_limits_alone(status, headers, told):
    pause = pause_asked(status, headers, told, now=0.0, refusals=0)
    assert pause >= 0
    assert not pause or status in (403, 429)


@pytest.mark.parametrize(
    ("url", "same"),
    [
        ("https://api.github.com:443/x", True),
        ("https://API.github.com/x", True),
        ("http://api.github.com/x", False),
        ("https://api.github.com.evil.example/x", False),
        ("https://api.github.com@evil.example/x", False),
        ("https://api.github.com:444/x", False),
        ("https://[bad", False),
        ("/relative", False),
        ("", False),
    ],
)
def test_an_origin_is_scheme_host_and_port(url, same):
    assert (origin_of(url) == origin_of("https://api.github.com")) is same


@pytest.mark.parametrize("url", ["http://localhost:8/api/v3/", "http://[::1]:8", "http://127.8.9.1"])
def test_loopback_may_go_without_encryption(url):
    assert api_root(url) == url.rstrip("/")


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://api.example/x", f"Bearer {TOKEN}"),
        ("https://other.example/x", None),
        ("http://api.example/x", None),
        ("https://api.example:8443/x", None),
    ],
)
def test_the_token_is_for_its_origin_and_a_netrc_for_none(tmp_path, monkeypatch, clock, url, sent):
    """The session itself holds to that, whoever uses it."""
    (tmp_path / "netrc").write_text("default login mallory password hunter2\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    session = make_session("https://api.example/api/v3", TOKEN, Budget(5.0, clock.timing()))
    assert session.trust_env, "certificates and proxies of the environment hold for https"
    assert session.prepare_request(requests.Request("GET", url)).headers.get("Authorization") == sent
