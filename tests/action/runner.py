"""A runner of composite actions that keeps to the documented file protocol; `uses:` steps are recorded, not run."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from tests.action.commands import Listener
from tests.action.expressions import condition, interpolate

ACTION = Path(__file__).parents[2] / "action"


@dataclass
class Outcome:
    """What a job shows after the action."""

    code: int = 0  # of the last step that ran and failed
    outputs: dict[str, str] = field(default_factory=dict)
    log: str = ""
    errors: str = ""  # of all steps, what went to stderr
    summary: str = ""
    ran: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    used: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    commands: Listener = field(default_factory=Listener)

    def annotations(self, *levels):
        return self.commands.of(*(levels or ("error", "warning", "notice")))


@dataclass
class Runner:
    """One job on one machine."""

    workspace: Path
    temporary: Path
    environment: dict[str, str]
    github: dict[str, object]

    def run(self, folder: Path = ACTION, **inputs: str) -> Outcome:
        action = yaml.safe_load((folder / "action.yml").read_text(encoding="utf-8"))
        outcome, steps = Outcome(), {}
        contexts = {
            "inputs": self._inputs(action, {name.replace("_", "-"): value for name, value in inputs.items()}),
            "steps": steps,
            "github": self.github,
            "runner": {"temp": str(self.temporary)},
            "env": self.environment,
            "functions": {
                "always": lambda: True,
                "success": lambda: not outcome.failed,
                "failure": lambda: bool(outcome.failed),
                "cancelled": lambda: False,
            },
        }
        for number, step in enumerate(action["runs"]["steps"]):
            if condition(step.get("if", "success()"), contexts):
                outcome.ran.append(step["name"])
                outputs = self._step(step, number, contexts, outcome, folder)
                steps[step.get("id", f"__{number}")] = {"outputs": outputs}
        outcome.outputs = {
            name: interpolate(output["value"], contexts) for name, output in action.get("outputs", {}).items()
        }
        return outcome

    def _inputs(self, action, given):
        declared = action.get("inputs", {})
        assert not set(given) - set(declared), "the runner warns of inputs that the action does not know"
        contexts = {"github": self.github}
        defaults = {name: interpolate(entry.get("default", ""), contexts) for name, entry in declared.items()}
        return {**defaults, **given}

    def _step(self, step, number, contexts, outcome, folder):
        if "uses" in step:
            values = {key: interpolate(value, contexts) for key, value in step["with"].items()}
            outcome.used.append((step["uses"], values))
            return {}
        assert "${{" not in step["run"], "an expression in a script is an injection"
        assert step["shell"] == "bash"
        files = self._files(number)
        variables = {key: interpolate(value, contexts) for key, value in step.get("env", {}).items()}
        script = self.temporary / f"step-{number}.sh"
        script.write_text(step["run"], encoding="utf-8")
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            cwd=self.workspace,
            env={**self.environment, **variables, **files, "GITHUB_ACTION_PATH": str(folder)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        self._keep(done, step, files, outcome)
        return entries(Path(files["GITHUB_OUTPUT"]).read_text(encoding="utf-8"))

    def _files(self, number):
        names = ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY", "GITHUB_STATE")
        places = {name: self.temporary / f"{name.lower()}-{number}" for name in names}
        for place in places.values():
            place.touch()
        return {name: str(place) for name, place in places.items()}

    def _keep(self, done, step, files, outcome):
        out, errors = (stream.decode("utf-8", "replace") for stream in (done.stdout, done.stderr))
        outcome.commands.listen(out)
        outcome.commands.listen(errors)  # the two streams are read apart: what stands here may be read at any time
        outcome.log += out
        outcome.errors += errors
        outcome.summary += Path(files["GITHUB_STEP_SUMMARY"]).read_text(encoding="utf-8")
        self.environment.update(entries(Path(files["GITHUB_ENV"]).read_text(encoding="utf-8")))
        if done.returncode:
            outcome.failed.append(step["name"])
            outcome.code = done.returncode


def entries(text):
    """``name=value`` and ``name<<DELIMITER`` entries of an output or environment file."""
    found, lines = {}, iter(text.splitlines())
    for line in lines:
        if match := re.fullmatch(r"([^=]+?)<<(.+)", line):
            value = []
            for part in lines:
                if part == match[2]:
                    break
                value.append(part)
            else:
                raise AssertionError(f"no end of {match[1]}")
            found[match[1]] = "\n".join(value)
        elif line:
            name, equals, value = line.partition("=")
            assert equals, f"not an entry: {line!r}"
            found[name] = value
    return found
