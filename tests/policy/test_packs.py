import pytest

from d2b_gate.core.errors import UsageError
from d2b_gate.policy.packs import pack_reader


@pytest.fixture
def packs(tmp_path):
    (tmp_path / "default.toml").write_text("schema = 1 # é", encoding="utf-8")
    return pack_reader(tmp_path, {"team.toml": "schema = 1"}.get)


def test_a_shipped_pack_and_a_file_of_the_repository(packs):
    assert packs("d2b:default") == ("schema = 1 # é", "d2b:default")
    assert packs("team.toml") == ("schema = 1", "team.toml")


def test_what_is_not_there(packs):
    with pytest.raises(UsageError, match="there is no pack 'd2b:defalt'; did you mean 'd2b:default'"):
        packs("d2b:defalt")
    with pytest.raises(UsageError, match=r"cannot extend 'nope\.toml': there is no such file"):
        packs("nope.toml")
