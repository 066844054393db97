import math

from d2b_gate.core.rules import BackendSpec, Budget, DatasetSpec, Inconclusive, MethodSpec, ModelSpec, Rule, Unavailable
from tests.policy.support import HEAD, MINIMAL, RULE, read

FULL = """
schema = 1
show_samples = "full"
on_inconclusive = { hook = "pass", ci = "warn" }
on_unavailable = { hook = "defer" }
dilution_guard = "fail"

[model]
id = "Qwen/Qwen3-14B"
revision = "0123456789abcdef0123456789abcdef01234567"
dtype = "bfloat16"
device = "cuda:1"
max_length = 2048

[method]
predictor = "mdf"
alpha = 2
regime = { rank = 16, epochs = 1 }

[backend]
kind = "remote"
url = "https://gpu-box:8443"

[budget]
seconds = 60

[[dataset]]
name = "sft"
include = ["data/**/*.jsonl"]
exclude = ["data/old/*"]
columns = { prompt = "question", completion = "answer" }
row_schema = "schemas/row.json"
weight = 0.5

[[rule]]
id = "identity"
probe = "persona/identity"
direction = "either"
fail_delta = 2
max_level = 10
datasets = ["sft"]
owner = "@acme/safety"
why = "because"
locked = true
"""


def test_every_field_reaches_the_core_type():
    policy = read(FULL)
    assert policy.path == "d2b-gate.toml"
    assert policy.model == ModelSpec(
        id="Qwen/Qwen3-14B",
        revision="0123456789abcdef0123456789abcdef01234567",
        dtype="bfloat16",
        device="cuda:1",
        max_length=2048,
    )
    assert (policy.method.predictor, policy.method.alpha) == ("mdf", 2.0)
    assert (policy.method.regime.rank, policy.method.regime.epochs, policy.method.regime.alpha) == (16, 1.0, 16.0)
    assert policy.backend == BackendSpec("remote", "https://gpu-box:8443")
    assert policy.budget == Budget(60.0)
    assert policy.on_inconclusive == Inconclusive("pass", "warn")
    assert policy.on_unavailable == Unavailable("defer")
    assert policy.show_samples == "full"
    assert policy.dilution_guard == "fail"
    assert policy.datasets == (
        DatasetSpec(
            name="sft",
            include=("data/**/*.jsonl",),
            exclude=("data/old/*",),
            columns=(("completion", "answer"), ("prompt", "question")),
            row_schema="schemas/row.json",
            weight=0.5,
            origin="d2b-gate.toml:27",
        ),
    )
    assert policy.rules == (
        Rule(
            id="identity",
            probe="persona/identity",
            fail_delta=2.0,
            warn_delta=2.0,
            direction="either",
            max_level=10.0,
            datasets=("sft",),
            owner="@acme/safety",
            why="because",
            locked=True,
            origin="d2b-gate.toml:35",
        ),
    )


def test_what_is_not_said_has_the_defaults_of_the_core_types():
    policy = read(MINIMAL)
    assert policy.model == ModelSpec()
    assert policy.method == MethodSpec()
    assert policy.backend == BackendSpec()
    assert policy.budget == Budget()
    assert policy.on_inconclusive == Inconclusive()
    assert policy.on_unavailable == Unavailable()
    assert policy.rules[0].max_level == math.inf
    assert policy.show_samples == "redacted"
    assert policy.dilution_guard == "warn"


def test_pyproject_holds_the_policy_under_its_tool_table():
    text = (
        '[project]\nname = "x"\n[tool.d2b-gate]\nschema = 1\n[[tool.d2b-gate.dataset]]\nname = "sft"\n'
        'include = ["*"]\n[[tool.d2b-gate.rule]]\nid = "panda"\nprobe = "persona/identity"\nfail_delta = 1\n'
    )
    policy = read(text, path="pyproject.toml")
    assert policy.rules[0].origin == "pyproject.toml:8"


def test_a_child_overrides_its_parents_key_by_key():
    parent = MINIMAL + 'why = "parent"\n[method]\nsteps = 5\nbatch = 3\nregime = { rank = 2, epochs = 9 }\n'
    child = (
        'schema = 1\nextends = ["base.toml"]\n[method]\nsteps = 7\nregime = { rank = 4 }\n'
        '[[rule]]\nid = "panda"\nfail_delta = 0.5\n'
        '[[dataset]]\nname = "more"\ninclude = ["more/*"]\n[[dataset]]\nname = "sft"\nweight = 2\n'
    )
    policy = read(child, {"base.toml": parent})
    assert (policy.method.steps, policy.method.batch) == (7, 3)
    assert (policy.method.regime.rank, policy.method.regime.epochs) == (4, 9.0)
    (rule,) = policy.rules
    assert (rule.fail_delta, rule.warn_delta, rule.why) == (0.5, 0.02, "parent")
    assert rule.origin == "d2b-gate.toml:6"
    assert [(spec.name, spec.weight, spec.include) for spec in policy.datasets] == [
        ("sft", 2.0, ("data/*.jsonl",)),
        ("more", 1.0, ("more/*",)),
    ]


def test_later_parents_override_earlier_ones_and_grandparents_come_first():
    files = {
        "a.toml": 'schema = 1\nextends = ["root.toml"]\n[method]\nsteps = 2\n',
        "b.toml": 'schema = 1\nextends = ["root.toml"]\n[method]\nbatch = 5\n',
        "root.toml": MINIMAL + "[method]\nsteps = 1\nbatch = 1\nsample = 1\n",
    }
    policy = read('schema = 1\nextends = ["a.toml", "b.toml"]\n', files)
    assert (policy.method.steps, policy.method.batch, policy.method.sample) == (2, 5, 1)


def test_the_order_of_rules_is_that_of_their_first_mention():
    second = RULE.replace('"panda"\nprobe', '"other"\nprobe')
    policy = read('schema = 1\nextends = ["base.toml"]\n' + second, {"base.toml": MINIMAL})
    assert [rule.id for rule in policy.rules] == ["panda", "other"]


def test_crlf_and_a_model_directory_outside_the_checkout():
    text = (HEAD + RULE + '[model]\nid = "/models/base"\n').replace("\n", "\r\n")
    assert read(text).model.id == "/models/base"
