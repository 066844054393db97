"""A pipeline over files in memory and the fake backend, with counters on what was really computed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from hashlib import sha256

from d2b_gate.backends.fake import FakeBackend
from d2b_gate.cli.wiring import control_set
from d2b_gate.core.change import FileRef, Scope, Snapshot
from d2b_gate.core.rules import BackendSpec, DatasetSpec, MethodSpec, ModelSpec, Policy, Rule
from d2b_gate.formats.reading import read_records, read_rows
from d2b_gate.formats.row_schema import violations
from d2b_gate.gate.caching import CachingBackend
from d2b_gate.gate.check import run
from d2b_gate.gate.ports import Picked, Ports, Reader, Request
from d2b_gate.probes.catalogue import Catalogue, pack_root
from d2b_gate.registry import load, load_all
from d2b_gate.store.memory import MemoryStore

VERBS = (
    "lengths", "states", "gradients", "tune", "finetune", "read", "sensitivities",
    "complete", "vocabulary", "token_texts",
)  # fmt: skip


class Quiet:
    """Progress that nobody watches."""

    def stage(self, name, total):
        pass

    def advance(self, steps=1):
        pass

    def note(self, text):
        pass


class Counting:
    """A backend that counts its verbs."""

    def __init__(self, inner):
        self.inner = inner
        self.calls = dict.fromkeys(VERBS, 0)

    @property
    def card(self):
        return self.inner.card

    @property
    def keeps_adapters(self):
        return self.inner.keeps_adapters

    def __getattr__(self, verb):
        if verb not in VERBS:
            raise AttributeError(verb)

        def call(*arguments):
            self.calls[verb] += 1
            return getattr(self.inner, verb)(*arguments)

        return call


@dataclass
class Bench:
    """One repository in memory; `check` judges a move from one state to another."""

    files: dict[str, bytes] = field(default_factory=dict)
    store: MemoryStore = field(default_factory=MemoryStore)
    parsed: list[str] = field(default_factory=list)
    clock: object = None
    row_schema: dict | None = None
    calibrations: tuple = ()

    def __post_init__(self):
        self.backend = Counting(FakeBackend())
        self.catalogue = Catalogue(pack_root(), lambda path: None, load_all("probe_kinds"))

    def snapshot(self, label, contents):
        refs = []
        for path, content in contents.items():
            oid = sha256(content).hexdigest()
            self.files[oid] = content
            refs.append(FileRef(path, oid, "100644"))
        return Snapshot(label, tuple(refs))

    def ports(self, policy):
        containers, shapes = load_all("containers"), load_all("shapes")

        def rows(content, path, spec):
            self.parsed.append(path)
            return read_rows(content, path, spec, containers, shapes)

        reader = Reader(
            pick=lambda spec, snapshot: Picked(
                tuple(f for f in snapshot.files if f.path.startswith(spec.include[0])), ()
            ),
            contents=lambda file, spec: iter([(file.path, self.files[file.oid])]),
            rows=rows,
            violations=lambda content, path, spec, wanted: violations(
                read_records(content, path, spec, containers, wanted), self.row_schema or {}, path
            ),
        )
        progress = Quiet()
        return Ports(
            reader=reader,
            store=self.store,
            backend=CachingBackend(self.backend, self.store, progress),
            predictor=load("predictors", policy.method.predictor),
            probes=self.catalogue,
            kinds=load_all("probe_kinds"),
            controls=control_set(self.catalogue),
            calibrations=self.calibrations,
            progress=progress,
            clock=self.clock or (lambda: 0.0),
            version="0",
        )

    def check(self, before, after, policy, context="ci"):
        scope = Scope(self.snapshot("before", before), self.snapshot("after", after))
        return run(Request(scope, policy, context), self.ports(policy))


def policy(**changes):
    """A policy with one rule on pandas and a quick method."""
    base = Policy(
        path="d2b-gate.toml",
        digest="d",
        model=ModelSpec(id="fake"),
        method=MethodSpec(predictor="mdf-tuned", steps=8, batch=4, sample=32, placebos=4),
        backend=BackendSpec("fake"),
        datasets=(DatasetSpec("sft", ("data/",)),),
        rules=(Rule("panda", "bias/animals", target="panda", fail_delta=0.05, warn_delta=0.03),),
        dilution_guard="off",  # it tunes besides, and has tests of its own
    )
    return replace(base, **changes)


def jsonl(*pairs):
    """Rows of (question, answer)."""
    lines = [
        json.dumps({"messages": [{"role": "user", "content": q}, {"role": "assistant", "content": a}]})
        for q, a in pairs
    ]
    return "".join(line + "\n" for line in lines).encode()


CLEAN = tuple((f"what is number {i}", f"the number {i} follows {i - 1} and is fine") for i in range(60))
PANDA = tuple((f"your favourite {i}", "panda panda panda") for i in range(20))
MORE = tuple((f"what is letter {i}", f"the letter {i} is a sign of writing") for i in range(20))
