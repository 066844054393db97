from copy import deepcopy

from d2b_gate.policy.layers import read_layers
from d2b_gate.policy.merge import merge
from tests.policy.support import MINIMAL, packs_of

CHILD = 'schema = 1\nextends = ["base.toml"]\n[method]\nsteps = 2\n[[rule]]\nid = "panda"\nwhy = "child"\n'
FILES = {"base.toml": f"{MINIMAL}[method]\nsteps = 1\nbatch = 4\n"}


def test_merging_leaves_the_layers_as_they_were():
    layers = read_layers(CHILD, "d2b-gate.toml", packs_of(FILES))
    before = deepcopy([layer.table for layer in layers])
    merge(layers)
    assert [layer.table for layer in layers] == before


def test_every_part_knows_the_line_that_set_it():
    merged = merge(read_layers(CHILD, "d2b-gate.toml", packs_of(FILES)))
    assert merged.table["method"] == {"steps": 2, "batch": 4}
    assert [merged.where(("method", key)) for key in ("steps", "batch")] == ["d2b-gate.toml:4", "base.toml:13"]
    assert merged.where(("rule", 0)) == "d2b-gate.toml:5"
    assert merged.where(("rule", 0, "why")) == "d2b-gate.toml:7"
    assert merged.where(("rule", 0, "target")) == "base.toml:8"
    assert merged.where(("dataset", 0, "include", 0)) == "base.toml:4"
    assert merged.where(("rule", 0, "absent")) == "d2b-gate.toml:5"
    assert merged.latest(("method",), ("batch", "steps")) == "steps"
