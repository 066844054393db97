from d2b_gate.policy.packs import pack_reader
from d2b_gate.policy.read import read_policy
from d2b_gate.probes.catalogue import Catalogue, pack_root
from tests.policy.support import KINDS, policies_dir

TEXT = 'schema = 1\nextends = ["d2b:default"]\n[[dataset]]\nname = "sft"\ninclude = ["data/**/*.jsonl"]\n'


def nothing(path):
    return None


def default_policy():
    root = pack_root()
    catalogue = Catalogue(root, nothing, KINDS)
    return read_policy(TEXT, "d2b-gate.toml", packs=pack_reader(root, nothing), probes=catalogue, kinds=KINDS)


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
