"""A repository may name any address; rows and tokens go only where the user's own settings say."""

from __future__ import annotations

import os

import pytest

from d2b_gate.backends.remote.binding import bound, origin
from d2b_gate.core.errors import UsageError

GPU = "https://gpu-box:8443"


@pytest.fixture(autouse=True)
def own(monkeypatch, tmp_path):
    """No setting but the test's."""
    monkeypatch.delenv("D2B_GATE_REMOTE_URL", raising=False)
    monkeypatch.delenv("D2B_GATE_REMOTE_TOKEN", raising=False)
    monkeypatch.setenv("D2B_GATE_CONFIG_DIR", str(tmp_path))
    return tmp_path


def environment(monkeypatch, url=GPU, token="secret-token"):
    monkeypatch.setenv("D2B_GATE_REMOTE_URL", url)
    monkeypatch.setenv("D2B_GATE_REMOTE_TOKEN", token)


def write(folder, text, mode=0o600):
    path = folder / "remotes.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def test_the_environment_binds_a_token_to_an_origin(monkeypatch):
    environment(monkeypatch)
    assert bound(GPU + "/gate").token == "secret-token"
    assert bound(GPU + "/elsewhere?x=").url == GPU, "the path is the user's, as the token is"
    assert bound("").url == GPU


@pytest.mark.parametrize(
    "foreign",
    [
        "https://gpu-box",
        "https://gpu-box:8444",
        "https://gpu-box.example.org:8443",
        "http://localhost:8443",
        "https://evil.example/https://gpu-box:8443",
    ],
)
def test_any_other_origin_is_refused_and_nothing_is_sent(monkeypatch, foreign):
    environment(monkeypatch)
    with pytest.raises(UsageError, match="nothing of yours binds a token to that address; nothing was sent") as caught:
        bound(foreign)
    assert "secret" not in str(caught.value)
    assert caught.value.exit == 2


@pytest.mark.parametrize("foreign", ["http://gpu-box:8443", "ftp://gpu-box", "gpu-box:8443", "https://", "https://a:b"])
def test_an_address_that_is_none_or_in_the_clear_is_refused(monkeypatch, foreign):
    environment(monkeypatch)
    with pytest.raises(UsageError):
        bound(foreign)


def test_names_and_passwords_in_an_address_are_refused():
    with pytest.raises(UsageError, match="is no address"):
        origin("https://gpu-box:8443@evil.example")


@pytest.mark.parametrize("name", ["D2B_GATE_REMOTE_URL", "D2B_GATE_REMOTE_TOKEN"])
def test_half_a_binding_is_none(monkeypatch, name):
    environment(monkeypatch)
    monkeypatch.delenv(name)
    with pytest.raises(UsageError, match=f"{name} is not set"):
        bound(GPU)


def test_nothing_bound_at_all():
    with pytest.raises(UsageError, match="nothing of yours binds a token"):
        bound(GPU)
    with pytest.raises(UsageError, match="the user's own are 0"):
        bound("")


def test_a_file_binds_several(own):
    (own / "box.token").write_text("of-the-box\n", encoding="utf-8")
    (own / "box.token").chmod(0o600)
    write(
        own,
        '[[remote]]\nurl = "https://gpu-box:8443"\ntoken_file = "box.token"\n'
        '[[remote]]\nurl = "https://other"\ntoken = "of-the-other"\nca = "authority.pem"\n',
    )
    assert bound("https://gpu-box:8443").token == "of-the-box"
    assert bound("https://other:443/x").token == "of-the-other"
    assert bound("https://other").authorities == str(own / "authority.pem"), "not of the checkout that one is in"
    with pytest.raises(UsageError, match="the user's own are 2"):
        bound("")


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_a_token_that_others_can_read_is_refused(own):
    write(own, '[[remote]]\nurl = "https://gpu-box:8443"\ntoken = "t"\n', mode=0o644)
    with pytest.raises(UsageError, match="others can read it"):
        bound(GPU)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[remote]\n", "not valid TOML"),
        ('[[remote]]\nurl = "https://gpu-box:8443"\ntokn = "t"\n', "unknown key 'tokn'"),
        ('[[remote]]\ntoken = "t"\n', "no url"),
        ('[[remote]]\nurl = "https://gpu-box:8443"\n', "the token is empty"),
        ('[[remote]]\nurl = "https://gpu-box:8443"\ntoken = "two words"\n', "no single word"),
        ('[[remote]]\nurl = "https://gpu-box:8443"\ntoken_file = "absent"\n', "the token cannot be read"),
        ('remote = "https://gpu-box:8443"\n', "no url"),
    ],
)
def test_a_file_that_is_wrong_says_so(own, text, said):
    write(own, text)
    with pytest.raises(UsageError, match=said):
        bound(GPU)
