"""Tokens of the whole vocabulary whose share moved most where an answer begins, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.reports.describe import NAME
from d2b_gate.reports.escape import terminal
from d2b_gate.reports.numbers import scale_of

if TYPE_CHECKING:
    from d2b_gate.core.verdict import Finding, TokenMove

UNLISTED = "not among the probe's alternatives"


def beyond_null(finding: Finding) -> list[TokenMove]:
    """The tokens that move farther than clean changes move them."""
    return [token for token in finding.tokens if is_beyond_null(token)]


def is_beyond_null(token: TokenMove) -> bool:
    """Whether it moves farther than clean changes move it."""
    return abs(token.after - token.before) > token.null


def name_of_token(token: TokenMove) -> str:
    """The token between quotes: most begin with a blank."""
    return terminal(f'"{terminal(token.text, NAME)}"', NAME + 2)


def token_in_brief(token: TokenMove) -> str:
    """``" panda" 0.1 % -> 12.0 %``, and that nobody listed it."""
    scale = scale_of("share")
    moved = f"{scale.level(token.before)} % -> {scale.level(token.after)} %"
    return f"{name_of_token(token)} {moved}{'' if token.listed else f' ({UNLISTED})'}"


def null_in_words(token: TokenMove) -> str:
    """``clean changes move it by up to 0.3 pt``, and whether it moves no farther."""
    told = f"clean changes move it by up to {scale_of('share').level(token.null)} pt"
    return told if is_beyond_null(token) else f"{told}, so this is noise"
