"""What `quarantine` tells a person: the rows to take out, what becomes of the findings, and where the patch is."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from d2b_gate.core.verdict import Status
from d2b_gate.reports.describe import NAME, PATH, SENTENCE, headed, limits_of, place, shift_in_brief
from d2b_gate.reports.escape import ascii_only, terminal
from d2b_gate.reports.layout import painted, word, wrapped
from d2b_gate.reports.numbers import counted, grouped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from d2b_gate.core.quarantine import Applied, Quarantine, Turned
    from d2b_gate.core.rows import RowRef
    from d2b_gate.core.verdict import Finding
    from d2b_gate.reports.interface import RenderOptions

_LABEL = 12
_RUNS_SHOWN = 20


def render(found: Quarantine, patches: tuple[Applied, ...], options: RenderOptions) -> str:
    """The whole report; ``patches`` is empty where none was made. No text of a row is in it."""
    lines = [
        *_line("quarantine", f"{terminal(found.scope, PATH)}   {counted(found.added, 'added row')}", options),
        *_rows(found, options),
        *_findings(found, options),
        *_search(found, options),
        *_stuck(found, options),
        *(line for patch in patches for line in _patch(patch, options)),
    ]
    text = "".join(f"{line}\n" for line in lines)
    return ascii_only(text) if options.ascii else text


def _line(label: str, text: str, options: RenderOptions) -> list[str]:
    return wrapped(text, options.width, f"{label:<{_LABEL}}")


def _rows(found: Quarantine, options: RenderOptions) -> list[str]:
    if not found.asked:
        return _line("takes out", "nothing: there is nothing to clear", options)
    if not found.away:
        return _line("takes out", _nothing_helps(found), options)
    runs = found.away if options.verbose or found.stuck else found.away[:_RUNS_SHOWN]
    hidden = len(found.away) - len(runs)
    broken = f", {len(found.broken)} of them for their schema" if found.broken else ""
    head = f"{grouped(found.rows)} of {grouped(found.added)} added rows{broken}"
    lines = [f"{'':<{_LABEL}}{_run(run)}" for run in runs]
    more = [f"{'':<{_LABEL}}and {counted(hidden, 'more run')} (-v lists them; the patch has all)"] if hidden else []
    return [*_line("takes out", head, options), *lines, *more]


def _nothing_helps(found: Quarantine) -> str:
    if not found.added:
        return "nothing: the change adds no row, so removed rows are to blame; put back what the data needs"
    return (
        "nothing: no removal of added rows that was tried clears this, so removed rows are to blame, or what was "
        "there before"
    )


def _run(run: tuple[RowRef, ...]) -> str:
    first, last = run[0].line, run[-1].line
    lines = str(first) if first == last else f"{first}-{last}"
    return f"{place(run[0].path, lines)}   {counted(len(run), 'row')}"


def _findings(found: Quarantine, options: RenderOptions) -> Iterator[str]:
    for one in found.turned:
        how = "" if one.cleared else "is not cleared"
        how = how if one.wanted else "was not asked for, and is cleared too" if one.cleared else "was not asked for"
        yield from _line("finding", f"{headed(one.name, NAME)}{f' {how}' if how else ''}", options)
        yield f"{'':<{_LABEL}}-  {_in_brief(one.before, options)}"
        yield f"{'':<{_LABEL}}+  {_after(one, options)}"


def _after(one: Turned, options: RenderOptions) -> str:
    return "".join(_in_brief(finding, options) for finding in one.after) or "nothing is left to judge"


def _in_brief(finding: Finding, options: RenderOptions) -> str:
    status = finding.status
    doubt = ", and does not block here" if status is Status.INCONCLUSIVE and not finding.blocks else ""
    said = painted(word(status), status, options.color)
    return f"{said} {shift_in_brief(finding)}, {', '.join(limits_of(finding))}{doubt}"


def _search(found: Quarantine, options: RenderOptions) -> list[str]:
    if not found.tries:
        return []
    spent = f"{counted(found.tries, 'try').replace('trys', 'tries')} in {found.seconds:.1f} s"
    if not found.away:
        return _line("search", spent, options)
    least = (
        "less of the ranking was tried and does not pass" if found.smallest else "smaller sets were not tried for time"
    )
    blind = f"; {grouped(found.unranked)} rows had no part in the ranking" if found.unranked else ""
    return [*_line("search", f"{spent}; {least}{blind}", options), *_staying(found, options)]


def _staying(found: Quarantine, options: RenderOptions) -> list[str]:
    """The fewest rows that must go are seldom all that are of a kind."""
    if not found.staying:
        return []
    stay = f"{counted(found.staying, 'row')} that the result blames {'stays' if found.staying == 1 else 'stay'}"
    return _line("note", f"{stay}, for the limits hold with them: read them before the data is trained on", options)


def _stuck(found: Quarantine, options: RenderOptions) -> Iterator[str]:
    for path, why in found.stuck:
        text = f"{headed(path, PATH)} {terminal(why, SENTENCE)}, so no patch can take rows out of it: do that by hand"
        yield from _line("no patch", text, options)


def _patch(patch: Applied, options: RenderOptions) -> list[str]:
    where = "on stdout" if patch.path == "-" else terminal(shlex.quote(patch.path), PATH)
    applied = f"applied to {' and '.join(patch.places)}" if patch.places else "not applied; --write applies it"
    lines = [f"{'patch':<{_LABEL}}{where}", f"{'':<{_LABEL}}{applied}"]
    for path in patch.unlike:
        text = f"{headed(path, PATH)} the working tree's file is unlike what was judged, and was left as it is"
        lines += _line("note", text, options)
    return [*lines, *(f"{'undo' if not n else '':<{_LABEL}}{how}" for n, how in enumerate(_undo(patch, where)))]


def _undo(patch: Applied, where: str) -> list[str]:
    if patch.path == "-":
        return []
    left = "".join(f" --exclude={terminal(shlex.quote(path), PATH)}" for path in patch.unlike)
    git = f"git -C {terminal(shlex.quote(patch.root), PATH)}" if patch.root else "git"
    commands = {"the index": f"{git} apply -R --cached {where}", "the working tree": f"{git} apply -R{left} {where}"}
    return [commands[one] for one in patch.places]
