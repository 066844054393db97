"""`serve`: a model kept warm behind HTTP, for machines without a GPU."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from d2b_gate.cli.arguments import later
from d2b_gate.cli.sizes import parse_size

if TYPE_CHECKING:
    from collections.abc import Callable

MODULE = "d2b_gate.cli.serve"


def declare(commands: argparse._SubParsersAction[argparse.ArgumentParser], common: argparse.ArgumentParser) -> None:
    """Declare `serve`."""
    parser = commands.add_parser(
        "serve", parents=[common], allow_abbrev=False, help="keep a model warm behind HTTP for machines without a GPU"
    )
    _declare_place(parser)
    _declare_models(parser)
    _declare_limits(parser)
    parser.set_defaults(run=later(MODULE, "run"))


def _declare_place(parser: argparse.ArgumentParser) -> None:
    place = parser.add_argument_group("where it listens, and to whom")
    place.add_argument("--host", default="127.0.0.1", metavar="HOST", help="default: 127.0.0.1, this machine alone")
    place.add_argument("--port", type=_port, default=8443, metavar="PORT", help="default: 8443; 0: a free one")
    place.add_argument(
        "--tokens", default="", metavar="FILE", help='lines of name = "token"; or one in D2B_GATE_SERVE_TOKEN'
    )
    place.add_argument("--tls-cert", default="", metavar="FILE", help="certificate chain, PEM")
    place.add_argument("--tls-key", default="", metavar="FILE", help="its key, PEM")
    place.add_argument("--behind-proxy", action="store_true", help="a proxy in front ends TLS")
    place.add_argument("--open-metrics", action="store_true", help="answer /metrics without a token")
    place.add_argument("--ready-file", default="", metavar="PATH", help="written with url and pid once it listens")


def _declare_models(parser: argparse.ArgumentParser) -> None:
    models = parser.add_argument_group("what it runs")
    models.add_argument(
        "--model",
        action="append",
        default=[],
        metavar="ID[@REVISION]",
        help="default: builtin:smollm2-135m; may repeat, and no other is served",
    )
    models.add_argument(
        "--dtype", choices=("float32", "bfloat16", "float16"), default="float32", help="default: float32"
    )
    models.add_argument("--device", action="append", default=[], metavar="DEV", help="auto (default), cpu, cuda, mps")
    models.add_argument("--backend", default="local", metavar="NAME", help="local (default), or fake, to try it out")
    models.add_argument("--preload", action="store_true", help="load the models at the start, not at the first job")
    models.add_argument("--state", default="", metavar="DIR", help="rows, jobs, results (default: serve in the cache)")


def _declare_limits(parser: argparse.ArgumentParser) -> None:
    limits = parser.add_argument_group("limits")
    for flag, kind, default, text in _LIMITS:
        limits.add_argument(
            flag, type=kind, default=default, metavar=_METAVARS[kind], help=f"{text} (default: {default})"
        )


def _port(text: str) -> int:
    return _whole(text, 0, 65_535)


def _count(text: str) -> int:
    return _whole(text, 1, 10**9)


def _whole(text: str, least: int, most: int) -> int:
    if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from {least} to {most}")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 10**9:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return value


_METAVARS: dict[Callable[[str], object], str] = {parse_size: "SIZE", _count: "N", _seconds: "S"}
_LIMITS: tuple[tuple[str, Callable[[str], object], str, str], ...] = (
    ("--max-body", parse_size, "64MiB", "bytes of a request"),
    ("--max-rows", _count, "10000", "rows in a request"),
    ("--max-row-bytes", parse_size, "16MiB", "bytes of a row"),
    ("--max-seconds", _seconds, "21600", "seconds of a job"),
    ("--max-queue", _count, "64", "jobs of a token that wait"),
    ("--max-arrival", _seconds, "60", "seconds in which a request must arrive"),
    ("--max-connections", _count, "512", "connections at once"),
    ("--keep-days", _count, "14", "days after which rows and results that nobody asked for are forgotten"),
    ("--keep-bytes", parse_size, "20GiB", "bytes that are kept of a token: of rows, results and features each"),
    ("--grace", _seconds, "30", "seconds for running jobs when it is told to end"),
    ("--idle", _seconds, "0", "seconds without a request after which it ends; 0: never"),
)
