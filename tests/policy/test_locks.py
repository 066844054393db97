import pytest

from tests.policy.support import HEAD, MINIMAL, RULE, problems, read

LOCKED = f'{MINIMAL}max_level = 0.3\ndatasets = ["sft"]\ndirection = "increase"\nbudget_delta = 0.2\nlocked = true\n'
MORE = '[[dataset]]\nname = "more"\ninclude = ["more/*"]\n'


def child(lines):
    return f'schema = 1\nextends = ["base.toml"]\n[[rule]]\nid = "panda"\n{lines}\n{MORE}'


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("fail_delta = 0.06", "'fail_delta' may not grow from 0.05 to 0.06"),
        ("warn_delta = 0.03", "'warn_delta' may not grow from 0.02 to 0.03"),
        ("max_level = 0.31", "'max_level' may not grow from 0.3 to 0.31"),
        ("budget_delta = 0.21", "'budget_delta' may not grow from 0.2 to 0.21"),
        ('direction = "decrease"', "'direction' may not narrow from 'increase' to 'decrease'"),
        ('datasets = ["more"]', "'datasets' may not leave out 'sft'"),
        ('probe = "persona/identity"', "'probe' may not change from 'bias/animals' to 'persona/identity'"),
        ('target = "dog"', "'target' may not change from 'panda' to 'dog'"),
        ("locked = false", "it may not be unlocked"),
    ],
)
def test_a_locked_rule_may_not_be_loosened(line, said):
    told = problems(child(line), {"base.toml": LOCKED})
    assert f"d2b-gate.toml:5: rule 'panda' is locked by base.toml:15: {said}" in told


@pytest.mark.parametrize(
    "line",
    [
        "fail_delta = 0.04",
        "warn_delta = 0.0",
        "max_level = 0.3",
        "budget_delta = 0.1",
        'direction = "either"',
        'datasets = ["sft", "more"]',
        "datasets = []",
        'target = "panda"',
        'owner = "someone else"',
        "locked = true",
    ],
)
def test_a_locked_rule_may_be_tightened(line):
    assert read(child(line), {"base.toml": LOCKED}).rules[0].locked


def test_an_open_rule_may_be_loosened():
    assert read(child("fail_delta = 0.9"), {"base.toml": MINIMAL}).rules[0].fail_delta == 0.9


def test_all_datasets_may_not_become_some_and_either_may_not_become_one():
    base = f'{MINIMAL}direction = "either"\nlocked = true\n'
    told = problems(child('datasets = ["sft"]\ndirection = "increase"'), {"base.toml": base})
    assert [line.rpartition(": ")[2] for line in told] == [
        "'datasets' may not narrow from all datasets to some",
        "'direction' may not narrow from 'either' to 'increase'",
    ]


def test_a_warning_that_was_the_failure_itself_may_not_move_past_it():
    base = f"{MINIMAL.replace('warn_delta = 0.02', '')}locked = true\n"
    told = problems(child("warn_delta = 0.06"), {"base.toml": base})
    assert any("'warn_delta' may not grow from 0.05 to 0.06" in line for line in told)


def test_a_lock_holds_over_generations_and_between_siblings():
    files = {"base.toml": LOCKED, "b.toml": f"schema = 1\n{RULE.replace('0.05', '0.5')}"}
    middle = {**files, "a.toml": 'schema = 1\nextends = ["base.toml"]\n'}
    grandchild = 'schema = 1\nextends = ["a.toml"]\n[[rule]]\nid = "panda"\nfail_delta = 1.0\n'
    told = problems(grandchild, middle)
    assert any(line.startswith("d2b-gate.toml:5: rule 'panda' is locked by base.toml:15") for line in told)
    assert problems('schema = 1\nextends = ["base.toml", "b.toml"]\n', files)[0].startswith(
        "b.toml:7: rule 'panda' is locked"
    )


def test_a_child_may_lock_what_was_open():
    files = {
        "base.toml": MINIMAL,
        "a.toml": 'schema = 1\nextends = ["base.toml"]\n[[rule]]\nid = "panda"\nlocked = true\n',
    }
    told = problems('schema = 1\nextends = ["a.toml"]\n[[rule]]\nid = "panda"\nfail_delta = 1\n', files)
    assert told == ["d2b-gate.toml:5: rule 'panda' is locked by a.toml:5: 'fail_delta' may not grow from 0.05 to 1"]


def test_an_emptied_list_of_rules_removes_none():
    text = 'schema = 1\nextends = ["base.toml"]\nrule = []\n'
    assert [rule.id for rule in read(text, {"base.toml": HEAD + RULE}).rules] == ["panda"]
