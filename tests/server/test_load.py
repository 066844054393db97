"""Many clients at once: nothing is lost, nothing of one token computed twice, and memory does not grow."""

from __future__ import annotations

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psutil

from d2b_gate.backends.fake import FakeBackend
from d2b_gate.core.remote import heard_array
from tests.rounding import rounded
from tests.server.process import started
from tests.server.support import ROWS, TOKEN, Client, row

if TYPE_CHECKING:
    from pathlib import Path

TOKENS = [f"{name}-{'0123456789abcdef' * 2}" for name in "abcd"]
CLIENTS = 32


def tokens_file(home: Path) -> Path:
    file = home / "four.toml"
    file.touch(0o600)
    file.write_text("".join(f'{token[0]} = "{token}"\n' for token in TOKENS))
    return file


def test_32_clients_of_four_tokens_with_overlapping_rows(tmp_path: Path) -> None:
    with started(tmp_path, "--tokens", str(tokens_file(tmp_path))) as process:
        url = process.url()

        def ask(index: int) -> tuple[str, list[int], dict[str, object]]:
            rng = random.Random(index)
            client = Client(url, TOKENS[index % len(TOKENS)])
            places: list[int] = []
            said: dict[str, object] = {}
            for _ in range(4):
                places = rng.sample(range(len(ROWS)), 30)
                rows = [ROWS[place] for place in places]
                said = client.run("gradients", {"rows": [one.key for one in rows]}, rows)
            return client.token, places, said

        with ThreadPoolExecutor(CLIENTS) as pool:
            answers = list(pool.map(ask, range(CLIENTS)))
    for _, places, said in answers:
        expected = rounded(FakeBackend().gradients([ROWS[place] for place in places]).values_nld)
        assert (heard_array(said["values"], expected.shape) == expected).all()
    asked = Counter(
        {
            ROWS[place].key
            for index in range(0, CLIENTS)
            for rng in [random.Random(index)]
            for _ in range(4)
            for place in rng.sample(range(len(ROWS)), 30)
        }
    )
    computed = Counter(process.computed())
    assert set(computed) == set(asked)
    assert max(computed.values()) <= len(TOKENS)
    assert sum(computed.values()) == sum(len(_asked_by(token)) for token in range(len(TOKENS)))


def _asked_by(token: int) -> set[int]:
    """Rows that clients of one token ask for."""
    found: set[int] = set()
    for index in range(token, CLIENTS, len(TOKENS)):
        rng = random.Random(index)
        for _ in range(4):
            found.update(rng.sample(range(len(ROWS)), 30))
    return found


def test_memory_does_not_grow_with_requests(tmp_path: Path) -> None:
    with started(tmp_path) as process:
        url = process.url()
        server = psutil.Process(process.popen.pid)

        def round_of(index: int) -> None:
            client = Client(url, TOKEN)
            rows = [row(f"row {index} {place}", "word " * 200) for place in range(100)]
            client.run("gradients", {"rows": [one.key for one in rows]}, rows)
            client.ask("GET", "/v1/jobs/" + "0" * 64)

        def rounds(start: int, end: int) -> int:
            with ThreadPoolExecutor(4) as pool:
                list(pool.map(round_of, range(start, end)))
            return int(server.memory_info().rss)

        before = rounds(0, 30)
        after = rounds(30, 110)
    assert after - before < 16 * 2**20
