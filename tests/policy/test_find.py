import pytest

from d2b_gate.core.errors import PolicyError, UsageError
from d2b_gate.policy.find import Found, find_policy

TOOL = "[tool.d2b-gate]\nschema = 1\n"


@pytest.mark.parametrize("path", ["d2b-gate.toml", ".d2b-gate.toml", ".github/d2b-gate.toml"])
def test_a_file_of_its_own(path):
    files = {path: "schema = 1", "pyproject.toml": '[project]\ndependencies = ["d2b-gate"]\n'}
    assert find_policy(files.get) == Found(path, "schema = 1")


@pytest.mark.parametrize("text", [TOOL, '[tool."d2b-gate"]\nschema = 1\n', "[tool]\nd2b-gate = { schema = 1 }\n"])
def test_the_tool_table_of_pyproject(text):
    assert find_policy({"pyproject.toml": text}.get) == Found("pyproject.toml", text)


def test_an_empty_file_is_a_candidate():
    assert find_policy({"d2b-gate.toml": ""}.get) == Found("d2b-gate.toml", "")


def test_two_candidates_are_both_named():
    with pytest.raises(UsageError, match=r"more than one policy: \.d2b-gate\.toml and pyproject\.toml"):
        find_policy({".d2b-gate.toml": "", "pyproject.toml": TOOL}.get)


@pytest.mark.parametrize("files", [{}, {"pyproject.toml": "[tool.other]\n"}, {"sub/d2b-gate.toml": ""}])
def test_none_says_how_to_write_one(files):
    with pytest.raises(UsageError, match="run 'd2b-gate init'"):
        find_policy(files.get)


def test_a_broken_pyproject_matters_only_if_it_names_the_gate():
    with pytest.raises(PolicyError, match=r"pyproject\.toml:2: not valid TOML"):
        find_policy({"pyproject.toml": "[tool.d2b-gate]\nx ="}.get)
    with pytest.raises(UsageError, match="there is no policy"):
        find_policy({"pyproject.toml": "x ="}.get)
