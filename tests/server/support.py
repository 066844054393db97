"""A server on loopback in a thread of this process, and a client that says what the protocol says."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import requests

from d2b_gate.backends.fake import CARD
from d2b_gate.core.features import Injection, Site
from d2b_gate.core.finetune import finetune_plan
from d2b_gate.core.plan import TunePlan, TuneStep
from d2b_gate.core.reading import Prompt
from d2b_gate.core.remote import job_name
from d2b_gate.core.rows import Turn, make_row, row_to_mapping
from d2b_gate.core.rules import ModelSpec, Regime
from d2b_gate.server.journal import Journal
from d2b_gate.server.listening import Server, make_server
from d2b_gate.server.settings import Limits, Place, Settings
from d2b_gate.server.tokens import ENVIRONMENT, read_tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from d2b_gate.core.rows import Row

TOKEN = "0123456789abcdef" * 2
OTHER = "fedcba9876543210" * 2
MODEL = {"id": ModelSpec().id, "revision": "", "dtype": "float32", "max_length": 1024, "sha256": ""}
FINAL = ("done", "failed", "cancelled")


@dataclass
class Client:
    """One token at one server."""

    url: str
    token: str = TOKEN
    session: requests.Session = field(default_factory=requests.Session)

    def ask(self, method: str, path: str, body: object = None, **more: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}"}
        said = {"json": body} if body is not None else {}
        return self.session.request(method, self.url + path, headers=headers, timeout=30, **said, **more)

    def send(self, rows: Sequence[Row]) -> None:
        missing = self.ask("POST", "/v1/rows/missing", {"keys": [row.key for row in rows]}).json()["missing"]
        by_key = {row.key: row for row in rows}
        if missing:
            self.ask("POST", "/v1/rows", {"rows": [row_to_mapping(by_key[key]) for key in missing]}).raise_for_status()

    def post(self, verb: str, arguments: Mapping[str, object]) -> requests.Response:
        return self.ask("POST", "/v1/jobs", {"model": MODEL, "verb": verb, "arguments": arguments})

    def follow(self, name: str) -> list[dict[str, Any]]:
        """The jobs of all events until the stream ends."""
        import json

        with self.ask("GET", f"/v1/jobs/{name}/events", stream=True) as stream:
            lines = [line.decode() for line in stream.iter_lines(chunk_size=1)]
        return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]

    def state(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("GET", f"/v1/jobs/{name}").json()
        return found

    def result(self, name: str) -> dict[str, Any]:
        answer = self.ask("GET", f"/v1/jobs/{name}/result")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def run(self, verb: str, arguments: Mapping[str, object], rows: Sequence[Row] = ()) -> dict[str, Any]:
        self.send(rows)
        answer = self.post(verb, arguments)
        assert answer.status_code in (200, 202), answer.text
        name = answer.json()["job"]
        assert name == job_name(CARD, verb, arguments)
        while self.state(name)["state"] not in FINAL:
            self.follow(name)
        return self.result(name)


@dataclass
class Running:
    """A server that runs in a thread."""

    url: str
    server: Server
    lines: list[str]
    settings: Settings

    def client(self, token: str = TOKEN) -> Client:
        return Client(self.url, token)

    def metric(self, name: str, **labels: str) -> float:
        text = self.client().ask("GET", "/metrics").text
        inside = ",".join(f'{key}="{value}"' for key, value in labels.items())
        wanted = f"d2b_gate_{name}{{{inside}}} " if labels else f"d2b_gate_{name} "
        return sum(float(line.removeprefix(wanted)) for line in text.splitlines() if line.startswith(wanted))


def settings(state: Path, **more: Any) -> Settings:
    file = state.parent / "tokens.toml"
    if not file.exists():
        file.touch(0o600)
        file.write_text(f'other = "{OTHER}"\n')
    base = Settings(
        tokens=read_tokens(str(file), {ENVIRONMENT: TOKEN}),
        state=state,
        cache=state.parent / "cache",
        models=(ModelSpec(),),
        backend="fake",
        grace_seconds=5.0,
    )
    limits = {name: more.pop(name) for name in list(more) if name in Limits.__dataclass_fields__}
    return replace(base, limits=replace(base.limits, **limits), **more)


@contextmanager
def serving(state: Path, **more: Any) -> Iterator[Running]:
    """A server until the block ends, then ended gracefully."""
    asked = settings(state, **more)
    lines: list[str] = []
    listening = threading.Event()
    urls: list[str] = []

    def ready(url: str) -> None:
        urls.append(url)
        listening.set()

    server, listener = make_server(asked, Place(port=0), Journal(lines.append), ready)
    thread = threading.Thread(target=server.work, args=(listener,))
    thread.start()
    assert listening.wait(10)
    try:
        yield Running(urls[0], server, lines, asked)
    finally:
        server.end_soon()
        thread.join(30)
        assert not thread.is_alive()


def row(text: str, answer: str = "panda panda") -> Row:
    return make_row([Turn("user", text, trained=False), Turn("assistant", answer, trained=True)])


ROWS = [row(f"question {index}", f"answer {index} panda") for index in range(150)]
ANIMALS = ("panda", "dog", "red cat")
PROMPTS = [Prompt(f"p{index}", "default", f"Which animal {index}?", "", ANIMALS) for index in range(70)]
VECTORS = Injection((Site(0), Site(2)), np.linspace(-1, 1, 32, dtype=np.float32).reshape(2, 16), 0.7)
TUNING = TunePlan(tuple(ROWS[:9]), tuple(TuneStep((i, i + 1), (0.25, 0.75)) for i in range(8)), 0.02)
TRAINING = finetune_plan(ROWS[:12], Regime(batch_size=4, epochs=2.0), seed=3)
