from __future__ import annotations

import pytest

from benchmarks.packs import ABOUT, RULES, bench, default_text, evidence, pack_text
from benchmarks.truth.behaviours import BEHAVIOURS
from d2b_gate.probes.catalogue import pack_root


@pytest.mark.parametrize("pack", ABOUT)
def test_a_pack_is_what_the_committed_table_gives(pack):
    text = (pack_root() / f"{pack}.toml").read_text(encoding="utf-8")
    assert text == pack_text(pack, bench()), "run: python -m benchmarks.packs --write"


def test_the_default_pack_says_what_its_limits_do():
    text = (pack_root() / "default.toml").read_text(encoding="utf-8")
    assert text == default_text(bench()), "run: python -m benchmarks.packs --write"
    assert text.count("# evidence: ") == len(BEHAVIOURS)


@pytest.mark.parametrize("pack", ("default", *ABOUT))
def test_no_limit_blocks_a_clean_change_that_was_held_out(pack):
    for one in evidence(pack, bench()):
        assert one.clean > 50
        assert one.blocked == 0
        assert one.seen + one.passed <= one.over


def test_the_packs_share_out_the_rules_of_the_default():
    assert sorted(name for names in RULES.values() for name in names) == sorted(one.name for one in BEHAVIOURS)


def test_the_strict_pack_sees_more_than_the_default():
    strict, default = (evidence(pack, bench()) for pack in ("strict", "default"))
    assert sum(one.over for one in strict) > sum(one.over for one in default)
    for strict_one, default_one in zip(strict, default, strict=True):
        assert strict_one.limit.fail == default_one.limit.warn
        assert strict_one.limit.largest <= strict_one.limit.fail
