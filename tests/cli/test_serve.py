"""`serve` as its owner starts it: what it refuses, TLS, and what it does not import."""

from __future__ import annotations

import datetime
import ipaddress
import json
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from d2b_gate.core.rules import ModelSpec
from tests.cli.support import environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = "0123456789abcdef" * 2
FAKE = ("--backend", "fake", "--port", "0")


def command(*flags: str) -> list[str]:
    return [sys.executable, "-m", "d2b_gate", "serve", *flags]


def refused(home: Path, *flags: str, code: int = 2, **more: str) -> str:
    """What it says when it does not start."""
    done = subprocess.run(
        command(*flags), env=environment(home, **more), capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    return done.stderr


@contextmanager
def started(home: Path, *flags: str) -> Iterator[str]:
    """The address of a server."""
    ready = home / "ready.json"
    place = ("--ready-file", str(ready))
    with subprocess.Popen(command(*place, *flags), env=environment(home, D2B_GATE_SERVE_TOKEN=TOKEN)) as server:
        try:
            deadline = time.monotonic() + 30
            while not ready.exists():
                assert server.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.02)
            yield json.loads(ready.read_text())["url"]
            server.send_signal(signal.SIGTERM)
            assert server.wait(20) == 0
        finally:
            server.kill()


def test_it_does_not_start_without_a_token(tmp_path: Path) -> None:
    said = refused(tmp_path, *FAKE)
    assert "a server needs a token" in said
    assert "D2B_GATE_SERVE_TOKEN" in said


def test_a_short_token_is_refused_and_not_shown(tmp_path: Path) -> None:
    said = refused(tmp_path, *FAKE, D2B_GATE_SERVE_TOKEN="hunter2")
    assert "24 to 1024 characters" in said
    assert "hunter2" not in said


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_others_are_served_over_tls_alone(tmp_path: Path, host: str) -> None:
    assert "can be reached by others" in refused(tmp_path, *FAKE, "--host", host, D2B_GATE_SERVE_TOKEN=TOKEN)


def test_a_proxy_may_end_tls(tmp_path: Path) -> None:
    with started(tmp_path, *FAKE, "--host", "0.0.0.0", "--behind-proxy") as url:
        assert requests.get(url.replace("0.0.0.0", "127.0.0.1") + "/readyz", timeout=5).status_code == 200


@pytest.mark.parametrize("flags", [("--tls-cert", "a.pem"), ("--tls-key", "a.pem")])
def test_a_certificate_and_its_key_go_together(tmp_path: Path, flags: tuple[str, ...]) -> None:
    assert "needs its key" in refused(tmp_path, *FAKE, *flags, D2B_GATE_SERVE_TOKEN=TOKEN)


def test_a_certificate_that_is_none(tmp_path: Path) -> None:
    file = tmp_path / "nonsense.pem"
    file.write_text("nonsense")
    flags = ("--tls-cert", str(file), "--tls-key", str(file))
    assert "cannot be used" in refused(tmp_path, *FAKE, *flags, D2B_GATE_SERVE_TOKEN=TOKEN)


def test_tls(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path)
    with started(tmp_path, *FAKE, "--tls-cert", certificate, "--tls-key", key) as url:
        assert url.startswith("https://127.0.0.1:")
        assert requests.get(url + "/readyz", timeout=5, verify=certificate).json() == {"status": "ready"}
        with pytest.raises(requests.exceptions.SSLError):
            requests.get(url + "/readyz", timeout=5)


def self_signed(folder: Path) -> tuple[str, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "here")])
    now = datetime.datetime.now(datetime.timezone.utc)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(names, critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(key.private_bytes(*plain))
    return str(folder / "cert.pem"), str(folder / "key.pem")


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with started(tmp_path, *FAKE) as url:
        port = url.rpartition(":")[2]
        flags = ("--backend", "fake", "--port", port, "--state", str(tmp_path / "another"))
        assert f"cannot listen on 127.0.0.1:{port}" in refused(tmp_path, *flags, D2B_GATE_SERVE_TOKEN=TOKEN)


def test_a_model_that_is_not_here_is_said_at_the_start(tmp_path: Path) -> None:
    said = refused(tmp_path, "--port", "0", code=3, D2B_GATE_SERVE_TOKEN=TOKEN)
    assert "run: d2b-gate model pull smollm2-135m" in said


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--backend", "fkae"), "fake"),
        (("--model", "@main"), "names no model"),
        (("--port", "x"), "--port"),
        (("--max-body", "much"), "--max-body"),
        (("--max-seconds", "-1"), "--max-seconds"),
    ],
)
def test_flags_that_cannot_be(tmp_path: Path, flags: tuple[str, ...], words: str) -> None:
    assert words in refused(tmp_path, *FAKE, *flags, D2B_GATE_SERVE_TOKEN=TOKEN)


def test_a_library_that_is_missing_is_named(tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text(
        "import importlib.util\n"
        "found = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, package=None: None if name == 'uvicorn' else found(name, package)\n"
    )
    said = refused(tmp_path, *FAKE, code=3, D2B_GATE_SERVE_TOKEN=TOKEN, PYTHONPATH=str(hidden))
    assert 'serve needs uvicorn; run: pip install "d2b-gate[serve]"' in said


def test_it_starts_without_torch(tmp_path: Path) -> None:
    script = "import sys; from d2b_gate.cli import main; main(sys.argv[1:]); print('torch' in sys.modules)"
    flags = ("serve", *FAKE, "--idle", "0.2")
    done = subprocess.run(
        [sys.executable, "-c", script, *flags],
        env=environment(tmp_path, D2B_GATE_SERVE_TOKEN=TOKEN),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "False\n", done.stderr


def test_the_token_does_not_stay_in_the_environment(tmp_path: Path) -> None:
    script = "import os, sys; from d2b_gate.cli import main; main(sys.argv[1:]); print(*os.environ)"
    done = subprocess.run(
        [sys.executable, "-c", script, "serve", *FAKE, "--idle", "0.2"],
        env=environment(tmp_path, D2B_GATE_SERVE_TOKEN=TOKEN),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "D2B_GATE_CACHE_DIR" in done.stdout
    assert "D2B_GATE_SERVE_TOKEN" not in done.stdout
    assert TOKEN not in done.stderr


def test_only_named_models_are_served(tmp_path: Path) -> None:
    with started(tmp_path, *FAKE, "--model", f"some/model@{'a' * 40}", "--dtype", "bfloat16") as url:
        model = {"id": "some/model", "revision": "a" * 40, "dtype": "bfloat16", "max_length": 99, "sha256": ""}
        headers = {"Authorization": f"Bearer {TOKEN}"}
        asked = [
            requests.post(url + "/v1/model", json={"model": one}, headers=headers, timeout=5).status_code
            for one in (model, {**model, "revision": "b" * 40}, {**model, "id": ModelSpec().id, "revision": ""})
        ]
        assert asked == [200, 403, 403]
