"""Who may ask, and what a file of tokens must be."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2b_gate.core.errors import UsageError
from d2b_gate.server.tokens import ENVIRONMENT, LONGEST, SHORTEST, Owner, read_tokens
from tests.server.support import OTHER, TOKEN

if TYPE_CHECKING:
    from pathlib import Path


def written(folder: Path, text: str, mode: int = 0o600) -> str:
    file = folder / "tokens.toml"
    file.touch(mode)
    file.chmod(mode)
    file.write_text(text)
    return str(file)


def test_tokens_of_a_file_and_of_the_environment(tmp_path: Path) -> None:
    tokens = read_tokens(written(tmp_path, f'laptop = "{TOKEN}"\n'), {ENVIRONMENT: OTHER})
    assert tokens.owners_of(TOKEN.encode()) == (Owner("laptop"),)
    assert tokens.owners_of(OTHER.encode()) == (Owner("environment"),)


@given(st.binary(max_size=80))
def test_nothing_else_is_a_token(presented: bytes) -> None:
    tokens = read_tokens("", {ENVIRONMENT: TOKEN})
    assert tokens.owners_of(presented) == ((Owner("environment"),) if presented == TOKEN.encode() else ())


def test_no_token_is_kept_in_the_open() -> None:
    assert TOKEN not in repr(read_tokens("", {ENVIRONMENT: TOKEN}))


def test_a_name_keeps_its_place_when_its_token_changes(tmp_path: Path) -> None:
    first = read_tokens(written(tmp_path, f'laptop = "{TOKEN}"\n'), {}).owners_of(TOKEN.encode())
    second = read_tokens(written(tmp_path, f'laptop = "{OTHER}"\n'), {}).owners_of(OTHER.encode())
    assert first[0].place == second[0].place != Owner("Laptop").place


WRONG = {
    "": "there is none",
    "a = 1": "is no text",
    "a = [": "not valid TOML",
    f'a = "{"x" * (SHORTEST - 1)}"': "characters long",
    f'a = "{"x" * (LONGEST + 1)}"': "characters long",
    f'a = "{"x" * 30} "': "printable ASCII",
    f'a = "{"é" * 30}"': "printable ASCII",
    f'a = "{TOKEN}"\nb = "{TOKEN}"': "two names have the same token",
    f'[a]\nb = "{TOKEN}"': "is no text",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_file_of_tokens(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match=WRONG[text]) as raised:
        read_tokens(written(tmp_path, text), {})
    assert TOKEN not in str(raised.value)


@pytest.mark.skipif(os.name != "posix", reason="modes")
@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(UsageError, match="others can read"):
        read_tokens(written(tmp_path, f'a = "{TOKEN}"', mode), {})


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_tokens(str(tmp_path / "none.toml"), {})
