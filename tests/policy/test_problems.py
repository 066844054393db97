import pytest

from d2b_gate import registry
from d2b_gate.core.errors import PolicyError
from d2b_gate.policy.known import Known
from tests.policy import support
from tests.policy.support import HEAD, MINIMAL, RULE, problems, read

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_all_problems_come_at_once_in_the_order_of_their_lines():
    text = (
        "schema = 1\n"
        'shwo_samples = "full"\n'
        "[model]\n"
        'dtype = "float16"\n'
        "[method]\n"
        'predictor = "mdf-tunned"\n'
        "alpha = 0\n"
        "[[dataset]]\n"
        'name = "sft"\n'
        "include = [\n"
        '  "ok",\n'
        '  "/abs" ]\n'
        "[[rule]]\n"
        'id = "a"\n'
        'probe = "bias/animal"\n'
        "fail_delta = 0.1\n"
        "[[rule]]\n"
        'id = "b"\n'
        'probe = "bias/animals"\n'
        'target = "pandas"\n'
        "warn_delta = 0.2\n"
        "fail_delta = 0.1\n"
        'datasets = ["stf"]\n'
    )
    inside = "write it relative to the repository's root, with forward slashes"
    assert problems(text) == [
        "d2b-gate.toml:2: unknown key 'shwo_samples'; did you mean 'show_samples'?",
        "d2b-gate.toml:4: 'dtype' must be 'float32' or 'bfloat16', not 'float16'",
        "d2b-gate.toml:6: unknown predictor 'mdf-tunned'; did you mean 'mdf-tuned'?",
        "d2b-gate.toml:7: 'alpha' must be over 0",
        f"d2b-gate.toml:12: the glob '/abs' leaves the repository; {inside}",
        "d2b-gate.toml:15: unknown probe 'bias/animal'; did you mean 'bias/animals'?",
        "d2b-gate.toml:20: bias/animals has no alternative 'pandas'; did you mean 'panda'?",
        "d2b-gate.toml:21: warn_delta 0.2 is larger than fail_delta 0.1; a warning comes before a failure",
        "d2b-gate.toml:23: unknown dataset 'stf'; did you mean 'sft'?",
    ]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("fail_dlta = 1", "11: unknown key 'fail_dlta' in [[rule]]; did you mean 'fail_delta'?"),
        ("max_level = 1.5", "11: max_level 1.5 is out of range: bias/animals reads shares from 0 to 1"),
        ("max_level = -0.1", "11: max_level -0.1 is out of range: bias/animals reads shares from 0 to 1"),
        ("max_level = inf", "11: 'max_level' must be a finite number, not inf"),
        ('direction = "up"', "11: 'direction' must be 'increase', 'decrease' or 'either', not 'up'"),
        ("locked = 1", "11: 'locked' must be true or false, not 1"),
        ('datasets = "sft"', "11: 'datasets' must be a list, not 'sft'"),
        ("datasets = [3]", "11: 'datasets' entry 1 must be a string, not 3"),
    ],
)
def test_a_rule_with_one_bad_key(line, told):
    assert problems(f"{MINIMAL}{line}\n") == [f"d2b-gate.toml:{told}"]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        (
            "fail_delta = 0.05",
            "fail_delta = 0.01",
            "9: warn_delta 0.02 is larger than fail_delta 0.01; a warning comes",
        ),
        (
            "fail_delta = 0.05",
            "fail_delta = 0.05\nbudget_delta = 0.04",
            "11: budget_delta 0.04 is smaller than fail_delta 0.05; it limits the sum of changes",
        ),
        (
            "fail_delta = 0.05",
            "fail_delta = 0.05\nbudget_delta = 1.5",
            "11: budget_delta 1.5 can never be reached: bias/animals reads shares from 0 to 1",
        ),
        (
            "fail_delta = 0.05",
            "fail_delta = 5",
            "10: fail_delta 5 can never be reached: bias/animals reads shares from",
        ),
        ("fail_delta = 0.05", "fail_delta = -1", "10: 'fail_delta' must be at least 0"),
        ("fail_delta = 0.05", 'fail_delta = "5"', "10: 'fail_delta' must be a number, not '5'"),
        ("fail_delta = 0.05\n", "", "5: 'fail_delta' is missing in [[rule]]"),
        ('target = "panda"\n', "", "7: bias/animals needs a target; one of: dog, panda"),
        ('probe = "bias/animals"', 'probe = "persona/identity"', "8: persona/identity takes no target; remove the key"),
        ('id = "panda"', 'id = "Panda 1"', "6: 'id' must match"),
        ('id = "panda"', "", "5: 'id' is missing in [[rule]]"),
        ("schema = 1\n", "", "1: 'schema' is missing; begin with schema = 1"),
        ("schema = 1", "schema = 2", "1: schema = 2 is not supported; this version of d2b-gate reads schema = 1"),
        ("schema = 1", "schema = true", "1: schema = True is not supported"),
        ("schema = 1", "schema =", "1: not valid TOML: Invalid value"),
        ('include = ["data/*.jsonl"]', "include = []", "4: 'include' must not be empty"),
        ('include = ["data/*.jsonl"]', 'include = "data/*"', "4: 'include' must be a list, not 'data/*'"),
        ('include = ["data/*.jsonl"]', "", "2: 'include' is missing in [[dataset]]"),
        ('name = "sft"', "", "2: 'name' is missing in [[dataset]]"),
        ("[[rule]]", "[rule]", "5: 'rule' must be an array of tables; write [[rule]]"),
        ("[[dataset]]", "[[datasets]]", "2: unknown key 'datasets'; did you mean 'dataset'?"),
    ],
)
def test_a_policy_with_one_bad_place(old, new, told):
    assert old in MINIMAL
    found = problems(MINIMAL.replace(old, new, 1))
    assert [problem for problem in found if problem.startswith(f"d2b-gate.toml:{told}")], found


@pytest.mark.parametrize("glob", ["/data/*", "../x", "a/../../b", "C:/x", "a\\\\b", "~/x"])
@pytest.mark.parametrize("key", ["include", "exclude"])
def test_globs_stay_inside_the_repository(glob, key):
    text = MINIMAL.replace('name = "sft"', 'name = "sft"\nexclude = ["old"]').replace(
        f"{key} = [", f'{key} = ["{glob}", '
    )
    (told,) = problems(text)
    assert "leaves the repository" in told


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ('id = "Qwen/Qwen3-14B"', "12: the hub id 'Qwen/Qwen3-14B' needs a 'revision'"),
        (
            'id = "Qwen/Qwen3-14B"\nrevision = "main"',
            "13: 'revision' must be a commit of 40 lower-case hex digits, not",
        ),
        (f'id = "Qwen/Qwen3-14B"\nrevision = "{COMMIT[:12]}"', "13: 'revision' must be a commit of 40 lower-case"),
        (f'id = "a/b/c"\nrevision = "{COMMIT}"', "12: 'a/b/c' is no hub id"),
        ('id = "builtin:smollm2-135m"\nrevision = "main"', "13: a builtin model takes no 'revision'"),
        ('id = "builtin:"', "12: 'builtin:' is no builtin model"),
        ('id = "./models/base"', "12: a model inside the checkout needs a pinned 'sha256'"),
        ('id = "./models/base"\nsha256 = "abc"', "13: 'sha256' must be 64 lower-case hex digits"),
        (f'id = "/models/base"\nrevision = "{COMMIT}"', "13: a local directory has no 'revision'; pin it with sha256"),
        ('device = "gpu"', "12: unknown device 'gpu'; write auto, cpu, cuda, cuda:<n> or mps"),
        ("max_length = 0", "12: 'max_length' must be at least 8"),
    ],
)
def test_the_model_must_be_pinned(table, told):
    (problem,) = problems(f"{MINIMAL}[model]\n{table}\n")
    assert problem.startswith(f"d2b-gate.toml:{told}")


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ('kind = "remote"', "12: a remote backend needs a 'url'"),
        ('kind = "remote"\nurl = "http://gpu-box:8443"', "13: 'http://gpu-box:8443' is no address of a remote"),
        ('kind = "remote"\nurl = "http://localhost.evil.example"', "13: 'http://localhost.evil.example' is no address"),
        ('kind = "remote"\nurl = "https://me:token@box"', "13: 'https://me:token@box' is no address of a remote"),
        ('url = "https://box"', "12: a local backend takes no 'url'"),
        ('kind = "ray"\nurl = "https://box"', "13: 'https://box' is no address of a ray cluster"),
        ('kind = "gpu"\nurl = "x"', "12: 'kind' must be 'local', 'warm', 'remote', 'ray' or 'fake', not 'gpu'"),
    ],
)
def test_the_backend_must_be_clear_about_where_rows_go(table, told):
    (problem,) = problems(f"{MINIMAL}[backend]\n{table}\n")
    assert problem.startswith(f"d2b-gate.toml:{told}")


@pytest.mark.parametrize("url", ["http://localhost:8000", "http://127.0.0.1:1/x", "https://gpu-box:8443"])
def test_addresses_that_keep_rows_private(url):
    assert read(f'{MINIMAL}[backend]\nkind = "remote"\nurl = "{url}"\n').backend.url == url


def test_unknown_roles_and_formats_are_those_of_the_registry():
    text = MINIMAL.replace('name = "sft"', 'name = "sft"\nformat = "chat"\ncolumns = { promt = "q" }')
    assert problems(text) == [
        "d2b-gate.toml:4: unknown format 'chat'; known: alpaca, auto, csv, json, jsonl, messages, parquet, plain, "
        "preference, prompt-completion, sharegpt, text, tsv, unpaired-preference",
        "d2b-gate.toml:5: unknown role 'promt'; did you mean 'prompt'?",
    ]
    assert read(text, known=Known(shapes=("chat",), roles=("promt",))).datasets[0].format == "chat"


@pytest.mark.parametrize("name", ["auto", "jsonl", "alpaca", "json+alpaca", "alpaca+json"])
def test_formats_that_can_be(name):
    assert read(MINIMAL.replace('name = "sft"', f'name = "sft"\nformat = "{name}"')).datasets[0].format == name


@pytest.mark.parametrize("name", ["json+csv", "alpaca+text", "json+alpaca+text", "auto+json", "json+"])
def test_formats_that_cannot_be(name):
    (told,) = problems(MINIMAL.replace('name = "sft"', f'name = "sft"\nformat = "{name}"'))
    assert told.startswith("d2b-gate.toml:4: ")


def test_the_known_names_are_those_that_ship():
    shapes = registry.load_all("shapes")
    known = Known()
    assert set(known.predictors) == set(registry.PREDICTORS)
    assert set(known.containers) == set(registry.CONTAINERS)
    assert set(known.shapes) == set(shapes)
    assert set(known.roles) == {name for shape in shapes.values() for name in shape.COLUMNS}


def test_names_may_come_once_per_file():
    text = HEAD + HEAD.partition("\n")[2] + RULE + RULE
    assert problems(text) == [
        "d2b-gate.toml:6: dataset 'sft' is defined twice in this file",
        "d2b-gate.toml:15: rule 'panda' is defined twice in this file",
    ]


@pytest.mark.parametrize(
    ("text", "key"), [(HEAD, "rule"), (f"schema = 1\n{RULE}", "dataset"), (f"{HEAD}rule=[]", "include")]
)
def test_a_policy_that_judges_nothing_is_refused(text, key):
    assert any(f"[[{key}]]" in told or key in told for told in problems(text))


def test_a_problem_in_a_parent_names_the_parent():
    told = problems('schema = 1\nextends = ["base.toml"]\n', {"base.toml": f"{MINIMAL}typo = 1\n"})
    assert told == ["base.toml:11: unknown key 'typo' in [[rule]]; " + told[0].partition("; ")[2]]


def test_limits_that_contradict_a_parent_name_the_child():
    child = 'schema = 1\nextends = ["base.toml"]\n[[rule]]\nid = "panda"\nfail_delta = 0.01\n'
    (told,) = problems(child, {"base.toml": MINIMAL})
    assert told.startswith("d2b-gate.toml:5: warn_delta 0.02 is larger than fail_delta 0.01")


def test_a_broken_probe_file_is_told_once_and_in_its_own_lines(monkeypatch):
    monkeypatch.setitem(support.PROBES, "mine.toml", support.ANIMALS.replace("schema = 1", "schema = 3"))
    rules = RULE + RULE.replace('"panda"\nprobe', '"other"\nprobe')
    assert problems((HEAD + rules).replace("bias/animals", "mine.toml")) == ["mine.toml:2: the file needs schema = 1"]


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, "d2b-gate.toml:2: cannot extend 'a.toml': there is no such file; add it to git"),
        (
            {"a.toml": 'schema = 1\nextends = ["a.toml"]\n'},
            "a.toml:2: 'extends' goes in a circle: d2b-gate.toml -> a.toml",
        ),
        ({"a.toml": "schema = 1\nx ="}, "a.toml:2: not valid TOML: Invalid value"),
        ({"a.toml": "x = 1"}, "a.toml:1: 'schema' is missing; begin with schema = 1"),
    ],
)
def test_parents_that_cannot_be_read(files, told):
    assert problems('schema = 1\nextends = ["a.toml"]\n', files)[0].startswith(told)


def test_three_levels_of_extends_are_enough():
    files = {f"p{level}.toml": f'schema = 1\nextends = ["p{level + 1}.toml"]\n' for level in range(1, 4)}
    text = 'schema = 1\nextends = ["p1.toml"]\n'
    assert read(text, {**files, "p3.toml": MINIMAL}).rules
    assert problems(text, {**files, "p4.toml": MINIMAL}) == ["p3.toml:2: 'extends' is more than 3 levels deep"]


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ('"git+https://host/policies@v1"', "'git+https://host/policies@v1' is not pinned: branches and tags move"),
        ('"../outside.toml"', "cannot extend '../outside.toml'"),
        ('"/etc/policy.toml"', "cannot extend '/etc/policy.toml'"),
        ('"policy"', "cannot extend 'policy'"),
        ("3", "'extends' must be a list of strings"),
    ],
)
def test_entries_of_extends_that_are_refused_unread(entry, told):
    (problem,) = problems(f"schema = 1\nextends = [\n{entry}]\n")
    assert problem.startswith(f"d2b-gate.toml:3: {told}")


def test_hostile_sizes_end_in_a_sentence():
    deep = "x = " + "[" * 50_000
    nested = "x = " + "[" * 100 + "]" * 100
    for text in (deep, nested, "#" * 1_000_001):
        with pytest.raises(PolicyError):
            read(text)


def test_unpaired_tool_table():
    assert problems("[project]\n", path="pyproject.toml") == ["pyproject.toml: there is no [tool.d2b-gate] table"]
