"""A probe file to a `Probe`: data only, checked by hand, every problem at once."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from d2b_gate.core.errors import PolicyError, UsageError
from d2b_gate.core.reading import Probe
from d2b_gate.probes.form import Form
from d2b_gate.probes.toml import parse

if TYPE_CHECKING:
    from collections.abc import Mapping

    from d2b_gate.core.ports import ProbeKind
    from d2b_gate.core.reading import Prompt

SCHEMA = 1
UNITS = ("share", "nats")
MOST_CHARACTERS = 1_000_000  # of a file; the largest shipped one has 9 000
_ID = re.compile(r"[a-z0-9][a-z0-9-]*(/[a-z0-9][a-z0-9-]*)*\Z")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*\Z")


def read_probe(text: str, path: str, kinds: Mapping[str, ProbeKind]) -> Probe:
    """Read one probe file; ``path`` is what problems name.

    Raises:
        PolicyError: every problem of the file, each with its line.
    """
    if len(text) > MOST_CHARACTERS:
        raise PolicyError([UsageError(f"a probe file has at most {MOST_CHARACTERS} characters", where=path)])
    table = parse(text, path)
    form = Form(table, path)
    if table.get("schema") != SCHEMA or table.get("schema") is True:
        form.wrong(f"the file needs schema = {SCHEMA}", "schema")
    kind = form.choice("kind", kinds)
    low, high = form.pair("range")
    probe = Probe(
        id=_matching(form, "id", _ID, "lower-case words, digits and hyphens, parted by slashes"),
        kind=kind,
        title=form.text("title", 80),
        description=form.text("description", 2000),
        unit=form.choice("unit", UNITS),
        low=low,
        high=high,
        citation=form.text("citation", 1000),
        language=_matching(form, "language", _LANGUAGE, 'a language tag like "en" or "pt-BR"'),
        prompts=(),
        alternatives=(),
        digest=hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
    )
    return _asked(probe, table, path, form, kinds)


def is_probe_id(text: str) -> bool:
    """Whether a probe may be called this."""
    return bool(_ID.match(text))


def _asked(probe: Probe, table: Mapping[str, object], path: str, form: Form, kinds: Mapping[str, ProbeKind]) -> Probe:
    """Let the kind read what is asked, and report its problems after those of the header."""
    alternatives: tuple[str, ...] = ()
    prompts: tuple[Prompt, ...] = ()
    if probe.kind:
        try:
            alternatives, prompts = kinds[probe.kind].prompts(table, path)
        except PolicyError as error:
            told = {str(problem) for problem in form.problems}
            form.problems += [problem for problem in error.problems if str(problem) not in told]
    form.done()
    return replace(probe, alternatives=alternatives, prompts=prompts)


def _matching(form: Form, key: str, pattern: re.Pattern[str], said: str) -> str:
    value = form.text(key, 100)
    if value and not pattern.match(value):
        form.wrong(f"{key!r} must be {said}, not {value!r}", key)
    return value
