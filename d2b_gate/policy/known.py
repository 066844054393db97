"""The names that a policy may use; their owners hand them in, and these defaults are what ships."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Known:
    """Names from the registry. ``roles`` are what a dataset's ``columns`` may map: the columns of all shapes."""

    predictors: tuple[str, ...] = ("mdf", "mdf-gradient", "mdf-tuned", "proxy-lora")
    containers: tuple[str, ...] = ("jsonl", "json", "csv", "tsv", "parquet", "plain")
    shapes: tuple[str, ...] = (
        *("unpaired-preference", "preference", "messages", "sharegpt", "alpaca", "prompt-completion", "text"),
    )
    roles: tuple[str, ...] = (
        *("messages", "conversations", "system", "tools", "text", "prompt", "completion", "response", "question"),
        *("answer", "instruction", "input", "output", "history", "chosen", "rejected", "label", "kto_tag"),
    )
