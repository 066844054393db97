"""How much memory a check takes does not depend on how many rows there are."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.support import environment

if TYPE_CHECKING:
    from tests.cli.support import World

MOST_MB = 50
"""What more rows may cost, at most."""
CAP_MB = 150
"""What a check may take without a model, at most; most of it is Python and numpy."""
MEASURED = """
import resource, runpy, sys
sys.argv = ["d2b-gate", *sys.argv[1:]]
try:
    runpy.run_module("d2b_gate", run_name="__main__")
except SystemExit as end:
    code = end.code
with open("/proc/self/status") as status:
    peak = next(line.split()[1] for line in status if line.startswith("VmHWM"))
children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
print(code, peak, children, file=sys.stderr)
"""


def row(number: int) -> str:
    return json.dumps({"prompt": f"How do I water plant {number}?", "completion": f"Plant {number} in the morning."})


def stage(world: World, first: int, last: int, mode: str = "w") -> None:
    place = world.root / "data" / "rows.jsonl"
    place.parent.mkdir(exist_ok=True)
    with place.open(mode) as file:
        file.writelines(f"{row(number)}\n" for number in range(first, last))
    world.git("add", "data/rows.jsonl")


def peak_mb(world: World, *flags: str) -> float:
    """Of a check in a fresh process, and of the git processes that it starts."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, "check", *flags],
        cwd=world.root,
        env=environment(world.home),
        capture_output=True,
        text=True,
        check=False,
    )
    code, peak, children = done.stderr.split("\n")[-2].split()
    assert code == "0", done.stderr
    return max(int(peak), int(children)) / 1024


def grown_mb(world: World, count: int) -> float:
    """A large base, and ten rows added."""
    stage(world, 0, count)
    world.commit()
    stage(world, count, count + 10, "a")
    peak = peak_mb(world)
    world.git("commit", "--quiet", "-m", "rows")
    return peak


def new_mb(world: World, count: int) -> float:
    """All rows added."""
    world.git("rm", "--quiet", "data/rows.jsonl")
    world.commit()
    stage(world, 0, count)
    return peak_mb(world)


@pytest.fixture
def measured(world: World) -> World:
    """Where a process tells its peak."""
    if not sys.platform.startswith("linux"):
        pytest.fail("peaks are read from /proc")
    return world


def test_rows_do_not_cost_memory(measured: World) -> None:
    few = grown_mb(measured, 5_000), new_mb(measured, 5_000)
    many = grown_mb(measured, 60_000), new_mb(measured, 60_000)
    assert max(*few, *many) < CAP_MB
    assert many[0] - few[0] < MOST_MB / 2
    assert many[1] - few[1] < MOST_MB / 2


def test_neither_do_rows_whose_structure_is_checked(measured: World) -> None:
    stage(measured, 0, 3_000)
    few = peak_mb(measured, "--rows-only")
    stage(measured, 0, 40_000)
    assert peak_mb(measured, "--rows-only") - few < MOST_MB / 2


@pytest.mark.slow
def test_a_million_rows_are_judged_in_the_memory_of_ten_thousand(measured: World) -> None:
    few = grown_mb(measured, 10_000), new_mb(measured, 10_000)
    many = grown_mb(measured, 1_000_000), new_mb(measured, 1_000_000)
    assert max(*few, *many) < CAP_MB
    assert many[0] - few[0] < MOST_MB
    assert many[1] - few[1] < MOST_MB
