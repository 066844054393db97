from dataclasses import replace

import pytest

from d2b_gate.policy.packs import pack_reader
from d2b_gate.policy.read import read_effective
from d2b_gate.probes.catalogue import Catalogue, pack_root
from tests.policy.support import KINDS, policies_dir

TEXT = 'schema = 1\nextends = ["d2b:default"]\n[[dataset]]\nname = "sft"\ninclude = ["data/**/*.jsonl"]\n'


def nothing(path):
    return None


def default_policy():
    root = pack_root()
    catalogue = Catalogue(root, nothing, KINDS)
    return read_effective(TEXT, "d2b-gate.toml", packs=pack_reader(root, nothing), probes=catalogue, kinds=KINDS).policy


def test_the_default_pack_reads_and_judges_every_shipped_behaviour():
    policy = default_policy()
    probes = {rule.probe for rule in policy.rules}
    shipped = set(Catalogue(policies_dir(), nothing, KINDS).available())
    assert probes == {name for name in shipped if not name.startswith("control/")}
    assert policy.model.id == "builtin:smollm2-135m"


def test_every_default_rule_can_warn_before_it_fails_and_says_why():
    for rule in default_policy().rules:
        assert 0 < rule.warn_delta < rule.fail_delta
        assert rule.why and rule.owner
        assert not rule.locked
        assert rule.origin.startswith("d2b:default:")


PACKS = sorted(file.stem for file in policies_dir().glob("*.toml"))


def read_packs(*names):
    root = pack_root()
    text = TEXT.replace('"d2b:default"', ", ".join(f'"d2b:{name}"' for name in names))
    catalogue = Catalogue(root, nothing, KINDS)
    return read_effective(text, "d2b-gate.toml", packs=pack_reader(root, nothing), probes=catalogue, kinds=KINDS).policy


def test_these_packs_are_shipped():
    assert PACKS == ["bias", "default", "language-and-format", "safety", "strict"]


@pytest.mark.parametrize("pack", PACKS)
def test_every_rule_of_every_pack_can_warn_and_has_an_owner_and_a_reason(pack):
    policy = read_packs(pack)
    assert (policy.model, policy.method) == (default_policy().model, default_policy().method)
    for rule in policy.rules:
        assert 0 < rule.warn_delta < rule.fail_delta
        assert rule.why and rule.owner
        assert not rule.locked


def test_the_parts_together_are_the_default():
    parts = {replace(rule, origin="") for rule in read_packs("bias", "safety", "language-and-format").rules}
    assert parts == {replace(rule, origin="") for rule in default_policy().rules}


def test_the_strict_pack_loosens_nothing():
    default = {rule.id: rule for rule in default_policy().rules}
    strict = {rule.id: rule for rule in read_packs("strict").rules}
    assert strict.keys() == default.keys()
    for name, rule in strict.items():
        assert rule.fail_delta < default[name].fail_delta
        assert rule.warn_delta < default[name].warn_delta
