"""What is forgotten, and what stays."""

from __future__ import annotations

import json
import time
import tracemalloc
from functools import partial
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from d2b_gate.core.features import Kept
from d2b_gate.core.remote import said_injection, said_prompts, said_training
from d2b_gate.core.rows import row_to_mapping
from d2b_gate.server import keeping
from d2b_gate.server.app import make_app
from d2b_gate.server.house import House
from d2b_gate.server.jobs import Job
from d2b_gate.server.journal import Journal
from d2b_gate.server.keeping import Held, gone
from d2b_gate.server.needs import needs_of
from d2b_gate.server.settings import DAY
from d2b_gate.server.tokens import Owner, Tokens
from d2b_gate.server.turns import Ref
from tests.server.process import until
from tests.server.support import MODEL, PROMPTS, ROWS, TOKEN, TRAINING, serving, settings

if TYPE_CHECKING:
    from pathlib import Path

KEYS = [one.key for one in ROWS]
HELD = st.lists(st.builds(Held, st.floats(0, 100), st.text("abcdef", min_size=1, max_size=2), st.integers(0, 50)))


@given(HELD, st.floats(0, 100), st.integers(0, 200), st.sets(st.text("abcdef", min_size=1, max_size=2)))
def test_what_stays_is_young_enough_and_little_enough_or_needed(
    held: list[Held], old: float, most: int, needed: set[str]
) -> None:
    found = gone(held, old, most, needed)
    stays = [one for one in held if one not in found]
    assert not any(one.name in needed for one in found)
    assert all(one.used >= old for one in stays if one.name not in needed)
    if not needed:
        assert sum(one.bytes for one in stays) <= most
        oldest = min((one.used for one in stays), default=float("inf"))
        assert all(one.used <= oldest for one in found)


def ago(house: House, days: float, where: str = "1") -> None:
    """Make what is kept look older."""
    for table in ("rows", "jobs"):
        house._database.change(f"UPDATE {table} SET used = used - ? WHERE {where}", [days * DAY])


def test_old_rows_and_results_are_forgotten_and_can_be_sent_again(tmp_path: Path) -> None:
    with serving(tmp_path / "state") as server:
        house, client = server.server._house, server.client()
        client.run("gradients", {"rows": KEYS[:5]}, ROWS[:5])
        ago(house, 15)
        client.run("gradients", {"rows": KEYS[5:8]}, ROWS[5:8])
        keeping.forget_old(house)
        assert client.ask("POST", "/v1/rows/missing", {"keys": KEYS[:8]}).json()["missing"] == KEYS[:5]
        assert len(list((tmp_path / "state").rglob("results/*.json"))) == 1
        assert any("event=forgotten jobs=1 rows=5" in line for line in server.lines)
        client.run("gradients", {"rows": KEYS[:5]}, ROWS[:5])


def test_asking_for_a_row_or_a_result_is_using_it(tmp_path: Path) -> None:
    with serving(tmp_path / "state") as server:
        house, client = server.server._house, server.client()
        client.run("gradients", {"rows": KEYS[:5]}, ROWS[:5])
        ago(house, 15)
        client.run("gradients", {"rows": KEYS[:5]}, ROWS[:5])
        keeping.forget_old(house)
        assert client.ask("POST", "/v1/rows/missing", {"keys": KEYS[:5]}).json()["missing"] == []
        assert len(list((tmp_path / "state").rglob("results/*.json"))) == 1


def test_rows_of_jobs_that_wait_stay_and_so_do_those_of_their_trainings(tmp_path: Path) -> None:
    house = House(settings(tmp_path / "state"), Journal(lambda _: None))  # nothing runs, so everything waits

    client = TestClient(make_app(house), headers={"authorization": f"Bearer {TOKEN}"})
    client.post("/v1/rows", json={"rows": [row_to_mapping(one) for one in ROWS[:40]]})

    def post(verb: str, arguments: object) -> str:
        answer = client.post("/v1/jobs", json={"model": MODEL, "verb": verb, "arguments": arguments})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["job"])

    training = post("finetune", said_training(TRAINING))
    kept = said_injection(Kept(((training, 1.0),)))
    post("read", {"prompts": said_prompts(PROMPTS[:1]), "injection": kept})
    post("gradients", {"rows": KEYS[20:23]})
    ago(house, 30)
    keeping.forget_old(house)
    missing = client.post("/v1/rows/missing", json={"keys": KEYS[:40]}).json()["missing"]
    assert missing == [*KEYS[12:20], *KEYS[23:40]]
    assert client.get(f"/v1/jobs/{training}").json()["state"] == "queued"


def test_looking_at_what_waits_takes_the_memory_of_one_request(tmp_path: Path) -> None:
    house = House(settings(tmp_path / "state"), Journal(lambda _: None))
    owner = Owner("environment").place
    steps = [{"rows": [0] * 1_000, "weights": [1.5] * 1_000}] * 20
    for index in range(12):
        arguments = {"rows": [f"{index:064x}"], "steps": steps, "beta1": 0.0, "beta2": 0.0, "epsilon": 0.0}
        request = json.dumps({"model": MODEL, "verb": "tune", "arguments": {**arguments, "learning_rate": 1.0}})
        house.desk.post(Job(Ref(owner, f"{index:064x}"), 1), request)
    tracemalloc.start()
    try:
        needed = house.needed_rows(owner)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert needed == {f"{index:064x}" for index in range(12)}
    assert peak < 12 * len(request)


def test_what_a_stored_request_names_is_read_in_whatever_form_it_is() -> None:
    kept = {"kept": [{"job": "a", "weight": 1.0}, "b", {"job": 3}]}
    assert needs_of(json.dumps({"arguments": {"rows": ["x", 1, "y", "x"], "injection": kept}})) == ({"x", "y"}, {"a"})
    for odd in ("", "[]", '{"arguments": []}', '{"arguments": {"rows": "x", "injection": {"kept": 1}}}'):
        assert needs_of(odd) == (set(), set())


def test_no_more_is_kept_than_so_many_bytes(tmp_path: Path) -> None:
    with serving(tmp_path / "state", kept_bytes=5_000) as server:
        house, client = server.server._house, server.client()
        for start in range(0, 60, 10):
            client.run("gradients", {"rows": KEYS[start : start + 10]}, ROWS[start : start + 10])
            time.sleep(0.01)
        keeping.forget_old(house)
        owner = Owner("environment").place
        for held in (house.rows.held(owner), house.jobs.held(owner)):
            assert 0 < sum(one.bytes for one in held) <= 5_000
        assert house.stores.of(owner).size().bytes <= 5_000
        assert KEYS[59] not in client.ask("POST", "/v1/rows/missing", {"keys": KEYS[:60]}).json()["missing"]


def test_much_that_is_written_is_looked_at_before_the_hour_is_over(tmp_path: Path) -> None:
    with serving(tmp_path / "state", kept_bytes=5_000) as server:
        house, client = server.server._house, server.client()
        for start in range(0, 60, 10):
            client.run("gradients", {"rows": KEYS[start : start + 10]}, ROWS[start : start + 10])
        owner = Owner("environment").place
        for held in (house.rows.held, house.jobs.held):
            until(partial(lambda found: 0 < sum(one.bytes for one in found(owner)) <= 5_000, held))


def test_what_a_token_leaves_behind_goes_when_it_is_old(tmp_path: Path) -> None:
    place = tmp_path / "state" / "tokens" / Owner("other").place
    with serving(tmp_path / "state") as server:
        client = server.client("fedcba9876543210" * 2)
        client.run("gradients", {"rows": KEYS[:5]}, ROWS[:5])
    asked = settings(tmp_path / "state")
    single = Tokens(tuple(pair for pair in asked.tokens.by_digest if pair[1].name != "other"))
    with serving(tmp_path / "state", tokens=single) as server:
        house = server.server._house
        keeping.forget_old(house)
        assert place.is_dir()
        ago(house, 20)
        keeping.forget_old(house)
        assert not place.exists()
        assert house.owners() == set()


def test_what_is_used_while_it_is_looked_through_stays(tmp_path: Path) -> None:
    with serving(tmp_path / "state") as server:
        house, client = server.server._house, server.client()
        client.run("gradients", {"rows": KEYS[:2]}, ROWS[:2])
        ago(house, 15)
        owner = Owner("environment").place
        rows, jobs = house.rows.held(owner), house.jobs.held(owner)
        client.run("gradients", {"rows": KEYS[:2]}, ROWS[:2])
        house.rows.forget(owner, rows)
        house.jobs.forget(owner, jobs)
        assert len(house.rows.held(owner)) == 2
        assert len(house.jobs.held(owner)) == 1
        assert len(list((tmp_path / "state").rglob("results/*.json"))) == 1
