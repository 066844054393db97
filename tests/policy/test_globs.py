import subprocess
import sys

import pytest

from d2b_gate.core.errors import PolicyError
from d2b_gate.policy.globs import dataset_globs
from tests.policy.support import HEAD, MINIMAL, packs_of, read

LIGHT = """
import sys
from d2b_gate.policy.find import find_policy
from d2b_gate.policy.globs import dataset_globs
from d2b_gate.policy.packs import pack_reader
from d2b_gate.probes.catalogue import pack_root
text = 'schema = 1\\nextends = ["d2b:default"]\\n[[dataset]]\\nname = "sft"\\ninclude = ["x"]\\n'
found = find_policy({"d2b-gate.toml": text}.get)
assert dataset_globs(found.text, found.path, pack_reader(pack_root(), lambda path: None)) == (("sft", ("x",), ()),)
heavy = {"pydantic", "numpy", "torch", "jsonschema", "requests", "difflib", "d2b_gate.policy.locate"}
sys.exit(", ".join(heavy & set(sys.modules)) or None)
"""


def globs(text, files=None):
    return dataset_globs(text, "d2b-gate.toml", packs_of(files or {}))


def test_reading_globs_imports_nothing_heavy():
    done = subprocess.run([sys.executable, "-c", LIGHT], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_globs_are_those_of_the_whole_policy():
    files = {"base.toml": f'{MINIMAL}[[dataset]]\nname = "old"\ninclude = ["old/*"]\nexclude = ["old/x"]\n'}
    text = 'schema = 1\nextends = ["base.toml"]\n[[dataset]]\nname = "sft"\ninclude = ["a", "b"]\n'
    assert globs(text, files) == (("sft", ("a", "b"), ()), ("old", ("old/*",), ("old/x",)))
    policy = read(text, files)
    assert globs(text, files) == tuple((spec.name, spec.include, spec.exclude) for spec in policy.datasets)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("schema = 1", "d2b-gate.toml:1: the policy has no [[dataset]]"),
        ("schema = 1\ndataset = []", "d2b-gate.toml:2: the policy has no [[dataset]]"),
        ("schema = 1\n[dataset]", "d2b-gate.toml:2: 'dataset' must be an array of tables; write [[dataset]]"),
        ("schema = 1\n[[dataset]]", "d2b-gate.toml:2: a [[dataset]] needs a name"),
        (HEAD.replace('["data/*.jsonl"]', '"x"'), "d2b-gate.toml:4: 'include' must be a list of strings"),
        (HEAD.replace('["data/*.jsonl"]', "[1]"), "d2b-gate.toml:4: 'include' must be a list of strings"),
        (HEAD.replace('["data/*.jsonl"]', "[]"), "d2b-gate.toml:4: 'include' must name at least one glob"),
        (HEAD + "exclude = 3", "d2b-gate.toml:5: 'exclude' must be a list of strings"),
        ("schema = 9", "d2b-gate.toml:1: schema = 9 is not supported"),
    ],
)
def test_a_broken_policy_never_means_that_nothing_matched(text, told):
    with pytest.raises(PolicyError) as caught:
        globs(text)
    assert str(caught.value.problems[0]).startswith(told)
