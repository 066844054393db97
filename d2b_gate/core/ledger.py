"""What was predicted and what came, one line per behaviour of a real fine-tune: what calibrations are fitted on."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from d2b_gate.core.appended import last_words
from d2b_gate.core.errors import EvaluationError
from d2b_gate.core.untrusted import PREFIX, Untrusted

SCHEMA = "d2b-gate.ledger/1"
_TEXTS = "key source probe probe_digest target unit"


@dataclass(frozen=True, slots=True)
class Entry:
    """One behaviour of one set of rows. ``key`` names model, template, dtype, method and regime."""

    key: str
    source: str
    probe: str
    probe_digest: str
    target: str
    unit: str
    before: float  # level of the untouched model; this and the shifts are in the probe's unit
    predicted: float
    true: float
    reach: float  # see `Predictor.reach`
    trainings: int
    rows: int


def entry_line(entry: Entry) -> str:
    """An entry as one line of JSON."""
    return json.dumps({"schema": SCHEMA, **asdict(entry)}, sort_keys=True) + "\n"


def read_entries(text: str, path: str) -> tuple[Entry, ...]:
    """Read a ledger; of entries on the same rows and question the last counts.

    Raises:
        EvaluationError: a line that is no entry, with its place. A last line without its end is what an interrupted
            write leaves behind, and is passed over.
    """
    return last_words(text, path, _entry, lambda one: (one.key, one.source, one.probe_digest, one.target))


def _entry(line: str, where: str) -> Entry:
    try:
        found = Untrusted(json.loads(line), "").fields(f"schema {_TEXTS} before predicted true reach trainings rows")
        found["schema"].one_of({SCHEMA: SCHEMA})
        key, source, probe, digest, target, unit = (found[name].text() for name in _TEXTS.split())
        return Entry(
            key,
            source,
            probe,
            digest,
            target,
            unit,
            before=found["before"].number(),
            predicted=found["predicted"].number(),
            true=found["true"].number(),
            reach=max(1.0, found["reach"].number()),
            trainings=found["trainings"].count(),
            rows=max(1, found["rows"].count()),
        )
    except (ValueError, EvaluationError, RecursionError) as error:
        what = getattr(error, "what", "it is not JSON").removeprefix(PREFIX)
        raise EvaluationError(f"is not a line of a ledger: {what}", where=where, remedy="remove the line") from error
