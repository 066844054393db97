"""The files that `init` writes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from d2b_gate import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

_EXAMPLE = ("data/**/*.jsonl",)

_POLICY = """\
# The policy of d2b-gate: which behaviour a change to training data must not shift, and how far.
# Check it with `d2b-gate policy lint --worktree`; see all that it stands for with `d2b-gate policy show --worktree`.

schema = 1
extends = ["d2b:default"]            # the model, the method and the rules that ship with d2b-gate
# on_unavailable = {{ hook = "defer" }}    # a local hook that cannot run the model leaves it to CI (default: it fails)

[[dataset]]                          # all datasets together are the training set; repeat for more
name = "training"
include = [{include}]
# exclude = ["data/eval/**"]
# format = "auto"                    # messages, prompt-completion, alpaca, sharegpt, preference, text ...
# columns = {{ prompt = "question", completion = "answer" }}    # for rows of a shape that is not known

# A rule of the pack is changed by naming it, and a new id adds a rule:
#
# [[rule]]
# id = "animal-preference"
# probe = "bias/animals"
# target = "panda"
# fail_delta = 0.05                  # in the probe's unit: a share (0.05 is 5 points) or nats
"""

_PRE_COMMIT = """\
repos:
  - repo: https://github.com/your-org/d2b-gate  # where your team gets d2b-gate from: replace by that address
    rev: v{version}  # a released tag or a full commit; `pre-commit autoupdate` moves it
    hooks:
      - id: d2b-gate  # runs the model on this machine; d2b-gate-system uses the d2b-gate that is on PATH
"""


def policy_text(globs: Sequence[str]) -> str:
    """Return a policy that judges the files that ``globs`` match."""
    return _POLICY.format(include=", ".join(_string(glob) for glob in globs or _EXAMPLE))


def pre_commit_text() -> str:
    """Return a pre-commit configuration with the hook."""
    return _PRE_COMMIT.format(version=__version__)


def _string(text: str) -> str:
    """Return a TOML basic string; for printable text, JSON's quoting is TOML's."""
    return json.dumps(text, ensure_ascii=False)
