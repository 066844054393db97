"""What is said of sets of rows, as plainly as it can be: every row in memory, sorted anew for every question."""

from __future__ import annotations

import hashlib
import math
from collections import Counter

from d2b_gate.core.fingerprint import fingerprint
from d2b_gate.core.rows import RowDiff


def diff(before, after):
    """Multisets of keys; of a key that stands more often in one state, the rows stay that have it in a file of both."""
    shared = Counter(ref.key for ref in before) & Counter(ref.key for ref in after)
    home = Counter((ref.key, ref.path) for ref in before) & Counter((ref.key, ref.path) for ref in after)
    added, kept = _parted(after, Counter(shared), Counter(home))
    removed, _ = _parted(before, Counter(shared), Counter(home))
    return RowDiff(
        *(tuple(sorted(part, key=lambda ref: (ref.path, ref.line, ref.key))) for part in (added, removed, kept))
    )


def _parted(refs, shared, home):
    stays = set()
    for number, ref in enumerate(refs):
        if home[ref.key, ref.path] > 0:
            home[ref.key, ref.path] -= 1
            shared[ref.key] -= 1
            stays.add(number)
    for number, ref in enumerate(refs):
        if number not in stays and shared[ref.key] > 0:
            shared[ref.key] -= 1
            stays.add(number)
    inside = [ref for number, ref in enumerate(refs) if number in stays]
    return [ref for number, ref in enumerate(refs) if number not in stays], inside


def subsample(refs, weights, count, seed):
    """An exponential race of every row, sorted."""
    seen = Counter()
    raced = []
    for ref in sorted(refs, key=lambda ref: (ref.key, ref.path, ref.line)):
        occurrence = seen[ref.key]
        seen[ref.key] += 1
        weight = weights.get(ref.path, 1.0)
        digest = hashlib.sha256(f"{seed}:{ref.key}:{occurrence}".encode()).digest()
        if weight > 0:
            u = (int.from_bytes(digest[:8], "big") + 1) / 2**64
            raced.append((-math.log(u) / weight, ref.key, occurrence, ref))
    raced.sort(key=lambda entry: entry[:3])
    return tuple(ref for _, _, _, ref in raced[:count])


def rows_hash(changes):
    """One line per changed row, all sorted, hashed."""
    lines = sorted(
        f"{sign} {ref.key} {name}\n"
        for name, diff in changes
        for sign, refs in (("+", diff.added), ("-", diff.removed))
        for ref in refs
    )
    return hashlib.sha256("".join(("d2b-gate.change/1\n", *lines)).encode()).hexdigest()


def fingerprint_with_keys(kind, parts, diffs):
    """The keys as lists among the parts."""
    rows = [[sorted(ref.key for ref in part) for part in (one.added, one.removed, one.kept)] for one in diffs]
    return fingerprint(kind, (*parts, rows))
