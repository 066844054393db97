"""The part of `check` that needs the pipeline: wire it, run it, keep the result, print it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from d2b_gate.cli.calibrations import calibrations
from d2b_gate.cli.context import text_reader
from d2b_gate.cli.judging import judged
from d2b_gate.cli.output import save_result, write_reports
from d2b_gate.cli.policy_edits import policy_edits
from d2b_gate.cli.progress import make_progress
from d2b_gate.cli.unavailable import defer_or_raise
from d2b_gate.cli.waivers import read_policy_and_waivers, unusable
from d2b_gate.cli.wiring import running_of, wire
from d2b_gate.core.errors import NothingMatchedError, UnavailableError
from d2b_gate.core.rules import DatasetSpec
from d2b_gate.gate.ports import Request
from d2b_gate.policy.waiver_lint import lint_waivers
from d2b_gate.sources.globs import Globs

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    from d2b_gate.cli.context import Standpoint
    from d2b_gate.cli.output import Outputs
    from d2b_gate.core.change import Scope
    from d2b_gate.core.rules import Policy
    from d2b_gate.policy.find import Found


def judge_and_report(stand: Standpoint, found: Found, outputs: Outputs, arguments: Namespace) -> int:
    """Run the pipeline and print the verdict; the exit code is the verdict's, whatever the format."""
    policy, catalogue, waivers = read_policy_and_waivers(found, stand.reader())
    scope = stand.scope()
    if stand.mode == "paths":
        policy = _with_given_paths(policy, scope)
    with make_progress(quiet=arguments.quiet) as progress:
        running = running_of(arguments, progress)
        try:
            policy, ports = wire(policy, catalogue, stand, running, calibrations(stand.reader()))
            request = Request(scope, policy, stand.context, waivers)
            verdict = judged(request, stand, ports)
        except UnavailableError as error:
            return defer_or_raise(error, policy, stand, arguments)
    notes = (*_notes_on(stand), *_where_it_ran(policy), *verdict.notes, *lint_waivers(waivers, policy.rules))
    verdict = replace(verdict, notes=notes, policy_changes=policy_edits(stand, found))
    if arguments.require_match and not verdict.files:
        raise NothingMatchedError("no row of any dataset changed", remedy="drop --require-match if that is fine")
    result = save_result(verdict)
    write_reports(verdict, outputs, result, stand.context, arguments)
    return int(verdict.exit)


def _with_given_paths(policy: Policy, scope: Scope) -> Policy:
    """Judge paths that no dataset names as a dataset of their own, its format found out."""
    named = [Globs(spec.include, spec.exclude) for spec in policy.datasets]
    strays = [file.path for file in scope.after.files if not any(globs.concerns(file.path) for globs in named)]
    if not strays:
        return policy
    literal = tuple("".join(f"[{char}]" if char in "*?[" else char for char in path) for path in strays)
    return replace(policy, datasets=(*policy.datasets, DatasetSpec("given paths", literal)))


def _where_it_ran(policy: Policy) -> Iterator[str]:
    """Rows that left this machine are said to have, in every report."""
    if policy.backend.kind == "remote":
        from d2b_gate.backends.remote.binding import bound

        yield f"the model runs on {bound(policy.backend.url).origin}, where the rows that it needs are sent"
    if policy.backend.kind == "ray":
        from d2b_gate.backends.ray.settings import LOCAL, address_of

        address = address_of(policy.backend.url)
        if address != LOCAL:
            yield f"the model runs on the ray cluster {address}, where the rows that it needs are sent"


def _notes_on(stand: Standpoint) -> Iterator[str]:
    """What a reader of CI's verdict must know about the state that it is judged by."""
    if stand.context != "ci":
        return
    if stand.mode != "range":
        yield "judged by the policy of this checkout; give --from-ref to use the base commit's"
    elif stand.policy_ref == stand.to_ref:
        yield "the base commit has no policy: judged by the head's own (--bootstrap)"
    else:
        yield from unusable(text_reader(stand.repository, stand.to_ref))
