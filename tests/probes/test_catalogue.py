import pytest

from d2b_gate.core.errors import PolicyError, UsageError
from d2b_gate.probes.catalogue import Catalogue, pack_root
from tests.probes.support import CHOICE, CONTRAST, KINDS


@pytest.fixture
def catalogue(tmp_path):
    for name, text in {"bias/animals": CHOICE, "control/canary": CHOICE, "bad": "x ="}.items():
        file = tmp_path / "probes" / f"{name}.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    (tmp_path / "outside.toml").write_text(CHOICE, encoding="utf-8")
    return Catalogue(tmp_path, {"probes/mine.toml": CONTRAST, "/etc/x.toml": CHOICE, "../x.toml": CHOICE}.get, KINDS)


def test_an_id_of_the_pack_and_a_path_of_the_repository(catalogue):
    assert catalogue.available() == ("bad", "bias/animals", "control/canary")
    assert catalogue("bias/animals").id == "bias/animals"
    assert catalogue("probes/mine.toml").id == "persona/identity"
    assert catalogue("bias/animals") is catalogue("bias/animals")


def test_an_unknown_id_gets_a_suggestion_and_the_hint_that_a_path_works(catalogue):
    with pytest.raises(UsageError, match=r"unknown probe 'bias/animal'; did you mean 'bias/animals'\?.*path"):
        catalogue("bias/animal")
    with pytest.raises(UsageError, match="unknown probe"):
        catalogue("../outside")


@pytest.mark.parametrize("path", ["/etc/x.toml", "../x.toml", "a/../../x.toml", "a\\x.toml"])
def test_paths_stay_inside_the_repository(catalogue, path):
    with pytest.raises(UsageError, match="must stay inside the repository"):
        catalogue(path)


def test_an_absent_file_of_the_repository(catalogue):
    with pytest.raises(UsageError, match=r"there is no probe file 'nope\.toml'; add it to git"):
        catalogue("nope.toml")


def test_a_broken_file_of_the_pack_names_the_pack(catalogue):
    with pytest.raises(PolicyError, match=r"d2b:probes/bad\.toml:1: not valid TOML"):
        catalogue("bad")


def test_the_shipped_policies_are_found():
    assert (pack_root() / "default.toml").is_file()
