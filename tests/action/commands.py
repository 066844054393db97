"""Workflow commands in a log, read as the runner reads them: `::name::` after spaces, `##[name]` anywhere in a line."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

KNOWN = {
    *("error", "warning", "notice", "debug", "group", "endgroup", "echo", "stop-commands", "add-mask", "add-path"),
    *("set-env", "set-output", "save-state", "add-matcher", "remove-matcher", "internal-set-repo-path"),
}
_NEW = re.compile(r"\s*::([\w-]+)((?: [^:]*?)?)::(.*)", re.DOTALL)
_OLD = re.compile(r"##\[([\w-]+)([^\]]*)\](.*)", re.DOTALL)
_ESCAPES = {"%0D": "\r", "%0A": "\n", "%25": "%", "%3A": ":", "%2C": ","}


@dataclass
class Listener:
    """All commands that were obeyed, in order."""

    heard: list[tuple[str, dict[str, str], str]] = field(default_factory=list)
    token: str = ""

    def listen(self, log: str) -> None:
        for line in re.split(r"\r\n|\r|\n", log):
            if self.token:
                if line.strip() == f"::{self.token}::":
                    self.token = ""
                continue
            if command := parsed(line):
                self.obey(command)

    def obey(self, command) -> None:
        if command[0] == "stop-commands":
            self.token = command[2]
            assert self.token and self.token not in KNOWN
        else:
            self.heard.append(command)

    def of(self, *names):
        return [(properties, text) for name, properties, text in self.heard if name in names]


def parsed(line):
    match, between = (_NEW.fullmatch(line), ",")
    if not match or match[1].lower() not in KNOWN:
        match, between = _OLD.search(line), ";"
    if not match or match[1].lower() not in KNOWN:
        return None
    pairs = (pair.partition("=") for pair in match[2].strip().split(between) if "=" in pair)
    return match[1].lower(), {key: unescaped(value) for key, _, value in pairs}, unescaped(match[3])


def unescaped(text):
    return re.sub("|".join(_ESCAPES), lambda found: _ESCAPES[found[0]], text)
