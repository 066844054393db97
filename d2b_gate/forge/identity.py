"""Whom the token writes as."""

from __future__ import annotations

from typing import TYPE_CHECKING

from d2b_gate.forge.refusals import StatusError
from d2b_gate.forge.shapes import User, one

if TYPE_CHECKING:
    from d2b_gate.forge.api import Api

ACTIONS = "github-actions[bot]"
"""The author of what a workflow's own token writes, on GitHub and on GitHub Enterprise."""

_NO_USER = 403  # an app's token is refused here: it has no user


def own_login(api: Api) -> str:
    """The token's user; the bot of GitHub Actions where the token is an app's, which cannot ask who it is."""
    try:
        return one(User, api.get("/user")).login
    except StatusError as error:
        if error.status != _NO_USER:
            raise
        return ACTIONS
